"""Read Shapefiles, plain or zipped (also in a folder of the zip), in UTF-8 or GBK.

All parts are read as bytes under our own names; GDAL sees only an archive in memory with the shapes, their index
and their projection. Attributes are decoded here, because GDAL neither finds a missing encoding nor survives
Chinese field names that are cut inside a character.
"""

from __future__ import annotations

import io
import stat
import warnings
import zipfile
import zlib
from pathlib import PurePosixPath
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import pyogrio
import shapely
from pyogrio.errors import DataLayerError, DataSourceError
from pyproj import CRS

from geo.findings import Finding
from geo.layers.dbf import DbfError, read_dbf
from geo.layers.raw import RawLayer, choose_layer, row_numbers, unreadable

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

FORMAT = "Shapefile"
PARTS = (".shp", ".shx", ".dbf", ".prj", ".cpg")
MAX_INFLATED = 1 << 30
"""Bytes a zip may hold in the parts that are read."""

_MAGIC = b"\x00\x00\x27\x0a"


def layer_names(path: Path) -> list[str]:
    """Return the Shapefiles in a zip, or the one the path names."""
    if path.suffix.lower() == ".shp":
        return [path.stem]
    with _archive(path) as archive:
        return _names(path, archive)


def read(path: Path, layer: str | None, *, role: str | None = None) -> RawLayer:
    """Read one Shapefile.

    Raises
    ------
    LayerError
        ``zip-damaged``, ``shapefile-incomplete``, ``file-unreadable``, ``layer-missing``, ``layer-not-named``.
    """
    if path.suffix.lower() == ".shp":
        name = choose_layer(path, layer, layer_names(path), role)
        siblings = {p.suffix.lower(): p for p in sorted(path.parent.iterdir()) if p.stem == path.stem}
        data = {part: siblings[part].read_bytes() for part in PARTS if part in siblings}
    else:
        with _archive(path) as archive:
            name = choose_layer(path, layer, _names(path, archive), role)
            data = _inflate(path, archive, _groups(archive)[name])
    return _assemble(path, name, data)


def _assemble(path: Path, name: str, data: dict[str, bytes]) -> RawLayer:
    missing = [part for part in (".shp", ".shx") if part not in data]
    if missing:
        listed = " ".join(missing)
        raise unreadable(
            path,
            f"缺少 {name}{listed}，请把 .shp、.shx、.dbf、.prj 一起提供。",
            f"{name}{listed} is missing; give .shp, .shx, .dbf and .prj together.",
            code="shapefile-incomplete",
            layer=name,
        )
    geometry, crs = _shapes(path, data)
    rows = row_numbers(len(geometry))
    frame, encoding = pd.DataFrame(index=pd.RangeIndex(len(geometry))), "utf-8"
    findings: tuple[Finding, ...] = ()
    if ".dbf" in data:
        declared = data[".cpg"].decode("ascii", errors="replace") if ".cpg" in data else None
        try:
            table = read_dbf(data[".dbf"], declared)
        except DbfError as error:
            raise unreadable(path, f"{name}.dbf 已损坏。", f"{name}.dbf is damaged.", layer=name) from error
        if len(table.frame) != len(geometry):
            raise unreadable(
                path,
                f"{name} 有 {len(geometry)} 个图形，但属性表有 {len(table.frame)} 行。",
                f"{name} has {len(geometry)} shapes but {len(table.frame)} rows of attributes.",
                layer=name,
            )
        frame, encoding = table.frame, table.encoding
        if table.deleted.any():
            findings = (_deleted(table.deleted),)
            keep = ~table.deleted
            frame, geometry, rows = frame[keep].reset_index(drop=True), geometry[keep], rows[keep]
    return RawLayer(
        path, name, FORMAT, encoding, frame, geometry, crs, rows, cut_names=True, findings=findings
    )


def _shapes(path: Path, data: dict[str, bytes]) -> tuple[NDArray[np.object_], CRS | None]:
    if not data[".shp"].startswith(_MAGIC):
        raise unreadable(path, "不是有效的 Shapefile。", "not a valid Shapefile.")
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for part in (".shp", ".shx", ".prj"):
            if part in data:
                archive.writestr(f"layer{part}", data[part])
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            meta, _, wkb, _ = pyogrio.raw.read(buffer.getvalue(), columns=[])
    except (DataSourceError, DataLayerError, LookupError, ValueError, RuntimeError) as error:
        raise unreadable(path, "Shapefile 已损坏。", "the Shapefile is damaged.") from error
    if wkb is None:
        raise unreadable(path, "Shapefile 里没有图形。", "the Shapefile holds no shapes.", code="layer-empty")
    # A ring that is not closed makes its row's geometry None instead of the file unreadable.
    shapes = np.asarray(shapely.from_wkb(wkb, on_invalid="ignore"), dtype=object)
    return shapes, CRS.from_user_input(meta["crs"]) if meta["crs"] else None


def _archive(path: Path) -> zipfile.ZipFile:
    try:
        return zipfile.ZipFile(path)
    except (zipfile.BadZipFile, NotImplementedError, ValueError, OSError) as error:
        raise _damaged(path) from error


def _damaged(path: Path) -> Exception:
    return unreadable(
        path,
        "压缩包不完整或已损坏，请重新打包或重新上传。",
        "the zip is cut short or damaged; pack or upload it again.",
        code="zip-damaged",
    )


def _groups(archive: zipfile.ZipFile) -> dict[str, dict[str, zipfile.ZipInfo]]:
    """Shapefiles of a zip by name; two of one name in two folders keep the folder in it."""
    found: dict[tuple[str, str], dict[str, zipfile.ZipInfo]] = {}
    for member in archive.infolist():
        name = PurePosixPath(_member_name(member))
        hidden = name.name.startswith(".") or "__MACOSX" in name.parts
        if member.is_dir() or hidden or name.suffix.lower() not in PARTS:
            continue
        found.setdefault((str(name.parent), name.stem), {})[name.suffix.lower()] = member
    shapes = {key: parts for key, parts in found.items() if ".shp" in parts}
    stems = [stem for _, stem in shapes]
    return {
        (stem if stems.count(stem) == 1 else f"{folder}/{stem}"): parts
        for (folder, stem), parts in shapes.items()
    }


def _names(path: Path, archive: zipfile.ZipFile) -> list[str]:
    names = list(_groups(archive))
    if not names:
        raise unreadable(
            path,
            "压缩包里没有 .shp 文件。",
            "the zip holds no .shp file.",
            code="shapefile-incomplete",
        )
    return names


def _member_name(member: zipfile.ZipInfo) -> str:
    """Name of a member; zips made by Chinese Windows hold GBK names that Python reads as code page 437."""
    if member.flag_bits & 0x800 or member.filename.isascii():
        return member.filename
    try:
        return member.filename.encode("cp437").decode("gb18030")
    except (UnicodeEncodeError, UnicodeDecodeError):
        return member.filename


def _inflate(path: Path, archive: zipfile.ZipFile, members: dict[str, zipfile.ZipInfo]) -> dict[str, bytes]:
    data: dict[str, bytes] = {}
    left = MAX_INFLATED
    for part, member in members.items():
        if member.flag_bits & 0x1:
            raise unreadable(path, "压缩包有密码，请去掉密码。", "the zip is encrypted; remove the password.")
        if stat.S_ISLNK(member.external_attr >> 16):
            raise unreadable(path, "压缩包里有链接文件。", "the zip holds symbolic links.")
        try:
            with archive.open(member) as file:
                data[part] = file.read(left + 1)
        except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, OSError) as error:
            raise _damaged(path) from error
        left -= len(data[part])
        if left < 0:
            raise unreadable(
                path, "压缩包解压后过大。", "the zip is too large when unpacked.", code="file-too-large"
            )
    return data


def _deleted(deleted: NDArray[np.bool_]) -> Finding:
    count = int(deleted.sum())
    return Finding(
        "rows-deleted",
        "info",
        "",
        count,
        f"{count} 行在 .dbf 中已标记删除，未读取。",
        f"{count} rows are marked as deleted in the .dbf and were not read.",
        rows=tuple(np.flatnonzero(deleted) + 1),
    )
