"""Takes the pictures of docs/editor.md anew: ``.venv/bin/python tests/e2e/screenshots.py [NAME ...]``.

A service of its own plans the small demo city in a folder that is gone afterwards; every picture begins with a plan
of its own, so that any of them can be taken alone. Pictures have a palette, so that the files stay small.
Pillow is needed (``requirements-bench.txt``).
"""

from __future__ import annotations

import io
import json
import sys
import tempfile
import uuid
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from conftest import ARGUMENTS, CHROMIUM
from editing import UNASSIGNED, Cells, Editor, asked, branch, demo_plan
from PIL import Image
from playwright.sync_api import Browser, Page, sync_playwright
from serving import ROOT, serving

IMAGES = ROOT / "docs" / "images"
SIZE = {"width": 1440, "height": 900}
PHONE = {"width": 390, "height": 844}
A4 = (1123, 794)
MARGIN = 38
COLOURS = 256
LONG_MS = 180_000
CALM_MS = 1200

PICTURES: dict[str, Callable[[Desk], None]] = {}


class Desk:
    """A service with a planned city, and a browser to look at it."""

    def __init__(self, browser: Browser, server: str) -> None:
        self.browser = browser
        self.server = server
        self.project = demo_plan(server)[0]
        plans = json.loads(asked(f"{server}/api/v1/projects/{self.project}/plans"))["plans"]
        self.plan = next(str(plan["id"]) for plan in plans if plan["job"] is not None)

    def page(self, language: str = "zh", **options: Any) -> Page:
        context = self.browser.new_context(**({"viewport": SIZE} | options))
        context.add_cookies([{"name": "lang", "value": language, "url": self.server}])
        return context.new_page()

    def open(self, name: str, language: str = "zh", **options: Any) -> Editor:
        """Open a branch of the plan under a name."""
        return self.enter(branch(self.server, self.plan, name), language, **options)

    def enter(self, plan: str, language: str = "zh", **options: Any) -> Editor:
        editor = Editor.open(self.page(language, **options), self.server, plan)
        editor.page.wait_for_timeout(CALM_MS)
        return editor


def picture(take: Callable[[Desk], None]) -> Callable[[Desk], None]:
    PICTURES[take.__name__] = take
    return take


def keep(page: Page, name: str) -> None:
    page.wait_for_timeout(CALM_MS)
    _write(Image.open(io.BytesIO(page.screenshot())), name)


def _write(image: Image.Image, name: str) -> None:
    path = IMAGES / f"editor-{name}.png"
    _palette(image.convert("RGB")).save(path, optimize=True)
    print(path.name, path.stat().st_size // 1024, "KB", flush=True)


def _palette(image: Image.Image) -> Image.Image:
    """Return an image of few colours: half of them the most frequent, so that flat areas are exact.

    The others are spread over all there are: red numbers are few pixels and have to stay red.
    """
    pixels = np.asarray(image, np.int32)
    packed, place, count = np.unique(pixels @ (65536, 256, 1), return_inverse=True, return_counts=True)
    there = np.stack([packed >> 16, packed >> 8 & 255, packed & 255], axis=1)
    flat = there[np.argsort(-count)[: COLOURS // 2]]
    spread = image.quantize(COLOURS // 2, method=Image.Quantize.MAXCOVERAGE).getpalette()
    chosen = np.concatenate([flat, np.array(spread, np.int32).reshape(-1, 3)])[:COLOURS]
    # |a - b|² without |a|², which is the same for every choice.
    nearest = ((chosen**2).sum(axis=1) - 2 * there @ chosen.T).argmin(axis=1).astype(np.uint8)
    few = Image.fromarray(nearest[place].reshape(pixels.shape[:2]), "P")
    few.putpalette(chosen.astype(np.uint8).tobytes())
    return few


def edit(editor: Editor, base: int, **document: object) -> int:
    """Commit an edit as another planner would; returns the revision."""
    answer = asked(f"{editor.api}/edits", {"op_id": uuid.uuid4().hex, "base": base, "edit": document})
    return int(json.loads(answer)["revision"])


def border(editor: Editor) -> tuple[int, int]:
    """A cell in the middle of the screen and a neighbour of it in another grid."""
    screen = editor.screen()
    middle = np.array([SIZE["width"] * 0.4, SIZE["height"] * 0.45])
    return min(editor.borders(), key=lambda pair: float(np.hypot(*(screen[pair[0]] - middle))))


def stroke(editor: Editor, tool: str, far: float) -> None:
    """Press beside a border and drag across it; the button stays down."""
    cell, other = border(editor)
    start, end = (np.array(editor.spot(one)) for one in (cell, other))
    editor.tool(tool)
    editor.page.mouse.move(*start)
    editor.page.mouse.down()
    editor.page.mouse.move(*(start + far * (end - start)), steps=8)


@picture
def waiting(desk: Desk) -> None:
    page = desk.page()
    drawn = {"state": "running", "progress": {"stage": "tiles", "done": 4, "total": 9, "percent": 42.0}}
    page.route("**/datasets/*/tiles", lambda route: route.fulfill(json={"tiles": None, "job": "0"}))
    page.route("**/jobs/0", lambda route: route.fulfill(json=drawn | {"error": None}))
    page.goto(f"{desk.server}/plans/{desk.plan}")
    keep(page, "waiting")


@picture
def tour(desk: Desk) -> None:
    page = desk.page()
    page.goto(f"{desk.server}/plans/{branch(desk.server, desk.plan, '新方案')}")
    page.wait_for_selector("dialog.tour[open]", timeout=LONG_MS)
    page.wait_for_selector(".stage[data-idle]", timeout=LONG_MS)
    for _ in range(3):
        page.click(".tour .primary")
    keep(page, "tour")


@picture
def opened(desk: Desk) -> None:
    editor = desk.open("东片调整")
    editor.click(border(editor)[0])
    editor.page.click(".legend summary")
    keep(editor.page, "open")


@picture
def brush(desk: Desk) -> None:
    editor = desk.open("东片调整")
    stroke(editor, "brush", 1.0)
    keep(editor.page, "brush")


@picture
def problem(desk: Desk) -> None:
    editor = desk.open("东片调整")
    grids: Cells = editor.assignment()
    own, *others = np.unique(grids[grids != UNASSIGNED])[8:12].tolist()
    loose = np.flatnonzero(grids == own)[:9].tolist()
    head = edit(editor, 0, kind="assign", cells=loose, grid=None)
    head = edit(editor, head, kind="lock", locked=True, grids=others[:2])
    editor.moved_on(0)
    editor.page.keyboard.press("j")
    editor.still()
    keep(editor.page, "problem")


@picture
def split(desk: Desk) -> None:
    editor = desk.open("东片调整")
    rows = editor.grids()
    large = max(rows, key=lambda grid: float(rows[grid]["load"]))
    editor.tool("parts")
    editor.click(int(np.flatnonzero(editor.assignment() == large)[0]))
    editor.page.wait_for_selector(".proposal .primary:not([disabled])", timeout=LONG_MS)
    keep(editor.page, "split")


@picture
def alternatives(desk: Desk) -> None:
    editor = desk.open("东片调整")
    editor.page.click("#tab-helpers")
    editor.page.click(".helper-part:last-of-type .primary")
    editor.page.wait_for_selector("dialog.side-by-side[open]", timeout=LONG_MS)
    keep(editor.page, "alternatives")


@picture
def compare(desk: Desk) -> None:
    editor = desk.open("东片调整")
    editor.page.click("#tab-compare")
    old = editor.page.locator(".compare select option", has_text="原有网格")
    editor.page.select_option(".compare select", old.first.get_attribute("value"))
    editor.page.wait_for_selector(".compare .chips", timeout=LONG_MS)
    editor.page.click(".compare .acts button >> nth=0")
    editor.page.wait_for_timeout(2 * CALM_MS)
    keep(editor.page, "compare")


@picture
def conflict(desk: Desk) -> None:
    editor = desk.open("会商稿")
    cell, other = border(editor)
    grids = editor.assignment()
    editor.page.context.set_offline(True)
    editor.page.wait_for_selector(".saved[data-state=offline]", timeout=LONG_MS)
    edit(editor, 0, kind="assign", cells=[cell], grid=int(grids[other]))
    editor.tool("new")
    editor.click(cell)
    editor.page.wait_for_timeout(CALM_MS)
    editor.page.context.set_offline(False)
    editor.page.wait_for_selector(".conflicts .clash", timeout=LONG_MS)
    keep(editor.page, "conflict")


@picture
def english(desk: Desk) -> None:
    editor = desk.open("Draft for the east", "en")
    editor.click(border(editor)[0])
    editor.page.click(".grid-card summary >> nth=0")
    keep(editor.page, "english")


@picture
def phone(desk: Desk) -> None:
    editor = desk.open("东片调整", viewport=PHONE, has_touch=True, is_mobile=True)
    keep(editor.page, "phone")


@picture
def printed(desk: Desk) -> None:
    page = desk.open("东片调整").page
    page.evaluate("window.dispatchEvent(new Event('beforeprint'))")
    page.set_viewport_size({"width": A4[0] - 2 * MARGIN, "height": A4[1] - 2 * MARGIN})
    page.emulate_media(media="print")
    sheet = Image.new("RGB", A4, "white")
    sheet.paste(Image.open(io.BytesIO(page.screenshot())), (MARGIN, MARGIN))
    _write(sheet, "print")


def main(names: list[str]) -> None:
    """Take the pictures that are named, or all of them."""
    with (
        tempfile.TemporaryDirectory() as data,
        serving(Path(data)) as server,
        sync_playwright() as playwright,
    ):
        browser = playwright.chromium.launch(executable_path=Path(CHROMIUM), args=ARGUMENTS)
        desk = Desk(browser, server)
        for name in names or PICTURES:
            PICTURES[name](desk)
            for context in browser.contexts:
                context.close()
        browser.close()


if __name__ == "__main__":
    main(sys.argv[1:])
