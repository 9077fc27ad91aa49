"""Kernels of single moves and chains of two, kept connected."""

from __future__ import annotations

from geo.jit import kernel
from geo.partition.arrays import HOLES, VALUE, W_DONUT, Scratch, State, Static
from geo.partition.heap import uniform
from geo.partition.holes import enclosing_grids
from geo.partition.objective import flip, flip_delta


@kernel
def stays_connected(static: Static, state: State, scratch: Scratch, u: int) -> bool:
    """Return True when u's grid is not empty and stays in one piece without u."""
    part = state.part
    a = part[u]
    if state.load[a] - static.load[u] <= 0.0:
        return False
    stamp = scratch.stamp
    clock = scratch.clock[0] + 2
    scratch.clock[0] = clock
    wanted = 0
    for e in range(static.indptr[u], static.indptr[u + 1]):
        v = static.neighbor[e]
        if part[v] == a:
            wanted += 1
            stamp[v] = clock - 1
            scratch.queue[0] = v
    if wanted <= 1:
        return wanted == 1
    stamp[u] = clock
    stamp[scratch.queue[0]] = clock
    wanted -= 1
    head, tail = 0, 1
    while head < tail:
        v = scratch.queue[head]
        head += 1
        for e in range(static.indptr[v], static.indptr[v + 1]):
            w = static.neighbor[e]
            if part[w] == a and stamp[w] != clock:
                if stamp[w] == clock - 1:
                    wanted -= 1
                    if wanted == 0:
                        return True
                stamp[w] = clock
                scratch.queue[tail] = w
                tail += 1
    return False


@kernel
def try_flip(static: Static, state: State, scratch: Scratch, u: int, b: int, limit: float) -> bool:  # noqa: PLR0917
    """Move unit u to grid b when its grid stays whole and the objective rises by at most `limit`."""
    if static.pinned[u]:
        return False
    a = state.part[u]
    delta = flip_delta(static, state, u, b)
    if delta > limit or not stays_connected(static, state, scratch, u):
        return False
    before = state.total[VALUE]
    if not flip(static, state, u, b, delta):
        return True
    holes = state.total[HOLES]
    state.total[HOLES] = enclosing_grids(state, scratch)
    state.total[VALUE] += static.rule[W_DONUT] * (state.total[HOLES] - holes)
    if state.total[VALUE] - before <= limit:
        return True
    flip(static, state, u, a, 0.0)
    state.total[VALUE] = before
    state.total[HOLES] = holes
    return False


@kernel
def try_chain(static: Static, state: State, scratch: Scratch, u: int, b: int, limit: float) -> bool:  # noqa: PLR0917
    """Move u into grid b and a unit of b, found by a short walk, on to another grid (or back: a swap)."""
    before, holes = state.total[VALUE], state.total[HOLES]
    a = state.part[u]
    if not try_flip(static, state, scratch, u, b, 1e300):
        return False
    part = state.part
    x = u
    for _ in range(12):
        first = static.indptr[x]
        e = first + int(uniform(scratch.rng) * (static.indptr[x + 1] - first))
        v = static.neighbor[e]
        if part[v] == b:
            x = v
        elif x != u and try_flip(static, state, scratch, x, part[v], limit - (state.total[VALUE] - before)):
            return True
    flip(static, state, u, a, 0.0)
    state.total[VALUE] = before
    state.total[HOLES] = holes
    return False
