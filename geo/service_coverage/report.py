"""Coverage as a JSON-ready report."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from geo.service_coverage.circles import gap_table

if TYPE_CHECKING:
    from collections.abc import Sequence

    import geopandas as gpd

    from geo.service_coverage.circles import Coverage, Totals

GAPS_LISTED = 1000
"""The report lists at most this many gaps; `gap_count` is always the full number."""

LISTED = ("building", "category", "households", "reason", "distance_m")


def coverage_report(
    coverage: Coverage,
    buildings: gpd.GeoDataFrame,
    *,
    grid_ids: Sequence[str] | None = None,
    community_ids: Sequence[str] | None = None,
    gaps_listed: int = GAPS_LISTED,
) -> dict[str, Any]:
    """Return the figures of a coverage: all counts are integers, shares are rounded to six decimals.

    Parameters
    ----------
    coverage
        Made from these buildings.
    buildings
        Gives the ids of the gap list.
    grid_ids, community_ids
        Ids of the rows of ``coverage.grids`` and ``coverage.communities``; without them the part is left out.
    gaps_listed
        Longest gap list.
    """
    served = coverage.covered_households
    total = coverage.total_households
    reached = coverage.categories_reached
    every = reached == len(coverage.categories)
    report: dict[str, Any] = {
        "method": coverage.method,
        "minutes": coverage.minutes,
        "speed_m_per_min": coverage.speed_m_per_min,
        "radius_m": round(coverage.radius_m, 3),
        "buildings": len(coverage.households),
        "households": total,
        "households_with_every_category": int(coverage.households[every].sum()),
        "categories": [
            {
                "category": name,
                "stations": int(coverage.stations[k]),
                "households": total,
                "covered": int(served[k]),
                "uncovered": total - int(served[k]),
                "share": _share(int(served[k]), total),
            }
            for k, name in enumerate(coverage.categories)
        ],
        "households_by_categories_reached": [
            int(coverage.households[reached == k].sum()) for k in range(len(coverage.categories) + 1)
        ],
    }
    if grid_ids is not None and coverage.grids is not None:
        report["grids"] = _groups(coverage, coverage.grids, grid_ids, "grid_id")
    if community_ids is not None:
        report["communities"] = _groups(coverage, coverage.communities, community_ids, "community_id")
    report.update(_gaps(coverage, buildings, gaps_listed))
    return report


def _groups(coverage: Coverage, totals: Totals, ids: Sequence[str], key: str) -> list[dict[str, Any]]:
    if len(ids) != len(totals.households):
        raise ValueError(f"{len(ids)} ids for {len(totals.households)} rows")
    return [
        {
            key: str(name),
            "households": int(households),
            "covered": {
                category: int(count) for category, count in zip(coverage.categories, covered, strict=True)
            },
        }
        for name, households, covered in zip(ids, totals.households, totals.covered, strict=True)
    ]


def _gaps(coverage: Coverage, buildings: gpd.GeoDataFrame, listed: int) -> dict[str, Any]:
    table = gap_table(coverage)
    head = table.head(listed)
    ids = buildings["building_id"].to_numpy()
    return {
        "gap_count": len(table),
        "gaps": [
            {
                "building_id": str(ids[building]),
                "category": coverage.categories[category],
                "households": households,
                "reason": reason,
                "distance_m": None if np.isnan(distance) else distance,
            }
            for building, category, households, reason, distance in zip(
                *(head[name].tolist() for name in LISTED), strict=True
            )
        ],
    }


def _share(part: int, whole: int) -> float | None:
    return round(part / whole, 6) if whole else None
