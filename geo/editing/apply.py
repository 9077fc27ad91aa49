"""Make an edit, or not: decide what it changes, check that nothing stands in the way, patch the figures."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Protocol, TypeVar

import numpy as np

from geo.editing import refusals
from geo.editing.arrays import distinct
from geo.editing.decide import DECIDERS
from geo.editing.divided import base_loads, ground_with, loads_with
from geo.editing.edits import NEEDS_SURVEY, Edit, Refusal
from geo.editing.figures import grown, patch
from geo.editing.index import index_of
from geo.editing.plan import UNASSIGNED
from geo.editing.stacked import built_upon
from geo.errors import PlanError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from geo.editing.change import Change
    from geo.editing.figures import Figures
    from geo.editing.plan import Grid, Plan

T = TypeVar("T", bound=np.generic)


class Resolver(Protocol):
    """What decides edits that need shapes or the engine: `geo.editing.survey.Survey`."""

    def resolve(self, plan: Plan, edit: Edit) -> Change | Refusal:
        """Return what the edit changes, or why it is not made."""


def apply(plan: Plan, edit: Edit, *, survey: Resolver | None = None) -> tuple[Plan, Change] | Refusal:
    """Make an edit.

    Parameters
    ----------
    plan
        The plan as it is.
    edit
        What the planner asks.
    survey
        Decides the kinds of `geo.editing.edits.NEEDS_SURVEY`.

    Returns
    -------
    The new plan and the change that takes the edit back (`Change.inverse` of it is what was done), or why the edit
    is not made.

    Raises
    ------
    ValueError
        The edit needs a survey and there is none.
    """
    change = decide(plan, edit, survey=survey)
    if isinstance(change, Refusal):
        return change
    after = apply_change(plan, change)
    return after if isinstance(after, Refusal) else (after, change.inverse())


def decide(plan: Plan, edit: Edit, *, survey: Resolver | None = None) -> Change | Refusal:
    """Say what an edit would change, without making it; arguments and errors as for `apply`."""
    if edit.kind not in NEEDS_SURVEY:
        return DECIDERS[edit.kind](plan, edit)
    if survey is None:
        raise ValueError(f"an edit of kind {edit.kind} needs a survey")
    change = survey.resolve(plan, edit)
    return refusals.nothing_changes() if not isinstance(change, Refusal) and change.empty else change


def apply_change(plan: Plan, change: Change) -> Plan | Refusal:
    """Make a change that was decided before, perhaps on an earlier state of the plan.

    Parameters
    ----------
    plan
        The plan as it is.
    change
        E.g. the inverse of an edit, to undo it.

    Returns
    -------
    The new plan. Refusal ``changed-meanwhile`` names objects that are not as the change expects them, or that it
    would leave in disorder: a grid without cells, a cell in a grid that is not there. Locks and community borders
    refuse as they refuse edits. Refusal ``division-built-upon``: another division of a cell stands on the one to be
    undone, or to be made again.
    """
    redrawn = _with_divisions(plan, change) if change.divisions else plan
    if isinstance(redrawn, Refusal):
        return redrawn
    earlier, plan = plan, redrawn
    refusal = _not_as_before(plan, change) or _against_locks(plan, change)
    if refusal is not None:
        return refusal
    grids = _grids_after(plan.grids, change)
    refusal = _misplaced(plan, change, grids)
    if refusal is not None:
        return refusal
    next_grid = max(plan.next_grid, 1 + max((g.id for g in change.grids), default=0))
    assignment, figures = plan.assignment, plan.figures
    if len(change.cells):
        assignment = _replaced(assignment, change.cells, change.after)
    if change.divisions:
        figures = _patched_across(earlier, plan, change, assignment, next_grid)
    elif len(change.cells):
        figures = patch(
            figures, plan.index, plan.assignment, assignment, cells=change.cells, next_grid=next_grid
        )
    after = replace(
        plan,
        assignment=assignment,
        grids=grids,
        next_grid=next_grid,
        pinned=_replaced(plan.pinned, change.pins, change.pinned) if len(change.pins) else plan.pinned,
        figures=grown(figures, next_grid),
    )
    return _in_disorder(after, change) or after


def _patched_across(
    earlier: Plan, plan: Plan, change: Change, assignment: NDArray[np.int32], next_grid: int
) -> Figures:
    """Patch figures while cells are divided: on the old ground without these cells, then on the new one with them.

    In between, the divided cells and their parts are in no grid, where both grounds have the same figures but for
    the number of unassigned cells.
    """
    concerned = [c for d in change.divisions for c in (d.division.parent, *d.division.children)]
    there = distinct(np.array([c for c in concerned if c < earlier.ground.n], np.int32))
    held = there[earlier.assignment[there] != UNASSIGNED]
    bare = _replaced(earlier.assignment, held, np.full(len(held), UNASSIGNED, np.int32))
    figures = patch(earlier.figures, earlier.index, earlier.assignment, bare, cells=held, next_grid=next_grid)
    more = sum(int(d.after) - int(d.before) for d in change.divisions)
    figures = replace(figures, unassigned_cells=figures.unassigned_cells + more)
    bare = np.append(bare, np.full(len(assignment) - len(bare), UNASSIGNED, np.int32))
    cells = distinct(np.concatenate([change.cells, np.array(concerned, np.int32)]))
    cells = cells[bare[cells] != assignment[cells]]
    return patch(figures, plan.index, bare, assignment, cells=cells, next_grid=next_grid)


def _with_divisions(plan: Plan, change: Change) -> Plan | Refusal:
    """Make and undo divisions: ground, index and loads anew, arrays as long; figures and assignment stay behind."""
    divisions, in_force = list(plan.divisions), list(plan.in_force)
    stale = []
    for d in sorted(change.divisions, key=lambda d: d.number):
        if d.number == len(divisions) and not d.before:
            divisions.append(d.division)
            in_force.append(d.after)
        elif (
            d.number < len(divisions) and divisions[d.number] == d.division and in_force[d.number] == d.before
        ):
            in_force[d.number] = d.after
        else:
            stale.append(d.number)
    if stale:
        return refusals.changed_meanwhile(divisions=stale)
    staged = replace(plan, divisions=tuple(divisions), in_force=tuple(in_force))
    blocking = sorted({j for d in change.divisions for j in _out_of_order(staged, d.number)})
    if blocking:
        made = any(d.number >= len(plan.divisions) for d in change.divisions)
        return refusals.changed_meanwhile(divisions=blocking) if made else refusals.built_upon(blocking)
    try:
        ground = ground_with(plan.base, divisions, in_force)
        load = loads_with(base_loads(plan), divisions, in_force)
    except PlanError:
        return refusals.changed_meanwhile(cells=[d.division.parent for d in change.divisions])
    more = ground.n - plan.ground.n
    return replace(
        staged,
        ground=ground,
        load=load,
        index=index_of(ground, plan.standard, load),
        assignment=_frozen(np.append(plan.assignment, np.full(more, UNASSIGNED, np.int32))),
        pinned=_frozen(np.append(plan.pinned, np.zeros(more, np.bool_))),
    )


def _out_of_order(plan: Plan, number: int) -> set[int]:
    """Return the divisions that a division stands on and that are not in force, or that do not know of it."""
    division = plan.divisions[number]
    if not plan.in_force[number]:
        pairs = enumerate(zip(plan.divisions, plan.in_force, strict=True))
        return {j for j, (other, holds) in pairs if holds and number in other.upon}
    near = built_upon(plan, division, number=number)
    below = {j for j in near if j < number} ^ set(division.upon)
    return below | {j for j in near if j > number and number not in plan.divisions[j].upon}


def _not_as_before(plan: Plan, change: Change) -> Refusal | None:
    """Name the objects that are not as the change expects them."""
    n = plan.ground.n
    for cells in (change.cells, change.pins):
        if len(cells) and not 0 <= int(cells[0]) <= int(cells[-1]) < n:
            return refusals.no_such_cells(cells[(cells < 0) | (cells >= n)].tolist())
    moved = change.cells[plan.assignment[change.cells] != change.before]
    pins = change.pins[plan.pinned[change.pins] == change.pinned]
    grids = [g.id for g in change.grids if plan.grids.get(g.id) != g.before]
    if len(moved) or len(pins) or grids:
        cells = np.union1d(moved, pins).tolist()
        return refusals.changed_meanwhile(
            **({"cells": cells} if cells else {}), **({"grids": grids} if grids else {})
        )
    return None


def _against_locks(plan: Plan, change: Change) -> Refusal | None:
    """Refuse what a lock forbids, unless this very change takes the lock away or puts it on."""
    kept = plan.pinned[change.cells]
    if kept.any():
        cells = np.setdiff1d(change.cells[kept], change.pins)
        if len(cells):
            return refusals.cells_locked(cells.tolist())
    turned = {g.id for g in change.grids if g.before and g.after and g.before.locked != g.after.locked}
    used = change.members.union(g.id for g in change.grids)
    locked = [g for g in used - turned if g in plan.grids and plan.grids[g].locked]
    return refusals.grids_locked(plan, locked) if locked else None


def _grids_after(grids: Mapping[int, Grid], change: Change) -> Mapping[int, Grid]:
    if not change.grids:
        return grids
    changed = dict(grids)
    for g in change.grids:
        if g.after is None:
            changed.pop(g.id, None)
        else:
            changed[g.id] = g.after
    return changed


def _misplaced(plan: Plan, change: Change, grids: Mapping[int, Grid]) -> Refusal | None:
    """Refuse cells in grids that are not there, or in another community, and retired cells."""
    ids = distinct(change.after)
    missing = [g for g in ids.tolist() if g != UNASSIGNED and g not in grids]
    if missing:
        return refusals.changed_meanwhile(grids=missing)
    community = plan.ground.cells.community[change.cells]
    home = np.array([grids[g].community if g != UNASSIGNED else -1 for g in ids.tolist()], np.int32)
    home = home[np.searchsorted(ids, change.after)]
    strange = np.flatnonzero((home != community) & (change.after != UNASSIGNED))
    if len(strange):
        mine = strange[home[strange] == home[strange[0]]]
        return refusals.other_community(plan, int(home[strange[0]]), cells=change.cells[mine].tolist())
    retired = change.cells[~plan.ground.live[change.cells] & (change.after >= 0)]
    return refusals.changed_meanwhile(cells=retired.tolist()) if len(retired) else None


def _in_disorder(plan: Plan, change: Change) -> Refusal | None:
    """Refuse a change after which a grid is empty or is not there, or a retired cell is in one."""
    ids = change.members.union(g.id for g in change.grids)
    wrong = [g for g in ids if (g in plan.grids) != bool(plan.figures.cells[g])]
    if wrong:
        return refusals.changed_meanwhile(grids=wrong)
    if change.divisions:
        lost = np.flatnonzero(~plan.ground.live & (plan.assignment != UNASSIGNED))
        if len(lost):
            return refusals.changed_meanwhile(cells=lost.tolist())
    return None


def _replaced(values: NDArray[T], at: NDArray[np.int32], new: NDArray[T]) -> NDArray[T]:
    changed = values.copy()
    changed[at] = new
    return _frozen(changed)


def _frozen(values: NDArray[T]) -> NDArray[T]:
    values.flags.writeable = False
    return values
