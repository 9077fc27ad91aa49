"""What every cell counts for, in whole numbers that add up to the loads of a standard's units."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from geo.grouping import units_of
from geo.loads import measured, unit_loads

if TYPE_CHECKING:
    from collections.abc import Collection

    from numpy.typing import NDArray

    from geo.standards import Standard
    from geo.units import Units


def cell_loads(cells: Units, standard: Standard, *, released: Collection[int] = ()) -> NDArray[np.int64]:
    """Share the load of every unit of a standard among its cells.

    A unit counts for what `geo.loads.unit_loads` says; where types have rules of their own, or homes a workload
    index, that is no sum over its cells. The load is shared in proportion to what each cell counts for by the
    unit's own rule, and rounded by largest remainder, so that a grid of whole units has the very load that the
    engine gave it. Of equal remainders the cell with the lowest number gets the odd one.

    Parameters
    ----------
    cells
        One unit a cell, as in `geo.dataset.ground.Ground.cells` of a dataset.
    standard
        Says what is counted, and which compounds are units.
    released
        Positions of compounds that do not stay whole.

    Returns
    -------
    int64, shape (cells,). Where nothing but households or persons counts, that number itself.
    """
    if cells.workload is None and (cells.kind is None or not standard.rules):
        return np.array(getattr(cells, standard.measure), np.int64)
    units = units_of(cells, standard, released=released)
    unit = units.of_cell
    wanted = unit_loads(units, standard)
    counted = measured(cells, standard, kind=None if units.kind is None else units.kind[unit])
    weight = counted if cells.workload is None else counted * cells.workload
    idle = np.bincount(unit, weights=weight, minlength=units.n) <= 0.0
    # Homes that an index of zero hides still share the load of one that every inhabited unit has.
    weight = np.where(idle[unit], counted, weight)
    return _apportioned(weight, unit, wanted)


def _apportioned(
    weight: NDArray[np.float64], unit: NDArray[np.int32], wanted: NDArray[np.int64]
) -> NDArray[np.int64]:
    """Share whole numbers among the cells of each unit by weight and largest remainder."""
    total = np.bincount(unit, weights=weight, minlength=len(wanted))
    exact = wanted[unit] * weight / np.where(total > 0.0, total, 1.0)[unit]
    loads = np.floor(exact).astype(np.int64)
    given = np.zeros(len(wanted), np.int64)
    np.add.at(given, unit, loads)
    order = np.lexsort((np.arange(len(unit)), loads - exact, unit))
    first = np.append(0, np.cumsum(np.bincount(unit, minlength=len(wanted))))[:-1]
    place = np.arange(len(unit)) - first[unit[order]]
    loads[order] += place < (wanted - given)[unit[order]]
    return loads
