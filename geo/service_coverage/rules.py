"""Rules on the supply of services: a centre in every community, floor area for every hundred households."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import shapely

from geo.findings import Finding
from geo.service_coverage.circles import inner_points

if TYPE_CHECKING:
    import geopandas as gpd
    from numpy.typing import NDArray

    from geo.city import City
    from geo.service_coverage.coverage import Coverage

FLOOR_AREA_M2_PER_100_HOUSEHOLDS = 30.0
"""Community service floor area asked for in the five-year plan for services of communities."""

AREA_COLUMN = "floor_area_m2"
"""Column of the stations layer that holds their floor area."""


@dataclass(frozen=True)
class Supply:
    """What is supplied in each community.

    Attributes
    ----------
    stations
        int64, shape (communities, categories): stations inside the community.
    floor_area_m2
        float64, shape (communities,): floor area of its stations of all categories; None where no station says.
    per_100_households
        float64, shape (communities,): floor area for every hundred households; NaN without households; None.
    """

    stations: NDArray[np.int64]
    floor_area_m2: NDArray[np.float64] | None
    per_100_households: NDArray[np.float64] | None


def community_of_station(stations: gpd.GeoDataFrame, communities: gpd.GeoDataFrame) -> NDArray[np.int32]:
    """Return the community each station lies in, int32, shape (stations,); the lowest of several, -1 for none."""
    found = np.full(len(stations), len(communities), np.int32)
    if len(stations) and len(communities):
        points = shapely.points(inner_points(stations))
        tree = shapely.STRtree(communities.geometry.to_numpy())
        station, community = tree.query(points, predicate="intersects")
        np.minimum.at(found, station, community.astype(np.int32))
    return np.where(found < len(communities), found, -1).astype(np.int32)


def community_supply(coverage: Coverage, stations: gpd.GeoDataFrame, communities: gpd.GeoDataFrame) -> Supply:
    """Count stations and floor area by community; only stations open in the coverage's window count.

    Parameters
    ----------
    stations, communities
        Of the city the coverage was counted for. The stations' column `AREA_COLUMN` is used where there is one.
    """
    place = community_of_station(stations, communities)
    n = len(communities)
    table = np.zeros((n, len(coverage.categories)), np.int64)
    counted = (place >= 0) & (coverage.station_category >= 0) & coverage.is_open
    np.add.at(table, (place[counted], coverage.station_category[counted]), 1)
    if AREA_COLUMN not in stations or not stations[AREA_COLUMN].notna().any():
        return Supply(table, None, None)
    area = np.zeros(n)
    np.add.at(area, place[counted], stations[AREA_COLUMN].fillna(0).to_numpy(float)[counted])
    households = coverage.communities.households
    ratio = np.where(households > 0, 100 * area / np.maximum(households, 1), np.nan)
    return Supply(table, area, ratio)


def stations_outside(city: City, stations: gpd.GeoDataFrame) -> tuple[Finding, ...]:
    """Return a finding on stations outside every community; they serve whoever reaches them all the same."""
    if not len(city.communities):
        return ()
    rows = np.flatnonzero(community_of_station(stations, city.communities) < 0)
    if not len(rows):
        return ()
    return (
        Finding(
            "station-outside-communities",
            "warning",
            "stations",
            len(rows),
            f"{len(rows)} 个站点不在任何社区内，仍计入可达的住户，但不属于任何社区。请核对坐标。",
            f"{len(rows)} stations lie in no community. They serve the households that reach them, but are no "
            "community's own. Check their coordinates.",
            ids=tuple(stations["station_id"].to_numpy()[rows]),
        ),
    )
