"""Vector tiles: every layer that has rows is there, edges are numbered as the adjacency has them, none is lost."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import geopandas as gpd
import numpy as np
import pyogrio
import pytest
import shapely
from cities import tiny_city

from geo.adjacency import Graph, cell_graph
from geo.cells import build_tiling
from geo.city import City
from geo.tiles import MAX_ZOOM, bake, edge_lines, least_zoom
from geo.tiling import SCALE, Tiling


@pytest.fixture(scope="module")
def built() -> tuple[City, Tiling, Graph]:
    city = tiny_city()
    tiling = build_tiling(city)
    return city, tiling, cell_graph(tiling)


def test_lines_of_edges_stand_in_the_order_of_the_adjacency(built: tuple[City, Tiling, Graph]) -> None:
    _, tiling, graph = built
    lines, classes = edge_lines(tiling, graph)
    forward = graph.focal < graph.neighbor
    assert len(lines) == len(classes) == int(forward.sum())
    cells = tiling.cells.geometry.to_numpy()
    for line, a, b in zip(lines, graph.focal[forward], graph.neighbor[forward], strict=True):
        nodes = shapely.points(shapely.get_coordinates(line))
        for cell in (cells[a], cells[b]):
            assert (shapely.distance(nodes, shapely.boundary(cell)) < 1 / SCALE).all()


def test_lines_of_edges_are_all_of_the_inner_border(built: tuple[City, Tiling, Graph]) -> None:
    _, tiling, graph = built
    lines, _ = edge_lines(tiling, graph)
    inner = (tiling.segments.left >= 0) & (tiling.segments.right >= 0)
    ends = (tiling.segments.end[inner] - tiling.segments.start[inner]) / SCALE
    assert shapely.length(lines).sum() == pytest.approx(np.hypot(ends[:, 0], ends[:, 1]).sum())


def test_tiles_hold_every_cell_and_edge(built: tuple[City, Tiling, Graph], tmp_path: Path) -> None:
    city, tiling, graph = built
    told: list[tuple[str, int, int]] = []
    names = bake(city, tiling, tmp_path, progress=lambda *step: told.append(step))
    assert {"cells", "edges", "communities", "buildings"} <= set(names)
    assert told[-1][1] == told[-1][2] == len(names)
    document = json.loads((tmp_path / "tiles.json").read_text(encoding="utf-8"))
    assert list(document["layers"]) == names
    assert sorted(path.stem for path in tmp_path.glob("*.pmtiles")) == sorted(names)
    assert {"width", "height", "west", "north", "pixel"} == set(document["overview"])
    assert (tmp_path / "overview.gz").is_file()
    assert not list(tmp_path.glob(".*"))
    for name, column, count in (
        ("cells", "cell", len(tiling.cells)),
        ("edges", "edge", len(graph.neighbor) // 2),
    ):
        for zoom in (document["layers"][name]["min_zoom"], MAX_ZOOM):
            frame = pyogrio.read_dataframe(
                tmp_path / f"{name}.pmtiles", columns=[column], read_geometry=False, ZOOM_LEVEL=str(zoom)
            )
            assert set(frame[column]) == set(range(count)), (name, zoom)


def test_water_within_a_closed_shore_is_an_area(built: tuple[City, Tiling, Graph], tmp_path: Path) -> None:
    city, tiling, graph = built
    x, y = (float(v) for v in np.asarray(city.communities.total_bounds).reshape(2, 2).mean(axis=0))
    shore = shapely.LineString([(x, y), (x + 30, y), (x + 30, y + 30), (x, y + 30), (x, y)])
    stream = shapely.LineString([(x - 60, y), (x - 20, y)])
    water = gpd.GeoDataFrame({"border_class": [6, 6]}, geometry=[shore, stream], crs=city.communities.crs)
    bake(replace(city, water=water), tiling, tmp_path, graph=graph)
    drawn = pyogrio.read_dataframe(tmp_path / "water.pmtiles")
    assert sorted(shapely.get_dimensions(drawn.geometry.to_numpy()).tolist()) == [1, 2]


def test_it_stops_between_layers_when_asked(built: tuple[City, Tiling, Graph], tmp_path: Path) -> None:
    city, tiling, graph = built
    assert bake(city, tiling, tmp_path, graph=graph, cancelled=lambda: True) == []


def test_the_widest_view_shows_the_whole_city() -> None:
    assert least_zoom((120.10, 31.25, 120.16, 31.30)) == 12
    assert least_zoom((119.0, 30.0, 122.0, 32.0)) == 7
    assert least_zoom((120.0, 31.0, 120.00001, 31.00001)) == MAX_ZOOM - 3
