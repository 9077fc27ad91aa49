"""An independent walking distance for tests: networkx on a graph whose edges are split at every home and station.

It shares no code with the product: nearest edges come from shapely, ways from networkx.
"""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import geopandas as gpd
import networkx as nx
import numpy as np
import shapely

METRIC = "EPSG:32650"


def street_frame(shapes: Any, **columns: Any) -> gpd.GeoDataFrame:
    """Return a layer of lines (coordinate lists or geometries) in metres."""
    geometry = [s if isinstance(s, shapely.Geometry) or s is None else shapely.LineString(s) for s in shapes]
    return gpd.GeoDataFrame(columns, geometry=geometry, crs=METRIC)


def edge_shapes(network: Any) -> Any:
    """Return the edges as LineStrings."""
    starts = network.shape_start
    return np.array(
        [shapely.LineString(network.shape_xy[a:b]) for a, b in pairwise(starts)],
        object,
    )


def project(network: Any, points: Any) -> list[tuple[int, float, float]]:
    """Return (edge, offset, leg) of the nearest edge of each point, the lowest of equally near ones."""
    shapes = edge_shapes(network)
    tree = shapely.STRtree(shapes)
    answer = []
    for point in shapely.points(points):
        near = tree.query(
            point, predicate="dwithin", distance=shapely.distance(point, shapes[tree.nearest(point)]) + 1e-9
        )
        edge = int(near.min())
        answer.append(
            (edge, float(shapely.line_locate_point(shapes[edge], point)), float(point.distance(shapes[edge])))
        )
    return answer


def exact_walks(
    network: Any,
    homes: list[tuple[int, float, float]],
    stations: list[tuple[int, float, float]],
    category: Any,
    n: int,
) -> Any:
    """Return metres from every home to the nearest station of each category, float64 (homes, n)."""
    graph = nx.Graph()
    graph.add_nodes_from(range(len(network.xy)))
    on_edge: dict[int, list[tuple[float, Any]]] = {}
    for name, places in (("home", homes), ("station", stations)):
        for i, (edge, offset, _) in enumerate(places):
            if edge >= 0:
                on_edge.setdefault(edge, []).append((offset, (name, i)))
    shapes = edge_shapes(network)
    for e, (a, b) in enumerate(network.edge.tolist()):
        chain = [(0.0, a), *sorted(on_edge.get(e, []), key=lambda p: p[0]), (shapes[e].length, b)]
        for (at, u), (then, v) in pairwise(chain):
            length = max(then - at, 0.0)
            if not graph.has_edge(u, v) or graph[u][v]["weight"] > length:
                graph.add_edge(u, v, weight=length)
    answer = np.full((len(homes), n), np.inf)
    for k in range(n):
        graph.add_node("source")
        for i in np.flatnonzero(np.asarray(category) == k).tolist():
            if stations[i][0] >= 0:
                graph.add_node(("door", i))
                graph.add_edge("source", ("door", i), weight=stations[i][2])
                graph.add_edge(("door", i), ("station", i), weight=0.0)
        found = one_way(graph)
        for i, (edge, _, leg) in enumerate(homes):
            if edge >= 0:
                answer[i, k] = found.get(("home", i), np.inf) + leg
        graph.remove_node("source")
        graph.remove_nodes_from([d for d in graph.nodes if isinstance(d, tuple) and d[0] == "door"])
    return answer


def one_way(graph: nx.Graph) -> dict[Any, float]:
    """Return the distances from the source, which no way passes through again."""
    return dict(nx.single_source_dijkstra_path_length(graph, "source", weight="weight"))
