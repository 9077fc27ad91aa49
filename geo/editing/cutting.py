"""Cut a polygon on the grid in two along a drawn line, in whole numbers."""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import shapely

from geo.editing.shapes import edges_of, polygon_of
from geo.tiling import SCALE

if TYPE_CHECKING:
    from collections.abc import Sequence

    from geo.editing.shapes import Edge, Node, Rings

NEAR = 3
"""Grid steps within which the end of a cut falls on a node that is there already."""

REACH = 8.0
"""Grid steps, about 8 cm, that the ends of a drawn line are prolonged: drawn to the border means to the border."""


class CutError(Exception):
    """A line does not cut a polygon in two; `code` says why."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


@dataclass(frozen=True)
class Cut:
    """A polygon cut in two.

    Attributes
    ----------
    halves
        Rings of the two, the one with the lowest node first.
    line
        Nodes of the cut, end nodes included, on the grid.
    split
        Edges of the polygon that got nodes, with those nodes in their order.
    """

    halves: tuple[Rings, Rings]
    line: tuple[Node, ...]
    split: dict[Edge, tuple[Node, ...]]


def cut_in_two(rings: Rings, line: Sequence[tuple[float, float]]) -> Cut:
    """Cut a polygon along a line that crosses it once.

    Both ends of the cut become nodes of the outline, on the grid point nearest to the crossing; so the outline may
    bend there by less than a grid step. Within `NEAR` steps of a node that node is taken instead.

    Parameters
    ----------
    rings
        The polygon, in grid steps.
    line
        Points in degrees, at least two different ones.

    Raises
    ------
    CutError
        ``line-touches-not``, ``line-ends-inside``, ``line-crosses-itself``, ``cuts-more-than-two``, ``too-thin``.
    """
    origin = np.array(rings[0][0], np.int64)
    local = tuple(tuple((x - origin[0], y - origin[1]) for x, y in ring) for ring in rings)
    shape = shapely.Polygon(local[0], local[1:])
    drawn = _prolonged(np.asarray(line, np.float64) * SCALE - origin)
    piece = _piece(shape, drawn)
    ends = [_end(local, piece[0]), _end(local, piece[-1])]
    inner = [(int(x), int(y)) for x, y in np.rint(piece[1:-1]).tolist()]
    nodes = _distinct([ends[0][0], *inner, ends[1][0]])
    split = _split(local, ends)
    halves = _halves(local, nodes, split)

    def away(node: Node) -> Node:
        return int(node[0] + origin[0]), int(node[1] + origin[1])

    moved = [tuple(tuple(away(n) for n in ring) for ring in half) for half in halves]
    moved.sort(key=lambda half: min(n for ring in half for n in ring))
    if not all(polygon_of(half).is_valid for half in moved):
        raise CutError("too-thin")
    return Cut(
        (moved[0], moved[1]),
        tuple(away(n) for n in nodes),
        {(away(a), away(b)): tuple(away(n) for n in new) for (a, b), new in split.items()},
    )


def with_nodes(rings: Rings, split: dict[Edge, tuple[Node, ...]]) -> Rings:
    """Return rings with the nodes that edges got, whichever way the edges run."""
    both = split | {(b, a): nodes[::-1] for (a, b), nodes in split.items()}
    return tuple(
        tuple(n for edge in edges_of((ring,)) for n in (edge[0], *both.get(edge, ()))) for ring in rings
    )


def _prolonged(xy: Any) -> Any:
    """Prolong a line at both ends by `REACH`; repeated points are dropped."""
    xy = xy[np.append(True, np.any(np.diff(xy, axis=0) != 0.0, axis=1))]
    if len(xy) < 2:
        raise CutError("line-touches-not")
    first, last = xy[0] - xy[1], xy[-1] - xy[-2]
    xy = xy.copy()
    xy[0] += first / np.hypot(*first) * REACH
    xy[-1] += last / np.hypot(*last) * REACH
    return xy


def _piece(shape: Any, drawn: Any) -> Any:
    """Return the one piece of the line that crosses the polygon, shape (n, 2)."""
    line = shapely.LineString(drawn)
    inside = shapely.intersection(line, shape)
    parts = [p for p in shapely.get_parts(inside) if p.geom_type == "LineString" and p.length > REACH]
    if not parts:
        raise CutError("line-touches-not")
    near = shape.boundary
    ends = [shapely.Point(p.coords[i]) for p in parts for i in (0, -1)]
    if any(near.distance(end) > 1e-3 for end in ends):
        # A line that crosses itself comes out in pieces from crossing to crossing.
        raise CutError("line-ends-inside" if line.is_simple else "line-crosses-itself")
    # Where the line runs along the outline nothing is cut.
    parts = [p for p in parts if near.distance(p.interpolate(0.5, normalized=True)) > 1e-3]
    if not parts:
        raise CutError("line-touches-not")
    if len(parts) > 1:
        raise CutError("cuts-more-than-two")
    return shapely.get_coordinates(parts[0])


def _end(rings: Rings, xy: Any) -> tuple[Node, Edge | None]:
    """Return the node at an end of the cut, and the edge that it divides; None for a node of the polygon."""
    point = shapely.Point(xy)
    edges = list(edges_of(rings))
    a, b = edges[int(np.argmin(shapely.distance(shapely.linestrings(edges), point)))]
    new = (int(np.rint(xy[0])), int(np.rint(xy[1])))
    squared, node = min(((x - new[0]) ** 2 + (y - new[1]) ** 2, (x, y)) for x, y in (a, b))
    return (node, None) if squared <= NEAR**2 else (new, (a, b))


def _split(rings: Rings, ends: Sequence[tuple[Node, Edge | None]]) -> dict[Edge, tuple[Node, ...]]:
    split: dict[Edge, tuple[Node, ...]] = {}
    for node, edge in ends:
        if edge is not None:
            nodes = {*split.get(edge, ()), node}
            a = edge[0]
            split[edge] = tuple(sorted(nodes, key=lambda n: ((n[0] - a[0]) ** 2 + (n[1] - a[1]) ** 2, n)))
    known = {n for ring in rings for n in ring}
    if any(n in known for nodes in split.values() for n in nodes):
        raise CutError("too-thin")
    return split


def _halves(rings: Rings, nodes: Sequence[Node], split: dict[Edge, tuple[Node, ...]]) -> tuple[Rings, Rings]:
    """Put the outline with its new nodes and the cut together to two polygons."""
    outline = set(edges_of(with_nodes(rings, split)))
    cut = [(a, b) for a, b in itertools.pairwise(nodes) if (a, b) not in outline and (b, a) not in outline]
    if not cut:
        raise CutError("line-touches-not")
    faces = shapely.get_parts(shapely.polygonize(shapely.linestrings([*sorted(outline), *cut])))
    found = [_rings_of(face) for face in shapely.orient_polygons(faces, exterior_cw=False)]
    # A face that fills a hole has the edges of the outline the other way round.
    inside = [face for face in found if not outline.isdisjoint(edges_of(face))]
    if len(inside) == 1:
        raise CutError("line-touches-not")
    if len(inside) > 2:
        raise CutError("cuts-more-than-two")
    pieces = [edge for face in inside for edge in edges_of(face)]
    left = set(pieces)
    exact = len(left) == len(pieces) and {e for e in left if e[::-1] not in left} == outline
    if not inside or not exact:
        raise CutError("too-thin")
    return inside[0], inside[1]


def _rings_of(face: Any) -> Rings:
    rings = [face.exterior, *face.interiors]
    return tuple(tuple((int(x), int(y)) for x, y in ring.coords[:-1]) for ring in rings)


def _distinct(nodes: Sequence[Node]) -> list[Node]:
    """Drop nodes that repeat the one before."""
    kept = [nodes[0]]
    kept += [b for a, b in itertools.pairwise(nodes) if a != b]
    if len(kept) < 2 or len(set(kept)) < len(kept):
        raise CutError("too-thin")
    return kept
