"""Wangge: divide communities into connected, balanced, compact management grids."""

__version__ = "0.1.0"
