"""What the edits change that the ground alone decides: assign, new grid, adopt, merge, lock, rename, set."""

from __future__ import annotations

import unicodedata
from collections import Counter
from dataclasses import replace
from typing import TYPE_CHECKING, Any, get_args

import numpy as np

from geo.editing import refusals
from geo.editing.arrays import distinct
from geo.editing.change import Change, GridChange, moves
from geo.editing.edits import Adopt, Assign, Lock, Merge, NewGrid, Refusal, Rename, SetAttributes
from geo.editing.keeping import regridded
from geo.editing.numbering import code_of, name_of, next_number
from geo.editing.plan import UNASSIGNED, Grid
from geo.types import DedicatedUse

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from numpy.typing import NDArray

    from geo.editing.plan import Plan

KINDS = ("", *get_args(DedicatedUse))
LONGEST = {"code": 40, "name": 100, "note": 2000}
"""Characters that a text of a grid may have."""
MOST_STAFF = 10_000


def assign(plan: Plan, edit: Assign) -> Change | Refusal:
    """Put cells into a grid or into none; a grid that loses its last cell vanishes."""
    cells = _cells(plan, edit.cells)
    if isinstance(cells, Refusal):
        return cells
    if edit.grid is None:
        return moved(plan, cells, UNASSIGNED)
    if edit.grid not in plan.grids:
        return refusals.no_such_grids([edit.grid])
    home = plan.grids[edit.grid].community
    strange = cells[plan.ground.cells.community[cells] != home]
    if len(strange):
        return refusals.other_community(plan, home, cells=strange.tolist())
    return moved(plan, cells, edit.grid)


def new_grid(plan: Plan, edit: NewGrid) -> Change | Refusal:
    """Make a grid of cells of one community, with the next number of that community."""
    cells = _cells(plan, edit.cells)
    if isinstance(cells, Refusal):
        return cells
    community = plan.ground.cells.community[cells]
    home = int(community[0])
    if (community != home).any():
        return refusals.other_community(plan, home, cells=cells[community != home].tolist())
    number = next_number(plan, home)
    name = name_of(plan.ground, home, number) if edit.name is None else edit.name.strip()
    fault = _text_fault("name", name, plan.next_grid)
    if fault is not None:
        return fault
    grid = Grid(plan.next_grid, home, code_of(plan.ground, home, number), name)
    return moved(plan, cells, grid.id, GridChange(grid.id, None, grid))


def adopt(plan: Plan, edit: Adopt) -> Change | Refusal:
    """Put each cell into its own grid; numbers below 0 become new grids, the nearest to 0 first.

    Refusals besides those of `assign`: ``adopt-malformed`` when cells and grids are not as many, or a cell is named
    twice.
    """
    cells = _cells(plan, edit.cells)
    if isinstance(cells, Refusal):
        return cells
    if len(edit.grids) != len(edit.cells) or len(cells) != len(edit.cells):
        return refusals.adopt_malformed(len(edit.cells), len(edit.grids))
    label = np.array(edit.grids, np.int64)[np.argsort(np.array(edit.cells, np.int64))]
    named = np.unique(label)
    missing = [g for g in named[named >= 0].tolist() if g not in plan.grids]
    fault = refusals.no_such_grids(missing) if missing else _strange(plan, cells, label)
    if fault is not None:
        return fault
    fresh = named[named < 0][::-1]
    number = dict(zip(fresh.tolist(), range(plan.next_grid, plan.next_grid + len(fresh)), strict=True))
    grids = np.array([number.get(g, g) for g in label.tolist()], np.int64)
    return _held(plan, cells, grids) or regridded(plan, cells, grids)


def _held(plan: Plan, cells: NDArray[np.int32], grids: NDArray[np.int64]) -> Refusal | None:
    """Refuse locks in the way of cells to grids, and an edit without effect."""
    old = plan.assignment[cells]
    leaving = old != grids
    if not leaving.any():
        return refusals.nothing_changes()
    touched = np.unique(np.concatenate([old[leaving], grids[leaving]])).tolist()
    locked = [g for g in touched if g in plan.grids and plan.grids[g].locked]
    if locked:
        return refusals.grids_locked(plan, locked)
    pinned = cells[leaving & plan.pinned[cells]]
    return refusals.cells_locked(pinned.tolist()) if len(pinned) else None


def _strange(plan: Plan, cells: NDArray[np.int32], label: NDArray[np.int64]) -> Refusal | None:
    """Refuse cells of another community than their grid; that of a new grid is its first cell's."""
    community = plan.ground.cells.community[cells]
    named, first, place = np.unique(label, return_index=True, return_inverse=True)
    home = community[first].astype(np.int64)
    for k, grid in enumerate(named.tolist()):
        if grid >= 0:
            home[k] = plan.grids[grid].community
    wrong = np.flatnonzero(community != home[place.ravel()])
    if not len(wrong):
        return None
    return refusals.other_community(plan, int(home[place.ravel()[wrong[0]]]), cells=cells[wrong].tolist())


def merge(plan: Plan, edit: Merge) -> Change | Refusal:
    """Join grids of one community into the first of them, which stays as it is."""
    grids = list(dict.fromkeys(edit.grids))
    missing = [g for g in grids if g not in plan.grids]
    if missing:
        return refusals.no_such_grids(missing)
    if len(grids) < 2:
        return refusals.too_few_grids()
    home = plan.grids[grids[0]].community
    strange = [g for g in grids if plan.grids[g].community != home]
    if strange:
        return refusals.other_community(plan, home, grids=strange)
    cells = np.sort(np.concatenate([plan.cells_of(g) for g in grids[1:]]))
    return moved(plan, cells, grids[0])


def lock(plan: Plan, edit: Lock) -> Change | Refusal:
    """Lock or unlock grids and cells; those that already are stay so."""
    missing = [g for g in edit.grids if g not in plan.grids]
    if missing:
        return refusals.no_such_grids(missing)
    cells: NDArray[np.int32] = np.zeros(0, np.int32)
    if edit.cells:
        found = _cells(plan, edit.cells)
        if isinstance(found, Refusal):
            return found
        cells = found[plan.pinned[found] != edit.locked]
    records = (plan.grids[g] for g in sorted(set(edit.grids)))
    turned = [GridChange(g.id, g, replace(g, locked=edit.locked)) for g in records if g.locked != edit.locked]
    if not turned and not len(cells):
        return refusals.nothing_changes()
    return Change(grids=tuple(turned), pins=cells, pinned=np.full(len(cells), edit.locked))


def rename(plan: Plan, edit: Rename) -> Change | Refusal:
    """Give a grid another name."""
    return _described(plan, edit.grid, {"name": edit.name})


def set_attributes(plan: Plan, edit: SetAttributes) -> Change | Refusal:
    """Say more of a grid."""
    return _described(plan, edit.grid, edit.attributes, known=("code", "staff", "kind", "note"))


def moved(plan: Plan, cells: NDArray[np.int32], grid: int, *grids: GridChange) -> Change | Refusal:
    """Put cells into a grid, or into none, and let grids vanish that lose their last cell.

    Parameters
    ----------
    plan
        The plan as it is.
    cells
        int32, ascending, each once; those that are there already stay.
    grid
        Where to; `UNASSIGNED` for none.
    grids
        Further changes of grids, e.g. the one that the cells go to.
    """
    old = plan.assignment[cells]
    leaving = cells[old != grid]
    old = old[old != grid]
    if not len(leaving):
        return refusals.nothing_changes()
    count = Counter(old[old >= 0].tolist())
    locked = [g for g in (grid, *sorted(count)) if g in plan.grids and plan.grids[g].locked]
    if locked:
        return refusals.grids_locked(plan, locked)
    if plan.pinned[leaving].any():
        return refusals.cells_locked(leaving[plan.pinned[leaving]].tolist())
    gone = [GridChange(g, plan.grids[g], None) for g, k in count.items() if plan.figures.cells[g] == k]
    return Change(
        **moves(leaving, old, np.full(len(leaving), grid)),
        grids=tuple(sorted([*gone, *grids], key=lambda g: g.id)),
    )


def _cells(plan: Plan, cells: Iterable[int]) -> NDArray[np.int32] | Refusal:
    """Sort the cells of an edit; refuse none, and those that are not in the ground."""
    every = distinct(np.array(list(cells), np.int64))
    if not len(every):
        return refusals.no_cells()
    inside = (every >= 0) & (every < plan.ground.n)
    inside[inside] = plan.ground.live[every[inside]]
    if not inside.all():
        return refusals.no_such_cells(every[~inside].tolist())
    return every.astype(np.int32)


def _described(
    plan: Plan, grid: int, values: Mapping[str, Any], known: tuple[str, ...] = ("name",)
) -> Change | Refusal:
    if grid not in plan.grids:
        return refusals.no_such_grids([grid])
    before = plan.grids[grid]
    if before.locked:
        return refusals.grids_locked(plan, [grid])
    values = {k: v.strip() if isinstance(v, str) else v for k, v in values.items()}
    for field, value in values.items():
        if field not in known:
            return refusals.malformed(
                field,
                f"不存在，可选：{'、'.join(known)}",
                f"does not exist; choose of {', '.join(known)}",
                grid,
            )
        fault = _fault(field, value, grid)
        if fault is not None:
            return fault
    after = replace(before, **values)
    if after == before:
        return refusals.nothing_changes()
    return Change(grids=(GridChange(grid, before, after),))


def _fault(field: str, value: Any, grid: int) -> Refusal | None:
    if field == "staff":
        if type(value) is int and 0 <= value <= MOST_STAFF:
            return None
        return refusals.malformed(
            field, f"须为 0 到 {MOST_STAFF} 的整数", f"must be a whole number from 0 to {MOST_STAFF}", grid
        )
    if field == "kind":
        if value in KINDS:
            return None
        words = [k or '""' for k in KINDS]
        return refusals.malformed(
            field, f"须为 {'、'.join(words)} 之一", f"must be one of {', '.join(words)}", grid
        )
    return _text_fault(field, value, grid)


def _text_fault(field: str, value: Any, grid: int) -> Refusal | None:
    if not isinstance(value, str):
        return refusals.malformed(field, "须为文字", "must be text", grid)
    lines = value.replace("\n", "") if field == "note" else value
    if len(value) > LONGEST[field]:
        return refusals.malformed(
            field, f"不能超过 {LONGEST[field]} 个字符", f"may have {LONGEST[field]} characters at most", grid
        )
    if any(unicodedata.category(c) in {"Cc", "Zl", "Zp"} for c in lines):
        return refusals.malformed(field, "不能含有控制字符", "may have no control characters", grid)
    if field == "name" and not value:
        return refusals.malformed(field, "不能为空", "must not be empty", grid)
    return None


DECIDERS: dict[str, Callable[[Plan, Any], Change | Refusal]] = {
    Assign.kind: assign,
    NewGrid.kind: new_grid,
    Adopt.kind: adopt,
    Merge.kind: merge,
    Lock.kind: lock,
    Rename.kind: rename,
    SetAttributes.kind: set_attributes,
}
