"""The units a standard asks for: which compounds stay whole."""

from __future__ import annotations

from typing import TYPE_CHECKING

from geo.loads import stands_alone, unit_loads
from geo.units import build_units

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

    def stays_whole(units: Units) -> NDArray[np.bool_]:
        return (unit_loads(units, standard) <= standard.whole_limit) | stands_alone(units, standard)

    return build_units(
        city,
        tiling,
        stays_whole=stays_whole,
        hard=standard.hard_barriers,
        released=released,
        graph=graph,
    )
