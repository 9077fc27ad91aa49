"""The operation that searches for new sites, inside the fences."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

# ruff: noqa: PLC0415

if TYPE_CHECKING:
    from concurrent.futures import Executor
    from pathlib import Path

    import geopandas as gpd

    from geo.siting import Siting
    from geo.types import Progress


def siting(
    parameters: dict[str, Any], out: Path, *, executor: Executor | None, progress: Progress
) -> dict[str, Any]:
    """Search for sites; every answer, the greedy one first, goes to ``answer.json`` at once.

    `parameters`: ``sources`` or ``demo``, ``columns``, ``categories`` (names), ``name`` (the one to site for),
    ``model``, ``p``, ``minutes``, ``speed``, ``method``, ``candidates``, ``capacity``, ``time_limit_s``, and the
    planner's ``stations``, ``added`` and ``removed``.
    """
    del executor
    import time
    from dataclasses import replace

    from geo.intake import load_city
    from geo.service_coverage.circles import category_labels
    from geo.siting import candidate_sites
    from geo.siting_job import SitingOptions, site_city, write_siting
    from web.jobs.operations import sources_of
    from web.jobs.stations import REMOVED, Places

    city = load_city(sources_of(parameters, out, progress), columns=parameters["columns"], progress=progress)
    places = Places(city, tuple(parameters["categories"]))
    there = city.stations.assign(category=category_labels(city.stations))
    there = places.stations(there, parameters)
    city = replace(city, stations=there[there["category"] != REMOVED].reset_index(drop=True))
    progress("sites", 0, 1)
    sites = candidate_sites(city, parameters["candidates"])
    progress("sites", 1, 1)
    options = SitingOptions(
        model=parameters["model"],
        p=parameters["p"],
        categories=(parameters["name"],),
        minutes=parameters["minutes"],
        speed_m_per_min=parameters["speed"],
        method=parameters["method"],
        candidates=parameters["candidates"],
        capacity=parameters["capacity"],
        existing=bool((city.stations["category"] == parameters["name"]).any()),
        time_limit_s=parameters["time_limit_s"],
    )
    progress("prove", 0, 1)
    result = site_city(
        city,
        options,
        clock=time.monotonic,
        on_answer=lambda found: _keep(out, answer_of(found, sites)),
    )
    write_siting(result, out / "siting.gpkg", out / "siting.json")
    answer = answer_of(result.siting, sites) | {
        "done": True,
        "findings": [finding.to_dict() for finding in result.findings],
    }
    _keep(out, answer)
    progress("prove", 1, 1)
    return {"sites": len(result.siting.chosen)}


def answer_of(siting: Siting, sites: gpd.GeoDataFrame) -> dict[str, Any]:
    """Return an answer as the coverage page shows it.

    Parameters
    ----------
    sites
        The candidates that it chose from.
    """
    chosen = sites.iloc[siting.chosen].to_crs("EPSG:4326")
    households = int(siting.weight.sum())
    return {
        "stage": siting.stage,
        "done": False,
        "sites": [
            {
                "candidate_id": str(key),
                "name": str(name),
                "lon": round(point.x, 7),
                "lat": round(point.y, 7),
                "gain": int(gain),
                "alone": int(alone),
            }
            for key, name, point, gain, alone in zip(
                chosen["candidate_id"],
                chosen["name"],
                chosen.geometry,
                siting.gained,
                siting.alone,
                strict=True,
            )
        ],
        "objective": _finite(siting.objective),
        "bound": _finite(siting.bound),
        "gap_percent": _finite(siting.gap_percent),
        "proved": bool(siting.proved),
        "before": {"covered": int(siting.covered_before.sum()), "households": households},
        "after": {"covered": int(siting.covered_after.sum()), "households": households},
        "out_of_reach": int(siting.out_of_reach.sum()),
    }


def _finite(value: float) -> float | None:
    import math

    return round(float(value), 4) if math.isfinite(value) else None


def _keep(out: Path, answer: dict[str, Any]) -> None:
    draft = out / ".answer.draft"
    draft.write_text(json.dumps(answer, ensure_ascii=False, allow_nan=False), encoding="utf-8")
    draft.replace(out / "answer.json")
