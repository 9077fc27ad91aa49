"""Colour grids so that neighbours always differ, with few calm colours."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import shapely

from geo.adjacency import Graph
from geo.tiling import SCALE
from geo.types import BorderClass

if TYPE_CHECKING:
    from numpy.typing import NDArray

METRES_PER_DEGREE = 111_320.0
"""Length of one degree of latitude; borders measured from degrees are good to about one percent."""


def colour_graph(graph: Graph, n_colours_hint: int = 6) -> NDArray[np.int8]:
    """Give every node a colour that none of its neighbours has.

    Nodes are coloured in smallest-last order (D. W. Matula, L. L. Beck, 1983), which needs at most one colour
    more than the graph's degeneracy: six are always enough for areas on a map. Among the first `n_colours_hint`
    colours that are free, the one least used two steps away and then least used so far is taken, so that a map
    is evenly mixed. The same graph always gets the same colours.

    Parameters
    ----------
    graph
        Undirected; lengths are not used.
    n_colours_hint
        Colours to mix; fewer than six may be exceeded where the graph needs it.

    Returns
    -------
    int8, shape (n,): colours counted from 0.
    """
    if n_colours_hint < 1:
        raise ValueError("at least one colour is needed")
    colour = np.full(graph.n, -1, np.int8)
    use = np.zeros(127, np.int64)
    for node in _smallest_last(graph):
        near = _neighbours(graph, node)
        taken = {int(c) for c in colour[near] if c >= 0}
        free = [c for c in range(n_colours_hint) if c not in taken]
        if free:
            beyond = np.zeros(n_colours_hint, np.int64)
            for other in near:
                ring = colour[_neighbours(graph, int(other))]
                np.add.at(beyond, ring[(ring >= 0) & (ring < n_colours_hint)], 1)
            choice = min(free, key=lambda c: (beyond[c], use[c], c))
        else:
            choice = next(c for c in range(n_colours_hint, 127) if c not in taken)
        colour[node] = choice
        use[choice] += 1
    return colour


def _neighbours(graph: Graph, node: int) -> NDArray[np.int32]:
    near = graph.neighbor[graph.indptr[node] : graph.indptr[node + 1]]
    return near[near != node]


def _smallest_last(graph: Graph) -> list[int]:
    """Return the nodes in reverse order of repeatedly taking away the one with fewest neighbours left."""
    degree = np.diff(graph.indptr).astype(np.int64)
    buckets: list[set[int]] = [set() for _ in range(int(degree.max(initial=0)) + 1)]
    for node, d in enumerate(degree):
        buckets[d].add(node)
    gone = np.zeros(graph.n, bool)
    order: list[int] = []
    low = 0
    while len(order) < graph.n:
        low = max(low - 1, 0)
        while not buckets[low]:
            low += 1
        node = min(buckets[low])
        buckets[low].remove(node)
        gone[node] = True
        order.append(node)
        for other in _neighbours(graph, node):
            if not gone[other]:
                buckets[degree[other]].remove(int(other))
                degree[other] -= 1
                buckets[degree[other]].add(int(other))
    order.reverse()
    return order


def polygon_graph(polygons: NDArray[np.object_]) -> Graph:
    """Return which polygons of an exact tiling share a border, read from their own edges.

    Two polygons are neighbours when both carry the very same edge, end to end, on the grid of 1e-7 degree.
    Touching in a point is not enough, and nothing is measured with a tolerance.

    Parameters
    ----------
    polygons
        Polygons or MultiPolygons in longitude and latitude, shape (n,).

    Returns
    -------
    Lengths are approximate metres, all counted as `BorderClass.INTERIOR`.
    """
    n = len(polygons)
    owner, edge = _edges(polygons)
    if not len(owner):
        return _empty_graph(n)
    keys, inverse = np.unique(edge, axis=0, return_inverse=True)
    metres = _edge_length_m(keys)
    order = np.lexsort((owner, inverse.ravel()))
    group, who = inverse.ravel()[order], owner[order]
    same = (group[1:] == group[:-1]) & (who[1:] != who[:-1])
    a, b, length = who[:-1][same], who[1:][same], metres[group[1:][same]]
    shared = np.bincount(np.concatenate([a, b]), np.concatenate([length, length]), n)
    perimeter = np.bincount(owner, metres[inverse.ravel()], n)
    pair, where = np.unique(np.stack([np.r_[a, b], np.r_[b, a]], axis=1), axis=0, return_inverse=True)
    total = np.zeros(len(pair))
    np.add.at(total, where.ravel(), np.r_[length, length])
    class_m = np.zeros((len(pair), len(BorderClass)))
    class_m[:, BorderClass.INTERIOR] = total
    return Graph(
        indptr=np.searchsorted(pair[:, 0], np.arange(n + 1)).astype(np.int64),
        neighbor=pair[:, 1].astype(np.int32),
        length_m=total,
        class_m=class_m,
        outer_m=np.maximum(perimeter - shared, 0.0),
    )


def _edges(polygons: NDArray[np.object_]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return the owner of each edge and its two ends (x, y, x, y) in grid steps, lower end first."""
    parts, owner = shapely.get_parts(polygons, return_index=True)
    rings, part = shapely.get_rings(parts, return_index=True)
    points, ring = shapely.get_coordinates(rings, return_index=True)
    steps = np.rint(points * SCALE).astype(np.int64)
    inside = ring[1:] == ring[:-1]
    start, end = steps[:-1][inside], steps[1:][inside]
    real = (start != end).any(axis=1)
    start, end = start[real], end[real]
    swap = (start[:, 0] > end[:, 0]) | ((start[:, 0] == end[:, 0]) & (start[:, 1] > end[:, 1]))
    low, high = np.where(swap[:, None], end, start), np.where(swap[:, None], start, end)
    of_edge = owner[part[ring[1:][inside][real]]]
    return of_edge.astype(np.int64), np.concatenate([low, high], axis=1)


def _edge_length_m(edge: NDArray[np.int64]) -> NDArray[np.float64]:
    degrees = edge / SCALE
    east = (degrees[:, 2] - degrees[:, 0]) * np.cos(np.radians((degrees[:, 1] + degrees[:, 3]) / 2))
    return np.hypot(east, degrees[:, 3] - degrees[:, 1]) * METRES_PER_DEGREE


def _empty_graph(n: int) -> Graph:
    return Graph(
        indptr=np.zeros(n + 1, np.int64),
        neighbor=np.zeros(0, np.int32),
        length_m=np.zeros(0),
        class_m=np.zeros((0, len(BorderClass))),
        outer_m=np.zeros(n),
    )
