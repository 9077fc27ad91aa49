"""Delaunay triangulation of the samples of one block, refined only where borders would come out jagged.

Incremental insertion with a walk and Lawson flips (Lawson 1977; Guibas and Stolfi 1985). Coordinates are whole
millimetres, so the side of a point to an edge is exact; the circle test is in floating point, which can only make
a triangle slightly less than Delaunay, never the triangulation invalid, because every flip is checked.
"""

# ruff: noqa: PLR0917 - compiled functions take their arguments by position

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from geo.jit import kernel

if TYPE_CHECKING:
    from numpy.typing import NDArray

ZIGZAG_MM = 400.0
"""Borders may swing this far from the middle between two walls."""
FINEST_MM = 800.0
PASSES = 3


@kernel
def orient(ax: int, ay: int, bx: int, by: int, cx: int, cy: int) -> int:  # pragma: no cover
    """Above zero if c is left of a -> b, below if right, zero on the line; exact on int64."""
    return (bx - ax) * (cy - ay) - (by - ay) * (cx - ax)


@kernel
def _in_circle(
    x: NDArray[np.int64], y: NDArray[np.int64], a: int, b: int, c: int, d: int
) -> bool:  # pragma: no cover
    """Say whether d lies inside the circle through a, b, c (counter-clockwise), with a small margin."""
    ax, ay = float(x[a] - x[d]), float(y[a] - y[d])
    bx, by = float(x[b] - x[d]), float(y[b] - y[d])
    cx, cy = float(x[c] - x[d]), float(y[c] - y[d])
    a2, b2, c2 = ax * ax + ay * ay, bx * bx + by * by, cx * cx + cy * cy
    det = a2 * (bx * cy - by * cx) + b2 * (cx * ay - cy * ax) + c2 * (ax * by - ay * bx)
    size = a2 * (abs(bx * cy) + abs(by * cx)) + b2 * (abs(cx * ay) + abs(cy * ax))
    size += c2 * (abs(ax * by) + abs(ay * bx))
    return det > 1e-14 * size


@kernel
def _locate(
    x: NDArray[np.int64],
    y: NDArray[np.int64],
    p: int,
    tri: NDArray[np.int32],
    nbr: NDArray[np.int32],
    hint: int,
    count: int,
) -> int:  # pragma: no cover
    """Walk from triangle `hint` to the one that holds p."""
    t = hint
    limit = 4 * count + 100
    step = 0
    while step < limit:
        moved = False
        for turn in range(3):
            k = (turn + step) % 3
            a, b = tri[t, (k + 1) % 3], tri[t, (k + 2) % 3]
            if orient(x[a], y[a], x[b], y[b], x[p], y[p]) < 0:
                t = nbr[t, k]
                moved = True
                break
        if not moved:
            return t
        step += 1
    return hint


@kernel
def _repoint(nbr: NDArray[np.int32], triangle: int, old: int, new: int) -> None:  # pragma: no cover
    """Let `triangle` have `new` as its neighbour instead of `old`."""
    if triangle >= 0:
        for k in range(3):
            if nbr[triangle, k] == old:
                nbr[triangle, k] = new


@kernel
def _flip(
    x: NDArray[np.int64], y: NDArray[np.int64], t: int, tri: NDArray[np.int32], nbr: NDArray[np.int32]
) -> int:  # pragma: no cover
    """Flip the edge opposite vertex 0 of t when the circle test asks for it; return the other triangle or -1."""
    n = nbr[t, 0]
    if n < 0:
        return -1
    j = 0
    while nbr[n, j] != t:
        j += 1
    p, a, b, d = tri[t, 0], tri[t, 1], tri[t, 2], tri[n, j]
    flat = orient(x[p], y[p], x[a], y[a], x[b], y[b]) == 0
    if not (flat or _in_circle(x, y, p, a, b, d)):
        return -1
    if orient(x[p], y[p], x[a], y[a], x[d], y[d]) <= 0 or orient(x[p], y[p], x[d], y[d], x[b], y[b]) <= 0:
        return -1
    beyond_b, beyond_a = nbr[n, (j + 2) % 3], nbr[n, (j + 1) % 3]
    near_a, near_b = nbr[t, 2], nbr[t, 1]
    tri[t, 2] = d
    nbr[t, 0], nbr[t, 1], nbr[t, 2] = beyond_a, n, near_a
    tri[n, 0], tri[n, 1], tri[n, 2] = p, d, b
    nbr[n, 0], nbr[n, 1], nbr[n, 2] = beyond_b, near_b, t
    _repoint(nbr, beyond_a, n, t)
    _repoint(nbr, near_b, t, n)
    return n


@kernel
def _insert(
    x: NDArray[np.int64],
    y: NDArray[np.int64],
    p: int,
    tri: NDArray[np.int32],
    nbr: NDArray[np.int32],
    count: int,
    hint: int,
    stack: NDArray[np.int64],
) -> tuple[int, int]:  # pragma: no cover
    """Insert point p; return the number of triangles and one beside p. A point already there is left out."""
    t = _locate(x, y, p, tri, nbr, hint, count)
    for k in range(3):
        if x[tri[t, k]] == x[p] and y[tri[t, k]] == y[p]:
            return count, t
    a, b, c = tri[t, 0], tri[t, 1], tri[t, 2]
    across_a, across_b, across_c = nbr[t, 0], nbr[t, 1], nbr[t, 2]
    u, v = count, count + 1
    tri[t, 0], tri[t, 1], tri[t, 2] = p, a, b
    nbr[t, 0], nbr[t, 1], nbr[t, 2] = across_c, u, v
    tri[u, 0], tri[u, 1], tri[u, 2] = p, b, c
    nbr[u, 0], nbr[u, 1], nbr[u, 2] = across_a, v, t
    tri[v, 0], tri[v, 1], tri[v, 2] = p, c, a
    nbr[v, 0], nbr[v, 1], nbr[v, 2] = across_b, t, u
    _repoint(nbr, across_a, t, u)
    _repoint(nbr, across_b, t, v)
    stack[0], stack[1], stack[2] = t, u, v
    top = 3
    while top:
        top -= 1
        s = stack[top]
        other = _flip(x, y, s, tri, nbr)
        if other >= 0:
            stack[top], stack[top + 1] = s, other
            top += 2
    return count + 2, t


@kernel
def _snake(
    x: NDArray[np.int64], y: NDArray[np.int64], first: int, last: int
) -> NDArray[np.int64]:  # pragma: no cover
    """Order points in rows of boxes, to and fro, so that each is near the one before."""
    n = last - first
    left, right = x[first:last].min(), x[first:last].max()
    low, high = y[first:last].min(), y[first:last].max()
    rows = max(1, int(np.sqrt(n / 3.0)))
    width, height = (right - left) // rows + 1, (high - low) // rows + 1
    key = np.empty(n, np.int64)
    for i in range(n):
        row = (y[first + i] - low) // height
        column = (x[first + i] - left) // width
        key[i] = row * rows + (column if row % 2 == 0 else rows - 1 - column)
    return np.argsort(key, kind="mergesort") + first


@kernel
def _coarse(
    x: NDArray[np.int64],
    y: NDArray[np.int64],
    label: NDArray[np.int32],
    along: NDArray[np.float64],
    tri: NDArray[np.int32],
    count: int,
) -> NDArray[np.int64]:  # pragma: no cover
    """Find the samples whose piece of wall is too long for the gap to the building opposite."""
    n = len(x)
    gap = np.full(n, np.inf)
    slip = np.zeros(n)
    for look in range(2):  # first the gap to the nearest other building, then how far off its samples stand
        for t in range(count):
            for k in range(3):
                u, v = tri[t, k], tri[t, (k + 1) % 3]
                if label[u] == label[v] or label[u] < 0 or label[v] < 0:
                    continue
                dx, dy = float(x[v] - x[u]), float(y[v] - y[u])
                d = np.sqrt(dx * dx + dy * dy)
                for w in (u, v):
                    if look == 0:
                        gap[w] = min(gap[w], d)
                    elif d <= 2 * gap[w]:
                        third = max(1.0, np.sqrt(along[w, 0] ** 2 + along[w, 1] ** 2))
                        slip[w] = max(slip[w], abs(dx * along[w, 0] + dy * along[w, 1]) / third)
    wanted = np.zeros(n, np.bool_)
    for i in range(n):
        piece = 3 * np.sqrt(along[i, 0] ** 2 + along[i, 1] ** 2)
        if piece > FINEST_MM and gap[i] < np.inf:
            limit = ZIGZAG_MM * gap[i]
            wanted[i] = piece * piece > 8 * limit and piece * slip[i] > 4 * limit
    return np.flatnonzero(wanted)


@kernel
def _denser(
    x: NDArray[np.int64],
    y: NDArray[np.int64],
    label: NDArray[np.int32],
    along: NDArray[np.float64],
    coarse: NDArray[np.int64],
) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int32], NDArray[np.float64]]:  # pragma: no cover
    """Add two samples to each coarse one, so that each stands for a third of its piece of wall."""
    old, new = len(x), len(x) + 2 * len(coarse)
    grown_x, grown_y = np.empty(new, np.int64), np.empty(new, np.int64)
    grown_label, grown_along = np.empty(new, np.int32), np.empty((new, 2))
    grown_x[:old], grown_y[:old], grown_label[:old], grown_along[:old] = x, y, label, along
    for i in range(len(coarse)):
        p = coarse[i]
        for side in range(2):
            q = old + 2 * i + side
            sign = 1 - 2 * side
            grown_x[q] = x[p] + np.int64(np.rint(sign * along[p, 0]))
            grown_y[q] = y[p] + np.int64(np.rint(sign * along[p, 1]))
            grown_label[q] = label[p]
            grown_along[q] = along[p] / 3
        grown_along[p] = along[p] / 3
    return grown_x, grown_y, grown_label, grown_along


@kernel
def triangulate(
    xy: NDArray[np.int64], label: NDArray[np.int32], along: NDArray[np.float64], bounds: NDArray[np.int64]
) -> tuple[
    NDArray[np.int64], NDArray[np.int64], NDArray[np.int32], NDArray[np.int32], NDArray[np.int32]
]:  # pragma: no cover
    """Triangulate samples, adding more on walls that stand close to another building.

    Parameters
    ----------
    xy
        int64, shape (n, 2): millimetres.
    label
        int32, shape (n,): the building of each sample.
    along
        float64, shape (n, 2): a third of the piece of wall the sample stands for, as a vector; 0 for points.
    bounds
        int64, shape (4,): xmin, ymin, xmax, ymax of everything that matters; the three points that enclose all
        lie so far from it that no place in it is nearest to them.

    Returns
    -------
    x, y (int64), label (int32) of all points, the first three far away with label -1; triangles (int32, (t, 3)),
    counter-clockwise; neighbours (int32, (t, 3)) opposite each vertex.
    """
    n = len(xy)
    low_x, high_x = min(xy[:, 0].min(), bounds[0]), max(xy[:, 0].max(), bounds[2])
    low_y, high_y = min(xy[:, 1].min(), bounds[1]), max(xy[:, 1].max(), bounds[3])
    far = 20 * (high_x - low_x + high_y - low_y + 1_000)
    middle_x, middle_y = (low_x + high_x) // 2, (low_y + high_y) // 2
    x = np.empty(n + 3, np.int64)
    y = np.empty(n + 3, np.int64)
    name = np.full(n + 3, -1, np.int32)
    vector = np.zeros((n + 3, 2))
    x[:3] = np.array([middle_x - far, middle_x + far, middle_x + far // 16])
    y[:3] = np.array([middle_y - far + far // 8, middle_y - far, middle_y + far])
    x[3:], y[3:], name[3:], vector[3:] = xy[:, 0], xy[:, 1], label, along
    tri = np.empty((2 * n + 8, 3), np.int32)
    nbr = np.full((2 * n + 8, 3), -1, np.int32)
    tri[0, 0], tri[0, 1], tri[0, 2] = 0, 1, 2
    count, hint = 1, 0
    stack = np.empty(2 * n + 64, np.int64)
    for p in _snake(x, y, 3, n + 3):
        count, hint = _insert(x, y, p, tri, nbr, count, hint, stack)
    for _ in range(PASSES):
        coarse = _coarse(x, y, name, vector, tri, count)
        extra = 2 * len(coarse)
        if extra == 0:
            break
        old = len(x)
        x, y, name, vector = _denser(x, y, name, vector, coarse)
        grown_tri = np.empty((len(tri) + 2 * extra, 3), np.int32)
        grown_nbr = np.full((len(tri) + 2 * extra, 3), -1, np.int32)
        grown_tri[: len(tri)], grown_nbr[: len(tri)] = tri, nbr
        tri, nbr = grown_tri, grown_nbr
        stack = np.empty(2 * len(x) + 64, np.int64)
        for p in _snake(x, y, old, old + extra):
            count, hint = _insert(x, y, p, tri, nbr, count, hint, stack)
    return x, y, name, tri[:count], nbr[:count]
