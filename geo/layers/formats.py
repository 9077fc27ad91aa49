"""Choose the reader by the kind of file."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import shapely

from geo.crs import crs_label
from geo.errors import LayerError
from geo.layers import geojson, gpkg, parquet, shapefile, tables
from geo.layers.raw import RawLayer, unreadable
from geo.layers.source import Source, check_local
from geo.schema import is_personal

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

_READERS: dict[str, Callable[..., RawLayer]] = {
    ".gpkg": gpkg.read,
    ".geojson": geojson.read,
    ".json": geojson.read,
    ".shp": shapefile.read,
    ".zip": shapefile.read,
    ".csv": tables.read_csv,
    ".tsv": tables.read_csv,
    ".txt": tables.read_csv,
    ".xlsx": tables.read_xlsx,
    ".xlsm": tables.read_xlsx,
    ".parquet": parquet.read,
    ".geoparquet": parquet.read,
}

_NAMES: dict[str, Callable[[Path], list[str]]] = {
    ".gpkg": gpkg.layer_names,
    ".geojson": geojson.layer_names,
    ".json": geojson.layer_names,
    ".shp": shapefile.layer_names,
    ".zip": shapefile.layer_names,
    ".csv": tables.csv_names,
    ".tsv": tables.csv_names,
    ".txt": tables.csv_names,
    ".xlsx": tables.sheet_names,
    ".xlsm": tables.sheet_names,
    ".parquet": parquet.layer_names,
    ".geoparquet": parquet.layer_names,
}

_ADVICE = {
    ".xls": ("请在 Excel 里另存为 .xlsx。", "Save it as .xlsx in Excel."),
    ".dwg": ("请在 CAD 里另存为 Shapefile 或 GeoPackage。", "Export it as a Shapefile or GeoPackage."),
    ".dbf": ("请给出同名的 .shp 文件。", "Give the .shp file of the same name."),
    ".rar": ("请改用 .zip 压缩。", "Pack it as .zip."),
    ".7z": ("请改用 .zip 压缩。", "Pack it as .zip."),
    ".gdb": ("请另存为 GeoPackage。", "Export it as a GeoPackage."),
    ".kml": ("请另存为 GeoPackage 或 GeoJSON。", "Save it as a GeoPackage or GeoJSON."),
}


@dataclass(frozen=True)
class LayerInfo:
    """What is known of a layer before it is used.

    Attributes
    ----------
    name, rows, geometry_type, crs
        `geometry_type` is ``"Table"`` without geometry; `crs` is a label, ``""`` when unknown.
    columns
        Column names as read.
    format, encoding
        Of the file.
    """

    name: str
    rows: int
    geometry_type: str
    crs: str
    columns: tuple[str, ...]
    format: str
    encoding: str


def read_layer(source: Source) -> RawLayer:
    """Read one layer, without the columns that hold data on persons.

    Raises
    ------
    LayerError
        ``file-missing``, ``format-unknown``, ``layer-empty`` and what the readers of each format raise.
    """
    read = _READERS[_suffix(source.path)]
    raw = read(source.path, source.layer, role=source.role)
    if len(raw.frame) == 0:
        raise LayerError(
            "layer-empty",
            f"{raw.title} 是空的，没有任何数据行。",
            f"{raw.title} is empty: it has no rows.",
            path=str(source.path),
            layer=raw.layer,
        )
    return raw


def list_layers(path: Path) -> list[LayerInfo]:
    """Describe the layers of a file, without any of its values.

    A GeoPackage is described from its catalogue, other files are read.
    """
    suffix = _suffix(path)
    if suffix == ".gpkg":
        return [_gpkg_info(path, name) for name in gpkg.layer_names(path)]
    infos = []
    for name in _NAMES[suffix](path):
        try:
            raw = _READERS[suffix](path, name)
        except LayerError as error:
            if error.code != "layer-empty":
                raise
            infos.append(LayerInfo(name, 0, "Table", "", (), _FORMATS[suffix], ""))
            continue
        infos.append(_raw_info(raw))
    return infos


_FORMATS = {
    ".xlsx": "XLSX",
    ".xlsm": "XLSX",
    ".csv": "CSV",
    ".tsv": "CSV",
    ".txt": "CSV",
    ".zip": "Shapefile",
}


def _gpkg_info(path: Path, name: str) -> LayerInfo:
    rows, geometry_type, crs, columns = gpkg.info(path, name)
    return LayerInfo(
        name, rows, geometry_type or "Table", crs_label(crs) if crs else "", columns, gpkg.FORMAT, "utf-8"
    )


def _raw_info(raw: RawLayer) -> LayerInfo:
    kind = "Table"
    if raw.geometry is not None:
        codes = set(shapely.get_type_id(raw.geometry[~shapely.is_missing(raw.geometry)]).tolist())
        kinds = sorted({_KINDS[code] for code in codes if code >= 0})
        kind = kinds[0] if len(kinds) == 1 else "Unknown"
    label = crs_label(raw.crs) if raw.crs else ""
    columns = tuple(str(c) for c in raw.frame.columns)
    return LayerInfo(raw.layer, len(raw.frame), kind, label, columns, raw.format, raw.encoding)


_KINDS = (
    "Point",
    "LineString",
    "LinearRing",
    "Polygon",
    "MultiPoint",
    "MultiLineString",
    "MultiPolygon",
    "GeometryCollection",
)


def personal_columns(raw: RawLayer) -> list[str]:
    """Return the columns that hold data on persons."""
    return [str(c) for c in raw.frame.columns if is_personal(str(c))]


def _suffix(path: Path) -> str:
    check_local(path)
    suffix = path.suffix.lower()
    if not path.exists():
        raise LayerError(
            "file-missing",
            f"找不到文件 {path}，请检查路径。",
            f"No such file: {path}.",
            path=str(path),
        )
    if suffix in _READERS and path.is_file():
        return suffix
    zh, en = _ADVICE.get(suffix, ("", ""))
    known = " ".join(_READERS)
    raise unreadable(
        path,
        f"不支持这种文件。{zh}支持的格式：{known}。",
        f"this kind of file is not supported. {en} Supported: {known}.",
        code="format-unknown",
    )
