"""Joining points to the network, and walking distance along it.

Policy: mini networks drawn by hand have exact answers; everything else is held against an independent computation
(nearest edges by shapely, ways by networkx on the split graph, see `walks`).
"""

from __future__ import annotations

import geopandas as gpd
import numpy as np
import pytest
import shapely
from cities import box, tiny_city
from hypothesis import given, settings
from hypothesis import strategies as st
from walks import METRIC, edge_shapes, exact_walks, project, street_frame

from geo.demo import make_city
from geo.errors import GeoError
from geo.network import (
    DETOUR_FACTOR,
    ISLAND,
    OFF_NETWORK,
    ON,
    Access,
    Network,
    Router,
    build_network,
    compound_of,
    detour_distance,
    network_of,
    snap,
    walking_distance,
    within,
)
from geo.types import BorderClass

SPEED = 66.7


def lattice(columns: int, rows: int, step: float = 100.0) -> gpd.GeoDataFrame:
    width, height = (columns - 1) * step, (rows - 1) * step
    across = [[(0, y * step), (width, y * step)] for y in range(rows)]
    return street_frame(across + [[(x * step, 0), (x * step, height)] for x in range(columns)])


def nearest_m(network, homes, stations, category=None, n=1, *, limit_m=None):
    kinds = np.zeros(len(stations), np.int32) if category is None else np.asarray(category, np.int32)
    return walking_distance(network, snap(network, homes), snap(network, stations), kinds, n, limit_m=limit_m)


# Joining points.


def test_a_point_joins_the_edge_beside_it_not_a_node():
    network = build_network(street_frame([[(0, 0), (100, 0)], [(100, 0), (100, 100)]]))
    access = snap(network, [(30, 7), (104, 40), (-3, -4)])
    assert access.offset_m.tolist() == [30.0, 40.0, 0.0]
    assert access.leg_m.tolist() == [7.0, 4.0, 5.0]
    assert access.state.tolist() == [ON, ON, ON]


def test_offsets_run_along_bends():
    network = build_network(street_frame([[(0, 0), (30, 0), (30, 40), (90, 40)]]))
    access = snap(network, [(31, 10), (80, 45)])
    assert access.offset_m.tolist() == [40.0, 120.0]


def test_too_far_is_off_the_network_and_the_limit_counts():
    network = build_network(street_frame([[(0, 0), (100, 0)]]))
    access = snap(network, [(50, 200), (50, 200.001), (50, np.nan), (9e6, 9e6)])
    assert access.state.tolist() == [ON, OFF_NETWORK, OFF_NETWORK, OFF_NETWORK]
    assert access.edge[1:].tolist() == [-1, -1, -1]
    assert np.isinf(access.leg_m[1:]).all()
    assert snap(network, [(50, 200)], max_leg_m=10.0).state.tolist() == [OFF_NETWORK]
    assert snap(network, [(50, 90000)], max_leg_m=np.inf).leg_m.tolist() == [90000.0]
    with pytest.raises(GeoError) as refused:
        snap(network, [(0, 0)], max_leg_m=-1.0)
    assert refused.value.code == "network-bad-leg"


def test_an_island_is_a_state_and_has_ways_of_its_own():
    network = build_network(street_frame([[(0, 0), (500, 0)], [(0, 300), (100, 300)]]))
    homes, stations = snap(network, [(10, 5), (10, 305)]), snap(network, [(90, 300)])
    assert homes.state.tolist() == [ON, ISLAND]
    distance, station = walking_distance(network, homes, stations, np.array([0]), 1)
    assert distance[:, 0].tolist() == [np.inf, 85.0]
    assert station[:, 0].tolist() == [-1, 0]


@pytest.mark.parametrize(
    "river",
    [street_frame([[(-500, 15), (500, 15)]]), gpd.GeoDataFrame(geometry=[box(-500, 12, 900, 6)], crs=METRIC)],
)
def test_no_leg_crosses_a_river(river):
    network = build_network(street_frame([[(0, 0), (100, 0)], [(0, 60), (100, 60)]]), water=river)
    access = snap(network, [(50, 20), (50, 10), (50, 60)])
    assert access.leg_m.tolist() == [40.0, 10.0, 0.0]
    assert snap(network, [(50, 20)], max_leg_m=30.0).state.tolist() == [OFF_NETWORK]


def test_points_in_walls():
    yard = gpd.GeoDataFrame(geometry=[box(0, 0, 50, 50), box(10, 10, 10, 10)], crs=METRIC)
    gates = gpd.GeoDataFrame(
        {"compound": [0, 1]}, geometry=[shapely.Point(25, 0), shapely.Point(10, 15)], crs=METRIC
    )
    network = build_network(street_frame([[(0, -5), (50, -5)]]), compounds=yard, gates=gates)
    assert compound_of(network, np.array([[5.0, 5], [15, 15], [60, 5], [0, 25]])).tolist() == [0, 0, -1, -1]


points = st.lists(st.tuples(st.integers(-30, 130), st.integers(-30, 130)), min_size=1, max_size=12)
lines = st.lists(
    st.lists(st.tuples(st.integers(0, 100), st.integers(0, 100)), min_size=2, max_size=4, unique=True),
    min_size=1,
    max_size=6,
)


@settings(max_examples=40, deadline=None)
@given(lines, points, points)
def test_any_drawing_agrees_with_the_exact_computation(drawing, homes, stations):
    network = build_network(street_frame(drawing))
    category = np.arange(len(stations)) % 3
    check_exact(network, np.array(homes, float), np.array(stations, float), category, 3)


def check_exact(network: Network, homes, stations, category, n) -> int:
    """Hold legs, distances and stations against the exact ones; return how many pairs were compared."""
    access, sites = snap(network, homes, max_leg_m=1e9), snap(network, stations, max_leg_m=1e9)
    exact_homes = project(network, homes)
    np.testing.assert_allclose(access.leg_m, [leg for _, _, leg in exact_homes], atol=1e-8)
    # where two edges are equally near either is right: compare the ways from the places we chose
    chosen = [list(zip(a.edge.tolist(), a.offset_m, a.leg_m, strict=True)) for a in (access, sites)]
    same = np.mean(access.edge == np.array([edge for edge, _, _ in exact_homes]))
    assert same > 0.9 or len(homes) < 50
    expected = exact_walks(network, *chosen, category, n)
    distance, station = walking_distance(network, access, sites, category, n)
    reached = np.isfinite(expected)
    np.testing.assert_array_equal(np.isfinite(distance), reached)
    assert np.abs(distance[reached] - expected[reached]).max(initial=0.0) <= 1e-6 * SPEED
    assert (station[~reached] == -1).all()
    assert (category[station[reached]] == np.nonzero(reached)[1]).all()
    return int(reached.sum())


# Walking.


def test_two_points_on_one_edge_walk_along_it():
    network = build_network(street_frame([[(0, 0), (1000, 0)]]))
    distance, _ = nearest_m(network, [(400, 3), (0, 0)], [(450, 4)])
    assert distance[:, 0].tolist() == [57.0, 454.0]


def test_on_a_ring_the_shorter_side_is_walked():
    network = build_network(street_frame([[(0, 0), (100, 0), (100, 100), (0, 100), (0, 0)]]))
    distance, _ = nearest_m(network, [(10, 0)], [(0, 90)])
    assert distance[0, 0] == pytest.approx(100.0, abs=1e-9)
    distance, _ = nearest_m(network, [(10, 0)], [(60, 0)])
    assert distance[0, 0] == pytest.approx(50.0, abs=1e-9)


def test_exactly_fifteen_minutes_is_in_time():
    # ten stretches of 100.05 m: their sum is not 1000.5 to the last digit
    bends = [[(k * 100.05, 0), ((k + 1) * 100.05, 0)] for k in range(10)]
    network = build_network(street_frame(bends))
    limit = 15 * SPEED
    for step, reached in ((0.0, True), (-0.001, False)):
        distance, station = nearest_m(network, [(step, 0)], [(1000.5, 0)], limit_m=limit)
        assert bool(within(distance[0, 0], limit)) is reached
        assert (distance[0, 0] <= limit) is np.bool_(reached)
        assert station[0, 0] == (0 if reached else -1)
        free, _ = nearest_m(network, [(step, 0)], [(1000.5, 0)])
        assert bool(within(free[0, 0], limit)) is reached


def test_equally_near_stations_give_the_lowest_row():
    network = build_network(lattice(5, 5))
    sites = np.array([(300.0, 400), (400, 300), (100, 0), (0, 100), (300, 400)])
    _, station = nearest_m(network, [(200, 200)], sites)
    assert station[0, 0] == 0
    _, station = nearest_m(network, [(200, 200)], sites[::-1].copy())
    assert station[0, 0] == 0
    _, station = nearest_m(network, [(50, 0)], np.array([(100.0, 0), (0, 0)]))
    assert station[0, 0] == 0


def test_a_limit_changes_nothing_within_it():
    rng = np.random.default_rng(5)
    network = build_network(lattice(12, 12))
    homes, stations = rng.uniform(-50, 1150, (300, 2)), rng.uniform(-50, 1150, (9, 2))
    category = np.arange(9) % 3
    free, whose = nearest_m(network, homes, stations, category, 3)
    short, near = nearest_m(network, homes, stations, category, 3, limit_m=400.0)
    inside = free <= 400.0
    assert 0.2 < inside.mean() < 0.9
    np.testing.assert_array_equal(short, np.where(inside, free, np.inf))
    np.testing.assert_array_equal(near, np.where(inside, whose, -1))


def test_a_category_without_stations_and_one_not_asked_for():
    network = build_network(lattice(3, 3))
    distance, station = nearest_m(network, [(0, 0)], [(100, 0), (50, 0)], [0, 7], 2)
    assert distance[0].tolist() == [100.0, np.inf]
    assert station[0].tolist() == [0, -1]


def test_stations_and_homes_off_the_network_take_no_part():
    network = build_network(lattice(3, 3))
    distance, station = nearest_m(network, [(50, 0), (0, 5000)], [(0, 900), (200, 0)])
    assert distance[:, 0].tolist() == [150.0, np.inf]
    assert station[:, 0].tolist() == [1, -1]


def test_a_router_answers_again_after_a_station_moved():
    rng = np.random.default_rng(2)
    network = build_network(lattice(9, 9))
    homes = snap(network, rng.uniform(0, 800, (200, 2)))
    router = Router(network, homes)
    for _ in range(3):
        stations = snap(network, rng.uniform(0, 800, (4, 2)))
        ours = router.solve(stations, limit_m=500.0)
        whole = walking_distance(network, homes, stations, np.zeros(4, np.int32), 1, limit_m=500.0)
        np.testing.assert_array_equal(ours[0], whole[0][:, 0])
        np.testing.assert_array_equal(ours[1], whole[1][:, 0])
    with pytest.raises(GeoError) as refused:
        router.solve(stations, limit_m=-1.0)
    assert refused.value.code == "network-bad-limit"
    with pytest.raises(ValueError, match="2 categories for 4 stations"):
        router.distances(stations, np.array([0, 0]), 1)


def test_no_homes_and_no_stations():
    network = build_network(lattice(3, 3))
    nothing = np.empty((0, 2))
    assert nearest_m(network, nothing, [(0, 0)])[0].shape == (0, 1)
    assert nearest_m(network, [(0, 0)], nothing)[0].tolist() == [[np.inf]]
    assert len(Access(*(np.empty(0),) * 4)) == 0


# Whole cities.


def test_the_walled_compound_of_a_tiny_city():
    city = tiny_city()
    network = network_of(city)
    spots = shapely.get_coordinates(shapely.point_on_surface(city.buildings.geometry.to_numpy()))
    assert (snap(network, spots).state == ON).all()
    assert network.crs == city.crs


def check_barriers(network: Network, closed) -> int:
    """Hold the finished graph against the walls by geometry alone; return how many nodes lie on walls."""
    shapes = edge_shapes(network)
    on_walls = 0
    for c in np.flatnonzero([w is not None for w in network.walls]).tolist():
        wall = closed[c]
        core, hull = shapely.buffer(wall, -0.01), shapely.buffer(wall, 0.01)
        inside = shapely.intersects(shapes, core)
        outside = ~shapely.within(shapes, hull)
        assert not (inside & outside).any()  # no edge leads through the wall
        gates = set(network.gate_node[network.gate_compound == c].tolist())
        both = set(network.edge[inside].reshape(-1).tolist()) & set(
            network.edge[outside].reshape(-1).tolist()
        )
        assert both <= gates  # and no node but a gate does
        on_walls += len(both)
    return on_walls


@pytest.fixture(scope="module")
def demo():
    return make_city("small")


def test_the_demo_city_agrees_with_the_exact_computation(demo):
    roads = demo["roads"]
    network = build_network(roads, water=demo["water"], railways=demo["railways"])
    assert network.report.connected_share_after == 1.0
    homes = shapely.get_coordinates(demo["buildings"].geometry.centroid.to_numpy())
    sites = shapely.get_coordinates(demo["stations"].geometry.to_numpy())
    plain = build_network(roads)
    category = np.unique(demo["stations"]["category"], return_inverse=True)[1]
    assert check_exact(plain, homes, sites, category, int(category.max()) + 1) >= 10_000


def test_the_demo_citys_gates_are_all_used_and_leave_no_island(demo):
    network = build_network(
        demo["roads"],
        water=demo["water"],
        railways=demo["railways"],
        compounds=demo["compounds"],
        gates=demo["gates"],
    )
    assert network.report.gates == len(demo["gates"])
    assert check_barriers(network, demo["compounds"].geometry.to_numpy()) > 0
    homes = shapely.get_coordinates(demo["buildings"].geometry.centroid.to_numpy())
    access = snap(network, homes)
    assert (access.state == ON).mean() == 1.0
    # nobody's leg leaves a walled compound but by a gate
    legs = network.compound[access.edge]
    inside = compound_of(network, homes)
    by_gate = np.isin(network.edge[access.edge], network.gate_node).any(axis=1)
    assert ((legs == inside) | by_gate).all()
    assert (inside >= 0).sum() > 100


def test_real_streets_agree_with_the_exact_computation(real_layer):
    streets = gpd.read_file(real_layer("cambridge.gpkg"), layer="streets").to_crs(32619)
    network = build_network(streets)
    assert network.report.connected_share_after > 0.999
    assert network.report.noded < 20  # it is routable as it is
    rng = np.random.default_rng(0)
    low, high = network.xy.min(axis=0), network.xy.max(axis=0)
    homes, sites = rng.uniform(low, high, (4200, 2))[::2], rng.uniform(low, high, (60, 2))
    assert check_exact(network, homes, sites, rng.integers(0, 6, 60), 6) >= 10_000


def test_unnoded_real_streets_become_a_network(real_layer):
    sections = gpd.read_file(real_layer("ang_mo_kio.gpkg"), layer="road_sections")
    network = build_network(sections)
    assert network.report.connected_share_before < 0.7
    assert network.report.connected_share_after > 0.95
    union = shapely.union_all(sections.geometry.to_numpy())
    assert network.report.km == pytest.approx(shapely.length(union) / 1000, rel=2e-3)


# Without streets.


def test_the_detour_factor_stands_in_for_streets():
    assert detour_distance(np.array([0.0, 100.0, np.inf])).tolist() == [0.0, 100.0 * DETOUR_FACTOR, np.inf]
    with pytest.raises(GeoError) as refused:
        detour_distance(5.0, factor=0.9)
    assert refused.value.code == "network-bad-detour"


def test_kinds_come_from_the_layer():
    kinds = np.array([BorderClass.ALLEY, BorderClass.ARTERIAL], np.uint8)
    roads = street_frame([[(0, 0), (10, 0)], [(10, 0), (30, 0)]])
    assert build_network(roads.assign(border_class=kinds)).kind.tolist() == kinds.tolist()
    named = roads.assign(road_class=["alley", "arterial"])
    assert build_network(named).kind.tolist() == kinds.tolist()
    assert build_network(roads).kind.tolist() == [BorderClass.STREET] * 2
