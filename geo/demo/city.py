"""Make the whole demo city as frames."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from geo.demo import frames
from geo.demo.areas import area_layers, divide_city
from geo.demo.built import build
from geo.demo.faces import add_nodes, make_railways, make_roads
from geo.demo.plan import draw_plan
from geo.demo.services import make_candidates, make_stations
from geo.demo.settings import SPECS

if TYPE_CHECKING:
    import geopandas as gpd
    import pandas as pd
    from numpy.typing import NDArray

    from geo.demo.settings import Size

LAYERS = (
    "buildings",
    "households",
    "compounds",
    "communities",
    "subdistricts",
    "roads",
    "water",
    "railways",
    "stations",
    "old_grids",
    "candidates",
    "gates",
    "parks",
)
"""Layers of the demo city, in the order they are written; ``households`` has no geometry."""


def make_city(size: Size, *, seed: int = 0) -> dict[str, gpd.GeoDataFrame | pd.DataFrame]:
    """Make an invented city district.

    Parameters
    ----------
    size
        ``"small"`` for five communities, ``"full"`` for 7 subdistricts, 84 communities, 518 old grids and
        216,750 households.
    seed
        Another seed gives another city; the same seed always the same one.

    Returns
    -------
    Frames by layer, see `LAYERS`; all but ``households`` are GeoDataFrames in EPSG:4549. Everything is invented:
    places, names and counts; there are no persons in it.
    """
    spec = SPECS[size]
    # One stream a stage: a change to the buildings leaves streets and divisions as they were.
    ground, stand, split, label = (
        np.random.default_rng([seed, list(SPECS).index(size), stage]) for stage in range(4)
    )
    plan = draw_plan(spec, ground)
    built = build(plan, spec.households, stand)
    # A lane meets the street in a node that the areas on both sides of it have too.
    plan = replace(plan, faces=add_nodes(plan.faces, built.lanes.junction))
    areas = divide_city(plan, built.lot_households, spec, split)
    layers = area_layers(plan, areas, built.lot_households, spec, label)

    addresses = frames.lot_addresses(plan)
    lot_name, lot_type = frames.lot_names(plan, built, addresses, label)
    compound_id = _compound_ids(built.compound, areas.community, len(plan.lots))
    order = frames.building_order(built, areas.community)
    buildings = frames.make_buildings(built, order, lot_name, compound_id, addresses)
    community = areas.community[built.lot]
    community_names = layers["communities"]["name"].tolist()
    city: dict[str, gpd.GeoDataFrame | pd.DataFrame] = {
        "buildings": buildings,
        "households": frames.make_households(built, order, buildings["building_id"]),
        "compounds": frames.make_compounds(built, lot_name, lot_type, compound_id),
        **layers,
        "roads": make_roads(plan.edges, plan.edge_line, plan.lines, plan.warp, built.lanes),
        "water": frames.make_water(plan, built, lot_name),
        "railways": make_railways(plan.edges, plan.edge_line, plan.lines, plan.warp),
        "stations": make_stations(
            built, layers, spec, label, community=community, subdistrict=areas.subdistrict[built.lot]
        ),
        "candidates": make_candidates(built, community, community_names, spec, label),
        "gates": frames.make_gates(built, compound_id),
        "parks": frames.make_parks(plan, built, lot_name),
    }
    return {layer: city[layer] for layer in LAYERS}


def _compound_ids(compound: NDArray[np.int64], community: NDArray[np.int64], lots: int) -> list[str]:
    """Return the compounds' ids, numbered by community; "" for lots that are none."""
    answer = [""] * lots
    for number, lot in enumerate(compound[np.argsort(community[compound], kind="stable")].tolist(), 1):
        answer[lot] = f"XQ{number:04d}"
    return answer
