"""Needles: places where two barriers run so close that a node put on one of them would cross the other.

Rounding a node to the grid bends the barrier it lies on by up to a step. Where the next barrier is as near as
that, the border that ends there is led to a node the barrier has already.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import shapely

from geo.cells.interior import Pieces

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from geo.cells.barriers import Edges

CLOSE_STEPS = 2.5


def close_crossings(
    outline: NDArray[np.int64], source: NDArray[np.int64], crossing: NDArray[np.int64]
) -> NDArray[np.int64]:
    """Return the crossings (edge, x, y) on the outline of a block that lie within steps of another edge of it.

    Parameters
    ----------
    outline
        int64, shape (k, 4): the subdivided outline, in steps; source, int64 (k,), the barrier edge of each.
    crossing
        int64, shape (c, 3): all crossings.
    """
    mine = np.unique(crossing[np.isin(crossing[:, 0], source)], axis=0)
    points = shapely.points(mine[:, 1:].astype(np.float64))
    tree = shapely.STRtree(shapely.linestrings(outline.reshape(-1, 2, 2).astype(np.float64)))
    node, edge = tree.query(points, predicate="dwithin", distance=CLOSE_STEPS)
    return mine[np.unique(node[mine[node, 0] != source[edge]])]


def lead_away(pieces: Pieces, barriers: Edges, avoid: NDArray[np.int64]) -> Pieces:
    """Move every end of a border at the crossings to avoid (edge, x, y) to the nearest other node of that edge."""
    unwanted = set(map(tuple, avoid.tolist()))
    guilty = np.array([tuple(row) in unwanted for row in pieces.crossing.tolist()], bool)
    if not guilty.any():
        return pieces
    ends = pieces.ends.copy()
    for edge, x, y in np.unique(pieces.crossing[guilty], axis=0).tolist():
        fine = pieces.crossing[(pieces.crossing[:, 0] == edge) & ~guilty, 1:]
        nodes = np.vstack([barriers.xy[[barriers.start[edge], barriers.end[edge]]], fine])
        nearest = nodes[np.argmin(((nodes - (x, y)) ** 2).sum(axis=1))]
        beside = (pieces.block == barriers.left[edge]) | (pieces.block == barriers.right[edge])
        for column in (0, 2):
            here = beside & (ends[:, column] == x) & (ends[:, column + 1] == y)
            ends[here, column : column + 2] = nearest
    kept = (ends[:, :2] != ends[:, 2:]).any(axis=1)
    return Pieces(
        ends[kept],
        pieces.left[kept],
        pieces.right[kept],
        pieces.block[kept],
        pieces.crossing[~guilty],
        pieces.crossing_block[~guilty],
    )
