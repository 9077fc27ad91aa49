"""Policy: a bound is never above what trying everything finds."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from packings import most_inside_by_hand

from geo.partition.bounds import fewest_outside


@settings(max_examples=60, deadline=None)
@given(st.lists(st.integers(1, 40), min_size=1, max_size=7), st.integers(1, 4))
def test_the_bound_is_never_too_high(loads, count):
    count = min(count, len(loads))
    giants = sum(x > 30 for x in loads)
    if count >= giants:
        fewest = count - most_inside_by_hand(loads, count, 20, 30)
        assert fewest_outside(np.array(loads, float), count, 20, 30) <= fewest


def test_bounds_that_can_be_seen():
    assert fewest_outside(np.array([250.0, 250.0, 0.0]), 2, 200, 300) == 0
    assert fewest_outside(np.array([390.0, 250.0]), 2, 200, 300) == 1
    assert fewest_outside(np.array([190.0, 190.0, 190.0, 190.0]), 3, 200, 300) == 3
    assert fewest_outside(np.array([155.0, 190.0, 155.0]), 2, 200, 300) == 2
    assert fewest_outside(np.array([0.0, 0.0]), 1, 200, 300) == 1
    assert fewest_outside(np.array([400.0]), 1, 200, 300) == 1


def test_a_part_too_large_for_the_model_counts_its_large_units():
    loads = np.array([9_000_000.0, *range(1, 500)])
    assert fewest_outside(loads, 3, 600_000, 700_000) == 1
