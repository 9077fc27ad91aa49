"""Every bad upload gets a clear answer in both languages and leaves nothing behind; every good one is read."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import geopandas as gpd
import pytest
from flask import Flask
from flask.testing import FlaskClient
from web_make import archive, buildings, city, communities, form, gpkg, roles, send, shapefile
from werkzeug.test import TestResponse

BOTH = ["buildings=a.gpkg:buildings", "communities=a.gpkg:communities"]


def refused(app: Flask, answer: TestResponse, status: int | None = None) -> dict[str, Any]:
    """Check that an upload was refused, in both languages, and that nothing of it is left."""
    text = answer.get_data(as_text=True)
    assert 400 <= answer.status_code < 500, text
    assert status in {None, answer.status_code}, text
    assert answer.content_type == "application/problem+json"
    problem: dict[str, Any] = answer.get_json()
    assert problem["detail_zh"] != problem["detail_en"]
    assert min(len(problem["detail_zh"]), len(problem["detail_en"])) > 5
    data = app.extensions["wangge"].settings.data_dir
    assert str(data) not in text
    left = [path for name in ("projects", "tasks", "jobs") for path in (data / name).iterdir()]
    assert left == []
    return problem


def test_a_city_is_read(client: FlaskClient) -> None:
    answer = send(client, {"a.gpkg": gpkg(city())}, roles("a.gpkg"))
    assert answer.status_code == 201
    project = client.get(f"/api/v1/projects/{answer.get_json()['id']}").get_json()
    assert project["state"] == "ready"
    assert project["summary"]["communities"] == 2
    assert project["summary"]["households_in"] == int(buildings()["households"].sum())


def test_roles_are_guessed_when_none_are_given(client: FlaskClient) -> None:
    answer = send(client, {"a.gpkg": gpkg(city())})
    assert answer.status_code == 201
    assert {layer["role"] for layer in answer.get_json()["layers"]} == {
        "buildings",
        "communities",
        "stations",
    }


def test_shapefiles_come_as_parts_or_zipped(client: FlaskClient) -> None:
    parts = {f"楼栋{ending}": content for ending, content in shapefile(buildings()).items()}
    zipped = archive({f"数据/社区{ending}": content for ending, content in shapefile(communities()).items()})
    answer = send(client, {**parts, "社区.zip": zipped}, ["buildings=楼栋.shp", "communities=社区.zip"])
    assert answer.status_code == 201, answer.get_data(as_text=True)
    assert answer.get_json()["summary"]["buildings"] == len(buildings())


def test_geojson_is_read(client: FlaskClient) -> None:
    files = {
        "buildings.geojson": buildings().to_crs(4326).to_json(drop_id=True).encode(),
        "communities.json": communities().to_crs(4326).to_json(drop_id=True).encode(),
    }
    answer = send(client, files, ["buildings=buildings.geojson", "communities=communities.json"])
    assert answer.status_code == 201, answer.get_data(as_text=True)


def without(frame: gpd.GeoDataFrame, column: str) -> gpd.GeoDataFrame:
    return gpd.GeoDataFrame(frame.drop(columns=column))


def with_text(frame: gpd.GeoDataFrame) -> gpd.GeoDataFrame:
    counts = frame["households"].astype(str)
    counts.iloc[3] = "约三十户"
    return gpd.GeoDataFrame(frame.assign(households=counts))


BAD_CITIES: dict[str, Callable[[], dict[str, gpd.GeoDataFrame]]] = {
    "empty buildings": lambda: city(buildings=buildings().iloc[:0]),
    "empty communities": lambda: city(communities=communities().iloc[:0]),
    "buildings without coordinates": lambda: city(buildings=buildings(crs=None)),
    "communities without coordinates": lambda: city(communities=communities(crs=None)),
    "no household column": lambda: city(buildings=without(buildings(), "households")),
    "text in the count column": lambda: city(buildings=with_text(buildings())),
    "overlapping communities": lambda: city(communities=communities(overlap=120)),
    "buildings outside": lambda: city(buildings=buildings(shift=50_000)),
}


@pytest.mark.filterwarnings("ignore:'crs' was not provided")
@pytest.mark.parametrize("name", BAD_CITIES)
def test_bad_layers_are_refused(app: Flask, client: FlaskClient, name: str) -> None:
    problem = refused(app, send(client, {"a.gpkg": gpkg(BAD_CITIES[name]())}, BOTH), 422)
    assert problem["code"] not in {"unreadable", "internal", "reader-crashed"}


@pytest.mark.parametrize(
    ("files", "layers", "status"),
    [
        ({}, [], 400),
        ({"a.exe": b"MZ"}, [], 415),
        ({"a": b"x"}, [], 415),
        ({"a.gpkg": b""}, [], 422),
        ({"a.gpkg": b"no database"}, [], 415),
        ({"a.geojson": b"{"}, [], 415),
        ({"a.geojson": b'{"type": "gdal_streamed_alg"}'}, [], 415),
        ({"a.shp": b"\x00\x00\x27\x0a"}, [], 415),
        ({"a.dbf": b"x"}, [], 415),
        ({"a.xlsx": b"PK\x03\x04"}, [], 422),
        ({"a.zip": archive({"readme.txt": b"x"})}, [], 415),
    ],
)
def test_bad_files_are_refused(
    app: Flask, client: FlaskClient, files: dict[str, bytes], layers: list[str], status: int
) -> None:
    refused(app, send(client, files, layers), status)


def test_a_truncated_archive_is_refused(app: Flask, client: FlaskClient) -> None:
    whole = archive({f"a{ending}": content for ending, content in shapefile(buildings()).items()})
    for cut in (30, len(whole) // 2, len(whole) - 10):
        refused(app, send(client, {"a.zip": whole[:cut]}), 422)


@pytest.mark.parametrize(
    "layers",
    [
        ["rooms=a.gpkg:buildings"],
        ["buildings=b.gpkg"],
        ["buildings=a.gpkg:nothing"],
        ["x"],
        roles("a.gpkg", "buildings"),
    ],
)
def test_wrong_roles_are_refused(app: Flask, client: FlaskClient, layers: list[str]) -> None:
    refused(app, send(client, {"a.gpkg": gpkg(city())}, layers), 400)


def test_wrong_column_options_are_refused(app: Flask, client: FlaskClient) -> None:
    refused(app, send(client, {"a.gpkg": gpkg(city())}, BOTH, columns="households"), 400)


def test_too_many_and_too_large_are_refused(build: Callable[..., Flask]) -> None:
    app = build(max_files=2, max_upload_mb=1)
    client = app.test_client()
    refused(app, send(client, {f"{k}.csv": b"a" for k in range(3)}), 413)
    refused(app, send(client, {"a.csv": b"a" * (1 << 20)}), 413)


def test_a_slow_file_is_stopped(build: Callable[..., Flask]) -> None:
    app = build(inspect_timeout_s=0.05)
    problem = refused(app, send(app.test_client(), {"a.gpkg": gpkg(city())}), 422)
    assert problem["code"] == "time-limit"


@pytest.mark.parametrize(
    "name",
    ["../../evil.gpkg", "/etc/evil.gpkg", "..\\..\\evil.gpkg", "a\x00b.gpkg", "con.gpkg", "é中'<b>.gpkg"],
)
def test_the_clients_name_is_never_a_path(app: Flask, client: FlaskClient, name: str) -> None:
    answer = client.post("/projects", **form({name: gpkg(city())}))
    assert answer.status_code == 303
    data: Path = app.extensions["wangge"].settings.data_dir
    found = [path for path in data.parent.rglob("*") if path.suffix == ".gpkg"]
    assert len(found) == 1
    assert found[0].is_relative_to(data / "projects")
    assert len(found[0].stem) == 32
    page = client.get(answer.headers["Location"]).get_data(as_text=True)
    assert "<b>.gpkg" not in page


def test_pages_show_the_error_beside_the_form(client: FlaskClient) -> None:
    frames = BAD_CITIES["no household column"]()
    answer = client.post("/projects", **form({"a.gpkg": gpkg(frames)}))
    page = answer.headers["Location"]
    project = client.get(f"/api/v1{page.removesuffix('/layers')}").get_json()
    layers = project["files"][0]["layers"]
    chosen = {f"role-{project['files'][0]['id']}-{k}": layer["name"] for k, layer in enumerate(layers)}
    answer = client.post(page, data=chosen)
    assert answer.status_code == 422
    text = answer.get_data(as_text=True)
    assert 'role="alert"' in text
    assert "<form" in text
    assert client.get(f"/api/v1{page.removesuffix('/layers')}").get_json()["state"] == "draft"


def test_bad_numbers_are_refused(client: FlaskClient) -> None:
    project = send(client, {"a.gpkg": gpkg(city())}, BOTH).get_json()["id"]
    for body in (
        {"target": -1},
        {"target": "many"},
        {"standard": "no-such"},
        {"min": 500, "max": 100},
        {"unknown": 1},
        [],
    ):
        answer = client.post(
            f"/api/v1/projects/{project}/jobs", data=json.dumps(body), content_type="application/json"
        )
        assert answer.status_code == 400, body
        assert answer.get_json()["detail_zh"] != answer.get_json()["detail_en"]
    assert client.get(f"/api/v1/projects/{project}").get_json()["jobs"] == []
