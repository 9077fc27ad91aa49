"""Base maps under the plans: a file on this machine, or a tile server that the operator names. None by default."""

from __future__ import annotations

import gzip
import json
import re
import sqlite3
import zlib
from contextlib import closing
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from web.errors import SettingsError, file_missing

if TYPE_CHECKING:
    from pathlib import Path

    from web.settings import Settings

FILE, URL = "file", "url"
PLACES = re.compile(r"\{[a-z]+\}")
MAX_ZOOM = 24
MIME = {
    "png": "image/png",
    "jpg": "image/jpeg",
    "jpeg": "image/jpeg",
    "webp": "image/webp",
    "pbf": "application/vnd.mapbox-vector-tile",
}
PMTILES_TYPES = {1: "pbf", 2: "png", 3: "jpg", 4: "webp"}
PMTILES_HEADER = 127
MAX_METADATA = 4 * 1024 * 1024
GZIP_MAGIC = b"\x1f\x8b"


@dataclass(frozen=True)
class Basemap:
    """A base map as the editor is told of it.

    Attributes
    ----------
    id
        ``file`` or ``url``.
    form
        ``xyz``: `tiles` is an address with ``{z}``, ``{x}``, ``{y}``; ``pmtiles``: the address of an archive.
    kind
        ``raster`` or ``vector``.
    crs
        ``wgs84`` or ``gcj02``: the coordinates in which the tiles are drawn.
    layers
        Names of the layers of vector tiles.
    """

    id: str
    form: str
    kind: str
    tiles: str
    crs: str
    attribution: str
    min_zoom: int
    max_zoom: int
    layers: tuple[str, ...] = ()


class Basemaps:
    """What the settings name; the file is looked at once."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self.origin = origin_of(settings.basemap_url)
        """Scheme and host of the tile server for a Content-Security-Policy; empty without one."""
        self._file: Path | None = settings.basemap_file
        self._mime = ""
        self._described = self._describe_file(settings.basemap_file) if settings.basemap_file else None

    def all(self, root: str) -> list[Basemap]:
        """Return the base maps; `root` is the address before ``/basemaps``."""
        found = []
        if self._described is not None:
            archive = self._described["form"] == "pmtiles"
            place = "file/archive" if archive else "file/tiles/{z}/{x}/{y}"
            found.append(self._made(FILE, tiles=f"{root}/basemaps/{place}", **self._described))
        if self._settings.basemap_url:
            address = self._settings.basemap_url.replace(
                "{key}", self._settings.basemap_key.get_secret_value()
            )
            zooms = {"min_zoom": 0, "max_zoom": self._settings.basemap_max_zoom}
            found.append(self._made(URL, form="xyz", kind="raster", tiles=address, **zooms))
        return found

    def archive(self) -> Path:
        """Return the path of the PMTiles file.

        Raises
        ------
        NotFoundError
            If none is set.
        """
        if self._file is None or self._described is None or self._described["form"] != "pmtiles":
            raise file_missing()
        return self._file

    def tile(self, zoom: int, column: int, row: int) -> tuple[bytes, str] | None:
        """Return a tile of the MBTiles file with its type; None where it has none. Rows count from the north.

        Raises
        ------
        NotFoundError
            If no such file is set, or there is no such tile in the world.
        """
        if self._file is None or self._described is None or self._described["form"] != "xyz":
            raise file_missing()
        if not 0 <= zoom <= MAX_ZOOM or not (0 <= column < 1 << zoom and 0 <= row < 1 << zoom):
            raise file_missing()
        with closing(_opened(self._file)) as database:
            found = database.execute(
                "SELECT tile_data FROM tiles WHERE zoom_level = ? AND tile_column = ? AND tile_row = ?",
                (zoom, column, (1 << zoom) - 1 - row),
            ).fetchone()
        return None if found is None else (bytes(found[0]), self._mime)

    def _made(self, name: str, **facts: Any) -> Basemap:
        # With both set, the settings of coordinates and rights are the server's.
        plain = name == FILE and bool(self._settings.basemap_url)
        crs = "wgs84" if plain else self._settings.basemap_crs
        attribution = "" if plain else self._settings.basemap_attribution
        return Basemap(id=name, crs=crs, attribution=attribution, **facts)

    def _describe_file(self, path: Path) -> dict[str, Any]:
        try:
            with path.open("rb") as stream:
                head = stream.read(PMTILES_HEADER)
            if head[:8] == b"PMTiles\x03" and len(head) == PMTILES_HEADER:
                return self._pmtiles(path, head)
            return self._mbtiles(path)
        except (OSError, sqlite3.Error, ValueError, KeyError, TypeError, zlib.error) as error:
            raise SettingsError(
                "basemap-unreadable",
                f"底图文件“{path.name}”无法读取：需要 MBTiles 或 PMTiles（第 3 版），见 WANGGE_BASEMAP_FILE。",
                f'The base map "{path.name}" cannot be read: it has to be MBTiles or PMTiles version 3; '
                "see WANGGE_BASEMAP_FILE.",
                file=path.name,
            ) from error

    def _mbtiles(self, path: Path) -> dict[str, Any]:
        with closing(_opened(path)) as database:
            said = dict(database.execute("SELECT name, value FROM metadata").fetchall())
            least, most = database.execute("SELECT min(zoom_level), max(zoom_level) FROM tiles").fetchone()
        form = str(said.get("format", "png")).lower()
        self._mime = MIME[form]
        layers = json.loads(said.get("json") or "{}").get("vector_layers", []) if form == "pbf" else []
        return _facts("xyz", form, int(least), int(most), layers)

    def _pmtiles(self, path: Path, head: bytes) -> dict[str, Any]:
        form = PMTILES_TYPES[head[99]]
        layers = []
        if form == "pbf":
            start, length = (int.from_bytes(head[k : k + 8], "little") for k in (24, 32))
            with path.open("rb") as stream:
                stream.seek(start)
                text = stream.read(min(length, MAX_METADATA))
            layers = json.loads(gzip.decompress(text) if text[:2] == GZIP_MAGIC else text).get(
                "vector_layers", []
            )
        return _facts("pmtiles", form, head[100], head[101], layers)


def origin_of(template: str) -> str:
    """Return scheme, host and port of a template of addresses; empty for an empty one.

    Raises
    ------
    SettingsError
        ``basemap-address``: it is not an http(s) address with ``{z}``, ``{x}`` and ``{y}``.
    """
    if not template:
        return ""
    parts = urlsplit(PLACES.sub("0", template))
    plain = re.fullmatch(r"[A-Za-z0-9.:\[\]-]+", parts.netloc) is not None
    if parts.scheme not in {"http", "https"} or not plain or not _complete(template):
        raise SettingsError(
            "basemap-address",
            "WANGGE_BASEMAP_URL 应为带 {z}、{x}、{y} 的 http(s) 地址，密钥写作 {key}。",
            "WANGGE_BASEMAP_URL has to be an http(s) address with {z}, {x} and {y}; the key is written {key}.",
        )
    return f"{parts.scheme}://{parts.netloc}"


def _complete(template: str) -> bool:
    host = urlsplit(template).netloc
    places = set(PLACES.findall(template))
    return {"{z}", "{x}", "{y}"} <= places <= {"{z}", "{x}", "{y}", "{key}"} and "{" not in host


def _opened(path: Path) -> sqlite3.Connection:
    # Immutable: the file may lie on a medium that takes no lock, and nobody writes it.
    return sqlite3.connect(f"{path.resolve().as_uri()}?mode=ro&immutable=1", uri=True)


def _facts(form: str, tile: str, least: int, most: int, layers: list[Any]) -> dict[str, Any]:
    return {
        "form": form,
        "kind": "vector" if tile == "pbf" else "raster",
        "min_zoom": least,
        "max_zoom": most,
        "layers": tuple(str(layer["id"]) for layer in layers),
    }
