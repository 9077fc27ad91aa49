"""Build the exact tiling of a city."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from geo.cells.finish import finish, make_cells
from geo.cells.interior import Pieces, divide
from geo.cells.needles import close_crossings, lead_away
from geo.cells.parts import Sites, assemble, outline_of, subdivide
from geo.cells.plan import jobs_of, lay_out
from geo.cells.snapped import shape_of, snap
from geo.errors import CancelledError, TilingError
from geo.types import CancelCheck, Progress, never_cancel, no_progress

if TYPE_CHECKING:
    from concurrent.futures import Executor

    from numpy.typing import NDArray

    from geo.cells.finish import Cells
    from geo.cells.interior import Jobs
    from geo.cells.plan import Layout
    from geo.city import City
    from geo.tiling import Tiling

STRAIGHT, DRAWN, SNAPPED, WHOLE = range(4)
"""How a block is divided: borders straightened; as drawn; noded by snap rounding; not at all, as one cell."""

CHUNK = 64
"""Blocks divided between two looks at the cancel switch."""

PATIENCE = 8
"""How often borders are led away from needles before their blocks are left whole instead."""

MANY_SAMPLES = 100_000
"""From here on dividing is worth sending to other processes."""


def build_tiling(
    city: City,
    *,
    executor: Executor | None = None,
    progress: Progress = no_progress,
    cancelled: CancelCheck = never_cancel,
) -> Tiling:
    """Divide every community into cells: an exact tiling that respects blocks.

    Blocks are the faces between community borders, roads, water, railways and compound walls. Inside a block with
    several buildings, borders follow the Voronoi diagram of their walls. Every cell is checked; a block whose
    borders do not hold after rounding to the grid is divided again in a slower, safer way, at the very last left
    whole, so the result is an exact tiling whatever the input.

    Parameters
    ----------
    city
        The cleaned layers.
    executor
        Where to divide the blocks of a large city; None for this process. The result does not depend on it.
    progress
        Told of the stage ``"cells"``.
    cancelled
        Asked between chunks of blocks.

    Raises
    ------
    CancelledError
        If `cancelled` said so.
    TilingError
        If the barriers themselves do not tile: a defect, never the input's fault.
    """
    progress("cells", 0, 100)
    layout = lay_out(city)
    progress("cells", 40, 100)
    jobs = jobs_of(layout)
    pieces = _divide_all(jobs, executor, progress, cancelled)
    cells = _checked(layout, jobs, pieces, cancelled)
    progress("cells", 95, 100)
    tiling = finish(city, layout, cells)
    progress("cells", 100, 100)
    return tiling


def _divide_all(jobs: Jobs, executor: Executor | None, progress: Progress, cancelled: CancelCheck) -> Pieces:
    """Divide all blocks, chunk by chunk in order; report from 40 to 70 percent."""
    chunks = [
        jobs.take(np.arange(low, min(low + CHUNK, len(jobs.block))))
        for low in range(0, len(jobs.block), CHUNK)
    ]
    away = executor is not None and len(jobs.seed_xy) >= MANY_SAMPLES
    results = executor.map(divide, chunks) if executor is not None and away else map(divide, chunks)
    done = []
    for pieces in results:
        done.append(pieces)
        if cancelled():
            raise CancelledError
        progress("cells", 40 + 30 * len(done) // len(chunks), 100)
    return Pieces.concatenate(done)


def _checked(layout: Layout, jobs: Jobs, pieces: Pieces, cancelled: CancelCheck) -> Cells:
    """Make the cells; divide blocks that fail again, each time in a safer way, until none fails."""
    sites = Sites.of(layout)
    level = np.where(sites.crowded, STRAIGHT, WHOLE)
    avoid = np.empty((0, 3), np.int64)
    attempt = 0
    while True:
        parts = assemble(layout.barriers, pieces, sites.whole(level == WHOLE))
        cells = make_cells(layout, parts)
        bad = parts.failed.copy()
        bad[cells.block[cells.broken]] = True
        if not bad.any():
            return cells
        if cancelled():
            raise CancelledError
        close, mended = _needles(layout, pieces, bad & (attempt < PATIENCE))
        avoid = np.concatenate([avoid, close])
        again = _escalate(layout, level, bad & ~mended)
        if not again.any() and not mended.any():
            raise TilingError(
                "blocks-do-not-tile",
                "街区边界无法构成严密的面，请将数据发给维护人员。",
                "The block borders do not form valid polygons; please report the data.",
                communities=np.unique(layout.community[bad]).tolist(),
            )
        pieces = Pieces.concatenate(
            [pieces.without(again), *_divide_again(layout, jobs, pieces, again, level)]
        )
        pieces = lead_away(pieces, layout.barriers, avoid)
        attempt += 1


def _needles(
    layout: Layout, pieces: Pieces, bad: NDArray[np.bool_]
) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
    """Find crossings that bend the outline of bad blocks out of shape; also the blocks that have any."""
    mended = np.zeros(len(bad), bool)
    if not bad.any():
        return np.empty((0, 3), np.int64), mended
    outline, source = subdivide(layout.barriers, pieces.crossing)
    found = [np.empty((0, 3), np.int64)]
    for block in np.flatnonzero(bad):
        around, edge = outline_of(layout.barriers, outline, source, int(block))
        if not shape_of(around).is_valid:
            found.append(close_crossings(around, edge, pieces.crossing))
            mended[block] = len(found[-1]) > 0
    return np.concatenate(found), mended


def _escalate(layout: Layout, level: NDArray[np.int64], bad: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Raise the level of bad blocks; where one is whole already its neighbours are at fault: raise those."""
    barriers = layout.barriers
    stuck = np.append(bad & (level == WHOLE), False)
    beside = np.zeros(len(level) + 1, bool)
    beside[barriers.left[stuck[barriers.right]]] = True
    beside[barriers.right[stuck[barriers.left]]] = True
    again = (bad | beside[:-1]) & (level < WHOLE)
    level[again] += 1
    return again


def _divide_again(
    layout: Layout, jobs: Jobs, pieces: Pieces, again: NDArray[np.bool_], level: NDArray[np.int64]
) -> list[Pieces]:
    """Divide the chosen blocks at their new levels."""
    result: list[Pieces] = []
    rows = np.flatnonzero(again[jobs.block] & (level[jobs.block] <= SNAPPED))
    if not len(rows):
        return result
    outline, source = subdivide(layout.barriers, pieces.without(again).crossing)
    for row in rows:
        block = int(jobs.block[row])
        drawn = divide(jobs.take(np.array([row])), tolerance_m=0.0)
        if level[block] == DRAWN:
            result.append(drawn)
            continue
        around, edge = outline_of(layout.barriers, outline, source, block)
        snapped = snap(around, edge, drawn.ends, block)
        if snapped is None:
            level[block] = WHOLE
        else:
            result.append(snapped)
    return result
