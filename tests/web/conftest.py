"""Fixtures of the service's tests: an application on an empty folder, and one with a finished plan."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import postgres_make
import pytest
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po
from coverage_make import Covered, ready, uploaded
from flask import Flask
from flask.testing import FlaskClient
from plan_make import Edited, write_city_dataset
from web_make import Planned, city, gpkg, roles, send, wait_for
from werkzeug.test import TestResponse

from web import create_app
from web.settings import ROOT, Settings


@pytest.fixture(scope="session", autouse=True)
def compiled_messages() -> None:
    """Compile the Chinese messages when set-up has not."""
    folder = ROOT / "web" / "translations" / "zh_Hans_CN" / "LC_MESSAGES"
    source, target = folder / "messages.po", folder / "messages.mo"
    if not target.exists() or target.stat().st_mtime < source.stat().st_mtime:
        with source.open("rb") as file:
            catalog = read_po(file, locale="zh_Hans_CN")
        with target.open("wb") as file:
            write_mo(file, catalog)


@pytest.fixture(scope="session")
def postgres() -> Iterator[postgres_make.Server]:
    """A PostgreSQL server of this run; without its programs tests skip, in CI they fail."""
    server, folder = postgres_make.start(os.environ.get("CI") == "true")
    yield server
    server.stop()
    shutil.rmtree(folder, ignore_errors=True)


def _settings(folder: Path, **changes: Any) -> Settings:
    return Settings(data_dir=folder, **({"prepare_demo": False, "workers": 1} | changes))


@pytest.fixture
def build(tmp_path: Path) -> Iterator[Callable[..., Flask]]:
    """Make an application on this test's own folder; settings can be changed."""
    made: list[Flask] = []

    def make_app(**changes: Any) -> Flask:
        app = create_app(_settings(tmp_path / "data", **changes))
        made.append(app)
        return app

    yield make_app
    for app in made:
        app.extensions["wangge"].close()


@pytest.fixture
def app(build: Callable[..., Flask]) -> Flask:
    return build()


@pytest.fixture
def client(app: Flask) -> FlaskClient:
    return app.test_client()


Upload = Callable[..., TestResponse]


@pytest.fixture
def upload(client: FlaskClient) -> Upload:
    """Send files and roles to the JSON interface: ``upload({"a.gpkg": bytes}, ["buildings=a.gpkg:b"])``."""

    def send_files(files: dict[str, bytes], layers: list[str] | None = None, **fields: Any) -> TestResponse:
        return send(client, files, layers, **fields)

    return send_files


@pytest.fixture(scope="session")
def planned(tmp_path_factory: pytest.TempPathFactory, compiled_messages: None) -> Iterator[Planned]:
    """One application with an uploaded city and its plan, shared by tests that only read."""
    folder = tmp_path_factory.mktemp("planned")
    app = create_app(_settings(folder))
    client = app.test_client()
    answer = send(client, {"城区.gpkg": gpkg(city())}, roles("城区.gpkg"))
    assert answer.status_code == 201, answer.get_data(as_text=True)
    project = answer.get_json()["id"]
    job = client.post(f"/api/v1/projects/{project}/jobs", json={}).get_json()["id"]
    state = wait_for(client, job)
    assert state["state"] == "done", state
    yield Planned(app, project, job)
    app.extensions["wangge"].close()


@pytest.fixture(scope="session")
def covered(tmp_path_factory: pytest.TempPathFactory, compiled_messages: None) -> Iterator[Covered]:
    """One application with a city whose service model is ready, shared by tests that only ask."""
    app = create_app(_settings(tmp_path_factory.mktemp("covered")))
    client = app.test_client()
    project = uploaded(client)
    overview = ready(client, project)
    assert overview["state"] == "ready", overview
    yield Covered(app, project, overview)
    app.extensions["wangge"].close()


@pytest.fixture(scope="session")
def city_dataset(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Folder of the small city's dataset, named by its id."""
    folder = tmp_path_factory.mktemp("dataset")
    made = folder / "made"
    return made.rename(folder / write_city_dataset(made))


@pytest.fixture(scope="session")
def sqlite_plans(
    tmp_path_factory: pytest.TempPathFactory, compiled_messages: None, city_dataset: Path
) -> Iterator[Edited]:
    """One application with editable plans in the embedded store."""
    app = create_app(_settings(tmp_path_factory.mktemp("plans")))
    yield Edited(app, city_dataset)
    app.extensions["wangge"].close()


@pytest.fixture(scope="session")
def postgis_plans(
    tmp_path_factory: pytest.TempPathFactory,
    compiled_messages: None,
    city_dataset: Path,
    request: pytest.FixtureRequest,
) -> Iterator[Edited]:
    """The same on PostGIS."""
    url = request.getfixturevalue("postgres").database()
    app = create_app(_settings(tmp_path_factory.mktemp("plans"), database=url))
    yield Edited(app, city_dataset)
    app.extensions["wangge"].close()


@pytest.fixture(params=["sqlite", "postgis"])
def plan_app(request: pytest.FixtureRequest) -> Edited:
    """One application with editable plans, on each database in turn."""
    found: Edited = request.getfixturevalue(f"{request.param}_plans")
    return found


@pytest.fixture
def edited(plan_app: Edited) -> Edited:
    """A plan of this test's own in a project of its own, in the shared application."""
    return plan_app.another()
