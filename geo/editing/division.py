"""A divided cell: the one edit that touches the tiling. Two cells are appended; the divided one retires."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Division:
    """Everything that two new cells need, in whole numbers; JSON-ready by `dataclasses.asdict`.

    Attributes
    ----------
    parent
        The divided cell.
    children
        Rows of the two cells that replace it.
    households, persons, buildings, workers, load, area_dm2, outer_mm
        Of each child; each pair adds up to the parent's. `load` is in the measure of the plan's standard.
    edges
        ``(child, neighbour, mm by border class)``: every adjacency of the children, each once; the one between
        the children included. A neighbour is a cell or a child.
    rings
        For each cell whose outline changes (children, and neighbours that got a node on a shared border), its
        rings in grid steps of `geo.tiling.SCALE`, the outer one first, as ``(cell, rings)``. Rings are open (the
        first node does not come again); outer ones run counter-clockwise, holes clockwise.
    upon
        Numbers of the divisions in force that touched the same cells when this one was made
        (`geo.editing.stacked.blockers`).
    """

    parent: int
    children: tuple[int, int]
    households: tuple[int, int]
    persons: tuple[int, int]
    buildings: tuple[int, int]
    workers: tuple[int, int]
    load: tuple[int, int]
    area_dm2: tuple[int, int]
    outer_mm: tuple[int, int]
    edges: tuple[tuple[int, int, tuple[int, ...]], ...]
    rings: tuple[tuple[int, tuple[tuple[tuple[int, int], ...], ...]], ...]
    upon: tuple[int, ...] = ()
