"""Divide selected grids anew with the engine, everything else left as it is."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast, get_args

import numpy as np

from geo.editing import refusals
from geo.editing.edits import Refusal
from geo.editing.keeping import kept_numbers, regridded
from geo.editing.planning import (
    bare_standard,
    joined_compounds,
    loaded_cells,
    majority,
    reaches_out,
    settled,
)
from geo.editing.refusing import from_error, unless_free
from geo.errors import InfeasibleError
from geo.partition import Effort, partition

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from geo.editing.change import Change
    from geo.editing.edits import Rebalance
    from geo.editing.plan import Plan
    from geo.units import Units


def rebalance(plan: Plan, edit: Rebalance) -> Change | Refusal:
    """Even out the loads of selected grids; the search begins from what they are now.

    Locked grids stay out, and those that the standard settles by itself (dedicated grids, compounds that are a grid
    of their own). Pinned cells keep their grid. A compound that fits into a grid stays in one piece, or is put
    together again, unless it reaches into grids that take no part. New grids keep the ids of the old ones with
    which they share most households.

    Refusals: ``no-such-grid``, ``grid-locked`` when all are, ``rebalance-nothing``, ``rebalance-communities`` for a
    number of parts in several communities, ``effort-unknown``, and those of the engine.
    """
    fault = _fault(plan, edit)
    if fault is not None:
        return fault
    free = sorted({g for g in edit.grids if not plan.grids[g].locked})
    every = np.flatnonzero(np.isin(plan.assignment, free))
    rows = every[~settled(plan, every)]
    if not len(rows):
        return _nothing(edit)
    return _divided_anew(plan, edit, rows)


def _divided_anew(plan: Plan, edit: Rebalance, rows: NDArray[np.intp]) -> Change | Refusal:
    cells = loaded_cells(plan, rows)
    pinned = plan.pinned[rows]
    old = plan.assignment[rows]
    units = joined_compounds(
        cells,
        plan.standard.whole_limit,
        plan.standard,
        apart=pinned | reaches_out(plan, rows, cells.compound),
    )
    communities = np.unique(units.community).tolist()
    if edit.parts is not None and len(communities) > 1:
        return _communities(plan, communities)
    held = np.zeros(units.n, np.bool_)
    held[units.of_cell[np.flatnonzero(pinned)]] = True
    start = majority(units, old, plan.load[rows])
    counts = None if edit.parts is None else {communities[0]: edit.parts}
    try:
        found = _search(plan, edit, units, start=start, pinned=held, counts=counts)
    except InfeasibleError as impossible:
        return from_error(impossible, plan, edit.grids)
    new = found[units.of_cell]
    after = np.zeros(len(rows), np.int64)
    fresh = plan.next_grid
    for community in communities:
        mine = cells.community == community
        households = plan.ground.cells.households[rows[mine]]
        after[mine] = kept_numbers(old[mine], new[mine], households, pinned=pinned[mine], fresh=fresh)
        fresh = max(fresh, int(after[mine].max()) + 1)
    return regridded(plan, rows, after)


def _search(
    plan: Plan,
    edit: Rebalance,
    units: Units,
    *,
    start: NDArray[np.int32],
    pinned: NDArray[np.bool_],
    counts: dict[int, int] | None,
) -> NDArray[np.int32]:
    """Find the number of grids by a fast search, then search on with that number; int32, shape (units,)."""
    standard = bare_standard(plan.standard)
    first = partition(
        units, standard, seed=edit.seed, effort="fast", start=start, pinned=pinned, counts=counts
    )
    if edit.effort == "fast":
        return first.grid_of_unit
    communities, grids = np.unique(first.community, return_counts=True)
    try:
        second = partition(
            units,
            standard,
            seed=edit.seed,
            effort=cast("Effort", edit.effort),
            start=first.grid_of_unit,
            pinned=pinned,
            counts=dict(zip(communities.tolist(), grids.tolist(), strict=True)),
        )
    except InfeasibleError:
        # Shared out by load among the parts of a community, the number does not go with the pins.
        return first.grid_of_unit
    return second.grid_of_unit


def _fault(plan: Plan, edit: Rebalance) -> Refusal | None:
    fault = unless_free(plan, edit.grids)
    some_free = any(g in plan.grids and not plan.grids[g].locked for g in edit.grids)
    if fault is not None and not (fault.code == "grid-locked" and some_free):
        return fault
    if edit.effort not in get_args(Effort):
        known = get_args(Effort)
        return Refusal(
            "effort-unknown",
            f"计算强度“{edit.effort}”不存在，可选：{'、'.join(known)}。",
            f'There is no effort "{edit.effort}"; choose one of {", ".join(known)}.',
        )
    if edit.parts is not None and edit.parts < 1:
        return Refusal("parts-too-few", "网格数至少为 1。", "There is at least 1 grid.")
    return None if edit.grids else _nothing(edit)


def _nothing(edit: Rebalance) -> Refusal:
    return Refusal(
        "rebalance-nothing",
        "所选内容中没有可以调整的网格。请另选网格。",
        "None of the selected grids can be divided anew. Select others.",
        refusals.named("grids", edit.grids),
    )


def _communities(plan: Plan, communities: list[int]) -> Refusal:
    names = [plan.ground.community_names[k] for k in communities]
    where: dict[str, Any] = {"communities": [plan.ground.community_ids[k] for k in communities]}
    return Refusal(
        "rebalance-communities",
        f"所选网格属于 {len(names)} 个社区（{'、'.join(names[:5])}），不能指定合计的网格数。请逐个社区调整。",
        f"The selected grids lie in {len(names)} communities ({', '.join(names[:5])}), so their number cannot be "
        "fixed. Take one community at a time.",
        where,
    )
