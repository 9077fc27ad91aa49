"""Rebalancing a selection: policy — a town whose quarters are made uneven; locks, pins and outsiders stay put."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from surveyed import STANDARD, Surveyed, demo, done, inner, plan_on, quarters, refused, town

from geo.adjacency import components
from geo.editing.apply import apply
from geo.editing.change import Change
from geo.editing.edits import Assign, Lock, Merge, Rebalance
from geo.editing.keeping import kept_numbers
from geo.standards import TypeRule


def uneven() -> Surveyed:
    """The town with the border between the southern grids of either community far to the east."""
    city, tiling = town()
    xy = inner(tiling)
    x = xy[:, 0] % 400
    community = tiling.cells["community"].to_numpy()
    return plan_on(city, tiling, community * 3 + np.where(xy[:, 1] > 150, 2, x > 320))


def test_loads_become_even_and_all_else_stays():
    at = uneven()
    assert at.plan.figures.load[[1, 2]].tolist() == [378, 134]
    after, inverse = done(at, Rebalance((1, 2)))
    assert set(after.grids) == set(at.plan.grids)
    assert set(after.assignment[inverse.cells].tolist()) <= {1, 2}
    assert (after.figures.load[[1, 2]] >= at.plan.standard.min).all()
    assert np.ptp(after.figures.load[[1, 2]]) < 80


@pytest.mark.parametrize("effort", ["fast", "normal", "best"])
def test_every_effort_answers_and_an_unknown_one_is_refused(effort):
    after, _ = done(uneven(), Rebalance((1, 2), effort, seed=3))
    assert np.ptp(after.figures.load[[1, 2]]) < 244
    assert refused(uneven(), Rebalance((1, 2), effort + "!")).code == "effort-unknown"


def test_a_number_of_grids_may_be_wanted():
    at = quarters()
    more, _ = done(at, Rebalance((1, 3), parts=3))
    assert set(more.grids) == {*range(1, 9), 9}
    assert more.grids[9].code == "c0-005"
    one, _ = done(at, Rebalance((1, 3), parts=1))
    assert len({1, 3} & set(one.grids)) == 1
    assert refused(at, Rebalance((1, 3), parts=0)).code == "parts-too-few"
    assert refused(at, Rebalance((1, 3), parts=1000)).code == "grids-count"


def test_grids_of_several_communities_are_divided_each_in_its_own():
    at = uneven()
    after, _ = done(at, Rebalance((1, 2, 4, 5)))
    assert {after.grids[g].community for g in (1, 2)} == {0}
    assert (after.figures.load[[1, 2, 4, 5]] > 150).all()
    assert refused(at, Rebalance((1, 4), parts=2)).code == "rebalance-communities"


def test_locked_grids_stay_out_and_alone_they_refuse():
    at = uneven()
    locked, _ = apply(at.plan, Lock(True, grids=(3,)))
    after, _ = done(at, Rebalance((1, 2, 3)), locked)
    assert np.array_equal(after.cells_of(3), locked.cells_of(3))
    assert refused(at, Rebalance((3,)), locked).code == "grid-locked"
    assert refused(at, Rebalance(())).code == "rebalance-nothing"
    assert refused(at, Rebalance((1, 77))).code == "no-such-grid"


def test_pinned_cells_keep_their_grid():
    at = uneven()
    pins = tuple(int(at.plan.cells_of(g)[i]) for g, i in ((1, -1), (1, 3), (2, 0)))
    pinned, _ = apply(at.plan, Lock(True, cells=pins))
    for seed in range(3):
        after, _ = done(at, Rebalance((1, 2), "normal", seed=seed), pinned)
        assert np.array_equal(after.assignment[list(pins)], at.plan.assignment[list(pins)])


def homes_of(plan, compound, community=0):
    units = plan.ground.cells
    return np.flatnonzero(
        (units.compound == compound) & (units.community == community) & (units.households > 0)
    )


def torn():
    """The town with the compound of the first community divided between two grids, and so is a third one beside."""
    city, tiling = town()
    xy = inner(tiling)
    x, y = xy[:, 0] % 400, xy[:, 1]
    community = tiling.cells["community"].to_numpy()
    return plan_on(city, tiling, community * 3 + np.where(y > 150, 2, (y > 60) | (x > 300)))


def test_a_compound_is_put_together_unless_it_reaches_outside():
    at = torn()
    homes = homes_of(at.plan, 0)
    assert len(np.unique(at.plan.assignment[homes])) == 2
    after, _ = done(at, Rebalance((1, 2)))
    assert len(np.unique(after.assignment[homes])) == 1
    assert after.figures.compounds_split == at.plan.figures.compounds_split - 1
    outside = at.plan.cells_of(2)
    partly, _ = done(at, Rebalance((1, 3)))
    assert np.array_equal(partly.cells_of(2), outside)
    assert len(np.unique(partly.assignment[homes])) >= 2


def test_what_the_standard_settles_stays():
    """A compound that is a grid by the rule of its type takes no part while it is one, else it does."""
    city, tiling = town()
    city = replace(city, compounds=city.compounds.assign(compound_type=["成熟小区", ""]))
    rule = TypeRule("成熟小区", "households", target=100, min=50, one_compound_per_grid=True)
    standard = replace(STANDARD, rules=(rule,))
    xy = inner(tiling)
    community = tiling.cells["community"].to_numpy()
    walled = tiling.cells["compound"].to_numpy() == community
    east = xy[:, 0] % 400 > 260
    at = plan_on(city, tiling, community * 3 + np.where(walled, 0, 1 + east), standard=standard)
    assert refused(at, Rebalance((1,))).code == "rebalance-nothing"
    after, _ = done(at, Rebalance((1, 2, 3)))
    assert np.array_equal(after.cells_of(1), at.plan.cells_of(1))
    assert not np.array_equal(after.cells_of(2), at.plan.cells_of(2))
    taken, _ = apply(at.plan, Assign((int(at.plan.cells_of(1)[0]),), 2))
    assert isinstance(at.survey.resolve(taken, Rebalance((1,))), Change)


def test_a_merged_pair_of_the_demo_city_is_parted_again():
    at = demo()
    ids = [g for g, grid in at.plan.grids.items() if grid.community == 0]
    merged, _ = apply(at.plan, Merge(tuple(ids[:2])))
    after, _ = done(at, Rebalance(tuple(g for g in ids if g in merged.grids), "fast"), merged)
    mine = [g for g, grid in after.grids.items() if grid.community == 0]
    load = after.figures.load[mine]
    assert ((load >= after.standard.min) & (load <= after.standard.max)).all()
    assert open_pieces(after) == open_pieces(at.plan) == 0


def open_pieces(plan):
    piece = components(plan.ground.cells.graph, plan.assignment)
    return len(np.unique(piece)) - len(plan.grids)


@settings(max_examples=15, deadline=None)
@given(st.sets(st.integers(1, 6), min_size=1), st.integers(0, 99), st.sets(st.integers(0, 95), max_size=3))
def test_any_selection_keeps_the_promises(grids, seed, pins):
    at = uneven()
    plan = at.plan
    if pins:
        plan, _ = apply(plan, Lock(True, cells=tuple(pins)))
    edit = Rebalance(tuple(grids), "fast", seed)
    change = at.survey.resolve(plan, edit)
    if isinstance(change, Change) and not change.empty:
        _, inverse = done(at, edit, plan)
        assert not set(inverse.cells.tolist()) & pins
        assert set(inverse.after.tolist()) <= grids


def test_numbers_go_where_the_households_are():
    old = np.array([1, 1, 1, 2, 2, 5])
    new = np.array([0, 0, 7, 7, 7, 3])
    homes = np.array([5, 5, 30, 1, 1, 1])
    free = np.zeros(6, bool)
    assert kept_numbers(old, new, homes, pinned=free, fresh=9).tolist() == [2, 2, 1, 1, 1, 5]
    held = np.array([True, False, False, False, False, False])
    assert kept_numbers(old, new, homes, pinned=held, fresh=9).tolist() == [1, 1, 2, 2, 2, 5]
    apart = kept_numbers(
        np.array([4, 4, 4]), np.array([0, 1, 2]), np.array([1, 9, 1]), pinned=free[:3], fresh=6
    )
    assert apart.tolist() == [6, 4, 7]
