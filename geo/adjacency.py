"""Rook adjacency as CSR arrays: who borders whom, for how long, and along what."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from geo.types import BorderClass

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from geo.tiling import Tiling

CLASSES = len(BorderClass)


@dataclass(frozen=True)
class Graph:
    """Undirected graph; every edge is stored in both directions, neighbours in ascending order.

    Attributes
    ----------
    indptr
        int64, shape (n + 1,): the neighbours of node i are ``neighbor[indptr[i]:indptr[i + 1]]``.
    neighbor
        int32, shape (m,).
    length_m
        float64, shape (m,): length of the shared border, metres, always above zero.
    class_m
        float64, shape (m, len(BorderClass)): the same length split by what runs along it.
    outer_m
        float64, shape (n,): border shared with no node of this graph, metres.
    """

    indptr: NDArray[np.int64]
    neighbor: NDArray[np.int32]
    length_m: NDArray[np.float64]
    class_m: NDArray[np.float64]
    outer_m: NDArray[np.float64]

    @property
    def n(self) -> int:
        """Number of nodes."""
        return len(self.indptr) - 1

    @property
    def focal(self) -> NDArray[np.int32]:
        """The node each entry of `neighbor` is a neighbour of, int32, shape (m,)."""
        return np.repeat(np.arange(self.n, dtype=np.int32), np.diff(self.indptr))


def cell_graph(tiling: Tiling) -> Graph:
    """Return the rook adjacency of the cells: an edge where two cells share border of any length."""
    segments = tiling.segments
    return _graph(segments.left, segments.right, segments.length_m, segments.border_class, len(tiling.cells))


def contract(graph: Graph, label: NDArray[np.int32], n_labels: int) -> Graph:
    """Merge all nodes of a label into one; lengths add up, borders inside a label vanish.

    Parameters
    ----------
    graph
        The graph of the parts.
    label
        int32, shape (graph.n,): the new node of each old one; -1 leaves it out, its borders become outer.
    n_labels
        Number of new nodes.
    """
    a, b = label[graph.focal], label[graph.neighbor]
    cut = (a != b) & (a >= 0) & (b >= 0)
    lost = (a >= 0) & (b < 0)
    kept = label >= 0
    outer = np.zeros(n_labels)
    outer += np.bincount(label[kept], weights=graph.outer_m[kept], minlength=n_labels)
    outer += np.bincount(a[lost], weights=graph.length_m[lost], minlength=n_labels)
    return _csr(a[cut], b[cut], graph.class_m[cut], outer, n_labels)


def components(graph: Graph, label: NDArray[np.int32]) -> NDArray[np.int32]:
    """Find the connected pieces of every label.

    Parameters
    ----------
    graph
        Any graph.
    label
        int32, shape (graph.n,): only nodes of one label are connected; -1 leaves a node out.

    Returns
    -------
    int32, shape (graph.n,): pieces numbered from 0 in the order of their lowest node; -1 where left out.
    """
    a, b = graph.focal, graph.neighbor
    inside = (label[a] == label[b]) & (label[a] >= 0)
    links = coo_array((np.ones(int(inside.sum()), np.int8), (a[inside], b[inside])), shape=(graph.n, graph.n))
    _, piece = connected_components(links, directed=False)
    result = np.full(graph.n, -1, np.int32)
    kept = np.flatnonzero(label >= 0)
    if len(kept):
        _, first, inverse = np.unique(piece[kept], return_index=True, return_inverse=True)
        rank = np.empty(len(first), np.int32)
        rank[np.argsort(first)] = np.arange(len(first), dtype=np.int32)
        result[kept] = rank[inverse]
    return result


def connected_labels(graph: Graph, label: NDArray[np.int32], n_labels: int) -> NDArray[np.bool_]:
    """Say of every label whether its nodes form one connected piece; False for a label without nodes."""
    piece = components(graph, label)
    kept = label >= 0
    pairs = np.unique(np.column_stack([label[kept], piece[kept]]), axis=0)
    return np.bincount(pairs[:, 0], minlength=n_labels) == 1


def _graph(
    left: NDArray[np.int32],
    right: NDArray[np.int32],
    length_m: NDArray[np.float64],
    border_class: NDArray[np.uint8],
    n: int,
) -> Graph:
    """Build a graph from borders with a node, or -1, on either side."""
    both = (left >= 0) & (right >= 0)
    outer = np.zeros(n)
    for side, other in ((left, right), (right, left)):
        edge = (side >= 0) & (other < 0)
        outer += np.bincount(side[edge], weights=length_m[edge], minlength=n)
    class_m = np.zeros((int(both.sum()), CLASSES))
    class_m[np.arange(len(class_m)), border_class[both]] = length_m[both]
    low, high = np.minimum(left[both], right[both]), np.maximum(left[both], right[both])
    # Summed in one direction and copied, so that both directions carry the very same lengths.
    half = _csr(low, high, class_m, outer, n)
    return _csr(
        np.concatenate([half.focal, half.neighbor]),
        np.concatenate([half.neighbor, half.focal]),
        np.concatenate([half.class_m, half.class_m]),
        outer,
        n,
    )


def _csr(
    focal: NDArray[np.int32],
    neighbor: NDArray[np.int32],
    class_m: NDArray[np.float64],
    outer_m: NDArray[np.float64],
    n: int,
) -> Graph:
    """Sum the class lengths of equal pairs and store them by focal node, neighbours ascending."""
    key, position = np.unique(focal.astype(np.int64) * max(n, 1) + neighbor, return_inverse=True)
    summed = np.zeros((len(key), CLASSES))
    for c in range(CLASSES):
        summed[:, c] = np.bincount(position, weights=class_m[:, c], minlength=len(key))
    a, b = np.divmod(key, max(n, 1))
    indptr = np.concatenate([[0], np.cumsum(np.bincount(a, minlength=n))]).astype(np.int64)
    return Graph(indptr, b.astype(np.int32), summed.sum(axis=1), summed, outer_m)
