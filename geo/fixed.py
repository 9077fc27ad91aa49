"""Grids that a standard settles beforehand: dedicated grids, and compounds that are a grid of their own."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from geo.adjacency import Graph, components
from geo.loads import rules_of_units, stands_alone, unit_loads
from geo.schema import dedicated_use
from geo.types import BorderClass
from geo.units import open_graph

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from geo.standards import Standard
    from geo.units import Units

WITHIN = (BorderClass.INTERIOR, BorderClass.WALL, BorderClass.ALLEY)
"""What may run between two buildings of one institution; a street ends it."""

REMNANT = 0.5
"""A cut-off part below this share of the band's minimum is a remnant; a larger one is a grid, if a small one."""


@dataclass(frozen=True, slots=True)
class Fixed:
    """The grids that the search takes no part in.

    Attributes
    ----------
    grid
        int32 (units,): number of the fixed grid, by its smallest row, or -1 for a unit that is free.
    dedicated
        bool (grids,): True for a dedicated grid, which no band judges; False for a compound that is in its band by
        the rule of its own type.
    """

    grid: NDArray[np.int32]
    dedicated: NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Judged:
    """The grids of an assignment, judged by the standard; arrays by grid number.

    Attributes
    ----------
    load
        int64: in the measure of the main rule, or its equivalents.
    in_band
        bool. A dedicated grid and a compound that is a grid by its own rule are.
    dedicated
        bool.
    deviation
        float64: load over target, less one; 0 for a dedicated grid, which has no target.
    """

    load: NDArray[np.int64]
    in_band: NDArray[np.bool_]
    dedicated: NDArray[np.bool_]
    deviation: NDArray[np.float64]


def fixed_grids(units: Units, standard: Standard) -> NDArray[np.int32]:
    """Return the number of the fixed grid of every unit, int32 (units,), -1 for a free one; see `find_fixed`."""
    return find_fixed(units, standard).grid


def find_fixed(units: Units, standard: Standard) -> Fixed:
    """Find the grids that the standard settles beforehand.

    A compound that its rule makes a grid of its own is one. So are the neighbouring units of one dedicated use, no
    street between them, when they reach the standard's least area or number of workers. Remnants of a community
    that these grids cut off join one of them: homes a compound that has room for them, empty ground the neighbour
    with the longest border. A dedicated grid is given up when it keeps apart homes that could make a grid with its
    ground between them.

    Parameters
    ----------
    units
        All units of the city.
    standard
        Says what is fixed; a standard without such rules fixes nothing.
    """
    graph = open_graph(units.graph, standard.hard_barriers)
    alone = stands_alone(units, standard)
    label = _dedicated(units, graph, standard, ~alone)
    nobody = Fixed(np.full(units.n, -1, np.int32), np.zeros(0, np.bool_))
    if not alone.any() and label.max(initial=-1) < 0:
        return nobody
    load = unit_loads(units, standard)
    room = _room(units, standard, alone, load)
    own = np.where(alone, np.cumsum(alone) - 1, -1)
    while True:
        cut = _cut(units, graph, np.where(label >= 0, label + len(room), own), load, room)
        parting = _parting(cut, standard)
        if parting < 0:
            return _numbered(_join_remnants(cut, standard), len(room))
        label = np.where(cut.grid == parting, -1, label)


def judge(units: Units, standard: Standard, grid_of_unit: NDArray[np.integer], count: int) -> Judged:
    """Say of every grid of an assignment whether it is as the standard wants it.

    Parameters
    ----------
    units, standard
        As in `find_fixed`.
    grid_of_unit
        Shape (units,): 0..count-1, whoever made the assignment. A grid all of whose units are of one fixed grid is
        judged as that, any other by the band.
    count
        Number of grids.
    """
    load = np.zeros(count, np.int64)
    np.add.at(load, grid_of_unit, unit_loads(units, standard))
    deviation = (load - standard.target) / standard.target
    in_band = (load >= standard.min) & (load <= standard.max)
    dedicated = np.zeros(count, np.bool_)
    fixed = find_fixed(units, standard)
    if len(fixed.dedicated):
        low, high = np.full(count, units.n), np.full(count, -1)
        np.minimum.at(low, grid_of_unit, fixed.grid)
        np.maximum.at(high, grid_of_unit, fixed.grid)
        whole = (low == high) & (low >= 0)
        dedicated[whole] = fixed.dedicated[low[whole]]
        in_band |= whole
        deviation = np.where(dedicated, 0.0, deviation)
    return Judged(load, in_band, dedicated, deviation)


def _dedicated(units: Units, graph: Graph, standard: Standard, may: NDArray[np.bool_]) -> NDArray[np.int64]:
    """Give numbers to the dedicated groups, int64 (units,); -1 for a unit in none."""
    none = np.full(units.n, -1, np.int64)
    if not standard.dedicated or units.kind is None:
        return none
    uses = {name: dedicated_use(name) for name in units.kinds}
    wanted = np.array([uses[name] in standard.dedicated for name in units.kinds] + [False])[units.kind] & may
    # Units of one compound belong together, and those of one kind that are in none.
    group = np.where(units.compound >= 0, units.compound, -2 - units.kind.astype(np.int64))
    key = np.stack([units.community.astype(np.int64), group], axis=1)
    _, label = np.unique(key, axis=0, return_inverse=True)
    near = (graph.class_m[:, list(WITHIN)].sum(axis=1) > 0.0) | (units.compound[graph.focal] >= 0)
    piece = components(_only(graph, near), np.where(wanted, label, -1).astype(np.int32)).astype(np.int64)
    count = int(piece.max(initial=-1)) + 1
    mine = piece >= 0
    area = np.bincount(piece[mine], weights=units.area_m2[mine], minlength=count)
    workers = np.zeros(units.n) if units.workers is None else units.workers.astype(np.float64)
    staff = np.bincount(piece[mine], weights=workers[mine], minlength=count)
    enough = (standard.dedicated_min_area_m2 <= 0.0) & (standard.dedicated_min_workers <= 0)
    large = np.full(count, enough)
    if standard.dedicated_min_area_m2 > 0.0:
        large |= area >= standard.dedicated_min_area_m2
    if standard.dedicated_min_workers > 0:
        large |= staff >= standard.dedicated_min_workers
    kept = mine & np.append(large, False)[piece]
    return np.where(kept, np.append(np.cumsum(large) - 1, -1)[piece], -1)


def _only(graph: Graph, edges: NDArray[np.bool_]) -> Graph:
    """Keep some of the edges, for walking; the outer border is not kept up."""
    indptr = np.concatenate([[0], np.cumsum(np.bincount(graph.focal[edges], minlength=graph.n))])
    return Graph(
        indptr.astype(np.int64),
        graph.neighbor[edges],
        graph.length_m[edges],
        graph.class_m[edges],
        graph.outer_m,
    )


@dataclass(frozen=True, slots=True)
class _Cut:
    """What fixed grids leave: `grid` per unit, -1 free; those below ``len(room)`` are compounds with that room.

    `free` numbers the connected parts of what is left in each community, -1 for a fixed unit; `load` is theirs, and
    `borders` the metres each shares with the fixed grids beside it.
    """

    grid: NDArray[np.int64]
    free: NDArray[np.int32]
    load: NDArray[np.int64]
    borders: dict[int, dict[int, float]]
    room: NDArray[np.float64]

    def takes_in(self, part: int, standard: Standard) -> list[int]:
        """Return the fixed grids that a remnant may join; none for a part that is large enough to be a grid."""
        load = int(self.load[part])
        if load >= REMNANT * standard.min:
            return []
        beside = self.borders.get(part, {})
        return [g for g in beside if load == 0 or (g < len(self.room) and load <= self.room[g])]


def _cut(
    units: Units,
    graph: Graph,
    grid: NDArray[np.int64],
    load: NDArray[np.int64],
    room: NDArray[np.float64],
) -> _Cut:
    free = components(graph, np.where(grid < 0, units.community, -1).astype(np.int32))
    loads = np.zeros(int(free.max(initial=-1)) + 1, np.int64)
    np.add.at(loads, free[free >= 0], load[free >= 0])
    focal = graph.focal
    here, there = free[focal], grid[graph.neighbor]
    both = (here >= 0) & (there >= 0) & (units.community[focal] == units.community[graph.neighbor])
    borders: dict[int, dict[int, float]] = {}
    for p, g, length in zip(
        here[both].tolist(), there[both].tolist(), graph.length_m[both].tolist(), strict=True
    ):
        beside = borders.setdefault(p, {})
        beside[g] = beside.get(g, 0.0) + length
    return _Cut(grid, free, loads, borders, room)


def _parting(cut: _Cut, standard: Standard) -> int:
    """Return a dedicated grid that keeps apart homes which with its ground could make a grid; -1 for none."""
    beside: dict[int, list[int]] = {}
    for part, grids in cut.borders.items():
        if cut.load[part] == 0 or cut.takes_in(part, standard):
            continue
        for g in grids:
            if g >= len(cut.room):
                beside.setdefault(g, []).append(int(cut.load[part]))
    parting = (g for g in sorted(beside) if min(beside[g]) < standard.min <= sum(beside[g]))
    return next(parting, -1)


def _join_remnants(cut: _Cut, standard: Standard) -> NDArray[np.int64]:
    """Let each remnant join the fixed grid it shares the longest border with; ties go to the lowest number."""
    cut = replace(cut, room=cut.room.copy())
    to = np.full(len(cut.load) + 1, -1, np.int64)
    for part in sorted(cut.borders):
        best = min(((-cut.borders[part][g], g) for g in cut.takes_in(part, standard)), default=(0.0, -1))[1]
        to[part] = best
        if 0 <= best < len(cut.room):
            cut.room[best] -= cut.load[part]
    return np.where(cut.grid >= 0, cut.grid, to[cut.free])


def _room(
    units: Units, standard: Standard, alone: NDArray[np.bool_], load: NDArray[np.int64]
) -> NDArray[np.float64]:
    """Load that each compound that stands alone can take in before its rule's maximum."""
    rules = rules_of_units(units, standard)
    room = np.full(int(alone.sum()), np.inf)
    for i, row in enumerate(np.flatnonzero(alone).tolist()):
        rule = rules[row]
        if rule is not None and rule.max is not None and rule.target is not None:
            room[i] = rule.max * standard.target / rule.target - float(load[row])
    return room


def _numbered(grid: NDArray[np.int64], alone: int) -> Fixed:
    """Give numbers to the grids that have units, by their smallest row; those from `alone` on are dedicated."""
    held = grid >= 0
    old, first, inverse = np.unique(grid[held], return_index=True, return_inverse=True)
    rank = np.empty(len(old), np.int32)
    rank[np.argsort(first)] = np.arange(len(old), dtype=np.int32)
    out = np.full(len(grid), -1, np.int32)
    out[held] = rank[inverse]
    dedicated = np.zeros(len(old), np.bool_)
    dedicated[rank] = old >= alone
    return Fixed(out, dedicated)
