"""Walking distance from buildings to the nearest station of each category, exact along the edges."""

from __future__ import annotations

import math
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from geo.errors import GeoError
from geo.network.access import Joiner, join
from geo.network.search import Found, Homes, Rows, Seeds, Sites, read_homes, spread
from geo.network.types import MAX_LEG_M, TIE_M

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from geo.network.types import Access, Network


class Router:
    """A network prepared for many questions about the same homes.

    Parameters
    ----------
    network
        The streets.
    homes
        Where the buildings join it.
    """

    def __init__(self, network: Network, homes: Access) -> None:
        self.network = network
        self.homes = homes
        self._rows = adjacency_rows(network.edge, network.length_m, len(network.xy))
        self._edge = np.ascontiguousarray(network.edge, np.int32)
        self._length = np.ascontiguousarray(network.length_m, np.float64)
        self._homes = Homes(
            np.ascontiguousarray(homes.edge, np.int32),
            np.ascontiguousarray(homes.offset_m, np.float64),
            np.ascontiguousarray(homes.leg_m, np.float64),
        )

    def join(
        self,
        points: NDArray[np.float64],
        *,
        max_leg_m: float = MAX_LEG_M,
        compound: NDArray[np.int32] | None = None,
    ) -> Access:
        """Join stations to the network, see `snap`; quick for a few points, as after one station moved."""
        return join(self._joiner, points, max_leg_m=max_leg_m, compound=compound)

    @cached_property
    def _joiner(self) -> Joiner:
        return Joiner(self.network)

    def solve(
        self, stations: Access, *, rows: NDArray[np.int32] | None = None, limit_m: float | None = None
    ) -> tuple[NDArray[np.float64], NDArray[np.int32]]:
        """Find the nearest of some stations for every home; all of them are of one category.

        Dijkstra's algorithm from all stations at once; a station enters at both ends of its edge.

        Parameters
        ----------
        stations
            Where the stations join the network; those off it are passed over.
        rows
            int32, shape (stations,): numbers to answer with; default their position.
        limit_m
            Longest way in metres, access legs included, inclusive; None for any.

        Returns
        -------
        Distance in metres, float64, shape (homes,), inf where no station is in reach, and the station's row, int32,
        -1 for none. Of stations equally near (within `TIE_M`) the one with the lowest row.

        Raises
        ------
        GeoError
            ``network-bad-limit``: the limit is negative or not a number.
        """
        limit = _limit(limit_m)
        number = np.arange(len(stations), dtype=np.int32) if rows is None else np.asarray(rows, np.int32)
        use = np.flatnonzero(stations.edge >= 0)
        use = use[np.lexsort((number[use], stations.edge[use]))]
        edge, offset, leg = stations.edge[use], stations.offset_m[use], stations.leg_m[use]
        who = number[use]
        seeds = Seeds(
            np.concatenate([self._edge[edge, 0], self._edge[edge, 1]]),
            np.concatenate([leg + offset, leg + (self._length[edge] - offset)]),
            np.concatenate([who, who]),
        )
        distance, station = spread(self._rows, seeds, limit)
        on_edge = np.full(len(self._edge), -1, np.int32)
        on_edge[edge[::-1]] = np.arange(len(use), dtype=np.int32)[::-1]
        sites = Sites(edge.astype(np.int32), offset, leg, who, on_edge)
        return read_homes(Found(self._edge, self._length, distance, station), self._homes, sites, limit)

    def distances(
        self,
        stations: Access,
        category: NDArray[np.int32],
        n_categories: int,
        *,
        limit_m: float | None = None,
    ) -> tuple[NDArray[np.float64], NDArray[np.int32]]:
        """Find the nearest station of every category for every home, see `walking_distance`."""
        kinds = np.asarray(category)
        if len(kinds) != len(stations):
            raise ValueError(f"{len(kinds)} categories for {len(stations)} stations")
        distance = np.full((len(self.homes), n_categories), np.inf)
        station = np.full((len(self.homes), n_categories), -1, np.int32)
        for k in range(n_categories):
            rows = np.flatnonzero(kinds == k).astype(np.int32)
            if len(rows):
                distance[:, k], station[:, k] = self.solve(stations.take(rows), rows=rows, limit_m=limit_m)
        return distance, station


def walking_distance(
    network: Network,
    homes: Access,
    stations: Access,
    category: NDArray[np.int32],
    n_categories: int,
    *,
    limit_m: float | None = None,
) -> tuple[NDArray[np.float64], NDArray[np.int32]]:
    """Return the walking distance from every home to the nearest station of each category, and the station.

    Speed plays no part: minutes are metres divided by the speed, so one search serves several speeds.

    Parameters
    ----------
    network
        The streets.
    homes, stations
        Where buildings and stations join it, from `snap`.
    category
        int32, shape (stations,): 0 to `n_categories` - 1; a station with another number is not looked at.
    n_categories
        Number of columns of the answer.
    limit_m
        Longest way in metres, access legs included, inclusive; None for any. Nearer homes get the same distance
        with and without it.

    Returns
    -------
    Metres, float64, shape (homes, n_categories): access leg, way along the edges, the station's access leg; inf
    beyond the limit, unreachable or off the network. A way within `TIE_M` of the limit is set to the limit itself.
    Row of the station, int32, same shape, -1 for none; of equally near ones the lowest.
    """
    return Router(network, homes).distances(stations, category, n_categories, limit_m=limit_m)


def within(distance_m: NDArray[np.float64], limit_m: float) -> NDArray[np.bool_]:
    """Tell which ways are at most `limit_m` long; equality holds within `TIE_M`, so 15.000 minutes count."""
    return np.asarray(distance_m) <= limit_m + TIE_M


def adjacency_rows(edge: NDArray[np.int32], length_m: NDArray[np.float64], nodes: int) -> Rows:
    """Return the neighbours of every node in compressed rows."""
    tail = np.concatenate([edge[:, 0], edge[:, 1]])
    head = np.concatenate([edge[:, 1], edge[:, 0]])
    order = np.argsort(tail, kind="stable")
    first = np.zeros(nodes + 1, np.int64)
    np.cumsum(np.bincount(tail, minlength=nodes), out=first[1:])
    return Rows(first, head[order].astype(np.int32), np.concatenate([length_m, length_m])[order])


def _limit(limit_m: float | None) -> float:
    if limit_m is None:
        return math.inf
    if math.isnan(limit_m) or limit_m < 0:
        raise GeoError(
            "network-bad-limit",
            f"步行距离上限不能为负，当前为 {limit_m} 米。",
            f"The walking limit must not be negative; it is {limit_m} m.",
        )
    return float(limit_m)
