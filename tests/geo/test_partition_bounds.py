"""Policy: a bound is never beaten by what trying everything finds, on any small map, for every number of grids."""

from __future__ import annotations

import graphs
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from packings import most_inside_by_hand

from geo.partition.bounds import grids_apart, part_bound, size_bound, unreachable
from geo.partition.packing import all_fit, most_filled, one_by_one, packs, pieces_needed
from geo.partition.problem import build_problems
from geo.partition.reach import components_of
from geo.partition.weights import Weights
from geo.standards import load_standard
from geo.types import BorderClass

FINE = load_standard("fine-250")
LOW, HIGH = 20, 30


def fewest_outside(loads, count, low, high):
    """Grids out of the band in every division into `count` grids, by the loads alone."""
    if count <= 0:
        return 0
    return count - size_bound(loads, low, high, hard=high, count=count).inside(count)


def part_of(loads, pairs):
    """A connected part: the given pairs of neighbours, and a line through all units."""
    n = len(loads)
    both = {(min(i, j), max(i, j)) for i, j in pairs if i != j} | {(i, i + 1) for i in range(n - 1)}
    edges = [(i, j, 10.0, BorderClass.INTERIOR) for i, j in sorted(both)]
    units = graphs.units_of(graphs.graph_of(n, edges, [10.0] * n), loads)
    (problem,) = build_problems(units, FINE, Weights())
    return problem.static


@st.composite
def small_parts(draw):
    n = draw(st.integers(1, 7))
    loads = draw(st.lists(st.one_of(st.just(0), st.integers(1, 40)), min_size=n, max_size=n))
    if not any(loads):
        loads[0] = 5
    order = draw(st.permutations(range(n)))
    pairs = draw(st.sets(st.tuples(st.integers(0, n - 1), st.integers(0, n - 1)), max_size=n))
    return part_of([loads[i] for i in order], pairs)


@given(st.lists(st.integers(1, 30), min_size=1, max_size=8), st.integers(1, 4))
@settings(max_examples=100, deadline=None)
def test_a_quick_packing_is_a_packing(loads, count):
    values = np.array(loads)
    if packs(values, count, (LOW, HIGH), spare=False):
        assert most_inside_by_hand(loads, count, LOW, HIGH) == count
        assert all_fit(values, count, LOW, HIGH)
    if packs(values, count, (LOW, HIGH), spare=True):
        # What is to spare lies in grids of its own.
        most = max(most_inside_by_hand(loads, k, LOW, HIGH) for k in range(1, len(loads) + 1))
        assert most >= count
        assert most_filled(values, LOW, HIGH) >= count


def test_a_quick_packing_swaps_loads():
    # The largest into the emptiest gives 30, 28 and 30.
    loads = np.array([14, 12, 12, 11, 10, 9, 8, 7, 5])
    assert packs(loads, 3, (29, 31), spare=False)
    assert not packs(loads, 4, (29, 31), spare=True)
    assert not packs(np.array([40]), 1, (29, 31), spare=False)


def divisions(static, hard):
    """Every division into connected grids with load, no two units above the band in one beyond `hard`."""
    n = len(static.load)
    around = [set(static.neighbor[static.indptr[u] : static.indptr[u + 1]].tolist()) for u in range(n)]

    def connected(grid):
        reached, stack = {grid[0]}, [grid[0]]
        while stack:
            for v in around[stack.pop()] & set(grid) - reached:
                reached.add(v)
                stack.append(v)
        return len(reached) == len(grid)

    def grow(u, grids):
        if u == n:
            if all(static.load[g].sum() > 0 and connected(g) for g in grids):
                yield [list(g) for g in grids]
            return
        for g in grids:
            large = [static.load[v] for v in [*g, u] if static.load[v] > HIGH]
            if (
                len(large) < 2
                or static.load[u] <= HIGH
                or min(static.load[u] + other for other in large[:-1]) <= hard
            ):
                g.append(u)
                yield from grow(u + 1, grids)
                g.pop()
        grids.append([u])
        yield from grow(u + 1, grids)
        grids.pop()

    yield from grow(0, [])


@settings(max_examples=150, deadline=None)
@given(small_parts(), st.sampled_from([30, 50, 70]))
def test_no_division_of_a_small_map_beats_the_bound(static, hard):
    best, reached = {}, set()
    for grids in divisions(static, hard):
        inside = [g for g in grids if LOW <= static.load[g].sum() <= HIGH]
        best[len(grids)] = max(best.get(len(grids), 0), len(inside))
        reached |= {u for g in inside for u in g}
    for count, most in best.items():
        bound = part_bound(static, LOW, HIGH, hard=hard, count=count)
        assert bound.inside(count) >= most
        assert size_bound(static.load, LOW, HIGH, hard=hard, count=count).inside(count) >= most
        assert part_bound(static, LOW, HIGH, hard=hard).inside(count) >= most
        assert count in bound.worthwhile or any(
            bound.inside(k) / k >= bound.inside(count) / count for k in bound.worthwhile
        )
    stuck = unreachable(static, LOW, HIGH)
    assert not stuck[sorted(reached)].any()


@settings(max_examples=60, deadline=None)
@given(st.lists(st.integers(1, 40), min_size=1, max_size=7), st.integers(1, 4))
def test_the_bound_by_loads_is_never_too_high(loads, count):
    count = min(count, len(loads))
    giants = sum(x > HIGH for x in loads)
    if count >= giants:
        fewest = count - most_inside_by_hand(loads, count, LOW, HIGH, hard=HIGH)
        assert fewest_outside(np.array(loads, float), count, LOW, HIGH) <= fewest


def test_bounds_that_can_be_seen():
    assert fewest_outside(np.array([250.0, 250.0, 0.0]), 2, 200, 300) == 0
    assert fewest_outside(np.array([390.0, 250.0]), 2, 200, 300) == 1
    assert fewest_outside(np.array([190.0, 190.0, 190.0, 190.0]), 3, 200, 300) == 3
    assert fewest_outside(np.array([155.0, 190.0, 155.0]), 2, 200, 300) == 2
    assert fewest_outside(np.array([400.0]), 1, 200, 300) == 1
    assert fewest_outside(np.array([400.0]), 0, 200, 300) == 0


@pytest.mark.parametrize(
    ("loads", "count", "by_loads", "by_map"),
    [
        # 10 + 10 would do, but 24 lies between them: only 24 alone is in the band.
        ([10, 24, 10], 3, 2, 1),
        # 12 and 12 make a grid, but the giant keeps them apart.
        ([12, 39, 12], 2, 1, 0),
        ([12, 0, 12], 1, 1, 1),
        ([14, 8, 14, 8, 14, 8], 3, 3, 3),
        # 12 + 12 would do; on the line 19 lies between them.
        ([12, 19, 12, 19, 12], 4, 1, 0),
    ],
)
def test_the_map_says_more_than_the_loads(loads, count, by_loads, by_map):
    static = part_of(loads, [])
    assert size_bound(static.load, LOW, HIGH, hard=HIGH, count=count).inside(count) == by_loads
    assert part_bound(static, LOW, HIGH, hard=HIGH, count=count).inside(count) == by_map


def test_many_small_units_are_not_listed():
    static = part_of([1] * 60, [])
    assert components_of(static, LOW, HIGH)[0].sets is None
    assert not unreachable(static, LOW, HIGH).any()
    assert part_bound(static, LOW, HIGH, hard=HIGH).inside(3) == 3


def test_units_too_large_share_a_grid_only_up_to_the_hard_maximum():
    loads = np.array([31.0, 33.0, 36.0, 45.0, 5.0])
    assert grids_apart(loads, 30, 60) == 4
    assert grids_apart(loads, 30, 66) == 3
    assert grids_apart(loads, 30, 75) == 2
    assert grids_apart(loads, 30, 90) == 1
    assert grids_apart(np.array([5.0]), 30, 60) == 0


def test_a_model_too_large_counts_sums():
    loads = np.arange(100_000, 100_500)
    assert most_filled(loads, 600_000, 600_001) == int(loads.sum()) // 600_000
    assert all_fit(loads, 83, 600_000, 605_000)


@settings(max_examples=60, deadline=None)
@given(st.lists(st.integers(1, HIGH), min_size=1, max_size=8))
def test_a_quick_packing_is_no_more_than_the_bound(loads):
    bound = most_filled(np.array(loads), LOW, HIGH)
    assert one_by_one(np.array(loads), LOW, HIGH) <= bound
    assert most_inside_by_hand([*loads, 100], bound + 2, LOW, HIGH, hard=100) <= bound


@settings(max_examples=60, deadline=None)
@given(st.lists(st.integers(0, 40), min_size=1, max_size=6))
def test_the_pieces_of_a_compound_are_never_too_many(loads):
    needed = pieces_needed(np.array(loads), HIGH)
    alone = [x for x in loads if x > HIGH]
    small = [x for x in loads if 0 < x <= HIGH]

    def fits(i, bins):
        if i == len(small):
            return True
        for b in range(len(bins)):
            if bins[b] + small[i] <= HIGH:
                bins[b] += small[i]
                if fits(i + 1, bins):
                    return True
                bins[b] -= small[i]
        return False

    fewest = next(k for k in range(len(small) + 1) if fits(0, [0] * k))
    assert needed <= max(1, len(alone) + fewest)
    assert needed >= max(1, -(-sum(small) // HIGH) + len(alone))
