"""The survey as a whole: policy — chains of every kind of edit, in any order, from memory or from a dataset."""

from __future__ import annotations

import json
from typing import Any, NamedTuple

import numpy as np
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st
from surveyed import STANDARD, Surveyed, check, degrees, demo, quarters, town, verdict

from geo.dataset.folder import read_dataset, write_dataset
from geo.editing.apply import apply, apply_change
from geo.editing.change import Change
from geo.editing.codec import change_from, to_document
from geo.editing.edits import (
    NEEDS_SURVEY,
    Assign,
    Divide,
    Edit,
    LockArea,
    Merge,
    Rebalance,
    Refusal,
    Rename,
    Renumber,
    Repair,
    SplitLine,
    SplitParts,
)
from geo.editing.plan import Plan
from geo.editing.start import restored, snapshot
from geo.editing.survey import BY_ENGINE, ON_SHAPES, Survey


class Draft(NamedTuple):
    """Numbers from which an edit that fits the plan of the moment is made."""

    kind: str
    pick: int
    other: int
    place: tuple[float, float]
    turn: float


drafts = st.builds(
    Draft,
    st.sampled_from(sorted(NEEDS_SURVEY | {"assign", "merge"})),
    st.integers(0, 999),
    st.integers(0, 999),
    st.tuples(st.floats(0, 800), st.floats(0, 300)),
    st.floats(0, 6.28),
)


def edit_of(at: Surveyed, plan: Plan, draft: Draft) -> Edit:
    """Make an edit of a draft, of grids and cells that are there."""
    grids = sorted(plan.grids)
    grid, other = grids[draft.pick % len(grids)], grids[draft.other % len(grids)]
    cells = np.flatnonzero(plan.ground.live)
    cell = int(cells[draft.pick % len(cells)])
    x, y = draft.place
    dx, dy = 200 * np.cos(draft.turn), 200 * np.sin(draft.turn)
    ((lon, lat),) = shapely.get_coordinates(shapely.point_on_surface(at.survey.shapes(plan).polygons([cell])))
    step = 3e-3 * np.cos(draft.turn), 3e-3 * np.sin(draft.turn)
    made: dict[str, Any] = {
        "split-line": lambda: SplitLine(grid, degrees((x, y), (x + dx, y + dy))),
        "split-parts": lambda: SplitParts(grid, 2 + draft.other % 2),
        "rebalance": lambda: Rebalance(tuple({grid, other}), "fast", draft.other),
        "repair": Repair,
        "divide": lambda: Divide(cell, ((lon - step[0], lat - step[1]), (lon + step[0], lat + step[1]))),
        "lock-area": lambda: LockArea(draft.other % 2 > 0, degrees((x, y), (x + dx, y), (x, y + dy))),
        "renumber": Renumber,
        "assign": lambda: Assign((cell,), grid),
        "merge": lambda: Merge((grid, other)),
    }
    edit: Edit = made[draft.kind]()
    return edit


def chained(at: Surveyed, chain: list[Draft]) -> tuple[Plan, list[Change]]:
    """Make edits one after another; every one keeps what an edit has to keep."""
    plan, inverses = at.plan, []
    for draft in chain:
        edit = edit_of(at, plan, draft)
        made = apply(plan, edit, survey=at.survey)
        if isinstance(made, Refusal):
            assert made.code
            assert made.zh
            assert made.en
            json.dumps(made.to_dict())
            continue
        after, inverse = made
        if edit.kind in NEEDS_SURVEY:
            check(plan, after, inverse)
        assert change_from(json.loads(json.dumps(to_document(inverse)))) == inverse
        plan = after
        inverses.append(inverse)
    return plan, inverses


def same(one: Plan, other: Plan) -> bool:
    arrays = ("assignment", "pinned", "load")
    equal = all(np.array_equal(getattr(one, name), getattr(other, name)) for name in arrays)
    return equal and one.grids == other.grids and one.divisions == other.divisions


@settings(max_examples=25, deadline=None)
@given(st.lists(drafts, min_size=1, max_size=10))
def test_any_chain_of_edits_holds_and_is_undone(chain):
    at = quarters()
    plan, inverses = chained(at, chain)
    assert verdict(at, plan).ok
    assert same(plan, chained(at, chain)[0])
    homes = plan.ground.cells.households[plan.assignment >= 0].sum()
    assert plan.figures.households.sum() == homes == at.plan.figures.households.sum()
    for inverse in inverses[::-1]:
        back = apply_change(plan, inverse)
        assert isinstance(back, Plan), back.code
        plan = back
    n = at.plan.ground.n
    assert np.array_equal(plan.assignment[:n], at.plan.assignment)
    assert np.array_equal(plan.pinned[:n], at.plan.pinned)
    assert plan.grids == at.plan.grids
    assert plan.ground.live.tolist() == [True] * n + [False] * (plan.ground.n - n)


def test_every_kind_that_needs_a_survey_has_its_module():
    assert set(ON_SHAPES) | set(BY_ENGINE) == NEEDS_SURVEY
    assert not set(ON_SHAPES) & set(BY_ENGINE)
    with pytest.raises(ValueError, match="needs no survey"):
        quarters().survey.resolve(quarters().plan, Rename(1, "x"))


def test_resolving_changes_neither_plan_nor_survey():
    at = quarters()
    before = snapshot(at.plan)
    drafted = [Draft(kind, 3, 4, (90.0, 70.0), 0.4) for kind in sorted(NEEDS_SURVEY)]
    answers = [at.survey.resolve(at.plan, edit_of(at, at.plan, draft)) for draft in drafted]
    again = [at.survey.resolve(at.plan, edit_of(at, at.plan, draft)) for draft in drafted[::-1]]
    assert answers == again[::-1]
    assert snapshot(at.plan) == before


def test_a_survey_of_a_dataset_and_a_restored_plan_give_the_same_answers(tmp_path):
    at = quarters()
    city, tiling = town()
    write_dataset(city, tiling, tmp_path / "d")
    dataset = read_dataset(tmp_path / "d")
    plan, _ = apply(at.plan, edit_of(at, at.plan, Draft("divide", 7, 0, (0.0, 0.0), 0.5)), survey=at.survey)
    stored = restored(at.plan.ground, STANDARD, snapshot(plan))
    survey = Survey(dataset)
    for kind in sorted(NEEDS_SURVEY):
        edit = edit_of(at, plan, Draft(kind, 2, 5, (100.0, 90.0), 1.1))
        assert survey.resolve(stored, edit) == at.survey.resolve(plan, edit)


def test_edits_of_the_demo_city_in_a_row():
    at = demo()
    kinds = ("split-line", "split-parts", "rebalance", "divide", "divide", "repair", "renumber")
    rng = np.random.default_rng(5)
    plan = at.plan
    for k in range(21):
        pick, other = (int(n) for n in rng.integers(999, size=2))
        draft = Draft(kinds[k % 7], pick, other, (0.0, 0.0), float(rng.uniform(0, 6)))
        edit = edit_of(at, plan, draft)
        if isinstance(edit, SplitLine):
            edit = across_grid(at, plan, edit.grid, draft.turn)
        made = apply(plan, edit, survey=at.survey)
        if not isinstance(made, Refusal):
            check(plan, *made)
            plan = made[0]
    assert len(plan.divisions) > 3
    assert plan.next_grid > at.plan.next_grid
    assert verdict(at, plan).ok


def across_grid(at: Surveyed, plan: Plan, grid: int, turn: float) -> SplitLine:
    points = shapely.get_coordinates(
        shapely.point_on_surface(at.survey.shapes(plan).polygons(plan.cells_of(grid)))
    )
    x, y = points.mean(axis=0)
    return SplitLine(grid, ((x, y), (x + 1e-3 * np.cos(turn), y + 1e-3 * np.sin(turn))))
