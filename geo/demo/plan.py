"""Draw the ground plan: lines, lots and their exact faces, in one go."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import shapely

from geo.demo.faces import carry, edge_lines, link_faces, make_faces, node_lines
from geo.demo.lattice import make_lattice, make_warp
from geo.demo.lots import draw_main_lines, railway_middle, side_classes, split_blocks, split_lots, zone_blocks

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from geo.demo.faces import Links, Warp
    from geo.demo.lattice import Lattice
    from geo.demo.lots import Lines, Quad
    from geo.demo.settings import Spec


@dataclass(frozen=True)
class Plan:
    """The ground plan.

    Attributes
    ----------
    lots, corridors
        Pieces of the plan; `faces`, `superblock` and `host` run over the lots and then the corridors.
    faces
        Polygons in the working CRS that tile the city exactly.
    side_class
        int64 (lots, 4).
    edges, edge_line
        Noded edges in lattice metres and the line each was drawn as.
    links
        Which faces touch.
    superblock, host
        int64 (faces,): the superblock of a face, and the lot it goes with (itself, or the lot beside a corridor).
    """

    lattice: Lattice
    warp: Warp
    lines: Lines
    lots: list[Quad]
    corridors: list[Quad]
    faces: NDArray[np.object_]
    side_class: NDArray[np.int64]
    edges: NDArray[np.object_]
    edge_line: NDArray[np.int64]
    links: Links
    superblock: NDArray[np.int64]
    host: NDArray[np.int64]


def draw_plan(spec: Spec, rng: np.random.Generator) -> Plan:
    """Draw the ground plan of a city of the given size."""
    lattice = make_lattice(spec, rng)
    warp = make_warp(spec, rng)
    lines, superblocks, corridors = draw_main_lines(lattice, rng)
    blocks = split_blocks(superblocks, lines, rng)
    lots = split_lots(zone_blocks(blocks, railway_middle(lattice), rng), lines, rng)
    quads = [*lots, *corridors]
    edges = node_lines(lines)
    edge_line = edge_lines(edges, lines)
    faces = make_faces(edges, quads, warp)
    links = link_faces(faces, carry(edges, warp), np.array(lines.road_class)[edge_line])
    superblock = np.unique([quad.superblock for quad in quads], return_inverse=True)[1]
    host = _hosts(len(lots), len(faces), superblock, links)
    return Plan(
        lattice,
        warp,
        lines,
        lots,
        corridors,
        faces,
        side_classes(lots, lines),
        edges,
        edge_line,
        links,
        superblock,
        host,
    )


def _hosts(lots: int, faces: int, superblock: NDArray[np.int64], links: Links) -> NDArray[np.int64]:
    """Return for every face the lot it goes with: itself, or for a corridor the lot beside it."""
    host = np.where(np.arange(faces) < lots, np.arange(faces), -1)
    order = np.argsort(-links.length_m, kind="stable")
    pairs = [(int(a), int(b)) for a, b in zip(links.a[order], links.b[order], strict=True)]
    # A piece where the corridors cross touches no lot, only pieces of corridor that have found theirs.
    for same_superblock in (True, True, False, False):
        for a, b in (*pairs, *((b, a) for a, b in pairs)):
            if host[a] < 0 <= host[b] and (superblock[a] == superblock[b] or not same_superblock):
                host[a] = host[b]
    return host


def places(plan: Plan) -> NDArray[np.float64]:
    """Return the middle of every face, float64 (faces, 2)."""
    return np.asarray(shapely.get_coordinates(shapely.centroid(plan.faces)))
