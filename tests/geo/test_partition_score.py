"""Policy: figures are checked against divisions drawn by hand."""

from __future__ import annotations

import graphs
import numpy as np
import pytest

from geo.partition import score
from geo.standards import load_standard
from geo.types import BorderClass

FINE = load_standard("fine-250")


def test_two_squares():
    # 0 0 1 1
    # 0 0 1 1
    units = graphs.lattice(2, 4, [60, 65, 50, 50, 60, 65, 50, 50])
    figures = score(units, np.array([0, 0, 1, 1, 0, 0, 1, 1]), FINE)
    assert figures.grids == 2
    assert figures.disconnected == figures.empty == figures.donuts == 0
    assert figures.in_band == 1.0
    assert figures.within_10 == 0.5
    assert figures.within_20 == 1.0
    assert figures.within_20_of_mean == 1.0
    assert figures.polsby_popper == pytest.approx(np.pi / 4)
    assert figures.border_km == pytest.approx(0.06)
    assert figures.border_share["interior"] == pytest.approx(1.0)
    assert figures.to_dict()["along_roads"] == 0.0


def test_pieces_empty_grids_and_split_compounds():
    # 5 7 5 9    the compound of units 0 and 1 is cut; grid 9 has no households
    units = graphs.lattice(1, 4, [100, 100, 100, 0], compound=[3, 3, -1, -1])
    figures = score(units, np.array([5, 7, 5, 9]), FINE)
    assert (figures.grids, figures.disconnected, figures.empty) == (3, 1, 1)
    assert (figures.compounds_split, figures.excess_pieces) == (1, 1)


def test_a_ring_is_a_donut():
    ring = np.array([0, 0, 0, 0, 1, 0, 0, 0, 0])
    units = graphs.lattice(3, 3, [30] * 9)
    assert score(units, ring, FINE).donuts == 1
    assert score(units, np.array([0, 0, 0, 0, 1, 1, 0, 0, 0]), FINE).donuts == 0


def test_a_grid_beside_another_community_is_not_a_hole():
    units = graphs.lattice(3, 3, [30] * 9, community=[0, 0, 0, 0, 0, 1, 0, 0, 0])
    label = np.array([0, 0, 0, 0, 1, 2, 0, 0, 0])
    figures = score(units, label, FINE)
    assert figures.donuts == 0
    # The border between communities is not a border between grids: three of the four sides count.
    assert figures.border_km == pytest.approx(0.09)


def test_barriers_inside_a_grid_are_counted():
    edges = [(0, 1, 40.0, BorderClass.WATER), (1, 2, 25.0, BorderClass.STREET)]
    units = graphs.units_of(graphs.graph_of(3, edges, [50.0] * 3), [90, 90, 90])
    assert score(units, np.array([0, 0, 0]), FINE).crossed_km == pytest.approx(0.04)
    apart = score(units, np.array([0, 1, 1]), FINE)
    assert apart.crossed_km == 0.0
    assert apart.along_roads == 1.0
