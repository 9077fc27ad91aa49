"""A plan as a small picture: outlines of its grids in whole steps of a square, for maps of a few hundred pixels."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import shapely

from geo.colouring import colour_graph, polygon_graph
from geo.editing.judged import in_band

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from geo.editing.plan import Plan

SIZE = 1000
"""Steps of the longer side."""
FINE = 1.6
"""Steps that a simplified outline may be off."""


def sketch(
    polygons: NDArray[np.object_], plan: Plan, *, rows: NDArray[np.integer[Any]] | None = None
) -> dict[str, Any]:
    """Return the grids of a plan as paths.

    Parameters
    ----------
    polygons
        Polygon of every cell, degrees, shape (cells,).
    plan
        Says which grid each is in.
    rows
        Only these cells, e.g. those of one community; all that are in a grid by default.

    Returns
    -------
    ``width``, ``height``; ``grids``: ``id``, ``path`` (as in SVG, y downwards), ``colour`` (neighbours have
    different ones, from 0), ``out`` (out of the band), by id.
    """
    taken = np.flatnonzero(plan.assignment >= 0) if rows is None else rows[plan.assignment[rows] >= 0]
    if not len(taken):
        return {"width": SIZE, "height": SIZE, "grids": []}
    ids, label = np.unique(plan.assignment[taken], return_inverse=True)
    order = np.argsort(label, kind="stable")
    starts = np.flatnonzero(np.diff(label[order], prepend=-1))
    parts = np.split(polygons[taken][order], starts[1:])
    shapes = np.array([shapely.coverage_union_all(part) for part in parts], dtype=object)
    colours = colour_graph(polygon_graph(shapes))
    flat, width, height = _flat(shapes)
    good = in_band(plan)
    return {
        "width": width,
        "height": height,
        "grids": [
            {"id": number, "path": path(shape), "colour": int(colour), "out": not bool(good[number])}
            for number, shape, colour in zip(ids.tolist(), flat, colours.tolist(), strict=True)
        ],
    }


def path(shape: Any) -> str:
    """Return an area in whole coordinates as an SVG path."""
    rings = [ring for polygon in shapely.get_parts(shape) for ring in (polygon.exterior, *polygon.interiors)]
    return "".join(_ring(np.rint(shapely.get_coordinates(ring)).astype(np.int64)) for ring in rings)


def _ring(points: NDArray[np.int64]) -> str:
    kept = points[:-1][np.any(points[:-1] != np.roll(points[:-1], 1, axis=0), axis=1)]
    return "" if len(kept) < 3 else "M" + "L".join(f"{x} {y}" for x, y in kept.tolist()) + "Z"


def _flat(shapes: NDArray[np.object_]) -> tuple[NDArray[np.object_], int, int]:
    """Return shapes in steps of the picture, simplified together so that neighbours fit; width and height."""
    west, south, east, north = shapely.total_bounds(shapes).tolist()
    squeeze = float(np.cos(np.radians((south + north) / 2)))
    wide, high = (east - west) * squeeze, north - south
    step = SIZE / max(wide, high, 1e-9)

    def moved(points: NDArray[np.float64]) -> NDArray[np.float64]:
        return np.column_stack([(points[:, 0] - west) * squeeze * step, (north - points[:, 1]) * step])

    flat = shapely.transform(shapes, moved)
    simple = np.asarray(shapely.coverage_simplify(flat, FINE), dtype=object)
    return simple, int(np.ceil(wide * step)), int(np.ceil(high * step))
