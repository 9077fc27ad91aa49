"""Join loose ends of streets over small gaps."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import shapely

from geo.network.lines import TOUCH_M, Lines, together
from geo.network.noding import Meetings, Pieces, Stops, as_shapes, joined

if TYPE_CHECKING:
    from numpy.typing import NDArray

INSET = 0.05
"""A joint is held against the barriers without this share at either end: a street may end at a wall."""


def join_gaps(
    lines: Lines,
    pieces: Pieces,
    met: Meetings,
    stops: Stops,
    *,
    tree: shapely.STRtree,
    barriers: shapely.STRtree | None,
) -> tuple[Lines, Pieces, Meetings, int]:
    """Add a straight joint from every loose end to the nearest street within reach, and its meetings.

    An end is loose when nothing else is there, or when all it hangs together with is another connected part than
    the street nearby. A joint crosses no barrier; one from an end at grade leads to a bridge only at its end.

    Returns
    -------
    Lines, pieces and meetings with the joints at the end, and the number of joints.
    """
    end, piece = _pairs(lines, pieces, stops, tree)
    own_line = stops.line[end]
    tip = stops.node_xy[stops.node[end]]
    at, away, foot = _feet(tip, pieces.xy[piece])
    keep = away <= lines.reach_m[own_line]
    if barriers is not None and keep.any():
        keep[keep] &= _free(tip[keep], foot[keep], barriers)
    total = lines.along[lines.start[1:] - 1]
    place = pieces.at[piece] + at
    other = pieces.line[piece]
    at_end = (place <= 0) | (place >= total[other])
    keep &= (lines.level[own_line] == lines.level[other]) | (lines.level[own_line] != 0) | at_end
    rows = np.flatnonzero(keep)
    node = stops.node[end]
    rows = rows[np.lexsort((piece[rows], away[rows], node[rows]))]
    rows = rows[np.unique(node[rows], return_index=True)[1]]
    rows = rows[_once(node[rows], foot[rows], tip[rows])]
    return (
        *_with_joints(
            lines, pieces, met, stops, end=end[rows], piece=piece[rows], at=at[rows], foot=foot[rows]
        ),
        len(rows),
    )


def _pairs(
    lines: Lines, pieces: Pieces, stops: Stops, tree: shapely.STRtree
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return (stop, piece) for every loose end and every piece of another street near it."""
    n_nodes = len(stops.node_xy)
    is_end = np.ones(len(stops.line), bool)
    is_end[1:-1] = (stops.line[1:-1] != stops.line[:-2]) | (stops.line[1:-1] != stops.line[2:])
    ends = np.flatnonzero(is_end)
    reach = lines.reach_m[stops.line[ends]]
    ends, reach = ends[reach > 0], reach[reach > 0]
    spots = shapely.points(stops.node_xy[stops.node[ends]])
    row, piece = tree.query(spots, predicate="dwithin", distance=reach)
    end = ends[row]
    held = np.bincount(stops.node, minlength=n_nodes)
    same = stops.line[1:] == stops.line[:-1]
    part = joined(n_nodes, stops.node[:-1][same], stops.node[1:][same])
    part_of_line = np.empty(len(lines), np.int64)
    part_of_line[stops.line] = part[stops.node]
    loose = held[stops.node[end]] == 1
    other_part = part[stops.node[end]] != part_of_line[pieces.line[piece]]
    here = stops.line * n_nodes + stops.node
    there = pieces.line[piece] * n_nodes + stops.node[end]
    keep = (loose | other_part) & ~np.isin(there, here)
    return end[keep], piece[keep]


def _feet(
    tip: NDArray[np.float64], piece: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
    """Return metres along the piece, distance, and place of the foot of each tip."""
    step = piece[:, 2:] - piece[:, :2]
    length = np.hypot(step[:, 0], step[:, 1])
    unit = step / length[:, None]
    at = np.clip(((tip - piece[:, :2]) * unit).sum(axis=1), 0.0, length)
    foot = np.where((at == length)[:, None], piece[:, 2:], piece[:, :2] + at[:, None] * unit)
    return at, np.hypot(*(tip - foot).T), foot


def _free(a: NDArray[np.float64], b: NDArray[np.float64], barriers: shapely.STRtree) -> NDArray[np.bool_]:
    """Tell which joints keep off the barriers but at their ends: one along a wall would lead through it."""
    inner = np.hstack([a + INSET * (b - a), b + INSET * (a - b)])
    free = np.ones(len(a), bool)
    free[barriers.query(as_shapes(inner), predicate="dwithin", distance=TOUCH_M)[0]] = False
    return free


def _once(node: NDArray[np.int64], foot: NDArray[np.float64], tip: NDArray[np.float64]) -> NDArray[np.bool_]:
    """Drop the second of two joints that lead from one loose end to another and back."""
    low, high = np.minimum(foot, tip), np.maximum(foot, tip)
    key = np.hstack([low, high])
    first = np.unique(key, axis=0, return_index=True)[1]
    keep = np.zeros(len(node), bool)
    keep[first] = True
    return keep


def _with_joints(
    lines: Lines,
    pieces: Pieces,
    met: Meetings,
    stops: Stops,
    *,
    end: NDArray[np.int64],
    piece: NDArray[np.int64],
    at: NDArray[np.float64],
    foot: NDArray[np.float64],
) -> tuple[Lines, Pieces, Meetings]:
    k = len(end)
    if not k:
        return lines, pieces, met
    tip = stops.node_xy[stops.node[end]]
    own = stops.line[end]
    joints = Lines(
        xy=np.stack([tip, foot], axis=1).reshape(-1, 2),
        start=np.arange(k + 1) * 2,
        row=np.full(k, -1, np.int32),
        kind=lines.kind[own],
        level=lines.level[own],
        marked=np.zeros(k, bool),
        reach_m=np.zeros(k),
    )
    number = len(pieces.line) + np.arange(k)
    # The piece that holds the loose end, and where on it the end lies.
    edge_of_line = np.searchsorted(pieces.line, np.stack([own, own + 1]))
    at_start = stops.at[end] == 0
    mine = np.where(at_start, edge_of_line[0], edge_of_line[1] - 1)
    length = np.hypot(*(tip - foot).T)
    mine_at = np.where(at_start, 0.0, np.hypot(*(pieces.xy[mine, 2:] - pieces.xy[mine, :2]).T))
    more = Meetings(
        first=np.concatenate([mine, piece]),
        second=np.concatenate([number, number]),
        at_first=np.concatenate([mine_at, at]),
        at_second=np.concatenate([np.zeros(k), length]),
        xy=np.vstack([tip, foot]),
        proper=np.zeros(2 * k, bool),
    )
    both = Meetings(
        *(
            np.concatenate([getattr(met, name), getattr(more, name)])
            for name in ("first", "second", "at_first", "at_second", "xy", "proper")
        )
    )
    added = Pieces(
        np.vstack([pieces.xy, joints.xy.reshape(-1, 4)]),
        np.concatenate([pieces.line, len(lines) + np.arange(k)]),
        np.concatenate([pieces.at, np.zeros(k)]),
    )
    return together([lines, joints]), added, both
