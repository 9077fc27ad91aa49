"""The command line: the same functions as the library and the web service."""

from geo.cli.main import main

__all__ = ["main"]
