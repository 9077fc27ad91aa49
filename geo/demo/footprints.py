"""Shapes of buildings and how they are laid out in rows on a lot."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np
import shapely

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

RECT, CROSS, ELL, TEE = 0, 1, 2, 3

_OUTLINES = {
    RECT: [(-1, -1), (1, -1), (1, 1), (-1, 1)],
    CROSS: [
        (-0.45, -1), (0.45, -1), (0.45, -0.5), (1, -0.5), (1, 0.45), (0.45, 0.45),
        (0.45, 1), (-0.45, 1), (-0.45, 0.45), (-1, 0.45), (-1, -0.5), (-0.45, -0.5),
    ],
    ELL: [(-1, -1), (1, -1), (1, 0.0), (-0.1, 0.0), (-0.1, 1), (-1, 1)],
    TEE: [(-1, -0.1), (-0.5, -0.1), (-0.5, -1), (0.5, -1), (0.5, -0.1), (1, -0.1), (1, 1), (-1, 1)],
}  # fmt: skip
"""Outlines on the square from -1 to 1, counter-clockwise."""


@dataclass(frozen=True)
class Rows:
    """A way to fill a lot with rows.

    Attributes
    ----------
    lengths, doors
        Lengths of the buildings in metres, and the unit doors of a building of each length (0: no homes).
    depth, gap, pitch
        Depth of a building, space between two in a row, distance from row to row, metres.
    floors
        Storeys to choose from.
    flats
        Flats per floor behind each door.
    shapes
        Outlines to choose from.
    skip
        Share of the places left empty.
    jitter
        Largest shift of a building, metres.
    margin
        Distance kept from the lot's edge, metres.
    """

    role: str
    lengths: tuple[float, ...]
    depth: float
    gap: float
    pitch: float
    floors: tuple[int, ...]
    doors: tuple[int, ...] = (0,)
    flats: float = 0.0
    shapes: tuple[int, ...] = (RECT,)
    skip: float = 0.0
    jitter: float = 0.0
    margin: float = 6.0


@dataclass
class Drafts:
    """Buildings as they are put down, one list per column; later ones give way where two collide.

    Attributes
    ----------
    lot
        Lot the building stands on.
    x, y, angle
        Middle (metres in the working CRS) and direction of the long side (radians).
    length, depth
        Size in metres.
    shape
        `RECT`, `CROSS`, `ELL` or `TEE`.
    role
        ``"home"``, ``"shop"``, ``"gate"`` …: what the building is for, see `homes` and `make`.
    floors, doors, flats
        Storeys, unit doors, flats behind each door (0 for buildings without homes).
    """

    lot: list[int] = field(default_factory=list)
    x: list[float] = field(default_factory=list)
    y: list[float] = field(default_factory=list)
    angle: list[float] = field(default_factory=list)
    length: list[float] = field(default_factory=list)
    depth: list[float] = field(default_factory=list)
    shape: list[int] = field(default_factory=list)
    role: list[str] = field(default_factory=list)
    floors: list[int] = field(default_factory=list)
    doors: list[int] = field(default_factory=list)
    flats: list[int] = field(default_factory=list)

    def add(  # noqa: PLR0913 - one argument per column
        self,
        lot: int,
        place: tuple[float, float],
        angle: float,
        size: tuple[float, float],
        *,
        role: str,
        floors: int,
        shape: int = RECT,
        doors: int = 0,
        flats: int = 0,
    ) -> None:
        """Put down one building."""
        self.lot.append(lot)
        self.x.append(place[0])
        self.y.append(place[1])
        self.angle.append(angle)
        self.length.append(size[0])
        self.depth.append(size[1])
        self.shape.append(shape)
        self.role.append(role)
        self.floors.append(floors)
        self.doors.append(doors)
        self.flats.append(flats)


def polygons(drafts: Drafts) -> NDArray[np.object_]:
    """Return the footprints, float centimetres, in the order they were put down."""
    shape = np.array(drafts.shape)
    middle = np.stack([drafts.x, drafts.y], axis=1)
    half = np.stack([drafts.length, drafts.depth], axis=1) / 2
    cos, sin = np.cos(drafts.angle), np.sin(drafts.angle)
    answer = np.empty(len(shape), dtype=object)
    for kind, outline in _OUTLINES.items():
        rows = np.flatnonzero(shape == kind)
        local = np.array(outline)[None, :, :] * half[rows][:, None, :]
        turned = np.stack(
            [
                local[..., 0] * cos[rows, None] - local[..., 1] * sin[rows, None],
                local[..., 0] * sin[rows, None] + local[..., 1] * cos[rows, None],
            ],
            axis=-1,
        )
        answer[rows] = shapely.polygons(np.round(turned + middle[rows][:, None, :], 2))
    return answer


@dataclass(frozen=True)
class Frame:
    """A lot seen from its own axes: the building ground turned so that rows run along x."""

    lot: int
    origin: NDArray[np.float64]
    angle: float
    start: NDArray[np.float64]
    end: NDArray[np.float64]

    @property
    def bounds(self) -> tuple[float, float, float, float]:
        """Extent of the ground in its own axes, metres."""
        return (*self.start.min(axis=0).tolist(), *self.start.max(axis=0).tolist())

    def spans(self, levels: NDArray[np.float64], depth: float) -> NDArray[np.float64]:
        """Return from where to where rows of this depth lie on the ground, float64 (levels, 2).

        Where the end is below the start, none fits.
        """
        y = levels[:, None, None] + np.array([-0.5, 0.0, 0.5])[None, :, None] * depth
        (x0, y0), (x1, y1) = self.start.T, self.end.T
        crossing = (y0 <= y) != (y1 <= y)
        rise = np.where(y1 == y0, 1.0, y1 - y0)
        x = x0 + (y - y0) / rise * (x1 - x0)
        low = np.where(crossing, x, np.inf).min(axis=2).max(axis=1)
        high = np.where(crossing, x, -np.inf).max(axis=2).min(axis=1)
        return np.stack(
            [np.where(np.isfinite(low), low, 0.0), np.where(np.isfinite(high), high, -1.0)], axis=1
        )

    def out(self, x: float, y: float) -> tuple[float, float]:
        """Return a point of the lot's own axes in the working CRS."""
        cos, sin = np.cos(self.angle), np.sin(self.angle)
        return float(self.origin[0] + x * cos - y * sin), float(self.origin[1] + x * sin + y * cos)


def make_frame(lot: int, ground: shapely.Polygon, angle: float) -> Frame:
    """Turn the ground of a lot to its own axes."""
    points = np.asarray(ground.exterior.coords)[:, :2]
    origin = points[:-1].mean(axis=0)
    cos, sin = np.cos(-angle), np.sin(-angle)
    local = (points - origin) @ np.array([[cos, sin], [-sin, cos]])
    return Frame(lot, origin, angle, local[:-1], local[1:])


def row_levels(frame: Frame, depth: float, pitch: float, shortest: float) -> NDArray[np.float64]:
    """Return the middles of the rows that hold a building of the `shortest` length, spread from south to north."""
    _, low, _, high = frame.bounds
    levels = np.arange(low + depth / 2 + 0.1, high - depth / 2, 1.5)
    spans = frame.spans(levels, depth)
    usable = levels[spans[:, 1] - spans[:, 0] >= shortest]
    if not len(usable):
        return usable
    room = usable[-1] - usable[0]
    count = int(room // pitch) + 1
    if count == 1:
        return np.array([usable[0] + room / 2])
    step = min(room / (count - 1), 1.3 * pitch)
    return usable[0] + (room - step * (count - 1)) / 2 + step * np.arange(count)


def fill_row(
    span: NDArray[np.float64], lengths: Sequence[float], gap: float, rng: np.random.Generator
) -> list[tuple[float, float, float]]:
    """Fill a row with buildings of random lengths, spread over the whole row.

    Returns
    -------
    For each building its middle, its length (up to an eighth longer than its type, to use the room) and its type's.
    """
    low, high = span.tolist()
    room = high - low
    chosen: list[float] = []
    slack = room
    for _ in range(5):
        attempt = _attempt(room, lengths, gap, rng)
        left = room - sum(attempt) - gap * (len(attempt) - 1)
        if attempt and left < slack:
            chosen, slack = attempt, left
    if not chosen:
        return []
    stretch = min(1.125, 1 + slack / sum(chosen))
    slack -= (stretch - 1) * sum(chosen)
    extra = min(slack / (len(chosen) - 1), 0.6 * gap) if len(chosen) > 1 else 0.0
    position = low + (slack - extra * (len(chosen) - 1)) / 2
    answer = []
    for length in chosen:
        answer.append((position + stretch * length / 2, stretch * length, length))
        position += stretch * length + gap + extra
    return answer


def _attempt(room: float, lengths: Sequence[float], gap: float, rng: np.random.Generator) -> list[float]:
    """Put down random lengths until none fits any more."""
    chosen: list[float] = []
    left = room
    while True:
        fitting = [length for length in lengths if length <= left]
        if not fitting:
            return chosen
        length = fitting[int(rng.integers(len(fitting)))]
        chosen.append(length)
        left -= length + gap
