"""Vector tiles of a city, baked once: its cells, the edges between them, and the layers of a planning map.

Geometry never changes after a city is divided into cells, so tiles are made once and no edit touches them: what a
plan looks like is a colour by cell and a line by edge, set by whoever draws the tiles.
"""

from __future__ import annotations

import json
import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import geopandas as gpd
import numpy as np
import pyogrio
import shapely

from geo.adjacency import cell_graph
from geo.overview import make_overview, write_overview
from geo.tiling import SCALE
from geo.types import never_cancel, no_progress

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from numpy.typing import NDArray

    from geo.adjacency import Graph
    from geo.city import City
    from geo.tiling import Tiling
    from geo.types import CancelCheck, Progress

MAX_ZOOM = 15
"""A step of the tiles' own grid is 0.3 m there or less; maps draw closer views from the same tiles."""

WIDE_PX = 640
"""The least zoom is the one at which the whole city is about so wide."""

COARSE_STEPS = 4
"""Further out than `MAX_ZOOM` lines are drawn within so many steps of the tiles' grid, half a pixel: what
nobody sees takes time to draw."""

META = "tiles.json"


@dataclass(frozen=True)
class _Layer:
    name: str
    frame: gpd.GeoDataFrame
    min_zoom: int


def bake(
    city: City,
    tiling: Tiling,
    folder: Path,
    *,
    graph: Graph | None = None,
    progress: Progress = no_progress,
    cancelled: CancelCheck = never_cancel,
) -> list[str]:
    """Write ``<layer>.pmtiles`` for every layer that has rows, and ``tiles.json``, which says what there is.

    ``overview.gz`` is the picture of all cells that far views are drawn from (`geo.overview.packed`).

    Layers and fields: ``cells`` (``cell``), ``edges`` (``edge``, ``k`` border class), ``buildings`` (``cell``,
    ``n`` households), ``compounds`` and ``communities`` (``row``, ``name``), ``roads``, ``water``, ``railways``
    (``k``), ``stations`` (``name``, ``category``).
    ``edge`` counts the pairs of touching cells ``a < b`` by ``a``, then ``b``: the order in which they stand in the
    adjacency. Coordinates are those of EPSG:4326, in Web Mercator tiles as PMTiles version 3.

    Parameters
    ----------
    city, tiling
        The city and its cells.
    folder
        An existing folder.
    graph
        `geo.adjacency.cell_graph` of the tiling, when the caller has it already.
    progress, cancelled
        Stage ``"tiles"``, a step a layer; looked at between layers.

    Returns
    -------
    Names of the layers written.
    """
    bounds = tuple(float(v) for v in tiling.communities.total_bounds)
    low = least_zoom(bounds)
    layers = list(_layers(city, tiling, graph if graph is not None else cell_graph(tiling), low))
    told: dict[str, Any] = {}
    for done, layer in enumerate(layers):
        if cancelled():
            break
        progress("tiles", done, len(layers))
        _write(layer, folder)
        told[layer.name] = {"min_zoom": layer.min_zoom, "max_zoom": MAX_ZOOM, "rows": len(layer.frame)}
    progress("tiles", len(layers), len(layers))
    document = {"bounds": bounds, "layers": told}
    if len(told) == len(layers):
        document["overview"] = write_overview(make_overview(tiling.cells.geometry.to_numpy()), folder)
    (folder / META).write_text(json.dumps(document, ensure_ascii=False, indent=1), encoding="utf-8")
    return list(told)


def least_zoom(bounds: tuple[float, ...]) -> int:
    """Return the zoom of 512-pixel tiles at which a box of longitude and latitude is about `WIDE_PX` wide."""
    wide = max(bounds[2] - bounds[0], (bounds[3] - bounds[1]) / math.cos(math.radians(bounds[3])), 1e-6)
    return max(0, min(MAX_ZOOM - 3, math.floor(math.log2(WIDE_PX * 360.0 / (512.0 * wide)))))


def edge_lines(tiling: Tiling, graph: Graph) -> tuple[NDArray[np.object_], NDArray[np.uint8]]:
    """Return the border of every pair of touching cells as one line, and what runs along most of it.

    Returns
    -------
    Lines (LineString or MultiLineString, EPSG:4326) and border classes, in the order of the pairs ``a < b`` of the
    adjacency.
    """
    segments = tiling.segments
    inner = (segments.left >= 0) & (segments.right >= 0)
    n = graph.n
    low = np.minimum(segments.left[inner], segments.right[inner]).astype(np.int64)
    key = low * n + np.maximum(segments.left[inner], segments.right[inner])
    pairs, of_pair = np.unique(key, return_inverse=True)
    order = np.argsort(of_pair, kind="stable")
    ends = np.stack([segments.start[inner], segments.end[inner]], axis=1)[order] / SCALE
    pieces = shapely.linestrings(ends.reshape(-1, 2), indices=np.repeat(np.arange(len(order)), 2))
    lines = shapely.line_merge(shapely.multilinestrings(pieces, indices=of_pair[order]))
    forward = graph.focal < graph.neighbor
    listed = graph.focal[forward].astype(np.int64) * n + graph.neighbor[forward]
    classes = graph.class_m[forward].argmax(axis=1).astype(np.uint8)
    at = np.searchsorted(pairs, listed)
    return np.asarray(lines, dtype=object)[at], classes


def _layers(city: City, tiling: Tiling, graph: Graph, low: int) -> Iterator[_Layer]:
    cells = tiling.cells.geometry.to_numpy()
    yield _Layer("cells", _frame(cells, cell=np.arange(len(cells))), low)
    lines, classes = edge_lines(tiling, graph)
    yield _Layer("edges", _frame(lines, edge=np.arange(len(lines)), k=classes.astype(np.int64)), low)
    outlines = tiling.communities
    names = {"row": np.arange(len(outlines)), "name": outlines["name"].to_numpy(dtype=object)}
    yield _Layer("communities", _frame(outlines.geometry.to_numpy(), **names), low)
    # Houses and walls are not told apart from further away, and their tiles would be the largest of all.
    yield from _named("compounds", city.compounds, min(low + 1, MAX_ZOOM - 1))
    yield from _buildings(city, tiling, min(max(low, 13), MAX_ZOOM))
    for name in ("roads", "water", "railways"):
        frame: gpd.GeoDataFrame = getattr(city, name)
        if len(frame):
            shapes = frame.geometry.to_crs("EPSG:4326").to_numpy()
            if name == "water":  # what came as an area is kept by its shore
                shapes = _areas(shapes)
            yield _Layer(name, _frame(shapes, k=frame["border_class"].to_numpy(np.int64)), low)
    if len(city.stations):
        shapes = city.stations.geometry.to_crs("EPSG:4326").to_numpy()
        told = {name: city.stations[name].to_numpy(dtype=object) for name in ("name", "category")}
        yield _Layer("stations", _frame(shapes, **told), low)


def _areas(shores: NDArray[np.object_]) -> NDArray[np.object_]:
    """Return the water within closed lines, islands left out, and open lines as they are."""
    areas = shapely.build_area(shores)
    return np.where(shapely.is_empty(areas), shores, areas)


def _named(name: str, frame: gpd.GeoDataFrame, low: int) -> Iterator[_Layer]:
    drawn = frame[frame.geometry.notna()]
    if len(drawn):
        shapes = drawn.geometry.to_crs("EPSG:4326").to_numpy()
        rows = drawn.index.to_numpy(np.int64)
        yield _Layer(name, _frame(shapes, row=rows, name=drawn["name"].to_numpy(dtype=object)), low)


def _buildings(city: City, tiling: Tiling, low: int) -> Iterator[_Layer]:
    placed = tiling.building_cell >= 0
    if placed.any():
        homes = city.buildings.loc[placed]
        shapes = homes.geometry.to_crs("EPSG:4326").to_numpy()
        cell = tiling.building_cell[placed].astype(np.int64)
        yield _Layer("buildings", _frame(shapes, cell=cell, n=homes["households"].to_numpy(np.int64)), low)


def _frame(shapes: NDArray[Any], **columns: Any) -> gpd.GeoDataFrame:
    return gpd.GeoDataFrame(columns, geometry=shapes, crs="EPSG:4326")


def _write(layer: _Layer, folder: Path) -> None:
    draft = folder / f".{layer.name}.pmtiles"
    # No feature may be left out of a full tile: a missing cell would be a hole in the map.
    options = {
        "MINZOOM": str(layer.min_zoom),
        "MAXZOOM": str(MAX_ZOOM),
        "MAX_SIZE": str(64 * 1024 * 1024),
        "MAX_FEATURES": str(10_000_000),
    }
    if layer.name != "edges":  # a short edge would be gone; most have two points anyway
        options |= {"SIMPLIFICATION": str(COARSE_STEPS), "SIMPLIFICATION_MAX_ZOOM": "0"}
    pyogrio.write_dataframe(
        layer.frame,
        draft,
        layer=layer.name,
        driver="PMTiles",
        geometry_type="Unknown",
        dataset_options=options,
    )
    draft.replace(folder / f"{layer.name}.pmtiles")
