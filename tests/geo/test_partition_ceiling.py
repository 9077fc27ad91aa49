"""Policy: no plan, whoever made it, is above its ceiling; what can be seen by eye is proved exactly."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import graphs
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from packings import most_inside_by_hand

from geo.fixed import Fixed
from geo.partition import ceiling, partition, score
from geo.partition.bounds import size_bound
from geo.partition.ceiling import ceilings, whole_band
from geo.standards import load_standard

FINE = load_standard("fine-250")


@settings(max_examples=80, deadline=None)
@given(st.lists(st.integers(1, 40), min_size=1, max_size=7), st.sampled_from([30, 50, 70]))
def test_the_ceiling_is_never_too_low(loads, hard):
    counts = range(1, min(4, len(loads)) + 1)
    for count in counts:
        bound = size_bound(np.array(loads, float), 20, 30, hard=hard, count=count)
        assert bound.inside(count) >= most_inside_by_hand(loads, count, 20, 30, hard=hard)


@pytest.mark.parametrize(
    ("loads", "count", "inside"),
    [
        ([250, 250, 0], 2, 2),
        ([390, 250], 2, 1),
        ([190, 190, 190, 190], 2, 0),
        ([700, 700], 2, 0),
        ([0, 0], 1, 0),
        ([120, 120, 10], 1, 1),
        ([155, 190, 155], 2, 0),
    ],
)
def test_ceilings_that_can_be_seen(loads, count, inside):
    assert size_bound(np.array(loads, float), 200, 300, hard=400, count=count).inside(count) == inside


@pytest.mark.parametrize("seed", [0, 1])
def test_no_plan_is_above_the_ceiling(seed):
    town = graphs.town(3, 60, seed=seed)
    plan = partition(town, FINE, effort="fast", seed=seed)
    figures = score(town, plan.grid_of_unit, FINE)
    both = ceilings(town, FINE, plan.grid_of_unit)
    bounds = [ceiling(town, FINE), ceiling(town, FINE, community=plan.community), both.any, both.same]
    for bound in bounds:
        assert bound.in_band >= figures.in_band
        assert bound.within_10 >= figures.within_10
        assert bound.within_20 >= figures.within_20
        assert bound.within_10 <= bound.within_20 <= 1.0
    for bound in (bounds[1], bounds[3]):
        assert [c.community for c in bound.communities] == [0, 1, 2]
        assert [c.grids for c in bound.communities] == [(s.grids,) for s in plan.communities]
    assert both.same.in_band <= both.any.in_band
    assert bounds[0].in_band <= both.any.in_band


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 2**32), st.integers(2, 9))
def test_no_division_drawn_at_random_is_above_the_ceiling(seed, grids):
    rng = np.random.default_rng(seed)
    loads = rng.choice([0, 40, 60, 90, 130, 210, 240], 16)
    loads[0] = 60
    units = graphs.lattice(4, 4, loads, community=np.repeat([0, 1], 8))
    # Every unit joins the grid of a random neighbour until few enough are left.
    label = np.arange(16)
    source = np.repeat(np.arange(16), np.diff(units.graph.indptr))
    for e in rng.permutation(len(source)):
        a, b = label[source[e]], label[units.graph.neighbor[e]]
        if a != b and units.community[source[e]] == units.community[units.graph.neighbor[e]]:
            label[label == a] = b
        if len(np.unique(label)) <= grids:
            break
    figures = score(units, label, FINE)
    both = ceilings(units, FINE, label)
    for name in ("in_band", "within_10", "within_20"):
        assert getattr(figures, name) <= getattr(both.same, name) + 1e-9
        assert getattr(both.same, name) <= getattr(both.any, name) + 1e-9


def test_the_number_of_grids_is_part_of_the_ceiling():
    units = graphs.lattice(1, 6, [100] * 6)
    assert ceiling(units, FINE).within_10 == 0.0
    assert ceiling(units, FINE).in_band == 1.0
    # Three grids of 200 are in the band; two of 300 as well, but of five grids one at most is of 200.
    assert ceiling(units, FINE, community=np.zeros(5, np.int32)).in_band == pytest.approx(0.6)
    assert ceiling(units, FINE, community=np.zeros(7, np.int32)).in_band == 0.0


def test_the_map_lowers_the_ceiling():
    # Two units of 120 make a grid, but the compound of 390 keeps them apart.
    assert ceiling(graphs.lattice(1, 3, [120, 120, 390]), FINE).in_band == 0.5
    assert ceiling(graphs.lattice(1, 3, [120, 390, 120]), FINE).in_band == 0.0


def test_parts_of_one_community_are_bounded_together():
    units = graphs.lattice(1, 5, [250, 0, 150, 0, 250], community=[0, 1, 0, 2, 0])
    bound = ceiling(units, FINE)
    assert [c.community for c in bound.communities] == [0]
    # A grid of 250 on either side, one of 150 between them.
    assert bound.communities[0].grids == (3,)
    assert bound.communities[0].in_band == (2,)
    assert ceiling(units, FINE, community=np.zeros(3, np.int32)).in_band == pytest.approx(2 / 3)


def test_settled_grids_count_for_every_plan():
    units = graphs.lattice(1, 4, [390, 250, 90, 0])
    fixed = Fixed(np.array([0, -1, -1, 1], np.int32), np.array([False, True]))
    label = np.array([0, 1, 2, 3])
    bound = ceilings(units, FINE, label, fixed=fixed).same
    # The first is in its own band; the dedicated one has no load; of the two others one is in the band.
    assert bound.in_band == pytest.approx(2 / 3)
    assert bound.within_10 == pytest.approx(1 / 3)
    assert ceilings(units, FINE, label).same.in_band == pytest.approx(1 / 3)


def test_an_executor_changes_nothing():
    town = graphs.town(3, 60)
    label = town.community
    with ThreadPoolExecutor(2) as pool:
        assert ceilings(town, FINE, label, executor=pool) == ceilings(town, FINE, label)


def test_the_bands_in_whole_households():
    assert whole_band(FINE, "in_band") == (200, 300)
    assert whole_band(FINE, "within_10") == (225, 275)
    assert whole_band(FINE, "within_20") == (200, 300)
    assert whole_band(FINE.with_(target=255, min=200, max=300), "within_10") == (230, 280)


def test_no_units_have_no_ceiling():
    none = graphs.units_of(graphs.graph_of(0, [], []), [])
    assert ceiling(none, FINE).in_band == 0.0
