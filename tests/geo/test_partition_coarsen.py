"""Policy: joining empty units to neighbours changes no sum, no load and no compound."""

from __future__ import annotations

import graphs
import numpy as np
import pytest

from geo.partition.coarsen import coarsen
from geo.partition.problem import build_problems
from geo.partition.weights import Weights
from geo.standards import load_standard


@pytest.fixture(scope="module")
def static():
    units = graphs.town(1, 150, seed=2)
    units.compound[:40] = np.arange(40) // 4
    return build_problems(units, load_standard("fine-250"), Weights())[0].static


def test_loads_stay_apart_and_sums_stay(static):
    joined, label = coarsen(static)
    assert len(joined.load) < len(static.load)
    assert sorted(joined.load[joined.load > 0]) == sorted(static.load[static.load > 0])
    assert joined.area.sum() == pytest.approx(static.area.sum())
    assert joined.outside.sum() == pytest.approx(static.outside.sum())
    for c in range(len(static.allowed)):
        assert set(joined.compound[label[static.compound == c]]) == {c}


def test_perimeters_and_borders_add_up(static):
    joined, label = coarsen(static)
    inner = np.bincount(joined.source, weights=joined.length, minlength=len(joined.load))
    assert joined.around == pytest.approx(inner + joined.outside)
    between = label[static.source] != label[static.neighbor]
    assert joined.cost.sum() == pytest.approx(static.cost[between].sum())
    assert (np.diff(joined.indptr) == np.bincount(joined.source, minlength=len(joined.load))).all()


def test_a_part_where_nobody_lives_can_be_joined():
    units = graphs.lattice(1, 3, [0, 0, 0])
    problem = build_problems(units, load_standard("fine-250"), Weights())[0]
    joined, label = coarsen(problem.static)
    assert joined.load.sum() == 0
    assert len(label) == 3
