"""The ground of plans: cells, what they hold and how they touch, in whole numbers."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from geo.units import cell_units

if TYPE_CHECKING:
    from collections.abc import Iterable

    from numpy.typing import NDArray

    from geo.adjacency import Graph
    from geo.city import City
    from geo.tiling import Tiling
    from geo.units import Units

MM_PER_M = 1000.0
DM2_PER_M2 = 100.0


@dataclass(frozen=True)
class Ground:
    """The cells of a dataset in whole numbers, so that figures patched edit by edit stay exact.

    Attributes
    ----------
    dataset
        Id of the dataset: the SHA-256 of its content, 64 hexadecimal digits.
    cells
        One unit a cell, in the order of the tiling's cells (`geo.units.cell_units`), with their adjacency, also
        across community borders. Row i of `cells.graph` is cell i.
    length_mm
        int64, shape (m,): `cells.graph.length_m` in millimetres; both directions of an edge carry the same.
    class_mm
        int64, shape (m, len(BorderClass)): the same by what runs along it; rows add up to `length_mm`.
    outer_mm
        int64, shape (cells,): border of a cell that no other cell shares.
    area_dm2
        int64, shape (cells,): area in square decimetres.
    community_ids, community_names, community_codes
        By position of the community.
    compound_ids, compound_names
        By position of the compound.
    base
        The ground of the dataset, when cells of this one are divided (`geo.editing.divided`); None for that itself.
    retired
        bool, shape (cells,): cells that a division replaced, or whose division was undone; None for no cell.
    """

    dataset: str
    cells: Units
    length_mm: NDArray[np.int64]
    class_mm: NDArray[np.int64]
    outer_mm: NDArray[np.int64]
    area_dm2: NDArray[np.int64]
    community_ids: tuple[str, ...]
    community_names: tuple[str, ...]
    community_codes: tuple[str, ...]
    compound_ids: tuple[str, ...]
    compound_names: tuple[str, ...]
    base: Ground | None = None
    retired: NDArray[np.bool_] | None = None

    @property
    def n(self) -> int:
        """Number of cells, those of divisions that were undone included."""
        return self.cells.n

    @cached_property
    def live(self) -> NDArray[np.bool_]:
        """Cells that a grid can hold, bool, shape (cells,)."""
        return np.ones(self.n, np.bool_) if self.retired is None else ~self.retired


def ground_of(city: City, tiling: Tiling, dataset: str, *, graph: Graph | None = None) -> Ground:
    """Count the cells of a tiling in whole numbers.

    Lengths and areas are rounded once, here. The lengths of an edge by class are rounded by largest remainder, so
    that they add up to its rounded length.

    Parameters
    ----------
    city, tiling
        The city and its tiling.
    dataset
        Id of the dataset that holds them.
    graph
        `geo.adjacency.cell_graph` of the tiling, when the caller has it already.
    """
    cells = cell_units(city, tiling, graph=graph)
    length = _whole(cells.graph.length_m * MM_PER_M)
    return Ground(
        dataset=dataset,
        cells=cells,
        length_mm=length,
        class_mm=share_out(cells.graph.class_m * MM_PER_M, length),
        outer_mm=_whole(cells.graph.outer_m * MM_PER_M),
        area_dm2=_whole(cells.area_m2 * DM2_PER_M2),
        community_ids=_texts(city.communities["community_id"]),
        community_names=_texts(city.communities["name"]),
        community_codes=_texts(city.communities["code"]),
        compound_ids=_texts(city.compounds["compound_id"]),
        compound_names=_texts(city.compounds["name"]),
    )


def share_out(exact: NDArray[np.float64], total: NDArray[np.int64]) -> NDArray[np.int64]:
    """Round the rows of a table by largest remainder, so that each adds up to its given total.

    Parameters
    ----------
    exact
        float64, shape (n, k), not negative; the sum of a row is within one of its total.
    total
        int64, shape (n,).

    Returns
    -------
    int64, shape (n, k). Of equal remainders the first gets the odd one; a value of zero stays zero.
    """
    out = np.floor(exact).astype(np.int64)
    missing = total - out.sum(axis=1)
    odd = np.flatnonzero(missing)
    rest = np.where(exact[odd] > 0.0, exact[odd] - out[odd], -1.0)
    rank = np.argsort(np.argsort(-rest, axis=1, kind="stable"), axis=1)
    out[odd] += rank < missing[odd, None]
    return out


def _whole(values: NDArray[np.float64]) -> NDArray[np.int64]:
    return np.rint(values).astype(np.int64)


def _texts(column: Iterable[object]) -> tuple[str, ...]:
    return tuple(map(str, column))
