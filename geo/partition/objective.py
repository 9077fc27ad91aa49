"""Kernels of the objective: what an assignment costs, and how a move changes it.

The bundles of arrays they work on are described in `geo.partition.arrays`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from geo.jit import kernel
from geo.partition.arrays import (
    HARD,
    HIGH,
    HOLES,
    LOW,
    MEAN,
    TARGET,
    TOLERANCE,
    VALUE,
    W_BAND,
    W_BORDER,
    W_COMPACT,
    W_DONUT,
    W_EVEN,
    W_HARD,
    W_MEAN,
    W_MOVED,
    W_SLOPE,
    W_TOLERANCE,
    Scratch,
    State,
    Static,
)
from geo.partition.holes import CLOSED_M, enclosing_grids

if TYPE_CHECKING:
    from numpy.typing import NDArray

FOUR_PI = 4.0 * np.pi


@kernel
def grid_value(rule: NDArray[np.float64], load: float, area: float, perimeter: float) -> float:
    """Return what one grid costs by its load and shape; `above_value` comes on top."""
    target = rule[TARGET]
    off = (load - target) / target
    value = rule[W_EVEN] * off * off
    if off > rule[TOLERANCE] or off < -rule[TOLERANCE]:
        value += rule[W_TOLERANCE]
    if abs(load - rule[MEAN]) > rule[TOLERANCE] * rule[MEAN]:
        value += rule[W_MEAN]
    if load < rule[LOW]:
        value += rule[W_BAND] + rule[W_SLOPE] * (rule[LOW] - load) / target
    elif load > rule[HIGH]:
        value += rule[W_BAND] + rule[W_SLOPE] * (load - rule[HIGH]) / target
        if load > rule[HARD]:
            value += rule[W_SLOPE] * (load - rule[HARD]) / target
    if perimeter > 0.0:
        value += rule[W_COMPACT] * (1.0 - FOUR_PI * area / (perimeter * perimeter))
    return value


@kernel
def above_value(rule: NDArray[np.float64], load: float, loaded: int, large: int) -> float:
    """Return what a grid of several units pays above the hard maximum.

    Parameters
    ----------
    rule
        `Static.rule`.
    load
        Of the grid.
    loaded, large
        Its units with load, and of those the ones that are above the band by themselves.
    """
    if load <= rule[HARD] or loaded < 2:
        return 0.0
    # Units that are too large gain nothing by sharing a grid: each pays as if it had its own.
    alone = rule[W_BAND] + rule[W_TOLERANCE] + rule[W_MEAN]
    return rule[W_HARD] + max(0, large - 1) * alone


@kernel
def _is_loaded(static: Static, u: int) -> int:
    return 1 if static.load[u] > 0.0 else 0


@kernel
def _is_large(static: Static, u: int) -> int:
    return 1 if static.load[u] > static.rule[HIGH] else 0


@kernel
def _value(static: Static, state: State, a: int) -> float:
    """Return what grid a costs by its load and shape."""
    rule, load = static.rule, state.load[a]
    value = grid_value(rule, load, state.area[a], state.perimeter[a])
    return value + above_value(rule, load, state.loaded[a], state.large[a])


@kernel
def _moved(static: Static, state: State, a: int, o: int, load: float) -> float:
    """Return what grid a pays for load that is not from its main old grid, after `load` of old grid o came in."""
    total = 0.0
    largest = 0.0
    for i in range(state.old.shape[0]):
        here = state.old[i, a] + (load if i == o else 0.0)
        total += here
        largest = max(largest, here)
    return static.rule[W_MOVED] * (total - largest) / static.rule[TARGET]


@kernel
def rebuild(static: Static, state: State, scratch: Scratch) -> None:
    """Compute every running sum of `state` from its assignment."""
    part = state.part
    for array in (state.load, state.area, state.perimeter, state.open, state.value):
        array[:] = 0.0
    state.loaded[:] = 0
    state.large[:] = 0
    state.touching[:] = 0
    state.members[:] = 0
    state.pieces[:] = 0
    state.old[:] = 0.0
    border = 0.0
    for u in range(len(part)):
        a = part[u]
        state.load[a] += static.load[u]
        state.area[a] += static.area[u]
        state.loaded[a] += _is_loaded(static, u)
        state.large[a] += _is_large(static, u)
        state.perimeter[a] += static.around[u]
        state.open[a] += static.outside[u]
        if static.compound[u] >= 0:
            state.members[static.compound[u], a] += 1
        if state.old.shape[0] > 0 and static.origin[u] >= 0:
            state.old[static.origin[u], a] += static.load[u]
        for e in range(static.indptr[u], static.indptr[u + 1]):
            b = part[static.neighbor[e]]
            if a == b:
                state.perimeter[a] -= static.length[e]
            else:
                border += 0.5 * static.cost[e]
                state.touching[a, b] += 1
    total = border * static.rule[W_BORDER]
    for a in range(len(state.load)):
        state.value[a] = _value(static, state, a)
        total += state.value[a]
        if state.old.shape[0] > 0:
            total += _moved(static, state, a, -1, 0.0)
    for c in range(len(state.pieces)):
        state.pieces[c] = np.count_nonzero(state.members[c])
        total += static.excess[c] * max(0, state.pieces[c] - static.allowed[c])
    state.total[HOLES] = enclosing_grids(state, scratch)
    state.total[VALUE] = total + static.rule[W_DONUT] * state.total[HOLES]


@kernel
def flip_delta(static: Static, state: State, u: int, b: int) -> float:
    """Return the change of the objective when unit u goes to grid b, holes left aside."""
    rule = static.rule
    part = state.part
    a = part[u]
    to_a = 0.0
    to_b = 0.0
    cost = 0.0
    for e in range(static.indptr[u], static.indptr[u + 1]):
        p = part[static.neighbor[e]]
        if p == a:
            to_a += static.length[e]
            cost += static.cost[e]
        elif p == b:
            to_b += static.length[e]
            cost -= static.cost[e]
    around = static.around[u]
    load, area = static.load[u], static.area[u]
    delta = (
        grid_value(rule, state.load[a] - load, state.area[a] - area, state.perimeter[a] - around + 2.0 * to_a)
        + grid_value(
            rule, state.load[b] + load, state.area[b] + area, state.perimeter[b] + around - 2.0 * to_b
        )
        - state.value[a]
        - state.value[b]
        + rule[W_BORDER] * cost
    )
    # Looked at only where it can matter: this is called more often than anything else.
    if state.load[a] > rule[HARD] or state.load[b] + load > rule[HARD]:
        loaded, large = _is_loaded(static, u), _is_large(static, u)
        delta += above_value(rule, state.load[a] - load, state.loaded[a] - loaded, state.large[a] - large)
        delta += above_value(rule, state.load[b] + load, state.loaded[b] + loaded, state.large[b] + large)
    c = static.compound[u]
    if c >= 0:
        pieces = state.pieces[c]
        after = pieces - (1 if state.members[c, a] == 1 else 0) + (1 if state.members[c, b] == 0 else 0)
        allowed = static.allowed[c]
        delta += static.excess[c] * (max(0, after - allowed) - max(0, pieces - allowed))
    o = static.origin[u]
    if state.old.shape[0] > 0 and o >= 0:
        delta += _moved(static, state, a, o, -load) - _moved(static, state, a, -1, 0.0)
        delta += _moved(static, state, b, o, load) - _moved(static, state, b, -1, 0.0)
    return delta


@kernel
def _touch(state: State, a: int, b: int, change: int) -> bool:
    """Change the number of unit edges between grids a and b; return True when they start or cease to touch."""
    before = state.touching[a, b]
    after = before + change
    state.touching[a, b] = after
    state.touching[b, a] = after
    return (after > 0) != (before > 0)


@kernel
def flip(static: Static, state: State, u: int, b: int, delta: float) -> bool:
    """Move unit u to grid b; `delta` is what `flip_delta` said. Return True when other grids touch than before."""
    part = state.part
    a = part[u]
    to_a = 0.0
    to_b = 0.0
    changed = False
    for e in range(static.indptr[u], static.indptr[u + 1]):
        p = part[static.neighbor[e]]
        if p == a:
            to_a += static.length[e]
            changed |= _touch(state, a, b, 1)
        elif p == b:
            to_b += static.length[e]
            changed |= _touch(state, a, b, -1)
        else:
            changed |= _touch(state, a, p, -1)
            changed |= _touch(state, b, p, 1)
    around = static.around[u]
    state.load[a] -= static.load[u]
    state.load[b] += static.load[u]
    state.area[a] -= static.area[u]
    state.area[b] += static.area[u]
    loaded, large = _is_loaded(static, u), _is_large(static, u)
    state.loaded[a] -= loaded
    state.loaded[b] += loaded
    state.large[a] -= large
    state.large[b] += large
    if static.outside[u] > 0.0:
        changed |= state.open[b] <= CLOSED_M
        state.open[a] -= static.outside[u]
        state.open[b] += static.outside[u]
        changed |= state.open[a] <= CLOSED_M
    state.perimeter[a] += 2.0 * to_a - around
    state.perimeter[b] += around - 2.0 * to_b
    state.value[a] = _value(static, state, a)
    state.value[b] = _value(static, state, b)
    c = static.compound[u]
    if c >= 0:
        state.members[c, a] -= 1
        state.members[c, b] += 1
        state.pieces[c] += (1 if state.members[c, b] == 1 else 0) - (1 if state.members[c, a] == 0 else 0)
    o = static.origin[u]
    if state.old.shape[0] > 0 and o >= 0:
        state.old[o, a] -= static.load[u]
        state.old[o, b] += static.load[u]
    part[u] = b
    state.total[VALUE] += delta
    return changed
