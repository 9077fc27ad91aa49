"""Real places through the command line, checked with geopandas alone."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import geopandas as gpd
import numpy as np
import pytest
import shapely

from geo.cli import main


class Place(NamedTuple):
    file: str
    layers: dict[str, str]
    count: str
    utm: str


PLACES = {
    "ang_mo_kio": Place(
        "ang_mo_kio.gpkg",
        {
            "buildings": "blocks",
            "communities": "subzones",
            "roads": "road_sections",
            "stations": "service_points",
        },
        "total_dwelling_units",
        "EPSG:32648",
    ),
    "cambridge": Place(
        "cambridge.gpkg",
        {
            "buildings": "parcels_units",
            "communities": "neighborhoods",
            "roads": "streets",
            "water": "water",
            "stations": "service_points",
        },
        "units",
        "EPSG:32619",
    ),
}


@pytest.fixture(scope="module", params=sorted(PLACES))
def planned(
    request: pytest.FixtureRequest,
    real_layer: Callable[[str], Path],
    tmp_path_factory: pytest.TempPathFactory,
) -> tuple[Place, Path, Path]:
    place = PLACES[request.param]
    source = real_layer(place.file)
    folder = tmp_path_factory.mktemp(request.param)
    layers = [f"--layer={role}={source}:{name}" for role, name in place.layers.items()]
    outputs = ["--out", str(folder / "plan.gpkg"), "--report", str(folder / "report.json")]
    assert main(["partition", *layers, *outputs]) == 0
    layers = [layer for layer in layers if "roads=" not in layer and "water=" not in layer]
    outputs = ["--out", str(folder / "coverage.gpkg"), "--report", str(folder / "coverage.json")]
    assert main(["coverage", *layers, "--plan", str(folder / "plan.gpkg"), *outputs]) == 0
    return place, source, folder


def test_every_located_household_is_placed(planned: tuple[Place, Path, Path]) -> None:
    place, source, folder = planned
    report = json.loads((folder / "report.json").read_text())
    raw = gpd.read_file(source, layer=place.layers["buildings"])
    households = report["households"]
    assert households["in"] == raw[place.count].sum()
    assert households["in"] == households["placed"] + households["unplaced"]
    grids = gpd.read_file(folder / "plan.gpkg", layer="grids")
    assert grids["households"].sum() == households["placed"]

    areas = gpd.read_file(source, layer=place.layers["communities"]).to_crs(place.utm)
    located = raw[~(raw.geometry.is_empty | raw.geometry.isna())].to_crs(place.utm)
    points = shapely.point_on_surface(
        shapely.make_valid(located.geometry.to_numpy(), method="structure", keep_collapsed=False)
    )
    inside = shapely.intersects(shapely.unary_union(shapely.make_valid(areas.geometry.to_numpy())), points)
    assert households["placed"] >= located.loc[inside, place.count].sum()


def test_what_could_not_be_placed_is_named(planned: tuple[Place, Path, Path]) -> None:
    report = json.loads((planned[2] / "report.json").read_text())
    unplaced = report["households"]
    assert unplaced["unplaced"] == sum(reason["households"] for reason in unplaced["unplaced_reasons"])
    for reason in unplaced["unplaced_reasons"]:
        assert reason["source_rows"]
        assert any(set(reason["source_rows"]) & set(finding["rows"]) for finding in report["findings"]), (
            reason
        )


def test_every_grid_is_one_polygon_and_communities_are_tiled(planned: tuple[Place, Path, Path]) -> None:
    place, source, folder = planned
    report = json.loads((folder / "report.json").read_text())
    assert report["contiguity"]["disconnected"] == 0
    assert report["exact_tiling"] == {"ok": True, "unmatched_edges": 0, "invalid": 0, "where": []}
    grids = gpd.read_file(folder / "plan.gpkg", layer="grids")
    assert set(grids.geom_type) == {"Polygon"}
    assert grids.geometry.is_valid.all()
    steps = shapely.get_coordinates(grids.geometry) * 1e7
    assert np.abs(steps - np.round(steps)).max() < 1e-4

    areas = gpd.read_file(source, layer=place.layers["communities"]).to_crs(place.utm)
    tiled = grids.to_crs(place.utm).geometry.area.sum()
    whole = shapely.area(shapely.make_valid(areas.geometry.to_numpy())).sum()
    assert tiled == pytest.approx(whole, rel=1e-5)
    assert shapely.coverage_is_valid(grids.geometry.to_numpy())


def test_no_grid_crosses_a_community(planned: tuple[Place, Path, Path]) -> None:
    cells = gpd.read_file(planned[2] / "plan.gpkg", layer="cells")
    assert (cells.groupby("grid_id")["community_id"].nunique() == 1).all()


def test_every_deviation_has_a_reason(planned: tuple[Place, Path, Path]) -> None:
    report = json.loads((planned[2] / "report.json").read_text())
    for grid in report["out_of_band"]:
        assert grid["reason"]
        assert grid["reason_zh"]
        assert grid["reason_en"]


def test_circles_count_households_exactly(planned: tuple[Place, Path, Path]) -> None:
    place, source, folder = planned
    report = json.loads((folder / "coverage.json").read_text())
    homes = gpd.read_file(folder / "plan.gpkg", layer="buildings")
    stations = gpd.read_file(source, layer=place.layers["stations"])
    assert {c["category"] for c in report["categories"]} == set(stations["category"])
    for category in report["categories"]:
        assert category["covered"] + category["uncovered"] == category["households"]
        assert category["households"] == homes["households"].sum()
