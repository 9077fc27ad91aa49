"""Gates: points where the wall of a compound can be passed."""

from __future__ import annotations

from typing import TYPE_CHECKING

import geopandas as gpd
import numpy as np
import pandas as pd

from geo.intake import cells
from geo.intake.geometry import clean_points
from geo.intake.identify import lookup, numbered, unique_ids
from geo.intake.log import listed

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from pyproj import CRS

    from geo.intake.log import Log
    from geo.intake.table import Table

COLUMNS = ("gate_id", "name", "compound_id")


def empty_gates(crs: CRS) -> gpd.GeoDataFrame:
    """Return the gates frame of `geo.city.City` without rows."""
    return gpd.GeoDataFrame(
        {name: np.array([], dtype=object) for name in COLUMNS}, geometry=np.array([], object), crs=crs
    )


def read_gates(tables: list[Table], compounds: gpd.GeoDataFrame, crs: CRS, log: Log) -> gpd.GeoDataFrame:
    """Read the gates and find the compound that each names, by its id or, where that is unique, by its name.

    Parameters
    ----------
    compounds
        Of `geo.city.City`.
    """
    parts = [_read(table, crs, log) for table in tables]
    if not parts:
        return empty_gates(crs)
    frame = pd.concat(parts, ignore_index=True)
    ids, changed = unique_ids(frame["gate_id"].to_numpy(dtype=object))
    if changed.any():
        log.note(
            "ids-made-unique",
            "info",
            "gates",
            f"{tables[0].raw.title} 有 {int(changed.sum())} 个大门编号重复，已在编号后加序号。",
            f"{tables[0].raw.title}: {int(changed.sum())} gate ids repeat; numbered to be unique.",
            count=int(changed.sum()),
            ids=tuple(ids[changed]),
        )
    frame = frame.assign(gate_id=ids, compound_id=_compounds_of(frame.assign(gate_id=ids), compounds, log))
    return gpd.GeoDataFrame(frame[[*COLUMNS, "geometry"]], geometry="geometry", crs=crs)


def _read(table: Table, crs: CRS, log: Log) -> pd.DataFrame:
    points, missing = clean_points(table.in_crs(crs))
    ids = numbered(table.text("gate_id"), table.raw.rows, prefix="M", digits=5)
    log.rows(
        "geometry-missing",
        "warning",
        table,
        missing,
        "{title} 有 {n} 行没有可用的图形，未使用（第 {rows} 行）。",
        "{title}: {n} rows have no usable geometry; not used (rows {rows}).",
        ids=ids,
    )
    frame = pd.DataFrame(
        {
            "gate_id": ids,
            "name": table.text("name"),
            "source_row": table.raw.rows,
            "given_id": table.text("compound_id"),
            "given_name": table.text("compound_name"),
            "geometry": points,
        }
    )
    return frame[~missing]


def _compounds_of(frame: pd.DataFrame, compounds: gpd.GeoDataFrame, log: Log) -> NDArray[np.object_]:
    """Return the compound id of every gate, ``""`` where the layer names none that is known."""
    known = np.append(compounds["compound_id"].to_numpy(dtype=object), "")
    given, names = frame["given_id"].to_numpy(dtype=object), frame["given_name"].to_numpy(dtype=object)
    found = lookup(cells.id_keys(known[:-1]), cells.id_keys(given))
    by_name = lookup(
        cells.name_keys(compounds["name"].to_numpy(dtype=object)),
        cells.name_keys(np.where(names == "", given, names)),
    )
    found = np.where(found < 0, by_name, found)
    lost = (found < 0) & ((given != "") | (names != ""))
    if lost.any():
        missing = listed(dict.fromkeys(np.where(given == "", names, given)[lost].tolist()))
        log.note(
            "gate-compound-unknown",
            "warning",
            "gates",
            f"{int(lost.sum())} 个大门所属的小区（{missing}）不在小区图层中，按最近的围墙处理。",
            f"{int(lost.sum())} gates name compounds that are not known ({missing}); the nearest wall is taken.",
            count=int(lost.sum()),
            rows=tuple(frame["source_row"].to_numpy()[lost]),
            ids=tuple(frame["gate_id"].to_numpy(dtype=object)[lost]),
        )
    return known[found]
