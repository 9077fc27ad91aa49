"""Sizes of the demo city and the numbers that shape its blocks."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from collections.abc import Mapping

Size = Literal["small", "full"]

CRS = "EPSG:4549"
"""CGCS2000, three-degree zone of the 120th meridian, no zone number in the easting."""

ORIGIN = (512_400.0, 3_461_800.0)
"""Middle of the city in `CRS`: near 120.13 E, 31.28 N. The place itself is invented."""

WALL, ALLEY, STREET, ARTERIAL = 0, 1, 2, 3
"""Class of a line of the plan; a `WALL` carries no road."""

ROAD_NAMES = ("", "alley", "street", "arterial")
"""Value of the column ``road_class`` by class."""

HALF_ROAD_M = (0.0, 3.5, 9.0, 17.0)
"""Half the width between the property lines of a road, by class."""

SHOP_STRIP_M = 13.5
"""Depth kept for a row of shops between the property line and a compound's wall."""


@dataclass(frozen=True)
class Spec:
    """What a size of the city consists of.

    Attributes
    ----------
    columns, rows
        Superblocks west and east of the railway; south and north of the river.
    gap_m
        Mean width and height of a superblock.
    dropped
        Superblocks (column, row), counted without the corridors, that are not part of the city: they make the
        outline irregular.
    subdistricts, communities, old_grids
        Exact numbers of each.
    households
        Exact number in all, or None to take what the buildings give.
    smallest_community
        Households below which a community takes blocks from its neighbours.
    unevenness
        Spread of the communities' sizes, see `geo.demo.divisions.divide`.
    mixed_blocks
        Share of the blocks that a community border may cut, along an alley or a wall.
    code_prefix
        The six digits before the street's part of a community code; a county that does not exist.
    stations
        Number of stations by category.
    candidates
        Number of sites that could take a new station.
    """

    columns: tuple[int, int]
    rows: tuple[int, int]
    gap_m: tuple[float, float]
    dropped: frozenset[tuple[int, int]]
    subdistricts: int
    communities: int
    old_grids: int
    households: int | None
    smallest_community: int
    unevenness: float
    mixed_blocks: float
    code_prefix: str
    stations: Mapping[str, int]
    candidates: int


SPECS: Mapping[Size, Spec] = {
    "small": Spec(
        columns=(2, 1),
        rows=(1, 1),
        gap_m=(470.0, 450.0),
        dropped=frozenset(),
        subdistricts=2,
        communities=5,
        old_grids=30,
        households=None,
        smallest_community=700,
        unevenness=0.6,
        mixed_blocks=0.4,
        code_prefix="990101",
        stations={
            "街道党群服务中心": 1,
            "社区党群服务中心": 4,
            "小区党群服务站": 4,
            "养老服务站": 3,
            "托育服务点": 2,
            "社区卫生服务站": 3,
            "社区食堂": 2,
            "文化活动站": 2,
            "便民菜市场": 2,
            "暖蜂驿站": 1,
        },
        candidates=6,
    ),
    "full": Spec(
        columns=(5, 3),
        rows=(4, 3),
        gap_m=(662.0, 600.0),
        dropped=frozenset({(0, 0), (0, 1), (1, 0), (7, 0), (0, 6), (6, 6), (7, 6), (7, 5)}),
        subdistricts=7,
        communities=84,
        old_grids=518,
        households=216_750,
        smallest_community=600,
        unevenness=0.5,
        mixed_blocks=0.18,
        code_prefix="990102",
        stations={
            "街道党群服务中心": 7,
            "社区党群服务中心": 76,
            "小区党群服务站": 77,
            "养老服务站": 52,
            "托育服务点": 38,
            "社区卫生服务站": 46,
            "社区食堂": 41,
            "文化活动站": 36,
            "便民菜市场": 33,
            "体育健身点": 40,
            "暖蜂驿站": 24,
            "物业服务点": 60,
        },
        candidates=38,
    ),
}

ZONE_SHARES: Mapping[str, float] = {
    "park": 0.04,
    "institution": 0.055,
    "industrial": 0.06,
    "villa": 0.02,
    "commercial": 0.06,
    "old": 0.14,
    "village": 0.05,
    "modern": 0.26,
    "affordable": 0.06,
    "slab": 0.265,
}
"""Share of the block area by zone; zones are handed out in this order."""

LOT_AREA_M2: Mapping[str, float] = {
    "park": 90_000.0,
    "institution": 30_000.0,
    "industrial": 30_000.0,
    "villa": 60_000.0,
    "commercial": 18_000.0,
    "old": 8_000.0,
    "village": 9_000.0,
    "modern": 34_000.0,
    "affordable": 28_000.0,
    "slab": 19_000.0,
}
"""Area at which the splitting of a block into lots stops, by zone."""

USE_SHARES: Mapping[str, Mapping[str, float]] = {
    "park": {"park": 1.0},
    "institution": {"school": 0.45, "hospital": 0.2, "government": 0.35},
    "industrial": {"factory": 0.85, "dormitory": 0.15},
    "villa": {"villa": 0.92, "park": 0.08},
    "commercial": {"mall": 0.36, "office": 0.36, "scattered": 0.28},
    "old": {"courtyard": 0.78, "slab": 0.09, "market": 0.07, "school": 0.02, "park": 0.04},
    "village": {"village": 0.92, "market": 0.08},
    "modern": {"tower": 0.50, "midrise": 0.36, "school": 0.06, "mall": 0.05, "park": 0.03},
    "affordable": {"block": 0.60, "slab": 0.28, "school": 0.06, "market": 0.06},
    "slab": {"slab": 0.72, "scattered": 0.13, "school": 0.05, "market": 0.06, "park": 0.04},
}
"""Share of a zone's lot area by use."""
