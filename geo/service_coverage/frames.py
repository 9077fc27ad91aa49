"""Coverage as layers of a GeoPackage."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from geo.service_coverage.circles import category_labels, circle_polygons, circle_radius
from geo.service_coverage.claims import circle_claims
from geo.service_coverage.coverage import ISLAND, OFF_NETWORK
from geo.service_coverage.gaps import OFF, ON_ISLAND, gap_areas, gap_table

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from geo.service_coverage.coverage import Coverage

OUTPUT_CRS = "EPSG:4326"

STATES = ("on-network", OFF, ON_ISLAND)
"""Names of the states of a building, by their number."""

UNSAFE = re.compile(r"[\x00-\x1f\x7f\"`\[\]]+")
"""Characters that a column name cannot carry safely through SQL and GIS tools."""


@dataclass(frozen=True)
class CategoryColumns:
    """Names of the columns of one category; equal for no two categories, also when case is ignored."""

    minutes: str
    covered: str
    station: str


def category_columns(categories: Sequence[str]) -> list[CategoryColumns]:
    """Return column names that keep the category's own name where they can.

    Characters that a column name cannot carry become an underscore, and names that would clash when case is
    ignored get a number. The layer ``circles`` holds category and names side by side, so every column leads
    back to its category.
    """
    taken: set[str] = set()
    columns = []
    for category in categories:
        base = UNSAFE.sub("_", category)
        stem, number = base, 1
        while stem.casefold() in taken:
            number += 1
            stem = f"{base}_{number}"
        taken.add(stem.casefold())
        columns.append(CategoryColumns(minutes=f"min_{stem}", covered=f"cov_{stem}", station=f"sta_{stem}"))
    return columns


def coverage_frames(
    coverage: Coverage,
    buildings: gpd.GeoDataFrame,
    stations: gpd.GeoDataFrame,
    *,
    grids: gpd.GeoDataFrame | None = None,
    grid_of_building: NDArray[np.int32] | None = None,
    communities: gpd.GeoDataFrame | None = None,
    isochrones: gpd.GeoDataFrame | None = None,
) -> dict[str, gpd.GeoDataFrame]:
    """Return the layers of a coverage file, EPSG:4326.

    Parameters
    ----------
    coverage
        Made from these buildings and stations.
    buildings, stations
        In their working CRS.
    grids
        The plan's grids, rows as in ``coverage.grids``; without them there is no layer ``grids``.
    grid_of_building
        int32, shape (buildings,): row of `grids`, -1 for none.

    communities
        Rows as in ``coverage.communities``; without them there is no layer ``communities``.
    isochrones
        From `geo.service_coverage.isochrones.isochrone_frame`, for a coverage by walking.

    Returns
    -------
    ``buildings`` (building_id, households, grid_id, categories_reached, then per category minutes ``min_…``, null
    without a station, and ``cov_…``, bool; by walking also ``state`` and per category the station's id ``sta_…``),
    ``grids`` and ``communities`` (ids, households, then covered households ``cov_…`` per category, by walking also
    those ``off_network`` and on an ``island``), ``circles`` (one row a category: its figures and column names),
    ``isochrones`` where they are given, ``gaps`` (one point per building and category out of reach, most households
    first), ``gap_areas`` and ``stations``.
    """
    columns = category_columns(coverage.categories)
    grid_id = np.full(len(buildings), "", dtype=object)
    if grids is not None and grid_of_building is not None:
        grid_id = np.append(grids["grid_id"].to_numpy(dtype=object), "")[grid_of_building]
    frames = {"buildings": _building_frame(coverage, buildings, stations, columns, grid_id)}
    if grids is not None and coverage.grids is not None:
        frames["grids"] = _group_frame(coverage, "grids", grids, ("grid_id", "code"), columns)
    if communities is not None and len(communities):
        frames["communities"] = _group_frame(
            coverage, "communities", communities, ("community_id", "name"), columns
        )
    frames["circles"] = _circle_frame(coverage, stations, columns)
    if isochrones is not None:
        frames["isochrones"] = _isochrone_frame(coverage, isochrones, columns)
    frames["gaps"] = _gap_frame(coverage, buildings, stations, grid_id)
    frames["gap_areas"] = _area_frame(coverage, buildings, communities)
    frames["stations"] = gpd.GeoDataFrame(
        {
            "station_id": stations["station_id"].to_numpy(),
            "name": stations["name"].to_numpy(),
            "category": category_labels(stations),
            "open": coverage.is_open,
        },
        geometry=stations.geometry.to_crs(OUTPUT_CRS).to_numpy(),
        crs=OUTPUT_CRS,
    )
    return frames


def _building_frame(
    coverage: Coverage,
    buildings: gpd.GeoDataFrame,
    stations: gpd.GeoDataFrame,
    columns: Sequence[CategoryColumns],
    grid_id: NDArray[np.object_],
) -> gpd.GeoDataFrame:
    data: dict[str, object] = {
        "building_id": buildings["building_id"].to_numpy(),
        "households": coverage.households,
        **({} if coverage.workers is None else {"workers": coverage.workers}),
        "grid_id": grid_id,
        "categories_reached": coverage.categories_reached,
    }
    walks = coverage.method == "network"
    station_ids = np.append(stations["station_id"].to_numpy(dtype=object), "")
    if walks:
        data["state"] = np.array(STATES, object)[coverage.state]
    for other in coverage.other_speeds:
        data[f"reached_at_{other.speed_m_per_min:g}"] = other.categories_reached
    minutes = np.round(coverage.walk_minutes, 3)
    minutes[~np.isfinite(minutes)] = np.nan
    for k, column in enumerate(columns):
        data[column.minutes] = minutes[:, k]
        data[column.covered] = coverage.covered[:, k]
        if walks:
            data[column.station] = station_ids[coverage.nearest[:, k]]
    shapes = buildings.geometry.to_crs(OUTPUT_CRS).to_numpy()
    return gpd.GeoDataFrame(pd.DataFrame(data), geometry=shapes, crs=OUTPUT_CRS)


def _group_frame(
    coverage: Coverage,
    part: Literal["grids", "communities"],
    areas: gpd.GeoDataFrame,
    names: Sequence[str],
    columns: Sequence[CategoryColumns],
) -> gpd.GeoDataFrame:
    totals = getattr(coverage, part)
    if totals is None or len(totals.households) != len(areas):
        raise ValueError(f"the coverage was not counted for these {part}")
    data: dict[str, object] = {name: areas[name].to_numpy() for name in names}
    data["households"] = totals.households
    if coverage.method == "network":
        group = coverage.groups.grid if part == "grids" else coverage.groups.community
        for state, name in enumerate(STATES[1:], start=1):
            data[name.replace("-", "_")] = _state_totals(coverage, group, len(areas), state)
    for k, column in enumerate(columns):
        data[column.covered] = totals.covered[:, k]
    return gpd.GeoDataFrame(
        pd.DataFrame(data), geometry=areas.geometry.to_crs(OUTPUT_CRS).to_numpy(), crs=OUTPUT_CRS
    )


def _state_totals(
    coverage: Coverage, group: NDArray[np.int32] | None, n: int, state: int
) -> NDArray[np.int64]:
    totals = np.zeros(n, np.int64)
    if group is not None:
        rows = np.flatnonzero((group >= 0) & (coverage.state == state))
        np.add.at(totals, group[rows], coverage.households[rows])
    return totals


def _circle_frame(
    coverage: Coverage, stations: gpd.GeoDataFrame, columns: Sequence[CategoryColumns]
) -> gpd.GeoDataFrame:
    circle = coverage if coverage.method == "detour" else coverage.circle or coverage
    served = circle.covered_households
    total = coverage.total_households
    unions = circle_polygons(circle, stations).to_crs(OUTPUT_CRS)
    data: dict[str, object] = {
        "category": list(coverage.categories),
        "stations": coverage.stations,
        "minutes": coverage.category_minutes,
        "speed_m_per_min": coverage.speed_m_per_min,
        "radius_m": np.round(circle_radius(circle), 3),
        "households": total,
        "covered": served,
        "uncovered": total - served,
        "minutes_column": [column.minutes for column in columns],
        "covered_column": [column.covered for column in columns],
    }
    if coverage.circle is not None:
        claims = circle_claims(coverage)
        data |= {
            "walk_covered": coverage.covered_households,
            "wrongly_in": claims.wrongly_in,
            "wrongly_out": claims.wrongly_out,
            "equivalent_radius_m": np.round(claims.equivalent_radius_m, 1),
        }
    return gpd.GeoDataFrame(pd.DataFrame(data), geometry=unions.to_numpy(), crs=OUTPUT_CRS)


def _isochrone_frame(
    coverage: Coverage, isochrones: gpd.GeoDataFrame, columns: Sequence[CategoryColumns]
) -> gpd.GeoDataFrame:
    total = coverage.total_households
    data = {
        "category": list(coverage.categories),
        "stations": coverage.stations,
        "minutes": coverage.category_minutes,
        "speed_m_per_min": coverage.speed_m_per_min,
        "limit_m": np.round(coverage.limit_m, 3),
        "households": total,
        "covered": coverage.covered_households,
        "uncovered": coverage.uncovered_households,
        "off_network": coverage.undecided_households(OFF_NETWORK),
        "island": coverage.undecided_households(ISLAND),
        "inside_not_reached": isochrones["inside_not_reached"].to_numpy(),
        "outside_reached": isochrones["outside_reached"].to_numpy(),
        "minutes_column": [column.minutes for column in columns],
        "covered_column": [column.covered for column in columns],
        "station_column": [column.station for column in columns],
    }
    return gpd.GeoDataFrame(
        pd.DataFrame(data), geometry=isochrones.geometry.to_crs(OUTPUT_CRS).to_numpy(), crs=OUTPUT_CRS
    )


def _area_frame(
    coverage: Coverage, buildings: gpd.GeoDataFrame, communities: gpd.GeoDataFrame | None
) -> gpd.GeoDataFrame:
    areas = gap_areas(coverage, buildings).to_crs(OUTPUT_CRS)
    names = [] if communities is None else communities["community_id"].tolist()
    ids = np.array([*names, ""], dtype=object)
    community = areas["community"].to_numpy()
    known = np.where(community < len(names), community, -1)
    return gpd.GeoDataFrame(
        {
            "category": np.array(coverage.categories, dtype=object)[areas["category"].to_numpy()],
            "community_id": ids[known],
            "households": areas["households"].to_numpy(),
            "buildings": areas["buildings"].to_numpy(),
            "reason": areas["reason"].to_numpy(dtype=object),
            "nearest_m": areas["nearest_m"].to_numpy(),
        },
        geometry=areas.geometry.to_numpy(),
        crs=OUTPUT_CRS,
    )


def _gap_frame(
    coverage: Coverage,
    buildings: gpd.GeoDataFrame,
    stations: gpd.GeoDataFrame,
    grid_id: NDArray[np.object_],
) -> gpd.GeoDataFrame:
    table = gap_table(coverage)
    row = table["building"].to_numpy()
    places = gpd.GeoSeries(
        shapely.point_on_surface(buildings.geometry.to_numpy()[row]), crs=buildings.crs
    ).to_crs(OUTPUT_CRS)
    station_ids = np.append(stations["station_id"].to_numpy(dtype=object), "")
    return gpd.GeoDataFrame(
        {
            "building_id": buildings["building_id"].to_numpy()[row],
            "category": np.array(coverage.categories, dtype=object)[table["category"].to_numpy()],
            "households": table["households"].to_numpy(),
            "reason": table["reason"].to_numpy(dtype=object),
            "distance_m": table["distance_m"].to_numpy(),
            "minutes": table["minutes"].to_numpy(),
            "station_id": station_ids[table["station"].to_numpy()],
            "straight_m": table["straight_m"].to_numpy(),
            "grid_id": grid_id[row],
        },
        geometry=places.to_numpy(),
        crs=OUTPUT_CRS,
    )
