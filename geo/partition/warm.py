"""Begin from an existing division: mend its grids, then bring them to the wanted number."""

from __future__ import annotations

from heapq import heappop, heappush
from typing import TYPE_CHECKING

import numpy as np
from scipy.sparse import csr_array
from scipy.sparse.csgraph import connected_components

from geo.partition.arrays import new_scratch, new_state, with_mean
from geo.partition.trees import seed_split

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from geo.partition.arrays import Static

TRIES = 8
"""Random trees tried to split a grid without parting units that are pinned to it."""


class PinnedApartError(Exception):
    """Units pinned to one grid that no free unit can connect; `grid` is its number in the given division."""

    def __init__(self, grid: int) -> None:
        super().__init__(grid)
        self.grid = grid


def mended(static: Static, given: NDArray[np.int32]) -> NDArray[np.int32]:
    """Return a division into connected grids with load, as near to the given one as that allows.

    Of a grid in several pieces the one with pinned units stays, else the one with most load; the rest, and units in
    no grid, join the neighbour they would be dearest to cut off from.

    Parameters
    ----------
    static
        The part.
    given
        int32 (n,): any numbers, -1 for none.

    Returns
    -------
    int32 (n,): 0..k-1 in the order of the given numbers; all 0 when no grid is left.

    Raises
    ------
    PinnedApartError
        If units pinned to one grid cannot be connected.
    """
    label = _connect_pinned(static, given)
    label = _main_pieces(static, label)
    _flood(static, label)
    return _numbered(label)


def brought_to(static: Static, label: NDArray[np.int32], k: int, seed: int) -> NDArray[np.int32]:
    """Split the largest grids, or join the smallest to a neighbour, until there are k, as far as pins allow."""
    label = label.copy()
    count = int(label.max()) + 1
    stuck: set[int] = set()
    while count < k:
        load = np.bincount(label, weights=static.load, minlength=count)
        several = np.bincount(label, weights=static.load > 0, minlength=count) > 1
        order = [g for g in np.lexsort((np.arange(count), -load)).tolist() if several[g] and g not in stuck]
        if not order:
            break
        half = _halved(static, label == order[0], seed)
        if half is None:
            stuck.add(order[0])
            continue
        label[half] = count
        count += 1
    while count > k:
        pair = _lightest_pair(static, label, count)
        if pair is None:
            break
        label[label == pair[1]] = pair[0]
        label = _numbered(label)
        count -= 1
    return label


def _connect_pinned(static: Static, given: NDArray[np.int32]) -> NDArray[np.int32]:
    """Connect the pinned units of every grid through units of its own, else through free ones."""
    label = given.copy()
    pinned_to = np.where(static.pinned, given, -1)
    for grid in np.unique(pinned_to[pinned_to >= 0]).tolist():
        members = np.flatnonzero(pinned_to == grid)
        joined = {int(members[0])}
        for unit in members[1:].tolist():
            if unit not in joined:
                path = _path(static, joined, unit, (label == grid, pinned_to, grid))
                if path is None:
                    raise PinnedApartError(grid)
                joined.update(path)
                label[path] = grid
                pinned_to[path] = grid
    return label


def _path(
    static: Static, sources: set[int], goal: int, rule: tuple[NDArray[np.bool_], NDArray[np.int32], int]
) -> list[int] | None:
    """Return a path of units to `goal` with fewest from other grids, or None; never through other pins."""
    own, pinned_to, grid = rule
    before = dict.fromkeys(sorted(sources), -1)
    layers: list[list[int]] = [list(before), []]
    while layers[0] or layers[1]:
        # Units of the grid itself cost nothing and go on in this layer; others wait for the next one.
        if not layers[0]:
            layers = [layers[1], []]
        unit = layers[0].pop()
        if unit == goal:
            path = []
            while unit >= 0:
                path.append(unit)
                unit = before[unit]
            return path
        for other in static.neighbor[static.indptr[unit] : static.indptr[unit + 1]].tolist():
            if other not in before and pinned_to[other] in {-1, grid}:
                before[other] = unit
                layers[0 if own[other] else 1].append(other)
    return None


def _main_pieces(static: Static, label: NDArray[np.int32]) -> NDArray[np.int32]:
    """Keep of every grid its piece with pinned units, else the one with most load; none without load."""
    n = len(label)
    inside = (label[static.source] == label[static.neighbor]) & (label[static.source] >= 0)
    links = csr_array(
        (np.ones(int(inside.sum()), np.int8), (static.source[inside], static.neighbor[inside])), shape=(n, n)
    )
    pieces, piece = connected_components(links, directed=False)
    load = np.bincount(piece, weights=static.load, minlength=pieces)
    pins = np.bincount(piece, weights=static.pinned, minlength=pieces) > 0
    grid = np.full(pieces, -1, np.int64)
    grid[piece] = label
    first = np.full(pieces, n)
    np.minimum.at(first, piece, np.arange(n))
    order = np.lexsort((first, -load, ~pins, grid))
    leading = order[np.flatnonzero(np.diff(grid[order], prepend=-2))]
    kept = np.zeros(pieces, bool)
    kept[leading] = (grid[leading] >= 0) & ((load[leading] > 0) | pins[leading])
    return np.where(kept[piece], label, -1).astype(np.int32)


def _flood(static: Static, label: NDArray[np.int32]) -> None:
    """Give every unit in no grid to the neighbouring grid it is tied to most, the strongest tie first."""
    if not (label >= 0).any():
        label[:] = 0
    heap: list[tuple[float, int, int]] = []

    def offer(unit: int) -> None:
        ties: dict[int, float] = {}
        for e in range(int(static.indptr[unit]), int(static.indptr[unit + 1])):
            grid = int(label[static.neighbor[e]])
            if grid >= 0:
                ties[grid] = ties.get(grid, 0.0) + float(static.length[e])
        for grid, tie in ties.items():
            heappush(heap, (-tie / max(float(static.around[unit]), 1e-9), unit, grid))

    for unit in np.flatnonzero(label < 0).tolist():
        offer(unit)
    while heap:
        _, unit, grid = heappop(heap)
        if label[unit] >= 0:
            continue
        label[unit] = grid
        for other in static.neighbor[static.indptr[unit] : static.indptr[unit + 1]].tolist():
            if label[other] < 0:
                offer(other)


def _halved(static: Static, mine: NDArray[np.bool_], seed: int) -> NDArray[np.int64] | None:
    """Return the units of about half of a grid, connected like the other half; None when pins forbid it."""
    rows = np.flatnonzero(mine)
    part = taken(static, rows)
    for number in range(TRIES):
        state = new_state(len(rows), 2, part)
        seed_split(with_mean(part, 2), state, new_scratch(part, seed + number))
        pins = np.unique(state.part[part.pinned])
        if len(pins) < 2:
            # The half with the pinned units keeps the number of the grid.
            return rows[state.part != (int(pins[0]) if len(pins) else 0)]
    return None


def taken(static: Static, rows: NDArray[np.int64]) -> Static:
    """Return the part made of some units alone, in the order of `rows`; what borders the others is outside."""
    place = np.full(len(static.load), -1, np.int32)
    place[rows] = np.arange(len(rows), dtype=np.int32)
    kept = (place[static.source] >= 0) & (place[static.neighbor] >= 0)
    source, neighbor = place[static.source[kept]], place[static.neighbor[kept]]
    order = np.lexsort((neighbor, source))
    edges = np.flatnonzero(kept)[order]
    inner = np.bincount(source, weights=static.length[kept], minlength=len(rows))
    around = static.around[rows]
    return static._replace(
        indptr=np.concatenate([[0], np.cumsum(np.bincount(source, minlength=len(rows)))]).astype(np.int64),
        neighbor=neighbor[order],
        source=source[order],
        length=static.length[edges],
        cost=static.cost[edges],
        load=static.load[rows],
        area=static.area[rows],
        around=around,
        outside=np.where(around - inner > 1e-6 * around, around - inner, 0.0),
        compound=static.compound[rows],
        pinned=static.pinned[rows],
        origin=static.origin[rows],
    )


def _lightest_pair(static: Static, label: NDArray[np.int32], count: int) -> tuple[int, int] | None:
    """Return two touching grids with the least load together, at most one of them with pinned units."""
    load = np.bincount(label, weights=static.load, minlength=count)
    pins = np.bincount(label, weights=static.pinned, minlength=count) > 0
    a, b = label[static.source], label[static.neighbor]
    pairs = np.unique(np.stack([a[a < b], b[a < b]], axis=1), axis=0)
    pairs = pairs[~(pins[pairs[:, 0]] & pins[pairs[:, 1]])]
    if not len(pairs):
        return None
    at = int(np.argmin(load[pairs].sum(axis=1)))
    return int(pairs[at, 0]), int(pairs[at, 1])


def _numbered(label: NDArray[np.int32]) -> NDArray[np.int32]:
    return np.unique(label, return_inverse=True)[1].astype(np.int32)
