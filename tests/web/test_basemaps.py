"""Base maps: none unless set; a local file is served as it is; the policy opens for one host on one page."""

from __future__ import annotations

import gzip
import json
import sqlite3
from collections.abc import Callable
from pathlib import Path

import pytest
from flask import Flask
from plan_make import Edited

from web.errors import SettingsError
from web.services.basemaps import origin_of

PNG = b"\x89PNG\r\n\x1a\nnot drawn"
SERVER = "https://tiles.example.org:8443"
TEMPLATE = SERVER + "/a/{z}/{x}/{y}.png?key={key}"


def mbtiles(path: Path, content: bytes, **metadata: str) -> Path:
    """Write a file with one tile: zoom 3, column 6, row 2 from the north."""
    database = sqlite3.connect(path)
    database.execute("CREATE TABLE metadata (name TEXT, value TEXT)")
    database.execute("CREATE TABLE tiles (zoom_level INT, tile_column INT, tile_row INT, tile_data BLOB)")
    database.executemany("INSERT INTO metadata VALUES (?, ?)", metadata.items())
    database.execute("INSERT INTO tiles VALUES (3, 6, 5, ?)", (content,))
    database.commit()
    database.close()
    return path


def pmtiles(path: Path, tile_type: int, described: dict[str, object]) -> Path:
    """Write the header and the metadata of an archive; its tiles are read in the browser alone."""
    text = gzip.compress(json.dumps(described).encode())
    head = bytearray(127)
    head[:8] = b"PMTiles\x03"
    head[24:32] = (127).to_bytes(8, "little")
    head[32:40] = len(text).to_bytes(8, "little")
    head[99:102] = bytes([tile_type, 4, 15])
    path.write_bytes(bytes(head) + text)
    return path


def test_there_is_none_by_default(app: Flask) -> None:
    client = app.test_client()
    assert client.get("/api/v1/basemaps").get_json() == {"basemaps": []}
    assert client.get("/api/v1/basemaps/file/tiles/3/6/2").status_code == 404
    assert client.get("/api/v1/basemaps/file/archive").status_code == 404


def test_tiles_of_an_mbtiles_file(build: Callable[..., Flask], tmp_path: Path) -> None:
    file = mbtiles(tmp_path / "town.mbtiles", PNG, format="png")
    client = build(basemap_file=file, basemap_crs="gcj02", basemap_attribution="Town").test_client()
    [told] = client.get("/api/v1/basemaps").get_json()["basemaps"]
    assert (told["form"], told["kind"], told["crs"]) == ("xyz", "raster", "gcj02")
    assert (told["min_zoom"], told["max_zoom"], told["attribution"]) == (3, 3, "Town")
    address = told["tiles"].replace("{z}", "3").replace("{x}", "6")
    found = client.get(address.replace("{y}", "2"))
    assert (found.status_code, found.data, found.mimetype) == (200, PNG, "image/png")
    assert client.get(address.replace("{y}", "3")).status_code == 204
    assert client.get(address.replace("{y}", "8")).status_code == 404


def test_vector_tiles_keep_their_compression_and_name_their_layers(
    build: Callable[..., Flask], tmp_path: Path
) -> None:
    layers = json.dumps({"vector_layers": [{"id": "roads"}, {"id": "water"}]})
    file = mbtiles(tmp_path / "town.mbtiles", gzip.compress(b"tile"), format="pbf", json=layers)
    client = build(basemap_file=file).test_client()
    [told] = client.get("/api/v1/basemaps").get_json()["basemaps"]
    assert (told["kind"], told["layers"]) == ("vector", ["roads", "water"])
    found = client.get("/api/v1/basemaps/file/tiles/3/6/2")
    assert found.headers["Content-Encoding"] == "gzip"
    assert gzip.decompress(found.data) == b"tile"


def test_a_pmtiles_file_is_read_in_parts(build: Callable[..., Flask], tmp_path: Path) -> None:
    file = pmtiles(tmp_path / "town.pmtiles", 1, {"vector_layers": [{"id": "land"}]})
    client = build(basemap_file=file).test_client()
    [told] = client.get("/api/v1/basemaps").get_json()["basemaps"]
    assert (told["form"], told["kind"], told["layers"]) == ("pmtiles", "vector", ["land"])
    assert (told["min_zoom"], told["max_zoom"]) == (4, 15)
    with client.get(told["tiles"], headers={"Range": "bytes=0-6"}) as part:
        assert (part.status_code, part.data) == (206, b"PMTiles")
    assert client.get("/api/v1/basemaps/file/tiles/3/6/2").status_code == 404


@pytest.mark.parametrize("content", [b"", b"PMTiles\x02" + bytes(200), b"not a map at all" * 20])
def test_a_file_that_is_no_base_map_is_named_at_the_start(
    build: Callable[..., Flask], tmp_path: Path, content: bytes
) -> None:
    file = tmp_path / "wrong.mbtiles"
    file.write_bytes(content)
    with pytest.raises(SettingsError) as caught:
        build(basemap_file=file)
    assert caught.value.code == "basemap-unreadable"
    assert "wrong.mbtiles" in caught.value.en


def test_a_server_opens_the_policy_of_the_editor_alone(build: Callable[..., Flask]) -> None:
    app = build(basemap_url=TEMPLATE, basemap_key="abc", basemap_crs="gcj02", basemap_max_zoom=17)
    client = app.test_client()
    [told] = client.get("/api/v1/basemaps").get_json()["basemaps"]
    assert told["tiles"] == TEMPLATE.replace("{key}", "abc")
    assert (told["crs"], told["max_zoom"]) == ("gcj02", 17)
    assert SERVER not in client.get("/").headers["Content-Security-Policy"]
    assert app.extensions["wangge"].basemaps.origin == SERVER


def test_the_editor_asks_nobody_else_by_default(sqlite_plans: Edited) -> None:
    policy = sqlite_plans.client.get(f"/plans/{sqlite_plans.id}").headers["Content-Security-Policy"]
    assert "connect-src 'self';" in policy
    assert "http" not in policy


@pytest.mark.parametrize(
    "template",
    [
        "https://example.org/{z}/{x}.png",
        "ftp://example.org/{z}/{x}/{y}.png",
        "https://{s}.example.org/{z}/{x}/{y}.png",
        "https://example.org; script-src */{z}/{x}/{y}",
        "//example.org/{z}/{x}/{y}",
    ],
)
def test_an_address_that_does_not_fit_is_refused(template: str) -> None:
    with pytest.raises(SettingsError) as caught:
        origin_of(template)
    assert caught.value.code == "basemap-address"
