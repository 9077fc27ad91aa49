"""Write a city with its cells as an immutable folder named after its content, and read it back."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import tempfile
from dataclasses import dataclass, fields
from pathlib import Path
from typing import TYPE_CHECKING, Any

import geopandas as gpd
import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import shapely
from pyproj import CRS
from pyproj.exceptions import CRSError as ProjError

from geo.city import City
from geo.crs import named_crs
from geo.dataset.ground import ground_of
from geo.dataset.ground_file import (
    CENTRES,
    GROUND,
    array_bytes,
    ground_bytes,
    ground_from,
    ground_names,
)
from geo.dataset.meta import META, Meta, checked_bytes, damaged, dataset_id, read_meta
from geo.dataset.rings import (
    from_steps,
    inner_steps,
    outlines_from,
    outlines_table,
    segments_from,
    segments_table,
    to_steps,
)
from geo.errors import CRSError, DatasetError
from geo.findings import Finding
from geo.layers.arrow import content_of, to_frame, to_table
from geo.tiling import Tiling

if TYPE_CHECKING:
    from collections.abc import Mapping

    from geo.adjacency import Graph
    from geo.dataset.ground import Ground

LAYERS = "layers"
SEGMENTS = "segments.parquet"
FINDINGS = "findings.json"
WGS84 = "EPSG:4326"
CELL = "cell"
"""Column of the building layer: the cell of each building, -1 for none."""

CITY_LAYERS = tuple(field.name for field in fields(City) if str(field.type).endswith("DataFrame"))
TABLES = (*(f"{LAYERS}/{name}.parquet" for name in (*CITY_LAYERS, "cells", "outlines")), SEGMENTS)

UNREADABLE = (
    KeyError,
    TypeError,
    ValueError,
    IndexError,
    pa.ArrowException,
    shapely.GEOSException,
    ProjError,
    CRSError,
)
"""What tables raise that hold something else than they should."""


@dataclass(frozen=True)
class Dataset:
    """A dataset that was read.

    Attributes
    ----------
    id
        SHA-256 of its content, 64 hexadecimal digits.
    city, tiling
        As they were written: every frame, column, type and coordinate.
    ground
        The cells in whole numbers, as `geo.dataset.ground_file.read_ground` reads them.
    """

    id: str
    city: City
    tiling: Tiling
    ground: Ground

    @property
    def graph(self) -> Graph:
        """Adjacency of the cells, that of `geo.adjacency.cell_graph`."""
        return self.ground.cells.graph


def write_dataset(city: City, tiling: Tiling, folder: Path, *, graph: Graph | None = None) -> str:
    """Write a city and its cells as a dataset: the folder is there whole, or not at all.

    The same city and tiling give the same id on any machine, and the same bytes with the same versions of the
    libraries. A folder that holds this dataset already is left alone.

    Parameters
    ----------
    city, tiling
        The city as it was divided into cells, and its cells.
    folder
        A path that does not exist yet, in a folder that does.
    graph
        `geo.adjacency.cell_graph` of the tiling, when the caller has it already.

    Returns
    -------
    The id of the dataset: the SHA-256 of its content, 64 hexadecimal digits.

    Raises
    ------
    DatasetError
        ``dataset-exists``: the folder holds something else; ``dataset-not-writable``.
    TilingError
        ``tiling-off-grid``: the cells are not on the grid of whole steps.
    """
    tables = _tables(city, tiling)
    files = {name: _parquet(table) for name, table in tables.items()}
    content = {name: hashlib.sha256(content_of(name, table)).hexdigest() for name, table in tables.items()}
    ground = ground_of(city, tiling, "", graph=graph)
    files[GROUND], content[GROUND] = ground_bytes(ground)
    centres = inner_steps(tiling.cells.geometry.to_numpy()).ravel()
    files[CENTRES], content[CENTRES] = array_bytes(centres), hashlib.sha256(centres.tobytes()).hexdigest()
    files[FINDINGS] = _findings_text(city, tiling).encode()
    content[FINDINGS] = hashlib.sha256(files[FINDINGS]).hexdigest()
    sums = {name: hashlib.sha256(data).hexdigest() for name, data in files.items()}
    meta = Meta(_about(city, tiling, ground), content, sums)
    files[META] = meta.to_json().encode()
    if not _held(folder, meta.id):
        _write_folder(folder, files, meta.id)
    return meta.id


def read_dataset(folder: Path) -> Dataset:
    """Read a dataset.

    Raises
    ------
    DatasetError
        ``dataset-missing``, ``dataset-format``, ``dataset-damaged``: with the file.
    """
    meta = read_meta(folder)
    ground = ground_from(folder, meta)
    try:
        tables = {name: _table(folder, meta, name) for name in TABLES}
        crs = _crs_from(meta.about["crs"])
        city_findings, cell_findings = _findings(checked_bytes(folder, meta, FINDINGS))
        frames = {
            name: _frame(tables[f"{LAYERS}/{name}.parquet"], crs, columns)
            for name, columns in ((name, meta.about["columns"][name]) for name in CITY_LAYERS)
        }
        building_cell = frames["buildings"].pop(CELL).to_numpy(np.int32)
        tiling = _tiling(tables, frames["communities"], building_cell, cell_findings)
        city = City(
            crs=crs,
            **frames,
            households_in=int(meta.about["households_in"]),
            persons_estimated=bool(meta.about["persons_estimated"]),
            findings=city_findings,
        )
    except UNREADABLE as error:
        raise damaged(folder, "图层内容不完整或有误", "its layers are incomplete or wrong") from error
    return Dataset(meta.id, city, tiling, ground)


def _tables(city: City, tiling: Tiling) -> dict[str, pa.Table]:
    """Return every table of the dataset by its path in the folder."""
    tables = {}
    for name, frame in _frames(city).items():
        kept = frame.assign(**{CELL: tiling.building_cell}) if name == "buildings" else frame
        tables[f"{LAYERS}/{name}.parquet"] = to_table(kept)
    cells = to_table(pd.DataFrame(tiling.cells.drop(columns="geometry")))
    rings = to_steps(tiling.cells.geometry.to_numpy())
    tables[f"{LAYERS}/cells.parquet"] = cells.append_column("rings", rings)
    tables[f"{LAYERS}/outlines.parquet"] = outlines_table(tiling.communities.geometry.to_numpy())
    tables[SEGMENTS] = segments_table(tiling.segments)
    return tables


def _frames(city: City) -> dict[str, pd.DataFrame]:
    """Return the frames of a city by field."""
    return {name: getattr(city, name) for name in CITY_LAYERS}


def _parquet(table: pa.Table) -> bytes:
    sink = pa.BufferOutputStream()
    pq.write_table(table, sink, compression="zstd")
    data: bytes = sink.getvalue().to_pybytes()
    return data


def _about(city: City, tiling: Tiling, ground: Ground) -> dict[str, Any]:
    frames = _frames(city)
    return {
        "crs": _crs_text(city.crs),
        "households_in": int(city.households_in),
        "persons_estimated": bool(city.persons_estimated),
        "columns": {name: list(map(str, frame.columns)) for name, frame in frames.items()},
        "rows": {name: len(frame) for name, frame in frames.items()},
        "cells": len(tiling.cells),
        "segments": len(tiling.segments.left),
        "names": ground_names(ground),
    }


def _crs_text(crs: CRS) -> str:
    """Return the code of a CRS where that says all, else its full definition."""
    code = crs.to_authority(min_confidence=100)
    if code is not None and CRS.from_authority(*code) == crs:
        return ":".join(code)
    return crs.to_wkt()


def _crs_from(text: str) -> CRS:
    """Return the CRS of `_crs_text`; other texts, which could name files to be opened, are refused."""
    return CRS.from_wkt(text) if "[" in text else named_crs(text)


def _findings_text(city: City, tiling: Tiling) -> str:
    lists = {
        "city": [finding.to_dict() for finding in city.findings],
        "tiling": [finding.to_dict() for finding in tiling.findings],
    }
    return json.dumps(lists, ensure_ascii=False, indent=1, sort_keys=True, allow_nan=False) + "\n"


def _findings(data: bytes) -> tuple[tuple[Finding, ...], tuple[Finding, ...]]:
    lists = json.loads(data)
    city, tiling = (tuple(Finding(**finding) for finding in lists[name]) for name in ("city", "tiling"))
    return city, tiling


def _held(folder: Path, wanted: str) -> bool:
    """Tell whether a folder holds the wanted dataset already.

    Raises
    ------
    DatasetError
        ``dataset-exists``: it holds something else.
    """
    if not folder.exists():
        return False
    try:
        if dataset_id(folder) == wanted:
            return True
    except DatasetError:
        if folder.is_dir() and not any(folder.iterdir()):
            return False
    raise DatasetError(
        "dataset-exists",
        f"{folder} 已有其他内容，数据集不会覆盖它。请换一个位置。",
        f"{folder} holds something else, which a dataset does not replace. Choose another place.",
        path=str(folder),
    )


def _write_folder(folder: Path, files: Mapping[str, bytes], wanted: str) -> None:
    """Write files under a temporary name beside the folder, sync them, and rename."""
    try:
        draft = Path(tempfile.mkdtemp(dir=folder.parent, prefix=".writing-"))
        try:
            (draft / LAYERS).mkdir()
            for name, data in files.items():
                _write_synced(draft / name, data)
            for made in (draft / LAYERS, draft):
                _sync_folder(made)
            draft.chmod(0o755)
            os.replace(draft, folder)  # noqa: PTH105 - Path.replace hides the atomicity this relies on
            _sync_folder(folder.parent)
        finally:
            shutil.rmtree(draft, ignore_errors=True)
    except OSError as error:
        # Another process may have written the same dataset in the meantime.
        if folder.is_dir() and _held(folder, wanted):
            return
        raise DatasetError(
            "dataset-not-writable",
            f"无法写入数据集 {folder}：{error.strerror}。",
            f"Cannot write the dataset {folder}: {error.strerror}.",
            path=str(folder),
        ) from error


def _write_synced(path: Path, data: bytes) -> None:
    with path.open("wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())


def _sync_folder(path: Path) -> None:
    """Make the names in a folder last, where the system can; elsewhere renaming has to do."""
    try:
        handle = os.open(path, os.O_RDONLY)
    except PermissionError:
        return
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _table(folder: Path, meta: Meta, name: str) -> pa.Table:
    return pq.read_table(pa.BufferReader(checked_bytes(folder, meta, name)))


def _frame(table: pa.Table, crs: CRS, columns: list[str]) -> pd.DataFrame:
    frame = to_frame(table, crs)
    return frame[[*columns, *(name for name in frame.columns if name == CELL and CELL not in columns)]]


def _tiling(
    tables: Mapping[str, pa.Table],
    communities: pd.DataFrame,
    building_cell: np.ndarray[Any, np.dtype[np.int32]],
    findings: tuple[Finding, ...],
) -> Tiling:
    cells = tables[f"{LAYERS}/cells.parquet"]
    outlines = outlines_from(tables[f"{LAYERS}/outlines.parquet"], len(communities))
    frame = gpd.GeoDataFrame(
        cells.drop_columns(["rings"]).to_pandas(),
        geometry=from_steps(cells["rings"].combine_chunks()),
        crs=WGS84,
    )
    return Tiling(
        frame,
        gpd.GeoDataFrame(communities).set_geometry(gpd.GeoSeries(outlines, crs=WGS84)),
        building_cell,
        segments_from(tables[SEGMENTS]),
        findings,
    )
