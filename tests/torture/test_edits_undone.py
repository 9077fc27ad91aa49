"""Thousands of random edits through the service, then every one taken back: the plan is as it was made.

All kinds of edits are made, by line too, with the classes that the server uses and a survey in place of the process
that resolves heavy edits. Now and then the plan is held against a full count and an exact export.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from torture_make import Place, assert_same, assert_tiles, assert_whole
from torture_server import light_edit

from geo.dataset.folder import read_dataset
from geo.editing.change import Change
from geo.editing.edits import Divide, Edit, Refusal, Repair, SplitLine, SplitParts, to_document
from geo.editing.plan import Plan
from geo.editing.survey import Survey
from geo.errors import GeoError
from web.auth.people import User
from web.errors import ConflictError
from web.services.books import Books
from web.services.editing import Editing
from web.services.grounds import Grounds

PLANNER = User(name="planner", id="2" * 32)
COLLEAGUE = User(name="colleague", id="3" * 32)
HEAVY = 0.06
"""Share of the edits that need shapes."""
CHECKED_EVERY = 1000


class Desk:
    """Resolves heavy edits in this process."""

    def __init__(self, survey: Survey) -> None:
        self._survey = survey

    def resolve(self, _: str, plan: Plan, edit: Edit) -> Change | Refusal:
        return self._survey.resolve(plan, edit)


class Session:
    """One planner's work on one plan."""

    def __init__(self, place: Place) -> None:
        self.place = place
        self.dataset = read_dataset(place.dataset)
        self.survey = Survey(self.dataset)
        self.stores = place.stores()
        self.books = Books(self.stores.plans, Grounds(place.dataset.parent), memory_bytes=2**28)
        self.editing = Editing(self.books, Desk(self.survey), lambda: None)
        self.rng = np.random.default_rng(9)
        self.made: dict[str, int] = {}
        self.refused = 0

    @property
    def plan(self) -> Plan:
        return self.books.current(self.place.plan)[1]

    def edit(self) -> bool:
        """Try one edit."""
        plan, base = self.books.current(self.place.plan)[1:]
        edit = heavy_edit(self.survey, plan, self.rng) if self.rng.random() < HEAVY else None
        edit = edit or light_edit(plan, self.rng)
        return self._sent("edit", base=base, document=to_document(edit))

    def back(self, name: str) -> bool:
        """Undo, or redo."""
        return self._sent(name, base=self.books.current(self.place.plan)[2])

    def send(self, user: User, kind: str, *, base: int, **fields: Any) -> dict[str, Any]:
        """Make one edit as somebody."""
        op_id = f"op-{self.rng.integers(2**62):019d}"
        edit = {"kind": kind, **fields}
        return self.editing.edit(self.place.plan, user, op_id=op_id, base=base, document=edit)

    def _sent(self, name: str, **given: Any) -> bool:
        op_id = f"op-{self.rng.integers(2**62):019d}"
        try:
            answer = getattr(self.editing, name)(self.place.plan, PLANNER, op_id=op_id, **given)
        except GeoError as error:
            if isinstance(error, ConflictError) and not error.code.startswith("nothing-to-"):
                raise
            self.refused += 1
            return False
        kind = answer["edit"]["kind"]
        self.made[kind] = self.made.get(kind, 0) + 1
        return True

    def close(self) -> None:
        self.books.close()
        self.stores.close()


def heavy_edit(survey: Survey, plan: Plan, rng: np.random.Generator) -> Edit | None:
    """Edit that needs shapes; None where there is nothing to split."""
    draw = rng.random()
    open_grids = [number for number, grid in plan.grids.items() if not grid.locked]
    if draw < 0.1 or not open_grids:
        return Repair()
    grid = int(rng.choice(open_grids))
    if draw < 0.4:
        return SplitParts(grid, int(rng.integers(2, 4)), seed=int(rng.integers(100)))
    cell = int(rng.choice(plan.cells_of(grid)))
    line = line_through(survey, plan, cell, rng)
    return Divide(cell, line) if draw < 0.7 else SplitLine(grid, line)


def line_through(
    survey: Survey, plan: Plan, cell: int, rng: np.random.Generator
) -> tuple[tuple[float, float], ...]:
    """Return a line through a cell at a random angle, off its middle, long enough for a grid."""
    xmin, ymin, xmax, ymax = survey.shapes(plan).polygons([cell])[0].bounds
    middle = np.array([(xmin + xmax) / 2, (ymin + ymax) / 2]) + rng.normal(0, 0.1, 2) * (xmax - xmin)
    angle = rng.uniform(0, np.pi)
    step = 0.02 * np.array([np.cos(angle), np.sin(angle)])
    (x0, y0), (x1, y1) = (middle - step).tolist(), (middle + step).tolist()
    return ((x0, y0), (x1, y1))


@pytest.fixture
def session(place: Place) -> Iterator[Session]:
    made = Session(place)
    yield made
    made.close()


@pytest.mark.parametrize("count", [400, pytest.param(10_000, marks=pytest.mark.torture)])
def test_every_edit_is_taken_back(session: Session, tmp_path: Path, count: int) -> None:
    """Some are undone and made again on the way: what is in force at the end is undone one by one."""
    place, start, done = session.place, session.place.start, 0
    every = min(CHECKED_EVERY, count // 2)
    while done < count:
        draw = session.rng.random()
        done += session.back("undo" if draw < 0.04 else "redo") if draw < 0.06 else session.edit()
        if done and done % every == 0:
            assert_whole(session.plan, start)
            assert_tiles(session.dataset, session.plan, tmp_path)
    assert len(session.made) >= 10  # of the fifteen kinds
    far = session.plan
    edits = dict(session.made)
    undone = 0
    while session.back("undo"):
        undone += 1
        if undone % every == 0:
            assert_whole(session.plan, start)
    assert_back_at_start(session.plan, start)
    assert_whole(session.plan, start)
    assert_tiles(session.dataset, session.plan, tmp_path)
    for _ in range(undone):
        assert session.back("redo")
    assert_same(session.plan, far)
    assert not session.back("redo")
    session.close()
    assert len(place.log()) == count + 2 * undone
    print(f"\n{count} edits {edits}, {session.refused} refused; {undone} undone, then made again")


def test_an_undo_that_would_take_a_grid_from_under_anothers_cells_names_them(session: Session) -> None:
    """Not only that something changed: which grid, by whom and when."""
    one, other = session.plan.cells_of(1).tolist()[:2]
    made = session.send(PLANNER, "new-grid", base=0, cells=[one])
    (grid,) = made["change"]["after"]
    session.send(COLLEAGUE, "assign", base=1, cells=[other], grid=grid)
    with pytest.raises(ConflictError) as error:
        session.editing.undo(session.place.plan, PLANNER, op_id="undo-the-grid", base=2)
    assert error.value.code == "edit-conflict"
    user = {"id": COLLEAGUE.id, "name": COLLEAGUE.label}
    assert error.value.where == {
        "objects": [{"type": "grid", "id": grid, "revision": 2, "user": user}],
        "revision": 2,
    }


def assert_back_at_start(plan: Plan, start: Plan) -> None:
    """The same cells, grids, pins and figures; of divisions that were undone only empty rows are left."""
    n = start.ground.n
    assert np.array_equal(plan.assignment[:n], start.assignment)
    assert (plan.assignment[n:] == -1).all()
    assert np.array_equal(plan.pinned[:n], start.pinned)
    assert not plan.pinned[n:].any()
    assert np.array_equal(plan.load[:n], start.load)
    assert not plan.load[n:].any()
    assert dict(plan.grids) == dict(start.grids)
    assert not any(plan.in_force)
    known = len(start.figures.cells)
    for name, values in vars(start.figures).items():
        now = getattr(plan.figures, name)
        if isinstance(values, np.ndarray):
            assert np.array_equal(now[: len(values)], values), name
            assert not now[len(values) :].any() or len(values) != known, name
        else:
            assert now == values, name
