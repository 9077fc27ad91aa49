"""Some cells of a plan as the engine wants them: units with the plan's own loads."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from geo.adjacency import components
from geo.drawn import take_units
from geo.fixed import find_fixed
from geo.units import join_units, open_graph

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from geo.editing.plan import Plan
    from geo.standards import Standard
    from geo.units import Units


def loaded_cells(plan: Plan, rows: NDArray[np.integer]) -> Units:
    """Return cells as units of their own whose households are the plan's load.

    So that what the engine weighs is what the planner sees, whatever the standard counts. Types and workload are
    left out, being in the load already.

    Parameters
    ----------
    plan
        The plan.
    rows
        Cells, ascending.

    Returns
    -------
    Units in the order of `rows`; ``of_cell`` is by position in `rows`.
    """
    taken = take_units(plan.ground.cells, rows)
    return replace(
        taken,
        of_cell=np.arange(len(rows), dtype=np.int32),
        households=plan.load[rows],
        kind=None,
        kinds=(),
        workers=None,
        workload=None,
        released=None,
    )


def joined_compounds(
    cells: Units, limit: float, standard: Standard, *, apart: NDArray[np.bool_] | None = None
) -> Units:
    """Join the cells of each compound that fits into one unit.

    Parameters
    ----------
    cells
        From `loaded_cells`.
    limit
        Largest load that stays whole.
    standard
        Its hard barriers part a compound.
    apart
        bool, shape (cells,): cells that stay by themselves; what is left of their compound may be joined.

    Returns
    -------
    Units in the order of their first cell.
    """
    whole = cells.compound >= 0
    if apart is not None:
        whole &= ~apart
    width = int(cells.compound.max(initial=0)) + 1
    key = np.where(whole, cells.community.astype(np.int64) * width + cells.compound, -1)
    known, label = np.unique(key, return_inverse=True)
    if len(known) and known[0] < 0:
        label = label - 1
    piece = components(open_graph(cells.graph, standard.hard_barriers), label.astype(np.int32))
    load = np.zeros(int(piece.max(initial=-1)) + 1, np.int64)
    np.add.at(load, piece[piece >= 0], cells.households[piece >= 0])
    fits = np.append(load <= limit, True)  # the last entry answers for piece -1
    return join_units(cells, np.where(fits[piece], piece, -1))


def bare_standard(standard: Standard, *, target: int | None = None, spread: float = 0.0) -> Standard:
    """Return a standard for `loaded_cells`: loads count as households, and no type has rules of its own.

    Parameters
    ----------
    standard
        The plan's.
    target, spread
        Another target, with a band of this share around it.
    """
    bare = replace(standard, measure="households", rules=(), dedicated=(), sublevels=(), release="never")
    if target is None:
        return bare
    aim = max(target, 1)
    low, high = max(1, int(np.floor(aim * (1.0 - spread)))), int(np.ceil(aim * (1.0 + spread)))
    return replace(bare, target=aim, min=low, max=high, hard_max=None)


def settled(plan: Plan, rows: NDArray[np.intp]) -> NDArray[np.bool_]:
    """Say of every cell whether its grid is just what the standard settles by itself; bool, shape (rows,)."""
    out = np.zeros(len(rows), np.bool_)
    if not _settles(plan.standard) or not len(rows):
        return out
    communities = np.unique(plan.ground.cells.community[rows])
    every = np.flatnonzero(plan.ground.live & np.isin(plan.ground.cells.community, communities))
    taken = take_units(plan.ground.cells, every)
    single = replace(taken, of_cell=np.arange(len(every), dtype=np.int32))
    units = joined_compounds(single, np.inf, plan.standard)
    fixed = find_fixed(units, plan.standard).grid[units.of_cell]
    grid = plan.assignment[every]
    for number in np.unique(fixed[fixed >= 0]).tolist():
        grids = np.unique(grid[fixed == number])
        if len(grids) == 1 and np.array_equal(fixed == number, grid == grids[0]):
            out |= plan.assignment[rows] == grids[0]
    return out


def _settles(standard: Standard) -> bool:
    return bool(standard.dedicated) or any(rule.one_compound_per_grid for rule in standard.rules)


def reaches_out(plan: Plan, rows: NDArray[np.intp], compound: NDArray[np.int32]) -> NDArray[np.bool_]:
    """Say of every cell whether homes of its compound lie in grids of its community that take no part."""
    units = plan.ground.cells
    others = plan.ground.live & (plan.assignment >= 0) & (plan.load > 0)
    others[rows] = False
    width = int(units.compound.max(initial=0)) + 2
    key = units.community.astype(np.int64) * width + units.compound + 1
    shared = np.isin(key[rows], np.unique(key[others & (units.compound >= 0)]))
    return shared & (compound >= 0)


def majority(units: Units, old: NDArray[np.int32], load: NDArray[np.int64]) -> NDArray[np.int32]:
    """Return for every unit the grid with most of its load; of equal ones that with more cells, then the lower."""
    pairs, place = np.unique(np.column_stack([units.of_cell, old]), axis=0, return_inverse=True)
    weight = np.zeros(len(pairs), np.int64)
    np.add.at(weight, place.ravel(), load)
    size = np.bincount(place.ravel())
    order = np.lexsort((pairs[:, 1], -size, -weight, pairs[:, 0]))
    first = np.unique(pairs[order, 0], return_index=True)[1]
    return pairs[order[first], 1].astype(np.int32)
