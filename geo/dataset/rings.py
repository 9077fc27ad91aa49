"""Cells, outlines and segments as tables of whole grid steps, so that no coordinate is ever rounded again."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import shapely

from geo.errors import TilingError
from geo.tiling import SCALE, Segments

if TYPE_CHECKING:
    from numpy.typing import NDArray

RINGS = pa.list_(pa.list_(pa.int32()))
"""A polygon: its rings, shell first, each ``x, y, x, y …`` in grid steps, closed."""

POLYGON, MULTIPOLYGON = shapely.GeometryType.POLYGON, shapely.GeometryType.MULTIPOLYGON


def to_steps(shapes: NDArray[Any]) -> pa.Array:
    """Return polygons in degrees as lists of rings in grid steps of `geo.tiling.SCALE`.

    Parameters
    ----------
    shapes
        object, shape (n,): Polygons, EPSG:4326.

    Raises
    ------
    TilingError
        ``tiling-off-grid``: a coordinate is no whole number of steps.
    """
    if not len(shapes):
        return pa.array([], RINGS)
    _, degrees, (rings, polygons) = shapely.to_ragged_array(shapes, include_z=False)
    steps = np.rint(degrees * SCALE)
    off = int((steps / SCALE != degrees).any(axis=1).sum())
    if off:
        raise TilingError(
            "tiling-off-grid",
            f"{off} 个节点的坐标不是 1e-7 度的整数倍，无法保存数据集。请报告此问题。",
            f"{off} nodes are no whole multiples of 1e-7 degree; the dataset cannot be kept. Please report this.",
        )
    values = pa.array(steps.astype(np.int32).ravel())
    lines = pa.ListArray.from_arrays(pa.array((rings * 2).astype(np.int32)), values)
    return pa.ListArray.from_arrays(pa.array(polygons.astype(np.int32)), lines)


def from_steps(polygons: pa.Array) -> NDArray[Any]:
    """Return the polygons of `to_steps`, the very same coordinates."""
    lines = polygons.flatten()
    steps = lines.flatten().to_numpy(zero_copy_only=False).reshape(-1, 2)
    rings = np.append(0, np.cumsum(lines.value_lengths().to_numpy(zero_copy_only=False))) // 2
    first = np.append(0, np.cumsum(polygons.value_lengths().to_numpy(zero_copy_only=False)))
    return shapely.from_ragged_array(POLYGON, steps / SCALE, (rings, first))


def inner_steps(shapes: NDArray[Any]) -> NDArray[np.int32]:
    """Return a point in each polygon, rounded to grid steps, int32, shape (n, 2)."""
    return np.rint(shapely.get_coordinates(shapely.point_on_surface(shapes)) * SCALE).astype(np.int32)


def outlines_table(shapes: NDArray[Any]) -> pa.Table:
    """Return Polygons and MultiPolygons, one row for each part: ``row``, ``multi``, ``rings``."""
    parts, row = shapely.get_parts(shapes, return_index=True)
    multi = shapely.get_type_id(shapes) == MULTIPOLYGON
    return pa.table({"row": row.astype(np.int32), "multi": multi[row], "rings": to_steps(parts)})


def outlines_from(table: pa.Table, n: int) -> NDArray[Any]:
    """Return the n shapes of `outlines_table`; one without parts is an empty MultiPolygon."""
    parts = from_steps(table["rings"].combine_chunks())
    row = table["row"].to_numpy()
    multi = table["multi"].to_numpy(zero_copy_only=False)
    shapes = np.full(n, shapely.MultiPolygon(), dtype=object)
    shapes[row[~multi]] = parts[~multi]
    if multi.any():
        shapely.multipolygons(parts[multi], indices=row[multi], out=shapes)
    return shapes


def segments_table(segments: Segments) -> pa.Table:
    """Return the segments of a tiling as a table, one row each."""
    return pa.table(
        {
            "x0": segments.start[:, 0].astype(np.int32),
            "y0": segments.start[:, 1].astype(np.int32),
            "x1": segments.end[:, 0].astype(np.int32),
            "y1": segments.end[:, 1].astype(np.int32),
            "left": segments.left,
            "right": segments.right,
            "border_class": segments.border_class,
            "length_m": segments.length_m,
        }
    )


def segments_from(table: pa.Table) -> Segments:
    """Return the segments of `segments_table`."""
    column = {name: table[name].to_numpy() for name in table.column_names}
    return Segments(
        np.column_stack([column["x0"], column["y0"]]).astype(np.int64),
        np.column_stack([column["x1"], column["y1"]]).astype(np.int64),
        *(column[name].copy() for name in ("left", "right", "border_class", "length_m")),
    )
