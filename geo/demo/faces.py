"""Turn the drawn lines into exact faces, roads, river and railway in the working CRS."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING

import geopandas as gpd
import numpy as np
import shapely
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from geo.demo.lanes import LANE_NAME
from geo.demo.settings import ALLEY, CRS, ROAD_NAMES, WALL

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import NDArray

    from geo.demo.lanes import Lanes
    from geo.demo.lattice import Lattice
    from geo.demo.lots import Lines, Quad

    Warp = Callable[[NDArray[np.float64]], NDArray[np.float64]]

STEP_M = 40.0
"""Longest stretch that stays straight under the warp."""

WATER_INSET_M = 13.0
"""Embankment between a street along the river and the water."""


NODE_M = 0.02
"""A node this close to a line lies on it: both are rounded to the centimetre."""


@dataclass(frozen=True)
class Links:
    """Neighbouring faces: positions `a` < `b` (int64) and the length of their common border in metres."""

    a: NDArray[np.int64]
    b: NDArray[np.int64]
    length_m: NDArray[np.float64]
    road_class: NDArray[np.int64]


def carry(shapes: NDArray[np.object_], warp: Warp) -> NDArray[np.object_]:
    """Carry shapes from lattice metres to the working CRS, to the centimetre."""
    return np.asarray(shapely.transform(shapes, lambda points: np.round(warp(points), 2)))


def node_lines(lines: Lines) -> NDArray[np.object_]:
    """Return the edges between all junctions, lattice metres, with a node at least every `STEP_M`."""
    drawn = shapely.segmentize(shapely.linestrings(np.array(lines.ends)), STEP_M)
    return shapely.get_parts(shapely.union_all(drawn, grid_size=0.01))


def make_faces(edges: NDArray[np.object_], quads: Sequence[Quad], warp: Warp) -> NDArray[np.object_]:
    """Return the face of every piece of the plan, in the working CRS, in the order of the pieces."""
    faces = shapely.get_parts(shapely.polygonize(edges))
    inside = shapely.STRtree(shapely.point_on_surface(faces))
    piece, face = inside.query(shapely.polygons([quad.corners for quad in quads]), predicate="contains")
    order = np.empty(len(quads), dtype=np.int64)
    order[piece] = face
    return carry(shapely.normalize(faces[order]), warp)


def edge_lines(edges: NDArray[np.object_], lines: Lines) -> NDArray[np.int64]:
    """Return for every noded edge the position of the line it was drawn as."""
    middle = shapely.line_interpolate_point(edges, 0.5, normalized=True)
    tree = shapely.STRtree(shapely.linestrings(np.array(lines.ends)))
    edge, line = tree.query_nearest(middle, all_matches=False)
    found = np.empty(len(edges), dtype=np.int64)
    found[edge] = line
    return found


def add_nodes(shapes: NDArray[np.object_], nodes: NDArray[np.object_]) -> NDArray[np.object_]:
    """Return polygons with nodes added to their outlines, the same in all that share a border there."""
    answer = shapes.copy()
    for row, points in _near(shapes, nodes):
        ring, _ = _insert(shapely.get_coordinates(shapes[row]), points)
        answer[row] = shapely.Polygon(ring)
    return answer


def _cut_at(
    edges: NDArray[np.object_], nodes: NDArray[np.object_]
) -> tuple[NDArray[np.object_], NDArray[np.int64]]:
    """Cut lines at nodes on them; return the pieces and the line each is of."""
    cut = dict(_near(edges, nodes))
    pieces: list[shapely.LineString] = []
    owner: list[int] = []
    for row, edge in enumerate(edges):
        stops = [0, shapely.get_num_points(edge) - 1]
        if row in cut:
            chain, stops = _insert(shapely.get_coordinates(edge), cut[row])
            stops = sorted({0, *stops, len(chain) - 1})
        if len(stops) == 2:
            parts = [edge] if row not in cut else [shapely.LineString(chain)]
        else:
            parts = [shapely.LineString(chain[a : b + 1]) for a, b in pairwise(stops)]
        pieces += parts
        owner += [row] * len(parts)
    return np.array(pieces, dtype=object), np.array(owner, dtype=np.int64)


def _near(shapes: NDArray[np.object_], nodes: NDArray[np.object_]) -> list[tuple[int, NDArray[np.float64]]]:
    """Return the shapes whose outline has nodes on it, with these nodes."""
    outlines = shapely.boundary(shapes) if shapely.get_dimensions(shapes[0]) == 2 else shapes
    node, row = shapely.STRtree(outlines).query(nodes, predicate="dwithin", distance=NODE_M)
    points = shapely.get_coordinates(nodes)
    return [(int(r), points[node[row == r]]) for r in np.unique(row)]


def _insert(chain: NDArray[np.float64], nodes: NDArray[np.float64]) -> tuple[NDArray[np.float64], list[int]]:
    """Insert nodes into a chain of points; return it with the nodes' positions in it."""
    for node in nodes:
        if (chain == node).all(axis=1).any():
            continue
        step = np.diff(chain, axis=0)
        share = np.clip(((node - chain[:-1]) * step).sum(axis=1) / (step**2).sum(axis=1), 0.0, 1.0)
        off = np.hypot(*(chain[:-1] + share[:, None] * step - node).T)
        chain = np.insert(chain, int(np.argmin(off)) + 1, node, axis=0)
    return chain, [int(np.flatnonzero((chain == node).all(axis=1))[0]) for node in nodes]


def make_roads(
    edges: NDArray[np.object_], line: NDArray[np.int64], lines: Lines, warp: Warp, lanes: Lanes
) -> gpd.GeoDataFrame:
    """Return the roads and the lanes in compounds, one row per stretch between two junctions."""
    is_road = np.array(lines.road_class)[line] != WALL
    shapes, edge = _cut_at(carry(edges[is_road], warp), lanes.junction)
    line = line[is_road][edge]
    name = np.concatenate([np.array(lines.name, dtype=object)[line], np.full(len(lanes.line), LANE_NAME)])
    road_class = np.concatenate([np.array(lines.road_class)[line], np.full(len(lanes.line), ALLEY)])
    shapes = np.concatenate([shapes, lanes.line])
    run = _runs(shapes, np.concatenate([line, len(lines.ends) + lanes.chain]))
    merged = shapely.line_merge(
        shapely.multilinestrings(shapes[np.argsort(run, kind="stable")], indices=np.sort(run))
    )
    _, first = np.unique(run, return_index=True)
    frame = gpd.GeoDataFrame(
        {"name": name[first], "road_class": np.array(ROAD_NAMES, dtype=object)[road_class[first]]},
        geometry=shapely.normalize(merged),
        crs=CRS,
    )
    frame = frame.iloc[_by_place(frame.geometry.to_numpy())].reset_index(drop=True)
    frame.insert(0, "road_id", [f"DL{i:05d}" for i in range(1, len(frame) + 1)])
    return frame


def _runs(edges: NDArray[np.object_], line: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return the stretch of every edge: edges of one line that meet where no other road does are one."""
    points = np.concatenate(
        [
            shapely.get_coordinates(shapely.get_point(edges, 0)),
            shapely.get_coordinates(shapely.get_point(edges, -1)),
        ]
    )
    _, node = np.unique(np.round(points * 100).astype(np.int64), axis=0, return_inverse=True)
    edge = np.tile(np.arange(len(edges)), 2)
    order = np.argsort(node, kind="stable")
    degree = np.bincount(node)
    head = np.concatenate([[0], np.cumsum(degree)])[:-1][degree == 2]
    a, b = edge[order[head]], edge[order[head + 1]]
    same = line[a] == line[b]
    links = coo_array((np.ones(int(same.sum())), (a[same], b[same])), shape=(len(edges), len(edges)))
    return connected_components(links, directed=False)[1].astype(np.int64)


def _by_place(shapes: NDArray[np.object_]) -> NDArray[np.int64]:
    bounds = shapely.bounds(shapes)
    return np.lexsort((bounds[:, 2], bounds[:, 1], bounds[:, 0]))


def make_railways(
    edges: NDArray[np.object_], line: NDArray[np.int64], lines: Lines, warp: Warp
) -> gpd.GeoDataFrame:
    """Return the railway as one line."""
    chosen = np.array(lines.railway)[line]
    track = shapely.line_merge(shapely.multilinestrings([carry(edges[chosen], warp).tolist()]))[0]
    return gpd.GeoDataFrame(
        {"railway_id": ["TL01"], "name": ["东线铁路"]}, geometry=[shapely.normalize(track)], crs=CRS
    )


def river_shape(lattice: Lattice, warp: Warp) -> shapely.Polygon:
    """Return the water between the embankments, as long as the city is."""
    axis = lattice.row_kind.index("axis")
    kept = np.flatnonzero(lattice.kept[:, axis - 1] | lattice.kept[:, axis])
    nodes = lattice.nodes[kept[0] : kept[-1] + 2]
    south, north = nodes[:, axis - 1], nodes[:, axis + 1]
    inset = np.array([0.0, WATER_INSET_M])
    ring = shapely.segmentize(
        shapely.linearrings(np.concatenate([south + inset, (north - inset)[::-1]])), STEP_M
    )
    points = shapely.get_coordinates(ring)
    # The banks of a river are never as straight as the streets beside them.
    points[:, 1] += 4.0 * np.sin(points[:, 0] / 61.0) + 2.5 * np.sin(points[:, 0] / 23.0)
    return shapely.Polygon(np.round(warp(points), 2))


def link_faces(
    faces: NDArray[np.object_], edges: NDArray[np.object_], road_class: NDArray[np.int64]
) -> Links:
    """Find the faces that share a border.

    Parameters
    ----------
    faces
        Faces in the working CRS, noded together.
    edges
        Noded edges in the working CRS.
    road_class
        int64 (n,), class of each edge.
    """
    start, end, owner = _segments(shapely.get_exterior_ring(faces))
    edge_start, edge_end, edge = _segments(edges)
    _, number = np.unique(
        _undirected(np.concatenate([start, edge_start]), np.concatenate([end, edge_end])),
        axis=0,
        return_inverse=True,
    )
    class_of = np.zeros(number.max() + 1, dtype=np.int64)
    class_of[number[len(start) :]] = road_class[edge]
    number = number[: len(start)]
    order = np.argsort(number, kind="stable")
    same = np.flatnonzero(number[order][1:] == number[order][:-1])
    first, second = order[same], order[same + 1]
    a, b = np.minimum(owner[first], owner[second]), np.maximum(owner[first], owner[second])
    length = np.hypot(*(end[first] - start[first]).T)
    pair, inverse = np.unique(a * len(faces) + b, return_inverse=True)
    total = np.bincount(inverse, weights=length).astype(np.float64)
    highest = np.zeros(len(pair), dtype=np.int64)
    np.maximum.at(highest, inverse, class_of[number[first]])
    return Links(pair // len(faces), pair % len(faces), total, highest)


def _segments(
    lines: NDArray[np.object_],
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.int64]]:
    points, owner = shapely.get_coordinates(lines, return_index=True)
    inner = owner[1:] == owner[:-1]
    return points[:-1][inner], points[1:][inner], owner[1:][inner]


def _undirected(start: NDArray[np.float64], end: NDArray[np.float64]) -> NDArray[np.int64]:
    """Return the ends of every segment in whole centimetres, the same in both directions."""
    ends = np.round(np.concatenate([start, end], axis=1) * 100).astype(np.int64)
    swap = (ends[:, 0] > ends[:, 2]) | ((ends[:, 0] == ends[:, 2]) & (ends[:, 1] > ends[:, 3]))
    ends[swap] = ends[swap][:, [2, 3, 0, 1]]
    return ends
