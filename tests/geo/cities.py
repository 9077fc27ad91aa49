"""Tiny cities drawn by hand, shared by tests."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from pyproj import CRS

from geo.city import City
from geo.types import BorderClass

METRIC = CRS.from_epsg(32650)
CORNER = (500_000.0, 4_420_000.0)
"""South-west corner of every tiny city, near Beijing, in `METRIC`."""


def make_city(
    communities: Sequence[Any],
    buildings: Sequence[Any] = (),
    *,
    roads: Sequence[Any] = (),
    water: Sequence[Any] = (),
    railways: Sequence[Any] = (),
    compounds: Sequence[Any] = (),
    households: Sequence[int] | None = None,
    building_compound: Sequence[int] | None = None,
    road_class: BorderClass = BorderClass.STREET,
    shift: bool = True,
) -> City:
    """Build a City from plain geometries in metres from `CORNER` (or in `METRIC` itself without `shift`)."""

    def frame(shapes: Sequence[Any], **columns: Any) -> gpd.GeoDataFrame:
        geometry = np.array([*shapes, None], dtype=object)[:-1]
        if shift and len(geometry):
            geometry = shapely.transform(geometry, lambda xy: xy + np.array(CORNER))
        return gpd.GeoDataFrame(columns, geometry=geometry, crs=METRIC, index=pd.RangeIndex(len(geometry)))

    def lines(shapes: Sequence[Any], kind: BorderClass) -> gpd.GeoDataFrame:
        n = len(shapes)
        return frame(shapes, border_class=np.full(n, kind, np.uint8), name=[""] * n)

    n_c, n_b = len(communities), len(buildings)
    outlines = frame(
        communities,
        community_id=[f"c{i}" for i in range(n_c)],
        name=[f"社区{i}" for i in range(n_c)],
        street=[""] * n_c,
        code=[""] * n_c,
    )
    houses = frame(
        buildings,
        building_id=[f"b{i}" for i in range(n_b)],
        source_row=np.arange(1, n_b + 1, dtype=np.int64),
        community=np.full(n_b, -1, np.int32),
        compound=np.asarray(
            building_compound if building_compound is not None else [-1] * n_b, dtype=np.int32
        ),
        households=np.asarray(households if households is not None else [10] * n_b, dtype=np.int64),
        persons=np.asarray(households if households is not None else [10] * n_b, dtype=np.int64) * 3,
        floors=np.full(n_b, np.nan),
        address=[""] * n_b,
    )
    if n_b:
        points = houses.geometry.representative_point().to_numpy()
        point, community = shapely.STRtree(outlines.geometry.to_numpy()).query(points, predicate="intersects")
        owner = np.full(n_b, n_c)
        np.minimum.at(owner, point, community)
        houses["community"] = np.where(owner < n_c, owner, -1).astype(np.int32)
    empty = frame(())
    return City(
        crs=METRIC,
        communities=outlines,
        buildings=houses,
        compounds=frame(
            compounds,
            compound_id=[f"k{i}" for i in range(len(compounds))],
            name=[""] * len(compounds),
            compound_type=[""] * len(compounds),
        ),
        roads=lines(roads, road_class),
        water=lines(water, BorderClass.WATER),
        railways=lines(railways, BorderClass.RAILWAY),
        stations=empty.assign(station_id=[], name=[], category=[], opening_hours=[]),
        old_grids=empty,
        candidates=empty,
        gates=empty.assign(gate_id=[], name=[], compound_id=[]),
        doors=pd.DataFrame(
            {"building": np.array([], np.int32), "door": [], "households": np.array([], np.int64)}
        ),
        households_in=int(houses["households"].sum()),
        unplaced=pd.DataFrame(
            {"reason": [], "source": [], "source_row": np.array([], np.int64), "id": [], "households": []}
        ),
        persons_estimated=True,
    )


def box(x: float, y: float, width: float, height: float) -> shapely.Polygon:
    """Return a rectangle by its lower left corner, width and height."""
    return shapely.box(x, y, x + width, y + height)


def tiny_city() -> City:
    """Return two communities, four blocks, a walled compound and nine buildings (metres).

    ::

        200 +--------+--------+
            | b4  b5 #  b8    |     # = the street x = 200, through both communities
            |  c1    #        |
        100 +========#========+     = = the street y = 100, also the community border
            | b0  b1 # +----+ |
            |        # |b6b7| |     +--+ = the walled compound k0
            | b2  b3 # +----+ |
          0 +--------+--------+
            0       200      400
    """
    blocks = [box(0, 0, 400, 100), box(0, 100, 400, 100)]
    houses = [
        *(box(x, y, 20, 12) for y in (15, 70) for x in (30, 120)),
        *(box(x, 140, 24, 14) for x in (40, 130)),
        box(270, 35, 15, 30),
        box(310, 35, 15, 30),
        box(300, 140, 30, 12),
    ]
    return make_city(
        blocks,
        houses,
        roads=[shapely.LineString([(200, -20), (200, 220)]), shapely.LineString([(-10, 100), (410, 100)])],
        compounds=[box(250, 20, 100, 60)],
        households=[12, 20, 8, 16, 30, 30, 60, 60, 24],
        building_compound=[-1, -1, -1, -1, -1, -1, 0, 0, -1],
    )
