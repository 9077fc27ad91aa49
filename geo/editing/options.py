"""Alternatives of a plan: all that is not locked divided anew, once for each choice of weights, and judged."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from geo.alternatives import PRESETS, Alternative, alternatives
from geo.editing.apply import apply_change
from geo.editing.edits import Refusal
from geo.editing.judged import in_band
from geo.editing.keeping import kept_numbers, regridded
from geo.editing.plan import UNASSIGNED, Plan
from geo.editing.planning import (
    bare_standard,
    joined_compounds,
    loaded_cells,
    majority,
    reaches_out,
    settled,
)
from geo.errors import PlanError
from geo.partition import score

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from geo.alternatives import Preset
    from geo.editing.change import Change
    from geo.partition import Score
    from geo.search import Search
    from geo.units import Units

NEW = 2**31
"""Numbers from here on stand for new grids while they are given out."""


@dataclass(frozen=True)
class Option:
    """One alternative of a plan.

    Attributes
    ----------
    found
        The preset, what the engine made of the free cells, and the figures of all grids of the communities.
    grids
        int32, shape (cells,): grid of every cell of the plan. -1 for none; below that new grids, from -2 on.
    after
        The plan as it would be.
    moved_households
        Households that would change their grid.
    moved_cells
        Cells that would.
    """

    found: Alternative
    grids: NDArray[np.int32]
    after: Plan
    moved_households: int
    moved_cells: int


def options(
    plan: Plan,
    *,
    communities: Sequence[int] | None = None,
    presets: Sequence[Preset] = PRESETS,
    search: Search | None = None,
) -> list[Option]:
    """Divide communities of a plan once for each preset.

    Locked grids, grids of a dedicated use and those that the standard settles by itself stay as they are; locked
    cells keep their grid, or their being in none. Other cells in no grid are put into one. New grids keep the
    number of the old one with which they share most households.

    Parameters
    ----------
    plan
        The plan as it is.
    communities
        Positions in ``plan.ground.community_ids``; all by default.
    presets, search
        As for `geo.alternatives.alternatives`.

    Returns
    -------
    One option a preset, in order; none when nothing is free.

    Raises
    ------
    InfeasibleError
        If locked cells leave no division.
    CancelledError
        When the search was cancelled.
    """
    scope = _scope(plan, communities)
    rows = _free(plan, scope)
    if not len(rows):
        return []
    cells, pinned, old = loaded_cells(plan, rows), plan.pinned[rows], plan.assignment[rows]
    apart = pinned | reaches_out(plan, rows, cells.compound)
    units = joined_compounds(cells, plan.standard.whole_limit, plan.standard, apart=apart)
    held: dict[str, NDArray[np.generic]] = {}
    if pinned.any():
        holds = np.zeros(units.n, np.bool_)
        holds[units.of_cell[np.flatnonzero(pinned)]] = True
        held = {"start": majority(units, old, plan.load[rows]), "pinned": holds}
    found = alternatives(units, bare_standard(plan.standard), presets=presets, search=search, **held)
    return [_option(plan, scope, rows, one, units) for one in found]


def judge(plan: Plan, communities: Sequence[int] | None = None) -> Score:
    """Return the figures of a plan as they are in some communities, by the plan's own loads.

    In the band are the same grids as in `geo.editing.judged.summary`.
    """
    return _judged(plan, _scope(plan, communities))


def _scope(plan: Plan, communities: Sequence[int] | None) -> NDArray[np.bool_]:
    """Say of every cell whether it is there and in one of the communities; bool, shape (cells,)."""
    live = np.asarray(plan.ground.live)
    return live if communities is None else live & np.isin(plan.ground.cells.community, list(communities))


def _free(plan: Plan, scope: NDArray[np.bool_]) -> NDArray[np.intp]:
    """Return the cells that take part, ascending."""
    kept = [g.id for g in plan.grids.values() if g.locked or g.kind]
    outside = plan.pinned & (plan.assignment == UNASSIGNED)
    rows = np.flatnonzero(scope & ~np.isin(plan.assignment, kept) & ~outside)
    stays = settled(plan, rows) & (plan.assignment[rows] != UNASSIGNED)
    return np.asarray(rows[~stays])


def _option(
    plan: Plan, scope: NDArray[np.bool_], rows: NDArray[np.intp], found: Alternative, units: Units
) -> Option:
    label = found.partition.grid_of_unit[units.of_cell].astype(np.int64)
    number = _numbers(plan, rows, label)
    fresh = np.unique(number[number >= NEW])
    whole = plan.assignment.astype(np.int64)
    whole[rows] = np.where(number >= NEW, -2 - np.searchsorted(fresh, number), number)
    ids = np.where(number >= NEW, plan.next_grid + np.searchsorted(fresh, number), number)
    change = regridded(plan, rows, ids)
    after = _after(plan, change)
    return Option(
        found=replace(found, score=_judged(after, scope)),
        grids=whole.astype(np.int32),
        after=after,
        moved_households=int(plan.ground.cells.households[change.cells].sum()),
        moved_cells=len(change.cells),
    )


def _numbers(plan: Plan, rows: NDArray[np.intp], label: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return the number of the grid of each cell: an old one's, or one from `NEW` on."""
    number = np.full(len(rows), -1, np.int64)
    community = plan.ground.cells.community[rows]
    old = plan.assignment[rows]
    fresh = NEW
    for home in np.unique(community).tolist():
        mine = community == home
        known = mine & (old != UNASSIGNED)
        given: dict[int, int] = {}
        if known.any():
            households = plan.ground.cells.households[rows[known]]
            kept = kept_numbers(
                old[known], label[known], households, pinned=plan.pinned[rows[known]], fresh=fresh
            )
            given = dict(zip(label[known].tolist(), kept.tolist(), strict=True))
            fresh = max(fresh, int(kept.max()) + 1)
        for one in np.unique(label[mine]).tolist():
            if one not in given:
                given[one] = fresh
                fresh += 1
        number[mine] = [given[one] for one in label[mine].tolist()]
    return number


def _after(plan: Plan, change: Change) -> Plan:
    after = apply_change(plan, change) if len(change.cells) else plan
    if isinstance(after, Refusal):
        raise PlanError(after.code, after.zh, after.en)
    return after


def _judged(plan: Plan, scope: NDArray[np.bool_]) -> Score:
    rows = np.flatnonzero(scope & (plan.assignment != UNASSIGNED))
    figures = score(loaded_cells(plan, rows), plan.assignment[rows], bare_standard(plan.standard))
    grids = np.unique(plan.assignment[rows])
    return replace(figures, in_band=float(in_band(plan)[grids].mean()) if len(grids) else 0.0)
