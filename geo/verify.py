"""Prove, without tolerance, that polygons tile outlines: no gap, no overlap, no cell missing or double."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import shapely

from geo.tiling import SCALE

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    import geopandas as gpd
    from numpy.typing import NDArray

PLACES = 10
"""A verdict names at most this many places."""

BATCH = 250_000
"""Corners of polygons that are checked together."""


@dataclass(frozen=True)
class Place:
    """Where the tiling fails.

    Attributes
    ----------
    group
        Position of the community.
    lon, lat
        Start of the unmatched edge, or a corner of the invalid polygon, degrees.
    fault
        ``"edge"``, ``"invalid"``, ``"group"`` or ``"off-grid"``.
    """

    group: int
    lon: float
    lat: float
    fault: str


@dataclass(frozen=True)
class TilingVerdict:
    """Outcome of `verify_tiling`.

    Attributes
    ----------
    unmatched_edges
        Directed edges left over after opposite pairs and the outlines' own edges cancelled.
    invalid_polygons
        Positions of polygons that are invalid, empty, missing or not a Polygon.
    invalid_outlines
        Positions of outlines that are invalid or neither Polygon nor MultiPolygon.
    off_grid
        Coordinates that are no exact multiple of 1e-7 degree.
    area_difference
        int64 per group: twice the summed area of the polygons minus twice that of the outline, square steps;
        zero in an exact tiling.
    groups
        Positions of the groups with any fault.
    where
        The first few places.
    """

    unmatched_edges: int
    invalid_polygons: tuple[int, ...]
    invalid_outlines: tuple[int, ...]
    off_grid: int
    area_difference: NDArray[np.int64]
    groups: tuple[int, ...]
    where: tuple[Place, ...]

    @property
    def ok(self) -> bool:
        """True when the polygons tile every outline exactly."""
        faults = (self.unmatched_edges, self.invalid_polygons, self.invalid_outlines, self.off_grid)
        return not (any(faults) or self.area_difference.any())


@dataclass(frozen=True)
class _Directed:
    """Directed integer edges: tail and head (n, 2) in steps, the group of each, and of each ring its source."""

    tail: NDArray[np.int64]
    head: NDArray[np.int64]
    group: NDArray[np.int64]

    @classmethod
    def concatenate(cls, parts: Sequence[_Directed]) -> _Directed:
        """Join several, in the order given."""
        none = np.empty((0, 2), np.int64)
        return cls(
            np.concatenate([none, *(p.tail for p in parts)]),
            np.concatenate([none, *(p.head for p in parts)]),
            np.concatenate([none[:, 0], *(p.group for p in parts)]),
        )


def verify_tiling(
    polygons: gpd.GeoSeries | NDArray[Any],
    group: Sequence[int] | NDArray[np.integer[Any]],
    outlines: gpd.GeoSeries | NDArray[Any],
) -> TilingVerdict:
    """Check that the polygons of every group tile its outline exactly.

    All rings become directed edges between integer grid points (shells counter-clockwise, holes clockwise).
    Opposite pairs cancel; what remains must be the directed edges of the outline. With every polygon valid,
    this proves that the sum of the polygons' indicator functions is the outline's: no gap and no overlap of any
    size, whatever the tolerance of other tools.

    Parameters
    ----------
    polygons
        Polygons (or MultiPolygons) in EPSG:4326, coordinates multiples of 1e-7 degree.
    group
        int, shape (n,): position in `outlines` of each polygon.
    outlines
        One Polygon or MultiPolygon per group, carrying the same nodes as the polygons.
    """
    shapes, frames = np.asarray(polygons, dtype=object), np.asarray(outlines, dtype=object)
    member = np.asarray(group, dtype=np.int64)
    known = (member >= 0) & (member < len(frames))
    areal = np.isin(shapely.get_type_id(shapes), (3, 6)) & ~shapely.is_empty(shapes)
    bad = ~(areal & shapely.is_valid(shapes) & known)
    frame_bad = ~(shapely.is_valid(frames) & np.isin(shapely.get_type_id(frames), (3, 6)))
    usable = np.flatnonzero(areal & known)
    off_grid, difference = 0, np.zeros(len(frames), np.int64)
    leftovers = []
    for low, high, rows in _batches(shapes, usable, member, len(frames)):
        mine, off_mine = _directed(shapes[rows], member[rows])
        theirs, off_theirs = _directed(frames[low:high], np.arange(low, high))
        leftovers.append(_cancel(mine, theirs))
        off_grid += off_mine + off_theirs
        difference[low:high] = (_twice_area(mine, len(frames)) - _twice_area(theirs, len(frames)))[low:high]
    leftover = _Directed.concatenate(leftovers)
    faulty = np.concatenate(
        [leftover.group, member[bad & known], np.flatnonzero(frame_bad), np.flatnonzero(difference)]
    )
    where = [
        Place(int(g), x / SCALE, y / SCALE, "edge")
        for g, (x, y) in zip(leftover.group[:PLACES], leftover.tail[:PLACES].tolist(), strict=True)
    ]
    where += [_place(shapes[row], int(member[row])) for row in np.flatnonzero(bad)[:PLACES]]
    where += [_place(frames[row], int(row)) for row in np.flatnonzero(frame_bad)[:PLACES]]
    return TilingVerdict(
        unmatched_edges=len(leftover.tail),
        invalid_polygons=tuple(np.flatnonzero(bad).tolist()),
        invalid_outlines=tuple(np.flatnonzero(frame_bad).tolist()),
        off_grid=off_grid,
        area_difference=difference,
        groups=tuple(np.unique(faulty).tolist()),
        where=tuple(where[:PLACES]),
    )


def _batches(
    shapes: NDArray[Any], usable: NDArray[np.intp], member: NDArray[np.int64], n: int
) -> Iterator[tuple[int, int, NDArray[np.intp]]]:
    """Yield ranges of groups of about `BATCH` corners, with the polygons in them: edges take much memory."""
    rows = usable[np.argsort(member[usable], kind="stable")]
    first = np.searchsorted(member[rows], np.arange(n + 1))
    corners = np.append(0, np.cumsum(shapely.get_num_coordinates(shapes[rows])))[first]
    low = 0
    while low < n:
        high = max(int(np.searchsorted(corners, corners[low] + BATCH, side="right")) - 1, low + 1)
        yield low, high, rows[first[low] : first[high]]
        low = high


def _place(shape: Any, group: int) -> Place:
    xy = shapely.get_coordinates(shape)
    lon, lat = xy[0].tolist() if len(xy) else (np.nan, np.nan)
    return Place(group, lon, lat, "invalid")


def _directed(shapes: NDArray[Any], group: NDArray[np.int64]) -> tuple[_Directed, int]:
    """Split rings into directed edges; also count the coordinates off the grid."""
    parts, owner = shapely.get_parts(shapely.orient_polygons(shapes, exterior_cw=False), return_index=True)
    rings, part = shapely.get_rings(parts, return_index=True)
    degrees, ring = shapely.get_coordinates(rings, return_index=True)
    xy = np.rint(degrees * SCALE).astype(np.int64)
    off_grid = int((xy / SCALE != degrees).any(axis=1).sum())
    same = ring[:-1] == ring[1:]
    return _Directed(xy[:-1][same], xy[1:][same], group[owner[part[ring[:-1][same]]]]), off_grid


def _cancel(mine: _Directed, theirs: _Directed) -> _Directed:
    """Return the directed edges of one group that no opposite edge, and no edge of its outline, matches."""
    # The outline's edges enter reversed, so that a perfect tiling cancels to nothing.
    tail = np.concatenate([mine.tail, theirs.head])
    head = np.concatenate([mine.head, theirs.tail])
    group = np.concatenate([mine.group, theirs.group])
    if not len(tail):
        return _Directed(tail, head, group)
    _, number = np.unique(_packed(np.concatenate([tail, head])), return_inverse=True)
    a, b = number[: len(tail)], number[len(tail) :]
    count = int(number.max()) + 1
    undirected = np.minimum(a, b) * count + np.maximum(a, b)
    order = np.lexsort((undirected, group))
    key, owner, sign = undirected[order], group[order], np.where(a < b, 1, -1)[order]
    first = np.flatnonzero(np.r_[True, (key[1:] != key[:-1]) | (owner[1:] != owner[:-1])])
    balance = np.add.reduceat(sign, first)
    rows = []
    for at in np.flatnonzero(balance):
        stop = first[at + 1] if at + 1 < len(first) else len(order)
        run = order[first[at] : stop]
        rows.extend(run[sign[first[at] : stop] == np.sign(balance[at])][: abs(balance[at])])
    picked = np.array(rows, dtype=np.intp)
    return _Directed(tail[picked], head[picked], group[picked])


def _packed(xy: NDArray[np.int64]) -> NDArray[np.int64]:
    """One int64 per grid point: longitude and latitude have less than 32 bits each."""
    return (xy[:, 0] << 32) + (xy[:, 1] + (1 << 31))


def _twice_area(edges: _Directed, n: int) -> NDArray[np.int64]:
    """Twice the signed area per group, exact: coordinates are taken from a corner of the group."""
    total = np.zeros(n, np.int64)
    if not len(edges.tail):
        return total
    low = edges.tail.min(axis=0)
    a, b = edges.tail - low, edges.head - low
    # The sum may pass 2**63 on the way: integers wrap, so the end result is right all the same.
    np.add.at(total, edges.group, a[:, 0] * b[:, 1] - b[:, 0] * a[:, 1])
    return total
