"""Locks: what an automatic change must leave alone."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import shapely

if TYPE_CHECKING:
    from collections.abc import Collection

    from numpy.typing import NDArray

    from geo.city import City
    from geo.tiling import Tiling
    from geo.units import Units


@dataclass(frozen=True)
class Locks:
    """What is locked, by unit.

    Attributes
    ----------
    frozen
        bool, shape (units,): units of locked grids. Their grids stay exactly as they are.
    pinned
        bool, shape (units,): units that keep their grid; other units may join or leave it.
    """

    frozen: NDArray[np.bool_]
    pinned: NDArray[np.bool_]

    @property
    def held(self) -> NDArray[np.bool_]:
        """Units that may not change their grid, bool, shape (units,)."""
        return self.frozen | self.pinned


def no_locks(units: Units) -> Locks:
    """Lock nothing."""
    free = np.zeros(units.n, np.bool_)
    return Locks(free, free)


def lock(
    units: Units,
    grid_of_unit: NDArray[np.integer[Any]],
    *,
    grids: Collection[int] = (),
    pinned: NDArray[np.bool_] | None = None,
) -> Locks:
    """Lock whole grids by their number, and single units.

    Parameters
    ----------
    units, grid_of_unit
        The division that is locked; int, shape (units,).
    grids
        Numbers of grids that stay exactly as they are.
    pinned
        bool, shape (units,): units that keep their grid, e.g. from `units_in_area`.
    """
    frozen = np.isin(grid_of_unit, np.asarray(list(grids), dtype=np.int64))
    held = np.zeros(units.n, np.bool_) if pinned is None else np.asarray(pinned, np.bool_)
    return Locks(frozen, held & ~frozen)


def units_in_area(city: City, tiling: Tiling, units: Units, area: shapely.Geometry) -> NDArray[np.bool_]:
    """Find the units with a cell whose inner point lies in an area.

    Parameters
    ----------
    city, tiling, units
        The city.
    area
        Polygon or MultiPolygon in the working CRS of the city.

    Returns
    -------
    bool, shape (units,).
    """
    cells = tiling.cells.geometry.to_crs(city.crs).to_numpy()
    shapely.prepare(area)
    within = shapely.intersects(area, shapely.point_on_surface(cells))
    found = np.zeros(units.n, np.bool_)
    found[units.of_cell[within]] = True
    return found
