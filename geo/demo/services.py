"""Service stations with opening hours, and sites that could take a new one."""

from __future__ import annotations

from typing import TYPE_CHECKING

import geopandas as gpd
import numpy as np
import shapely

from geo.demo.settings import CRS

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from geo.demo.built import Built
    from geo.demo.settings import Spec

HOURS = {
    "街道党群服务中心": ("Mo-Fr 09:00-17:30",),
    "社区党群服务中心": ("Mo-Su 08:30-17:30", "Mo-Su 08:30-21:00", "周一至周日 08:30-17:30"),
    "小区党群服务站": ("Mo-Su 08:30-20:30", "周一至周日 09:00-21:00", "Mo-Sa 09:00-18:00"),
    "养老服务站": ("Mo-Su 08:00-17:00", "周一至周日 08:00-17:00"),
    "托育服务点": ("Mo-Fr 07:30-18:00",),
    "社区卫生服务站": ("Mo-Su 08:00-17:30", "Mo-Sa 08:00-17:30"),
    "社区食堂": ("Mo-Su 06:30-09:00,10:30-13:00,16:30-19:00",),
    "文化活动站": ("Tu-Su 09:00-21:00", "周二至周日 09:00-17:00"),
    "便民菜市场": ("Mo-Su 05:30-19:00",),
    "体育健身点": ("Mo-Su 06:00-22:00",),
    "暖蜂驿站": ("24/7", "Mo-Su 07:00-22:00"),
    "物业服务点": ("24/7", "Mo-Su 08:00-20:00"),
}

HOSTS = {
    "小区党群服务站": ("property",),
    "物业服务点": ("property",),
    "街道党群服务中心": ("government", "office"),
    "便民菜市场": ("market", "shop"),
    "社区卫生服务站": ("hospital", "shop", "market"),
    "暖蜂驿站": ("mall", "office", "shop"),
}
"""Roles of buildings that can house a category; any building without homes where it is not named."""

ANY_HOST = ("shop", "office", "market", "government", "mall", "property")


def make_stations(
    built: Built,
    layers: dict[str, gpd.GeoDataFrame],
    spec: Spec,
    rng: np.random.Generator,
    *,
    community: NDArray[np.int64],
    subdistrict: NDArray[np.int64],
) -> gpd.GeoDataFrame:
    """Return the stations; `community` and `subdistrict` give the area of every building, int64 (buildings,)."""
    middle = shapely.get_coordinates(shapely.centroid(built.shape))
    community_names = layers["communities"]["name"].tolist()
    street_names = layers["subdistricts"]["name"].tolist()
    households = np.bincount(community, weights=built.households, minlength=spec.communities).astype(
        np.float64
    )
    free = built.role != "home"
    rows: list[tuple[str, str, int]] = []
    for category, count in spec.stations.items():
        by_street = category.startswith("街道")
        area = subdistrict if by_street else community
        wanted = range(count) if by_street else _communities(households, count, category, rng)
        hosts = np.isin(built.role, HOSTS.get(category, ANY_HOST))
        seen: dict[int, int] = {}
        for where in wanted:
            host = _host(middle, built.households, rng, best=free & hosts, possible=free, there=area == where)
            free[host] = False
            seen[where] = seen.get(where, 0) + 1
            head = "" if by_street else community_names[where]
            number = f"第{seen[where]}" if seen[where] > 1 else ""
            title = (
                f"{street_names[where]}党群服务中心"
                if by_street
                else f"{head}{number}{category.removeprefix('社区')}"
            )
            rows.append((title, category, host))
    return gpd.GeoDataFrame(
        {
            "station_id": [f"ZD{i:04d}" for i in range(1, len(rows) + 1)],
            "name": [row[0] for row in rows],
            "category": [row[1] for row in rows],
            "opening_hours": [str(rng.choice(HOURS[row[1]])) for row in rows],
        },
        geometry=shapely.centroid(built.shape[[row[2] for row in rows]]),
        crs=CRS,
    )


def _communities(
    households: NDArray[np.float64], count: int, category: str, rng: np.random.Generator
) -> list[int]:
    """Choose communities: each once where a centre is concerned, else by households with gaps and repeats."""
    if category == "社区党群服务中心":
        return sorted(rng.choice(len(households), count, replace=False).tolist())
    share = np.sqrt(households) / np.sqrt(households).sum()
    return sorted(rng.choice(len(households), count, p=share).tolist())


def _host(
    middle: NDArray[np.float64],
    households: NDArray[np.int64],
    rng: np.random.Generator,
    *,
    best: NDArray[np.bool_],
    possible: NDArray[np.bool_],
    there: NDArray[np.bool_],
) -> int:
    """Choose a building near a home of the area, preferring the right kind of building."""
    homes = np.flatnonzero(there & (households > 0))
    around = middle[rng.choice(homes)] if len(homes) else middle[there].mean(axis=0)
    for mask in (best & there, possible & there, possible):
        rows = np.flatnonzero(mask)
        if len(rows):
            return int(rows[np.argmin(np.hypot(*(middle[rows] - around).T))])
    return int(np.flatnonzero(there)[0])


def make_candidates(
    built: Built,
    community: NDArray[np.int64],
    community_names: list[str],
    spec: Spec,
    rng: np.random.Generator,
) -> gpd.GeoDataFrame:
    """Return sites for new stations: idle plots, open ground floors of towers, empty shops."""
    tall = np.flatnonzero((built.role == "home") & (built.floors >= 18))
    shops = np.flatnonzero(built.role == "shop")
    pools = [("架空层", tall if len(tall) else shops), ("闲置用房", shops), ("闲置地块", shops)]
    tree = shapely.STRtree(built.shape)
    chosen: list[tuple[str, int, shapely.Point]] = []
    while len(chosen) < spec.candidates:
        kind, pool = pools[len(chosen) % len(pools)]
        building = int(rng.choice(pool))
        point = shapely.centroid(built.shape[building])
        if kind == "闲置地块":
            ground = built.sites.open_ground[built.lot[building]]
            west, south, east, north = ground.bounds
            point = shapely.Point(np.round([rng.uniform(west, east), rng.uniform(south, north)], 2))
            if not ground.contains(point) or len(tree.query(point, predicate="dwithin", distance=4.0)):
                continue
        chosen.append((kind, building, point))
    return gpd.GeoDataFrame(
        {
            "candidate_id": [f"HX{i:03d}" for i in range(1, len(chosen) + 1)],
            "name": [f"{community_names[community[b]]}{kind}{i}" for i, (kind, b, _) in enumerate(chosen, 1)],
            "kind": [kind for kind, _, _ in chosen],
        },
        geometry=[point for _, _, point in chosen],
        crs=CRS,
    )
