"""On which side of a drawn line points lie, the line prolonged at both ends without limit."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

BEYOND = 10.0
"""How far the line is prolonged, in diagonals of points and line together."""

ARC = 32
"""Straight pieces of the circle that closes the line far outside."""


def side_of_line(line: NDArray[np.float64], points: NDArray[np.float64]) -> NDArray[np.bool_]:
    """Say for every point on which side of a line it lies.

    The line is prolonged to a circle far outside and closed along it; the sides are the inside and the outside of
    that outline by the even-odd rule (Shimrat 1962). So a line that crosses itself has two sides as well.

    Parameters
    ----------
    line
        Shape (k, 2), metres, at least two different points.
    points
        Shape (n, 2), metres.

    Returns
    -------
    bool, shape (n,): True on the left of the line, walked from its first point, where it does not cross itself.
    """
    every = np.concatenate([line, points])
    centre = (every.min(axis=0) + every.max(axis=0)) / 2.0
    radius = BEYOND * (float(np.hypot(*(every.max(axis=0) - every.min(axis=0)))) + 1.0)
    line = line[np.append(True, np.any(np.diff(line, axis=0) != 0.0, axis=1))] - centre
    first = _on_circle(line[0], line[0] - line[1], radius)
    last = _on_circle(line[-1], line[-1] - line[-2], radius)
    begin = np.arctan2(last[1], last[0])
    turn = (np.arctan2(first[1], first[0]) - begin) % (2.0 * np.pi)
    angle = begin + turn * np.arange(1, ARC) / ARC
    arc = radius * np.column_stack([np.cos(angle), np.sin(angle)])
    return _inside(np.concatenate([first[None], line, last[None], arc]), points - centre)


def _on_circle(start: NDArray[np.float64], along: NDArray[np.float64], radius: float) -> NDArray[np.float64]:
    """Follow a ray from inside a circle around the origin until it meets the circle."""
    unit = along / np.hypot(*along)
    ahead = float(start @ unit)
    reach = -ahead + np.sqrt(ahead**2 + radius**2 - float(start @ start))
    result: NDArray[np.float64] = start + reach * unit
    return result


def _inside(ring: NDArray[np.float64], points: NDArray[np.float64]) -> NDArray[np.bool_]:
    """Even-odd rule by a ray to the east of each point."""
    a, b = ring, np.roll(ring, -1, axis=0)
    x, y = points[:, :1], points[:, 1:]
    crosses = (a[:, 1] > y) != (b[:, 1] > y)
    rise = np.where(a[:, 1] == b[:, 1], 1.0, b[:, 1] - a[:, 1])
    at = a[:, 0] + (y - a[:, 1]) * (b[:, 0] - a[:, 0]) / rise
    inside: NDArray[np.bool_] = ((crosses & (x < at)).sum(axis=1) % 2).astype(np.bool_)
    return inside
