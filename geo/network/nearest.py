"""Numba kernels: the nearest stretch of street by a grid of square bins, exactly."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from geo.jit import kernel

if TYPE_CHECKING:
    from numpy.typing import NDArray

CLOSE_M = 1e-9
"""Edges whose distances differ by less are equally near; the lowest is taken."""


@kernel
def _span(low: float, high: float, origin: float, cell: float, n: int) -> tuple[int, int]:
    """Return the first and last bin that the stretch from low to high touches."""
    return max(0, int((low - origin) / cell)), min(n - 1, int((high - origin) / cell))


class Bins(NamedTuple):
    """Square bins over segments.

    Attributes
    ----------
    low
        float64, shape (2,): lower left corner.
    cell
        Side of a bin in metres.
    nx, ny
        Number of bins.
    first, held
        int64, shape (nx * ny + 1,), and int32: the segments bin by bin.
    """

    low: NDArray[np.float64]
    cell: float
    nx: int
    ny: int
    first: NDArray[np.int64]
    held: NDArray[np.int32]


class Segments(NamedTuple):
    """Straight segments: ends, float64 (n, 4); edge and place of each, int32 (n,)."""

    xy: NDArray[np.float64]
    edge: NDArray[np.int32]
    place: NDArray[np.int32]


@kernel
def fill_bins(
    segments: NDArray[np.float64], low: NDArray[np.float64], cell: float, nx: int, ny: int
) -> tuple[NDArray[np.int64], NDArray[np.int32]]:
    """Put every segment into the bins its bounding box touches, see `Bins`."""
    first = np.zeros(nx * ny + 1, np.int64)
    held = np.empty(0, np.int32)
    free = first
    for turn in range(2):
        if turn == 1:
            for k in range(nx * ny):
                first[k + 1] += first[k]
            held = np.empty(first[nx * ny], np.int32)
            free = first[:-1].copy()
        for s in range(len(segments)):
            ax, ay, bx, by = segments[s]
            x0, x1 = _span(min(ax, bx), max(ax, bx), low[0], cell, nx)
            y0, y1 = _span(min(ay, by), max(ay, by), low[1], cell, ny)
            for cx in range(x0, x1 + 1):
                for cy in range(y0, y1 + 1):
                    k = cx * ny + cy
                    if turn == 0:
                        first[k + 1] += 1
                    else:
                        held[free[k]] = s
                        free[k] += 1
    return first, held


@kernel
def _project(  # noqa: PLR0917 - compiled code takes no keyword-only arguments
    px: float, py: float, ax: float, ay: float, bx: float, by: float
) -> tuple[float, float]:
    """Return the distance from p to the segment a b, and the distance of the foot from a."""
    dx, dy = bx - ax, by - ay
    square = dx * dx + dy * dy
    t = 0.0
    if square > 0.0:
        t = min(1.0, max(0.0, ((px - ax) * dx + (py - ay) * dy) / square))
    gx, gy = ax + t * dx - px, ay + t * dy - py
    return np.sqrt(gx * gx + gy * gy), t * np.sqrt(square)


@kernel
def _look(  # noqa: PLR0917 - compiled code takes no keyword-only arguments
    x: float, y: float, place: int, segments: Segments, bins: Bins, k: int, best: tuple[int, float, float]
) -> tuple[int, float, float]:
    """Return the better of `best` and what bin k holds: segment, metres along it, distance."""
    found, along, away = best
    for i in range(bins.first[k], bins.first[k + 1]):
        s = bins.held[i]
        if segments.place[s] != place:
            continue
        ax, ay, bx, by = segments.xy[s, 0], segments.xy[s, 1], segments.xy[s, 2], segments.xy[s, 3]
        d, t = _project(x, y, ax, ay, bx, by)
        if found < 0:
            nearer = d <= away
        else:
            nearer = d < away - CLOSE_M or (d <= away + CLOSE_M and segments.edge[s] < segments.edge[found])
        if nearer:
            found, along, away = s, t, d
    return found, along, away


@kernel
def nearest_segments(
    points: NDArray[np.float64], place: NDArray[np.int32], segments: Segments, bins: Bins, reach: float
) -> tuple[NDArray[np.int32], NDArray[np.float64], NDArray[np.float64]]:
    """Return the nearest segment of every point among those of its own place, -1 beyond `reach`.

    Bins are searched in square rings around the point until no nearer segment is possible, so the answer is exact.

    Parameters
    ----------
    points, place
        float64 (p, 2) and int32 (p,): only segments with the same place count.
    segments, bins
        The segments; of equally near ones that of the lowest edge is taken.
    reach
        Largest distance in metres, inclusive.

    Returns
    -------
    Segment, distance of the foot from the segment's start, distance to the segment (inf for none).
    """
    n = len(points)
    found = np.full(n, -1, np.int32)
    along = np.zeros(n)
    away = np.full(n, np.inf)
    cell, nx, ny = bins.cell, bins.nx, bins.ny
    for p in range(n):
        px, py = points[p, 0] - bins.low[0], points[p, 1] - bins.low[1]
        if not (np.isfinite(px) and np.isfinite(py)):
            continue
        cx, cy = int(np.floor(px / cell)), int(np.floor(py / cell))
        inner = min(px - cx * cell, (cx + 1) * cell - px, py - cy * cell, (cy + 1) * cell - py)
        last = max(abs(cx), abs(cx - nx + 1), abs(cy), abs(cy - ny + 1))
        best = (-1, 0.0, reach)
        # Rings that lie wholly outside the bins hold nothing.
        ring = max(-cx, cx - nx + 1, -cy, cy - ny + 1, 0)
        while ring <= last and (ring == 0 or (ring - 1) * cell + inner <= best[2] + CLOSE_M):
            for x in range(max(cx - ring, 0), min(cx + ring, nx - 1) + 1):
                side = ring == 0 or x == cx - ring or x == cx + ring
                for y in range(cy - ring, cy + ring + 1, 1 if side else 2 * ring):
                    if 0 <= y < ny:
                        k = x * ny + y
                        best = _look(points[p, 0], points[p, 1], place[p], segments, bins, k, best)
            ring += 1
        if best[0] >= 0:
            found[p], along[p], away[p] = best
    return found, along, away
