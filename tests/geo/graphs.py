"""Units made up for tests: planar blocks of buildings with the skewed loads of a Chinese city."""

from __future__ import annotations

import numpy as np
from scipy.spatial import Voronoi

from geo.adjacency import Graph
from geo.types import BorderClass
from geo.units import Units

CLASSES = len(BorderClass)


def graph_of(n, edges, outer):
    """Graph from rows (i, j, length_m, border class)."""
    rows = {}
    for i, j, length, kind in edges:
        for a, b in ((i, j), (j, i)):
            class_m = rows.setdefault((a, b), np.zeros(CLASSES))
            class_m[kind] += length
    keys = sorted(rows)
    class_m = np.array([rows[k] for k in keys]).reshape(len(keys), CLASSES)
    degree = np.bincount([a for a, _ in keys], minlength=n) if keys else np.zeros(n, int)
    return Graph(
        indptr=np.concatenate([[0], np.cumsum(degree)]).astype(np.int64),
        neighbor=np.array([b for _, b in keys], np.int32),
        length_m=class_m.sum(axis=1),
        class_m=class_m,
        outer_m=np.asarray(outer, float),
    )


def units_of(graph, households, *, community=None, compound=None, area=None, persons=None):
    n = graph.n
    households = np.asarray(households, np.int64)
    return Units(
        of_cell=np.arange(n, dtype=np.int32),
        community=np.zeros(n, np.int32) if community is None else np.asarray(community, np.int32),
        compound=np.full(n, -1, np.int32) if compound is None else np.asarray(compound, np.int32),
        households=households,
        persons=np.round(households * 2.6).astype(np.int64) if persons is None else persons,
        buildings=np.ones(n, np.int32),
        area_m2=np.full(n, 900.0) if area is None else np.asarray(area, float),
        graph=graph,
    )


def lattice(rows, columns, households, **kwargs):
    """Squares of 30 m, numbered row by row; every fourth line is an alley."""
    edges = []
    outer = np.zeros(rows * columns)
    for r in range(rows):
        for c in range(columns):
            i = r * columns + c
            outer[i] = 30.0 * sum((r == 0, r == rows - 1, c == 0, c == columns - 1))
            if c + 1 < columns:
                edges.append((i, i + 1, 30.0, BorderClass.ALLEY if c % 4 == 3 else BorderClass.INTERIOR))
            if r + 1 < rows:
                edges.append(
                    (i, i + columns, 30.0, BorderClass.ALLEY if r % 4 == 3 else BorderClass.INTERIOR)
                )
    return units_of(graph_of(rows * columns, edges, outer), households, **kwargs)


def skewed_loads(n, rng):
    """Towers, slabs, courtyards, some compounds kept whole, and cells where nobody lives."""
    kind = rng.choice(5, n, p=[0.12, 0.38, 0.2, 0.06, 0.24])
    low = np.array([60, 24, 2, 80, 0])[kind]
    high = np.array([150, 72, 12, 300, 0])[kind]
    return rng.integers(low, high + 1)


def town(communities, per_community, seed=0):
    """A row of communities, each a Voronoi diagram in blocks divided by alleys and streets."""
    rng = np.random.default_rng(seed)
    edges, outer, area, community = [], [], [], []
    start = 0
    for number in range(communities):
        cells = _blocks(per_community, rng, start)
        edges += cells[0]
        outer.append(cells[1])
        area.append(cells[2])
        community += [number] * len(cells[2])
        start += len(cells[2])
    loads = skewed_loads(start, rng)
    graph = graph_of(start, edges, np.concatenate(outer))
    return units_of(graph, loads, community=community, area=np.concatenate(area))


def _blocks(n, rng, start):
    side = np.sqrt(n) * 35.0
    points = rng.uniform(0, side, (n, 2))
    mirrored = [points]
    for axis in (0, 1):
        for edge in (0.0, side):
            copy = points.copy()
            copy[:, axis] = 2 * edge - copy[:, axis]
            mirrored.append(copy)
    diagram = Voronoi(np.concatenate(mirrored))
    block = (points // 140.0).astype(int)
    edges = []
    outer = np.zeros(n)
    for (i, j), ridge in zip(diagram.ridge_points, diagram.ridge_vertices, strict=True):
        if -1 in ridge or (i >= n and j >= n):
            continue
        length = float(np.hypot(*(diagram.vertices[ridge[0]] - diagram.vertices[ridge[1]])))
        if length < 0.05:
            continue
        if i < n and j < n:
            same = (block[i] == block[j]).all()
            kind = BorderClass.INTERIOR if same else BorderClass.ALLEY
            if not same and (block[i] // 2 != block[j] // 2).any():
                kind = BorderClass.STREET
            edges.append((start + i, start + j, length, kind))
        else:
            outer[min(i, j)] += length
    area = np.zeros(n)
    for i in range(n):
        ring = diagram.vertices[diagram.regions[diagram.point_region[i]]]
        x, y = ring[:, 0], ring[:, 1]
        area[i] = 0.5 * abs(np.dot(x, np.roll(y, 1)) - np.dot(y, np.roll(x, 1)))
    return edges, outer, area
