"""Sites of the lots, the walls and gates of compounds, and the shops along the streets."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import shapely

from geo.demo.lanes import gate_count
from geo.demo.settings import ALLEY, HALF_ROAD_M, SHOP_STRIP_M, STREET

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from geo.demo.faces import Warp
    from geo.demo.footprints import Drafts
    from geo.demo.lanes import Lanes
    from geo.demo.lots import Quad

SHOPS: Mapping[str, float] = {
    "slab": 0.7,
    "scattered": 0.7,
    "tower": 0.6,
    "midrise": 0.6,
    "block": 0.6,
    "courtyard": 0.7,
    "village": 0.6,
    "market": 0.7,
    "dormitory": 0.35,
    "hospital": 0.2,
    "school": 0.15,
    "factory": 0.1,
    "office": 0.15,
}
"""How often a side on a street or an arterial is lined with shops, by use."""

SHOP_DEPTH_M = 8.5
SIDE_NAMES = ("南门", "东门", "北门", "西门")


@dataclass(frozen=True)
class Sites:
    """Ground of every lot.

    Attributes
    ----------
    open_ground
        The lot without its roads, a metre inside its neighbours: buildings stand in it.
    site
        The lot without its roads and rows of shops; a compound's polygon. Neighbours share their wall exactly.
    shop_side
        bool (n, 4): sides lined with shops.
    side_class
        int64 (n, 4): class of the line along each side.
    """

    open_ground: NDArray[np.object_]
    site: NDArray[np.object_]
    shop_side: NDArray[np.bool_]
    side_class: NDArray[np.int64]


def make_sites(
    lots: Sequence[Quad],
    faces: NDArray[np.object_],
    side_class: NDArray[np.int64],
    warp: Warp,
    rng: np.random.Generator,
) -> Sites:
    """Cut roads and rows of shops off every lot."""
    chance = np.array([SHOPS.get(lot.use, 0.0) for lot in lots])
    shop_side = (rng.random(side_class.shape) < chance[:, None]) & (side_class >= STREET)
    road = np.array(HALF_ROAD_M)[side_class]
    corners = np.array([lot.corners for lot in lots])
    site_depth = np.where(side_class > 0, road + np.where(shop_side, SHOP_STRIP_M, 1.0), 0.0)
    site = _cut(faces, corners, site_depth, warp)
    open_ground = _cut(faces, corners, road + 1.0, warp)
    return Sites(open_ground, site, shop_side, side_class)


def _cut(
    faces: NDArray[np.object_], corners: NDArray[np.float64], depth: NDArray[np.float64], warp: Warp
) -> NDArray[np.object_]:
    """Cut a strip of the given depth (metres, 0 for none) off each of the four sides."""
    answer = faces.copy()
    for side in range(4):
        start, end = corners[:, side], corners[:, (side + 1) % 4]
        along = (end - start) / np.hypot(*(end - start).T)[:, None]
        inward = np.stack([-along[:, 1], along[:, 0]], axis=1)
        a, b = start - 40 * along, end + 40 * along
        inner = inward * depth[:, side][:, None]
        strips = shapely.segmentize(
            shapely.polygons(np.stack([a - 15 * inward, b - 15 * inward, b + inner, a + inner], axis=1)), 20.0
        )
        rows = np.flatnonzero(depth[:, side] > 0)
        answer[rows] = shapely.difference(answer[rows], shapely.transform(strips[rows], warp))
    return answer


def lot_angles(lots: Sequence[Quad], warp: Warp) -> NDArray[np.float64]:
    """Return the direction of every lot's south and north sides after the warp, radians."""
    corners = np.array([lot.corners for lot in lots])
    west = (corners[:, 0] + corners[:, 3]) / 2
    east = (corners[:, 1] + corners[:, 2]) / 2
    across = warp(east) - warp(west)
    return np.asarray(np.arctan2(across[:, 1], across[:, 0]))


def line_with_shops(
    lots: Sequence[Quad], sites: Sites, warp: Warp, drafts: Drafts, rng: np.random.Generator
) -> None:
    """Put rows of shops along the chosen sides."""
    ends: list[tuple[NDArray[np.float64], NDArray[np.float64]]] = []
    what: list[tuple[int, float, int]] = []
    for lot, side in np.argwhere(sites.shop_side).tolist():
        corners = lots[lot].corners
        start, end = corners[side], corners[(side + 1) % 4]
        long = float(np.hypot(*(end - start)))
        along = (end - start) / long
        offset = HALF_ROAD_M[sites.side_class[lot, side]] + 2.0 + SHOP_DEPTH_M / 2
        line = start + np.array([-along[1], along[0]]) * offset
        position = 27.0 + rng.uniform(0, 8)
        floors = int(rng.choice([1, 2, 2, 3]))
        while True:
            length = float(rng.choice([9.0, 12.0, 15.0, 20.0, 28.0]))
            if position + length > long - 27.0:
                break
            ends.append((line + along * position, line + along * (position + length)))
            what.append((lot, length, floors))
            position += length + rng.choice([1.6, 1.6, 2.0, 9.0])
    if not ends:
        return
    a, b = warp(np.array([e[0] for e in ends])), warp(np.array([e[1] for e in ends]))
    middle, across = (a + b) / 2, b - a
    angle = np.arctan2(across[:, 1], across[:, 0])
    length_m = np.hypot(across[:, 0], across[:, 1])
    for k, (lot, _, floors) in enumerate(what):
        drafts.add(
            lot,
            (middle[k, 0], middle[k, 1]),
            float(angle[k]),
            (float(length_m[k]), SHOP_DEPTH_M),
            role="shop",
            floors=floors,
        )


@dataclass(frozen=True)
class Gates:
    """Gates in the walls: lot, side (0 south, then counter-clockwise) and the point on the wall."""

    lot: NDArray[np.int64]
    side: NDArray[np.int64]
    point: NDArray[np.object_]


def make_gates(  # noqa: PLR0917 - what is walled, and all that decides where it opens
    lots: Sequence[Quad],
    gated: NDArray[np.int64],
    sites: Sites,
    lanes: Lanes,
    warp: Warp,
    rng: np.random.Generator,
) -> Gates:
    """Open one to three gates in the wall of each compound, on the sides with the largest roads.

    Compounds with lanes have theirs where the lanes leave.
    """
    lot_of: list[int] = []
    side_of: list[int] = []
    near: list[NDArray[np.float64]] = []
    for lot in np.setdiff1d(gated, lanes.gate_lot).tolist():
        roads = sites.side_class[lot]
        by_class = sorted(range(4), key=lambda s: (-roads[s], s))
        for side in [s for s in by_class if roads[s] >= ALLEY][: gate_count(lots[lot])]:
            start, end = lots[lot].corners[side], lots[lot].corners[(side + 1) % 4]
            lot_of.append(lot)
            side_of.append(side)
            near.append(start + rng.uniform(0.35, 0.65) * (end - start))
    rings = shapely.get_exterior_ring(sites.site[lot_of])
    probe = shapely.points(warp(np.array(near).reshape(-1, 2)))
    point = shapely.line_interpolate_point(rings, shapely.line_locate_point(rings, probe))
    return Gates(
        np.concatenate([np.array(lot_of, dtype=np.int64), lanes.gate_lot]),
        np.concatenate([np.array(side_of, dtype=np.int64), lanes.gate_side]),
        np.concatenate([point, lanes.gate]),
    )


def add_gatehouses(gates: Gates, sites: Sites, angles: NDArray[np.float64], drafts: Drafts) -> None:
    """Put a gatehouse just inside every gate."""
    inner = shapely.get_exterior_ring(shapely.buffer(sites.site[gates.lot], -4.4, join_style="mitre"))
    for lot, ring, gate in zip(gates.lot.tolist(), inner, gates.point, strict=True):
        if ring is None or ring.is_empty:
            continue
        spot = ring.interpolate(ring.project(gate) + 6.8)
        drafts.add(lot, (spot.x, spot.y), float(angles[lot]), (5.0, 4.0), role="gate", floors=1)
