"""The edits a planner makes, as plain records. What they do is decided by `geo.editing.apply`."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, ClassVar

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
