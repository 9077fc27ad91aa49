"""The cells of a plan as they are now: the outlines of the tiling with the plan's divisions laid over."""

from __future__ import annotations

import itertools
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import numpy as np
import shapely
from pyproj import CRS, Transformer

from geo.tiling import SCALE, Segments
from geo.types import BorderClass

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from numpy.typing import NDArray

    from geo.editing.division import Division
    from geo.editing.plan import Plan
    from geo.tiling import Tiling

Node = tuple[int, int]
"""Longitude and latitude in grid steps of `geo.tiling.SCALE`."""
Edge = tuple[Node, Node]
"""A straight piece of an outline, walked from the first node to the second with the cell on its left."""
Rings = tuple[tuple[Node, ...], ...]
"""Open rings, the outer one first and counter-clockwise, holes clockwise."""


class Borders:
    """The segments of a tiling, found by their ends.

    Parameters
    ----------
    tiling
        The tiling; segments and rings of its cells have the same nodes.
    """

    def __init__(self, tiling: Tiling) -> None:
        segments = tiling.segments
        packed = _packed(np.concatenate([segments.start, segments.end]))
        self._nodes, number = np.unique(packed, return_inverse=True)
        a, b = np.split(number.astype(np.int64), 2)
        key = a * len(self._nodes) + b
        self._order = np.argsort(key, kind="stable")
        self._key = key[self._order]
        self._segments = segments

    def row(self, a: Node, b: Node) -> int:
        """Return the row of the segment from `a` to `b`, -1 for none."""
        ends = _packed(np.array([a, b], np.int64))
        at = np.searchsorted(self._nodes, ends)
        if (at >= len(self._nodes)).any() or (self._nodes[at] != ends).any():
            return -1
        key = int(at[0]) * len(self._nodes) + int(at[1])
        place = int(np.searchsorted(self._key, key))
        return int(self._order[place]) if place < len(self._key) and self._key[place] == key else -1

    def right_of(self, a: Node, b: Node) -> tuple[int, int] | None:
        """Return the cell on the right from `a` to `b` (-1 outside) and the border class; None for no segment."""
        segments = self._segments
        row = self.row(a, b)
        if row >= 0:
            return int(segments.right[row]), int(segments.border_class[row])
        row = self.row(b, a)
        return None if row < 0 else (int(segments.left[row]), int(segments.border_class[row]))


class Shapes:
    """Outlines and borders of the cells of a plan, exact.

    Parameters
    ----------
    tiling
        The tiling of the plan's dataset.
    plan
        Its divisions in force are laid over, in order.
    crs
        The working CRS (projected, metres), in which lengths are measured.
    borders
        `Borders` of the tiling, when the caller has them already.
    """

    def __init__(self, tiling: Tiling, plan: Plan, crs: CRS, *, borders: Borders | None = None) -> None:
        self.tiling = tiling
        self.crs = crs
        self.borders = borders
        self._rings: dict[int, Rings] = {}
        self._owner: dict[Edge, int] = {}
        self._class: dict[frozenset[Node], int] = {}
        self._split: dict[Edge, list[Node]] = {}
        self._retired: set[int] = set()
        for division, holds in zip(plan.divisions, plan.in_force, strict=True):
            if holds:
                self._lay(division)

    def rings(self, cell: int) -> Rings:
        """Return the rings of a cell in grid steps."""
        if cell in self._rings:
            return self._rings[cell]
        shape = shapely.orient_polygons(self.tiling.cells.geometry.iloc[cell], exterior_cw=False)
        return tuple(
            tuple(map(tuple, np.rint(shapely.get_coordinates(ring)[:-1] * SCALE).astype(np.int64).tolist()))
            for ring in (shape.exterior, *shape.interiors)
        )

    def polygons(self, cells: Iterable[int] | NDArray[np.integer[Any]]) -> NDArray[Any]:
        """Return the polygons of cells, EPSG:4326, coordinates on the grid; object, shape (cells,)."""
        rows = np.fromiter((int(c) for c in cells), np.int64)
        base = len(self.tiling.cells)
        shapes = np.empty(len(rows), object)
        old = rows < base
        shapes[old] = self.tiling.cells.geometry.to_numpy()[rows[old]]
        for place, cell in enumerate(rows.tolist()):
            if cell in self._rings:
                shapes[place] = polygon_of(self._rings[cell])
        return shapes

    def outlines(self) -> NDArray[Any]:
        """Return the outlines of all communities with the nodes of the divisions; object, EPSG:4326."""
        shapes = self.tiling.communities.geometry.to_numpy().copy()
        community = self.tiling.cells["community"].to_numpy()
        cells = sorted(cell for cell in self._retired.union(self._rings) if cell < len(community))
        for k in np.unique(community[cells]).tolist():
            shapes[k] = self._with_nodes(shapes[k])
        return shapes

    def border_class(self, a: Node, b: Node) -> int:
        """Return what runs along an edge of an outline, a `geo.types.BorderClass`."""
        found = self._class.get(frozenset((a, b)))
        return found if found is not None else self._base(a, b)[1]

    def beyond(self, a: Node, b: Node) -> int:
        """Return the cell on the right of an edge of an outline, -1 outside all communities."""
        found = self._owner.get((b, a))
        if found is None:
            # A piece of a divided edge that is nobody's the other way round lies on the outer border.
            found = -1 if frozenset((a, b)) in self._class else self._base(a, b)[0]
        return found

    def lengths_m(self, edges: Sequence[Edge]) -> NDArray[np.float64]:
        """Return the lengths of edges in the working CRS, metres."""
        xy = metric(np.array(edges, np.int64).reshape(-1, 2), self.crs).reshape(-1, 2, 2)
        return np.hypot(*(xy[:, 1] - xy[:, 0]).T)

    def segments(self) -> Segments:
        """Return all borders between the present cells, each once, as `geo.tiling.Tiling.segments` has them."""
        old = self.tiling.segments
        if not self._rings:
            return old
        gone = np.zeros(len(self.tiling.cells) + 1, np.bool_)
        gone[[cell for cell in self._retired if cell < len(self.tiling.cells)]] = True
        kept = ~(gone[old.left] | gone[old.right])
        for a, b in self._split:
            row = self._index.row(a, b)
            if row >= 0:
                kept[row] = False
        new = [(edge, cell) for edge, cell in sorted(self._owner.items()) if self._is_new(edge, kept)]
        edges = np.array([edge for edge, _ in new], np.int64).reshape(-1, 2, 2)
        right = np.array([self.beyond(*edge) for edge, _ in new], np.int32)
        kinds = np.array([self.border_class(*edge) for edge, _ in new], np.uint8)
        return Segments(
            np.concatenate([old.start[kept], edges[:, 0]]),
            np.concatenate([old.end[kept], edges[:, 1]]),
            np.concatenate([old.left[kept], np.array([cell for _, cell in new], np.int32)]),
            np.concatenate([old.right[kept], right]),
            np.concatenate([old.border_class[kept], kinds]),
            np.concatenate([old.length_m[kept], self.lengths_m([edge for edge, _ in new])]),
        )

    @property
    def _index(self) -> Borders:
        if self.borders is None:
            self.borders = Borders(self.tiling)
        return self.borders

    def _base(self, a: Node, b: Node) -> tuple[int, int]:
        found = self._index.right_of(a, b)
        if found is None:
            raise ValueError(f"no border runs from {a} to {b}")
        return found

    def _is_new(self, edge: Edge, kept: NDArray[np.bool_]) -> bool:
        """Tell whether an edge is no kept segment; of two cells with the edge, only one answers for it."""
        a, b = edge
        if (b, a) in self._owner and b < a:
            return False
        rows = (self._index.row(a, b), self._index.row(b, a))
        return not any(row >= 0 and kept[row] for row in rows)

    def _lay(self, division: Division) -> None:
        """Lay one division over the outlines as they are."""
        before = list(edges_of(self.rings(division.parent)))
        rings = dict(division.rings)
        pieces = {edge for child in division.children for edge in edges_of(rings[child])}
        outer = {edge for edge in pieces if edge[::-1] not in pieces}
        for edge in pieces - outer:
            self._class[frozenset(edge)] = int(BorderClass.INTERIOR)
        fresh: dict[Node, list[Node]] = {}
        for a, b in sorted(outer.difference(before)):
            fresh.setdefault(a, []).append(b)
        for a, b in before:
            if (a, b) not in outer:
                self._divide_edge(a, b, _between(a, b, fresh))
        self._forget(division.parent)
        self._retired.add(division.parent)
        for cell, drawn in division.rings:
            self._forget(cell)
            self._rings[cell] = drawn
            self._owner.update(dict.fromkeys(edges_of(drawn), cell))

    def _divide_edge(self, a: Node, b: Node, nodes: list[Node]) -> None:
        kind = self.border_class(a, b)
        self._split[(a, b)], self._split[(b, a)] = nodes, nodes[::-1]
        chain = [a, *nodes, b]
        for piece in itertools.pairwise(chain):
            self._class[frozenset(piece)] = kind

    def _forget(self, cell: int) -> None:
        """Drop the edges that a cell had in an earlier division."""
        for edge in edges_of(self._rings.get(cell, ())):
            if self._owner.get(edge) == cell:
                del self._owner[edge]

    def _with_nodes(self, outline: Any) -> Any:
        parts = []
        for part in shapely.get_parts(outline):
            rings = [self._expanded(ring) for ring in (part.exterior, *part.interiors)]
            parts.append(polygon_of(tuple(rings)))
        return (
            parts[0]
            if shapely.get_type_id(outline) == shapely.GeometryType.POLYGON
            else shapely.multipolygons(parts)
        )

    def _expanded(self, ring: Any) -> tuple[Node, ...]:
        steps = np.rint(shapely.get_coordinates(ring) * SCALE).astype(np.int64).tolist()
        nodes = [(x, y) for x, y in steps]
        result: list[Node] = []
        for a, b in itertools.pairwise(nodes):
            result += [a, *self._inserted(a, b)]
        return tuple(result)

    def _inserted(self, a: Node, b: Node) -> list[Node]:
        """Return all nodes that divisions put between two nodes, later ones between earlier ones."""
        if (a, b) not in self._split:
            return []
        chain = [a, *self._split[(a, b)], b]
        result: list[Node] = []
        for p, q in itertools.pairwise(chain):
            result += [*self._inserted(p, q), q]
        return result[:-1]


def edges_of(rings: Rings) -> Iterator[Edge]:
    """Yield the edges of open rings in their direction."""
    for ring in rings:
        yield from zip(ring, (*ring[1:], ring[0]), strict=True)


def polygon_of(rings: Rings) -> shapely.Polygon:
    """Return rings in grid steps as a polygon in degrees, on the grid."""
    outer, *holes = (np.array(ring, np.int64) / SCALE for ring in rings)
    return shapely.Polygon(outer, holes)


def metric(steps: NDArray[np.int64], crs: CRS) -> NDArray[np.float64]:
    """Turn grid steps, shape (n, 2), into metres of a projected CRS."""
    return np.column_stack(to_metres(crs).transform(steps[:, 0] / SCALE, steps[:, 1] / SCALE))


@lru_cache(maxsize=8)
def to_metres(crs: CRS) -> Transformer:
    """Return the way from degrees to a projected CRS; to look one up takes longer than to use it on a cell."""
    return Transformer.from_crs("EPSG:4326", crs, always_xy=True)


def _between(a: Node, b: Node, fresh: dict[Node, list[Node]]) -> list[Node]:
    """Return the new nodes between two old ones, following new edges."""
    for first in fresh.get(a, []):
        chain = [first]
        while chain[-1] != b and len(nexts := fresh.get(chain[-1], [])) == 1 and nexts[0] not in chain:
            chain.append(nexts[0])
        if chain[-1] == b:
            return chain[:-1]
    raise ValueError(f"no way from {a} to {b} along the outline of the divided cell")


def _packed(xy: NDArray[np.int64]) -> NDArray[np.int64]:
    """One int64 per node: longitude and latitude have less than 32 bits each."""
    return (xy[:, 0] << 32) + (xy[:, 1] + (1 << 31))
