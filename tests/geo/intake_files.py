"""Small layers for the intake tests, and the files they are written to.

Two communities side by side, three buildings in each, on a metric grid (EPSG:4549, metres from `ORIGIN`):

    0        100       200
    +---------+---------+ 100
    | b1   b3 | b5   b6 |
    |  甲     |   乙    |
    | b2      | b4      |
    +---------+---------+ 0
"""

from __future__ import annotations

import zipfile
from pathlib import Path

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from geo.layers import Source

ORIGIN = (510_000.0, 3_462_000.0)
CRS = 4549

PLACES = {
    "b1": (10, 80),
    "b2": (10, 10),
    "b3": (70, 80),
    "b4": (110, 10),
    "b5": (110, 80),
    "b6": (170, 80),
}


def square(x: float, y: float, size: float = 10.0) -> shapely.Polygon:
    return shapely.box(ORIGIN[0] + x, ORIGIN[1] + y, ORIGIN[0] + x + size, ORIGIN[1] + y + size)


def area(xmin: float, ymin: float, xmax: float, ymax: float) -> shapely.Polygon:
    return shapely.box(ORIGIN[0] + xmin, ORIGIN[1] + ymin, ORIGIN[0] + xmax, ORIGIN[1] + ymax)


def communities(**columns: list) -> gpd.GeoDataFrame:
    data = columns or {"社区代码": ["310115001001", "310115001002"], "社区名称": ["甲社区", "乙社区"]}
    shapes = [area(0, 0, 100, 100), area(100, 0, 200, 100)]
    return gpd.GeoDataFrame(data, geometry=shapes, crs=CRS)


def buildings(**columns: list) -> gpd.GeoDataFrame:
    data = columns or {"楼栋编号": list(PLACES), "户数": [10, 20, 30, 40, 50, 60]}
    return gpd.GeoDataFrame(data, geometry=[square(*xy) for xy in PLACES.values()], crs=CRS)


def write(folder: Path, **layers: gpd.GeoDataFrame | pd.DataFrame) -> list[Source]:
    """Write each layer to GeoParquet (the fastest), tables to CSV; return the sources in reverse order."""
    sources = []
    for role, frame in layers.items():
        if isinstance(frame, gpd.GeoDataFrame):
            path = folder / f"{role}.parquet"
            frame.to_parquet(path)
        else:
            path = folder / f"{role}.csv"
            frame.to_csv(path, index=False, encoding="utf-8-sig")
        sources.append(Source(role, path))
    return sources[::-1]


def write_shapefile(frame: gpd.GeoDataFrame, path: Path, *, encoding: str, cpg: bool) -> Path:
    frame.to_file(path, driver="ESRI Shapefile", encoding=encoding)
    if not cpg:
        path.with_suffix(".cpg").unlink(missing_ok=True)
    return path


def zipped(path: Path, *, folder: str = "") -> Path:
    """Zip a Shapefile with all its parts, in a folder of the zip."""
    target = path.with_suffix(".zip")
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
        for part in sorted(path.parent.glob(f"{path.stem}.*")):
            if part.suffix != ".zip":
                archive.write(part, f"{folder}{part.name}")
    return target


def by_code(findings: tuple, code: str) -> list:
    return [finding for finding in findings if finding.code == code]


def shuffled(frame: gpd.GeoDataFrame, seed: int) -> gpd.GeoDataFrame:
    order = np.random.default_rng(seed).permutation(len(frame))
    return frame.iloc[order].reset_index(drop=True)
