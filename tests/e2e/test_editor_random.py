"""Any session of random tool actions: page and service agree on every cell, and what is exported tiles exactly.

The actions go through mouse and keyboard; what they do is for the editor to say. The seed is fixed.
"""

from __future__ import annotations

import json
import random
import tempfile
from pathlib import Path

import numpy as np
import pytest
from editing import Editor, asked, branch, demo_plan
from watching import Watched

from geo.plan_files import read_plan
from geo.report import verify_layers

pytestmark = pytest.mark.browser

FEW, MANY = 60, 200
SEED = 5
EDITS = 0.4
"""Share of the actions that must have changed the plan: else the script only waves its hands."""
EXPORT_S = 120
TOOLS = (
    "brush",
    "box",
    "lasso",
    "flood",
    "sweep",
    "split",
    "encircle",
    "merge",
    "new",
    "lock",
    "parts",
    "divide",
    "select",
)
WEIGHTS = (16, 8, 8, 6, 16, 4, 6, 5, 4, 4, 3, 1, 2)


class Planner:
    """Random actions of somebody who knows where the cells are and little else."""

    def __init__(self, editor: Editor, seed: int) -> None:
        self.editor = editor
        self.page = editor.page
        self.random = random.Random(seed)  # noqa: S311 - nothing secret
        self.cells = len(editor.ground.lon)

    def act(self) -> None:
        draw = self.random.random()
        if draw < 0.12:
            self.page.keyboard.press(self.random.choice(["Control+z", "Control+z", "Control+y"]))
        elif draw < 0.16:
            self.page.keyboard.press(self.random.choice(["[", "]", "j", "0", "Escape"]))
        else:
            self.stroke(self.random.choices(TOOLS, WEIGHTS)[0])

    def stroke(self, tool: str) -> None:
        editor, mouse = self.editor, self.page.mouse
        self.page.keyboard.press("0")
        editor.still()
        self.page.keyboard.press(_key(tool))
        cell = self.random.randrange(self.cells)
        if self.random.random() < 0.3:
            editor.click(cell, button="right")
        single = self.random.random() < 0.2
        if single:
            self.page.keyboard.down("Alt")
        (x, y), reach = editor.spot(cell), 14 if tool != "divide" else 5
        mouse.move(x, y)
        mouse.down()
        if tool in {"brush", "box", "lasso", "sweep", "split", "encircle", "divide"}:
            for _ in range(self.random.randint(2, 4)):
                x += self.random.uniform(-reach, reach) * 2
                y += self.random.uniform(-reach, reach) * 2
                mouse.move(x, y, steps=2)
        mouse.up()
        if single:
            self.page.keyboard.up("Alt")
        if tool == "merge":
            mouse.click(x, y)
        if tool == "parts":
            self.decide()

    def decide(self) -> None:
        """Wait for what is proposed, then accept it or not; a refusal is read and put away."""
        self.page.wait_for_function(
            "() => document.querySelector('.proposal .primary:not([disabled])')?.offsetParent"
            " || document.querySelector('.proposal').hidden"
        )
        self.page.keyboard.press(self.random.choice(["Enter", "Enter", "Escape"]))


def _key(tool: str) -> str:
    keys = {"brush": "b", "box": "r", "lasso": "l", "flood": "f", "sweep": "s", "split": "x", "encircle": "e"}
    return (keys | {"merge": "m", "new": "n", "lock": "k", "parts": "p", "divide": "d", "select": "v"})[tool]


@pytest.mark.parametrize("actions", [FEW, pytest.param(MANY, marks=pytest.mark.torture)])
def test_random_actions_leave_page_and_service_alike(watched: Watched, server: str, actions: int) -> None:
    watched.refusals = True
    plan = branch(server, demo_plan(server)[1], f"random-{actions}")
    editor = Editor.open(watched.page, server, plan)
    planner = Planner(editor, SEED)
    for _ in range(actions):
        planner.act()
    editor.agrees()
    assert editor.revision >= EDITS * actions

    # What the page knows after all that is what a page knows that is opened now.
    shown = editor.checksum, watched.page.inner_text(".facts")
    watched.page.reload()
    editor.ready()
    assert (editor.checksum, watched.page.inner_text(".facts")) == shown
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
    assert {name: verdict.ok for name, verdict in verify_layers(layers).items() if not verdict.ok} == {}
    held = np.unique(editor.assignment())
    assert len(layers["grids"]) == int((held >= 0).sum())
    assert int(layers["grids"]["households"].sum()) == int(layers["cells"]["households"].sum())
