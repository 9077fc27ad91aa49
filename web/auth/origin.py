"""Refuse requests that another site's page made a browser send."""

from __future__ import annotations

from typing import TYPE_CHECKING

from web.errors import CrossSiteError

if TYPE_CHECKING:
    from flask import Request

SAFE = frozenset({"GET", "HEAD", "OPTIONS"})


def check_origin(request: Request) -> None:
    """Let a changing request pass only from our own pages, or from a program that is no browser.

    Every current browser sends ``Sec-Fetch-Site``; older ones send ``Origin`` with a form. A program sends
    neither, and carries no browser's standing with it.

    Raises
    ------
    CrossSiteError
        If the request came from another site.
    """
    if request.method in SAFE:
        return
    site = request.headers.get("Sec-Fetch-Site")
    if site is not None:
        allowed = site in {"same-origin", "none"}
    else:
        origin = request.headers.get("Origin")
        allowed = origin is None or origin == request.host_url.rstrip("/")
    if not allowed:
        raise CrossSiteError(
            "cross-site",
            "请求来自其他网站，已拒绝。请在本系统页面内操作。",
            "The request came from another site and is refused. Use the pages of this service.",
        )
