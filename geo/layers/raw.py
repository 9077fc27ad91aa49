"""One layer as read, before anything is made of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from geo.errors import LayerError

if TYPE_CHECKING:
    from pathlib import Path

    import pandas as pd
    from numpy.typing import NDArray
    from pyproj import CRS

    from geo.findings import Finding


@dataclass(frozen=True)
class RawLayer:
    """A layer as it stands in its file.

    Attributes
    ----------
    path, layer
        The file and the layer's name in it.
    format
        ``"GeoPackage"``, ``"GeoJSON"``, ``"Shapefile"``, ``"CSV"``, ``"XLSX"``, ``"GeoParquet"``.
    encoding
        Of the text, e.g. ``"utf-8"``, ``"gb18030"``.
    frame
        Attributes with a RangeIndex and text column names, without the geometry.
    geometry
        Object array of shapely geometries or None, shape (rows,); None for a table.
    crs
        None when the file does not say.
    rows
        int64, shape (rows,): number of each row in the file, the first data row is 1.
    cut_names
        True where column names end after 10 bytes (DBF).
    findings
        What was dropped or decided while reading; their `layer` is filled in by `named`.
    """

    path: Path
    layer: str
    format: str
    encoding: str
    frame: pd.DataFrame
    geometry: NDArray[np.object_] | None
    crs: CRS | None
    rows: NDArray[np.int64]
    cut_names: bool = False
    findings: tuple[Finding, ...] = ()

    @property
    def title(self) -> str:
        """File and layer for messages."""
        return title(self.path, self.layer)


def title(path: Path, layer: str | None) -> str:
    """Name a file and a layer in it."""
    return f"{path.name}:{layer}" if layer and layer != path.stem else path.name


def row_numbers(count: int) -> NDArray[np.int64]:
    """Return the row numbers of a layer: 1, 2, …."""
    return np.arange(1, count + 1, dtype=np.int64)


def unreadable(
    path: Path, why_zh: str, why_en: str, *, code: str = "file-unreadable", **where: Any
) -> LayerError:
    """Make the error for a file that cannot be read."""
    return LayerError(
        code,
        f"无法读取 {path.name}：{why_zh}",
        f"Cannot read {path.name}: {why_en}",
        path=str(path),
        **where,
    )


def no_such_layer(path: Path, layer: str, available: list[str]) -> LayerError:
    """Make the error for a layer name the file does not have."""
    return LayerError(
        "layer-missing",
        f"{path.name} 中没有图层“{layer}”，现有图层：{'、'.join(available)}。",
        f'{path.name} has no layer "{layer}"; it has: {", ".join(available)}.',
        path=str(path),
        layer=layer,
        layers=available,
    )


def choose_layer(path: Path, layer: str | None, available: list[str], role: str | None) -> str:
    """Choose the layer of a file: the named one, the only one, or the one named like the role.

    Raises
    ------
    LayerError
        ``layer-missing`` or ``layer-not-named``, both with the names there are.
    """
    if not available:
        raise unreadable(path, "文件里没有任何图层。", "it holds no layer.", code="layer-empty")
    if layer is not None:
        for name in available:
            if name == layer:
                return name
        for name in available:
            if name.lower() == layer.lower():
                return name
        raise no_such_layer(path, layer, available)
    if len(available) == 1:
        return available[0]
    for name in available:
        if role is not None and name.lower() == role:
            return name
    raise LayerError(
        "layer-not-named",
        f"{path.name} 有多个图层，请指明用哪个（文件:图层）：{'、'.join(available)}。",
        f"{path.name} holds several layers; say which one (PATH:LAYER): {', '.join(available)}.",
        path=str(path),
        layers=available,
    )
