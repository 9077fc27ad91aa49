"""Compounds (小区): drawn areas, or just a name that several buildings share."""

from __future__ import annotations

from typing import TYPE_CHECKING

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from geo.intake import cells
from geo.intake.geometry import assign_to_areas, clean_areas
from geo.intake.identify import lookup, numbered, unique_ids
from geo.intake.log import listed

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from pyproj import CRS

    from geo.intake.log import Log
    from geo.intake.table import Table

COLUMNS = ("compound_id", "name", "compound_type")

OVERLAP_SHARE = 0.01
"""Compounds that share more than this part of the smaller one are reported."""


def read_compounds(tables: list[Table], crs: CRS, log: Log) -> pd.DataFrame:
    """Read the drawn compounds: ``compound_id``, ``name``, ``compound_type``, ``id_key``, ``geometry`` (object)."""
    parts = [_read(table, crs, log) for table in tables]
    if not parts:
        return pd.DataFrame({c: np.array([], dtype=object) for c in (*COLUMNS, "id_key", "geometry")})
    frame = pd.concat(parts, ignore_index=True)
    ids, changed = unique_ids(frame["compound_id"].to_numpy(dtype=object))
    if changed.any():
        log.note(
            "ids-made-unique",
            "warning",
            "compounds",
            f"{tables[0].raw.title} 有 {int(changed.sum())} 个小区编号重复，已在编号后加序号。",
            f"{tables[0].raw.title}: {int(changed.sum())} compound ids repeat; numbered to be unique.",
            count=int(changed.sum()),
            ids=tuple(ids[changed]),
        )
    frame = frame.assign(compound_id=ids)
    _note_overlaps(frame, log)
    return frame


def assign_compounds(
    buildings: pd.DataFrame, drawn: pd.DataFrame, crs: CRS
) -> tuple[gpd.GeoDataFrame, NDArray[np.int32]]:
    """Find the compound of every building: by id, by name where it is unique, by place, else by its own name.

    Returns
    -------
    tuple
        The compounds of `geo.city.City` (drawn ones first, then those known only by name, in the order they appear
        in the buildings), and the position of each building's compound (int32, -1 none).
    """
    n = len(drawn)
    given_id = buildings["compound_id"].to_numpy(dtype=object)
    given_name = buildings["compound_name"].to_numpy(dtype=object)
    found = np.full(len(buildings), -1, np.int64)
    if n:
        found = lookup(drawn["id_key"].to_numpy(dtype=object), cells.id_keys(given_id))
        by_name = lookup(cells.name_keys(drawn["name"].to_numpy(dtype=object)), cells.name_keys(given_name))
        found = np.where(found < 0, by_name, found)
        points = shapely.point_on_surface(buildings["geometry"].to_numpy(dtype=object))
        by_place, _ = assign_to_areas(points, drawn["geometry"].to_numpy(dtype=object), within_m=0.0)
        found = np.where(found < 0, by_place, found)
    named = np.flatnonzero((found < 0) & ((given_id != "") | (given_name != "")))
    key = np.where(given_id[named] != "", given_id[named], given_name[named])
    codes, distinct = pd.factorize(key)
    found[named] = n + codes
    _, first = np.unique(codes, return_index=True)
    sample = named[first]
    extra = pd.DataFrame(
        {
            "compound_id": distinct,
            "name": np.where(given_name[sample] != "", given_name[sample], given_id[sample]),
            "compound_type": buildings["compound_type"].to_numpy(dtype=object)[sample],
            "geometry": np.full(len(sample), None, dtype=object),
        }
    )
    frame = pd.concat([drawn[[*COLUMNS, "geometry"]], extra], ignore_index=True) if len(extra) else drawn
    ids, _ = unique_ids(frame["compound_id"].to_numpy(dtype=object))
    frame = frame[[*COLUMNS, "geometry"]].assign(compound_id=ids)
    return gpd.GeoDataFrame(frame, geometry="geometry", crs=crs), found.astype(np.int32)


def _read(table: Table, crs: CRS, log: Log) -> pd.DataFrame:
    cleaned = clean_areas(table.in_crs(crs))
    given, names = table.text("compound_id"), table.text("name")
    ids = numbered(given, table.raw.rows, prefix="X", digits=4)
    log.rows(
        "geometry-repaired",
        "warning",
        table,
        cleaned.repaired | cleaned.hulled,
        "{title} 有 {n} 个小区的图形自相交，已修复（第 {rows} 行）。",
        "{title}: {n} compounds had invalid outlines; repaired (rows {rows}).",
        ids=ids,
    )
    log.rows(
        "geometry-missing",
        "warning",
        table,
        cleaned.missing,
        "{title} 有 {n} 个小区没有面状图形，只按编号和名称使用（第 {rows} 行）。",
        "{title}: {n} compounds have no area; used by id and name only (rows {rows}).",
        ids=ids,
    )
    return pd.DataFrame(
        {
            "compound_id": ids,
            "name": np.where(names == "", ids, names),
            "compound_type": table.text("compound_type"),
            "id_key": cells.id_keys(given),
            "geometry": cleaned.geometry,
        }
    )


def _note_overlaps(frame: pd.DataFrame, log: Log) -> None:
    shapes = frame["geometry"].to_numpy(dtype=object)
    first, second = shapely.STRtree(shapes).query(shapes, predicate="intersects")
    order = np.lexsort((second, first))
    first, second = first[order], second[order]
    pairs = first < second
    first, second = first[pairs], second[pairs]
    area = shapely.area(shapely.intersection(shapes[first], shapes[second]))
    smaller = np.minimum(shapely.area(shapes[first]), shapely.area(shapes[second]))
    real = area > OVERLAP_SHARE * smaller
    if not real.any():
        return
    names = frame["name"].to_numpy(dtype=object)
    ids = tuple(f"{names[a]} / {names[b]}" for a, b in zip(first[real], second[real], strict=True))
    log.note(
        "compounds-overlap",
        "warning",
        "compounds",
        f"{len(ids)} 对小区互相重叠（{listed(ids)}），重叠处的楼栋归前一个小区。",
        f"{len(ids)} pairs of compounds overlap ({listed(ids)}); buildings there belong to the first of the two.",
        count=len(ids),
        ids=ids,
    )
