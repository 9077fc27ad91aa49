"""Parts: the faces of barriers and inner borders together, each with the building it belongs to."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
import shapely

from geo.cells.barriers import Edges
from geo.cells.blocks import unique_nodes
from geo.cells.rings import trace

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from geo.cells.interior import Pieces
    from geo.cells.plan import Layout
    from geo.cells.rings import Rings
    from geo.cells.seeds import Seeds

EMPTY = -1


@dataclass(frozen=True)
class Sites:
    """Where the buildings are.

    Attributes
    ----------
    seeds
        All samples; building: position in the city.
    block
        int32, shape (seeds,): the block of each sample.
    only
        int32, shape (blocks,): the building of a block that has exactly one, else `EMPTY`.
    crowded
        bool, shape (blocks,): blocks with several buildings.
    step_m
        float64, shape (2,): metres per step.
    """

    seeds: Seeds
    block: NDArray[np.int32]
    only: NDArray[np.int32]
    crowded: NDArray[np.bool_]
    step_m: NDArray[np.float64]

    def whole(self, blocks: NDArray[np.bool_]) -> Sites:
        """Treat the given blocks as if they held only their first building."""
        only = self.only.copy()
        rows = np.flatnonzero(blocks[self.block] & self.crowded[self.block])[::-1]
        only[self.block[rows]] = self.seeds.building[rows]
        return replace(self, only=only, crowded=self.crowded & ~blocks)

    @classmethod
    def of(cls, layout: Layout) -> Sites:
        """Collect the sites of a layout."""
        placed = np.flatnonzero(layout.home >= 0)
        count = np.bincount(layout.home[placed], minlength=layout.n_blocks)
        only = np.full(layout.n_blocks, EMPTY, np.int32)
        only[layout.home[placed]] = placed
        only[count != 1] = EMPTY
        return cls(layout.seeds, layout.home[layout.seeds.building], only, count > 1, layout.lattice.step_m)


@dataclass(frozen=True)
class Parts:
    """Faces, the left and right regions of `edges`.

    Attributes
    ----------
    edges
        All borders with the part on either side, -1 outside the communities.
    block, building
        int32, shape (n,): the block of each part; the building it belongs to, -1 for a block without any.
    area2
        int64, shape (n,): twice the area, square steps.
    failed
        bool, shape (blocks,): blocks whose borders do not add up; their parts mean nothing.
    """

    edges: Edges
    block: NDArray[np.int32]
    building: NDArray[np.int32]
    area2: NDArray[np.int64]
    failed: NDArray[np.bool_]


def subdivide(edges: Edges, crossing: NDArray[np.int64]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Split barrier edges at crossings (edge, x, y); return ends, int64 (n, 4), and the edge each came from."""
    a, b = edges.xy[edges.start], edges.xy[edges.end]
    n = len(a)
    crossing = np.unique(crossing, axis=0)
    at, xy = crossing[:, 0], crossing[:, 1:]
    free = (xy != a[at]).any(axis=1) & (xy != b[at]).any(axis=1)
    at, xy = at[free], xy[free]
    along = ((xy - a[at]) * (b - a)[at]).sum(axis=1)
    points = np.concatenate([a, xy, b])
    edge = np.concatenate([np.arange(n), at, np.arange(n)])
    place = np.concatenate([np.full(n, np.iinfo(np.int64).min), along, np.full(n, np.iinfo(np.int64).max)])
    order = np.lexsort((place, edge))
    points, edge = points[order], edge[order]
    same = np.flatnonzero(edge[:-1] == edge[1:])
    return np.hstack([points[same], points[same + 1]]), edge[same]


def outline_of(
    barriers: Edges, ends: NDArray[np.int64], source: NDArray[np.int64], block: int
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return the directed outline of a block from what `subdivide` gave, the block on the left, and its edges."""
    left, right = barriers.left[source] == block, barriers.right[source] == block
    around = np.concatenate([ends[left], ends[right][:, [2, 3, 0, 1]]])
    return around, np.concatenate([source[left], source[right]])


def assemble(barriers: Edges, pieces: Pieces, sites: Sites) -> Parts:
    """Trace the faces of barriers (regions: blocks) and inner pieces, and name the building of each.

    Parameters
    ----------
    barriers
        Block borders; left and right are blocks.
    pieces
        Borders inside blocks.
    sites
        Where the buildings are.
    """
    n_blocks = len(sites.only)
    outline, source = subdivide(barriers, pieces.crossing)
    ends = np.concatenate([outline, pieces.ends])
    nodes, number = unique_nodes(np.concatenate([ends[:, :2], ends[:, 2:]]))
    start, end = number[: len(ends)], number[len(ends) :]
    left = np.concatenate([barriers.left[source], pieces.block])
    right = np.concatenate([barriers.right[source], pieces.block])
    border_class = np.concatenate([barriers.border_class[source], np.zeros(len(pieces.ends), np.uint8)])
    unnamed = np.full(len(source), EMPTY, np.int32)
    hint_left, hint_right = np.append(unnamed, pieces.left), np.append(unnamed, pieces.right)
    failed = np.zeros(n_blocks + 1, bool)  # the last entry takes the outside
    failed[_double(start, end, left, right)] = True

    tail, head = np.concatenate([start, end]), np.concatenate([end, start])
    label, hint = np.concatenate([left, right]), np.concatenate([hint_left, hint_right])
    inside = np.flatnonzero(label >= 0)
    rings, loop_of = trace(tail[inside], head[inside], label[inside], nodes)
    n_loops = int(loop_of.max(initial=-1)) + 1
    loop_block = np.zeros(n_loops, np.int32)
    loop_block[loop_of] = label[inside]
    name = _names(loop_of, hint[inside], n_loops, loop_block, failed)
    area2 = np.zeros(n_loops, np.int64)
    np.add.at(area2, rings.loop, rings.area2)
    _name_rest(name, loop_block, rings, nodes, sites)
    part_of_loop, n_parts = _match_holes(area2, loop_block, name, rings, nodes, failed=failed)
    side = np.full(2 * len(ends), -1, np.int32)
    side[inside] = part_of_loop[loop_of]
    block, building = np.zeros(n_parts, np.int32), np.full(n_parts, EMPTY, np.int32)
    known = part_of_loop >= 0
    block[part_of_loop[known]] = loop_block[known]
    building[part_of_loop[known]] = name[known]
    total = np.zeros(n_parts, np.int64)
    np.add.at(total, part_of_loop[known], area2[known])
    failed[block[total <= 0]] = True
    edges = Edges(nodes, start, end, side[: len(ends)], side[len(ends) :], border_class)
    return Parts(edges, block, building, total, failed[:-1])


def _double(
    start: NDArray[np.int32], end: NDArray[np.int32], left: NDArray[np.int32], right: NDArray[np.int32]
) -> NDArray[np.int32]:
    """Return the blocks beside edges that lie on each other."""
    low, high = np.minimum(start, end).astype(np.int64), np.maximum(start, end)
    key = low * (int(high.max(initial=0)) + 1) + high
    order = np.argsort(key, kind="stable")
    again = np.flatnonzero(key[order][1:] == key[order][:-1])
    rows = np.concatenate([order[again], order[again + 1]])
    return np.concatenate([left[rows], right[rows]])


def _names(
    loop_of: NDArray[np.int32],
    hint: NDArray[np.int32],
    n_loops: int,
    loop_block: NDArray[np.int32],
    failed: NDArray[np.bool_],
) -> NDArray[np.int32]:
    """Name each loop by its inner borders; where they disagree the block has failed. EMPTY: no inner border."""
    known = hint >= 0
    highest = np.full(n_loops, EMPTY, np.int32)
    np.maximum.at(highest, loop_of[known], hint[known])
    wrong = known & (highest[loop_of] != hint)
    failed[loop_block[loop_of[wrong]]] = True
    return highest


def _name_rest(
    name: NDArray[np.int32],
    loop_block: NDArray[np.int32],
    rings: Rings,
    nodes: NDArray[np.int64],
    sites: Sites,
) -> None:
    """Name loops without named borders: the only building of their block, or the one with the nearest sample."""
    rest = np.flatnonzero(name == EMPTY)
    name[rest] = sites.only[loop_block[rest]]
    rest = rest[sites.crowded[loop_block[rest]]]
    first_ring = np.full(len(name), -1, np.int64)
    first_ring[rings.loop[::-1]] = np.arange(len(rings.loop))[::-1]
    rest = rest[first_ring[rest] >= 0]
    if not len(rest):
        return
    rows = np.flatnonzero(np.isin(sites.block, loop_block[rest]))
    rows = rows[np.argsort(sites.block[rows], kind="stable")]
    first, last = (np.searchsorted(sites.block[rows], loop_block[rest], side=s) for s in ("left", "right"))
    for loop, low, high in zip(rest.tolist(), first.tolist(), last.tolist(), strict=True):
        own = rows[low:high]
        away = sites.seeds.xy[own] - np.array(_inner_point(rings, nodes, first_ring[loop])) * sites.step_m
        name[loop] = sites.seeds.building[own[np.argmin((away**2).sum(axis=1))]]


def _inner_point(rings: Rings, nodes: NDArray[np.int64], ring: int) -> tuple[float, float]:
    """Return a point inside a ring around a face, a node of a ring around a hole."""
    xy = nodes[rings.node[rings.offset[ring] : rings.offset[ring + 1]]]
    if rings.area2[ring] <= 0:
        return float(xy[0, 0]), float(xy[0, 1])
    point = shapely.Polygon(xy).point_on_surface()
    return point.x, point.y


def _match_holes(
    area2: NDArray[np.int64],
    loop_block: NDArray[np.int32],
    name: NDArray[np.int32],
    rings: Rings,
    nodes: NDArray[np.int64],
    *,
    failed: NDArray[np.bool_],
) -> tuple[NDArray[np.int32], int]:
    """Make one part of each outer loop, give every hole the part around it; return both and their number."""
    traced = np.zeros(len(area2), bool)
    traced[rings.loop] = True
    failed[loop_block[~traced]] = True  # borders that enclose nothing
    failed[loop_block[rings.loop[rings.area2 == 0]]] = True  # borders that lie on each other
    outer = area2 > 0
    part = np.full(len(area2), -1, np.int32)
    n_parts = int(outer.sum())
    part[outer] = np.arange(n_parts, dtype=np.int32)
    width = np.int64(name.max(initial=0)) + 2
    key = loop_block.astype(np.int64) * width + name + 1
    outer_rows = np.flatnonzero(outer)
    order = outer_rows[np.argsort(key[outer_rows], kind="stable")]
    holes = np.flatnonzero(~outer & traced)
    low = np.searchsorted(key[order], key[holes], side="left")
    high = np.searchsorted(key[order], key[holes], side="right")
    for hole, i, j in zip(holes, low, high, strict=True):
        if j - i == 1:
            part[hole] = part[order[i]]
        elif j - i > 1:
            part[hole] = _around(int(hole), order[i:j], part, rings, nodes)
        if part[hole] < 0:
            failed[loop_block[hole]] = True
    return part, n_parts


def _around(
    hole: int, candidates: NDArray[np.intp], part: NDArray[np.int32], rings: Rings, nodes: NDArray[np.int64]
) -> int:
    """Return the part of the smallest candidate loop that covers the hole, or -1."""
    best, least = -1, np.inf
    inner = _area_of(hole, rings, nodes)
    for loop in candidates:
        shape = _area_of(int(loop), rings, nodes)
        if shape.area < least and shape.is_valid and inner.is_valid and shape.covers(inner):
            best, least = int(part[loop]), shape.area
    return best


def _area_of(loop: int, rings: Rings, nodes: NDArray[np.int64]) -> shapely.Polygon:
    """Return the largest ring of a loop as a filled polygon."""
    rows = np.flatnonzero(rings.loop == loop)
    row = rows[np.argmax(np.abs(rings.area2[rows]))]
    return shapely.Polygon(nodes[rings.node[rings.offset[row] : rings.offset[row + 1]]])
