"""Every way to the same edit: keyboard alone, fingers, and the tour that shows the way."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from editing import (
    FINE_PX,
    OPEN_MS,
    SAVED_MS,
    UNASSIGNED,
    Editor,
    alone,
    asked,
    border_in_the_middle,
    branch,
    demo_plan,
    lead,
)
from playwright.sync_api import expect
from watching import Watched

pytestmark = pytest.mark.browser

Visitor = Callable[..., Watched]
TABS = 60


@pytest.fixture
def plan(server: str, request: pytest.FixtureRequest) -> str:
    return branch(server, demo_plan(server)[1], request.node.name)


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
        if tool == "box":  # begins above and left of the cell, wherever exactly that came to lie
            for way in ("Left", "Up"):
                page.keyboard.press(f"Shift+Arrow{way}")
        before = editor.revision
        page.keyboard.press(key)
        expect(page.locator(f"[data-tool={tool}]")).to_have_attribute("aria-pressed", "true")
        page.keyboard.press("Enter")
        if tool in {"box", "lasso", "encircle", "sweep", "split"}:
            circle(editor, tool, other)
        if tool not in {"flood", "new"}:
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


def test_selecting_locking_an_area_and_dividing_a_cell_with_keys_alone(
    watched: Watched, server: str, plan: str
) -> None:
    editor, page = Editor.open(watched.page, server, plan), watched.page
    page.keyboard.press(".")
    cell, _ = border_in_the_middle(editor)
    lead(editor, cell)
    page.keyboard.press("v")
    page.keyboard.press("Enter")
    expect(page.locator(".rows [aria-selected=true]")).to_have_count(1)
    chosen = page.locator(".rows [aria-selected=true]").get_attribute("data-grid")
    assert chosen == str(editor.assignment()[cell])
    page.keyboard.press("Escape")
    expect(page.locator(".rows [aria-selected=true]")).to_have_count(0)

    page.keyboard.press("k")
    page.keyboard.press("Enter")
    circle(editor, "lasso", cell)
    page.keyboard.press("Enter")
    editor.moved_on(0)
    pinned = set(json.loads(asked(editor.api))["pinned"])
    assert len(pinned) > 1, "every cell inside is locked"
    page.keyboard.press("Control+z")
    editor.moved_on(1)
    assert json.loads(asked(editor.api))["pinned"] == []

    watched.refusals = True  # a line that does not cut the cell in two
    page.evaluate("window.begun = true")
    roomy = next(cell for cell, left, right in across(editor) if divided(editor, cell, left, right))
    # The ground is another one now: the page begins anew with it.
    page.wait_for_function("() => window.begun === undefined", timeout=SAVED_MS)
    editor.ready()
    [division] = json.loads(asked(editor.api))["divisions"]
    assert division["parent"] == roomy
    assert editor.revision == 3
    editor.agrees()


def divided(editor: Editor, cell: int, left: int, right: int) -> bool:
    """Lead a line through a cell, from so many steps left of it to so many right; whether that divided it."""
    page = editor.page
    page.keyboard.press("Escape")
    lead(editor, cell)
    page.keyboard.press("d")
    for _ in range(left):
        page.keyboard.press("Shift+ArrowLeft")
    page.keyboard.press("Enter")
    for _ in range(left + right):
        page.keyboard.press("Shift+ArrowRight")
    with page.expect_response(lambda answer: answer.url.endswith("/edits"), timeout=SAVED_MS) as made:
        page.keyboard.press("Enter")
    return bool(made.value.ok)


def across(editor: Editor) -> list[tuple[int, int, int]]:
    """Zoom in; returns cells that lie level between two others, and how many fine steps these are away."""
    before = str(editor.stage.get_attribute("data-view"))
    for _ in range(4):  # half a level each: everything is four times as large
        editor.page.keyboard.press("+")
    expect(editor.stage).not_to_have_attribute("data-view", before)
    editor.still()
    screen, ground = editor.screen(), editor.ground
    found = []
    for cell in range(len(ground.lon)):
        off = screen[ground.beside(cell)] - screen[cell]
        level = np.abs(off[:, 1]) < 0.2 * np.abs(off[:, 0])
        west, east = -off[level & (off[:, 0] < 0), 0], off[level & (off[:, 0] > 0), 0]
        if len(west) and len(east) and 60 < min(west.min(), east.min()) <= max(west.min(), east.min()) < 160:
            found.append((cell, round(west.min() / FINE_PX), round(east.min() / FINE_PX)))
    return found


def test_esc_space_and_the_right_button(watched: Watched, server: str, plan: str) -> None:
    editor, page = Editor.open(watched.page, server, plan), watched.page
    cell, other = border_in_the_middle(editor)
    begun, view = editor.checksum, editor.stage.get_attribute("data-view")
    grid = editor.grids()[int(editor.assignment()[other])]

    editor.click(other, button="right")
    expect(page.locator(".rows [aria-selected=true]")).to_have_attribute("data-grid", str(grid["id"]))

    # Esc leaves a stroke as if it had never begun; letting go of the button makes nothing then.
    editor.tool("brush")
    page.mouse.move(*editor.spot(other))
    page.mouse.down()
    page.mouse.move(*editor.spot(cell), steps=4)
    card = page.locator(".stroke-card")
    expect(card).to_be_visible()
    expect(card).to_contain_text(grid["name"])
    page.keyboard.press("Escape")
    expect(card).to_be_hidden()
    page.mouse.up()
    editor.agrees()
    assert (editor.checksum, editor.revision) == (begun, 0)

    # While Space is held the map follows the hand, whatever the tool.
    page.keyboard.down(" ")
    editor.drag([(500, 400), (560, 430)])
    page.keyboard.up(" ")
    expect(editor.stage).not_to_have_attribute("data-view", str(view))
    editor.still()
    panned = editor.stage.get_attribute("data-view")
    assert (editor.checksum, editor.revision) == (begun, 0)

    # The picked grid outlives all that: the stroke goes into it, and the map stays where it is.
    editor.drag([editor.spot(cell), editor.spot(cell)])
    editor.moved_on(0)
    assert editor.assignment()[cell] == grid["id"]
    assert editor.stage.get_attribute("data-view") == panned


def test_the_size_of_the_brush_and_single_buildings(watched: Watched, server: str, plan: str) -> None:
    editor, page = Editor.open(watched.page, server, plan), watched.page
    start = editor.assignment().copy()
    cell, grid = in_a_compound(editor)
    inside = int(np.flatnonzero(start == grid)[0])
    editor.tool("brush")

    def moved(*, alt: bool) -> set[int]:
        """Cells that a dab of the brush moves; taken back again."""
        before = editor.revision
        editor.click(inside, button="right")
        if alt:
            page.keyboard.down("Alt")
        page.mouse.move(*editor.spot(cell))
        page.mouse.down()
        page.mouse.up()
        if alt:
            page.keyboard.up("Alt")
        editor.moved_on(before)
        found = set(np.flatnonzero(editor.assignment() != start).tolist())
        before = editor.revision
        page.keyboard.press("Control+z")
        editor.moved_on(before)
        assert editor.assignment().tolist() == start.tolist()
        return found

    for _ in range(12):
        page.keyboard.press("[")
    one, compound = moved(alt=True), moved(alt=False)
    assert one == {cell}
    whole = set(np.flatnonzero(editor.ground.compound == editor.ground.compound[cell]).tolist())
    assert compound == whole > one, "the whole compound goes, unless Alt asks for the building"
    for _ in range(14):
        page.keyboard.press("]")
    assert len(moved(alt=True)) > 3, "a larger brush takes more"


def in_a_compound(editor: Editor) -> tuple[int, int]:
    """A building by itself on the screen, of a compound in one grid, and another grid of its community."""
    grid, ground, screen = editor.assignment(), editor.ground, editor.screen()
    rows = editor.grids()
    for cell in range(len(grid)):
        mates = np.flatnonzero(ground.compound == ground.compound[cell])
        if ground.compound[cell] < 0 or len(mates) < 3 or not alone(screen, cell) or grid[cell] == UNASSIGNED:
            continue
        home = rows[int(grid[cell])]["community"]
        if set(grid[mates].tolist()) != {int(grid[cell])}:
            continue
        others = [
            n for n, row in rows.items() if row["community"] == home and n != grid[cell] and not row["kind"]
        ]
        if others:
            return cell, others[0]
    raise AssertionError("no compound with several buildings")


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
    expect(editor.stage).not_to_have_attribute("data-view", str(view))
    editor.still()
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
