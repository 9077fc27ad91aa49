"""Where streets meet water, railways and walls: who may pass, and the cut where nobody may."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
import shapely

from geo.network.lines import TOUCH_M
from geo.network.types import GATE_M
from geo.types import BorderClass

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from geo.network.lines import Barrier, Lines
    from geo.network.noding import Meetings, Stops

ALIGNED = 1e-3
"""Radians: a barrier that leaves a node in the direction of a street runs along it and parts nobody there."""

BRIDGE_M = 50.0
"""A bridge given as a point opens the crossings of water and railways this near: both banks of a river."""

TURN = 2 * np.pi


@dataclass(frozen=True, eq=False)
class Gates:
    """Known gates.

    Attributes
    ----------
    xy
        float64, shape (gates, 2).
    compound
        int32, shape (gates,): the compound it leads into, -1 for whichever wall is nearest.
    base
        bool, shape (gates,): from the data; the rest are a scenario's.
    """

    xy: NDArray[np.float64]
    compound: NDArray[np.int32]
    base: NDArray[np.bool_]


@dataclass(frozen=True, eq=False)
class Spot:
    """A node on a barrier: the barrier's arms there, and the streets' arms.

    Attributes
    ----------
    node
        The node.
    barrier
        (angle, kind, compound) of every arm of a barrier.
    street
        (angle, stop, True for the stretch after the stop) of every arm of a street.
    lines
        Lines through the node.
    """

    node: int
    barrier: Sequence[tuple[float, int, int]]
    street: Sequence[tuple[float, int, bool]]
    lines: frozenset[int]

    def sectors(self, arms: Sequence[float]) -> list[int] | None:
        """Return for every street arm the sector between barrier arms it leaves in; None if nothing is parted."""
        streets = [angle for angle, _, _ in self.street]
        bounds = sorted({a for a in arms if all(_turn(a, s) > ALIGNED for s in streets)})
        bounds = [a for i, a in enumerate(bounds) if i == 0 or a - bounds[i - 1] > ALIGNED]
        if len(bounds) < 2:
            return None
        sector = [int(np.searchsorted(bounds, angle)) % len(bounds) for angle in streets]
        return sector if len(set(sector)) > 1 else None

    def parted_by(self, kind: BorderClass, compound: int = -1) -> bool:
        """Tell whether the barriers of one kind (or the wall of one compound) alone part the streets here."""
        return (
            self.sectors([a for a, k, c in self.barrier if k == kind and (compound < 0 or c == compound)])
            is not None
        )


@dataclass(eq=False)
class Passages:
    """The outcome.

    Attributes
    ----------
    before, after
        int64, shape (stops,): node at which the stretch before the stop ends, and where that after it begins.
    node_xy
        float64, shape (nodes, 2): with the nodes that cuts added.
    opened
        (node, compound) of every place where a street passes a wall.
    assumed
        Compounds without a known gate which streets enter: all those places are gates.
    closed
        Compounds whose walls count.
    unused
        Gates that no street passes, with their compound: (gate, compound).
    astray, idle
        Gates without a wall within `GATE_M`, and those of compounds that count as open.
    cut
        Kind of barrier of every place that was cut.
    stubs
        Nodes at which a street ends at water or a railway.
    crossed
        (line, kind) of water and railways that are crossed.
    """

    before: NDArray[np.int64]
    after: NDArray[np.int64]
    node_xy: NDArray[np.float64]
    opened: list[tuple[int, int]] = field(default_factory=list)
    assumed: set[int] = field(default_factory=set)
    closed: set[int] = field(default_factory=set)
    unused: list[tuple[int, int]] = field(default_factory=list)
    astray: list[int] = field(default_factory=list)
    idle: list[int] = field(default_factory=list)
    cut: dict[int, int] = field(default_factory=dict)
    stubs: set[int] = field(default_factory=set)
    crossed: set[tuple[int, int]] = field(default_factory=set)


def pass_barriers(
    lines: Lines,
    stops: Stops,
    *,
    walls: Meetings,
    stop_of_wall: NDArray[np.int64],
    barrier: Barrier,
    gates: Gates,
    rules: Rules,
) -> Passages:
    """Decide at every node on a barrier who may pass, and cut the streets where nobody may.

    Around the node the barrier's arms bound sectors; streets that leave in one sector stay joined. So a street that
    ends at a wall, runs along it or only touches it is not cut, and one that crosses in a vertex is.
    """
    spots = _spots(lines, stops, walls, stop_of_wall, barrier)
    result = Passages(stops.node.copy(), stops.node.copy(), stops.node_xy)
    _open_gates(spots, stops, gates, rules, result)
    opened = set(result.opened)
    extra: list[NDArray[np.float64]] = []
    for spot in spots:
        arms, kinds = [], set()
        for angle, kind, compound in spot.barrier:
            if kind == BorderClass.WALL:
                shut = compound in result.closed and (spot.node, compound) not in opened
                shut = shut and not rules.wall[list(spot.lines)].any()
            else:
                shut = _bars(spot, kind, stops.node_xy[spot.node], rules)
            if shut:
                arms.append(angle)
                kinds.add(kind)
        sector = spot.sectors(arms)
        for kind in (BorderClass.WATER, BorderClass.RAILWAY):
            if kind not in kinds and any(k == kind for _, k, _ in spot.barrier) and spot.parted_by(kind):
                result.crossed.update((line, int(kind)) for line in spot.lines)
        if sector is None:
            continue
        result.cut[spot.node] = max(kinds)
        node_of = {sector[0]: spot.node}
        for (_, stop, onward), s in zip(spot.street, sector, strict=True):
            if s not in node_of:
                node_of[s] = len(stops.node_xy) + len(extra)
                extra.append(stops.node_xy[spot.node])
            (result.after if onward else result.before)[stop] = node_of[s]
        if BorderClass.WALL not in kinds:
            result.stubs.update(node_of.values())
    result.node_xy = np.vstack([stops.node_xy, *extra])
    return result


@dataclass(frozen=True, eq=False)
class Rules:
    """Who passes what.

    Attributes
    ----------
    water, railway
        bool, shape (lines,): lines that cross water, and railways.
    wall
        bool, shape (lines,): lines that pass over or under walls.
    crossing_xy
        float64, shape (n, 2): crossings of a scenario given as points.
    compounds
        Rows of the compounds that have an outline.
    """

    water: NDArray[np.bool_]
    railway: NDArray[np.bool_]
    wall: NDArray[np.bool_]
    crossing_xy: NDArray[np.float64]
    compounds: Mapping[int, Any]


def _bars(spot: Spot, kind: int, xy: NDArray[np.float64], rules: Rules) -> bool:
    """Tell whether water or a railway stops the streets at a node: no line there crosses, nor does a scenario."""
    passing = rules.water if kind == BorderClass.WATER else rules.railway
    if passing[list(spot.lines)].any():
        return False
    return bool(np.hypot(*(rules.crossing_xy - xy).T).min(initial=np.inf) > BRIDGE_M)


def _open_gates(spots: list[Spot], stops: Stops, gates: Gates, rules: Rules, result: Passages) -> None:
    """Match gates with the places where streets pass a wall; without any gate known, every such place is one."""
    entries: dict[int, list[int]] = {}
    for spot in spots:
        for compound in {c for _, k, c in spot.barrier if k == BorderClass.WALL}:
            if spot.parted_by(BorderClass.WALL, compound):
                entries.setdefault(compound, []).append(spot.node)
    owners = [_compounds_of(gates, g, rules) for g in range(len(gates.xy))]
    known = {c for g, owner in enumerate(owners) if gates.base[g] for c in owner}
    result.assumed = set(entries) - known
    result.closed = known | result.assumed
    result.opened = [(node, c) for c in sorted(result.assumed) for node in entries[c]]
    result.astray = [g for g, owner in enumerate(owners) if not owner]
    for g, owner in enumerate(owners):
        for compound in owner:
            if compound not in result.closed:
                result.idle.append(g)
                continue
            nodes = entries.get(compound, [])
            away = np.hypot(*(stops.node_xy[nodes].reshape(-1, 2) - gates.xy[g]).T)
            if len(nodes) and away.min() <= GATE_M:
                result.opened.append((nodes[int(away.argmin())], compound))
            else:
                result.unused.append((g, compound))
    result.opened = list(dict.fromkeys(result.opened))


def _compounds_of(gates: Gates, gate: int, rules: Rules) -> list[int]:
    """Return the compounds a gate leads into: the one named, else those with the nearest wall within `GATE_M`."""
    named = int(gates.compound[gate])
    if named in rules.compounds:
        return [named]
    away = {
        c: float(np.hypot(*(gates.xy[gate] - on_wall(gates.xy[gate], w)))) for c, w in rules.compounds.items()
    }
    least = min(away.values(), default=np.inf)
    return [c for c, d in away.items() if d <= least + 0.1] if least <= GATE_M else []


def on_wall(xy: NDArray[np.float64], wall: Any) -> NDArray[np.float64]:
    """Return the place on a compound's outline nearest to a point."""
    outline = shapely.boundary(wall)
    spot = shapely.line_interpolate_point(outline, shapely.line_locate_point(outline, shapely.Point(xy)))
    return np.asarray(shapely.get_coordinates(spot)[0])


def _turn(a: float, b: float) -> float:
    d = abs(a - b) % TURN
    return min(d, TURN - d)


def _spots(
    lines: Lines, stops: Stops, walls: Meetings, stop_of_wall: NDArray[np.int64], barrier: Barrier
) -> list[Spot]:
    """Collect the arms around every node on a barrier."""
    node = stops.node[stop_of_wall]
    wanted = np.unique(node)
    arms: dict[int, list[tuple[float, int, int]]] = {int(n): [] for n in wanted}
    piece = barrier.xy[walls.second]
    step = piece[:, 2:] - piece[:, :2]
    length = np.hypot(step[:, 0], step[:, 1])
    angle = np.arctan2(step[:, 1], step[:, 0])
    kind, compound = barrier.kind[walls.second].tolist(), barrier.compound[walls.second].tolist()
    onward, back = walls.at_second < length - TOUCH_M, walls.at_second > TOUCH_M
    opposite = np.where(angle > 0, angle - np.pi, angle + np.pi)
    for i, n in enumerate(node.tolist()):
        if onward[i]:
            arms[n].append((float(angle[i]), kind[i], compound[i]))
        if back[i]:
            arms[n].append((float(opposite[i]), kind[i], compound[i]))
    streets: dict[int, list[tuple[float, int, bool]]] = {int(n): [] for n in wanted}
    through: dict[int, set[int]] = {int(n): set() for n in wanted}
    along = lines.along
    for stop in np.flatnonzero(np.isin(stops.node, wanted)).tolist():
        n, line, at = int(stops.node[stop]), int(stops.line[stop]), float(stops.at[stop])
        low, high = int(lines.start[line]), int(lines.start[line + 1])
        own = along[low:high]
        through[n].add(line)
        later = int(np.searchsorted(own, at + TOUCH_M, side="right"))
        earlier = int(np.searchsorted(own, at - TOUCH_M, side="left")) - 1
        for k, onward_arm in ((earlier, False), (later, True)):
            if 0 <= k < len(own):
                dx, dy = lines.xy[low + k] - stops.node_xy[n]
                streets[n].append((float(np.arctan2(dy, dx)), stop, onward_arm))
    return [Spot(n, tuple(arms[n]), tuple(streets[n]), frozenset(through[n])) for n in arms]
