"""Real places through the upload of the service: the same plan as the command line makes."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from flask.testing import FlaskClient
from web_make import send, wait_for

PLACES = {
    "ang_mo_kio.gpkg": ("blocks", "subzones", "road_sections"),
    "cambridge.gpkg": ("parcels_units", "neighborhoods", "streets"),
}


@pytest.mark.parametrize("name", sorted(PLACES))
def test_a_real_place_gets_a_plan(name: str, client: FlaskClient, real_layer: Callable[[str], Path]) -> None:
    homes, areas, roads = PLACES[name]
    layers = [f"buildings={name}:{homes}", f"communities={name}:{areas}", f"roads={name}:{roads}"]
    layers.append(f"stations={name}:service_points")
    answer = send(client, {name: real_layer(name).read_bytes()}, layers)
    assert answer.status_code == 201, answer.get_data(as_text=True)
    project = answer.get_json()
    job = client.post(f"/api/v1/projects/{project['id']}/jobs", json={}).get_json()["id"]
    state = wait_for(client, job)
    assert state["state"] == "done", state

    files = {
        file: client.get(f"/api/v1/jobs/{job}/files/{file}") for file in ("report.json", "grids.geojson")
    }
    report, grids = (json.loads(files[file].get_data()) for file in ("report.json", "grids.geojson"))
    for answer in files.values():
        answer.close()
    households = report["households"]
    assert households["in"] == project["summary"]["households_in"]
    assert households["in"] == households["placed"] + households["unplaced"]
    assert households["placed"] == sum(f["properties"]["households"] for f in grids["features"])
    assert report["exact_tiling"]["ok"]
    assert report["contiguity"]["ok"]
    assert {f["geometry"]["type"] for f in grids["features"]} == {"Polygon"}
    assert client.get(f"/projects/{project['id']}/plans/{job}/map").status_code == 200
