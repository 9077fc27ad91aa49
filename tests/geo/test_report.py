"""Policy: the report says what it measures, documents every key, and is never better than its own ceiling."""

from __future__ import annotations

import json
import re
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import shapely
from cities import box, make_city, tiny_city

from geo.cells import build_tiling
from geo.partition import partition
from geo.partition.release import Figures, ReleaseGain
from geo.plan import assemble, plan_layers
from geo.report import plan_report, to_json
from geo.standards import load_standard
from geo.tiling import SCALE
from geo.units import build_units

SMALL = load_standard("fine-250").with_(target=60, min=40, max=70, hard_max=100)
DOCS = Path(__file__).resolve().parents[2] / "docs" / "report.md"


def planned(city, standard=SMALL):
    """City, tiling, units and plan."""
    tiling = build_tiling(city)
    units = build_units(city, tiling, max_households=int(standard.whole_limit))
    result = partition(units, standard, effort="fast")
    return city, tiling, units, assemble(city, tiling, units, result, standard=standard, seed=0)


def report_of(city, tiling, units, plan, **more):
    return plan_report(city, tiling, units, plan, plan_layers(city, tiling, plan), **more)


@pytest.fixture(scope="module")
def tiny():
    return planned(tiny_city())


@pytest.fixture(scope="module")
def report(tiny):
    return report_of(*tiny)


def documented():
    """Keys of the first table, and every word in code font."""
    text = DOCS.read_text(encoding="utf-8")
    rows = re.findall(r"^\| (`[^|]*) \|", text.split("## ")[0], flags=re.MULTILINE)
    return {key for row in rows for key in re.findall(r"`(\w+)`", row)}, set(re.findall(r"`([\w-]+)`", text))


def test_every_key_is_documented_and_every_documented_key_is_there(report):
    keys, words = documented()
    assert set(report) | {"seconds"} == keys
    assert set(report["ceiling"]) <= words
    assert set(report["ceiling"]["any_counts"]) <= words
    assert set(report["certificate"][0]) - {"community_id"} <= words
    assert {row["reason"] for row in report["out_of_band"]} <= words


def test_the_report_is_json(report):
    assert json.loads(to_json(report)) == report


def test_no_share_is_above_its_ceiling(report):
    for bound in (report["ceiling"]["same_counts"], report["ceiling"]["any_counts"]):
        for name in ("in_band", "within_10", "within_20"):
            assert report[f"share_{name}"] <= bound[name] <= 1.0
    assert report["ceiling"]["exceptions"] == 0


def test_the_certificate_adds_up(report):
    rows = report["certificate"]
    assert [row["community_id"] for row in rows] == ["c0", "c1"]
    assert sum(row["grids"] for row in rows) == report["grids"]
    assert sum(row["out_of_band"] for row in rows) == len(report["out_of_band"])
    for row in rows:
        assert row["out_of_band"] == row["unavoidable"] + row["not_proved"]
        assert row["splits"] >= row["splits_needed"]
    # The compound of 120 households cannot lie in one grid of at most 70.
    assert rows[0]["splits_needed"] == 1


def test_an_executor_changes_nothing(tiny, report):
    with ThreadPoolExecutor(2) as pool:
        assert report_of(*tiny, executor=pool)["ceiling"] == report["ceiling"]


def test_borders_near_roads_are_measured_by_distance():
    # Two rows of houses; the street runs 10 m beside the middle for half of its length, then turns away.
    houses = [box(x, y, 20, 12) for x in range(10, 190, 40) for y in (20, 70)]
    street = shapely.LineString([(-5, 40), (100, 40), (100, -5)])
    city = make_city([box(0, 0, 200, 100)], houses, roads=[street], households=[12] * len(houses))
    city, tiling, units, plan = planned(city)
    figures = report_of(city, tiling, units, plan)
    segments = tiling.segments
    grid = plan.grid_of_cell
    inner = (segments.left >= 0) & (segments.right >= 0)
    inner[inner] = grid[segments.left[inner]] != grid[segments.right[inner]]
    assert inner.any()
    ends = np.concatenate([segments.start[inner], segments.end[inner]]) / SCALE
    lines = shapely.linestrings(np.stack([ends[: inner.sum()], ends[inner.sum() :]], axis=1))
    roads = city.roads.to_crs(4326).geometry.iloc[0]
    # At this latitude a degree is between 85 and 111 km: what is sure to be near, and what may be.
    middle = shapely.line_interpolate_point(lines, 0.5, normalized=True)
    away = shapely.distance(middle, roads)
    length = segments.length_m[inner]
    sure, may = (length[away <= 15 / 111_320].sum(), length[away <= 15 / 85_000].sum())
    assert sure / length.sum() - 1e-4 <= figures["border_near_roads"] <= may / length.sum() + 1e-4
    assert figures["border_near_roads"] > 0.0


def test_a_city_without_homes_has_no_shares():
    city = make_city([box(0, 0, 100, 100)], [box(10, 10, 20, 20)], households=[0])
    figures = report_of(*planned(city))
    assert figures["ceiling"] is None
    assert figures["share_in_band"] is None
    assert figures["border_near_roads"] is None
    assert figures["certificate"] == [
        {
            "community_id": "c0",
            "grids": 1,
            "out_of_band": 1,
            "unavoidable": 1,
            "not_proved": 0,
            "splits": 0,
            "splits_needed": 0,
        }
    ]


def test_a_plan_that_cuts_units_is_bounded_for_any_counts_only():
    # The compound of 120 households is one unit of several cells here.
    city, tiling, units, plan = planned(tiny_city(), SMALL.with_(hard_max=130))
    cut = plan.grid_of_cell.copy()
    row = int(np.flatnonzero(np.bincount(units.of_cell) > 1)[0])
    first = int(np.flatnonzero(units.of_cell == row)[0])
    cut[first] = (cut[first] + 1) % len(plan.grids)
    figures = report_of(city, tiling, units, replace(plan, grid_of_cell=cut))
    assert figures["ceiling"]["same_counts"] is None
    assert figures["ceiling"]["any_counts"]["in_band"] <= 1.0


def test_grids_with_two_units_too_large_are_counted():
    houses = [box(x, 30, 20, 20) for x in (10, 50, 90, 130)]
    city = make_city([box(0, 0, 160, 100)], houses, households=[80, 90, 50, 50])
    city, tiling, units, plan = planned(city)
    assert report_of(city, tiling, units, plan)["ceiling"]["exceptions"] == 0
    together = np.zeros(len(tiling.cells), np.int32)
    figures = report_of(city, tiling, units, replace(plan, grid_of_cell=together, grids=plan.grids.iloc[:1]))
    assert figures["ceiling"]["exceptions"] == 1


def test_what_a_release_would_gain_is_listed(tiny):
    gain = ReleaseGain(
        unit=0, compound=0, community=0, load=120, before=Figures(3, 1, 1), after=Figures(3, 3, 2)
    )
    figures = report_of(*tiny, release=[gain])
    assert figures["release"] == [
        {
            "compound_id": "k0",
            "community_id": "c0",
            "load": 120,
            "gain": 2,
            "before": {"grids": 3, "in_band": 1, "within_10": 1},
            "after": {"grids": 3, "in_band": 3, "within_10": 2},
            "zh": gain.zh,
            "en": gain.en,
        }
    ]
    assert figures["released"] == []
    assert report_of(*tiny)["release"] is None
