"""Split superblocks into blocks and blocks into lots, each with a zone and a use."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from geo.demo import names
from geo.demo.settings import (
    ALLEY,
    LOT_AREA_M2,
    STREET,
    USE_SHARES,
    WALL,
    ZONE_SHARES,
)

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from geo.demo.lattice import Lattice

BLOCK_AREA_M2 = 58_000.0


@dataclass
class Lines:
    """Lines of the plan as drawn: ends in lattice metres, class, name; a side of a lot refers to its line."""

    ends: list[NDArray[np.float64]] = field(default_factory=list)
    road_class: list[int] = field(default_factory=list)
    name: list[str] = field(default_factory=list)
    railway: list[bool] = field(default_factory=list)

    def add(
        self,
        start: NDArray[np.float64],
        end: NDArray[np.float64],
        road_class: int,
        name: str = "",
        *,
        railway: bool = False,
    ) -> int:
        """Append a line and return its position."""
        self.ends.append(np.array([start, end]))
        self.road_class.append(road_class)
        self.name.append(name)
        self.railway.append(railway)
        return len(self.ends) - 1


@dataclass(frozen=True)
class Quad:
    """A four-sided piece of the plan.

    Attributes
    ----------
    corners
        float64 (4, 2), lattice metres, counter-clockwise from the south-west.
    sides
        Position in `Lines` of the south, east, north and west side.
    superblock, block
        Numbers of what the piece belongs to; a corridor has the number of the superblock at its side and block -1.
    """

    corners: NDArray[np.float64]
    sides: tuple[int, int, int, int]
    superblock: int
    block: int = -1
    zone: str = ""
    use: str = ""

    @property
    def area(self) -> float:
        """Area in lattice square metres."""
        x, y = self.corners.T
        return float(abs(np.dot(x, np.roll(y, -1)) - np.dot(y, np.roll(x, -1))) / 2)


def draw_main_lines(lattice: Lattice, rng: np.random.Generator) -> tuple[Lines, list[Quad], list[Quad]]:
    """Draw the lattice's lines; return them with the superblocks and the pieces of the corridors."""
    lines = Lines()
    pool = [names.ARTERIALS[i] for i in rng.permutation(len(names.ARTERIALS))]
    east = _draw(lattice, lines, pool, along_columns=False)
    north = _draw(lattice, lines, pool, along_columns=True)
    superblocks: list[Quad] = []
    corridors: list[Quad] = []
    number = _superblock_numbers(lattice)
    for i, j in np.argwhere(lattice.kept):
        corners = lattice.nodes[[i, i + 1, i + 1, i], [j, j, j + 1, j + 1]]
        sides = (east[i, j], north[i + 1, j], east[i, j + 1], north[i, j])
        quad = Quad(corners, sides, int(number[i, j]))
        (superblocks if lattice.city[i, j] else corridors).append(quad)
    return lines, superblocks, corridors


def _superblock_numbers(lattice: Lattice) -> NDArray[np.int64]:
    """Return the superblocks' numbers; a piece of a corridor has that of the superblock it lies beside."""
    column = _beside(lattice.column_kind)
    row = _beside(lattice.row_kind)
    return column[:, None] * (row.max() + 1) + row[None, :]


def _beside(kinds: tuple[str, ...]) -> NDArray[np.int64]:
    """Return the gaps' numbers along an axis; the halves of its corridor count as the gaps at their sides."""
    axis = kinds.index("axis")
    return np.array([gap - (gap >= axis - 1) - (gap > axis) for gap in range(len(kinds) - 1)])


def _draw(lattice: Lattice, lines: Lines, pool: list[str], *, along_columns: bool) -> NDArray[np.int64]:
    """Draw all lines of one direction, gap by gap; return the position of each gap's line."""
    nodes = lattice.nodes if along_columns else lattice.nodes.swapaxes(0, 1)
    kept = lattice.kept if along_columns else lattice.kept.T
    kinds, across = lattice.column_kind, lattice.row_kind
    if not along_columns:
        kinds, across = across, kinds
    where = np.full((nodes.shape[0], nodes.shape[1] - 1), -1)
    axis = across.index("axis")
    bank = iter(["滨河南路", "滨河北路"])
    arterial = 0
    for i, kind in enumerate(kinds):
        name = next(bank) if kind == "bank" else ""
        if kind == "arterial":
            name = pool.pop()
            arterial += 1
        for j in range(nodes.shape[1] - 1):
            beside = [k for k in (i - 1, i) if 0 <= k < kept.shape[0] and kept[k, j]]
            if not beside:
                continue
            road_class = lattice.line_class(kind)
            # Streets along the river end at the railway, and every fourth arterial has no bridge.
            blocked = j in (axis - 1, axis) and (kind == "bank" or arterial % 4 == 3)
            if blocked:
                road_class = WALL
            railway = kind == "axis" and along_columns
            where[i, j] = lines.add(
                nodes[i, j], nodes[i, j + 1], road_class, name if road_class else "", railway=railway
            )
    return where if along_columns else where.T


def split_blocks(superblocks: Sequence[Quad], lines: Lines, rng: np.random.Generator) -> list[Quad]:
    """Split every superblock by streets into blocks, numbered in order."""
    pool = names.street_names(rng)
    blocks: list[Quad] = []
    for superblock in superblocks:
        stop = BLOCK_AREA_M2 * rng.choice([0.8, 1.0, 1.0, 1.3])
        queue = [superblock]
        while queue:
            quad = queue.pop()
            if quad.area <= 1.45 * stop:
                blocks.append(quad)
                continue
            queue += _halves(quad, lines, STREET, pool.pop(0), rng)
    return [_with(quad, block=number) for number, quad in enumerate(blocks)]


def _halves(
    quad: Quad, lines: Lines, road_class: int, name: str, rng: np.random.Generator, *, spread: float = 0.06
) -> list[Quad]:
    """Split a piece across its longer direction by a slightly slanting line."""
    c = quad.corners
    width = np.hypot(*(c[1] + c[2] - c[0] - c[3])) / 2
    height = np.hypot(*(c[3] + c[2] - c[0] - c[1])) / 2
    share = np.clip(0.5 + rng.normal(0, spread), 0.36, 0.64)
    first, second = np.clip(share + rng.normal(0, 0.025, 2), 0.33, 0.67)
    south, east, north, west = quad.sides
    if width * rng.uniform(0.9, 1.1) >= height:
        a, b = c[0] + first * (c[1] - c[0]), c[3] + second * (c[2] - c[3])
        cut = lines.add(a, b, road_class, name)
        parts = [
            (np.array([c[0], a, b, c[3]]), (south, cut, north, west)),
            (np.array([a, c[1], c[2], b]), (south, east, north, cut)),
        ]
    else:
        a, b = c[0] + first * (c[3] - c[0]), c[1] + second * (c[2] - c[1])
        cut = lines.add(a, b, road_class, name)
        parts = [
            (np.array([c[0], c[1], b, a]), (south, east, cut, west)),
            (np.array([a, b, c[2], c[3]]), (cut, east, north, west)),
        ]
    return [_with(quad, corners=corners, sides=sides) for corners, sides in parts]


def _with(quad: Quad, **changes: Any) -> Quad:
    return replace(quad, **changes)


def zone_blocks(blocks: Sequence[Quad], railway_x: float, rng: np.random.Generator) -> list[Quad]:
    """Give every block a zone so that the zones' shares of the area come out and like lies beside like."""
    centre = np.array([block.corners.mean(axis=0) for block in blocks])
    area = np.array([block.area for block in blocks])
    span = np.ptp(centre, axis=0)
    x, y = ((centre - centre.min(axis=0)) / span).T
    rail = np.abs(centre[:, 0] - railway_x) / span[0]
    liking = {
        "park": rng.normal(0, 1, len(blocks)),
        "institution": rng.normal(0, 1, len(blocks)),
        "industrial": -6 * rail + 1.5 * np.abs(y - 0.5) + x,
        "villa": 3 * x - 2 * y,
        "commercial": -3 * np.hypot(x - 0.45, y - 0.5),
        "old": -6 * np.hypot(x - 0.33, y - 0.58),
        "village": -3 * np.minimum(y, 1 - y) + x,
        "modern": 3 * x + 0.5 * y,
        "affordable": 2 * np.hypot(x - 0.5, y - 0.5),
        "slab": np.zeros(len(blocks)),
    }
    zone = np.full(len(blocks), "slab", dtype=object)
    free = np.ones(len(blocks), dtype=bool)
    for name, share in ZONE_SHARES.items():
        quota = share * area.sum()
        score = liking[name] + rng.gumbel(0, 0.55, len(blocks))
        for block in np.argsort(-score, kind="stable"):
            if quota <= area[block] / 2 and not (quota == share * area.sum() and free[block]):
                break
            if free[block]:
                zone[block], free[block] = name, False
                quota -= area[block]
    return [_with(block, zone=str(kind)) for block, kind in zip(blocks, zone, strict=True)]


def split_lots(blocks: Sequence[Quad], lines: Lines, rng: np.random.Generator) -> list[Quad]:
    """Split every block into lots by alleys and, at the last step, by walls."""
    pool = names.alley_names(rng)
    used, first = 0, len(lines.ends)
    lots: list[Quad] = []
    for block in blocks:
        stop = LOT_AREA_M2[block.zone]
        queue = [block]
        while queue:
            quad = queue.pop()
            if quad.area <= 1.4 * stop:
                lots.append(quad)
                continue
            # An alley never starts from a wall: it could be cut off from all streets.
            from_wall = any(side >= first and not lines.road_class[side] for side in quad.sides)
            alley = quad.area > 2.6 * stop or (block.zone in {"old", "village"} and rng.random() < 0.7)
            alley &= not from_wall
            name = pool[used % len(pool)] if alley else ""
            used += alley
            queue += _halves(quad, lines, ALLEY if alley else WALL, name, rng, spread=0.08)
    return _give_uses(lots, rng)


def _give_uses(lots: list[Quad], rng: np.random.Generator) -> list[Quad]:
    use = [""] * len(lots)
    area = np.array([lot.area for lot in lots])
    for zone, shares in USE_SHARES.items():
        members = np.array([i for i, lot in enumerate(lots) if lot.zone == zone], dtype=np.int64)
        for i, kind in zip(members, _by_quota(area[members], shares, rng), strict=True):
            use[i] = kind
    return [_with(lot, use=kind) for lot, kind in zip(lots, use, strict=True)]


def _by_quota(area: NDArray[np.float64], shares: Mapping[str, float], rng: np.random.Generator) -> list[str]:
    """Hand out the uses in random order, each time the one that lags its share of the area most."""
    kinds = list(shares)
    want = np.array(list(shares.values()))
    given = np.zeros(len(kinds))
    answer = [""] * len(area)
    done = 0.0
    for i in rng.permutation(len(area)):
        done += area[i]
        lag = want * done - given
        pick = int(np.argmax(lag + rng.uniform(0, 1e-6, len(kinds))))
        given[pick] += area[i]
        answer[i] = kinds[pick]
    return answer


def railway_middle(lattice: Lattice) -> float:
    """Return the mean x of the railway, lattice metres."""
    return float(lattice.nodes[lattice.column_kind.index("axis"), :, 0].mean())


def side_classes(quads: Sequence[Quad], lines: Lines) -> NDArray[np.int64]:
    """Return the road class of the four sides of every piece, int64 (n, 4)."""
    road_class = np.array(lines.road_class)
    return road_class[np.array([quad.sides for quad in quads])]
