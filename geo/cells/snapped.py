"""The slow and certain way to divide one block: node outline and ridges together by snap rounding."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import shapely

from geo.cells.barriers import node_lines
from geo.cells.blocks import edges_of, unique_nodes
from geo.cells.interior import Pieces
from geo.cells.rings import polygons, trace

if TYPE_CHECKING:
    from numpy.typing import NDArray

NEAR_STEPS = 2.0
"""Snap rounding moves an outline by less than this."""


def snap(
    outline: NDArray[np.int64], source: NDArray[np.int64], ridges: NDArray[np.int64], block: int
) -> Pieces | None:
    """Node the outline of a block and the borders inside it by snap rounding.

    Parameters
    ----------
    outline
        int64, shape (k, 4): directed outline edges, the block on the left, in steps.
    source
        int64, shape (k,): the barrier edge each belongs to.
    ridges
        int64, shape (r, 4): borders inside the block, not noded.
    block
        Number of the block.

    Returns
    -------
    Borders with unknown buildings on either side (-1), and the nodes the outline received; None where the
    outline moved so much that its edges cannot be told apart any more.
    """
    lines = np.concatenate([outline, ridges]).reshape(-1, 2, 2).astype(np.float64)
    noded = node_lines(shapely.linestrings(lines)).reshape(-1, 2, 2).astype(np.float64)
    faces = shapely.get_parts(shapely.polygonize(shapely.linestrings(noded)))
    shape = shape_of(outline)
    if not shape.is_valid or not len(faces):
        return None
    faces = faces[shapely.intersects(shape, shapely.point_on_surface(faces))]
    if not len(faces):
        return None
    edges = edges_of(faces)
    a, b = edges.xy[edges.start], edges.xy[edges.end]
    inner = (edges.left >= 0) & (edges.right >= 0)
    forward = edges.left >= 0
    rim = np.where(forward[:, None], np.hstack([a, b]), np.hstack([b, a]))[~inner]
    crossing = _new_nodes(outline, source, rim)
    if crossing is None:
        return None
    n = int(inner.sum())
    unknown = np.full(n, -1, np.int32)
    return Pieces(
        np.hstack([a, b])[inner],
        unknown,
        unknown,
        np.full(n, block, np.int32),
        crossing,
        np.full(len(crossing), block, np.int32),
    )


def shape_of(outline: NDArray[np.int64]) -> Any:
    """Return the block as a geometry, in steps."""
    nodes, number = unique_nodes(np.concatenate([outline[:, :2], outline[:, 2:]]))
    tail, head = number[: len(outline)], number[len(outline) :]
    rings, _ = trace(tail, head, np.zeros(len(tail), np.int32), nodes)
    return polygons(rings, nodes.astype(np.float64), 1)[0]


def _new_nodes(
    outline: NDArray[np.int64], source: NDArray[np.int64], rim: NDArray[np.int64]
) -> NDArray[np.int64] | None:
    """Follow the noded rim along every outline edge; return the nodes in between (barrier edge, x, y)."""
    onward: dict[tuple[int, int], list[tuple[int, int]]] = {}
    for ax, ay, bx, by in rim.tolist():
        onward.setdefault((ax, ay), []).append((bx, by))
    nodes: list[tuple[int, int, int]] = []
    for (ax, ay, bx, by), edge in zip(outline.tolist(), source.tolist(), strict=True):
        at, end = (ax, ay), (bx, by)
        while at != end:
            ahead = [p for p in onward.get(at, ()) if _advances(at, p, (ax, ay), end)]
            if not ahead:
                return None
            at = end if end in ahead else ahead[0]
            if at != end:
                nodes.append((edge, *at))
    return np.array(nodes, np.int64).reshape(-1, 3)


def _advances(at: tuple[int, int], to: tuple[int, int], start: tuple[int, int], end: tuple[int, int]) -> bool:
    """Say whether `to` lies further along start -> end than `at`, and close to that line."""
    dx, dy = end[0] - start[0], end[1] - start[1]
    progress = (to[0] - at[0]) * dx + (to[1] - at[1]) * dy
    beyond = (to[0] - end[0]) * dx + (to[1] - end[1]) * dy
    off = abs((to[0] - start[0]) * dy - (to[1] - start[1]) * dx) / float(np.hypot(dx, dy))
    return progress > 0 and beyond <= 0 and off <= NEAR_STEPS
