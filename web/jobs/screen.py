"""Look at an uploaded file with the standard library before any driver may open it."""

from __future__ import annotations

import json
import re
import shutil
import sqlite3
import stat
import zipfile
from contextlib import closing
from pathlib import Path, PurePosixPath
from typing import IO, Any

from web.errors import FormatError, TooLargeError, UploadError

MEGABYTE = 1024 * 1024
CHUNK = 1 << 18
MAX_MEMBERS = 2000
MAX_CELLS = 30_000_000
SHAPEFILE_PARTS = (".shp", ".shx", ".dbf", ".prj", ".cpg")
GEOJSON_TYPES = frozenset(
    {
        "FeatureCollection",
        "Feature",
        "Point",
        "MultiPoint",
        "LineString",
        "MultiLineString",
        "Polygon",
        "MultiPolygon",
        "GeometryCollection",
    }
)
MAGIC = {
    ".gpkg": b"SQLite format 3\x00",
    ".shp": b"\x00\x00\x27\x0a",
    ".xlsx": b"PK\x03\x04",
    ".zip": b"PK\x03\x04",
}


def screen(path: Path, label: str, *, unpacked_mb: int) -> None:
    """Refuse a file that is not what its ending says, or that could lead its reader elsewhere.

    Parameters
    ----------
    path
        The file under our own name; its ending says what it should be.
    label
        The client's name for it, for messages.
    unpacked_mb
        Megabytes the members of an archive may unpack to.

    Raises
    ------
    FormatError, UploadError, TooLargeError
        Naming the file and what is wrong.
    """
    ending = path.suffix
    if path.stat().st_size == 0:
        raise UploadError("file-empty", f"文件“{label}”是空的。", f"The file {label} is empty.", path=label)
    magic = MAGIC.get(ending)
    with path.open("rb") as file:
        if magic is not None and file.read(len(magic)) != magic:
            raise _not_a(label, ending)
    if ending in {".geojson", ".json"}:
        _screen_geojson(path, label)
    elif ending == ".gpkg":
        _screen_gpkg(path, label)
    elif ending == ".xlsx":
        _screen_xlsx(path, label, unpacked_mb=unpacked_mb)


def unpack_shapefiles(archive: Path, label: str, folder: Path, *, unpacked_mb: int) -> dict[str, Path]:
    """Unpack the shapefiles of an archive under our own names.

    Parameters
    ----------
    archive, label
        The file under our name, and the client's name for it.
    folder
        A new folder to unpack to.
    unpacked_mb
        Bytes are counted as they come out, whatever the archive says about its sizes.

    Returns
    -------
    The client's name of each shapefile to our path of its ``.shp``.

    Raises
    ------
    UploadError, TooLargeError, FormatError
        If the archive is damaged, unpacks too far, holds links, locked or double members, or no shapefile.
    """
    with _opened(archive, label) as opened:
        members = _safe_members(opened, label)
        stems: dict[str, dict[str, zipfile.ZipInfo]] = {}
        for info in members:
            name = PurePosixPath(_member_name(info))
            if name.suffix.lower() in SHAPEFILE_PARTS and not name.name.startswith("._"):
                parts = stems.setdefault(str(name.with_suffix("")).lower(), {})
                if name.suffix.lower() in parts:
                    raise _damaged(label, "成员重名", "two members share a name")
                parts[name.suffix.lower()] = info
        whole = {stem: parts for stem, parts in stems.items() if ".shp" in parts}
        if not whole:
            raise FormatError(
                "zip-no-shapefile",
                f"压缩包“{label}”中没有 Shapefile（.shp）。请把同名的 .shp、.shx、.dbf、.prj 一起压缩。",
                f"The archive {label} holds no shapefile (.shp). Zip its .shp, .shx, .dbf and .prj together.",
                path=label,
            )
        folder.mkdir()
        budget = unpacked_mb * MEGABYTE
        unpacked: dict[str, Path] = {}
        for number, (_, parts) in enumerate(sorted(whole.items()), start=1):
            base = folder / f"{folder.name}-{number}"
            for ending, info in parts.items():
                budget -= _inflate(opened, info, base.with_suffix(ending), label, budget=budget)
            shown = PurePosixPath(_member_name(parts[".shp"])).stem
            unpacked[shown if shown not in unpacked else f"{shown} ({number})"] = base.with_suffix(".shp")
    return unpacked


def _opened(archive: Path, label: str) -> zipfile.ZipFile:
    try:
        return zipfile.ZipFile(archive)
    except (zipfile.BadZipFile, OSError, ValueError, NotImplementedError) as error:
        raise _damaged(label, "已截断或不是压缩文件", "truncated, or no archive") from error


def _safe_members(opened: zipfile.ZipFile, label: str) -> list[zipfile.ZipInfo]:
    members = [info for info in opened.infolist() if not info.is_dir()]
    if len(members) > MAX_MEMBERS:
        raise _damaged(label, f"成员超过 {MAX_MEMBERS} 个", f"it has more than {MAX_MEMBERS} members")
    names = [info.filename for info in members]
    if len(set(names)) < len(names):
        raise _damaged(label, "成员重名", "two members share a name")
    for info in members:
        name = info.filename.replace("\\", "/")
        if stat.S_IFMT(info.external_attr >> 16) not in {0, stat.S_IFREG}:
            raise _damaged(label, "含有符号链接或特殊文件", "it holds a link or special file")
        if info.flag_bits & 0x1:
            raise _damaged(label, "成员已加密", "a member is encrypted")
        if name.startswith("/") or ".." in name.split("/") or re.match(r"[A-Za-z]:", name):
            raise _damaged(label, "成员路径不安全", "a member's path leads out of the archive")
    return members


def _member_name(info: zipfile.ZipInfo) -> str:
    """Return the member's name; without the UTF-8 flag a Chinese tool wrote it as GBK."""
    name = info.filename.replace("\\", "/")
    if info.flag_bits & 0x800:
        return name
    try:
        return name.encode("cp437").decode("gb18030")
    except (UnicodeEncodeError, UnicodeDecodeError):
        return name


def _inflate(opened: zipfile.ZipFile, info: zipfile.ZipInfo, target: Path, label: str, *, budget: int) -> int:
    written = 0
    try:
        with opened.open(info) as source, target.open("xb") as file:
            while chunk := source.read(CHUNK):
                written += len(chunk)
                if written > budget:
                    raise _unpacks_too_far(label)
                file.write(chunk)
    except (zipfile.BadZipFile, EOFError, OSError, ValueError, NotImplementedError) as error:
        raise _damaged(label, "成员已损坏", "a member is damaged") from error
    return written


def _screen_geojson(path: Path, label: str) -> None:
    try:
        with path.open(encoding="utf-8-sig") as file:
            document = json.load(file)
    except (ValueError, RecursionError) as error:
        raise _not_a(label, path.suffix) from error
    if not isinstance(document, dict) or document.get("type") not in GEOJSON_TYPES:
        raise _not_a(label, path.suffix)
    for holder in _crs_holders(document):
        crs = holder["crs"]
        if crs is not None and not (isinstance(crs, dict) and crs.get("type") == "name"):
            raise UploadError(
                "geojson-crs-link",
                f"“{label}”的 crs 指向外部地址，已拒绝。请删除 crs 或改用 name 形式。",
                f"The crs of {label} points to another place and is refused. Remove it, or give it by name.",
                path=label,
            )


def _crs_holders(document: dict[str, Any]) -> list[dict[str, Any]]:
    """Return every object that may carry a crs: the document, its features, their geometries."""
    features = document.get("features")
    nested = [document, *(features if isinstance(features, list) else [])]
    nested += [item.get("geometry") for item in nested if isinstance(item, dict)]
    return [item for item in nested if isinstance(item, dict) and "crs" in item]


PLAIN_TABLE = re.compile(r"CREATE TABLE\s")
SPATIAL_INDEX = re.compile(
    r"CREATE VIRTUAL TABLE\s+(?:\"[^\"]+\"|[\w.]+)\s+USING\s+rtree\s*\(", re.IGNORECASE
)
"""SQLite writes every table it makes in one of these forms; what looks different was smuggled in."""


def _screen_gpkg(path: Path, label: str) -> None:
    try:
        uri = f"{path.resolve().as_uri()}?mode=ro&immutable=1"
        with closing(sqlite3.connect(uri, uri=True)) as database:
            database.execute("PRAGMA trusted_schema=OFF")
            rows = database.execute("SELECT type, name, sql, rootpage FROM sqlite_master").fetchall()
    except sqlite3.DatabaseError as error:
        raise _damaged(label, "数据库已损坏", "its database is damaged") from error
    if not any(name == "gpkg_contents" for _, name, _, _ in rows):
        raise _not_a(label, path.suffix)
    for kind, name, sql, page in rows:
        plain = kind in {"index", "trigger"} or (kind == "table" and page and PLAIN_TABLE.match(sql or ""))
        if not plain and not (kind == "table" and SPATIAL_INDEX.match(sql or "")):
            raise UploadError(
                "gpkg-active-content",
                f"“{label}”含有视图或虚拟表（{str(name)[:60]}），已拒绝。请只导出普通图层。",
                f"{label} holds a view or virtual table ({str(name)[:60]}); it is refused. Export plain layers.",
                path=label,
            )


def _screen_xlsx(path: Path, label: str, *, unpacked_mb: int) -> None:
    budget = unpacked_mb * MEGABYTE
    with _opened(path, label) as opened:
        members = _safe_members(opened, label)
        if not any(info.filename == "[Content_Types].xml" for info in members):
            raise _not_a(label, path.suffix)
        for info in members:
            try:
                with opened.open(info) as source:
                    budget -= _screen_xml(source, label, budget=budget)
            except (zipfile.BadZipFile, EOFError, OSError, ValueError, NotImplementedError) as error:
                raise _damaged(label, "成员已损坏", "a member is damaged") from error


CELL = re.compile(rb'<(?:\w+:)?c\b[^>]*?\br="([A-Z]{1,3})([0-9]{1,7})"')
ROW = re.compile(rb'<(?:\w+:)?row\b[^>]*?\br="([0-9]{1,9})"')


def _screen_xml(source: IO[bytes], label: str, *, budget: int) -> int:
    """Count bytes, refuse a DOCTYPE, and bound the sheet by its furthest cell."""
    size, width, height, tail = 0, 1, 1, b""
    while chunk := source.read(CHUNK):
        size += len(chunk)
        if size > budget:
            raise _unpacks_too_far(label)
        text = tail + chunk
        if b"<!DOCTYPE" in text or b"<!ENTITY" in text:
            raise _damaged(label, "含有 DOCTYPE", "it holds a DOCTYPE")
        for match in CELL.finditer(text):
            width, height = max(width, _column(match[1])), max(height, int(match[2]))
        height = max([height, *(int(row) for row in ROW.findall(text))])
        if width * height > MAX_CELLS:
            raise TooLargeError(
                "sheet-too-large",
                f"“{label}”的工作表范围过大（{height} 行 × {width} 列）。请删除远处的空单元格。",
                f"A sheet of {label} reaches too far ({height} rows × {width} columns). Delete the cells far out.",
                path=label,
            )
        tail = text[-400:]
    return size


def _column(letters: bytes) -> int:
    number = 0
    for letter in letters:
        number = number * 26 + letter - ord("A") + 1
    return number


def discard(folder: Path) -> None:
    """Delete a folder that was unpacked to."""
    shutil.rmtree(folder, ignore_errors=True)


def _not_a(label: str, ending: str) -> FormatError:
    return FormatError(
        "format-mismatch",
        f"“{label}”不是有效的 {ending} 文件。请重新导出后上传。",
        f"{label} is not a valid {ending} file. Export it again and upload that.",
        path=label,
    )


def _damaged(label: str, zh: str, en: str) -> UploadError:
    return UploadError(
        "file-refused",
        f"无法读取“{label}”：{zh}。请重新打包或导出后上传。",
        f"{label} cannot be read: {en}. Pack or export it again and upload that.",
        path=label,
    )


def _unpacks_too_far(label: str) -> TooLargeError:
    return TooLargeError(
        "unpacked-too-large",
        f"“{label}”解压后过大，已停止。",
        f"{label} unpacks to more than is allowed; stopped.",
        path=label,
    )
