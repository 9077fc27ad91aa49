"""Whether an edit made on an earlier state may be made on a later one: what it depends on, and who changed that."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from geo.editing.change import Change
from geo.editing.edits import Adopt, Assign, Edit, Lock, Merge, NewGrid, Rename, SetAttributes

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from geo.editing.change import GridChange

NO_CELLS = np.zeros(0, np.int32)


@dataclass(frozen=True, slots=True)
class Touched:
    """An object that an edit depends on and that a later change touched.

    Attributes
    ----------
    type
        ``"cell"``, ``"grid"`` or ``"division"``.
    id
        Its number.
    by
        Position, among the later changes, of the last one that touched it.
    """

    type: Literal["cell", "grid", "division"]
    id: int
    by: int


@dataclass(frozen=True)
class _Needs:
    """What an edit depends on.

    Attributes
    ----------
    cells
        int32, ascending: they must still be in the same grid, not pinned meanwhile, not divided.
    existing
        Grids that must neither come, go nor be locked or unlocked.
    records
        Grids of which nothing may be said anew.
    members
        Grids that no cell may join or leave.
    divisions
        Numbers of divisions that must be as they were.
    """

    cells: Any = None
    existing: frozenset[int] = frozenset()
    records: frozenset[int] = frozenset()
    members: frozenset[int] = frozenset()
    divisions: frozenset[int] = frozenset()


def conflicts(asked: Edit | Change, later: Sequence[Change], *, whole: bool = True) -> list[Touched]:
    """List the objects that an edit depends on and that were changed since it was made.

    Parameters
    ----------
    asked
        An edit of the kinds that the ground alone decides, or a change that was decided on the earlier state.
    later
        The changes made since, in order.
    whole
        Whether a change was decided by the whole of its grids, as a split is: then no cell may have joined or left
        them. False for the inverse of an edit, which puts back no more than its own cells.

    Returns
    -------
    Each object once, with the last change that touched it; cells first, then grids, then divisions, by number.
    Without any, the edit or the change may be made on the state after all of `later`.

    Raises
    ------
    ValueError
        An edit that needs a survey: resolve it first.
    """
    needs = _needs_of_change(asked, whole=whole) if isinstance(asked, Change) else _needs_of_edit(asked)
    found: dict[tuple[int, int], int] = {}
    for position, change in enumerate(later):
        for key in _met(needs, change):
            found[key] = position
    types: tuple[Literal["cell", "grid", "division"], ...] = ("cell", "grid", "division")
    return [Touched(types[kind], number, by) for (kind, number), by in sorted(found.items())]


def touched_cells(change: Change) -> np.ndarray[Any, np.dtype[np.int32]]:
    """Return the cells that a change moves, pins, releases or divides, int32, ascending."""
    divided = [c for d in change.divisions for c in (d.division.parent, *d.division.children)]
    parts = [change.cells, change.pins, np.array(divided, np.int32)]
    return np.unique(np.concatenate(parts)).astype(np.int32)


def touched_grids(change: Change) -> frozenset[int]:
    """Return the grids whose cells or record a change touches."""
    return change.members.union(g.id for g in change.grids)


def _needs_of_edit(edit: Edit) -> _Needs:
    if isinstance(edit, Assign | NewGrid):
        target = getattr(edit, "grid", None)
        return _Needs(cells=_sorted(edit.cells), existing=frozenset(() if target is None else (target,)))
    if isinstance(edit, Adopt):
        grids = frozenset(g for g in edit.grids if g >= 0)
        return _Needs(cells=_sorted(edit.cells), existing=grids, members=grids)
    if isinstance(edit, Merge):
        grids = frozenset(edit.grids)
        return _Needs(records=grids, members=grids)
    if isinstance(edit, Rename | SetAttributes):
        return _Needs(records=frozenset((edit.grid,)))
    if isinstance(edit, Lock):
        return _Needs(cells=_sorted(edit.cells), records=frozenset(edit.grids))
    raise ValueError(f"an edit of kind {edit.kind} is compared by the change it was resolved to")


def _needs_of_change(change: Change, *, whole: bool) -> _Needs:
    grids = change.members
    return _Needs(
        cells=touched_cells(change),
        existing=grids,
        records=frozenset(g.id for g in change.grids),
        members=grids if whole else frozenset(),
        divisions=frozenset(d.number for d in change.divisions),
    )


def _met(needs: _Needs, change: Change) -> set[tuple[int, int]]:
    """Objects of a change that are needed, as (type, number)."""
    met: set[tuple[int, int]] = set()
    if needs.cells is not None and len(needs.cells):
        met |= {(0, c) for c in np.intersect1d(needs.cells, touched_cells(change)).tolist()}
    for g in change.grids:
        if g.id in needs.records or (g.id in needs.existing and _other_state(g)):
            met.add((1, g.id))
    if needs.members:
        met |= {(1, g) for g in needs.members & change.members}
    met |= {(2, d.number) for d in change.divisions if d.number in needs.divisions}
    return met


def _other_state(change: GridChange) -> bool:
    before, after = change.before, change.after
    return before is None or after is None or before.locked != after.locked


def _sorted(cells: Iterable[int]) -> np.ndarray[Any, np.dtype[np.int32]]:
    return np.unique(np.array(list(cells), np.int64)).astype(np.int32)
