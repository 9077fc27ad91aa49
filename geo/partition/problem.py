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

if TYPE_CHECKING:
    from numpy.typing import NDArray

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
    """

    community: int
    rows: NDArray[np.int64]
    static: Static
    counts: tuple[int, ...]
    span: tuple[int, int]
    key: int


def build_problems(units: Units, standard: Standard, weights: Weights) -> list[Problem]:
    """Cut the unit graph at community borders and state one problem per connected part."""
    graph = units.graph
    n = graph.n
    source = np.repeat(np.arange(n), np.diff(graph.indptr))
    inside = units.community[source] == units.community[graph.neighbor]
    links = csr_array(
        (np.ones(int(inside.sum()), np.int8), (source[inside], graph.neighbor[inside])), shape=(n, n)
    )
    _, label = connected_components(links, directed=False)
    # Parts in the order of (community, smallest row).
    smallest = np.full(label.max(initial=-1) + 1, n)
    np.minimum.at(smallest, label, np.arange(n))
    order = np.lexsort((np.arange(n), smallest[label], units.community))
    bounds = np.flatnonzero(np.diff(label[order], prepend=-1))
    load = unit_loads(units, standard).astype(np.float64)
    return [_build(units, load, standard, weights, rows) for rows in np.split(order, bounds[1:]) if len(rows)]


def _build(
    units: Units, load: NDArray[np.float64], standard: Standard, weights: Weights, rows: NDArray[np.int64]
) -> Problem:
    graph = units.graph
    rows = _canonical(units, rows)
    place = dict(zip(rows.tolist(), range(len(rows)), strict=True))
    community = int(units.community[rows[0]])
    indptr = [0]
    neighbor: list[int] = []
    edges: list[int] = []
    around = np.empty(len(rows))
    for i, row in enumerate(rows.tolist()):
        first, last = int(graph.indptr[row]), int(graph.indptr[row + 1])
        here = sorted(
            (place[int(graph.neighbor[e])], e) for e in range(first, last) if int(graph.neighbor[e]) in place
        )
        neighbor.extend(j for j, _ in here)
        edges.extend(e for _, e in here)
        indptr.append(len(neighbor))
        around[i] = graph.length_m[first:last].sum() + graph.outer_m[row]
    loads = load[rows]
    counts, span = candidate_counts(loads, standard)
    length = graph.length_m[edges]
    compound, allowed = _compounds(units.compound[rows], loads, standard)
    scale = np.sqrt(max(float(units.area_m2[rows].sum()), 1e-9) / counts[0])
    source = np.repeat(np.arange(len(rows), dtype=np.int32), np.diff(indptr))
    inner = np.bincount(source, weights=length, minlength=len(rows))
    static = Static(
        indptr=np.asarray(indptr, np.int64),
        neighbor=np.asarray(neighbor, np.int32),
        source=source,
        length=length,
        cost=(graph.class_m[edges] @ weights.prices()) / scale,
        load=loads,
        area=np.asarray(units.area_m2[rows], np.float64),
        around=around,
        outside=np.where(around - inner > 1e-6 * around, around - inner, 0.0),
        compound=compound,
        allowed=allowed,
        pinned=np.zeros(len(rows), np.bool_),
        origin=np.full(len(rows), -1, np.int32),
        rule=rule_array(standard, weights, 0.6 / scale),
    )
    shape = np.concatenate([loads, np.asarray(neighbor, np.float64)])
    return Problem(community, rows, static, counts, span, zlib.crc32(shape.tobytes()))


def _canonical(units: Units, rows: NDArray[np.int64]) -> NDArray[np.int64]:
    """Order units by what they are, not by where their row stands."""
    graph = units.graph
    degree = graph.indptr[rows + 1] - graph.indptr[rows]
    area = np.round(units.area_m2[rows], 2)
    border = np.round([graph.length_m[graph.indptr[r] : graph.indptr[r + 1]].sum() for r in rows], 2)
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
