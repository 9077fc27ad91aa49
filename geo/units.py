"""Planning units: what the engine and the brush move together."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from geo.adjacency import cell_graph, components, contract

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from geo.adjacency import Graph
    from geo.city import City
    from geo.tiling import Tiling


@dataclass(frozen=True)
class Units:
    """Units of all communities, each a connected set of cells of one community.

    Attributes
    ----------
    of_cell
        int32, shape (cells,): the unit of each cell.
    community, compound
        int32, shape (n,): position in the city's layers; compound is -1 for none. A compound that is too large to
        stay whole, or whose cells do not touch, has several units that carry its number.
    households, persons
        int64, shape (n,).
    buildings
        int32, shape (n,): number of buildings.
    area_m2
        float64, shape (n,).
    graph
        Adjacency of the units, also across community borders.
    """

    of_cell: NDArray[np.int32]
    community: NDArray[np.int32]
    compound: NDArray[np.int32]
    households: NDArray[np.int64]
    persons: NDArray[np.int64]
    buildings: NDArray[np.int32]
    area_m2: NDArray[np.float64]
    graph: Graph

    @property
    def n(self) -> int:
        """Number of units."""
        return len(self.community)


def build_units(
    city: City,
    tiling: Tiling,
    *,
    max_households: int | None,
    graph: Graph | None = None,
) -> Units:
    """Group the cells into planning units: compounds that fit stay whole, every other cell is its own unit.

    The cells of a compound form one unit for each connected piece in one community whose households do not
    exceed the maximum; its cells without a building belong to it.

    Parameters
    ----------
    city, tiling
        The city and its tiling.
    max_households
        The hard maximum of a grid; None keeps every compound whole.
    graph
        `geo.adjacency.cell_graph` of the tiling, when the caller has it already.

    Returns
    -------
    Units in the order of their first cell; sums are exact integers.
    """
    cells = graph if graph is not None else cell_graph(tiling)
    community = tiling.cells["community"].to_numpy(np.int32)
    compound = tiling.cells["compound"].to_numpy(np.int32)
    placed = tiling.building_cell >= 0
    home = tiling.building_cell[placed]
    households = _sums(home, city.buildings["households"].to_numpy(np.int64)[placed], cells.n)
    persons = _sums(home, city.buildings["persons"].to_numpy(np.int64)[placed], cells.n)
    buildings = np.bincount(home, minlength=cells.n).astype(np.int32)

    width = int(compound.max(initial=0)) + 1
    key = np.where(compound >= 0, community.astype(np.int64) * width + compound, -1)
    _, label = np.unique(key, return_inverse=True)
    piece = components(cells, np.where(compound >= 0, label, -1).astype(np.int32))
    if max_households is not None and piece.max(initial=-1) >= 0:
        load = _sums(piece[piece >= 0], households[piece >= 0], int(piece.max()) + 1)
        too_large = np.append(load > max_households, False)  # the last entry answers for piece -1
        piece = np.where(too_large[piece], -1, piece)
    of_cell = _number(piece)
    n = int(of_cell.max(initial=-1)) + 1
    first = np.unique(of_cell, return_index=True)[1]
    return Units(
        of_cell=of_cell,
        community=community[first],
        compound=compound[first],
        households=_sums(of_cell, households, n),
        persons=_sums(of_cell, persons, n),
        buildings=_sums(of_cell, buildings, n).astype(np.int32),
        area_m2=np.bincount(of_cell, weights=tiling.cells["area_m2"].to_numpy(float), minlength=n).astype(
            float
        ),
        graph=contract(cells, of_cell, n),
    )


def _sums(position: NDArray[np.int32], values: NDArray[np.integer], n: int) -> NDArray[np.int64]:
    """Add integers by position, without a detour through floats."""
    total = np.zeros(n, np.int64)
    np.add.at(total, position, values)
    return total


def _number(piece: NDArray[np.int32]) -> NDArray[np.int32]:
    """Give a number to each piece and to each cell of piece -1, in the order of their first cell."""
    n = len(piece)
    key = np.where(piece >= 0, piece, np.arange(n) + n)
    _, first, inverse = np.unique(key, return_index=True, return_inverse=True)
    rank = np.empty(len(first), np.int32)
    rank[np.argsort(first)] = np.arange(len(first), dtype=np.int32)
    return rank[inverse]
