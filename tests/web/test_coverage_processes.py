"""The process that holds a model: opened once, replaced with its data, ended when it hangs, never another's."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from coverage_make import Covered, layers, ready, uploaded
from flask import Flask
from flask.testing import FlaskClient
from web_make import Planned

from web.jobs.residents import Resident, Residents


def residents(app: Flask) -> Residents:
    found: Residents = app.extensions["wangge"].residents
    return found


def resident(app: Flask, project: str) -> Resident:
    found = residents(app).get(project)
    assert found is not None
    return found


def pid(app: Flask, project: str) -> int:
    process = resident(app, project)._process
    assert process is not None
    return process.pid


def alive(number: int) -> bool:
    stat = Path(f"/proc/{number}/stat")
    return stat.exists() and stat.read_text().rsplit(")", 1)[1].split()[0] != "Z"


def test_one_process_answers_all_questions(covered: Covered) -> None:
    before = pid(covered.app, covered.project)
    covered.solve(minutes=3)
    covered.client.get(covered.base)
    assert pid(covered.app, covered.project) == before


def test_without_stations_the_page_says_what_to_do(client: FlaskClient) -> None:
    project = uploaded(client, "buildings", "communities", "roads")
    found = client.get(f"/api/v1/projects/{project}/coverage").get_json()
    assert found["state"] == "missing-stations"
    assert "站点" in found["message_zh"]
    assert "stations" in found["message_en"]
    answer = client.post(f"/api/v1/projects/{project}/coverage/solve", json={})
    assert (answer.status_code, answer.get_json()["code"]) == (409, "missing-stations")
    assert f"/projects/{project}/coverage" not in client.get(f"/projects/{project}").get_data(as_text=True)


def test_without_streets_the_answer_says_so(client: FlaskClient) -> None:
    """Neither streets nor candidates: ways by the factor, no scenario, no siting among candidates."""
    project = uploaded(client, "buildings", "communities", "stations")
    base = f"/api/v1/projects/{project}/coverage"
    found = ready(client, project)
    assert (found["method_default"], found["network"], found["candidates"]) == ("detour", None, [])
    answer = client.post(f"{base}/solve", json={"minutes": 3}).get_json()
    assert answer["method"] == "detour"
    assert "coverage-without-streets" in [finding["code"] for finding in answer["findings"]]
    refused = client.post(f"{base}/solve", json={"scenario": {"gates": [[117.0, 39.7]]}})
    assert refused.status_code == 400
    drawn = client.get(f"{base}/isochrones").get_json()
    assert [item["properties"]["error"] for item in drawn["features"]] == [None, None]
    siting = client.post(f"{base}/siting", json={"category": 0})
    assert (siting.status_code, siting.get_json()["code"]) == (400, "siting-no-candidates")


def test_the_life_of_a_model(app: Flask, client: FlaskClient) -> None:
    """It is built when it is asked for, replaced when its process dies, and ends with its project."""
    project = uploaded(client)
    base = f"/api/v1/projects/{project}/coverage"
    assert client.get(base).get_json()["state"] == "building"
    early = client.post(f"{base}/solve", json={})
    assert (early.status_code, early.get_json()["code"]) == (409, "coverage-building")
    assert client.get(f"{base}/buildings").status_code == 409
    assert ready(client, project)["state"] == "ready"

    os.kill(pid(app, project), signal.SIGKILL)
    assert client.post(f"{base}/solve", json={}).status_code in {409, 422}
    assert ready(client, project)["state"] == "ready"
    assert client.post(f"{base}/solve", json={}).status_code == 200

    number, folder = pid(app, project), resident(app, project).folder
    assert client.delete(f"/api/v1/projects/{project}").status_code == 204
    assert not alive(number)
    assert not folder.exists()
    assert client.get(base).status_code == 404


def test_projects_do_not_see_each_other(build: Callable[..., Flask]) -> None:
    """Two projects in turn, with room for one model: each gets its own stations, and the first process ends."""
    app = build(max_models=1)
    client = app.test_client()
    other = layers()["stations"].assign(category=["甲类", "乙类"])
    first, second = uploaded(client), uploaded(client, stations=other)
    assert [item["name"] for item in ready(client, first)["categories"]] == ["党群服务", "养老"]
    gone = pid(app, first)
    assert {item["name"] for item in ready(client, second)["categories"]} == {"甲类", "乙类"}
    assert not alive(gone)
    task = resident(app, second)._task
    assert all(first not in str(path) for path in (*task.read, *task.write))


def test_a_process_that_hangs_is_ended(build: Callable[..., Flask]) -> None:
    app = build(coverage_timeout_s=5)
    client = app.test_client()
    project = uploaded(client)
    ready(client, project)
    number = pid(app, project)
    os.kill(number, signal.SIGSTOP)
    begin = time.monotonic()
    answer = client.post(f"/api/v1/projects/{project}/coverage/solve", json={})
    assert (answer.status_code, answer.get_json()["code"]) == (422, "time-limit")
    assert time.monotonic() - begin < 15
    deadline = time.monotonic() + 10
    while alive(number) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not alive(number)


def test_a_plan_adds_its_grids(planned: Planned) -> None:
    found = ready(planned.client, planned.project)
    assert (found["state"], found["grids"]) == ("ready", True)
    base = f"/api/v1/projects/{planned.project}/coverage"
    grids = planned.client.get(f"{base}/layers/grids").get_json()["features"]
    answer: dict[str, Any] = planned.client.post(
        f"{base}/solve", json={"minutes": 2, "category": 0}
    ).get_json()
    assert len(answer["grids"]) == len(grids) > 1
    assert sum(answer["grids"]) == answer["totals"][0]["covered"] > 0
    export = planned.client.get(f"{base}/export/grids.csv?minutes=2")
    assert export.data.decode("utf-8-sig").count("\n") == len(grids) + 1
