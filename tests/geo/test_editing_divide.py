"""Dividing cells: policy — squares with known answers, then chains of random cuts that must stay exact."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
import shapely
from cities import box, make_city
from hypothesis import given, settings
from hypothesis import strategies as st
from surveyed import Surveyed, degrees, demo, done, inner, plan_on, quarters, refused, verdict

from geo.adjacency import cell_graph
from geo.cells import build_tiling
from geo.editing.apply import apply, apply_change
from geo.editing.change import Change
from geo.editing.contents import contents, share
from geo.editing.cutting import NEAR, CutError, cut_in_two
from geo.editing.edits import Assign, Divide, Lock, Refusal
from geo.editing.plan import Plan
from geo.editing.shapes import edges_of, polygon_of
from geo.editing.stacked import blockers
from geo.tiling import SCALE, Tiling
from geo.types import BorderClass

SIDE = 3000
SQUARE = (((0, 0), (SIDE, 0), (SIDE, SIDE), (0, SIDE)),)


def far(*points):
    """Lattice points in steps from a corner near Beijing, and the same in degrees."""
    return tuple((x + 1_170_000_000, y + 399_000_000) for x, y in points)


def lattice(rings):
    return tuple(far(*ring) for ring in rings)


def line(*points):
    return [((x + 1_170_000_000) / SCALE, (y + 399_000_000) / SCALE) for x, y in points]


def test_a_square_is_cut_in_two_with_nodes_on_its_border():
    cut = cut_in_two(lattice(SQUARE), line((-500, 1000), (3500, 1000)))
    low, high = cut.halves
    assert set(low[0]) == set(far((0, 0), (SIDE, 0), (SIDE, 1000), (0, 1000)))
    assert set(high[0]) == set(far((0, 1000), (SIDE, 1000), (SIDE, SIDE), (0, SIDE)))
    assert len(cut.split) == 2
    assert all(shapely.LinearRing(half[0]).is_ccw for half in cut.halves)


def test_ends_near_a_node_take_that_node():
    for off in (0, NEAR):
        cut = cut_in_two(lattice(SQUARE), line((off, 0), (SIDE, SIDE)))
        assert cut.split == {}
        assert {len(half[0]) for half in cut.halves} == {3}
    cut = cut_in_two(lattice(SQUARE), line((NEAR + 2, 0), (SIDE, SIDE)))
    assert len(cut.split) == 1


def test_bends_of_the_line_become_nodes_on_the_grid():
    cut = cut_in_two(lattice(SQUARE), line((1000.4, -9), (1000.4, 1000.4), (2000.4, 1500.6), (2000, 3009)))
    assert cut.line == far((1000, 0), (1000, 1000), (2000, 1501), (2000, SIDE))


def test_a_line_drawn_to_the_border_is_long_enough():
    assert len(cut_in_two(lattice(SQUARE), line((1, 900), (SIDE - 1, 900))).split) == 2


@pytest.mark.parametrize(
    ("points", "code"),
    [
        (((-900, -900), (-900, 9000)), "line-touches-not"),
        (((0, 0), (SIDE, 0)), "line-touches-not"),
        (((-10, -10), (20, -30)), "line-touches-not"),
        (((900, -900), (900, 1500)), "line-ends-inside"),
        (((900, 900), (1500, 1500)), "line-ends-inside"),
        (((-99, 500), (2000, 500), (2000, 2000), (1000, 2000), (1000, -99)), "line-crosses-itself"),
        (((500, -99), (500, 3099), (900, 3099), (900, -99)), "cuts-more-than-two"),
        (((1500, -20), (1500.2, 9), (1500.3, -20)), "too-thin"),
    ],
)
def test_lines_that_do_not_cut_in_two_are_named(points, code):
    with pytest.raises(CutError) as fault:
        cut_in_two(lattice(SQUARE), line(*points))
    assert fault.value.code == code


def test_holes_go_with_the_half_around_them_and_may_be_cut_through():
    ring = (*SQUARE, ((1000, 1000), (1000, 2000), (2000, 2000), (2000, 1000)))
    beside = cut_in_two(lattice(ring), line((500, -99), (500, 3099)))
    assert sorted(len(half) for half in beside.halves) == [1, 2]
    with pytest.raises(CutError) as once:
        cut_in_two(lattice(ring), line((1500, 1500), (1500, 3099)))
    assert once.value.code == "line-touches-not"
    with pytest.raises(CutError) as twice:
        cut_in_two(lattice(ring), line((1500, -99), (1500, 3099)))
    assert twice.value.code == "cuts-more-than-two"


@settings(max_examples=150, deadline=None)
@given(
    st.lists(st.tuples(st.integers(-400, 3400), st.integers(-400, 3400)), min_size=2, max_size=4),
    st.integers(0, 2**32 - 1),
)
def test_any_cut_of_any_polygon_is_exact(points, seed):
    rng = np.random.default_rng(seed)
    angle = np.sort(rng.uniform(0, 2 * np.pi, 9))
    reach = rng.uniform(300, 1600, 9)
    xy = np.rint(1500 + reach[:, None] * np.column_stack([np.cos(angle), np.sin(angle)])).astype(int)
    ring = lattice((tuple(map(tuple, xy.tolist())),))
    shape = polygon_of(ring)
    if not shape.is_valid or not shapely.LinearRing(ring[0]).is_ccw:
        return
    try:
        cut = cut_in_two(ring, line(*points))
    except CutError:
        return
    pieces = [edge for half in cut.halves for edge in edges_of(half)]
    assert len(set(pieces)) == len(pieces)
    outer = {e for e in pieces if e[::-1] not in set(pieces)}
    whole = set(edges_of(ring)) - set(cut.split)
    for (a, b), nodes in cut.split.items():
        chain = [a, *nodes, b]
        whole |= set(pairwise(chain))
    assert outer == whole
    assert all(polygon_of(half).is_valid for half in cut.halves)


def across(at: Surveyed, plan: Plan, cell: int, angle: float, reach: float = 3e-3) -> Divide:
    """Cut a cell through its inner point."""
    ((x, y),) = shapely.get_coordinates(shapely.point_on_surface(at.survey.shapes(plan).polygons([cell])))
    dx, dy = reach * np.cos(angle), reach * np.sin(angle)
    return Divide(cell, ((x - dx, y - dy), (x + dx, y + dy)))


def assert_borders(at: Surveyed, plan: Plan) -> None:
    """The borders that the ground keeps are those the outlines have, every millimetre."""
    tiling = at.survey.tiling
    segments = at.survey.shapes(plan).segments()
    cells = tiling.cells.iloc[np.zeros(plan.ground.n, int)]
    drawn = cell_graph(Tiling(cells, tiling.communities, tiling.building_cell, segments))
    kept = plan.ground.cells.graph
    assert np.array_equal(drawn.indptr, kept.indptr)
    assert np.array_equal(drawn.neighbor, kept.neighbor)
    # An end node is on the grid: up to a grid step, about a centimetre, beside the old border.
    assert np.abs(drawn.class_m - kept.class_m).max() < 0.02
    assert np.abs(drawn.outer_m - kept.outer_m).max() < 0.02


def test_a_house_is_shared_by_its_footprint():
    """A block of one house: 22 m by 12 m, three quarters of it west of the line."""
    city = make_city([box(0, 0, 100, 100)], [box(30, 40, 40, 20)], households=[101])
    tiling = build_tiling(city)
    at = plan_on(city, tiling, np.zeros(len(tiling.cells), int))
    assert at.plan.ground.n == 1
    plan, _ = done(at, Divide(0, degrees((60, -5), (60, 105))))
    assert plan.ground.live.tolist() == [False, True, True]
    assert sorted(plan.ground.cells.households.tolist()) == [0, 25, 76]
    assert sorted(plan.ground.cells.buildings.tolist()) == [0, 0, 1]
    assert sorted(plan.ground.cells.persons.tolist()) == [0, 76, 227]
    assert plan.ground.area_dm2[1:].sum() == at.plan.ground.area_dm2[0]
    large = int(np.argmax(plan.ground.cells.households))
    assert plan.ground.area_dm2[large] == pytest.approx(600_000, rel=1e-3)
    whole, _ = done(at, Divide(0, degrees((20, -5), (20, 105))))
    assert sorted(whole.ground.cells.households.tolist()) == [0, 0, 101]
    edge, _ = done(at, Divide(0, degrees((69.9, -5), (69.9, 105))))
    assert sorted(edge.ground.cells.households.tolist()) == [0, 0, 101]
    assert verdict(at, plan).ok
    again, _ = done(at, Divide(large, degrees((-5, 50), (105, 50))), plan)
    assert sorted(again.ground.cells.households.tolist()) == [0, 0, 25, 38, 38]
    assert verdict(at, again).ok
    assert_borders(at, again)


def test_a_divided_cell_stays_where_it_was():
    at = quarters()
    cell = int(at.plan.cells_of(1)[3])
    plan, inverse = done(at, across(at, at.plan, cell, 0.3))
    n = at.plan.ground.n
    assert inverse.cells.tolist() == [cell, n, n + 1]
    assert plan.assignment[[cell, n, n + 1]].tolist() == [-1, 1, 1]
    assert plan.figures.households.tolist() == at.plan.figures.households.tolist()
    assert plan.figures.perimeter_mm.tolist() == at.plan.figures.perimeter_mm.tolist()
    assert plan.figures.cells[1] == at.plan.figures.cells[1] + 1
    cut = plan.divisions[0].edges[[e[:2] for e in plan.divisions[0].edges].index((n, n + 1))]
    assert cut[2][BorderClass.INTERIOR] == sum(cut[2]) > 0
    assert verdict(at, plan).ok


def test_pins_and_grids_are_inherited_and_locks_hold():
    at = quarters()
    cell = int(at.plan.cells_of(1)[3])
    pinned, _ = apply(at.plan, Lock(True, cells=(cell,)))
    plan, _ = done(at, across(at, pinned, cell, 1.0), pinned)
    assert plan.pinned[list(plan.divisions[0].children)].all()
    assert not plan.pinned[cell]
    locked, _ = apply(at.plan, Lock(True, grids=(1,)))
    assert refused(at, across(at, locked, cell, 1.0), locked).code == "grid-locked"
    loose, _ = apply(at.plan, Assign((cell,), None))
    free, _ = done(at, across(at, loose, cell, 1.0), loose)
    assert free.assignment[[cell, 96, 97]].tolist() == [-1, -1, -1]
    taken, _ = done_assign(free, (96,), 1)
    assert taken.assignment[96] == 1


def done_assign(plan: Plan, cells, grid):
    made = apply(plan, Assign(cells, grid))
    assert not isinstance(made, Refusal)
    return made


def test_cells_that_are_not_there_are_refused():
    at = quarters()
    place = degrees((0, 0), (90, 90))
    assert refused(at, Divide(-1, place)).code == "no-such-cell"
    assert refused(at, Divide(96, place)).code == "no-such-cell"
    plan, inverse = done(at, across(at, at.plan, 5, 0.0))
    assert refused(at, Divide(5, place), plan).code == "no-such-cell"
    undone = apply_change(plan, inverse)
    assert refused(at, Divide(96, place), undone).code == "no-such-cell"
    assert refused(at, Divide(5, place[:1] * 2)).code == "line-too-short"


@pytest.mark.parametrize("code", ["line-touches-not", "line-ends-inside", "too-thin"])
def test_refusals_name_the_cell_and_say_what_to_do(code):
    at = quarters()
    cell = int(at.plan.cells_of(4)[0])
    x, y = inner(at.survey.tiling)[cell]
    west = shapely.bounds(at.survey.tiling.cells.geometry.iloc[cell])[0] + 2e-8 * 20
    lines = {
        "line-touches-not": degrees((x - 900, y + 500), (x + 900, y + 500)),
        "line-ends-inside": degrees((x, y), (x + 900, y)),
        "too-thin": ((west, 0.0), (west, 80.0)),
    }
    answer = refused(at, Divide(cell, lines[code]))
    assert answer.code == code
    assert answer.where == {"cells": [cell]}


def test_a_community_border_gets_the_node_on_both_sides():
    at = quarters()
    xy = inner(at.survey.tiling)
    cell = int(np.argmin(np.hypot(xy[:, 0] - 375, xy[:, 1] - 75)))
    assert at.plan.ground.cells.community[cell] == 0
    plan, _ = done(at, across(at, at.plan, cell, 0.02))
    across_border = [i for i, _ in plan.divisions[0].rings if plan.ground.cells.community[i] == 1]
    assert across_border
    found = verdict(at, plan)
    assert found.ok
    before = shapely.get_num_coordinates(at.survey.tiling.communities.geometry.to_numpy())
    assert (shapely.get_num_coordinates(at.survey.shapes(plan).outlines()) - before).tolist() == [1, 1]


def test_divisions_that_stand_on_others_say_so():
    at = quarters()
    first, _ = done(at, across(at, at.plan, 5, 0.0))
    child = first.divisions[0].children[0]
    second, _ = done(at, across(at, first, child, 1.5), first)
    assert second.divisions[1].upon == (0,)
    assert blockers(second, 0) == (1,)
    assert blockers(second, 1) == ()
    distant, _ = done(at, across(at, second, 90, 0.0), second)
    assert distant.divisions[2].upon == ()
    assert blockers(distant, 2) == ()
    assert blockers(distant, 0) == (1,)


def chain(at: Surveyed, steps: int, seed: int) -> tuple[Plan, list[Change]]:
    """Divide random cells, half of them children of divisions, by random lines."""
    rng = np.random.default_rng(seed)
    plan, inverses = at.plan, []
    for k in range(steps):
        held = np.flatnonzero(plan.ground.live & (plan.assignment >= 0))
        young = held[held >= at.plan.ground.n]
        cell = int(rng.choice(young if k % 2 and len(young) else held))
        made = apply(plan, across(at, plan, cell, rng.uniform(0, np.pi)), survey=at.survey)
        if not isinstance(made, Refusal):
            plan, inverse = made
            inverses.append(inverse)
    return plan, inverses


def test_a_chain_of_divisions_of_the_demo_city_is_exact_and_undone_step_by_step():
    at = demo()
    plan, inverses = chain(at, 36, seed=1)
    assert len(inverses) > 25
    found = verdict(at, plan)
    assert found.ok, found.where
    assert_borders(at, plan)
    assert plan.figures.households.tolist() == at.plan.figures.households.tolist()
    assert plan.figures.load.tolist() == at.plan.figures.load.tolist()
    assert plan.figures.area_dm2.tolist() == at.plan.figures.area_dm2.tolist()
    for inverse in inverses[::-1]:
        plan = apply_change(plan, inverse)
        assert isinstance(plan, Plan)
    assert np.array_equal(plan.assignment[: at.plan.ground.n], at.plan.assignment)
    assert verdict(at, plan).ok
    assert at.survey.shapes(plan).segments() is at.survey.tiling.segments


@settings(max_examples=8, deadline=None)
@given(st.integers(0, 2**32 - 1))
def test_any_chain_in_the_town_is_exact(seed):
    at = quarters()
    plan, _ = chain(at, 12, seed)
    assert verdict(at, plan).ok
    assert_borders(at, plan)
    for k, division in enumerate(plan.divisions):
        for child in division.children:
            inside = contents(at.survey.city, at.survey.shapes(plan), plan, child)
            side = division.children.index(child)
            assert sum(x.households for x in inside) == division.households[side]
            assert sum(x.persons for x in inside) == plan.divisions[k].persons[side]
            assert sum(x.counts for x in inside) == division.buildings[side]


def test_the_same_cut_twice_is_the_same_division():
    at = quarters()
    edit = across(at, at.plan, 40, 0.7)
    one, other = (at.survey.resolve(at.plan, edit) for _ in range(2))
    assert one == other
    assert Surveyed(at.survey, at.plan).survey.resolve(at.plan, edit) == one


@given(st.integers(0, 10**6), st.floats(0, 1e6), st.floats(0, 1e6))
def test_shares_add_up_and_are_near_their_due(total, one, other):
    first, second = share(total, one, other)
    assert first + second == total
    assert min(first, second) >= 0
    if one + other > 1e-3:
        assert abs(first - total * (one / (one + other))) <= 0.5 + 1e-6 * total
