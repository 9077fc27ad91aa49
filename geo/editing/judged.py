"""Grids judged by the standard, and the rows and totals that people read."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from geo.types import BorderClass

if TYPE_CHECKING:
    from collections.abc import Iterable

    from numpy.typing import NDArray

    from geo.editing.plan import Plan

ALONG = (
    BorderClass.ALLEY,
    BorderClass.STREET,
    BorderClass.ARTERIAL,
    BorderClass.RAILWAY,
    BorderClass.WATER,
)
"""What a border should run along; as `geo.partition.score.ALONG`."""


def dedicated(plan: Plan) -> NDArray[np.bool_]:
    """Return the grids of dedicated use, which no band judges, bool by id."""
    return _marked(plan, [g.id for g in plan.grids.values() if g.kind])


def deviation(plan: Plan) -> NDArray[np.float64]:
    """Return load over target, less one, float64 by id; 0 for a dedicated grid, which has no target."""
    target = plan.standard.target
    return np.where(dedicated(plan), 0.0, (plan.figures.load - target) / target)


def in_band(plan: Plan) -> NDArray[np.bool_]:
    """Say of every grid whether its load is within the standard's band, bool by id.

    A dedicated grid is, and so is that of a compound which by the rule of its type is a grid of its own. False for
    an id without a grid.
    """
    load = plan.figures.load
    within = (load >= plan.standard.min) & (load <= plan.standard.max)
    return (within | plan.figures.alone | dedicated(plan)) & (plan.figures.cells > 0)


def polsby_popper(plan: Plan) -> NDArray[np.float64]:
    """Return 4 pi area / perimeter ** 2, float64 by id (Polsby and Popper 1991); 0 without perimeter."""
    perimeter_m = plan.figures.perimeter_mm / 1000.0
    area_m2 = plan.figures.area_dm2 / 100.0
    return np.where(perimeter_m > 0, 4 * np.pi * area_m2 / np.maximum(perimeter_m, 1e-3) ** 2, 0.0)


def along_roads(plan: Plan) -> float | None:
    """Return the share of the border between grids along roads, railways and water; None without border."""
    total = plan.figures.border_mm.sum(axis=0)
    return float(total[list(ALONG)].sum() / total.sum()) if total.sum() else None


def summary(plan: Plan) -> dict[str, Any]:
    """Return the totals of a plan as JSON values."""
    figures = plan.figures
    exists = figures.cells > 0
    n = int(exists.sum())
    good = int(in_band(plan).sum())
    share = along_roads(plan)
    return {
        "grids": n,
        "in_band": good,
        "out_of_band": n - good,
        "disconnected": int((figures.pieces > 1).sum()),
        "locked": sum(g.locked for g in plan.grids.values()),
        "households": int(figures.households.sum()),
        "persons": int(figures.persons.sum()),
        "load": int(figures.load.sum()),
        "buildings": int(figures.buildings.sum()),
        "cells": int(figures.cells.sum()),
        "unassigned_cells": figures.unassigned_cells,
        "unassigned_households": figures.unassigned_households,
        "compounds_split": figures.compounds_split,
        "mean_polsby_popper": round(float(polsby_popper(plan)[exists].mean()), 6) if n else None,
        "along_roads": None if share is None else round(share, 6),
    }


def grid_records(plan: Plan) -> list[dict[str, Any]]:
    """Return what is said of each grid as JSON values, by id: the rows of `grid_rows` without figures."""
    return [
        {
            "id": i,
            "code": grid.code,
            "name": grid.name,
            "community": grid.community,
            "locked": grid.locked,
            "staff": grid.staff,
            "kind": grid.kind,
            "note": grid.note,
        }
        for i, grid in sorted(plan.grids.items())
    ]


def grid_rows(plan: Plan, ids: Iterable[int] | None = None) -> list[dict[str, Any]]:
    """Return one row a grid as JSON values, by id.

    Parameters
    ----------
    plan
        The plan.
    ids
        Only these grids; those that do not exist are left out. All by default.
    """
    chosen = sorted(plan.grids if ids is None else {i for i in ids if i in plan.grids})
    at = np.array(chosen, np.int64)
    figures, target = plan.figures, plan.standard.target
    columns = {
        name: getattr(figures, name)[at].tolist()
        for name in ("households", "persons", "load", "buildings", "cells", "pieces", "alone")
    }
    area_m2 = (figures.area_dm2[at] / 100.0).tolist()
    perimeter_m = (figures.perimeter_mm[at] / 1000.0).tolist()
    rows = []
    for k, i in enumerate(chosen):
        grid = plan.grids[i]
        load, alone = columns["load"][k], columns["alone"][k]
        within = plan.standard.min <= load <= plan.standard.max
        rows.append(
            {
                "id": i,
                "code": grid.code,
                "name": grid.name,
                "community": grid.community,
                "community_id": plan.ground.community_ids[grid.community],
                "households": columns["households"][k],
                "persons": columns["persons"][k],
                "load": load,
                "buildings": columns["buildings"][k],
                "cells": columns["cells"][k],
                "deviation": 0.0 if grid.kind else round((load - target) / target, 6),
                "in_band": bool(within or alone or grid.kind),
                "pieces": columns["pieces"][k],
                "polsby_popper": _compactness(area_m2[k], perimeter_m[k]),
                "area_m2": round(area_m2[k], 2),
                "perimeter_m": round(perimeter_m[k], 2),
                "locked": grid.locked,
                "staff": grid.staff,
                "kind": grid.kind,
                "note": grid.note,
            }
        )
    return rows


def _compactness(area_m2: float, perimeter_m: float) -> float:
    return round(4 * np.pi * area_m2 / perimeter_m**2, 6) if perimeter_m else 0.0


def _marked(plan: Plan, ids: list[int]) -> NDArray[np.bool_]:
    marked = np.zeros(len(plan.figures.cells), np.bool_)
    marked[ids] = True
    return marked
