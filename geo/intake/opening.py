"""Open layers: read them, understand their columns, and find out where their rows are."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
import shapely
from pyproj import CRS, Transformer
from pyproj.exceptions import CRSError as ProjError

from geo.crs import WGS84, crs_label, named_crs, to_wgs84, uncertain_datum, zone_hint
from geo.errors import CRSError
from geo.intake import cells
from geo.intake.table import Table
from geo.layers import RawLayer, Source, read_layer
from geo.schema import is_personal, pick_columns

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from numpy.typing import NDArray

    from geo.intake.log import Log
    from geo.types import Role


@dataclass(frozen=True)
class Reference:
    """Where the city is: bounds of the community layer, to judge coordinates that do not speak for themselves."""

    crs: CRS
    bounds: tuple[float, float, float, float]

    def share_inside(self, x: NDArray[np.float64], y: NDArray[np.float64], crs: CRS) -> float:
        """Return the share of points within the bounds, widened by a tenth."""
        known = np.isfinite(x) & np.isfinite(y)
        if not known.any():
            return 0.0
        xmin, ymin, xmax, ymax = self.bounds
        if self.crs != crs:
            xmin, ymin, xmax, ymax = Transformer.from_crs(self.crs, crs, always_xy=True).transform_bounds(
                *self.bounds
            )
        dx, dy = 0.1 * (xmax - xmin), 0.1 * (ymax - ymin)
        inside = (x[known] >= xmin - dx) & (x[known] <= xmax + dx)
        inside &= (y[known] >= ymin - dy) & (y[known] <= ymax + dy)
        return float(inside.mean())


def reference_of(tables: list[Table]) -> Reference | None:
    """Return where the first located table is."""
    for table in tables:
        if table.geometry is not None and table.crs is not None:
            bounds = shapely.total_bounds(table.geometry)
            if np.isfinite(bounds).all():
                return Reference(table.crs, (bounds[0], bounds[1], bounds[2], bounds[3]))
    return None


def open_table(
    source: Source, columns: Mapping[str, str], log: Log, *, reference: Reference | None = None
) -> Table:
    """Read a layer, drop its personal columns, understand the others and locate its rows.

    Raises
    ------
    LayerError, ColumnError, CRSError
        The file cannot be read, a named column is missing, the coordinates cannot be understood.
    """
    raw = read_layer(source)
    log.take(raw.findings, source.role)
    raw = _without_personal(raw, source.role, log)
    names = [str(c) for c in raw.frame.columns]
    picked = pick_columns(names, source.role, overrides=columns, cut_names=raw.cut_names, place=raw.title)
    log.take(picked.findings, source.role)
    table = Table(source.role, raw, picked, raw.geometry, raw.crs)
    named = columns.get(f"{source.role}.crs")
    if named is not None:
        table = replace(table, crs=named_crs(named))
    if table.geometry is not None and table.crs is None:
        raise _no_crs(table, shapely.total_bounds(table.geometry))
    if table.geometry is None:
        table = _located(table, log, reference)
    if table.geometry is not None and table.crs is not None:
        _check_range(table)
        if uncertain_datum(table.crs):
            label = crs_label(table.crs)
            log.note(
                "crs-datum-uncertain",
                "warning",
                table.role,
                f"{raw.title} 的坐标系是 {label}，没有公开的转换参数，位置可能偏差几十到一百多米，请核对。",
                f"{raw.title} is in {label}, whose conversion is not public: places may be off by up to 150 m.",
            )
    return table


def _without_personal(raw: RawLayer, role: Role, log: Log) -> RawLayer:
    personal = [c for c in raw.frame.columns if is_personal(str(c))]
    if not personal:
        return raw
    names = "、".join(str(c) for c in personal)
    log.note(
        "personal-columns-dropped",
        "info",
        role,
        f"{raw.title} 含个人信息列（{names}），未读取、未保存。",
        f"{raw.title} holds columns with personal data ({names}); they were neither used nor kept.",
        count=len(personal),
        ids=tuple(str(c) for c in personal),
    )
    return replace(raw, frame=raw.frame.drop(columns=personal))


def _located(table: Table, log: Log, reference: Reference | None) -> Table:
    """Make the geometry of a table from a WKT column or a pair of coordinate columns, if it has any."""
    crs = table.crs or _sidecar(table.raw.path)
    if table.picked.wkt is not None:
        texts = cells.texts(table.raw.frame[table.picked.wkt])
        flat = np.array([t if _flat_wkt(t) else None for t in texts], dtype=object)
        geometry = shapely.from_wkt(flat, on_invalid="ignore")
        if not shapely.is_missing(geometry).all():
            return replace(
                table, geometry=geometry, crs=crs or _crs_of_bounds(table, geometry, log, reference)
            )
    if table.picked.coordinates is None:
        return table
    x_name, y_name, _ = table.picked.coordinates
    x, x_bad = cells.numbers(table.raw.frame[x_name])
    y, y_bad = cells.numbers(table.raw.frame[y_name])
    x, y, crs = _placed(table, x, y, crs, log=log, reference=reference)
    log.rows(
        "coordinates-not-numbers",
        "warning",
        table,
        x_bad | y_bad,
        "{title} 有 {n} 行坐标不是数字（第 {rows} 行）。",
        "{title}: {n} rows hold no numbers as coordinates (rows {rows}).",
    )
    known = np.isfinite(x) & np.isfinite(y)
    geometry = np.full(table.n, None, dtype=object)
    geometry[known] = shapely.points(x[known], y[known])
    return replace(table, geometry=geometry, crs=crs)


def _flat_wkt(text: str) -> bool:
    """Tell whether text may be parsed as WKT: collections within collections crash parsers."""
    return bool(text) and "((((" not in text.replace(" ", "") and text.upper().count("COLLECTION") <= 1


def _placed(
    table: Table,
    x: NDArray[np.float64],
    y: NDArray[np.float64],
    crs: CRS | None,
    *,
    log: Log,
    reference: Reference | None,
) -> tuple[NDArray[np.float64], NDArray[np.float64], CRS]:
    """Find out the CRS and the order of two coordinate columns."""
    x_name, y_name, system = table.picked.coordinates or ("", "", "unknown")
    pair = f"{x_name}、{y_name}"
    title = table.raw.title
    degrees = bool(np.nanmax(np.abs([x, y]), initial=0.0) <= 180.0)
    if crs is None and degrees:
        crs = WGS84
        if np.nanmax(np.abs(y), initial=0.0) > 90.0:
            x, y = _swapped(table, x, y, log)
        if system in ("GCJ-02", "BD-09"):
            x, y = to_wgs84(x, y, system)
            log.note(
                "coordinates-shifted",
                "info",
                table.role,
                f"{title} 的坐标列（{pair}）是 {system} 偏移坐标，已换算为 WGS 84。",
                f"{title}: the coordinates ({pair}) are shifted ones in {system}; converted to WGS 84.",
                count=table.n,
            )
        else:
            log.note(
                "crs-assumed",
                "info",
                table.role,
                f"{title} 的坐标列（{pair}）按经纬度（WGS 84 / CGCS2000）读取。",
                f"{title}: the coordinates ({pair}) are taken as longitude and latitude (WGS 84 / CGCS2000).",
                count=table.n,
            )
    if crs is None:
        crs = _assumed(table, x, y, log, reference)
    if reference is not None and reference.share_inside(x, y, crs) < 0.5 <= reference.share_inside(y, x, crs):
        x, y = _swapped(table, x, y, log)
    return x, y, crs


def _swapped(
    table: Table, x: NDArray[np.float64], y: NDArray[np.float64], log: Log
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    pair = "、".join(table.picked.coordinates[:2]) if table.picked.coordinates else ""
    log.note(
        "axes-swapped",
        "warning",
        table.role,
        f"{table.raw.title} 的坐标列（{pair}）横纵颠倒（测绘习惯 X 为北），已对调。",
        f"{table.raw.title}: the coordinates ({pair}) were the wrong way round (surveyors' X is north); swapped.",
        count=table.n,
    )
    return y, x


def _assumed(
    table: Table,
    x: NDArray[np.float64],
    y: NDArray[np.float64],
    log: Log,
    reference: Reference | None,
) -> CRS:
    """Take the CRS of the communities for bare metres that fall within them, either way round."""
    if reference is not None:
        share = max(reference.share_inside(x, y, reference.crs), reference.share_inside(y, x, reference.crs))
        if share >= 0.8:
            label = crs_label(reference.crs)
            log.note(
                "crs-assumed",
                "warning",
                table.role,
                f"{table.raw.title} 没有写坐标系，坐标落在社区范围内，按社区图层的 {label} 读取，请核对。",
                f"{table.raw.title} does not say its coordinate system; its points lie within the communities, "
                f"so {label} is taken from them. Please check.",
                count=table.n,
            )
            return reference.crs
    bounds = [np.nanmin(x, initial=np.inf), 0, np.nanmax(x, initial=-np.inf), 0]
    raise _no_crs(table, np.array(bounds))


def _crs_of_bounds(table: Table, geometry: NDArray[np.object_], log: Log, reference: Reference | None) -> CRS:
    xmin, ymin, xmax, ymax = shapely.total_bounds(geometry)
    if max(abs(xmin), abs(xmax)) <= 180 and max(abs(ymin), abs(ymax)) <= 90:
        log.note(
            "crs-assumed",
            "info",
            table.role,
            f"{table.raw.title} 的坐标按经纬度（WGS 84 / CGCS2000）读取。",
            f"{table.raw.title}: coordinates are taken as longitude and latitude (WGS 84 / CGCS2000).",
            count=table.n,
        )
        return WGS84
    centre = shapely.centroid(geometry)
    return _assumed(table, shapely.get_x(centre), shapely.get_y(centre), log, reference)


def _sidecar(path: Path) -> CRS | None:
    """Read a ``.prj`` file beside a table."""
    prj = path.with_suffix(".prj")
    if not prj.is_file():
        return None
    try:
        return CRS.from_wkt(prj.read_text(encoding="utf-8", errors="replace")[:20_000])
    except ProjError:
        return None


def _no_crs(table: Table, bounds: NDArray[np.float64]) -> CRSError:
    hint = zone_hint(float(bounds[0])) if np.isfinite(bounds[0]) else ""
    zh = f"看数值像 CGCS2000 带号坐标，可能是 {hint}。" if hint else ""
    en = f" The values look like a CGCS2000 zone with its number, maybe {hint}." if hint else ""
    return CRSError(
        "crs-missing",
        f"{table.raw.title} 没有坐标系。{zh}请补上 .prj 文件或另存为带坐标系的 GeoPackage，"
        f"或指定 {table.role}.crs=EPSG:代号。",
        f"{table.raw.title} has no coordinate system.{en} Add the .prj file, save it as a GeoPackage with its "
        f"CRS, or name it with {table.role}.crs=EPSG:code.",
        path=str(table.raw.path),
        layer=table.raw.layer,
        role=table.role,
    )


def _check_range(table: Table) -> None:
    """Refuse metres under a CRS of degrees."""
    if table.crs is None or not table.crs.is_geographic:
        return
    bounds = shapely.total_bounds(table.geometry)
    if np.isfinite(bounds).all() and (
        np.abs(bounds[[0, 2]]).max() > 361 or np.abs(bounds[[1, 3]]).max() > 90.5
    ):
        label = crs_label(table.crs)
        raise CRSError(
            "crs-mismatch",
            f"{table.raw.title} 标的坐标系是 {label}（经纬度），但坐标值达到 {np.abs(bounds).max():.0f}，"
            f"坐标系标错了。请改正，或指定 {table.role}.crs=EPSG:代号。",
            f"{table.raw.title} says {label} (degrees), but its coordinates reach {np.abs(bounds).max():.0f}: "
            f"the CRS is wrong. Correct it, or name the right one with {table.role}.crs=EPSG:code.",
            path=str(table.raw.path),
            layer=table.raw.layer,
            role=table.role,
        )
