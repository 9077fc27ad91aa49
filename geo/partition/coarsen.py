"""Join cells where nobody lives to a neighbour for the search; they come apart again for the last refinement."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from scipy.sparse import csr_array
from scipy.sparse.csgraph import connected_components

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from geo.partition.arrays import Static

LOADED_FIRST = 2.0
"""A tie to a neighbour with load counts this much more than one to another empty unit."""


def coarsen(static: Static) -> tuple[Static, NDArray[np.int32]]:
    """Join every unit without load to the neighbour from which it would be dearest to cut off.

    A joined unit holds at most one unit with load, and units of at most one compound, so nothing that matters
    for the loads is decided here.

    Returns
    -------
    The joined units, and the joined unit of each unit, int32 (n,), numbered by their first unit.
    """
    n = len(static.load)
    tie = static.cost * np.where(static.load[static.neighbor] > 0, LOADED_FIRST, 1.0)
    own = static.compound[static.source]
    free = (static.load[static.source] == 0) & ((own < 0) | (own == static.compound[static.neighbor]))
    edges = np.flatnonzero(free)
    order = edges[np.lexsort((static.neighbor[edges], -tie[edges], static.source[edges]))]
    first = np.flatnonzero(np.diff(static.source[order], prepend=-1))
    chosen = order[first]
    links = csr_array(
        (np.ones(len(chosen), np.int8), (static.source[chosen], static.neighbor[chosen])), shape=(n, n)
    )
    _, group = connected_components(links, directed=False)
    start = np.unique(group, return_index=True)[1]
    rank = np.empty(len(start), np.int32)
    rank[np.argsort(start)] = np.arange(len(start), dtype=np.int32)
    label = rank[group]
    return _joined(static, label, len(start)), label


def _joined(static: Static, label: NDArray[np.int32], count: int) -> Static:
    here, there = label[static.source], label[static.neighbor]
    within = here == there
    key = here[~within].astype(np.int64) * count + there[~within]
    pairs, edge = np.unique(key, return_inverse=True)
    source = (pairs // max(count, 1)).astype(np.int32)
    compound = np.full(count, -1, np.int32)
    np.maximum.at(compound, label, static.compound)
    around = _sums(label, static.around, count) - _sums(here[within], static.length[within], count)
    return static._replace(
        indptr=np.searchsorted(source, np.arange(count + 1)).astype(np.int64),
        neighbor=(pairs % max(count, 1)).astype(np.int32),
        source=source,
        length=_sums(edge, static.length[~within], len(pairs)),
        cost=_sums(edge, static.cost[~within], len(pairs)),
        load=_sums(label, static.load, count),
        area=_sums(label, static.area, count),
        around=around,
        outside=_sums(label, static.outside, count),
        compound=compound,
        pinned=np.zeros(count, np.bool_),
        origin=np.full(count, -1, np.int32),
    )


def _sums(position: NDArray[np.integer[Any]], values: NDArray[np.float64], count: int) -> NDArray[np.float64]:
    return np.bincount(position, weights=values, minlength=count).astype(np.float64)
