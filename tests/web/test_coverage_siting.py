"""New sites are searched for in a job: the first answer at once, the proved one at the end."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from coverage_make import LAYERS, Covered, as_read, layers, lonlat
from web_make import gpkg, wait_for

from geo.siting_job import SitingOptions, site_city
from geo.types import no_progress
from web.jobs import siting as operation


@pytest.fixture(scope="module")
def sited(covered: Covered) -> dict[str, Any]:
    question = {"model": "mclp", "p": 2, "category": 0, "minutes": 3, "candidates": "layer"}
    answer = covered.client.post(f"{covered.base}/siting", json=question)
    assert answer.status_code == 202, answer.get_data(as_text=True)
    job = answer.get_json()
    assert (job["kind"], job["state"]) in {("siting", "queued"), ("siting", "running")}
    return wait_for(covered.client, job["id"])


def test_the_answer_is_that_of_the_library(sited: dict[str, Any]) -> None:
    assert sited["state"] == "done", sited
    said = site_city(
        as_read(),
        SitingOptions(model="mclp", p=2, categories=("党群服务",), minutes=3, method="network"),
    )
    answer = sited["answer"]
    assert answer["proved"] is said.siting.proved is True
    assert (answer["objective"], answer["bound"]) == (said.siting.objective, said.siting.bound)
    assert answer["done"] is True
    assert answer["after"]["covered"] == int(said.siting.covered_after.sum())
    assert answer["after"]["covered"] - answer["before"]["covered"] == answer["objective"] > 0
    assert sum(site["gain"] for site in answer["sites"]) == answer["objective"]


def test_the_sites_can_be_put_on_the_map(covered: Covered, sited: dict[str, Any]) -> None:
    added = [{"lon": site["lon"], "lat": site["lat"], "category": 0} for site in sited["answer"]["sites"]]
    before, after = covered.solve(minutes=3), covered.solve(minutes=3, added=added)
    assert before["totals"][0]["covered"] == sited["answer"]["before"]["covered"]
    assert after["totals"][0]["covered"] == sited["answer"]["after"]["covered"]


def test_its_files_are_downloads(covered: Covered, sited: dict[str, Any]) -> None:
    assert set(sited["files"]) == {"siting.gpkg", "siting.json"}
    with covered.client.get(sited["files"]["siting.json"]) as answer:
        assert answer.get_json()["proved_optimal"] is True


def test_a_siting_is_no_plan(covered: Covered, sited: dict[str, Any]) -> None:
    page = covered.client.get(f"/projects/{covered.project}")
    assert page.status_code == 200
    assert sited["id"] not in page.get_data(as_text=True)
    listed = covered.client.get(f"/api/v1/projects/{covered.project}").get_json()["jobs"]
    assert [job["kind"] for job in listed if job["id"] == sited["id"]] == ["siting"]


def test_stations_as_moved_count(covered: Covered) -> None:
    """Where a station was put on the best site before, that site brings nothing more."""
    place = lonlat(300, 150)
    answer = covered.client.post(
        f"{covered.base}/siting",
        json={
            "p": 1,
            "category": 0,
            "minutes": 240,
            "method": "circle",
            "added": [{"category": 0, **place}],
        },
    )
    job = wait_for(covered.client, answer.get_json()["id"])
    assert (job["state"], job["answer"]["objective"]) == ("done", 0)


@pytest.mark.parametrize(
    ("question", "code"),
    [
        ({"category": 5}, "coverage-unknown-category"),
        ({}, "parameters"),
        ({"category": 0, "p": 0}, "parameters"),
        ({"category": 0, "p": 201}, "parameters"),
        ({"category": 0, "model": "guess"}, "parameters"),
        ({"category": 0, "capacity": -5}, "parameters"),
    ],
)
def test_what_cannot_be_searched_for_is_refused(
    covered: Covered, question: dict[str, Any], code: str
) -> None:
    answer = covered.client.post(f"{covered.base}/siting", json=question)
    assert (answer.status_code, answer.get_json()["code"]) == (400, code)


def test_the_first_answer_is_there_before_the_proof(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    kept: list[dict[str, Any]] = []
    monkeypatch.setattr(operation, "_keep", lambda _out, answer: kept.append(answer))
    path = tmp_path / "city.gpkg"
    path.write_bytes(gpkg(layers()))
    operation.siting(
        {
            "sources": [{"role": role, "path": str(path), "layer": role} for role in LAYERS],
            "columns": {},
            "categories": ["党群服务", "养老"],
            "name": "党群服务",
            "model": "mclp",
            "p": 2,
            "minutes": 3,
            "speed": 66.7,
            "method": "circle",
            "candidates": "buildings",
            "capacity": None,
            "time_limit_s": 30,
            "stations": [],
            "added": [],
            "removed": [],
        },
        tmp_path,
        executor=None,
        progress=no_progress,
    )
    assert len(kept) >= 2
    assert [answer["done"] for answer in kept] == [False] * (len(kept) - 1) + [True]
    assert kept[0]["stage"] == "greedy"
    assert len(kept[0]["sites"]) == 2
    assert kept[-1]["proved"] is True
    objectives = [answer["objective"] for answer in kept]
    assert objectives == sorted(objectives)
