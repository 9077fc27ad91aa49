"""A small city with streets, stations of two categories and candidates, and what its coverage page asks."""

from __future__ import annotations

import base64
import tempfile
import time
from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import pytest
from flask import Flask
from flask.testing import FlaskClient
from shapely import LineString, Point
from web_make import ORIGIN, UTM, buildings, communities, gpkg, roles, send
from werkzeug.test import TestResponse

from geo.city import City
from geo.intake import load_city
from geo.layers import Source
from geo.types import Role

READY_LIMIT_S = 300
LAYERS: tuple[Role, ...] = ("buildings", "communities", "roads", "stations", "candidates")


def place(x: float, y: float) -> Point:
    """A point, metres from the city's corner."""
    return Point(ORIGIN[0] + x, ORIGIN[1] + y)


def lonlat(x: float, y: float) -> dict[str, float]:
    """The same as longitude and latitude."""
    point = gpd.GeoSeries([place(x, y)], crs=UTM).to_crs("EPSG:4326").iloc[0]
    return {"lon": float(point.x), "lat": float(point.y)}


def layers() -> dict[str, gpd.GeoDataFrame]:
    """Sixty buildings among streets 150 m apart; two stations, one with hours; three candidates."""
    across = [LineString([place(x, 0), place(x, 300)]) for x in (0, 150, 300, 450, 600)]
    along = [LineString([place(0, y), place(600, y)]) for y in (0, 150, 300)]
    streets = gpd.GeoDataFrame({"name": [f"路{k}" for k in range(8)]}, geometry=[*across, *along], crs=UTM)
    stations = gpd.GeoDataFrame(
        {
            "name": ["党群服务站", "养老服务站"],
            "category": ["党群服务", "养老"],
            "opening_hours": ["Mo-Fr 09:00-17:00", ""],
        },
        geometry=[place(100, 100), place(500, 200)],
        crs=UTM,
    )
    candidates = gpd.GeoDataFrame(
        {"name": ["甲", "乙", "丙"]},
        geometry=[place(560, 20), place(300, 150), place(20, 280)],
        crs=UTM,
    )
    return {
        "buildings": buildings(),
        "communities": communities(),
        "roads": streets,
        "stations": stations,
        "candidates": candidates,
    }


def as_read() -> City:
    """The city as the library reads it, for comparison."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "city.gpkg"
        path.write_bytes(gpkg(layers()))
        return load_city([Source(role, path, role) for role in LAYERS], columns={})


def ready(client: FlaskClient, project: str) -> dict[str, Any]:
    """Return the overview once the model is no longer being built."""
    deadline = time.monotonic() + READY_LIMIT_S
    while time.monotonic() < deadline:
        found: dict[str, Any] = client.get(f"/api/v1/projects/{project}/coverage").get_json()
        if found["state"] != "building":
            return found
        time.sleep(0.1)
    pytest.fail("the model was not built")


def uploaded(client: FlaskClient, *names: str, **changes: gpd.GeoDataFrame) -> str:
    """Upload the city, or some layers of it, and return the project's id."""
    chosen = {name: frame for name, frame in (layers() | changes).items() if name in (names or LAYERS)}
    answer = send(client, {"city.gpkg": gpkg(chosen)}, roles("city.gpkg", *chosen))
    assert answer.status_code == 201, answer.get_data(as_text=True)
    return str(answer.get_json()["id"])


class Covered:
    """An application with a project whose model is ready."""

    def __init__(self, app: Flask, project: str, overview: dict[str, Any]) -> None:
        self.app, self.project, self.overview = app, project, overview
        self.base = f"/api/v1/projects/{project}/coverage"

    @property
    def client(self) -> FlaskClient:
        return self.app.test_client()

    def post(self, **question: Any) -> TestResponse:
        return self.client.post(f"{self.base}/solve", json=question)

    def solve(self, **question: Any) -> dict[str, Any]:
        """Answer a question that must have one."""
        answer = self.post(**question)
        assert answer.status_code == 200, answer.get_data(as_text=True)
        return dict(answer.get_json())


def minutes_of(answer: dict[str, Any]) -> np.ndarray[Any, np.dtype[np.float64]]:
    """Walking minutes of every building, NaN where there is no way."""
    raw = np.frombuffer(base64.b64decode(answer["minutes"]), "<u2")
    return np.where(raw == 65535, np.nan, raw / 100)
