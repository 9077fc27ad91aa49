"""The report of a plan: figures, verdicts and findings as one JSON document."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from geo import __version__, boundaries
from geo.types import BorderClass
from geo.verify import TilingVerdict, verify_tiling

if TYPE_CHECKING:
    from collections.abc import Mapping

    import geopandas as gpd

    from geo.city import City
    from geo.plan import Plan
    from geo.tiling import Tiling
    from geo.units import Units

ALONG_ROADS = (
    BorderClass.ALLEY,
    BorderClass.STREET,
    BorderClass.ARTERIAL,
    BorderClass.RAILWAY,
    BorderClass.WATER,
)


def plan_report(
    city: City, tiling: Tiling, units: Units, plan: Plan, layers: Mapping[str, gpd.GeoDataFrame]
) -> dict[str, Any]:
    """Measure and check a plan.

    Returns
    -------
    A JSON-ready dictionary; docs/report.md lists its keys. Shares are taken over the grids with homes and are
    None when there are none.
    """
    grids, standard = plan.grids, plan.standard
    load = grids[standard.measure].to_numpy()
    homes = grids["households"].to_numpy() > 0
    deviation = np.abs(load - standard.target) / standard.target
    border_m = boundaries.border_totals(tiling, plan.grid_of_cell)
    findings = [*city.findings, *tiling.findings]
    compounds = _compounds(city, tiling, plan)
    return {
        "version": __version__,
        "standard": standard.id,
        "measure": standard.measure,
        "target": standard.target,
        "band": [standard.min, standard.max],
        "seed": plan.seed,
        "crs": city.crs.to_string() if city.crs.to_epsg() else city.crs.name,
        "communities": len(city.communities),
        "cells": len(tiling.cells),
        "units": units.n,
        "grids": len(grids),
        "grids_without_homes": int((~homes).sum()),
        "households": _households(city, plan),
        "persons_estimated": city.persons_estimated,
        "share_in_band": _share(grids["in_band"].to_numpy()[homes]),
        "share_within_10": _share(deviation[homes] <= 0.10 + 1e-12),
        "share_within_20": _share(deviation[homes] <= 0.20 + 1e-12),
        "out_of_band": _out_of_band(plan),
        "compounds": compounds,
        "compounds_split": compounds["split"],
        "mean_polsby_popper": _mean(grids["compactness"].to_numpy()[homes]),
        "border": {kind.name.lower(): round(length, 1) for kind, length in border_m.items()},
        "border_along_roads": _along_roads(border_m),
        "exact_tiling": _exact_tiling(layers),
        "contiguity": _contiguity(plan),
        "findings": [finding.to_dict() for finding in findings],
    }


def to_json(report: Mapping[str, Any]) -> str:
    """Return the report as readable JSON."""
    return json.dumps(report, ensure_ascii=False, indent=1, allow_nan=False) + "\n"


def _share(hits: np.ndarray[Any, np.dtype[np.bool_]]) -> float | None:
    return round(float(hits.mean()), 4) if len(hits) else None


def _mean(values: np.ndarray[Any, np.dtype[np.float64]]) -> float | None:
    return round(float(values.mean()), 4) if len(values) else None


def _households(city: City, plan: Plan) -> dict[str, Any]:
    """Count the input's households: placed in a grid, or not and why; always as integers that add up."""
    unplaced = city.unplaced
    reasons = [
        {
            "reason": str(reason),
            "rows": len(rows),
            "households": int(rows["households"].sum()),
            "ids": [str(i) for i in rows["id"].head(100)],
            "source_rows": [int(i) for i in rows["source_row"].head(100)],
        }
        for reason, rows in unplaced.groupby("reason", sort=True)
    ]
    return {
        "in": int(city.households_in),
        "placed": int(plan.grids["households"].sum()),
        "unplaced": int(unplaced["households"].sum()),
        "unplaced_reasons": reasons,
    }


def _out_of_band(plan: Plan) -> list[dict[str, Any]]:
    outside = plan.grids[~plan.grids["in_band"]]
    columns = ["grid_id", "community_id", "households", "persons", "deviation"]
    records: list[dict[str, Any]] = outside[[*columns, "reason", "reason_zh", "reason_en"]].to_dict("records")
    return records


def _compounds(city: City, tiling: Tiling, plan: Plan) -> dict[str, int]:
    """Count compounds with homes: too large for a grid, and split although they would have fitted.

    A compound that lies in several communities counts once in each: no grid crosses their border.
    """
    placed = tiling.building_cell >= 0
    homes = city.buildings.loc[placed, ["compound", "community", "households", "persons"]]
    homes = homes.assign(grid=plan.grid_of_cell[tiling.building_cell[placed]])
    homes = homes[(homes["compound"] >= 0) & (homes["households"] > 0)]
    by = homes.groupby(["community", "compound"])
    table = pd.DataFrame({"load": by[plan.standard.measure].sum(), "grids": by["grid"].nunique()})
    fits = table["load"] <= plan.standard.max
    return {
        "total": len(table),
        "too_large": int((~fits).sum()),
        "split": int((fits & (table["grids"] > 1)).sum()),
        "split_too_large": int((~fits & (table["grids"] > 1)).sum()),
    }


def _along_roads(border_m: Mapping[BorderClass, float]) -> float | None:
    """Share of the border between grids that runs along a road, a railway or water."""
    total = sum(border_m.values())
    return round(sum(border_m[kind] for kind in ALONG_ROADS) / total, 4) if total > 0 else None


def verify_layers(layers: Mapping[str, gpd.GeoDataFrame]) -> dict[str, TilingVerdict]:
    """Check with integers that the cells, and the grids, of a plan tile its communities exactly.

    Parameters
    ----------
    layers
        As `geo.plan.plan_layers` makes them or `geo.plan_files.read_plan` reads them.

    Returns
    -------
    One verdict for ``"cells"`` and one for ``"grids"``.
    """
    communities = layers["communities"]
    position = pd.Series(np.arange(len(communities)), index=communities["community_id"])
    return {
        name: verify_tiling(
            layers[name].geometry,
            layers[name]["community_id"].map(position).fillna(-1).to_numpy(np.int64),
            communities.geometry,
        )
        for name in ("cells", "grids")
    }


def _exact_tiling(layers: Mapping[str, gpd.GeoDataFrame]) -> dict[str, Any]:
    verdicts = verify_layers(layers)
    ids = layers["communities"]["community_id"].to_numpy()
    return {
        "ok": all(verdict.ok for verdict in verdicts.values()),
        "unmatched_edges": sum(verdict.unmatched_edges for verdict in verdicts.values()),
        "invalid": sum(len(verdict.invalid_polygons) for verdict in verdicts.values()),
        "where": [
            {
                "layer": name,
                "fault": place.fault,
                "community_id": str(ids[place.group]),
                "lon": place.lon,
                "lat": place.lat,
            }
            for name, verdict in verdicts.items()
            for place in verdict.where
        ],
    }


def _contiguity(plan: Plan) -> dict[str, Any]:
    """Find grids that are not connected: their cells, dissolved, are not one polygon."""
    broken = plan.grids.loc[plan.grids.geometry.geom_type != "Polygon", "grid_id"]
    return {"ok": broken.empty, "disconnected": len(broken), "grids": broken.tolist()}
