"""The community layer: identified, valid, without overlaps."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from geo.errors import CommunityError, LayerError
from geo.intake import cells
from geo.intake.geometry import areas_of, clean_areas, too_broken
from geo.intake.identify import unique_ids
from geo.schema import name_columns

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from pyproj import CRS

    from geo.intake.log import Log
    from geo.intake.table import Table

COLUMNS = ("community_id", "name", "street", "code")

TOUCH_WIDTH_M = 0.05
"""Overlaps narrower than this on average are two drawings of one border, which the tiling nodes anyway."""
SLIVER_WIDTH_M = 2.0
SLIVER_SHARE = 0.005
"""Up to this width and share of the smaller community an overlap is cut away; above, the planner must decide."""

_CODE = re.compile(r"\d{12}")
_NAMED = 5


def read_communities(tables: list[Table], crs: CRS, log: Log) -> gpd.GeoDataFrame:
    """Build the community frame of `geo.city.City`.

    Raises
    ------
    LayerError
        ``communities-without-areas``: no row has an area.
    CommunityError
        ``communities-overlap``, ``community-too-broken``.
    """
    parts = [_read(table, crs, log) for table in tables]
    frame = pd.concat(parts, ignore_index=True) if parts else _empty()
    frame = _dissolved(frame, tables[0], log) if tables else frame
    shapes = np.asarray(frame["geometry"], dtype=object)
    frame["geometry"] = without_overlaps(shapes, frame["name"].to_numpy(dtype=object), log)
    return gpd.GeoDataFrame(frame[[*COLUMNS, "geometry"]], geometry="geometry", crs=crs)


def without_overlaps(
    shapes: NDArray[np.object_], names: NDArray[np.object_], log: Log
) -> NDArray[np.object_]:
    """Cut slivers of overlap from the later community.

    Raises
    ------
    CommunityError
        ``communities-overlap``: two communities overlap by more than a sliver; names them and the area.
    """
    tree = shapely.STRtree(shapes)
    first, second = tree.query(shapes, predicate="intersects")
    order = np.lexsort((second, first))
    first, second = first[order], second[order]
    pairs = first < second
    first, second = first[pairs], second[pairs]
    common = shapely.intersection(shapes[first], shapes[second])
    area = shapely.area(common)
    with np.errstate(invalid="ignore", divide="ignore"):
        width = np.where(area > 0, 2.0 * area / shapely.length(common), 0.0)
    smaller = np.minimum(shapely.area(shapes[first]), shapely.area(shapes[second]))
    overlap = width >= TOUCH_WIDTH_M
    real = overlap & ((area >= SLIVER_SHARE * smaller) | (width >= SLIVER_WIDTH_M))
    if real.any():
        raise _overlapping(names[first[real]], names[second[real]], area[real])
    result = shapes.copy()
    cut = np.flatnonzero(overlap)
    for i in cut:
        rest = areas_of(shapely.difference(result[second[i]], result[first[i]]))
        result[second[i]] = rest if rest is not None else result[second[i]]
    if len(cut):
        total = float(area[cut].sum())
        log.note(
            "communities-sliver",
            "warning",
            "communities",
            f"{len(cut)} 对社区的边界略有重叠（共 {total:.0f} 平方米，平均宽不足 {SLIVER_WIDTH_M:.0f} 米），"
            "重叠部分归前一个社区。",
            f"Communities overlap by a sliver in {len(cut)} pair(s) ({total:.0f} m² in all, under "
            f"{SLIVER_WIDTH_M:.0f} m wide); it was left to the first of the two.",
            count=len(cut),
            ids=tuple(f"{names[first[i]]} / {names[second[i]]}" for i in cut),
        )
    return result


def _read(table: Table, crs: CRS, log: Log) -> pd.DataFrame:
    shapes = table.in_crs(crs)
    names, ids = _labels(table)
    invalid = ~shapely.is_valid(shapes) & ~shapely.is_missing(shapes)
    broken = invalid & too_broken(shapes)
    if broken.any():
        raise _too_broken(table, broken, names, shapes)
    cleaned = clean_areas(shapes)
    log.rows(
        "geometry-repaired",
        "warning",
        table,
        cleaned.repaired,
        "{title} 有 {n} 个社区的图形自相交，已修复（第 {rows} 行）。",
        "{title}: {n} communities had invalid outlines; repaired (rows {rows}).",
        ids=names,
    )
    log.rows(
        "geometry-missing",
        "warning",
        table,
        cleaned.missing,
        "{title} 有 {n} 行没有面状图形，未使用（第 {rows} 行）。",
        "{title}: {n} rows have no area; not used (rows {rows}).",
        ids=names,
    )
    if cleaned.missing.all():
        raise LayerError(
            "communities-without-areas",
            f"{table.raw.title} 没有面状图形，不能作为社区图层。",
            f"{table.raw.title} holds no areas, so it cannot be the community layer.",
            layer=table.raw.layer,
        )
    frame = pd.DataFrame(
        {
            "community_id": ids,
            "name": names,
            "street": table.text("street"),
            "code": _codes(table, ids),
            "source_row": table.raw.rows,
            "geometry": cleaned.geometry,
        }
    )
    return frame[~cleaned.missing].reset_index(drop=True)


def _labels(table: Table) -> tuple[NDArray[np.object_], NDArray[np.object_]]:
    """Names and ids: by alias, else by the look of the column names, else from each other, else the row number."""
    names, ids = table.text("name"), table.text("community_id")
    id_column, name_column = name_columns([str(c) for c in table.raw.frame.columns])
    if not table.has("name") and name_column is not None:
        names = _column(table, name_column)
    if not table.has("community_id") and id_column is not None:
        candidate = _column(table, id_column)
        if len(set(candidate)) == len(candidate):
            ids = candidate
    fallback = np.array([f"C{row:03d}" for row in table.raw.rows], dtype=object)
    ids = np.where(ids == "", names, ids)
    ids = np.where(ids == "", fallback, ids)
    return np.where(names == "", ids, names), ids


def _column(table: Table, name: str) -> NDArray[np.object_]:
    return cells.texts(table.raw.frame[name])


def _codes(table: Table, ids: NDArray[np.object_]) -> NDArray[np.object_]:
    """Return the 12 digits of the statistical code, from the id or any other column that holds such."""
    columns = table.raw.frame.columns
    for values in (ids, *(_column(table, str(c)) for c in columns)):
        fits = np.array([bool(_CODE.fullmatch(v)) for v in values])
        if fits.mean() >= 0.9:
            return np.where(fits, values, "")
    return np.full(table.n, "", dtype=object)


def _dissolved(frame: pd.DataFrame, table: Table, log: Log) -> pd.DataFrame:
    """Join rows of one community (same id and name); give an own id to namesakes."""
    key = frame["community_id"].astype(object) + "\x1f" + frame["name"].astype(object)
    codes, _ = pd.factorize(key)
    repeated = pd.Series(codes).duplicated().to_numpy()
    if repeated.any():
        shapes = frame["geometry"].to_numpy(dtype=object).copy()
        for code in np.unique(codes[repeated]):
            members = np.flatnonzero(codes == code)
            shapes[members[0]] = areas_of(shapely.union_all(shapes[members]))
        count = int(repeated.sum())
        ids = tuple(dict.fromkeys(frame.loc[repeated, "name"]))
        log.note(
            "communities-dissolved",
            "warning",
            "communities",
            f"{table.raw.title} 有 {count} 行与前面的行同属一个社区（{'、'.join(ids[:_NAMED])}），已合并。",
            f"{table.raw.title}: {count} rows belong to a community of an earlier row ({', '.join(ids[:_NAMED])}); "
            "merged.",
            count=count,
            rows=tuple(frame.loc[repeated, "source_row"]),
            ids=ids,
        )
        frame = frame.assign(geometry=shapes)[~repeated].reset_index(drop=True)
    ids_unique, changed = unique_ids(frame["community_id"].to_numpy(dtype=object))
    if changed.any():
        log.note(
            "ids-made-unique",
            "warning",
            "communities",
            f"{table.raw.title} 有 {int(changed.sum())} 个社区编号重复但名称不同，编号后加了序号。",
            f"{table.raw.title}: {int(changed.sum())} community ids repeat under other names; numbered.",
            count=int(changed.sum()),
            ids=tuple(ids_unique[changed]),
        )
    return frame.assign(community_id=ids_unique)


def _empty() -> pd.DataFrame:
    return pd.DataFrame({name: np.array([], dtype=object) for name in (*COLUMNS, "geometry")})


def _overlapping(
    first: NDArray[np.object_], second: NDArray[np.object_], area: NDArray[np.float64]
) -> CommunityError:
    worst = np.argsort(-area, kind="stable")[:_NAMED]
    zh = "；".join(f"“{first[i]}”与“{second[i]}”重叠 {area[i]:,.0f} 平方米" for i in worst)
    en = "; ".join(f'"{first[i]}" and "{second[i]}" by {area[i]:,.0f} m²' for i in worst)
    return CommunityError(
        "communities-overlap",
        f"有 {len(area)} 对社区互相重叠，无法判断归属：{zh}。请在 GIS 中改正社区边界。",
        f"Communities overlap ({len(area)} pair(s)), so homes there belong to both: {en}. Correct the outlines.",
        ids=[[str(first[i]), str(second[i])] for i in worst],
        area_m2=[float(area[i]) for i in worst],
    )


def _too_broken(
    table: Table, broken: NDArray[np.bool_], names: NDArray[np.object_], shapes: NDArray[np.object_]
) -> CommunityError:
    i = int(np.flatnonzero(broken)[0])
    where = str(shapely.is_valid_reason(shapes[i]))
    return CommunityError(
        "community-too-broken",
        f"{table.raw.title} 第 {table.raw.rows[i]} 行社区“{names[i]}”的边界自相交（{where}），"
        "点数过多不便自动修复，请在 GIS 中修复（如 QGIS 的“修正几何图形”）。",
        f'{table.raw.title}, row {table.raw.rows[i]}: the outline of "{names[i]}" is invalid ({where}) and has too '
        'many points to be repaired here; repair it in a GIS (QGIS: "Fix geometries").',
        row=int(table.raw.rows[i]),
        ids=[str(names[i])],
    )
