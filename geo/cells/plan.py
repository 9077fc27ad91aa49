"""What has to be divided: blocks, the buildings in them, and their samples."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import shapely

from geo.cells.barriers import Edges, barrier_lines, classify, node_lines
from geo.cells.blocks import cut_blocks, edges_of, join_slivers
from geo.cells.interior import Jobs
from geo.cells.lattice import Lattice
from geo.cells.seeds import Seeds, sample_footprints

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from geo.cells.blocks import Blocks
    from geo.city import City


@dataclass(frozen=True)
class Layout:
    """Blocks and buildings before any block is divided.

    Attributes
    ----------
    lattice
        The grid.
    barriers
        Borders of the blocks; left and right are blocks.
    community
        int32, shape (blocks,): the community of each block.
    home
        int32, shape (buildings,): the block of each building, -1 for a building outside all communities.
    centre
        object, shape (buildings,): a point inside each building, in steps.
    seeds
        Samples of the buildings that have a block.
    """

    lattice: Lattice
    barriers: Edges
    community: NDArray[np.int32]
    home: NDArray[np.int32]
    centre: NDArray[Any]
    seeds: Seeds

    @property
    def n_blocks(self) -> int:
        """Number of blocks."""
        return len(self.community)


def lay_out(city: City) -> Layout:
    """Node the barriers, cut the blocks, find the block of every building and sample the footprints."""
    lattice = Lattice.around(city.crs, city.communities.total_bounds)
    lines, classes = barrier_lines(city, lattice)
    outlines = lattice.geometries(city.communities.geometry.to_numpy(), rounded=False)
    blocks = cut_blocks(node_lines(lines), outlines)
    edges = edges_of(blocks.shapes)
    ends = np.hstack([edges.xy[edges.start], edges.xy[edges.end]])
    edges.border_class[:] = classify(ends, lines, classes)
    footprints = lattice.geometries(city.buildings.geometry.to_numpy(), rounded=False)
    centre = inner_points(footprints)
    home = home_blocks(blocks, centre, city.buildings["community"].to_numpy(np.int32))
    placed = np.flatnonzero(home >= 0)
    occupied = np.zeros(len(blocks.shapes), bool)
    occupied[home[placed]] = True
    group = join_slivers(edges, blocks, occupied, lattice)
    community = np.zeros(int(group.max(initial=-1)) + 1, np.int32)
    community[group] = blocks.community
    home[placed] = group[home[placed]]
    seeds = sample_footprints(footprints[placed], lattice)
    seeds = Seeds(seeds.xy, placed[seeds.building].astype(np.int32), seeds.along)
    return Layout(lattice, _without_joined(edges, group), community, home, centre, seeds)


def inner_points(shapes: NDArray[Any]) -> NDArray[Any]:
    """Return a point inside each shape: the centroid where it lies inside, else a point on the surface."""
    points = shapely.centroid(shapes)
    outside = ~shapely.contains_properly(shapes, points)
    points[outside] = shapely.point_on_surface(shapes[outside])
    return points


def home_blocks(blocks: Blocks, centre: NDArray[Any], community: NDArray[np.int32]) -> NDArray[np.int32]:
    """Find the block of each building by its inner point, the nearest one of its community where none fits."""
    nowhere = len(blocks.shapes)
    point, block = shapely.STRtree(blocks.shapes).query(centre, predicate="intersects")
    fits = blocks.community[block] == community[point]
    home = np.full(len(centre), nowhere, np.int32)
    np.minimum.at(home, point[fits], block[fits].astype(np.int32))
    astray = np.flatnonzero((home == nowhere) & (community >= 0))
    for k in np.unique(community[astray]):
        own = np.flatnonzero(blocks.community == k)
        rows = astray[community[astray] == k]
        if len(own):
            home[rows] = own[shapely.STRtree(blocks.shapes[own]).nearest(centre[rows])]
    home[home == nowhere] = -1
    return home


def _without_joined(edges: Edges, group: NDArray[np.int32]) -> Edges:
    """Rename blocks to the merged ones and drop the borders inside them."""
    named = np.append(group, np.int32(-1))  # position -1 answers for the outside
    left, right = named[edges.left], named[edges.right]
    kept = left != right
    return Edges(
        edges.xy, edges.start[kept], edges.end[kept], left[kept], right[kept], edges.border_class[kept]
    )


def jobs_of(layout: Layout) -> Jobs:
    """Collect samples and outline of every block with several buildings."""
    placed = layout.home >= 0
    crowded = np.bincount(layout.home[placed], minlength=layout.n_blocks) > 1
    block = np.flatnonzero(crowded).astype(np.int32)
    seed_block = layout.home[layout.seeds.building]
    rows = np.flatnonzero(crowded[seed_block])
    rows = rows[np.argsort(seed_block[rows], kind="stable")]
    barriers = layout.barriers
    a, b = barriers.xy[barriers.start], barriers.xy[barriers.end]
    side = np.concatenate([barriers.left, barriers.right])
    ring = np.concatenate([np.hstack([a, b]), np.hstack([b, a])])
    edge = np.tile(np.arange(len(a)), 2)
    mine = np.flatnonzero((side >= 0) & np.append(crowded, False)[side])
    mine = mine[np.argsort(side[mine], kind="stable")]
    return Jobs(
        block,
        _first(seed_block[rows], block),
        layout.seeds.xy[rows],
        layout.seeds.along[rows],
        layout.seeds.building[rows],
        _first(side[mine], block),
        ring[mine],
        edge[mine],
        layout.lattice.step_m,
    )


def _first(owner: NDArray[np.int32], block: NDArray[np.int32]) -> NDArray[np.int64]:
    """Return where each block's rows begin in a sorted table, and the table's length."""
    return np.append(np.searchsorted(owner, block), len(owner)).astype(np.int64)
