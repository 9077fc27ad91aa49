"""What a finished planning job leaves for editing: its dataset, and plans as snapshots to start from."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

# Loaded with the operation that uses it, inside the fences.
# ruff: noqa: PLC0415

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    import geopandas as gpd
    from numpy.typing import NDArray

    from geo.editing.ground import Ground
    from geo.editing.plan import Plan
    from geo.pipeline import PlanResult
    from geo.standards import Standard

DATASET = "dataset"
START = "start.plan"
OLD = "old.plan"
OLD_SOURCE = "old-grids"
"""What the parameters of a plan name as its ``source`` when it is the city's old division."""


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


def write_old(result: PlanResult, out: Path) -> None:
    """Write the city's old division as a plan to ``old.plan``, after `write_start`; nothing without old grids."""
    from geo.dataset.ground_file import read_ground
    from geo.editing.start import snapshot
    from geo.errors import LayerError
    from geo.old_grids import map_old_grids

    old_grids = result.city.old_grids
    if not len(old_grids):
        return
    ground = read_ground(out / DATASET)
    try:
        division = map_old_grids(result.city, result.tiling, ground.cells)
    except LayerError as error:
        if error.code != "old-grids-elsewhere":
            raise
        return  # the layer is of another place: there is nothing to compare with
    plan = old_plan(ground, result.plan.standard, old_grids, division.of_unit)
    (out / OLD).write_bytes(snapshot(plan))


def old_plan(
    ground: Ground, standard: Standard, old_grids: gpd.GeoDataFrame, grid_of_cell: NDArray[np.int32]
) -> Plan:
    """Make a plan of an old division.

    A grid of a plan lies in one community. An old grid that reaches into several becomes one grid in each: the
    part with most households keeps its code, the others get ``-2``, ``-3`` after it. An old grid without cells
    is left out.

    Parameters
    ----------
    old_grids
        ``grid_code``, ``name``.
    grid_of_cell
        int32, shape (cells,): row of `old_grids`, -1 for cells in none.
    """
    from geo.editing.start import new_plan

    inside = np.flatnonzero(grid_of_cell >= 0)
    keys = np.stack([grid_of_cell[inside], ground.cells.community[inside]], axis=1)
    parts, part_of = np.unique(keys, axis=0, return_inverse=True)
    homes = np.zeros(len(parts), np.int64)
    np.add.at(homes, part_of.ravel(), ground.cells.households[inside])
    table: dict[str, list[object]] = {"code": [], "name": [], "community": []}
    place = np.zeros(len(parts), np.int64)
    seen: dict[int, int] = {}
    codes, names = old_grids["grid_code"].tolist(), old_grids["name"].tolist()
    for part in np.lexsort((parts[:, 1], -homes, parts[:, 0])).tolist():
        row, community = parts[part].tolist()
        seen[row] = seen.get(row, 0) + 1
        suffix = f"-{seen[row]}" if seen[row] > 1 else ""
        place[part] = len(table["code"])
        table["code"].append(f"{codes[row]}{suffix}")
        table["name"].append(f"{names[row] or codes[row]}{suffix}")
        table["community"].append(community)
    rows = np.full(ground.n, -1, np.int64)
    rows[inside] = place[part_of.ravel()]
    return new_plan(ground, standard, rows, table, {"source": OLD_SOURCE})
