"""An edit made on an older state rebases unless something it depends on was changed since.

The rule of every kind by example; and by random walks: what is said not to conflict can be made, and does the same.
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

sys.path.insert(0, str(Path(__file__).parent))

from grounds import PaperSurvey, divide_change, plan_of, random_edit, random_plan, squares

from geo.editing.apply import apply, apply_change, decide
from geo.editing.change import Change
from geo.editing.conflict import Touched, conflicts, touched_cells, touched_grids
from geo.editing.edits import (
    Assign,
    Divide,
    Lock,
    Merge,
    NewGrid,
    Refusal,
    Rename,
    SetAttributes,
    SplitParts,
)
from geo.editing.plan import Plan

ROWS = "aaaaaaaa bbbbbbbb"
GRIDS = "uuvvwwww xxxxyyyy"
U, V, W, X, Y = 1, 2, 3, 4, 5


@pytest.fixture
def plan() -> Plan:
    return plan_of(squares(ROWS), GRIDS)


def changes(plan: Plan, *edits: object) -> list[Change]:
    found = []
    for edit in edits:
        plan, inverse = apply(plan, edit, survey=PaperSurvey())
        found.append(inverse.inverse())
    return found


CELL = [Touched("cell", 2, 0)]


@pytest.mark.parametrize(
    ("asked", "later", "met"),
    [
        (Assign((2,), W), Assign((2,), U), CELL),
        (Assign((2,), W), Assign((3,), U), []),
        (Assign((2,), W), Assign((1,), W), []),
        (Assign((2,), W), Lock(True, (), (2,)), CELL),
        (Assign((2,), W), Divide(2, ()), CELL),
        (Assign((2,), W), Divide(3, ()), []),
        (Assign((2,), W), Lock(True, (W,)), [Touched("grid", W, 0)]),
        (Assign((2,), W), Rename(W, "甲"), []),
        (Assign((2,), U), Merge((V, U)), [Touched("grid", U, 0)]),
        (Assign((0,), None), Assign((2,), None), []),
        (NewGrid((2, 3)), NewGrid((4, 5)), []),
        (NewGrid((2, 3)), NewGrid((2,)), CELL),
        (Merge((U, V)), Assign((2,), W), [Touched("grid", V, 0)]),
        (Merge((U, V)), Assign((4,), U), [Touched("grid", U, 0)]),
        (Merge((U, V)), Rename(V, "甲"), [Touched("grid", V, 0)]),
        (Merge((U, V)), Merge((X, Y)), []),
        (Rename(V, "甲"), Rename(V, "乙"), [Touched("grid", V, 0)]),
        (Rename(V, "甲"), SetAttributes(V, {"staff": 1}), [Touched("grid", V, 0)]),
        (Rename(V, "甲"), Assign((2,), W), []),
        (Rename(V, "甲"), Merge((U, V)), [Touched("grid", V, 0)]),
        (SetAttributes(V, {"staff": 1}), Rename(U, "乙"), []),
        (Lock(True, (V,)), Lock(True, (V,)), [Touched("grid", V, 0)]),
        (Lock(True, (), (2,)), Lock(True, (), (2,)), CELL),
        (Lock(True, (), (2,)), Lock(True, (), (3,)), []),
    ],
)
def test_what_each_kind_depends_on(plan: Plan, asked: object, later: object, met: list[Touched]) -> None:
    assert conflicts(asked, changes(plan, later)) == met


def test_each_object_is_named_once_with_the_last_change_that_touched_it(plan: Plan) -> None:
    later = changes(plan, Assign((2,), W), Assign((15,), X), Assign((2, 3), U), Rename(W, "甲"))
    assert conflicts(Assign((3, 2), W), later) == [Touched("cell", 2, 2), Touched("cell", 3, 2)]
    assert conflicts(Merge((V, W)), later) == [Touched("grid", V, 2), Touched("grid", W, 3)]
    assert conflicts(Assign((3, 2), W), []) == []


def test_a_heavy_edit_conflicts_with_any_cell_that_joined_or_left_its_grids(plan: Plan) -> None:
    split = decide(plan, NewGrid((6, 7)))
    assert conflicts(split, changes(plan, Assign((4,), V))) == [Touched("grid", W, 0)]
    assert conflicts(split, changes(plan, Assign((4,), V)), whole=False) == []
    assert conflicts(split, changes(plan, Rename(W, "甲"))) == []
    assert conflicts(split, changes(plan, Lock(True, (W,)))) == [Touched("grid", W, 0)]
    assert conflicts(split, changes(plan, NewGrid((0,)))) == [Touched("grid", 6, 0)], "both would be number 6"
    with pytest.raises(ValueError, match="resolved"):
        conflicts(SplitParts(W, 2), [])


def test_two_divisions_on_one_state_conflict_by_their_number(plan: Plan) -> None:
    mine = divide_change(plan, 9)
    found = conflicts(mine, changes(plan, Divide(2, ())))
    assert Touched("division", 0, 0) in found
    assert conflicts(mine, changes(plan, Assign((2,), W))) == []
    assert touched_cells(mine).tolist() == [9, 16, 17]
    assert touched_grids(mine) == {X}
    assert touched_grids(changes(plan, Rename(V, "甲"))[0]) == {V}


@settings(max_examples=40, deadline=None)
@given(seed=st.integers(0, 10**6), steps=st.integers(1, 8), heavy=st.booleans())
def test_an_edit_without_conflict_can_be_made_and_does_what_it_did(
    seed: int, steps: int, heavy: bool
) -> None:
    rng = np.random.default_rng(seed)
    base = random_plan(communities=3, per_community=40, seed=seed % 5)
    survey = PaperSurvey()
    asked = random_edit(base, rng)
    mine = decide(base, asked, survey=survey)
    if isinstance(mine, Refusal):
        return
    later, head = [], base
    for _ in range(steps):
        made = apply(head, random_edit(head, rng), survey=survey)
        if not isinstance(made, Refusal):
            head = made[0]
            later.append(made[1].inverse())
    resolved = heavy or asked.kind in {"divide", "renumber"}
    found = conflicts(mine if resolved else asked, later)
    if found:
        assert all(0 <= t.by < len(later) for t in found)
        return
    rebased = apply_change(head, mine) if resolved else apply(head, asked)
    if isinstance(rebased, Refusal):
        # A lock on a grid that cells leave, or a grid that meanwhile has no other cell, is found when it is made.
        assert rebased.code in {"grid-locked", "changed-meanwhile", "nothing-changes"}
        return
    after = rebased if resolved else rebased[0]
    moved = mine.cells
    same = np.isin(mine.after, sorted(base.grids)) | (mine.after < 0)
    assert np.array_equal(after.assignment[moved[same]], mine.after[same])
