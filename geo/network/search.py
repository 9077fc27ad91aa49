"""Numba kernels: shortest ways from many stations at once, read at the buildings."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from geo.jit import kernel

if TYPE_CHECKING:
    from numpy.typing import NDArray

TIE = 1e-6
"""`geo.network.types.TIE_M`; a kernel needs its constants in its own module."""


class Rows(NamedTuple):
    """Neighbours of the nodes in compressed rows: int64 (nodes + 1,), int32 and float64 metres (2 edges,)."""

    first: NDArray[np.int64]
    neighbour: NDArray[np.int32]
    weight: NDArray[np.float64]


class Seeds(NamedTuple):
    """Where stations enter: node, metres from the station to it, the station's row; int32, float64, int32."""

    node: NDArray[np.int32]
    metres: NDArray[np.float64]
    station: NDArray[np.int32]


class Found(NamedTuple):
    """Ends of the edges, int32 (edges, 2), their length, and what `spread` found at the nodes."""

    edge: NDArray[np.int32]
    length: NDArray[np.float64]
    distance: NDArray[np.float64]
    station: NDArray[np.int32]


class Homes(NamedTuple):
    """Edge (-1 off the network), offset and leg of every home; int32, float64, float64."""

    edge: NDArray[np.int32]
    offset: NDArray[np.float64]
    leg: NDArray[np.float64]


class Sites(NamedTuple):
    """Stations sorted by edge: edge, offset, leg, row; and the first station on every edge, -1 none."""

    edge: NDArray[np.int32]
    offset: NDArray[np.float64]
    leg: NDArray[np.float64]
    row: NDArray[np.int32]
    on_edge: NDArray[np.int32]


@kernel
def _push(key: NDArray[np.float64], item: NDArray[np.int32], n: int, d: float, node: int) -> int:
    """Put (d, node) on the binary heap of `n` entries; return the new size."""
    i = n
    while i > 0:
        up = (i - 1) >> 1
        if key[up] <= d:
            break
        key[i], item[i] = key[up], item[up]
        i = up
    key[i], item[i] = d, node
    return n + 1


@kernel
def _pop(key: NDArray[np.float64], item: NDArray[np.int32], n: int) -> int:
    """Take the first entry off; the caller has read it. Return the new size."""
    n -= 1
    d, node = key[n], item[n]
    i = 0
    while True:
        child = 2 * i + 1
        if child >= n:
            break
        if child + 1 < n and key[child + 1] < key[child]:
            child += 1
        if key[child] >= d:
            break
        key[i], item[i] = key[child], item[child]
        i = child
    key[i], item[i] = d, node
    return n


@kernel
def spread(rows: Rows, seeds: Seeds, limit_m: float) -> tuple[NDArray[np.float64], NDArray[np.int32]]:
    """Return distance and station of every node by Dijkstra's algorithm with all stations as sources.

    Ways that differ by no more than `TIE` are equally long; the lowest station wins. Nodes farther than `limit_m`
    may be left at inf.
    """
    n = len(rows.first) - 1
    distance = np.full(n, np.inf)
    station = np.full(n, -1, np.int32)
    key = np.empty(len(rows.neighbour) + len(seeds.node) + 1)
    item = np.empty(len(key), np.int32)
    size = 0
    for s in range(len(seeds.node)):
        node, d, who = seeds.node[s], seeds.metres[s], seeds.station[s]
        if _better(d, who, distance[node], station[node]):
            station[node] = who
        if d < distance[node]:
            distance[node] = d
            size = _push(key, item, size, d, node)
    while size > 0:
        d, node = key[0], item[0]
        size = _pop(key, item, size)
        if d > distance[node]:
            continue
        if d > limit_m + TIE:
            break
        who = station[node]
        for k in range(rows.first[node], rows.first[node + 1]):
            other = rows.neighbour[k]
            way = d + rows.weight[k]
            if _better(way, who, distance[other], station[other]):
                station[other] = who
            if way < distance[other]:
                distance[other] = way
                size = _push(key, item, size, way, other)
    return distance, station


@kernel
def _better(d: float, who: int, best: float, holder: int) -> bool:
    """Tell whether station `who` at `d` replaces `holder` at `best`; -1 holds nothing."""
    return d < best - TIE or (d <= best + TIE and (holder < 0 or who < holder))


@kernel
def read_homes(
    found: Found, homes: Homes, sites: Sites, limit_m: float
) -> tuple[NDArray[np.float64], NDArray[np.int32]]:
    """Return distance and station of every home from those of the nodes; inf and -1 beyond `limit_m`.

    A home is reached over either end of its edge, or along the edge itself from a station on the same one.
    """
    n = len(homes.edge)
    best_m = np.full(n, np.inf)
    best_station = np.full(n, -1, np.int32)
    for h in range(n):
        e = homes.edge[h]
        if e < 0:
            continue
        leg, offset = homes.leg[h], homes.offset[h]
        best, who = np.inf, -1
        for end in range(2):
            node = found.edge[e, end]
            d = found.distance[node] + (offset if end == 0 else found.length[e] - offset) + leg
            if found.station[node] >= 0 and _better(d, found.station[node], best, who):
                who = found.station[node]
            best = min(best, d)
        s = sites.on_edge[e]
        while 0 <= s < len(sites.edge) and sites.edge[s] == e:
            d = sites.leg[s] + abs(sites.offset[s] - offset) + leg
            if _better(d, sites.row[s], best, who):
                who = sites.row[s]
            best = min(best, d)
            s += 1
        if abs(best - limit_m) <= TIE:
            best = limit_m
        if best <= limit_m and who >= 0:
            best_m[h], best_station[h] = best, who
    return best_m, best_station
