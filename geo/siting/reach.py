"""Ways along the streets: from every candidate to the homes within the limit, and from homes to stations."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from geo.network.router import Router
from geo.siting.places import check_ways
from geo.siting.rows import SparseRows

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from geo.network.types import Access, Network


def network_reach(network: Network, sites: Access, homes: Access, limit_m: float) -> SparseRows:
    """Return the walks from every candidate to the homes within the limit, inclusive.

    One search by Dijkstra's algorithm per candidate that ends at the limit, so that the memory stays that of the
    answer. Ways are those that coverage counts: access leg, along the edges, access leg.

    Parameters
    ----------
    sites, homes
        Where candidates and buildings join the network; who is off it reaches nobody.
    limit_m
        Metres, access legs included.

    Raises
    ------
    GeoError
        ``siting-too-many-ways``.
    """
    router = Router(network, homes)
    column: list[NDArray[np.int32]] = []
    value: list[NDArray[np.float64]] = []
    lengths = np.zeros(len(sites), np.int64)
    for j in np.flatnonzero(sites.edge >= 0):
        metres, _ = router.solve(sites.take(np.array([j])), limit_m=limit_m)
        inside = np.flatnonzero(np.isfinite(metres)).astype(np.int32)
        lengths[j] = len(inside)
        check_ways(int(lengths.sum()))
        column.append(inside)
        value.append(metres[inside])
    indptr = np.concatenate([[0], np.cumsum(lengths)])
    if not column:
        return SparseRows(indptr, np.empty(0, np.int32), np.empty(0), len(homes))
    return SparseRows(indptr, np.concatenate(column), np.concatenate(value), len(homes))


def network_nearest(network: Network, stations: Access, homes: Access, limit_m: float) -> NDArray[np.float64]:
    """Return the walk of every home to its nearest station, inf beyond the limit; float64 (homes,)."""
    if not len(stations):
        return np.full(len(homes), np.inf)
    return Router(network, homes).solve(stations, limit_m=limit_m)[0]
