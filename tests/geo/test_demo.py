"""The demo city: exact tiling, nothing collides, sums come out, and the same seed gives the same bytes.

The small city is checked in full detail; the full one only for its promised numbers. Coordinates are in metres,
so 1e-6 is far below anything drawn; compound walls are cut from shared edges and may differ by rounding alone.
"""

from __future__ import annotations

import hashlib
from pathlib import Path

import geopandas as gpd
import numpy as np
import pandas as pd
import pyogrio
import pytest
import shapely

from geo.demo import LAYERS, make_city, write_city
from geo.demo.divisions import apportion
from geo.demo.homes import scale_to
from geo.demo.lanes import LANE_NAME
from geo.errors import LayerError

COMMITTED = Path(__file__).resolve().parents[2] / "data" / "demo" / "small.gpkg"
AREAS = ("communities", "subdistricts", "old_grids")
PERSONAL = ("姓名", "身份证", "电话", "phone", "person_name", "id_card", "resident")


@pytest.fixture(scope="module")
def city():
    return make_city("small")


def households_by_building(city):
    counts = city["households"].groupby("building_id")["households"].sum()
    return city["buildings"]["building_id"].map(counts).fillna(0).astype(int)


def pairs(frame, other, **how):
    return shapely.STRtree(frame.geometry.to_numpy()).query(other.geometry.to_numpy(), **how)


def test_every_layer_is_there_in_one_metric_crs(city):
    assert tuple(city) == LAYERS
    for layer, frame in city.items():
        assert len(frame), layer
        if layer == "households":
            assert not isinstance(frame, gpd.GeoDataFrame)
        else:
            assert frame.crs.to_epsg() == 4549, layer
            assert frame.is_valid.all(), layer
            assert len(set(frame.geom_type)) == 1, layer


def test_small_city_has_a_few_of_everything(city):
    buildings = city["buildings"]
    assert 4 <= len(city["communities"]) <= 6
    assert 1_200 <= len(buildings) <= 1_500
    assert 0.55 <= (buildings["use"] == "住宅").mean() <= 0.65
    assert {"住宅", "商业", "办公", "工业", "学校", "行政办公", "配套"} <= set(buildings["use"])
    assert city["compounds"]["compound_type"].nunique() >= 5
    assert set(city["roads"]["road_class"]) == {"arterial", "street", "alley"}
    assert city["stations"]["category"].nunique() >= 8
    assert buildings["floors"].max() >= 25


@pytest.mark.parametrize("layer", AREAS)
def test_areas_tile_the_city_exactly(city, layer):
    shapes = city[layer].geometry.to_numpy()
    whole = shapely.coverage_union_all(city["subdistricts"].geometry.to_numpy())
    assert shapely.coverage_is_valid(shapes)
    assert (city[layer].geom_type == "Polygon").all()
    assert city[layer].area.sum() == pytest.approx(whole.area, abs=1e-6)
    assert shapely.coverage_union_all(shapes).symmetric_difference(whole).area < 1e-6


def test_areas_are_nested(city):
    communities = city["communities"].set_index("community_id")
    grids = city["old_grids"]
    parents = communities.geometry.loc[grids["community_id"]].to_numpy()
    assert shapely.covers(parents, grids.geometry.to_numpy()).all()
    streets = city["subdistricts"].set_index("name").geometry.loc[communities["street"]].to_numpy()
    assert shapely.covers(streets, communities.geometry.to_numpy()).all()
    assert communities.index.str.fullmatch(r"\d{12}").all()
    assert communities["name"].is_unique
    assert grids["grid_code"].is_unique


def test_communities_are_uneven_and_some_are_concave(city):
    inside = city["buildings"].set_geometry(city["buildings"].centroid).sjoin(city["communities"])
    load = households_by_building(city).groupby(inside["community_id"]).sum()
    assert load.max() > 2 * load.min()
    solid = city["communities"].area / city["communities"].convex_hull.area
    assert solid.min() < 0.85


def test_footprints_stand_apart_and_off_roads_water_and_rails(city):
    buildings = city["buildings"]
    first, second = pairs(buildings, buildings, predicate="dwithin", distance=0.95)
    assert (first == second).all()
    for layer, distance_m in (("roads", 3.0), ("water", 3.0), ("railways", 8.0)):
        assert pairs(city[layer], buildings, predicate="dwithin", distance=distance_m).shape[1] == 0, layer


def test_every_building_lies_in_one_community_and_in_its_compound(city):
    buildings = city["buildings"]
    inside, _ = pairs(city["communities"], buildings, predicate="covered_by")
    assert np.array_equal(np.sort(inside), np.arange(len(buildings)))
    walled = buildings[buildings["compound_id"] != ""]
    compounds = city["compounds"].set_index("compound_id").geometry.loc[walled["compound_id"]].to_numpy()
    assert shapely.covers(compounds, walled.geometry.to_numpy()).all()
    assert buildings["building_id"].is_unique
    assert buildings["name"].is_unique


def test_compounds_do_not_overlap_and_cross_no_road_or_community(city):
    compounds = city["compounds"]
    a, b = pairs(compounds, compounds, predicate="intersects")
    shapes = compounds.geometry.to_numpy()
    shared = shapely.area(shapely.intersection(shapes[a[a < b]], shapes[b[a < b]]))
    assert shared.sum() < 1e-6
    streets = city["roads"].query("name != @LANE_NAME")
    assert pairs(streets, compounds, predicate="intersects").shape[1] == 0
    within, _ = pairs(
        city["communities"], compounds.set_geometry(compounds.buffer(-0.01)), predicate="within"
    )
    assert len(within) == len(compounds)
    assert compounds["name"].is_unique


def test_compounds_hold_80_to_1500_households(city):
    load = households_by_building(city).groupby(city["buildings"]["compound_id"]).sum().drop("")
    assert set(load.index) == set(city["compounds"]["compound_id"])
    assert load.between(80, 1_500).all()
    assert (load > 400).any()


def test_gates_stand_on_walls(city):
    gates = city["gates"]
    walls = city["compounds"].set_index("compound_id").boundary.loc[gates["compound_id"]].to_numpy()
    assert shapely.distance(gates.geometry.to_numpy(), walls).max() < 1e-6
    walled = city["compounds"].query("compound_type != '散居楼院'")["compound_id"]
    assert set(walled) <= set(gates["compound_id"])


def divided(city):
    """Households of every compound, and of its faces between lanes and walls that have any."""
    lanes = city["roads"].query("name == @LANE_NAME").geometry.to_numpy()
    tree = shapely.STRtree(lanes)
    load = households_by_building(city).to_numpy()
    homes = shapely.STRtree(shapely.point_on_surface(city["buildings"].geometry.to_numpy()))
    for site in city["compounds"].geometry:
        near = lanes[tree.query(site, predicate="intersects")]
        faces = shapely.get_parts(
            shapely.polygonize(shapely.get_parts(shapely.union_all([*near, site.exterior])))
        )
        faces = faces[shapely.covers(site.buffer(0.01), faces)]
        held = [int(load[homes.query(face, predicate="contains")].sum()) for face in faces]
        yield int(load[homes.query(site, predicate="contains")].sum()), [count for count in held if count]


def test_lanes_divide_large_compounds_into_groups(city):
    groups = []
    for load, held in divided(city):
        if load > 300:
            assert len(held) >= 2
            groups += held
    assert 100 <= np.median(groups) <= 250
    assert np.mean(np.array(groups) <= 350) > 0.85


def test_every_lane_leads_to_a_street(city):
    roads = city["roads"]
    is_lane = (roads["name"] == LANE_NAME).to_numpy()
    assert (roads.loc[is_lane, "road_class"] == "alley").all()
    assert roads["road_id"].is_unique
    lines = roads.geometry.to_numpy()
    streets = {tuple(p) for p in shapely.get_coordinates(lines[~is_lane]).tolist()}
    lane_ends = [(shapely.get_coordinates(line)[[0, -1]]).tolist() for line in lines[is_lane]]
    reached, left = streets, [{tuple(p) for p in ends} for ends in lane_ends]
    while joined := [ends for ends in left if ends & reached]:
        left = [ends for ends in left if not ends & reached]
        reached = reached.union(*joined)
    assert not left


def test_lanes_pass_through_gates_and_keep_off_buildings(city):
    lanes = city["roads"].query("name == @LANE_NAME")
    assert pairs(city["buildings"], lanes, predicate="dwithin", distance=3.0).shape[1] == 0
    gates = city["gates"].sjoin_nearest(lanes.reset_index(drop=True), max_distance=0.02)
    cut, _ = pairs(
        lanes, city["compounds"].set_geometry(city["compounds"].buffer(-5)), predicate="intersects"
    )
    with_lanes = set(city["compounds"]["compound_id"].iloc[cut])
    assert len(with_lanes) >= 10
    assert with_lanes <= set(gates["compound_id"])


def test_households_are_counts_per_unit_door_only(city):
    table = city["households"]
    assert list(table.columns) == ["building_id", "unit_door", "households", "persons"]
    assert "households" not in city["buildings"].columns
    assert not table.duplicated(["building_id", "unit_door"]).any()
    assert (table["households"] >= 1).all()
    assert (table["persons"] >= table["households"]).all()
    assert table["persons"].sum() / table["households"].sum() == pytest.approx(2.6, abs=0.2)
    homes = city["buildings"].set_index("building_id")["use"].loc[table["building_id"]]
    assert (homes == "住宅").all()
    assert households_by_building(city).max() <= 160
    assert city["old_grids"]["households"].sum() == table["households"].sum()


def test_density_varies_tenfold(city):
    compounds = city["compounds"].set_index("compound_id")
    load = households_by_building(city).groupby(city["buildings"]["compound_id"]).sum().drop("")
    density = load / compounds.area
    assert density.max() > 10 * density.min()


def test_no_column_could_hold_a_person(city):
    for frame in city.values():
        assert not any(word in str(column).lower() for column in frame.columns for word in PERSONAL)


def test_stations_leave_a_gap_and_state_their_hours(city):
    stations = city["stations"]
    centres = stations[stations["category"] == "社区党群服务中心"]
    served = centres.sjoin(city["communities"], rsuffix="area")["community_id"].nunique()
    assert served < len(city["communities"])
    assert (stations["opening_hours"] != "").all()
    assert stations["name"].is_unique


def test_roads_meet_in_shared_nodes_and_are_one_network(city):
    roads = city["roads"].geometry.to_numpy()
    ends = np.concatenate([shapely.get_coordinates(shapely.get_point(roads, i)) for i in (0, -1)])
    _, node = np.unique(ends, axis=0, return_inverse=True)
    group = np.arange(node.max() + 1)
    for _ in range(len(group)):
        low = np.minimum(group[node[: len(roads)]], group[node[len(roads) :]])
        before = group.copy()
        np.minimum.at(group, node[: len(roads)], low)
        np.minimum.at(group, node[len(roads) :], low)
        if np.array_equal(before, group):
            break
    assert np.bincount(group).max() == len(group)


def test_the_same_seed_gives_the_same_city(city):
    again = make_city("small")
    for layer, frame in city.items():
        if isinstance(frame, gpd.GeoDataFrame):
            assert shapely.equals_identical(frame.geometry.to_numpy(), again[layer].geometry.to_numpy()).all()
        values = [column for column in frame.columns if column != "geometry"]
        pd.testing.assert_frame_equal(pd.DataFrame(frame[values]), pd.DataFrame(again[layer][values]))


def test_another_seed_gives_another_city(city):
    other = make_city("small", seed=1)
    assert other["communities"].total_bounds.tolist() != city["communities"].total_bounds.tolist()


@pytest.mark.parametrize("seed", [3, 11])
def test_any_seed_keeps_the_promises(seed):
    city = make_city("small", seed=seed)
    assert len(city["communities"]) == 5
    assert shapely.coverage_is_valid(city["communities"].geometry.to_numpy())
    assert len(city["old_grids"]) == 30
    inside, _ = pairs(city["communities"], city["buildings"], predicate="covered_by")
    assert len(inside) == len(city["buildings"])


def test_two_writes_give_the_same_bytes(tmp_path):
    first, second = tmp_path / "a" / "city.gpkg", tmp_path / "b" / "city.gpkg"
    for path in (first, second):
        path.parent.mkdir()
        write_city("small", path)
    assert hashlib.sha256(first.read_bytes()).digest() == hashlib.sha256(second.read_bytes()).digest()
    assert first.stat().st_size < 3_000_000
    assert sorted(name for name, _ in pyogrio.list_layers(first)) == sorted(LAYERS)
    assert [entry.name for entry in first.parent.iterdir()] == ["city.gpkg"]


def test_a_missing_folder_is_named(tmp_path):
    with pytest.raises(LayerError) as refused:
        write_city("small", tmp_path / "none" / "city.gpkg")
    assert refused.value.code == "output-folder-missing"


def test_the_committed_city_is_what_the_generator_makes(city):
    assert COMMITTED.stat().st_size < 3_000_000
    for layer, frame in city.items():
        stored = pyogrio.read_dataframe(COMMITTED, layer=layer)
        assert list(stored.columns) == list(frame.columns), layer
        if isinstance(frame, gpd.GeoDataFrame):
            assert shapely.equals_exact(
                stored.geometry.to_numpy(), frame.geometry.to_numpy(), tolerance=0.011
            ).all(), layer
        values = [c for c in frame.columns if c != "geometry"]
        pd.testing.assert_frame_equal(
            pd.DataFrame(stored[values]), pd.DataFrame(frame[values]), check_dtype=False, obj=layer
        )


@pytest.mark.slow
def test_full_city_has_the_promised_numbers():
    city = make_city("full")
    assert len(city["subdistricts"]) == 7
    assert len(city["communities"]) == 84
    assert len(city["old_grids"]) == 518
    assert city["households"]["households"].sum() == 216_750
    assert 18_000 <= len(city["buildings"]) <= 21_000
    assert 0.55 <= (city["buildings"]["use"] == "住宅").mean() <= 0.65
    for layer in AREAS:
        assert shapely.coverage_is_valid(city[layer].geometry.to_numpy()), layer
        assert (city[layer].geom_type == "Polygon").all(), layer
    inside, area = pairs(city["communities"], city["buildings"], predicate="covered_by")
    assert len(inside) == len(city["buildings"])
    load = np.bincount(area, weights=households_by_building(city).to_numpy()[inside], minlength=84)
    assert load.min() >= 600
    assert load.max() >= 6 * load.min()
    assert load.max() <= 6_500
    first, second = pairs(city["buildings"], city["buildings"], predicate="intersects")
    assert (first == second).all()
    compounds = list(divided(city))
    assert np.mean([load > 600 for load, _ in compounds]) <= 0.2
    assert all(len(held) >= 2 for load, held in compounds if load > 300)


def test_scaling_reaches_the_total_exactly_and_leaves_nobody_without():
    counts = np.array([1, 1, 1, 50, 7, 12])
    for total in (6, 7, 40, 72, 73, 500):
        scaled = scale_to(counts, total)
        assert scaled.sum() == total
        assert scaled.min() >= 1


def test_seats_are_shared_by_weight_within_the_ceiling():
    seats = apportion([100.0, 10.0, 0.0], 9, np.array([5, 9, 9]))
    assert seats.tolist() == [5, 3, 1]
