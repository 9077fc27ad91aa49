"""Frames of the demo city's layers, with ids, names and addresses."""

from __future__ import annotations

from typing import TYPE_CHECKING

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from geo.demo import names
from geo.demo.compounds import SIDE_NAMES
from geo.demo.faces import river_shape
from geo.demo.patterns import pond
from geo.demo.settings import CRS, WALL

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from geo.demo.built import Built
    from geo.demo.lots import Quad
    from geo.demo.plan import Plan

USES = {
    "home": "住宅",
    "shop": "商业",
    "mall": "商业",
    "market": "商业",
    "office": "办公",
    "factory": "工业",
    "workshop": "工业",
    "store": "仓储",
    "school": "学校",
    "hospital": "医疗",
    "government": "行政办公",
    "pavilion": "公共设施",
    "gate": "配套",
    "property": "配套",
    "shed": "配套",
    "plant": "配套",
}
"""Value of the column ``use`` by role."""

PLACE_ENDS = {
    "school": ("小学", "中学", "幼儿园", "实验学校", "职业学校"),
    "hospital": ("医院", "卫生院", "康复医院"),
    "government": ("政务中心", "文化馆", "图书馆", "档案馆", "党校"),
    "mall": ("广场", "百货", "购物中心"),
    "office": ("大厦", "商务中心", "国际中心"),
    "market": ("市场", "菜市场", "建材市场"),
    "factory": ("产业园", "机械厂", "电子厂", "食品厂", "印刷厂"),
    "park": ("公园", "绿地", "游园"),
}
"""Endings of the names of places without homes, by use of the lot."""

ENDINGS = {"gate": "门卫室", "property": "物业用房", "shed": "车棚", "plant": "配电房", "pavilion": "凉亭"}


def lot_addresses(plan: Plan) -> list[str]:
    """Return the street and number of every lot, on its largest road."""
    at_line: dict[str, int] = {}
    addresses = []
    for lot, sides in zip(plan.lots, plan.side_class, strict=True):
        side = int(np.argmax(sides))
        road = plan.lines.name[lot.sides[side]] if sides[side] > WALL else ""
        number = at_line.get(road, 0) + (2 if side in {0, 1} else 4)
        at_line[road] = number
        addresses.append(f"{road or '无名路'}{number + side % 2}号")
    return addresses


def compound_type(lot: Quad) -> str:
    """Return the type of a compound by what stands on it."""
    if lot.use == "slab":
        return {"affordable": "保障房小区", "old": "单位宿舍"}.get(lot.zone, "老旧小区")
    by_use = {
        "tower": "商品房小区",
        "midrise": "商品房小区",
        "block": "保障房小区",
        "villa": "别墅小区",
        "dormitory": "单位宿舍",
    }
    return by_use.get(lot.use, "散居楼院")


def lot_names(
    plan: Plan, built: Built, addresses: list[str], rng: np.random.Generator
) -> tuple[list[str], list[str]]:
    """Return name and compound type of every lot; the type is "" where the lot is no compound."""
    pools = {
        "商品房小区": iter(names.estate_names(rng)),
        "老旧小区": iter(names.village_names(rng)),
        "单位宿舍": iter(names.workplace_names(rng)),
        "保障房小区": iter(names.shuffled(names.ESTATES, ["安居苑", "惠民苑", "和苑", "嘉苑"], rng)),
        "别墅小区": iter(names.shuffled(names.ESTATES, ["山庄", "别苑", "庭院"], rng)),
    }
    places = {use: iter(names.shuffled(names.WORDS, ends, rng)) for use, ends in PLACE_ENDS.items()}
    is_compound = np.zeros(len(plan.lots), dtype=bool)
    is_compound[built.compound] = True
    lot_name, lot_type = [], []
    for i, lot in enumerate(plan.lots):
        kind = compound_type(lot) if is_compound[i] else ""
        if kind == "老旧小区" and rng.random() < 0.28:
            kind = "单位宿舍"
        if kind in pools:
            name = next(pools[kind])
        elif kind:
            name = f"{addresses[i]}大院"
        else:
            name = next(places[lot.use]) if lot.use in places else addresses[i]
        lot_name.append(name)
        lot_type.append(kind)
    return lot_name, lot_type


def building_order(built: Built, community_order: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return the buildings by community, lot and row from the north.

    Parameters
    ----------
    built
        The buildings.
    community_order
        int64 (faces,), position of every face's community in the layer.
    """
    middle = shapely.get_coordinates(shapely.centroid(built.shape))
    inside = np.where(built.role == "home", 0, np.where(built.role == "shop", 2, 1))
    row = np.round(-middle[:, 1] / 12.0)
    return np.lexsort((middle[:, 0], row, inside, built.lot, community_order[built.lot]))


def make_buildings(
    built: Built, order: NDArray[np.int64], lot_name: list[str], compound_id: list[str], addresses: list[str]
) -> gpd.GeoDataFrame:
    """Return the buildings layer: no households, those are a layer of their own."""
    counter: dict[tuple[int, str], int] = {}
    title, address = [], []
    for lot, role in zip(built.lot[order].tolist(), built.role[order].tolist(), strict=True):
        kind = ENDINGS.get(role, "商铺" if role == "shop" else "幢")
        number = counter[lot, kind] = counter.get((lot, kind), 0) + 1
        address.append(addresses[lot])
        if role == "shop":
            title.append(f"{addresses[lot]}{number}号商铺")
        elif role in ENDINGS:
            title.append(f"{lot_name[lot]}{kind}{number if number > 1 else ''}")
        else:
            title.append(f"{lot_name[lot]}{'院' if lot_name[lot] == addresses[lot] else ''}{number}幢")
    in_compound = built.role[order] != "shop"
    return gpd.GeoDataFrame(
        {
            "building_id": [f"LD{i:06d}" for i in range(1, len(order) + 1)],
            "name": title,
            "address": address,
            "compound_id": [
                compound_id[lot] if inside else ""
                for lot, inside in zip(built.lot[order], in_compound, strict=True)
            ],
            "floors": built.floors[order],
            "use": [USES[role] for role in built.role[order]],
        },
        geometry=built.shape[order],
        crs=CRS,
    )


def make_households(built: Built, order: NDArray[np.int64], building_id: pd.Series) -> pd.DataFrame:
    """Return the households table, one row per unit door."""
    rank = np.empty(len(order), dtype=np.int64)
    rank[order] = np.arange(len(order))
    doors = built.doors
    rows = np.lexsort((doors.number, rank[doors.building]))
    return pd.DataFrame(
        {
            "building_id": building_id.to_numpy()[rank[doors.building[rows]]],
            "unit_door": [f"{n}单元" for n in doors.number[rows]],
            "households": doors.households[rows],
            "persons": doors.persons[rows],
        }
    )


def make_compounds(
    built: Built, lot_name: list[str], lot_type: list[str], compound_id: list[str]
) -> gpd.GeoDataFrame:
    """Return the compounds layer; the walls are the borders of the polygons."""
    lots = sorted(built.compound.tolist(), key=lambda lot: compound_id[lot])
    return gpd.GeoDataFrame(
        {
            "compound_id": [compound_id[lot] for lot in lots],
            "name": [lot_name[lot] for lot in lots],
            "compound_type": [lot_type[lot] for lot in lots],
        },
        geometry=built.sites.site[lots],
        crs=CRS,
    )


def make_gates(built: Built, compound_id: list[str]) -> gpd.GeoDataFrame:
    """Return the gates in the compounds' walls."""
    rows = [k for k, lot in enumerate(built.gates.lot.tolist()) if compound_id[lot]]
    rows.sort(key=lambda k: (compound_id[built.gates.lot[k]], int(built.gates.side[k])))
    return gpd.GeoDataFrame(
        {
            "gate_id": [f"M{i:05d}" for i in range(1, len(rows) + 1)],
            "compound_id": [compound_id[built.gates.lot[k]] for k in rows],
            "name": [SIDE_NAMES[built.gates.side[k]] for k in rows],
        },
        geometry=built.gates.point[rows],
        crs=CRS,
    )


def make_parks(plan: Plan, built: Built, lot_name: list[str]) -> gpd.GeoDataFrame:
    """Return the parks layer."""
    lots = [i for i, lot in enumerate(plan.lots) if lot.use == "park"]
    return gpd.GeoDataFrame(
        {
            "park_id": [f"GY{i:03d}" for i in range(1, len(lots) + 1)],
            "name": [lot_name[lot] for lot in lots],
        },
        geometry=built.sites.site[lots],
        crs=CRS,
    )


def make_water(plan: Plan, built: Built, lot_name: list[str]) -> gpd.GeoDataFrame:
    """Return the river and the ponds of the larger parks."""
    ponds = [(lot, pond(built.sites.site[lot])) for lot, quad in enumerate(plan.lots) if quad.use == "park"]
    shapes = [(f"{lot_name[lot]}池塘", shape) for lot, shape in ponds if shape is not None]
    rows = [("清水河", river_shape(plan.lattice, plan.warp)), *shapes]
    return gpd.GeoDataFrame(
        {"water_id": [f"SX{i:02d}" for i in range(1, len(rows) + 1)], "name": [row[0] for row in rows]},
        geometry=[row[1] for row in rows],
        crs=CRS,
    )
