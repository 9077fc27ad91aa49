"""From frames to GeoJSON features and label places."""

from __future__ import annotations

import json
import math
from html import escape
from typing import TYPE_CHECKING, Any

import numpy as np
import shapely

if TYPE_CHECKING:
    from collections.abc import Sequence

    import geopandas as gpd
    from numpy.typing import NDArray

EXACT_DECIMALS = 7
"""The grid of the tiling: shared borders keep the very same digits."""

DECIMALS = 6
"""About 0.1 m, for everything else that is drawn."""

MANY_VERTICES = 120_000
"""Above this many vertices, about 3 MB of page, the drawn borders are simplified."""

SIMPLIFY_DEGREES = 5e-6
"""About half a metre: less than a pixel at every zoom a plan is read at."""

WORLD_PX = 256.0
"""Width of the world at zoom 0, in pixels, in the web Mercator projection that Leaflet draws."""

LABEL_TOLERANCE = 0.05
"""Accuracy of label places, as a share of the grid's size."""


def safe(value: object) -> str:
    """Return any value as text that is only text: for HTML, and for the templates folium is built on.

    Folium escapes nothing, and compiles the finished script once more as a template: two braces in a name would
    run on the machine that makes the map. So braces become character references as well.
    """
    return escape(str(value), quote=True).replace("{", "&#123;").replace("}", "&#125;")


def feature_collection(
    frame: gpd.GeoDataFrame, properties: Sequence[dict[str, Any]], *, decimals: int = DECIMALS
) -> dict[str, Any]:
    """Return a FeatureCollection with ids from 0; rows without geometry are left out.

    Parameters
    ----------
    frame
        EPSG:4326.
    properties
        One dictionary a row; every string in it must have gone through `safe`.
    decimals
        Of the coordinates, degrees.
    """
    rounded = shapely.transform(frame.geometry.to_numpy(), lambda xy: np.round(xy, decimals))
    shapes = shapely.to_geojson(rounded)
    return {
        "type": "FeatureCollection",
        "features": [
            {"type": "Feature", "id": k, "properties": row, "geometry": json.loads(shape)}
            for k, (shape, row) in enumerate(zip(shapes, properties, strict=True))
            if shape is not None
        ],
    }


def light(frame: gpd.GeoDataFrame) -> gpd.GeoDataFrame:
    """Return the frame with fewer vertices when it has very many; neighbours go on sharing their borders."""
    shapes = frame.geometry.to_numpy()
    if shapely.get_num_coordinates(shapes).sum() <= MANY_VERTICES:
        return frame
    return frame.set_geometry(shapely.coverage_simplify(shapes, SIMPLIFY_DEGREES), crs=frame.crs)


def bounds_of(frame: gpd.GeoDataFrame) -> list[list[float]]:
    """Return south-west and north-east corners as latitude, longitude."""
    west, south, east, north = (float(value) for value in frame.total_bounds)
    return [[south, west], [north, east]]


def label_places(polygons: NDArray[np.object_]) -> list[list[float]]:
    """Return where a label sits best: the centre of the largest circle that fits in each polygon.

    Returns
    -------
    ``[latitude, longitude, radius]`` each; the radius is in pixels at zoom 0 and doubles with every zoom step.
    """
    flat = shapely.transform(polygons, _to_pixels)
    extent = shapely.bounds(flat)
    size = np.maximum(extent[:, 2] - extent[:, 0], extent[:, 3] - extent[:, 1])
    radii = shapely.maximum_inscribed_circle(flat, tolerance=size * LABEL_TOLERANCE)
    ends = shapely.get_coordinates(radii).reshape(-1, 2, 2)
    centre = _to_degrees(ends[:, 0])
    reach = np.hypot(*(ends[:, 1] - ends[:, 0]).T)
    return [
        [round(float(lat), 6), round(float(lon), 6), float(f"{r:.4g}")]
        for (lon, lat), r in zip(centre, reach, strict=True)
    ]


def _to_pixels(lonlat: NDArray[np.float64]) -> NDArray[np.float64]:
    y = np.log(np.tan(math.pi / 4 + np.radians(lonlat[:, 1]) / 2))
    return np.column_stack([lonlat[:, 0] / 360, y / (2 * math.pi)]) * WORLD_PX


def _to_degrees(pixels: NDArray[np.float64]) -> NDArray[np.float64]:
    lat = 2 * np.arctan(np.exp(pixels[:, 1] / WORLD_PX * 2 * math.pi)) - math.pi / 2
    return np.column_stack([pixels[:, 0] / WORLD_PX * 360, np.degrees(lat)])
