"""Put buildings on the plan and households into them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import shapely

from geo.demo.compounds import add_gatehouses, line_with_shops, lot_angles, make_gates, make_sites
from geo.demo.footprints import polygons
from geo.demo.homes import make_doors
from geo.demo.lanes import KEEP_OFF_M, make_lanes
from geo.demo.patterns import GATED, build_lots

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from geo.demo.compounds import Gates, Sites
    from geo.demo.homes import Doors
    from geo.demo.lanes import Lanes
    from geo.demo.plan import Plan

CLEAR_M = 1.0
"""Least distance between two buildings."""

SMALLEST_COMPOUND = 80


@dataclass(frozen=True)
class Built:
    """Everything that stands on the lots.

    Attributes
    ----------
    shape, lot, role, floors
        Footprint, lot, role and storeys of every building.
    doors
        Unit doors with their households.
    households
        int64 (buildings,).
    lot_households
        int64 (lots,).
    compound
        int64 (n,), the lots that are compounds.
    """

    shape: NDArray[np.object_]
    lot: NDArray[np.int64]
    role: NDArray[np.object_]
    floors: NDArray[np.int64]
    doors: Doors
    households: NDArray[np.int64]
    lot_households: NDArray[np.int64]
    sites: Sites
    gates: Gates
    lanes: Lanes
    compound: NDArray[np.int64]


def build(plan: Plan, total: int | None, rng: np.random.Generator) -> Built:
    """Build the city over; `total` is the number of households to reach, or None."""
    lots = plan.lots
    sites = make_sites(lots, plan.faces[: len(lots)], plan.side_class, plan.warp, rng)
    angles = lot_angles(lots, plan.warp)
    uses = [lot.use for lot in lots]
    drafts, layouts = build_lots(uses, sites.site, angles, sites.side_class, rng)
    lanes = make_lanes(layouts, lots, plan.faces, sites.site, sites.side_class, plan.warp)
    gated = np.array([i for i, use in enumerate(uses) if use in GATED], dtype=np.int64)
    gates = make_gates(lots, gated, sites, lanes, plan.warp, rng)
    add_gatehouses(gates, sites, angles, drafts)
    line_with_shops(lots, sites, plan.warp, drafts, rng)

    shape = polygons(drafts)
    lot, role = np.array(drafts.lot), np.array(drafts.role, dtype=object)
    keep = _standing(shape, lot, role, sites, gates, lanes)
    shape, lot, role = shape[keep], lot[keep], role[keep]
    floors = np.array(drafts.floors)[keep]
    doors = make_doors(np.array(drafts.doors)[keep], np.array(drafts.flats)[keep], lot, total, rng)
    households = np.bincount(doors.building, weights=doors.households, minlength=len(lot)).astype(np.int64)
    lot_households = np.bincount(lot, weights=households, minlength=len(lots)).astype(np.int64)
    walled = np.isin(np.arange(len(lots)), gated)
    yards = np.array([use == "courtyard" for use in uses])
    compound = np.flatnonzero((walled | yards) & (lot_households >= SMALLEST_COMPOUND))
    return Built(shape, lot, role, floors, doors, households, lot_households, sites, gates, lanes, compound)


def _standing(  # noqa: PLR0917 - what stands, and all it must stand clear of
    shape: NDArray[np.object_],
    lot: NDArray[np.int64],
    role: NDArray[np.object_],
    sites: Sites,
    gates: Gates,
    lanes: Lanes,
) -> NDArray[np.int64]:
    """Return the buildings that stand on their ground, clear of each other, of the gates and the lanes."""
    shapely.prepare(sites.open_ground)
    shapely.prepare(sites.site)
    shop = role == "shop"
    fits = shapely.contains_properly(sites.open_ground[lot], shape)
    fits &= shop | shapely.contains_properly(sites.site[lot], shape)
    fits &= ~shop | ~shapely.intersects(sites.site[lot], shape)
    tree = shapely.STRtree(shape)
    blocked = tree.query(gates.point, predicate="dwithin", distance=6.0)[1]
    fits[blocked[shop[blocked]]] = False
    fits[tree.query(lanes.line, predicate="dwithin", distance=KEEP_OFF_M)[1]] = False
    left = np.flatnonzero(fits)
    a, b = shapely.STRtree(shape[left]).query(shape[left], predicate="dwithin", distance=CLEAR_M)
    pairs = np.stack([a, b], axis=1)[a < b]
    stands = np.ones(len(left), dtype=bool)
    for first, second in pairs[np.lexsort((pairs[:, 1], pairs[:, 0]))].tolist():
        if stands[first]:
            stands[second] = False
    return left[stands]
