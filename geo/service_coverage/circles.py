"""Circle coverage, counted building by building.

A household is served when its building lies within the walking radius of a station, in a straight line. Counting
per building is exact; counting by the share of a circle's area is not, so circles are only drawn.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from scipy.spatial import cKDTree

from geo.errors import CRSError, LayerError
from geo.network import DETOUR_FACTOR
from geo.service_coverage.coverage import Groups, Scene, Ways, judge
from geo.service_coverage.question import DEFAULT_MINUTES, DEFAULT_SPEED_M_PER_MIN, ask

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from geo.service_coverage.coverage import Coverage

UNCATEGORISED = "未分类"
"""Category of stations whose category is blank."""

CIRCLE_QUAD_SEGMENTS = 32

TIE = 1e-9
"""Relative difference below which the tree's distances are compared again exactly."""


def circle_coverage(
    buildings: gpd.GeoDataFrame,
    stations: gpd.GeoDataFrame,
    *,
    minutes: float | Mapping[str, float] = DEFAULT_MINUTES,
    speed_m_per_min: float | Sequence[float] = DEFAULT_SPEED_M_PER_MIN,
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
        Walking time that counts as served, inclusive; times by category with the key ``""`` for all others.
    speed_m_per_min
        Walking speed, metres a minute; several at once, the first is the main one.
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
    labels = category_labels(stations)
    question = ask(labels, minutes=minutes, speeds=speed_m_per_min, categories=categories)
    check_layers(buildings, stations)
    category = station_categories(labels, question.categories)
    scene = Scene(
        households=buildings["households"].to_numpy(np.int64),
        workers=workers_of(buildings),
        state=np.zeros(len(buildings), np.uint8),
        groups=groups_of(buildings, grid_of_building, n_grids=n_grids, n_communities=n_communities),
        station_category=category,
        is_open=np.ones(len(stations), bool),
    )
    homes, sites = inner_points(buildings), inner_points(stations)
    ways = [
        straight_ways(homes, sites, np.flatnonzero(category == k)) for k in range(len(question.categories))
    ]
    return judge(scene, question, join_ways(ways, len(homes)), method="circle")


def groups_of(
    buildings: gpd.GeoDataFrame,
    grid_of_building: NDArray[np.int32] | None,
    *,
    n_grids: int | None,
    n_communities: int | None,
) -> Groups:
    """Return the grid and community of every building; counts default to one more than the highest named."""
    community = buildings["community"].to_numpy(np.int32)
    if grid_of_building is not None and len(grid_of_building) != len(buildings):
        raise ValueError(f"{len(grid_of_building)} groups for {len(buildings)} buildings")
    if grid_of_building is not None and n_grids is None:
        n_grids = int(grid_of_building.max(initial=-1)) + 1
    if n_communities is None:
        n_communities = int(community.max(initial=-1)) + 1
    return Groups(grid_of_building, n_grids or 0, community, n_communities)


def workers_of(buildings: gpd.GeoDataFrame) -> NDArray[np.int64] | None:
    """Return the workers in every building, int64; None where the layer counts none."""
    if "workers" not in buildings or not (buildings["workers"] > 0).any():
        return None
    return buildings["workers"].to_numpy(np.int64)


def category_labels(stations: gpd.GeoDataFrame) -> list[str]:
    """Return the category of every station, blank ones as `UNCATEGORISED`."""
    return [str(value).strip() or UNCATEGORISED for value in stations["category"].fillna("")]


def station_categories(labels: Sequence[str], categories: Sequence[str]) -> NDArray[np.int32]:
    """Return the position of every station's category, int32, -1 for one that is not wanted."""
    position = {name: k for k, name in enumerate(categories)}
    return np.array([position.get(label, -1) for label in labels], np.int32)


def straight_ways(
    homes: NDArray[np.float64], sites: NDArray[np.float64], rows: NDArray[np.intp]
) -> tuple[NDArray[np.float64], NDArray[np.int32]]:
    """Return the straight way from each home to the nearest site among some rows.

    Parameters
    ----------
    homes, sites
        float64, shape (n, 2), metres.
    rows
        Rows of `sites` that count, ascending.

    Returns
    -------
    Distance, float64, inf without any site; and row of `sites`, int32, of equals the lowest, -1 for none.
    """
    if not len(rows):
        return np.full(len(homes), np.inf), np.full(len(homes), -1, np.int32)
    found, distance = _nearest(homes, sites[rows])
    return distance, rows[found].astype(np.int32)


def straight_ways_moved(
    old: tuple[NDArray[np.float64], NDArray[np.int32]],
    homes: NDArray[np.float64],
    sites: NDArray[np.float64],
    rows: NDArray[np.intp],
    moved: int,
) -> tuple[NDArray[np.float64], NDArray[np.int32]]:
    """Return what `straight_ways` would, from its answer before one site moved.

    Parameters
    ----------
    old
        Answer for the same rows before.
    homes, sites, rows
        As for `straight_ways`, the moved site at its new place.
    moved
        Row of the moved site, one of `rows`.
    """
    distance, nearest = old[0].copy(), old[1].copy()
    orphans = np.flatnonzero(nearest == moved)
    distance[orphans], nearest[orphans] = straight_ways(homes[orphans], sites, rows[rows != moved])
    reach = _distance(homes, sites[moved])
    better = np.flatnonzero((reach < distance) | ((reach == distance) & (moved < nearest)))
    distance[better], nearest[better] = reach[better], moved
    return distance, nearest


def join_ways(columns: Sequence[tuple[NDArray[np.float64], NDArray[np.int32]]], n: int) -> Ways:
    """Put the ways of each category side by side."""
    # Column by column in memory: that is how they are made and read.
    shape = (n, len(columns))
    distance, nearest = np.empty(shape, order="F"), np.empty(shape, np.int32, order="F")
    for k, (length, station) in enumerate(columns):
        distance[:, k], nearest[:, k] = length, station
    return Ways(distance, nearest)


def circle_polygons(coverage: Coverage, stations: gpd.GeoDataFrame) -> gpd.GeoSeries:
    """Return the union of the circles of each category, for maps only.

    Circles of a coverage by ``"detour"`` are smaller by the factor: they hold just who is covered.

    Returns
    -------
    One geometry per category, in order, in the CRS of `stations`; None for a category without stations.
    """
    points = _as_points(stations)
    counts = [(coverage.station_category == k) & coverage.is_open for k in range(len(coverage.categories))]
    unions = [
        shapely.union_all(shapely.buffer(points[rows], limit, quad_segs=CIRCLE_QUAD_SEGMENTS))
        if rows.any()
        else None
        for rows, limit in zip(counts, circle_radius(coverage).tolist(), strict=True)
    ]
    return gpd.GeoSeries(unions, index=pd.Index(coverage.categories), crs=stations.crs)


def circle_radius(coverage: Coverage) -> NDArray[np.float64]:
    """Return the radius of the circles of each category in metres, float64, shape (categories,)."""
    return coverage.limit_m / (DETOUR_FACTOR if coverage.method == "detour" else 1.0)


def check_layers(buildings: gpd.GeoDataFrame, stations: gpd.GeoDataFrame) -> None:
    """Refuse layers that hold nothing to count, or are not in one projected CRS.

    Raises
    ------
    LayerError
        ``coverage-no-buildings``, ``coverage-no-stations``.
    CRSError
        ``coverage-crs``.
    """
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


def inner_points(frame: gpd.GeoDataFrame) -> NDArray[np.float64]:
    """Return float64, shape (rows, 2): a point inside each geometry; points stay as they are."""
    return shapely.get_coordinates(_as_points(frame))


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
