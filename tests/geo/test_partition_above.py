"""Policy: no grid of several units is above the hard maximum when it can be two connected grids with no more grids
out of the band and no compound split; where it must be, the reason says so.
"""

from __future__ import annotations

from itertools import product

import graphs
import numpy as np
import pytest
from exact_instances import instance, problem_of
from scipy.sparse import csr_array
from scipy.sparse.csgraph import connected_components

from geo.partition import partition
from geo.partition.above import band_of, counted, must_exceed, split_above
from geo.standards import load_standard

FINE = load_standard("fine-250")
BAND = (200.0, 300.0, 400.0)


def connected(static, members):
    inside = members[static.source] & members[static.neighbor]
    n = len(members)
    links = csr_array((np.ones(inside.sum()), (static.source[inside], static.neighbor[inside])), shape=(n, n))
    return len(set(connected_components(links, directed=False)[1][members].tolist())) == 1


def better_splits(static, label):
    """Every way to cut one grid above the hard maximum in two that breaks no other rule, by trying all."""
    k = int(label.max()) + 1
    before = counted(static.load, label, k, band_of(static))
    fits = np.flatnonzero(static.allowed == 1)
    for grid in np.flatnonzero(before.above).tolist():
        rows = np.flatnonzero(label == grid)
        if len(rows) > 14:
            continue
        for bits in product((False, True), repeat=len(rows) - 1):
            half = np.zeros(len(label), bool)
            half[rows[1:]] = bits
            rest = (label == grid) & ~half
            if not (static.load[half].sum() > 0 < static.load[rest].sum()):
                continue
            after = counted(static.load, np.where(half, k, label), k + 1, band_of(static))
            cut = set(static.compound[half].tolist()) & set(static.compound[rest].tolist())
            fewer = after.above.sum() < before.above.sum() and after.outside.sum() <= before.outside.sum()
            if fewer and not cut & set(fits.tolist()) and connected(static, half) and connected(static, rest):
                yield grid, np.flatnonzero(half)


def heavy(seed):
    """A small part with several units that are too large, and neighbours that fit nowhere."""
    rng = np.random.default_rng([99, seed])
    rows, columns = ((1, 5), (2, 4), (3, 3), (2, 6), (3, 4))[seed % 5]
    loads = rng.choice([0, 20, 60, 90, 110, 150, 190, 240, 310, 350, 390, 450], rows * columns)
    loads[:2] = rng.choice([110, 310, 350, 390], 2)
    return graphs.lattice(rows, columns, loads)


@pytest.mark.parametrize("effort", ["fast", "normal"])
@pytest.mark.parametrize("seed", range(15))
def test_no_grid_above_the_hard_maximum_could_be_two(seed, effort):
    units = heavy(seed)
    problem = problem_of(units)
    label = partition(units, FINE, effort=effort).grid_of_unit[problem.rows]
    assert not list(better_splits(problem.static, label))


@pytest.mark.parametrize("number", range(24))
def test_nor_on_instances_with_compounds(number):
    units = instance(number)
    problem = problem_of(units)
    label = partition(units, FINE, effort="fast").grid_of_unit[problem.rows]
    assert not list(better_splits(problem.static, label))


def test_two_units_that_are_too_large_get_a_grid_each():
    result = partition(graphs.lattice(1, 5, [336, 379, 0, 250, 250]), FINE)
    assert sorted(result.households.tolist()) == [250, 250, 336, 379]


def test_an_existing_grid_above_the_hard_maximum_comes_apart():
    units = graphs.lattice(1, 4, [336, 379, 250, 250])
    result = partition(units, FINE, start=np.array([0, 0, 1, 2]))
    assert sorted(result.households.tolist()) == [250, 250, 336, 379]


def test_a_given_number_of_grids_is_kept():
    result = partition(graphs.lattice(1, 3, [336, 379, 250]), FINE, counts={0: 2})
    assert result.n_grids == 2


def test_a_grid_comes_apart_only_without_a_new_one_out_of_the_band():
    static = problem_of(graphs.lattice(1, 3, [390, 150, 240])).static
    load = static.load
    together = np.array([0 if x in {390.0, 150.0} else 1 for x in load], np.int32)
    assert split_above(static, together).tolist() == together.tolist()
    static = problem_of(graphs.lattice(1, 2, [210, 230])).static
    assert sorted(split_above(static, np.zeros(2, np.int32)).tolist()) == [0, 1]


def test_how_grids_count():
    load = np.array([350.0, 350.0, 450.0, 100.0, 200.0, 201.0])
    how = counted(load, np.array([0, 0, 1, 2, 3, 3]), 4, BAND)
    assert how.outside.tolist() == [2, 1, 1, 1]
    assert how.above.tolist() == [True, False, False, True]
    # Up to the hard maximum two of them share a grid for one out of the band.
    assert counted(load[:2], np.array([0, 0]), 1, (200.0, 300.0, 800.0)).outside.tolist() == [1]


def test_what_hangs_on_a_unit_that_is_too_large_must_go_with_it():
    units = graphs.lattice(1, 4, [250, 0, 350, 90])
    static = problem_of(units).static
    assert static.load[must_exceed(static)].tolist() == [350.0]
    result = partition(units, FINE)
    (reason,) = [r for r in result.reasons if r]
    assert reason.code == "hard-maximum"
    assert reason.proved
    assert "440" in reason.en


def test_what_could_go_elsewhere_is_not_called_unavoidable():
    # 90 could go with 200.
    units = graphs.lattice(1, 3, [350, 90, 200])
    static = problem_of(units).static
    assert not must_exceed(static).any()
    fixed = partition(units, FINE, start=np.array([0, 0, 1]), pinned=np.array([True, True, True]))
    reason = fixed.reasons[0]
    assert reason.code == "not-proved"
    assert not reason.proved
