"""A small synthetic plan and city for the tests of maps and coverage."""

from __future__ import annotations

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

CRS_M = "EPSG:4549"  # CGCS2000, 3-degree zone of 120 E
NAMES = ("幸福社区", "和平里社区", "解放路社区")
CATEGORIES = ("养老", "托幼", "助餐（社区食堂）")


def _square(column: float, row: float, size: float = 1.0) -> shapely.Polygon:
    """Return a cell of a lattice of 0.003 degrees near Hangzhou, on the grid of 1e-7 degree."""
    x = np.array([column, column + size, column + size, column]) * 0.003 + 120.1
    y = np.array([row, row, row + size, row + size]) * 0.003 + 30.2
    return shapely.Polygon(np.round(np.column_stack([x, y]), 7))


def plan_frames(*, columns: int = 6, rows: int = 4, seed: int = 0) -> dict[str, gpd.GeoDataFrame]:
    """Return the layers of a plan of square grids; every two columns are a community."""
    rng = np.random.default_rng(seed)
    lattice = [(c, r) for c in range(columns) for r in range(rows - 1, -1, -1)]
    community = [c // 2 for c, _ in lattice]
    number = pd.Series(community).groupby(community).cumcount() + 1
    households = rng.integers(180, 320, len(lattice))
    grids = gpd.GeoDataFrame(
        {
            "grid_id": [f"C{c + 1}-{k:03d}" for c, k in zip(community, number, strict=True)],
            "code": [f"33010600{c + 1:04d}{k:03d}" for c, k in zip(community, number, strict=True)],
            "name": [f"{NAMES[c % 3]}第{k}网格" for c, k in zip(community, number, strict=True)],
            "community_id": [f"C{c + 1}" for c in community],
            "households": households,
            "persons": (households * 2.6).astype(int),
            "buildings": 4,
            "deviation": np.round((households - 250) / 250, 6),
            "in_band": (households >= 200) & (households <= 300),
            "compactness": 0.785,
        },
        geometry=[_square(c, r) for c, r in lattice],
        crs="EPSG:4326",
    )
    spots = [(c + dx, r + dy) for c, r in lattice for dx in (0.2, 0.6) for dy in (0.2, 0.6)]
    buildings = gpd.GeoDataFrame(
        {
            "building_id": [f"B{k:04d}" for k in range(len(spots))],
            "grid_id": np.repeat(grids["grid_id"].to_numpy(), 4),
            "households": rng.integers(0, 160, len(spots)),
        },
        geometry=[_square(x, y, 0.2) for x, y in spots],
        crs="EPSG:4326",
    )
    outline = grids.dissolve("community_id")
    communities = gpd.GeoDataFrame(
        {"community_id": outline.index.to_list(), "name": [NAMES[k % 3] for k in range(len(outline))]},
        geometry=outline.geometry.to_numpy(),
        crs="EPSG:4326",
    )
    stations = gpd.GeoDataFrame(
        {
            "station_id": [f"S{k}" for k in range(6)],
            "name": [f"{CATEGORIES[k % 3]}站{k}" for k in range(6)],
            "category": [CATEGORIES[k % 3] for k in range(6)],
            "opening_hours": "",
        },
        geometry=shapely.points(
            rng.uniform([120.1, 30.2], [120.1 + 0.003 * columns, 30.2 + 0.003 * rows], (6, 2))
        ),
        crs="EPSG:4326",
    )
    cells = gpd.GeoDataFrame(
        {
            "cell_id": [f"K{k}" for k in range(len(grids))],
            "building_id": "",
            "compound_id": "",
            "grid_id": grids["grid_id"],
            "community_id": grids["community_id"],
            "households": grids["households"],
        },
        geometry=grids.geometry,
        crs="EPSG:4326",
    )
    return {
        "grids": grids,
        "cells": cells,
        "buildings": buildings,
        "communities": communities,
        "stations": stations,
    }


def city_layers(frames: dict[str, gpd.GeoDataFrame]) -> tuple[gpd.GeoDataFrame, gpd.GeoDataFrame, np.ndarray]:
    """Return buildings and stations as a loaded city has them, and the row of each building's grid."""
    row = pd.Series(range(len(frames["grids"])), index=frames["grids"]["grid_id"])
    grid = frames["buildings"]["grid_id"].map(row).to_numpy(np.int32)
    ids = frames["communities"]["community_id"].to_list()
    place = frames["grids"]["community_id"].map(ids.index).to_numpy(np.int32)
    buildings = frames["buildings"].to_crs(CRS_M).assign(community=place[grid])
    return buildings, frames["stations"].to_crs(CRS_M), grid
