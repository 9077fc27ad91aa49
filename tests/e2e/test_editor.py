"""Redrawing a plan in a real browser: whatever is done on the page, the service has the very same plan.

No request goes to another host, nothing breaks the content policy, and the console stays empty of errors.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from editing import NO_TOUR, OPEN_MS, SAVED_MS, Editor, asked, branch, demo_plan, old_plan
from playwright.sync_api import expect
from watching import Watched

pytestmark = pytest.mark.browser

Visitor = Callable[..., Watched]


@pytest.fixture(scope="module")
def demo(server: str) -> tuple[str, str]:
    """Ids of the demo's project and plan."""
    return demo_plan(server)


@pytest.fixture
def plan(server: str, demo: tuple[str, str], request: pytest.FixtureRequest) -> str:
    return branch(server, demo[1], request.node.name)


def test_a_newcomer_redraws_the_demo(watched: Watched, server: str, demo: tuple[str, str]) -> None:
    page = watched.page
    page.goto(f"{server}/projects/{demo[0]}")
    page.add_init_script(NO_TOUR)
    page.click("a.primary:has-text('编辑网格')")
    page.wait_for_url("**/plans/*")
    editor = Editor(page, server, page.url.rsplit("/", 1)[1].split("?")[0])
    editor.ready()
    seen = [editor.checksum]

    swept(editor)
    seen.append(editor.checksum)
    painted(editor)
    seen.append(editor.checksum)
    seen.append(joined_with_neighbour(editor))
    split(editor)
    seen.append(editor.checksum)
    assert len(set(seen)) == 5
    editor.agrees()

    for back in reversed(seen[:-1]):
        page.keyboard.press("Control+z")
        expect(editor.stage).to_have_attribute("data-checksum", back, timeout=SAVED_MS)
    page.keyboard.press("Control+y")
    page.keyboard.press("Control+y")
    expect(editor.stage).to_have_attribute("data-checksum", seen[2], timeout=SAVED_MS)
    editor.agrees()
    beside_the_old_grids(editor, demo[0])

    collection = exported(editor)
    held = {str(row["code"]): row["households"] for row in editor.grids().values()}
    told = {str(f["properties"]["code"]): f["properties"]["households"] for f in collection["features"]}
    assert told == held


def swept(editor: Editor) -> None:
    """Drag a border from one grid into the next."""
    editor.tool("sweep")
    before = editor.revision
    for cell, other in wide_apart(editor):
        (x, y), (to_x, to_y) = editor.spot(cell), editor.spot(other)
        editor.drag([(x, y), (to_x + 1.5 * (to_x - x), to_y + 1.5 * (to_y - y))])
        editor.page.wait_for_timeout(100)
        editor.saved()
        if editor.revision > before:
            return
    raise AssertionError("no border could be dragged")


def painted(editor: Editor) -> None:
    """Brush over the neighbours of a cell."""
    editor.tool("brush")
    before = editor.revision
    for cell, other in wide_apart(editor):
        editor.drag([editor.spot(cell), editor.spot(other)])
        editor.page.wait_for_timeout(100)
        editor.saved()
        if editor.revision > before:
            return
    raise AssertionError("no cell could be painted")


def wide_apart(editor: Editor) -> list[tuple[int, int]]:
    """Some borders all over the city, those of cells that are seen."""
    pairs = editor.borders()
    return pairs[:: max(1, len(pairs) // 8)]


def joined_with_neighbour(editor: Editor) -> str:
    """Join the smallest grid with its best neighbour: together they are too large. Returns the checksum then."""
    before = editor.revision
    editor.tool("merge")
    least = min((row for row in editor.grids().values() if not row["kind"]), key=lambda row: row["load"])
    cell = int(np.flatnonzero(editor.assignment() == least["id"])[0])
    editor.click(cell)
    editor.click(cell)
    editor.moved_on(before)
    joined = editor.grids()[int(editor.assignment()[cell])]
    assert joined["load"] > least["load"]
    return editor.checksum


def split(editor: Editor) -> None:
    """Split the largest grid evenly: looked at, then accepted."""
    page, before, grids = editor.page, editor.revision, editor.grids()
    largest = max((row for row in grids.values() if not row["kind"]), key=lambda row: row["load"])
    editor.tool("parts")
    editor.click(int(np.flatnonzero(editor.assignment() == largest["id"])[0]))
    expect(page.locator(".proposal")).to_contain_text("采用吗", timeout=OPEN_MS)
    assert editor.revision == before, "a preview makes nothing"
    page.click(".proposal .primary")
    editor.moved_on(before)
    assert len(editor.grids()) > len(grids)


def beside_the_old_grids(editor: Editor, project: str) -> None:
    """Compare with the division that the city had before."""
    page, old = editor.page, old_plan(editor.server, project)
    page.click("#tab-compare")
    expect(page.locator(f"#compare-choice option[value='{old}']")).to_have_count(1, timeout=SAVED_MS)
    page.locator("#compare-choice").select_option(old)
    count = len(json.loads(asked(f"{editor.server}/api/v1/plans/{old}/grids"))["grids"])
    told = page.locator(".compare .facts strong").first
    expect(told).to_have_text(f"{count} → {len(editor.grids())}", timeout=SAVED_MS)
    page.click("#tab-grids")


def exported(editor: Editor) -> dict[str, Any]:
    """Have the plan written from its page and download its GeoJSON."""
    page = editor.page
    page.goto(f"{editor.server}/plans/{editor.plan}/about")
    page.click("form[action$='/export'] button, form[action$='/exports'] button")
    for _ in range(240):
        if page.locator("a[download]:has-text('grids.geojson')").count():
            break
        page.wait_for_timeout(500)
        page.reload()
    with page.expect_download() as download:
        page.click("a[download]:has-text('grids.geojson')")
    found: dict[str, Any] = json.loads(Path(download.value.path()).read_text(encoding="utf-8"))
    return found


def test_the_editor_speaks_both_languages(watched: Watched, server: str, plan: str) -> None:
    editor = Editor.open(watched.page, server, plan)
    assert "达标网格" in watched.page.inner_text(".verdict")
    watched.page.click(".languages a[lang=en]")
    editor.ready()
    assert watched.page.get_attribute("html", "lang") == "en"
    for tab in watched.page.locator(".side [role=tab]").all():
        tab.click()
    text = watched.page.inner_text("main")
    assert "In band" in text
    assert not any("\u4e00" <= letter <= "\u9fff" for letter in watched.page.inner_text(".toolbar"))
