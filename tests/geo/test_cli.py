"""The command line: what planners and outside checks call, on good and on bad input."""

from __future__ import annotations

import json
import zipfile
from collections.abc import Callable
from pathlib import Path

import geopandas as gpd
import pyogrio
import pytest
import shapely

from geo.cli import main

CRS = "EPSG:4549"
ORIGIN = (500_000.0, 3_400_000.0)


def square(x: float, y: float, size: float) -> shapely.Polygon:
    return shapely.box(ORIGIN[0] + x, ORIGIN[1] + y, ORIGIN[0] + x + size, ORIGIN[1] + y + size)


def communities(shift: float = 400.0) -> gpd.GeoDataFrame:
    return gpd.GeoDataFrame(
        {"community_id": ["a", "b"], "name": ["幸福社区", "和平社区"]},
        geometry=[square(0, 0, 400), square(shift, 0, 400)],
        crs=CRS,
    )


def buildings(x0: float = 20.0) -> gpd.GeoDataFrame:
    boxes = [square(x0 + 60 * i, 30 + 60 * j, 30) for i in range(12) for j in range(6)]
    return gpd.GeoDataFrame(
        {"building_id": [f"LD{k:03d}" for k in range(len(boxes))], "households": 24},
        geometry=boxes,
        crs=CRS,
    )


@pytest.fixture
def city(tmp_path: Path) -> Callable[..., list[str]]:
    """Write a tiny city and return the options that name its layers."""

    def write(homes: gpd.GeoDataFrame | None = None, areas: gpd.GeoDataFrame | None = None) -> list[str]:
        path = tmp_path / "in.gpkg"
        pyogrio.write_dataframe(buildings() if homes is None else homes, path, layer="buildings")
        pyogrio.write_dataframe(communities() if areas is None else areas, path, layer="communities")
        return ["--layer", f"buildings={path}:buildings", "--layer", f"communities={path}:communities"]

    return write


def outputs(tmp_path: Path) -> list[str]:
    return ["--out", str(tmp_path / "plan.gpkg"), "--report", str(tmp_path / "report.json")]


def test_from_files_to_map_and_geojson(
    tmp_path: Path, city: Callable[..., list[str]], capsys: pytest.CaptureFixture[str]
) -> None:
    assert (
        main(["partition", *city(), "--target", "200", "--min", "160", "--max", "240", *outputs(tmp_path)])
        == 0
    )
    report = json.loads((tmp_path / "report.json").read_text())
    assert report["target"] == 200
    assert report["band"] == [160, 240]
    assert report["households"] == {"in": 72 * 24, "placed": 72 * 24, "unplaced": 0, "unplaced_reasons": []}
    assert report["exact_tiling"]["ok"]
    assert report["contiguity"] == {"ok": True, "disconnected": 0, "grids": []}
    assert report["share_in_band"] == 1.0
    assert report["out_of_band"] == []

    plan = str(tmp_path / "plan.gpkg")
    assert main(["verify", plan]) == 0
    assert main(["export", plan, "--format", "geojson", "--out", str(tmp_path / "grids.geojson")]) == 0
    grids = gpd.read_file(tmp_path / "grids.geojson")
    assert grids["households"].sum() == 72 * 24
    assert main(["map", plan, "--out", str(tmp_path / "map.html")]) == 0
    assert "幸福社区" in (tmp_path / "map.html").read_text()
    assert "exact tiling 是 yes" in capsys.readouterr().out


def test_the_plan_file_keeps_its_contract(tmp_path: Path, city: Callable[..., list[str]]) -> None:
    assert main(["partition", *city(), *outputs(tmp_path)]) == 0
    grids, cells, homes = (
        gpd.read_file(tmp_path / "plan.gpkg", layer=name) for name in ("grids", "cells", "buildings")
    )
    assert {"grid_id", "code", "community_id", "households", "persons", "buildings", "deviation"} <= {*grids}
    assert {"in_band", "compactness"} <= {*grids}
    assert {"cell_id", "building_id", "compound_id", "grid_id", "community_id", "households"} <= {*cells}
    assert homes["building_id"].tolist() == buildings()["building_id"].tolist()
    assert cells.groupby("grid_id")["households"].sum().sort_index().tolist() == (
        grids.set_index("grid_id")["households"].sort_index().tolist()
    )
    assert homes.groupby("grid_id")["households"].sum().sort_index().tolist() == (
        grids.set_index("grid_id")["households"].sort_index().tolist()
    )


def test_workers_and_repetition_never_change_a_byte(tmp_path: Path, city: Callable[..., list[str]]) -> None:
    options = city()
    texts = []
    for run, count in enumerate(("1", "2", "1")):
        plan = tmp_path / f"plan{run}.gpkg"
        assert main(["partition", *options, "--workers", count, "--seed", "7", "--out", str(plan)]) == 0
        assert main(["export", str(plan), "--out", str(tmp_path / f"{run}.geojson")]) == 0
        texts.append((tmp_path / f"{run}.geojson").read_bytes())
    assert texts[0] == texts[1] == texts[2]


def empty_layer() -> tuple[gpd.GeoDataFrame, gpd.GeoDataFrame]:
    return buildings().iloc[:0], communities()


def no_crs() -> tuple[gpd.GeoDataFrame, gpd.GeoDataFrame]:
    return buildings().set_crs(None, allow_override=True), communities()


def no_household_column() -> tuple[gpd.GeoDataFrame, gpd.GeoDataFrame]:
    return buildings().drop(columns="households"), communities()


def outside() -> tuple[gpd.GeoDataFrame, gpd.GeoDataFrame]:
    return buildings(x0=50_000.0), communities()


def overlapping() -> tuple[gpd.GeoDataFrame, gpd.GeoDataFrame]:
    return buildings(), communities(shift=300.0)


def text_in_counts() -> tuple[gpd.GeoDataFrame, gpd.GeoDataFrame]:
    homes = buildings()
    homes["households"] = homes["households"].astype(str)
    homes.loc[4, "households"] = "约二十"
    return homes, communities()


@pytest.mark.parametrize(
    "bad", [empty_layer, no_crs, no_household_column, outside, overlapping, text_in_counts]
)
@pytest.mark.filterwarnings("ignore:'crs' was not provided")
def test_bad_input_is_one_clear_line_and_writes_nothing(
    bad: Callable[[], tuple[gpd.GeoDataFrame, gpd.GeoDataFrame]],
    tmp_path: Path,
    city: Callable[..., list[str]],
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert main(["partition", *city(*bad()), *outputs(tmp_path)]) == 2
    lines = capsys.readouterr().err.strip().splitlines()
    assert len(lines) == 1
    assert lines[0].startswith("错误：")
    assert "/ Error: " in lines[0]
    assert [p.name for p in tmp_path.iterdir()] == ["in.gpkg"]


def test_a_truncated_zip_is_named(
    tmp_path: Path, city: Callable[..., list[str]], capsys: pytest.CaptureFixture[str]
) -> None:
    options = city()
    pyogrio.write_dataframe(communities()[["name", "geometry"]], tmp_path / "areas.shp", encoding="utf-8")
    whole = tmp_path / "whole.zip"
    with zipfile.ZipFile(whole, "w", zipfile.ZIP_DEFLATED) as archive:
        for part in sorted(tmp_path.glob("areas.*")):
            archive.write(part, f"社区/{part.name}")
    half = tmp_path / "half.zip"
    half.write_bytes(whole.read_bytes()[:-200])
    options[3] = f"communities={half}"
    assert main(["partition", *options, *outputs(tmp_path)]) == 2
    assert "half.zip" in capsys.readouterr().err
    assert not (tmp_path / "plan.gpkg").exists()
    options[3] = f"communities={whole}"
    assert main(["partition", *options, *outputs(tmp_path)]) == 0


@pytest.mark.parametrize(
    "options",
    [
        ["--layer", "houses=x.gpkg"],
        ["--layer", "buildings=absent.gpkg"],
        ["--layer", "buildings"],
        ["--standard", "fine-999"],
        ["--target", "100", "--min", "200"],
        ["--workers", "0"],
        ["--column", "households"],
        ["--column", "buildings.households=没有这一列"],
    ],
)
def test_a_bad_option_is_one_clear_line(
    options: list[str], tmp_path: Path, city: Callable[..., list[str]], capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["partition", *city(), *options, *outputs(tmp_path)]) == 2
    error = capsys.readouterr().err.strip()
    assert error.startswith("错误：")
    assert len(error.splitlines()) == 1
    assert not (tmp_path / "plan.gpkg").exists()


@pytest.mark.parametrize("verb", ["map", "export", "verify"])
def test_what_is_no_plan_is_refused(
    verb: str, tmp_path: Path, city: Callable[..., list[str]], capsys: pytest.CaptureFixture[str]
) -> None:
    city()
    out = [] if verb == "verify" else ["--out", str(tmp_path / "x")]
    for name in ("in.gpkg", "absent.gpkg", "text.gpkg"):
        (tmp_path / "text.gpkg").write_text("not a database")
        assert main([verb, str(tmp_path / name), *out]) == 2
        assert "Error: " in capsys.readouterr().err


def test_every_option_is_documented() -> None:
    from geo.cli.main import build_parser

    text = (Path(__file__).parents[2] / "docs" / "cli.md").read_text(encoding="utf-8")
    verbs = build_parser()._subparsers._group_actions[0].choices  # type: ignore[union-attr]
    for name, verb in verbs.items():  # type: ignore[union-attr]
        assert f"`{name}" in text
        for action in verb._actions:
            for option in action.option_strings:
                assert option in text or option in {"-h", "--help"}, f"{name} {option}"


def stations() -> gpd.GeoDataFrame:
    return gpd.GeoDataFrame(
        {"name": ["幸福养老站", "和平食堂"], "category": ["养老", "助餐"]},
        geometry=[square(100, 100, 1).centroid, square(700, 300, 1).centroid],
        crs=CRS,
    )


def test_coverage_counts_households_by_building_and_grid(
    tmp_path: Path, city: Callable[..., list[str]], capsys: pytest.CaptureFixture[str]
) -> None:
    options = city()
    pyogrio.write_dataframe(stations(), tmp_path / "in.gpkg", layer="stations")
    assert main(["partition", *options, *outputs(tmp_path)]) == 0
    layers = [*options, "--layer", f"stations={tmp_path / 'in.gpkg'}:stations"]
    named = ["--out", str(tmp_path / "coverage.gpkg"), "--report", str(tmp_path / "coverage.json")]
    times = ["--minutes", "5", "--speed", "60", "--method", "circle"]
    assert main(["coverage", *layers, "--plan", str(tmp_path / "plan.gpkg"), *times, *named]) == 0

    homes, points = buildings(), stations()
    centres = shapely.point_on_surface(homes.geometry.to_numpy())
    expected = {
        name: int(homes.loc[shapely.dwithin(centres, point, 300.0), "households"].sum())
        for name, point in zip(points["category"], points.geometry, strict=True)
    }
    report = json.loads((tmp_path / "coverage.json").read_text())
    assert report["radius_m"] == 300.0
    assert {c["category"]: c["covered"] for c in report["categories"]} == expected
    for name, covered in expected.items():
        assert sum(grid["covered"][name] for grid in report["grids"]) == covered
    gaps = gpd.read_file(tmp_path / "coverage.gpkg", layer="gaps")
    assert len(gaps) == sum(len(homes) - covered // 24 for covered in expected.values())

    page = tmp_path / "map.html"
    plan, circles = str(tmp_path / "plan.gpkg"), str(tmp_path / "coverage.gpkg")
    assert main(["map", plan, "--coverage", circles, "--lang", "en", "--out", str(page)]) == 0
    assert "养老" in page.read_text()
    assert "养老" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("options", "word"),
    [
        (["--minutes", "0"], "minutes"),
        (["--speed", "-3"], "speed"),
        (["--plan", "absent.gpkg"], "absent.gpkg"),
    ],
)
def test_bad_coverage_input_is_one_clear_line(
    options: list[str],
    word: str,
    tmp_path: Path,
    city: Callable[..., list[str]],
    capsys: pytest.CaptureFixture[str],
) -> None:
    layers = city()
    pyogrio.write_dataframe(stations(), tmp_path / "in.gpkg", layer="stations")
    layers += ["--layer", f"stations={tmp_path / 'in.gpkg'}:stations"]
    out = tmp_path / "coverage.gpkg"
    assert main(["coverage", *layers, *options, "--out", str(out)]) == 2
    error = capsys.readouterr().err.strip()
    assert error.startswith("错误：")
    assert word in error
    assert not out.exists()


def test_a_plan_of_other_buildings_is_refused(
    tmp_path: Path, city: Callable[..., list[str]], capsys: pytest.CaptureFixture[str]
) -> None:
    layers = city()
    assert main(["partition", *layers, *outputs(tmp_path)]) == 0
    others = buildings().assign(building_id=[f"其他{k}" for k in range(72)])
    pyogrio.write_dataframe(others, tmp_path / "others.gpkg", layer="buildings")
    pyogrio.write_dataframe(stations(), tmp_path / "others.gpkg", layer="stations")
    layers = [f"--layer={role}={tmp_path / 'others.gpkg'}:{role}" for role in ("buildings", "stations")]
    out = tmp_path / "coverage.gpkg"
    assert main(["coverage", *layers, "--plan", str(tmp_path / "plan.gpkg"), "--out", str(out)]) == 2
    assert "plan.gpkg" in capsys.readouterr().err
    assert not out.exists()


def test_the_demo_city_can_be_made_and_inspected(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "city.gpkg"
    assert main(["demo", "--size", "small", "--out", str(path)]) == 0
    assert main(["inspect", str(path)]) == 0
    assert main(["inspect", str(path), "--json"]) == 0
    text = capsys.readouterr().out
    facts = json.loads(text[text.index("{") :])
    roles = {layer["name"]: layer["likely_role"] for layer in facts["layers"]}
    wanted = ("buildings", "households", "compounds", "communities", "roads", "water", "railways", "stations")
    assert {name: roles[name] for name in wanted} == {name: name for name in wanted}


def test_standards_are_listed(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["standards"]) == 0
    assert "fine-250" in capsys.readouterr().out
