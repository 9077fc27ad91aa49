"""Subdistricts, communities and old grids as layers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import geopandas as gpd
import numpy as np
import shapely

from geo.demo import names
from geo.demo.divisions import apportion, divide, make_net, reading_order, subnet
from geo.demo.plan import places
from geo.demo.settings import CRS

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from geo.demo.divisions import Net
    from geo.demo.plan import Plan
    from geo.demo.settings import Spec


@dataclass(frozen=True)
class Areas:
    """Nested divisions of the faces, each numbered in the order of its layer, int64 (faces,)."""

    subdistrict: NDArray[np.int64]
    community: NDArray[np.int64]
    old_grid: NDArray[np.int64]


def divide_city(plan: Plan, lot_households: NDArray[np.int64], spec: Spec, rng: np.random.Generator) -> Areas:
    """Divide the city into subdistricts, these into communities, these into old grids."""
    weight = np.zeros(len(plan.faces))
    weight[: len(lot_households)] = lot_households
    place = places(plan)
    net = make_net(plan.superblock, plan.links, weight, place)
    subdistrict = divide(net, spec.subdistricts, unevenness=0.15, smallest=0.0, rng=rng)[plan.superblock]
    subdistrict = _renumber(subdistrict, place)

    node = _community_nodes(plan, spec.mixed_blocks, rng)
    net = make_net(node, plan.links, weight, place)
    parent = np.zeros(len(net.weight), dtype=np.int64)
    parent[node] = subdistrict
    community = _divide_within(
        net,
        parent,
        spec.communities,
        power=1.0,
        unevenness=spec.unevenness,
        smallest=spec.smallest_community,
        rng=rng,
    )[node]
    community = _renumber(community, place, subdistrict)

    net = make_net(plan.host, plan.links, weight, place)
    lots = len(lot_households)
    old_grid = _divide_within(
        net, community[:lots], spec.old_grids, power=0.75, unevenness=0.5, smallest=0.0, rng=rng
    )[plan.host]
    return Areas(subdistrict, community, _renumber(old_grid, place, community))


def _community_nodes(plan: Plan, mixed: float, rng: np.random.Generator) -> NDArray[np.int64]:
    """Return the node of every face: its block, or its own lot in blocks that a border may cut."""
    block = np.array([lot.block for lot in plan.lots])
    cut = rng.random(int(block.max()) + 1) < mixed
    own = np.where(cut[block], int(block.max()) + 1 + np.arange(len(block)), block)
    node: NDArray[np.int64] = np.unique(own, return_inverse=True)[1]
    return node[plan.host]


def _divide_within(
    net: Net,
    parent: NDArray[np.int64],
    total: int,
    *,
    power: float,
    unevenness: float,
    smallest: float,
    rng: np.random.Generator,
) -> NDArray[np.int64]:
    """Divide the nodes of every parent into connected parts, `total` in all."""
    weight = np.bincount(parent, weights=net.weight).astype(np.float64)
    seats = apportion(weight**power, total, np.bincount(parent))
    part = np.empty(len(parent), dtype=np.int64)
    first = 0
    for p, parts in enumerate(seats.tolist()):
        nodes = np.flatnonzero(parent == p)
        part[nodes] = first + divide(
            subnet(net, nodes), parts, unevenness=unevenness, smallest=smallest, rng=rng
        )
        first += parts
    return part


def _renumber(
    part: NDArray[np.int64],
    place: NDArray[np.float64],
    parent: NDArray[np.int64] | None = None,
) -> NDArray[np.int64]:
    """Return the parts numbered from north-west to south-east within their parent."""
    count = np.bincount(part)
    middle = np.stack([np.bincount(part, weights=axis) / count for axis in place.T], axis=1)
    order = reading_order(middle)
    if parent is not None:
        of = np.zeros(len(count), dtype=np.int64)
        of[part] = parent
        order = order[np.argsort(of[order], kind="stable")]
    new = np.empty(len(count), dtype=np.int64)
    new[order] = np.arange(len(count))
    return new[part]


def _dissolve(plan: Plan, part: NDArray[np.int64]) -> NDArray[np.object_]:
    order = np.argsort(part, kind="stable")
    groups = np.split(plan.faces[order], np.cumsum(np.bincount(part))[:-1])
    return np.array([shapely.normalize(shapely.coverage_union_all(group)) for group in groups], dtype=object)


def area_layers(
    plan: Plan, areas: Areas, lot_households: NDArray[np.int64], spec: Spec, rng: np.random.Generator
) -> dict[str, gpd.GeoDataFrame]:
    """Return the layers ``subdistricts``, ``communities`` and ``old_grids``."""
    street_names = [
        names.SUBDISTRICTS[i] for i in sorted(rng.permutation(len(names.SUBDISTRICTS))[: spec.subdistricts])
    ]
    street_code = [f"{spec.code_prefix}{i:03d}" for i in range(1, spec.subdistricts + 1)]
    subdistricts = gpd.GeoDataFrame(
        {"code": street_code, "name": street_names}, geometry=_dissolve(plan, areas.subdistrict), crs=CRS
    )
    community_names = [
        names.COMMUNITIES[i] + "社区" for i in rng.permutation(len(names.COMMUNITIES))[: spec.communities]
    ]
    street_of = _parent(areas.community, areas.subdistrict)
    rank = _rank(street_of)
    community_code = [f"{street_code[s]}{r:03d}" for s, r in zip(street_of, rank, strict=True)]
    communities = gpd.GeoDataFrame(
        {
            "community_id": community_code,
            "name": community_names,
            "street": [street_names[s] for s in street_of],
        },
        geometry=_dissolve(plan, areas.community),
        crs=CRS,
    )
    community_of = _parent(areas.old_grid, areas.community)
    rank = _rank(community_of)
    old_grids = gpd.GeoDataFrame(
        {
            "grid_code": [f"{community_code[c]}{r:03d}" for c, r in zip(community_of, rank, strict=True)],
            "name": [
                f"{community_names[c]}第{names.numeral(r)}网格"
                for c, r in zip(community_of, rank, strict=True)
            ],
            "community_id": [community_code[c] for c in community_of],
            "households": np.bincount(
                areas.old_grid[: len(lot_households)], weights=lot_households, minlength=spec.old_grids
            ).astype(np.int64),
        },
        geometry=_dissolve(plan, areas.old_grid),
        crs=CRS,
    )
    return {"communities": communities, "subdistricts": subdistricts, "old_grids": old_grids}


def _parent(child: NDArray[np.int64], parent: NDArray[np.int64]) -> list[int]:
    of = np.zeros(int(child.max()) + 1, dtype=np.int64)
    of[child] = parent
    return of.tolist()


def _rank(group: list[int]) -> list[int]:
    seen: dict[int, int] = {}
    answer = []
    for g in group:
        seen[g] = seen.get(g, 0) + 1
        answer.append(seen[g])
    return answer
