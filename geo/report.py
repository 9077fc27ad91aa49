"""The report of a plan: figures, verdicts and findings as one JSON document."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import shapely

from geo import __version__, boundaries
from geo.crs import transformer
from geo.fixed import find_fixed
from geo.loads import unit_loads
from geo.partition.ceiling import BANDS, ceilings_ahead, whole_band
from geo.partition.donuts import find_donuts
from geo.partition.packing import pieces_needed
from geo.partition.reason_texts import UNPROVED
from geo.tiling import SCALE
from geo.types import BorderClass
from geo.verify import TilingVerdict, verify_tiling

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from concurrent.futures import Executor

    import geopandas as gpd
    from numpy.typing import NDArray

    from geo.city import City
    from geo.partition.ceiling import Ceiling
    from geo.partition.release import Figures, ReleaseGain
    from geo.plan import DrawnPlan
    from geo.standards import Standard
    from geo.tiling import Tiling
    from geo.units import Units

ALONG_ROADS = (
    BorderClass.ALLEY,
    BorderClass.STREET,
    BorderClass.ARTERIAL,
    BorderClass.RAILWAY,
    BorderClass.WATER,
)

NEAR_M = 15.0
"""A border this close to a road's centre line, in metres, is near it."""


def plan_report(
    city: City,
    tiling: Tiling,
    units: Units,
    plan: DrawnPlan,
    layers: Mapping[str, gpd.GeoDataFrame],
    *,
    release: Sequence[ReleaseGain] | None = None,
    executor: Executor | None = None,
) -> dict[str, Any]:
    """Measure and check a plan, and say how much better any plan could be.

    Parameters
    ----------
    city, tiling, units, plan, layers
        The plan, all it was made from, and its layers.
    release
        What it would gain to divide compounds (`geo.partition.release.release_gains`), when that was looked for.
    executor
        Where the ceilings are worked on; None works in the calling thread.

    Returns
    -------
    A JSON-ready dictionary; docs/report.md lists its keys. Shares are taken over the grids with homes and are
    None when there are none.
    """
    grids, standard = plan.grids, plan.standard
    homes = grids["households"].to_numpy() > 0
    # An executor works on the ceilings while this process measures and checks.
    bounded = _ceiling(units, plan, executor) if homes.any() else None
    near_roads, exact = _near_roads(city, tiling, plan), _exact_tiling(layers)
    deviation = np.abs(grids["deviation"].to_numpy())
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
        "share_within_10": _share(deviation[homes] <= 0.10 + 1e-9),
        "share_within_20": _share(deviation[homes] <= 0.20 + 1e-9),
        "ceiling": None if bounded is None else bounded(),
        "certificate": _certificate(city, units, plan),
        "donuts": _donuts(units, plan),
        "out_of_band": _out_of_band(plan),
        "released": [_gain(city, gain) for gain in plan.releases],
        "release": None if release is None else [_gain(city, gain) for gain in release],
        "compounds": compounds,
        "compounds_split": compounds["split"],
        "mean_polsby_popper": _mean(grids["compactness"].to_numpy()[homes]),
        "border": {kind.name.lower(): round(length, 1) for kind, length in border_m.items()},
        "border_along_roads": _along_roads(border_m),
        "border_near_roads": near_roads,
        "exact_tiling": exact,
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


def _households(city: City, plan: DrawnPlan) -> dict[str, Any]:
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


def _out_of_band(plan: DrawnPlan) -> list[dict[str, Any]]:
    outside = plan.grids[~plan.grids["in_band"]]
    columns = ["grid_id", "community_id", "households", "persons", "deviation"]
    records: list[dict[str, Any]] = outside[[*columns, "reason", "reason_zh", "reason_en"]].to_dict("records")
    return records


def _compounds(city: City, tiling: Tiling, plan: DrawnPlan) -> dict[str, int]:
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


def _near_roads(city: City, tiling: Tiling, plan: DrawnPlan) -> float | None:
    """Share of the border between grids whose straight pieces have their middle near a road's centre line."""
    segments = tiling.segments
    left, right = boundaries.sides(tiling, plan.grid_of_cell)
    community = np.append(tiling.cells["community"].to_numpy(np.int32), np.int32(-1))
    inner = (left != right) & (left >= 0) & (right >= 0)
    inner &= community[segments.left] == community[segments.right]
    length = segments.length_m[inner]
    if not length.sum() > 0.0:
        return None
    middle = (segments.start[inner] + segments.end[inner]) / (2 * SCALE)
    to_metres = transformer(tiling.cells.crs, city.crs)
    points = shapely.points(*to_metres.transform(middle[:, 0], middle[:, 1]))
    tree = shapely.STRtree(city.roads.geometry.to_numpy())
    near = np.unique(tree.query(points, predicate="dwithin", distance=NEAR_M)[0])
    return round(float(length[near].sum() / length.sum()), 4)


def _ceiling(units: Units, plan: DrawnPlan, executor: Executor | None) -> Callable[[], dict[str, Any]]:
    """Begin to bound the shares of all plans, and of those with as many grids in every part as this one."""
    grid = _grid_of_unit(units, plan)
    fixed = find_fixed(units, plan.standard)
    found = ceilings_ahead(
        units, plan.standard, grid, fixed=fixed if len(fixed.dedicated) else None, executor=executor
    )
    whole = (plan.grid_of_cell == grid[units.of_cell])[units.of_cell >= 0].all()

    def wait() -> dict[str, Any]:
        bounds = found()
        return {
            "same_counts": _shares(bounds.same) if whole else None,
            "any_counts": _shares(bounds.any),
            "exceptions": _exceptions(units, plan.standard, grid),
        }

    return wait


def _shares(ceiling: Ceiling) -> dict[str, float]:
    """Round up: a ceiling stays one."""
    return {name: float(np.ceil(getattr(ceiling, name) * 1e4 - 1e-6) / 1e4) for name in BANDS}


def _exceptions(units: Units, standard: Standard, grid: NDArray[np.int32]) -> int:
    """Count the grids to which the ceilings do not apply: two units too large, together above the hard maximum."""
    load = unit_loads(units, standard)
    hard = standard.max if standard.hard_max is None else standard.hard_max
    large = np.flatnonzero(load > min(whole_band(standard, name)[1] for name in BANDS))
    order = large[np.lexsort((-load[large], grid[large]))]
    first = np.flatnonzero(np.diff(grid[order], prepend=-1))
    second = np.setdiff1d(first + 1, np.append(first, len(order)))
    return int((load[order[second - 1]] + load[order[second]] > hard).sum())


def _grid_of_unit(units: Units, plan: DrawnPlan) -> NDArray[np.int32]:
    grid = np.zeros(units.n, np.int32)
    inside = units.of_cell >= 0
    grid[units.of_cell[inside]] = plan.grid_of_cell[inside]
    return grid


def _certificate(city: City, units: Units, plan: DrawnPlan) -> list[dict[str, Any]]:
    """Say of every community how many of its grids out of the band, and of its cut compounds, must be."""
    grids = plan.grids
    outside = ~grids["in_band"].to_numpy()
    open_ = outside & grids["reason"].isin(UNPROVED).to_numpy()
    community = grids["community"].to_numpy()
    n = len(city.communities)
    splits, needed = _splits(units, plan, n)
    table = pd.DataFrame(
        {
            "community_id": city.communities["community_id"].to_numpy(),
            "grids": np.bincount(community, minlength=n),
            "out_of_band": np.bincount(community[outside], minlength=n),
            "unavoidable": np.bincount(community[outside & ~open_], minlength=n),
            "not_proved": np.bincount(community[open_], minlength=n),
            "splits": splits,
            "splits_needed": needed,
        }
    )
    return [
        dict(zip(table.columns, row, strict=True)) for row in table.astype(object).itertuples(index=False)
    ]


def _donuts(units: Units, plan: DrawnPlan) -> list[dict[str, Any]]:
    """List the grids that enclose others, and say of each whether every plan in the band has such a grid there."""
    names = plan.grids["grid_id"].to_numpy()
    return [
        {
            "grid_id": str(names[donut.grid]),
            "encloses": [str(names[g]) for g in donut.inside],
            "proved": donut.proved,
            "closed_in": donut.load if donut.proved else None,
        }
        for donut in find_donuts(units, _grid_of_unit(units, plan), plan.standard)
    ]


def _splits(units: Units, plan: DrawnPlan, n: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Count the pieces of compounds beyond one, and those that there are while no grid is above the maximum."""
    load, grid = unit_loads(units, plan.standard), _grid_of_unit(units, plan)
    rows = np.flatnonzero((units.compound >= 0) & (load > 0))
    keys = np.stack([units.community[rows], units.compound[rows]], axis=1)
    order = rows[np.lexsort((keys[:, 1], keys[:, 0]))]
    new = np.flatnonzero((np.diff(units.community[order]) != 0) | (np.diff(units.compound[order]) != 0)) + 1
    splits, needed = np.zeros(n, np.int64), np.zeros(n, np.int64)
    for own in np.split(order, new):
        if len(own) > 1:
            community = units.community[own[0]]
            splits[community] += len(np.unique(grid[own])) - 1
            needed[community] += pieces_needed(load[own], plan.standard.max) - 1
    return splits, needed


def _gain(city: City, gain: ReleaseGain) -> dict[str, Any]:
    return {
        "compound_id": str(city.compounds["compound_id"].iloc[gain.compound]),
        "community_id": str(city.communities["community_id"].iloc[gain.community]),
        "load": gain.load,
        "gain": gain.gain,
        "before": _figures(gain.before),
        "after": _figures(gain.after),
        "zh": gain.zh,
        "en": gain.en,
    }


def _figures(figures: Figures) -> dict[str, int]:
    return {"grids": figures.grids, "in_band": figures.in_band, "within_10": figures.within_10}


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


def _contiguity(plan: DrawnPlan) -> dict[str, Any]:
    """Find grids that are not connected: their cells, dissolved, are not one polygon."""
    broken = plan.grids.loc[plan.grids.geometry.geom_type != "Polygon", "grid_id"]
    return {"ok": broken.empty, "disconnected": len(broken), "grids": broken.tolist()}
