"""Layers of the map page that show a coverage by walking: isochrones, and buildings by walking minutes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import folium
import numpy as np

from geo.maps import palette
from geo.maps.layers import SMOOTH, category_areas
from geo.maps.shapes import feature_collection

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import geopandas as gpd
    from numpy.typing import NDArray

    from geo.maps.wording import Wording

MINUTES_PREFIX = "min_"
"""Columns of walking minutes in a coverage's buildings, in the order of the categories."""


def isochrone_layer(
    isochrones: gpd.GeoDataFrame, categories: Sequence[str], words: Wording
) -> folium.GeoJson:
    """Return what can be walked to in time, one area a category; the page shows those of the chosen one."""
    style = {
        "fillColor": palette.ISOCHRONE,
        "fillOpacity": 0.14,
        "color": palette.ISOCHRONE,
        "weight": 1.4,
        "opacity": 0.9,
    }
    return category_areas(isochrones, categories, ("isochrones", words("layer-isochrones"), style))


def reach_rows(
    buildings: gpd.GeoDataFrame, served: gpd.GeoDataFrame
) -> tuple[gpd.GeoDataFrame, list[list[Any]]]:
    """Return the buildings that a coverage knows, and what our script says of each of them.

    Parameters
    ----------
    buildings
        Buildings to draw, with ``building_id``.
    served
        Buildings of the coverage, with a column of minutes per category.

    Returns
    -------
    tuple
        The buildings; and for each ``[building, households, minutes]``, minutes by category, -1 where no station
        can be walked to: plain data for our script.
    """
    columns = [name for name in served.columns if str(name).startswith(MINUTES_PREFIX)]
    by_id = served.drop_duplicates("building_id").set_index("building_id")
    known = buildings[buildings["building_id"].isin(by_id.index)].reset_index(drop=True)
    table = by_id.loc[known["building_id"]]
    minutes = np.round(np.nan_to_num(table[columns].to_numpy(np.float64), nan=-1.0), 1)
    households = table["households"].to_numpy(np.int64).tolist()
    return known, [
        [str(name), count, of]
        for name, count, of in zip(known["building_id"], households, minutes.tolist(), strict=True)
    ]


def reach_layer(buildings: gpd.GeoDataFrame, words: Wording) -> folium.GeoJson:
    """Return buildings that our script shades by walking minutes to the chosen category."""
    return folium.GeoJson(
        feature_collection(buildings, [{} for _ in range(len(buildings))]),
        name=words("layer-reach"),
        style_function=lambda _feature: {
            "fill": True,
            "pane": "wg-reach",
            "fillColor": palette.REACH_UNKNOWN,
            "fillOpacity": 0.95,
            "color": "#3c4654",
            "weight": 0.5,
            "opacity": 0.8,
        },
        smooth_factor=SMOOTH,
        marker=folium.CircleMarker(radius=4),
        pane="wg-reach",
    )


def walk_figures(categories: Sequence[str], coverage: Mapping[str, gpd.GeoDataFrame]) -> list[dict[str, Any]]:
    """Return the figures of each category by walking, with what the circle claims and how wrong the drawing is."""
    walks, circles = coverage["isochrones"], coverage["circles"]
    whole = ("households", "covered", "off_network", "island", "inside_not_reached", "outside_reached")
    columns: list[NDArray[Any]] = [walks[name].to_numpy() for name in whole]
    claims = circles["wrongly_in"].to_numpy()
    return [
        {
            "name": name,
            "radius": round(float(walks["limit_m"].iloc[k])),
            "walk": True,
            "claims": int(claims[k]),
            **{key: int(column[k]) for key, column in zip(whole, columns, strict=True)},
        }
        for k, name in enumerate(categories)
    ]
