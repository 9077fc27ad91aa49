"""From parts to cells: one polygon each, numbered, measured, and matched to buildings and compounds."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import geopandas as gpd
import numpy as np
import shapely

from geo.cells.barriers import Edges
from geo.cells.parts import EMPTY
from geo.cells.rings import half_edges, polygons, trace
from geo.cells.settle import settle
from geo.crs import WGS84
from geo.findings import Finding
from geo.tiling import SCALE, Segments, Tiling

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from geo.cells.parts import Parts
    from geo.cells.plan import Layout
    from geo.cells.rings import Rings
    from geo.city import City


@dataclass(frozen=True)
class Cells:
    """Cells before they are measured.

    Attributes
    ----------
    edges
        Borders between cells, left and right are cells.
    block, building
        int32, shape (n,): the block; the building, -1 for an empty cell.
    rings
        Their rings.
    shapes
        object, shape (n,): one geometry each, degrees.
    """

    edges: Edges
    block: NDArray[np.int32]
    building: NDArray[np.int32]
    rings: Rings
    shapes: NDArray[Any]

    @property
    def broken(self) -> NDArray[np.bool_]:
        """Cells that are no valid Polygon."""
        whole = shapely.get_type_id(self.shapes) == shapely.GeometryType.POLYGON
        flat = np.zeros(len(whole), bool)
        flat[self.rings.label[self.rings.area2 == 0]] = True
        return flat | ~whole | shapely.is_empty(self.shapes) | ~shapely.is_valid(self.shapes)


def make_cells(layout: Layout, parts: Parts) -> Cells:
    """Give detached parts to a neighbour, number the cells by community, block and building, trace them."""
    edges = parts.edges
    both = (edges.left >= 0) & (edges.right >= 0)
    pairs = np.column_stack([edges.left[both], edges.right[both]])
    delta = (edges.xy[edges.end[both]] - edges.xy[edges.start[both]]) * layout.lattice.step_m
    kept = _main_parts(layout, parts)
    building = parts.building.copy()
    length = np.hypot(delta[:, 0], delta[:, 1])
    owner = settle(pairs, length, parts.block, kept)
    while (owner < 0).any():  # a part that rounding cut off from its whole block becomes an empty cell
        alone = int(np.argmin(owner))
        kept[alone], building[alone] = True, EMPTY
        owner = settle(pairs, length, parts.block, kept)
    cells = np.flatnonzero(kept)
    cells = cells[np.lexsort((building[cells], parts.block[cells], layout.community[parts.block[cells]]))]
    number = np.full(len(kept) + 1, -1, np.int32)
    number[cells] = np.arange(len(cells), dtype=np.int32)
    cell_of_part = number[np.append(owner, len(kept))]  # position -1 answers for the outside
    left, right = cell_of_part[edges.left], cell_of_part[edges.right]
    border = left != right
    start, end, left, right = edges.start[border], edges.end[border], left[border], right[border]
    rings, _ = trace(*half_edges(start, end, left, right), edges.xy)
    shapes = polygons(rings, layout.lattice.degrees_of(edges.xy), len(cells))
    frame = Edges(edges.xy, start, end, left, right, edges.border_class[border])
    return Cells(frame, parts.block[cells], building[cells], rings, shapes)


def _main_parts(layout: Layout, parts: Parts) -> NDArray[np.bool_]:
    """Choose one part per building: the one around its inner point, else the largest; all parts without any."""
    n = len(parts.block)
    kept = parts.building < 0
    named = np.flatnonzero(~kept)
    copies = np.bincount(parts.building[named], minlength=len(layout.home))
    single = named[copies[parts.building[named]] == 1]
    kept[single] = True
    rest = named[copies[parts.building[named]] > 1]
    if not len(rest):
        return kept
    local = np.full(n + 1, -1, np.int32)
    local[rest] = np.arange(len(rest), dtype=np.int32)
    edges = parts.edges
    left, right = local[edges.left], local[edges.right]
    some = (left >= 0) | (right >= 0)
    rings, _ = trace(*half_edges(edges.start[some], edges.end[some], left[some], right[some]), edges.xy)
    shapes = polygons(rings, edges.xy.astype(float), len(rest))
    around = shapely.intersects(shapes, layout.centre[parts.building[rest]])
    order = np.lexsort((rest, -parts.area2[rest], ~around, parts.building[rest]))
    first = np.flatnonzero(np.diff(parts.building[rest][order], prepend=-1))
    kept[rest[order[first]]] = True
    return kept


def finish(city: City, layout: Layout, cells: Cells) -> Tiling:
    """Measure the cells and put the tiling together."""
    edges, lattice = cells.edges, layout.lattice
    community = layout.community[cells.block]
    metric = lattice.crs_of(edges.xy)
    building_cell, sharing = _cells_of_buildings(layout, cells)
    frame = gpd.GeoDataFrame(
        {
            "community": community,
            "block": cells.block,
            "compound": _compounds(city, layout, cells, building_cell),
            "area_m2": ring_areas(cells.rings, metric, len(cells.block)),
        },
        geometry=gpd.GeoSeries(cells.shapes, crs=WGS84),
    )
    named = np.append(community, np.int32(-1))
    left, right = named[edges.left], named[edges.right]
    border = left != right
    rings, _ = trace(
        *half_edges(edges.start[border], edges.end[border], left[border], right[border]), edges.xy
    )
    outlines = polygons(rings, lattice.degrees_of(edges.xy), len(city.communities))
    delta = metric[edges.end] - metric[edges.start]
    segments = Segments(
        edges.xy[edges.start] + lattice.origin,
        edges.xy[edges.end] + lattice.origin,
        edges.left,
        edges.right,
        edges.border_class,
        np.hypot(delta[:, 0], delta[:, 1]),
    )
    communities = city.communities.set_geometry(
        gpd.GeoSeries(outlines, index=city.communities.index, crs=WGS84)
    )
    return Tiling(frame, communities, building_cell, segments, _findings(city, sharing))


def ring_areas(rings: Rings, xy: NDArray[np.float64], n: int) -> NDArray[np.float64]:
    """Sum the areas of the rings of each label (holes count below zero), in the unit of `xy` squared."""
    if not len(rings.label):
        return np.zeros(n)
    following = np.arange(1, len(rings.node) + 1)
    following[rings.offset[1:] - 1] = rings.offset[:-1]
    origin = np.repeat(xy[rings.node[rings.offset[:-1]]], np.diff(rings.offset), axis=0)
    a, b = xy[rings.node] - origin, xy[rings.node[following]] - origin
    cross = np.add.reduceat(a[:, 0] * b[:, 1] - a[:, 1] * b[:, 0], rings.offset[:-1])
    return np.bincount(rings.label, weights=cross, minlength=n) / 2


def _cells_of_buildings(layout: Layout, cells: Cells) -> tuple[NDArray[np.int32], NDArray[np.intp]]:
    """Return the cell of every building, and the buildings that have to share the cell of another."""
    home = np.full(len(layout.home), -1, np.int32)
    own = np.flatnonzero(cells.building >= 0)
    home[cells.building[own]] = own
    sharing = np.flatnonzero((home < 0) & (layout.home >= 0))
    if len(sharing):
        steps = shapely.get_coordinates(layout.centre[sharing])
        points = shapely.points((steps + layout.lattice.origin) / SCALE)
        blocks = layout.home[sharing]
        near = np.flatnonzero(np.isin(cells.block, blocks))
        for block in np.unique(blocks):
            rows = np.flatnonzero(blocks == block)
            local = near[cells.block[near] == block]
            tree = shapely.STRtree(cells.shapes[local])
            home[sharing[rows]] = local[tree.nearest(points[rows])]
    return home, sharing


def _compounds(
    city: City, layout: Layout, cells: Cells, building_cell: NDArray[np.int32]
) -> NDArray[np.int32]:
    """Return the compound of each cell: its first building's, for an empty cell the one around it."""
    compound = np.full(len(cells.block), -1, np.int32)
    rows = np.flatnonzero(building_cell >= 0)[::-1]
    compound[building_cell[rows]] = city.buildings["compound"].to_numpy(np.int32)[rows]
    empty = np.ones(len(cells.block), bool)
    empty[building_cell[rows]] = False
    if not len(city.compounds) or not empty.any():
        return compound
    walls = layout.lattice.geometries(city.compounds.geometry.to_numpy(), rounded=False)
    inner = shapely.get_coordinates(shapely.point_on_surface(cells.shapes[empty]))
    points = shapely.points(inner * SCALE - layout.lattice.origin)
    point, wall = shapely.STRtree(walls).query(points, predicate="intersects")
    found = np.full(len(points), len(walls), np.int64)
    np.minimum.at(found, point, wall)
    compound[empty] = np.where(found < len(walls), found, -1)
    return compound


def _findings(city: City, sharing: NDArray[np.intp]) -> tuple[Finding, ...]:
    n = len(sharing)
    if not n:
        return ()
    return (
        Finding(
            "buildings-share-cell",
            "info",
            "buildings",
            n,
            f"{n} 栋建筑与其他建筑重叠、位置重合或无法划出边界，未能单独划出单元，已并入所在位置的单元。",
            f"{n} buildings overlap or coincide with others, or no border could be drawn around them; they share "
            "the cell of the building there.",
            rows=tuple(city.buildings["source_row"].to_numpy()[sharing]),
            ids=tuple(city.buildings["building_id"].to_numpy()[sharing]),
            households=int(city.buildings["households"].to_numpy()[sharing].sum()),
        ),
    )
