"""Make small cities, good and bad files, and requests for the tests."""

from __future__ import annotations

import io
import json
import tempfile
import time
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import pyogrio
import pytest
from flask import Flask
from flask.testing import FlaskClient
from shapely import box
from werkzeug.test import TestResponse

UTM = "EPSG:32650"
ORIGIN = (450_000.0, 4_400_000.0)
SIDE = 300.0


def communities(*, overlap: float = 0.0, crs: str | None = UTM) -> gpd.GeoDataFrame:
    """Two square communities side by side, the second moved over the first by `overlap` metres."""
    x, y = ORIGIN
    shapes = [box(x, y, x + SIDE, y + SIDE), box(x + SIDE - overlap, y, x + 2 * SIDE, y + SIDE)]
    names = ["东河社区", "西河社区"]
    return gpd.GeoDataFrame(
        {"社区编码": ["110101001001", "110101001002"], "社区名称": names}, geometry=shapes, crs=crs
    )


def buildings(*, shift: float = 0.0, crs: str | None = UTM) -> gpd.GeoDataFrame:
    """Thirty slab blocks in each community, moved east by `shift` metres."""
    x, y = ORIGIN
    rng = np.random.default_rng(7)
    shapes = [
        box(left, low, left + 34, low + 12)
        for side in (0, 1)
        for column in range(5)
        for row in range(6)
        for left, low in [(x + shift + side * SIDE + 20 + column * 54, y + 20 + row * 46)]
    ]
    frame = {
        "building_id": [f"B{k:03d}" for k in range(len(shapes))],
        "households": rng.integers(20, 40, len(shapes)),
        "地址": ["滨河路<script>alert(1)</script>"] * len(shapes),
    }
    return gpd.GeoDataFrame(frame, geometry=shapes, crs=crs)


def stations() -> gpd.GeoDataFrame:
    """One community service station."""
    x, y = ORIGIN
    points = gpd.points_from_xy([x + 100], [y + 100], crs=UTM)
    return gpd.GeoDataFrame({"name": ["党群服务站"], "category": ["党群服务"]}, geometry=points)


def city(**changes: gpd.GeoDataFrame) -> dict[str, gpd.GeoDataFrame]:
    """A small city: layers by role."""
    return {"buildings": buildings(), "communities": communities(), "stations": stations()} | changes


def gpkg(layers: Mapping[str, gpd.GeoDataFrame]) -> bytes:
    """Write layers to a GeoPackage in memory."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "layers.gpkg"
        for name, frame in layers.items():
            kind = "Unknown" if frame.empty else None
            pyogrio.write_dataframe(frame, path, layer=name, append=path.exists(), geometry_type=kind)
        return path.read_bytes()


def shapefile(frame: gpd.GeoDataFrame) -> dict[str, bytes]:
    """Write a frame as the parts of a shapefile: ending to content."""
    with tempfile.TemporaryDirectory() as folder:
        frame = frame.rename(
            columns={"building_id": "bldg_id", "地址": "addr", "社区编码": "code", "社区名称": "name"}
        )
        frame.to_file(Path(folder) / "layer.shp", encoding="utf-8")
        return {path.suffix: path.read_bytes() for path in Path(folder).iterdir()}


def archive(members: Mapping[str, bytes]) -> bytes:
    """Zip members in memory."""
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as opened:
        for name, content in members.items():
            opened.writestr(name, content)
    return stream.getvalue()


def roles(file: str, *names: str) -> list[str]:
    """Roles for layers that are named after them."""
    return [f"{name}={file}:{name}" for name in names or ("buildings", "communities", "stations")]


def form(files: Mapping[str, bytes], **fields: str | list[str]) -> dict[str, Any]:
    """Encode a form with files as a browser does: arguments for the test client."""
    line = b"-----------------------wangge"
    parts = []
    for name, value in fields.items():
        texts = value if isinstance(value, list) else [value]
        parts += [(f'name="{name}"', text.encode()) for text in texts]
    for name, content in files.items():
        shown = name.replace('"', "%22")
        parts.append((f'name="files"; filename="{shown}"\r\nContent-Type: application/octet-stream', content))
    body = b"".join(
        b"--%b\r\nContent-Disposition: form-data; %b\r\n\r\n%b\r\n" % (line, head.encode(), content)
        for head, content in parts
    )
    return {
        "data": body + b"--%b--\r\n" % line,
        "content_type": f"multipart/form-data; boundary={line.decode()}",
    }


def send(
    client: FlaskClient, files: Mapping[str, bytes], layers: list[str] | None = None, **fields: str
) -> TestResponse:
    """Upload files with roles in one request."""
    return client.post("/api/v1/projects", **form(files, layers=layers or [], **fields))


PLAN_LIMIT_S = 600


def wait_for(client: FlaskClient, job: str) -> dict[str, Any]:
    """Return the job once it is over."""
    deadline = time.monotonic() + PLAN_LIMIT_S
    while time.monotonic() < deadline:
        state: dict[str, Any] = client.get(f"/api/v1/jobs/{job}").get_json()
        if state["state"] not in {"queued", "running"}:
            return state
        time.sleep(0.1)
    pytest.fail("the job did not end")


class Planned:
    """An application with a finished plan, and the ids of its project and job."""

    def __init__(self, app: Flask, project: str, job: str) -> None:
        self.app, self.project, self.job = app, project, job

    @property
    def client(self) -> FlaskClient:
        return self.app.test_client()

    @property
    def page(self) -> str:
        return f"/projects/{self.project}"

    @property
    def plan(self) -> str:
        return f"/projects/{self.project}/plans/{self.job}"

    def result(self, name: str) -> Any:
        """Read a JSON result."""
        with self.client.get(f"{self.plan}/files/{name}") as answer:
            return json.loads(answer.data)
