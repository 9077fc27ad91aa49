"""Lanes inside large compounds: where they run, how they part the rows, and how they reach the street."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np
import shapely

from geo.demo.divisions import apportion
from geo.demo.settings import ALLEY

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from geo.demo.faces import Warp
    from geo.demo.footprints import Frame, Rows
    from geo.demo.lots import Quad

LANE_NAME = "内部道路"
"""Value of the column ``name`` of every lane."""

GROUP_HOUSEHOLDS = 180.0
"""Households that a group of buildings between lanes should hold."""

SMALLEST_DIVIDED = 180.0
"""Expected households from which a compound has lanes."""

LANE_CLEAR_M = 4.0
"""From the middle of a lane to the rows beside it."""

KEEP_OFF_M = 3.2
"""From the middle of a lane to any other building."""

CORNER_M = 22.0
"""Least distance from a gate on a lane to the corner of the block."""

TIP_M = 0.1
"""How far a lane that ends at a wall is drawn past it, so that the two always cross."""

MEET_M = 1.0
"""A lane that reaches the street this close to one of its nodes ends in that node."""


@dataclass(frozen=True)
class Row:
    """A row of buildings to fill: its middle, from where to where it runs, the way to fill it."""

    level: float
    span: NDArray[np.float64]
    plan: Rows


@dataclass(frozen=True)
class Layout:
    """Lanes of one compound in its own axes.

    Attributes
    ----------
    frame
        The axes.
    cross
        float64 (bands - 1,), levels of the cross lanes from south to north.
    spines
        For every band its lanes from south to north, float64 (lanes, 2): x at the lower and the upper edge.
    """

    frame: Frame
    cross: NDArray[np.float64]
    spines: tuple[NDArray[np.float64], ...]

    def edges(self, band: int) -> tuple[float, float]:
        """Return the lower and the upper edge of a band; the outermost are those of the ground."""
        _, south, _, north = self.frame.bounds
        levels = [south, *self.cross.tolist(), north]
        return levels[band], levels[band + 1]

    def sections(self, row: Row) -> list[NDArray[np.float64]]:
        """Return the stretches of a row between the lanes that cross it."""
        band = int(np.searchsorted(self.cross, row.level))
        low, high = self.edges(band)
        share = (row.level + np.array([-0.5, 0.5]) * row.plan.depth - low) / max(high - low, 1.0)
        spine = self.spines[band]
        x = spine[:, :1] + share[None, :] * (spine[:, 1:] - spine[:, :1])
        start = np.concatenate([row.span[:1], x.max(axis=1) + LANE_CLEAR_M])
        end = np.concatenate([x.min(axis=1) - LANE_CLEAR_M, row.span[1:]])
        return list(np.stack([np.maximum(start, row.span[0]), np.minimum(end, row.span[1])], axis=1))

    def leaves_free(self, x: float, y: float, size: tuple[float, float]) -> bool:
        """Return whether a building of this size with its middle here stands off all lanes."""
        if len(self.cross) and np.abs(self.cross - y).min() < KEEP_OFF_M + size[1] / 2:
            return False
        band = int(np.searchsorted(self.cross, y))
        low, high = self.edges(band)
        spine = self.spines[band]
        lane = spine[:, 0] + (y - low) / max(high - low, 1.0) * (spine[:, 1] - spine[:, 0])
        return bool((np.abs(lane - x) >= KEEP_OFF_M + 0.5 + size[0] / 2).all())


def expected_households(row: Row) -> float:
    """Return about how many households a row will hold."""
    plan = row.plan
    length = float(np.mean(plan.lengths))
    fit = (float(np.ptp(row.span)) + plan.gap) / (length + plan.gap)
    count = np.floor(fit) if len(plan.lengths) == 1 else max(fit - 0.3, 0.0)
    return float(count * np.mean(plan.doors) * round(plan.flats * float(np.mean(plan.floors))) * 0.94)


def lay_out(
    frame: Frame, rows: Sequence[Row], side_class: NDArray[np.int64], rng: np.random.Generator
) -> Layout | None:
    """Lay out the lanes of a compound: cross lanes between rows, spines across them.

    Parameters
    ----------
    frame
        Axes of the compound.
    rows
        Its rows from south to north.
    side_class
        int64 (4,), class of the road along each side.
    rng
        Source of randomness.

    Returns
    -------
    The lanes; None for a small compound and for one that no lane could enter.
    """
    load = np.array([expected_households(row) for row in rows])
    if load.sum() < SMALLEST_DIVIDED:
        return None
    groups = max(2, round(float(load.sum()) / GROUP_HOUSEHOLDS))
    room = _room(rows)
    entry = max(range(4), key=lambda side: (side_class[side], -side))
    narrow = int(room.min()) < 2
    if narrow and entry in {0, 2} and max(side_class[1], side_class[3]) >= ALLEY:
        entry = 1 if side_class[1] >= side_class[3] else 3
    bands = _bands(frame, rows, groups, along=narrow or entry in {1, 3})
    if bands == 1 and max(side_class[0], side_class[2]) < ALLEY:
        return None
    first = _split(load, bands)
    columns = _columns(load, first, np.minimum.reduceat(room, first), groups)
    columns[1:-1] = np.maximum(columns[1:-1], 2)
    if entry in {0, 2} or bands == 1:
        outer = 0 if entry == 0 else -1
        columns[outer] = max(columns[outer], 2)
    level = np.array([row.level for row in rows])
    cross = (level[first[1:] - 1] + level[first[1:]]) / 2
    return Layout(frame, cross, _spines(frame, rows, columns, cross, rng))


def _bands(frame: Frame, rows: Sequence[Row], groups: int, *, along: bool) -> int:
    """Return the number of bands that makes the groups about as wide as they are deep."""
    if groups == 2:
        return min(2 if along else 1, len(rows))
    west, south, east, north = frame.bounds
    square = round(float(np.sqrt(groups * (north - south) / max(east - west, 1.0))))
    return min(max(square, 2), groups - 1, len(rows))


def _split(load: NDArray[np.float64], bands: int) -> NDArray[np.int64]:
    """Return the first row of every band, so that the bands hold about the same."""
    share = (np.cumsum(load) - load) / load.sum()
    first = [0]
    for band in range(1, bands):
        free = np.arange(first[-1] + 1, len(load) - (bands - band) + 1)
        first.append(int(free[np.argmin(np.abs(share[free] - band / bands))]))
    return np.array(first)


def _room(rows: Sequence[Row]) -> NDArray[np.int64]:
    """Return how many columns every row can be parted into, each with room for a building, int64 (rows,)."""
    gap = np.array([max(row.plan.gap, 2 * LANE_CLEAR_M) for row in rows])
    length = np.array([1.08 * min(row.plan.lengths) for row in rows]) + 3.0
    width = np.array([float(np.ptp(row.span)) for row in rows])
    return np.asarray(np.maximum((width + gap) // (length + gap), 1).astype(np.int64))


def _columns(
    load: NDArray[np.float64], first: NDArray[np.int64], room: NDArray[np.int64], groups: int
) -> NDArray[np.int64]:
    """Return the number of groups side by side in every band, at most as many as it has room for."""
    total = min(max(groups, len(first)), int(room.sum()))
    return apportion(np.add.reduceat(load, first), total, room)


def _spines(
    frame: Frame,
    rows: Sequence[Row],
    columns: NDArray[np.int64],
    cross: NDArray[np.float64],
    rng: np.random.Generator,
) -> tuple[NDArray[np.float64], ...]:
    """Return the lanes across the rows; bands with as many columns share the same slightly bent ones."""
    _, south, _, north = frame.bounds
    edges = np.concatenate([[south], cross, [north]])
    low, high = _flanks(rows, edges)
    answer: list[NDArray[np.float64]] = [np.zeros((0, 2))] * len(columns)
    for count in sorted(set(columns.tolist()) - {1}):
        shares = [0.0]
        for i in range(1, count):
            shares.append(_best_share(rows, shares[-1], i, count, rng))
        share = np.array(shares[1:])
        x = low[None, :] + share[:, None] * (high - low)[None, :] + rng.uniform(-1.2, 1.2, len(edges))
        for band in np.flatnonzero(columns == count).tolist():
            answer[band] = x[:, band : band + 2]
    return tuple(answer)


def _flanks(
    rows: Sequence[Row], levels: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the west and the east flank at some levels: straight lines through the ends of the longer rows."""
    level = np.array([row.level for row in rows])
    span = np.array([row.span for row in rows])
    weight = np.ptp(span, axis=1) ** 2
    middle = np.average(level, weights=weight)
    flanks = []
    for x in span.T:
        at_middle = np.average(x, weights=weight)
        spread = np.average((level - middle) ** 2, weights=weight)
        lean = np.average((level - middle) * (x - at_middle), weights=weight) / max(spread, 1.0)
        flanks.append(at_middle + np.clip(lean, -0.2, 0.2) * (levels - middle))
    return flanks[0], flanks[1]


def _best_share(rows: Sequence[Row], before: float, i: int, count: int, rng: np.random.Generator) -> float:
    """Return where the i-th of `count` - 1 spines costs the rows the least, near its even place."""
    # A single spine may run at the side of a narrow compound; several keep closer to their even places.
    away, reach = np.linspace(-1, 1, 25), 0.8 if count == 2 else 0.3
    shares = (i + reach * away) / count
    fit = -1.6 * reach * np.abs(away) + rng.uniform(0, 0.2, len(away))
    flanks = zip(*_flanks(rows, np.array([row.level for row in rows])), strict=True)
    for row, (low, high) in zip(rows, flanks, strict=True):
        x = low + shares * (high - low)
        start = row.span[0] if i == 1 else low + before * (high - low) + LANE_CLEAR_M
        end = row.span[1] if i == count - 1 else low + (i + 1) / count * (high - low) - LANE_CLEAR_M
        built = _most_built(x - LANE_CLEAR_M - start, row.plan) + _most_built(
            end - x - LANE_CLEAR_M, row.plan
        )
        fit = fit + built / np.mean(row.plan.lengths)
    return float(shares[int(np.argmax(fit))])


def _most_built(room: NDArray[np.float64], plan: Rows) -> NDArray[np.float64]:
    """Return the greatest length of buildings that each stretch has room for."""
    counts = np.indices((7,) * min(len(plan.lengths), 2)).reshape(min(len(plan.lengths), 2), -1)
    length = np.array(plan.lengths[:2]) @ counts
    needed = length + plan.gap * (counts.sum(axis=0) - 1)
    fits = needed[None, :] <= room[:, None]
    return np.asarray(np.where(fits, length[None, :], 0.0).max(axis=1))


@dataclass(frozen=True)
class Lanes:
    """Lanes in the working CRS.

    Attributes
    ----------
    line
        Straight pieces between the nodes, LineStrings to the centimetre.
    chain
        int64 (n,): pieces of one lane have the same number.
    junction
        Points where lanes meet the middle of a street.
    gate_lot, gate_side, gate
        Gates through which they leave: lot, side, point on the wall.
    """

    line: NDArray[np.object_]
    chain: NDArray[np.int64]
    junction: NDArray[np.object_]
    gate_lot: NDArray[np.int64]
    gate_side: NDArray[np.int64]
    gate: NDArray[np.object_]


@dataclass(frozen=True)
class _End:
    """An open end of a lane: chain, part of the network, last node, points on the wall and the lot's edge."""

    chain: int
    part: int
    start: tuple[float, float]
    wall: shapely.Point
    street: shapely.Point
    side: int
    road_class: int
    off_middle_m: float
    corner_m: float


def make_lanes(  # noqa: PLR0917 - one argument per side of the plan
    layouts: dict[int, Layout],
    lots: Sequence[Quad],
    faces: NDArray[np.object_],
    sites: NDArray[np.object_],
    side_class: NDArray[np.int64],
    warp: Warp,
) -> Lanes:
    """Draw the lanes, open gates for them and lead them to the streets.

    Parameters
    ----------
    layouts
        Lanes by lot.
    lots, faces, sites
        The lots, their edges in the middle of the streets, and the ground inside their walls.
    side_class
        int64 (lots, 4).
    warp
        From lattice metres to the working CRS.
    """
    pieces: list[list[tuple[float, float]]] = []
    chains: list[int] = []
    opened: list[tuple[int, _End]] = []
    for lot, layout in layouts.items():
        base = max(chains, default=-1) + 1
        corners = warp(lots[lot].corners)
        inner, chain, tips = _draw(layout)
        ends = [
            end
            for number, part, start, ahead in tips
            if (end := _end(number, part, start, ahead, faces[lot], sites[lot], corners, side_class[lot]))
        ]
        gates = _choose_gates(ends, wanted=gate_count(lots[lot]))
        entered = {end.part for end in gates}
        pieces += inner
        chains += [base + number for number in chain]
        for end in ends:
            if end.part in entered:
                last = end.street if end in gates else _past(end)
                pieces.append([end.start, (round(last.x, 2), round(last.y, 2))])
                chains.append(base + end.chain)
        opened += [(lot, end) for end in gates]
    street = {(round(end.street.x, 2), round(end.street.y, 2)) for _, end in opened}
    return Lanes(
        shapely.linestrings(np.array(pieces).reshape(-1, 2, 2)),
        np.array(chains, dtype=np.int64),
        shapely.points(np.array(sorted(street)).reshape(-1, 2)),
        np.array([lot for lot, _ in opened], dtype=np.int64),
        np.array([end.side for _, end in opened], dtype=np.int64),
        np.array([end.wall for _, end in opened], dtype=object),
    )


_Tip = tuple[int, int, tuple[float, float], tuple[float, float]]


def _draw(layout: Layout) -> tuple[list[list[tuple[float, float]]], list[int], list[_Tip]]:
    """Return the pieces between nodes, their chains, and the tips: chain, part, last node, a point ahead."""

    def node(x: float, y: float) -> tuple[float, float]:
        east, north = layout.frame.out(x, y)
        return round(east, 2), round(north, 2)

    pieces: list[list[tuple[float, float]]] = []
    chains: list[int] = []
    tips: list[_Tip] = []
    bands = len(layout.spines)
    on_cross: list[set[float]] = [set() for _ in layout.cross]
    chain = 0
    for band, spine in enumerate(layout.spines):
        low, high = layout.edges(band)
        for lane, (below, above) in enumerate(spine.tolist()):
            if bands == 1:
                middle = node((below + above) / 2, (low + high) / 2)
                tips += [(chain, lane, middle, node(below, low)), (chain, lane, middle, node(above, high))]
            elif band == 0:
                tips.append((chain, 0, node(above, high), node(below, low)))
            elif band == bands - 1:
                tips.append((chain, 0, node(below, low), node(above, high)))
            else:
                pieces.append([node(below, low), node(above, high)])
                chains.append(chain)
            if band > 0:
                on_cross[band - 1].add(below)
            if band < bands - 1:
                on_cross[band].add(above)
            chain += 1
    west, _, east, _ = layout.frame.bounds
    for y, meets in zip(layout.cross.tolist(), on_cross, strict=True):
        stops = [node(x, y) for x in sorted(meets or {(west + east) / 2})]
        pieces += [[a, b] for a, b in pairwise(stops)]
        chains += [chain] * (len(stops) - 1)
        tips += [(chain, 0, stops[0], node(west, y)), (chain, 0, stops[-1], node(east, y))]
        chain += 1
    return pieces, chains, tips


def _end(  # noqa: PLR0917 - one call, one lot
    chain: int,
    part: int,
    start: tuple[float, float],
    ahead: tuple[float, float],
    face: shapely.Polygon,
    site: shapely.Polygon,
    corners: NDArray[np.float64],
    side_class: NDArray[np.int64],
) -> _End | None:
    """Follow a lane to the wall and on to the edge of its lot."""
    here, step = np.array(start), np.array(ahead) - np.array(start)
    ray = shapely.LineString([here, here + step / np.hypot(*step) * 600.0])
    wall, street = _first(ray, site.exterior), _first(ray, face.exterior)
    if wall is None or street is None:
        return None
    vertices = shapely.points(shapely.get_coordinates(face.exterior))
    nearest = vertices[int(np.argmin(shapely.distance(vertices, street)))]
    if nearest.distance(street) < MEET_M:
        street = nearest
        wall = _first(shapely.LineString([here, (nearest.x, nearest.y)]), site.exterior) or wall
    sides = shapely.linestrings(np.stack([corners, np.roll(corners, -1, axis=0)], axis=1))
    side = int(np.argmin(shapely.distance(sides, street)))
    off = float(shapely.distance(shapely.line_interpolate_point(sides[side], 0.5, normalized=True), street))
    corner = float(shapely.distance(shapely.multipoints(corners), street))
    return _End(chain, part, start, wall, street, side, int(side_class[side]), off, corner)


def _first(ray: shapely.LineString, ring: shapely.LinearRing) -> shapely.Point | None:
    hits = shapely.get_parts(shapely.intersection(ray, ring))
    hits = hits[shapely.get_type_id(hits) == shapely.GeometryType.POINT]
    if not len(hits):
        return None
    point: shapely.Point = hits[int(np.argmin(shapely.line_locate_point(ray, hits)))]
    return point


def gate_count(lot: Quad) -> int:
    """Return how many gates a compound of this size has where its roads allow."""
    return 1 + int(lot.area > 15_000) + int(lot.area > 32_000)


def _choose_gates(ends: list[_End], *, wanted: int) -> list[_End]:
    """Open the ends on the largest roads, one a side; every part of the network has one at least."""
    on_road = [end for end in ends if end.road_class >= ALLEY]
    able = [end for end in on_road if end.corner_m >= CORNER_M] or on_road
    able.sort(key=lambda end: (-end.road_class, end.off_middle_m, end.chain))
    chosen: list[_End] = []
    for end in able:
        new_part = end.part not in {other.part for other in chosen}
        new_side = end.side not in {other.side for other in chosen}
        if new_part or (new_side and len(chosen) < wanted):
            chosen.append(end)
    return chosen


def _past(end: _End) -> shapely.Point:
    """Return the point a hand's breadth behind the wall."""
    step = np.array([end.wall.x - end.start[0], end.wall.y - end.start[1]])
    tip = np.array(end.start) + step * (1 + TIP_M / max(float(np.hypot(*step)), TIP_M))
    return shapely.Point(tip)
