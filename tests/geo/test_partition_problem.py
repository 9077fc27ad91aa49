"""Policy: frozen units are walls, hard barriers divide, and what is pinned or old reaches the right unit."""

from __future__ import annotations

from dataclasses import replace

import graphs
import numpy as np
import pytest

from geo.partition.problem import build_problems
from geo.partition.weights import Weights
from geo.standards import load_standard
from geo.types import BorderClass
from geo.units import GAP_M, open_graph

FINE = load_standard("fine-250")


def problems(units, standard=FINE, **more):
    return build_problems(units, standard, Weights(), **more)


def test_frozen_units_are_in_no_problem_and_divide_the_rest():
    units = graphs.lattice(1, 5, [60, 70, 80, 90, 50])
    found = problems(units, frozen=np.array([False, False, True, False, False]))
    assert [sorted(p.rows.tolist()) for p in found] == [[0, 1], [3, 4]]
    whole = problems(units)[0]
    left = found[0]
    here, there = left.rows.tolist().index(1), whole.rows.tolist().index(1)
    assert left.static.outside[here] == whole.static.outside[there] + 30.0
    assert left.static.around[here] == whole.static.around[there]


def test_everything_frozen_leaves_no_problem():
    assert problems(graphs.lattice(2, 2, [1, 2, 3, 4]), frozen=np.ones(4, np.bool_)) == []


def test_pinned_and_origin_follow_their_units():
    units = graphs.town(2, 40, seed=1)
    rng = np.random.default_rng(0)
    pinned = rng.random(units.n) < 0.3
    origin = rng.integers(-1, 9, units.n).astype(np.int32) * 100
    origin[origin < 0] = -1
    for p in problems(units, pinned=pinned, origin=origin):
        assert (p.static.pinned == pinned[p.rows]).all()
        mine = p.static.origin
        assert mine.dtype == np.int32
        assert ((mine == -1) == (origin[p.rows] == -1)).all()
        assert sorted(set(mine[mine >= 0].tolist())) == list(range(len(set(mine[mine >= 0].tolist()))))
        pairs = set(zip(mine.tolist(), origin[p.rows].tolist(), strict=True))
        assert len(pairs) == len(set(mine.tolist()))


def test_nothing_pinned_by_default():
    static = problems(graphs.lattice(2, 3, [50] * 6))[0].static
    assert not static.pinned.any()
    assert (static.origin == -1).all()


def test_the_static_arrays_agree_with_the_graph():
    units = graphs.town(3, 60, seed=2)
    graph = units.graph
    for p in problems(units):
        static, rows = p.static, p.rows
        for i, row in enumerate(rows.tolist()):
            near = {
                int(graph.neighbor[e]): graph.length_m[e]
                for e in range(graph.indptr[row], graph.indptr[row + 1])
            }
            mine = slice(static.indptr[i], static.indptr[i + 1])
            assert {int(rows[j]) for j in static.neighbor[mine]} == set(near) & set(rows.tolist())
            assert static.length[mine].tolist() == [near[int(rows[j])] for j in static.neighbor[mine]]
            assert (np.diff(static.neighbor[mine]) > 0).all()
            assert (static.source[mine] == i).all()
            assert np.isclose(static.around[i], sum(near.values()) + graph.outer_m[row])


def test_cutting_a_released_compound_is_cheap():
    units = graphs.lattice(1, 4, [60, 70, 50, 60], compound=[3, 3, 8, 8])
    weights = Weights()
    assert problems(units)[0].static.excess.tolist() == [weights.split] * 2
    (freed,) = problems(replace(units, released=np.array([False, False, True, True])))
    by_compound = {
        int(units.compound[r]): freed.static.excess[c]
        for r, c in zip(freed.rows, freed.static.compound, strict=True)
    }
    assert by_compound == {3: weights.split, 8: weights.piece}


def river_town():
    edges = [
        (0, 1, 30.0, BorderClass.INTERIOR),
        (1, 2, 40.0, BorderClass.WATER),
        (2, 3, 30.0, BorderClass.RAILWAY),
    ]
    return graphs.units_of(graphs.graph_of(4, edges, [60.0] * 4), [100, 120, 110, 130])


@pytest.mark.parametrize(
    ("barriers", "parts"),
    [
        ({}, [[0, 1, 2, 3]]),
        ({"water": "soft", "railway": "soft"}, [[0, 1, 2, 3]]),
        ({"water": "hard"}, [[0, 1], [2, 3]]),
        ({"water": "hard", "railway": "hard"}, [[0, 1], [2], [3]]),
        ({"arterial": "hard"}, [[0, 1, 2, 3]]),
    ],
)
def test_hard_barriers_divide_a_community(barriers, parts):
    found = problems(river_town(), replace(FINE, barriers=barriers))
    assert [sorted(p.rows.tolist()) for p in found] == parts


def test_an_edge_with_a_way_across_stays():
    units = river_town()
    at = [int(np.flatnonzero(units.graph.neighbor[s:e] == j)[0] + s) for s, e, j in _edges(units, 1, 2)]
    units.graph.class_m[at, BorderClass.STREET] = GAP_M
    units.graph.length_m[at] += GAP_M
    assert len(problems(units, replace(FINE, barriers={"water": "hard"}))) == 1


def _edges(units, a, b):
    return [(units.graph.indptr[i], units.graph.indptr[i + 1], j) for i, j in ((a, b), (b, a))]


def test_open_graph_keeps_every_metre():
    graph = river_town().graph
    assert open_graph(graph, ()) is graph
    assert open_graph(graph, [BorderClass.ARTERIAL]) is graph
    cut = open_graph(graph, [BorderClass.WATER, BorderClass.RAILWAY])
    around = [g.outer_m + np.bincount(g.focal, weights=g.length_m, minlength=4) for g in (graph, cut)]
    assert np.allclose(*around)
    assert cut.neighbor.tolist() == [1, 0]
