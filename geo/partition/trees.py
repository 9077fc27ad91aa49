"""Kernels that cut grids anew along random spanning trees (after DeFord, Duchin and Solomon 2021)."""

from __future__ import annotations

import numpy as np

from geo.jit import kernel
from geo.partition.arrays import (
    BEST,
    BLOCK_COST,
    HARD,
    HIGH,
    HOLES,
    S_AREA,
    S_AROUND,
    S_CAPPED,
    S_COST,
    S_CUT,
    S_LARGE,
    S_LOAD,
    S_POSITIVE,
    SUMS,
    TARGET,
    VALUE,
    W_BORDER,
    W_DONUT,
    Scratch,
    State,
    Static,
)
from geo.partition.heap import heap_pop, heap_push, uniform
from geo.partition.holes import enclosing_grids
from geo.partition.objective import above_value, flip, flip_delta, grid_value, rebuild


@kernel
def _random_tree(static: Static, state: State, scratch: Scratch, root: int, a: int, b: int) -> int:  # noqa: PLR0917
    """Grow a random spanning tree over grids a and b from `root`; return the number of units.

    Fills queue (tree order), parent and place. Edges inside a compound or a block are light and enter first, so
    the tree's few heavy edges are the good places to cut.
    """
    part = state.part
    scratch.clock[0] += 2
    clock = scratch.clock[0]
    rng = scratch.rng
    scratch.queue[0] = root
    scratch.parent[0] = -1
    scratch.place[root] = 0
    scratch.stamp[root] = clock
    count, heap, u = 1, 0, root
    while True:
        for e in range(static.indptr[u], static.indptr[u + 1]):
            v = static.neighbor[e]
            if (part[v] == a or part[v] == b) and scratch.stamp[v] != clock:
                weight = uniform(rng)
                if static.compound[u] >= 0 and static.compound[u] == static.compound[v]:
                    weight -= 1.0
                elif static.cost[e] < static.length[e] * static.rule[BLOCK_COST]:
                    weight += 0.5
                heap_push(scratch, heap, weight, e)
                heap += 1
        found = False
        while heap > 0:
            e = heap_pop(scratch, heap)
            heap -= 1
            v = static.neighbor[e]
            if scratch.stamp[v] != clock:
                scratch.stamp[v] = clock
                scratch.queue[count] = v
                scratch.parent[count] = scratch.place[static.source[e]]
                scratch.place[v] = count
                count += 1
                u = v
                found = True
                break
        if not found:
            return count


@kernel
def _subtree_sums(static: Static, scratch: Scratch, count: int) -> None:
    """Sum load, area, perimeter and cut border of every subtree of the last random tree."""
    sums = scratch.sums
    clock = scratch.clock[0]
    for i in range(count):
        u = scratch.queue[i]
        load = static.load[u]
        sums[i, S_LOAD] = load
        sums[i, S_CAPPED] = min(load, static.rule[TARGET])
        sums[i, S_POSITIVE] = 1.0 if load > 0.0 else 0.0
        sums[i, S_LARGE] = 1.0 if load > static.rule[HIGH] else 0.0
        sums[i, S_AREA] = static.area[u]
        sums[i, S_AROUND] = static.around[u]
        sums[i, S_COST] = 0.0
        sums[i, S_CUT] = 0.0
    for i in range(count):
        u = scratch.queue[i]
        for e in range(static.indptr[u], static.indptr[u + 1]):
            v = static.neighbor[e]
            if scratch.stamp[v] != clock:
                continue
            sums[i, S_COST] += static.cost[e]
            sums[i, S_CUT] += static.length[e]
            j = scratch.place[v]
            if j < i:
                # An edge lies inside every subtree that holds the lowest common ancestor of its ends.
                x, y = i, j
                while x != y:
                    if x > y:
                        x = scratch.parent[x]
                    else:
                        y = scratch.parent[y]
                sums[x, S_AROUND] -= 2.0 * static.length[e]
                sums[x, S_COST] -= 2.0 * static.cost[e]
                sums[x, S_CUT] -= 2.0 * static.length[e]
    for i in range(count - 1, 0, -1):
        j = scratch.parent[i]
        for column in range(SUMS):
            sums[j, column] += sums[i, column]


@kernel
def _mark_subtree(scratch: Scratch, top: int, count: int) -> None:
    """Set ``old[i]`` to 1 for tree positions inside the subtree of `top`, else 0."""
    for i in range(count):
        scratch.old[i] = 0
    scratch.old[top] = 1
    for i in range(top + 1, count):
        if scratch.old[scratch.parent[i]] == 1:
            scratch.old[i] = 1


@kernel
def _best_cut(static: Static, scratch: Scratch, count: int, temperature: float) -> int:
    """Return the tree position whose subtree makes the best grid beside the rest, -1 when none will do."""
    sums, rule = scratch.sums, static.rule
    choice, lowest = -1, 1e300
    for i in range(1, count):
        load = sums[i, S_LOAD]
        rest = sums[0, S_LOAD] - load
        if load <= 0.0 or rest <= 0.0:
            continue
        around = sums[i, S_AROUND]
        value = (
            grid_value(rule, load, sums[i, S_AREA], around)
            + grid_value(
                rule,
                rest,
                sums[0, S_AREA] - sums[i, S_AREA],
                sums[0, S_AROUND] - around + 2.0 * sums[i, S_CUT],
            )
            + rule[W_BORDER] * sums[i, S_COST]
        )
        if max(load, rest) > rule[HARD]:
            loaded, large = int(sums[i, S_POSITIVE]), int(sums[i, S_LARGE])
            value += above_value(rule, load, loaded, large)
            value += above_value(rule, rest, int(sums[0, S_POSITIVE]) - loaded, int(sums[0, S_LARGE]) - large)
        value += temperature * np.log(-np.log(1e-12 + (1.0 - 2e-12) * uniform(scratch.rng)))
        if value < lowest:
            choice, lowest = i, value
    return choice


@kernel
def resplit(static: Static, state: State, scratch: Scratch, u: int, b: int, temperature: float) -> None:  # noqa: PLR0917
    """Merge u's grid with grid b and cut the union anew along a random tree; keep it by Metropolis' rule."""
    a = state.part[u]
    count = _random_tree(static, state, scratch, u, a, b)
    if count < 3:
        return
    _subtree_sums(static, scratch, count)
    choice = _best_cut(static, scratch, count, temperature)
    if choice < 0:
        return
    _mark_subtree(scratch, choice, count)
    same = 0
    for i in range(count):
        inside = scratch.old[i] == 1
        same += 1 if inside == (state.part[scratch.queue[i]] == a) else -1
    inner, outer = (a, b) if same >= 0 else (b, a)
    for i in range(count):
        v = scratch.queue[i]
        if static.pinned[v] and state.part[v] != (inner if scratch.old[i] == 1 else outer):
            return
    before = state.total[VALUE]
    holes = state.total[HOLES]
    changed = False
    for i in range(count):
        v = scratch.queue[i]
        label = inner if scratch.old[i] == 1 else outer
        scratch.old[i] = state.part[v]
        if state.part[v] != label:
            changed |= flip(static, state, v, label, flip_delta(static, state, v, label))
    if changed:
        state.total[HOLES] = enclosing_grids(state, scratch)
    delta = state.total[VALUE] - before + static.rule[W_DONUT] * (state.total[HOLES] - holes)
    if delta <= 0.0 or uniform(scratch.rng) < np.exp(-delta / temperature):
        state.total[VALUE] = before + delta
        return
    for i in range(count):
        v = scratch.queue[i]
        if state.part[v] != scratch.old[i]:
            flip(static, state, v, scratch.old[i], 0.0)
    state.total[VALUE] = before
    state.total[HOLES] = holes


@kernel
def seed_split(static: Static, state: State, scratch: Scratch) -> None:
    """Divide the part into its k grids by recursive random-tree splits; every grid gets a unit with load.

    The part must be connected and hold at least k units with load.
    """
    k = len(state.load)
    part = state.part
    part[:] = 0
    wanted = np.zeros(k, np.int64)
    root = np.zeros(k, np.int64)
    wanted[0] = k
    label, labels = 0, 1
    while label < labels:
        if wanted[label] == 1:
            label += 1
            continue
        count = _random_tree(static, state, scratch, root[label], label, label)
        _subtree_sums(static, scratch, count)
        sums = scratch.sums
        all_k = wanted[label]
        choice, share, lowest = -1, 0, 1e300
        for i in range(1, count):
            exact = all_k * sums[i, S_CAPPED] / sums[0, S_CAPPED]
            inside = min(max(int(exact + 0.5), 1), all_k - 1)
            inside = max(inside, all_k - int(sums[0, S_POSITIVE] - sums[i, S_POSITIVE]))
            if inside > int(sums[i, S_POSITIVE]) or inside > all_k - 1:
                continue
            off = abs(exact - inside)
            score = off / min(inside, all_k - inside) + 0.05 * sums[i, S_COST] + 0.05 * uniform(scratch.rng)
            if score < lowest:
                choice, share, lowest = i, inside, score
        _mark_subtree(scratch, choice, count)
        for i in range(count):
            if scratch.old[i] == 1:
                part[scratch.queue[i]] = labels
        root[labels] = scratch.queue[choice]
        root[label] = scratch.queue[0]
        wanted[labels] = share
        wanted[label] = all_k - share
        labels += 1
    rebuild(static, state, scratch)
    state.best[:] = part
    state.total[BEST] = state.total[VALUE]
