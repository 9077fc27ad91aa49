"""Files made to read other files, to call out, or to exhaust the service get nowhere."""

from __future__ import annotations

import io
import json
import sqlite3
import stat
import tempfile
import threading
import zipfile
from collections.abc import Iterator
from contextlib import closing
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest
from flask import Flask
from flask.testing import FlaskClient
from test_upload import refused
from web_make import archive, buildings, city, gpkg, send, shapefile

CANARY = "CANARY-4711"


@pytest.fixture
def canary(tmp_path: Path) -> Path:
    path = tmp_path / "canary.csv"
    path.write_text(f"name,x,y\n{CANARY},1,2\n")
    return path


@pytest.fixture
def calls() -> Iterator[tuple[str, list[str]]]:
    """A listener that must not be called: its address, and the paths that were asked for."""
    asked: list[str] = []

    class Listener(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked.append(self.path)
            self.send_error(404)

        def log_message(self, *_: object) -> None:
            pass

    with HTTPServer(("127.0.0.1", 0), Listener) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}", asked
        server.shutdown()
        thread.join()


@pytest.mark.parametrize("ending", ["geojson", "json", "gpkg", "shp", "csv", "xlsx", "zip"])
def test_a_disguised_vrt_reads_nothing(app: Flask, client: FlaskClient, canary: Path, ending: str) -> None:
    vrt = (
        f'<OGRVRTDataSource><OGRVRTLayer name="canary"><SrcDataSource>{canary}</SrcDataSource>'
        "</OGRVRTLayer></OGRVRTDataSource>"
    ).encode()
    files = {f"a.{ending}": vrt}
    if ending == "shp":
        files["a.dbf"] = vrt
    answer = send(client, files, [f"buildings=a.{ending}", f"communities=a.{ending}"])
    assert CANARY not in answer.get_data(as_text=True)
    refused(app, answer)


@pytest.mark.parametrize("kind", ["link", "url", "EPSG", None])
def test_geojson_with_a_foreign_crs_calls_nobody(
    app: Flask, client: FlaskClient, calls: tuple[str, list[str]], kind: str | None
) -> None:
    address, asked = calls
    document = json.loads(buildings().to_crs(4326).to_json(drop_id=True))
    crs = {"type": kind, "properties": {"href": f"{address}/crs", "url": f"{address}/crs", "type": "proj4"}}
    document["crs"] = crs if kind else f"{address}/crs"
    refused(app, send(client, {"a.geojson": json.dumps(document).encode()}), 422)
    document["features"][5]["geometry"]["crs"] = document.pop("crs")
    refused(app, send(client, {"a.geojson": json.dumps(document).encode()}), 422)
    assert asked == []


def altered(statements: list[str]) -> bytes:
    """A good GeoPackage with rows smuggled into its schema."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "a.gpkg"
        path.write_bytes(gpkg(city()))
        with closing(sqlite3.connect(path)) as database, database:
            database.execute("PRAGMA writable_schema=ON")
            for name, sql in zip("xyz", statements, strict=False):
                kind = "view" if "VIEW" in sql.upper() else "table"
                row = (kind, name, name, 0, sql)
                database.execute("INSERT INTO sqlite_master VALUES (?, ?, ?, ?, ?)", row)
        return path.read_bytes()


@pytest.mark.parametrize(
    "sql",
    [
        "CREATE VIRTUAL TABLE x USING VirtualText('{canary}', 'UTF-8', 1)",
        "create/**/ virtual  table x using  \"virtualshape\"('{canary}')",
        "CREATE VIRTUAL TABLE IF NOT EXISTS x USING [VirtualOGR]('{canary}')",
        "CREATE VIEW x AS SELECT randomblob(900000000)",
        "CREATE VIEW x AS WITH RECURSIVE r(n) AS (SELECT 1 UNION ALL SELECT n+1 FROM r) SELECT n FROM r",
    ],
)
def test_active_content_in_a_geopackage_is_refused(
    app: Flask, client: FlaskClient, canary: Path, sql: str
) -> None:
    answer = send(client, {"a.gpkg": altered([sql.format(canary=canary)])})
    assert CANARY not in answer.get_data(as_text=True)
    problem = refused(app, answer, 422)
    assert problem["code"] in {"gpkg-active-content", "file-refused"}


def members(**parts: bytes) -> dict[str, bytes]:
    return {f"a.{name}": content for name, content in parts.items()}


def linked(canary: Path) -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as opened:
        for ending, content in shapefile(buildings()).items():
            opened.writestr(f"a{ending}", content)
        link = zipfile.ZipInfo("b.shp")
        link.external_attr = (stat.S_IFLNK | 0o777) << 16
        opened.writestr(link, str(canary))
    return stream.getvalue()


def doubled() -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as opened:
        opened.writestr("a.shp", b"1")
        with pytest.warns(UserWarning, match="Duplicate name"):
            opened.writestr("a.shp", b"2")
    return stream.getvalue()


def locked() -> bytes:
    content = bytearray(archive(members(shp=b"x", dbf=b"x")))
    for signature, offset in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        content[content.index(signature) + offset] |= 1
    return bytes(content)


def test_archives_with_tricks_are_refused(app: Flask, client: FlaskClient, canary: Path) -> None:
    shp = shapefile(buildings())
    for content in (
        linked(canary),
        doubled(),
        locked(),
        archive({f"../{canary.name}": b"x", **{f"a{k}": v for k, v in shp.items()}}),
        archive({"/etc/a.shp": shp[".shp"]}),
        archive({"C:\\a.shp": shp[".shp"]}),
    ):
        answer = send(client, {"a.zip": content})
        assert CANARY not in answer.get_data(as_text=True)
        refused(app, answer, 422)


def test_a_zip_bomb_is_stopped_while_it_unpacks(build, tmp_path: Path) -> None:
    app = build(max_unpacked_mb=8)
    bomb = archive(members(shp=b"\x00\x00\x27\x0a" + bytes(200 << 20), dbf=b"x"))
    assert len(bomb) < 1 << 20
    refused(app, send(app.test_client(), {"a.zip": bomb}), 413)


def workbook(sheet: bytes) -> bytes:
    return archive({"[Content_Types].xml": b"<Types/>", "xl/worksheets/sheet1.xml": sheet})


def test_workbooks_that_reach_too_far_or_declare_entities_are_refused(
    app: Flask, client: FlaskClient
) -> None:
    far = (
        b'<worksheet><sheetData><row r="1048576"><c r="XFD1048576"><v>1</v></c></row></sheetData></worksheet>'
    )
    refused(app, send(client, {"a.xlsx": workbook(far)}), 413)
    laughs = b'<!DOCTYPE x [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;">]><worksheet>&b;</worksheet>'
    refused(app, send(client, {"a.xlsx": workbook(laughs)}), 422)


def test_deeply_nested_json_does_not_crash(app: Flask, client: FlaskClient) -> None:
    nested = b'{"type":"GeometryCollection","geometries":[' * 30_000
    refused(app, send(client, {"a.geojson": nested}), 415)
