"""Figures of one coverage, as the coverage page draws them."""

from __future__ import annotations

import base64
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
import shapely

from geo.service_coverage import (
    band_edges,
    circle_claims,
    distance_bands,
    gap_areas,
)
from geo.service_coverage.circles import category_labels, station_categories
from geo.service_coverage.coverage import ISLAND, OFF_NETWORK

if TYPE_CHECKING:
    from collections.abc import Sequence

    import geopandas as gpd
    from numpy.typing import NDArray
    from pyproj import Transformer

    from geo.service_coverage import Coverage, ServiceModel

GAPS_LISTED = 200
NO_WAY = 65535
LONGEST = 65534
"""Hundredths of a minute, about eleven hours."""


def labels_of(stations: gpd.GeoDataFrame, categories: Sequence[str]) -> NDArray[np.int32]:
    """Return the position of every station's category, int32, shape (stations,)."""
    return station_categories(category_labels(stations), categories)


def focus(coverage: Coverage, chosen: int | None) -> Coverage:
    """Return a coverage of one column: that of a category, or how far every category is reached.

    Without a category a building is covered when it reaches all of them, and its way is the longest of its ways to
    the nearest station of each.
    """
    circle = None if coverage.circle is None else focus(coverage.circle, chosen)
    if chosen is not None:
        columns = [chosen]
        category = np.where(coverage.station_category == chosen, 0, -1).astype(np.int32)
        return replace(
            coverage,
            categories=(coverage.categories[chosen],),
            category_minutes=coverage.category_minutes[columns],
            station_category=category,
            distance_m=coverage.distance_m[:, columns],
            nearest=coverage.nearest[:, columns],
            covered=coverage.covered[:, columns],
            shut_out=coverage.shut_out[:, columns],
            circle=circle,
        )
    farthest = coverage.distance_m.argmax(axis=1)[:, None]
    return replace(
        coverage,
        categories=("",),
        category_minutes=np.array([coverage.minutes]),
        station_category=np.zeros(len(coverage.station_category), np.int32),
        distance_m=np.take_along_axis(coverage.distance_m, farthest, axis=1),
        nearest=np.take_along_axis(coverage.nearest, farthest, axis=1),
        covered=np.asarray(coverage.covered.all(axis=1))[:, None],
        shut_out=np.take_along_axis(coverage.shut_out, farthest, axis=1),
        circle=circle,
    )


def solved(
    model: ServiceModel,
    coverage: Coverage,
    one: Coverage,
    chosen: int | None,
    to_wgs84: Transformer,
    *,
    gaps: bool,
) -> dict[str, Any]:
    """Return the answer to a question, but for the totals.

    Parameters
    ----------
    coverage
        Of all categories.
    one
        Of the chosen one, from `focus`.
    chosen
        None for all categories together.
    gaps
        Whether to list where the gaps are; the slowest part of an answer.
    """
    reached = coverage.categories_reached
    circle = one if one.circle is None else one.circle
    grids = one.grids
    return {
        "method": coverage.method,
        "radius_m": round(coverage.radius_m, 3),
        "reached": np.bincount(reached, weights=coverage.households, minlength=len(coverage.categories) + 1)
        .astype(int)
        .tolist(),
        "communities": one.communities.covered[:, 0].tolist(),
        "grids": None if grids is None else grids.covered[:, 0].tolist(),
        "bands": bands(one),
        "minutes": _base64(_hundredths(one.walk_minutes[:, 0])),
        "circle_covered": _base64(circle.covered[:, 0].astype(np.uint8)),
        "gaps": gap_list(model, coverage if chosen is None else one, chosen, to_wgs84) if gaps else [],
        "findings": [finding.to_dict() for finding in coverage.findings],
    }


def total_of(coverage: Coverage, k: int) -> dict[str, Any]:
    """Return the figures of one category, the circle beside the walk; a circle is beside itself."""
    one = focus(coverage, k)
    total, served = one.total_households, int(one.covered_households[0])
    mine = one.station_category == 0
    beside: dict[str, Any] = {
        "covered": served,
        "wrongly_in": 0,
        "wrongly_out": 0,
        "equivalent_radius_m": round(float(one.limit_m[0]), 1),
    }
    if one.circle is not None:
        claims = circle_claims(one)
        beside = {
            "covered": int(claims.circle[0]),
            "wrongly_in": int(claims.wrongly_in[0]),
            "wrongly_out": int(claims.wrongly_out[0]),
            "equivalent_radius_m": round(float(claims.equivalent_radius_m[0]), 1),
        }
    return {
        "category": k,
        "stations": int(mine.sum()),
        "open_stations": int((mine & one.is_open).sum()),
        "households": total,
        "covered": served,
        "share": round(served / total, 6) if total else None,
        "circle": beside,
        "unreachable": {
            "off_network": int(one.undecided_households(OFF_NETWORK)[0]),
            "island": int(one.undecided_households(ISLAND)[0]),
        },
    }


def bands(one: Coverage) -> list[dict[str, Any]]:
    """Return households by the length of their way, metres; the last band is open."""
    edges = [0.0, *band_edges(one).tolist(), None]
    households = distance_bands(one)[0].tolist()
    return [
        {"from": low, "to": high, "households": count}
        for low, high, count in zip(edges, edges[1:], households, strict=False)
    ]


def gap_list(
    model: ServiceModel, coverage: Coverage, chosen: int | None, to_wgs84: Transformer
) -> list[dict[str, Any]]:
    """Return the areas out of reach, most households first, each with a place in it and its reason."""
    table = gap_areas(coverage, model.city.buildings).head(GAPS_LISTED)
    if not len(table):
        return []
    spots = shapely.get_coordinates(shapely.centroid(table.geometry.to_numpy()))
    lon, lat = to_wgs84.transform(spots[:, 0], spots[:, 1])
    minutes = table["nearest_m"].to_numpy() / coverage.speed_m_per_min
    return [
        {
            "reason": reason,
            "households": households,
            "buildings": buildings,
            "lon": round(x, 6),
            "lat": round(y, 6),
            "community": community,
            "category": category if chosen is None else chosen,
            "minutes": None if np.isnan(walk) else round(walk, 1),
        }
        for reason, households, buildings, x, y, community, category, walk in zip(
            table["reason"],
            table["households"].tolist(),
            table["buildings"].tolist(),
            lon.tolist(),
            lat.tolist(),
            table["community"].tolist(),
            table["category"].tolist(),
            minutes.tolist(),
            strict=True,
        )
    ]


def _hundredths(minutes: NDArray[np.float64]) -> NDArray[np.uint16]:
    walk = np.where(np.isfinite(minutes), np.minimum(np.round(minutes * 100), LONGEST), NO_WAY)
    return walk.astype("<u2")


def _base64(values: NDArray[Any]) -> str:
    return base64.b64encode(values.tobytes()).decode("ascii")
