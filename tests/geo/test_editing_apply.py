"""What each edit does, what it leaves alone, and why it is refused: locks, borders, objects that are not there.

Grounds are drawn as text, a letter a square of its community or its grid; plans are never changed in place.
"""

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

sys.path.insert(0, str(Path(__file__).parent))

from grounds import PaperSurvey, divide_change, measured, plan_of, same_figures, squares

from geo.editing.apply import apply, apply_change, decide
from geo.editing.change import Change, GridChange, compose, moves
from geo.editing.edits import (
    NEEDS_SURVEY,
    Adopt,
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

ROWS = "aaaabbbb aaaabbbb"
GRIDS = "uuvvxxyy uuvvxxyy"
A, B, C, D = 1, 2, 3, 4
"""Grids u, v of community a and x, y of community b."""


@pytest.fixture
def plan() -> Plan:
    return plan_of(squares(ROWS), GRIDS)


def drawn(plan: Plan) -> str:
    letters = np.array([".", *"uvxyzw"])
    return "".join(letters[np.maximum(plan.assignment, 0)])


def made(plan: Plan, edit: object) -> Plan:
    result = apply(plan, edit, survey=PaperSurvey())
    assert not isinstance(result, Refusal), result
    after, inverse = result
    assert same_figures(after.figures, measured(after))
    back = apply_change(after, inverse)
    assert isinstance(back, Plan)
    n = plan.ground.n
    assert np.array_equal(back.assignment[:n], plan.assignment)
    assert np.array_equal(back.pinned[:n], plan.pinned)
    assert back.grids == plan.grids
    again = apply_change(back, inverse.inverse())
    assert isinstance(again, Plan)
    assert np.array_equal(again.assignment, after.assignment)
    assert again.grids == after.grids
    return after


def refused(plan: Plan, edit: object) -> Refusal:
    before = (plan.assignment.copy(), dict(plan.grids), plan.pinned.copy())
    result = apply(plan, edit, survey=PaperSurvey())
    assert isinstance(result, Refusal), "the edit was made"
    assert np.array_equal(plan.assignment, before[0])
    assert plan.grids == before[1]
    assert np.array_equal(plan.pinned, before[2])
    assert result.zh
    assert result.en
    return result


def test_assign_moves_cells_and_leaves_the_plan_before_it_alone(plan: Plan) -> None:
    after = made(plan, Assign((1, 9, 9), B))
    assert drawn(after) == "uvvvxxyyuvvvxxyy"
    assert drawn(plan) == "uuvvxxyyuuvvxxyy"
    assert after.figures.cells[[A, B]].tolist() == [2, 6]
    assert not after.assignment.flags.writeable
    assert after.grids is plan.grids, "nothing is said anew of any grid"


def test_assign_takes_cells_out_and_puts_free_ones_in(plan: Plan) -> None:
    bare = made(plan, Assign((0, 4), None))
    assert drawn(bare) == "." + "uvv" + "." + "xyyuuvvxxyy"
    assert bare.figures.unassigned_cells == 2
    assert drawn(made(bare, Assign((0,), B)))[0] == "v"


def test_a_grid_without_cells_vanishes_and_comes_back(plan: Plan) -> None:
    after, inverse = apply(plan, Assign((0, 1, 8, 9), B))
    assert sorted(after.grids) == [B, C, D]
    assert inverse.inverse().grids == (GridChange(A, plan.grids[A], None),)
    assert apply_change(after, inverse).grids[A] == plan.grids[A]
    assert after.next_grid == plan.next_grid


def test_new_grid_gets_the_next_number_code_and_name(plan: Plan) -> None:
    after = made(plan, NewGrid((4, 5)))
    assert after.next_grid == 6
    assert (after.grids[5].code, after.grids[5].name, after.grids[5].community) == (
        "c1-003",
        "社区1第3网格",
        1,
    )
    assert made(after, NewGrid((6,), " 河畔 ")).grids[6].name == "河畔"
    assert made(after, NewGrid((6,))).grids[6].code == "c1-004"
    coded = plan_of(squares("aaaa", codes=["110101001001"]), "uuvv")
    twins = plan_of(squares("aabb", codes=["110101001001"] * 2), "uuvv")
    one, _ = apply(twins, SetAttributes(2, {"code": "110101001001001"}))
    assert made(one, NewGrid((0,))).grids[3].code == "110101001001002", "the other community has 001"
    renamed, _ = apply(coded, SetAttributes(2, {"code": "110101001001017"}))
    assert made(renamed, NewGrid((0,))).grids[3].code == "110101001001018"


def test_an_undone_grid_keeps_its_number_for_ever(plan: Plan) -> None:
    after, inverse = apply(plan, NewGrid((4, 5)))
    undone = apply_change(after, inverse)
    assert sorted(undone.grids) == [A, B, C, D]
    assert undone.next_grid == 6
    other = made(undone, NewGrid((4,)))
    assert sorted(other.grids) == [A, B, C, D, 6]
    redone = apply_change(other, inverse.inverse())
    assert isinstance(redone, Refusal), "one of its cells went to another grid meanwhile"
    assert redone.where["cells"] == [4]


def test_merge_joins_grids_into_the_first(plan: Plan) -> None:
    after = made(plan, Merge((B, A, B)))
    assert drawn(after) == "vvvvxxyyvvvvxxyy"
    assert after.grids[B] == plan.grids[B]
    assert A not in after.grids


def test_locks_of_grids_and_cells_come_and_go(plan: Plan) -> None:
    locked = made(plan, Lock(True, (A, C), (15, 2)))
    assert [locked.grids[g].locked for g in (A, B, C, D)] == [True, False, True, False]
    assert np.flatnonzero(locked.pinned).tolist() == [2, 15]
    assert not locked.pinned.flags.writeable
    more = made(locked, Lock(True, (A, B), (2, 3)))
    assert np.flatnonzero(more.pinned).tolist() == [2, 3, 15]
    free = made(more, Lock(False, (A, B, C), (2, 3, 15)))
    assert not free.pinned.any()
    assert refused(free, Lock(False, (A,), (3,))).code == "nothing-changes"


@pytest.mark.parametrize(
    ("edit", "code", "where"),
    [
        (Assign((0, 1), B), "grid-locked", {"grids": [A]}),
        (Assign((2,), A), "grid-locked", {"grids": [A]}),
        (Assign((0,), None), "grid-locked", {"grids": [A]}),
        (NewGrid((1, 2)), "grid-locked", {"grids": [A]}),
        (Merge((B, A)), "grid-locked", {"grids": [A]}),
        (Merge((A, B)), "grid-locked", {"grids": [A]}),
        (Rename(A, "甲"), "grid-locked", {"grids": [A]}),
        (SetAttributes(A, {"staff": 2}), "grid-locked", {"grids": [A]}),
        (Divide(0, ()), "grid-locked", {"grids": [A]}),
        (Assign((4, 12), D), "cell-locked", {"cells": [12]}),
        (Assign((12,), None), "cell-locked", {"cells": [12]}),
        (NewGrid((12, 4)), "cell-locked", {"cells": [12]}),
        (Merge((D, C)), "cell-locked", {"cells": [12]}),
        (Divide(12, ()), "cell-locked", {"cells": [12]}),
    ],
)
def test_a_lock_refuses_every_edit_of_what_it_holds(
    plan: Plan, edit: object, code: str, where: dict[str, object]
) -> None:
    locked, _ = apply(plan, Lock(True, (A,), (12,)))
    found = refused(locked, edit)
    assert (found.code, found.where) == (code, where)
    free, _ = apply(locked, Lock(False, (A,), (12,)))
    made(free, edit)


def test_what_is_locked_may_be_named_by_an_edit_that_does_not_move_it(plan: Plan) -> None:
    locked, _ = apply(plan, Lock(True, (), (12,)))
    assert drawn(made(locked, Assign((12, 6), C)))[6] == "x", "cell 12 is there already"
    assert drawn(made(locked, Merge((C, D))))[15] == "x", "the first grid keeps its cells"


@pytest.mark.parametrize(
    ("edit", "code", "where"),
    [
        (Assign((0, 3), C), "other-community", {"community": "c1", "cells": [0, 3]}),
        (Assign((0, 4), A), "other-community", {"community": "c0", "cells": [4]}),
        (NewGrid((3, 4)), "other-community", {"community": "c0", "cells": [4]}),
        (Merge((A, B, C)), "other-community", {"community": "c0", "grids": [C]}),
        (Assign((0, 16, -1), B), "no-such-cell", {"cells": [-1, 16]}),
        (Assign((2**31,), B), "no-such-cell", {"cells": [2**31]}),
        (NewGrid((99,)), "no-such-cell", {"cells": [99]}),
        (Lock(True, (), (99,)), "no-such-cell", {"cells": [99]}),
        (Assign((0,), 9), "no-such-grid", {"grids": [9]}),
        (Merge((A, 9)), "no-such-grid", {"grids": [9]}),
        (Lock(True, (0, A)), "no-such-grid", {"grids": [0]}),
        (Rename(9, "甲"), "no-such-grid", {"grids": [9]}),
        (SetAttributes(-1, {}), "no-such-grid", {"grids": [-1]}),
        (Assign((), A), "no-cells", {}),
        (NewGrid(()), "no-cells", {}),
        (Merge((A,)), "too-few-grids", {}),
        (Merge((A, A)), "too-few-grids", {}),
        (Merge(()), "too-few-grids", {}),
        (Assign((0, 1), A), "nothing-changes", {}),
        (Lock(True), "nothing-changes", {}),
        (Rename(A, " 社区0第1网格"), "nothing-changes", {}),
        (SetAttributes(A, {}), "nothing-changes", {}),
        (SetAttributes(A, {"staff": 0, "note": ""}), "nothing-changes", {}),
        (NewGrid((0,), " "), "attribute-malformed", {"grids": [5], "field": "name"}),
        (Rename(A, "甲\n"), "nothing-changes", None),
        (Rename(A, "甲\n乙"), "attribute-malformed", {"grids": [A], "field": "name"}),
        (Rename(A, "甲" * 101), "attribute-malformed", {"grids": [A], "field": "name"}),
        (SetAttributes(A, {"staff": -1}), "attribute-malformed", {"grids": [A], "field": "staff"}),
        (SetAttributes(A, {"staff": True}), "attribute-malformed", {"grids": [A], "field": "staff"}),
        (SetAttributes(A, {"staff": 1.5}), "attribute-malformed", {"grids": [A], "field": "staff"}),
        (SetAttributes(A, {"staff": 10_001}), "attribute-malformed", {"grids": [A], "field": "staff"}),
        (SetAttributes(A, {"kind": "zoo"}), "attribute-malformed", {"grids": [A], "field": "kind"}),
        (SetAttributes(A, {"kind": ["park"]}), "attribute-malformed", {"grids": [A], "field": "kind"}),
        (SetAttributes(A, {"code": 12}), "attribute-malformed", {"grids": [A], "field": "code"}),
        (SetAttributes(A, {"note": "\x00"}), "attribute-malformed", {"grids": [A], "field": "note"}),
        (SetAttributes(A, {"name": "乙"}), "attribute-malformed", {"grids": [A], "field": "name"}),
        (SetAttributes(A, {"locked": True}), "attribute-malformed", {"grids": [A], "field": "locked"}),
        (SetAttributes(A, {"id": 7}), "attribute-malformed", {"grids": [A], "field": "id"}),
    ],
)
def test_refusals_name_the_objects_in_the_way(
    plan: Plan, edit: object, code: str, where: dict[str, object] | None
) -> None:
    if where is None:
        plan, _ = apply(plan, Rename(A, "甲"))
        where = {}
    found = refused(plan, edit)
    assert (found.code, found.where) == (code, where)
    assert found.to_dict() == {"code": found.code, "zh": found.zh, "en": found.en, "where": found.where}


def test_attributes_are_set_together_or_not_at_all(plan: Plan) -> None:
    values = {"code": "G-1", "staff": 3, "kind": "business", "note": "两行\n备注"}
    grid = made(plan, SetAttributes(A, values)).grids[A]
    assert {name: getattr(grid, name) for name in values} == values
    assert grid.name == plan.grids[A].name
    assert refused(plan, SetAttributes(A, values | {"staff": -3})).where["field"] == "staff"
    assert made(plan, SetAttributes(A, {"code": ""})).grids[A].code == "", (
        "publication asks for one, editing not"
    )


def test_many_objects_in_the_way_are_counted() -> None:
    plan = plan_of(squares("a" * 30 + "b" * 30), "u" * 30 + "v" * 30)
    found = refused(plan, Assign(tuple(range(30)), 2))
    assert (len(found.where["cells"]), found.where["count"]) == (20, 30)


def test_a_heavy_edit_needs_a_survey_and_its_refusal_is_handed_on(plan: Plan) -> None:
    class Refusing:
        def resolve(self, plan: Plan, edit: object) -> Refusal:
            return Refusal("too-small", "太小", "too small")

    class Idle:
        def resolve(self, plan: Plan, edit: object) -> Change:
            return Change()

    with pytest.raises(ValueError, match="survey"):
        apply(plan, SplitParts(A, 2))
    assert apply(plan, SplitParts(A, 2), survey=Refusing()).code == "too-small"
    assert apply(plan, SplitParts(A, 2), survey=Idle()).code == "nothing-changes"
    assert "split-parts" in NEEDS_SURVEY
    change = decide(plan, Assign((0,), B))
    assert isinstance(change, Change)
    assert change.cells.tolist() == [0]


def test_a_change_decided_earlier_is_refused_where_something_else_changed(plan: Plan) -> None:
    change = decide(plan, Assign((1, 2), B))
    moved, _ = apply(plan, Assign((1,), B))
    found = apply_change(moved, change)
    assert (found.code, found.where) == ("changed-meanwhile", {"cells": [1]})
    gone, _ = apply(plan, Merge((A, B)))
    assert apply_change(gone, change).where == {"grids": [B]}
    rename = decide(plan, Rename(A, "甲"))
    other, _ = apply(plan, Rename(A, "乙"))
    assert apply_change(other, rename).where == {"grids": [A]}
    pin = decide(plan, Lock(True, (), (3, 4)))
    pinned, _ = apply(plan, Lock(True, (), (4,)))
    assert apply_change(pinned, pin).where == {"cells": [4]}


def test_an_undo_never_leaves_a_grid_empty_nor_cells_without_theirs(plan: Plan) -> None:
    after, inverse = apply(plan, NewGrid((0, 1)))
    grown, _ = apply(after, Assign((2,), 5))
    found = apply_change(grown, inverse)
    assert (found.code, found.where) == ("changed-meanwhile", {"grids": [5]}), "cell 2 would be in no grid"
    moved, back = apply(plan, Assign((1,), B))
    emptied, _ = apply(moved, Assign((0, 8, 9), B))
    found = apply_change(emptied, back)
    assert (found.code, found.where) == ("changed-meanwhile", {"grids": [A]}), "grid A is gone"
    alone, _ = apply(moved, Assign((2, 3, 10, 11), A))
    found = apply_change(alone, back)
    assert (found.code, found.where) == ("changed-meanwhile", {"grids": [B]}), "grid B would be empty"


def test_an_undo_respects_locks_put_on_since(plan: Plan) -> None:
    after, inverse = apply(plan, Assign((1,), B))
    pinned, _ = apply(after, Lock(True, (), (1,)))
    assert apply_change(pinned, inverse).code == "cell-locked"
    locked, unlock = apply(after, Lock(True, (A,)))
    assert apply_change(locked, inverse).where == {"grids": [A]}
    assert isinstance(apply_change(apply_change(locked, unlock), inverse), Plan)


@pytest.mark.parametrize(
    "change",
    [
        Change(**moves(np.array([0]), np.array([A]), np.array([C]))),
        Change(**moves(np.array([0]), np.array([A]), np.array([77]))),
        Change(**moves(np.array([-3]), np.array([A]), np.array([B]))),
        Change(**moves(np.array([16]), np.array([-1]), np.array([B]))),
        Change(pins=np.array([16], np.int32), pinned=np.array([True])),
        Change(grids=(GridChange(A, None, None),)),
    ],
)
def test_a_change_that_was_never_decided_here_is_refused(plan: Plan, change: Change) -> None:
    assert isinstance(apply_change(plan, change), Refusal)


def test_a_record_of_a_grid_may_not_come_without_cells(plan: Plan) -> None:
    ghost = replace(plan.grids[A], id=9)
    assert apply_change(plan, Change(grids=(GridChange(9, None, ghost),))).where == {"grids": [9]}


def test_a_divided_cell_retires_and_its_parts_take_its_place(plan: Plan) -> None:
    after = made(plan, Divide(1, ()))
    assert after.ground.n == plan.ground.n + 2
    assert after.assignment[[1, 16, 17]].tolist() == [-1, A, A]
    assert after.figures.cells[A] == plan.figures.cells[A] + 1
    assert after.figures.households[A] == plan.figures.households[A]
    assert after.figures.perimeter_mm[A] == plan.figures.perimeter_mm[A]
    assert after.figures.unassigned_cells == 0
    assert refused(after, Assign((1,), B)).code == "no-such-cell"
    assert drawn(made(after, Assign((16,), B)))[16] == "v"


def test_divisions_are_undone_and_made_again_in_their_own_rows(plan: Plan) -> None:
    one, undo_one = apply(plan, Divide(1, ()), survey=PaperSurvey())
    two, undo_two = apply(one, Divide(16, ()), survey=PaperSurvey())
    found = apply_change(two, undo_one)
    assert (found.code, found.where) == ("division-built-upon", {"divisions": [1]}), (
        "one of its parts is divided"
    )
    back = apply_change(two, undo_two)
    bare = apply_change(back, undo_one)
    assert bare.in_force == (False, False)
    assert bare.ground.n == 20
    assert np.array_equal(bare.ground.live, np.arange(20) < 16)
    assert same_figures(bare.figures, plan.figures)
    again = apply_change(apply_change(bare, undo_one.inverse()), undo_two.inverse())
    assert np.array_equal(again.assignment, two.assignment)
    assert np.array_equal(again.load, two.load)
    assert np.array_equal(again.ground.class_mm, two.ground.class_mm)
    third = made(bare, Divide(5, ()))
    assert third.divisions[2].children == (20, 21)


def test_a_division_of_a_neighbour_in_between_stops_undo_and_redo(plan: Plan) -> None:
    one, undo_one = apply(plan, Divide(1, ()), survey=PaperSurvey())
    two, undo_two = apply(one, Divide(2, ()), survey=PaperSurvey())
    found = apply_change(two, undo_one)
    assert (found.code, found.where) == ("division-built-upon", {"divisions": [1]})
    bare = apply_change(one, undo_one)
    other, undo_other = apply(bare, Divide(2, ()), survey=PaperSurvey())
    assert apply_change(other, undo_one.inverse()).where == {"divisions": [1]}, (
        "it knows nothing of the other"
    )
    free = apply_change(other, undo_other)
    assert isinstance(apply_change(free, undo_one.inverse()), Plan)
    none = apply_change(apply_change(two, undo_two), undo_one)
    assert apply_change(none, undo_two.inverse()).where == {"divisions": [0]}, "it stands on the first"
    both = compose(undo_two, undo_one)
    assert isinstance(apply_change(apply_change(two, both), both.inverse()), Plan)
    far, _ = apply(one, Divide(7, ()), survey=PaperSurvey())
    assert isinstance(apply_change(far, undo_one), Plan)
    assert apply_change(one, divide_change(plan, 9)).where == {"divisions": [0]}, "its rows are taken"


@pytest.mark.parametrize(
    ("cells", "grids", "drawing"),
    [
        ((2, 3, 10, 11), (A, A, A, A), "uuuuxxyyuuuuxxyy"),
        ((0, 8, 3, 11), (-2, -2, -1, -1), None),
        ((0, 2), (B, A), "vuuvxxyyuuvvxxyy"),
    ],
)
def test_an_adoption_puts_every_cell_into_its_own_grid(
    plan: Plan, cells: tuple[int, ...], grids: tuple[int, ...], drawing: str | None
) -> None:
    after = made(plan, Adopt(cells, grids))
    if drawing is not None:
        assert drawn(after) == drawing
    else:
        assert after.assignment[[0, 8]].tolist() == [6, 6]
        assert after.assignment[[3, 11]].tolist() == [5, 5]
        assert (after.grids[5].community, after.grids[6].community) == (0, 0)
        assert len({after.grids[g].code for g in after.grids}) == 6
    assert set(np.unique(after.assignment)) == set(after.grids)


@pytest.mark.parametrize(
    ("cells", "grids", "code"),
    [
        ((0, 1), (B,), "adopt-malformed"),
        ((0, 0), (B, B), "adopt-malformed"),
        ((0,), (99,), "no-such-grid"),
        ((0,), (C,), "other-community"),
        ((0, 4), (-1, -1), "other-community"),
        ((0,), (A,), "nothing-changes"),
        ((400,), (A,), "no-such-cell"),
        ((), (), "no-cells"),
    ],
)
def test_an_adoption_that_does_not_fit_is_refused(
    plan: Plan, cells: tuple[int, ...], grids: tuple[int, ...], code: str
) -> None:
    refusal = decide(plan, Adopt(cells, grids))
    assert isinstance(refusal, Refusal)
    assert refusal.code == code


def test_an_adoption_stops_at_locks(plan: Plan) -> None:
    locked = made(plan, Lock(locked=True, grids=(A,), cells=(2,)))
    for cells, grids, code in (
        ((0,), (B,), "grid-locked"),
        ((3,), (A,), "grid-locked"),
        ((2,), (-1,), "cell-locked"),
    ):
        refusal = decide(locked, Adopt(cells, grids))
        assert isinstance(refusal, Refusal)
        assert refusal.code == code
