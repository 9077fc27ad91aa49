"""Describe a file for a planner who is about to use it: layers, columns, and what each probably is."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from geo.layers.formats import LayerInfo, list_layers
from geo.schema import is_personal, pick_columns, plain_name
from geo.types import ROLES, Role

if TYPE_CHECKING:
    from pathlib import Path

_WORDS: dict[Role, tuple[str, ...]] = {
    "households": ("households", "household", "户", "住户", "居民", "hs"),
    "buildings": ("buildings", "building", "楼栋", "楼宇", "建筑", "房屋", "blocks", "parcels", "bldg", "ld"),
    "compounds": ("compounds", "compound", "小区", "院落", "estate", "xq"),
    "communities": (
        "communities",
        "community",
        "社区",
        "居委",
        "村居",
        "neighborhoods",
        "neighbourhoods",
        "subzones",
        "sq",
    ),
    "roads": ("roads", "road", "道路", "streets", "highway", "dl"),
    "water": ("water", "水系", "河", "river", "lake", "sx"),
    "railways": ("railways", "railway", "铁路", "rail", "tl"),
    "stations": (
        "stations",
        "station",
        "驿站",
        "站点",
        "阵地",
        "服务站",
        "设施",
        "servicepoints",
        "facilities",
        "poi",
    ),
    "old_grids": ("oldgrids", "grids", "网格", "原网格", "wg"),
    "candidates": ("candidates", "candidate", "候选", "备选"),
    "gates": ("gates", "gate", "出入口", "大门", "门岗", "小区门"),
}

_SHAPES: dict[Role, tuple[str, ...]] = {
    "buildings": ("Polygon", "Point", "Table"),
    "households": ("Table", "Point"),
    "compounds": ("Polygon",),
    "communities": ("Polygon",),
    "roads": ("LineString", "Polygon"),
    "water": ("Polygon", "LineString"),
    "railways": ("LineString", "Polygon"),
    "stations": ("Point", "Polygon", "Table"),
    "old_grids": ("Polygon",),
    "candidates": ("Point", "Polygon", "Table"),
    "gates": ("Point", "Table"),
}


def inspect_file(path: Path) -> dict[str, Any]:
    """Describe a file, JSON-ready and without any of its values.

    Returns
    -------
    dict
        ``file``, ``format``, ``encoding``, ``layers``: each with ``name``, ``rows``, ``geometry_type``, ``crs``
        (label or ``""``), ``likely_role`` (or None), and ``columns``: each with ``name``, ``personal`` (such
        columns are never read) and ``meaning`` (role to field).

    Raises
    ------
    LayerError
        The file cannot be read.
    """
    layers = list_layers(path)
    return {
        "file": path.name,
        "format": layers[0].format if layers else "",
        "encoding": layers[0].encoding if layers else "",
        "layers": [_describe(info) for info in layers],
    }


def likely_role(info: LayerInfo) -> Role | None:
    """Guess what a layer is from its name, its kind of geometry and its columns."""
    scores = {role: _score(info, role) for role in ROLES}
    best = max(scores, key=lambda role: scores[role])
    return best if scores[best] > 0 else None


def _describe(info: LayerInfo) -> dict[str, Any]:
    meanings: dict[str, dict[str, str]] = {name: {} for name in info.columns}
    for role in ROLES:
        picked = pick_columns(info.columns, role, cut_names=info.format == "Shapefile")
        for field, column in picked.fields.items():
            meanings[column][role] = field
        if picked.coordinates and info.geometry_type == "Table":
            meanings[picked.coordinates[0]][role] = "lon"
            meanings[picked.coordinates[1]][role] = "lat"
    return {
        "name": info.name,
        "rows": info.rows,
        "geometry_type": info.geometry_type,
        "crs": info.crs,
        "likely_role": likely_role(info),
        "columns": [
            {"name": name, "personal": is_personal(name), "meaning": meanings[name]} for name in info.columns
        ],
    }


def _score(info: LayerInfo, role: Role) -> float:
    shape = info.geometry_type.replace("Multi", "").split(" ")[0]
    if shape != "Unknown" and shape not in _SHAPES[role]:
        return 0.0
    picked = pick_columns(info.columns, role, cut_names=info.format == "Shapefile")
    score = 0.0
    name = plain_name(info.name)
    words = _WORDS[role]
    if name in words:
        score += 10.0
    elif any(word in name for word in words if len(word) > 2 or not word.isascii()):
        score += 5.0
    score += _column_score(info, role, set(picked.fields), shape, located=picked.coordinates is not None)
    return score


def _column_score(info: LayerInfo, role: Role, fields: set[str], shape: str, *, located: bool) -> float:
    counts = "households" in fields
    if role == "households":
        return (3.0 if counts and shape == "Table" else 0.0) + (2.0 if "unit_door" in fields else 0.0)
    if role == "buildings":
        if shape == "Table" and not located:
            return 0.0
        return (3.5 if counts else 0.0) + (1.0 if {"floors", "building_name"} & fields else 0.0)
    if role == "stations":
        return 3.0 if {"category", "name"} <= fields and shape != "Polygon" and not counts else 0.0
    if role == "old_grids" and {plain_name(c) for c in info.columns} & {
        "网格编号",
        "网格编码",
        "gridcode",
        "wgbh",
    }:
        return 3.0
    return 0.0
