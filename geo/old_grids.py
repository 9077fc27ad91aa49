"""An old division as a polygon layer: which old grid each building and each unit was in."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import shapely

from geo.errors import LayerError
from geo.findings import Finding

if TYPE_CHECKING:
    import geopandas as gpd
    from numpy.typing import NDArray

    from geo.city import City
    from geo.tiling import Tiling
    from geo.units import Units


@dataclass(frozen=True)
class OldDivision:
    """Where everything was before.

    Attributes
    ----------
    of_building
        int32, shape (buildings,): row of the old grids, -1 for none.
    of_unit
        int32, shape (units,): the old grid of most of the unit's households; of a unit without any, that of most
        of its area; -1 for none.
    findings
        Units cut by an old border, buildings outside all old grids, old grids that overlap, cross communities or
        hold nothing.
    """

    of_building: NDArray[np.int32]
    of_unit: NDArray[np.int32]
    findings: tuple[Finding, ...]


def old_grid_of_points(
    points: NDArray[np.object_], old_grids: gpd.GeoDataFrame
) -> tuple[NDArray[np.int32], NDArray[np.bool_]]:
    """Find the old grid of every point.

    Parameters
    ----------
    points
        Object array, shape (n,), in the CRS of the old grids; None where there is no place.
    old_grids
        Areas.

    Returns
    -------
    tuple
        int32, shape (n,): row of `old_grids`, -1 outside all; in several the lowest row, as on a shared border. And
        bool, shape (n,): lies inside several.
    """
    shapes = old_grids.geometry.to_numpy()
    tree = shapely.STRtree(shapes)
    found = np.full(len(points), len(shapes), np.int64)
    point, area = tree.query(points, predicate="intersects")
    np.minimum.at(found, point, area)
    inner, _ = tree.query(points, predicate="within")
    return (
        np.where(found < len(shapes), found, -1).astype(np.int32),
        np.bincount(inner, minlength=len(points)) > 1,
    )


def map_old_grids(city: City, tiling: Tiling, units: Units) -> OldDivision:
    """Bring the city's old grids to its units.

    Raises
    ------
    LayerError
        ``old-grids-missing``: the city has no old grids; ``old-grids-elsewhere``: no building lies in any of them.
    """
    old = city.old_grids
    if not len(old):
        raise LayerError(
            "old-grids-missing",
            "没有给出原有网格图层（old_grids）。",
            "No layer of old grids (old_grids) was given.",
            role="old_grids",
        )
    points = shapely.point_on_surface(city.buildings.geometry.to_numpy())
    of_building, several = old_grid_of_points(points, old)
    if len(of_building) and not (of_building >= 0).any():
        raise LayerError(
            "old-grids-elsewhere",
            "没有任何一栋楼位于原有网格内。请核对原有网格图层的坐标系和范围。",
            "No building lies in any of the old grids. Check the CRS and the extent of the old grids.",
            role="old_grids",
        )
    of_unit, cut = _of_units(city, tiling, units, of_building)
    findings = [
        *_overlaps(city, several),
        *_outside(city, tiling, of_building),
        *_cut(units, cut),
        *_across(city, units, of_unit),
        *_unused(old, of_unit),
    ]
    return OldDivision(of_building, of_unit, tuple(findings))


def _of_units(
    city: City, tiling: Tiling, units: Units, of_building: NDArray[np.int32]
) -> tuple[NDArray[np.int32], NDArray[np.int64]]:
    """Return the old grid of every unit, and its households that were in another."""
    placed = np.flatnonzero((tiling.building_cell >= 0) & (of_building >= 0))
    unit = units.of_cell[tiling.building_cell[placed]]
    homes = city.buildings["households"].to_numpy(np.int64)[placed]
    cells = tiling.cells.geometry.to_crs(city.crs).to_numpy()
    of_cell, _ = old_grid_of_points(shapely.point_on_surface(cells), city.old_grids)
    area = tiling.cells["area_m2"].to_numpy(np.float64)
    inside = of_cell >= 0
    by_homes, cut = _majority(unit, of_building[placed], homes.astype(np.float64), units.n)
    by_area, _ = _majority(units.of_cell[inside], of_cell[inside], area[inside], units.n)
    return np.where(by_homes >= 0, by_homes, by_area).astype(np.int32), np.rint(cut).astype(np.int64)


def _majority(
    unit: NDArray[np.int32], grid: NDArray[np.int32], weight: NDArray[np.float64], n: int
) -> tuple[NDArray[np.int32], NDArray[np.float64]]:
    """Return for each unit the grid of most weight (ties: lowest), -1 without any, and the weight elsewhere."""
    best, rest = np.full(n, -1, np.int32), np.zeros(n)
    heavy = weight > 0
    if not heavy.any():
        return best, rest
    pairs, place = np.unique(np.column_stack([unit[heavy], grid[heavy]]), axis=0, return_inverse=True)
    total = np.bincount(place.ravel(), weights=weight[heavy])
    order = np.lexsort((pairs[:, 1], -total, pairs[:, 0]))
    first = np.flatnonzero(np.diff(pairs[order, 0], prepend=-1))
    lead = order[first]
    best[pairs[lead, 0]] = pairs[lead, 1]
    rest += np.bincount(pairs[:, 0], weights=total, minlength=n)
    rest[pairs[lead, 0]] -= total[lead]
    return best, rest


def _overlaps(city: City, several: NDArray[np.bool_]) -> list[Finding]:
    if not several.any():
        return []
    homes = city.buildings.loc[several]
    return [
        Finding(
            "old-grids-overlap",
            "warning",
            "old_grids",
            len(homes),
            f"原有网格互相重叠，{len(homes)} 栋楼同时在几个网格内，归入图层中靠前的一个。",
            f"Old grids overlap: {len(homes)} buildings lie in several and count for the first of these.",
            rows=tuple(homes["source_row"]),
            ids=tuple(homes["building_id"]),
            households=int(homes["households"].sum()),
        )
    ]


def _outside(city: City, tiling: Tiling, of_building: NDArray[np.int32]) -> list[Finding]:
    homes = city.buildings.loc[(of_building < 0) & (tiling.building_cell >= 0)]
    if not len(homes):
        return []
    return [
        Finding(
            "building-outside-old-grids",
            "warning",
            "old_grids",
            len(homes),
            f"{len(homes)} 栋楼不在任何原有网格内，视为新增，不计入调整户数。",
            f"{len(homes)} buildings lie in no old grid; they count as new, not as moved.",
            rows=tuple(homes["source_row"]),
            ids=tuple(homes["building_id"]),
            households=int(homes["households"].sum()),
        )
    ]


def _cut(units: Units, cut: NDArray[np.int64]) -> list[Finding]:
    rows = np.flatnonzero(cut)
    if not len(rows):
        return []
    lost = int(cut.sum())
    whole = int((units.compound[rows] >= 0).sum())
    return [
        Finding(
            "unit-cut-by-old-grid",
            "info",
            "old_grids",
            len(rows),
            f"{len(rows)} 个规划单元（其中小区 {whole} 个）被原网格边界切开，归户数多的一侧，另一侧共 {lost} 户。",
            f"Old borders cut {len(rows)} planning units ({whole} of them compounds); each counts for the old grid "
            f"of most of its households, {lost} households being on the other side.",
            households=lost,
        )
    ]


def _across(city: City, units: Units, of_unit: NDArray[np.int32]) -> list[Finding]:
    known = of_unit >= 0
    pairs = np.unique(np.column_stack([of_unit[known], units.community[known]]), axis=0)
    grids = np.flatnonzero(np.bincount(pairs[:, 0], minlength=len(city.old_grids)) > 1)
    if not len(grids):
        return []
    return [
        Finding(
            "old-grid-across-communities",
            "warning",
            "old_grids",
            len(grids),
            f"{len(grids)} 个原有网格跨社区，按社区边界分开。",
            f"{len(grids)} old grids lie in several communities; they are divided at the community border.",
            ids=tuple(city.old_grids["grid_code"].iloc[grids]),
        )
    ]


def _unused(old: gpd.GeoDataFrame, of_unit: NDArray[np.int32]) -> list[Finding]:
    used = np.bincount(of_unit[of_unit >= 0], minlength=len(old)) > 0
    if used.all():
        return []
    ids = old.loc[~used, "grid_code"]
    return [
        Finding(
            "old-grid-without-units",
            "warning",
            "old_grids",
            len(ids),
            f"{len(ids)} 个原有网格没有占多数的规划单元，不再作为来源。",
            f"{len(ids)} old grids hold the majority of no planning unit, so none is counted as coming from them.",
            ids=tuple(ids),
        )
    ]
