"""Number, code and name grids anew in reading order."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import geopandas as gpd
import numpy as np
import shapely

from geo import boundaries
from geo.codes import scan_order
from geo.editing.change import Change, GridChange
from geo.editing.edits import Refusal
from geo.editing.numbering import code_of, name_of

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from geo.editing.edits import Renumber
    from geo.editing.plan import Grid, Plan
    from geo.editing.survey import Survey


def renumber(survey: Survey, plan: Plan, edit: Renumber) -> Change | Refusal:
    """Give the grids of communities the numbers 1, 2, 3 … from north-west to south-east.

    The order is that of a fresh plan (`geo.codes.scan_order`). Locked grids keep code and name, and their numbers
    are left out. Codes of grids elsewhere in the plan are not given twice.

    Refusals: ``no-such-community``. The change is empty when all numbers are right already.
    """
    count = len(plan.ground.community_ids)
    unknown = sorted({k for k in edit.communities if not 0 <= k < count})
    if unknown:
        return Refusal(
            "no-such-community",
            f"社区 {unknown[0]} 不存在。请刷新后重选。",
            f"Community {unknown[0]} does not exist. Reload and select again.",
            {"communities": unknown},
        )
    wanted = set(edit.communities) or set(range(count))
    ids = np.array(sorted(g for g, grid in plan.grids.items() if grid.community in wanted), np.int64)
    open_ids = [g for g in _reading_order(survey, plan, ids).tolist() if not plan.grids[g].locked]
    taken = {grid.code for g, grid in plan.grids.items() if grid.locked or grid.community not in wanted}
    number = dict.fromkeys(wanted, 0)
    changes = []
    for g in open_ids:
        before = plan.grids[g]
        after = _next(plan, before, number, taken, keep_name=edit.keep_names)
        if after != before:
            changes.append(GridChange(g, before, after))
    return Change(grids=tuple(sorted(changes, key=lambda change: change.id)))


def _next(plan: Plan, grid: Grid, number: dict[int, int], taken: set[str], *, keep_name: bool) -> Grid:
    """Give a grid the next free number of its community."""
    k = grid.community
    number[k] += 1
    while code_of(plan.ground, k, number[k]) in taken:
        number[k] += 1
    name = grid.name if keep_name else name_of(plan.ground, k, number[k])
    return replace(grid, code=code_of(plan.ground, k, number[k]), name=name)


def _reading_order(survey: Survey, plan: Plan, ids: NDArray[np.int64]) -> NDArray[np.int64]:
    if not len(ids):
        return ids
    place = np.full(plan.next_grid + 1, -1, np.int32)  # the last position answers for cells in no grid
    place[ids] = np.arange(len(ids), dtype=np.int32)
    label = place[plan.assignment]
    tiling = replace(survey.tiling, segments=survey.shapes(plan).segments())
    shapes = boundaries.dissolve(tiling, label, len(ids))
    points = gpd.GeoSeries(shapely.point_on_surface(shapes.to_numpy()), crs=shapes.crs).to_crs(survey.crs)
    held = label >= 0
    area = np.bincount(label[held], weights=plan.ground.cells.area_m2[held], minlength=len(ids))
    community = np.array([plan.grids[g].community for g in ids.tolist()], np.int32)
    order = scan_order(community, np.column_stack([points.x, points.y]), area.astype(np.float64))
    return ids[order]
