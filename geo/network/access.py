"""Join points to the nearest street they can walk to."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import shapely

from geo.errors import GeoError
from geo.network.nearest import Bins, Segments, fill_bins, nearest_segments
from geo.network.places import compound_of, with_wall
from geo.network.types import ISLAND, MAX_LEG_M, OFF_NETWORK, ON, TIE_M, Access

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from geo.network.types import Network

FOOT_M = 0.01
"""A leg is held against the barriers without its last centimetre: streets along a bank may be walked to."""

FARTHEST_AROUND_M = 2000.0
"""A point whose nearest edge lies behind a barrier looks no farther than this for another."""

SMALLEST_BIN_M, LARGEST_BINS = 5.0, 4_000_000


@dataclass(frozen=True)
class Stretches:
    """Straight stretches of the edges, and gates as stretches without length.

    Attributes
    ----------
    xy
        float64, shape (n, 4): x, y, x, y.
    edge, place
        int32, shape (n,): edge, and the walled compound from which it can be reached, -1 from outside all.
    offset_m
        float64, shape (n,): distance of the stretch's start from the edge's first node.
    """

    xy: NDArray[np.float64]
    edge: NDArray[np.int32]
    place: NDArray[np.int32]
    offset_m: NDArray[np.float64]


def snap(
    network: Network,
    points: NDArray[np.float64],
    *,
    max_leg_m: float = MAX_LEG_M,
    compound: NDArray[np.int32] | None = None,
) -> Access:
    """Join points to the network at the nearest place of the nearest edge that a straight leg can reach.

    A point outside all walled compounds joins an edge outside them. A point inside one joins what is nearer: an
    edge inside the same compound or one of its gates, for it must leave by a gate. No leg crosses water or a
    railway, nor a wall if another street can be walked to: where the nearest edge lies behind one, the next is
    taken.

    Parameters
    ----------
    network
        The streets.
    points
        float64, shape (p, 2): in the network's CRS; a point with NaN is off the network.
    max_leg_m
        Longest leg, metres, inclusive.
    compound
        int32, shape (p,): compound of each point, a row of the compounds layer, -1 none, where that is known
        better than by position (a building by its address); default by position. One without a wall counts as none.

    Raises
    ------
    GeoError
        ``network-bad-leg``: `max_leg_m` is negative or not a number.
    """
    return join(Joiner(network), points, max_leg_m=max_leg_m, compound=compound)


def join(
    joiner: Joiner, points: NDArray[np.float64], *, max_leg_m: float, compound: NDArray[np.int32] | None
) -> Access:
    """Join points with bins that are already there, see `snap`."""
    if math.isnan(max_leg_m) or max_leg_m < 0:
        raise GeoError(
            "network-bad-leg",
            f"接入距离上限不能为负，当前为 {max_leg_m} 米。",
            f"The longest access leg must not be negative; it is {max_leg_m} m.",
        )
    network = joiner.network
    xy = np.ascontiguousarray(np.asarray(points, np.float64).reshape(-1, 2))
    place = (
        compound_of(network, xy) if compound is None else with_wall(network, np.asarray(compound, np.int32))
    )
    return joiner.join(xy, place, max_leg_m=max_leg_m)


def stretches_of(network: Network, *, gates: bool = True) -> Stretches:
    """Return all stretches that points may join, with or without the gates."""
    start = network.shape_start
    last = np.zeros(len(network.shape_xy), bool)
    last[start[1:] - 1] = True
    head = np.flatnonzero(~last)
    edge = np.repeat(np.arange(len(network.edge), dtype=np.int32), np.diff(start) - 1)
    a, b = network.shape_xy[head], network.shape_xy[head + 1]
    length = np.hypot(b[:, 0] - a[:, 0], b[:, 1] - a[:, 1])
    total = np.cumsum(length) - length
    # An edge of n vertices has n - 1 stretches, so edge i starts at stretch start[i] - i.
    opening = start[:-1] - np.arange(len(network.edge))
    offset = total - total[opening][edge]
    gate_edge, gate_offset, used = _gate_places(network)
    if not gates:
        gate_edge, gate_offset, used = gate_edge[:0], gate_offset[:0], used[:0]
    spots = network.xy[network.gate_node[used]]
    return Stretches(
        xy=np.ascontiguousarray(np.vstack([np.hstack([a, b]), np.hstack([spots, spots])])),
        edge=np.concatenate([edge, gate_edge]).astype(np.int32),
        place=np.concatenate([network.compound[edge], network.gate_compound[used]]).astype(np.int32),
        offset_m=np.concatenate([offset, gate_offset]),
    )


def _gate_places(network: Network) -> tuple[NDArray[np.int32], NDArray[np.float64], NDArray[np.intp]]:
    """Return an edge at every gate, the gate's offset on it, and which gates have one."""
    at = np.full(len(network.xy), -1, np.int64)
    n = len(network.edge)
    ends = np.arange(2 * n)[::-1]
    at[network.edge.T.reshape(-1)[ends]] = ends  # the lowest edge wins
    here = at[network.gate_node]
    gates = np.flatnonzero(here >= 0)
    edge = (here[gates] % max(n, 1)).astype(np.int32)
    return edge, np.where(here[gates] < n, 0.0, network.length_m[edge]), gates


class Joiner:
    """The stretches of a network in square bins, to join points again and again.

    Parameters
    ----------
    network
        The streets.
    gates
        Whether a point in a compound may join a gate.
    """

    def __init__(self, network: Network, *, gates: bool = True) -> None:
        self.network = network
        self.stretches = stretches_of(network, gates=gates)
        walls = (
            network.walls[[wall is not None for wall in network.walls]]
            if len(network.walls)
            else network.walls
        )
        self._water = shapely.STRtree(network.barriers)
        self._walls = shapely.STRtree(shapely.boundary(walls))
        self._bins = _bins(self.stretches.xy)

    def join(
        self, points: NDArray[np.float64], place: NDArray[np.int32], *, max_leg_m: float = MAX_LEG_M
    ) -> Access:
        """Join points to the nearest edge of their place: a walled compound, -1 outside all.

        Parameters
        ----------
        points, place
            float64, shape (p, 2), and int32, shape (p,).
        max_leg_m
            Longest leg, metres, inclusive.
        """
        access, foot = self._nearest(points, place, max_leg_m)
        blocked = np.union1d(_crossing(self._water, points, foot), _crossing(self._walls, points, foot))
        if len(blocked):
            access = self._around(points, place, access, blocked, max_leg_m=max_leg_m)
        return _with_state(self.network, access)

    def _nearest(
        self, points: NDArray[np.float64], place: NDArray[np.int32], reach: float
    ) -> tuple[Access, NDArray[np.float64]]:
        """Join points to the nearest stretch; return it and the foot of each leg."""
        own = self.stretches
        segments = Segments(own.xy, own.edge, own.place)
        found, along, away = nearest_segments(points, place, segments, self._bins, float(reach))
        n, met = len(points), np.flatnonzero(found >= 0)
        hit = found[met]
        edge, offset = np.full(n, -1, np.int32), np.zeros(n)
        edge[met], offset[met] = own.edge[hit], own.offset_m[hit] + along[met]
        span = own.xy[hit, 2:] - own.xy[hit, :2]
        length = np.hypot(span[:, 0], span[:, 1])
        share = np.divide(along[met], length, out=np.zeros(len(met)), where=length > 0)
        foot = np.full((n, 2), np.nan)
        foot[met] = own.xy[hit, :2] + share[:, None] * span
        return Access(edge, offset, away, np.full(n, OFF_NETWORK, np.uint8)), foot

    def _around(
        self,
        points: NDArray[np.float64],
        place: NDArray[np.int32],
        access: Access,
        blocked: NDArray[np.intp],
        *,
        max_leg_m: float,
    ) -> Access:
        """Give points whose leg crosses a barrier the nearest edge on their own side.

        Where walls stand on every leg, as around a yard between compounds, walls are passed over; water never is.
        """
        own = self.stretches
        lines = np.asarray(shapely.linestrings(own.xy.reshape(-1, 2, 2)), dtype=object)
        spots = shapely.points(points[blocked])
        reach = min(max_leg_m, FARTHEST_AROUND_M)
        row, line = shapely.STRtree(lines).query(spots, predicate="dwithin", distance=reach)
        mine = own.place[line] == place[blocked][row]
        row, line = row[mine], line[mine]
        away = shapely.distance(spots[row], lines[line])
        along = shapely.line_locate_point(lines[line], spots[row])
        feet = shapely.get_coordinates(shapely.line_interpolate_point(lines[line], along))
        start = points[blocked][row]
        wet, walled = np.zeros(len(row), bool), np.zeros(len(row), bool)
        wet[_crossing(self._water, start, feet)] = True
        walled[_crossing(self._walls, start, feet)] = True
        order = np.lexsort((own.edge[line], away, walled, row))
        order = order[~wet[order]]
        row, line, along, away = row[order], line[order], along[order], away[order]
        first = np.unique(row, return_index=True)[1]
        point, line = blocked[row[first]], line[first]
        edge, offset, leg = access.edge.copy(), access.offset_m.copy(), access.leg_m.copy()
        edge[blocked], offset[blocked], leg[blocked] = -1, 0.0, np.inf
        edge[point], leg[point] = own.edge[line], away[first]
        offset[point] = own.offset_m[line] + along[first]
        return Access(edge, offset, leg, access.state)


def _bins(xy: NDArray[np.float64]) -> Bins:
    """Sort stretches into bins, about two in each: fewer make rings longer, more make bins fuller."""
    ends = xy.reshape(-1, 2) if len(xy) else np.zeros((1, 2))
    low = ends.min(axis=0)
    width, height = np.maximum(ends.max(axis=0) - low, 1.0).tolist()
    cell = max(
        math.sqrt(width * height / (0.5 * len(xy) + 1)),
        math.sqrt(width * height / LARGEST_BINS),
        SMALLEST_BIN_M,
    )
    nx, ny = int(width / cell) + 1, int(height / cell) + 1
    return Bins(low, cell, nx, ny, *fill_bins(xy, low, cell, nx, ny))


def _crossing(
    barriers: shapely.STRtree, points: NDArray[np.float64], feet: NDArray[np.float64]
) -> NDArray[np.intp]:
    """Return the rows whose leg from point to foot crosses a barrier."""
    if not len(barriers):
        return np.empty(0, np.intp)
    step = feet - points
    length = np.hypot(step[:, 0], step[:, 1])
    rows = np.flatnonzero(length > 2 * FOOT_M)
    short = points[rows] + step[rows] * (1 - FOOT_M / length[rows])[:, None]
    legs = shapely.linestrings(np.stack([points[rows], short], axis=1))
    return rows[np.unique(barriers.query(legs, predicate="intersects")[0])]


def _with_state(network: Network, access: Access) -> Access:
    on = access.edge >= 0
    state = np.full(len(access), OFF_NETWORK, np.uint8)
    edge = access.edge[on]
    island = network.component[network.edge[edge, 0]] != 0
    state[on] = np.where(island, ISLAND, ON)
    # The sum of stretches may differ from the edge's length in the last digits.
    offset = access.offset_m.copy()
    length = network.length_m[edge]
    offset[on] = np.where(np.abs(offset[on] - length) < TIE_M, length, np.minimum(offset[on], length))
    return Access(access.edge, offset, access.leg_m, state)
