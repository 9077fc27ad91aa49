"""Policy: a coverage by walking is on the map with its figures; no text of the data becomes markup or code."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import cities
import geopandas as gpd
import numpy as np
import plans
import pytest
import shapely
from test_maps import PAYLOADS, _layer_names, hostile

from geo.cli import main
from geo.coverage_job import CoverageOptions, cover_city
from geo.maps import plan_map
from geo.maps.service_layers import reach_rows


@pytest.fixture(scope="module")
def frames() -> dict[str, gpd.GeoDataFrame]:
    return plans.plan_frames()


@pytest.fixture(scope="module")
def walked(frames: dict[str, gpd.GeoDataFrame]) -> dict[str, gpd.GeoDataFrame]:
    """Layers of a coverage over streets drawn through the small plan, one every 60 m each way."""
    buildings, stations, grid = plans.city_layers(frames)
    west, south, east, north = buildings.total_bounds
    lines = [shapely.LineString([(x, south - 5), (x, north + 5)]) for x in np.arange(west, east + 60, 60)]
    lines += [shapely.LineString([(west - 5, y), (east + 65, y)]) for y in np.arange(south, north + 60, 60)]
    city = cities.make_city(
        [shapely.box(west, south, east, north)], buildings.geometry.to_numpy(), roads=lines, shift=False
    )
    # The tiny city's own CRS is another one than the plan's: only the layers are taken over.
    roads = city.roads.set_crs(buildings.crs, allow_override=True)
    communities = frames["communities"].to_crs(buildings.crs).assign(street="", code="")
    full = buildings.assign(source_row=np.arange(1, len(buildings) + 1), compound=np.int32(-1))
    empty = city.water.set_crs(buildings.crs, allow_override=True)
    city = replace(
        city,
        crs=buildings.crs,
        roads=roads,
        buildings=full,
        communities=communities,
        stations=stations,
        water=empty,
        railways=empty,
        compounds=city.compounds.set_crs(buildings.crs, allow_override=True),
    )
    result = cover_city(
        city, grids=frames["grids"], grid_of_building=grid, options=CoverageOptions("network", 5.0, [80, 48])
    )
    assert result.report["method"] == "network"
    return result.layers


def config_of(html: str) -> dict[str, Any]:
    found = re.search(r'id="wg-config">(.*?)</script>', html, re.DOTALL)
    assert found is not None
    config: dict[str, Any] = json.loads(found[1])
    return config


def test_the_map_has_the_layers_and_figures_of_the_walk(
    frames: dict[str, gpd.GeoDataFrame], walked: dict[str, gpd.GeoDataFrame]
) -> None:
    html = plan_map(frames, coverage=walked, community="C1")
    names = _layer_names(html)
    assert "步行可达范围" in names
    assert "楼栋步行分钟" in names
    assert "服务圈" in names
    config = config_of(html)
    for figures, (_, row), (_, circle) in zip(
        config["categories"], walked["isochrones"].iterrows(), walked["circles"].iterrows(), strict=True
    ):
        assert figures["name"] == row["category"]
        assert figures["walk"] is True
        assert figures["radius"] == 400
        assert figures["claims"] == circle["wrongly_in"]
        for key in (
            "households",
            "covered",
            "off_network",
            "island",
            "inside_not_reached",
            "outside_reached",
        ):
            assert figures[key] == row[key]
    drawn, rows = reach_rows(frames["buildings"], walked["buildings"])
    assert len(rows) == len(drawn) == len(frames["buildings"])
    minutes = walked["buildings"].set_index("building_id")[walked["isochrones"]["minutes_column"].tolist()]
    for name, _, of in config["reach"]["rows"]:
        assert of == [-1 if np.isnan(value) else round(value, 1) for value in minutes.loc[name]]
    inside = frames["buildings"]["grid_id"].isin(frames["grids"].query("community_id == 'C1'")["grid_id"])
    assert len(config["reach"]["rows"]) == inside.sum()
    assert "步行分钟" in str(config["legend"])


def test_without_a_walk_the_page_is_that_of_circles(frames: dict[str, gpd.GeoDataFrame]) -> None:
    config = config_of(plan_map(frames))
    assert config["reach"]["rows"] == []
    assert "楼栋步行分钟" not in _layer_names(plan_map(frames, community="C1"))


def test_buildings_the_coverage_does_not_know_are_left_out(
    frames: dict[str, gpd.GeoDataFrame], walked: dict[str, gpd.GeoDataFrame]
) -> None:
    half = {**walked, "buildings": walked["buildings"].iloc[::2]}
    rows = config_of(plan_map(frames, coverage=half, community="C1"))["reach"]["rows"]
    known = set(half["buildings"]["building_id"])
    assert rows
    assert {row[0] for row in rows} <= known
    none = {**walked, "buildings": walked["buildings"].head(0)}
    assert "楼栋步行分钟" not in _layer_names(plan_map(frames, coverage=none, community="C1"))


def test_markup_and_templates_of_the_data_stay_text(
    frames: dict[str, gpd.GeoDataFrame], walked: dict[str, gpd.GeoDataFrame], tmp_path: Path
) -> None:
    canary = tmp_path / "canary"
    attack = f"{{{{ cycler.__init__.__globals__.os.mkdir({str(canary)!r}) }}}}{{% include 'x' %}}{{# "
    bad, covered = hostile(frames), hostile(walked)
    for layers in (bad, covered):
        for frame in layers.values():
            for column in {"name", "category", "building_id", "station_id"} & set(frame.columns):
                frame[column] = attack + frame[column].astype(str)
    html = plan_map(bad, coverage=covered, community=bad["communities"]["community_id"][0], title=PAYLOADS[0])
    for raw in ("<img", "</script><script>document", "<svg onload", "<svg/onload", "</textarea>"):
        assert raw not in html
    assert not canary.exists()
    rows = config_of(html)["reach"]["rows"]
    assert rows
    assert all("cycler" in row[0] for row in rows)


def test_the_same_coverage_gives_the_same_page(
    frames: dict[str, gpd.GeoDataFrame], walked: dict[str, gpd.GeoDataFrame]
) -> None:
    assert plan_map(frames, coverage=walked, community="C2") == plan_map(
        plans.plan_frames(), coverage=walked, community="C2"
    )


def test_the_command_walks_and_draws(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    city = tmp_path / "city.gpkg"
    assert main(["demo", "--size", "small", "--out", str(city)]) == 0
    roles = ("buildings", "households", "compounds", "communities", "roads", "water", "railways", "stations")
    layers = [f"--layer={role}={city}:{role}" for role in roles]
    plan, out, report = tmp_path / "plan.gpkg", tmp_path / "c.gpkg", tmp_path / "c.json"
    assert main(["partition", *layers, "--effort", "fast", "--out", str(plan)]) == 0
    walk = [
        "--method",
        "network",
        "--speed",
        "66.7",
        "--speed",
        "48",
        "--minutes",
        "10",
        "--window",
        "weekday",
    ]
    assert (
        main(["coverage", *layers, "--plan", str(plan), *walk, "--out", str(out), "--report", str(report)])
        == 0
    )
    figures = json.loads(report.read_text())
    assert (figures["method"], figures["window"], figures["minutes"]) == ("network", "weekday", 10)
    assert [other["speed_m_per_min"] for other in figures["other_speeds"]] == [48]
    for k, row in enumerate(figures["categories"]):
        assert (
            row["circle"]["covered"]
            >= row["covered"]
            >= figures["other_speeds"][0]["categories"][k]["covered"]
        )
        assert sum(grid["covered"][row["category"]] for grid in figures["grids"]) == row["covered"]
    assert "over-claims" in capsys.readouterr().out
    page = tmp_path / "map.html"
    assert main(["map", str(plan), "--coverage", str(out), "--out", str(page)]) == 0
    assert "步行可达范围" in page.read_text()
    one = figures["categories"][0]["category"]
    only = ["--category", one, "--minutes", f"{one}=8"]
    assert main(["coverage", *layers, *only, "--out", str(out), "--report", str(report)]) == 0
    figures = json.loads(report.read_text())
    assert [(row["category"], row["minutes"]) for row in figures["categories"]] == [(one, 8)]
    assert figures["method"] == "circle"
    capsys.readouterr()
    for wrong, word in (
        (["--category", "没有"], one),
        (["--minutes", "一刻钟"], "一刻钟"),
        (["--window", "night"], "weekday"),
        (["--method", "network", "--speed", "0"], "speed"),
    ):
        absent = tmp_path / "absent.gpkg"
        assert main(["coverage", *layers, *wrong, "--out", str(absent)]) == 2
        assert word in capsys.readouterr().err
        assert not absent.exists()
