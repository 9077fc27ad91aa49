"""Gaps: who is out of reach of which category, why, and where they live together."""

from __future__ import annotations

from typing import TYPE_CHECKING

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components
from scipy.spatial import cKDTree

from geo.service_coverage.circles import inner_points
from geo.service_coverage.coverage import ISLAND, OFF_NETWORK, ON

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from geo.service_coverage.coverage import Coverage

NO_STATION = "no-station"
TOO_FAR = "too-far"
BARRIER = "barrier"
CLOSED = "closed"
OFF = "off-network"
ON_ISLAND = "island"

REASONS = (NO_STATION, TOO_FAR, BARRIER, CLOSED, OFF, ON_ISLAND)

LINK_M = 60.0
"""Uncovered buildings of a community whose points lie this close belong to one area."""

AREA_MARGIN_M = 15.0
"""An area is drawn this far around the buildings in it."""


def gap_reasons(coverage: Coverage) -> NDArray[np.object_]:
    """Return why each building does not reach each category, "" where it does.

    Of several reasons the first of these counts: ``off-network`` and ``island`` (nothing can be said of the walk
    from such a building), ``no-station`` (the category has none), ``closed`` (a station in reach is closed in the
    window), ``barrier`` (a station lies within the radius, but the walk to any is too long), ``too-far``.

    Returns
    -------
    object (str), shape (buildings, categories).
    """
    shape = coverage.covered.shape
    near = coverage.circle.covered if coverage.circle is not None else np.zeros(shape, bool)
    reasons = np.select(
        [
            coverage.covered,
            np.broadcast_to((coverage.state == OFF_NETWORK)[:, None], shape),
            np.broadcast_to((coverage.state == ISLAND)[:, None], shape),
            np.broadcast_to(coverage.stations == 0, shape),
            coverage.shut_out,
            near,
        ],
        ["", OFF, ON_ISLAND, NO_STATION, CLOSED, BARRIER],
        TOO_FAR,
    )
    return reasons.astype(object)


def gap_table(coverage: Coverage) -> pd.DataFrame:
    """List every building with households out of reach of a category, most households first.

    Returns
    -------
    Columns ``building`` (int64, row), ``category`` (int64, position), ``households`` (int64), ``reason``
    (see `gap_reasons`), ``distance_m``, ``minutes`` (float64, NaN without a station that can be walked to),
    ``station`` (int64, row of the nearest one, -1 for none), ``straight_m`` (float64, straight way to the nearest
    station, NaN without one).
    """
    building, category = np.nonzero(~coverage.covered & (coverage.households > 0)[:, None])
    households = coverage.households[building]
    order = np.lexsort((category, building, -households))
    building, category, households = building[order], category[order], households[order]
    distance = _finite(coverage.distance_m[building, category])
    straight = (coverage.circle or coverage).distance_m[building, category]
    return pd.DataFrame(
        {
            "building": building,
            "category": category,
            "households": households,
            "reason": gap_reasons(coverage)[building, category],
            "distance_m": np.round(distance, 2),
            "minutes": np.round(distance / coverage.speed_m_per_min, 3),
            "station": coverage.nearest[building, category].astype(np.int64),
            "straight_m": np.round(_finite(straight), 2),
        }
    )


def reason_totals(coverage: Coverage) -> NDArray[np.int64]:
    """Return households by category and reason, int64, shape (categories, reasons), in the order of `REASONS`."""
    reasons = gap_reasons(coverage)
    return np.column_stack([coverage.households @ (reasons == reason).astype(np.int64) for reason in REASONS])


def gap_areas(coverage: Coverage, buildings: gpd.GeoDataFrame, *, link_m: float = LINK_M) -> gpd.GeoDataFrame:
    """Group uncovered buildings that lie together, by community and category, most households first.

    Two buildings of one community belong together when their points are at most `link_m` apart. Buildings off the
    network or on an island are not among them: nothing is known of their walk.

    Parameters
    ----------
    buildings
        The layer the coverage was counted for, in its working CRS.

    Returns
    -------
    Columns ``category``, ``community`` (int64, positions; community -1 outside all), ``households``, ``buildings``
    (int64), ``reason`` (the one most households have, the first of `REASONS` of equal ones), ``nearest_m``
    (float64, mean way weighted by households, NaN when one has none), geometry the hull of the buildings with a
    margin, in the CRS of `buildings`.
    """
    points = inner_points(buildings)
    homes = np.flatnonzero((coverage.households > 0) & (coverage.state == ON))
    community = coverage.groups.community[homes]
    pairs = cKDTree(points[homes]).query_pairs(link_m, output_type="ndarray")
    pairs = pairs[community[pairs[:, 0]] == community[pairs[:, 1]]]
    reasons = gap_reasons(coverage)
    shapes = buildings.geometry.to_numpy()
    parts = [
        _areas_of(coverage, shapes, homes, homes[pairs], category=k, reasons=reasons[:, k])
        for k in range(len(coverage.categories))
    ]
    frame = pd.concat([part for part in parts if len(part)] or parts[:1], ignore_index=True)
    order = np.lexsort((np.arange(len(frame)), frame["category"], -frame["households"]))
    return gpd.GeoDataFrame(frame.iloc[order].reset_index(drop=True), geometry="geometry", crs=buildings.crs)


def _areas_of(
    coverage: Coverage,
    shapes: NDArray[np.object_],
    homes: NDArray[np.intp],
    pairs: NDArray[np.intp],
    *,
    category: int,
    reasons: NDArray[np.object_],
) -> pd.DataFrame:
    """Return the areas of one category, in the order of their first building."""
    out = ~coverage.covered[:, category]
    members = homes[out[homes]]
    links = pairs[out[pairs].all(axis=1)]
    number = np.full(len(out), -1)
    number[members] = np.arange(len(members))
    ends = number[links]
    graph = coo_array((np.ones(len(ends), bool), (ends[:, 0], ends[:, 1])), shape=(len(members),) * 2)
    n, area = connected_components(graph, directed=False) if len(members) else (0, np.zeros(0, np.int32))
    _, first = np.unique(area, return_index=True)
    households = coverage.households[members]
    by_reason = np.zeros((n, len(REASONS)), np.int64)
    why = np.array([REASONS.index(reason) for reason in reasons[members]], np.int64)
    np.add.at(by_reason, (area, why), households)
    sums = by_reason.sum(axis=1)
    metres = np.zeros(n)
    np.add.at(metres, area, coverage.distance_m[members, category] * households)
    order = np.argsort(area, kind="stable")
    hulls = shapely.convex_hull(shapely.geometrycollections(shapes[members][order], indices=area[order]))
    return pd.DataFrame(
        {
            "category": np.full(n, category),
            "community": coverage.groups.community[members][first].astype(np.int64),
            "households": sums,
            "buildings": np.bincount(area, minlength=n).astype(np.int64),
            "reason": np.array(REASONS, object)[by_reason.argmax(axis=1)],
            "nearest_m": np.round(_finite(metres / np.maximum(sums, 1)), 1),
            "geometry": shapely.buffer(hulls, AREA_MARGIN_M, quad_segs=4),
        }
    )


def _finite(values: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.where(np.isfinite(values), values, np.nan)
