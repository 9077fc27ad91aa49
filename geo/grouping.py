"""The units a standard asks for: which compounds stay whole."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from geo.loads import stands_alone, unit_loads
from geo.units import build_units, join_compounds

if TYPE_CHECKING:
    from collections.abc import Collection

    import numpy as np
    from numpy.typing import NDArray

    from geo.adjacency import Graph
    from geo.city import City
    from geo.standards import Standard
    from geo.tiling import Tiling
    from geo.units import Units


def units_for(
    city: City,
    tiling: Tiling,
    standard: Standard,
    *,
    released: Collection[int] = (),
    graph: Graph | None = None,
) -> Units:
    """Group the cells into the units of a standard.

    A compound, or its connected piece in one community, stays whole up to the standard's `whole_limit`, counted in
    loads, and whatever its size when the rule of its type makes it a grid of its own. None crosses a hard barrier.

    Parameters
    ----------
    city, tiling, graph
        As in `geo.units.build_units`.
    standard
        The rules.
    released
        Positions of compounds that do not stay whole, whatever their size.
    """
    return build_units(
        city,
        tiling,
        stays_whole=partial(stays_whole, standard=standard),
        hard=standard.hard_barriers,
        released=released,
        graph=graph,
    )


def units_of(cells: Units, standard: Standard, *, released: Collection[int] = ()) -> Units:
    """Group counted cells into the units of a standard, as `units_for` does with a city.

    Parameters
    ----------
    cells
        One unit a cell; divided cells included, where the plan has some.
    standard, released
        As in `units_for`.
    """
    whole = partial(stays_whole, standard=standard)
    return join_compounds(cells, stays_whole=whole, hard=standard.hard_barriers, released=released)


def stays_whole(units: Units, standard: Standard) -> NDArray[np.bool_]:
    """Say of every unit whether it may stay in one piece, bool (units,)."""
    return (unit_loads(units, standard) <= standard.whole_limit) | stands_alone(units, standard)
