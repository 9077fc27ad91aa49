"""Lock or unlock the cells of a drawn area."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import shapely

from geo.editing.change import Change
from geo.editing.edits import Refusal
from geo.editing.shapes import to_metres

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from geo.editing.edits import LockArea
    from geo.editing.plan import Plan
    from geo.editing.survey import Survey


def lock_area(survey: Survey, plan: Plan, edit: LockArea) -> Change | Refusal:
    """Pin or unpin every cell with its inner point in a polygon; the border counts as inside.

    Refusals: ``area-unreadable`` for a ring without area, ``area-empty`` when no cell is inside.
    """
    ring = np.array(edit.ring, np.float64).reshape(-1, 2)
    area = _polygon(survey, ring)
    if area is None:
        return Refusal(
            "area-unreadable",
            "所画的范围没有面积，至少需要三个不在一条线上的点。请重新画。",
            "The drawn area is empty: it needs at least three points that are not on one line. Draw it again.",
        )
    near = _candidates(survey, plan, ring)
    inside = near[shapely.intersects_xy(area, *survey.inner_points(plan, near).T)] if len(near) else near
    if not len(inside):
        return Refusal(
            "area-empty",
            "所画的范围内没有单元。请扩大范围或移到规划区内。",
            "No cell lies in the drawn area. Enlarge it, or draw it where the plan is.",
        )
    changed = inside[plan.pinned[inside] != edit.locked].astype(np.int32)
    return Change(pins=changed, pinned=np.full(len(changed), edit.locked))


def _polygon(survey: Survey, ring: NDArray[np.float64]) -> shapely.Geometry | None:
    """Return the area in the working CRS, a ring that crosses itself by the even-odd rule; None without area."""
    xy = np.column_stack(to_metres(survey.crs).transform(*ring.T))
    if len(ring) < 3 or not np.isfinite(xy).all():
        return None
    area = shapely.make_valid(shapely.Polygon(xy))
    if not area.area > 0.0:
        return None
    shapely.prepare(area)
    return area


def _candidates(survey: Survey, plan: Plan, ring: NDArray[np.float64]) -> NDArray[np.intp]:
    """Return the present cells whose bounds meet those of the ring."""
    west, south = ring.min(axis=0)
    east, north = ring.max(axis=0)
    base = survey.bounds
    near = (base[:, 0] <= east) & (base[:, 2] >= west) & (base[:, 1] <= north) & (base[:, 3] >= south)
    # Children of divided cells are few: all are looked at.
    every = np.append(near, np.ones(plan.ground.n - len(base), np.bool_))
    return np.flatnonzero(every & plan.ground.live)
