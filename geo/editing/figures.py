"""Figures of every grid: measured from scratch, or patched by what flowed; the two are always equal."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from geo.editing.arrays import distinct
from geo.editing.contiguity import count_pieces, edges_of
from geo.types import BorderClass

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from geo.editing.index import Index

CLASSES = len(BorderClass)
SUMS = ("households", "persons", "load", "buildings", "cells", "area_dm2", "perimeter_mm")
REMNANT = 0.5
"""What a compound's own grid may hold besides, as a share of the band's minimum; as in `geo.fixed`."""


@dataclass(frozen=True, eq=False)
class Figures:
    """Sums and shape of every grid in whole numbers; arrays by id of the grid, zero where there is none, read-only.

    Attributes
    ----------
    households, persons, load, buildings, cells
        int64, shape (next_grid,).
    area_dm2
        int64, shape (next_grid,): square decimetres.
    perimeter_mm
        int64, shape (next_grid,): the whole outline, holes included.
    border_mm
        int64, shape (next_grid, len(BorderClass)): border with other grids of the same community, by what runs
        along it.
    pieces
        int32, shape (next_grid,): connected pieces; hard barriers of the standard part.
    alone
        bool, shape (next_grid,): the grid of a compound that is a grid of its own by the rule of its type.
    split
        bool, shape (parts,): parts of compounds (`geo.editing.index.Index`) whose homes lie in several grids.
    compounds_split
        Number of those that would have fitted into one grid.
    unassigned_cells, unassigned_households
        Of cells in no grid.
    """

    households: NDArray[np.int64]
    persons: NDArray[np.int64]
    load: NDArray[np.int64]
    buildings: NDArray[np.int64]
    cells: NDArray[np.int64]
    area_dm2: NDArray[np.int64]
    perimeter_mm: NDArray[np.int64]
    border_mm: NDArray[np.int64]
    pieces: NDArray[np.int32]
    alone: NDArray[np.bool_]
    split: NDArray[np.bool_]
    compounds_split: int
    unassigned_cells: int
    unassigned_households: int

    def __post_init__(self) -> None:
        for values in vars(self).values():
            if isinstance(values, np.ndarray):
                values.flags.writeable = False


def measure(index: Index, assignment: NDArray[np.int32], next_grid: int) -> Figures:
    """Measure every grid of an assignment from scratch.

    Parameters
    ----------
    index
        The ground and its standard.
    assignment
        int32, shape (cells,): id of the grid of each cell, -1 for none.
    next_grid
        All ids are below it.
    """
    ground = index.ground
    graph = ground.cells.graph
    sums = {name: np.zeros(next_grid + 1, np.int64) for name in SUMS}
    for name, values in _held(index, slice(None)).items():
        np.add.at(sums[name], assignment, values)
    a, b = assignment[graph.focal], assignment[graph.neighbor]
    cut = np.flatnonzero((a >= 0) & (a != b))
    np.add.at(sums["perimeter_mm"], a[cut], ground.length_mm[cut])
    community = ground.cells.community
    inner = cut[(b[cut] >= 0) & (community[graph.focal[cut]] == community[graph.neighbor[cut]])]
    border = np.zeros((next_grid, CLASSES), np.int64)
    for kind in range(CLASSES):
        np.add.at(border[:, kind], a[inner], ground.class_mm[inner, kind])
    held = np.flatnonzero(assignment >= 0)
    split = _split(index, assignment, np.arange(len(index.part_load)))
    free = (assignment < 0) & ground.live
    return Figures(
        **{name: values[:-1] for name, values in sums.items()},
        border_mm=border,
        pieces=count_pieces(index.indptr, index.neighbor, held, assignment[held], next_grid),
        alone=_alone(index, assignment, np.arange(1, next_grid), sums["load"], np.zeros(next_grid, np.bool_)),
        split=split,
        compounds_split=int((split & index.fits).sum()),
        unassigned_cells=int(free.sum()),
        unassigned_households=int(ground.cells.households[free].sum()),
    )


def patch(
    figures: Figures,
    index: Index,
    before: NDArray[np.int32],
    after: NDArray[np.int32],
    *,
    cells: NDArray[np.int32],
    next_grid: int,
) -> Figures:
    """Return the figures after some cells changed their grid, from what flowed.

    Parameters
    ----------
    figures
        Those of `before`.
    index
        The ground, the same before and after.
    before, after
        int32, shape (cells of the ground,): assignments that differ in `cells` alone.
    cells
        int32, shape (m,), ascending: every cell whose grid differs.
    next_grid
        All ids of `after` are below it; not below the length of the figures.
    """
    old, new = before[cells], after[cells]
    more = next_grid - len(figures.cells)
    # One entry more than ids: that of unassigned cells, -1, which is not kept.
    sums = {name: np.append(getattr(figures, name), np.zeros(more + 1, np.int64)) for name in SUMS}
    for name, values in _held(index, cells).items():
        np.subtract.at(sums[name], old, values)
        np.add.at(sums[name], new, values)
    border = np.concatenate([figures.border_mm, np.zeros((more, CLASSES), np.int64)])
    entries = Entries.of(index, cells, before, after)
    for assignment, sign in ((before, -1), (after, 1)):
        entries.add_to(sums["perimeter_mm"], border, assignment, sign)
    touched = distinct(np.concatenate([old, new]))
    touched = touched[touched >= 0]
    pieces = np.append(figures.pieces, np.zeros(more, np.int32))
    pieces[touched] = _pieces(index, after, distinct(index.ground.cells.community[cells]), touched)
    parts = distinct(index.part[cells])
    parts = parts[parts >= 0]
    split, compounds_split = figures.split, figures.compounds_split
    if len(parts):
        split = split.copy()
        split[parts] = _split(index, after, parts)
        fits = index.fits[parts]
        compounds_split += int((split[parts] & fits).sum()) - int((figures.split[parts] & fits).sum())
    gained = (new < 0).astype(np.int64) - (old < 0)
    alone = np.append(figures.alone, np.zeros(more, np.bool_))
    return Figures(
        **{name: values[:-1] for name, values in sums.items()},
        border_mm=border,
        pieces=pieces,
        alone=_alone(index, after, touched, sums["load"], alone),
        split=split,
        compounds_split=compounds_split,
        unassigned_cells=figures.unassigned_cells + int(gained.sum()),
        unassigned_households=figures.unassigned_households
        + int((gained * index.ground.cells.households[cells]).sum()),
    )


def grown(figures: Figures, next_grid: int) -> Figures:
    """Return the figures with room for more ids; the same when there is enough."""
    more = next_grid - len(figures.cells)
    if more <= 0:
        return figures
    longer = {name: np.append(getattr(figures, name), np.zeros(more, np.int64)) for name in SUMS}
    return Figures(
        **longer,
        border_mm=np.concatenate([figures.border_mm, np.zeros((more, CLASSES), np.int64)]),
        pieces=np.append(figures.pieces, np.zeros(more, np.int32)),
        alone=np.append(figures.alone, np.zeros(more, np.bool_)),
        split=figures.split,
        compounds_split=figures.compounds_split,
        unassigned_cells=figures.unassigned_cells,
        unassigned_households=figures.unassigned_households,
    )


@dataclass(frozen=True)
class Entries:
    """The borders of moved cells, by entry of the adjacency.

    Attributes
    ----------
    here, there
        int32: the moved cell and the cell beyond.
    home
        bool: both of one community.
    stays
        bool: the cell beyond does not move. A border between two moved cells is met from both ends, one to a cell
        that stays from one end only.
    length_mm, class_mm
        int64, of each entry.
    """

    here: NDArray[np.int32]
    there: NDArray[np.int32]
    home: NDArray[np.bool_]
    stays: NDArray[np.bool_]
    length_mm: NDArray[np.int64]
    class_mm: NDArray[np.int64]

    @classmethod
    def of(
        cls,
        index: Index,
        cells: NDArray[np.int32],
        before: NDArray[np.int32],
        after: NDArray[np.int32],
    ) -> Entries:
        """Collect the borders of the cells that move between two assignments."""
        ground = index.ground
        row, entry = edges_of(ground.cells.graph.indptr, cells)
        here, there = cells[row], ground.cells.graph.neighbor[entry]
        community = ground.cells.community
        return cls(
            here=here,
            there=there,
            home=community[here] == community[there],
            stays=before[there] == after[there],
            length_mm=ground.length_mm[entry],
            class_mm=ground.class_mm[entry],
        )

    def add_to(
        self,
        perimeter: NDArray[np.int64],
        border: NDArray[np.int64],
        assignment: NDArray[np.int32],
        sign: int,
    ) -> None:
        """Add, or with `sign` -1 take away, what these borders are in an assignment to both of their grids."""
        a, b = assignment[self.here], assignment[self.there]
        cut = a != b
        inner = cut & self.home & (a >= 0) & (b >= 0)
        for grid, side in ((a, cut), (b, cut & self.stays)):
            np.add.at(perimeter, grid[side], sign * self.length_mm[side])
            both = side & inner
            at = grid[both].astype(np.int64)[:, None] * CLASSES + np.arange(CLASSES)
            np.add.at(border.reshape(-1), at.reshape(-1), (sign * self.class_mm[both]).reshape(-1))


def _held(index: Index, cells: NDArray[np.int32] | slice) -> dict[str, NDArray[np.int64]]:
    """Collect what cells bring into a grid by themselves; their shared borders come on top."""
    units = index.ground.cells
    return {
        "households": units.households[cells],
        "persons": units.persons[cells],
        "load": index.load[cells],
        "buildings": units.buildings[cells].astype(np.int64),
        "cells": index.ground.live[cells].astype(np.int64),
        "area_dm2": index.ground.area_dm2[cells],
        "perimeter_mm": index.ground.outer_mm[cells],
    }


def _pieces(
    index: Index,
    assignment: NDArray[np.int32],
    communities: NDArray[np.int32],
    grids: NDArray[np.int32],
) -> NDArray[np.int32]:
    """Count the pieces of grids, int32, shape (len(grids),), among the cells of their communities."""
    if not len(grids):
        return np.zeros(0, np.int32)
    near = np.concatenate([index.by_community.of(c) for c in communities.tolist()])
    at = np.minimum(np.searchsorted(grids, assignment[near]), len(grids) - 1)
    mine = grids[at] == assignment[near]
    order = np.argsort(near[mine], kind="stable")
    return count_pieces(index.indptr, index.neighbor, near[mine][order], at[mine][order], len(grids))


def _span(
    index: Index, assignment: NDArray[np.int32], parts: NDArray[np.integer]
) -> tuple[NDArray[np.int32], NDArray[np.int32], NDArray[np.bool_]]:
    """Return the lowest and the highest grid of the homes of parts of compounds, and whether all are in one."""
    row, entry = edges_of(index.by_part.indptr, parts)
    grid = assignment[index.by_part.rows[entry]]
    low = np.full(len(parts), np.iinfo(np.int32).max, np.int32)
    high = np.full(len(parts), -1, np.int32)
    every = np.ones(len(parts), np.bool_)
    held = grid >= 0
    np.minimum.at(low, row[held], grid[held])
    np.maximum.at(high, row[held], grid[held])
    every[row[~held]] = False
    return low, high, every


def _split(index: Index, assignment: NDArray[np.int32], parts: NDArray[np.integer]) -> NDArray[np.bool_]:
    """Say of parts of compounds whether their homes lie in several grids, bool, shape (len(parts),)."""
    low, high, _ = _span(index, assignment, parts)
    return low < high


def _alone(
    index: Index,
    assignment: NDArray[np.int32],
    grids: NDArray[np.integer],
    load: NDArray[np.int64],
    alone: NDArray[np.bool_],
) -> NDArray[np.bool_]:
    """Say anew of some grids whether each is the grid of a compound that its rule makes one; `alone` is changed.

    All homes of the compound lie in it, the rest is less than a remnant, and the whole within the rule's maximum.
    """
    if not index.any_alone or not len(grids):
        return alone
    alone[grids] = False
    parts = np.flatnonzero(index.part_alone)
    low, high, every = _span(index, assignment, parts)
    whole = every & (low == high)
    grid, parts = low[whole], parts[whole]
    rest = load[grid] - index.part_load[parts]
    good = (rest < REMNANT * index.standard.min) & (load[grid] <= index.part_room[parts])
    alone[grid[good & np.isin(grid, grids)]] = True
    return alone
