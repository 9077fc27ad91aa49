"""Borders inside blocks with several buildings, block by block."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from geo.cells.chains import straighten
from geo.cells.delaunay import triangulate
from geo.cells.ridges import MARGIN, clip, voronoi_ridges

if TYPE_CHECKING:
    from numpy.typing import NDArray

TOLERANCE_M = 0.5
"""Borders between two buildings are straightened by at most this."""


@dataclass(frozen=True)
class Pieces:
    """Borders inside blocks.

    Attributes
    ----------
    ends
        int64, shape (n, 4): x, y, x, y in steps.
    left, right
        int32, shape (n,): building on either side, -1 unknown.
    block
        int32, shape (n,).
    crossing
        int64, shape (c, 3): barrier edge, x, y of every end on the outline of a block.
    crossing_block
        int32, shape (c,): the block it was found from.
    """

    ends: NDArray[np.int64]
    left: NDArray[np.int32]
    right: NDArray[np.int32]
    block: NDArray[np.int32]
    crossing: NDArray[np.int64]
    crossing_block: NDArray[np.int32]

    def without(self, blocks: NDArray[np.bool_]) -> Pieces:
        """Drop everything that came from the given blocks."""
        keep, cross = ~blocks[self.block], ~blocks[self.crossing_block]
        return Pieces(
            self.ends[keep],
            self.left[keep],
            self.right[keep],
            self.block[keep],
            self.crossing[cross],
            self.crossing_block[cross],
        )

    @classmethod
    def concatenate(cls, parts: list[Pieces]) -> Pieces:
        """Join several, in the order given."""
        return cls(
            np.concatenate([np.empty((0, 4), np.int64), *(p.ends for p in parts)]),
            np.concatenate([np.empty(0, np.int32), *(p.left for p in parts)]),
            np.concatenate([np.empty(0, np.int32), *(p.right for p in parts)]),
            np.concatenate([np.empty(0, np.int32), *(p.block for p in parts)]),
            np.concatenate([np.empty((0, 3), np.int64), *(p.crossing for p in parts)]),
            np.concatenate([np.empty(0, np.int32), *(p.crossing_block for p in parts)]),
        )


@dataclass(frozen=True)
class Jobs:
    """Blocks to divide, as flat arrays: block i has the rows ``first[i]:first[i + 1]`` of each table.

    Attributes
    ----------
    block
        int32, shape (n,): the numbers of the blocks.
    seed_first, ring_first
        int64, shape (n + 1,).
    seed_xy, along
        float64, shape (s, 2): samples in metres from the lattice origin, and a third of their piece of wall.
    seed_building
        int32, shape (s,).
    ring
        int64, shape (r, 4): directed outline edges in steps; ring_edge, int64 (r,): their barrier edges.
    step_m
        float64, shape (2,).
    """

    block: NDArray[np.int32]
    seed_first: NDArray[np.int64]
    seed_xy: NDArray[np.float64]
    along: NDArray[np.float64]
    seed_building: NDArray[np.int32]
    ring_first: NDArray[np.int64]
    ring: NDArray[np.int64]
    ring_edge: NDArray[np.int64]
    step_m: NDArray[np.float64]

    def take(self, rows: NDArray[np.intp]) -> Jobs:
        """Return the jobs at consecutive `rows`."""
        low, high = int(rows[0]), int(rows[-1]) + 1
        seeds = slice(self.seed_first[low], self.seed_first[high])
        ring = slice(self.ring_first[low], self.ring_first[high])
        return Jobs(
            self.block[low:high],
            self.seed_first[low : high + 1] - self.seed_first[low],
            self.seed_xy[seeds],
            self.along[seeds],
            self.seed_building[seeds],
            self.ring_first[low : high + 1] - self.ring_first[low],
            self.ring[ring],
            self.ring_edge[ring],
            self.step_m,
        )


def divide(jobs: Jobs, *, tolerance_m: float = TOLERANCE_M) -> Pieces:
    """Draw the borders inside the blocks of `jobs`."""
    drawn = [_divide_one(jobs, i, tolerance_m) for i in range(len(jobs.block))]
    if not drawn:
        return Pieces.concatenate([])
    pieces, crossing = np.concatenate([d[0] for d in drawn]), np.concatenate([d[1] for d in drawn])
    return Pieces(
        pieces[:, :4].copy(),
        pieces[:, 4].astype(np.int32),
        pieces[:, 5].astype(np.int32),
        np.repeat(jobs.block, [len(d[0]) for d in drawn]),
        crossing,
        np.repeat(jobs.block, [len(d[1]) for d in drawn]),
    )


def _divide_one(jobs: Jobs, i: int, tolerance_m: float) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return the pieces (x, y, x, y, left building, right building) and crossings (edge, x, y) of one block."""
    seeds = slice(jobs.seed_first[i], jobs.seed_first[i + 1])
    outline = slice(jobs.ring_first[i], jobs.ring_first[i + 1])
    corner = jobs.ring[outline, :2].min(axis=0)
    ring = jobs.ring[outline] - np.tile(corner, 2)
    top = ring[:, :2].max(axis=0)
    xy = np.rint((jobs.seed_xy[seeds] - corner * jobs.step_m) * 1000).astype(np.int64)
    bounds = np.concatenate([[0, 0], np.ceil(top * jobs.step_m * 1000)]).astype(np.int64)
    x, y, label, tri, nbr = triangulate(xy, jobs.seed_building[seeds], jobs.along[seeds] * 1000, bounds)
    scale = 1 / (1000 * jobs.step_m)
    box = np.array([-MARGIN, -MARGIN], float), (top + MARGIN).astype(float)
    pieces, nodes = clip(voronoi_ridges(x, y, label, tri, nbr, scale, *box), ring)
    pieces = straighten(pieces, nodes, jobs.step_m, tolerance_m)
    pieces[:, :4] += np.tile(corner, 2)
    nodes[:, 1:] += corner
    nodes[:, 0] = jobs.ring_edge[outline][nodes[:, 0]]
    return pieces, nodes
