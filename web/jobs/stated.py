"""The state of a plan on its way to the process that works on it, and back to a plan there."""

from __future__ import annotations

import base64
from typing import TYPE_CHECKING

from pydantic import TypeAdapter

from geo.editing.start import restored, snapshot
from geo.standards import Standard

if TYPE_CHECKING:
    from collections.abc import Mapping

    from geo.dataset.ground import Ground
    from geo.editing.plan import Plan

STANDARD = TypeAdapter(Standard)


def stated(plan: Plan) -> dict[str, str]:
    """Return a plan as JSON values: ``state`` (its snapshot, base64) and ``standard`` (whole, as JSON)."""
    return {
        "state": base64.b64encode(snapshot(plan)).decode("ascii"),
        "standard": STANDARD.dump_json(plan.standard).decode("utf-8"),
    }


def plan_from(ground: Ground, said: Mapping[str, str]) -> Plan:
    """Return the plan that `stated` put into words.

    Raises
    ------
    PlanError
        If it is of another dataset or damaged.
    """
    return restored(ground, STANDARD.validate_json(said["standard"]), base64.b64decode(said["state"]))
