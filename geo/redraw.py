"""Warm starts: rebalance some grids with the rest locked, and redraw an old division with little change."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from geo.adjacency import components
from geo.drawn import sums, take_units
from geo.errors import InfeasibleError
from geo.loads import unit_loads
from geo.locks import Locks, no_locks
from geo.partition import Weights
from geo.repair import repair
from geo.search import Search

if TYPE_CHECKING:
    from collections.abc import Collection

    from numpy.typing import NDArray

    from geo.partition import Partition
    from geo.standards import Standard
    from geo.units import Units

MOVED_WEIGHT = 200.0
"""What a redraw pays for households that leave the main origin of their grid, per target's worth of them: twice
`geo.partition.Weights.band`, so that a grid in the band is worth half a grid's households."""


@dataclass(frozen=True)
class Rebalanced:
    """Some grids divided anew, all others untouched.

    Attributes
    ----------
    grid_of_unit
        int32, shape (units,), in the numbers of the input: a new grid keeps the number of the old one with which it
        shares most households; further grids get numbers above all others.
    changed
        int64: rows of the units that changed their grid, ascending.
    households
        Households in them.
    """

    grid_of_unit: NDArray[np.int32]
    changed: NDArray[np.int64]
    households: int


def rebalance(
    units: Units,
    grid_of_unit: NDArray[np.integer[Any]],
    standard: Standard,
    *,
    selection: Collection[int],
    k: int | None = None,
    locks: Locks | None = None,
    weights: Weights | None = None,
    search: Search | None = None,
) -> Rebalanced:
    """Even out the loads of selected grids by shifting units between them.

    Parameters
    ----------
    units, standard
        As for `geo.partition.partition`.
    grid_of_unit
        Shape (units,): any non-negative numbers.
    selection
        Numbers of the grids that may change; locked ones among them do not.
    k
        How many grids to make of them; None keeps their number.
    locks
        Locked grids stay as they are, pinned units keep their grid.
    weights, search
        What the objective pays, and how to run the engine.

    Raises
    ------
    InfeasibleError
        ``rebalance-nothing``: no selected grid is free; ``rebalance-communities``: `k` for grids of several
        communities.
    """
    locks = locks or no_locks(units)
    old = np.asarray(grid_of_unit, np.int64)
    rows = np.flatnonzero(np.isin(old, np.asarray(list(selection), np.int64)) & ~locks.frozen)
    if not len(rows):
        raise InfeasibleError(
            "rebalance-nothing",
            "所选网格都已锁定或不存在，没有可以调整的网格。请解锁或另选网格。",
            "All selected grids are locked or do not exist: nothing can change. Unlock or select others.",
        )
    inner = take_units(units, rows)
    pinned = locks.pinned[rows]
    # Mended first, so that the number of grids in hand is one that connected grids can have.
    start = repair(inner, old[rows], standard, locks=Locks(np.zeros_like(pinned), pinned)).grid_of_unit
    counts = _counts(inner, start, standard) if k is None else {_one_community(units, rows): k}
    parts = (search or Search()).run(
        inner, standard, weights=weights, start=start, pinned=pinned, counts=counts
    )
    new = old.copy()
    new[rows] = keep_numbers(
        old[rows], parts.grid_of_unit, units.households[rows], above=int(old.max()), reuse=True
    )
    changed = np.flatnonzero(new != old)
    return Rebalanced(new.astype(np.int32), changed, int(units.households[changed].sum()))


def keep_numbers(
    old: NDArray[np.integer[Any]],
    new: NDArray[np.integer[Any]],
    households: NDArray[np.int64],
    *,
    above: int,
    reuse: bool = False,
) -> NDArray[np.int64]:
    """Give new grids the numbers of the old ones they share most households with, each number once.

    Parameters
    ----------
    old, new
        Shape (units,): numbers before and after.
    households
        int64, shape (units,); among pairs of equal households more units go first, then lower numbers.
    above
        Grids without an old number get numbers from ``above + 1`` on, in the order of `new`.
    reuse
        Old numbers that no grid kept go first.

    Returns
    -------
    int64, shape (units,).
    """
    pairs, place = np.unique(np.column_stack([old, new]), axis=0, return_inverse=True)
    weight = np.bincount(place.ravel(), weights=households)
    size = np.bincount(place.ravel())
    number: dict[int, int] = {}
    taken: set[int] = set()
    for row in np.lexsort((pairs[:, 1], pairs[:, 0], -size, -weight)).tolist():
        was, now = pairs[row].tolist()
        if was not in taken and now not in number:
            number[now] = was
            taken.add(was)
    spare = [was for was in np.unique(old).tolist() if was not in taken] if reuse else []
    for now in np.unique(new).tolist():
        if now not in number:
            above += not spare
            number[now] = spare.pop(0) if spare else above
    return np.array([number[now] for now in new.tolist()], np.int64)


def redraw(
    units: Units,
    old_grid_of_unit: NDArray[np.integer[Any]],
    standard: Standard,
    *,
    moved_weight: float = MOVED_WEIGHT,
    locks: Locks | None = None,
    weights: Weights | None = None,
    search: Search | None = None,
) -> Partition:
    """Draw grids of the standard's size that keep to an old division where they can.

    Old grids above the maximum are divided inside their borders, old grids below the minimum join a neighbour; from
    there the engine searches on, paying for households that leave the main origin of their grid.

    Parameters
    ----------
    units, standard
        As for `geo.partition.partition`.
    old_grid_of_unit
        Shape (units,): old grid of each unit, -1 for none (see `geo.old_grids.map_old_grids`).
    moved_weight
        Price of households moved, `geo.partition.Weights.moved`: 0 only begins from the old division, large values
        keep to its borders.
    locks
        Old grids that stay exactly as they are, units that keep their grid.
    weights, search
        What the objective pays for the other aims, and how to run the engine.
    """
    search, locks = search or Search(), locks or no_locks(units)
    priced = replace(weights or Weights(), moved=moved_weight)
    old = np.asarray(old_grid_of_unit, np.int64)
    start = first_draft(units, old, standard, locks=locks, search=search.step(0, 2))
    return search.step(1, 2).run(
        units,
        standard,
        weights=priced,
        start=np.unique(start, return_inverse=True)[1].astype(np.int32),
        origin=old.astype(np.int32),
        frozen=locks.frozen,
        pinned=locks.pinned,
    )


def first_draft(
    units: Units,
    old: NDArray[np.int64],
    standard: Standard,
    *,
    locks: Locks,
    search: Search,
) -> NDArray[np.int64]:
    """Divide old grids that are too large inside their borders and join those that are too small.

    Parameters
    ----------
    old
        int64, shape (units,): -1 for none; such units go to a neighbouring old grid.

    Returns
    -------
    int64, shape (units,): connected grids, each in one community.
    """
    label = repair(units, fill_gaps(units, old), standard, locks=locks).grid_of_unit.astype(np.int64)
    loads = unit_loads(units, standard)
    load = np.bincount(label, weights=loads)
    large = (load[label] > standard.max) & ~locks.held
    rows = np.flatnonzero(np.isin(label, label[large]) & ~np.isin(label, label[locks.held]))
    if len(rows):
        inner = take_units(units, rows)
        area = np.unique(label[rows], return_inverse=True)[1].astype(np.int32)
        parts = search.run(replace(inner, community=area), standard)
        label[rows] = keep_numbers(
            label[rows], parts.grid_of_unit, units.households[rows], above=int(label.max())
        )
    return _join_small(units, label, standard, loads, locks)


def fill_gaps(units: Units, old: NDArray[np.int64]) -> NDArray[np.int64]:
    """Give units of no old grid to the one beside them with the longest border; int64, shape (units,).

    Where a community's part has no old grid at all, it becomes one new grid.
    """
    label = old.copy()
    graph = units.graph
    home = units.community[graph.focal] == units.community[graph.neighbor]
    while (label < 0).any():
        edge = home & (label[graph.focal] < 0) & (label[graph.neighbor] >= 0)
        if not edge.any():
            row = int(np.flatnonzero(label < 0)[0])
            label[row] = int(label.max(initial=-1)) + 1
            continue
        focal, grid, length = graph.focal[edge], label[graph.neighbor[edge]], graph.length_m[edge]
        pairs, place = np.unique(np.column_stack([focal, grid]), axis=0, return_inverse=True)
        border = np.bincount(place.ravel(), weights=length)
        order = np.lexsort((pairs[:, 1], -border, pairs[:, 0]))
        _, first = np.unique(pairs[order, 0], return_index=True)
        chosen = pairs[order][first]
        label[chosen[:, 0]] = chosen[:, 1]
    return label


def _join_small(
    units: Units,
    label: NDArray[np.int64],
    standard: Standard,
    loads: NDArray[np.int64],
    locks: Locks,
) -> NDArray[np.int64]:
    """Join grids below the minimum to the neighbour with which they stay smallest, within the maximum."""
    _, label = np.unique(label, return_inverse=True)
    count = int(label.max(initial=-1)) + 1
    load = sums(label, loads, count)
    fixed = np.zeros(count, np.bool_)
    fixed[label[locks.held]] = True
    graph = units.graph
    home = units.community[graph.focal] == units.community[graph.neighbor]
    near: list[set[int]] = [set() for _ in range(count)]
    for a, b in np.unique(
        np.column_stack([label[graph.focal[home]], label[graph.neighbor[home]]]), axis=0
    ).tolist():
        if a != b:
            near[a].add(b)
    into = np.arange(count)
    queue = sorted(np.flatnonzero((load < standard.min) & ~fixed).tolist(), key=lambda g: (load[g], g))
    for small in queue:
        if load[small] >= standard.min or into[small] != small:
            continue
        others = [g for g in near[small] if not fixed[g] and load[g] + load[small] <= standard.max]
        if not others:
            continue
        host = min(others, key=lambda g: (load[g], g))
        into[into == small] = host
        load[host] += load[small]
        near[host] |= near[small]
        near[host] -= {host, small}
        for other in near[small]:
            near[other].discard(small)
            if other != host:
                near[other].add(host)
    return into[label]


def moved_households(units: Units, old: NDArray[np.integer[Any]], new: NDArray[np.integer[Any]]) -> int:
    """Count households in a new grid that come from another old grid than its main origin.

    The main origin of a new grid is the old grid that gives it most households; ties go to the lowest number.
    Dividing an old grid moves nobody; joining two moves the smaller one. Units of no old grid (-1) do not count.
    """
    known = np.asarray(old) >= 0
    pairs, place = np.unique(
        np.column_stack([np.asarray(new)[known], np.asarray(old)[known]]), axis=0, return_inverse=True
    )
    weight = sums(place.ravel(), units.households[known], len(pairs))
    most = np.zeros(int(pairs[:, 0].max(initial=-1)) + 1, np.int64)
    np.maximum.at(most, pairs[:, 0], weight)
    return int(weight.sum() - most.sum())


def _counts(units: Units, label: NDArray[np.int32], standard: Standard) -> dict[int, int]:
    """Return the number of grids of every community, at most one for each unit with load."""
    loads = unit_loads(units, standard)
    piece = components(units.graph, units.community)
    most: dict[int, int] = {}
    for part in np.unique(piece):
        rows = piece == part
        community = int(units.community[rows][0])
        grids = len(np.unique(label[rows]))
        most[community] = most.get(community, 0) + max(1, min(grids, int((loads[rows] > 0).sum())))
    return most


def _one_community(units: Units, rows: NDArray[np.int64]) -> int:
    found = np.unique(units.community[rows])
    if len(found) == 1:
        return int(found[0])
    raise InfeasibleError(
        "rebalance-communities",
        f"所选网格属于 {len(found)} 个社区，不能指定合计的网格数。请逐个社区调整。",
        f"The selected grids lie in {len(found)} communities, so their number cannot be fixed. Take one community "
        "at a time.",
        communities=found.tolist(),
    )
