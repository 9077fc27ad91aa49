"""The problem of one connected part of a community: its units in a canonical order, prices and candidate counts."""

from __future__ import annotations

import zlib
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from scipy.sparse import csr_array
from scipy.sparse.csgraph import connected_components

from geo.loads import unit_loads
from geo.partition.arrays import Static
from geo.partition.weights import rule_array
from geo.units import open_graph

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from geo.adjacency import Graph
    from geo.partition.weights import Weights
    from geo.standards import Standard
    from geo.units import Units


@dataclass(frozen=True, slots=True)
class Problem:
    """One connected part of one community.

    Attributes
    ----------
    community
        Position in the city's communities.
    rows
        int64 (n,): row in `Units` of each of the part's units. Their order does not depend on the order of the
        rows unless two units agree in area, perimeter, load and neighbours.
    static
        Arrays for the kernels; the border cost is scaled for `counts[0]` grids.
    counts
        Numbers of grids worth trying, the most promising first.
    span
        Fewest and most grids that could make sense.
    key
        Depends on the part's content only; seeds its random numbers.
    fixed
        The number of grids is given and no other will do.
    """

    community: int
    rows: NDArray[np.int64]
    static: Static
    counts: tuple[int, ...]
    span: tuple[int, int]
    key: int
    fixed: bool = False


@dataclass(frozen=True, slots=True)
class _Given:
    """What every part is stated from; arrays by row of `units`."""

    units: Units
    graph: Graph
    load: NDArray[np.float64]
    standard: Standard
    weights: Weights
    pinned: NDArray[np.bool_]
    origin: NDArray[np.int32]


def build_problems(
    units: Units,
    standard: Standard,
    weights: Weights,
    *,
    frozen: NDArray[np.bool_] | None = None,
    pinned: NDArray[np.bool_] | None = None,
    origin: NDArray[np.int32] | None = None,
) -> list[Problem]:
    """Cut the unit graph at community borders and hard barriers and state one problem per connected part.

    Parameters
    ----------
    units, standard, weights
        As in `geo.partition.partition`.
    frozen
        bool, shape (units,): units that take no part. They are in no problem; their borders count as the outside
        and do not connect.
    pinned
        bool, shape (units,): copied into `Static.pinned`; none by default.
    origin
        int32, shape (units,): old grid of each unit, -1 for none; renumbered 0..o-1 in every part.
    """
    n = units.n
    taking_part = np.ones(n, np.bool_) if frozen is None else ~np.asarray(frozen, np.bool_)
    given = _Given(
        units,
        open_graph(units.graph, standard.hard_barriers),
        unit_loads(units, standard).astype(np.float64),
        standard,
        weights,
        np.zeros(n, np.bool_) if pinned is None else np.asarray(pinned, np.bool_),
        np.full(n, -1, np.int32) if origin is None else np.asarray(origin, np.int32),
    )
    return [_build(given, rows) for rows in _parts(given, taking_part)]


def _parts(given: _Given, taking_part: NDArray[np.bool_]) -> list[NDArray[np.int64]]:
    """Rows of each connected part, ascending; parts in the order of (community, smallest row)."""
    graph, community = given.graph, given.units.community
    n = graph.n
    source = np.repeat(np.arange(n), np.diff(graph.indptr))
    inside = community[source] == community[graph.neighbor]
    inside &= taking_part[source] & taking_part[graph.neighbor]
    links = csr_array(
        (np.ones(int(inside.sum()), np.int8), (source[inside], graph.neighbor[inside])), shape=(n, n)
    )
    _, label = connected_components(links, directed=False)
    smallest = np.full(label.max(initial=-1) + 1, n)
    np.minimum.at(smallest, label, np.arange(n))
    order = np.lexsort((np.arange(n), smallest[label], community))
    order = order[taking_part[order]]
    bounds = np.flatnonzero(np.diff(label[order], prepend=-1))
    return [rows for rows in np.split(order, bounds[1:]) if len(rows)]


def _build(given: _Given, rows: NDArray[np.int64]) -> Problem:
    units, standard, weights = given.units, given.standard, given.weights
    graph = given.graph
    rows = _canonical(given, rows)
    community = int(units.community[rows[0]])
    n = len(rows)
    edges, source = _edges_of(graph, rows)
    around = np.bincount(source, weights=graph.length_m[edges], minlength=n) + graph.outer_m[rows]
    neighbor = _places(rows, graph.neighbor[edges])
    order = np.lexsort((neighbor, source))
    order = order[neighbor[order] >= 0]
    edges, source, neighbor = edges[order], source[order], neighbor[order]
    loads = given.load[rows]
    counts, span = candidate_counts(loads, standard)
    length = graph.length_m[edges]
    compound, allowed = _compounds(units.compound[rows], loads, standard)
    cut = allowed > 1
    if units.released is not None:
        cut[compound[units.released[rows] & (compound >= 0)]] = True
    excess = np.where(cut, weights.piece, weights.split)
    scale = np.sqrt(max(float(units.area_m2[rows].sum()), 1e-9) / counts[0])
    inner = np.bincount(source, weights=length, minlength=n)
    static = Static(
        indptr=np.concatenate([[0], np.cumsum(np.bincount(source, minlength=n))]).astype(np.int64),
        neighbor=neighbor,
        source=source,
        length=length,
        cost=(graph.class_m[edges] @ weights.prices()) / scale,
        load=loads,
        area=np.asarray(units.area_m2[rows], np.float64),
        around=around,
        outside=np.where(around - inner > 1e-6 * around, around - inner, 0.0),
        compound=compound,
        allowed=allowed,
        excess=excess,
        pinned=given.pinned[rows],
        origin=_renumbered(given.origin[rows]),
        rule=rule_array(standard, weights, 0.6 / scale),
    )
    shape = np.concatenate([loads, neighbor.astype(np.float64)])
    return Problem(community, rows, static, counts, span, zlib.crc32(shape.tobytes()))


def _edges_of(graph: Graph, rows: NDArray[np.int64]) -> tuple[NDArray[np.int64], NDArray[np.int32]]:
    """Positions of the edges that start in some rows, row by row, and which of the rows each starts in."""
    degree = graph.indptr[rows + 1] - graph.indptr[rows]
    source = np.repeat(np.arange(len(rows), dtype=np.int32), degree)
    before = np.cumsum(degree) - degree
    return np.arange(len(source)) + (graph.indptr[rows] - before)[source], source


def _places(rows: NDArray[np.int64], wanted: NDArray[np.int32]) -> NDArray[np.int32]:
    """Position in `rows` of each wanted row, -1 where it is not among them."""
    order = np.argsort(rows)
    at = order[np.minimum(np.searchsorted(rows, wanted, sorter=order), len(rows) - 1)]
    return np.where(rows[at] == wanted, at, -1).astype(np.int32)


def _renumbered(origin: NDArray[np.int32]) -> NDArray[np.int32]:
    """Give numbers 0..o-1 to the old grids, in the units' canonical order."""
    number = {grid: i for i, grid in enumerate(dict.fromkeys(origin[origin >= 0].tolist()))}
    return np.array([number.get(grid, -1) for grid in origin.tolist()], np.int32)


def _canonical(given: _Given, rows: NDArray[np.int64]) -> NDArray[np.int64]:
    """Order units by what they are, not by where their row stands."""
    units, graph = given.units, given.graph
    edges, source = _edges_of(graph, rows)
    degree = np.bincount(source, minlength=len(rows))
    area = np.round(units.area_m2[rows], 2)
    border = np.round(np.bincount(source, weights=graph.length_m[edges], minlength=len(rows)), 2)
    keys = (rows, degree, border, units.persons[rows], units.households[rows], area)
    return rows[np.lexsort(keys)]


def _compounds(
    compound: NDArray[np.int32], loads: NDArray[np.float64], standard: Standard
) -> tuple[NDArray[np.int32], NDArray[np.int32]]:
    """Give numbers to the compounds of several units and say how many pieces each needs at least."""
    local = np.full(len(compound), -1, np.int32)
    allowed: list[int] = []
    # In the units' canonical order, so that the numbers do not depend on the order of the compound layer.
    for value in dict.fromkeys(compound[compound >= 0].tolist()):
        mine = compound == value
        if mine.sum() > 1:
            local[mine] = len(allowed)
            allowed.append(max(1, int(np.ceil(loads[mine].sum() / standard.max))))
    return local, np.asarray(allowed, np.int32)


def candidate_counts(
    loads: NDArray[np.float64], standard: Standard
) -> tuple[tuple[int, ...], tuple[int, int]]:
    """Return up to three numbers of grids worth trying, the most promising first, and the range that could be.

    A unit above the maximum takes a grid of its own; the rest should give grids within the band and near the
    target. Never more grids than units with load; at least one.
    """
    giants = loads > standard.max
    rest = float(loads[~giants].sum())
    most = max(1, int((loads > 0).sum()))
    ends = (int(np.ceil(rest / standard.max)), int(rest // standard.min))
    low, high = min(ends), max(ends)
    ideal = rest / standard.target
    if ends[0] > ends[1]:
        # No number divides the total into the band: too few for two grids, or too many for one.
        tries = {low, high}
    else:
        tries = {min(max(k, low), high) for k in range(round(ideal) - 1, round(ideal) + 2)}
    fixed = int(giants.sum())
    counts = dict.fromkeys(
        min(max(k + fixed, 1), most) for k in sorted(tries, key=lambda k: (abs(ideal - k), k))
    )
    return tuple(counts), (min(max(low + fixed, 1), most), min(max(high + fixed, 1), most))
