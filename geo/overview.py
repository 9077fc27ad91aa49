"""A picture of a city in which every pixel is the number of a cell: how a whole city is drawn at once.

Where a cell is a few pixels wide, drawing its outline costs far more than it shows, and ten times the cells cost
ten times as much. A picture costs the same however many cells it holds; whoever draws it looks up the colour of
each pixel's cell, and finds borders where the cells beside a pixel are in another grid.
"""

from __future__ import annotations

import gzip
import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import shapely

from geo.jit import kernel

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

    Ints = NDArray[np.int32]

FILE = "overview.gz"

CELL_PX = 14
"""How many pixels wide a cell is on average, within the limits of the picture."""
LEAST_PX, MOST_PX = 2048, 3072
"""Of the longer side: finer than any screen shows a small city; what every graphics card takes."""

NO_CELL = -1


@dataclass(frozen=True)
class Overview:
    """The cells of a city as a picture, in Web Mercator from 0 to 1, north up.

    Attributes
    ----------
    cells
        int32, shape (rows, columns), row 0 in the north; `NO_CELL` where there is none.
    west, north
        Upper left corner.
    pixel
        Width and height of a pixel.
    """

    cells: Ints
    west: float
    north: float
    pixel: float


def make_overview(cells: NDArray[np.object_]) -> Overview:
    """Draw cells into a picture.

    A pixel belongs to the cell in which its middle lies. Both cells of a border compute its crossings from the same
    numbers, so that every pixel of an exact tiling is of exactly one cell.

    Parameters
    ----------
    cells
        Polygons and multipolygons, EPSG:4326; at least one that is not empty.
    """
    points, owner = shapely.get_coordinates(cells, return_index=True)
    x, y = mercator(points)
    west, north = float(x.min()), float(y.min())
    wide, high = float(x.max()) - west, float(y.max()) - north
    across = math.sqrt(len(cells) * max(wide, high) / max(min(wide, high), max(wide, high) / 16))
    side = min(MOST_PX, max(LEAST_PX, round(CELL_PX * across)))
    pixel = max(wide, high, 1e-9) / side
    shape = max(1, math.ceil(high / pixel)), max(1, math.ceil(wide / pixel))
    picture = np.full(shape, NO_CELL, dtype=np.int32)
    start = _sides(cells)
    first = np.searchsorted(owner[start], np.arange(len(cells) + 1)).astype(np.int64)
    _fill(picture, first, start, (x - west) / pixel, (y - north) / pixel)
    return Overview(picture, west, north, pixel)


def mercator(points: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return x and y of points, longitude and latitude, in Web Mercator from 0 to 1, y southwards."""
    x = (points[:, 0] + 180.0) / 360.0
    y = 0.5 - np.log(np.tan(np.pi / 4 + np.radians(points[:, 1]) / 2)) / (2 * np.pi)
    return x, y


def packed(overview: Overview) -> bytes:
    """Write the pixels of a picture as runs, each in two whole numbers, compressed with gzip.

    A run is its length and, as a difference from the pixel above its first one, its cell; runs end with their row.
    The difference is folded (0, -1, 1, -2 … become 0, 1, 2, 3 …), and both numbers are written seven bits a byte,
    the lowest first, with the eighth bit where more follow. Above the first row there is no cell.
    """
    cells = overview.cells.astype(np.int64)
    fresh = np.ones(cells.shape, dtype=np.bool_)
    fresh[:, 1:] = cells[:, 1:] != cells[:, :-1]
    at = np.flatnonzero(fresh)
    length = np.diff(np.append(at, cells.size))
    above = np.vstack([np.full((1, cells.shape[1]), NO_CELL, dtype=np.int64), cells[:-1]])
    step = cells.ravel()[at] - above.ravel()[at]
    folded = np.where(step < 0, -2 * step - 1, 2 * step)
    return gzip.compress(_varints(np.stack([length, folded], axis=1).ravel()), compresslevel=6, mtime=0)


def write_overview(overview: Overview, folder: Path) -> dict[str, float | int]:
    """Write `FILE` into a folder; return what a reader has to know beside it."""
    draft = folder / f".{FILE}"
    draft.write_bytes(packed(overview))
    draft.replace(folder / FILE)
    rows, columns = overview.cells.shape
    return {
        "width": columns,
        "height": rows,
        "west": overview.west,
        "north": overview.north,
        "pixel": overview.pixel,
    }


def _sides(cells: NDArray[np.object_]) -> NDArray[np.int64]:
    """Return the coordinates of all rings from which a side goes to the next coordinate."""
    ends = np.cumsum(shapely.get_num_coordinates(shapely.get_rings(shapely.get_parts(cells))))
    begins = np.ones(int(ends[-1]) if len(ends) else 0, dtype=np.bool_)
    begins[ends - 1] = False  # the last point of a ring is its first
    return np.flatnonzero(begins)


def _varints(values: NDArray[np.int64]) -> bytes:
    more = np.stack([values >> (7 * k) > 0 for k in range(5)], axis=1)
    more[:, 0] = True
    bytes_ = np.stack([(values >> (7 * k)) & 0x7F for k in range(5)], axis=1).astype(np.uint8)
    bytes_[:, :4] |= more[:, 1:].astype(np.uint8) << 7
    return bytes_[more].tobytes()


@kernel
def _fill(
    picture: Ints,
    first: NDArray[np.int64],
    start: NDArray[np.int64],
    x: NDArray[np.float64],
    y: NDArray[np.float64],
) -> None:
    """Fill pixels row by row between the crossings of their middles with the sides of each cell.

    Sides `first[c]` to `first[c + 1]` are those of cell `c`; side `k` goes from coordinate `start[k]` to the next.
    """
    rows, columns = picture.shape
    for cell in range(len(first) - 1):
        sides = start[first[cell] : first[cell + 1]]
        if len(sides) == 0:
            continue
        top, bottom = y[sides].min(), y[sides].max()
        crossings = np.empty(len(sides), dtype=np.float64)
        for row in range(max(0, int(top) - 1), min(rows, int(bottom) + 2)):
            middle = row + 0.5
            count = 0
            for side in sides:
                if (y[side] <= middle) == (y[side + 1] <= middle):
                    continue
                # From the upper end of the side, whichever way its ring goes.
                upper, lower = (side, side + 1) if y[side] < y[side + 1] else (side + 1, side)
                share = (middle - y[upper]) / (y[lower] - y[upper])
                crossings[count] = x[upper] + share * (x[lower] - x[upper])
                count += 1
            inside = np.sort(crossings[:count])
            for pair in range(0, count - 1, 2):
                low = max(0, int(np.ceil(inside[pair] - 0.5)))
                high = min(columns, int(np.ceil(inside[pair + 1] - 0.5)))
                picture[row, low:high] = cell
