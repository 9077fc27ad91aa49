"""Small parts made up by number: lattices, ribbons and Voronoi diagrams with zeros, giants, compounds and roads."""

from __future__ import annotations

from dataclasses import dataclass

import graphs
import numpy as np
from exact import Aims, judge, optimum, optimum_with
from scipy.sparse import csr_array
from scipy.sparse.csgraph import connected_components

from geo.partition import partition
from geo.partition.problem import build_problems
from geo.partition.weights import Weights
from geo.standards import load_standard
from geo.types import BorderClass

FINE = load_standard("fine-250")

KINDS = (BorderClass.ALLEY, BorderClass.STREET, BorderClass.ARTERIAL, BorderClass.RAILWAY, BorderClass.WATER)


def instance(number):
    """Return the units of instance `number`: one connected part of 8 to 40 units for two to four grids."""
    rng = np.random.default_rng([4711, number])
    family = ("lattice", "voronoi", "ribbon", "voronoi")[number % 4]
    grids = int(rng.integers(2, 5))
    graph, area = _graph(family, grids, rng)
    loads = _loads(graph.n, grids, rng)
    compound = _compounds(graph, loads, rng)
    return graphs.units_of(graph, loads, area=area, compound=compound)


def problem_of(units):
    """Return the only part of an instance."""
    (problem,) = build_problems(units, FINE, Weights())
    return problem


def _graph(family, grids, rng):
    if family == "voronoi":
        n = int(rng.integers(9, 17 + 3 * grids))
        while True:
            edges, outer, area = graphs._blocks(n, rng, 0)
            links = csr_array(
                (np.ones(len(edges)), ([e[0] for e in edges], [e[1] for e in edges])), shape=(n, n)
            )
            if connected_components(links, directed=False)[0] == 1:
                return graphs.graph_of(n, edges, outer), area
    if family == "ribbon":
        rows, columns = (2, int(rng.integers(8, 21))) if rng.random() < 0.5 else (3, int(rng.integers(4, 9)))
    else:
        rows, columns = ((3, 4), (4, 4), (4, 5), (5, 5), (4, 6))[int(rng.integers(5))]
    n = rows * columns
    width, height = rng.uniform(20, 60, columns), rng.uniform(20, 60, rows)
    down = rng.choice(KINDS, columns) if rng.random() < 0.8 else np.zeros(columns, int)
    across = rng.choice(KINDS, rows) if rng.random() < 0.8 else np.zeros(rows, int)
    down[rng.random(columns) < 0.6] = BorderClass.INTERIOR
    across[rng.random(rows) < 0.6] = BorderClass.INTERIOR
    edges = []
    outer = np.zeros(n)
    for r in range(rows):
        for c in range(columns):
            i = r * columns + c
            outer[i] = height[r] * ((c == 0) + (c == columns - 1)) + width[c] * ((r == 0) + (r == rows - 1))
            if c + 1 < columns:
                edges.append((i, i + 1, height[r], int(down[c])))
            if r + 1 < rows:
                edges.append((i, i + columns, width[c], int(across[r])))
    return graphs.graph_of(n, edges, outer), np.outer(height, width).ravel()


def _loads(n, grids, rng):
    """Loads for about `grids` grids, with units where nobody lives and, in some, units that are too large."""
    shape = rng.uniform(0.2, 1.0, n) if rng.random() < 0.5 else rng.exponential(1.0, n)
    shape[rng.random(n) < rng.choice([0.0, 0.2, 0.4])] = 0.0
    shape[:2] = np.maximum(shape[:2], 0.3)
    loads = np.round(shape / shape.sum() * 250 * grids * rng.uniform(0.93, 1.07)).astype(int)
    if rng.random() < 0.2:
        loads[rng.integers(n)] = rng.integers(301, 450)
    return loads


def _compounds(graph, loads, rng):
    """Up to three compounds of a few neighbouring units that fit into a grid, or do not."""
    compound = np.full(graph.n, -1, np.int32)
    for number in range(int(rng.integers(0, 4))):
        seed = int(rng.integers(graph.n))
        size, limit = int(rng.integers(2, 5)), 300 if rng.random() < 0.8 else 600
        group = [seed]
        for _ in range(size - 1):
            around = {int(v) for u in group for v in graph.neighbor[graph.indptr[u] : graph.indptr[u + 1]]}
            free = sorted(v for v in around - set(group) if compound[v] < 0)
            if free:
                group.append(int(rng.choice(free)))
        if (compound[group] < 0).all() and loads[group].sum() <= limit:
            compound[group] = number
    return compound


@dataclass(frozen=True)
class Comparison:
    """The engine beside the optimum on one instance; `best` has the engine's number of grids.

    Attributes
    ----------
    fewest
        Grids out of the band in the best division into any number of grids of the part's span.
    """

    number: int
    units: int
    grids: int
    engine: Aims
    best: Aims
    fewest: int

    @property
    def attained(self):
        """True when the engine has the optimum of connected grids, the band, whole compounds, the hard maximum."""
        own = self.engine.outside, self.engine.excess, self.engine.above
        return own == (self.best.outside, self.best.excess, self.best.above) and own[0] == self.fewest

    @property
    def gap(self):
        """What the engine pays above the optimum, as a share of all that the optimum pays and earns."""
        return (self.engine.rest - self.best.rest) / self.best.size


def compare(number, *, effort="normal", seed=0):
    """Solve one instance both ways; raises TooLargeError when it cannot be solved exactly."""
    units = instance(number)
    problem = problem_of(units)
    result = partition(units, FINE, effort=effort, seed=seed)
    own = judge(problem.static, result.grid_of_unit[problem.rows])
    best = optimum(problem.static, result.n_grids)
    others = (
        outside
        for outside in range(best.aims.outside)
        for count in range(problem.span[0], problem.span[1] + 1)
        if optimum_with(problem.static, count, outside) is not None
    )
    fewest = next(others, best.aims.outside)
    return Comparison(number, units.n, result.n_grids, own, best.aims, fewest)
