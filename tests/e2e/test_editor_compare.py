"""Two plans beside each other: what is told, drawn and downloaded is what the two assignments say."""

from __future__ import annotations

import csv
import json
import re
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from editing import OPEN_MS, SAVED_MS, Cells, Editor, asked, branch, demo_plan, old_plan
from pixels import differing, seen
from playwright.sync_api import expect
from watching import Watched

pytestmark = pytest.mark.browser

SAME = 0.01
"""Share of the pixels of a column that may differ where both pictures show one plan."""


@pytest.fixture
def plan(server: str, request: pytest.FixtureRequest) -> str:
    return branch(server, demo_plan(server)[1], request.node.name)


@pytest.fixture
def old(server: str) -> str:
    return old_plan(server, demo_plan(server)[0])


def cells_of(server: str, plan: str) -> Cells:
    return np.frombuffer(asked(f"{server}/api/v1/plans/{plan}/assignment"), np.int32)


def compared(editor: Editor, old: str) -> None:
    """Open the panel and compare with the old division."""
    page = editor.page
    page.click("#tab-compare")
    expect(page.locator(f"#compare-choice option[value='{old}']")).to_have_count(1, timeout=SAVED_MS)
    page.locator("#compare-choice").select_option(old)
    expect(page.locator(".compare .found-out")).to_be_visible(timeout=SAVED_MS)


def number(text: str) -> int:
    return int(re.sub(r"\D", "", text))


def pairs(editor: Editor, old: str) -> Counter[tuple[int, int]]:
    """Households that each pair of an old and a new grid shares, counted cell by cell."""
    new, was = editor.assignment(), cells_of(editor.server, old)
    found: Counter[tuple[int, int]] = Counter()
    for a, b, homes in zip(was.tolist(), new.tolist(), editor.ground.households.tolist(), strict=True):
        found[a, b] += homes
    return found


def test_figures_lineage_and_crosswalk_say_what_the_assignments_say(
    watched: Watched, server: str, plan: str, old: str
) -> None:
    editor, page = Editor.open(watched.page, server, plan), watched.page
    compared(editor, old)
    shared = pairs(editor, old)
    ours, theirs = editor.grids(), Editor(page, server, old).grids()
    most: Counter[int] = Counter()
    for (_, grid), homes in shared.items():
        most[grid] = max(most[grid], homes)
    moved = sum(shared.values()) - sum(most.values())
    facts = page.locator(".compare .facts strong")
    expect(facts.nth(0)).to_have_text(f"{len(theirs)} → {len(ours)}")
    assert number(facts.nth(1).inner_text()) == moved > 0

    with page.expect_download() as download:
        page.click(".compare a[download]")
    with Path(download.value.path()).open(encoding="utf-8-sig", newline="") as file:
        rows = list(csv.DictReader(file))
    by_code = {str(row["code"]): number for number, row in ours.items()}
    old_by_code = {str(row["code"]): number for number, row in theirs.items()}
    told = {(old_by_code[r["other_code"]], by_code[r["code"]]): int(r["households"]) for r in rows}
    assert told == dict(shared)
    assert len(rows) == len(told)
    assert {new for _, new in told} == set(ours)
    assert {was for was, _ in told} == set(theirs)
    main = {by_code[r["code"]]: old_by_code[r["other_code"]] for r in rows if r["main"] == "1"}
    assert moved == sum(homes for (was, new), homes in told.items() if main[new] != was)

    filtered(editor, len(ours))
    page.click(".compare .sides button >> nth=1")
    filtered(editor, len(theirs))


def filtered(editor: Editor, grids: int) -> None:
    """The chips show so many lines as they say, all of their kind; together they are all grids."""
    page = editor.page
    count = page.locator(".lineage > .caption")
    expect(count).to_have_text(f"{grids} / {grids} 个网格")
    total = 0
    for chip in page.locator(".compare .chip").all():
        kind, many = chip.get_attribute("data-kind"), number(chip.locator("strong").inner_text())
        chip.click()
        expect(chip).to_have_attribute("aria-pressed", "true")
        expect(count).to_have_text(f"{many} / {grids} 个网格")
        kinds = {mark.get_attribute("data-kind") for mark in page.locator(".lineage .row [data-kind]").all()}
        assert kinds == ({kind} if many else set())
        chip.click()
        total += many
    assert total == grids


def test_the_map_is_hatched_where_cells_changed(watched: Watched, server: str, plan: str, old: str) -> None:
    editor, page = Editor.open(watched.page, server, plan), watched.page
    compared(editor, old)
    answer = json.loads(asked(f"{editor.api}/compare/{old}"))
    main = {row["id"]: row["main"] for row in answer["grids"]}
    was, new = cells_of(server, old), editor.assignment()
    changed = sum(main[int(b)] != int(a) for a, b in zip(was, new, strict=True))
    label = page.locator(".compare .on-map label").first
    expect(label).to_contain_text(re.compile(rf"（{changed:,} 个）"))
    page.mouse.move(1400, 880)
    differs(editor, lambda: label.locator("input").uncheck())

    # A stroke changes the hatch and the figures with it.
    cell, other = next(pair for pair in editor.borders() if main[int(new[pair[0]])] == int(was[pair[0]]))
    label.locator("input").check()
    edit = {"kind": "assign", "cells": [cell], "grid": int(new[other])}
    asked(f"{editor.api}/edits", {"op_id": "compare-0001", "base": 0, "edit": edit})
    after = new.copy()
    after[cell] = new[other]
    expect(editor.stage).to_have_attribute("data-revision", "1", timeout=SAVED_MS)
    answer = json.loads(asked(f"{editor.api}/compare/{old}"))
    main = {row["id"]: row["main"] for row in answer["grids"]}
    now = sum(main[int(b)] != int(a) for a, b in zip(was, after, strict=True))
    expect(label).to_contain_text(re.compile(rf"（{now:,} 个）"), timeout=SAVED_MS)
    moved = answer["summary"]["households_moved"]
    expect(page.locator(".compare .facts strong").nth(1)).to_have_text(f"{moved:,}", timeout=SAVED_MS)


def differs(editor: Editor, act: Callable[[], None]) -> None:
    """Something on the map looks otherwise after an act."""
    before = seen(editor.page)
    act()
    for _ in range(60):
        if differing(editor.page, before, seen(editor.page)).max() > SAME:
            return
        editor.page.wait_for_timeout(100)
    raise AssertionError("nothing changed on the map")


def test_swiping_shows_the_other_plan_on_one_side(watched: Watched, server: str, plan: str, old: str) -> None:
    editor, page = Editor.open(watched.page, server, plan), watched.page
    compared(editor, old)
    for box in page.locator(".compare .on-map input").all():
        box.uncheck()
    page.mouse.move(1400, 880)
    alone = quiet(editor)
    page.click(".compare .acts button")
    expect(page.locator(".swipe[aria-busy]")).to_have_count(0, timeout=OPEN_MS)
    divider = page.locator(".swipe .divider")
    expect(divider).to_be_focused()
    expect(divider).to_have_attribute("aria-valuenow", "50")
    sides(editor, alone, 0.5)

    handle, frame = divider.bounding_box(), page.locator(".swipe").bounding_box()
    assert handle is not None
    assert frame is not None
    x, y = handle["x"] + handle["width"] / 2, handle["y"] + handle["height"] / 2
    page.mouse.move(x, y)
    page.mouse.down()
    page.mouse.move(frame["x"] + 0.3 * frame["width"], y, steps=4)
    page.mouse.up()
    expect(divider).to_have_attribute("aria-valuenow", "30")
    sides(editor, alone, 0.3)
    for _ in range(15):
        page.keyboard.press("ArrowRight")
    expect(divider).to_have_attribute("aria-valuenow", "60")
    sides(editor, alone, 0.6)
    page.keyboard.press("Escape")
    expect(page.locator(".swipe")).to_have_count(0)
    page.mouse.move(1400, 880)
    for _ in range(60):
        if differing(page, alone, seen(page)).mean() < SAME:
            break
        page.wait_for_timeout(100)
    assert differing(page, alone, seen(page)).mean() < SAME, "this plan is alone again"


def quiet(editor: Editor) -> bytes:
    """A picture of the map once it looks the same twice."""
    before = seen(editor.page)
    for _ in range(60):
        editor.page.wait_for_timeout(150)
        now = seen(editor.page)
        if differing(editor.page, before, now).max() == 0:
            return now
        before = now
    raise AssertionError("the map does not come to rest")


def sides(editor: Editor, alone: bytes, share: float) -> None:
    """Left of the divider another plan is drawn than before, right of it the same."""
    page = editor.page
    page.mouse.move(1400, 880)
    for _ in range(100):
        shares = differing(page, alone, seen(page))
        at = round(share * len(shares))
        city = slice(round(0.25 * len(shares)), at - 40)
        left, right = shares[city].mean(), np.median(shares[at + 40 :])
        if left > 5 * SAME and right < SAME:
            return
        page.wait_for_timeout(150)
    raise AssertionError(f"left {left:.3f}, right {right:.3f}")
