"""The helpers in a real browser: what they propose is looked at, taken or left, and the rest of the plan stays."""

from __future__ import annotations

import json
import re
from typing import Any

import numpy as np
import pytest
from editing import OPEN_MS, SAVED_MS, UNASSIGNED, Editor, alone, asked, branch, demo_plan, put
from playwright.sync_api import Locator, Page, Route, expect
from watching import Watched

pytestmark = pytest.mark.browser

SEEN_MS = 15_000


@pytest.fixture
def plan(server: str, request: pytest.FixtureRequest) -> str:
    return branch(server, demo_plan(server)[1], request.node.name)


def helper(editor: Editor, name: str) -> Locator:
    return editor.page.locator(f"[data-helper={name}]")


def scope(editor: Editor, value: str) -> None:
    editor.page.click("#tab-helpers")
    editor.page.locator(".scope select").select_option(value)


def proposed(editor: Editor, name: str) -> Locator:
    """Ask a helper and wait until its proposal is on the map."""
    helper(editor, name).click()
    bar = editor.page.locator(".proposal")
    expect(bar).to_contain_text("采用吗", timeout=OPEN_MS)
    return bar


def problem(page: Page, contains: str) -> str:
    """Press the key until the next problem is of a kind; returns what the hint says."""
    hint = page.locator(".hint")
    for _ in range(300):
        page.keyboard.press("j")
        text = hint.inner_text()
        if contains in text:
            return text
        at, of = re.findall(r"\d+", text)[:2]
        if at == of:
            break
    raise AssertionError(f"no problem with {contains}: {hint.inner_text()}")


def torn(editor: Editor) -> tuple[int, int]:
    """A cell of a compound that one grid holds, and a grid of its community that the cell does not touch."""
    grid, ground, screen = editor.assignment(), editor.ground, editor.screen()
    for cell in range(len(grid)):
        whole = ground.compound == ground.compound[cell]
        held = ground.compound[cell] >= 0 and whole.sum() > 1 and len(set(grid[whole].tolist())) == 1
        if grid[cell] == UNASSIGNED or not held or not alone(screen, cell):
            continue
        beside = {int(grid[other]) for other in ground.beside(cell)}
        home = {int(g) for g in grid[ground.community == ground.community[cell]]} - {UNASSIGNED}
        if home - beside:
            return cell, min(home - beside)
    raise AssertionError("every grid touches every cell")


def test_a_grid_in_pieces_is_found_and_repaired(watched: Watched, server: str, plan: str) -> None:
    editor, page = Editor.open(watched.page, server, plan), watched.page
    cell, grid = torn(editor)
    before = editor.assignment().tolist()
    put(editor, cell, grid)
    assert editor.grids()[grid]["pieces"] == 2
    pieces = page.locator("[data-fact=fact_pieces] strong")
    expect(pieces).to_have_text("1")
    assert editor.grids()[grid]["name"] in problem(page, "不连通，分为 2 片")

    page.click("#tab-helpers")
    torn_apart, revision = editor.checksum, editor.revision
    bar = proposed(editor, "repair")
    expect(pieces).to_have_text("0")
    bar.locator("button:not(.primary)").click()
    expect(bar).to_be_hidden()
    expect(pieces).to_have_text("1")
    expect(editor.stage).to_have_attribute("data-checksum", torn_apart)
    assert editor.revision == revision, "what is left was never made"

    proposed(editor, "repair").locator("button.primary").click()
    editor.moved_on(revision)
    expect(pieces).to_have_text("0")
    assert all(row["pieces"] == 1 for row in editor.grids().values() if not row["kind"])
    editor.agrees()
    assert editor.assignment()[cell] != grid or editor.assignment().tolist() != before


def shared(editor: Editor, least: int) -> list[int]:
    """Grids of a community that has at least so many, by number."""
    by_home: dict[int, list[int]] = {}
    for number, row in editor.grids().items():
        if not row["kind"]:
            by_home.setdefault(int(row["community"]), []).append(number)
    return next(sorted(grids) for grids in by_home.values() if len(grids) >= least)


def joined(editor: Editor, grids: list[int]) -> int:
    """Two neighbours of some grids, made one through the interface of the service: it is too large then."""
    pairs = {tuple(sorted(int(editor.assignment()[k]) for k in pair)) for pair in editor.borders()}
    one, two = min(pair for pair in pairs if set(pair) <= set(grids))
    asked(
        f"{editor.api}/edits",
        {"op_id": "join-0001", "base": 0, "edit": {"kind": "merge", "grids": [one, two]}},
    )
    expect(editor.stage).to_have_attribute("data-revision", "1", timeout=SEEN_MS)
    return one


def test_a_community_is_divided_anew_with_the_rest_locked(watched: Watched, server: str, plan: str) -> None:
    editor, page = Editor.open(watched.page, server, plan), watched.page
    grids = shared(editor, 4)
    home = editor.grids()[grids[0]]["community"]
    large = joined(editor, grids)
    kept = next(grid for grid in grids if grid in editor.grids() and grid != large)
    lock = {"kind": "lock", "locked": True, "grids": [kept]}
    asked(f"{editor.api}/edits", {"op_id": "lock-0001", "base": 1, "edit": lock})
    expect(editor.stage).to_have_attribute("data-revision", "2", timeout=SEEN_MS)
    before, rows = editor.assignment().copy(), editor.grids()
    assert not rows[large]["in_band"]

    scope(editor, str(home))
    expect(page.locator(".scope .caption")).to_contain_text("1 个已锁定")
    page.locator(".helper-part select[name=effort]").first.select_option("fast")
    bar = proposed(editor, "partition")
    expect(bar.locator("[data-outcome=fact_band]")).to_have_class("better")
    page.keyboard.press("Escape")
    expect(bar).to_be_hidden()
    assert editor.assignment().tolist() == before.tolist(), "a preview makes nothing"
    proposed(editor, "partition")
    page.click(".proposal .primary")
    editor.moved_on(2)
    editor.agrees()

    after, now = editor.assignment(), editor.grids()
    assert (after == kept).tolist() == (before == kept).tolist(), "a locked grid stays"
    outside = editor.ground.community != home
    assert after[outside].tolist() == before[outside].tolist(), "and so does every other community"
    mine = [row for row in now.values() if row["community"] == home and not row["kind"]]
    assert sum(row["in_band"] for row in mine) > sum(
        row["in_band"] for row in rows.values() if row["community"] == home and not row["kind"]
    )
    page.keyboard.press("Control+z")
    editor.moved_on(3)
    assert editor.assignment().tolist() == before.tolist()


def test_chosen_grids_are_evened_out_and_nothing_else(watched: Watched, server: str, plan: str) -> None:
    editor, page = Editor.open(watched.page, server, plan), watched.page
    one, two = uneven(editor)
    before = editor.assignment().copy()
    editor.tool("select")
    for k, grid in enumerate((one, two)):
        page.keyboard.down("Shift") if k else None
        editor.click(inner(editor, grid))
    page.keyboard.up("Shift")
    page.click("#tab-helpers")
    expect(page.locator(".scope select")).to_have_value("chosen")
    page.locator(".helper-part select[name=effort]").first.select_option("fast")
    loads = [editor.grids()[grid]["load"] for grid in (one, two)]
    proposed(editor, "rebalance")
    page.click(".proposal .primary")
    editor.moved_on(1)
    editor.agrees()
    after, rows = editor.assignment(), editor.grids()
    chosen = np.isin(before, [one, two])
    assert after[~chosen].tolist() == before[~chosen].tolist()
    parts = [rows[int(grid)]["load"] for grid in np.unique(after[chosen])]
    assert len(parts) == 2
    assert max(parts) - min(parts) < abs(loads[0] - loads[1])


def uneven(editor: Editor) -> tuple[int, int]:
    """Two neighbouring grids, one of which has just been given most compounds of the other."""
    grid, ground, rows = editor.assignment(), editor.ground, editor.grids()
    plain = [
        (a, b)
        for a, b in editor.borders()
        if not rows[int(grid[a])]["kind"] and not rows[int(grid[b])]["kind"]
    ]
    for cell, other in plain:
        one, two = int(grid[cell]), int(grid[other])
        compounds = [int(c) for c in np.unique(ground.compound[grid == two]) if c >= 0]
        if len(compounds) >= 3 and rows[one]["in_band"] and rows[two]["in_band"]:
            break
    given = np.flatnonzero((grid == two) & np.isin(ground.compound, compounds[:-1])).tolist()
    edit = {"kind": "assign", "cells": given, "grid": one}
    asked(f"{editor.api}/edits", {"op_id": "uneven-0001", "base": 0, "edit": edit})
    expect(editor.stage).to_have_attribute("data-revision", "1", timeout=SEEN_MS)
    return one, two


def inner(editor: Editor, grid: int) -> int:
    """A cell of a grid whose neighbours are in the same grid: a pointer on it meets no other."""
    cells = editor.assignment()
    mine = [int(c) for c in np.flatnonzero(cells == grid)]
    return max(mine, key=lambda c: sum(cells[o] == grid for o in editor.ground.beside(c)))


def alternatives(editor: Editor) -> Locator:
    """Have alternatives made, and wait until they lie side by side."""
    editor.page.locator(".helper-part select[name=effort]").last.select_option("fast")
    helper(editor, "alternatives").click()
    dialog = editor.page.locator("dialog.side-by-side")
    expect(dialog).to_be_visible(timeout=OPEN_MS)
    assert dialog.locator("thead th").count() == 4, "the plan as it is, and three others"
    assert dialog.locator(".maps svg").count() == 4
    return dialog


def test_an_alternative_of_a_community_is_taken_over_and_back(
    watched: Watched, server: str, plan: str
) -> None:
    editor, page = Editor.open(watched.page, server, plan), watched.page
    grids = shared(editor, 4)
    home = editor.grids()[grids[0]]["community"]
    joined(editor, grids)
    before = editor.assignment().copy()
    scope(editor, str(home))
    dialog = alternatives(editor)
    use = dialog.locator("[data-use]:enabled").first
    said = int(re.sub(r"\D", "", moved_of(dialog, str(use.get_attribute("data-use")))))
    use.click()
    expect(dialog).to_be_hidden()
    expect(page.locator(".proposal")).to_contain_text("采用吗", timeout=OPEN_MS)
    page.click(".proposal .primary")
    editor.moved_on(1)
    editor.agrees()
    after = editor.assignment()
    outside = editor.ground.community != home
    assert after[outside].tolist() == before[outside].tolist()
    assert after.tolist() != before.tolist()
    assert said > 0
    page.keyboard.press("Control+z")
    editor.moved_on(2)
    assert editor.assignment().tolist() == before.tolist()


def moved_of(dialog: Locator, preset: str) -> str:
    """What the table says of the households that an alternative moves."""
    at = [str(b.get_attribute("data-use")) for b in dialog.locator("[data-use]").all()].index(preset)
    return dialog.locator("tbody tr").nth(-2).locator("td").nth(at + 1).inner_text()


def test_an_alternative_of_the_whole_plan_becomes_a_plan_of_its_own(
    watched: Watched, server: str, plan: str
) -> None:
    editor, page = Editor.open(watched.page, server, plan), watched.page
    scope(editor, "all")
    dialog = alternatives(editor)
    dialog.locator("[data-use]:enabled").first.click()
    link = dialog.locator("a[href^='/plans/']")
    expect(link).to_be_visible(timeout=OPEN_MS)
    assert editor.revision == 0, "this plan stays as it is"
    before = editor.assignment().copy()
    made = str(link.get_attribute("href")).rsplit("/", 1)[1]
    link.click()
    page.wait_for_url(f"**/plans/{made}")
    other = Editor(page, server, made)
    other.ready()
    other.agrees()
    assert other.revision == 1
    changed = other.checksum
    assert other.assignment().tolist() != before.tolist()
    page.keyboard.press("Control+z")
    expect(other.stage).not_to_have_attribute("data-checksum", changed, timeout=SAVED_MS)
    other.agrees()
    assert other.assignment().tolist() == before.tolist()


def test_a_running_job_tells_how_far_it_is_and_is_ended(watched: Watched, server: str, plan: str) -> None:
    editor, page = Editor.open(watched.page, server, plan), watched.page
    scope(editor, "all")
    page.locator(".helper-part select[name=effort]").last.select_option("best")
    with page.expect_response(lambda answer: answer.url.endswith("/alternatives")) as started:
        helper(editor, "alternatives").click()
    job = started.value.json()["id"]
    meter = page.locator("#panel-helpers .job")
    expect(meter).to_be_visible()
    expect(meter.locator("[role=status]")).to_have_text(re.compile("排队|%"))
    expect(helper(editor, "alternatives")).to_be_disabled()
    meter.locator("button").click()
    expect(meter).to_be_hidden(timeout=SEEN_MS)
    expect(helper(editor, "alternatives")).to_be_enabled()
    assert job_state(server, job) == "cancelled"
    expect(page.locator("dialog.side-by-side")).to_have_count(0)


def job_state(server: str, job: str) -> str:
    return str(json.loads(asked(f"{server}/api/v1/jobs/{job}"))["state"])


def test_a_preview_is_given_up_while_it_is_worked_out(watched: Watched, server: str, plan: str) -> None:
    editor, page = Editor.open(watched.page, server, plan), watched.page
    scope(editor, "all")
    held: list[Route] = []

    def hold(route: Route) -> None:
        held.append(route)

    page.route("**/preview", hold)
    helper(editor, "rebalance").click()
    bar = page.locator(".proposal")
    expect(bar.locator(".elapsed")).to_be_visible()
    expect(bar.locator(".primary")).to_be_disabled()
    bar.locator("button:not(.primary)").click()
    expect(bar).to_be_hidden()
    checksum = editor.checksum
    with page.expect_response("**/preview") as answered:
        held[0].continue_()
    answered.value.finished()
    page.unroute("**/preview")
    # Another proposal goes through, so the late answer of the first one has been dealt with by then.
    cell, grid = torn(editor)
    put(editor, cell, grid)
    expect(bar).to_be_hidden()
    page.keyboard.press("Control+z")
    expect(editor.stage).to_have_attribute("data-checksum", checksum, timeout=SAVED_MS)
    editor.agrees()


def test_a_plan_with_other_parameters_is_made_and_says_so(watched: Watched, server: str, plan: str) -> None:
    page = watched.page
    editor = Editor.open(page, server, plan)
    page.click("#tab-parameters")
    page.click("details.another summary")
    form = page.locator("details.another form")
    target = int(form.locator("[name=target]").input_value())
    numbers = {"target": target + 60, "min": target, "max": target + 120, "seed": 7}
    for name, value in numbers.items():
        form.locator(f"[name={name}]").fill(str(value))
    form.locator("[name=effort]").select_option("fast")
    form.locator("[type=submit]").click()
    link = page.locator("details.another a[href^='/plans/']")
    expect(link).to_be_visible(timeout=OPEN_MS)
    made = str(link.get_attribute("href")).rsplit("/", 1)[1]
    link.click()
    page.wait_for_url(f"**/plans/{made}")
    other = Editor(page, server, made)
    other.ready()
    assert len(other.grids()) < len(editor.grids()), "larger grids are fewer"
    page.click("#tab-parameters")
    text = page.inner_text("#panel-parameters")
    assert f"{numbers['target']} 户" in text
    assert f"{numbers['min']}–{numbers['max']} 户" in text
    assert re.search(r"随机种子\s*7\b", text), text
    assert re.search(r"快速", text)


def test_every_problem_is_named_and_gone_to(watched: Watched, server: str, plan: str) -> None:
    """Out of the band, in pieces, a compound cut, far from a station: each is named with its figures."""
    editor, page = Editor.open(watched.page, server, plan), watched.page
    joined(editor, shared(editor, 4))
    put(editor, *torn(editor))
    stations = known_stations(editor)
    whole = str(editor.stage.get_attribute("data-view"))
    hint = page.locator(".hint")
    page.keyboard.press("j")
    expect(hint).to_contain_text("1 / ")
    expect(editor.stage).not_to_have_attribute("data-view", whole)
    count = int(re.findall(r"\d+", hint.inner_text())[1])
    said = []
    for at in range(count):
        expect(hint).to_contain_text(f"{at + 1} / {count}")
        said.append(hint.inner_text().split("·", 1)[1].strip())
        page.keyboard.press("j")
    expect(hint).to_contain_text(f"1 / {count}")
    page.keyboard.press("Shift+J")
    expect(hint).to_contain_text(f"{count} / {count}")

    rows = editor.grids()
    for row in rows.values():
        wrong = [text for text in said if text.startswith(f"{row['name']}：")]
        assert any("不连通" in text for text in wrong) == (row["pieces"] > 1), row["name"]
        assert any("过多" in text for text in wrong) == (row["load"] > editor.standard["max"]), row["name"]
        assert any("过少" in text for text in wrong) == (row["load"] < editor.standard["min"]), row["name"]
        far = [text for text in wrong if "户距最近的" in text]
        worst = lacking(editor, row, stations)
        assert len(far) == (worst is not None), row["name"]
        if worst is not None:
            [told] = far
            category, beyond, metres = worst
            assert f"有 {beyond:,} 户距最近的“{category}”" in told
            assert abs(int(re.search(r"最远 ([\d,]+) 米", told)[1].replace(",", "")) - metres) <= 3  # type: ignore[index]
    cut = [text for text in said if "被拆在" in text]
    assert len(cut) == int(page.inner_text("[data-fact=fact_split] strong")) > 0
    assert any("户距最近的" in text for text in said), "the demo has a grid far from some station"


def known_stations(editor: Editor) -> dict[str, Any]:
    """Where the stations are, once the service has read the city and the page has heard of it."""
    info = json.loads(asked(editor.api))
    url = f"{editor.server}/api/v1/datasets/{info['dataset']}/stations"
    for _ in range(200):
        told: dict[str, Any] = json.loads(asked(url))
        if told["state"] == "ready":
            break
        editor.page.wait_for_timeout(300)
    assert told["state"] == "ready"
    editor.page.wait_for_function(
        "(url) => performance.getEntriesByName(url).length > 0 && window.fetch(url).then((a) => a.ok)",
        arg=url,
    )
    told["metres"] = info["parameters"]["minutes"] * info["parameters"]["speed"]
    return told


def lacking(editor: Editor, row: dict[str, Any], told: dict[str, Any]) -> tuple[str, int, float] | None:
    """The category that a grid lacks most, worked out on the sphere: households beyond, metres to the farthest."""
    ground = editor.ground
    cells = np.flatnonzero((editor.assignment() == row["id"]) & (ground.households > 0))
    if row["kind"] or len(cells) == 0:
        return None
    found = []
    for number, name in enumerate(told["categories"]):
        places = np.array([place[:2] for place in told["stations"] if place[2] == number])
        away = _sphere_m(ground.lon[cells] / 1e7, ground.lat[cells] / 1e7, places)
        beyond = int(ground.households[cells][away > told["metres"]].sum())
        if 2 * beyond > ground.households[cells].sum():
            found.append((-beyond, number, name, float(away[away > told["metres"]].max())))
    if not found:
        return None
    beyond, _, name, metres = min(found)
    return name, -beyond, metres


def _sphere_m(lon: Any, lat: Any, places: Any) -> Any:
    """Metres along the great circle from each point to the nearest place (haversine)."""
    x, y = np.radians(lon)[:, None], np.radians(lat)[:, None]
    u, v = np.radians(places[:, 0])[None, :], np.radians(places[:, 1])[None, :]
    half = np.sin((y - v) / 2) ** 2 + np.cos(y) * np.cos(v) * np.sin((x - u) / 2) ** 2
    return (2 * 6_371_008.8 * np.arcsin(np.sqrt(half))).min(axis=1)
