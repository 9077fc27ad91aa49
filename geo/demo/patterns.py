"""How each use of a lot is built over: rows of slabs facing south, towers, courtyards, halls."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import shapely

from geo.demo.footprints import CROSS, ELL, RECT, TEE, Drafts, Rows, fill_row, make_frame, row_levels
from geo.demo.lanes import Row, lay_out

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from geo.demo.footprints import Frame
    from geo.demo.lanes import Layout


SLAB = Rows("home", (26, 39, 52, 64), 11.5, 8, 21.4, (5, 6, 6, 6, 6, 7), (2, 3, 4, 5), 2.5, margin=3.6)
MIDRISE = Rows("home", (32, 46, 60), 14, 12, 32, (11, 11, 12, 15, 17, 18), (1, 2, 2), 3, margin=5)
TOWER = Rows(
    "home",
    (27,),
    22,
    16,
    40,
    (18, 22, 24, 26, 28, 30, 32, 33),
    (1,),
    4.6,
    shapes=(CROSS, CROSS, TEE),
    margin=6,
)
TWIN = Rows("home", (42,), 16, 16, 44, (18, 25, 27, 30, 33), (2,), 2.4, margin=6)
BLOCK = Rows(
    "home", (34, 44), 17, 12, 35, (15, 17, 18, 18, 22, 26), (1, 1), 5.6, shapes=(TEE, RECT), margin=5
)
COURTYARD = Rows(
    "home",
    (7.5, 9, 11, 13, 16),
    7.4,
    1.9,
    10.2,
    (1, 2, 2, 3, 3),
    (1, 1, 1, 2, 2),
    1.4,
    shapes=(RECT, RECT, RECT, ELL),
    skip=0.05,
    jitter=0.45,
    margin=1.5,
)
VILLAGE = Rows(
    "home", (9, 10.5, 12), 9.2, 1.7, 11.4, (3, 3, 4, 4, 5), (1, 1, 1), 0.9, skip=0.05, jitter=0.3, margin=1.5
)
SCATTERED = Rows(
    "home", (14, 26, 39), 11.5, 8, 24, (2, 3, 4, 5, 6), (1, 2, 3), 2, skip=0.1, jitter=1.0, margin=4
)
VILLA = Rows("home", (14, 24, 36), 12, 6, 20, (2, 3, 3), (1, 2, 4), 0.4, shapes=(RECT, ELL))
DORMITORY = Rows("home", (44, 54), 14, 10, 27, (5, 6), (2, 2), 3)
PLANS: Mapping[str, Rows] = {
    "slab": SLAB,
    "midrise": MIDRISE,
    "tower": TOWER,
    "block": BLOCK,
    "courtyard": COURTYARD,
    "village": VILLAGE,
    "scattered": SCATTERED,
    "villa": VILLA,
    "dormitory": DORMITORY,
    "mall": Rows("mall", (40, 56, 72), 36, 12, 50, (3, 4, 5, 6), shapes=(RECT, ELL)),
    "office": Rows("office", (26, 34, 44), 23, 14, 38, (6, 9, 12, 16, 22, 26), shapes=(RECT, RECT, TEE)),
    "market": Rows("market", (14, 22, 30), 12, 4, 18, (1, 2, 3)),
    "factory": Rows("factory", (22, 34, 50), 18, 7, 25, (1, 1, 2, 4), skip=0.06),
    "school": Rows("school", (30, 46), 12, 10, 25, (4, 5, 5), shapes=(RECT, RECT, ELL)),
    "hospital": Rows("hospital", (30, 44, 58), 17, 12, 32, (4, 6, 9, 14), shapes=(RECT, RECT, TEE)),
    "government": Rows("government", (30, 44), 15, 12, 31, (4, 5, 6, 9), shapes=(RECT, RECT, ELL)),
}
"""How to fill a lot, by use; parks are built over otherwise."""

GATED = ("slab", "midrise", "tower", "block", "villa", "dormitory")
"""Uses whose lot is a walled compound."""

DIVIDED = ("slab", "midrise", "tower", "block", "dormitory")
"""Uses whose compounds have lanes inside when they are large."""


def build_lots(
    uses: list[str],
    grounds: NDArray[np.object_],
    angles: NDArray[np.float64],
    side_class: NDArray[np.int64],
    rng: np.random.Generator,
) -> tuple[Drafts, dict[int, Layout]]:
    """Put buildings on every lot, and lanes between those of large compounds.

    Parameters
    ----------
    uses
        Use of every lot.
    grounds
        Polygon of every lot's site, in the working CRS.
    angles
        Direction of every lot's long axis, radians.
    side_class
        int64 (lots, 4), class of the road along each side.
    rng
        Source of randomness.

    Returns
    -------
    The buildings, and the lanes by lot.
    """
    drafts = Drafts()
    layouts: dict[int, Layout] = {}
    for lot, (use, site) in enumerate(zip(uses, grounds, strict=True)):
        if use == "park":
            _pavilions(lot, site, drafts, rng)
            continue
        plan = _vary(PLANS[use], rng)
        ground = _largest(shapely.buffer(site, -plan.margin, join_style="mitre"))
        if ground is None:
            continue
        # A few compounds face due south whatever their street does.
        south = use in {"tower", "midrise"} and abs(angles[lot]) < 0.15 and rng.random() < 0.4
        angle = 0.3 * angles[lot] if south else angles[lot]
        frame = make_frame(lot, ground, float(angle))
        rows = _tower_rows(frame, rng) if use == "tower" else _rows(frame, plan)
        rows = rows[len(rows) // 2 :] if use == "school" else rows
        layout = lay_out(frame, rows, side_class[lot], rng) if use in DIVIDED and rows else None
        _fill(frame, rows, layout, drafts, rng)
        if layout is not None:
            layouts[lot] = layout
        if use in GATED:
            _outbuildings(frame, plan, layout, drafts, rng)
    return drafts, layouts


def _vary(plan: Rows, rng: np.random.Generator) -> Rows:
    """Give a lot its own spacing, and few lengths instead of all."""
    stretch = rng.uniform(0.94, 1.12)
    few = rng.choice(len(plan.lengths), min(len(plan.lengths), 3), replace=False)
    few.sort()
    if plan.jitter > 0 or len(plan.doors) != len(plan.lengths):
        return replace(plan, pitch=plan.pitch * stretch)
    return replace(
        plan,
        pitch=plan.pitch * stretch,
        lengths=tuple(plan.lengths[i] for i in few),
        doors=tuple(plan.doors[i] for i in few),
    )


def _largest(shape: shapely.Geometry) -> shapely.Polygon | None:
    parts = shapely.get_parts(shape)
    if len(parts) == 0:
        return None
    best = parts[int(np.argmax(shapely.area(parts)))]
    return best if best.area > 150 else None


def _rows(frame: Frame, plan: Rows) -> list[Row]:
    """Return the rows of a lot that is filled in one way."""
    levels = row_levels(frame, plan.depth, plan.pitch, min(plan.lengths))
    spans = frame.spans(levels, plan.depth)
    return [Row(level, span, plan) for level, span in zip(levels.tolist(), spans, strict=True)]


def _tower_rows(frame: Frame, rng: np.random.Generator) -> list[Row]:
    """Return rows of towers; some lots have lower slabs in the sun to the south."""
    twin = rng.random() < 0.45 and _room(frame, TWIN) > 0.85 * _room(frame, TOWER)
    plan = TWIN if twin else TOWER
    mixed = rng.random() < 0.45
    levels = row_levels(frame, plan.depth, plan.pitch, min(plan.lengths))
    low = int(len(levels) * rng.uniform(0.3, 0.5)) if mixed else 0
    spans = frame.spans(levels, max(plan.depth, MIDRISE.depth))
    return [
        Row(level, span, MIDRISE if k < low else plan)
        for k, (level, span) in enumerate(zip(levels.tolist(), spans, strict=True))
    ]


def _fill(
    frame: Frame, rows: list[Row], layout: Layout | None, drafts: Drafts, rng: np.random.Generator
) -> None:
    """Put buildings in the rows, beside the lanes."""
    for row in rows:
        plan = row.plan
        count = plan.doors if len(plan.doors) > 1 else plan.doors * len(plan.lengths)
        doors = dict(zip(plan.lengths, count, strict=True))
        floors = int(rng.choice(plan.floors))
        for span in [row.span] if layout is None else layout.sections(row):
            for x, length, kind in fill_row(span, plan.lengths, plan.gap, rng):
                if plan.skip and rng.random() < plan.skip:
                    continue
                if rng.random() < 0.4 or plan.jitter:
                    floors = int(rng.choice(plan.floors))
                shift_x, shift_y = rng.uniform(-plan.jitter, plan.jitter, 2) if plan.jitter else (0.0, 0.0)
                _put(
                    frame,
                    plan,
                    drafts,
                    rng,
                    place=(x + shift_x, row.level + shift_y),
                    length=length,
                    floors=floors,
                    doors=doors[kind],
                )


def _put(
    frame: Frame,
    plan: Rows,
    drafts: Drafts,
    rng: np.random.Generator,
    *,
    place: tuple[float, float],
    length: float,
    floors: int,
    doors: int,
) -> None:
    role = plan.role
    if plan.jitter and plan.margin == COURTYARD.margin and rng.random() < 0.12:
        role, doors = ("store" if rng.random() < 0.6 else "workshop"), 0
    flats = max(1, round(plan.flats * floors)) if doors else 0
    depth = plan.depth * (rng.uniform(0.85, 1.05) if plan.jitter else 1.0)
    drafts.add(
        frame.lot,
        frame.out(*place),
        frame.angle,
        (length, depth),
        role=role,
        floors=floors,
        shape=int(rng.choice(plan.shapes)),
        doors=doors,
        flats=flats,
    )


def _room(frame: Frame, plan: Rows) -> float:
    """Return about how many flats per floor a lot has room for."""
    levels = row_levels(frame, plan.depth, plan.pitch, min(plan.lengths))
    width = np.ptp(frame.spans(levels, plan.depth), axis=1) if len(levels) else np.zeros(0)
    length = plan.lengths[0]
    return float(np.floor((width + plan.gap) / (length + plan.gap)).sum()) * plan.doors[0] * plan.flats


def _outbuildings(
    frame: Frame, plan: Rows, layout: Layout | None, drafts: Drafts, rng: np.random.Generator
) -> None:
    """Put a property office, sheds and plant rooms between the rows, off the lanes."""
    west, south, east, north = frame.bounds
    count = max(2, int((east - west) * (north - south) / 1900))
    levels = row_levels(frame, plan.depth, plan.pitch, min(plan.lengths))
    for k in range(count):
        for _ in range(4):
            if k == 0 or len(levels) < 2:
                place, size, role = (rng.uniform(west, east), south + 4.6), (17.0, 9.0), "property"
            else:
                gap = int(rng.integers(len(levels) - 1))
                shed = rng.random() < 0.6
                size, role = ((18.0, 3.6), "shed") if shed else ((7.0, 5.0), "plant")
                place = (rng.uniform(west, east), (levels[gap] + levels[gap + 1]) / 2)
            if layout is None or layout.leaves_free(*place, size):
                break
        drafts.add(
            frame.lot, frame.out(*place), frame.angle, size, role=role, floors=2 if role == "property" else 1
        )


def _pavilions(lot: int, site: shapely.Polygon, drafts: Drafts, rng: np.random.Generator) -> None:
    west, south, east, north = site.bounds
    water = pond(site)
    for _ in range(3 + int(site.area // 9_000)):
        place = (float(rng.uniform(west, east)), float(rng.uniform(south, north)))
        size = float(rng.choice([6.0, 8.0, 11.0]))
        angle = float(rng.uniform(0, np.pi))
        if water is None or water.distance(shapely.Point(place)) > 12.0:
            drafts.add(lot, place, angle, (size, size * 0.8), role="pavilion", floors=1)


def pond(site: shapely.Polygon) -> shapely.Polygon | None:
    """Return the pond of a park; small parks have none."""
    if site.area < 30_000:
        return None
    middle = shapely.get_coordinates(shapely.centroid(site))[0]
    radius = 0.5 * float(site.exterior.distance(shapely.Point(middle)))
    turn = np.linspace(0, 2 * np.pi, 40, endpoint=False)
    reach = radius * (1 + 0.16 * np.sin(2 * turn + middle[0]) + 0.1 * np.sin(3 * turn + middle[1]))
    ring = middle + np.stack([1.3 * reach * np.cos(turn), reach * np.sin(turn)], axis=1)
    return shapely.Polygon(np.round(ring, 2))
