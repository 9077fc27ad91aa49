"""Connect grids again, cell by cell, moving few households."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from geo import repair as repairing
from geo.drawn import take_units
from geo.editing import refusals
from geo.editing.change import Change
from geo.editing.keeping import regridded
from geo.editing.refusing import from_error, unless_free
from geo.errors import InfeasibleError
from geo.locks import Locks
from geo.units import open_graph

if TYPE_CHECKING:
    from geo.editing.edits import Refusal, Repair
    from geo.editing.plan import Plan


def repair(plan: Plan, edit: Repair) -> Change | Refusal:
    """Connect the named grids again, or all that are in pieces when none is named.

    Grids that are locked stay as they are, and so do others in pieces that are not named: neither takes or gives
    cells. A piece that touches no grid it could join becomes a grid of its own.

    Refusals: ``no-such-grid``, ``grid-locked`` (also when all that are in pieces are locked), ``repair-locked``
    when pinned cells cannot be connected. The change is empty when nothing is in pieces.
    """
    fault = unless_free(plan, edit.grids)
    if fault is not None:
        return fault
    apart = [g for g in plan.grids if plan.figures.pieces[g] > 1]
    wanted = [g for g in (edit.grids or apart) if plan.figures.pieces[g] > 1 and not plan.grids[g].locked]
    if not wanted:
        return refusals.grids_locked(plan, apart) if apart and not edit.grids else Change()
    communities = {plan.grids[g].community for g in wanted}
    units = plan.ground.cells
    mine = np.isin(units.community, list(communities)) & plan.ground.live & (plan.assignment >= 0)
    rows = np.flatnonzero(mine)
    still = [g for g, grid in plan.grids.items() if grid.locked] + sorted(set(apart).difference(wanted))
    taken = take_units(units, rows)
    taken = replace(taken, graph=open_graph(taken.graph, plan.standard.hard_barriers))
    frozen = np.isin(plan.assignment[rows], still)
    locks = Locks(frozen, plan.pinned[rows] & ~frozen)
    try:
        found = repairing.repair(taken, plan.assignment[rows], plan.standard, locks=locks)
    except InfeasibleError as impossible:
        return from_error(impossible, plan, wanted)
    after = found.grid_of_unit.astype(np.int64)
    # A piece on its own came out above the highest id among these cells, not above that of the plan.
    alone = np.unique(after[~np.isin(after, plan.assignment[rows])])
    for number, label in enumerate(alone.tolist()):
        after[found.grid_of_unit == label] = plan.next_grid + number
    return regridded(plan, rows, after)
