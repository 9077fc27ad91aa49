"""Policy: hand-made streets give exact metres, states and reasons; totals are integers that add up everywhere."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import cities
import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely
import towns
from hypothesis import given, settings
from hypothesis import strategies as st

from geo.coverage_job import CoverageOptions, cover_city
from geo.errors import GeoError, LayerError
from geo.network import DETOUR_FACTOR, Scenario
from geo.service_coverage import (
    Coverage,
    ServiceModel,
    band_edges,
    circle_claims,
    circle_coverage,
    community_supply,
    distance_bands,
    gap_areas,
    gap_reasons,
    gap_table,
    isochrone_frame,
    reason_totals,
)

STRAIGHT = [[(0, 0), (2000, 0)]]
"""One street of two kilometres."""

HOOK = [[(0, 0), (900, 0), (900, 300), (0, 300)]]
"""A street that turns back: its two ends are 300 m apart and 2,100 m of walking."""


def codes(coverage: Coverage) -> set[str]:
    return {finding.code for finding in coverage.findings}


def adds_up(coverage: Coverage) -> None:
    """Every household is covered, uncovered or undecided, by category, community and reason."""
    states = sum(coverage.undecided_households(state) for state in (1, 2))
    whole = coverage.covered_households + coverage.uncovered_households + states
    assert (whole == coverage.total_households).all()
    totals = coverage.communities
    assert (totals.covered + totals.uncovered + totals.undecided == totals.households[:, None]).all()
    assert (
        reason_totals(coverage).sum(axis=1) == coverage.total_households - coverage.covered_households
    ).all()
    bands = distance_bands(coverage)
    assert (bands.sum(axis=1) + states == coverage.total_households).all()


def test_metres_are_legs_and_street_together() -> None:
    city = towns.town(
        [(500, 30), (990, 10), (981, 20), (980, 20)],
        STRAIGHT,
        towns.stations_at([(0, 0)]),
        households=[1, 2, 4, 8],
    )
    coverage = ServiceModel.build(city).coverage(minutes=10, speed=100)
    assert coverage.method == "network"
    assert coverage.distance_m[:, 0] == pytest.approx([530, 1000, 1001, 1000], abs=1e-6)
    assert coverage.covered[:, 0].tolist() == [True, True, False, True]  # the limit itself is in reach
    assert coverage.covered_households.tolist() == [11]
    assert coverage.walk_minutes[0, 0] == pytest.approx(5.3)
    assert coverage.nearest[:, 0].tolist() == [0, 0, 0, 0]
    adds_up(coverage)


def test_the_circle_beside_it_shows_what_it_over_claims() -> None:
    homes = [(0, 310), (450, 290), (850, 310), (100, 10)]
    city = towns.town(homes, HOOK, towns.stations_at([(0, -10)]), households=[100, 30, 7, 5])
    coverage = ServiceModel.build(city).coverage(minutes=10, speed=100)
    circle = coverage.circle
    assert circle is not None
    assert circle.method == "circle"
    alone = circle_coverage(city.buildings, city.stations, minutes=10, speed_m_per_min=100)
    assert np.array_equal(circle.distance_m, alone.distance_m)
    assert coverage.distance_m[:, 0] == pytest.approx([2120, 1670, 1270, 120])
    assert circle.covered[:, 0].tolist() == [True, True, True, True]
    claims = circle_claims(coverage)
    assert (claims.circle.tolist(), claims.walk.tolist()) == ([142], [5])
    assert (claims.wrongly_in.tolist(), claims.wrongly_out.tolist()) == ([137], [0])
    assert claims.over_claim[0] == pytest.approx(142 / 5)
    assert claims.equivalent_radius_m[0] == pytest.approx(np.hypot(100, 20))
    assert gap_table(coverage)["reason"].tolist() == ["barrier"] * 3
    adds_up(coverage)


def test_the_equivalent_radius_holds_as_many_households_as_the_walk() -> None:
    homes = [(x, 10) for x in range(0, 2000, 100)]
    city = towns.town(homes, STRAIGHT, towns.stations_at([(0, 150)]), households=list(range(1, 21)))
    coverage = ServiceModel.build(city).coverage(minutes=10, speed=100)
    claims = circle_claims(coverage)
    radius = claims.equivalent_radius_m[0]
    assert coverage.circle is not None
    reached = coverage.circle.distance_m[:, 0]
    assert coverage.households[reached <= radius].sum() >= claims.walk[0]
    assert coverage.households[reached < radius].sum() < claims.walk[0]
    nobody = ServiceModel.build(city).coverage(minutes=0.01, speed=1)
    assert circle_claims(nobody).equivalent_radius_m.tolist() == [0.0]
    with pytest.raises(ValueError, match="nothing to be compared"):
        circle_claims(coverage.circle)


def test_off_the_network_and_islands_are_told_apart_and_never_uncovered() -> None:
    streets = [*STRAIGHT, [(0, 1500), (300, 1500)]]
    homes = [(100, 10), (1900, 10), (100, 800), (10, 1510), (290, 1510)]
    stations = towns.stations_at([(0, 0), (1000, -900), (0, 1500)], ["甲", "甲", "乙"])
    city = towns.town(homes, streets, stations, households=[100, 20, 4, 8, 16])
    coverage = ServiceModel.build(city).coverage(minutes=1, speed=150)
    assert coverage.state.tolist() == [0, 0, 1, 2, 2]
    assert coverage.categories == ("乙", "甲")
    assert coverage.covered.tolist() == [
        [False, True],
        [False] * 2,
        [False] * 2,
        [True, False],
        [False, False],
    ]
    assert coverage.covered_households.tolist() == [8, 100]
    assert coverage.uncovered_households.tolist() == [120, 20]
    assert coverage.undecided_households(1).tolist() == [4, 4]
    assert coverage.undecided_households(2).tolist() == [16, 24]
    assert gap_reasons(coverage)[2:].tolist() == [["off-network"] * 2, ["", "island"], ["island"] * 2]
    found = {finding.code: finding for finding in coverage.findings}
    assert found["building-off-network"].households == 4
    assert found["building-off-network"].ids == ("b2",)
    assert (found["building-on-island"].count, found["building-on-island"].households) == (2, 24)
    assert found["station-off-network"].ids == ("s1",)
    assert found["station-on-island"].ids == ("s2",)
    adds_up(coverage)
    report = cover_city(city, options=CoverageOptions("network", 1, 150)).report
    row = report["categories"][1]
    assert (row["covered"], row["uncovered"], row["off_network"], row["island"]) == (100, 20, 4, 24)
    assert (report["households_off_network"], report["households_on_island"]) == (4, 24)


def test_without_streets_a_walk_is_the_straight_line_times_a_factor_and_that_is_said() -> None:
    city = towns.town([(300, 400), (0, 100)], [], towns.stations_at([(0, 0)]), households=[3, 4])
    coverage = ServiceModel.build(city).coverage(minutes=6, speed=100)
    assert coverage.method == "detour"
    assert coverage.distance_m[:, 0] == pytest.approx([500 * DETOUR_FACTOR, 100 * DETOUR_FACTOR])
    assert coverage.covered_households.tolist() == [4]
    assert coverage.circle is not None
    assert coverage.circle.covered_households.tolist() == [7]
    assert "coverage-without-streets" in codes(coverage)
    result = cover_city(city, options=CoverageOptions("network", 6, 100))
    assert result.report["method"] == "detour"
    assert "isochrones" not in result.layers
    circle = result.layers["circles"].iloc[0]
    assert (circle["covered"], circle["radius_m"]) == (4, round(600 / DETOUR_FACTOR, 3))
    points = shapely.point_on_surface(city.buildings.to_crs("EPSG:4326").geometry.to_numpy())
    assert shapely.contains(circle["geometry"], points).tolist() == result.coverage.covered[:, 0].tolist()
    assert any(f["code"] == "coverage-without-streets" for f in result.report["findings"])
    adds_up(coverage)


def test_streets_that_reach_too_few_fall_back_and_say_so() -> None:
    stubs = [[(x, 0), (x + 20, 0)] for x in range(0, 2000, 100)]
    homes = [(x + 10, 10) for x in range(0, 2000, 100)]
    coverage = ServiceModel.build(towns.town(homes, stubs, towns.stations_at([(0, 0)]))).coverage()
    assert coverage.method == "detour"
    assert "coverage-network-unusable" in codes(coverage)
    assert (coverage.state == 0).all()
    adds_up(coverage)


def test_every_reason_is_given_where_it_holds() -> None:
    stations = towns.stations_at(
        [(0, 0), (0, 0), (0, 0)], ["开", "关", "开"], ["24/7", "Mo-Fr 09:00-17:00", "Mo-Fr 09:00-17:00"]
    )
    homes = [(100, 10), (100, 310), (10, 2000), (2500, 10)]
    city = towns.town(homes, [*HOOK, [(900, 0), (2500, 0)]], stations, households=[5, 6, 7, 8])
    model = ServiceModel.build(city, wanted=["无"])
    coverage = model.coverage(minutes=5, speed=100, window="evening")
    assert coverage.categories == ("关", "开", "无")
    assert gap_reasons(coverage).tolist() == [
        ["closed", "", "no-station"],
        ["too-far", "barrier", "no-station"],
        ["off-network"] * 3,
        ["too-far", "too-far", "no-station"],
    ]
    assert coverage.window == "evening"
    assert coverage.is_open.tolist() == [True, False, False]
    assert gap_reasons(model.coverage(minutes=5, speed=100))[0].tolist() == ["", "", "no-station"]
    adds_up(coverage)


def test_several_speeds_and_minutes_by_category_are_each_counted() -> None:
    homes = [(x, 0) for x in range(100, 1600, 100)]
    stations = towns.stations_at([(0, 0), (0, 0)], ["店", "站"])
    city = towns.town(homes, STRAIGHT, stations)
    minutes = {"店": 5.0, "": 15.0}
    coverage = ServiceModel.build(city).coverage(minutes=minutes, speed=[100, 50])
    assert coverage.category_minutes.tolist() == [5, 15]
    assert coverage.limit_m.tolist() == [500, 1500]
    assert coverage.covered_households.tolist() == [50, 150]
    (slow,) = coverage.other_speeds
    assert slow.speed_m_per_min == 50
    assert slow.covered_households.tolist() == [20, 70]
    assert slow.circle is not None
    assert slow.circle.covered_households.tolist() == [20, 70]
    report = cover_city(city, options=CoverageOptions("network", minutes, [100, 50])).report
    assert [row["covered"] for row in report["other_speeds"][0]["categories"]] == [20, 70]
    adds_up(slow)


def test_bands_hold_their_upper_edge() -> None:
    homes = [(0, 0), (100, 0), (101, 0), (250, 0), (999, 0), (1900, 0)]
    city = towns.town(homes, STRAIGHT, towns.stations_at([(0, 0)]), households=[1, 2, 4, 8, 16, 32])
    coverage = ServiceModel.build(city).coverage(minutes=3.5, speed=100)
    assert band_edges(coverage).tolist() == [100, 200, 300, 400]
    assert distance_bands(coverage).tolist() == [[3, 4, 8, 0, 48]]


def test_areas_of_uncovered_neighbours_stay_in_their_community() -> None:
    homes = [(1000, 10), (1040, 10), (1080, 10), (1400, 10), (1700, 10), (50, 10)]
    parts = [cities.box(0, -100, 1060, 200), cities.box(1060, -100, 2000, 200)]
    city = towns.town(
        homes, STRAIGHT, towns.stations_at([(0, 0)]), households=[5, 6, 7, 0, 30, 1], communities=parts
    )
    coverage = ServiceModel.build(city).coverage(minutes=5, speed=100)
    areas = gap_areas(coverage, city.buildings)
    assert areas[["community", "households", "buildings"]].to_numpy().tolist() == [
        [1, 30, 1],
        [0, 11, 2],
        [1, 7, 1],
    ]
    assert areas["reason"].tolist() == ["too-far"] * 3
    assert areas.geometry.is_valid.all()
    assert areas.crs == city.crs
    assert areas["nearest_m"].tolist() == [1710, pytest.approx((5 * 1010 + 6 * 1050) / 11, abs=0.06), 1090]
    everyone = ServiceModel.build(city).coverage(minutes=100)
    assert len(gap_areas(everyone, city.buildings)) == 0


def test_every_community_is_checked_for_a_centre_and_floor_area() -> None:
    parts = [
        cities.box(0, -100, 500, 200),
        cities.box(500, -100, 500, 200),
        cities.box(1000, -100, 1000, 200),
    ]
    stations = towns.stations_at([(10, 0), (20, 0), (600, 0), (-500, 0)], ["中心", "食堂", "食堂", "中心"])
    stations["floor_area_m2"] = [90.0, np.nan, 12.5, 1000.0]
    city = towns.town([(100, 10), (700, 10)], STRAIGHT, stations, households=[200, 50], communities=parts)
    result = cover_city(city, options=CoverageOptions("network"))
    supply = community_supply(result.coverage, city.stations, city.communities)
    assert supply.stations.tolist() == [[1, 1], [0, 1], [0, 0]]
    assert supply.floor_area_m2 is not None
    assert supply.floor_area_m2.tolist() == [90, 12.5, 0]
    without = {row["category"]: row["community_ids"] for row in result.report["communities_without_station"]}
    assert without == {"中心": ["c1", "c2"], "食堂": ["c2"]}
    rows = result.report["floor_area"]["communities"]
    assert [row["m2_per_100_households"] for row in rows] == [45.0, 25.0, None]
    assert [row["enough"] for row in rows] == [True, False, None]
    assert "station-outside-communities" in {finding.code for finding in result.findings}
    plain = cover_city(replace(city, stations=stations.drop(columns="floor_area_m2")))
    assert plain.report["floor_area"] is None


def test_a_second_demand_is_counted_at_its_buildings() -> None:
    city = towns.town([(100, 0), (1500, 0)], STRAIGHT, towns.stations_at([(0, 0)]))
    none = cover_city(city)
    assert none.report["workers"] is None
    assert "workers_covered" not in none.report["categories"][0]
    city = replace(city, buildings=city.buildings.assign(workers=[70, 900]))
    result = cover_city(city, options=CoverageOptions("network", 5.0, 100))
    assert result.report["workers"] == 970
    assert result.report["categories"][0]["workers_covered"] == 70
    assert result.layers["buildings"]["workers"].tolist() == [70, 900]


def test_isochrones_are_drawn_with_their_error() -> None:
    homes = [(x, y) for x in range(20, 2000, 40) for y in (15, -15)]
    city = towns.town(homes, STRAIGHT, towns.stations_at([(0, 0), (9000, 9000)], ["近", "远"]))
    model = ServiceModel.build(city)
    coverage = model.coverage(minutes=10, speed=100)
    drawn = isochrone_frame(model, coverage)
    assert drawn["category"].tolist() == list(coverage.categories)
    near = drawn.geometry[0]
    assert near.is_valid
    points = shapely.point_on_surface(city.buildings.geometry.to_numpy())
    inside = shapely.contains(near, points)
    homes_of = coverage.households
    assert drawn["inside_not_reached"][0] == homes_of[inside & ~coverage.covered[:, 0]].sum()
    assert drawn["outside_reached"][0] == homes_of[~inside & coverage.covered[:, 0]].sum()
    assert drawn["inside_not_reached"][0] + drawn["outside_reached"][0] <= 40
    assert drawn.geometry[1] is None
    assert drawn["outside_reached"][1] == 0
    with pytest.raises(ValueError, match="along the streets"):
        isochrone_frame(model, model.coverage(method="circle"))


places = st.lists(st.tuples(st.integers(0, 8), st.integers(0, 8)), min_size=1, max_size=12)


@given(
    homes=places,
    spots=places,
    kinds=st.lists(st.sampled_from("甲乙丙"), min_size=12, max_size=12),
    at=st.integers(0, 99),
)
@settings(max_examples=25, deadline=None)
def test_on_a_lattice_a_walk_is_the_city_block_distance(
    homes: list[tuple[int, int]], spots: list[tuple[int, int]], kinds: list[str], at: int
) -> None:
    """Moving a station gives what a model built anew gives, category by category."""
    lines = [[(0, y), (800, y)] for y in range(0, 900, 100)] + [
        [(x, 0), (x, 800)] for x in range(0, 900, 100)
    ]
    metres = [(100.0 * x, 100.0 * y) for x, y in homes]
    stations = towns.stations_at([(100.0 * x, 100.0 * y) for x, y in spots], kinds[: len(spots)])
    city = towns.town(metres, lines, stations, households=list(range(1, len(homes) + 1)))
    model = ServiceModel.build(city)
    coverage = model.coverage(minutes=4, speed=100)
    for k, kind in enumerate(coverage.categories):
        for i, (x, y) in enumerate(homes):
            ways = [(abs(x - a) + abs(y - b), j) for j, (a, b) in enumerate(spots) if kinds[j] == kind]
            assert coverage.distance_m[i, k] == pytest.approx(100 * min(ways)[0], abs=1e-6)
            assert coverage.nearest[i, k] == min(ways)[1]
            assert coverage.covered[i, k] == (min(ways)[0] <= 4)
    adds_up(coverage)
    row, place = at % len(spots), towns.here(100.0 * (at % 9), 100.0 * (at % 7))
    moved = model.with_station(row, place).coverage(minutes=4, speed=100)
    shapes = stations.geometry.to_numpy().copy()
    shapes[row] = shapely.Point(place)
    anew = ServiceModel.build(replace(city, stations=stations.set_geometry(shapes))).coverage(
        minutes=4, speed=100
    )
    same_coverage(moved, anew)
    again = (
        model.with_station(row, towns.here(50.0, 50.0))
        .with_station(row, place)
        .coverage(minutes=4, speed=100)
    )
    same_coverage(again, anew)
    same_coverage(model.coverage(minutes=4, speed=100), coverage)


def same_coverage(one: Coverage, other: Coverage) -> None:
    for name in ("distance_m", "nearest", "covered", "state", "station_category"):
        assert np.array_equal(getattr(one, name), getattr(other, name)), name
    assert np.array_equal(one.communities.covered, other.communities.covered)
    if one.circle is not None and other.circle is not None:
        same_coverage(one.circle, other.circle)


def test_only_the_category_of_a_moved_station_is_solved_again(monkeypatch: pytest.MonkeyPatch) -> None:
    stations = towns.stations_at([(0, 0), (500, 0), (900, 0)], ["甲", "乙", "乙"])
    model = ServiceModel.build(towns.town([(100, 0), (700, 0)], STRAIGHT, stations))
    model.coverage()
    asked: list[int] = []
    solve = type(model._router).solve

    def counted(self: Any, spots: Any, **options: Any) -> Any:
        asked.append(len(spots))
        return solve(self, spots, **options)

    monkeypatch.setattr(type(model._router), "solve", counted)
    model.with_station(2, towns.here(600, 0)).coverage()
    assert asked == [2]
    model.coverage()
    assert asked == [2]
    fewer = model.with_stations(model.stations.head(2))
    assert fewer.coverage().categories == ("乙", "甲")
    assert asked == [2, 1]
    more = model.new_station("丙", towns.here(100, 0)).coverage()
    assert more.categories == ("丙", "乙", "甲")
    assert asked == [2, 1, 1]


def test_a_scenario_is_walked_on() -> None:
    city = towns.town([(0, 310)], HOOK, towns.stations_at([(0, -10)]), households=[9])
    path = shapely.LineString([towns.here(0, 0), towns.here(0, 300)])
    before = ServiceModel.build(city)
    after = before.with_scenario(Scenario(paths=(path,)))
    assert before.coverage().distance_m[0, 0] == pytest.approx(2120)
    assert after.coverage().distance_m[0, 0] == pytest.approx(320)
    assert ServiceModel.build(city, scenario=Scenario(paths=(path,))).coverage().distance_m[
        0, 0
    ] == pytest.approx(320)
    bare = ServiceModel.build(towns.town([(0, 10)], [], towns.stations_at([(0, 0)])))
    with pytest.raises(GeoError) as caught:
        bare.with_scenario(Scenario(paths=(path,)))
    assert caught.value.code == "coverage-change-without-streets"


@pytest.mark.parametrize(
    ("question", "code", "word"),
    [
        ({"speed": -1}, "coverage-bad-speed", "-1"),
        ({"speed": 0}, "coverage-bad-speed", "0"),
        ({"speed": [60, float("nan")]}, "coverage-bad-speed", "nan"),
        ({"speed": []}, "coverage-bad-speed", "nan"),
        ({"minutes": 0}, "coverage-bad-minutes", "0"),
        ({"minutes": {"养老": -5}}, "coverage-bad-minutes", "-5"),
        ({"minutes": {"没有": 5}}, "coverage-unknown-category", "养老"),
        ({"categories": ["养老", "没有"]}, "coverage-unknown-category", "没有"),
        ({"window": "night"}, "coverage-bad-window", "weekday"),
        ({"method": "bus"}, "coverage-bad-method", "bus"),
    ],
)
def test_a_bad_question_is_one_clear_error(question: dict[str, Any], code: str, word: str) -> None:
    model = ServiceModel.build(towns.town([(100, 0)], STRAIGHT, towns.stations_at([(0, 0)])))
    with pytest.raises(GeoError) as caught:
        model.coverage(**question)
    assert caught.value.code == code
    assert word in caught.value.zh
    assert word in caught.value.en


def test_bad_layers_are_refused() -> None:
    city = towns.town([(100, 0)], STRAIGHT, towns.stations_at([(0, 0)]))
    with pytest.raises(LayerError) as caught:
        ServiceModel.build(replace(city, stations=city.stations.head(0)))
    assert caught.value.code == "coverage-no-stations"
    model = ServiceModel.build(city)
    for row in (-1, 1):
        with pytest.raises(LayerError) as caught:
            model.with_station(row, (0, 0))
        assert caught.value.code == "coverage-no-such-station"


def test_the_report_and_the_layers_hold_the_same_integers(tmp_path: Any) -> None:
    from geo.coverage_job import read_coverage, write_coverage

    homes = [(x, y) for x in range(50, 900, 100) for y in (10, 290)]
    stations = towns.stations_at(
        [(0, 0), (450, 0), (900, 150)], ["甲", "乙", "甲"], ["24/7", "", "Mo-Fr 09:00-17:00"]
    )
    parts = [cities.box(0, -100, 450, 600), cities.box(450, -100, 600, 600)]
    city = towns.town(homes, HOOK, stations, households=list(range(1, 19)), communities=parts)
    grid = (np.arange(18) % 3 - 1).astype(np.int32)
    shapes = city.communities.geometry.to_numpy()
    grids = gpd.GeoDataFrame({"grid_id": ["g0", "g1"], "code": ["1", "2"]}, geometry=shapes, crs=city.crs)
    options = CoverageOptions("network", {"甲": 8.0}, [60, 48], window="evening")
    result = cover_city(city, grids=grids, grid_of_building=grid, options=options)
    report = json.loads(json.dumps(result.report, allow_nan=False))
    write_coverage(result, tmp_path / "c.gpkg", tmp_path / "c.json")
    layers = read_coverage(tmp_path / "c.gpkg")
    assert set(layers) == set(result.layers)
    assert report["window"] == "evening"
    assert report["network"]["components"] == 1
    walks = layers["isochrones"].set_index("category")
    buildings = layers["buildings"]
    for k, row in enumerate(report["categories"]):
        name = row["category"]
        assert row["covered"] + row["uncovered"] + row["off_network"] + row["island"] == row["households"]
        assert row["minutes"] == (8 if name == "甲" else 15)
        assert sum(row["bands"]) == row["households"]
        assert sum(row["reasons"].values()) == row["uncovered"]
        columns = walks.loc[name]
        covered = buildings[columns["covered_column"]].astype(bool)
        assert buildings.loc[covered, "households"].sum() == row["covered"] == columns["covered"]
        stations_reached = buildings.loc[covered, columns["station_column"]]
        assert stations_reached.isin(city.stations["station_id"]).all()
        for part in ("grids", "communities"):
            assert layers[part][columns["covered_column"]].tolist() == [
                g["covered"][name] for g in report[part]
            ]
        inside = grid >= 0
        assert (
            sum(g["covered"][name] for g in report["grids"])
            == buildings.loc[covered & inside, "households"].sum()
        )
        circle = layers["circles"].iloc[k]
        assert circle["wrongly_in"] == row["circle"]["wrongly_in"] >= 0
        assert circle["covered"] == row["circle"]["covered"]
        gaps = layers["gaps"][layers["gaps"]["category"] == name]
        assert gaps.groupby("reason")["households"].sum().to_dict() == row["reasons"]
    assert report["gap_count"] == len(layers["gaps"])
    assert report["gap_area_count"] == len(layers["gap_areas"])
    assert layers["stations"]["open"].astype(bool).tolist() == [True, True, False]
    assert {"reached_at_48", "state"} <= set(buildings.columns)
    assert isinstance(buildings, pd.DataFrame)


def test_a_move_after_stations_were_taken_away_counts_anew() -> None:
    city = towns.town(
        [(500, 30), (990, 10)], STRAIGHT, towns.stations_at([(0, 0), (300, 0), (900, 0)]), households=[1, 2]
    )
    model = ServiceModel.build(city)
    model.coverage()
    fewer = model.with_stations(model.stations.head(2)).with_station(1, towns.here(400.0, 0.0))
    alone = ServiceModel.build(replace(city, stations=fewer.stations))
    assert np.array_equal(fewer.coverage().distance_m, alone.coverage().distance_m)
