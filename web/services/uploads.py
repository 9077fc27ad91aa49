"""Receive files: our own names on disk, the client's names only as labels."""

from __future__ import annotations

import unicodedata
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Protocol

from web.errors import BadRequestError, FormatError, TooLargeError
from web.store.models import StoredFile, new_id

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

ENDINGS = (".gpkg", ".geojson", ".json", ".zip", ".csv", ".xlsx")
SHAPEFILE_PARTS = (".shp", ".shx", ".dbf", ".prj", ".cpg")
IGNORED = (".sbn", ".sbx", ".qix", ".qpj", ".qmd", ".xml", ".fix", ".atx", ".ain", ".aih")
"""Index and style files that lie beside a shapefile; nothing in them is needed."""

LABEL_LENGTH = 120


class Incoming(Protocol):
    """A file of a request."""

    filename: str | None

    def save(self, dst: Path) -> None:
        """Write the content to a new file."""


def label_of(filename: str | None) -> str:
    """Return the client's name for a file as one short printable line: shown, never used as a path."""
    name = PurePosixPath((filename or "").replace("\\", "/")).name
    shown = "".join(ch for ch in name if unicodedata.category(ch)[0] != "C")
    return shown[-LABEL_LENGTH:]


def receive(incoming: Sequence[Incoming], folder: Path, *, max_files: int) -> list[StoredFile]:
    """Write the files of one upload to `folder`.

    The parts of a shapefile are kept together by the client's name; every other file gets a name of its own.

    Returns
    -------
    The files as stored; their layers are not known yet.

    Raises
    ------
    BadRequestError, FormatError, TooLargeError
        If there is no file, one of a kind that is not read, or too many.
    """
    named = [(label_of(file.filename), file) for file in incoming]
    named = [(label, file) for label, file in named if label]
    if not named:
        raise BadRequestError("no-files", "请选择要上传的文件。", "Choose the files to upload.")
    if len(named) > max_files:
        raise TooLargeError(
            "too-many-files",
            f"一次最多上传 {max_files} 个文件，收到 {len(named)} 个。",
            f"At most {max_files} files at once; {len(named)} came.",
        )
    for label, _ in named:
        _known_ending(label)
    stored: dict[str, StoredFile] = {}
    for label, file in named:
        ending = Path(label).suffix.lower()
        if ending in IGNORED:
            continue
        part = ending in SHAPEFILE_PARTS
        key = f"shp:{label[: -len(ending)].lower()}" if part else f"file:{len(stored)}"
        entry = stored.setdefault(key, StoredFile(id=new_id(), path="", label=label))
        target = folder / f"{entry.id}{ending}"
        if target.exists():
            raise BadRequestError(
                "file-twice", f"文件“{label}”出现了两次。", f"The file {label} came twice.", path=label
            )
        file.save(target)
        if not part or ending == ".shp":
            entry.path, entry.label = target.name, label
    _whole_shapefiles(stored.values(), folder)
    return list(stored.values())


def _known_ending(label: str) -> None:
    ending = Path(label).suffix.lower()
    if ending not in (*ENDINGS, *SHAPEFILE_PARTS, *IGNORED):
        raise FormatError(
            "format-unknown",
            f"不支持的文件格式：“{label}”。可上传 GeoPackage、GeoJSON、Shapefile（或其 zip）、CSV、XLSX。",
            f"Files like {label} are not read. Upload GeoPackage, GeoJSON, Shapefile (or its zip), CSV or XLSX.",
            path=label,
        )


def _whole_shapefiles(files: Iterable[StoredFile], folder: Path) -> None:
    for file in files:
        if not file.path:
            raise FormatError(
                "shapefile-incomplete",
                f"“{file.label}”缺少同名的 .shp 文件。请把 .shp、.shx、.dbf、.prj 一起上传。",
                f"{file.label} has no .shp of the same name. Upload the .shp, .shx, .dbf and .prj together.",
                path=file.label,
            )
        if file.path.endswith(".shp") and not (folder / file.path).with_suffix(".dbf").exists():
            raise FormatError(
                "shapefile-incomplete",
                f"“{file.label}”缺少同名的 .dbf 文件（属性表）。请一起上传。",
                f"{file.label} has no .dbf of the same name (its attributes). Upload it too.",
                path=file.label,
            )
