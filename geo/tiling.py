"""The exact tiling: one polygon per cell on an integer coordinate grid, and the segments between cells."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import geopandas as gpd
    import numpy as np
    from numpy.typing import NDArray

    from geo.findings import Finding

SCALE = 10_000_000
"""Grid steps per degree: coordinates are multiples of 1e-7 degree, about 1 cm, in longitude and latitude."""


@dataclass(frozen=True)
class Segments:
    """Every straight piece of border between two cells, or between a cell and the outside.

    Attributes
    ----------
    start, end
        int64, shape (n, 2): x (longitude), y (latitude) in grid steps; never equal.
    left, right
        int32, shape (n,): cell on that side when walking from start to end; -1 where there is none.
    border_class
        uint8, shape (n,): a `geo.types.BorderClass`.
    length_m
        float64, shape (n,): length in the working CRS, metres.
    """

    start: NDArray[np.int64]
    end: NDArray[np.int64]
    left: NDArray[np.int32]
    right: NDArray[np.int32]
    border_class: NDArray[np.uint8]
    length_m: NDArray[np.float64]


@dataclass(frozen=True)
class Tiling:
    """The cells of every community, without gap or overlap.

    Attributes
    ----------
    cells
        RangeIndex, EPSG:4326, one valid Polygon each (may have holes) with coordinates that are multiples of
        1 / `SCALE`. Columns: ``community`` (int32, position in `communities`), ``block`` (int32, the enclosure it
        lies in), ``compound`` (int32, position in `City.compounds`, -1 none), ``area_m2`` (float64, working CRS).
        Sorted by community. A cell without a building is an empty cell.
    communities
        Same rows as `City.communities`, EPSG:4326, outlines on the grid carrying the same nodes as the cells.
    building_cell
        int32, shape (buildings,): the cell of each row of `City.buildings`; -1 only where its community is -1.
    segments
        The borders, each once. Both sides in different communities: a community border.
    findings
        E.g. buildings that share a cell because their footprints overlap.
    """

    cells: gpd.GeoDataFrame
    communities: gpd.GeoDataFrame
    building_cell: NDArray[np.int32]
    segments: Segments
    findings: tuple[Finding, ...] = ()
