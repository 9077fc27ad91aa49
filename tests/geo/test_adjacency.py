"""Graphs are symmetric, lengths add up, and contraction is the graph of the merged cells."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

sys.path.insert(0, str(Path(__file__).parent))

from cities import box, make_city, tiny_city

from geo.adjacency import Graph, cell_graph, components, connected_labels, contract
from geo.cells import build_tiling
from geo.types import BorderClass


@pytest.fixture(scope="module")
def graph() -> Graph:
    return cell_graph(build_tiling(tiny_city()))


def dense(graph: Graph) -> np.ndarray:
    matrix = np.zeros((graph.n, graph.n))
    matrix[graph.focal, graph.neighbor] = graph.length_m
    return matrix


def test_graph_is_symmetric_with_neighbours_ascending(graph: Graph) -> None:
    matrix = dense(graph)
    assert (matrix == matrix.T).all()
    assert (np.diag(matrix) == 0).all()
    assert (graph.length_m > 0).all()
    for i in range(graph.n):
        assert (np.diff(graph.neighbor[graph.indptr[i] : graph.indptr[i + 1]]) > 0).all()
    assert np.allclose(graph.class_m.sum(axis=1), graph.length_m)


def test_four_quarters_border_sides_not_corners() -> None:
    quarters = [box(x, y, 100, 100) for y in (0, 100) for x in (0, 100)]
    graph = cell_graph(build_tiling(make_city(quarters)))
    matrix = dense(graph)
    assert (matrix > 0).sum(axis=1).tolist() == [2, 2, 2, 2]
    assert matrix[0, 3] == matrix[1, 2] == 0
    assert np.allclose(matrix[matrix > 0], 100, atol=0.1)
    assert np.allclose(graph.outer_m, 200, atol=0.2)


def test_class_of_a_border_is_in_its_column() -> None:
    road = make_city([box(0, 0, 100, 100), box(100, 0, 100, 100)], water=[_line(100, -5, 100, 105)])
    graph = cell_graph(build_tiling(road))
    assert graph.class_m[0, BorderClass.WATER] == pytest.approx(graph.length_m[0])


def _line(*xy: float):
    import shapely

    return shapely.LineString(np.array(xy).reshape(-1, 2))


def test_contract_adds_lengths_and_drops_what_is_inside(graph: Graph) -> None:
    label = (np.arange(graph.n) % 3).astype(np.int32)
    merged = contract(graph, label, 3)
    matrix, expected = dense(merged), np.zeros((3, 3))
    np.add.at(expected, (label[graph.focal], label[graph.neighbor]), graph.length_m)
    np.fill_diagonal(expected, 0)
    assert np.allclose(matrix, expected)
    assert np.allclose(merged.outer_m.sum(), graph.outer_m.sum())


def test_left_out_nodes_turn_into_outside(graph: Graph) -> None:
    label = np.arange(graph.n, dtype=np.int32)
    label[0] = -1
    merged = contract(graph, label, graph.n)
    lost = dense(graph)[0]
    assert merged.indptr[1] == 0
    assert np.allclose(merged.outer_m[1:], (graph.outer_m + lost)[1:])


def test_contract_to_one_label_leaves_the_outline(graph: Graph) -> None:
    merged = contract(graph, np.zeros(graph.n, np.int32), 1)
    assert len(merged.neighbor) == 0
    assert merged.outer_m[0] == pytest.approx(graph.outer_m.sum())


def path_graph(n: int) -> Graph:
    indptr = np.concatenate([[0], np.cumsum([(i > 0) + (i < n - 1) for i in range(n)])]).astype(np.int64)
    neighbor = np.array([j for i in range(n) for j in (i - 1, i + 1) if 0 <= j < n], np.int32)
    ones = np.ones(len(neighbor))
    return Graph(indptr, neighbor, ones, np.repeat(ones[:, None], len(BorderClass), axis=1), np.zeros(n))


@settings(max_examples=50, deadline=None)
@given(st.lists(st.integers(-1, 2), min_size=1, max_size=12))
def test_components_on_a_path_are_its_runs(label: list[int]) -> None:
    graph = path_graph(len(label))
    piece = components(graph, np.array(label, np.int32))
    runs, number = [], -1
    for i, value in enumerate(label):
        if value >= 0 and (i == 0 or label[i - 1] != value):
            number += 1
        runs.append(number if value >= 0 else -1)
    assert piece.tolist() == runs


def test_connected_labels_need_nodes_in_one_piece() -> None:
    label = np.array([0, 0, 1, 0, 2], np.int32)
    assert connected_labels(path_graph(5), label, 4).tolist() == [False, True, True, False]


def test_graph_without_edges() -> None:
    graph = cell_graph(build_tiling(make_city([box(0, 0, 50, 50)])))
    assert graph.n == 1
    assert components(graph, np.zeros(1, np.int32)).tolist() == [0]
