"""Trim ends of streets that are drawn a little past a barrier."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from geo.network.lines import Lines
    from geo.network.noding import Stops

OVERSHOOT_M = 2.0
"""A loose end no farther than this past a barrier does not cross it: the street ends there."""


def trim(lines: Lines, stops: Stops, stop_of_wall: NDArray[np.int64]) -> tuple[Lines, int]:
    """Cut loose ends back to the barrier they were drawn past; return the lines and how many ends were cut."""
    on_wall = np.zeros(len(stops.line), bool)
    on_wall[stop_of_wall] = True
    held = np.bincount(stops.node, minlength=len(stops.node_xy))
    same = stops.line[1:] == stops.line[:-1]
    short = same & (np.diff(stops.at) <= OVERSHOOT_M)
    first = np.flatnonzero(~np.concatenate([[False], same]))
    last = np.flatnonzero(~np.concatenate([same, [False]]))
    low, high = np.full(len(lines), -np.inf), np.full(len(lines), np.inf)
    ends = first[(held[stops.node[first]] == 1) & np.append(short, False)[first]]
    ends = ends[on_wall[ends + 1] & ~on_wall[ends]] + 1
    tails = last[(held[stops.node[last]] == 1) & np.insert(short, 0, False)[last]]
    tails = tails[on_wall[tails - 1] & ~on_wall[tails]] - 1
    low[stops.line[ends]] = stops.at[ends]
    high[stops.line[tails]] = stops.at[tails]
    new = np.concatenate([ends, tails])
    if not len(new):
        return lines, 0
    trimmed = _between(
        lines, low, high, at=stops.at[new], line=stops.line[new], xy=stops.node_xy[stops.node[new]]
    )
    return trimmed, len(new)


def _between(
    lines: Lines,
    low: NDArray[np.float64],
    high: NDArray[np.float64],
    *,
    at: NDArray[np.float64],
    line: NDArray[np.int64],
    xy: NDArray[np.float64],
) -> Lines:
    """Return the vertices of lines between two places along each, with new ends `xy` at `at` on `line`."""
    along, owner = lines.along, np.repeat(np.arange(len(lines)), np.diff(lines.start))
    kept = np.flatnonzero((along > low[owner]) & (along < high[owner]))
    line, at = np.concatenate([owner[kept], line]), np.concatenate([along[kept], at])
    order = np.lexsort((at, line))
    size = np.bincount(line, minlength=len(lines))
    cut = replace(
        lines, xy=np.vstack([lines.xy[kept], xy])[order], start=np.concatenate([[0], np.cumsum(size)])
    )
    return cut.take((size >= 2) & (high > low))
