"""A base map under the plan: a file of either form and kind, or a tile server; nothing else is asked.

Each file is small and made here.
"""

from __future__ import annotations

import contextlib
import json
import re
import shutil
import sqlite3
import struct
import threading
import time
import zlib
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import geopandas as gpd
import numpy as np
import pyogrio
import pytest
from editing import OPEN_MS, SAVED_MS, Editor, asked, demo_plan
from pixels import colours, seen
from playwright.sync_api import Browser, expect
from serving import serving
from shapely import box
from watching import watch

pytestmark = pytest.mark.browser

LOW, HIGH = 8, 12
"""Zooms of the tiles; the map shows them larger above."""
AROUND = (118.0, 30.0, 122.0, 33.0)
"""Degrees that the tiles cover: all that the page may show of the demo."""
PINK = (230, 20, 160)
SIDE = 256
APART = 20


def png(paint: Callable[[int, int], tuple[int, int, int]]) -> bytes:
    """Write an image of one tile."""
    rows = b"".join(
        b"\x00" + b"".join(bytes(paint(x, y)) for x in range(SIDE)) for y in range(SIDE)
    )  # each row begins with its filter: none

    def chunk(kind: bytes, content: bytes) -> bytes:
        return (
            struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))
        )

    head = struct.pack(">IIBBBBB", SIDE, SIDE, 8, 2, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", head)
        + chunk(b"IDAT", zlib.compress(rows))
        + chunk(b"IEND", b"")
    )


def raster_mbtiles(path: Path) -> Path:
    tile = png(lambda _x, _y: PINK)
    with contextlib.closing(sqlite3.connect(path)) as database, database:
        database.execute("CREATE TABLE metadata (name TEXT, value TEXT)")
        database.execute("CREATE TABLE tiles (zoom_level INT, tile_column INT, tile_row INT, tile_data BLOB)")
        database.execute("INSERT INTO metadata VALUES ('format', 'png')")
        for zoom in range(LOW, HIGH + 1):
            west, north = tile_at(AROUND[0], AROUND[3], zoom)
            east, south = tile_at(AROUND[2], AROUND[1], zoom)
            rows = [
                (zoom, x, (1 << zoom) - 1 - y, tile)
                for x in range(west, east + 1)
                for y in range(north, south + 1)
            ]
            database.executemany("INSERT INTO tiles VALUES (?, ?, ?, ?)", rows)
    return path


def tile_at(lon: float, lat: float, zoom: int) -> tuple[int, int]:
    n = 1 << zoom
    y = (1 - np.arcsinh(np.tan(np.radians(lat))) / np.pi) / 2
    return int((lon + 180) / 360 * n), int(y * n)


def raster_pmtiles(path: Path) -> Path:
    """One image for every tile down to a zoom: a single entry of the directory that runs over all of them."""
    tile = png(lambda _x, _y: PINK)
    count = (4 ** (HIGH + 1) - 1) // 3
    directory = b"".join(varint(n) for n in (1, 0, count, len(tile), 1))
    metadata = b"{}"
    at = [127, 127 + len(directory), 127 + len(directory) + len(metadata)]
    head = b"PMTiles\x03" + struct.pack(
        "<11Q", at[0], len(directory), at[1], len(metadata), 0, 0, at[2], len(tile), count, 1, 1
    )
    # Clustered; nothing is compressed; images are PNG.
    head += bytes([1, 1, 1, 2, 0, HIGH]) + struct.pack("<4i", -1800000000, -850000000, 1800000000, 850000000)
    head += bytes([HIGH]) + struct.pack("<2i", 0, 0)
    assert len(head) == 127
    path.write_bytes(head + directory + metadata + tile)
    return path


def varint(number: int) -> bytes:
    out = b""
    while number > 0x7F:
        out += bytes([number & 0x7F | 0x80])
        number >>= 7
    return out + bytes([number])


def vector(path: Path) -> Path:
    """Land everywhere, as vector tiles."""
    frame = gpd.GeoDataFrame({"k": [1]}, geometry=[box(*AROUND)], crs="EPSG:4326")
    form = {"FORMAT": "MBTILES"} if path.suffix == ".mbtiles" else {}
    pyogrio.write_dataframe(
        frame,
        path,
        layer="land",
        driver="MVT" if form else "PMTiles",
        dataset_options={"MINZOOM": "0", "MAXZOOM": "10"} | form,
    )
    return path


@pytest.fixture(scope="module")
def copied(tmp_path_factory: pytest.TempPathFactory, server: str, data: Path) -> Path:
    """A copy of the folder of the service that all tests share: its city need not be planned once more."""
    demo_plan(server)
    deadline = time.monotonic() + OPEN_MS / 1000
    while json.loads(asked(f"{server}/health"))["jobs_open"] > 0:  # the map tiles, after the plan
        assert time.monotonic() < deadline
        time.sleep(0.2)
    folder = tmp_path_factory.mktemp("under")
    with (
        contextlib.closing(sqlite3.connect(f"{(data / 'wangge.db').as_uri()}?mode=ro", uri=True)) as now,
        contextlib.closing(sqlite3.connect(folder / "wangge.db")) as copy,
    ):
        now.backup(copy)
    for name in ("datasets", "projects", "jobs"):
        shutil.copytree(data / name, folder / name)
    return folder


class Looker:
    """An open editor whose list of layers offers base maps."""

    def __init__(self, browser: Browser, address: str) -> None:
        self.watched = watch(browser, address, viewport={"width": 1200, "height": 760})
        self.page = self.watched.page
        self.editor = Editor.open(self.page, address, demo_plan(address)[1])
        self.page.click("#tab-parameters")
        self.page.mouse.move(1190, 5)
        box_ = self.page.locator(".maplibregl-canvas").bounding_box()
        assert box_ is not None
        screen = self.editor.screen() - [box_["x"], box_["y"]]
        self.beside = (float(screen[:, 0].min()) - 30, box_["height"] / 2)
        """A point of the map beside the city."""
        assert self.beside[0] > 5
        middle = np.median(screen, axis=0)
        cell = int(np.abs(screen - middle).sum(axis=1).argmin())
        self.inside = float(screen[cell][0]), float(screen[cell][1])

    def look(self) -> list[tuple[int, int, int]]:
        """Colours beside the city and inside a grid."""
        return colours(self.page, seen(self.page), [self.beside, self.inside])

    def choose(self, name: str, on: bool) -> None:
        self.page.locator(f"[name=base-{name}]").set_checked(on)

    def changed(
        self, before: list[tuple[int, int, int]], *, back: bool = False
    ) -> list[tuple[int, int, int]]:
        """Wait until the ground beside the city looks otherwise than before (or the same again)."""
        for _ in range(100):
            now = self.look()
            if (_apart(now[0], before[0]) > APART / 2) != back:
                return now
            self.page.wait_for_timeout(100)
        raise AssertionError(f"{before} and {now}")

    def close(self, *others: str) -> None:
        """Fail if anybody but these hosts was asked, or if the page complained."""
        self.page.context.close()
        self.watched.hosts -= set(others)
        self.watched.check()


def _apart(one: tuple[int, int, int], two: tuple[int, int, int]) -> int:
    return max(abs(a - b) for a, b in zip(one, two, strict=True))


FILES: dict[str, Callable[[Path], Path]] = {
    "town.mbtiles": raster_mbtiles,
    "town.pmtiles": raster_pmtiles,
    "land.mbtiles": vector,
    "land.pmtiles": vector,
}


@pytest.mark.parametrize("name", FILES)
def test_a_file_lies_under_the_plan(browser: Browser, copied: Path, tmp_path: Path, name: str) -> None:
    file, raster = FILES[name](tmp_path / name), FILES[name] is not vector
    with serving(copied, WANGGE_BASEMAP_FILE=str(file), WANGGE_BASEMAP_ATTRIBUTION="© Town") as address:
        looker = Looker(browser, address)
        expect(looker.page.locator("[name=base-url]")).to_have_count(0)
        bare = looker.look()
        looker.choose("file", True)
        beside, inside = looker.changed(bare)
        expect(looker.page.locator(".stage .attribution")).to_have_text("© Town")
        if raster:
            assert beside[0] > 150 > beside[1] + 40, "the image is there, paler"
        assert _apart(inside, beside) > APART, "the grids lie over it"
        looker.choose("file", False)
        looker.changed(bare, back=True)
        expect(looker.page.locator(".stage .attribution")).to_be_hidden()
        looker.close()


class Tiles(BaseHTTPRequestHandler):
    """A tile server of somebody else: pink tiles with a dark western edge."""

    asked: set[tuple[int, int, int]]
    tile = png(lambda x, _y: (0, 0, 0) if x < 4 else PINK)

    def do_GET(self) -> None:
        found = re.fullmatch(r"/t/(\d+)/(\d+)/(\d+)\.png\?key=secret", self.path)
        if found is None:
            self.send_error(404)
            return
        type(self).asked.add(tuple(int(part) for part in found.groups()))  # type: ignore[arg-type]
        self.send_response(200)
        self.send_header("Content-Type", "image/png")
        self.send_header("Access-Control-Allow-Origin", "*")
        self.end_headers()
        self.wfile.write(self.tile)

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@pytest.fixture
def tile_server() -> Iterator[str]:
    Tiles.asked = set()
    with ThreadingHTTPServer(("127.0.0.1", 0), Tiles) as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        yield f"127.0.0.1:{server.server_address[1]}"
        server.shutdown()
        thread.join()


def test_a_tile_server_in_shifted_coordinates_is_asked_only_when_chosen(
    browser: Browser, copied: Path, tile_server: str
) -> None:
    settings = {
        "WANGGE_BASEMAP_URL": f"http://{tile_server}/t/{{z}}/{{x}}/{{y}}.png?key={{key}}",
        "WANGGE_BASEMAP_KEY": "secret",
        "WANGGE_BASEMAP_CRS": "gcj02",
        "WANGGE_BASEMAP_ATTRIBUTION": "© Somebody",
    }
    with serving(copied, **settings) as address:
        looker = Looker(browser, address)
        expect(looker.page.locator("[name=base-file]")).to_have_count(0)
        bare = looker.look()
        assert Tiles.asked == set()
        looker.choose("url", True)
        beside, inside = looker.changed(bare)
        assert beside[0] > 150 > beside[1] + 40
        assert _apart(inside, beside) > APART
        expect(looker.page.locator(".stage .attribution")).to_have_text("© Somebody", timeout=SAVED_MS)
        shifted(looker)
        looker.close(tile_server)


def shifted(looker: Looker) -> None:
    """The western edges of tiles stand where GCJ-02 has them, not where WGS 84 would."""
    page = looker.page
    page.keyboard.press(".")
    for _ in range(4):  # two levels out: much ground beside the city
        page.keyboard.press("-")
    looker.editor.still()
    view = looker.editor.stage.get_attribute("data-view") or ""
    lon0, lat0, level = (float(part) for part in view.split(","))
    frame = page.locator(".maplibregl-canvas").bounding_box()
    assert frame is not None
    scale = 512 * 2**level
    dark: list[int] = []
    for _ in range(60):
        row = [(float(x), frame["height"] / 2 + 40) for x in range(4, 380)]
        dark = [k + 4 for k, (r, g, b) in enumerate(colours(page, seen(page), row)) if max(r, g, b) < 90]
        if dark:
            break
        page.wait_for_timeout(100)
    assert dark, "an edge lies beside the city"
    zoom = round(level + 1)  # tiles of 256 pixels
    assert any(z == zoom for z, _, _ in Tiles.asked)
    lon = lon0 + (dark[0] - frame["width"] / 2) / scale * 360
    wide = 360 / 2**zoom
    plain = (lon + 180) / wide % 1  # share of a tile from the nearest edge in WGS 84
    moved = (lon + east(lon, lat0) + 180) / wide % 1
    assert min(moved, 1 - moved) * wide / 360 * scale <= 4, "where the shifted map has an edge"
    assert min(plain, 1 - plain) > 2 * min(moved, 1 - moved)


def east(lon: float, lat: float) -> float:
    """Degrees that GCJ-02 lies east of WGS 84, by its published formula."""
    x, y = lon - 105.0, lat - 35.0
    d = 300.0 + x + 2.0 * y + 0.1 * x * x + 0.1 * x * y + 0.1 * np.sqrt(abs(x))
    d += (20.0 * np.sin(6.0 * x * np.pi) + 20.0 * np.sin(2.0 * x * np.pi)) * 2.0 / 3.0
    d += (20.0 * np.sin(x * np.pi) + 40.0 * np.sin(x / 3.0 * np.pi)) * 2.0 / 3.0
    d += (150.0 * np.sin(x / 12.0 * np.pi) + 300.0 * np.sin(x / 30.0 * np.pi)) * 2.0 / 3.0
    axis, flat = 6378245.0, 0.00669342162296594323
    turned = 1 - flat * np.sin(np.radians(lat)) ** 2
    return float(d * 180.0 / (axis / np.sqrt(turned) * np.cos(np.radians(lat)) * np.pi))
