"""Roads, water, railways, stations, old grids and candidate sites; how streets and barriers lie."""

from __future__ import annotations

from typing import TYPE_CHECKING

import geopandas as gpd
import numpy as np
import pandas as pd

from geo import schema
from geo.intake.geometry import clean_areas, clean_lines, clean_points
from geo.intake.identify import numbered, unique_ids
from geo.intake.levels import levels_of
from geo.intake.table import floor_areas
from geo.types import BorderClass

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray
    from pyproj import CRS

    from geo.intake.log import Log
    from geo.intake.table import Table

LINE_COLUMNS = ("border_class", "name")
STATION_COLUMNS = ("station_id", "name", "category", "opening_hours")

_LINE_CLASS = {"water": BorderClass.WATER, "railways": BorderClass.RAILWAY}


def read_lines(tables: list[Table], crs: CRS, log: Log) -> gpd.GeoDataFrame:
    """Read roads, water or railways as lines with the class of border they make, and how they lie."""
    parts = []
    for table, levels in zip(tables, levels_of(tables, log), strict=True):
        shapes, unusable = clean_lines(table.in_crs(crs))
        log.rows(
            "geometry-missing",
            "info",
            table,
            unusable,
            "{title} 有 {n} 行不是线也不是面，未使用（第 {rows} 行）。",
            "{title}: {n} rows are neither lines nor areas; not used (rows {rows}).",
        )
        part = pd.DataFrame(
            {
                "border_class": _classes(table, log),
                "name": table.text("name"),
                **levels,
                "geometry": shapes,
            }
        )
        parts.append(part[~unusable])
    return _frame(parts, {"border_class": np.uint8, "name": object}, crs)


def read_stations(tables: list[Table], crs: CRS, log: Log) -> gpd.GeoDataFrame:
    """Read service stations as points; with ``floor_area_m2`` where one of the tables says."""
    parts = []
    sized = any(table.has("floor_area_m2") for table in tables)
    for table in tables:
        points, missing = clean_points(table.in_crs(crs))
        ids = numbered(table.text("station_id"), table.raw.rows, prefix="S", digits=4)
        names = table.text("name")
        _note_lost(table, missing, ids, log)
        part = pd.DataFrame(
            {
                "station_id": ids,
                "name": np.where(names == "", ids, names),
                "category": _category(table),
                "opening_hours": table.text("opening_hours"),
                **({"floor_area_m2": floor_areas(table, log)} if sized else {}),
                "geometry": points,
            }
        )
        parts.append(part[~missing])
    frame = _frame(parts, dict.fromkeys(STATION_COLUMNS, object), crs)
    return _unique(frame, "station_id", tables, log)


def read_old_grids(tables: list[Table], crs: CRS, log: Log) -> gpd.GeoDataFrame:
    """Read the old division: ``grid_code``, ``name``, areas."""
    parts = []
    for table in tables:
        cleaned = clean_areas(table.in_crs(crs))
        ids = numbered(table.text("grid_code"), table.raw.rows, prefix="G", digits=4)
        _note_lost(table, cleaned.missing, ids, log)
        part = pd.DataFrame({"grid_code": ids, "name": table.text("name"), "geometry": cleaned.geometry})
        parts.append(part[~cleaned.missing])
    return _frame(parts, {"grid_code": object, "name": object}, crs)


def read_candidates(tables: list[Table], crs: CRS, log: Log) -> gpd.GeoDataFrame:
    """Read candidate sites: ``candidate_id``, ``name``, areas or points."""
    parts = []
    for table in tables:
        cleaned = clean_areas(table.in_crs(crs), points=True)
        ids = numbered(table.text("candidate_id"), table.raw.rows, prefix="K", digits=4)
        _note_lost(table, cleaned.missing, ids, log)
        part = pd.DataFrame({"candidate_id": ids, "name": table.text("name"), "geometry": cleaned.geometry})
        parts.append(part[~cleaned.missing])
    frame = _frame(parts, {"candidate_id": object, "name": object}, crs)
    return _unique(frame, "candidate_id", tables, log)


def _category(table: Table) -> NDArray[np.object_]:
    """Category of each station; one without is of the general kind."""
    given = table.text("category")
    return np.where(given == "", "station", given)


def _classes(table: Table, log: Log) -> NDArray[np.uint8]:
    fixed = _LINE_CLASS.get(table.role)
    if fixed is not None:
        return np.full(table.n, fixed, np.uint8)
    if not table.has("road_class"):
        log.note(
            "road-class-missing",
            "info",
            table.role,
            f"{table.raw.title} 没有道路等级列，全部按一般街道处理。",
            f"{table.raw.title} has no road class column; all roads count as streets.",
            count=table.n,
        )
        return np.full(table.n, BorderClass.STREET, np.uint8)
    values = table.text("road_class")
    codes, distinct = pd.factorize(values)
    known = schema.road_classes(table.picked.fields["road_class"], list(distinct))
    unknown = np.array([kind is None for kind in known], bool)
    shown = "、".join(f"“{value}”" if value else "（空）" for value in distinct[unknown][:8])
    log.rows(
        "road-class-unknown",
        "info",
        table,
        unknown[codes],
        f"{{title}} 有 {{n}} 条道路的等级不认识（{shown}），按一般街道处理。",
        f"{{title}}: {{n}} roads are of an unknown class ({shown}); they count as streets.",
    )
    classes = [BorderClass.STREET if kind is None else kind for kind in known]
    return np.array(classes, dtype=np.uint8)[codes]


def _note_lost(table: Table, missing: NDArray[np.bool_], ids: NDArray[np.object_], log: Log) -> None:
    log.rows(
        "geometry-missing",
        "warning",
        table,
        missing,
        "{title} 有 {n} 行没有可用的图形，未使用（第 {rows} 行）。",
        "{title}: {n} rows have no usable geometry; not used (rows {rows}).",
        ids=ids,
    )


def _frame(parts: list[pd.DataFrame], types: Mapping[str, type], crs: CRS) -> gpd.GeoDataFrame:
    if parts:
        frame = pd.concat(parts, ignore_index=True)
    else:
        empty: dict[str, NDArray[np.generic]] = {c: np.array([], dtype=t) for c, t in types.items()}
        frame = pd.DataFrame(empty | {"geometry": np.array([], object)})
    return gpd.GeoDataFrame(frame, geometry="geometry", crs=crs)


def _unique(frame: gpd.GeoDataFrame, column: str, tables: list[Table], log: Log) -> gpd.GeoDataFrame:
    ids, changed = unique_ids(frame[column].to_numpy(dtype=object))
    if changed.any():
        count = int(changed.sum())
        log.note(
            "ids-made-unique",
            "info",
            tables[0].role,
            f"{tables[0].raw.title} 有 {count} 个编号重复，已在编号后加序号。",
            f"{tables[0].raw.title}: {count} ids repeat; numbered to be unique.",
            count=count,
            ids=tuple(ids[changed]),
        )
    return frame.assign(**{column: ids})
