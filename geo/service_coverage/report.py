"""Coverage as a JSON-ready report."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from geo.service_coverage.bands import BAND_M, distance_bands
from geo.service_coverage.claims import circle_claims
from geo.service_coverage.coverage import ISLAND, OFF_NETWORK
from geo.service_coverage.gaps import REASONS, gap_areas, gap_table, reason_totals
from geo.service_coverage.rules import FLOOR_AREA_M2_PER_100_HOUSEHOLDS

if TYPE_CHECKING:
    from collections.abc import Sequence

    import geopandas as gpd

    from geo.service_coverage.coverage import Coverage, Totals
    from geo.service_coverage.rules import Supply

GAPS_LISTED = 1000
"""The report lists at most this many gaps; `gap_count` is always the full number."""

AREAS_LISTED = 200

LISTED = ("building", "category", "households", "reason", "distance_m")


def coverage_report(
    coverage: Coverage,
    buildings: gpd.GeoDataFrame,
    *,
    grid_ids: Sequence[str] | None = None,
    community_ids: Sequence[str] | None = None,
    supply: Supply | None = None,
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
    supply
        Stations and floor area by community, from `geo.service_coverage.rules.community_supply`.
    gaps_listed
        Longest gap list.
    """
    reached = coverage.categories_reached
    every = reached == len(coverage.categories)
    report: dict[str, Any] = {
        "method": coverage.method,
        "minutes": coverage.minutes,
        "speed_m_per_min": coverage.speed_m_per_min,
        "radius_m": round(coverage.radius_m, 3),
        "window": coverage.window or None,
        "buildings": len(coverage.households),
        "households": coverage.total_households,
        "workers": None if coverage.workers is None else int(coverage.workers.sum()),
        "households_off_network": _in_state(coverage, OFF_NETWORK),
        "households_on_island": _in_state(coverage, ISLAND),
        "households_with_every_category": int(coverage.households[every].sum()),
        "categories": _categories(coverage),
        "households_by_categories_reached": [
            int(coverage.households[reached == k].sum()) for k in range(len(coverage.categories) + 1)
        ],
        "band_m": BAND_M,
        "other_speeds": [_at_speed(other) for other in coverage.other_speeds],
    }
    if grid_ids is not None and coverage.grids is not None:
        report["grids"] = _groups(coverage, coverage.grids, grid_ids, "grid_id")
    if community_ids is not None:
        report["communities"] = _groups(coverage, coverage.communities, community_ids, "community_id")
        if supply is not None:
            report.update(_supply(coverage, supply, community_ids))
    report.update(_gaps(coverage, buildings, gaps_listed))
    report.update(_areas(coverage, buildings, community_ids))
    return report


def _categories(coverage: Coverage) -> list[dict[str, Any]]:
    total = coverage.total_households
    served, missed = coverage.covered_households.tolist(), coverage.uncovered_households.tolist()
    off = coverage.undecided_households(OFF_NETWORK).tolist()
    island = coverage.undecided_households(ISLAND).tolist()
    bands = distance_bands(coverage).tolist()
    reasons = reason_totals(coverage).tolist()
    found = [
        {
            "category": name,
            "stations": int(coverage.stations[k]),
            "open_stations": int((coverage.is_open & (coverage.station_category == k)).sum()),
            "minutes": float(coverage.category_minutes[k]),
            "limit_m": round(float(coverage.limit_m[k]), 3),
            "households": total,
            "covered": served[k],
            "uncovered": missed[k],
            "off_network": off[k],
            "island": island[k],
            "share": _share(served[k], total),
            "bands": bands[k],
            "reasons": {reason: count for reason, count in zip(REASONS, reasons[k], strict=True) if count},
        }
        for k, name in enumerate(coverage.categories)
    ]
    workers = coverage.covered_workers
    if workers is not None:
        for k, row in enumerate(found):
            row["workers_covered"] = int(workers[k])
    if coverage.circle is not None:
        claims = circle_claims(coverage)
        for k, row in enumerate(found):
            row["circle"] = {
                "covered": int(claims.circle[k]),
                "wrongly_in": int(claims.wrongly_in[k]),
                "wrongly_out": int(claims.wrongly_out[k]),
                "over_claim": round(float(claims.over_claim[k]), 6) if claims.walk[k] else None,
                "equivalent_radius_m": round(float(claims.equivalent_radius_m[k]), 1),
            }
    return found


def _at_speed(coverage: Coverage) -> dict[str, Any]:
    total = coverage.total_households
    return {
        "speed_m_per_min": coverage.speed_m_per_min,
        "categories": [
            {
                "category": name,
                "covered": int(covered),
                "uncovered": int(uncovered),
                "share": _share(int(covered), total),
            }
            for name, covered, uncovered in zip(
                coverage.categories, coverage.covered_households, coverage.uncovered_households, strict=True
            )
        ],
    }


def _in_state(coverage: Coverage, state: int) -> int:
    return int(coverage.households[coverage.state == state].sum())


def _groups(coverage: Coverage, totals: Totals, ids: Sequence[str], key: str) -> list[dict[str, Any]]:
    if len(ids) != len(totals.households):
        raise ValueError(f"{len(ids)} ids for {len(totals.households)} rows")
    rows = []
    for k, name in enumerate(ids):
        row: dict[str, Any] = {key: str(name), "households": int(totals.households[k])}
        row["covered"] = dict(zip(coverage.categories, totals.covered[k].tolist(), strict=True))
        if coverage.method == "network":
            row["uncovered"] = dict(zip(coverage.categories, totals.uncovered[k].tolist(), strict=True))
        rows.append(row)
    return rows


def _supply(coverage: Coverage, supply: Supply, ids: Sequence[str]) -> dict[str, Any]:
    lacking = [
        {
            "category": name,
            "communities": int((supply.stations[:, k] == 0).sum()),
            "community_ids": [
                str(name) for name, count in zip(ids, supply.stations[:, k], strict=True) if count == 0
            ],
        }
        for k, name in enumerate(coverage.categories)
    ]
    part: dict[str, Any] = {"communities_without_station": lacking, "floor_area": None}
    if supply.floor_area_m2 is not None and supply.per_100_households is not None:
        households = coverage.communities.households
        part["floor_area"] = {
            "wanted_m2_per_100_households": FLOOR_AREA_M2_PER_100_HOUSEHOLDS,
            "m2": round(float(supply.floor_area_m2.sum()), 1),
            "communities": [
                {
                    "community_id": str(name),
                    "m2": round(float(area), 1),
                    "m2_per_100_households": round(float(ratio), 2) if count else None,
                    "enough": bool(ratio >= FLOOR_AREA_M2_PER_100_HOUSEHOLDS) if count else None,
                }
                for name, area, ratio, count in zip(
                    ids, supply.floor_area_m2, supply.per_100_households, households, strict=True
                )
            ],
        }
    return part


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


def _areas(
    coverage: Coverage, buildings: gpd.GeoDataFrame, community_ids: Sequence[str] | None
) -> dict[str, Any]:
    table = gap_areas(coverage, buildings).drop(columns="geometry")
    ids = list(community_ids or ())
    return {
        "gap_area_count": len(table),
        "gap_areas": [
            {
                "category": coverage.categories[row["category"]],
                "community_id": str(ids[row["community"]]) if 0 <= row["community"] < len(ids) else None,
                "households": int(row["households"]),
                "buildings": int(row["buildings"]),
                "reason": row["reason"],
            }
            for row in table.head(AREAS_LISTED).to_dict("records")
        ],
    }


def _share(part: int, whole: int) -> float | None:
    return round(part / whole, 6) if whole else None
