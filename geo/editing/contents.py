"""What lies in a cell, building by building; in the halves of a divided cell, by the footprints on either side."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import shapely

from geo.editing.shapes import polygon_of, to_metres

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from geo.city import City
    from geo.editing.division import Division
    from geo.editing.plan import Plan
    from geo.editing.shapes import Rings, Shapes

SLIVER = 0.01
"""Share of a footprint that may lie beyond a drawn line without anybody living there."""


@dataclass(frozen=True, slots=True)
class Inside:
    """What one building holds in one cell.

    Attributes
    ----------
    building
        Row of `City.buildings`.
    households, persons, workers
        Of the building, as far as it lies in the cell.
    counts
        1 in the cell that counts the building, 0 in the others it reaches into.
    """

    building: int
    households: int
    persons: int
    workers: int
    counts: int


def contents(city: City, shapes: Shapes, plan: Plan, cell: int) -> tuple[Inside, ...]:
    """Return what lies in a cell of a plan, by the row of the building.

    Parameters
    ----------
    city, shapes, plan
        The city, and the outlines of the plan's cells.
    cell
        A cell that is there now, or one that a division in force replaced.
    """
    division = next((d for d in plan.divisions if cell in d.children), None)
    if division is None:
        return _of_cell(city, shapes, cell)
    whole = contents(city, shapes, plan, division.parent)
    return halves(city, whole, _rings_of(division))[division.children.index(cell)]


def halves(
    city: City, whole: Sequence[Inside], rings: tuple[Rings, Rings]
) -> tuple[tuple[Inside, ...], tuple[Inside, ...]]:
    """Share what lies in a cell between its two halves.

    A building goes to the half its footprint lies in. A footprint that is cut is shared by area, in whole
    households that add up; the building itself counts where more of it lies. A building whose footprint touches
    neither half goes to the nearer one.

    Parameters
    ----------
    city
        The city.
    whole
        Contents of the divided cell.
    rings
        Rings of the halves in grid steps.
    """
    if not whole:
        return (), ()
    rows = [inside.building for inside in whole]
    areas = _covered(city.buildings.geometry.iloc[rows].to_numpy(), _drawn(rings, city))
    first: list[Inside] = []
    second: list[Inside] = []
    for inside, (one, other) in zip(whole, areas.tolist(), strict=True):
        if other == 0.0:
            first.append(inside)
        elif one == 0.0:
            second.append(inside)
        else:
            for half, mine in zip((first, second), _cut(inside, one, other), strict=True):
                half.append(mine)
    return tuple(first), tuple(second)


def share(total: int, one: float, other: float) -> tuple[int, int]:
    """Divide a whole number in proportion to two weights, the remainder to the larger one; ties to the first."""
    if one + other <= 0.0:
        one = other = 1.0
    exact = total * one / (one + other)
    mine = int(np.floor(exact))
    rest = exact - mine
    mine += int(rest > 0.5 or (rest == 0.5 and one >= other))
    return min(mine, total), total - min(mine, total)


def _of_cell(city: City, shapes: Shapes, cell: int) -> tuple[Inside, ...]:
    rows = np.flatnonzero(shapes.tiling.building_cell == cell)
    held = city.buildings.iloc[rows]
    workers = held["workers"].tolist() if "workers" in held else [0] * len(rows)
    numbers = zip(rows.tolist(), held["households"].tolist(), held["persons"].tolist(), workers, strict=True)
    return tuple(Inside(row, int(h), int(p), int(w), 1) for row, h, p, w in numbers)


def _rings_of(division: Division) -> tuple[Rings, Rings]:
    drawn = dict(division.rings)
    return drawn[division.children[0]], drawn[division.children[1]]


def _drawn(rings: tuple[Rings, Rings], city: City) -> NDArray[Any]:
    """Return the halves in the working CRS of the city."""
    return shapely.transform(
        np.array([polygon_of(half) for half in rings]), to_metres(city.crs).transform, interleaved=False
    )


def _covered(footprints: NDArray[Any], drawn: NDArray[Any]) -> NDArray[np.float64]:
    """Return how much of each footprint lies in either half; one of the two is 0 where it is not to be cut."""
    areas = np.column_stack([shapely.area(shapely.intersection(footprints, half)) for half in drawn])
    total = areas.sum(axis=1)
    distance = np.column_stack(
        [shapely.distance(shapely.point_on_surface(footprints), half) for half in drawn]
    )
    none = total <= 0.0
    areas[none] = np.where(distance[none, :1] <= distance[none, 1:], [[1.0, 0.0]], [[0.0, 1.0]])
    areas[areas < SLIVER * areas.sum(axis=1, keepdims=True)] = 0.0
    return areas


def _cut(inside: Inside, one: float, other: float) -> tuple[Inside, Inside]:
    pairs = [share(n, one, other) for n in (inside.households, inside.persons, inside.workers)]
    counts = (inside.counts, 0) if one >= other else (0, inside.counts)
    (h0, h1), (p0, p1), (w0, w1) = pairs
    return (
        Inside(inside.building, h0, p0, w0, counts[0]),
        Inside(inside.building, h1, p1, w1, counts[1]),
    )
