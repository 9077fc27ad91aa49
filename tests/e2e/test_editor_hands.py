"""Every way to the same edit: keyboard alone, fingers, and the tour that shows the way."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from editing import OPEN_MS, SAVED_MS, UNASSIGNED, Editor, branch, demo_plan
from playwright.sync_api import expect
from watching import Watched

pytestmark = pytest.mark.browser

Visitor = Callable[..., Watched]
STEP_PX, FINE_PX = 60, 12
TABS = 60


@pytest.fixture
def plan(server: str, request: pytest.FixtureRequest) -> str:
    return branch(server, demo_plan(server)[1], request.node.name)


def lead(editor: Editor, cell: int) -> None:
    """Bring a cell under the crosshair with the arrow keys."""
    box = editor.page.locator(".maplibregl-canvas").bounding_box()
    assert box is not None
    for _ in range(60):
        x, y = editor.spot(cell)
        right, down = x - (box["x"] + box["width"] / 2), y - (box["y"] + box["height"] / 2)
        far = max(abs(right), abs(down))
        if far <= FINE_PX / 2:
            return
        step, shift = (STEP_PX, "") if far > STEP_PX else (FINE_PX, "Shift+")
        if abs(right) > abs(down):
            key = "ArrowRight" if right > 0 else "ArrowLeft"
        else:
            key = "ArrowDown" if down > 0 else "ArrowUp"
        for _ in range(max(1, round(far / step))):
            editor.page.keyboard.press(shift + key)
    raise AssertionError("the crosshair does not arrive")


def focused(editor: Editor) -> str:
    return str(
        editor.page.evaluate("document.activeElement.dataset.tool || document.activeElement.className")
    )


def test_a_grid_is_changed_and_split_with_the_keyboard_alone(
    watched: Watched, server: str, plan: str
) -> None:
    page = watched.page
    editor = Editor.open(page, server, plan)
    for _ in range(TABS):
        if focused(editor) == "brush":
            break
        page.keyboard.press("Tab")
    assert focused(editor) == "brush", "the tools are within reach of Tab"
    outline = page.evaluate("getComputedStyle(document.activeElement).outlineStyle")
    assert outline != "none", "the focus is seen"
    page.keyboard.press("Enter")
    expect(page.locator("[data-tool=brush]")).to_have_attribute("aria-pressed", "true")

    crosshair = page.locator(".crosshair")
    expect(crosshair).to_be_hidden()
    page.keyboard.press(".")
    expect(page.locator(".maplibregl-canvas")).to_be_focused()
    expect(crosshair).to_be_visible()
    first = editor.checksum
    cell, other = border_in_the_middle(editor)
    lead(editor, cell)
    page.keyboard.press("Enter")
    expect(crosshair).to_have_class(re.compile("holding"))
    lead(editor, other)
    expect(page.locator(".stroke-card")).to_be_visible()
    page.keyboard.press("Enter")
    editor.moved_on(0)
    assert editor.checksum != first
    editor.agrees()
    page.keyboard.press("Control+z")
    expect(editor.stage).to_have_attribute("data-checksum", first, timeout=SAVED_MS)

    before = editor.revision
    page.keyboard.press("p")
    page.keyboard.press("Enter")
    expect(page.locator(".proposal")).to_contain_text("采用吗", timeout=OPEN_MS)
    page.keyboard.press("Enter")
    editor.moved_on(before)
    editor.agrees()
    page.keyboard.press("Control+z")
    expect(editor.stage).to_have_attribute("data-checksum", first, timeout=SAVED_MS)


def border_in_the_middle(editor: Editor) -> tuple[int, int]:
    """A cell and its neighbour of another grid, near the middle of the map."""
    lon, lat = editor.ground.lon, editor.ground.lat
    far = np.abs(lon - np.median(lon)) + np.abs(lat - np.median(lat))
    return min(editor.borders(), key=lambda pair: int(far[pair[0]]))


KEYS = {"box": "r", "lasso": "l", "encircle": "e", "flood": "f", "sweep": "s", "split": "x"}
KEYS |= {"merge": "m", "new": "n", "lock": "k"}


def test_every_tool_answers_to_the_keyboard(watched: Watched, server: str, plan: str) -> None:
    editor, page = Editor.open(watched.page, server, plan), watched.page
    begun = editor.checksum
    page.keyboard.press(".")
    cell, other = border_in_the_middle(editor)
    for tool, key in KEYS.items():
        page.keyboard.press("Escape")
        if tool in {"flood", "lasso", "box"}:
            lead(editor, other)
            page.keyboard.press("g")
        lead(editor, cell)
        before = editor.revision
        page.keyboard.press(key)
        expect(page.locator(f"[data-tool={tool}]")).to_have_attribute("aria-pressed", "true")
        page.keyboard.press("Enter")
        if tool in {"box", "lasso", "encircle", "sweep", "split"}:
            circle(editor, tool, other)
        if tool not in {"flood", "new", "lock"}:
            page.keyboard.press("Enter")
        editor.moved_on(before)
        assert tool == "lock" or editor.checksum != begun, tool
        # Taken back, so that the next tool finds the plan as it was.
        before = editor.revision
        page.keyboard.press("Control+z")
        editor.moved_on(before)
    editor.agrees()
    assert editor.checksum == begun


def circle(editor: Editor, tool: str, other: int) -> None:
    """Lead the stroke that Enter began: across the border, or around both cells."""
    press = editor.page.keyboard.press
    if tool == "sweep":
        lead(editor, other)
        for _ in range(2):
            press("ArrowRight")
    elif tool == "box":
        for key in ("ArrowRight", "ArrowDown"):
            press(key)
    elif tool == "split":
        for key in ("ArrowRight",) * 4:
            press(key)
    else:
        for key in ("ArrowRight", "ArrowDown", "ArrowDown", "ArrowLeft", "ArrowLeft", "ArrowUp", "ArrowUp"):
            press(key)


def touch(page: Any, kind: str, *points: tuple[float, float]) -> None:
    session = touch_session(page)
    session.send(
        "Input.dispatchTouchEvent",
        {"type": kind, "touchPoints": [{"x": x, "y": y, "id": k} for k, (x, y) in enumerate(points)]},
    )


def touch_session(page: Any) -> Any:
    known = getattr(page, "_touches", None)
    if known is None:
        known = page._touches = page.context.new_cdp_session(page)
    return known


def test_fingers_select_lasso_and_pinch(visitor: Visitor, server: str, plan: str) -> None:
    page = visitor(has_touch=True).page
    editor = Editor.open(page, server, plan)
    cell, other = border_in_the_middle(editor)
    grid = int(editor.assignment()[cell])
    editor.tool("select")
    page.touchscreen.tap(*editor.spot(cell))
    chosen = page.locator(".rows [aria-selected=true]")
    expect(chosen).to_have_count(1)

    editor.tool("lasso")
    view = editor.stage.get_attribute("data-view")
    x, y = editor.spot(other)
    around = [(x - 9, y - 9), (x + 9, y - 9), (x + 9, y + 9), (x - 9, y + 9), (x - 9, y)]
    touch(page, "touchStart", around[0])
    for point in around[1:]:
        touch(page, "touchMove", point)
    touch(page, "touchEnd")
    editor.moved_on(0)
    editor.agrees()
    assert editor.assignment()[other] == grid != UNASSIGNED
    assert editor.stage.get_attribute("data-view") == view, "drawing does not move the map"

    revision = editor.revision
    touch(page, "touchStart", (600, 400))
    touch(page, "touchStart", (600, 400), (700, 400))
    for step in range(1, 8):
        touch(page, "touchMove", (600 - 12 * step, 400), (700 + 12 * step, 400))
    touch(page, "touchEnd")
    page.wait_for_timeout(300)
    zoom = [float((text or "").split(",")[2]) for text in (view, editor.stage.get_attribute("data-view"))]
    assert zoom[1] > zoom[0] + 0.5, "two fingers zoom"
    editor.saved()
    assert editor.revision == revision, "and draw nothing"


def test_the_tour_is_shown_once_and_again_when_asked(watched: Watched, server: str, plan: str) -> None:
    page = watched.page
    editor = Editor.open(page, server, plan, tour=True)
    tour = page.locator("dialog.tour")
    expect(tour).to_be_visible()
    steps = []
    for _ in range(5):
        steps.append(tour.get_attribute("data-step"))
        card = page.locator(".tour-card").bounding_box()
        assert card is not None
        assert card["x"] >= 0
        assert card["y"] >= 0
        assert card["x"] + card["width"] <= 1440
        assert card["y"] + card["height"] <= 900
        for _ in range(6):
            page.keyboard.press("Tab")
            assert page.evaluate(
                "document.activeElement === document.body || document.activeElement.closest('dialog.tour') !== null"
            )
        tour.locator(".primary").click()
    assert steps == ["tools", "map", "verdict", "table", "helpers"]
    expect(tour).to_be_hidden()
    page.reload()
    editor.ready()
    expect(tour).to_be_hidden()
    page.keyboard.press("?")
    sheet = page.locator("dialog.help-sheet")
    expect(sheet).to_be_visible()
    page.keyboard.press("b")
    expect(page.locator("[data-tool=brush]")).to_have_attribute("aria-pressed", "false")
    page.keyboard.press("Escape")
    expect(sheet).to_be_hidden()
    page.click("[data-command=help]")
    sheet.locator("[data-tour]").click()
    expect(tour).to_be_visible()
    page.keyboard.press("Escape")
    expect(tour).to_be_hidden()
