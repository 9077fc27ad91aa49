"""Security headers of every answer."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from flask import Response


def _policy(**sources: str) -> str:
    return "; ".join(f"{name.replace('_', '-')} {value}" for name, value in sources.items())


PAGE_POLICY = _policy(
    default_src="'none'",
    script_src="'self'",
    style_src="'self'",
    img_src="'self' data:",
    connect_src="'self'",
    frame_src="'self'",
    form_action="'self'",
    base_uri="'none'",
    frame_ancestors="'none'",
)


def page_policy(elsewhere: str) -> str:
    """Return the policy of a page that may also fetch images and data from one other place; empty for none."""
    if not elsewhere:
        return PAGE_POLICY
    return PAGE_POLICY.replace("connect-src 'self'", f"connect-src 'self' {elsewhere}").replace(
        "img-src 'self'", f"img-src 'self' {elsewhere}"
    )


MAP_POLICY = _policy(
    sandbox="allow-scripts",
    default_src="'none'",
    script_src="'unsafe-inline'",
    style_src="'unsafe-inline'",
    img_src="data:",
    font_src="data:",
    form_action="'none'",
    base_uri="'none'",
    frame_ancestors="'self'",
)
"""A map is one file with its scripts inside, so it runs with an origin of its own: no cookie, no request."""


def add_headers(response: Response) -> Response:
    """Set what every answer carries; a view may have set a policy of its own before."""
    headers = response.headers
    headers.setdefault("Content-Security-Policy", PAGE_POLICY)
    headers["X-Content-Type-Options"] = "nosniff"
    headers["Referrer-Policy"] = "no-referrer"
    headers["Cross-Origin-Opener-Policy"] = "same-origin"
    headers["Cross-Origin-Resource-Policy"] = "same-origin"
    headers["Permissions-Policy"] = "camera=(), geolocation=(), microphone=()"
    headers.setdefault("Cache-Control", "private, no-store")
    return response
