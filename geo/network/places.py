"""Which walled compound a point is in."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import shapely

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from geo.network.types import Network


def compound_of(network: Network, points: NDArray[np.float64]) -> NDArray[np.int32]:
    """Return the walled compound around each point, a row of the compounds layer; the lowest where several are.

    Parameters
    ----------
    points
        float64, shape (p, 2): in the network's CRS.

    Returns
    -------
    int32, shape (p,), -1 outside all, on a wall, or in a compound that counts as open.
    """
    answer = np.full(len(points), -1, np.int32)
    walled = np.flatnonzero([wall is not None for wall in network.walls])
    if not len(walled):
        return answer
    ok = np.isfinite(points).all(axis=1)
    row, wall = shapely.STRtree(network.walls[walled]).query(shapely.points(points[ok]), predicate="within")
    order = np.lexsort((-wall, row))
    answer[np.flatnonzero(ok)[row[order]]] = walled[wall[order]]
    return answer


def with_wall(network: Network, compound: NDArray[np.int32]) -> NDArray[np.int32]:
    """Return the compounds given, -1 for those without a wall."""
    if not len(network.walls):
        return np.full(len(compound), -1, np.int32)
    wall = np.array([shape is not None for shape in network.walls], bool)
    known = (compound >= 0) & (compound < len(wall))
    return np.where(known & wall[np.where(known, compound, 0)], compound, -1).astype(np.int32)
