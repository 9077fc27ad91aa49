"""Read GeoParquet, and plain Parquet as a table."""

from __future__ import annotations

import json
import struct
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import shapely
from pyproj import CRS
from pyproj.exceptions import CRSError as ProjError

from geo.crs import WGS84
from geo.layers.raw import RawLayer, choose_layer, row_numbers, unreadable

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

FORMAT = "GeoParquet"
MAX_ROWS = 5_000_000
MAX_DEPTH = 3
"""Levels of geometries within geometries: a collection of multipolygons has three."""


def layer_names(path: Path) -> list[str]:
    """Name the one layer of a Parquet file like the file."""
    return [path.stem]


def read(path: Path, layer: str | None, *, role: str | None = None) -> RawLayer:
    """Read the table, after its footer has told that it is not too long."""
    name = choose_layer(path, layer, layer_names(path), role)
    try:
        with pq.ParquetFile(path) as file:
            if file.metadata.num_rows > MAX_ROWS:
                raise unreadable(
                    path,
                    f"有 {file.metadata.num_rows} 行，超过 {MAX_ROWS} 行的上限。",
                    f"it has {file.metadata.num_rows} rows, more than {MAX_ROWS}.",
                    code="file-too-large",
                )
            table = file.read()
    except (pa.ArrowException, OSError, ValueError) as error:
        raise unreadable(path, "不是有效的 Parquet 文件。", "not a valid Parquet file.") from error
    geometry, crs, column = _geometry(path, table)
    # Lists and structs (bounding boxes of GeoParquet 1.1) are no attributes of a planning layer.
    nested = [field.name for field in table.schema if pa.types.is_nested(field.type)]
    dropped = {*nested, *([column] if column else [])}
    frame = table.drop_columns(sorted(dropped)).to_pandas().reset_index(drop=True)
    frame.columns = [str(c) for c in frame.columns]
    return RawLayer(path, name, FORMAT, "utf-8", frame, geometry, crs, row_numbers(len(frame)))


def _geometry(path: Path, table: pa.Table) -> tuple[NDArray[np.object_] | None, CRS | None, str | None]:
    raw = (table.schema.metadata or {}).get(b"geo")
    if raw is None:
        return None, None, None
    try:
        meta = json.loads(raw)
        column = meta["primary_column"]
        about: dict[str, Any] = meta["columns"][column]
        crs = WGS84 if "crs" not in about else about["crs"] and CRS.from_json_dict(about["crs"])
    except (ValueError, KeyError, TypeError, ProjError) as error:
        raise unreadable(path, "GeoParquet 的元数据有误。", "its GeoParquet metadata are wrong.") from error
    if about.get("encoding") != "WKB":
        raise unreadable(
            path, "图形编码不是 WKB。", "its geometry encoding is not WKB; save it again as WKB."
        )
    cells = [cell if cell is None or shallow_wkb(cell) else None for cell in table[column].to_pylist()]
    return shapely.from_wkb(np.array(cells, dtype=object), on_invalid="ignore"), crs, column


def shallow_wkb(data: bytes) -> bool:
    """Tell whether well-known binary nests at most `MAX_DEPTH` levels; deep nesting crashes parsers.

    Walks the headers with a stack of its own, reading no coordinates.
    """
    try:
        at, open_parts = 0, [1]
        while open_parts:
            if open_parts[-1] == 0:
                open_parts.pop()
                continue
            open_parts[-1] -= 1
            if len(open_parts) > MAX_DEPTH:
                return False
            at, parts = _step(data, at)
            open_parts.append(parts)
    except (struct.error, ValueError):
        return False
    return True


def _step(data: bytes, at: int) -> tuple[int, int]:
    """Pass one geometry header (and the coordinates of a simple one); return the place after it and its parts."""
    order = "<" if data[at : at + 1] == b"\x01" else ">"
    (code,) = struct.unpack_from(f"{order}I", data, at + 1)
    at += 5
    if code & 0x20000000:
        at += 4
    flags, kind = code >> 28, (code & 0x0FFFFFFF) % 1000
    dimension = 2 + bool(flags & 0x8) + bool(flags & 0x4) + (0, 1, 1, 2)[min((code & 0x0FFFFFFF) // 1000, 3)]
    if kind == 1:
        return at + 8 * dimension, 0
    if kind not in (2, 3, 4, 5, 6, 7):
        raise ValueError(kind)
    (count,) = struct.unpack_from(f"{order}I", data, at)
    at += 4
    if kind == 2:
        return at + 8 * dimension * count, 0
    if kind == 3:
        for _ in range(count):
            (points,) = struct.unpack_from(f"{order}I", data, at)
            at += 4 + 8 * dimension * points
        return at, 0
    if count > len(data):
        raise ValueError(count)
    return at, count
