"""Where a layer comes from: role, file, layer within the file."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from geo.errors import LayerError
from geo.types import ROLES, Role

SUFFIXES = (
    ".gpkg",
    ".geojson",
    ".json",
    ".shp",
    ".zip",
    ".csv",
    ".tsv",
    ".txt",
    ".xlsx",
    ".xlsm",
    ".parquet",
    ".geoparquet",
)

_REMOTE = re.compile(r"^[A-Za-z][A-Za-z0-9+.\-]+://|^[/\\]vsi", re.IGNORECASE)


@dataclass(frozen=True)
class Source:
    """One layer to read.

    Attributes
    ----------
    role
        What the layer is.
    path
        An existing local file.
    layer
        Layer, sheet or inner file name; None where the file holds one.
    """

    role: Role
    path: Path
    layer: str | None = None


def parse_source(text: str) -> Source:
    """Read ``ROLE=PATH[:LAYER]``.

    A colon after a Windows drive letter, or inside a path that exists, does not begin a layer name.

    Raises
    ------
    LayerError
        ``role-unknown``, ``source-malformed`` or ``not-a-local-file``.
    """
    role, equals, rest = text.partition("=")
    role = role.strip()
    if role not in ROLES:
        known = ", ".join(ROLES)
        raise LayerError(
            "role-unknown",
            f"“{text}”中的图层角色“{role}”不认识，可用的角色：{known}。写法：角色=文件[:图层]。",
            f'Unknown layer role "{role}" in "{text}"; use one of: {known}. Write ROLE=PATH[:LAYER].',
            role=role,
        )
    if not equals or not rest.strip():
        raise LayerError(
            "source-malformed",
            f"“{text}”没有写文件。写法：角色=文件[:图层]。",
            f'"{text}" names no file. Write ROLE=PATH[:LAYER].',
        )
    path, layer = _split(rest.strip())
    check_local(path)
    return Source(role, Path(path), layer)


def check_local(path: str | Path) -> None:
    """Refuse addresses and GDAL's virtual file systems: only files on this machine are read."""
    if _REMOTE.match(str(path)):
        raise LayerError(
            "not-a-local-file",
            f"“{path}”不是本机文件。请先下载，再给出文件路径。",
            f'"{path}" is not a local file. Download it first and give its path.',
            path=str(path),
        )


def _split(text: str) -> tuple[str, str | None]:
    if _REMOTE.match(text) or Path(text).exists():
        return text, None
    colons = [i for i, c in enumerate(text) if c == ":" and i > 1]
    for i in reversed(colons):
        if Path(text[:i]).is_file():
            return text[:i], text[i + 1 :] or None
    for i in colons:
        if Path(text[:i]).suffix.lower() in SUFFIXES:
            return text[:i], text[i + 1 :] or None
    return text, None
