"""Borders between the buildings of a block: Voronoi ridges on the grid, clipped to the block's outline.

Ridges meet the outline by exact integer tests. Where a ridge touches a corner or runs through a node, all ridges
are thought of as moved by an infinitely small vector (simulation of simplicity, Edelsbrunner and Muecke 1990),
so that every ridge is inside or outside, never undecided.
"""

# ruff: noqa: PLR0917 - compiled functions take their arguments by position

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from geo.cells.delaunay import orient
from geo.jit import kernel

if TYPE_CHECKING:
    from numpy.typing import NDArray

MARGIN = 1_000
"""Ridges are cut this many steps outside the block before they are rounded to the grid."""


@kernel
def _centres(
    x: NDArray[np.int64], y: NDArray[np.int64], tri: NDArray[np.int32]
) -> NDArray[np.float64]:  # pragma: no cover
    """Return the circumcentres of the triangles, float64 (t, 2)."""
    out = np.empty((len(tri), 2))
    for t in range(len(tri)):
        a, b, c = tri[t, 0], tri[t, 1], tri[t, 2]
        bx, by = float(x[b] - x[a]), float(y[b] - y[a])
        cx, cy = float(x[c] - x[a]), float(y[c] - y[a])
        double = 2 * (bx * cy - by * cx)
        if double == 0.0:
            out[t, 0], out[t, 1] = x[a] + bx / 2, y[a] + by / 2
            continue
        b2, c2 = bx * bx + by * by, cx * cx + cy * cy
        out[t, 0] = x[a] + (cy * b2 - by * c2) / double
        out[t, 1] = y[a] + (bx * c2 - cx * b2) / double
    return out


@kernel
def _cut(
    p: NDArray[np.float64], q: NDArray[np.float64], low: NDArray[np.float64], high: NDArray[np.float64]
) -> tuple[float, float]:  # pragma: no cover
    """Liang-Barsky: the share of p -> q inside the box, or (1, 0) when none of it is."""
    enter, leave = 0.0, 1.0
    for axis in range(2):
        delta = q[axis] - p[axis]
        if delta == 0.0:
            if p[axis] < low[axis] or p[axis] > high[axis]:
                return 1.0, 0.0
            continue
        first, second = (low[axis] - p[axis]) / delta, (high[axis] - p[axis]) / delta
        enter = max(enter, min(first, second))
        leave = min(leave, max(first, second))
    return enter, leave


@kernel
def voronoi_ridges(
    x: NDArray[np.int64],
    y: NDArray[np.int64],
    label: NDArray[np.int32],
    tri: NDArray[np.int32],
    nbr: NDArray[np.int32],
    scale: NDArray[np.float64],
    low: NDArray[np.float64],
    high: NDArray[np.float64],
) -> NDArray[np.int64]:  # pragma: no cover
    """Return the ridges between points of different labels, in whole steps.

    Parameters
    ----------
    x, y, label, tri, nbr
        As `geo.cells.delaunay.triangulate` returns them.
    scale
        float64, shape (2,): steps per unit of x and y.
    low, high
        float64, shape (2,): the box, in steps, outside which ridges are dropped.

    Returns
    -------
    int64, shape (r, 6): x, y, x, y, label on the left, label on the right.
    """
    centre = _centres(x, y, tri) * scale
    out = np.empty((len(tri) * 2, 6), np.int64)
    count = 0
    p, q = np.empty(2), np.empty(2)
    for t in range(len(tri)):
        for k in range(3):
            n = nbr[t, k]
            u, v = label[tri[t, (k + 1) % 3]], label[tri[t, (k + 2) % 3]]
            if n <= t or u == v or u < 0 or v < 0:
                continue
            p[:], q[:] = centre[t], centre[n]
            enter, leave = _cut(p, q, low, high)
            if enter >= leave:
                continue
            row = out[count]
            for axis in range(2):
                delta = q[axis] - p[axis]
                row[axis] = np.int64(np.rint(p[axis] + enter * delta if enter > 0 else p[axis]))
                row[2 + axis] = np.int64(np.rint(p[axis] + leave * delta if leave < 1 else q[axis]))
            row[4], row[5] = v, u
            if row[0] != row[2] or row[1] != row[3]:
                count += 1
    return out[:count]


@kernel
def _bands(
    ring: NDArray[np.int64], low: int, size: int, n: int
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:  # pragma: no cover
    """Register every outline edge in all horizontal bands it reaches; CSR of edge numbers by band."""
    first = np.zeros(n + 1, np.int64)
    for e in range(len(ring)):
        for band in range(
            (min(ring[e, 1], ring[e, 3]) - low) // size, (max(ring[e, 1], ring[e, 3]) - low) // size + 1
        ):
            first[band + 1] += 1
    first = np.cumsum(first)
    entry = np.empty(first[n], np.int64)
    fill = first[:-1].copy()
    for e in range(len(ring)):
        for band in range(
            (min(ring[e, 1], ring[e, 3]) - low) // size, (max(ring[e, 1], ring[e, 3]) - low) // size + 1
        ):
            entry[fill[band]] = e
            fill[band] += 1
    return first, entry


@kernel
def _left(ax: int, ay: int, bx: int, by: int, px: int, py: int) -> bool:  # pragma: no cover
    """Say whether p, moved by (e, e * e), is left of a -> b."""
    side = orient(ax, ay, bx, by, px, py)
    if side != 0:
        return side > 0
    if ay != by:
        return by < ay
    return bx > ax


@kernel
def _ahead(px: int, py: int, qx: int, qy: int, ax: int, ay: int) -> bool:  # pragma: no cover
    """Say whether a is left of p -> q when p and q are moved by (e, e * e)."""
    side = orient(px, py, qx, qy, ax, ay)
    if side != 0:
        return side > 0
    if qy != py:
        return qy > py
    return qx < px


@kernel
def _inside(
    px: int,
    py: int,
    ring: NDArray[np.int64],
    first: NDArray[np.int64],
    entry: NDArray[np.int64],
    low: int,
    size: int,
) -> bool:  # pragma: no cover
    """Say whether p, moved by (e, e * e), is inside the outline: count the edges to its right."""
    band = (py - low) // size
    if py < low or band >= len(first) - 1:
        return False
    odd = False
    for k in range(first[band], first[band + 1]):
        e = entry[k]
        ax, ay, bx, by = ring[e, 0], ring[e, 1], ring[e, 2], ring[e, 3]
        if (ay > py) != (by > py):
            side = orient(ax, ay, bx, by, px, py)
            if (side > 0) if by > ay else (side < 0):
                odd = not odd
    return odd


@kernel
def _crossings(
    ridges: NDArray[np.int64],
    ring: NDArray[np.int64],
    first: NDArray[np.int64],
    entry: NDArray[np.int64],
    low: int,
    size: int,
) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.float64]]:  # pragma: no cover
    """Find where ridges cross the outline: CSR by ridge of the edge and the share of the ridge before it."""
    n = len(first) - 1
    seen = np.full(len(ring), -1, np.int64)
    start = np.zeros(len(ridges) + 1, np.int64)
    edge = np.empty(len(ridges) + 16, np.int64)
    share = np.empty(len(ridges) + 16)
    hits = 0
    for r in range(len(ridges)):
        px, py, qx, qy = ridges[r, 0], ridges[r, 1], ridges[r, 2], ridges[r, 3]
        for band in range(max(0, (min(py, qy) - low) // size), min(n - 1, (max(py, qy) - low) // size) + 1):
            for k in range(first[band], first[band + 1]):
                e = entry[k]
                ax, ay, bx, by = ring[e, 0], ring[e, 1], ring[e, 2], ring[e, 3]
                if seen[e] == r or max(ax, bx) < min(px, qx) or min(ax, bx) > max(px, qx):
                    continue
                seen[e] = r
                if _left(ax, ay, bx, by, px, py) == _left(ax, ay, bx, by, qx, qy):
                    continue
                if _ahead(px, py, qx, qy, ax, ay) == _ahead(px, py, qx, qy, bx, by):
                    continue
                if hits == len(edge):
                    edge, share = np.append(edge, edge), np.append(share, share)
                before = float(orient(ax, ay, bx, by, px, py))
                edge[hits] = e
                share[hits] = before / (before - float(orient(ax, ay, bx, by, qx, qy)))
                hits += 1
        start[r + 1] = hits
    return start, edge[:hits], share[:hits]


@kernel
def clip(
    ridges: NDArray[np.int64], ring: NDArray[np.int64]
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:  # pragma: no cover
    """Keep what lies inside the outline.

    Parameters
    ----------
    ridges
        int64, shape (r, 6), as `voronoi_ridges` returns them.
    ring
        int64, shape (m, 4): outline edges, holes included, in any order.

    Returns
    -------
    int64 (k, 6): the pieces inside, as in `ridges`; int64 (c, 3): outline edge, x, y of every crossing.
    """
    low = min(ring[:, 1].min(), ring[:, 3].min())
    high = max(ring[:, 1].max(), ring[:, 3].max())
    size = (high - low) // min(len(ring), 4096) + 1
    first, entry = _bands(ring, low, size, (high - low) // size + 1)
    start, edge, share = _crossings(ridges, ring, first, entry, low, size)
    pieces = np.empty((len(ridges) + len(edge), 6), np.int64)
    nodes = np.empty((len(edge), 3), np.int64)
    filled = 0
    for r in range(len(ridges)):
        px, py, qx, qy = ridges[r, 0], ridges[r, 1], ridges[r, 2], ridges[r, 3]
        inside = _inside(px, py, ring, first, entry, low, size)
        order = np.argsort(share[start[r] : start[r + 1]]) + start[r]
        ux, uy = px, py
        for k in range(len(order) + 1):
            vx, vy = qx, qy
            if k < len(order):
                hit = order[k]
                vx = px + np.int64(np.rint(share[hit] * (qx - px)))
                vy = py + np.int64(np.rint(share[hit] * (qy - py)))
                nodes[hit, 0], nodes[hit, 1], nodes[hit, 2] = edge[hit], vx, vy
            if inside and (ux != vx or uy != vy):
                pieces[filled, 0], pieces[filled, 1], pieces[filled, 2], pieces[filled, 3] = ux, uy, vx, vy
                pieces[filled, 4], pieces[filled, 5] = ridges[r, 4], ridges[r, 5]
                filled += 1
            inside = not inside
            ux, uy = vx, vy
    return pieces[:filled], nodes
