"""Some cells of a plan as the engine wants them: units with the plan's own loads."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from geo.adjacency import components
from geo.drawn import take_units
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
