"""Circle coverage, counted building by building.

A household is served when its building lies within the walking radius of a station, in a straight line. Counting
per building is exact; counting by the share of a circle's area is not, so circles are only drawn.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from scipy.spatial import cKDTree

from geo.errors import CRSError, GeoError, LayerError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

DEFAULT_MINUTES = 15.0

DEFAULT_SPEED_M_PER_MIN = 66.7
"""4.0 km/h: about 1,000 m in 15 minutes, the outer distance of the 15-minute circle (GB 50180)."""

UNCATEGORISED = "未分类"
"""Category of stations whose category is blank."""

NO_STATION = "no-station"
TOO_FAR = "too-far"

CIRCLE_QUAD_SEGMENTS = 32

TIE = 1e-9
"""Relative difference below which the tree's distances are compared again exactly."""


@dataclass(frozen=True)
class Totals:
    """Households and covered households of groups of buildings (grids, communities).

    Attributes
    ----------
    households
        int64, shape (groups,).
    covered
        int64, shape (groups, categories).
    """

    households: NDArray[np.int64]
    covered: NDArray[np.int64]


@dataclass(frozen=True)
class Coverage:
    """Who reaches a station of each category within the walking time.

    Attributes
    ----------
    minutes, speed_m_per_min
        As asked for.
    categories
        Station categories; the columns of every table below are in this order.
    station_category
        int32, shape (stations,): position in `categories`, -1 for a category that was not asked for.
    households
        int64, shape (buildings,).
    distance_m
        float64, shape (buildings, categories): straight-line distance to the nearest station; inf when the
        category has none.
    nearest
        int32, shape (buildings, categories): row of that station, of equally near ones the lowest;
        -1 for none.
    covered
        bool, shape (buildings, categories): distance is at most `radius_m`.
    grids
        Totals by grid, or None without a plan. Buildings outside every grid are in no row.
    communities
        Totals by community. Buildings outside every community are in no row.
    """

    minutes: float
    speed_m_per_min: float
    categories: tuple[str, ...]
    station_category: NDArray[np.int32]
    households: NDArray[np.int64]
    distance_m: NDArray[np.float64]
    nearest: NDArray[np.int32]
    covered: NDArray[np.bool_]
    grids: Totals | None
    communities: Totals

    @property
    def method(self) -> str:
        """How distance was measured."""
        return "circle"

    @property
    def radius_m(self) -> float:
        """Walking radius in metres: minutes times speed."""
        return self.minutes * self.speed_m_per_min

    @property
    def walk_minutes(self) -> NDArray[np.float64]:
        """float64, shape (buildings, categories): walking minutes to the nearest station."""
        return self.distance_m / self.speed_m_per_min

    @property
    def categories_reached(self) -> NDArray[np.int32]:
        """int32, shape (buildings,): number of categories with a station in reach."""
        return self.covered.sum(axis=1, dtype=np.int32)

    @property
    def stations(self) -> NDArray[np.int64]:
        """int64, shape (categories,): number of stations."""
        known = self.station_category[self.station_category >= 0]
        return np.bincount(known, minlength=len(self.categories)).astype(np.int64)

    @property
    def total_households(self) -> int:
        """Households in all buildings."""
        return int(self.households.sum())

    @property
    def covered_households(self) -> NDArray[np.int64]:
        """int64, shape (categories,): households in covered buildings."""
        return self.households @ self.covered.astype(np.int64)


def circle_coverage(
    buildings: gpd.GeoDataFrame,
    stations: gpd.GeoDataFrame,
    *,
    minutes: float = DEFAULT_MINUTES,
    speed_m_per_min: float = DEFAULT_SPEED_M_PER_MIN,
    categories: Sequence[str] | None = None,
    grid_of_building: NDArray[np.int32] | None = None,
    n_grids: int | None = None,
    n_communities: int | None = None,
) -> Coverage:
    """Measure, for every building, the way to the nearest station of each category.

    Parameters
    ----------
    buildings, stations
        Layers of a `geo.city.City`, both in its projected CRS in metres.
    minutes
        Walking time that counts as served, inclusive.
    speed_m_per_min
        Walking speed, metres a minute.
    categories
        Categories wanted, in this order, also ones without any station yet; default those of the stations,
        sorted.
    grid_of_building
        int32, shape (buildings,): row of the plan's grids, -1 for none.
    n_grids, n_communities
        Number of rows of the totals; default up to the highest one named.

    Raises
    ------
    CRSError
        If the layers are not in one projected CRS.
    GeoError
        If minutes or speed are not above zero (code ``coverage-bad-minutes``, ``coverage-bad-speed``).
    LayerError
        If there are no buildings or no stations.
    """
    _check(buildings, stations, minutes=minutes, speed_m_per_min=speed_m_per_min)
    labels = category_labels(stations)
    wanted = tuple(dict.fromkeys(categories)) if categories is not None else tuple(sorted(set(labels)))
    position = {name: k for k, name in enumerate(wanted)}
    station_category = np.array([position.get(label, -1) for label in labels], np.int32)
    nearest, distance = _ways(_points(buildings), _points(stations), station_category, len(wanted))
    households = buildings["households"].to_numpy(np.int64)
    covered = distance <= minutes * speed_m_per_min
    community = buildings["community"].to_numpy(np.int32)
    grids = None
    if grid_of_building is not None:
        grids = group_totals(households, covered, grid_of_building, n_grids)
    return Coverage(
        minutes=float(minutes),
        speed_m_per_min=float(speed_m_per_min),
        categories=wanted,
        station_category=station_category,
        households=households,
        distance_m=distance,
        nearest=nearest,
        covered=covered,
        grids=grids,
        communities=group_totals(households, covered, community, n_communities),
    )


def category_labels(stations: gpd.GeoDataFrame) -> list[str]:
    """Return the category of every station, blank ones as `UNCATEGORISED`."""
    return [str(value).strip() or UNCATEGORISED for value in stations["category"].fillna("")]


def group_totals(
    households: NDArray[np.int64],
    covered: NDArray[np.bool_],
    group: NDArray[np.int32],
    n: int | None = None,
) -> Totals:
    """Add up households and covered households by group, as integers.

    Parameters
    ----------
    households
        int64, shape (buildings,).
    covered
        bool, shape (buildings, categories).
    group
        int32, shape (buildings,): group of each building, -1 for none.
    n
        Number of groups; default one more than the highest named.
    """
    if len(group) != len(households):
        raise ValueError(f"{len(group)} groups for {len(households)} buildings")
    n = int(group.max(initial=-1)) + 1 if n is None else n
    inside = group >= 0
    sums = np.zeros(n, np.int64)
    reached = np.zeros((n, covered.shape[1]), np.int64)
    np.add.at(sums, group[inside], households[inside])
    np.add.at(reached, group[inside], (households[:, None] * covered)[inside])
    return Totals(households=sums, covered=reached)


def gap_table(coverage: Coverage) -> pd.DataFrame:
    """List every building with households out of reach of a category, most households first.

    Returns
    -------
    Columns ``building`` (int64, row), ``category`` (int64, position), ``households`` (int64), ``reason``
    (``"no-station"``: the category has no station at all; ``"too-far"``), ``distance_m``, ``minutes``
    (float64, NaN without a station), ``station`` (int64, row of the nearest one, -1 for none).
    """
    building, category = np.nonzero(~coverage.covered & (coverage.households > 0)[:, None])
    distance = coverage.distance_m[building, category]
    distance = np.where(np.isfinite(distance), distance, np.nan)
    households = coverage.households[building]
    order = np.lexsort((category, building, -households))
    table = pd.DataFrame(
        {
            "building": building,
            "category": category,
            "households": households,
            "reason": np.where(np.isnan(distance), NO_STATION, TOO_FAR),
            "distance_m": np.round(distance, 2),
            "minutes": np.round(distance / coverage.speed_m_per_min, 3),
            "station": coverage.nearest[building, category].astype(np.int64),
        }
    )
    return table.iloc[order].reset_index(drop=True)


def circle_polygons(coverage: Coverage, stations: gpd.GeoDataFrame) -> gpd.GeoSeries:
    """Return the union of the circles of each category, for maps only.

    Returns
    -------
    One geometry per category, in order, in the CRS of `stations`; None for a category without stations.
    """
    discs = shapely.buffer(_as_points(stations), coverage.radius_m, quad_segs=CIRCLE_QUAD_SEGMENTS)
    unions = [
        shapely.union_all(discs[coverage.station_category == k]) if coverage.stations[k] else None
        for k in range(len(coverage.categories))
    ]
    return gpd.GeoSeries(unions, index=pd.Index(coverage.categories), crs=stations.crs)


def _check(
    buildings: gpd.GeoDataFrame,
    stations: gpd.GeoDataFrame,
    *,
    minutes: float,
    speed_m_per_min: float,
) -> None:
    if not (math.isfinite(minutes) and minutes > 0):
        raise GeoError(
            "coverage-bad-minutes",
            f"步行时间必须大于 0 分钟，当前为 {minutes}。",
            f"The walking time must be above 0 minutes; it is {minutes}.",
        )
    if not (math.isfinite(speed_m_per_min) and speed_m_per_min > 0):
        raise GeoError(
            "coverage-bad-speed",
            f"步行速度必须大于 0 米/分钟，当前为 {speed_m_per_min}。",
            f"The walking speed must be above 0 metres a minute; it is {speed_m_per_min}.",
        )
    if not len(buildings):
        raise LayerError(
            "coverage-no-buildings",
            "建筑图层没有任何建筑，无法计算服务覆盖。请检查 buildings 图层。",
            "There are no buildings, so coverage cannot be counted. Check the buildings layer.",
            layer="buildings",
        )
    if not len(stations):
        raise LayerError(
            "coverage-no-stations",
            "没有服务站点，无法计算服务覆盖。请加入 stations 图层。",
            "There are no stations, so coverage cannot be counted. Add a stations layer.",
            layer="stations",
        )
    if buildings.crs is None or not buildings.crs.is_projected or buildings.crs != stations.crs:
        raise CRSError(
            "coverage-crs",
            "计算服务圈需要建筑与站点处于同一投影坐标系（单位：米）。",
            "Circles need buildings and stations in one projected coordinate system in metres.",
            layer="stations",
        )


def _as_points(frame: gpd.GeoDataFrame) -> NDArray[np.object_]:
    """Return one point inside each geometry; points stay as they are."""
    shapes = frame.geometry.to_numpy()
    inside = shapely.point_on_surface(shapes)
    return np.where(shapely.get_type_id(shapes) == shapely.GeometryType.POINT, shapes, inside)


def _points(frame: gpd.GeoDataFrame) -> NDArray[np.float64]:
    return shapely.get_coordinates(_as_points(frame))


def _ways(
    homes: NDArray[np.float64], sites: NDArray[np.float64], category: NDArray[np.int32], n: int
) -> tuple[NDArray[np.int32], NDArray[np.float64]]:
    """Return the nearest site of each home in each of `n` categories (-1 for none) and its distance (inf)."""
    nearest = np.full((len(homes), n), -1, np.int32)
    distance = np.full((len(homes), n), np.inf)
    for k in range(n):
        rows = np.flatnonzero(category == k)
        if len(rows):
            found, distance[:, k] = _nearest(homes, sites[rows])
            nearest[:, k] = rows[found]
    return nearest, distance


def _nearest(
    homes: NDArray[np.float64], sites: NDArray[np.float64]
) -> tuple[NDArray[np.intp], NDArray[np.float64]]:
    """Return the nearest site of each home and its distance; of equally near sites the first."""
    # Sites on one spot would fill the tree's answers with each other: keep the first of each spot.
    spots, first = np.unique(sites, axis=0, return_index=True)
    tree = cKDTree(spots)
    if len(spots) == 1:
        nearest = np.full(len(homes), first[0])
    else:
        answer = tree.query(homes, k=2)
        reach, found = np.asarray(answer[0]), np.asarray(answer[1])
        nearest = first[found[:, 0]]
        for row in np.flatnonzero(reach[:, 1] <= reach[:, 0] * (1 + TIE)):
            rivals = np.sort(first[tree.query_ball_point(homes[row], reach[row, 0] * (1 + TIE) + TIE)])
            nearest[row] = rivals[np.argmin(_distance(homes[row], sites[rivals]))]
    return nearest, _distance(homes, sites[nearest])


def _distance(a: NDArray[np.float64], b: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.hypot(a[..., 0] - b[..., 0], a[..., 1] - b[..., 1])
