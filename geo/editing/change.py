"""A change: what an edit did, object by object, before and after. Its inverse is the same read backwards."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from geo.editing.division import Division
    from geo.editing.plan import Grid


def _no_cells() -> NDArray[np.int32]:
    return np.zeros(0, np.int32)


@dataclass(frozen=True)
class GridChange:
    """One grid before and after; None where it does not exist."""

    id: int
    before: Grid | None
    after: Grid | None


@dataclass(frozen=True)
class DivisionChange:
    """A division made, undone or brought back; `number` is its place in `Plan.divisions`."""

    number: int
    division: Division
    before: bool
    after: bool


@dataclass(frozen=True)
class Change:
    """The difference between two states of a plan.

    Attributes
    ----------
    cells
        int32, shape (m,), ascending, each once: cells whose grid changed.
    before, after
        int32, shape (m,): their grid, `geo.editing.plan.UNASSIGNED` for none.
    grids
        Grids that came, went or changed what is said of them, by id.
    pins
        int32, shape (p,), ascending: cells whose pin changed.
    pinned
        bool, shape (p,): what it is afterwards; before it was the opposite.
    divisions
        Cells divided or put together again.
    """

    cells: NDArray[np.int32] = field(default_factory=_no_cells)
    before: NDArray[np.int32] = field(default_factory=_no_cells)
    after: NDArray[np.int32] = field(default_factory=_no_cells)
    grids: tuple[GridChange, ...] = ()
    pins: NDArray[np.int32] = field(default_factory=_no_cells)
    pinned: NDArray[np.bool_] = field(default_factory=lambda: np.zeros(0, np.bool_))
    divisions: tuple[DivisionChange, ...] = ()
