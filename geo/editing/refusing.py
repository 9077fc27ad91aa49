"""Refusals of edits that need a survey, beside those of `geo.editing.refusals`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from geo.editing import refusals
from geo.editing.edits import Refusal

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from geo.editing.plan import Plan
    from geo.errors import GeoError


def unless_free(plan: Plan, grids: Iterable[int]) -> Refusal | None:
    """Refuse grids that do not exist or are locked; None when all are there and free."""
    wanted = set(grids)
    missing = [g for g in wanted if g not in plan.grids]
    if missing:
        return refusals.no_such_grids(missing)
    held = [g for g in wanted if plan.grids[g].locked]
    return refusals.grids_locked(plan, held) if held else None


def from_error(fault: GeoError, plan: Plan, grids: Sequence[int]) -> Refusal:
    """Turn an error of the engine into a refusal with its texts."""
    where: dict[str, Any] = refusals.named("grids", grids)
    if "community" in fault.where:
        where["community"] = plan.ground.community_ids[fault.where["community"]]
    return Refusal(fault.code, fault.zh, fault.en, where)


def line_too_short() -> Refusal:
    """Refuse a drawn line of one place."""
    return Refusal(
        "line-too-short",
        "所画的线至少需要两个不同的点。请重新画线。",
        "A drawn line needs at least two different points. Draw it again.",
    )
