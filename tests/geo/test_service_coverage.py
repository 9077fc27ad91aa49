"""Policy: coverage is counted building by building against a brute-force count; ties and edges are decided."""

from __future__ import annotations

import json

import geopandas as gpd
import numpy as np
import plans
import pyogrio
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st

from geo.errors import CRSError, GeoError, LayerError
from geo.service_coverage import (
    Coverage,
    category_columns,
    circle_coverage,
    circle_polygons,
    coverage_frames,
    coverage_report,
    gap_table,
)

CRS = plans.CRS_M


def buildings_at(
    places: list[tuple[float, float]], households: list[int] | None = None, community: list[int] | None = None
) -> gpd.GeoDataFrame:
    n = len(places)
    return gpd.GeoDataFrame(
        {
            "building_id": [f"b{k}" for k in range(n)],
            "households": np.array(households or [1] * n, np.int64)[:n],
            "community": np.array(community if community is not None else [0] * n, np.int32),
        },
        geometry=shapely.points(np.array(places, float).reshape(-1, 2)),
        crs=CRS,
    )


def stations_at(places: list[tuple[float, float]], categories: list[str] | None = None) -> gpd.GeoDataFrame:
    n = len(places)
    return gpd.GeoDataFrame(
        {
            "station_id": [f"s{k}" for k in range(n)],
            "name": [f"站{k}" for k in range(n)],
            "category": categories or ["养老"] * n,
        },
        geometry=shapely.points(np.array(places, float).reshape(-1, 2)),
        crs=CRS,
    )


def test_a_household_exactly_on_the_radius_is_covered() -> None:
    coverage = circle_coverage(
        buildings_at([(800, 0), (480, 640), (np.nextafter(800, 900), 0)], [1, 2, 4]),
        stations_at([(0, 0)]),
        minutes=10,
        speed_m_per_min=80,
    )
    assert coverage.radius_m == 800
    assert coverage.covered[:, 0].tolist() == [True, True, False]
    assert coverage.covered_households.tolist() == [3]
    assert coverage.walk_minutes[1, 0] == 10


def test_households_count_per_building_not_per_area() -> None:
    """The building's own point decides, however far its polygon reaches."""
    long = gpd.GeoDataFrame(
        {"building_id": ["b"], "households": [7], "community": np.array([0], np.int32)},
        geometry=[shapely.box(0, 0, 1000, 10)],
        crs=CRS,
    )
    near = circle_coverage(long, stations_at([(500, 5)]), minutes=1, speed_m_per_min=50)
    far = circle_coverage(long, stations_at([(0, 0)]), minutes=1, speed_m_per_min=50)
    assert near.covered_households.tolist() == [7]
    assert far.covered_households.tolist() == [0]


def test_of_equally_near_stations_the_first_counts() -> None:
    ring = [(3.0, 4.0), (-3.0, 4.0), (4.0, 3.0), (5.0, 0.0), (0.0, -5.0), (-5.0, 0.0), (3.0, 4.0)]
    for shift in range(len(ring)):
        sites = ring[shift:] + ring[:shift]
        coverage = circle_coverage(buildings_at([(0, 0)]), stations_at(sites))
        assert coverage.nearest.tolist() == [[0]]
        assert coverage.distance_m.tolist() == [[5.0]]


def test_stations_on_one_spot_count_as_the_first_of_them() -> None:
    sites = stations_at([(9, 9), (1, 1), (1, 1), (1, 1)])
    assert circle_coverage(buildings_at([(0, 0)]), sites).nearest.tolist() == [[1]]


places = st.lists(st.tuples(st.integers(0, 12), st.integers(0, 12)), min_size=1, max_size=30)


@given(homes=places, sites=places, seed=st.integers(0, 99), radius=st.integers(1, 9))
@settings(max_examples=80, deadline=None)
def test_equals_a_brute_force_count_on_a_lattice_full_of_ties(
    homes: list[tuple[int, int]], sites: list[tuple[int, int]], seed: int, radius: int
) -> None:
    rng = np.random.default_rng(seed)
    households = rng.integers(0, 50, len(homes)).tolist()
    kinds = [("甲", "乙", "丙")[k] for k in rng.integers(0, 3, len(sites))]
    grid = rng.integers(-1, 4, len(homes)).astype(np.int32)
    frame = buildings_at(homes, households, grid.tolist())
    coverage = circle_coverage(
        frame, stations_at(sites, kinds), minutes=radius, speed_m_per_min=1, grid_of_building=grid, n_grids=5
    )
    assert coverage.categories == tuple(sorted(set(kinds)))
    for k, kind in enumerate(coverage.categories):
        total = 0
        for i, (x, y) in enumerate(homes):
            ways = [(np.hypot(x - a, y - b), j) for j, (a, b) in enumerate(sites) if kinds[j] == kind]
            assert (coverage.distance_m[i, k], coverage.nearest[i, k]) == min(ways)
            total += households[i] * (min(ways)[0] <= radius)
        assert coverage.covered_households[k] == total
    _sums_agree(coverage, grid)


def _sums_agree(coverage: Coverage, grid: np.ndarray) -> None:
    """Grids and communities add up to the covered households of their buildings, as integers."""
    inside = grid >= 0
    for totals in (coverage.grids, coverage.communities):
        assert totals is not None
        assert totals.households.sum() == coverage.households[inside].sum()
        expected = coverage.households[inside] @ coverage.covered[inside].astype(np.int64)
        assert totals.covered.sum(axis=0).tolist() == expected.tolist()
    table = gap_table(coverage)
    uncovered = table.groupby("category")["households"].sum()
    for k in range(len(coverage.categories)):
        assert uncovered.get(k, 0) == coverage.total_households - coverage.covered_households[k]


def test_order_of_rows_does_not_matter() -> None:
    frames = plans.plan_frames()
    buildings, stations, _ = plans.city_layers(frames)
    whole = circle_coverage(buildings, stations, minutes=5)
    mixed = np.random.default_rng(1).permutation(len(buildings))
    shuffled = circle_coverage(buildings.iloc[mixed].reset_index(drop=True), stations, minutes=5)
    assert np.array_equal(shuffled.distance_m, whole.distance_m[mixed])
    assert shuffled.covered_households.tolist() == whole.covered_households.tolist()


def test_gaps_name_their_reason_and_come_by_households() -> None:
    frame = buildings_at([(0, 0), (5000, 0), (6000, 0), (7000, 0)], [5, 30, 0, 9])
    coverage = circle_coverage(frame, stations_at([(0, 0)]), categories=["托幼", "养老", "托幼"])
    assert coverage.categories == ("托幼", "养老")
    assert coverage.stations.tolist() == [0, 1]
    gaps = gap_table(coverage)
    found = [
        (frame["building_id"][b], coverage.categories[c])
        for b, c in zip(gaps["building"], gaps["category"], strict=True)
    ]
    assert found == [("b1", "托幼"), ("b1", "养老"), ("b3", "托幼"), ("b3", "养老"), ("b0", "托幼")]
    assert gaps["reason"].tolist() == ["no-station", "too-far", "no-station", "too-far", "no-station"]
    assert gaps["station"].tolist() == [-1, 0, -1, 0, -1]
    assert np.isnan(gaps["distance_m"][0])
    assert gaps["distance_m"][1] == 5000
    assert coverage.categories_reached.tolist() == [1, 0, 0, 0]


def test_a_blank_category_is_called_uncategorised() -> None:
    coverage = circle_coverage(buildings_at([(0, 0)]), stations_at([(0, 0), (1, 0)], [" ", "养老"]))
    assert coverage.categories == ("养老", "未分类")


@pytest.mark.parametrize("bad", [0, -1, float("nan"), float("inf")])
@pytest.mark.parametrize("name", ["minutes", "speed_m_per_min"])
def test_time_and_speed_must_be_above_zero(name: str, bad: float) -> None:
    with pytest.raises(GeoError) as caught:
        circle_coverage(buildings_at([(0, 0)]), stations_at([(0, 0)]), **{name: bad})
    assert caught.value.code == f"coverage-bad-{name.split('_', maxsplit=1)[0]}"
    assert str(bad) in caught.value.zh
    assert str(bad) in caught.value.en


def test_nothing_to_count_is_said() -> None:
    with pytest.raises(LayerError) as caught:
        circle_coverage(buildings_at([]), stations_at([(0, 0)]))
    assert caught.value.code == "coverage-no-buildings"
    with pytest.raises(LayerError) as caught:
        circle_coverage(buildings_at([(0, 0)]), stations_at([]))
    assert caught.value.code == "coverage-no-stations"


def test_degrees_are_refused() -> None:
    with pytest.raises(CRSError):
        circle_coverage(buildings_at([(0, 0)]).to_crs("EPSG:4326"), stations_at([(0, 0)]).to_crs("EPSG:4326"))


def test_circles_are_drawn_within_their_radius() -> None:
    stations = stations_at([(0, 0), (100, 0), (9000, 0)], ["甲", "甲", "乙"])
    coverage = circle_coverage(buildings_at([(0, 0)]), stations, categories=["甲", "乙", "丙"])
    shapes = circle_polygons(coverage, stations)
    assert shapes.index.tolist() == ["甲", "乙", "丙"]
    assert shapes.iloc[2] is None
    assert shapes.iloc[1].area == pytest.approx(np.pi * coverage.radius_m**2, rel=0.01)
    assert shapes.iloc[0].geom_type == "Polygon"


def test_column_names_are_safe_and_differ_without_case() -> None:
    names = ["养老", "Care", "care", "CARE_2", 'a"b', "a\nb", "care_2"]
    columns = category_columns(names)
    every = [name.casefold() for column in columns for name in (column.minutes, column.covered)]
    assert len(set(every)) == 2 * len(names)
    assert columns[0].minutes == "min_养老"
    assert columns[0].covered == "cov_养老"
    assert not set('"\n`[]') & set("".join(every))


@given(st.lists(st.text(max_size=4), unique=True, max_size=12))
def test_any_categories_get_columns_of_their_own(names: list[str]) -> None:
    columns = category_columns(names)
    assert len({column.minutes.casefold() for column in columns}) == len(names)


def _plan_coverage() -> tuple[
    dict[str, gpd.GeoDataFrame], Coverage, gpd.GeoDataFrame, gpd.GeoDataFrame, np.ndarray
]:
    plan = plans.plan_frames()
    buildings, stations, grid = plans.city_layers(plan)
    stations["category"] = ["养老", "Care", "care", "养老", 'x"y', "助餐（社区食堂）"]
    coverage = circle_coverage(
        buildings, stations, minutes=5, grid_of_building=grid, n_grids=len(plan["grids"])
    )
    return plan, coverage, buildings, stations, grid


def test_layers_survive_a_geopackage(tmp_path) -> None:
    plan, coverage, buildings, stations, grid = _plan_coverage()
    frames = coverage_frames(coverage, buildings, stations, grids=plan["grids"], grid_of_building=grid)
    assert list(frames) == ["buildings", "grids", "circles", "gaps", "gap_areas", "stations"]
    for name, frame in frames.items():
        assert frame.crs == "EPSG:4326"
        pyogrio.write_dataframe(frame, tmp_path / "c.gpkg", layer=name, append=name != "buildings")
    back = gpd.read_file(tmp_path / "c.gpkg", layer="buildings")
    circles = gpd.read_file(tmp_path / "c.gpkg", layer="circles").set_index("category")
    for k, category in enumerate(coverage.categories):
        column = circles.loc[category]
        assert back[column["covered_column"]].astype(bool).tolist() == coverage.covered[:, k].tolist()
        assert np.allclose(back[column["minutes_column"]], coverage.walk_minutes[:, k], atol=0.001)
        assert column["covered"] + column["uncovered"] == column["households"] == coverage.total_households
        grids = gpd.read_file(tmp_path / "c.gpkg", layer="grids")
        assert grids[column["covered_column"]].sum() == column["covered"]
    assert back["grid_id"].tolist() == plan["buildings"]["grid_id"].tolist()
    gaps = gpd.read_file(tmp_path / "c.gpkg", layer="gaps")
    assert gaps["households"].is_monotonic_decreasing
    assert len(gaps) == len(gap_table(coverage))


def test_frames_without_a_plan_and_without_gaps() -> None:
    plan = plans.plan_frames()
    buildings, stations, _ = plans.city_layers(plan)
    coverage = circle_coverage(buildings, stations, minutes=1000)
    frames = coverage_frames(coverage, buildings, stations)
    assert list(frames) == ["buildings", "circles", "gaps", "gap_areas", "stations"]
    assert len(frames["gaps"]) == 0
    assert (frames["buildings"]["categories_reached"] == 3).all()


def test_the_report_holds_integers_that_add_up_and_is_json() -> None:
    plan, coverage, buildings, _, _ = _plan_coverage()
    ids = plan["grids"]["grid_id"].tolist()
    report = json.loads(
        json.dumps(
            coverage_report(
                coverage, buildings, grid_ids=ids, community_ids=["C1", "C2", "C3"], gaps_listed=5
            ),
            allow_nan=False,
        )
    )
    assert report["method"] == "circle"
    assert report["radius_m"] == 333.5
    assert [row["category"] for row in report["categories"]] == list(coverage.categories)
    for row in report["categories"]:
        assert row["covered"] + row["uncovered"] == row["households"] == report["households"]
        assert row["share"] == round(row["covered"] / row["households"], 6)
        for part in ("grids", "communities"):
            assert sum(group["covered"][row["category"]] for group in report[part]) == row["covered"]
    assert sum(report["households_by_categories_reached"]) == report["households"]
    assert len(report["gaps"]) == 5
    assert report["gap_count"] == len(gap_table(coverage))


def test_a_city_without_households_has_no_share() -> None:
    frame = buildings_at([(0, 0)], [0])
    frame["households"] = 0
    report = coverage_report(circle_coverage(frame, stations_at([(0, 0)])), frame)
    assert report["categories"][0]["share"] is None
    assert report["gaps"] == []


def test_totals_must_fit_the_rows() -> None:
    plan, coverage, buildings, stations, _ = _plan_coverage()
    with pytest.raises(ValueError, match="groups for"):
        circle_coverage(buildings, stations, grid_of_building=np.zeros(3, np.int32))
    with pytest.raises(ValueError, match="ids for"):
        coverage_report(coverage, buildings, grid_ids=["only one"])
    with pytest.raises(ValueError, match="not counted for these grids"):
        coverage_frames(coverage, buildings, stations, grids=plan["grids"].head(2))
