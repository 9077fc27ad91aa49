"""Straighten the borders between two buildings: Douglas-Peucker on chains of ridge pieces between junctions."""

# ruff: noqa: PLR0917 - compiled functions take their arguments by position

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from geo.jit import kernel

if TYPE_CHECKING:
    from numpy.typing import NDArray


@kernel
def _number_nodes(
    pieces: NDArray[np.int64],
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:  # pragma: no cover
    """Give every distinct end of the pieces a number; int64 (k, 2) numbers, int64 (nodes, 2) coordinates."""
    k = len(pieces)
    x = np.concatenate((pieces[:, 0], pieces[:, 2]))
    y = np.concatenate((pieces[:, 1], pieces[:, 3]))
    span = y.max() - y.min() + 1
    key = (x - x.min()) * span + (y - y.min())
    order = np.argsort(key, kind="mergesort")
    number = np.empty(2 * k, np.int64)
    xy = np.empty((2 * k, 2), np.int64)
    count = 0
    for i in range(2 * k):
        at = order[i]
        if i == 0 or key[at] != key[order[i - 1]]:
            xy[count, 0], xy[count, 1] = x[at], y[at]
            count += 1
        number[at] = count - 1
    ends = np.empty((k, 2), np.int64)
    ends[:, 0], ends[:, 1] = number[:k], number[k:]
    return ends, xy[:count]


@kernel
def _touching(
    ends: NDArray[np.int64], n: int
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:  # pragma: no cover
    """CSR of the pieces at each node."""
    first = np.zeros(n + 1, np.int64)
    for e in ends.ravel():
        first[e + 1] += 1
    first = np.cumsum(first)
    fill = first[:-1].copy()
    entry = np.empty(2 * len(ends), np.int64)
    for k in range(len(ends)):
        for side in range(2):
            entry[fill[ends[k, side]]] = k
            fill[ends[k, side]] += 1
    return first, entry


@kernel
def _peucker(
    chain: NDArray[np.int64],
    xy: NDArray[np.int64],
    step_m: NDArray[np.float64],
    tolerance_m: float,
    keep: NDArray[np.bool_],
) -> None:  # pragma: no cover
    """Mark the places of the chain that must stay so that no other lies further than the tolerance from it."""
    stack = np.empty((len(chain) + 1, 2), np.int64)
    stack[0, 0], stack[0, 1] = 0, len(chain) - 1
    keep[0], keep[len(chain) - 1] = True, True
    top = 1
    while top:
        top -= 1
        i, j = stack[top, 0], stack[top, 1]
        ax, ay = xy[chain[i], 0] * step_m[0], xy[chain[i], 1] * step_m[1]
        dx, dy = xy[chain[j], 0] * step_m[0] - ax, xy[chain[j], 1] * step_m[1] - ay
        length2 = dx * dx + dy * dy
        worst, at = -1.0, -1
        for k in range(i + 1, j):
            px, py = xy[chain[k], 0] * step_m[0] - ax, xy[chain[k], 1] * step_m[1] - ay
            t = 0.0
            if length2 > 0:
                t = min(1.0, max(0.0, (px * dx + py * dy) / length2))
            d = (px - t * dx) ** 2 + (py - t * dy) ** 2
            if d > worst:
                worst, at = d, k
        if at >= 0 and (worst > tolerance_m * tolerance_m or length2 == 0.0):
            keep[at] = True
            stack[top, 0], stack[top, 1] = i, at
            stack[top + 1, 0], stack[top + 1, 1] = at, j
            top += 2


@kernel
def _anchors(
    pieces: NDArray[np.int64],
    nodes: NDArray[np.int64],
    xy: NDArray[np.int64],
    first: NDArray[np.int64],
    entry: NDArray[np.int64],
) -> NDArray[np.bool_]:  # pragma: no cover
    """Mark the nodes where chains begin and end: junctions, ends, crossings, changes of the two buildings."""
    crossing = set()
    for c in range(len(nodes)):
        crossing.add((nodes[c, 1], nodes[c, 2]))
    fixed = np.zeros(len(xy), np.bool_)
    for v in range(len(xy)):
        if first[v + 1] - first[v] != 2 or (len(crossing) > 0 and (xy[v, 0], xy[v, 1]) in crossing):
            fixed[v] = True
            continue
        a, b = pieces[entry[first[v]]], pieces[entry[first[v] + 1]]
        fixed[v] = min(a[4], a[5]) != min(b[4], b[5]) or max(a[4], a[5]) != max(b[4], b[5])
    return fixed


@kernel
def _follow(
    v: int,
    piece: int,
    ends: NDArray[np.int64],
    first: NDArray[np.int64],
    entry: NDArray[np.int64],
    fixed: NDArray[np.bool_],
    done: NDArray[np.bool_],
    chain: NDArray[np.int64],
) -> int:  # pragma: no cover
    """Collect the nodes of the chain that leaves v along `piece`; return how many."""
    chain[0] = v
    size, at = 1, v
    while True:
        done[piece] = True
        at = ends[piece, 1] if ends[piece, 0] == at else ends[piece, 0]
        chain[size] = at
        size += 1
        if fixed[at] or at == v:
            return size
        other = entry[first[at]]
        piece = other if not done[other] else entry[first[at] + 1]
        if done[piece]:
            return size


@kernel
def straighten(
    pieces: NDArray[np.int64], nodes: NDArray[np.int64], step_m: NDArray[np.float64], tolerance_m: float
) -> NDArray[np.int64]:  # pragma: no cover
    """Simplify the chains of pieces between junctions.

    Parameters
    ----------
    pieces
        int64, shape (k, 6): x, y, x, y, left label, right label.
    nodes
        int64, shape (c, 3): crossings with the outline (edge, x, y); chains end there.
    step_m
        float64, shape (2,): metres per step.
    tolerance_m
        No dropped node lies further than this from the new line.

    Returns
    -------
    int64, shape (k', 6): fewer pieces with the same junctions.
    """
    if len(pieces) == 0:
        return pieces
    ends, xy = _number_nodes(pieces)
    n = len(xy)
    first, entry = _touching(ends, n)
    fixed = _anchors(pieces, nodes, xy, first, entry)
    out = np.empty_like(pieces)
    filled = 0
    done = np.zeros(len(pieces), np.bool_)
    chain = np.empty(len(pieces) + 1, np.int64)
    for step in range(2 * n):  # first the chains from fixed nodes, then the closed ones without any
        v = step % n
        if step < n and not fixed[v]:
            continue
        for slot in range(first[v], first[v + 1]):
            piece = entry[slot]
            if done[piece]:
                continue
            forward = ends[piece, 0] == v
            left, right = pieces[piece, 5 - forward], pieces[piece, 4 + forward]
            size = _follow(v, piece, ends, first, entry, fixed, done, chain)
            keep = np.zeros(size, np.bool_)
            _peucker(chain[:size], xy, step_m, tolerance_m, keep)
            kept = chain[:size][keep]
            for k in range(len(kept) - 1):
                out[filled, 0], out[filled, 1] = xy[kept[k], 0], xy[kept[k], 1]
                out[filled, 2], out[filled, 3] = xy[kept[k + 1], 0], xy[kept[k + 1], 1]
                out[filled, 4], out[filled, 5] = left, right
                filled += 1
    return out[:filled]
