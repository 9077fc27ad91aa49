"""Policy: grids that enclose others are found, and a donut is called unavoidable only where every division in the
band has one, which is held against trying every division of small parts.
"""

from __future__ import annotations

import graphs
import numpy as np
import pytest

from geo.partition import partition, score
from geo.partition.donuts import find_donuts
from geo.standards import load_standard
from geo.types import BorderClass

FINE = load_standard("fine-250")


def islet(inner, ring=0):
    """A unit with all outer border around three others in a row, and one beside it: 0 is the ring, 4 is beside."""
    kind = int(BorderClass.STREET)
    edges = [(0, u, 60.0, kind) for u in (1, 2, 3)] + [
        (1, 2, 20.0, kind),
        (2, 3, 20.0, kind),
        (0, 4, 100.0, kind),
    ]
    outer = np.array([500.0, 0.0, 0.0, 0.0, 300.0])
    loads = np.array([ring, *inner, 250])
    area = np.array([20_000.0, 400.0, 400.0, 400.0, 10_000.0])
    return graphs.units_of(graphs.graph_of(5, edges, outer), loads, area=area)


def connected(members, units):
    reached, stack = {members[0]}, [members[0]]
    graph = units.graph
    while stack:
        u = stack.pop()
        for v in graph.neighbor[graph.indptr[u] : graph.indptr[u + 1]].tolist():
            if v in members and v not in reached:
                reached.add(v)
                stack.append(v)
    return len(reached) == len(members)


def divisions_in_band(units):
    """Every division into connected grids of at most the maximum."""
    found = []
    for code in range(5**units.n):
        label = np.array([code // 5**u % 5 for u in range(units.n)])
        names, first = np.unique(label, return_index=True)
        if list(names) != list(range(len(names))) or sorted(first) != list(first):
            continue
        grids = [np.flatnonzero(label == g).tolist() for g in names]
        if all(units.households[g].sum() <= FINE.max and connected(g, units) for g in grids):
            found.append(label)
    return found


def test_a_unit_that_closes_in_more_than_a_grid_makes_a_donut_in_every_division():
    units = islet([160, 160, 120])
    divisions = divisions_in_band(units)
    assert divisions
    for label in divisions:
        (donut,) = find_donuts(units, label, FINE)
        assert donut.grid == label[0]
        assert donut.proved
        assert (donut.unit, donut.load) == (0, 440)


def test_a_donut_that_can_be_avoided_is_not_proved():
    units = islet([80, 80, 80])
    label = np.array([0, 1, 1, 1, 2])
    (donut,) = find_donuts(units, label, FINE)
    assert (donut.grid, donut.inside, donut.proved, donut.load) == (0, (1,), False, 0)
    assert any(not find_donuts(units, other, FINE) for other in divisions_in_band(units))
    assert not find_donuts(units, partition(units, FINE).grid_of_unit, FINE)


def test_a_unit_that_is_too_large_itself_proves_nothing():
    units = islet([80, 80, 80], ring=320)
    (donut,) = find_donuts(units, np.array([0, 1, 1, 1, 2]), FINE)
    assert not donut.proved


@pytest.mark.parametrize("seed", range(3))
def test_the_score_counts_the_same_donuts(seed):
    rng = np.random.default_rng(seed)
    units = graphs.lattice(6, 6, rng.integers(20, 60, 36))
    label = np.ones(36, int)
    label[rng.choice([7, 8, 14, 16])] = 0
    label[30 + rng.choice(6)] = 2
    found = find_donuts(units, label, FINE)
    assert len(found) == score(units, label, FINE).donuts
    assert [d.inside for d in found] == [(0,)]


def test_no_units_have_no_donuts():
    units = graphs.lattice(1, 1, [100])
    assert find_donuts(units, np.zeros(1, int), FINE) == []
