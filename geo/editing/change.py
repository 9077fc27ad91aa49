"""A change: what an edit did, object by object, before and after. Its inverse is the same read backwards."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, TypedDict

import numpy as np

from geo.editing.plan import UNASSIGNED

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
    """A division made, undone or brought back; `number` is its place in `Plan.divisions`.

    `before` and `after` say whether it is in force; one that is made was not before.
    """

    number: int
    division: Division
    before: bool
    after: bool


@dataclass(frozen=True, eq=False)
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

    @property
    def empty(self) -> bool:
        """Whether nothing changes."""
        return not (len(self.cells) or self.grids or len(self.pins) or self.divisions)

    @cached_property
    def members(self) -> frozenset[int]:
        """Grids that cells join or leave."""
        return frozenset(self.before.tolist() + self.after.tolist()) - {UNASSIGNED}

    def inverse(self) -> Change:
        """Return the change that takes this one back."""
        return Change(
            cells=self.cells,
            before=self.after,
            after=self.before,
            grids=tuple(GridChange(g.id, g.after, g.before) for g in self.grids),
            pins=self.pins,
            pinned=~self.pinned,
            divisions=tuple(
                DivisionChange(d.number, d.division, d.after, d.before) for d in reversed(self.divisions)
            ),
        )

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Change):
            return NotImplemented
        arrays = ("cells", "before", "after", "pins", "pinned")
        same = all(np.array_equal(getattr(self, name), getattr(other, name)) for name in arrays)
        return same and self.grids == other.grids and self.divisions == other.divisions

    __hash__ = None  # type: ignore[assignment]  # it holds arrays


class Moves(TypedDict):
    """The cells of a `Change`, to be given to it as ``Change(**moves(…))``."""

    cells: NDArray[np.int32]
    before: NDArray[np.int32]
    after: NDArray[np.int32]


def moves(cells: NDArray[np.integer], before: NDArray[np.integer], after: NDArray[np.integer]) -> Moves:
    """Return ``cells``, ``before`` and ``after`` of a `Change`: sorted, without cells that stay.

    Parameters
    ----------
    cells
        Integers, shape (k,), each once, in any order.
    before, after
        Integers, shape (k,): grid of each of them.
    """
    differ = np.flatnonzero(np.asarray(before) != np.asarray(after))
    order = differ[np.argsort(np.asarray(cells)[differ], kind="stable")]
    return {
        "cells": np.asarray(cells)[order].astype(np.int32),
        "before": np.asarray(before)[order].astype(np.int32),
        "after": np.asarray(after)[order].astype(np.int32),
    }


def compose(first: Change, second: Change) -> Change:
    """Return one change that does what two do one after the other.

    Raises
    ------
    ValueError
        The second does not start where the first ends.
    """
    cells = np.union1d(first.cells, second.cells).astype(np.int32)
    before, after = np.zeros(len(cells), np.int32), np.zeros(len(cells), np.int32)
    at_one, at_two = np.searchsorted(cells, first.cells), np.searchsorted(cells, second.cells)
    before[at_two], after[at_one] = second.before, first.after
    shared = np.intersect1d(at_one, at_two)
    if (before[shared] != after[shared]).any():
        raise ValueError("the second change does not start where the first one ends")
    before[at_one], after[at_two] = first.before, second.after
    both, one, two = np.intersect1d(first.pins, second.pins, return_indices=True)
    if len(both) and (first.pinned[one] == second.pinned[two]).any():
        raise ValueError("the second change does not start with the pins of the first one")
    pins = np.setxor1d(first.pins, second.pins).astype(np.int32)
    state = dict(zip(first.pins.tolist(), first.pinned.tolist(), strict=True))
    state.update(zip(second.pins.tolist(), second.pinned.tolist(), strict=True))
    return Change(
        **moves(cells, before, after),
        grids=_joined_grids(first.grids, second.grids),
        pins=pins,
        pinned=np.array([state[p] for p in pins.tolist()], np.bool_),
        divisions=_joined_divisions(first.divisions, second.divisions),
    )


def _joined_grids(first: tuple[GridChange, ...], second: tuple[GridChange, ...]) -> tuple[GridChange, ...]:
    joined = {g.id: g for g in first}
    for g in second:
        earlier = joined.get(g.id)
        if earlier is not None and earlier.after != g.before:
            raise ValueError(f"grid {g.id} is not as the first change leaves it")
        joined[g.id] = GridChange(g.id, earlier.before if earlier else g.before, g.after)
    return tuple(g for _, g in sorted(joined.items()) if g.before != g.after)


def _joined_divisions(
    first: tuple[DivisionChange, ...], second: tuple[DivisionChange, ...]
) -> tuple[DivisionChange, ...]:
    joined = {d.number: d for d in first}
    for d in second:
        earlier = joined.get(d.number)
        if earlier is not None and earlier.after != d.before:
            raise ValueError(f"division {d.number} is not as the first change leaves it")
        joined[d.number] = DivisionChange(
            d.number, d.division, earlier.before if earlier else d.before, d.after
        )
    # One made and undone stays in the list: it has its rows.
    return tuple(joined.values())
