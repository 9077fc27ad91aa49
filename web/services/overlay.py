"""Two plans on one dataset laid over each other, cell by cell, whatever each of them divided."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from numpy.typing import NDArray

    from geo.editing.division import Division
    from geo.editing.plan import Plan

COUNTED = ("households", "buildings", "area_dm2")


@dataclass(frozen=True)
class Overlay:
    """Pieces of ground, each in at most one grid of either plan.

    Attributes
    ----------
    new, old
        int64, shape (pieces,): id of the grid in the one and in the other plan, -1 for none.
    households, buildings, area_dm2
        int64, shape (pieces,). Over all pieces of a grid they add up to the grid's own figures.
    """

    new: NDArray[np.int64]
    old: NDArray[np.int64]
    households: NDArray[np.int64]
    buildings: NDArray[np.int64]
    area_dm2: NDArray[np.int64]


def overlay(new: Plan, old: Plan) -> Overlay:
    """Lay two plans on one dataset over each other.

    A cell that neither plan divides is one piece. Where one of them divides it, or both do in the same way, the
    parts are the pieces. Where they divide it differently, what the parts hold is shared out by the area that
    they have in common, so that the sums of both plans stay exact.
    """
    n = new.base.n
    sides = (_Side(new), _Side(old))
    torn = sorted({cell for side in sides for cell in side.divided if cell < n})
    whole = np.ones(n, np.bool_)
    whole[torn] = False
    pieces = [piece for cell in torn for piece in _pieces(sides[0], sides[1], cell, cell)]
    base = new.base
    columns: list[NDArray[Any]] = [
        new.assignment[:n][whole],
        old.assignment[:n][whole],
        base.cells.households[whole],
        base.cells.buildings[whole],
        base.area_dm2[whole],
    ]
    more = np.array(pieces, np.int64).reshape(-1, len(columns))
    return Overlay(*(np.append(column.astype(np.int64), more[:, k]) for k, column in enumerate(columns)))


class _Side:
    """One of the plans, asked cell by cell."""

    def __init__(self, plan: Plan) -> None:
        self.plan = plan
        held = [d for d, holds in zip(plan.divisions, plan.in_force, strict=True) if holds]
        self.divided: Mapping[int, Division] = {division.parent: division for division in held}
        self._made_by = {child: division for division in held for child in division.children}

    def leaves(self, cell: int) -> list[int]:
        division = self.divided.get(cell)
        if division is None:
            return [cell]
        return [leaf for child in division.children for leaf in self.leaves(child)]

    def grid(self, cell: int) -> int:
        return int(self.plan.assignment[cell])

    def amounts(self, cell: int) -> list[int]:
        ground = self.plan.ground
        counts = (ground.cells.households, ground.cells.buildings, ground.area_dm2)
        return [int(values[cell]) for values in counts]

    def rings(self, cell: int) -> tuple[tuple[tuple[int, int], ...], ...]:
        return dict(self._made_by[cell].rings)[cell]


Piece = tuple[int, ...]
"""Grid in the new plan, grid in the old one, then `COUNTED`."""


def _pieces(new: _Side, old: _Side, a: int, b: int) -> Iterable[Piece]:
    """Return the pieces of one stretch of ground, which is cell `a` in the new plan and `b` in the old one."""
    here, there = new.divided.get(a), old.divided.get(b)
    if here is None:
        return [(new.grid(a), old.grid(leaf), *old.amounts(leaf)) for leaf in old.leaves(b)]
    if there is None:
        return [(new.grid(leaf), old.grid(b), *new.amounts(leaf)) for leaf in new.leaves(a)]
    if _outlines(here) == _outlines(there):
        pairs = zip(here.children, there.children, strict=True)
        return [piece for one, other in pairs for piece in _pieces(new, old, one, other)]
    return _shared_out(new, old, new.leaves(a), old.leaves(b))


def _outlines(division: Division) -> list[tuple[tuple[tuple[int, int], ...], ...]]:
    rings = dict(division.rings)
    return [rings[child] for child in division.children]


def _shared_out(new: _Side, old: _Side, ours: list[int], theirs: list[int]) -> list[Piece]:
    """Share out what parts hold by their common ground, whole numbers that add up on both sides.

    Each pair first gets its share rounded down. What is left goes to the pairs with most common ground.
    """
    from shapely import Polygon  # noqa: PLC0415 - hardly ever needed

    def shape(side: _Side, cell: int) -> Polygon:
        outer, *holes = side.rings(cell)
        return Polygon(outer, holes)

    outlines = {a: shape(new, a) for a in ours}
    common = {
        (a, b): outlines[a].intersection(shape(old, b)).area for a in sorted(ours) for b in sorted(theirs)
    }
    mine, other = {a: new.amounts(a) for a in ours}, {b: old.amounts(b) for b in theirs}
    held = {a: tuple(amounts) for a, amounts in mine.items()}
    taken = {pair: [0] * len(COUNTED) for pair in sorted(common, key=lambda pair: -common[pair])}
    for rounded in (True, False):
        for (a, b), amounts in taken.items():
            for k in range(len(COUNTED)):
                fair = int(held[a][k] * common[a, b] / outlines[a].area) if rounded else mine[a][k]
                amount = min(fair, mine[a][k], other[b][k])
                amounts[k] += amount
                mine[a][k] -= amount
                other[b][k] -= amount
    return [(new.grid(a), old.grid(b), *amounts) for (a, b), amounts in taken.items() if any(amounts)]
