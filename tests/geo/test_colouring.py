"""Policy: every graph is coloured properly; areas on a map never need a seventh colour; names are not numbers."""

from __future__ import annotations

import numpy as np
import plans
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st

from geo.adjacency import Graph
from geo.colouring import colour_graph, polygon_graph
from geo.maps.palette import GRID_FILLS
from geo.types import BorderClass


def graph_of(n: int, pairs: set[tuple[int, int]]) -> Graph:
    both = sorted({(a, b) for a, b in pairs} | {(b, a) for a, b in pairs})
    heads = np.array([a for a, _ in both], np.int64)
    return Graph(
        indptr=np.searchsorted(heads, np.arange(n + 1)).astype(np.int64),
        neighbor=np.array([b for _, b in both], np.int32),
        length_m=np.ones(len(both)),
        class_m=np.zeros((len(both), len(BorderClass))),
        outer_m=np.zeros(n),
    )


def clashes(graph: Graph, colour: np.ndarray) -> int:
    head = np.repeat(np.arange(graph.n), np.diff(graph.indptr))
    return int((colour[head] == colour[graph.neighbor]).sum())


@st.composite
def graphs(draw: st.DrawFn) -> Graph:
    n = draw(st.integers(1, 25))
    pair = st.tuples(st.integers(0, n - 1), st.integers(0, n - 1)).filter(lambda p: p[0] < p[1])
    return graph_of(n, draw(st.sets(pair, max_size=60)) if n > 1 else set())


@given(graph=graphs(), hint=st.integers(1, 8))
def test_neighbours_always_differ(graph: Graph, hint: int) -> None:
    colour = colour_graph(graph, hint)
    assert colour.dtype == np.int8
    assert (colour >= 0).all()
    assert clashes(graph, colour) == 0


@given(seed=st.integers(0, 10_000), n=st.integers(4, 120))
@settings(max_examples=40, deadline=None)
def test_six_colours_are_enough_for_any_map(seed: int, n: int) -> None:
    """Delaunay triangulations are planar with the most edges a planar graph can have."""
    from scipy.spatial import Delaunay

    triangles = Delaunay(np.random.default_rng(seed).random((n, 2))).simplices
    pairs = {
        (int(min(t[i], t[j])), int(max(t[i], t[j]))) for t in triangles for i, j in ((0, 1), (1, 2), (0, 2))
    }
    graph = graph_of(n, pairs)
    colour = colour_graph(graph)
    assert clashes(graph, colour) == 0
    assert colour.max() < 6


def test_more_colours_are_opened_where_the_graph_needs_them() -> None:
    complete = graph_of(9, {(a, b) for a in range(9) for b in range(a + 1, 9)})
    assert sorted(colour_graph(complete)) == list(range(9))


def test_the_same_graph_gets_the_same_colours_and_all_of_them_are_used() -> None:
    graph = polygon_graph(plans.plan_frames(columns=20, rows=20)["grids"].geometry.to_numpy())
    colour = colour_graph(graph)
    assert np.array_equal(colour, colour_graph(graph))
    share = np.bincount(colour, minlength=6) / graph.n
    assert share.min() > 0.1


def test_no_nodes_and_no_edges() -> None:
    assert len(colour_graph(graph_of(0, set()))) == 0
    assert colour_graph(graph_of(3, set())).max() <= 5
    with pytest.raises(ValueError, match="at least one"):
        colour_graph(graph_of(1, set()), 0)


def test_polygons_are_neighbours_only_along_an_edge() -> None:
    """A B over C D: the diagonals touch in a point and are no neighbours."""
    a, b, c, d = (shapely.box(x, y, x + 1, y + 1) for x, y in ((0, 1), (1, 1), (0, 0), (1, 0)))
    graph = polygon_graph(np.array([a, b, c, d], dtype=object))
    near = [graph.neighbor[graph.indptr[i] : graph.indptr[i + 1]].tolist() for i in range(4)]
    assert near == [[1, 2], [0, 3], [0, 3], [1, 2]]
    assert graph.length_m == pytest.approx(111_300, rel=0.01)
    assert (graph.outer_m > 200_000).all()


def test_overlapping_borders_without_common_nodes_are_not_fuzzily_joined() -> None:
    """Edges must agree end to end: a neighbour with other nodes is a defect of the tiling, not a neighbour."""
    graph = polygon_graph(np.array([shapely.box(0, 0, 1, 1), shapely.box(1, 0.25, 2, 0.75)], dtype=object))
    assert len(graph.neighbor) == 0


def test_hole_and_multipolygon_share_their_edges() -> None:
    ring = shapely.box(0, 0, 3, 3).difference(shapely.box(1, 1, 2, 2))
    inner = shapely.box(1, 1, 2, 2)
    two = shapely.MultiPolygon([shapely.box(10, 10, 11, 11), shapely.box(12, 12, 13, 13)])
    graph = polygon_graph(np.array([ring, inner, two], dtype=object))
    assert graph.neighbor.tolist() == [1, 0]
    assert graph.outer_m[1] == pytest.approx(0, abs=1e-6)


def _lab(rgb: np.ndarray) -> np.ndarray:
    linear = np.where(rgb <= 0.04045, rgb / 12.92, ((rgb + 0.055) / 1.055) ** 2.4)
    xyz = linear @ np.array([[0.4124, 0.2126, 0.0193], [0.3576, 0.7152, 0.1192], [0.1805, 0.0722, 0.9505]])
    t = np.cbrt(xyz / np.array([0.9505, 1.0, 1.089]))
    return np.stack([116 * t[:, 1] - 16, 500 * (t[:, 0] - t[:, 1]), 200 * (t[:, 1] - t[:, 2])], axis=1)


# Complete dichromacy after G. M. Machado, M. M. Oliveira, L. A. F. Fernandes, 2009, in linear RGB.
DICHROMACY = {
    "normal": np.eye(3),
    "protan": np.array(
        [[0.152286, 1.052583, -0.204868], [0.114503, 0.786281, 0.099216], [-0.003882, -0.048116, 1.051998]]
    ),
    "deutan": np.array(
        [[0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413], [-0.011820, 0.042940, 0.968881]]
    ),
    "tritan": np.array(
        [[1.255528, -0.076749, -0.178779], [-0.078411, 0.930809, 0.147602], [0.004733, 0.691367, 0.303900]]
    ),
}


@pytest.mark.parametrize("sight", DICHROMACY)
def test_the_six_fills_of_grids_stay_apart_for_every_kind_of_sight(sight: str) -> None:
    rgb = np.array([[int(c[i : i + 2], 16) for i in (1, 3, 5)] for c in GRID_FILLS[:6]]) / 255
    linear = np.where(rgb <= 0.04045, rgb / 12.92, ((rgb + 0.055) / 1.055) ** 2.4)
    seen = np.clip(linear @ DICHROMACY[sight].T, 0, 1)
    srgb = np.where(seen <= 0.0031308, seen * 12.92, 1.055 * seen ** (1 / 2.4) - 0.055)
    lab = _lab(srgb)
    apart = np.linalg.norm(lab[:, None] - lab[None], axis=2)[np.triu_indices(6, 1)]
    assert apart.min() > 14
