"""A drawn plan: which cell belongs to which grid, and what each grid is like."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import geopandas as gpd
import numpy as np
import shapely

from geo import boundaries, codes
from geo.fixed import judge

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pandas as pd
    from numpy.typing import NDArray

    from geo.city import City
    from geo.partition import Partition
    from geo.partition.release import ReleaseGain
    from geo.standards import Standard
    from geo.tiling import Tiling
    from geo.units import Units


@dataclass(frozen=True)
class DrawnPlan:
    """One complete division of a city into grids.

    Attributes
    ----------
    grid_of_cell
        int32, shape (cells,): row of `grids` of each cell.
    grids
        RangeIndex, EPSG:4326, one Polygon each, in the order of their codes. Columns ``grid_id``, ``code``,
        ``name`` (str), ``number`` (int64, from 1 in each community), ``community`` (int32, position),
        ``community_id`` (str), ``households``, ``persons``, ``buildings`` (int64), ``deviation`` (float64, of the
        load from the target, as a share of it), ``in_band`` (bool), ``compactness`` (float64, Polsby–Popper in
        the working CRS), ``area_m2``, ``perimeter_m`` (float64), ``reason``, ``reason_zh``, ``reason_en`` (str, ""
        when in band and not a dedicated grid). ``load`` (int64) where the standard mixes measures: what bands and
        deviations count. A dedicated grid is in band with a deviation of 0.
    standard
        The rules the plan was made with.
    seed
        Seed of the random numbers it was made with.
    releases
        Compounds divided for the sake of the band, each with its reason.
    """

    grid_of_cell: NDArray[np.int32]
    grids: gpd.GeoDataFrame
    standard: Standard
    seed: int
    releases: tuple[ReleaseGain, ...] = ()


def assemble(
    city: City,
    tiling: Tiling,
    units: Units,
    partition: Partition,
    *,
    standard: Standard,
    seed: int,
    releases: Sequence[ReleaseGain] = (),
) -> DrawnPlan:
    """Turn a partition of units into a plan of numbered, coded, named grids with their figures."""
    drawn = partition.grid_of_unit[units.of_cell]
    n = len(partition.community)
    shapes = boundaries.dissolve(tiling, drawn, n)
    borders = boundaries.border_summary(tiling, drawn, n)
    centre = gpd.GeoSeries(shapely.point_on_surface(shapes.to_numpy()), crs=shapes.crs).to_crs(city.crs)
    order = codes.scan_order(
        partition.community, np.column_stack([centre.x, centre.y]), borders["area_m2"].to_numpy(np.float64)
    )
    borders = borders.iloc[order]
    rank = np.empty(n, np.int32)
    rank[order] = np.arange(n, dtype=np.int32)
    grid_of_cell = rank[drawn]

    community = partition.community[order]
    placed = tiling.building_cell >= 0
    grid_of_building = grid_of_cell[tiling.building_cell[placed]]
    homes = city.buildings.loc[placed]
    sums = {
        name: np.bincount(grid_of_building, weights=homes[name], minlength=n).astype(np.int64)
        for name in ("households", "persons")
    }
    judged = judge(units, standard, rank[partition.grid_of_unit], n)
    if (judged.load != sums[standard.measure]).any():
        sums["load"] = judged.load
    reasons = [partition.reasons[i] for i in order]
    table = codes.number_grids(community, city.communities).assign(
        community=community,
        community_id=city.communities["community_id"].to_numpy()[community],
        **sums,
        buildings=np.bincount(grid_of_building, minlength=n).astype(np.int64),
        deviation=np.round(judged.deviation, 6),
        in_band=judged.in_band,
        compactness=np.round(borders["polsby_popper"].to_numpy(), 6),
        area_m2=np.round(borders["area_m2"].to_numpy(), 2),
        perimeter_m=np.round(borders["perimeter_m"].to_numpy(), 2),
        reason=[r.code if r else "" for r in reasons],
        reason_zh=[r.zh if r else "" for r in reasons],
        reason_en=[r.en if r else "" for r in reasons],
    )
    grids = gpd.GeoDataFrame(table, geometry=shapes.to_numpy()[order], crs=shapes.crs)
    return DrawnPlan(grid_of_cell, grids, standard, seed, tuple(releases))


def plan_layers(city: City, tiling: Tiling, plan: DrawnPlan) -> dict[str, gpd.GeoDataFrame]:
    """Return the layers of the plan file (see `geo.plan_files.NEEDED`), EPSG:4326."""
    ids = plan.grids["grid_id"].to_numpy()
    layers = {
        "grids": plan.grids.drop(columns=["community", "number"]),
        "cells": _cells_layer(city, tiling, plan),
        "buildings": _buildings_layer(city, tiling, plan),
        "communities": tiling.communities[["community_id", "name", "street", "code", "geometry"]],
    }
    layers["cells"]["grid_id"] = ids[plan.grid_of_cell]
    drawn = city.compounds[city.compounds.geometry.notna()]
    if len(drawn):
        layers["compounds"] = drawn.to_crs(tiling.cells.crs)
    if len(city.stations):
        layers["stations"] = city.stations.to_crs(tiling.cells.crs)
    return layers


def _cells_layer(city: City, tiling: Tiling, plan: DrawnPlan) -> gpd.GeoDataFrame:
    """One row a cell; buildings that share a cell are named together, separated by semicolons."""
    placed = np.flatnonzero(tiling.building_cell >= 0)
    cell = tiling.building_cell[placed]
    homes = city.buildings.iloc[placed]
    n = len(tiling.cells)
    return gpd.GeoDataFrame(
        {
            "cell_id": [f"C{k:06d}" for k in range(1, n + 1)],
            "building_id": codes.joined(homes["building_id"].to_numpy(dtype=object), cell, n),
            "compound_id": _pick(city.compounds["compound_id"], tiling.cells["compound"]),
            "grid_id": plan.grids["grid_id"].to_numpy()[plan.grid_of_cell],
            "community_id": _pick(city.communities["community_id"], tiling.cells["community"]),
            "households": np.bincount(cell, weights=homes["households"], minlength=n).astype(np.int64),
        },
        geometry=tiling.cells.geometry.to_numpy(),
        crs=tiling.cells.crs,
    )


def _buildings_layer(city: City, tiling: Tiling, plan: DrawnPlan) -> gpd.GeoDataFrame:
    """Every located building of the input; ``grid_id`` is empty for one outside every community."""
    placed = tiling.building_cell >= 0
    grid = np.full(len(city.buildings), -1, np.int32)
    grid[placed] = plan.grid_of_cell[tiling.building_cell[placed]]
    buildings = city.buildings
    return gpd.GeoDataFrame(
        {
            "building_id": buildings["building_id"].to_numpy(),
            "source_row": buildings["source_row"].to_numpy(),
            "grid_id": _pick(plan.grids["grid_id"], grid),
            "community_id": _pick(city.communities["community_id"], buildings["community"]),
            "compound_id": _pick(city.compounds["compound_id"], buildings["compound"]),
            "households": buildings["households"].to_numpy(),
            "persons": buildings["persons"].to_numpy(),
            "address": buildings["address"].to_numpy(),
        },
        geometry=buildings.geometry.to_crs("EPSG:4326").to_numpy(),
        crs="EPSG:4326",
    )


def _pick(ids: pd.Series, position: NDArray[np.int32] | pd.Series) -> NDArray[np.object_]:
    """Return ids by position, and an empty string where the position is -1."""
    return np.append(ids.to_numpy(dtype=object), "")[np.asarray(position)]
