"""What figures need to know of a ground again and again: who is where, and what the standard makes of it."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from geo.editing.contiguity import pieces_of

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from geo.editing.ground import Ground
    from geo.standards import Standard, TypeRule

GAP_M = 1.0
"""As in `geo.units`: length beside a hard barrier that does not connect. Held equal to it by a test."""


@dataclass(frozen=True)
class Rows:
    """Numbers by group: those of group g are ``rows[indptr[g]:indptr[g + 1]]``, ascending."""

    indptr: NDArray[np.int64]
    rows: NDArray[np.int32]

    def of(self, group: int) -> NDArray[np.int32]:
        """Return the rows of a group, int32, ascending."""
        return self.rows[self.indptr[group] : self.indptr[group + 1]]


@dataclass(frozen=True, eq=False)
class Index:
    """A ground seen through a standard; made once for a plan and shared by all its states.

    A compound is counted once in each of its communities: no grid crosses their border. Such a share of a compound
    is called a part here.

    Attributes
    ----------
    ground, standard, load
        As in `geo.editing.plan.Plan`.
    indptr, neighbor
        Adjacency that connects: without the edges that run along hard barriers, as `geo.units.open_graph`.
    by_community
        Cells of every community.
    part
        int32, shape (cells,): the part of each cell, -1 for a cell in no compound.
    part_compound
        int32, shape (parts,): position of the compound.
    by_part
        Cells with homes of every part.
    part_load
        int64, shape (parts,).
    part_alone
        bool, shape (parts,): the rule of its type makes the compound a grid of its own.
    part_room
        float64, shape (parts,): largest load of such a grid; infinite where the rule sets none.
    """

    ground: Ground
    standard: Standard
    load: NDArray[np.int64]
    indptr: NDArray[np.int64]
    neighbor: NDArray[np.int32]
    by_community: Rows
    part: NDArray[np.int32]
    part_compound: NDArray[np.int32]
    by_part: Rows
    part_load: NDArray[np.int64]
    part_alone: NDArray[np.bool_]
    part_room: NDArray[np.float64]

    @cached_property
    def fits(self) -> NDArray[np.bool_]:
        """Parts that would fit into a grid, bool, shape (parts,)."""
        return self.part_load <= self.standard.max

    @cached_property
    def any_alone(self) -> bool:
        """Whether a compound is a grid of its own by its rule."""
        return bool(self.part_alone.any())

    @cached_property
    def community_piece(self) -> NDArray[np.int64]:
        """Connected piece of its community that each cell lies in, int64, shape (cells,); the number of a cell."""
        every = np.arange(self.ground.n)
        return pieces_of(self.indptr, self.neighbor, every, self.ground.cells.community)


def index_of(ground: Ground, standard: Standard, load: NDArray[np.int64]) -> Index:
    """Build the index of a ground.

    Parameters
    ----------
    ground
        The cells.
    standard
        Says which barriers are hard and which compounds are grids of their own.
    load
        int64, shape (cells,): in the measure of the standard.
    """
    indptr, neighbor = _open(ground, standard)
    units = ground.cells
    width = max(int(units.compound.max(initial=-1)) + 1, 1)
    key = np.where(units.compound >= 0, units.community.astype(np.int64) * width + units.compound, -1)
    known, part = np.unique(key, return_inverse=True)
    if len(known) and known[0] < 0:
        known, part = known[1:], part - 1
    n_parts = len(known)
    homes = (part >= 0) & (units.households > 0)
    part_load = np.zeros(n_parts, np.int64)
    np.add.at(part_load, part[part >= 0], load[part >= 0])
    alone, room = _alone(ground, standard, part, n_parts)
    return Index(
        ground=ground,
        standard=standard,
        load=load,
        indptr=indptr,
        neighbor=neighbor,
        by_community=_rows(units.community, len(ground.community_ids), ground.live),
        part=part.astype(np.int32),
        part_compound=(known % width).astype(np.int32),
        by_part=_rows(part, n_parts, homes),
        part_load=part_load,
        part_alone=alone,
        part_room=room,
    )


def _open(ground: Ground, standard: Standard) -> tuple[NDArray[np.int64], NDArray[np.int32]]:
    """Adjacency without the edges that run along hard barriers for their whole length, but for `GAP_M`."""
    graph = ground.cells.graph
    hard = list(standard.hard_barriers)
    if not hard:
        return graph.indptr, graph.neighbor
    along = graph.class_m[:, hard].sum(axis=1)
    closed = (graph.length_m - along < GAP_M) & (along > 0.0)
    if not closed.any():
        return graph.indptr, graph.neighbor
    kept = np.bincount(graph.focal[~closed], minlength=graph.n)
    return np.concatenate([[0], np.cumsum(kept)]).astype(np.int64), graph.neighbor[~closed]


def _rows(group: NDArray[np.integer], n: int, kept: NDArray[np.bool_]) -> Rows:
    rows = np.flatnonzero(kept)
    order = np.argsort(group[rows], kind="stable")
    count = np.bincount(group[rows], minlength=n)
    return Rows(np.concatenate([[0], np.cumsum(count)]).astype(np.int64), rows[order].astype(np.int32))


def _alone(
    ground: Ground, standard: Standard, part: NDArray[np.integer], n: int
) -> tuple[NDArray[np.bool_], NDArray[np.float64]]:
    """Which parts are a grid of their own by the rule of their type, and the largest load of such a grid."""
    alone, room = np.zeros(n, np.bool_), np.full(n, np.inf)
    units = ground.cells
    if units.kind is None or not any(rule.one_compound_per_grid for rule in standard.rules):
        return alone, room
    kind = np.full(n, -1, np.int64)
    said = np.flatnonzero((part >= 0) & (units.kind >= 0))[::-1]
    kind[part[said]] = units.kind[said]
    for number, name in enumerate(units.kinds):
        rule = standard.rule_for(name)
        if rule is not None and rule.target is not None and rule.one_compound_per_grid:
            mine = kind == number
            size = np.zeros(n, np.int64)
            np.add.at(size, part[part >= 0], getattr(units, rule.measure)[part >= 0])
            alone |= mine & _in_rule(size, rule)
            if rule.max is not None:
                room[mine] = rule.max * standard.target / rule.target
    return alone, room


def _in_rule(size: NDArray[np.int64], rule: TypeRule) -> NDArray[np.bool_]:
    fewest = rule.target if rule.min is None else rule.min
    return (size >= (fewest or 1)) & (size <= (np.inf if rule.max is None else rule.max))
