"""The map page of a plan: one HTML file that asks nothing of any other host."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import folium
import numpy as np

from geo.errors import PlanError
from geo.maps import layers, legend, palette
from geo.maps.assets import load_assets
from geo.maps.document import compose
from geo.maps.service_layers import isochrone_layer, reach_layer, reach_rows, walk_figures
from geo.maps.shapes import bounds_of, label_places
from geo.maps.wording import Wording

if TYPE_CHECKING:
    from collections.abc import Mapping

    import geopandas as gpd
    import pandas as pd
    from folium.map import Layer

    from geo.maps.wording import Lang

SMALL_CITY_BUILDINGS = 4000
"""Up to this many buildings the community with most households shows its buildings unasked."""


SCRIPT_WORDS = (
    "search",
    "search-hint",
    "search-go",
    "search-none",
    "search-many",
    "search-found",
    "service",
    "service-all",
    "covered",
    "radius",
    "walk-limit",
    "circle-claims",
    "undecided",
    "sketch-error",
    "minutes",
    "unit-min",
    "no-way",
    "legend",
    "zoom-in",
    "zoom-out",
    "unit-m",
    "unit-hh",
    "building",
    "households",
    "missing",
    "list-mark",
    "gaps-drawn",
)
"""Words that our script writes."""


def plan_map(
    frames: Mapping[str, gpd.GeoDataFrame],
    *,
    coverage: Mapping[str, gpd.GeoDataFrame] | None = None,
    community: str | None = None,
    lang: Lang = "zh",
    title: str | None = None,
) -> str:
    """Return an interactive map of a plan as one self-contained HTML page.

    The page carries Leaflet inside, forbids itself every request, and shows every name as text only. The same
    input gives the same bytes.

    Parameters
    ----------
    frames
        A plan as `geo.plan_files.read_plan` gives it, EPSG:4326.
    coverage
        Layers of a coverage file: ``circles``, ``gaps`` and perhaps ``stations``; of a coverage by walking also
        ``isochrones`` and ``buildings``.
    community
        Id or name of the community whose buildings are drawn; default that with most households in a small city,
        none in a large one.
    lang
        Language of the page; the legend shows both.
    title
        Heading; default says that this is a grid plan.

    Raises
    ------
    PlanError
        If `community` is not in the plan (code ``community-unknown``), or the plan has no grids.
    AssetError
        If set-up has not prepared Leaflet.
    """
    assets = load_assets()
    words = Wording(lang)
    grids = frames["grids"].reset_index(drop=True)
    if not len(grids):
        raise PlanError("plan-empty", "方案中没有网格，无法绘图。", "The plan has no grids to draw.")
    heading = title or words("title")
    chosen = _choose_community(frames, community)
    reach, minutes = _reach(frames, grids, coverage, chosen)
    drawn, categories = _layers(frames, grids, coverage, chosen=chosen, reach=reach, words=words)

    config = _config(frames, grids, coverage, categories, words) | {
        "reach": {
            "breaks": list(palette.REACH_BREAKS),
            "fills": list(palette.REACH_FILLS),
            "unknown": palette.REACH_UNKNOWN,
            "rows": minutes,
        },
        "title": heading,
        "bounds": _opening_view(frames, grids, chosen if community is not None else None),
        "legend": legend.rows(drawn, words),
    }
    return compose(drawn, config, assets, title=heading, lang=words.html_lang)


def _opening_view(
    frames: Mapping[str, gpd.GeoDataFrame], grids: gpd.GeoDataFrame, community: str | None
) -> list[list[float]]:
    """Return the corners of what the page shows first: the community asked for, else the whole plan."""
    if community is None:
        return bounds_of(grids)
    communities = frames["communities"]
    return bounds_of(communities[communities["community_id"] == community])


def _layers(
    frames: Mapping[str, gpd.GeoDataFrame],
    grids: gpd.GeoDataFrame,
    coverage: Mapping[str, gpd.GeoDataFrame] | None,
    *,
    chosen: str | None,
    reach: gpd.GeoDataFrame | None,
    words: Wording,
) -> tuple[dict[str, Layer], list[str]]:
    """Return the layers by the name our script knows them by, and the station categories."""
    names = _community_names(frames)
    drawn: dict[str, Layer] = {
        "grids": layers.grid_layer(grids, layers.grid_rows(grids, names, words), words)
    }
    if chosen is not None:
        drawn |= _building_layers(frames, grids, reach, chosen, words)
    stations = _stations(frames, coverage)
    categories = _categories(stations, coverage)
    if coverage is not None:
        walks = "isochrones" in coverage
        if walks:
            drawn["isochrones"] = isochrone_layer(coverage["isochrones"], categories, words)
        drawn["circles"] = layers.circle_layer(coverage["circles"], categories, words, show=not walks)
    if not grids["in_band"].all():
        drawn["out"] = layers.out_of_band_layer(grids, words)
    drawn["communities"] = layers.community_layer(frames["communities"], words)
    if coverage is not None:
        drawn["gaps"] = folium.FeatureGroup(name=words("layer-gaps"))
    if stations is not None and len(stations):
        drawn["stations"] = layers.station_layer(stations, categories, words, show=coverage is not None)
    return drawn, categories


def _buildings_of(
    frames: Mapping[str, gpd.GeoDataFrame], grids: gpd.GeoDataFrame, community: str
) -> gpd.GeoDataFrame:
    inside = set(grids.loc[grids["community_id"] == community, "grid_id"])
    buildings = frames["buildings"]
    return buildings[buildings["grid_id"].isin(inside)].reset_index(drop=True)


def _reach(
    frames: Mapping[str, gpd.GeoDataFrame],
    grids: gpd.GeoDataFrame,
    coverage: Mapping[str, gpd.GeoDataFrame] | None,
    chosen: str | None,
) -> tuple[gpd.GeoDataFrame | None, list[list[Any]]]:
    """Return the buildings to shade by walking minutes, None without any, and the rows on them."""
    if chosen is None or coverage is None or "isochrones" not in coverage:
        return None, []
    buildings, rows = reach_rows(_buildings_of(frames, grids, chosen), coverage["buildings"])
    return (buildings, rows) if rows else (None, [])


def _building_layers(
    frames: Mapping[str, gpd.GeoDataFrame],
    grids: gpd.GeoDataFrame,
    reach: gpd.GeoDataFrame | None,
    chosen: str,
    words: Wording,
) -> dict[str, Layer]:
    """Return the buildings of the chosen community, by households and by walking minutes."""
    buildings = _buildings_of(frames, grids, chosen)
    drawn: dict[str, Layer] = {}
    if len(buildings):
        codes = grids.set_index("grid_id")["code"].to_dict()
        drawn["buildings"] = layers.building_layer(buildings, codes, words, show=reach is None)
    if reach is not None:
        drawn["reach"] = reach_layer(reach, words)
    return drawn


def _config(
    frames: Mapping[str, gpd.GeoDataFrame],
    grids: gpd.GeoDataFrame,
    coverage: Mapping[str, gpd.GeoDataFrame] | None,
    categories: list[str],
    words: Wording,
) -> dict[str, Any]:
    """Return what our script needs: all plain data, written into the page as JSON."""
    communities = frames["communities"]
    number = grids.groupby("community_id").cumcount() + 1
    places = label_places(grids.geometry.to_numpy())
    named = grids["name"] if "name" in grids else grids["code"]
    return {
        "figures": _figures(grids, words),
        "labels": [[*place, str(k)] for place, k in zip(places, number.tolist(), strict=True)],
        "names": [
            [*place, str(name)]
            for place, name in zip(
                label_places(communities.geometry.to_numpy()), communities["name"].fillna(""), strict=True
            )
        ],
        "search": [
            [str(code), str(name)]
            for code, name in zip(grids["code"], named.fillna(grids["code"]), strict=True)
        ],
        "categories": _category_figures(categories, coverage),
        "gaps": [] if coverage is None else layers.gap_rows(coverage["gaps"], categories),
        "gap-colour": palette.GAP,
        "words": {key: words(key) for key in SCRIPT_WORDS},
    }


def _figures(grids: gpd.GeoDataFrame, words: Wording) -> list[list[str]]:
    """Return the key figures under the title: label and value."""
    households = int(grids["households"].sum())
    in_band = int(grids["in_band"].sum())
    return [
        [words("grids"), f"{len(grids):,}"],
        [words("households"), f"{households:,}"],
        [words("mean"), f"{households / len(grids):,.0f} {words('per-grid')}"],
        [words("in-band-share"), f"{in_band:,} ({in_band / len(grids):.1%})"],
    ]


def _category_figures(
    categories: list[str], coverage: Mapping[str, gpd.GeoDataFrame] | None
) -> list[dict[str, Any]]:
    if coverage is None:
        return [{"name": name} for name in categories]
    if "isochrones" in coverage:
        return walk_figures(categories, coverage)
    circles = coverage["circles"]
    columns = (circles[name].tolist() for name in ("households", "covered", "radius_m"))
    return [
        {"name": name, "households": households, "covered": covered, "radius": round(radius)}
        for name, households, covered, radius in zip(categories, *columns, strict=True)
    ]


def _stations(
    frames: Mapping[str, gpd.GeoDataFrame], coverage: Mapping[str, gpd.GeoDataFrame] | None
) -> gpd.GeoDataFrame | None:
    if coverage is not None and "stations" in coverage:
        return coverage["stations"]
    return frames.get("stations")


def _categories(
    stations: gpd.GeoDataFrame | None, coverage: Mapping[str, gpd.GeoDataFrame] | None
) -> list[str]:
    if coverage is not None:
        return [str(name) for name in coverage["circles"]["category"]]
    if stations is None:
        return []
    return sorted(set(stations["category"].fillna("").astype(str).str.strip()) - {""})


def _community_names(frames: Mapping[str, gpd.GeoDataFrame]) -> pd.Series:
    communities = frames["communities"]
    return communities.set_index("community_id")["name"].fillna("")


def _choose_community(frames: Mapping[str, gpd.GeoDataFrame], wanted: str | None) -> str | None:
    """Return the id of the community whose buildings are drawn, or None."""
    communities, grids = frames["communities"], frames["grids"]
    if wanted is not None:
        hits = communities[(communities["community_id"] == wanted) | (communities["name"] == wanted)]
        if not len(hits):
            raise PlanError(
                "community-unknown",
                f"方案中没有社区“{wanted}”。请填写方案中的社区编号或名称。",
                f"There is no community {wanted!r} in the plan. Give the id or name of one in it.",
                ids=[wanted],
            )
        return str(hits["community_id"].iloc[0])
    if len(frames["buildings"]) > SMALL_CITY_BUILDINGS:
        return None
    sums = grids.groupby("community_id", sort=True)["households"].sum()
    return str(sums.index[int(np.argmax(sums.to_numpy()))])
