"""From a city to a siting problem and back: candidate sites, straight-line ways, proposed stations."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, get_args

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from scipy.sparse import csr_array
from scipy.spatial import cKDTree

from geo.cells import build_tiling
from geo.errors import GeoError
from geo.siting.rows import SparseRows

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from geo.city import City

CandidateKind = Literal["layer", "buildings", "cells"]

CANDIDATE_KINDS: tuple[CandidateKind, ...] = get_args(CandidateKind)

MOST_WAYS = 40_000_000
"""Pairs of candidate and building within the limit; with more of them the table would fill the memory."""

WIDER = 1 + 1e-9
"""The tree is asked for a little more than the limit; the exact distance then decides."""


def candidate_sites(city: City, kind: str) -> gpd.GeoDataFrame:
    """Return the places where a station could be opened.

    Parameters
    ----------
    kind
        ``"layer"``: the candidates layer; ``"buildings"``: every building; ``"cells"``: every cell without a
        building.

    Returns
    -------
    RangeIndex; ``candidate_id`` (str, unique), ``name`` (str), Point geometry in the CRS of the city.

    Raises
    ------
    GeoError
        ``siting-unknown-candidates``, or ``siting-no-candidates`` when there are none of the kind.
    """
    makers = {"layer": _from_layer, "buildings": _from_buildings, "cells": _from_cells}
    if kind not in makers:
        raise GeoError(
            "siting-unknown-candidates",
            f"没有候选来源“{kind}”，可用的有：{'、'.join(makers)}。",
            f'There is no kind of candidates "{kind}"; use one of {", ".join(makers)}.',
        )
    sites = makers[kind](city)
    if not len(sites):
        raise GeoError(
            "siting-no-candidates",
            f"没有候选站址（来源：{kind}），无法选址。请加入 candidates 图层，或改用 buildings、cells 作候选。",
            f"There are no candidate sites ({kind}). Add a candidates layer, or take buildings or cells instead.",
            layer="candidates",
        )
    return sites


def points_of(frame: gpd.GeoDataFrame) -> NDArray[np.float64]:
    """Return one point inside each geometry, float64, shape (rows, 2), in the CRS of the frame."""
    shapes = frame.geometry.to_numpy()
    inside = np.where(
        shapely.get_type_id(shapes) == shapely.GeometryType.POINT, shapes, shapely.point_on_surface(shapes)
    )
    return shapely.get_coordinates(inside)


def circle_reach(sites: NDArray[np.float64], homes: NDArray[np.float64], limit_m: float) -> SparseRows:
    """Return the straight ways from every candidate to the homes within the limit, inclusive.

    Parameters
    ----------
    sites, homes
        float64, shape (rows, 2), metres, one CRS.
    limit_m
        Metres.

    Raises
    ------
    GeoError
        ``siting-too-many-ways``: more pairs than `MOST_WAYS`.
    """
    if not len(sites) or not len(homes):
        return SparseRows(np.zeros(len(sites) + 1, np.int64), np.empty(0, np.int32), np.empty(0), len(homes))
    trees = cKDTree(sites), cKDTree(homes)
    check_ways(int(trees[0].count_neighbors(trees[1], limit_m * WIDER)))
    near = trees[0].sparse_distance_matrix(trees[1], limit_m * WIDER, output_type="coo_matrix")
    metres = np.hypot(*(sites[near.row] - homes[near.col]).T)
    inside = metres <= limit_m
    # Each pair is there once, so that counting sort does what `sparse_rows` does, in a fraction of the time.
    table = csr_array((metres[inside], (near.row[inside], near.col[inside])), shape=(len(sites), len(homes)))
    table.sort_indices()
    return SparseRows(table.indptr.astype(np.int64), table.indices.astype(np.int32), table.data, len(homes))


def check_ways(count: int) -> None:
    """Refuse a table of more ways than `MOST_WAYS`."""
    if count > MOST_WAYS:
        raise GeoError(
            "siting-too-many-ways",
            f"候选站址与楼栋在步行上限内的组合超过 {MOST_WAYS:,} 个，内存不足以求解。"
            "请减少候选站址（如改用 candidates 图层）或缩短步行时间。",
            f"More than {MOST_WAYS:,} pairs of candidate and building lie within the walking limit, too many "
            "to hold in memory. Take fewer candidates, e.g. a candidates layer, or a shorter walking time.",
            layer="candidates",
        )


def circle_nearest(
    stations: NDArray[np.float64], homes: NDArray[np.float64], limit_m: float
) -> NDArray[np.float64]:
    """Return the straight way of every home to its nearest station, inf beyond the limit; float64 (homes,)."""
    if not len(stations):
        return np.full(len(homes), np.inf)
    _, row = cKDTree(stations).query(homes)
    metres: NDArray[np.float64] = np.hypot(*(homes - stations[row]).T)
    return np.where(metres <= limit_m, metres, np.inf)


def proposed_stations(
    sites: gpd.GeoDataFrame, categories: Sequence[str], taken: Sequence[str]
) -> gpd.GeoDataFrame:
    """Return one proposed station per chosen site and category, in the form of the stations layer.

    Parameters
    ----------
    sites
        Chosen candidates.
    categories
        Every site houses each of them.
    taken
        Station ids in use; the new ones differ.

    Returns
    -------
    ``station_id``, ``name``, ``category``, ``opening_hours`` (""), ``proposed`` (True), ``candidate_id``, geometry.
    """
    n = len(sites) * len(categories)
    used = set(taken)
    free = (f"P{i:04d}" for i in range(1, n + len(used) + 1))
    row = np.repeat(np.arange(len(sites)), len(categories))
    return gpd.GeoDataFrame(
        {
            "station_id": [
                name for name, _ in zip((x for x in free if x not in used), range(n), strict=False)
            ],
            "name": sites["name"].to_numpy()[row],
            "category": list(categories) * len(sites),
            "opening_hours": [""] * n,
            "proposed": np.ones(n, np.bool_),
            "candidate_id": sites["candidate_id"].to_numpy()[row],
        },
        geometry=sites.geometry.to_numpy()[row],
        crs=sites.crs,
    )


def with_proposed(stations: gpd.GeoDataFrame, proposed: gpd.GeoDataFrame) -> gpd.GeoDataFrame:
    """Return the stations with the proposed ones below them, so that coverage can be counted as if they were open.

    The frame has the columns of `stations`, and ``proposed`` (bool) and ``candidate_id`` (str, "" for a
    station that is there).
    """
    there = stations.assign(proposed=False, candidate_id="")
    if not len(there):
        return proposed.reset_index(drop=True)
    both = pd.concat([there, proposed.to_crs(there.crs)], ignore_index=True)
    return gpd.GeoDataFrame(both.astype({"proposed": bool}), geometry="geometry", crs=there.crs)


def _from_layer(city: City) -> gpd.GeoDataFrame:
    layer = city.candidates
    if not len(layer):
        return _sites([], [], np.empty((0, 2)), city)
    return _sites(layer["candidate_id"].tolist(), layer["name"].tolist(), points_of(layer), city)


def _from_buildings(city: City) -> gpd.GeoDataFrame:
    ids = city.buildings["building_id"].tolist()
    return _sites(ids, ids, points_of(city.buildings), city)


def _from_cells(city: City) -> gpd.GeoDataFrame:
    if not len(city.communities):
        return _sites([], [], np.empty((0, 2)), city)
    tiling = build_tiling(city)
    used = np.zeros(len(tiling.cells), np.bool_)
    used[tiling.building_cell[tiling.building_cell >= 0]] = True
    empty = np.flatnonzero(~used)
    ids = [f"cell-{i}" for i in empty]
    return _sites(ids, ids, points_of(tiling.cells.iloc[empty].to_crs(city.crs)), city)


def _sites(ids: Sequence[str], names: Sequence[str], xy: NDArray[np.float64], city: City) -> gpd.GeoDataFrame:
    return gpd.GeoDataFrame(
        {
            "candidate_id": pd.Series([str(i) for i in ids], dtype=object),
            "name": pd.Series([str(name) for name in names], dtype=object),
        },
        geometry=shapely.points(xy) if len(xy) else [],
        crs=city.crs,
    )
