"""Levels: divide areas again, each child wholly inside its parent, by the same engine.

A parent area takes the place of a community in a copy of the city: units, engine, numbering and figures then work
on it as they do on a community, so a child can no more cross its parent's border than a grid its community's.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import geopandas as gpd
import numpy as np
import pandas as pd

from geo import boundaries
from geo.errors import LayerError
from geo.findings import Finding
from geo.plan import assemble
from geo.standards import Standard
from geo.verify import verify_tiling

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from geo.city import City
    from geo.partition import Partition
    from geo.plan import DrawnPlan
    from geo.tiling import Tiling
    from geo.units import Units

COMMUNITY_STANDARD = Standard(
    id="communities-2750",
    name_zh="街道划分社区（约2750户）",
    name_en="Communities of about 2,750 households",
    measure="households",
    target=2750,
    min=2200,
    max=3300,
    hard_max=4000,
    unit="compound",
    split_compound="over_hard_max",
    levels=("street", "community"),
    evidence={
        "use": "source document: 城市社区由18个优化调整到28个",
        "target": "assumption: ten to eleven grids of 250 households, as 867 grids in 84 communities",
        "band": "assumption: plus or minus 20 %",
        "hard_max": "assumption",
    },
)
"""Rules for dividing streets into communities anew."""

LEVEL_NAMES = {
    "community": ("社区", "community"),
    "grid": ("网格", "grid"),
    "area_grid": ("片区网格", "area grid"),
    "micro_grid": ("微网格", "micro-grid"),
    "building_group": ("楼栋党小组", "building group"),
}
"""Chinese and English word for each level; a level that is not here is called by its id."""


@dataclass(frozen=True)
class Parents:
    """Areas that the next level divides.

    Attributes
    ----------
    of_cell
        int32, shape (cells,): row of `frame` of each cell.
    frame
        RangeIndex, EPSG:4326, exact unions of cells: ``area_id`` (str, unique), ``name``, ``code``, ``street``
        (str) and the geometry.
    """

    of_cell: NDArray[np.int32]
    frame: gpd.GeoDataFrame


@dataclass(frozen=True)
class LevelPlan:
    """One level of a nested division.

    Attributes
    ----------
    level
        E.g. ``"micro_grid"``.
    plan
        Its areas as a plan; ``community`` and ``community_id`` of its grids name the parent.
    units
        What was kept together.
    parents
        The areas it divides.
    """

    level: str
    plan: DrawnPlan
    units: Units
    parents: Parents

    @property
    def grids(self) -> gpd.GeoDataFrame:
        """Areas of this level as a layer: ``parent_id`` in place of ``community_id``."""
        frame = self.plan.grids.drop(columns=["community", "number"])
        return frame.rename(columns={"community_id": "parent_id"})

    def as_parents(self) -> Parents:
        """Return the areas of this level as parents of the next one."""
        grids = self.plan.grids
        street = self.parents.frame["street"].to_numpy()[grids["community"].to_numpy()]
        frame = gpd.GeoDataFrame(
            {
                "area_id": grids["grid_id"].to_numpy(),
                "name": grids["name"].to_numpy(),
                "code": grids["code"].to_numpy(),
                "street": street,
            },
            geometry=grids.geometry.to_numpy(),
            crs=grids.crs,
        )
        return Parents(self.plan.grid_of_cell, frame)


def communities_as_parents(tiling: Tiling) -> Parents:
    """Return today's communities as parents."""
    communities = tiling.communities
    frame = communities[["community_id", "name", "code", "street", "geometry"]].rename(
        columns={"community_id": "area_id"}
    )
    return Parents(tiling.cells["community"].to_numpy(np.int32), frame)


def streets_as_parents(city: City, tiling: Tiling) -> tuple[Parents, list[Finding]]:
    """Unite the communities of each street; what the engine divides into communities anew.

    A community without a street stays an area of its own, and a finding says so.

    Raises
    ------
    LayerError
        ``streets-missing``: no community names its street.
    """
    street = city.communities["street"].to_numpy(dtype=object)
    named = np.array([bool(text) for text in street], bool)
    if not named.any():
        raise LayerError(
            "streets-missing",
            "社区图层没有所属街道，无法按街道重新划分社区。请补充街道列，或用 communities.street 指定列名。",
            "The communities layer names no streets, so none can be divided anew. Add a street column, or name it "
            "with communities.street.",
            layer="communities",
            column="street",
        )
    key = np.where(named, street, [f"\0{i}" for i in range(len(street))])
    _, first, group = np.unique(key.astype(str), return_index=True, return_inverse=True)
    rank = np.empty(len(first), np.int32)
    order = np.argsort(first)
    rank[order] = np.arange(len(first), dtype=np.int32)
    lead = first[order]
    of_cell = rank[group][tiling.cells["community"].to_numpy()]
    names = np.where(named[lead], street[lead], city.communities["name"].to_numpy(dtype=object)[lead])
    frame = gpd.GeoDataFrame(
        {
            "area_id": [f"S{k:02d}" for k in range(1, len(lead) + 1)],
            "name": names,
            "code": _common_codes(city.communities["code"].to_numpy(dtype=object), rank[group], len(lead)),
            "street": np.where(named[lead], names, ""),
        },
        geometry=boundaries.dissolve(tiling, of_cell, len(lead)).to_numpy(),
        crs="EPSG:4326",
    )
    return Parents(of_cell, frame), _streetless(city, named)


def _streetless(city: City, named: NDArray[np.bool_]) -> list[Finding]:
    if named.all():
        return []
    rest = city.communities.loc[~named, "community_id"]
    return [
        Finding(
            "community-without-street",
            "warning",
            "communities",
            len(rest),
            f"{len(rest)} 个社区没有所属街道，各自单独划分，不与其他社区合并。",
            f"{len(rest)} communities name no street; each is divided by itself.",
            ids=tuple(rest),
        )
    ]


def _common_codes(code: NDArray[np.object_], group: NDArray[np.int32], n: int) -> list[str]:
    """Return the 9-digit street part of the statistical codes where a street's communities share it, else ""."""
    found: list[str] = []
    for k in range(n):
        heads = {c[:9] for c in code[group == k].tolist()}
        head = heads.pop() if len(heads) == 1 else ""
        found.append(head if len(head) == 9 and head.isdigit() else "")
    return found


def inside(city: City, tiling: Tiling, parents: Parents) -> tuple[City, Tiling]:
    """Return a city and a tiling in which the parents stand in the place of communities.

    Cells, segments and buildings are the same; only their community is another.
    """
    frame = parents.frame.rename(columns={"area_id": "community_id"})
    home = np.append(parents.of_cell, np.int32(-1))[tiling.building_cell]
    seen = replace(
        city,
        communities=frame.to_crs(city.crs),
        buildings=city.buildings.assign(community=home.astype(np.int32)),
    )
    cells = tiling.cells.assign(community=parents.of_cell)
    return seen, replace(tiling, cells=cells, communities=frame)


def finish_level(
    city: City,
    tiling: Tiling,
    units: Units,
    parts: Partition,
    *,
    level: str,
    parents: Parents,
    standard: Standard,
    seed: int,
) -> LevelPlan:
    """Give the areas of a level their numbers, codes and names.

    Parameters
    ----------
    city, tiling
        As `inside` returns them for these parents.
    units, parts
        What was divided, and how.
    level
        E.g. ``"micro_grid"``; gives the areas their names.
    parents, standard, seed
        Kept with the plan.
    """
    plan = assemble(city, tiling, units, parts, standard=standard, seed=seed)
    grids = plan.grids.assign(**_labels(plan.grids, parents.frame, level))
    return LevelPlan(level, replace(plan, grids=grids), units, parents)


def _labels(grids: gpd.GeoDataFrame, parents: gpd.GeoDataFrame, level: str) -> dict[str, list[str]]:
    """Make ids, codes and names that begin with the parent's; numbers are as wide as the level needs."""
    parent = grids["community"].to_numpy()
    number = grids["number"].to_numpy()
    width = max(3 if level in ("grid", "area_grid", "community") else 2, len(str(number.max(initial=1))))
    word = LEVEL_NAMES.get(level, (level, level))[0]
    of_parent = {name: parents[name].to_numpy()[parent].tolist() for name in ("area_id", "code", "name")}
    tails = [f"{k:0{width}d}" for k in number.tolist()]
    ids = [f"{i}-{tail}" for i, tail in zip(of_parent["area_id"], tails, strict=True)]
    return {
        "grid_id": ids,
        "code": [
            f"{code}{tail}" if code.isdigit() else own
            for code, tail, own in zip(of_parent["code"], tails, ids, strict=True)
        ],
        "name": [f"{name}第{k}{word}" for name, k in zip(of_parent["name"], number.tolist(), strict=True)],
    }


def nesting(plan: LevelPlan) -> dict[str, object]:
    """Prove with integers that the areas of a level tile each parent exactly, none lying in two.

    Returns
    -------
    ``ok`` (bool), ``children``, ``parents`` (int), ``unmatched_edges`` (int, see `geo.verify.verify_tiling`) and
    ``parents_at_fault`` (list of ids).
    """
    grids, parents = plan.plan.grids, plan.parents
    verdict = verify_tiling(grids.geometry, grids["community"].to_numpy(), parents.frame.geometry)
    by_cell = pd.Series(parents.of_cell).groupby(plan.plan.grid_of_cell).nunique()
    ids = parents.frame["area_id"].to_numpy()
    return {
        "ok": bool(verdict.ok and (by_cell == 1).all()),
        "children": len(grids),
        "parents": len(parents.frame),
        "unmatched_edges": verdict.unmatched_edges,
        "parents_at_fault": [str(ids[k]) for k in verdict.groups],
    }
