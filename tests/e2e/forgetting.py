"""A graphics card that forgets all it was given, as one does when its driver begins anew."""

from __future__ import annotations

import time

from pixels import differing, seen
from playwright.sync_api import Page

LOSE = """() => {
  const card = document.querySelector(".maplibregl-canvas").getContext("webgl2");
  window.lost = card.getExtension("WEBGL_lose_context");
  window.lost.loseContext();
}"""
GONE = 0.05
"""Of the pixels at least so many differ while the map is away."""
SAME = 0.002
"""Texts may come to stand a little beside."""
BACK_S = 30


def comes_back(page: Page) -> None:
    """Take the map's memory on the card away and give it back; fails unless the map looks as before."""
    before = seen(page)
    page.evaluate(LOSE)
    page.wait_for_timeout(500)
    assert differing(page, before, seen(page)).mean() > GONE
    page.evaluate("window.lost.restoreContext()")
    deadline = time.monotonic() + BACK_S
    while (share := differing(page, before, seen(page)).mean()) > SAME:
        assert time.monotonic() < deadline, f"{share:.1%} of the map are not as before"
        page.wait_for_timeout(500)
