"""Splits by line and into parts: policy — a town of known quarters, and what must hold for any line and grid."""

from __future__ import annotations

import numpy as np
import pytest
import shapely
from cities import METRIC
from hypothesis import given, settings
from hypothesis import strategies as st
from surveyed import Surveyed, degrees, demo, done, inner, plan_on, quarters, refused, town

from geo.editing.apply import apply
from geo.editing.change import Change
from geo.editing.drawn_line import side_of_line
from geo.editing.edits import Assign, Lock, SplitLine, SplitParts
from geo.editing.plan import Plan

WEST_EAST = degrees((-50, 75), (450, 75))
SOUTH_NORTH = degrees((110, 20), (110, 130))


def made(at: Surveyed, edit, plan: Plan | None = None) -> Plan:
    return done(at, edit, plan)[0]


def test_a_line_parts_a_grid_by_inner_points():
    at = quarters()
    plan = made(at, SplitLine(1, SOUTH_NORTH))
    west = inner(at.survey.tiling)[:, 0] < 110
    mine = at.plan.assignment == 1
    sides = {
        frozenset(np.flatnonzero(mine & west).tolist()),
        frozenset(np.flatnonzero(mine & ~west).tolist()),
    }
    assert {frozenset(plan.cells_of(g).tolist()) for g in (1, 9)} == sides
    assert plan.figures.households[1] >= plan.figures.households[9]
    assert (plan.grids[9].code, plan.grids[9].name) == ("c0-005", "社区0第5网格")
    assert plan.grids[9].community == 0


def test_a_short_line_is_prolonged_and_may_be_drawn_either_way():
    at = quarters()
    whole = made(at, SplitLine(1, degrees((110, -500), (110, 900))))
    short = made(at, SplitLine(1, degrees((110, 80), (110, 79))))
    assert np.array_equal(whole.assignment, short.assignment)


def test_a_bent_line_follows_its_bends():
    at = quarters()
    bent = degrees((-20, 80), (100, 80), (100, -20))
    plan = made(at, SplitLine(1, bent))
    xy = inner(at.survey.tiling)
    corner = (xy[:, 0] < 100) & (xy[:, 1] < 80)
    mine = at.plan.assignment == 1
    parts = [set(plan.cells_of(g).tolist()) for g in (1, 9)]
    assert set(np.flatnonzero(mine & corner).tolist()) in parts


def test_the_side_with_most_households_keeps_the_number_unless_the_other_is_pinned():
    at = quarters()
    plan = made(at, SplitLine(1, SOUTH_NORTH))
    small = int(plan.cells_of(9)[0])
    locked, _ = apply(at.plan, Lock(True, cells=(small,)))
    turned = made(at, SplitLine(1, SOUTH_NORTH), locked)
    assert turned.assignment[small] == 1
    assert np.array_equal(turned.cells_of(1), plan.cells_of(9))
    both, _ = apply(locked, Lock(True, cells=(int(plan.cells_of(1)[0]),)))
    assert refused(at, SplitLine(1, SOUTH_NORTH), both).code == "cell-locked"


@pytest.mark.parametrize(
    ("edit", "code"),
    [
        (SplitLine(99, SOUTH_NORTH), "no-such-grid"),
        (SplitLine(1, degrees((-50, 400), (450, 400))), "line-misses"),
        (SplitLine(1, degrees((10, 10), (10, 10))), "line-too-short"),
        (SplitParts(99, 2), "no-such-grid"),
        (SplitParts(1, 1), "parts-too-few"),
        (SplitParts(1, -3), "parts-too-few"),
        (SplitParts(1, 500), "parts-too-many"),
    ],
)
def test_splits_that_make_no_sense_are_refused(edit, code):
    assert refused(quarters(), edit).code == code


def test_a_locked_grid_is_not_split():
    at = quarters()
    locked, _ = apply(at.plan, Lock(True, grids=(1,)))
    assert refused(at, SplitLine(1, SOUTH_NORTH), locked).code == "grid-locked"
    assert refused(at, SplitParts(1, 2), locked).code == "grid-locked"


def test_pieces_cut_off_go_to_the_side_they_touch():
    """A horseshoe cut across both arms: one tip stays with the line's side, the other returns to the bow."""
    city, tiling = town()
    xy = inner(tiling)
    community = tiling.cells["community"].to_numpy()
    x, y = xy[:, 0] % 400, xy[:, 1]
    part = np.where(x < 200, 2, ~((y < 45) | (x < 250) | (x > 350)))
    at = plan_on(city, tiling, community * 3 + part)
    assert at.plan.figures.pieces[1:].max() == 1
    plan = made(at, SplitLine(1, degrees((-20, 160), (420, 160))))
    assert plan.figures.pieces[[1, 7]].tolist() == [1, 1]
    tips = np.flatnonzero((at.plan.assignment == 1) & (y > 160))
    assert {1, 7} == set(plan.assignment[tips].tolist())


def test_a_grid_in_pieces_may_be_split_as_well():
    at = quarters()
    apart, _ = apply(at.plan, Assign(tuple(at.plan.cells_of(4).tolist()), 1))
    plan = made(at, SplitLine(1, WEST_EAST), apart)
    assert 4 not in plan.grids
    assert plan.figures.cells[[1, 9]].sum() == apart.figures.cells[1]
    halves = made(at, SplitParts(1, 2), apart)
    assert halves.figures.pieces[[1, 9]].tolist() == [1, 1]
    xy = inner(at.survey.tiling)
    corner = int(np.argmin(np.hypot(xy[:, 0] - 20, xy[:, 1] - 280)))
    three, _ = apply(apart, Assign((corner,), 1))
    assert refused(at, SplitParts(1, 2), three).code == "grid-in-pieces"
    assert made(at, SplitParts(1, 3), three).figures.pieces[[1, 9, 10]].tolist() == [1, 1, 1]


@settings(max_examples=40, deadline=None)
@given(st.data())
def test_any_line_leaves_two_connected_grids_or_is_refused(data):
    at = quarters()
    grid = data.draw(st.integers(1, 8))
    place = st.tuples(st.floats(-50, 850), st.floats(-50, 350))
    line = degrees(*data.draw(st.lists(place, min_size=2, max_size=5)))
    change = at.survey.resolve(at.plan, SplitLine(grid, line))
    if isinstance(change, Change):
        plan = made(at, SplitLine(grid, line))
        assert plan.figures.pieces[[grid, 9]].tolist() == [1, 1]
        assert plan.figures.households[grid] >= plan.figures.households[9]
    else:
        assert change.code in {"line-misses", "line-too-short"}


@settings(max_examples=60)
@given(
    st.lists(st.tuples(st.integers(-50, 50), st.integers(-50, 50)), min_size=2, max_size=5, unique=True),
    st.integers(0, 2**32 - 1),
)
def test_sides_of_a_simple_line_are_those_of_a_cut_plane(nodes, seed):
    line = np.array(nodes, float)
    ends = [line[0] + (line[0] - line[1]) * 1e4, line[-1] + (line[-1] - line[-2]) * 1e4]
    whole = shapely.LineString([ends[0], *line, ends[1]])
    points = np.random.default_rng(seed).uniform(-60, 60, (50, 2))
    side = side_of_line(line, points)
    frame = shapely.box(-3000, -3000, 3000, 3000)
    faces = shapely.get_parts(
        shapely.polygonize(shapely.get_parts(shapely.node(whole.union(frame.boundary))))
    )
    face = shapely.STRtree(faces).query(shapely.points(points), predicate="within")
    for number in range(len(faces)):
        mine = side[face[0][face[1] == number]]
        assert (mine == mine[:1]).all()
    if whole.is_simple:
        assert len(faces) == 2
        assert len(np.unique(side[face[0]])) == len(np.unique(face[1]))


@pytest.mark.parametrize("parts", [2, 3, 4])
def test_parts_are_even_and_connected(parts):
    at = quarters()
    for grid in (1, 4, 6):
        plan = made(at, SplitParts(grid, parts))
        mine = [grid, *range(9, 8 + parts)]
        load = plan.figures.load[mine]
        assert plan.figures.pieces[mine].tolist() == [1] * parts
        assert load.max() - load.min() <= 33  # no house has more households


def test_parts_of_the_demo_city_keep_small_compounds_whole():
    at = demo()
    units = at.plan.ground.cells
    grid = max(at.plan.grids, key=lambda g: (int(at.plan.figures.cells[g]), -g))
    plan = made(at, SplitParts(grid, 2))
    rows = at.plan.cells_of(grid)
    half = at.plan.figures.load[grid] / 2
    loads = {k: at.plan.load[rows[units.compound[rows] == k]].sum() for k in np.unique(units.compound[rows])}
    small = [k for k, load in loads.items() if k >= 0 and 0 < load <= half]
    for k in small:
        mine = rows[(units.compound[rows] == k) & (units.households[rows] > 0)]
        assert len(np.unique(plan.assignment[mine])) == 1


def test_a_seed_gives_one_answer_and_pins_hold():
    at = quarters()
    west, east = (int(at.plan.cells_of(1)[i]) for i in (0, -1))
    pinned, _ = apply(at.plan, Lock(True, cells=(west,)))
    for seed in range(4):
        plan = made(at, SplitParts(1, 3, seed=seed), pinned)
        assert plan.assignment[west] == 1
    both, _ = apply(pinned, Lock(True, cells=(east,)))
    plan = made(at, SplitParts(1, 2), both)
    assert plan.assignment[[west, east]].tolist() == [1, 1]
    assert plan.figures.pieces[[1, 9]].tolist() == [1, 1]


def test_the_town_lies_where_its_lines_are_drawn():
    bounds = quarters().survey.tiling.communities.to_crs(METRIC).total_bounds
    assert np.allclose(bounds, [500_000, 4_420_000, 500_800, 4_420_300], atol=0.02)
