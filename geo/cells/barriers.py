"""Node the barriers once for the whole city and cut it into blocks."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import shapely

from geo.types import BorderClass

GAP_M = 10.0
"""Road ends are led on over gaps up to this length."""
TOUCH_STEPS = 1.5
OVERSHOOT_STEPS = 20.0

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from geo.cells.lattice import Lattice
    from geo.city import City


@dataclass(frozen=True)
class Edges:
    """Straight pieces between nodes, each once, meeting only at nodes.

    Attributes
    ----------
    xy
        int64, shape (nodes, 2): coordinates in steps, unique, sorted by x then y.
    start, end
        int32, shape (n,): node numbers, start < end.
    left, right
        int32, shape (n,): the region on either side when walking from start to end, -1 none.
    border_class
        uint8, shape (n,).
    """

    xy: NDArray[np.int64]
    start: NDArray[np.int32]
    end: NDArray[np.int32]
    left: NDArray[np.int32]
    right: NDArray[np.int32]
    border_class: NDArray[np.uint8]


def barrier_lines(city: City, lattice: Lattice) -> tuple[NDArray[Any], NDArray[np.uint8]]:
    """Collect everything a cell must not cross, as single LineStrings on the grid with their border class.

    Loose ends of roads and railways are led on to the next barrier over small gaps.

    Roads, water and railways far from every community are left out; community borders come as class INTERIOR.
    """
    near = shapely.box(*city.communities.total_bounds)
    shapes: list[NDArray[Any]] = [shapely.boundary(city.communities.geometry.to_numpy())]
    classes: list[NDArray[np.uint8]] = [np.full(len(city.communities), BorderClass.INTERIOR, np.uint8)]
    for layer in (city.roads, city.water, city.railways):
        if len(layer):
            shapes.append(layer.geometry.to_numpy())
            classes.append(layer["border_class"].to_numpy(np.uint8))
    if len(city.compounds):
        shapes.append(shapely.boundary(city.compounds.geometry.to_numpy()))
        classes.append(np.full(len(city.compounds), BorderClass.WALL, np.uint8))
    geometry = np.concatenate(shapes)
    border_class = np.concatenate(classes)
    present = ~shapely.is_missing(geometry)
    present[present] &= shapely.intersects(geometry[present], near)
    parts, row = shapely.get_parts(geometry[present], return_index=True)
    lines, kinds = lattice.geometries(parts, rounded=True), border_class[present][row]
    extendable = (kinds >= BorderClass.ALLEY) & (kinds <= BorderClass.RAILWAY)
    extra, continued = close_gaps(lines, extendable, GAP_M / float(lattice.step_m.mean()))
    return np.concatenate([lines, extra]), np.append(kinds, kinds[continued])


def close_gaps(
    lines: NDArray[Any], extendable: NDArray[np.bool_], reach: float
) -> tuple[NDArray[Any], NDArray[np.intp]]:
    """Return extra LineStrings that lead loose ends straight on to the next barrier, and the line each continues.

    Parameters
    ----------
    lines
        All barriers, LineStrings in steps.
    extendable
        bool, shape (n,): lines whose ends may be led on (roads and railways).
    reach
        The longest gap to close, in steps.
    """
    rows = np.flatnonzero(extendable & ~shapely.is_closed(lines) & (shapely.length(lines) > 0))
    last = np.repeat(shapely.get_num_points(lines[rows]) - 1, 2)
    last[::2] = 0
    own = np.repeat(rows, 2)
    tip = shapely.get_coordinates(shapely.get_point(lines[own], last))
    before = shapely.get_coordinates(shapely.get_point(lines[own], np.where(last == 0, 1, last - 1)))
    tree = shapely.STRtree(lines)
    end, line = tree.query(shapely.points(tip), predicate="dwithin", distance=TOUCH_STEPS)
    met = np.zeros(len(own), bool)
    met[end[line != own[end]]] = True
    heading = tip - before
    length = np.hypot(heading[:, 0], heading[:, 1])
    loose = np.flatnonzero(~met & (length > 0))
    if not len(loose):
        return np.empty(0, dtype=object), loose
    heading = heading[loose] / length[loose, None]
    rays = shapely.linestrings(np.stack([tip[loose], tip[loose] + reach * heading], axis=1))
    ray, line = tree.query(rays, predicate="intersects")
    other = line != own[loose[ray]]
    ray, line = ray[other], line[other]
    hit = shapely.intersection(rays[ray], lines[line])
    distance = np.full(len(loose), np.inf)
    np.minimum.at(distance, ray, shapely.distance(shapely.points(tip[loose[ray]]), hit))
    found = np.isfinite(distance)
    # A little too far: what sticks out bounds nothing and falls away when the faces are cut.
    tips, ahead = tip[loose[found]], heading[found] * (distance[found] + OVERSHOOT_STEPS)[:, None]
    return shapely.linestrings(np.rint(np.stack([tips, tips + ahead], axis=1))), own[loose[found]]


def node_lines(lines: NDArray[Any]) -> NDArray[np.int64]:
    """Node LineStrings by snap rounding; return the distinct pieces, int64 of shape (n, 4): x, y, x, y."""
    noded = shapely.get_parts(shapely.union_all(lines, grid_size=1.0))
    return distinct_pieces(noded)


def distinct_pieces(lines: NDArray[Any]) -> NDArray[np.int64]:
    """Return the straight pieces of LineStrings on the grid, each once, lower end first, sorted."""
    xy, owner = shapely.get_coordinates(lines, return_index=True)
    grid = np.rint(xy).astype(np.int64)
    same = owner[:-1] == owner[1:]
    a, b = grid[:-1][same], grid[1:][same]
    swap = (a[:, 0] > b[:, 0]) | ((a[:, 0] == b[:, 0]) & (a[:, 1] > b[:, 1]))
    pieces = np.where(swap[:, None], np.hstack([b, a]), np.hstack([a, b]))
    moved = (pieces[:, :2] != pieces[:, 2:]).any(axis=1)
    return np.unique(pieces[moved], axis=0)


def classify(pieces: NDArray[np.int64], lines: NDArray[Any], classes: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Give every piece the highest class among the lines that run along it (within two steps of its middle)."""
    result = np.zeros(len(pieces), np.uint8)
    ranked = classes > BorderClass.INTERIOR
    if not ranked.any():
        return result
    xy, owner = shapely.get_coordinates(lines[ranked], return_index=True)
    same = np.flatnonzero(owner[:-1] == owner[1:])
    segments = shapely.linestrings(np.stack([xy[same], xy[same + 1]], axis=1))
    middles = shapely.points((pieces[:, :2] + pieces[:, 2:]) / 2)
    piece, segment = shapely.STRtree(segments).query(middles, predicate="dwithin", distance=2.0)
    np.maximum.at(result, piece, classes[ranked][owner[same[segment]]])
    return result
