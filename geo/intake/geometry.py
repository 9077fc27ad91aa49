"""Make geometry usable: valid, of one kind, without anything that is not a place."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import shapely

if TYPE_CHECKING:
    from numpy.typing import NDArray

VERTEX_BUDGET = 2_000
"""Invalid polygons up to this size are always repaired."""

LARGEST_REPAIR = 100_000
"""Above this size never: repair may take minutes, so the convex hull is used instead."""

TANGLED = 20.0
"""In between, repair takes long only where many edges cross: where an edge's box meets more than so many others."""

FARTHEST = 1e9
"""No coordinate of a place on earth is larger, in any CRS."""

_SAMPLE = 256

_POINT, _LINE, _RING, _POLYGON, _MULTIPOINT, _MULTILINE, _MULTIPOLYGON, _COLLECTION = range(8)


@dataclass(frozen=True)
class Cleaned:
    """Geometry after cleaning, and what was done to each row.

    Attributes
    ----------
    geometry
        Polygon, MultiPolygon or (when points are wanted) Point; None where nothing usable was found.
    repaired, hulled
        bool, shape (rows,): invalid and repaired; too large to repair, so its convex hull is used.
    missing
        bool, shape (rows,): no usable geometry.
    """

    geometry: NDArray[np.object_]
    repaired: NDArray[np.bool_]
    hulled: NDArray[np.bool_]
    missing: NDArray[np.bool_]


def clean_areas(geometry: NDArray[np.object_], *, points: bool = False) -> Cleaned:
    """Return valid polygons, and points where they are wanted and the input has no area.

    Closed lines (outlines drawn in CAD) become polygons; collections keep their areas; heights are dropped.

    Parameters
    ----------
    geometry
        Shape (rows,), any kinds, None allowed. Not changed.
    points
        Keep points, and turn what has no area into a point.
    """
    shapes = _finite(shapely.force_2d(geometry))
    kinds = shapely.get_type_id(shapes)
    for kind in (_LINE, _RING, _MULTILINE, _MULTIPOINT, _COLLECTION):
        for i in np.flatnonzero(kinds == kind):
            shapes[i] = _to_area(shapes[i], points=points)
    invalid = ~shapely.is_valid(shapes) & ~shapely.is_missing(shapes)
    large = invalid & too_broken(shapes)
    before = shapes.copy()
    mend = invalid & ~large
    shapes[mend] = shapely.make_valid(shapes[mend], method="structure", keep_collapsed=False)
    # Repair may return parts that touch along a line, which is no valid multipolygon; each part is valid.
    for i in np.flatnonzero(mend & ~shapely.is_valid(shapes) & ~shapely.is_missing(shapes)):
        shapes[i] = shapely.union_all(shapely.get_parts(shapes[i]))
    shapes[large] = shapely.convex_hull(shapes[large])
    for i in np.flatnonzero(invalid):
        shapes[i] = areas_of(shapes[i]) or (_first_point(before[i]) if points else None)
    kinds = shapely.get_type_id(shapes)
    usable = np.isin(kinds, (_POLYGON, _MULTIPOLYGON) + ((_POINT,) if points else ()))
    shapes[~usable] = None
    single = np.flatnonzero(kinds == _MULTIPOLYGON)
    single = single[shapely.get_num_geometries(shapes[single]) == 1]
    shapes[single] = shapely.get_geometry(shapes[single], 0)
    return Cleaned(shapes, mend & usable, large & usable, ~usable)


def clean_lines(geometry: NDArray[np.object_]) -> tuple[NDArray[np.object_], NDArray[np.bool_]]:
    """Return lines: the input's own, and the outlines of its areas.

    Returns
    -------
    tuple
        LineString or MultiLineString or None, and which rows are neither line nor area.
    """
    shapes = _finite(shapely.force_2d(geometry))
    kinds = shapely.get_type_id(shapes)
    area = np.isin(kinds, (_POLYGON, _MULTIPOLYGON))
    shapes[area] = shapely.boundary(shapes[area])
    for i in np.flatnonzero(kinds == _COLLECTION):
        parts = shapely.get_parts(shapes[i])
        part_kinds = shapely.get_type_id(parts)
        lines = [
            *parts[np.isin(part_kinds, (_LINE, _MULTILINE))],
            *shapely.boundary(parts[np.isin(part_kinds, (_POLYGON, _MULTIPOLYGON))]),
        ]
        pieces = shapely.get_parts(np.array(lines, dtype=object)) if lines else ()
        shapes[i] = shapely.multilinestrings(pieces) if len(pieces) else None
    kinds = shapely.get_type_id(shapes)
    rings = kinds == _RING
    shapes[rings] = [shapely.LineString(ring.coords) for ring in shapes[rings]]
    usable = np.isin(kinds, (_LINE, _RING, _MULTILINE)) & (shapely.length(shapes) > 0)
    shapes[~usable] = None
    return shapes, ~usable


def clean_points(geometry: NDArray[np.object_]) -> tuple[NDArray[np.object_], NDArray[np.bool_]]:
    """Return a point per row (inside, for areas), and which rows have none."""
    shapes = _finite(shapely.force_2d(geometry))
    there = ~shapely.is_missing(shapes)
    away = there & (shapely.get_type_id(shapes) != _POINT)
    shapes[away] = shapely.point_on_surface(shapes[away])
    return shapes, ~there


def areas_of(shape: shapely.Geometry | None) -> shapely.Geometry | None:
    """Return the area parts of a geometry as one valid polygon or multipolygon, or None."""
    if shape is None or shape.is_empty:
        return None
    if isinstance(shape, shapely.Polygon | shapely.MultiPolygon):
        return shape if shape.area > 0 else None
    parts = [p for p in shapely.get_parts(shape) if isinstance(p, shapely.Polygon | shapely.MultiPolygon)]
    merged = shapely.union_all(parts) if parts else None
    return merged if merged is not None and merged.area > 0 else None


def too_broken(shapes: NDArray[np.object_]) -> NDArray[np.bool_]:
    """Tell which geometries would take too long to repair, should they be invalid.

    The time of a repair grows with the number of crossings, which a sample of the edges shows: outlines of real
    places have few, scribbles have many.
    """
    size = shapely.get_num_coordinates(shapes)
    result = size > LARGEST_REPAIR
    for i in np.flatnonzero((size > VERTEX_BUDGET) & ~result & ~shapely.is_valid(shapes)):
        points, ring = shapely.get_coordinates(shapely.get_rings(shapes[i]), return_index=True)
        ends = np.flatnonzero(ring[1:] == ring[:-1])
        low, high = np.minimum(points[ends], points[ends + 1]), np.maximum(points[ends], points[ends + 1])
        boxes = shapely.box(low[:, 0], low[:, 1], high[:, 0], high[:, 1])
        sample = boxes[:: max(1, len(boxes) // _SAMPLE)]
        hits = shapely.STRtree(boxes).query(sample).shape[1]
        result[i] = hits > TANGLED * len(sample)
    return result


def assign_to_areas(
    points: NDArray[np.object_], areas: NDArray[np.object_], *, within_m: float
) -> tuple[NDArray[np.int32], NDArray[np.bool_]]:
    """Find the area each point lies in, else the nearest one within a distance.

    Parameters
    ----------
    points
        Shape (n,), None allowed.
    areas
        Shape (k,), None allowed; the lowest position wins where several fit.
    within_m
        How far away a point may be; 0 for points inside only.

    Returns
    -------
    tuple
        int32 position of the area (-1 none), and which points lie outside it.
    """
    found = np.full(len(points), len(areas), dtype=np.int64)
    if len(areas) == 0 or len(points) == 0:
        return np.full(len(points), -1, np.int32), np.zeros(len(points), bool)
    tree = shapely.STRtree(areas)
    at, area = tree.query(points, predicate="intersects")
    np.minimum.at(found, at, area)
    outside = np.zeros(len(points), bool)
    if within_m > 0:
        left = np.flatnonzero((found == len(areas)) & ~shapely.is_missing(points))
        if len(left):
            at, area = tree.query_nearest(points[left], max_distance=within_m, all_matches=True)
            np.minimum.at(found, left[at], area)
            outside[left[at]] = True
    return np.where(found == len(areas), -1, found).astype(np.int32), outside


def _finite(shapes: NDArray[np.object_]) -> NDArray[np.object_]:
    shapes = np.array(shapes, dtype=object)
    # NaN compares false, so missing and broken bounds are caught by the same comparison.
    with np.errstate(invalid="ignore"):
        shapes[~(np.abs(shapely.bounds(shapes)) < FARTHEST).all(axis=1)] = None
    return shapes


def _to_area(shape: shapely.Geometry, *, points: bool) -> shapely.Geometry | None:
    parts = shapely.get_parts(shape)
    closed = [
        shapely.Polygon(p.coords)
        for p in parts
        if isinstance(p, shapely.LineString) and p.is_closed and len(p.coords) > 3
    ]
    areas = [p for p in parts if isinstance(p, shapely.Polygon | shapely.MultiPolygon)] + closed
    polygons = [q for p in areas for q in shapely.get_parts(p)]
    if polygons:
        return polygons[0] if len(polygons) == 1 else shapely.MultiPolygon(polygons)
    return shapely.point_on_surface(shape) if points else None


def _first_point(shape: shapely.Geometry) -> shapely.Geometry | None:
    coordinates = shapely.get_coordinates(shape)
    return shapely.points(coordinates[0]) if len(coordinates) else None
