"""The tiling is exact for any input: these tests draw dirty cities and prove it with the integer-edge verifier.

Real layers come from `real_layer`; tiny cities from `cities`.
"""

from __future__ import annotations

import dataclasses
import sys
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

import geopandas as gpd
import numpy as np
import pytest
import shapely
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pyproj import CRS

sys.path.insert(0, str(Path(__file__).parent))

from cities import box, make_city, tiny_city

from geo.adjacency import cell_graph
from geo.cells import build, build_tiling
from geo.city import City
from geo.errors import CancelledError
from geo.tiling import SCALE, Tiling
from geo.types import BorderClass
from geo.verify import verify_tiling


def prove(city: City, tiling: Tiling) -> None:
    """Everything that must hold for every city."""
    cells = tiling.cells
    shapes = cells.geometry.to_numpy()
    verdict = verify_tiling(shapes, cells["community"].to_numpy(), tiling.communities.geometry.to_numpy())
    assert verdict.ok, verdict
    assert (shapely.get_type_id(shapes) == shapely.GeometryType.POLYGON).all()
    assert cells["community"].is_monotonic_increasing
    mapped = tiling.building_cell >= 0
    community = city.buildings["community"].to_numpy()
    assert (mapped == (community >= 0)).all()
    assert (cells["community"].to_numpy()[tiling.building_cell[mapped]] == community[mapped]).all()
    # The outlines are the input's but for rounding to the grid and the bend of long straight borders.
    before = city.communities.geometry
    after = tiling.communities.geometry.to_crs(city.crs)
    allowed = 0.05 * before.length + 1e-5 * before.area + 0.01
    assert ((before.area - after.area).abs() <= allowed).all()
    assert (shapely.area(shapely.symmetric_difference(before.to_numpy(), after.to_numpy())) <= allowed).all()
    assert np.isclose(cells["area_m2"].sum(), after.area.sum(), rtol=1e-6)
    segments = tiling.segments
    assert (segments.start != segments.end).any(axis=1).all()
    assert (segments.left != segments.right).all()
    graph = cell_graph(tiling)
    around = np.zeros(len(cells))
    for side in (segments.left, segments.right):
        around += np.bincount(side[side >= 0], weights=segments.length_m[side >= 0], minlength=len(cells))
    inner = np.bincount(graph.focal, weights=graph.length_m, minlength=len(cells))
    assert np.allclose(inner + graph.outer_m, around)


def test_tiny_city_has_the_cells_it_shows() -> None:
    city = tiny_city()
    tiling = build_tiling(city)
    prove(city, tiling)
    # Nine buildings in nine cells, and the strip around the walled compound.
    assert len(tiling.cells) == 10
    assert len(set(tiling.building_cell.tolist())) == 9
    inner = city.buildings.geometry.representative_point().to_crs(4326)
    assert tiling.cells.geometry.iloc[tiling.building_cell].reset_index(drop=True).contains(inner).all()
    assert tiling.cells["compound"].iloc[tiling.building_cell].tolist() == [-1] * 6 + [0, 0, -1]


def test_border_classes_name_what_runs_along_them() -> None:
    tiling = build_tiling(tiny_city())
    length = np.bincount(tiling.segments.border_class, weights=tiling.segments.length_m, minlength=7)
    assert length[BorderClass.STREET] == pytest.approx(600, rel=0.01)
    assert length[BorderClass.WALL] == pytest.approx(320, rel=0.01)
    assert length[BorderClass.WATER] == 0


def test_border_between_touching_buildings_is_their_wall() -> None:
    city = make_city([box(0, 0, 100, 60)], [box(10, 10, 40, 30), box(50, 10, 30, 40)])
    tiling = build_tiling(city)
    prove(city, tiling)
    inner = (tiling.segments.left >= 0) & (tiling.segments.right >= 0)
    degrees = np.stack([tiling.segments.start[inner], tiling.segments.end[inner]], axis=1) / SCALE
    line = gpd.GeoSeries(shapely.linestrings(degrees), crs=4326).to_crs(city.crs)
    wall = shapely.LineString([(500_050, 4_420_010), (500_050, 4_420_040)])
    assert shapely.union_all(line.buffer(0.6).to_numpy()).covers(wall)


def test_no_building_makes_one_empty_cell_per_block() -> None:
    city = make_city(
        [box(0, 0, 100, 100), box(100, 0, 100, 100)], roads=[shapely.LineString([(50, -5), (50, 105)])]
    )
    tiling = build_tiling(city)
    prove(city, tiling)
    assert len(tiling.cells) == 3
    assert len(tiling.building_cell) == 0


def test_duplicate_points_share_a_cell_and_are_found() -> None:
    city = make_city(
        [box(0, 0, 100, 100)], [shapely.Point(20, 20), shapely.Point(20, 20), shapely.Point(70, 70)]
    )
    tiling = build_tiling(city)
    prove(city, tiling)
    assert tiling.building_cell[0] == tiling.building_cell[1] != tiling.building_cell[2]
    (finding,) = tiling.findings
    assert (finding.code, finding.count) == ("buildings-share-cell", 1)


def test_slivers_between_two_carriageways_join_a_neighbour() -> None:
    roads = [shapely.LineString([(x, -10), (x, 110)]) for x in (100, 103)]
    city = make_city([box(0, 0, 200, 100)], [box(20, 20, 10, 10), box(150, 50, 10, 10)], roads=roads)
    tiling = build_tiling(city)
    prove(city, tiling)
    assert len(tiling.cells) == 2


def test_road_that_almost_reaches_the_next_still_bounds_a_block() -> None:
    roads = [shapely.LineString([(0, 50), (200, 50)]), shapely.LineString([(100, 105), (100, 55)])]
    houses = [box(20, 70, 10, 10), box(150, 70, 10, 10), box(90, 20, 10, 10)]
    city = make_city([box(0, 0, 200, 100)], houses, roads=roads)
    tiling = build_tiling(city)
    prove(city, tiling)
    assert tiling.cells["block"].nunique() == 3


def test_same_city_gives_the_same_bytes() -> None:
    one, two = build_tiling(tiny_city()), build_tiling(tiny_city())
    assert one.cells.to_wkb().equals(two.cells.to_wkb())
    assert (one.segments.start == two.segments.start).all()


def test_cancel_stops() -> None:
    with pytest.raises(CancelledError):
        build_tiling(tiny_city(), cancelled=lambda: True)


def test_progress_runs_from_nothing_to_all() -> None:
    seen: list[tuple[str, int, int]] = []
    build_tiling(tiny_city(), progress=lambda *told: seen.append(told))
    assert seen[0] == ("cells", 0, 100)
    assert seen[-1] == ("cells", 100, 100)
    assert [done for _, done, _ in seen] == sorted(done for _, done, _ in seen)


@pytest.mark.parametrize(("failures", "cells"), [(1, 10), (2, 10), (3, 5)])
def test_blocks_that_fail_are_divided_in_safer_ways(monkeypatch, failures: int, cells: int) -> None:
    # Borders as drawn, then noded by snap rounding, then not at all: always exact, whole blocks only at the end.
    assemble, calls = build.assemble, []

    def failing(*given):
        calls.append(given)
        parts = assemble(*given)
        crowded = given[2].crowded
        return dataclasses.replace(parts, failed=crowded) if len(calls) <= failures else parts

    monkeypatch.setattr(build, "assemble", failing)
    city = tiny_city()
    tiling = build_tiling(city)
    prove(city, tiling)
    assert len(calls) == failures + 1
    assert len(tiling.cells) == cells
    assert bool(tiling.findings) == (cells == 5)


def test_result_does_not_depend_on_the_executor(monkeypatch) -> None:
    alone = build_tiling(tiny_city())
    monkeypatch.setattr(build, "MANY_SAMPLES", 0)
    monkeypatch.setattr(build, "CHUNK", 1)
    with ProcessPoolExecutor(2) as executor:
        away = build_tiling(tiny_city(), executor=executor)
    assert alone.cells.to_wkb().equals(away.cells.to_wkb())
    assert (alone.building_cell == away.building_cell).all()


COMMUNITIES = {
    "one": [box(0, 0, 200, 200)],
    "two": [box(0, 0, 120, 200), box(120, 0, 80, 200)],
    "concave": [
        shapely.Polygon([(0, 0), (200, 0), (200, 200), (150, 200), (150, 40), (50, 40), (50, 200), (0, 200)])
    ],
    "multipart": [shapely.MultiPolygon([box(0, 0, 90, 90), box(110, 110, 90, 90)]), box(110, 0, 90, 90)],
    "hole": [
        box(0, 0, 200, 200).difference(box(60, 60, 80, 80)),
        box(60, 60, 80, 80).difference(box(90, 90, 20, 20)),
    ],
    "pinched": [shapely.MultiPolygon([box(0, 0, 100, 100), box(100, 100, 100, 100)]), box(100, 0, 100, 100)],
    "uneven nodes": [
        box(0, 0, 100, 200),
        shapely.Polygon([(100, 0), (200, 0), (200, 200), (100, 200), (100, 133.3), (100, 71.7)]),
    ],
}

whole = st.integers(-2, 42).map(lambda v: v * 5.0)
fine = st.floats(-10, 210, allow_nan=False, width=32).map(float)
where = st.one_of(whole, fine)
size = st.one_of(st.sampled_from([5.0, 10.0, 20.0]), st.floats(0.05, 60).map(float))
houses = st.one_of(
    st.tuples(where, where).map(shapely.Point),
    st.builds(box, where, where, size, size),
    st.builds(
        lambda x, y, w: box(x, y, 3 * w, 3 * w).difference(box(x + w, y + w, w, w)), where, where, size
    ),
    st.builds(lambda x, y, w: shapely.Point(x, y).buffer(w, quad_segs=3), where, where, size),
    st.builds(
        lambda x, y, w: shapely.MultiPolygon([box(x, y, w, w), box(x + 2 * w, y, w, w)]), where, where, size
    ),
)
lines = st.lists(st.tuples(where, where), min_size=2, max_size=4).map(shapely.LineString)


@settings(max_examples=60, deadline=None, database=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    st.sampled_from(sorted(COMMUNITIES)),
    st.lists(houses, max_size=14),
    st.lists(lines, max_size=6),
    st.lists(st.builds(box, where, where, size, size), max_size=3),
    st.lists(lines, max_size=2),
)
def test_any_city_is_tiled_exactly(name, buildings, roads, compounds, water) -> None:
    city = make_city(COMMUNITIES[name], buildings, roads=roads, compounds=compounds, water=water)
    prove(city, build_tiling(city))


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 2**32 - 1), st.sampled_from(sorted(COMMUNITIES)))
def test_crowded_cities_are_tiled_exactly(seed: int, name: str) -> None:
    rng = np.random.default_rng(seed)
    corners = rng.uniform(-5, 200, (120, 2)).round(int(rng.integers(0, 3)))
    sides = rng.uniform(0.5, 30, (120, 2))
    buildings = [box(x, y, w, h) for (x, y), (w, h) in zip(corners, sides, strict=True)]
    ends = rng.uniform(-20, 220, (12, 2, 2))
    roads = [shapely.LineString(line) for line in [*ends, *(ends[:4] + rng.uniform(-0.03, 0.03, (4, 2, 2)))]]
    city = make_city(COMMUNITIES[name], buildings, roads=roads, compounds=[box(40, 40, 30, 30)])
    prove(city, build_tiling(city))


def test_every_building_has_its_own_cell_where_footprints_do_not_overlap() -> None:
    rng = np.random.default_rng(3)
    grid = [(x, y) for x in range(10, 190, 20) for y in range(10, 190, 20)]
    buildings = [box(x, y, *rng.uniform(3, 19, 2)) for x, y in grid]
    city = make_city([box(0, 0, 200, 200)], buildings, roads=[shapely.LineString([(0, 99), (200, 101)])])
    tiling = build_tiling(city)
    prove(city, tiling)
    assert len(set(tiling.building_cell.tolist())) == len(buildings)
    inner = city.buildings.geometry.representative_point().to_crs(4326).to_numpy()
    assert shapely.contains(tiling.cells.geometry.to_numpy()[tiling.building_cell], inner).all()


def _solid(shape):
    """Repair a shape and keep its areas."""
    parts = shapely.get_parts(shapely.get_parts(shapely.make_valid(shape)))
    return shapely.MultiPolygon([part for part in parts if part.geom_type == "Polygon"])


@pytest.mark.parametrize(
    ("file", "outlines", "buildings", "roads", "metric"),
    [
        ("cambridge.gpkg", "neighborhoods", "parcels_units", "streets", 32619),
        ("ang_mo_kio.gpkg", "subzones", "blocks", "road_sections", 32648),
    ],
)
def test_real_layers_tile_exactly(real_layer, file, outlines, buildings, roads, metric) -> None:  # noqa: PLR0917
    crs = CRS.from_epsg(metric)
    frames = [
        gpd.read_file(real_layer(file), layer=layer).to_crs(crs) for layer in (outlines, buildings, roads)
    ]
    shapes = [list(f.geometry[~(f.geometry.isna() | f.geometry.is_empty)]) for f in frames]
    solid = [[_solid(s) if "Polygon" in s.geom_type else s for s in shape] for shape in shapes[:2]]
    city = make_city(solid[0], solid[1], roads=shapes[2], shift=False)
    layers = ("communities", "buildings", "roads", "water", "railways", "compounds")
    moved = {name: getattr(city, name).set_crs(crs, allow_override=True) for name in layers}
    city = dataclasses.replace(city, crs=crs, **moved)
    prove(city, build_tiling(city))
