"""A planner's hands in the editor, and the same plan as the service tells it."""

from __future__ import annotations

import json
import re
import struct
import time
import urllib.request
from dataclasses import dataclass
from typing import Any

import numpy as np
from playwright.sync_api import Locator, Page, expect

OPEN_MS = 240_000
"""The demo's plan and its tiles may still be in the making."""
SAVED_MS = 40_000
UNASSIGNED = -1
OLD = "old-grids"
NO_TOUR = "if (window === top) localStorage.setItem('wangge-tour', 'seen')"
TILE_PX = 512
STEP_PX, FINE_PX = 60, 12
"""How far an arrow key leads, alone and with Shift."""

Cells = np.ndarray[Any, np.dtype[np.int32]]


def asked(url: str, body: object = None) -> bytes:
    """Ask the service itself."""
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(url, data=data, headers={"Content-Type": "application/json"})  # noqa: S310
    with urllib.request.urlopen(request) as answer:  # noqa: S310 - our own server
        return bytes(answer.read())


def demo_plan(server: str) -> tuple[str, str]:
    """Wait for the plan of the small demo; returns the ids of its project and of the plan."""
    request = urllib.request.Request(f"{server}/api/v1/demo/small", method="POST")  # noqa: S310 - our own server
    with urllib.request.urlopen(request) as answer:  # noqa: S310
        project = str(json.load(answer)["id"])
    deadline = time.monotonic() + OPEN_MS / 1000
    while time.monotonic() < deadline:
        plans = [plan for plan in plans_of(server, project) if plan["parameters"].get("source") != OLD]
        if plans:
            return project, str(min(plans, key=lambda plan: plan["created"])["id"])
        time.sleep(0.3)
    raise AssertionError("the demo was not planned")


def plans_of(server: str, project: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads(asked(f"{server}/api/v1/projects/{project}/plans"))["plans"]
    return found


def old_plan(server: str, project: str) -> str:
    """Id of the division that the demo had before; it comes with the first plan."""
    return next(
        str(plan["id"]) for plan in plans_of(server, project) if plan["parameters"].get("source") == OLD
    )


def branch(server: str, plan: str, name: str) -> str:
    """Return a plan of its own that begins as the demo's plan was made."""
    made = asked(f"{server}/api/v1/plans/{plan}/branches", {"name": name, "revision": 0})
    return str(json.loads(made)["id"])


@dataclass(frozen=True)
class Ground:
    """What a test has to know of the cells: where they are, whose they are, and who is beside whom."""

    lon: Cells
    lat: Cells
    community: Cells
    compound: Cells
    households: Cells
    indptr: Cells
    neighbor: Cells

    @classmethod
    def of(cls, server: str, dataset: str) -> Ground:
        content = asked(f"{server}/api/v1/datasets/{dataset}/ground")
        (length,) = struct.unpack_from("<I", content)
        header = json.loads(content[4 : 4 + length])
        # Cells' columns begin where the header ends.
        at = {
            name: (4 + length + array["offset"], array["length"]) for name, array in header["arrays"].items()
        }

        def column(name: str) -> Cells:
            offset, count = at[name]
            return np.frombuffer(content, np.int32, count, offset)

        return cls(**{name: column(name) for name in cls.__dataclass_fields__})

    def beside(self, cell: int) -> list[int]:
        return [int(c) for c in self.neighbor[self.indptr[cell] : self.indptr[cell + 1]]]


def checksum(cells: Cells) -> str:
    """FNV-1a over whole numbers of 32 bits: what the page writes on its stage."""
    total = 0x811C9DC5
    for grid in cells.tolist():
        total = ((total ^ (grid & 0xFFFFFFFF)) * 0x01000193) & 0xFFFFFFFF
    return f"{total:08x}"


class Editor:
    """An open editor page."""

    def __init__(self, page: Page, server: str, plan: str) -> None:
        self.page = page
        self.server = server
        self.plan = plan
        self.api = f"{server}/api/v1/plans/{plan}"
        info = json.loads(asked(self.api))
        self.standard = info["standard"]
        self.ground = Ground.of(server, info["dataset"])

    @classmethod
    def open(cls, page: Page, server: str, plan: str, *, tour: bool = False) -> Editor:
        """Open a plan; without the tour unless that is asked for."""
        if not tour:
            page.add_init_script(NO_TOUR)
        page.goto(f"{server}/plans/{plan}")
        editor = cls(page, server, plan)
        editor.ready()
        return editor

    @property
    def stage(self) -> Locator:
        return self.page.locator(".stage")

    def ready(self) -> None:
        self.page.wait_for_selector(".stage[data-ready][data-idle], .notice.error", timeout=OPEN_MS)
        assert self.page.locator(".notice.error").all_inner_texts() == []

    def saved(self) -> None:
        """Wait until nothing waits to be sent."""
        expect(self.stage).to_have_attribute("data-waiting", "0", timeout=SAVED_MS)
        expect(self.page.locator(".saved")).to_have_attribute("data-state", "saved", timeout=SAVED_MS)

    def moved_on(self, revision: int) -> None:
        """Wait until the page shows a later revision than this one, all of it saved."""
        later = re.compile(rf"^(?!{revision}$)\d+$")
        expect(self.stage).to_have_attribute("data-revision", later, timeout=SAVED_MS)
        self.saved()

    @property
    def revision(self) -> int:
        return int(self.stage.get_attribute("data-revision") or -1)

    @property
    def checksum(self) -> str:
        return self.stage.get_attribute("data-checksum") or ""

    def assignment(self) -> Cells:
        """The grid of every cell, as the service has it."""
        return np.frombuffer(asked(f"{self.api}/assignment"), np.int32)

    def grids(self) -> dict[int, dict[str, Any]]:
        rows = json.loads(asked(f"{self.api}/grids"))["grids"]
        return {int(row["id"]): row for row in rows}

    def agrees(self) -> None:
        """Fail unless page and service have every cell in the same grid."""
        self.saved()
        expect(self.stage).to_have_attribute("data-checksum", checksum(self.assignment()), timeout=SAVED_MS)

    def tool(self, name: str) -> None:
        self.page.click(f"[data-tool={name}]")
        expect(self.page.locator(f"[data-tool={name}]")).to_have_attribute("aria-pressed", "true")

    def still(self) -> None:
        """Wait until the map has stopped and is drawn."""
        seen = ""
        for _ in range(100):
            view = self.stage.get_attribute("data-view") or ""
            if view == seen:
                return
            seen = view
            self.page.wait_for_timeout(120)
        raise AssertionError("the map does not come to rest")

    def screen(self) -> np.ndarray[Any, np.dtype[np.float64]]:
        """Where every cell is on the screen, shape (cells, 2)."""
        lon0, lat0, zoom = (float(part) for part in (self.stage.get_attribute("data-view") or "").split(","))
        box = self.page.locator(".maplibregl-canvas").bounding_box()
        assert box is not None
        middle = np.array([box["x"] + box["width"] / 2, box["y"] + box["height"] / 2])
        cells = _mercator(self.ground.lon / 1e7, self.ground.lat / 1e7)
        centre = _mercator(np.array([lon0]), np.array([lat0]))
        return np.asarray(middle + (cells - centre) * TILE_PX * 2**zoom)

    def spot(self, cell: int) -> tuple[float, float]:
        """Where a cell is on the screen."""
        x, y = self.screen()[cell]
        return float(x), float(y)

    def click(self, cell: int, **options: Any) -> None:
        self.page.mouse.click(*self.spot(cell), **options)

    def drag(self, points: list[tuple[float, float]], steps: int = 5) -> None:
        """Press at the first point of the screen, lead through the others, let go."""
        mouse = self.page.mouse
        mouse.move(*points[0])
        mouse.down()
        for x, y in points[1:]:
            mouse.move(x, y, steps=steps)
        mouse.up()

    def borders(self) -> list[tuple[int, int]]:
        """Pairs of neighbouring cells of two unlocked grids of one community, by number."""
        grid, community = self.assignment(), self.ground.community
        return [
            (cell, other)
            for cell in range(len(grid))
            for other in self.ground.beside(cell)
            if UNASSIGNED not in (grid[cell], grid[other])
            and grid[cell] != grid[other]
            and community[cell] == community[other]
        ]


def _mercator(lon: Any, lat: Any) -> np.ndarray[Any, np.dtype[np.float64]]:
    y = np.log(np.tan(np.pi / 4 + np.radians(lat) / 2))
    return np.column_stack([(lon + 180) / 360, (1 - y / np.pi) / 2])


def put(editor: Editor, cell: int, grid: int, *, confirmed: bool = True) -> None:
    """Put a building into a grid: pick the grid with the right button, box the building alone."""
    inside = int(np.flatnonzero(editor.assignment() == grid)[0])
    before = editor.revision
    editor.tool("box")
    editor.click(inside, button="right")
    x, y = editor.spot(cell)
    editor.page.keyboard.down("Alt")
    editor.drag([(x - 4, y - 4), (x + 4, y + 4)], steps=3)
    editor.page.keyboard.up("Alt")
    if confirmed:
        editor.moved_on(before)


def alone(screen: np.ndarray[Any, np.dtype[np.float64]], cell: int) -> bool:
    """Whether a small box around a cell holds no other cell."""
    near = np.abs(screen - screen[cell]).max(axis=1) <= 9
    return int(near.sum()) == 1


def border_in_the_middle(editor: Editor) -> tuple[int, int]:
    """A cell and its neighbour of another grid, near the middle of the map."""
    lon, lat = editor.ground.lon, editor.ground.lat
    far = np.abs(lon - np.median(lon)) + np.abs(lat - np.median(lat))
    return min(editor.borders(), key=lambda pair: int(far[pair[0]]))


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
