"""Repair of plans: policy — grids torn by hand in a town of known quarters, and at random."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from surveyed import Surveyed, done, inner, quarters, refused

from geo.editing.apply import apply
from geo.editing.edits import Assign, Lock, Repair
from geo.editing.plan import Plan


def near(at: Surveyed, x: float, y: float, *, grid: int) -> int:
    """The cell of a grid with its inner point nearest to a place."""
    rows = at.plan.cells_of(grid)
    xy = inner(at.survey.tiling)[rows]
    return int(rows[np.argmin(np.hypot(xy[:, 0] - x, xy[:, 1] - y))])


def torn(at: Surveyed, *moves: tuple[tuple[int, ...], int]) -> Plan:
    plan = at.plan
    for cells, grid in moves:
        plan, _ = apply(plan, Assign(cells, grid))
    return plan


def test_a_stray_cell_goes_home():
    at = quarters()
    stray = near(at, 120, 70, grid=1)
    plan = torn(at, ((stray,), 4))
    assert plan.figures.pieces[4] == 2
    after, inverse = done(at, Repair(), plan)
    assert after.assignment[stray] == 1
    assert inverse.cells.tolist() == [stray]
    assert (after.figures.pieces[1:] == 1).all()


def test_only_named_grids_are_mended():
    at = quarters()
    one, other = near(at, 120, 70, grid=1), near(at, 520, 70, grid=5)
    plan = torn(at, ((one,), 4), ((other,), 8))
    after, _ = done(at, Repair((8,)), plan)
    assert after.figures.pieces[[4, 8]].tolist() == [2, 1]
    both, _ = done(at, Repair(), plan)
    assert both.figures.pieces[[4, 8]].tolist() == [1, 1]


def test_nothing_in_pieces_is_nothing_to_do():
    at = quarters()
    assert refused(at, Repair()).code == "nothing-changes"
    assert refused(at, Repair((1,))).code == "nothing-changes"
    assert refused(at, Repair((1, 44))).code == "no-such-grid"


def test_locked_grids_are_left_in_pieces():
    at = quarters()
    stray = near(at, 120, 70, grid=1)
    plan, _ = apply(torn(at, ((stray,), 4)), Lock(True, grids=(4,)))
    assert refused(at, Repair((4,)), plan).code == "grid-locked"
    assert refused(at, Repair(), plan).code == "grid-locked"


def test_a_pinned_stray_is_linked_or_refused():
    at = quarters()
    stray = near(at, 120, 70, grid=1)
    plan, _ = apply(torn(at, ((stray,), 4)), Lock(True, cells=(stray,)))
    after, _ = done(at, Repair(), plan)
    assert after.assignment[stray] == 4
    assert after.figures.pieces[4] == 1
    walled, _ = apply(plan, Lock(True, grids=(1, 2, 3)))
    alone, _ = done(at, Repair(), walled)
    assert alone.cells_of(4).tolist() == [stray]
    assert np.array_equal(alone.cells_of(9), at.plan.cells_of(4))


def test_a_piece_that_touches_no_grid_becomes_one():
    at = quarters()
    units = at.plan.ground.cells
    corner = near(at, 20, 280, grid=2)
    plan = torn(at, ((corner,), 3))
    around = set(units.graph.neighbor[units.graph.indptr[corner] : units.graph.indptr[corner + 1]].tolist())
    mine = {int(c) for c in around if plan.assignment[c] == 2}
    empty, _ = apply(plan, Assign(tuple(mine), None))
    after, _ = done(at, Repair((3,)), empty)
    assert after.cells_of(9).tolist() == [corner]
    assert after.grids[9].community == 0
    assert after.figures.pieces[[3, 9]].tolist() == [1, 1]


def test_pins_that_nothing_can_link_are_refused():
    at = quarters()
    stray = near(at, 120, 70, grid=1)
    rest = tuple(at.plan.cells_of(4).tolist())
    plan, _ = apply(torn(at, ((stray,), 4)), Lock(True, grids=(1, 2, 3), cells=(stray, rest[0])))
    assert refused(at, Repair(), plan).code == "repair-locked"


@settings(max_examples=20, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 95), st.integers(1, 4)), min_size=1, max_size=12))
def test_any_torn_plan_is_connected_again(moves):
    at = quarters()
    plan = at.plan
    for cell, grid in moves:
        home = grid + 4 * int(plan.ground.cells.community[cell])
        made = apply(plan, Assign((cell,), home))
        plan = made[0] if isinstance(made, tuple) else plan
    if (plan.figures.pieces > 1).any():
        after, _ = done(at, Repair(), plan)
        assert all(after.figures.pieces[g] == 1 for g in after.grids)
    else:
        assert refused(at, Repair(), plan).code == "nothing-changes"
