"""The integer coordinate grid all cells live on, and its relation to metres."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import shapely

from geo.crs import WGS84, transformer
from geo.tiling import SCALE

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from pyproj import CRS


@dataclass(frozen=True)
class Lattice:
    """Grid steps of 1e-7 degree counted from a local origin, so that products of differences fit an int64.

    Attributes
    ----------
    crs
        The working CRS, projected, metres.
    origin
        int64, shape (2,): longitude and latitude of the origin in steps of 1 / `SCALE` degree.
    step_m
        float64, shape (2,): metres per step eastwards and northwards in the middle of the data.
    """

    crs: CRS
    origin: NDArray[np.int64]
    step_m: NDArray[np.float64]

    @classmethod
    def around(cls, crs: CRS, bounds: NDArray[np.float64]) -> Lattice:
        """Lay the grid around `bounds` (xmin, ymin, xmax, ymax in `crs`)."""
        middle = np.array([(bounds[0] + bounds[2]) / 2, (bounds[1] + bounds[3]) / 2])
        lon, lat = transformer(crs, WGS84).transform(*middle)
        origin = np.rint(np.array([lon, lat]) * SCALE).astype(np.int64)
        delta = 1e-4
        back = transformer(WGS84, crs)
        x, y = back.transform([lon - delta, lon + delta, lon, lon], [lat, lat, lat - delta, lat + delta])
        steps = 2 * delta * SCALE
        step_m = np.array([np.hypot(x[1] - x[0], y[1] - y[0]), np.hypot(x[3] - x[2], y[3] - y[2])]) / steps
        return cls(crs, origin, step_m)

    def steps_of(self, xy: NDArray[np.float64]) -> NDArray[np.float64]:
        """Turn working-CRS coordinates, shape (n, 2), into steps from the origin, not rounded."""
        lon, lat = transformer(self.crs, WGS84).transform(xy[:, 0], xy[:, 1])
        return np.column_stack([lon, lat]) * SCALE - self.origin

    def degrees_of(self, steps: NDArray[np.int64]) -> NDArray[np.float64]:
        """Turn integer steps from the origin, shape (n, 2), into the doubles nearest to the exact decimals."""
        return (steps + self.origin) / SCALE

    def crs_of(self, steps: NDArray[np.int64]) -> NDArray[np.float64]:
        """Turn integer steps from the origin, shape (n, 2), into working-CRS metres."""
        degrees = self.degrees_of(steps)
        x, y = transformer(WGS84, self.crs).transform(degrees[:, 0], degrees[:, 1])
        return np.column_stack([x, y])

    def geometries(self, shapes: NDArray[Any], *, rounded: bool) -> NDArray[Any]:
        """Return copies of working-CRS geometries in steps from the origin, rounded to the grid or not."""
        shapes = shapely.force_2d(shapes)
        coordinates = self.steps_of(shapely.get_coordinates(shapes))
        return shapely.set_coordinates(shapes.copy(), np.rint(coordinates) if rounded else coordinates)
