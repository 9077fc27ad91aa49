"""What every job begins with: the city, its cells, and units for a standard."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from geo.adjacency import cell_graph
from geo.cells import build_tiling
from geo.grouping import units_for
from geo.intake import load_city

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from geo.adjacency import Graph
    from geo.city import City
    from geo.layers import Source
    from geo.search import Search
    from geo.standards import Standard
    from geo.tiling import Tiling
    from geo.units import Units


@dataclass(frozen=True)
class Study:
    """A city with its cells, made once for all plans of a job.

    Attributes
    ----------
    city, tiling
        The loaded city and its exact tiling.
    graph
        Adjacency of the cells.
    """

    city: City
    tiling: Tiling
    graph: Graph = field(repr=False)

    def units(self, standard: Standard) -> Units:
        """Return planning units for a standard: compounds stay whole up to its limit."""
        return units_for(self.city, self.tiling, standard, graph=self.graph)


def read_study(sources: Sequence[Source], *, columns: Mapping[str, str] | None, search: Search) -> Study:
    """Read layers and divide the city into cells.

    Raises
    ------
    GeoError
        If the input cannot be used.
    """
    return study_city(load_city(sources, columns=columns or {}, progress=search.progress), search=search)


def study_city(city: City, *, search: Search) -> Study:
    """Divide a loaded city into cells."""
    tiling = build_tiling(
        city, executor=search.executor, progress=search.progress, cancelled=search.cancelled
    )
    return Study(city, tiling, cell_graph(tiling))
