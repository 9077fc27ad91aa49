"""Read street layers into plain polylines, and barriers into lines."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Any

import numpy as np
import shapely

from geo import schema
from geo.errors import CRSError
from geo.findings import Finding
from geo.types import BorderClass

if TYPE_CHECKING:
    from collections.abc import Sequence

    import geopandas as gpd
    from numpy.typing import NDArray

TOUCH_M = 1e-3
"""Coordinates nearer than this are one place."""

BRIDGE_NAMES = frozenset({"bridge", "isbridge", "桥", "桥梁", "是否桥梁"})
TUNNEL_NAMES = frozenset({"tunnel", "istunnel", "underpass", "隧道", "地下通道", "是否隧道"})
CROSSING_NAMES = frozenset({"crossing", "levelcrossing", "道口", "平交道口"})
LEVEL_NAMES = frozenset({"layer", "zlevel", "层级", "图层高度"})
"""Names of columns that say how a street lies, in the form of `geo.schema.plain_name`."""

NO = frozenset({"", "0", "0.0", "no", "n", "false", "f", "none", "nan", "null", "<na>", "否", "无"})

_SHAPES = (
    shapely.GeometryType.LINESTRING,
    shapely.GeometryType.LINEARRING,
    shapely.GeometryType.MULTILINESTRING,
    shapely.GeometryType.GEOMETRYCOLLECTION,
)
_AREAS = (shapely.GeometryType.POLYGON, shapely.GeometryType.MULTIPOLYGON)


@dataclass(frozen=True, eq=False)
class Lines:
    """Polylines and what is known of them.

    Attributes
    ----------
    xy
        float64, shape (vertices, 2).
    start
        int64, shape (lines + 1,): line i has the vertices from ``start[i]`` to ``start[i + 1]``, at least two.
    row
        int32, shape (lines,): position in the layer, -1 for a line of a scenario or a connector.
    kind
        uint8, shape (lines,).
    level
        int16, shape (lines,): 0 at grade, above on bridges, below in tunnels.
    marked
        bool, shape (lines,): said to be a bridge, tunnel or crossing, so it passes barriers.
    reach_m
        float64, shape (lines,): over what gap a loose end is joined.
    """

    xy: NDArray[np.float64]
    start: NDArray[np.int64]
    row: NDArray[np.int32]
    kind: NDArray[np.uint8]
    level: NDArray[np.int16]
    marked: NDArray[np.bool_]
    reach_m: NDArray[np.float64]

    def __len__(self) -> int:
        return len(self.row)

    def take(self, keep: NDArray[np.bool_]) -> Lines:
        """Return the lines of a mask."""
        size = np.diff(self.start)
        vertex = np.repeat(keep, size)
        start = np.concatenate([[0], np.cumsum(size[keep])])
        rest = {f.name: getattr(self, f.name)[keep] for f in fields(self) if f.name not in ("xy", "start")}
        return Lines(self.xy[vertex], start, **rest)

    @property
    def along(self) -> NDArray[np.float64]:
        """float64, shape (vertices,): metres from the line's first vertex."""
        step = np.zeros(len(self.xy))
        step[1:] = np.hypot(*np.diff(self.xy, axis=0).T)
        step[self.start[:-1]] = 0.0
        total = np.cumsum(step)
        return total - np.repeat(total[self.start[:-1]], np.diff(self.start))


@dataclass(frozen=True, eq=False)
class Barrier:
    """Straight pieces of water, railways and walls.

    Attributes
    ----------
    xy
        float64, shape (n, 4): x, y, x, y.
    kind
        uint8, shape (n,): WATER, RAILWAY or WALL.
    compound
        int32, shape (n,): whose wall, -1 otherwise.
    """

    xy: NDArray[np.float64]
    kind: NDArray[np.uint8]
    compound: NDArray[np.int32]


def check_crs(*frames: gpd.GeoDataFrame | None) -> Any:
    """Return the common CRS of the layers; an empty layer does not matter.

    Raises
    ------
    CRSError
        ``network-crs``: a layer is not in a projected CRS in metres, or layers differ.
    """
    given = [frame.crs for frame in frames if frame is not None and len(frame)]
    crs = given[0] if given else None
    for other in given:
        metric = other is not None and (
            other.is_projected
            and all(abs(a.unit_conversion_factor - 1.0) < 1e-9 for a in other.axis_info[:2])
        )
        if not metric or other != crs:
            raise CRSError(
                "network-crs",
                "步行路网需要道路、水系、铁路、小区处于同一投影坐标系（单位：米）。请先转换坐标系。",
                "A walking network needs streets, water, railways and compounds in one projected coordinate system "
                "in metres. Reproject the layers first.",
                layer="roads",
            )
    return crs


def street_lines(
    roads: gpd.GeoDataFrame, snap_m: float, extra: Sequence[Lines], findings: list[Finding]
) -> Lines:
    """Read the street layer; polygons give their outline."""
    shapes, row = _parts(roads, "roads", findings)
    lines = from_shapes(
        shapes,
        row=row,
        kind=_kinds(roads)[row],
        level=_levels(roads)[row],
        marked=_marks(roads)[row],
        reach_m=snap_m,
    )
    return together([lines, *extra])


def from_shapes(
    shapes: NDArray[Any],
    *,
    row: NDArray[Any],
    kind: NDArray[Any],
    level: NDArray[Any],
    marked: NDArray[Any],
    reach_m: float,
) -> Lines:
    """Make `Lines` of LineStrings without repeated vertices; lines shorter than `TOUCH_M` are left out."""
    xy, line = shapely.get_coordinates(shapes, return_index=True)
    fresh = np.ones(len(xy), bool)
    fresh[1:] = (line[1:] != line[:-1]) | (xy[1:] != xy[:-1]).any(axis=1)
    xy, line = xy[fresh], line[fresh]
    size = np.bincount(line, minlength=len(shapes)).astype(np.int64)
    lines = Lines(
        xy=xy,
        start=np.concatenate([[0], np.cumsum(size)]),
        row=np.asarray(row, np.int32),
        kind=np.asarray(kind, np.uint8),
        level=np.asarray(level, np.int16),
        marked=np.asarray(marked, bool),
        reach_m=np.full(len(shapes), float(reach_m)),
    )
    return lines.take((size >= 2) & (shapely.length(shapes) > TOUCH_M))


def together(parts: Sequence[Lines]) -> Lines:
    """Return all lines in one bundle."""
    shift = np.cumsum([0, *(len(p.xy) for p in parts)])
    start = [p.start[:-1] + s for p, s in zip(parts, shift[:-1], strict=True)]
    rest = {
        f.name: np.concatenate([getattr(p, f.name) for p in parts])
        for f in fields(Lines)
        if f.name not in ("xy", "start")
    }
    return Lines(np.vstack([p.xy for p in parts]), np.concatenate([*start, shift[-1:]]), **rest)


def drop_twins(lines: Lines) -> tuple[Lines, int]:
    """Drop lines that repeat another of the same level vertex by vertex, in either direction; keep the first."""
    shapes = shapely.linestrings(lines.xy, indices=np.repeat(np.arange(len(lines)), np.diff(lines.start)))
    keys = zip(shapely.to_wkb(shapely.normalize(shapes)).tolist(), lines.level.tolist(), strict=True)
    keep = np.zeros(len(lines), bool)
    keep[list({key: i for i, key in reversed(list(enumerate(keys)))}.values())] = True
    return lines.take(keep), int((~keep).sum())


def barrier_pieces(
    water: gpd.GeoDataFrame | None,
    railways: gpd.GeoDataFrame | None,
    compounds: gpd.GeoDataFrame | None,
    findings: list[Finding],
) -> tuple[Barrier, NDArray[Any]]:
    """Return all barriers as straight pieces, and the water and railways as LineStrings.

    Water and railways marked as tunnels, or below ground by their layer, stop nobody.
    """
    shapes: list[NDArray[Any]] = []
    kinds: list[NDArray[np.uint8]] = []
    owners: list[NDArray[np.int32]] = []
    for frame, kind, role in (
        (water, BorderClass.WATER, "water"),
        (railways, BorderClass.RAILWAY, "railways"),
        (compounds, BorderClass.WALL, "compounds"),
    ):
        if frame is None or not len(frame):
            continue
        parts, row = _parts(frame, role, findings)
        if role != "compounds":
            above = _levels(frame)[row] >= 0
            parts, row = parts[above], row[above]
        shapes.append(parts)
        kinds.append(np.full(len(parts), kind, np.uint8))
        owners.append((row if role == "compounds" else np.full(len(parts), -1)).astype(np.int32))
    if not shapes:
        nothing = Barrier(np.empty((0, 4)), np.empty(0, np.uint8), np.empty(0, np.int32))
        return nothing, np.empty(0, object)
    lines, kind_of, owner = np.concatenate(shapes), np.concatenate(kinds), np.concatenate(owners)
    xy, line = shapely.get_coordinates(lines, return_index=True)
    at = np.flatnonzero((line[1:] == line[:-1]) & (xy[1:] != xy[:-1]).any(axis=1))
    pieces = Barrier(np.hstack([xy[at], xy[at + 1]]), kind_of[line[at]], owner[line[at]])
    return pieces, lines[kind_of != BorderClass.WALL]


def _parts(
    frame: gpd.GeoDataFrame, role: str, findings: list[Finding]
) -> tuple[NDArray[Any], NDArray[np.int64]]:
    """Return the LineStrings of a layer and the row of each; rows without any line are noted."""
    with np.errstate(invalid="ignore"):  # coordinates that are no numbers are sorted out below
        geometry = shapely.force_2d(frame.geometry.to_numpy())
    area = np.isin(shapely.get_type_id(geometry), _AREAS)
    geometry = np.where(area, shapely.boundary(geometry), geometry)
    row = np.flatnonzero(np.isin(shapely.get_type_id(geometry), _SHAPES) & ~shapely.is_empty(geometry))
    # A collection may hold collections: take apart until nothing is left to take apart.
    parts, owner = geometry[row], row
    while (shapely.get_type_id(parts) > shapely.GeometryType.POLYGON).any():
        parts, index = shapely.get_parts(parts, return_index=True)
        owner = owner[index]
    line = np.isin(shapely.get_type_id(parts), _SHAPES[:2]) & ~shapely.is_empty(parts)
    parts, owner = parts[line], owner[line]
    finite = np.isfinite(shapely.bounds(parts)).all(axis=1) & np.isfinite(shapely.length(parts))
    parts, owner = parts[finite], owner[finite]
    missing = np.setdiff1d(np.arange(len(frame)), owner)
    optional = role == "compounds"  # a compound known only by its name is no fault
    if len(missing) and not optional:
        findings.append(
            Finding(
                "network-geometry-unusable",
                "warning",
                role,
                len(missing),
                f"{role} 有 {len(missing)} 行没有可用的线，未进入步行路网。",
                f"{role}: {len(missing)} rows hold no usable line; they are not in the walking network.",
                rows=tuple((missing + 1).tolist()),
            )
        )
    return parts, owner.astype(np.int64)


def _kinds(roads: gpd.GeoDataFrame) -> NDArray[np.uint8]:
    if "border_class" in roads.columns:
        return roads["border_class"].to_numpy(np.uint8)
    if "road_class" in roads.columns:
        values = roads["road_class"].astype(str)
        known = schema.road_classes("road_class", values.tolist())
        return np.array([BorderClass.STREET if k is None else k for k in known], np.uint8)
    return np.full(len(roads), BorderClass.STREET, np.uint8)


def _column(frame: gpd.GeoDataFrame, names: frozenset[str]) -> NDArray[Any] | None:
    """Return the first column whose plain name is one of these, as lower-case text."""
    for column in frame.columns:
        if column != frame.geometry.name and schema.plain_name(str(column)) in names:
            text = frame[column].astype(object).where(frame[column].notna(), "")
            return np.array([str(v).strip().lower() for v in text], object)
    return None


def _flag(frame: gpd.GeoDataFrame, names: frozenset[str]) -> NDArray[np.bool_]:
    text = _column(frame, names)
    if text is None:
        return np.zeros(len(frame), bool)
    return np.array([value not in NO for value in text], bool)


def _levels(frame: gpd.GeoDataFrame) -> NDArray[np.int16]:
    """Return the level of every row: its layer where that is a number but 0, else 1 for bridges, -1 for tunnels."""
    bridge, tunnel = _flag(frame, BRIDGE_NAMES), _flag(frame, TUNNEL_NAMES)
    level = np.where(bridge, 1, np.where(tunnel, -1, 0)).astype(np.int16)
    text = _column(frame, LEVEL_NAMES)
    if text is not None:
        for i, value in enumerate(text):
            number = _number(value)
            if number:
                level[i] = number
    return level


def _number(text: str) -> int:
    try:
        return int(max(-99.0, min(99.0, float(text))))
    except ValueError:
        return 0  # a layer column that holds names says nothing on height


def _marks(roads: gpd.GeoDataFrame) -> NDArray[np.bool_]:
    said = _flag(roads, BRIDGE_NAMES) | _flag(roads, TUNNEL_NAMES) | _flag(roads, CROSSING_NAMES)
    return said | (_levels(roads) != 0)
