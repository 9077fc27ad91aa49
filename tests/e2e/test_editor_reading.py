"""A plan that is only read: because it is settled, because of who reads it, or because nothing can draw it."""

from __future__ import annotations

import json

import numpy as np
import pytest
from editing import NO_TOUR, OPEN_MS, Editor, asked, branch, demo_plan
from playwright.sync_api import Route, expect
from watching import WITHOUT_WEBGL, Watched

pytestmark = pytest.mark.browser


@pytest.fixture
def plan(server: str, request: pytest.FixtureRequest) -> str:
    return branch(server, demo_plan(server)[1], request.node.name)


def try_everything(editor: Editor) -> None:
    """Use mouse and keys as if the plan could be changed; it must stay as it is."""
    before = editor.assignment()
    page = editor.page
    expect(page.locator("[data-tool=select]")).to_be_visible()
    assert page.locator("[data-tool=brush], [data-command=undo]").count() == 0
    page.locator(".stage canvas").first.focus()
    for key in ("b", "m", "Delete", "Control+z"):
        page.keyboard.press(key)
    editor.drag([(400, 300), (600, 400), (700, 500)])
    assert page.locator(".proposal:visible").count() == 0
    expect(page.locator(".hint")).to_contain_text(page.locator(".read-only").get_attribute("title") or "?")
    editor.saved()
    assert np.array_equal(editor.assignment(), before)
    assert json.loads(asked(editor.api))["revision"] == editor.revision


def test_a_settled_plan_is_read_and_says_why(watched: Watched, server: str, plan: str) -> None:
    for status in ("consultation", "approved"):
        asked(f"{server}/api/v1/plans/{plan}/status", {"status": status})
    editor = Editor.open(watched.page, server, plan)
    tag = watched.page.locator(".read-only")
    expect(tag).to_contain_text("只读")
    assert tag.get_attribute("title")
    try_everything(editor)


def test_who_may_only_read_is_told_so(watched: Watched, server: str, plan: str) -> None:
    def as_reader(route: Route) -> None:
        answer = route.fetch()
        route.fulfill(response=answer, json=answer.json() | {"may_edit": False})

    watched.page.route(f"**/api/v1/plans/{plan}", as_reader)
    editor = Editor.open(watched.page, server, plan)
    expect(watched.page.locator(".read-only")).to_contain_text("只读")
    try_everything(editor)


def test_without_webgl_the_way_leads_to_the_map_to_read(watched: Watched, server: str, plan: str) -> None:
    page = watched.page
    page.add_init_script(NO_TOUR)
    page.add_init_script(WITHOUT_WEBGL)
    page.goto(f"{server}/plans/{plan}")
    notice = page.locator("main .notice[role=alert]")
    expect(notice).to_contain_text("WebGL", timeout=OPEN_MS)
    notice.get_by_role("link").click()
    page.wait_for_selector("iframe[data-map]", timeout=OPEN_MS)
    map_page = page.frame_locator("iframe[data-map]")
    expect(map_page.locator(".leaflet-container")).to_be_visible(timeout=OPEN_MS)
