"""Verbs beyond one plan, as planners call them: what they write, what they say, what they refuse."""

from __future__ import annotations

import json
from pathlib import Path

import geopandas as gpd
import pandas as pd
import pyogrio
import pytest
import shapely

from geo.cli import main

CRS = "EPSG:4549"
ORIGIN = (500_000.0, 3_400_000.0)


def square(x, y, width, height):
    return shapely.box(ORIGIN[0] + x, ORIGIN[1] + y, ORIGIN[0] + x + width, ORIGIN[1] + y + height)


@pytest.fixture
def layers(tmp_path):
    """Write two communities of one street, 144 buildings and three old grids; return the options naming them."""
    path = tmp_path / "in.gpkg"
    boxes = [square(20 + 30 * i, 20 + 60 * j, 15, 30) for i in range(24) for j in range(6)]
    homes = gpd.GeoDataFrame(
        {"building_id": [f"L{k}" for k in range(len(boxes))], "households": 12}, geometry=boxes, crs=CRS
    )
    areas = gpd.GeoDataFrame(
        {"community_id": ["a", "b"], "name": ["幸福社区", "和平社区"], "street": "东街"},
        geometry=[square(0, 0, 380, 400), square(380, 0, 380, 400)],
        crs=CRS,
    )
    old = gpd.GeoDataFrame(
        {"grid_code": ["旧1", "旧2", "旧3"]},
        geometry=[square(0, 0, 380, 400), square(380, 0, 190, 400), square(570, 0, 190, 400)],
        crs=CRS,
    )
    for name, frame in (("buildings", homes), ("communities", areas), ("old_grids", old)):
        pyogrio.write_dataframe(frame, path, layer=name)
    return [
        option for role in ("buildings", "communities") for option in ("--layer", f"{role}={path}:{role}")
    ]


def old_layer(tmp_path):
    return ["--layer", f"old_grids={tmp_path / 'in.gpkg'}:old_grids"]


def error_of(capsys):
    text = capsys.readouterr().err.strip()
    assert len(text.splitlines()) == 1
    assert text.startswith("错误：")
    return text


def test_alternatives_write_three_plans_and_their_table(tmp_path, layers, capsys):
    folder, report = tmp_path / "out", tmp_path / "alternatives.json"
    options = ["--effort", "fast", "--seed", "3", "--out-dir", str(folder), "--report", str(report)]
    assert main(["alternatives", *layers, *options]) == 0
    names = ["balanced", "compact", "along-roads"]
    assert {p.name for p in folder.iterdir()} == {
        *(f"{name}.gpkg" for name in names),
        "alternatives.csv",
        "alternatives.html",
    }
    for name in names:
        assert main(["verify", str(folder / f"{name}.gpkg")]) == 0
    table = pd.read_csv(folder / "alternatives.csv")
    written = json.loads(report.read_text())
    assert table["id"].tolist() == names == [row["id"] for row in written["alternatives"]]
    for row in written["alternatives"]:
        assert written["plans"][row["id"]]["grids"] == row["grids"]
        assert written["plans"][row["id"]]["exact_tiling"]["ok"]
        assert written["weights"][row["id"]]["band"] > 0
    said = capsys.readouterr().out
    assert all(f"{name}: " in said for name in names)


def test_alternatives_refuse_a_file_in_place_of_the_folder(tmp_path, layers, capsys):
    (tmp_path / "out").write_text("")
    assert main(["alternatives", *layers, "--effort", "fast", "--out-dir", str(tmp_path / "out")]) == 2
    assert "out" in error_of(capsys)


def test_levels_nest_and_say_so(tmp_path, layers, capsys):
    out, report = tmp_path / "levels.gpkg", tmp_path / "levels.json"
    options = ["--groups", "--radius", "90", "--members-per-household", "0.1", "--effort", "fast"]
    options += ["--out", str(out), "--report", str(report)]
    assert main(["levels", *layers, "--communities", "--standard", "three-level", *options]) == 0
    written = json.loads(report.read_text())
    assert written["nested"]
    assert [level["level"] for level in written["levels"]] == [
        "community",
        "area_grid",
        "micro_grid",
        "building_group",
    ]
    assert written["levels"][-1]["radius_m"] == 90.0
    assert written["levels"][-1]["largest_reach_m"] <= 90.0
    assert main(["verify", str(out)]) == 0
    said = capsys.readouterr().out
    assert said.count("nested 是 yes") == 4
    groups = gpd.read_file(out, layer="grids_building_group")
    assert groups["party_members"].sum() == 2 * round(0.1 * 72 * 12)


def test_levels_need_streets_to_redraw_communities(tmp_path, layers, capsys):
    areas = gpd.read_file(tmp_path / "in.gpkg", layer="communities").drop(columns="street")
    pyogrio.write_dataframe(areas, tmp_path / "bare.gpkg", layer="communities")
    options = [*layers[:2], "--layer", f"communities={tmp_path / 'bare.gpkg'}"]
    assert main(["levels", *options, "--communities", "--out", str(tmp_path / "x.gpkg")]) == 2
    assert "communities.street" in error_of(capsys)
    assert not (tmp_path / "x.gpkg").exists()


def test_redraw_keeps_to_the_old_grids(tmp_path, layers, capsys):
    out, report = tmp_path / "plan.gpkg", tmp_path / "report.json"
    options = ["--effort", "fast", "--moved-weight", "300", "--out", str(out), "--report", str(report)]
    assert main(["redraw", *layers, *old_layer(tmp_path), *options]) == 0
    written = json.loads(report.read_text())
    assert written["share_in_band"] == 1.0
    assert written["redraw"]["old_grids"] == 3
    assert written["redraw"]["households"] == 144 * 12
    assert written["redraw"]["moved_weight"] == 300.0
    grids = gpd.read_file(out, layer="grids")
    assert set(grids["main_origin"]) <= {"旧1", "旧2", "旧3"}
    assert grids["moved"].sum() == written["redraw"]["households_moved"]
    assert main(["verify", str(out)]) == 0
    assert "households moved" in capsys.readouterr().out


def test_redraw_needs_old_grids(tmp_path, layers, capsys):
    assert main(["redraw", *layers, "--out", str(tmp_path / "plan.gpkg")]) == 2
    assert "old_grids" in error_of(capsys)


@pytest.fixture
def plan(tmp_path, layers):
    path = tmp_path / "plan.gpkg"
    assert main(["partition", *layers, "--effort", "fast", "--out", str(path)]) == 0
    return path


def test_compare_with_old_grids(tmp_path, plan, capsys):
    out, report = tmp_path / "compare.csv", tmp_path / "compare.json"
    options = ["--out", str(out), "--report", str(report)]
    assert main(["compare", str(plan), *old_layer(tmp_path), *options]) == 0
    table, written = pd.read_csv(out), json.loads(report.read_text())
    assert table["households"].sum() == 144 * 12 == written["households"]
    assert set(table["old_id"]) == {"旧1", "旧2", "旧3"}
    assert written["old_grids"] == 3
    assert sum(written["lineage_of_new"].values()) == written["new_grids"] == len(written["new"])
    assert sum(row["moved"] for row in written["new"]) == written["households_moved"]
    assert f"households moved {written['households_moved']}" in capsys.readouterr().out


def test_compare_with_an_older_plan(tmp_path, plan, capsys):
    assert main(["compare", str(plan), "--old", str(plan), "--out", str(tmp_path / "same.csv")]) == 0
    assert "households moved 0 (0.0%)" in capsys.readouterr().out
    table = pd.read_csv(tmp_path / "same.csv")
    assert (table["old_id"] == table["new_id"]).all()


def test_compare_refuses_what_it_cannot_compare(tmp_path, plan, capsys):
    out = ["--out", str(tmp_path / "c.csv")]
    capsys.readouterr()
    assert main(["compare", str(plan), *out]) == 2
    assert "--old" in error_of(capsys)
    assert main(["compare", str(plan), *old_layer(tmp_path), "--old", str(plan), *out]) == 2
    assert "--old" in error_of(capsys)
    far = gpd.GeoDataFrame({"grid_code": ["远"]}, geometry=[square(90_000, 0, 10, 10)], crs=CRS)
    pyogrio.write_dataframe(far, tmp_path / "far.gpkg", layer="old")
    assert main(["compare", str(plan), "--layer", f"old_grids={tmp_path / 'far.gpkg'}", *out]) == 2
    assert "old grids" in error_of(capsys)
    other = tmp_path / "other.gpkg"
    frames = {name: gpd.read_file(plan, layer=name) for name, _ in pyogrio.list_layers(plan)}
    frames["buildings"]["building_id"] = "x" + frames["buildings"]["building_id"]
    for name, frame in frames.items():
        pyogrio.write_dataframe(frame, other, layer=name)
    assert main(["compare", str(plan), "--old", str(other), *out]) == 2
    assert "no building in common" in error_of(capsys)
    assert not (tmp_path / "c.csv").exists()


def test_the_keys_of_the_comparison_are_documented(tmp_path, plan):
    report = tmp_path / "compare.json"
    options = ["--out", str(tmp_path / "c.csv"), "--report", str(report)]
    assert main(["compare", str(plan), *old_layer(tmp_path), *options]) == 0
    text = (Path(__file__).parents[2] / "docs" / "cli.md").read_text(encoding="utf-8")
    for key in json.loads(report.read_text()):
        assert f"`{key}`" in text


def test_the_keys_of_the_levels_are_documented(tmp_path, layers):
    report = tmp_path / "levels.json"
    options = ["--groups", "--effort", "fast", "--out", str(tmp_path / "l.gpkg"), "--report", str(report)]
    assert main(["levels", *layers, "--standard", "fine-250", *options]) == 0
    text = (Path(__file__).parents[2] / "docs" / "levels.md").read_text(encoding="utf-8")
    written = json.loads(report.read_text())
    groups = written["levels"][-1]
    for key in [*written, *groups, *groups["nesting"]]:
        assert f"`{key}`" in text, key
