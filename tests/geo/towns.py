"""Tiny cities with streets and stations, shared by the tests of walking coverage."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import cities
import geopandas as gpd
import numpy as np
import shapely

from geo.city import City


def stations_at(
    places: Sequence[tuple[float, float]],
    categories: Sequence[str] | None = None,
    hours: Sequence[str] | None = None,
) -> gpd.GeoDataFrame:
    """Return stations at places in metres from `cities.CORNER`."""
    n = len(places)
    points = shapely.points(np.array(places, float).reshape(-1, 2) + np.array(cities.CORNER))
    return gpd.GeoDataFrame(
        {
            "station_id": [f"s{k}" for k in range(n)],
            "name": [f"站{k}" for k in range(n)],
            "category": list(categories) if categories else ["养老"] * n,
            "opening_hours": list(hours) if hours else [""] * n,
        },
        geometry=points,
        crs=cities.METRIC,
    )


def town(
    homes: Sequence[tuple[float, float]],
    streets: Sequence[Any],
    stations: gpd.GeoDataFrame,
    *,
    households: Sequence[int] | None = None,
    communities: Sequence[Any] | None = None,
    **more: Any,
) -> City:
    """Return a city of point-like homes (squares of 2 m around each place), streets and stations."""
    city = cities.make_city(
        communities if communities is not None else [cities.box(-3000, -3000, 6000, 6000)],
        [cities.box(x - 1, y - 1, 2, 2) for x, y in homes],
        roads=[shapely.LineString(street) for street in streets],
        households=households,
        **more,
    )
    return replace(city, stations=stations)


def here(x: float, y: float) -> tuple[float, float]:
    """Return a place of a tiny city in its CRS."""
    return x + cities.CORNER[0], y + cities.CORNER[1]
