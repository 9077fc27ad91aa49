"""Building the walking network.

Policy: every rule is shown on a network drawn by hand, whose lengths are known without the program; the noding is
held against GEOS on random lines.
"""

from __future__ import annotations

import geopandas as gpd
import numpy as np
import pytest
import shapely
from cities import box
from hypothesis import given, settings
from hypothesis import strategies as st
from walks import METRIC, edge_shapes, street_frame

from geo.errors import CRSError, GeoError, LayerError
from geo.network import Scenario, apply, build_network, changed, changes, snap, walking_distance
from geo.types import BorderClass

ALLEY, STREET = int(BorderClass.ALLEY), int(BorderClass.STREET)
RIVER = [[(-1000, 100), (1000, 100)]]
BANKS = [box(-1000, 90, 2000, 20)]


def codes(network):
    return {f.code for f in network.findings}


def walk(network, start, end, **options):
    """Return the walking distance between two points in metres."""
    return float(
        walking_distance(network, snap(network, [start], **options), snap(network, [end]), np.array([0]), 1)[
            0
        ][0, 0]
    )


def areas(shapes, **columns):
    return gpd.GeoDataFrame(columns, geometry=list(shapes), crs=METRIC)


# Noding.


def test_lines_that_cross_without_a_vertex_are_joined():
    network = build_network(street_frame([[(0, 0), (100, 0)], [(50, -50), (50, 50)]]))
    assert network.report.noded == 1
    assert len(network.edge) == 4
    assert walk(network, (0, 0), (50, 50)) == pytest.approx(100.0, abs=1e-9)
    assert network.report.connected_share_before == 0.5
    assert network.report.connected_share_after == 1.0
    assert "network-at-grade" in codes(network)


def test_an_end_on_the_middle_of_another_line_is_joined():
    network = build_network(street_frame([[(0, 0), (100, 0)], [(30, 0), (30, 40)]]))
    assert walk(network, (0, 0), (30, 40)) == pytest.approx(70.0, abs=1e-9)
    assert network.report.noded == 1


def test_a_vertex_on_a_vertex_is_joined():
    network = build_network(street_frame([[(0, 0), (50, 0), (100, 0)], [(50, -20), (50, 0), (50, 20)]]))
    assert walk(network, (0, 0), (50, 20)) == pytest.approx(70.0, abs=1e-9)


def test_a_line_that_crosses_itself_is_joined_there():
    network = build_network(street_frame([[(0, 0), (100, 0), (100, 50), (50, 50), (50, -50)]]))
    assert walk(network, (0, 0), (50, -50)) == pytest.approx(100.0, abs=1e-9)


@pytest.mark.parametrize("back", [False, True])
def test_duplicates_count_once(back):
    line = [(0, 0), (40, 10), (100, 0)]
    network = build_network(street_frame([line, line[::-1] if back else line, [(100, 0), (200, 0)]]))
    assert network.report.duplicates == 1
    assert network.report.km == pytest.approx((np.hypot(40, 10) + np.hypot(60, 10) + 100) / 1000)


def test_overlaps_count_once():
    network = build_network(street_frame([[(0, 0), (100, 0)], [(60, 0), (160, 0)]]))
    assert network.report.km == pytest.approx(0.160)
    assert network.report.duplicates == 1
    assert walk(network, (0, 0), (160, 0)) == pytest.approx(160.0, abs=1e-9)


def test_a_near_miss_end_is_joined_and_the_gap_is_walked():
    roads = street_frame([[(0, 0), (100, 0)], [(50, 0.8), (50, 80)], [(101.5, 0), (200, 0)]])
    network = build_network(roads)
    assert network.report.snapped_ends == 2
    assert walk(network, (0, 0), (50, 80)) == pytest.approx(130.0, abs=1e-9)
    assert walk(network, (0, 0), (200, 0)) == pytest.approx(200.0, abs=1e-9)
    apart = build_network(roads, snap_m=0.5)
    assert apart.report.snapped_ends == 0
    assert len(set(apart.component.tolist())) == 3
    assert apart.component[apart.edge[:, 0]].tolist() == [0, 2, 1]  # numbered by falling length


def test_an_end_near_a_wall_is_not_joined_through_it():
    roads = street_frame([[(0, 0), (100, 0)], [(50, 1.5), (50, 80)]])
    railway = street_frame([[(-10, 0.7), (110, 0.7)]])
    assert build_network(roads, railways=railway).report.snapped_ends == 0


def test_a_junction_of_another_part_is_joined_too():
    first = [[(0, 0), (50, 0)], [(50, 0), (50, 50)]]
    second = [[(51, 0), (100, 0)], [(51, 0), (51, -50)]]
    network = build_network(street_frame(first + second))
    assert network.report.connected_share_after == 1.0
    assert walk(network, (0, 0), (100, 0)) == pytest.approx(100.0, abs=1e-9)


def test_a_bridge_passes_over_the_road_below_where_the_data_say_so():
    lines = [[(0, 0), (100, 0)], [(50, -50), (50, 50)], [(50, 50), (50, 100)]]
    for columns in (
        {"bridge": ["no", "yes", "no"]},
        {"layer": [0, 1, 0]},
        {"桥梁": ["", "是", ""]},
        {"tunnel": [None, "T", None]},
    ):
        network = build_network(street_frame(lines, **columns))
        assert network.report.noded == 0, columns
        assert walk(network, (0, 0), (50, 50)) == np.inf
        assert "network-at-grade" not in codes(network)
        # at its end the bridge meets the street it leads to
        assert walk(network, (50, -50), (50, 100)) == pytest.approx(150.0, abs=1e-9)


def test_a_bridge_lands_on_the_middle_of_a_street():
    network = build_network(street_frame([[(0, 0), (100, 0)], [(50, 0), (50, 50)]], bridge=[0, 1]))
    assert walk(network, (0, 0), (50, 50)) == pytest.approx(100.0, abs=1e-9)


coordinates = st.integers(0, 12).map(lambda v: v * 10.0)
segments = st.lists(
    st.lists(st.tuples(coordinates, coordinates), min_size=2, max_size=4, unique=True), min_size=1, max_size=7
)


@settings(max_examples=40, deadline=None)
@given(segments)
def test_noding_agrees_with_geos(lines):
    network = build_network(street_frame(lines), snap_m=0.0)
    union = shapely.union_all([shapely.LineString(line) for line in lines])
    assert network.length_m.sum() == pytest.approx(shapely.length(union), abs=1e-6)
    shapes = edge_shapes(network)
    np.testing.assert_allclose(shapely.length(shapes), network.length_m, atol=1e-9)
    np.testing.assert_allclose(
        shapely.get_coordinates(shapely.get_point(shapes, 0)), network.xy[network.edge[:, 0]]
    )
    np.testing.assert_allclose(
        shapely.get_coordinates(shapely.get_point(shapes, -1)), network.xy[network.edge[:, 1]]
    )
    parts = len(shapely.get_parts(shapely.line_merge(union)))
    assert len(network.edge) >= parts
    # one connected part of the drawing is one component
    merged = shapely.get_parts(shapely.union_all(shapely.buffer(shapely.get_parts(union), 1e-4, quad_segs=1)))
    assert len(set(network.component.tolist())) == len(merged)


# Water and railways.


@pytest.mark.parametrize("water", [street_frame(RIVER), areas(BANKS)], ids=["line", "area"])
def test_streets_cross_a_river_and_alleys_do_not(water):
    roads = street_frame(
        [[(0, 0), (0, 200)], [(300, 0), (300, 200)], [(0, 0), (300, 0)], [(0, 200), (300, 200)]],
        border_class=np.array([ALLEY, STREET, STREET, STREET], np.uint8),
    )
    network = build_network(roads, water=water)
    assert walk(network, (0, 50), (0, 150)) == pytest.approx(50 + 300 + 200 + 300 + 50, abs=1e-9)
    assert network.report.bridges == 1
    assert network.report.cut_by_barrier == (
        1 if len(RIVER) == len(water) and water.geom_type[0] == "LineString" else 2
    )
    assert {"network-cut", "network-bridges-assumed"} <= codes(network)
    everyone = build_network(roads, water=water, bridges="all")
    assert walk(everyone, (0, 50), (0, 150)) == pytest.approx(100.0, abs=1e-9)
    nobody = build_network(roads, water=water, bridges="marked")
    assert walk(nobody, (0, 50), (0, 150)) == np.inf


def test_only_the_marked_bridge_crosses_where_bridges_are_marked():
    roads = street_frame(
        [[(0, 0), (0, 200)], [(300, 0), (300, 200)], [(0, 0), (300, 0)], [(0, 200), (300, 200)]],
        bridge=["yes", "no", "no", "no"],
    )
    network = build_network(roads, water=street_frame(RIVER))
    assert walk(network, (300, 50), (300, 150)) == pytest.approx(50 + 300 + 200 + 300 + 50, abs=1e-9)
    assert "network-bridges-assumed" not in codes(network)
    both = build_network(roads, water=street_frame(RIVER), bridges="streets")
    assert walk(both, (300, 50), (300, 150)) == pytest.approx(100.0, abs=1e-9)


def test_what_is_left_of_a_path_in_the_river_is_dropped():
    roads = street_frame(
        [[(0, 0), (0, 200)], [(-100, 0), (100, 0)]], border_class=np.array([ALLEY, STREET], np.uint8)
    )
    network = build_network(roads, water=areas(BANKS))
    assert network.report.cut_by_barrier == 2
    assert "network-drowned" in codes(network)
    assert network.length_m.sum() == pytest.approx(200 + 90 + 90)


def test_streets_pass_a_railway_and_paths_need_a_marked_crossing():
    lines = [[(0, 0), (0, 200)], [(0, 0), (300, 0)], [(0, 200), (300, 200)]]
    kinds = np.array([ALLEY, STREET, STREET], np.uint8)
    railway = street_frame(RIVER)
    assert (
        walk(build_network(street_frame(lines, border_class=kinds), railways=railway), (0, 50), (0, 150))
        == np.inf
    )
    marked = street_frame(lines, border_class=kinds, crossing=["yes", "", ""])
    assert walk(build_network(marked, railways=railway), (0, 50), (0, 150)) == pytest.approx(100.0)
    street = street_frame(lines)
    assert walk(build_network(street, railways=railway), (0, 50), (0, 150)) == pytest.approx(100.0)
    below = street_frame(RIVER, tunnel=["yes"])
    assert walk(
        build_network(street_frame(lines, border_class=kinds), railways=below), (0, 50), (0, 150)
    ) == pytest.approx(100.0)


def test_a_path_that_crosses_in_a_vertex_or_a_junction_is_cut():
    roads = street_frame(
        [[(0, 0), (0, 100), (0, 200)], [(50, 0), (50, 100)], [(50, 100), (50, 200)], [(80, 100), (80, 0)]],
        border_class=np.full(4, ALLEY, np.uint8),
    )
    network = build_network(roads, water=street_frame(RIVER))
    assert network.report.cut_by_barrier == 2
    assert walk(network, (0, 50), (0, 150)) == np.inf
    assert walk(network, (50, 50), (50, 150)) == np.inf


def test_a_path_along_a_bank_or_up_to_it_is_not_cut():
    roads = street_frame(
        [[(0, 0), (0, 100)], [(0, 100), (50, 100)], [(50, 100), (50, 20)], [(20, 0), (30, 100), (40, 0)]],
        border_class=np.full(4, ALLEY, np.uint8),
    )
    network = build_network(roads, water=street_frame(RIVER))
    assert network.report.cut_by_barrier == 0
    assert walk(network, (0, 0), (50, 20)) == pytest.approx(230.0)


def test_an_end_drawn_a_little_past_a_bank_does_not_cross():
    roads = street_frame([[(0, 0), (0, 101.5)], [(0, 0), (50, 0)]])
    network = build_network(roads, water=street_frame(RIVER))
    assert network.report.bridges == 0
    assert network.length_m.sum() == pytest.approx(150.0)


# Walls and gates.

YARD = areas([box(0, 0, 100, 100)], compound_id=["k0"])
AROUND = [
    [(-20, -20), (120, -20)],
    [(120, -20), (120, 120)],
    [(120, 120), (-20, 120)],
    [(-20, 120), (-20, -20)],
]


def gate(x, y, **columns):
    return gpd.GeoDataFrame(columns, geometry=[shapely.Point(x, y)], crs=METRIC)


def test_one_gate_in_a_wall():
    lane = [[(50, -20), (50, 120)]]
    network = build_network(
        street_frame(AROUND + lane), compounds=YARD, gates=gate(50, 0, compound_id=["k0"])
    )
    assert (network.report.gates, network.report.cut_by_barrier) == (1, 1)
    # from the lane near the north wall out by the south gate, around the block
    assert walk(network, (50, 90), (50, 120)) == pytest.approx(90 + 20 + 70 + 140 + 70, abs=1e-9)
    assert walk(network, (50, 90), (50, -20)) == pytest.approx(110.0, abs=1e-9)


def test_without_known_gates_every_street_that_enters_makes_one():
    network = build_network(street_frame([*AROUND, [(50, -20), (50, 120)]]), compounds=YARD)
    assert (network.report.gates, network.report.cut_by_barrier) == (2, 0)
    assert walk(network, (50, 90), (50, 120)) == pytest.approx(30.0, abs=1e-9)
    assert "network-gates-assumed" in codes(network)


def test_a_building_in_a_compound_leaves_by_the_gate():
    network = build_network(street_frame(AROUND), compounds=YARD, gates=gate(50, 0))
    # (50, 90) is 30 m from the northern street, behind the wall
    home = snap(network, [(50, 90)])
    assert home.leg_m[0] == pytest.approx(90.0, abs=1e-9)
    assert walk(network, (50, 90), (50, 120)) == pytest.approx(90 + 20 + 70 + 140 + 70, abs=1e-9)
    # a point before the wall that is said to belong to the compound
    told = snap(network, [(-5, 50)], compound=np.array([0], np.int32))
    assert told.leg_m[0] == pytest.approx(np.hypot(55, 50))
    assert snap(network, [(-5, 50)], compound=np.array([-1], np.int32)).leg_m[0] == pytest.approx(15.0)


def test_a_building_outside_does_not_join_the_lane_behind_the_wall():
    lane = [[(5, 0), (5, 100)], [(5, -20), (5, 0)]]
    network = build_network(street_frame([*AROUND, *lane]), compounds=YARD, gates=gate(5, 0))
    outside = snap(network, [(-2, 50)])
    assert outside.leg_m[0] == pytest.approx(18.0)  # the street x = -20, not the lane 7 m away


def test_a_compound_without_gate_and_street_counts_as_open():
    network = build_network(street_frame(AROUND), compounds=YARD)
    assert snap(network, [(50, 90)]).leg_m[0] == pytest.approx(30.0)
    assert "network-compounds-open" in codes(network)
    unwalled = YARD.assign(walled=[False])
    network = build_network(street_frame([*AROUND, [(50, -20), (50, 120)]]), compounds=unwalled)
    assert network.report.gates == 0
    assert "network-compounds-open" not in codes(network)


def test_a_gate_without_a_street_in_reach_is_noted():
    far = [[(-400, -400), (500, -400)]]
    network = build_network(street_frame(far), compounds=YARD, gates=gate(50, 0))
    assert "network-gate-unreachable" in codes(network)
    assert network.report.gates == 0


def test_a_gate_without_a_wall_is_noted():
    roads = street_frame([[(0, 0), (100, 0)]])
    network = build_network(roads, gates=gate(50, 5))
    assert "network-gate-without-wall" in codes(network)
    network = build_network(
        street_frame([*AROUND, [(50, -20), (50, 120)]]), compounds=YARD, gates=gate(50, 300)
    )
    assert "network-gate-without-wall" in codes(network)
    assert network.report.gates == 2  # no gate is known, so those of the lane count


def test_a_leg_goes_around_a_compound():
    network = build_network(
        street_frame([*AROUND[:1], [(-100, 150), (200, 150)]]), compounds=YARD, gates=gate(50, 0)
    )
    assert snap(network, [(50, 101)], max_leg_m=500.0).leg_m[0] == pytest.approx(49.0)
    yard = areas([box(0, 0, 100, 10)])
    network = build_network(
        street_frame([[(0, -5), (100, -5)], [(0, 60), (100, 60)]]), compounds=yard, gates=gate(50, 0)
    )
    assert snap(network, [(50, 12)]).leg_m[0] == pytest.approx(48.0)  # not 17 m through both walls
    assert snap(network, [(50, 12)], max_leg_m=20.0).leg_m[0] == pytest.approx(12.0)  # rather than nowhere


def test_compounds_drawn_to_the_middle_of_the_street_cut_nothing():
    blocks = areas([box(0, 0, 100, 100), box(100, 0, 100, 100)], compound_id=["a", "b"])
    streets = [[(0, 0), (200, 0)], [(100, 0), (100, 100)], [(0, 100), (200, 100)], [(100, -50), (100, 0)]]
    network = build_network(street_frame(streets), compounds=blocks, gates=gate(50, 0))
    assert network.report.cut_by_barrier == 0
    assert walk(network, (0, 0), (100, 100)) == pytest.approx(200.0)


def test_a_shared_wall_needs_a_gate_for_both():
    blocks = areas([box(0, 0, 100, 100), box(100, 0, 100, 100)], compound_id=["a", "b"])
    lanes = [[(50, -20), (50, 50)], [(150, -20), (150, 50)], [(50, 50), (150, 50)], [(0, -20), (200, -20)]]
    gates = gpd.GeoDataFrame(
        {"compound_id": ["a", "b"]}, geometry=[shapely.Point(50, 0), shapely.Point(150, 0)], crs=METRIC
    )
    network = build_network(street_frame(lanes), compounds=blocks, gates=gates)
    assert walk(network, (90, 50), (110, 50)) == pytest.approx(40 + 70 + 100 + 70 + 40)
    opened = apply(network, Scenario(gates=[shapely.Point(100, 50)]))
    assert walk(opened, (90, 50), (110, 50)) == pytest.approx(20.0)


# Scenarios.


def test_a_second_gate_shortens_the_way_and_says_so():
    network = build_network(street_frame(AROUND), compounds=YARD, gates=gate(50, 0))
    better = apply(network, Scenario(gates=[shapely.Point(50, 101)]))
    assert walk(better, (50, 90), (50, 120)) == pytest.approx(30.0, abs=1e-9)
    assert walk(better, (50, 10), (50, -20)) == walk(network, (50, 10), (50, -20)) == pytest.approx(30.0)
    difference = changes(network, better)
    assert (difference.gates, difference.bridges) == (1, 0)
    assert changed(np.array([390.0, 30.0, np.inf, np.inf]), np.array([30.0, 30.0, np.inf, 7.0])).tolist() == [
        True,
        False,
        False,
        True,
    ]


def test_a_bridge_joins_the_banks():
    roads = street_frame([[(-200, 50), (200, 50)], [(-200, 150), (200, 150)], [(-50, 100), (50, 100)]])
    network = build_network(roads, water=areas(BANKS), bridges="marked")
    before = walk(network, (0, 50), (0, 150))
    bridged = apply(network, Scenario(bridges=[shapely.LineString([(0, 55), (0, 148)])]))
    assert before == np.inf
    # the ends are led on to the streets; the line in the river is passed over
    assert walk(bridged, (0, 50), (0, 150)) == pytest.approx(100.0, abs=1e-9)
    assert changes(network, bridged).bridges == 1
    assert network.report.bridges == 0  # the first network is as it was


def test_a_bridge_given_as_a_point_opens_the_crossing_there():
    roads = street_frame(
        [[(0, 0), (0, 200)], [(300, 0), (300, 200)], [(0, 0), (300, 0)]],
        border_class=np.full(3, ALLEY, np.uint8),
    )
    network = build_network(roads, water=areas(BANKS))
    opened = apply(network, Scenario(bridges=[shapely.Point(2, 100)]))
    assert walk(opened, (0, 50), (0, 150)) == pytest.approx(100.0)
    assert walk(opened, (300, 50), (300, 150)) == np.inf


def test_a_path_is_noded_and_stopped_by_the_river():
    roads = street_frame([[(0, 0), (100, 0)], [(0, 80), (100, 80)], [(0, 0), (0, 80)]])
    network = build_network(roads, water=street_frame(RIVER))
    path = apply(network, Scenario(paths=[shapely.LineString([(100, -5), (100, 130)])]))
    assert walk(network, (100, 0), (100, 80)) == pytest.approx(280.0)
    assert walk(path, (100, 0), (100, 80)) == pytest.approx(80.0)
    assert path.report.cut_by_barrier == 1


def test_a_gate_added_to_a_compound_with_lanes_is_joined_to_them():
    network = build_network(street_frame([*AROUND, [(50, -20), (50, 80)]]), compounds=YARD)
    assert walk(network, (50, 80), (50, 120)) == pytest.approx(100 + 70 + 140 + 70)
    better = apply(network, Scenario(gates=[shapely.Point(50, 100)]))
    assert walk(better, (50, 80), (50, 120)) == pytest.approx(40.0)
    assert better.report.gates == 2  # the lane's own gate stays


def test_a_gate_added_to_an_open_compound_changes_nothing_and_says_so():
    network = apply(
        build_network(street_frame(AROUND), compounds=YARD), Scenario(gates=[shapely.Point(50, 100)])
    )
    assert walk(network, (50, 80), (50, 120)) == pytest.approx(40.0)
    assert "network-gate-idle" in codes(network)


def test_an_outline_that_crosses_itself_is_mended():
    bow = areas([shapely.Polygon([(0, 0), (100, 100), (100, 0), (0, 100)])], compound_id=["k0"])
    network = build_network(street_frame(AROUND), compounds=bow, gates=gate(0, 20, compound_id=["k0"]))
    assert network.report.gates == 1


def test_scenarios_add_up():
    network = build_network(street_frame(AROUND), compounds=YARD, gates=gate(50, 0))
    one = apply(network, Scenario(gates=[shapely.Point(100, 50)]))
    two = apply(one, Scenario(gates=[shapely.Point(0, 50)]))
    assert [n.report.gates for n in (network, one, two)] == [1, 2, 3]
    assert not Scenario()
    assert Scenario(paths=[1])


# Bad input.


def test_no_streets_is_said_in_both_languages():
    for roads in (street_frame([]), street_frame([None, shapely.LineString(), shapely.Point(1, 2)])):
        with pytest.raises(LayerError) as caught:
            build_network(roads)
        assert caught.value.code == "network-no-streets"
        assert caught.value.zh
        assert caught.value.en


def test_unusable_rows_are_noted_not_fatal():
    with np.errstate(invalid="ignore"):
        broken = shapely.LineString([(0, 0), (np.nan, 1)])
    bad = [
        [(0, 0), (100, 0)],
        None,
        shapely.LineString(),
        shapely.Point(3, 4),
        shapely.LineString([(5, 5), (5, 5)]),
        broken,
        shapely.GeometryCollection([shapely.Point(1, 1), shapely.LineString([(100, 0), (100, 50)])]),
        shapely.LineString([(100, 50, 3), (200, 50, 9)]),
    ]
    network = build_network(street_frame(bad))
    finding = next(f for f in network.findings if f.code == "network-geometry-unusable")
    assert finding.rows == (2, 3, 4, 6)
    assert network.length_m.sum() == pytest.approx(250.0)


def test_polygons_give_their_outline():
    network = build_network(areas([box(0, 0, 10, 10)]))
    assert network.length_m.sum() == pytest.approx(40.0)


def test_degrees_and_mixed_systems_are_refused():
    roads = street_frame([[(0, 0), (100, 0)]])
    for other in (
        roads.to_crs("EPSG:4326"),
        roads.set_crs(None, allow_override=True),
        roads.set_crs(None, allow_override=True).set_crs("EPSG:2263"),
    ):
        with pytest.raises(CRSError) as caught:
            build_network(other)
        assert caught.value.code == "network-crs"
    with pytest.raises(CRSError):
        build_network(roads, water=street_frame(RIVER).to_crs("EPSG:32651"))
    with pytest.raises(GeoError) as refused:
        build_network(roads, snap_m=-1.0)
    assert refused.value.code == "network-bad-snap"


def test_disconnected_streets_are_reported():
    network = build_network(street_frame([[(0, 0), (100, 0)], [(0, 50), (60, 50)]]))
    assert network.report.connected_share_after == pytest.approx(100 / 160)
    assert "network-disconnected" in codes(network)
    assert network.component.tolist() == [0, 0, 1, 1]


def test_the_inputs_are_left_alone_and_the_result_is_the_same_twice():
    roads, yard = street_frame([*AROUND, [(50, -20), (50, 120)]]), YARD.copy()
    first = build_network(roads, compounds=yard, gates=gate(50, 0))
    second = build_network(roads, compounds=yard, gates=gate(50, 0))
    assert list(roads.columns) == ["geometry"]
    assert yard.equals(YARD)
    for name in ("xy", "edge", "length_m", "component", "shape_xy", "gate_node"):
        np.testing.assert_array_equal(getattr(first, name), getattr(second, name))
