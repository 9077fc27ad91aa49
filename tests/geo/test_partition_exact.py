"""Policy: on parts that can be solved exactly the engine attains the fewest grids out of the band, the
fewest pieces of compounds that fit, and the optimum of the rest within 2 %, all of them. The exact solver of the
tests and the engine's own, which share no code, are each held against trying everything.
"""

from __future__ import annotations

import exact
import graphs
import numpy as np
import pytest
from exact_instances import compare, instance, problem_of

from geo.partition import Weights, partition
from geo.partition.arrays import VALUE, new_scratch, new_state, with_mean
from geo.partition.cover import can_be_covered, cheapest_division
from geo.partition.objective import rebuild
from geo.partition.search import rated
from geo.standards import load_standard

QUICK = (
    *(3, 4, 7, 9, 10, 12, 13, 16, 18, 19, 22, 23, 24, 27, 28, 32, 34, 35, 39, 40),
    *(42, 45, 46, 49, 61, 63, 65, 71, 75, 76, 77, 81, 82, 87, 88, 96, 101, 103, 105, 107),
)
"""Instances that the exact solver does in a moment."""

WITHIN = 0.02
"""How much of what an optimum pays and earns the engine may miss of the rest."""


def every_division(static, count):
    """Labels of every division into connected grids with load."""
    n = len(static.load)
    labels = np.zeros(n, np.int32)
    around = [set(static.neighbor[static.indptr[u] : static.indptr[u + 1]].tolist()) for u in range(n)]

    def connected(grid):
        reached, stack = {grid[0]}, [grid[0]]
        while stack:
            for v in (around[stack.pop()] & set(grid)) - reached:
                reached.add(v)
                stack.append(v)
        return len(reached) == len(grid)

    def grow(u, used):
        if u == n:
            grids = [np.flatnonzero(labels == g).tolist() for g in range(used)]
            if used == count and all(static.load[g].sum() > 0 and connected(g) for g in grids):
                yield labels.copy()
            return
        for g in range(min(used + 1, count)):
            labels[u] = g
            yield from grow(u + 1, max(used, g + 1))

    yield from grow(0, 0)


def small_part(seed):
    rng = np.random.default_rng(seed)
    loads = rng.choice([0, 60, 90, 130, 150, 190, 240, 320], 9)
    loads[:2] = 90
    compound = np.full(9, -1)
    compound[[3, 4]] = 0
    compound[[7, 8]] = 1
    return problem_of(graphs.lattice(3, 3, loads, compound=compound)).static


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("count", [2, 3])
def test_the_exact_solver_finds_what_trying_everything_finds(seed, count):
    static = small_part(seed)
    judged = [exact.judge(static, labels) for labels in every_division(static, count)]
    best = min(judged, key=lambda a: (a.outside, a.excess, a.above, a.rest))
    found = exact.optimum(static, count)
    assert (found.aims.outside, found.aims.excess, found.aims.above) == (
        best.outside,
        best.excess,
        best.above,
    )
    assert found.aims.rest == pytest.approx(best.rest)
    assert exact.judge(static, found.labels) == found.aims


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("count", [2, 3])
@pytest.mark.parametrize("whole", [True, False])
def test_the_engines_exact_search_finds_what_trying_everything_finds(seed, count, whole):
    static = small_part(seed)
    divisions = list(every_division(static, count))
    judged = [exact.judge(static, labels) for labels in divisions]
    # In a weighted sum, as the engine states it: its price of a split compound is finite.
    price = Weights().split
    fewest = min(a.outside for a in judged)
    for outside in range(count + 1):
        found = cheapest_division(static, count, outside, whole=whole)
        assert found.proved
        fair = [a for a in judged if a.outside <= outside and not (whole and a.excess)]
        assert (found.labels is None) == (not fair)
        if found.labels is not None:
            best = min(a.rest + price * a.excess for a in fair)
            own = exact.judge(static, found.labels)
            assert own.rest + price * own.excess == pytest.approx(best)
            assert fewest <= own.outside <= outside


def test_the_engines_exact_search_finds_nothing_below_the_optimum():
    static = small_part(0)
    best = exact.optimum(static, 2).aims
    found = cheapest_division(static, 2, best.outside, whole=True)
    worth = exact.judge(static, found.labels).rest
    again = cheapest_division(static, 2, best.outside, whole=True, below=worth - 1e-6)
    assert again.labels is None
    assert again.proved


def test_a_part_with_too_many_possible_grids_is_left_to_the_annealing():
    static = problem_of(graphs.lattice(5, 8, [10] * 40)).static
    assert can_be_covered(static)
    found = cheapest_division(static, 2, 0, whole=True)
    assert not found.proved
    result = partition(graphs.lattice(5, 8, [10] * 40), load_standard("fine-250"))
    assert result.households.sum() == 400


def test_two_units_that_are_too_large_are_no_better_in_one_grid_than_in_two():
    static = problem_of(graphs.lattice(1, 3, [320, 330, 250])).static
    apart, together = (rated(static, np.array(labels, np.int32)) for labels in ([0, 1, 2], [0, 0, 1]))
    assert apart.outside == together.outside == 2


@pytest.mark.parametrize("number", range(4))
def test_the_judge_agrees_with_the_engines_objective(number):
    static = problem_of(instance(number)).static
    rng = np.random.default_rng(number)
    count = int(rng.integers(2, 5))
    labels = rng.integers(count, size=len(static.load)).astype(np.int32)
    labels[:count] = np.arange(count)
    static = with_mean(static, count)
    state = new_state(len(labels), count, static)
    state.part[:] = labels
    rebuild(static, state, new_scratch(static, 1))
    aims = exact.judge(static, labels)
    fitting = static.excess[static.allowed == 1]
    split = aims.excess * (float(fitting[0]) if len(fitting) else 0.0)
    assert aims.rest + split == pytest.approx(float(state.total[VALUE]))


def test_a_division_that_is_not_there_is_not_found():
    static = problem_of(graphs.lattice(1, 3, [100, 240, 100])).static
    assert exact.optimum_with(static, 2, 0) is None
    assert exact.optimum(static, 2).aims.outside == 2
    assert exact.optimum(static, 5) is None


def test_an_instance_with_too_many_grids_says_so():
    static = problem_of(graphs.lattice(8, 8, [10] * 64)).static
    with pytest.raises(exact.TooLargeError):
        exact.optimum(static, 2)


@pytest.fixture(scope="module")
def compared():
    return [compare(number) for number in QUICK]


def test_the_engine_attains_the_first_aims(compared):
    missed = [c for c in compared if not c.attained]
    assert not missed


def test_the_engine_is_close_to_the_optimum_of_the_rest(compared):
    far = [c for c in compared if c.attained and c.gap > WITHIN]
    assert not far


def test_nothing_is_better_than_the_optimum(compared):
    assert all(c.gap > -1e-9 for c in compared if c.attained)
