"""Several at one plan: others are seen, conflicts are answered one by one, and offline nothing is lost."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from editing import SAVED_MS, Editor, alone, asked, branch, demo_plan, put
from playwright.sync_api import expect
from watching import Watched

pytestmark = pytest.mark.browser

Visitor = Callable[..., Watched]
STROKES = 13
SEEN_MS = 15_000


@pytest.fixture
def plan(server: str, request: pytest.FixtureRequest) -> str:
    return branch(server, demo_plan(server)[1], request.node.name)


def contested(editor: Editor, count: int) -> list[tuple[int, int, int]]:
    """Single cells far from one another, each with its grid and two others of its community that it could join."""
    grid, community, screen = editor.assignment(), editor.ground.community, editor.screen()
    found: list[tuple[int, int, int]] = []
    taken: set[int] = set()
    for cell, _other in editor.borders():
        near = sorted({int(g) for g in grid[community == community[cell]]} - {-1, int(grid[cell])})
        if len(near) < 2 or community[cell] in taken or not alone(screen, cell):
            continue
        taken.add(int(community[cell]))
        found.append((cell, near[0], near[1]))
        if len(found) == count:
            return found
    raise AssertionError("too few communities with three grids")


def test_a_conflict_is_answered_object_by_object(visitor: Visitor, server: str, plan: str) -> None:
    first, second = visitor(), visitor()
    second.refusals = True
    mine = Editor.open(first.page, server, plan)
    theirs = Editor.open(second.page, server, plan)
    (one, one_a, one_b), (two, two_a, two_b) = contested(mine, 2)

    # The second planner does not hear of the first one's edits before drawing.
    second.losses = True
    second.page.route("**/edits?since=*", lambda route: route.abort())
    put(mine, one, one_a)
    put(mine, two, two_a)
    put(theirs, one, one_b, confirmed=False)
    put(theirs, two, two_b, confirmed=False)
    second.page.unroute("**/edits?since=*")

    clashes = second.page.locator(".conflicts .clash")
    expect(clashes).to_have_count(2, timeout=SAVED_MS)
    theirs.agrees()
    assert theirs.assignment()[one] == one_a, "what the other did stands"
    name_a, name_b = (mine.grids()[grid]["name"] for grid in (one_a, one_b))
    row = second.page.locator(f".clash[data-object=cell-{one}]")
    expect(row.locator(".theirs")).to_contain_text(name_a)
    expect(row.locator(".mine")).to_contain_text(name_b)

    revision = theirs.revision
    row.locator("[data-clash$=':theirs']").click()
    expect(row.locator(".decided")).to_have_count(1)
    second.page.locator(f".clash[data-object=cell-{two}] [data-clash$=':mine']").click()
    theirs.moved_on(revision)
    theirs.agrees()
    assert (theirs.assignment()[one], theirs.assignment()[two]) == (one_a, two_b)
    assert theirs.revision == revision + 1
    second.page.locator(".conflicts > .inline button").click()
    expect(clashes).to_have_count(0)
    expect(first.page.locator(".stage")).to_have_attribute("data-checksum", theirs.checksum, timeout=SEEN_MS)


def test_others_are_seen_with_what_they_do(visitor: Visitor, server: str, plan: str) -> None:
    first, second = visitor(), visitor()
    mine = Editor.open(first.page, server, plan)
    theirs = Editor.open(second.page, server, plan)
    first.page.click("#tab-together")
    x, y = theirs.spot(0)
    second.page.mouse.move(x, y)
    second.page.mouse.move(x + 5, y + 5)
    people = first.page.locator(".people li")
    expect(people).to_have_count(2, timeout=SEEN_MS)
    theirs.tool("brush")
    expect(people.nth(1)).to_contain_text("画笔", timeout=SEEN_MS)
    [(cell, grid, _)] = contested(theirs, 1)
    put(theirs, cell, grid)
    expect(first.page.locator(".doings li").first).to_have_attribute("value", "1", timeout=SEEN_MS)
    mine.agrees()
    second.page.close()
    expect(people).to_have_count(1, timeout=2 * SEEN_MS)


def test_ten_minutes_offline_lose_nothing(watched: Watched, server: str, plan: str) -> None:
    """Strokes are kept, taken back, found again after a reload, and laid over what another did meanwhile."""
    watched.losses = True
    page = watched.page
    page.clock.install()
    editor = Editor.open(page, server, plan)
    context = page.context
    *mine, (foreign, foreign_grid), (regretted, regretted_grid) = strokes(editor)
    wanted = dict(mine)
    before = editor.revision
    context.set_offline(True)
    saved = page.locator(".saved")
    expect(saved).to_have_attribute("data-state", "offline", timeout=SEEN_MS)
    page.click("[data-tool=parts]", force=True)
    expect(page.locator("[data-tool=parts]")).to_have_attribute("aria-pressed", "false")
    expect(page.locator(".hint")).to_contain_text("需要服务器")
    early = len(wanted) // 2
    for cell, grid in mine[:early]:
        put(editor, cell, grid, confirmed=False)
    waiting(editor, early)
    seen = editor.checksum

    put(editor, regretted, regretted_grid, confirmed=False)
    waiting(editor, early + 1)
    page.keyboard.press("Control+z")
    waiting(editor, early)
    expect(editor.stage).to_have_attribute("data-checksum", seen)
    expect(page.locator(".hint")).to_contain_text("还没有发送")

    page.clock.fast_forward("10:00")
    expect(saved).to_have_attribute("data-state", "offline")
    for cell, grid in mine[early:]:
        put(editor, cell, grid, confirmed=False)
    waiting(editor, len(wanted))
    edit = {"kind": "assign", "cells": [foreign], "grid": foreign_grid}
    asked(f"{editor.api}/edits", {"op_id": "foreign-0001", "base": 0, "edit": edit})

    # The page comes again from the service, but its strokes do not reach it yet.
    page.route("**/api/v1/plans/*/edits*", lambda route: route.abort())
    context.set_offline(False)
    page.reload()
    editor.ready()
    waiting(editor, len(wanted))
    assert editor.revision == before + 1, "nothing was sent"
    page.unroute("**/api/v1/plans/*/edits*")
    last = str(before + 1 + len(wanted))
    expect(editor.stage).to_have_attribute("data-revision", last, timeout=SAVED_MS)
    editor.agrees()
    held = editor.assignment()
    assert {cell: int(held[cell]) for cell in wanted} == wanted
    assert int(held[foreign]) == foreign_grid
    assert int(held[regretted]) != regretted_grid
    expect(page.locator(".conflicts")).to_be_hidden()
    assert (
        page.evaluate("Object.keys(localStorage).filter((key) => key.startsWith('wangge-plan-')).length") == 0
    )


def waiting(editor: Editor, strokes: int) -> None:
    expect(editor.stage).to_have_attribute("data-waiting", str(strokes), timeout=SEEN_MS)


def strokes(editor: Editor) -> list[tuple[int, int]]:
    """Cells with the neighbouring grid that each is to join, no two in sight of one another."""
    grid, screen = editor.assignment(), editor.screen()
    found: list[tuple[int, int]] = []
    used: set[int] = set()
    for cell, other in editor.borders():
        pair = {int(grid[cell]), int(grid[other])}
        if pair & used or not alone(screen, cell):
            continue
        used |= pair
        found.append((cell, int(grid[other])))
        if len(found) == STROKES:
            return found
    raise AssertionError("too few borders")


def test_two_planners_on_different_cells_do_not_meet(visitor: Visitor, server: str, plan: str) -> None:
    first, second = visitor(), visitor()
    mine, theirs = Editor.open(first.page, server, plan), Editor.open(second.page, server, plan)
    cells = contested(mine, 2)
    put(mine, cells[0][0], cells[0][1], confirmed=False)
    put(theirs, cells[1][0], cells[1][1], confirmed=False)
    for editor in (mine, theirs):
        expect(editor.stage).to_have_attribute("data-revision", re.compile("^2$"), timeout=SAVED_MS)
        editor.agrees()
    expect(second.page.locator(".conflicts")).to_be_hidden()
