"""Grids that enclose other grids, and a proof where some grid must."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from geo.loads import unit_loads

if TYPE_CHECKING:
    from collections.abc import Collection

    from numpy.typing import NDArray

    from geo.standards import Standard
    from geo.units import Units


@dataclass(frozen=True, slots=True)
class Donut:
    """A grid without which others cannot reach the outside of their community.

    Attributes
    ----------
    grid
        Its number.
    inside
        The grids it encloses.
    unit
        Row of a unit of the grid that alone closes in more than one grid may hold, so that its grid encloses
        another in every division in which it is not above the maximum; -1: there is none, so it is not proved
        that the donut must be.
    load
        Load of that unit with all that it closes in; 0 for none.
    """

    grid: int
    inside: tuple[int, ...]
    unit: int = -1
    load: int = 0

    @property
    def proved(self) -> bool:
        """True when no plan in the band is without it."""
        return self.unit >= 0


def find_donuts(units: Units, grid_of_unit: NDArray[np.integer[Any]], standard: Standard) -> list[Donut]:
    """Find the grids that enclose others, by number.

    Parameters
    ----------
    units, grid_of_unit, standard
        A division of all units, shape (units,); grids numbered from 0.
    """
    load = unit_loads(units, standard)
    label = np.asarray(grid_of_unit, np.int64)
    result = []
    for grid, inside in enclosing(units, label, int(label.max(initial=-1)) + 1).items():
        unit, closed_in = _closing_unit(units, load, np.flatnonzero(label == grid), standard.max)
        result.append(Donut(grid, inside, unit, closed_in))
    return result


def enclosing(units: Units, label: NDArray[np.int64], count: int) -> dict[int, tuple[int, ...]]:
    """Return the grids that enclose others, each with those: without it they cannot reach the outside.

    The outside is what borders no unit at all, or another community.
    """
    graph = units.graph
    source = np.repeat(np.arange(graph.n), np.diff(graph.indptr))
    here, there = label[source], label[graph.neighbor]
    community = np.full(count, -1, np.int64)
    community[label] = units.community
    across = here != there
    pairs = np.unique(np.stack([here[across], there[across]], axis=1), axis=0)
    own = community[pairs[:, 0]] == community[pairs[:, 1]]
    open_grid = np.bincount(label, weights=graph.outer_m > 0.01, minlength=count) > 0
    open_grid[pairs[~own, 0]] = True
    neighbors: list[list[int]] = [[] for _ in range(count)]
    for a, b in pairs[own].tolist():
        neighbors[a].append(b)
    around: dict[int, list[int]] = {}
    for grid in np.unique(label).tolist():
        around.setdefault(int(community[grid]), []).append(grid)
    found = {}
    for grids in around.values():
        # Only what borders a grid without outer border can be enclosed.
        closed = [g for g in grids if not open_grid[g]]
        for grid in grids if closed else ():
            cut = _cut_off(grid, neighbors, [g for g in grids if open_grid[g]], grids)
            if cut:
                found[grid] = tuple(cut)
    return dict(sorted(found.items()))


def _cut_off(
    without: int, neighbors: list[list[int]], starts: Collection[int], everyone: Collection[int]
) -> list[int]:
    """Return those that cannot be reached from the starts once one is taken out."""
    reached = set(starts) - {without}
    stack = sorted(reached)
    while stack:
        for other in neighbors[stack.pop()]:
            if other != without and other not in reached:
                reached.add(other)
                stack.append(other)
    return sorted(set(everyone) - reached - {without})


def _closing_unit(
    units: Units, load: NDArray[np.int64], mine: NDArray[np.int64], most: float
) -> tuple[int, int]:
    """Find the unit of a grid that closes in most load: more, with its own, than a grid may hold; else -1, 0."""
    graph = units.graph
    rows = np.flatnonzero(units.community == units.community[mine[0]])
    place = np.full(units.n, -1, np.int64)
    place[rows] = np.arange(len(rows))
    open_ = []
    neighbors: list[list[int]] = []
    for i, u in enumerate(rows.tolist()):
        beside = place[graph.neighbor[graph.indptr[u] : graph.indptr[u + 1]]]
        neighbors.append(beside[beside >= 0].tolist())
        if graph.outer_m[u] > 0.01 or (beside < 0).any():
            open_.append(i)
    best = (-1, 0)
    for unit in mine.tolist():
        shut = _cut_off(int(place[unit]), neighbors, open_, range(len(rows)))
        total = int(load[unit] + load[rows[shut]].sum())
        if load[unit] <= most < total and total > best[1]:
            best = (unit, total)
    return best
