"""Trace the rings of regions from directed integer edges: the one way polygons are made here."""

# ruff: noqa: PLR0917 - compiled functions take their arguments by position

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import shapely

from geo.jit import kernel

if TYPE_CHECKING:
    from numpy.typing import NDArray

TURN = 2 * np.pi


@dataclass(frozen=True)
class Rings:
    """Simple closed rings, shells counter-clockwise, holes clockwise, each starting at its lowest node.

    Attributes
    ----------
    node
        int32, shape (m,): the nodes of all rings one after the other, the first not repeated at the end.
    offset
        int64, shape (n + 1,): ring i is ``node[offset[i]:offset[i + 1]]``.
    label
        int32, shape (n,): the region on the ring's left.
    loop
        int32, shape (n,): rings with one number were one closed walk, cut where it touched itself.
    area2
        int64, shape (n,): twice the signed area in square steps.
    """

    node: NDArray[np.int32]
    offset: NDArray[np.int64]
    label: NDArray[np.int32]
    loop: NDArray[np.int32]
    area2: NDArray[np.int64]


def half_edges(
    start: NDArray[np.int32],
    end: NDArray[np.int32],
    left: NDArray[np.int32],
    right: NDArray[np.int32],
) -> tuple[NDArray[np.int32], NDArray[np.int32], NDArray[np.int32]]:
    """Return tail, head and left label of both directions of every edge whose side there has a label >= 0."""
    tail = np.concatenate([start, end])
    head = np.concatenate([end, start])
    label = np.concatenate([left, right])
    inside = label >= 0
    return tail[inside], head[inside], label[inside]


def trace(
    tail: NDArray[np.int32],
    head: NDArray[np.int32],
    label: NDArray[np.int32],
    xy: NDArray[np.int64],
) -> tuple[Rings, NDArray[np.int32]]:
    """Join directed edges into rings that keep their region on the left.

    Parameters
    ----------
    tail, head
        int32, shape (h,): nodes of each directed edge.
    label
        int32, shape (h,): the region on its left; only edges of one label are joined.
    xy
        int64, shape (nodes, 2): node coordinates in steps; sorted nodes give rings that start at the lowest.

    Returns
    -------
    The rings, and int32 of shape (h,): the closed walk each directed edge belongs to.
    """
    order = np.argsort(tail, kind="stable")
    first = np.searchsorted(tail[order], np.arange(len(xy) + 1)).astype(np.int64)
    following = _following(tail, head, label, xy, order, first)
    node, offset, ring_label, loop, area2, loop_of = _walk(tail, label, xy, following)
    return Rings(node, offset, ring_label, loop, area2), loop_of


@kernel
def _following(
    tail: NDArray[np.int32],
    head: NDArray[np.int32],
    label: NDArray[np.int32],
    xy: NDArray[np.int64],
    order: NDArray[np.int64],
    first: NDArray[np.int64],
) -> NDArray[np.int32]:  # pragma: no cover
    """For every directed edge, the next one around its region: the sharpest left turn."""
    following = np.full(len(tail), -1, np.int32)
    for h in range(len(tail)):
        node = head[h]
        count = 0
        for k in range(first[node], first[node + 1]):
            if label[order[k]] == label[h]:
                count += 1
                following[h] = order[k]
        if count < 2:
            continue
        back = np.arctan2(float(xy[tail[h], 1] - xy[node, 1]), float(xy[tail[h], 0] - xy[node, 0]))
        least = 100.0
        for k in range(first[node], first[node + 1]):
            g = order[k]
            if label[g] != label[h]:
                continue
            angle = np.arctan2(float(xy[head[g], 1] - xy[node, 1]), float(xy[head[g], 0] - xy[node, 0]))
            turn = back - angle
            if turn <= 0.0 or head[g] == tail[h]:
                turn += TURN
            if turn < least:
                least = turn
                following[h] = g
    return following


@kernel
def _emit(ring: NDArray[np.int32], xy: NDArray[np.int64], out: NDArray[np.int32]) -> int:  # pragma: no cover
    """Copy a ring to `out` from its lowest node on; return twice its area."""
    size = len(ring)
    lowest = np.argmin(ring)
    x0, y0 = xy[ring[0], 0], xy[ring[0], 1]
    twice = 0
    for k in range(size):
        a, b = ring[(lowest + k) % size], ring[(lowest + k + 1) % size]
        out[k] = a
        twice += (xy[a, 0] - x0) * (xy[b, 1] - y0) - (xy[b, 0] - x0) * (xy[a, 1] - y0)
    return twice


@kernel
def _walk(
    tail: NDArray[np.int32], label: NDArray[np.int32], xy: NDArray[np.int64], following: NDArray[np.int32]
) -> tuple[
    NDArray[np.int32],
    NDArray[np.int64],
    NDArray[np.int32],
    NDArray[np.int32],
    NDArray[np.int64],
    NDArray[np.int32],
]:  # pragma: no cover
    """Follow the edges; whenever a walk meets a node again, the part since then is a ring of its own."""
    n = len(tail)
    out = np.empty(n, np.int32)
    offset = np.zeros(n + 1, np.int64)
    ring_label = np.empty(n, np.int32)
    ring_loop = np.empty(n, np.int32)
    area2 = np.empty(n, np.int64)
    loop_of = np.full(n, -1, np.int32)
    place = np.full(len(xy), -1, np.int64)
    stack = np.empty(n + 1, np.int32)
    rings = 0
    filled = 0
    loops = 0
    for begin in range(n):
        if loop_of[begin] >= 0:
            continue
        top = 0
        h = begin
        while True:
            closing = h < 0 or loop_of[h] >= 0
            node = tail[begin] if closing else tail[h]
            if place[node] >= 0:
                low = place[node]
                if top - low > 2:
                    area2[rings] = _emit(stack[low:top], xy, out[filled : filled + top - low])
                    filled += top - low
                    ring_label[rings], ring_loop[rings] = label[begin], loops
                    rings += 1
                    offset[rings] = filled
                for k in range(low, top):
                    place[stack[k]] = -1
                top = low
            if closing:
                break
            place[node] = top
            stack[top] = node
            top += 1
            loop_of[h] = loops
            h = following[h]
        for k in range(top):
            place[stack[k]] = -1
        loops += 1
    return (
        out[:filled].copy(),
        offset[: rings + 1].copy(),
        ring_label[:rings].copy(),
        ring_loop[:rings].copy(),
        area2[:rings].copy(),
        loop_of,
    )


def polygons(rings: Rings, coordinates: NDArray[np.float64], n: int) -> NDArray[Any]:
    """Build one geometry per label from its rings.

    Parameters
    ----------
    rings
        As `trace` returns them.
    coordinates
        float64, shape (nodes, 2).
    n
        Number of labels.

    Returns
    -------
    object, shape (n,): a Polygon, a MultiPolygon where a label has several shells, an empty Polygon where none.
    """
    shell = rings.area2 > 0
    shells = np.bincount(rings.label[shell], minlength=n)
    single = shells[rings.label] == 1
    result = np.full(n, shapely.Polygon(), dtype=object)
    rows = np.flatnonzero(single)
    rows = rows[np.lexsort((~shell[rows], rings.label[rows]))]
    if len(rows):
        owner = rings.label[rows]
        starts = np.flatnonzero(np.diff(owner, prepend=-1))
        result[owner[starts]] = _ragged(rings, rows, np.append(starts, len(rows)), coordinates)
    for label in np.flatnonzero(shells > 1):
        rows = np.flatnonzero(rings.label == label)
        result[label] = _several(rings, rows, coordinates)
    return result


def _ragged(
    rings: Rings,
    rows: NDArray[np.intp],
    starts: NDArray[np.intp],
    coordinates: NDArray[np.float64],
) -> NDArray[Any]:
    """Polygons of the rings `rows`; polygon i has rows[starts[i]:starts[i + 1]], its shell first."""
    size = np.diff(rings.offset)[rows]
    closed = np.concatenate([[0], np.cumsum(size + 1)])
    position = np.arange(closed[-1]) - np.repeat(closed[:-1], size + 1)
    position %= np.repeat(size, size + 1)
    node = rings.node[np.repeat(rings.offset[:-1][rows], size + 1) + position]
    return shapely.from_ragged_array(
        shapely.GeometryType.POLYGON, coordinates[node], (closed, starts.astype(np.int64))
    )


def _several(rings: Rings, rows: NDArray[np.intp], coordinates: NDArray[np.float64]) -> Any:
    """Return one MultiPolygon: every hole goes to the smallest shell that covers it."""
    alone = _ragged(rings, rows, np.arange(len(rows) + 1), coordinates)
    area = rings.area2[rows]
    shells = np.flatnonzero(area > 0)
    holes: list[list[Any]] = [[] for _ in shells]
    for hole in np.flatnonzero(area < 0):
        around = [k for k, s in enumerate(shells) if alone[s].covers(alone[hole])]
        # A hole in no shell comes from crossing edges: kept, so that the result is seen to be invalid.
        holes[min(around, key=lambda k: area[shells[k]], default=0)].append(alone[hole].exterior)
    return shapely.MultiPolygon(
        [shapely.Polygon(alone[s].exterior, inner) for s, inner in zip(shells, holes, strict=True)]
    )
