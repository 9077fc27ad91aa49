"""An edited plan as shapes and layers: what files, maps and the exact verifier take."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import geopandas as gpd
import numpy as np
import pandas as pd

from geo import boundaries, codes
from geo.editing.judged import deviation, grid_rows, in_band
from geo.editing.numbering import code_prefix
from geo.editing.present import WGS84, present_tiling
from geo.editing.started import held_reasons
from geo.plan import DrawnPlan

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from geo.dataset.folder import Dataset
    from geo.editing.plan import Grid, Plan
    from geo.editing.present import Share
    from geo.tiling import Tiling


PUBLISHED_FIGURES: tuple[tuple[str, str, type], ...] = (
    *((name, name, np.int64) for name in ("households", "persons", "load", "buildings", "cells", "pieces")),
    ("deviation", "deviation", np.float64),
    ("in_band", "in_band", np.bool_),
    ("compactness", "polsby_popper", np.float64),
    ("area_m2", "area_m2", np.float64),
    ("perimeter_m", "perimeter_m", np.float64),
    ("locked", "locked", np.bool_),
    ("staff", "staff", np.int64),
)
"""Columns of `published_grids`, what `geo.editing.judged.grid_rows` calls them, and their type."""


@dataclass(frozen=True)
class Drawing:
    """An edited plan with its shapes.

    Attributes
    ----------
    tiling
        The cells of the plan: rows as in `Plan.ground`; one that is retired has an empty Polygon.
    plan
        The grids; `geo.plan.DrawnPlan.grid_of_cell` is -1 for cells in no grid.
    ids
        int64, shape (grids,): id in the edited plan of each row of the grids.
    shares
        What lives where of every building whose footprint a division cut.
    """

    tiling: Tiling
    plan: DrawnPlan
    ids: NDArray[np.int64]
    shares: tuple[Share, ...]


def draw(dataset: Dataset, plan: Plan) -> Drawing:
    """Draw an edited plan.

    Grids come in the order of community and code; a grid in pieces is a MultiPolygon. Codes, names and all counts
    are the plan's own. Compactness, area and perimeter are measured on the shapes in the working CRS, as for any
    plan; the whole millimetres and square decimetres of `Plan.figures` differ from them by their rounding.

    Parameters
    ----------
    dataset
        That of the plan.
    plan
        Any state of it, with any divisions.
    """
    if dataset.id != plan.ground.dataset:
        raise ValueError(f"the plan is of dataset {plan.ground.dataset}, not of {dataset.id}")
    tiling, shares = present_tiling(dataset, plan)
    grids = sorted(plan.grids.values(), key=lambda g: (g.community, len(g.code), g.code, g.id))
    ids = np.array([grid.id for grid in grids], np.int64)
    row = np.full(plan.next_grid + 1, -1, np.int32)  # the last entry answers for cells in no grid
    row[ids] = np.arange(len(ids), dtype=np.int32)
    of_cell = row[plan.assignment]
    shapes = boundaries.dissolve(tiling, of_cell, len(ids))
    borders = boundaries.border_summary(tiling, of_cell, len(ids))
    table = _grid_table(plan, grids, borders)
    frame = gpd.GeoDataFrame(table, geometry=shapes.to_numpy(), crs=WGS84)
    seed = plan.parameters.get("seed", 0)
    drawn = DrawnPlan(of_cell, frame, plan.standard, seed if isinstance(seed, int) else 0)
    return Drawing(tiling, drawn, ids, shares)


def drawn_plan(dataset: Dataset, plan: Plan) -> DrawnPlan:
    """Return an edited plan as a drawn one; see `draw`."""
    return draw(dataset, plan).plan


def layers_of(dataset: Dataset, plan: Plan) -> dict[str, gpd.GeoDataFrame]:
    """Return the layers of an edited plan, as `geo.plan.plan_layers` does for one fresh from the engine.

    A cell in no grid has an empty ``grid_id`` and lies in no polygon of ``grids``. A building of a divided cell is
    in the grid of the half that counts it. Where a division cut a footprint so that its households are in several
    grids, the building's own ``households`` stay whole, and ``divided_between`` says which grid has how many of
    them (``"C1-001:12;C1-002:8"``); that column is there only when there is such a building.

    Parameters
    ----------
    dataset, plan
        As in `draw`.
    """
    drawing = draw(dataset, plan)
    city, tiling, drawn = dataset.city, drawing.tiling, drawing.plan
    layers = {
        "grids": drawn.grids.drop(columns=["community", "number"]),
        "cells": _cells_layer(dataset, plan, drawing),
        "buildings": _buildings_layer(dataset, drawing),
        "communities": tiling.communities[["community_id", "name", "street", "code", "geometry"]],
    }
    with_shape = city.compounds[city.compounds.geometry.notna()]
    if len(with_shape):
        layers["compounds"] = with_shape.to_crs(WGS84)
    if len(city.stations):
        layers["stations"] = city.stations.to_crs(WGS84)
    return layers


def published_grids(dataset: Dataset, plan: Plan) -> gpd.GeoDataFrame:
    """Return the grids of a plan as one table for a database or a GIS.

    Parameters
    ----------
    dataset, plan
        As in `draw`.

    Returns
    -------
    EPSG:4326, RangeIndex, Polygon or MultiPolygon. ``grid_id`` (int64, the id in the plan), ``code``, ``name``,
    ``community_id``, ``community`` (its name), ``households``, ``persons``, ``load``, ``buildings``, ``cells``,
    ``pieces`` (int64), ``deviation``, ``compactness``, ``area_m2``, ``perimeter_m`` (float64), ``in_band``,
    ``locked`` (bool), ``staff`` (int64), ``kind``, ``note``: the plan's own figures, in the order of the layer
    ``grids``.
    """
    drawing = draw(dataset, plan)
    by_id = {row["id"]: row for row in grid_rows(plan)}
    rows = [by_id[number] for number in drawing.ids.tolist()]
    names = plan.ground.community_names
    columns = {
        "grid_id": pd.Series([row["id"] for row in rows], dtype=np.int64),
        **{
            name: pd.Series([row[name] for row in rows], dtype=str)
            for name in ("code", "name", "community_id")
        },
        "community": pd.Series([names[row["community"]] for row in rows], dtype=str),
        **{
            name: pd.Series([row[said] for row in rows], dtype=kind) for name, said, kind in PUBLISHED_FIGURES
        },
        **{name: pd.Series([row[name] for row in rows], dtype=str) for name in ("kind", "note")},
    }
    return gpd.GeoDataFrame(columns, geometry=drawing.plan.grids.geometry.to_numpy(), crs=WGS84)


def _grid_table(plan: Plan, grids: Sequence[Grid], borders: pd.DataFrame) -> dict[str, Any]:
    """Return the columns of `geo.plan.DrawnPlan.grids` but for the geometry."""
    ground, figures = plan.ground, plan.figures
    ids = np.array([grid.id for grid in grids], np.int64)
    community = np.array([grid.community for grid in grids], np.int32)
    sums = {name: getattr(figures, name)[ids] for name in ("households", "persons", "load")}
    if (sums["load"] == sums[plan.standard.measure]).all():
        del sums["load"]
    within = in_band(plan)[ids]
    reasons = _reasons(plan, grids, within)
    first = np.searchsorted(community, community)  # grids come by community
    return {
        "grid_id": grid_ids(plan, grids),
        "code": [grid.code for grid in grids],
        "name": [grid.name for grid in grids],
        "number": np.arange(len(ids), dtype=np.int64) - first + 1,
        "community": community,
        "community_id": np.array(ground.community_ids, dtype=object)[community],
        **sums,
        "buildings": figures.buildings[ids],
        "deviation": np.round(deviation(plan)[ids], 6),
        "in_band": within,
        "compactness": np.round(borders["polsby_popper"].to_numpy(), 6),
        "area_m2": np.round(borders["area_m2"].to_numpy(), 2),
        "perimeter_m": np.round(borders["perimeter_m"].to_numpy(), 2),
        **{
            column: [reason[key] for reason in reasons]
            for column, key in (("reason", "code"), ("reason_zh", "zh"), ("reason_en", "en"))
        },
    }


def grid_ids(plan: Plan, grids: Sequence[Grid]) -> list[str]:
    """Return an id for each grid that no other has: its community's id and the number that its code ends in.

    A grid whose code does not follow the numbering, or repeats one before it, is named by its id in the plan
    (``"C1-g17"``).
    """
    taken: set[str] = set()
    found = []
    for grid in grids:
        prefix = code_prefix(plan.ground, grid.community)
        tail = grid.code.removeprefix(prefix)
        home = plan.ground.community_ids[grid.community]
        numbered = grid.code.startswith(prefix) and tail.isascii() and tail.isdigit() and len(tail) >= 3
        name = f"{home}-{tail}" if numbered and f"{home}-{tail}" not in taken else f"{home}-g{grid.id}"
        taken.add(name)
        found.append(name)
    return found


def _reasons(plan: Plan, grids: Sequence[Grid], within: NDArray[np.bool_]) -> list[dict[str, str]]:
    """Say why grids are out of the band: as the engine did where nothing changed, else that nobody looked."""
    said = held_reasons(plan)
    standard = plan.standard
    zh_unit, en_unit = ("户", "households") if standard.measure == "households" else ("人", "persons")
    found = []
    for grid, good in zip(grids, within.tolist(), strict=True):
        if grid.id in said:
            found.append(said[grid.id])
        elif good:
            found.append({"code": "", "zh": "", "en": ""})
        else:
            load = int(plan.figures.load[grid.id])
            found.append(
                {
                    "code": "not-searched",
                    "zh": f"{load}{zh_unit}，不在{standard.min}～{standard.max}{zh_unit}内；该网格经人工调整，"
                    "未重新搜索。",
                    "en": f"{load} {en_unit}, not within {standard.min} to {standard.max}; this grid was changed "
                    "by hand, without a search.",
                }
            )
    return found


def _cells_layer(dataset: Dataset, plan: Plan, drawing: Drawing) -> gpd.GeoDataFrame:
    """One row for each cell that is there; buildings that share a cell are named together."""
    city, tiling = dataset.city, drawing.tiling
    live = np.flatnonzero(plan.ground.live)
    placed = np.flatnonzero(tiling.building_cell >= 0)
    # A cut building is named in every cell it reaches into, the one that counts it among them.
    reach = [s for s in drawing.shares if tiling.building_cell[s.building] != s.cell]
    rows = np.append(placed, np.array([s.building for s in reach], np.int64))
    cell = np.append(tiling.building_cell[placed], np.array([s.cell for s in reach], np.int32))
    order = np.lexsort((rows, cell))
    names = city.buildings["building_id"].to_numpy(dtype=object)
    joined = codes.joined(names[rows[order]], cell[order], plan.ground.n)
    cells = plan.ground.cells
    ids = drawing.plan.grids["grid_id"]
    return gpd.GeoDataFrame(
        {
            "cell_id": [f"C{k:06d}" for k in (live + 1).tolist()],
            "building_id": joined[live],
            "compound_id": picked(city.compounds["compound_id"], cells.compound[live]),
            "grid_id": picked(ids, drawing.plan.grid_of_cell[live]),
            "community_id": picked(city.communities["community_id"], cells.community[live]),
            "households": cells.households[live],
        },
        geometry=tiling.cells.geometry.to_numpy()[live],
        crs=WGS84,
    )


def _buildings_layer(dataset: Dataset, drawing: Drawing) -> gpd.GeoDataFrame:
    """Every located building of the input; ``grid_id`` is empty for one in no grid."""
    city, of_cell = dataset.city, np.append(drawing.plan.grid_of_cell, np.int32(-1))
    buildings = city.buildings
    ids = drawing.plan.grids["grid_id"]
    frame = gpd.GeoDataFrame(
        {
            "building_id": buildings["building_id"].to_numpy(),
            "source_row": buildings["source_row"].to_numpy(),
            "grid_id": picked(ids, of_cell[drawing.tiling.building_cell]),
            "community_id": picked(city.communities["community_id"], buildings["community"].to_numpy()),
            "compound_id": picked(city.compounds["compound_id"], buildings["compound"].to_numpy()),
            "households": buildings["households"].to_numpy(),
            "persons": buildings["persons"].to_numpy(),
            "address": buildings["address"].to_numpy(),
        },
        geometry=buildings.geometry.to_crs(WGS84).to_numpy(),
        crs=WGS84,
    )
    between = _divided_between(drawing)
    if between:
        frame["divided_between"] = [between.get(row, "") for row in range(len(frame))]
    return frame


def _divided_between(drawing: Drawing) -> dict[int, str]:
    """Say of buildings whose households live in several grids how many live in which, by row of the building."""
    ids = np.append(drawing.plan.grids["grid_id"].to_numpy(dtype=object), "")
    held: dict[int, dict[int, int]] = {}
    for share in drawing.shares:
        grids = held.setdefault(share.building, {})
        grid = int(drawing.plan.grid_of_cell[share.cell])
        grids[grid] = grids.get(grid, 0) + share.households
    return {
        row: ";".join(f"{ids[grid]}:{n}" for grid, n in sorted(grids.items()))
        for row, grids in held.items()
        if len(grids) > 1
    }


def picked(ids: pd.Series, position: NDArray[np.integer]) -> NDArray[np.object_]:
    """Return ids by position, and an empty string where the position is -1."""
    return np.append(ids.to_numpy(dtype=object), "")[position]
