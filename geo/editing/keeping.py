"""Cells move to grids old and new: who keeps which number, and the change that follows."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from geo.editing.change import Change, GridChange, moves
from geo.editing.numbering import code_of, name_of, next_number
from geo.editing.plan import Grid

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from geo.editing.plan import Plan


def kept_numbers(
    old: NDArray[np.integer],
    new: NDArray[np.integer],
    households: NDArray[np.int64],
    *,
    pinned: NDArray[np.bool_],
    fresh: int,
) -> NDArray[np.int64]:
    """Give new grids the ids of the old ones, each id once.

    Parameters
    ----------
    old
        Shape (cells,): ids before; all cells of one community.
    new
        Shape (cells,): labels of the new grids.
    households
        int64, shape (cells,). The id goes where most households of the old grid are; among equal ones where more
        cells are, then to the lower id and label.
    pinned
        bool, shape (cells,): cells that keep their id whatever the households.
    fresh
        Lowest id for grids that keep none, taken when all old ids are used up.

    Returns
    -------
    int64, shape (cells,).
    """
    pairs, place = np.unique(np.column_stack([old, new]).astype(np.int64), axis=0, return_inverse=True)
    weight = np.zeros(len(pairs), np.int64)
    np.add.at(weight, place.ravel(), households)
    size = np.bincount(place.ravel())
    held = np.bincount(place.ravel(), weights=pinned) > 0
    number: dict[int, int] = {}
    taken: set[int] = set()
    for row in np.lexsort((pairs[:, 1], pairs[:, 0], -size, -weight, ~held)).tolist():
        was, now = pairs[row].tolist()
        if was not in taken and now not in number:
            number[now] = was
            taken.add(was)
    spare = [was for was in np.unique(old).tolist() if was not in taken]
    for now in np.unique(new).tolist():
        if now not in number:
            number[now] = spare.pop(0) if spare else fresh
            fresh += number[now] == fresh
    return np.array([number[now] for now in new.tolist()], np.int64)


def regridded(plan: Plan, cells: NDArray[np.integer], grids: NDArray[np.integer]) -> Change:
    """Return the change that puts cells into grids; grids left empty go, ids from `Plan.next_grid` on come.

    Parameters
    ----------
    plan
        The plan.
    cells
        Shape (k,), each once, in any order.
    grids
        Shape (k,): id of the grid of each afterwards.
    """
    before = plan.assignment[cells]
    differ = before != grids
    left = before[differ]
    size = {g: int(plan.figures.cells[g]) for g in np.unique(left[left >= 0]).tolist()}
    for g in left.tolist():
        if g >= 0:
            size[g] -= 1
    joined = set(grids[differ].tolist())
    gone = [GridChange(g, plan.grids[g], None) for g, n in sorted(size.items()) if n == 0 and g not in joined]
    home: dict[int, int] = {}
    for cell, grid in zip(cells[differ].tolist(), grids[differ].tolist(), strict=True):
        if grid not in plan.grids:
            home.setdefault(grid, int(plan.ground.cells.community[cell]))
    come = _new_grids(plan, home)
    changes = sorted((*gone, *come), key=lambda change: change.id)
    return Change(**moves(cells, before, grids), grids=tuple(changes))


def _new_grids(plan: Plan, home: Mapping[int, int]) -> list[GridChange]:
    """Give new grids the numbers after the last one of their community, by id."""
    number: dict[int, int] = {}
    changes = []
    for grid, community in sorted(home.items()):
        mine = number.get(community, next_number(plan, community))
        number[community] = mine + 1
        code, name = code_of(plan.ground, community, mine), name_of(plan.ground, community, mine)
        changes.append(GridChange(grid, None, Grid(grid, community, code, name)))
    return changes
