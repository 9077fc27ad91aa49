"""A siting as a JSON-ready report."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Sequence

    import geopandas as gpd

    from geo.siting.answer import Siting
    from geo.siting.problem import SitingProblem

UNITS = {"lscp": "sites", "mclp": "households", "pmedian": "household-metres"}


def siting_report(
    siting: Siting, problem: SitingProblem, sites: gpd.GeoDataFrame, categories: Sequence[str]
) -> dict[str, Any]:
    """Return the figures of a siting: all counts are integers.

    Parameters
    ----------
    siting, problem
        The answer and what was asked.
    sites
        All candidates: ``candidate_id``, ``name``.
    categories
        Names of the columns of the problem.
    """
    chosen = sites.iloc[siting.chosen]
    return {
        "model": siting.model,
        "p": None if siting.model == "lscp" else problem.p,
        "limit_m": round(problem.limit_m, 3),
        "capacity": problem.capacity,
        "penalty_m": round(problem.penalty, 3) if siting.model == "pmedian" else None,
        "candidates": problem.reach.n,
        "objective": _figure(siting.objective),
        "objective_unit": UNITS[siting.model],
        "bound": _figure(siting.bound),
        "gap_percent": round(siting.gap_percent, 4),
        "proved_optimal": siting.proved,
        "categories": [
            {
                "category": name,
                "households": int(siting.weight[k]),
                "covered_before": int(siting.covered_before[k]),
                "covered_after": int(siting.covered_after[k]),
                "out_of_reach": int(siting.out_of_reach[k]),
            }
            for k, name in enumerate(categories)
        ],
        "sites": [
            {"candidate_id": str(name), "name": str(title), "gained": int(gained), "alone": int(alone)}
            for name, title, gained, alone in zip(
                chosen["candidate_id"], chosen["name"], siting.gained, siting.alone, strict=True
            )
        ],
    }


def _figure(value: float) -> float | int | None:
    if not math.isfinite(value):
        return None
    return int(value) if float(value).is_integer() else round(value, 2)
