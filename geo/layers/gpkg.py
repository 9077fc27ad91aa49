"""Read GeoPackage, after a look inside that lets GDAL open nothing but plain tables."""

from __future__ import annotations

import sqlite3
import warnings
from contextlib import closing
from typing import TYPE_CHECKING
from urllib.parse import quote

import numpy as np
import pyogrio
import shapely
from pyogrio.errors import DataLayerError, DataSourceError, FeatureError
from pyproj import CRS

from geo.layers.raw import RawLayer, choose_layer, row_numbers, unreadable

if TYPE_CHECKING:
    from pathlib import Path

FORMAT = "GeoPackage"
_MAGIC = b"SQLite format 3\x00"


def layer_names(path: Path) -> list[str]:
    """Return the names of the layers, geometry or not.

    Raises
    ------
    LayerError
        ``file-unreadable``: not a GeoPackage, damaged, or with views and virtual tables, which are not read.
    """
    with path.open("rb") as file:
        if file.read(16) != _MAGIC:
            raise unreadable(path, "不是有效的 GeoPackage 文件。", "not a valid GeoPackage.")
    uri = f"file:{quote(str(path.resolve()))}?mode=ro&immutable=1"
    try:
        with closing(sqlite3.connect(uri, uri=True)) as db:
            suspect = db.execute(
                "SELECT name FROM sqlite_master WHERE type = 'view' OR (sql LIKE 'CREATE VIRTUAL%'"
                " AND lower(replace(sql, ' ', '')) NOT LIKE '%usingrtree%')"
            ).fetchall()
            names = db.execute(
                "SELECT table_name FROM gpkg_contents WHERE data_type IN ('features', 'attributes')"
                " ORDER BY rowid"
            ).fetchall()
    except (sqlite3.Error, ValueError) as error:
        raise unreadable(path, "GeoPackage 已损坏。", "the GeoPackage is damaged.") from error
    if suspect:
        listed = ", ".join(name for (name,) in suspect[:5])
        raise unreadable(
            path,
            f"含有视图或虚拟表（{listed}），请另存为只含普通图层的 GeoPackage。",
            f"it holds views or virtual tables ({listed}); save it again with plain layers only.",
        )
    return [name for (name,) in names if name != "layer_styles"]


def read(path: Path, layer: str | None, *, role: str | None = None) -> RawLayer:
    """Read one layer."""
    name = choose_layer(path, layer, layer_names(path), role)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            meta, _, wkb, _ = pyogrio.raw.read(path, layer=name, columns=[])
            data = pyogrio.read_dataframe(path, layer=name, read_geometry=False)
    except (DataSourceError, DataLayerError, FeatureError, LookupError, ValueError, RuntimeError) as error:
        raise unreadable(path, "GeoPackage 已损坏。", "the GeoPackage is damaged.", layer=name) from error
    geometry, crs = None, None
    if wkb is not None:
        # One damaged geometry makes its row's geometry None instead of the file unreadable.
        geometry = np.asarray(shapely.from_wkb(wkb, on_invalid="ignore"), dtype=object)
        crs = CRS.from_user_input(meta["crs"]) if meta["crs"] else None
    return RawLayer(path, name, FORMAT, "utf-8", data, geometry, crs, row_numbers(len(data)))


def info(path: Path, name: str) -> tuple[int, str | None, CRS | None, tuple[str, ...]]:
    """Return rows, geometry type, CRS and columns of a layer without reading it."""
    try:
        facts = pyogrio.read_info(path, layer=name)
    except (DataSourceError, DataLayerError, ValueError, RuntimeError) as error:
        raise unreadable(path, "GeoPackage 已损坏。", "the GeoPackage is damaged.", layer=name) from error
    crs = CRS.from_user_input(facts["crs"]) if facts["crs"] else None
    columns = tuple(str(name) for name in facts["fields"])
    return int(facts["features"]), facts["geometry_type"], crs, columns
