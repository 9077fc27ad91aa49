"""Find grids that enclose other grids, for the kernels."""

from __future__ import annotations

from typing import TYPE_CHECKING

from geo.jit import kernel

if TYPE_CHECKING:
    from geo.partition.arrays import Scratch, State

CLOSED_M = 0.01
"""A grid with less outer border than this, in metres, has none: running sums carry rounding."""

MOST_FOR_HOLES = 128
"""Grids of one part above which donuts are not looked for."""

ENCLOSES = 1 << 20
ENCLOSES_MASK = ENCLOSES - 1


@kernel
def enclosing_grids(state: State, scratch: Scratch) -> int:
    """Count grids without which some other grid has no way to the outside: articulation points (Tarjan 1972).

    Node k is the outside. With very many grids this is too dear to do after every move, and nothing is counted.
    """
    k = len(state.load)
    if k == 1 or k > MOST_FOR_HOLES:
        return 0
    closed = False
    for a in range(k):
        closed |= state.open[a] <= CLOSED_M
    if not closed:
        return 0
    found, low, parent, following = scratch.walk[0], scratch.walk[1], scratch.walk[2], scratch.walk[3]
    for a in range(k + 1):
        found[a] = 0
        following[a] = 0
    holes, time, a = 0, 1, k
    found[k] = low[k] = 1
    parent[k] = -1
    while a >= 0:
        b = following[a] & ENCLOSES_MASK
        if b > k:
            up = parent[a]
            if up >= 0:
                low[up] = min(low[up], low[a])
                if up < k and low[a] >= found[up] and following[up] & ENCLOSES == 0:
                    following[up] |= ENCLOSES
                    holes += 1
            a = up
            continue
        following[a] += 1
        if a == b or not _beside(state, a, b):
            continue
        if found[b] == 0:
            time += 1
            found[b] = low[b] = time
            parent[b] = a
            a = b
        elif b != parent[a]:
            low[a] = min(low[a], found[b])
    return holes


@kernel
def _beside(state: State, a: int, b: int) -> bool:
    """Return True when grids a and b touch; the grid number k stands for the outside."""
    k = len(state.load)
    if a == k:
        return state.open[b] > CLOSED_M
    if b == k:
        return state.open[a] > CLOSED_M
    return state.touching[a, b] > 0
