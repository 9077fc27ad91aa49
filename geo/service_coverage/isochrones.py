"""Isochrones: what can be walked to, drawn. For maps only; households are counted at their buildings."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import geopandas as gpd
import numpy as np
import shapely
from scipy.spatial import cKDTree

from geo.network import MAX_LEG_M, Access, Router
from geo.service_coverage.circles import inner_points
from geo.service_coverage.coverage import ON, TIE_M

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from geo.network import Network
    from geo.service_coverage.coverage import Coverage
    from geo.service_coverage.model import ServiceModel

STEP_M = 20.0
"""Streets are sampled at least this densely."""

CELL_M = 20.0
"""Side of the cells an isochrone is drawn with, more in a city of more than `MOST_CELLS`."""

MOST_CELLS = 4_000_000

SMOOTH = 0.75
"""Tolerance of the smoothing in cells: steps of one cell become slopes."""

MARGIN_M = MAX_LEG_M
"""Farther than this from every street nothing is drawn."""


def isochrone_frame(model: ServiceModel, coverage: Coverage) -> gpd.GeoDataFrame:
    """Draw the area within the limit of each category, and count how wrong the drawing is.

    An isochrone is the union of cells whose nearest street point has a station near enough, the way from the cell
    to the street included. Any such area is wrong for some buildings, so its error is counted with it.

    Parameters
    ----------
    model, coverage
        A coverage by walking, ``method`` is ``"network"``, and the model that gave it.

    Returns
    -------
    One row per category in order: ``category``, ``inside_not_reached`` and ``outside_reached`` (int64, households
    on the network inside the area that reach no station in time, and outside it that do), geometry None for a
    category that nobody reaches.

    Raises
    ------
    ValueError
        If the coverage is not by walking.
    """
    if coverage.method != "network" or model.network is None or model.spots is None:
        raise ValueError("isochrones need a coverage along the streets")
    samples, points = sample_streets(model.network)
    router = Router(model.network, samples)
    raster = _raster(points)
    areas = []
    for k, limit in enumerate(coverage.limit_m.tolist()):
        rows = np.flatnonzero((coverage.station_category == k) & coverage.is_open)
        distance, _ = router.solve(model.spots.take(rows), limit_m=limit)
        areas.append(_outline(raster, distance[raster.sample] + raster.leg_m <= limit + TIE_M))
    inside = _inside(areas, inner_points(model.city.buildings)) & (coverage.state == ON)[:, None]
    reached = coverage.covered & (coverage.state == ON)[:, None]
    return gpd.GeoDataFrame(
        {
            "category": list(coverage.categories),
            "inside_not_reached": coverage.households @ (inside & ~reached).astype(np.int64),
            "outside_reached": coverage.households @ (reached & ~inside).astype(np.int64),
        },
        geometry=np.array([*areas, None], dtype=object)[:-1],
        crs=model.city.crs,
    )


def sample_streets(network: Network, *, step_m: float = STEP_M) -> tuple[Access, NDArray[np.float64]]:
    """Return points along every edge, ends included: their access, and float64, shape (points, 2)."""
    count = np.maximum(np.ceil(network.length_m / step_m).astype(np.int64), 1) + 1
    edge = np.repeat(np.arange(len(count)), count)
    first = np.cumsum(count) - count
    share = (np.arange(len(edge)) - first[edge]) / (count[edge] - 1)
    vertices = np.diff(network.shape_start)
    lines = shapely.linestrings(network.shape_xy, indices=np.repeat(np.arange(len(vertices)), vertices))
    points = shapely.line_interpolate_point(lines[edge], share, normalized=True)
    access = Access(
        edge.astype(np.int32),
        share * network.length_m[edge],
        np.zeros(len(edge)),
        np.zeros(len(edge), np.uint8),
    )
    return access, shapely.get_coordinates(points)


@dataclass(frozen=True)
class _Raster:
    """Square cells over the streets, each with the street point nearest to its middle.

    Attributes
    ----------
    corner, cell_m
        Lower left corner and side, metres.
    sample
        int64, shape (rows, columns): row of the street point.
    leg_m
        float64, same shape: way to it, inf beyond `MARGIN_M`.
    """

    corner: NDArray[np.float64]
    cell_m: float
    sample: NDArray[np.int64]
    leg_m: NDArray[np.float64]


def _raster(points: NDArray[np.float64]) -> _Raster:
    low, high = points.min(axis=0) - MARGIN_M, points.max(axis=0) + MARGIN_M
    cell = max(CELL_M, float(np.sqrt((high - low).prod() / MOST_CELLS)))
    columns, rows = np.maximum(np.ceil((high - low) / cell).astype(int), 1)
    x = low[0] + (np.arange(columns) + 0.5) * cell
    y = low[1] + (np.arange(rows) + 0.5) * cell
    middles = np.stack(np.meshgrid(x, y), axis=-1).reshape(-1, 2)
    leg, sample = cKDTree(points).query(middles, distance_upper_bound=MARGIN_M)
    return _Raster(
        low,
        cell,
        np.minimum(sample, len(points) - 1).reshape(rows, columns),
        np.asarray(leg).reshape(rows, columns),
    )


def _outline(raster: _Raster, reached: NDArray[np.bool_]) -> shapely.Geometry | None:
    """Return the union of cells as areas with smoothed borders; None for no cell."""
    if not reached.any():
        return None
    # Cells of a row that follow each other are one box: a tenth of the work.
    padded = np.pad(reached, ((0, 0), (1, 1))).astype(np.int8)
    row, start = np.nonzero(np.diff(padded, axis=1) == 1)
    _, stop = np.nonzero(np.diff(padded, axis=1) == -1)
    x, y = raster.corner
    side = raster.cell_m
    boxes = shapely.box(x + start * side, y + row * side, x + stop * side, y + (row + 1) * side)
    drawn = shapely.simplify(shapely.union_all(boxes), SMOOTH * side)
    return shapely.make_valid(drawn, method="structure", keep_collapsed=False)


def _inside(areas: list[object], points: NDArray[np.float64]) -> NDArray[np.bool_]:
    inside = np.zeros((len(points), len(areas)), bool)
    for k, area in enumerate(areas):
        if area is not None:
            shapely.prepare(area)
            inside[:, k] = shapely.contains_xy(area, points[:, 0], points[:, 1])
    return inside
