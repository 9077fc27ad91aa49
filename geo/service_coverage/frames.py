"""Coverage as layers of a GeoPackage."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from geo.service_coverage.circles import category_labels, circle_polygons, gap_table

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from geo.service_coverage.circles import Coverage

OUTPUT_CRS = "EPSG:4326"

UNSAFE = re.compile(r"[\x00-\x1f\x7f\"`\[\]]+")
"""Characters that a column name cannot carry safely through SQL and GIS tools."""


@dataclass(frozen=True)
class CategoryColumns:
    """Names of the columns of one category; equal for no two categories, also when case is ignored."""

    minutes: str
    covered: str


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
        columns.append(CategoryColumns(minutes=f"min_{stem}", covered=f"cov_{stem}"))
    return columns


def coverage_frames(
    coverage: Coverage,
    buildings: gpd.GeoDataFrame,
    stations: gpd.GeoDataFrame,
    *,
    grids: gpd.GeoDataFrame | None = None,
    grid_of_building: NDArray[np.int32] | None = None,
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

    Returns
    -------
    ``buildings`` (building_id, households, grid_id, categories_reached, then per category minutes ``min_…``,
    null without a station, and ``cov_…``, bool), ``grids`` (grid_id, code, households, then covered households
    ``cov_…`` per category), ``circles`` (one row a category: its figures and column names), ``gaps`` (one
    point per building and category out of reach, most households first) and ``stations``.
    """
    columns = category_columns(coverage.categories)
    grid_id = np.full(len(buildings), "", dtype=object)
    if grids is not None and grid_of_building is not None:
        grid_id = np.append(grids["grid_id"].to_numpy(dtype=object), "")[grid_of_building]
    frames = {"buildings": _building_frame(coverage, buildings, columns, grid_id)}
    if grids is not None and coverage.grids is not None:
        frames["grids"] = _grid_frame(coverage, grids, columns)
    frames["circles"] = _circle_frame(coverage, stations, columns)
    frames["gaps"] = _gap_frame(coverage, buildings, stations, grid_id)
    frames["stations"] = gpd.GeoDataFrame(
        {
            "station_id": stations["station_id"].to_numpy(),
            "name": stations["name"].to_numpy(),
            "category": category_labels(stations),
        },
        geometry=stations.geometry.to_crs(OUTPUT_CRS).to_numpy(),
        crs=OUTPUT_CRS,
    )
    return frames


def _building_frame(
    coverage: Coverage,
    buildings: gpd.GeoDataFrame,
    columns: Sequence[CategoryColumns],
    grid_id: NDArray[np.object_],
) -> gpd.GeoDataFrame:
    data: dict[str, object] = {
        "building_id": buildings["building_id"].to_numpy(),
        "households": coverage.households,
        "grid_id": grid_id,
        "categories_reached": coverage.categories_reached,
    }
    minutes = np.round(coverage.walk_minutes, 3)
    minutes[~np.isfinite(minutes)] = np.nan
    for k, column in enumerate(columns):
        data[column.minutes] = minutes[:, k]
        data[column.covered] = coverage.covered[:, k]
    shapes = buildings.geometry.to_crs(OUTPUT_CRS).to_numpy()
    return gpd.GeoDataFrame(pd.DataFrame(data), geometry=shapes, crs=OUTPUT_CRS)


def _grid_frame(
    coverage: Coverage, grids: gpd.GeoDataFrame, columns: Sequence[CategoryColumns]
) -> gpd.GeoDataFrame:
    totals = coverage.grids
    if totals is None or len(totals.households) != len(grids):
        raise ValueError("the coverage was not counted for these grids")
    data: dict[str, object] = {
        "grid_id": grids["grid_id"].to_numpy(),
        "code": grids["code"].to_numpy(),
        "households": totals.households,
    }
    for k, column in enumerate(columns):
        data[column.covered] = totals.covered[:, k]
    return gpd.GeoDataFrame(
        pd.DataFrame(data), geometry=grids.geometry.to_crs(OUTPUT_CRS).to_numpy(), crs=OUTPUT_CRS
    )


def _circle_frame(
    coverage: Coverage, stations: gpd.GeoDataFrame, columns: Sequence[CategoryColumns]
) -> gpd.GeoDataFrame:
    served = coverage.covered_households
    total = coverage.total_households
    unions = circle_polygons(coverage, stations).to_crs(OUTPUT_CRS)
    return gpd.GeoDataFrame(
        {
            "category": list(coverage.categories),
            "stations": coverage.stations,
            "minutes": coverage.minutes,
            "speed_m_per_min": coverage.speed_m_per_min,
            "radius_m": round(coverage.radius_m, 3),
            "households": total,
            "covered": served,
            "uncovered": total - served,
            "minutes_column": [column.minutes for column in columns],
            "covered_column": [column.covered for column in columns],
        },
        geometry=unions.to_numpy(),
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
            "grid_id": grid_id[row],
        },
        geometry=places.to_numpy(),
        crs=OUTPUT_CRS,
    )
