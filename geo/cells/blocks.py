"""Blocks: the faces between barriers, each in one community, slivers joined to a neighbour."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import shapely
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from geo.cells.barriers import Edges

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from geo.cells.lattice import Lattice

SLIVER_AREA_M2 = 100.0
SLIVER_WIDTH_M = 4.0

BORDER_STEPS = 5.0
"""An inner point this close to a community border, which is rounded to the grid, does not tell the side."""

KEEP = np.array([1.0, 0.9, 0.8, 0.6, 0.5, 0.2, 0.2])
"""How readily a sliver gives up a border, by class: a strip between wall and street joins the walled side."""


@dataclass(frozen=True)
class Blocks:
    """Faces of the barrier network inside the communities.

    Attributes
    ----------
    shapes
        object, shape (n,): one Polygon each, in steps.
    community
        int32, shape (n,).
    """

    shapes: NDArray[Any]
    community: NDArray[np.int32]


def cut_blocks(pieces: NDArray[np.int64], communities: NDArray[Any]) -> Blocks:
    """Polygonize the noded pieces; keep the faces inside a community (given in steps, not rounded)."""
    lines = shapely.linestrings(pieces.reshape(-1, 2, 2).astype(np.float64))
    faces = shapely.get_parts(shapely.polygonize(lines))
    owner = _owners(faces, communities)
    kept = np.flatnonzero(owner < len(communities))
    corner = shapely.bounds(faces[kept])
    kept = kept[np.lexsort((corner[:, 3], corner[:, 2], corner[:, 1], corner[:, 0], owner[kept]))]
    return Blocks(faces[kept], owner[kept].astype(np.int32))


def _owners(faces: NDArray[Any], communities: NDArray[Any]) -> NDArray[np.int64]:
    """Return the community of each face by its inner point, by area where that is on a border; else the count."""
    inner = shapely.point_on_surface(faces)
    nowhere = len(communities)
    owner = np.full(len(faces), nowhere, np.int64)
    face, community = shapely.STRtree(communities).query(inner, predicate="intersects")
    np.minimum.at(owner, face, community)
    borders = shapely.STRtree(shapely.get_parts(shapely.boundary(communities)))
    unsure = np.unique(borders.query(inner, predicate="dwithin", distance=BORDER_STEPS)[0])
    owner[unsure] = nowhere
    face, community = shapely.STRtree(communities).query(faces[unsure], predicate="intersects")
    shared = shapely.area(shapely.intersection(faces[unsure[face]], communities[community]))
    for row, k in zip(
        *(v[shared > shapely.area(faces[unsure[face]]) / 2] for v in (face, community)), strict=True
    ):
        owner[unsure[row]] = k
    return owner


def edges_of(shapes: NDArray[Any]) -> Edges:
    """Turn Polygons that share all nodes into edges with the polygon on either side (class 0 everywhere)."""
    shapes = shapely.orient_polygons(shapes, exterior_cw=False)
    rings, owner = shapely.get_rings(shapes, return_index=True)
    xy, ring = shapely.get_coordinates(rings, return_index=True)
    grid = np.rint(xy).astype(np.int64)
    same = ring[:-1] == ring[1:]
    tail, head, label = grid[:-1][same], grid[1:][same], owner[ring[:-1][same]]
    nodes, number = unique_nodes(np.concatenate([tail, head]))
    a, b = number[: len(tail)], number[len(tail) :]
    forward = a < b
    low, high = np.where(forward, a, b), np.where(forward, b, a)
    key, position = np.unique(low.astype(np.int64) * len(nodes) + high, return_inverse=True)
    left = np.full(len(key), -1, np.int32)
    right = np.full(len(key), -1, np.int32)
    left[position[forward]] = label[forward]
    right[position[~forward]] = label[~forward]
    start, end = np.divmod(key, len(nodes))
    return Edges(
        nodes, start.astype(np.int32), end.astype(np.int32), left, right, np.zeros(len(key), np.uint8)
    )


def unique_nodes(xy: NDArray[np.int64]) -> tuple[NDArray[np.int64], NDArray[np.int32]]:
    """Return the distinct coordinates sorted by x then y, and the position of each input row in them."""
    low = xy.min(axis=0)
    span = int(xy[:, 1].max() - low[1]) + 1
    key, number = np.unique((xy[:, 0] - low[0]) * span + (xy[:, 1] - low[1]), return_inverse=True)
    x, y = np.divmod(key, span)
    return np.column_stack([x, y]) + low, number.astype(np.int32)


def join_slivers(
    edges: Edges,
    blocks: Blocks,
    occupied: NDArray[np.bool_],
    lattice: Lattice,
) -> NDArray[np.int32]:
    """Join blocks that are tiny or thin and hold no building to a neighbour of the same community.

    Returns
    -------
    int32, shape (blocks,): the number of the merged block, counted in the order of the lowest member.
    """
    n = len(blocks.shapes)
    delta = (edges.xy[edges.end] - edges.xy[edges.start]) * lattice.step_m
    length = np.hypot(delta[:, 0], delta[:, 1])
    area = shapely.area(blocks.shapes) * lattice.step_m.prod()
    around = np.zeros(n)
    for side in (edges.left, edges.right):
        around += np.bincount(side[side >= 0], weights=length[side >= 0], minlength=n)
    sliver = ~occupied & ((area < SLIVER_AREA_M2) | (2 * area / np.maximum(around, 1e-9) < SLIVER_WIDTH_M))
    shared = (edges.left >= 0) & (edges.right >= 0) & (edges.left != edges.right)
    a, b = edges.left[shared], edges.right[shared]
    alike = blocks.community[a] == blocks.community[b]
    a, b = a[alike], b[alike]
    gain = (length[shared] * KEEP[edges.border_class[shared]])[alike]
    wish = coo_array((np.tile(gain, 2), (np.append(a, b), np.append(b, a))), shape=(n, n)).tocsr()
    wish.sum_duplicates()
    chosen = _choose(wish, np.flatnonzero(sliver)[np.argsort(area[sliver], kind="stable")])
    links = coo_array((np.ones(n), (np.arange(n), chosen)), shape=(n, n))
    _, group = connected_components(links, directed=False)
    return _by_first(group)


def _choose(wish: Any, slivers: NDArray[np.intp]) -> NDArray[np.intp]:
    """For each sliver the neighbour with the most shared border, the lowest number where equal."""
    chosen = np.arange(wish.shape[0])
    for block in slivers:
        near = slice(wish.indptr[block], wish.indptr[block + 1])
        if near.start < near.stop:
            chosen[block] = wish.indices[near][np.argmax(wish.data[near])]
    return chosen


def _by_first(group: NDArray[np.int32]) -> NDArray[np.int32]:
    """Renumber groups in the order in which they first appear."""
    _, first, inverse = np.unique(group, return_index=True, return_inverse=True)
    rank = np.empty(len(first), np.int32)
    rank[np.argsort(first)] = np.arange(len(first), dtype=np.int32)
    return rank[inverse]
