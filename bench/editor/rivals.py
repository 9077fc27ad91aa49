"""The two other ways to show the cells of a plan in a browser: one GeoJSON source, and a folium page."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import geopandas as gpd

FILLS = ("#9ebceb", "#f1e2af", "#b3eccd", "#dbb1cc", "#e6ac97", "#e0ecf6")
ELSEWHERE = re.compile(r'<script src="https?:[^>]*></script>|<link rel="stylesheet" href="https?:[^>]*/?>')

GEOJSON_PAGE = """<!doctype html>
<meta charset="utf-8"><title>GeoJSON source</title>
<link rel="stylesheet" href="/maplibre/maplibre-gl.css">
<style>html, body, #map { margin: 0; height: 100%; }</style>
<div id="map"></div>
<script type="module">
import { Map, setWorkerUrl } from "/maplibre/maplibre-gl.mjs";
setWorkerUrl("/maplibre/maplibre-gl-worker.mjs");
const fills = @fills@;
const map = new Map({
  container: "map", bounds: @bounds@, fitBoundsOptions: { padding: 36 }, attributionControl: false, fadeDuration: 0,
  style: { version: 8, sources: { cells: { type: "geojson", data: "/cells.geojson" } }, layers: [
    { id: "paper", type: "background", paint: { "background-color": "#f3f2ec" } },
    { id: "cells", type: "fill", source: "cells", paint: {
        "fill-color": ["match", ["coalesce", ["feature-state", "c"], ["get", "c"]],
          ...fills.flatMap((f, k) => [k, f]), "#fff"],
        "fill-opacity": 0.72, "fill-antialias": false } },
    { id: "lines", type: "line", source: "cells", paint: {
        "line-color": "#6f7b80", "line-width": 0.6, "line-opacity": 0.28 } },
  ] },
});
map.on("idle", () => {
  const drawn = map.isSourceLoaded("cells") && map.queryRenderedFeatures({ layers: ["cells"] }).length > 0;
  if (drawn) window.note();
});
window.map = map;
</script>
"""


def geojson_page(bounds: list[float]) -> str:
    """Return a page that draws ``/cells.geojson`` with MapLibre, served beside it."""
    return GEOJSON_PAGE.replace("@fills@", str(list(FILLS))).replace("@bounds@", str(bounds))


def folium_page(cells: gpd.GeoDataFrame) -> str:
    """Return a page with Leaflet and the cells inside; on a canvas, which is many times faster than folium's SVG.

    Parameters
    ----------
    cells
        With ``c``, the number of the fill.
    """
    import folium

    from geo.maps import load_assets

    west, south, east, north = (float(v) for v in cells.total_bounds)
    page_map = folium.Map(tiles=None, prefer_canvas=True)

    def style(feature: dict[str, Any]) -> dict[str, Any]:
        fill = FILLS[feature["properties"]["c"]]
        return {"fillColor": fill, "fillOpacity": 0.72, "color": "#6f7b80", "weight": 0.6, "opacity": 0.28}

    folium.GeoJson(cells, style_function=style).add_to(page_map)
    page_map.fit_bounds([[south, west], [north, east]])
    html = page_map.get_root().render()
    assets = load_assets()
    head = f"<style>{assets.styles[0]}</style><script>{assets.scripts[0]}</script>"
    # Nothing is fetched from elsewhere; what Leaflet itself does not need is left out.
    html = ELSEWHERE.sub("", html).replace("</head>", f"{head}</head>", 1)
    return html + "<script>note()</script>"
