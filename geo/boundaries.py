"""Boundaries of grids: exact unions of cells, and what runs along them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import geopandas as gpd
import numpy as np
import pandas as pd

from geo.cells.blocks import unique_nodes
from geo.cells.rings import half_edges, polygons, trace
from geo.tiling import SCALE
from geo.types import BorderClass

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from geo.tiling import Tiling


def dissolve(tiling: Tiling, label: NDArray[np.int32], n: int) -> gpd.GeoSeries:
    """Unite the cells of every label exactly: the result keeps every node of the cells on its border.

    Parameters
    ----------
    tiling
        The tiling.
    label
        int32, shape (cells,): 0 … n - 1, or -1 for cells that belong to none.
    n
        Number of labels.

    Returns
    -------
    GeoSeries, EPSG:4326, RangeIndex of length n: a Polygon, a MultiPolygon where the cells of a label do not
    share borders, an empty Polygon for a label without cells.
    """
    left, right = sides(tiling, label)
    border = left != right
    nodes, number = unique_nodes(
        np.concatenate([tiling.segments.start[border], tiling.segments.end[border]])
        if border.any()
        else np.zeros((1, 2), np.int64)
    )
    half = len(number) // 2
    # Relative to the lowest node: areas then fit an int64.
    rings, _ = trace(
        *half_edges(number[:half], number[half:], left[border], right[border]), nodes - nodes.min(axis=0)
    )
    return gpd.GeoSeries(polygons(rings, nodes / SCALE, n), crs="EPSG:4326")


def sides(tiling: Tiling, label: NDArray[np.int32]) -> tuple[NDArray[np.int32], NDArray[np.int32]]:
    """Return the label left and right of every segment, -1 where there is none."""
    named = np.append(np.asarray(label, np.int32), np.int32(-1))  # position -1 answers for the outside
    return named[tiling.segments.left], named[tiling.segments.right]


def border_summary(tiling: Tiling, label: NDArray[np.int32], n: int) -> pd.DataFrame:
    """Measure the union of cells of every label, in the working CRS.

    Parameters
    ----------
    tiling, label, n
        As for `dissolve`.

    Returns
    -------
    DataFrame, RangeIndex of length n: ``perimeter_m``, ``area_m2``, ``polsby_popper`` (4 pi area / perimeter**2,
    Polsby and Popper 1991; NaN without cells), and ``inner_<class>_m`` for every `geo.types.BorderClass` in lower
    case: border with another label of the same community, by what runs along it.
    """
    left, right = sides(tiling, label)
    community = np.append(tiling.cells["community"].to_numpy(np.int32), np.int32(-1))
    home = community[tiling.segments.left] == community[tiling.segments.right]
    inner = home & (left >= 0) & (right >= 0) & (left != right)
    length, classes = tiling.segments.length_m, tiling.segments.border_class
    perimeter = np.zeros(n)
    by_class = np.zeros((len(BorderClass), n))
    for side in (left, right):
        edge = (left != right) & (side >= 0)
        perimeter += np.bincount(side[edge], weights=length[edge], minlength=n)
        for kind in BorderClass:
            along = inner & (classes == kind)
            by_class[kind] += np.bincount(side[along], weights=length[along], minlength=n)
    kept = np.asarray(label) >= 0
    area = np.bincount(
        np.asarray(label)[kept], weights=tiling.cells["area_m2"].to_numpy(float)[kept], minlength=n
    )
    with np.errstate(invalid="ignore", divide="ignore"):
        compactness = np.where(perimeter > 0, 4 * np.pi * area / perimeter**2, np.nan)
    frame = pd.DataFrame({"perimeter_m": perimeter, "area_m2": area, "polsby_popper": compactness})
    for kind in BorderClass:
        frame[f"inner_{kind.name.lower()}_m"] = by_class[kind]
    return frame


def border_totals(tiling: Tiling, label: NDArray[np.int32]) -> dict[BorderClass, float]:
    """Return the whole border between labels of one community by what runs along it, metres, each once."""
    left, right = sides(tiling, label)
    community = np.append(tiling.cells["community"].to_numpy(np.int32), np.int32(-1))
    home = community[tiling.segments.left] == community[tiling.segments.right]
    inner = home & (left >= 0) & (right >= 0) & (left != right)
    totals = np.bincount(
        tiling.segments.border_class[inner],
        weights=tiling.segments.length_m[inner],
        minlength=len(BorderClass),
    )
    return {kind: float(totals[kind]) for kind in BorderClass}
