"""The layers of the map page, as folium objects."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import folium
import numpy as np
import pandas as pd
import shapely
from folium.map import CustomPane

from geo.colouring import colour_graph, polygon_graph
from geo.maps import palette
from geo.maps.shapes import DECIMALS, EXACT_DECIMALS, feature_collection, light, safe

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import geopandas as gpd

    from geo.maps.wording import Wording

PANES = {
    "wg-grids": 410,
    "wg-buildings": 420,
    "wg-reach": 425,
    "wg-isochrones": 428,
    "wg-circles": 430,
    "wg-communities": 440,
    "wg-out": 450,
    "wg-found": 455,
    "wg-gaps": 460,
    "wg-stations": 470,
    "wg-labels": 480,
}
"""Stacking order of the layers; a layer switched off and on again stays where it was."""

CIRCLE_TOLERANCE = 1e-5
"""Degrees, about one metre: circles have many more vertices than a screen shows."""

SMOOTH = 0.3
"""Leaflet simplifies neighbours separately; above about half a pixel their shared border would gape."""


def panes() -> list[CustomPane]:
    """Return the panes in stacking order; only marks in them catch the pointer, not the panes."""
    return [CustomPane(name, z_index=order) for name, order in PANES.items()]


def grid_layer(grids: gpd.GeoDataFrame, rows: Sequence[dict[str, Any]], words: Wording) -> folium.GeoJson:
    """Return the grids, coloured so that neighbours differ, with a tooltip of their figures."""
    colours = colour_graph(polygon_graph(grids.geometry.to_numpy()))
    data = feature_collection(light(grids), rows, decimals=EXACT_DECIMALS)

    def style(feature: dict[str, Any]) -> dict[str, Any]:
        return {
            "fillColor": palette.grid_fill(int(colours[feature["id"]])),
            "fillOpacity": 0.82,
            "color": palette.GRID_LINE,
            "weight": 0.8,
            "opacity": 0.75,
        }

    def highlight(_feature: dict[str, Any]) -> dict[str, Any]:
        return {"weight": 2, "opacity": 1, "fillOpacity": 1}

    fields = {
        "name": "name",
        "code": "code",
        "community": "community",
        "households": "households",
        "persons": "persons",
        "buildings": "buildings",
        "deviation": "deviation",
        "band": "band",
    }
    return folium.GeoJson(
        data,
        name=words("layer-grids"),
        style_function=style,
        highlight_function=highlight,
        smooth_factor=SMOOTH,
        tooltip=_tooltip(fields, words),
        pane="wg-grids",
    )


def out_of_band_layer(grids: gpd.GeoDataFrame, words: Wording) -> folium.GeoJson:
    """Return the outlines of the grids outside the band: solid above it, dashed below it."""
    out = grids[~grids["in_band"].to_numpy(bool)]
    above = (out["deviation"] > 0).to_numpy()
    data = feature_collection(out, [{} for _ in range(len(out))], decimals=EXACT_DECIMALS)

    def style(feature: dict[str, Any]) -> dict[str, Any]:
        high = bool(above[feature["id"]])
        return {
            "fill": False,
            "color": palette.ABOVE_BAND if high else palette.BELOW_BAND,
            "weight": 2.4,
            "opacity": 0.95,
            "dashArray": "none" if high else "5 4",
        }

    return folium.GeoJson(
        data,
        name=words("layer-out"),
        style_function=style,
        smooth_factor=SMOOTH,
        pane="wg-out",
        interactive=False,
    )


def community_layer(communities: gpd.GeoDataFrame, words: Wording) -> folium.GeoJson:
    """Return the outlines of the communities."""
    return folium.GeoJson(
        feature_collection(
            light(communities), [{} for _ in range(len(communities))], decimals=EXACT_DECIMALS
        ),
        name=words("layer-communities"),
        style_function=lambda _feature: {
            "fill": False,
            "color": palette.COMMUNITY_LINE,
            "weight": 2,
            "opacity": 0.8,
        },
        smooth_factor=SMOOTH,
        pane="wg-communities",
        interactive=False,
    )


def building_layer(
    buildings: gpd.GeoDataFrame, codes: Mapping[str, str], words: Wording, *, show: bool = True
) -> folium.GeoJson:
    """Return buildings shaded by households.

    Parameters
    ----------
    buildings
        ``building_id``, ``grid_id``, ``households``; EPSG:4326.
    codes
        Grid id to the code shown.
    """
    households = buildings["households"].to_numpy(np.int64)
    rows = [
        {"building": safe(name), "grid": safe(codes.get(grid, "")), "households": f"{count:,}"}
        for name, grid, count in zip(
            buildings["building_id"], buildings["grid_id"], households.tolist(), strict=True
        )
    ]

    def style(feature: dict[str, Any]) -> dict[str, Any]:
        level = palette.building_class(int(households[feature["id"]]))
        return {
            "fill": True,
            "pane": "wg-buildings",
            "fillColor": palette.BUILDING_FILLS[level],
            "fillOpacity": 0.95 if level else 0.55,
            "color": "#4a4a6a",
            "weight": 0.5,
            "opacity": 0.8,
        }

    return folium.GeoJson(
        feature_collection(buildings, rows),
        name=words("layer-buildings"),
        style_function=style,
        smooth_factor=SMOOTH,
        marker=folium.CircleMarker(radius=4),
        tooltip=_tooltip({name: name for name in ("building", "households", "grid")}, words),
        pane="wg-buildings",
        show=show,
    )


def station_layer(
    stations: gpd.GeoDataFrame, categories: Sequence[str], words: Wording, *, show: bool
) -> folium.GeoJson:
    """Return stations as round badges that carry the first character of their category."""
    position = {name: k for k, name in enumerate(categories)}
    labels = stations["category"].fillna("").astype(str).str.strip().tolist()
    rows = [
        {
            "station": safe(name),
            "category": safe(label),
            "kind": position.get(label, -1),
        }
        for name, label in zip(stations["name"].fillna(""), labels, strict=True)
    ]

    def style(feature: dict[str, Any]) -> dict[str, Any]:
        # Never text from the data here: folium makes code of a style that starts with two braces.
        kind = max(int(feature["properties"]["kind"]), 0) % len(palette.STATION_COLOURS)
        return {"className": f"wg-badge wg-badge-{kind}"}

    return folium.GeoJson(
        feature_collection(stations, rows),
        name=words("layer-stations"),
        style_function=style,
        marker=folium.Marker(
            icon=folium.DivIcon(icon_size=(20, 20), icon_anchor=(10, 10)), pane="wg-stations", keyboard=False
        ),
        tooltip=_tooltip({"station": "station", "category": "category"}, words),
        show=show,
    )


def circle_layer(
    circles: gpd.GeoDataFrame, categories: Sequence[str], words: Wording, *, show: bool = True
) -> folium.GeoJson:
    """Return the union of the circles of each category; the page shows those of the chosen one."""
    style = {
        "fillColor": palette.CIRCLE,
        "fillOpacity": 0.08,
        "color": palette.CIRCLE,
        "weight": 1.6,
        "opacity": 0.9,
    }
    layer = ("circles", words("layer-circles"), style)
    return category_areas(circles, categories, layer, show=show)


def category_areas(
    areas: gpd.GeoDataFrame,
    categories: Sequence[str],
    layer: tuple[str, str, dict[str, Any]],
    *,
    show: bool = True,
) -> folium.GeoJson:
    """Return one area a category, for display only; `layer` is the pane, the name and the style."""
    pane, name, style = layer
    drawn = areas[areas.geometry.notna()]
    position = {category: k for k, category in enumerate(categories)}
    rows = [{"kind": position[str(category)]} for category in drawn["category"]]
    drawn = drawn.set_geometry(drawn.geometry.simplify(CIRCLE_TOLERANCE))
    return folium.GeoJson(
        feature_collection(drawn, rows),
        name=name,
        style_function=lambda _feature: style,
        smooth_factor=0,
        pane=f"wg-{pane}",
        interactive=False,
        show=show,
    )


def gap_rows(gaps: gpd.GeoDataFrame, categories: Sequence[str]) -> list[list[Any]]:
    """Return one row per building out of reach of a category: plain data for our script, which draws the circles.

    Returns
    -------
    ``[latitude, longitude, households, building, categories]`` each, most households first; categories by position.
    """
    position = {name: k for k, name in enumerate(categories)}
    known = gaps[gaps["category"].isin(list(position))]
    kinds = known["category"].map(position).groupby(known["building_id"]).agg(sorted)
    first = known.drop_duplicates("building_id")
    places = np.round(shapely.get_coordinates(first.geometry.to_numpy()), DECIMALS).tolist()
    return [
        [lat, lon, households, str(building), [int(k) for k in kinds[building]]]
        for (lon, lat), households, building in zip(
            places, first["households"].tolist(), first["building_id"], strict=True
        )
    ]


def grid_rows(grids: gpd.GeoDataFrame, community_names: pd.Series, words: Wording) -> list[dict[str, Any]]:
    """Return what the tooltip of each grid says: text made safe, numbers formatted."""
    table = grids.reindex(columns=[*grids.columns.drop("geometry"), *({"name"} - set(grids.columns))])
    rows = []
    for row in table.to_dict("records"):
        community = community_names.get(row["community_id"], row["community_id"])
        deviation = float(row["deviation"])
        verdict = "yes" if row["in_band"] else "above" if deviation > 0 else "below"
        rows.append(
            {
                "name": safe(row["name"] if pd.notna(row["name"]) else row["code"]),
                "code": safe(row["code"]),
                "community": safe(community),
                "households": f"{int(row['households']):,}",
                "persons": f"{int(row['persons']):,}",
                "buildings": f"{int(row['buildings']):,}",
                "deviation": f"{deviation:+.1%}".replace("-", "−"),
                "band": safe(words(verdict)),
            }
        )
    return rows


def _tooltip(fields: Mapping[str, str], words: Wording) -> folium.GeoJsonTooltip:
    """Return a tooltip of fields whose values went through `safe`."""
    return folium.GeoJsonTooltip(
        fields=list(fields),
        aliases=[safe(words(key)) for key in fields.values()],
        class_name="wg-tip",
        sticky=True,
        opacity=1,
    )
