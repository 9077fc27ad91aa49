"""The service: stores projects, runs jobs, draws pages. It computes nothing itself."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from flask import Flask

    from web.settings import Settings


def create_app(settings: Settings | None = None) -> Flask:
    """Return the application; settings come from the environment when not given.

    The import waits for the call: the processes of jobs live in this package too and need no Flask.
    """
    from web.app import build  # noqa: PLC0415

    return build(settings)
