"""What the walking network is made of: arrays, states, scenario and report."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import IntEnum
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray
    from pyproj import CRS

    from geo.findings import Finding

TIE_M = 1e-6
"""Ways whose lengths differ by no more than this are equally long; a limit is inclusive by as much."""

SNAP_M = 2.0
"""Loose ends of streets are joined to what lies within this distance."""

GATE_M = 15.0
"""A gate opens the wall up to this far from the point that marks it; so does a crossing its barrier."""

MAX_LEG_M = 200.0
"""Buildings and stations farther than this from every street are off the network."""


class State(IntEnum):
    """How a point is joined to the network."""

    ON = 0
    OFF_NETWORK = 1
    """No street within the longest leg that can be walked to: the point takes part in no way."""
    ISLAND = 2
    """Joined to streets that are cut off from the main network; ways within the island are still found."""


ON, OFF_NETWORK, ISLAND = State.ON, State.OFF_NETWORK, State.ISLAND


@dataclass(frozen=True)
class Scenario:
    """What a planner would build: gates, crossings and paths, in the CRS of the network (metres).

    Attributes
    ----------
    gates
        shapely Points on or near a compound's wall: each opens the nearest wall within `GATE_M` and is joined to
        the nearest street on either side.
    bridges
        Points: a street or path that meets water or a railway within `GATE_M` may cross there. LineStrings: a new
        way that crosses every barrier it meets, and no street between its ends is joined to it.
    paths
        LineStrings: new ways at grade, noded with the streets they cross and stopped by barriers like any path.
    """

    gates: Sequence[Any] = ()
    bridges: Sequence[Any] = ()
    paths: Sequence[Any] = ()

    def __bool__(self) -> bool:
        return bool(len(self.gates) or len(self.bridges) or len(self.paths))

    def plus(self, other: Scenario) -> Scenario:
        """Return both together."""
        return Scenario(
            gates=(*self.gates, *other.gates),
            bridges=(*self.bridges, *other.bridges),
            paths=(*self.paths, *other.paths),
        )


@dataclass(frozen=True)
class NetworkReport:
    """Figures of the building of a network.

    Attributes
    ----------
    lines_in
        Lines loaded, after multi-part ones were taken apart.
    duplicates
        Stretches dropped because another runs along the same course.
    noded
        Places where lines that shared no node were joined: crossings, and ends on another line.
    snapped_ends
        Loose ends joined over a gap of up to `snap_m`.
    cut_by_barrier
        Places where a street or path was cut at water, a railway or a wall.
    gates
        Places where a wall may be passed.
    bridges
        Places where water or a railway is crossed.
    nodes, edges, km
        Size of the network, km of streets and paths.
    components
        Connected parts.
    connected_share_before, connected_share_after
        Share of the length that is in the largest connected part: of the lines as loaded, which meet only where two
        of their ends are the same point; and of the network.
    """

    lines_in: int = 0
    duplicates: int = 0
    noded: int = 0
    snapped_ends: int = 0
    cut_by_barrier: int = 0
    gates: int = 0
    bridges: int = 0
    nodes: int = 0
    edges: int = 0
    km: float = 0.0
    components: int = 0
    connected_share_before: float = 0.0
    connected_share_after: float = 0.0


def _no_edges() -> NDArray[np.int32]:
    return np.empty(0, np.int32)


@dataclass(frozen=True, eq=False)
class Network:
    """Streets and paths as an undirected graph whose edges meet only at nodes.

    Attributes
    ----------
    xy
        float64, shape (nodes, 2): projected metres.
    edge
        int32, shape (edges, 2): first and last node.
    length_m
        float64, shape (edges,): length along the edge.
    kind
        uint8, shape (edges,): `geo.types.BorderClass` of the street.
    component
        int32, shape (nodes,): connected part, 0 the longest one, then by falling length.
    shape_xy, shape_start
        float64, shape (vertices, 2), and int64, shape (edges + 1,): the course of edge i is
        ``shape_xy[shape_start[i]:shape_start[i + 1]]``, from its first node to its last.
    compound
        int32, shape (edges,): walled compound the edge lies in, a row of `walls`; -1 outside all.
    gate_node, gate_compound
        int32, shape (gates,): a node in the wall, and the compound it leads into. A gate in the wall between two
        compounds is listed twice.
    walls
        object, shape (compounds,): Polygon or MultiPolygon of a compound that is closed by a wall with gates, None
        for one that counts as open.
    barriers
        object, shape (lines,): LineStrings of water and railways, which no access leg crosses.
    crs
        Projected, metres; None if it was not given.
    findings, report
        What was wrong with the data, what was assumed, and the figures.
    inputs
        What the network was built from, for `apply`.
    """

    xy: NDArray[np.float64]
    edge: NDArray[np.int32]
    length_m: NDArray[np.float64]
    kind: NDArray[np.uint8]
    component: NDArray[np.int32]
    shape_xy: NDArray[np.float64]
    shape_start: NDArray[np.int64]
    compound: NDArray[np.int32]
    gate_node: NDArray[np.int32] = field(default_factory=_no_edges)
    gate_compound: NDArray[np.int32] = field(default_factory=_no_edges)
    walls: NDArray[Any] = field(default_factory=lambda: np.empty(0, object))
    barriers: NDArray[Any] = field(default_factory=lambda: np.empty(0, object))
    crs: CRS | None = None
    findings: tuple[Finding, ...] = ()
    report: NetworkReport = field(default_factory=NetworkReport)
    inputs: Any = field(default=None, repr=False)


@dataclass(frozen=True, eq=False)
class Access:
    """Where points (buildings, stations) join the network, one row a point.

    Attributes
    ----------
    edge
        int32, shape (points,): -1 for a point off the network.
    offset_m
        float64, shape (points,): distance from the edge's first node along the edge.
    leg_m
        float64, shape (points,): straight way from the point to the edge, inf off the network.
    state
        uint8, shape (points,): a `State`.
    """

    edge: NDArray[np.int32]
    offset_m: NDArray[np.float64]
    leg_m: NDArray[np.float64]
    state: NDArray[np.uint8]

    def __len__(self) -> int:
        return len(self.edge)

    def take(self, rows: NDArray[Any]) -> Access:
        """Return these rows (positions, or a mask)."""
        return Access(self.edge[rows], self.offset_m[rows], self.leg_m[rows], self.state[rows])
