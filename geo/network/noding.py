"""Find where lines meet: crossings, ends on lines, overlaps, and ends that nearly meet."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import shapely
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from geo.network.lines import TOUCH_M

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from geo.network.lines import Barrier, Lines


@dataclass(frozen=True, eq=False)
class Meetings:
    """Places where a straight piece meets another one.

    Attributes
    ----------
    first, second
        int64, shape (n,): the pieces.
    at_first, at_second
        float64, shape (n,): metres from the start of each piece.
    xy
        float64, shape (n, 2).
    proper
        bool, shape (n,): the two cross between their ends; else an end of one lies on the other.
    """

    first: NDArray[np.int64]
    second: NDArray[np.int64]
    at_first: NDArray[np.float64]
    at_second: NDArray[np.float64]
    xy: NDArray[np.float64]
    proper: NDArray[np.bool_]

    def take(self, keep: NDArray[np.bool_]) -> Meetings:
        """Return the meetings of a mask."""
        return Meetings(
            self.first[keep],
            self.second[keep],
            self.at_first[keep],
            self.at_second[keep],
            self.xy[keep],
            self.proper[keep],
        )


@dataclass(frozen=True, eq=False)
class Stops:
    """Places on lines where an edge begins or ends, sorted by line and place; both ends of a line are among them.

    Attributes
    ----------
    line
        int64, shape (n,).
    at
        float64, shape (n,): metres from the line's first vertex.
    node
        int64, shape (n,): stops at one place have the same node.
    node_xy
        float64, shape (nodes, 2).
    """

    line: NDArray[np.int64]
    at: NDArray[np.float64]
    node: NDArray[np.int64]
    node_xy: NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Pieces:
    """Straight pieces of lines: ends, float64 (n, 4), line, and metres of the start along it."""

    xy: NDArray[np.float64]
    line: NDArray[np.int64]
    at: NDArray[np.float64]


def pieces_of(lines: Lines) -> Pieces:
    """Take lines apart into straight pieces."""
    size = np.diff(lines.start)
    line = np.repeat(np.arange(len(lines)), size)
    head = np.flatnonzero(line[1:] == line[:-1])
    return Pieces(np.hstack([lines.xy[head], lines.xy[head + 1]]), line[head], lines.along[head])


def as_shapes(xy: NDArray[np.float64]) -> NDArray[Any]:
    """Return pieces as LineStrings."""
    return np.asarray(shapely.linestrings(xy.reshape(-1, 2, 2)), dtype=object)


def meet(
    a: NDArray[np.float64],
    b: NDArray[np.float64],
    first: NDArray[np.int64],
    second: NDArray[np.int64],
) -> Meetings:
    """Return where pairs of pieces meet: ends that lie on the other one, else the point where they cross.

    Parameters
    ----------
    a, b
        float64, shape (n, 4) and (m, 4).
    first, second
        int64, shape (pairs,): rows of `a` and of `b`.
    """
    p, q = a[first], b[second]
    length_p, length_q = _length(p), _length(q)
    found = []
    touched = np.zeros(len(first), bool)
    for end in (0, 2):
        for tip, other, reach, mine in (
            (p[:, end : end + 2], q, length_q, length_p),
            (q[:, end : end + 2], p, length_p, length_q),
        ):
            at, away = _foot(tip, other, reach)
            rows = np.flatnonzero(away <= TOUCH_M)
            touched[rows] = True
            own = np.where(end == 0, 0.0, mine[rows])
            ours = (own, at[rows]) if other is q else (at[rows], own)
            found.append((rows, *ours, tip[rows], np.zeros(len(rows), bool)))
    rows, at_p, at_q, xy = _crossings(p, q, np.flatnonzero(~touched))
    found.append((rows, at_p, at_q, xy, np.ones(len(rows), bool)))
    pair, at_first, at_second, xy, proper = (np.concatenate(part) for part in zip(*found, strict=True))
    return Meetings(first[pair], second[pair], at_first, at_second, xy, proper)


def _length(p: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.hypot(p[:, 2] - p[:, 0], p[:, 3] - p[:, 1])


def _foot(
    tip: NDArray[np.float64], piece: NDArray[np.float64], length: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the metres along each piece of the place nearest to its tip, and the distance."""
    unit = (piece[:, 2:] - piece[:, :2]) / length[:, None]
    gap = tip - piece[:, :2]
    at = np.clip((gap * unit).sum(axis=1), 0.0, length)
    rest = gap - at[:, None] * unit
    return at, np.hypot(rest[:, 0], rest[:, 1])


def _crossings(
    p: NDArray[np.float64], q: NDArray[np.float64], rows: NDArray[np.intp]
) -> tuple[NDArray[np.intp], NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
    p, q = p[rows], q[rows]
    u, v, w = p[:, 2:] - p[:, :2], q[:, 2:] - q[:, :2], q[:, :2] - p[:, :2]
    cross = u[:, 0] * v[:, 1] - u[:, 1] * v[:, 0]
    slanted = np.flatnonzero(cross != 0)
    rows, cross = rows[slanted], cross[slanted]
    p, q, u, v, w = p[slanted], q[slanted], u[slanted], v[slanted], w[slanted]
    t = (w[:, 0] * v[:, 1] - w[:, 1] * v[:, 0]) / cross
    s = (w[:, 0] * u[:, 1] - w[:, 1] * u[:, 0]) / cross
    hit = (t > 0) & (t < 1) & (s > 0) & (s < 1)
    t, s = t[hit], s[hit]
    xy = p[hit, :2] + t[:, None] * u[hit]
    return rows[hit], t * _length(p[hit]), s * _length(q[hit]), xy


def street_meetings(lines: Lines, pieces: Pieces, tree: shapely.STRtree) -> Meetings:
    """Return where streets meet each other.

    An end of a line meets whatever it lies on; elsewhere only lines of one level meet, so a bridge passes over.
    """
    first, second = tree.query(tree.geometries, predicate="dwithin", distance=TOUCH_M)
    keep = first < second
    # A piece meets the next one of its line in their common vertex, which is no news, unless the line turns back.
    step = pieces.xy[:, 2:] - pieces.xy[:, :2]
    following = (pieces.line[first] == pieces.line[second]) & (second == first + 1)
    length = _length(pieces.xy)
    keep &= ~following | ((step[first] * step[second]).sum(axis=1) < -0.999 * length[first] * length[second])
    met = meet(pieces.xy, pieces.xy, first[keep], second[keep])
    a, b = pieces.line[met.first], pieces.line[met.second]
    level = lines.level[a] == lines.level[b]
    total = lines.along[lines.start[1:] - 1]
    for line, at in ((a, pieces.at[met.first] + met.at_first), (b, pieces.at[met.second] + met.at_second)):
        level |= (at <= TOUCH_M) | (at >= total[line] - TOUCH_M)
    return met.take(level)


def barrier_meetings(pieces: Pieces, tree: shapely.STRtree, barrier: Barrier) -> Meetings:
    """Return where streets (first) meet barriers (second)."""
    if not len(barrier.xy):
        nothing = np.empty(0, np.int64)
        return meet(pieces.xy, np.empty((0, 4)), nothing, nothing)
    second, first = tree.query(as_shapes(barrier.xy), predicate="dwithin", distance=TOUCH_M)
    return meet(pieces.xy, barrier.xy, first, second)


def make_stops(
    lines: Lines, pieces: Pieces, met: Meetings, walls: Meetings
) -> tuple[Stops, NDArray[np.int64]]:
    """Put stops at the ends of lines and where they meet streets or barriers, and number the nodes.

    Returns
    -------
    The stops, and the stop of every meeting with a barrier, int64, shape (walls,).
    """
    n, m = len(lines), len(met.first)
    along = lines.along
    ends = np.stack([lines.start[:-1], lines.start[1:] - 1], axis=1).reshape(-1)
    piece = np.concatenate([met.first, met.second, walls.first])
    line = np.concatenate([np.repeat(np.arange(n), 2), pieces.line[piece]])
    step = np.concatenate([met.at_first, met.at_second, walls.at_first])
    at = np.concatenate([along[ends], pieces.at[piece] + step])
    # The ends come first: where several places are one, the coordinates of an end are the node's.
    xy = np.vstack([lines.xy[ends], met.xy, met.xy, walls.xy])
    order = np.lexsort((at, line))
    fresh = np.ones(len(order), bool)
    fresh[1:] = (line[order[1:]] != line[order[:-1]]) | (at[order[1:]] - at[order[:-1]] > TOUCH_M)
    stop = np.empty(len(order), np.int64)
    stop[order] = np.cumsum(fresh) - 1
    first = order[fresh]
    pair = stop[2 * n : 2 * n + m], stop[2 * n + m : 2 * n + 2 * m]
    node = joined(len(first), *pair)
    lowest = np.full(node.max(initial=-1) + 1, len(order), np.int64)
    np.minimum.at(lowest, node[stop], np.arange(len(order)))
    return Stops(line[first], at[first], node, xy[lowest]), stop[2 * n + 2 * m :]


def joined(n: int, a: NDArray[Any], b: NDArray[Any]) -> NDArray[np.int64]:
    """Return the connected part of each of `n` things when a[i] and b[i] belong together."""
    graph = coo_array((np.ones(len(a), bool), (a, b)), shape=(n, n))
    return np.asarray(connected_components(graph, directed=False)[1], np.int64)
