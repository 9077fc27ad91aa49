"""What a finished planning job leaves for editing: its dataset, and the plan as a snapshot to start from."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

# Loaded with the operation that uses it, inside the fences.
# ruff: noqa: PLC0415

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from geo.pipeline import PlanResult

DATASET = "dataset"
START = "start.plan"


def write_start(result: PlanResult, parameters: Mapping[str, Any], out: Path) -> None:
    """Write the city with its cells to ``dataset/``, and the plan on them to ``start.plan``.

    Parameters
    ----------
    parameters
        What the plan was made with, as JSON values; kept with the plan.
    """
    from geo.dataset.folder import write_dataset
    from geo.dataset.ground_file import read_ground
    from geo.editing.start import snapshot
    from geo.editing.started import start_plan

    write_dataset(result.city, result.tiling, out / DATASET)
    plan = start_plan(read_ground(out / DATASET), result.plan, dict(parameters))
    (out / START).write_bytes(snapshot(plan))
