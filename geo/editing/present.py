"""The tiling of an edited plan: the dataset's cells with the plan's divisions laid over, still exact."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import geopandas as gpd
import numpy as np
import shapely

from geo.editing.contents import contents
from geo.editing.shapes import Shapes

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from geo.dataset.folder import Dataset
    from geo.editing.plan import Plan
    from geo.tiling import Tiling

WGS84 = "EPSG:4326"


@dataclass(frozen=True)
class Share:
    """Households of a building that live in one of the cells its footprint was cut into."""

    building: int
    cell: int
    households: int


def present_tiling(dataset: Dataset, plan: Plan) -> tuple[Tiling, tuple[Share, ...]]:
    """Return the tiling with the plan's divisions in it, rows as in `Plan.ground`.

    Borders, outlines of neighbours and outlines of communities carry the nodes that the divisions put in, so that
    all still tile exactly.

    Returns
    -------
    The tiling; and what lives where of every building whose footprint was cut.
    """
    tiling, ground = dataset.tiling, plan.ground
    if ground.n == len(tiling.cells):
        return tiling, ()
    shapes = Shapes(tiling, plan, dataset.city.crs)
    live = np.flatnonzero(ground.live)
    geometry = np.full(ground.n, shapely.Polygon(), dtype=object)
    geometry[live] = shapes.polygons(live)
    block = np.append(
        tiling.cells["block"].to_numpy(np.int32), np.zeros(ground.n - len(tiling.cells), np.int32)
    )
    for division in plan.divisions:
        block[list(division.children)] = block[division.parent]
    cells = gpd.GeoDataFrame(
        {
            "community": ground.cells.community,
            "block": block,
            "compound": ground.cells.compound,
            "area_m2": ground.cells.area_m2,
        },
        geometry=geometry,
        crs=WGS84,
    )
    home, shares = _settled(dataset, plan, shapes)
    outlines = gpd.GeoSeries(shapes.outlines(), index=tiling.communities.index, crs=WGS84)
    present = replace(
        tiling,
        cells=cells,
        communities=tiling.communities.set_geometry(outlines),
        building_cell=home,
        segments=shapes.segments(),
    )
    return present, shares


def _settled(dataset: Dataset, plan: Plan, shapes: Shapes) -> tuple[NDArray[np.int32], tuple[Share, ...]]:
    """Return the cell that counts each building, and the shares of those that lie in several."""
    home = dataset.tiling.building_cell.copy()
    by_building: dict[int, list[Share]] = {}
    held = (d for d, holds in zip(plan.divisions, plan.in_force, strict=True) if holds)
    for child in (child for division in held for child in division.children if plan.ground.live[child]):
        for inside in contents(dataset.city, shapes, plan, child):
            by_building.setdefault(inside.building, []).append(
                Share(inside.building, child, inside.households)
            )
            if inside.counts:
                home[inside.building] = child
    shares = (by_building[row] for row in sorted(by_building) if len(by_building[row]) > 1)
    return home, tuple(share for several in shares for share in several)
