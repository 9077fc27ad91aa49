"""Write a plan to a GeoPackage and read it back."""

from __future__ import annotations

import os
import sqlite3
from contextlib import closing, contextmanager
from typing import IO, TYPE_CHECKING

import geopandas as gpd
import pyogrio

from geo.errors import PlanError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

NEEDED: Mapping[str, tuple[str, ...]] = {
    "grids": (
        "grid_id",
        "code",
        "community_id",
        "households",
        "persons",
        "buildings",
        "deviation",
        "in_band",
        "compactness",
    ),
    "cells": ("cell_id", "building_id", "compound_id", "grid_id", "community_id", "households"),
    "buildings": ("building_id", "grid_id", "households"),
    "communities": ("community_id", "name"),
}
"""Layers and columns every plan file holds; `compounds` and `stations` are there when the input had them."""

OPTIONAL = ("compounds", "stations")

EPOCH = "1970-01-01T00:00:00.000Z"


def write_layers(frames: Mapping[str, gpd.GeoDataFrame], path: Path) -> None:
    """Write frames as the layers of one new GeoPackage, in order.

    The same frames give the same bytes: the times that the format stamps into its own tables are set to a
    fixed date. The file is not moved into place; callers pass a path from `geo.atomic.replacing`, so it is synced
    to the disk once, when it is whole, and not after each of its hundred transactions.

    Parameters
    ----------
    frames
        Layer name to frame; a frame without rows is written with its columns all the same.
    path
        A path that does not exist yet.
    """
    with _unsynced():
        for name, frame in frames.items():
            pyogrio.write_dataframe(
                frame,
                path,
                layer=name,
                driver="GPKG",
                geometry_type=_geometry_type(frame),
                append=path.exists(),
                promote_to_multi=False,
                use_arrow=True,
            )
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute("PRAGMA synchronous = OFF")
        connection.execute("UPDATE gpkg_contents SET last_change = ?", (EPOCH,))
    with path.open("rb+") as file:
        _reset_counter(file)
        os.fsync(file.fileno())


def _reset_counter(file: IO[bytes]) -> None:
    """Set the number of transactions that a database says it had: GDAL now and then needs one fewer.

    Places of the counter and of its copy: section 1.3 of the SQLite file format.
    """
    for offset in (24, 92):
        file.seek(offset)
        file.write((1).to_bytes(4, "big"))
    file.flush()


@contextmanager
def _unsynced() -> Iterator[None]:
    """Let GDAL leave syncing to its caller for the length of the block."""
    option = "OGR_SQLITE_SYNCHRONOUS"
    before = pyogrio.get_gdal_config_option(option)
    pyogrio.set_gdal_config_options({option: "OFF"})
    try:
        yield
    finally:
        pyogrio.set_gdal_config_options({option: before})


def _geometry_type(frame: gpd.GeoDataFrame) -> str:
    kinds = set(frame.geometry.geom_type)
    return kinds.pop() if len(kinds) == 1 else "Unknown"


def read_plan(path: Path, *, only: Sequence[str] | None = None) -> dict[str, gpd.GeoDataFrame]:
    """Read the layers of a plan file.

    Parameters
    ----------
    path
        A file that `write_layers` wrote, or one edited in a GIS since.
    only
        Names of the layers to read, where not all are needed; that the others are there is checked all the same.

    Returns
    -------
    Frames by layer name, in the order of `NEEDED`, then those of `OPTIONAL` that the file has; EPSG:4326.

    Raises
    ------
    PlanError
        If the file is missing, is no GeoPackage, or lacks a layer or column of a plan.
    """
    if not path.is_file():
        raise PlanError(
            "plan-missing",
            f"找不到方案文件：{path}。",
            f"There is no plan file {path}.",
            path=str(path),
        )
    try:
        present = {str(name) for name, _ in pyogrio.list_layers(path)}
        absent = [name for name in NEEDED if name not in present]
        if absent:
            raise _not_a_plan(path, f"缺少图层 {'、'.join(absent)}", f"it has no layer {', '.join(absent)}")
        there = [*NEEDED, *(name for name in OPTIONAL if name in present)]
        wanted = [name for name in there if only is None or name in only]
        frames = {name: gpd.read_file(path, layer=name, use_arrow=True) for name in wanted}
    except pyogrio.errors.DataSourceError as error:
        raise _not_a_plan(path, "不是有效的 GeoPackage", "it is not a valid GeoPackage") from error
    for name, frame in frames.items():
        lost = [column for column in NEEDED.get(name, ()) if column not in frame.columns]
        if lost:
            raise _not_a_plan(
                path,
                f"图层 {name} 缺少字段 {'、'.join(lost)}",
                f"its layer {name} has no column {', '.join(lost)}",
            )
    if "grids" in frames:
        frames["grids"]["in_band"] = frames["grids"]["in_band"].astype(bool)
    return frames


def _not_a_plan(path: Path, zh: str, en: str) -> PlanError:
    return PlanError(
        "plan-unreadable",
        f"{path} 不是网格方案文件：{zh}。请使用 partition 命令生成的 plan.gpkg。",
        f"{path} is not a plan file: {en}. Use a plan.gpkg written by the partition command.",
        path=str(path),
    )
