"""The plan as planners edit it: an assignment of cells to grids, and what is said of each grid."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from geo.editing.division import Division
    from geo.editing.figures import Figures
    from geo.editing.ground import Ground
    from geo.editing.index import Index
    from geo.standards import Standard

UNASSIGNED = -1


@dataclass(frozen=True, slots=True)
class Grid:
    """What is said of one grid; its shape and figures follow from the assignment.

    Attributes
    ----------
    id
        Whole number from 1, unique in the plan for ever: an undone grid comes back with the same one.
    community
        Position of its community. All its cells lie in it.
    code, name
        As printed on the map and in exports.
    locked
        Nothing may join, leave or rename it.
    staff
        Number of grid workers.
    kind
        ``""``, or the dedicated use of an institution, park or business grid.
    note
        Free text of the planner.
    """

    id: int
    community: int
    code: str
    name: str
    locked: bool = False
    staff: int = 0
    kind: str = ""
    note: str = ""


@dataclass(frozen=True, eq=False)
class Plan:
    """One state of a plan; an edit makes another one.

    Attributes
    ----------
    ground
        The cells, with the divisions that are in force.
    standard
        Measure, band and rules that it is judged by.
    parameters
        What it was made with: seed, effort and so on, as JSON values.
    assignment
        int32, shape (cells,), not writable: id of the grid of each cell, `UNASSIGNED` for none. A cell that a
        division replaced, or whose division was undone, is retired: unassigned for good, holding nothing.
    grids
        By id; every one has at least one cell.
    next_grid
        Id of the next new grid.
    pinned
        bool, shape (cells,), not writable: cells locked one by one or by area; they keep their grid.
    divisions
        Every division of a cell ever made in this plan, in order; `Division.children` are rows of `ground`.
    in_force
        For each of `divisions`, whether it is in force or undone.
    load
        int64, shape (cells,), not writable: load of each cell in the measure of the standard.
    figures
        Sums and shape of every grid, always equal to `geo.editing.figures.measure` of this plan.
    index
        The ground as the standard sees it; shared by all states of the plan on one ground.
    """

    ground: Ground
    standard: Standard
    assignment: NDArray[np.int32]
    grids: Mapping[int, Grid]
    next_grid: int
    pinned: NDArray[np.bool_]
    load: NDArray[np.int64]
    figures: Figures
    index: Index = field(repr=False)
    parameters: Mapping[str, Any] = field(default_factory=dict)
    divisions: tuple[Division, ...] = ()
    in_force: tuple[bool, ...] = ()

    @property
    def base(self) -> Ground:
        """The ground of the dataset, without divisions."""
        return self.ground.base or self.ground

    def cells_of(self, grid: int) -> NDArray[np.int32]:
        """Return the cells of a grid, int32, ascending; none for a grid that does not exist."""
        if grid not in self.grids:
            return np.zeros(0, np.int32)
        near = self.index.by_community.of(self.grids[grid].community)
        return near[self.assignment[near] == grid]
