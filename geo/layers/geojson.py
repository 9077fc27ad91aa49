"""Read GeoJSON without GDAL: nothing in the file can make another file or address be opened."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import shapely

from geo.crs import WGS84, named_crs
from geo.layers.raw import RawLayer, choose_layer, row_numbers, unreadable
from geo.layers.text import decode

if TYPE_CHECKING:
    from pathlib import Path

    from pyproj import CRS

FORMAT = "GeoJSON"

_GEOMETRIES = frozenset(
    ("Point", "MultiPoint", "LineString", "MultiLineString", "Polygon", "MultiPolygon", "GeometryCollection")
)


def layer_names(path: Path) -> list[str]:
    """Name the one layer of a GeoJSON file like the file."""
    return [path.stem]


def read(path: Path, layer: str | None, *, role: str | None = None) -> RawLayer:
    """Read the features.

    Raises
    ------
    LayerError
        ``file-unreadable``: no JSON, or no GeoJSON.
    CRSError
        ``crs-link``: the file points to another file or address for its coordinate system.
    """
    name = choose_layer(path, layer, layer_names(path), role)
    text, encoding = decode(path.read_bytes())
    try:
        document = json.loads(text)
    except json.JSONDecodeError as error:
        raise unreadable(
            path,
            f"第 {error.lineno} 行第 {error.colno} 列起不是有效的 JSON，文件可能不完整。",
            f"no valid JSON from line {error.lineno}, column {error.colno}; the file may be cut short.",
            row=error.lineno,
        ) from error
    except RecursionError as error:
        raise unreadable(path, "JSON 嵌套过深。", "the JSON is nested too deeply.") from error
    features = _features(document, path)
    properties = [feature.get("properties") or {} for feature in features]
    if not all(isinstance(row, dict) for row in properties):
        raise unreadable(path, "要素的 properties 不是对象。", "the properties of a feature are no object.")
    frame = pd.DataFrame(
        [{str(key): _scalar(value) for key, value in row.items()} for row in properties],
        index=pd.RangeIndex(len(features)),
    )
    texts = [_geometry_text(feature.get("geometry")) for feature in features]
    geometry = shapely.from_geojson(np.array(texts, dtype=object), on_invalid="ignore")
    crs = _crs(document, path)
    return RawLayer(path, name, FORMAT, encoding, frame, geometry, crs, row_numbers(len(features)))


def _features(document: Any, path: Path) -> list[dict[str, Any]]:
    kind = document.get("type") if isinstance(document, dict) else None
    if kind == "FeatureCollection":
        features = document.get("features")
        if isinstance(features, list) and all(isinstance(feature, dict) for feature in features):
            return features
    if kind == "Feature":
        return [document]
    if kind in _GEOMETRIES:
        return [{"geometry": document}]
    raise unreadable(
        path,
        "是 JSON，但不是 GeoJSON（缺少 FeatureCollection）。",
        "it is JSON, but no GeoJSON (no FeatureCollection).",
    )


def _geometry_text(geometry: Any) -> str | None:
    """JSON text of one geometry; None for what is no simple geometry (collections are not used in any layer)."""
    if not isinstance(geometry, dict) or geometry.get("type") not in _GEOMETRIES:
        return None
    if geometry["type"] == "GeometryCollection":
        return _flattened(geometry)
    return json.dumps({"type": geometry["type"], "coordinates": geometry.get("coordinates")})


def _flattened(collection: dict[str, Any]) -> str | None:
    """Keep the plain members of a collection, one level deep, so that nesting cannot grow."""
    members = collection.get("geometries")
    if not isinstance(members, list):
        return None
    texts = [
        _geometry_text(member)
        for member in members
        if isinstance(member, dict) and member.get("type") != "GeometryCollection"
    ]
    inner = ",".join(text for text in texts if text is not None)
    return f'{{"type":"GeometryCollection","geometries":[{inner}]}}'


def _scalar(value: Any) -> Any:
    return json.dumps(value, ensure_ascii=False) if isinstance(value, dict | list) else value


def _crs(document: dict[str, Any], path: Path) -> CRS:
    crs = document.get("crs")
    if crs is None:
        return WGS84
    name = (
        crs.get("properties", {}).get("name") if isinstance(crs, dict) and crs.get("type") == "name" else None
    )
    if not isinstance(name, str):
        error = unreadable(
            path,
            "crs 成员不是 name 类型，出于安全不予读取，请改为 EPSG 代号或去掉。",
            'its crs member is not of type "name"; it is not followed. Use an EPSG name or remove it.',
            code="crs-link",
        )
        raise error
    return named_crs(name)
