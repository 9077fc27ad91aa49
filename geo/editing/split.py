"""Split a grid: by a drawn line, or into parts of even load."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from geo.adjacency import components
from geo.editing import refusals
from geo.editing.drawn_line import side_of_line
from geo.editing.edits import Refusal
from geo.editing.keeping import kept_numbers, regridded
from geo.editing.planning import bare_standard, joined_compounds, loaded_cells
from geo.editing.refusing import from_error, line_too_short, unless_free
from geo.editing.shapes import to_metres
from geo.errors import InfeasibleError
from geo.partition import partition
from geo.units import open_graph

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from geo.editing.change import Change
    from geo.editing.edits import SplitLine, SplitParts
    from geo.editing.plan import Plan
    from geo.editing.survey import Survey
    from geo.partition import Partition
    from geo.units import Units

EVEN = 0.1
"""Parts are wanted within this share of the mean load."""

RUNS = 5
"""Fast divisions compared: as even as one thorough search, and quicker."""

TRIES = 20
"""Fast divisions tried to get so many."""


def split_line(survey: Survey, plan: Plan, edit: SplitLine) -> Change | Refusal:
    """Split a grid by a drawn line, prolonged at both ends.

    Every cell goes to the side of its inner point, compounds cell by cell. Of each side the piece with most load
    stays; other pieces go to the side with which they share the longest border, so that two connected grids result
    from a connected one. The side with most households keeps the number; with cells that are pinned, theirs does.

    Refusals: ``no-such-grid``, ``grid-locked``, ``line-too-short``, ``line-misses``, ``cell-locked`` with pinned
    cells on both sides.
    """
    fault = unless_free(plan, [edit.grid])
    if fault is not None:
        return fault
    if len(set(edit.line)) < 2:
        return line_too_short()
    rows = plan.cells_of(edit.grid)
    lon, lat = np.array(edit.line, np.float64).T
    line = np.column_stack(to_metres(survey.crs).transform(lon, lat))
    if not np.isfinite(line).all():
        return _misses(plan, edit.grid)
    side = side_of_line(line, survey.inner_points(plan, rows)).astype(np.int32)
    cells = loaded_cells(plan, rows)
    graph = open_graph(cells.graph, plan.standard.hard_barriers)
    side = _without_strays(replace(cells, graph=graph), side)
    if side.min() == side.max():
        return _misses(plan, edit.grid)
    return _numbered(plan, edit.grid, rows, side)


def split_parts(plan: Plan, edit: SplitParts) -> Change | Refusal:
    """Split a grid into connected parts of even load with the engine.

    Compounds no larger than a part stay whole where that leaves enough units. The part with most of the households
    keeps the number; with cells that are pinned, theirs does.

    Refusals: ``no-such-grid``, ``grid-locked``, ``parts-too-few``, ``parts-too-many``, ``grid-in-pieces``, and
    those of the engine.
    """
    fault = unless_free(plan, [edit.grid]) or _parts_fault(plan, edit)
    if fault is not None:
        return fault
    rows = plan.cells_of(edit.grid)
    single = loaded_cells(plan, rows)
    mean = int(single.households.sum()) / edit.parts
    limit = min(plan.standard.whole_limit, np.ceil(mean))
    units = joined_compounds(single, limit, plan.standard, apart=plan.pinned[rows])
    if int((units.households > 0).sum()) < edit.parts:
        units = single
    pinned = np.zeros(units.n, np.bool_)
    pinned[units.of_cell[np.flatnonzero(plan.pinned[rows])]] = True
    try:
        part = _evenest(units, plan, edit, pinned)
    except InfeasibleError as impossible:
        return from_error(impossible, plan, [edit.grid])
    return _numbered(plan, edit.grid, rows, part[units.of_cell])


def _evenest(units: Units, plan: Plan, edit: SplitParts, pinned: NDArray[np.bool_]) -> NDArray[np.int32]:
    """Return the part of each unit in the most even of several fast divisions; of equal ones the first."""
    standard = bare_standard(
        plan.standard, target=round(int(units.households.sum()) / edit.parts), spread=EVEN
    )
    start = np.zeros(units.n, np.int32) if pinned.any() else None
    counts = {int(units.community[0]): edit.parts}
    found: list[Partition] = []
    fault: InfeasibleError | None = None
    for run in range(TRIES):
        try:
            found.append(
                partition(
                    units,
                    standard,
                    seed=edit.seed + run,
                    effort="fast",
                    start=start,
                    pinned=pinned,
                    counts=counts,
                )
            )
        except InfeasibleError as impossible:
            # Where cells are pinned, the trees of one seed may part them and those of another not.
            if impossible.code != "pinned-count":
                raise
            fault = impossible
        if len(found) == RUNS:
            break
    if fault is not None and not found:
        raise fault
    return min(found, key=lambda parts: int(np.ptp(parts.households))).grid_of_unit


def _misses(plan: Plan, grid: int) -> Refusal:
    return Refusal(
        "line-misses",
        f"所画的线没有把网格“{plan.grids[grid].name}”分成两部分。请让线穿过网格。",
        f'The line does not part the grid "{plan.grids[grid].name}". Draw it across the grid.',
        {"grids": [grid]},
    )


def _parts_fault(plan: Plan, edit: SplitParts) -> Refusal | None:
    rows = plan.cells_of(edit.grid)
    most = int((plan.load[rows] > 0).sum())
    if edit.parts < 2:
        return Refusal(
            "parts-too-few",
            "拆分份数至少为 2。",
            "A grid is split into at least 2 parts.",
            {"grids": [edit.grid]},
        )
    pieces = int(plan.figures.pieces[edit.grid])
    if pieces > edit.parts:
        return Refusal(
            "grid-in-pieces",
            f"网格“{plan.grids[edit.grid].name}”有 {pieces} 个互不相连的部分，不能分成 {edit.parts} 份。"
            "请先修复该网格，或增加份数。",
            f'The grid "{plan.grids[edit.grid].name}" is in {pieces} pieces and cannot be split into {edit.parts} '
            "connected parts. Repair it first, or take more parts.",
            {"grids": [edit.grid]},
        )
    if edit.parts > most:
        return Refusal(
            "parts-too-many",
            f"网格“{plan.grids[edit.grid].name}”只有 {most} 个有住户的单元，不能分成 {edit.parts} 份。"
            "请减少份数，或先分割单元。",
            f'The grid "{plan.grids[edit.grid].name}" has only {most} cells with homes and cannot be split into '
            f"{edit.parts} parts. Take fewer parts, or divide a cell first.",
            {"grids": [edit.grid]},
        )
    return None


def _without_strays(cells: Units, side: NDArray[np.int32]) -> NDArray[np.int32]:
    """Give every piece but the main one of each side to the side with which it shares the longest border."""
    graph = cells.graph
    piece = components(graph, side)
    count = int(piece.max(initial=-1)) + 1
    load = np.zeros(count, np.int64)
    np.add.at(load, piece, cells.households)
    size = np.bincount(piece, minlength=count)
    of_piece = np.zeros(count, np.int32)
    of_piece[piece] = side
    order = np.lexsort((np.arange(count), -size, -load))
    main = {int(of_piece[p]): int(p) for p in order[::-1]}
    settled = np.zeros(count, np.bool_)
    settled[list(main.values())] = True
    border = np.zeros((count, count))
    np.add.at(border, (piece[graph.focal], piece[graph.neighbor]), graph.length_m)
    while not settled.all():
        near = np.column_stack([border[:, settled & (of_piece == s)].sum(axis=1) for s in (0, 1)])
        near[settled] = 0.0
        if near.max(initial=0.0) == 0.0:
            break  # what touches neither side was apart before and stays where the line puts it
        chosen = int(np.argmax(near.max(axis=1)))
        of_piece[chosen] = int(np.argmax(near[chosen]))
        settled[chosen] = True
    return of_piece[piece]


def _numbered(plan: Plan, grid: int, rows: NDArray[np.int32], part: NDArray[np.integer]) -> Change | Refusal:
    """Let one part keep the number of the grid, and give the others new ones."""
    pinned = plan.pinned[rows]
    if len(np.unique(part[pinned])) > 1:
        return refusals.cells_locked(rows[pinned].tolist())
    after = kept_numbers(
        np.full(len(rows), grid),
        part,
        plan.ground.cells.households[rows],
        pinned=pinned,
        fresh=plan.next_grid,
    )
    return regridded(plan, rows, after)
