"""Changes as JSON and back: what the log of a plan stores."""

from __future__ import annotations

from dataclasses import asdict, fields
from typing import TYPE_CHECKING, Any

import numpy as np

from geo.editing.change import Change, DivisionChange, GridChange
from geo.editing.division import Division
from geo.editing.plan import Grid
from geo.errors import PlanError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

GRID_FIELDS = {f.name: f.type for f in fields(Grid)}
GRID_TYPES = {"int": int, "str": str, "bool": bool}


def to_document(change: Change) -> dict[str, Any]:
    """Return a change as JSON values; what is empty is left out."""
    document: dict[str, Any] = {}
    if len(change.cells):
        document["cells"] = change.cells.tolist()
        document["before"] = change.before.tolist()
        document["after"] = change.after.tolist()
    if change.grids:
        document["grids"] = [
            {"id": g.id, "before": _grid_or_none(g.before), "after": _grid_or_none(g.after)}
            for g in change.grids
        ]
    if len(change.pins):
        document["pins"] = change.pins.tolist()
        document["pinned"] = change.pinned.tolist()
    if change.divisions:
        document["divisions"] = [
            {
                "number": d.number,
                "division": division_document(d.division),
                "before": d.before,
                "after": d.after,
            }
            for d in change.divisions
        ]
    return document


def change_from(document: Mapping[str, Any]) -> Change:
    """Read a change that `to_document` wrote.

    Raises
    ------
    PlanError
        ``change-unreadable``: not such a document.
    """
    try:
        cells, pins = _ints(document.get("cells", ())), _ints(document.get("pins", ()))
        before, after = _ints(document.get("before", ())), _ints(document.get("after", ()))
        pinned = document.get("pinned", [])
        if not (len(cells) == len(before) == len(after) and len(pins) == len(pinned)):
            raise ValueError("lists of unequal length")  # noqa: TRY301 - one message for all faults
        if (np.diff(cells) <= 0).any() or (np.diff(pins) <= 0).any():
            raise ValueError("cells not in ascending order")  # noqa: TRY301
        return Change(
            cells=cells,
            before=before,
            after=after,
            grids=tuple(_grid_change(g) for g in document.get("grids", ())),
            pins=pins,
            pinned=np.array([_checked(p, bool) for p in pinned], np.bool_),
            divisions=tuple(_division_change(d) for d in document.get("divisions", ())),
        )
    except (AttributeError, KeyError, OverflowError, TypeError, ValueError) as fault:
        raise unreadable("change-unreadable", "修改记录", "The record of a change", fault) from fault


def grid_document(grid: Grid) -> dict[str, Any]:
    """Return a grid's record as JSON values."""
    return {name: getattr(grid, name) for name in GRID_FIELDS}


def grid_from(document: Mapping[str, Any]) -> Grid:
    """Read a grid's record; raises ValueError or KeyError for anything else."""
    if set(document) != set(GRID_FIELDS):
        raise ValueError(f"fields of a grid: {sorted(document)}")
    values = {name: _checked(document[name], GRID_TYPES[str(kind)]) for name, kind in GRID_FIELDS.items()}
    if values["id"] < 1 or values["community"] < 0 or values["staff"] < 0:
        raise ValueError("a negative number")
    return Grid(**values)


def division_document(division: Division) -> dict[str, Any]:
    """Return a division as JSON values."""
    return asdict(division)


def division_from(document: Mapping[str, Any]) -> Division:
    """Read a division; raises ValueError, KeyError or TypeError for anything else."""
    values: dict[str, Any] = {"parent": _checked(document["parent"], int)}
    for name in ("children", "households", "persons", "buildings", "workers", "load", "area_dm2", "outer_mm"):
        first, second = document[name]
        values[name] = (_checked(first, int), _checked(second, int))
    values["edges"] = tuple((_checked(i, int), _checked(j, int), _whole(c)) for i, j, c in document["edges"])
    values["rings"] = tuple(
        (_checked(cell, int), tuple(tuple(_point(p) for p in ring) for ring in rings))
        for cell, rings in document["rings"]
    )
    values["upon"] = _whole(document.get("upon", ()))
    return Division(**values)


def unreadable(code: str, zh: str, en: str, fault: Exception) -> PlanError:
    """Return the error for a document that is damaged or from another version."""
    return PlanError(
        code,
        f"{zh}无法读取：{fault}。数据已损坏或来自其他版本，请从备份恢复。",
        f"{en} cannot be read: {fault}. It is damaged or from another version; restore a backup.",
    )


def _grid_or_none(grid: Grid | None) -> dict[str, Any] | None:
    return None if grid is None else grid_document(grid)


def _grid_change(document: Mapping[str, Any]) -> GridChange:
    before, after = (None if document[k] is None else grid_from(document[k]) for k in ("before", "after"))
    number = _checked(document["id"], int)
    if any(g is not None and g.id != number for g in (before, after)):
        raise ValueError("a grid with two ids")
    return GridChange(number, before, after)


def _division_change(document: Mapping[str, Any]) -> DivisionChange:
    return DivisionChange(
        number=_checked(document["number"], int),
        division=division_from(document["division"]),
        before=_checked(document["before"], bool),
        after=_checked(document["after"], bool),
    )


def _checked(value: Any, kind: type) -> Any:
    if type(value) is not kind:
        raise TypeError(f"{value!r} is not of type {kind.__name__}")
    return value


def _ints(values: Sequence[Any]) -> NDArray[np.int32]:
    return np.array(_whole(values), np.int32)


def _whole(values: Sequence[Any]) -> tuple[int, ...]:
    return tuple(_checked(v, int) for v in values)


def _point(values: Sequence[Any]) -> tuple[int, int]:
    x, y = values
    return (_checked(x, int), _checked(y, int))
