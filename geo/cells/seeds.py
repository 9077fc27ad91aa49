"""Seeds: the sample points of buildings from which the borders between them are drawn."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import shapely

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from geo.cells.lattice import Lattice

SPACING_M = 8.0
"""Longest piece of wall one sample stands for; walls close to another building are sampled more densely later."""
INSET_M = 0.5
"""Samples lie this far inside the wall, so that touching buildings never share one."""


@dataclass(frozen=True)
class Seeds:
    """Sample points, sorted by building.

    Attributes
    ----------
    xy
        float64, shape (n, 2): metres east and north of the lattice origin (local, not the working CRS).
    building
        int32, shape (n,): position in the buildings that were sampled.
    along
        float64, shape (n, 2): a third of the piece of wall the sample stands for, metres; 0 for points.
    """

    xy: NDArray[np.float64]
    building: NDArray[np.int32]
    along: NDArray[np.float64]


def sample_footprints(shapes: NDArray[Any], lattice: Lattice) -> Seeds:
    """Sample the walls of buildings (in steps): the middles of equal pieces of each wall, moved inwards.

    Both sides of a wall that two buildings share get mirrored samples, so their border is that wall.
    A point, and a footprint without area, is its own sample.
    """
    parts, owner = shapely.get_parts(shapes, return_index=True)
    flat = shapely.get_dimensions(parts) < 2
    flat[~flat] = shapely.area(parts[~flat]) <= 1.0
    inner = shapely.get_coordinates(shapely.point_on_surface(parts[flat])) * lattice.step_m
    solid = shapely.orient_polygons(parts[~flat], exterior_cw=False)
    rings, polygon = shapely.get_rings(solid, return_index=True)
    xy, ring = shapely.get_coordinates(rings, return_index=True)
    xy = xy * lattice.step_m
    same = np.flatnonzero(ring[:-1] == ring[1:])
    a, b, part = xy[same], xy[same + 1], polygon[ring[same]]
    delta = b - a
    length = np.hypot(delta[:, 0], delta[:, 1])
    around = np.bincount(part, weights=length, minlength=len(solid))
    area = shapely.area(solid) * lattice.step_m.prod()
    inset = np.minimum(INSET_M, area / np.maximum(around, 1e-9) / 2)
    long = length > 1e-6
    a, delta, length, part = a[long], delta[long], length[long], part[long]
    count = np.maximum(1, np.ceil(length / SPACING_M)).astype(np.int64)
    wall = np.repeat(np.arange(len(a)), count)
    step = np.arange(len(wall)) - np.repeat(np.cumsum(count) - count, count)
    share = (step + 0.5) / count[wall]
    normal = np.column_stack([-delta[:, 1], delta[:, 0]]) / length[:, None] * inset[part][:, None]
    samples = a[wall] + share[:, None] * delta[wall] + normal[wall]
    building = np.concatenate([owner[flat], owner[~flat][part[wall]]])
    along = np.concatenate([np.zeros((len(inner), 2)), (delta / (3 * count[:, None]))[wall]])
    order = np.argsort(building, kind="stable")
    return Seeds(np.concatenate([inner, samples])[order], building[order].astype(np.int32), along[order])
