"""Policy: no plan, whoever made it, is above its ceiling; what can be seen by eye is proved exactly."""

from __future__ import annotations

import graphs
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from packings import most_inside_by_hand

from geo.partition import ceiling, partition, score
from geo.partition.bounds import most_inside
from geo.standards import load_standard

FINE = load_standard("fine-250")


@settings(max_examples=80, deadline=None)
@given(st.lists(st.integers(1, 40), min_size=1, max_size=7), st.sampled_from([30, 50, 70]))
def test_the_ceiling_is_never_too_low(loads, hard):
    counts = range(1, min(4, len(loads)) + 1)
    bound = most_inside(np.array(loads, float), counts, 20, 30, hard=hard)
    for count in counts:
        assert bound[count] >= most_inside_by_hand(loads, count, 20, 30, hard=hard)


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
    assert most_inside(np.array(loads, float), [count], 200, 300, hard=400)[count] == inside


@pytest.mark.parametrize("seed", [0, 1])
def test_no_plan_is_above_the_ceiling(seed):
    town = graphs.town(3, 60, seed=seed)
    plan = partition(town, FINE, effort="fast", seed=seed)
    figures = score(town, plan.grid_of_unit, FINE)
    for bound in (ceiling(town, FINE), ceiling(town, FINE, community=plan.community)):
        assert bound.in_band >= figures.in_band
        assert bound.within_10 >= figures.within_10
        assert bound.within_20 >= figures.within_20
        assert bound.within_10 <= bound.within_20 <= 1.0
    assert [c.community for c in bound.communities] == [0, 1, 2]
    assert [c.grids for c in bound.communities] == [(s.grids,) for s in plan.communities]


def test_the_number_of_grids_is_part_of_the_ceiling():
    units = graphs.lattice(1, 6, [100] * 6)
    assert ceiling(units, FINE).within_10 == 0.0
    assert ceiling(units, FINE).in_band == 1.0
    # Three grids of 200 are in the band; two of 300 as well, but five are not.
    assert ceiling(units, FINE, community=np.zeros(5, np.int32)).in_band == pytest.approx(0.6)


def test_no_units_have_no_ceiling():
    none = graphs.units_of(graphs.graph_of(0, [], []), [])
    assert ceiling(none, FINE).in_band == 0.0
