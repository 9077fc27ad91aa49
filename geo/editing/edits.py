"""The edits a planner makes, as plain records. What they do is decided by `geo.editing.apply`."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import MISSING, dataclass, field, fields
from typing import Any, ClassVar, get_args

from geo.errors import EditError

Point = tuple[float, float]
"""Longitude and latitude, degrees."""


@dataclass(frozen=True)
class Assign:
    """Put cells into a grid, or into none with ``grid=None``."""

    kind: ClassVar[str] = "assign"
    cells: tuple[int, ...]
    grid: int | None


@dataclass(frozen=True)
class NewGrid:
    """Make a grid of cells of one community."""

    kind: ClassVar[str] = "new-grid"
    cells: tuple[int, ...]
    name: str | None = None


@dataclass(frozen=True)
class Adopt:
    """Put cells into grids as another division of them has it, all at once.

    ``grids`` goes with ``cells``, one by one. A number below 0 names a new grid; equal ones are the same.
    """

    kind: ClassVar[str] = "adopt"
    cells: tuple[int, ...]
    grids: tuple[int, ...]


@dataclass(frozen=True)
class Merge:
    """Join grids of one community into the first of them."""

    kind: ClassVar[str] = "merge"
    grids: tuple[int, ...]


@dataclass(frozen=True)
class SplitLine:
    """Split a grid by a drawn line; the side with most households keeps the number."""

    kind: ClassVar[str] = "split-line"
    grid: int
    line: tuple[Point, ...]


@dataclass(frozen=True)
class SplitParts:
    """Split a grid into connected parts of even load."""

    kind: ClassVar[str] = "split-parts"
    grid: int
    parts: int
    seed: int = 0


@dataclass(frozen=True)
class Rebalance:
    """Let the engine divide grids of one or more communities anew, everything else locked.

    ``parts`` wants that many grids; None keeps the number that fits best.
    """

    kind: ClassVar[str] = "rebalance"
    grids: tuple[int, ...]
    effort: str = "normal"
    seed: int = 0
    parts: int | None = None


@dataclass(frozen=True)
class Repair:
    """Connect grids again, moving few households; all that are in pieces when none is named."""

    kind: ClassVar[str] = "repair"
    grids: tuple[int, ...] = ()


@dataclass(frozen=True)
class Divide:
    """Divide a cell by a drawn line."""

    kind: ClassVar[str] = "divide"
    cell: int
    line: tuple[Point, ...]


@dataclass(frozen=True)
class Lock:
    """Lock or unlock grids and cells."""

    kind: ClassVar[str] = "lock"
    locked: bool
    grids: tuple[int, ...] = ()
    cells: tuple[int, ...] = ()


@dataclass(frozen=True)
class LockArea:
    """Lock or unlock every cell with its inner point in a polygon."""

    kind: ClassVar[str] = "lock-area"
    locked: bool
    ring: tuple[Point, ...]


@dataclass(frozen=True)
class Rename:
    """Give a grid another name."""

    kind: ClassVar[str] = "rename"
    grid: int
    name: str


@dataclass(frozen=True)
class Renumber:
    """Number, code and name the grids of communities anew in reading order; all communities when none is named."""

    kind: ClassVar[str] = "renumber"
    communities: tuple[int, ...] = ()
    keep_names: bool = False


@dataclass(frozen=True)
class SetAttributes:
    """Say more of a grid: ``code``, ``staff``, ``kind``, ``note``."""

    kind: ClassVar[str] = "set"
    grid: int
    attributes: dict[str, Any] = field(default_factory=dict)


Edit = (
    Assign
    | NewGrid
    | Adopt
    | Merge
    | SplitLine
    | SplitParts
    | Rebalance
    | Repair
    | Divide
    | Lock
    | LockArea
    | Rename
    | Renumber
    | SetAttributes
)

NEEDS_SURVEY = frozenset(
    {"split-line", "split-parts", "rebalance", "repair", "divide", "lock-area", "renumber"}
)
"""Kinds that need shapes or the engine (`geo.editing.survey`); the others are decided on the ground alone."""


@dataclass(frozen=True)
class Refusal:
    """Why an edit is not made: a value, not an error.

    Attributes
    ----------
    code
        Stable kebab-case reason, e.g. ``"grid-locked"``, ``"other-community"``, ``"no-such-grid"``.
    zh, en
        One sentence each: what stands in the way and what to do.
    where
        ``cells``, ``grids``, ``community``: the objects in the way.
    """

    code: str
    zh: str
    en: str
    where: dict[str, Any] = field(default_factory=dict)

    def to_dict(self) -> dict[str, Any]:
        """Return the refusal as JSON values."""
        return {"code": self.code, "zh": self.zh, "en": self.en, "where": dict(self.where)}


def to_document(edit: Edit) -> dict[str, Any]:
    """Return an edit as JSON values, its ``kind`` first."""
    return {"kind": edit.kind} | {f.name: _plain(getattr(edit, f.name)) for f in fields(edit)}


def edit_from(document: Mapping[str, Any]) -> Edit:
    """Read an edit.

    Parameters
    ----------
    document
        ``kind`` and the fields of that record; those with a default may be left out.

    Raises
    ------
    EditError
        ``edit-unreadable``: an unknown kind or field, one missing, or a value of the wrong type.
    """
    said = document.get("kind") if isinstance(document, Mapping) else None
    if not isinstance(said, str) or said not in _KINDS:
        kinds = sorted(_KINDS)
        raise _unreadable("kind", f"must be one of {', '.join(kinds)}", f"须为以下之一：{'、'.join(kinds)}")
    kind = _KINDS[said]
    known = {f.name: f for f in fields(kind)}
    for name in document:
        if name != "kind" and name not in known:
            raise _unreadable(str(name), f'is not one of the kind "{said}"', f"不属于“{said}”编辑")
    values = {}
    for name, column in known.items():
        if name in document:
            values[name] = _parsed(name, document[name], _PARSERS[str(column.type)])
        elif column.default is MISSING and column.default_factory is MISSING:
            raise _unreadable(name, "is missing", "缺失")
    return kind(**values)


def _plain(value: Any) -> Any:
    return [_plain(v) for v in value] if isinstance(value, tuple) else value


def _parsed(name: str, value: Any, parser: tuple[Callable[[Any], Any], str, str]) -> Any:
    read, en, zh = parser
    try:
        return read(value)
    except (TypeError, ValueError, OverflowError) as fault:
        raise _unreadable(name, f"must be {en}", f"须为{zh}") from fault


def _whole(value: Any) -> int:
    if type(value) is not int or not -LARGEST <= value <= LARGEST:
        raise TypeError
    return value


def _wholes(value: Any) -> tuple[int, ...]:
    if not isinstance(value, list | tuple):
        raise TypeError
    return tuple(_whole(v) for v in value)


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise TypeError
    value.encode("utf-8")  # a lone surrogate can be in no file
    return value


def _flag(value: Any) -> bool:
    if not isinstance(value, bool):
        raise TypeError
    return value


def _points(value: Any) -> tuple[Point, ...]:
    if not isinstance(value, list | tuple) or not value:
        raise TypeError
    return tuple(_point(v) for v in value)


def _point(value: Any) -> Point:
    lon, lat = value
    if any(type(v) not in (int, float) for v in (lon, lat)):
        raise TypeError
    if not (-180.0 <= lon <= 180.0 and -90.0 <= lat <= 90.0):  # False for NaN
        raise ValueError
    return (float(lon), float(lat))


def _table(value: Any) -> dict[str, Any]:
    if not isinstance(value, dict) or not all(isinstance(k, str) for k in value):
        raise TypeError
    return dict(value)


def _or_none(read: Callable[[Any], Any]) -> Callable[[Any], Any]:
    return lambda value: None if value is None else read(value)


def _unreadable(name: str, en: str, zh: str) -> EditError:
    return EditError(
        "edit-unreadable",
        f"无法读取该编辑：字段 {name} {zh}。",
        f"The edit cannot be read: the field {name} {en}.",
        column=name,
    )


LARGEST = 2**31 - 1
_PARSERS: dict[str, tuple[Callable[[Any], Any], str, str]] = {
    "int": (_whole, "a whole number", "整数"),
    "int | None": (_or_none(_whole), "a whole number or null", "整数或 null"),
    "tuple[int, ...]": (_wholes, "a list of whole numbers", "整数列表"),
    "tuple[Point, ...]": (
        _points,
        "a list of pairs of longitude and latitude in degrees",
        "经纬度坐标对的列表（度）",
    ),
    "str": (_text, "text", "文字"),
    "str | None": (_or_none(_text), "text or null", "文字或 null"),
    "bool": (_flag, "true or false", "true 或 false"),
    "dict[str, Any]": (_table, "an object", "对象"),
}
_KINDS: dict[str, type[Edit]] = {kind.kind: kind for kind in get_args(Edit)}
