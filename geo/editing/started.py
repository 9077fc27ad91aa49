"""The plan that editing starts from, made of what the engine drew, with the reasons it gave."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Any

import numpy as np

from geo.dataset.loads import cell_loads
from geo.editing.start import new_plan
from geo.schema import dedicated_use

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from geo.dataset.ground import Ground
    from geo.editing.plan import Plan
    from geo.plan import DrawnPlan

REASONS, HELD = "reasons", "reasons_held"
"""Parameters of the plan: reasons by grid, and the state of each community that they were proved for."""


def start_plan(ground: Ground, drawn: DrawnPlan, parameters: Mapping[str, Any] | None = None) -> Plan:
    """Make an editable plan of one that was drawn.

    Row r of the drawn grids becomes grid r + 1, with its code, its name and, where it is one, its dedicated use.
    The load of each cell is its share of what its unit counts for, so that every grid has the load it was drawn
    with. Why grids are out of the band is kept with the parameters, see `held_reasons`.

    Parameters
    ----------
    ground
        Of the dataset of the plan's city and tiling.
    drawn
        E.g. the plan of `geo.pipeline.make_plan`.
    parameters
        What it was made with, as JSON values. The seed is added.

    Raises
    ------
    PlanError
        ``plan-inconsistent``: cells and grids do not fit together.
    """
    grids, standard = drawn.grids, drawn.standard
    table = {name: grids[name].tolist() for name in ("code", "name", "community")}
    table["kind"] = _kinds(ground, drawn)
    said = grids[["reason", "reason_zh", "reason_en"]].itertuples(index=False, name=None)
    reasons = {
        str(number): {"code": code, "zh": zh, "en": en}
        for number, (code, zh, en) in enumerate(said, 1)
        if code
    }
    held = {
        str(community): _state(
            ground, np.where(drawn.grid_of_cell >= 0, drawn.grid_of_cell + 1, -1), community
        )
        for community in sorted({table["community"][int(number) - 1] for number in reasons})
    }
    return new_plan(
        ground,
        standard,
        drawn.grid_of_cell,
        table,
        {"seed": drawn.seed} | dict(parameters or {}) | {REASONS: reasons, HELD: held},
        load=cell_loads(ground.cells, standard, released=[gain.compound for gain in drawn.releases]),
    )


def held_reasons(plan: Plan) -> dict[int, dict[str, str]]:
    """Return the engine's reasons that still hold: those of communities in which no cell has moved.

    Returns
    -------
    By id of the grid: ``code``, ``zh``, ``en`` as `geo.partition.reason_texts` words them.
    """
    reasons, held = plan.parameters.get(REASONS), plan.parameters.get(HELD)
    if not isinstance(reasons, dict) or not isinstance(held, dict):
        return {}
    same: dict[int, bool] = {}
    found = {}
    for name, reason in reasons.items():
        grid = plan.grids.get(int(name))
        if grid is None:
            continue
        if grid.community not in same:
            state = _state(plan.ground, plan.assignment, grid.community)
            same[grid.community] = held.get(str(grid.community)) == state
        if same[grid.community]:
            found[grid.id] = dict(reason)
    return found


def _state(ground: Ground, assignment: NDArray[np.integer], community: int) -> str:
    """Return a hash of which cells of a community are in which grid."""
    mine = np.flatnonzero(ground.cells.community == community)
    return hashlib.sha256(assignment[mine].astype("<i4").tobytes()).hexdigest()[:16]


def _kinds(ground: Ground, drawn: DrawnPlan) -> list[str]:
    """Return the dedicated use of each grid that the standard settled as one, ``""`` for all others."""
    settled = (drawn.grids["reason"] == "dedicated").to_numpy()
    kinds = [""] * len(settled)
    cells = ground.cells
    if cells.kind is None:
        return kinds
    uses = [dedicated_use(name) or "" for name in cells.kinds]
    for row in np.flatnonzero(settled).tolist():
        area: dict[str, float] = {}
        for cell in np.flatnonzero((drawn.grid_of_cell == row) & (cells.kind >= 0)).tolist():
            use = uses[cells.kind[cell]]
            area[use] = area.get(use, 0.0) + float(cells.area_m2[cell])
        area.pop("", None)
        kinds[row] = min(area, key=lambda use: (-area[use], use), default="institution")
    return kinds
