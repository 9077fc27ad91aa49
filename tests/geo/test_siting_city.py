"""Policy: from files to proposed stations on the small demo city; coverage counted anew agrees with the report."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import geopandas as gpd
import numpy as np
import pyogrio
import pytest

from geo.city import City
from geo.cli.main import main
from geo.demo import write_city
from geo.errors import GeoError
from geo.intake import load_city
from geo.layers import Source
from geo.network import network_of, snap
from geo.network.router import Router
from geo.service_coverage import ServiceModel, circle_coverage
from geo.siting import Siting, candidate_sites, circle_nearest, circle_reach, points_of
from geo.siting.reach import network_nearest, network_reach
from geo.siting_job import SitingOptions, site_city

ROLES = ("buildings", "households", "communities", "stations", "candidates", "roads", "compounds")
CATEGORY = "养老服务站"


@pytest.fixture(scope="module")
def path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    target = tmp_path_factory.mktemp("siting") / "city.gpkg"
    write_city("small", target)
    return target


@pytest.fixture(scope="module")
def city(path: Path) -> City:
    return load_city([Source(role, path, role) for role in ROLES])  # type: ignore[arg-type]


def layers(path: Path, *roles: str) -> list[str]:
    return [f"--layer={role}={path}:{role}" for role in roles or ROLES]


def test_coverage_with_the_proposed_stations_is_what_the_report_says(city: City) -> None:
    options = SitingOptions(p=2, categories=(CATEGORY, "社区食堂"), minutes=5, candidates="buildings")
    result = site_city(city, options)
    assert result.siting.proved
    assert int(result.stations["proposed"].sum()) == 4
    assert result.stations["station_id"].is_unique
    for stations, key in ((city.stations, "covered_before"), (result.stations, "covered_after")):
        counted = circle_coverage(
            city.buildings, stations, minutes=5, speed_m_per_min=66.7, categories=options.categories
        )
        assert counted.covered_households.tolist() == [c[key] for c in result.report["categories"]]
    before = np.array([c["covered_before"] for c in result.report["categories"]])
    after = np.array([c["covered_after"] for c in result.report["categories"]])
    assert (
        result.report["objective"]
        == (after - before).sum()
        == sum(s["gained"] for s in result.report["sites"])
    )
    demand = result.layers["demand"]
    assert demand[f"cov_{CATEGORY}_after"].sum() == after[0]
    assert (demand[f"min_{CATEGORY}_after"].dropna() <= 5).all()


def test_the_first_answer_comes_before_the_proof(city: City) -> None:
    seen: list[Siting] = []
    options = SitingOptions(p=3, categories=(CATEGORY,), minutes=5, candidates="buildings")
    result = site_city(city, options, on_answer=seen.append)
    assert seen[0].stage == "greedy"
    assert seen[-1] is result.siting
    assert seen[-1].objective >= seen[0].objective


def test_walks_are_those_of_the_network(city: City) -> None:
    network = network_of(city)
    homes = snap(network, points_of(city.buildings))
    spots = snap(network, points_of(city.candidates))
    reach = network_reach(network, spots, homes, 400.0)
    router = Router(network, homes)
    for j in range(len(spots)):
        column, metres = reach.of(j)
        far, _ = router.solve(spots.take(np.array([j])))
        assert np.array_equal(column, np.flatnonzero(far <= 400.0))
        assert np.allclose(metres, far[column])
    nearest = network_nearest(network, spots, homes, 400.0)
    best = np.full(len(homes), np.inf)
    np.minimum.at(best, reach.column, reach.value)
    assert np.allclose(nearest, best)
    assert np.isinf(network_nearest(network, spots.take(np.arange(0)), homes, 400.0)).all()


def test_streets_reach_fewer_than_circles(city: City) -> None:
    gained = {
        method: site_city(
            city, SitingOptions(p=2, categories=(CATEGORY,), minutes=5, method=method, existing=False)
        )
        for method in ("circle", "network")
    }
    assert 0 < gained["network"].siting.objective < gained["circle"].siting.objective


def test_without_streets_ways_are_straight_lines_times_the_factor(city: City) -> None:
    """The same households as coverage counts, and a finding; walks along the streets are not used."""
    bare = replace(city, roads=city.roads.iloc[:0])
    options = SitingOptions(p=2, categories=(CATEGORY,), minutes=7, method="network", candidates="buildings")
    result = site_city(bare, options)
    assert result.report["method"] == "detour"
    assert "coverage-without-streets" in [finding["code"] for finding in result.report["findings"]]
    for stations, key in ((city.stations, "covered_before"), (result.stations, "covered_after")):
        model = ServiceModel.build(replace(bare, stations=stations))
        counted = model.coverage(method="network", minutes=7, speed=66.7, categories=[CATEGORY])
        assert counted.method == "detour"
        assert counted.covered_households.tolist() == [c[key] for c in result.report["categories"]]


def test_streets_that_reach_hardly_anybody_are_not_walked(city: City) -> None:
    bare = replace(city, roads=city.roads.iloc[:1])
    result = site_city(bare, SitingOptions(categories=(CATEGORY,), method="network"))
    assert result.report["method"] == "detour"
    assert "coverage-network-unusable" in [finding["code"] for finding in result.report["findings"]]


def test_too_many_ways_are_refused_before_they_fill_the_memory(
    city: City, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("geo.siting.places.MOST_WAYS", 100)
    for method in ("circle", "network"):
        with pytest.raises(GeoError, match="pairs of candidate and building"):
            site_city(city, SitingOptions(categories=(CATEGORY,), method=method))


def test_circle_ways_are_exact_at_the_limit() -> None:
    sites, homes = (
        np.array([[0.0, 0.0], [9.0, 9.0]]),
        np.array([[3.0, 4.0], [0.0, np.nextafter(5, 6)], [0.0, 0.0]]),
    )
    reach = circle_reach(sites, homes, 5.0)
    assert (reach.column.tolist(), reach.value.tolist(), reach.indptr.tolist()) == (
        [0, 2],
        [5.0, 0.0],
        [0, 2, 2],
    )
    assert circle_nearest(sites[:1], homes, 5.0).tolist() == [5.0, np.inf, 0.0]
    assert circle_reach(sites[:0], homes, 5.0).n == 0


def test_candidates_are_the_layer_buildings_or_empty_cells(city: City) -> None:
    assert candidate_sites(city, "layer")["candidate_id"].tolist() == city.candidates["candidate_id"].tolist()
    assert len(candidate_sites(city, "buildings")) == len(city.buildings)
    cells = candidate_sites(city, "cells")
    assert len(cells)
    near = cells.sindex.query(city.buildings.geometry, predicate="contains")
    assert not near.shape[1]


def test_the_verb_writes_layers_and_report(
    path: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out, report = tmp_path / "siting.gpkg", tmp_path / "siting.json"
    asked = ["--model=lscp", f"--category={CATEGORY}", "--minutes=5", f"--out={out}", f"--report={report}"]
    assert (
        main(
            [
                "siting",
                *layers(path, "buildings", "households", "communities", "stations", "candidates"),
                *asked,
            ]
        )
        == 0
    )
    assert "proved optimal" in capsys.readouterr().out
    told = json.loads(report.read_text(encoding="utf-8"))
    assert {str(name) for name, _ in pyogrio.list_layers(out)} == {
        "proposed",
        "demand",
        "candidates",
        "stations",
    }
    proposed = gpd.read_file(out, layer="proposed")
    assert proposed["candidate_id"].tolist() == [site["candidate_id"] for site in told["sites"]]
    assert (
        proposed["gained"].sum()
        == told["categories"][0]["covered_after"] - told["categories"][0]["covered_before"]
    )
    assert told["proved_optimal"]
    assert told["objective"] == len(proposed)


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        (["--model=best"], "no siting model"),
        (["--p=0"], "must be 1 or more"),
        (["--category=网吧"], "No station is of the category"),
        (["--method=bus"], "no method"),
        (["--candidates=parks"], "no kind of candidates"),
        (["--minutes=0"], "walking time"),
        (["--speed=-1"], "walking speed"),
        (["--time-limit=0"], "time limit"),
    ],
)
def test_every_error_is_one_line(
    asked: list[str], said: str, path: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "siting.gpkg"
    given = [] if any(a.startswith("--category") for a in asked) else [f"--category={CATEGORY}"]
    roles = ("buildings", "households", "communities", "stations", "candidates")
    assert main(["siting", *layers(path, *roles), *given, *asked, f"--out={out}"]) == 2
    error = capsys.readouterr().err
    assert error.count("\n") == 1
    assert said in error
    assert not out.exists()


def test_no_candidates_and_no_category_are_said(city: City, path: Path, tmp_path: Path) -> None:
    with pytest.raises(GeoError, match="several categories"):
        site_city(city, SitingOptions())
    bare = load_city(
        [Source("buildings", path, "buildings"), Source("households", path, "households")],
        need_communities=False,
    )
    with pytest.raises(GeoError, match="no candidate sites"):
        site_city(bare, SitingOptions())
    alone = site_city(bare, SitingOptions(candidates="buildings", minutes=5))
    assert alone.stations["proposed"].all()
    assert alone.stations["category"].tolist() == ["station"]
