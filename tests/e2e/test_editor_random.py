"""Any session of random tool actions: page and service agree on every cell, and what is exported tiles exactly.

The actions go through mouse and keyboard; what they do is for the editor to say. Every tool and every helper that
changes a plan is in the deck, which is shuffled by a seed; at the end the log must hold each kind of edit.
"""

from __future__ import annotations

import json
import random
import tempfile
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from editing import OPEN_MS, SAVED_MS, Editor, asked, branch, demo_plan
from playwright.sync_api import expect
from watching import Watched

from geo.plan_files import read_plan
from geo.report import verify_layers

pytestmark = pytest.mark.browser

Visitor = Callable[..., Watched]
Screen = np.ndarray[Any, np.dtype[np.float64]]
SEED = 5
MORE_SEEDS = (1, 2, 3)
EDITS = 0.5
"""Share of the actions that must have changed the plan: else the script only waves its hands."""
CHECKED = 50
"""Page and service are held against each other after every so many actions, and at the end."""
EXPORT_S = 120
SMALL = {"width": 1024, "height": 700}
"""A software renderer's time goes by the pixel; reduced motion leaves out the flights of the map."""

DECK = {
    "brush": 30,
    "sweep": 30,
    "box": 14,
    "lasso": 14,
    "encircle": 10,
    "flood": 10,
    "split": 10,
    "merge": 8,
    "new": 8,
    "lock": 8,
    "parts": 6,
    "divide": 5,
    "select": 3,
    "rebalance": 4,
    "repair": 3,
    "renumber": 2,
    "lock-all": 2,
    "undo": 17,
    "redo": 8,
    "other": 8,
}
"""How often each action is in a session of two hundred."""
KINDS = {
    "assign",
    "new-grid",
    "merge",
    "split-line",
    "split-parts",
    "divide",
    "rebalance",
    "renumber",
    "lock",
}
KINDS |= {"repair", "undo", "redo"}
DRAWN = {"brush": 28, "box": 28, "lasso": 28, "sweep": 28, "split": 40, "encircle": 28}
"""Tools that draw, with how far a stroke goes from one point to the next, pixels."""
KEYS = {"brush": "b", "box": "r", "lasso": "l", "flood": "f", "sweep": "s", "split": "x", "encircle": "e"}
KEYS |= {"merge": "m", "new": "n", "lock": "k", "parts": "p", "divide": "d", "select": "v"}


class Planner:
    """Random actions of somebody who knows where the cells are and little else."""

    def __init__(self, editor: Editor, seed: int) -> None:
        self.editor = editor
        self.page = editor.page
        self.random = random.Random(seed)  # noqa: S311 - nothing secret
        self.cells = len(editor.ground.lon)
        self.home = editor.stage.get_attribute("data-view")
        self.divisions = 0
        self.mark()

    def deck(self) -> list[str]:
        cards = [name for name, count in DECK.items() for _ in range(count)]
        self.random.shuffle(cards)
        return cards

    def act(self, name: str) -> None:
        if name in {"undo", "redo"}:
            self.page.keyboard.press("Control+z")
            self.grounded()
            if name == "redo":
                self.page.keyboard.press("Control+y")
                self.grounded()
        elif name == "other":
            self.page.keyboard.press(self.random.choice(["[", "]", "j", "Shift+J", "0", "Escape"]))
        elif name in {"rebalance", "repair", "renumber", "lock-all"}:
            self.help(name)
        elif name == "divide":
            self.divide()
        else:
            self.stroke(name)

    def stroke(self, tool: str) -> None:
        self.whole()
        self.page.keyboard.press(KEYS[tool])
        cell = self.random.randrange(self.cells)
        if self.random.random() < 0.3:
            self.editor.click(cell, button="right")
        single = self.random.random() < 0.2
        x, y = self.editor.spot(cell)
        if tool == "parts":
            self.editor.saved()
        with_alt = self.page.keyboard
        if single:
            with_alt.down("Alt")
        self.draw(tool, x, y)
        if single:
            with_alt.up("Alt")
        if tool == "parts":
            self.decide(self.random.random() < 0.8)

    def draw(self, tool: str, x: float, y: float) -> None:
        mouse, reach = self.page.mouse, DRAWN.get(tool, 0)
        mouse.move(x, y)
        mouse.down()
        for _ in range(self.random.randint(2, 4) if reach else 0):
            x += self.random.uniform(-reach, reach)
            y += self.random.uniform(-reach, reach)
            mouse.move(x, y, steps=2)
        mouse.up()
        if tool == "merge":
            mouse.click(x, y)

    def divide(self) -> None:
        """Draw a line across a cell from one neighbour to the one opposite."""
        self.whole()
        self.page.keyboard.press("d")
        start, middle, end = self.across()
        mouse = self.page.mouse
        mouse.move(*start)
        mouse.down()
        mouse.move(*middle, steps=2)
        # The cell that the pointer is over most often is the one that is meant.
        for shift in (1, -1, 1, 0):
            mouse.move(middle[0] + shift, middle[1])
        mouse.move(*end, steps=2)
        mouse.up()
        self.grounded()

    def across(self) -> tuple[tuple[float, float], ...]:
        """Points left of a roomy cell, in it, and right of it."""
        screen, ground = self.editor.screen(), self.editor.ground
        live = np.flatnonzero(self.editor.assignment()[: self.cells] >= 0)
        room = {int(c): min(_far(screen, int(c), n) for n in ground.beside(int(c))) for c in live}
        roomy = sorted(room, key=lambda c: -room[c])[:60]
        self.random.shuffle(roomy)
        for cell in roomy:
            beside = ground.beside(cell)
            best = min(
                ((_turn(screen, cell, a, b), a, b) for a in beside for b in beside if a < b), default=None
            )
            if best is not None and best[0] < -0.9:
                return tuple((float(screen[k][0]), float(screen[k][1])) for k in (best[1], cell, best[2]))
        raise AssertionError("no cell lies between two others")

    def help(self, name: str) -> None:
        """Have the service do something with many grids, and take what it proposes."""
        page = self.page
        self.editor.saved()
        page.click("#tab-helpers")
        scope = page.locator(".scope select")
        if name == "rebalance":
            page.locator(".helper-part select[name=effort]").first.select_option("fast")
            values = [str(option.get_attribute("value")) for option in scope.locator("option").all()]
            scope.select_option(self.random.choice([value for value in values if value.isdigit()]))
        else:
            scope.select_option("all")
        for each in ["lock", "unlock"] if name == "lock-all" else [name]:
            button = page.locator(f"[data-helper={each}]")
            if not button.is_enabled():
                continue
            button.click()
            if name == "lock-all":
                self.editor.saved()
            else:
                self.decide(accept=True)
        page.evaluate("document.activeElement.blur()")

    def decide(self, accept: bool) -> None:
        """Wait for what is proposed, then take it or not; a refusal is read and put away."""
        page, bar = self.page, self.page.locator(".proposal")
        page.wait_for_function(
            "() => { const bar = document.querySelector('.proposal');"
            " return bar.hidden || bar.querySelector('.primary').disabled === false }",
            timeout=OPEN_MS,
        )
        if bar.is_visible():
            bar.locator("button.primary" if accept else "button:not(.primary)").click()
        if page.locator(".message-bar").is_visible():
            page.click(".message-bar button")

    def whole(self) -> None:
        if self.editor.stage.get_attribute("data-view") != self.home:
            self.page.keyboard.press("0")
            expect(self.editor.stage).to_have_attribute("data-view", str(self.home), timeout=SAVED_MS)

    def mark(self) -> None:
        """Know this page again, and leave off what is only drawn."""
        self.page.evaluate("window.begun = true")
        self.page.click("#tab-parameters")
        for box in self.page.locator(".switches input").all()[3:]:
            box.set_checked(False)
        self.page.click("#tab-grids")

    def grounded(self) -> None:
        """Where a cell was divided, or put together again, the page begins anew: wait for that."""
        self.editor.saved()
        divisions = len(json.loads(asked(self.editor.api))["divisions"])
        if divisions != self.divisions:
            self.divisions = divisions
            self.page.wait_for_function("() => window.begun === undefined", timeout=SAVED_MS)
            self.editor.ready()
            self.home = self.editor.stage.get_attribute("data-view")
            self.mark()


def _far(screen: Screen, a: int, b: int) -> float:
    return float(np.hypot(*(screen[a] - screen[b])))


def _turn(screen: Screen, cell: int, a: int, b: int) -> float:
    """Cosine of the angle at a cell between two neighbours: -1 where they are opposite."""
    one, two = screen[a] - screen[cell], screen[b] - screen[cell]
    return float(one @ two / max(1e-9, np.hypot(*one) * np.hypot(*two)))


def begun(visitor: Visitor, server: str, seed: int) -> Planner:
    watched = visitor(viewport=SMALL, reduced_motion="reduce")
    watched.refusals = True
    plan = branch(server, demo_plan(server)[1], f"random-{seed}")
    return Planner(Editor.open(watched.page, server, plan), seed)


@pytest.mark.parametrize("seed", [SEED, *(pytest.param(s, marks=pytest.mark.torture) for s in MORE_SEEDS)])
def test_two_hundred_random_actions_leave_page_and_service_alike(
    visitor: Visitor, server: str, seed: int
) -> None:
    planner = begun(visitor, server, seed)
    editor, cards = planner.editor, planner.deck()
    assert len(cards) == 200
    for at, name in enumerate(cards, start=1):
        planner.act(name)
        if at % CHECKED == 0:
            editor.agrees()
    editor.agrees()
    log = json.loads(asked(f"{editor.api}/edits?since=0&limit=1000"))["edits"]
    made = Counter(edit["kind"] for edit in log)
    assert set(made) >= KINDS, made
    assert sum(made.values()) == editor.revision >= EDITS * len(cards), made

    # What the page knows after all that is what a page knows that is opened now.
    shown = editor.checksum, editor.page.inner_text(".facts")
    editor.page.reload()
    editor.ready()
    assert (editor.checksum, editor.page.inner_text(".facts")) == shown
    tiles_exactly(editor)


def tiles_exactly(editor: Editor) -> None:
    """Export the plan and hold its grids against the cells of the same file: no gap, no overlap, nothing lost."""
    job = json.loads(asked(f"{editor.api}/exports", {}))
    for _ in range(2 * EXPORT_S):
        editor.page.wait_for_timeout(500)
        state = json.loads(asked(f"{editor.server}/api/v1/jobs/{job['id']}"))
        if state["state"] not in {"queued", "running"}:
            break
    assert state["state"] == "done", state
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "plan.gpkg"
        path.write_bytes(asked(f"{editor.server}/api/v1/jobs/{job['id']}/files/plan.gpkg"))
        verified(path, editor)


def verified(path: Path, editor: Editor) -> None:
    layers = read_plan(path)
    verdicts = verify_layers(layers)  # whole numbers, no tolerance
    assert set(verdicts) == {"cells", "grids"}
    assert {name: verdict for name, verdict in verdicts.items() if not verdict.ok} == {}
    held = np.unique(editor.assignment())
    assert len(layers["grids"]) == int((held >= 0).sum())
    assert int(layers["grids"]["households"].sum()) == int(layers["cells"]["households"].sum())
