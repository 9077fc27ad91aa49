"""Numba kernels: random tree splits and annealed local search on the units of one connected part.

The three bundles of arrays they work on are described in `geo.partition.arrays`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from geo.jit import kernel
from geo.partition.arrays import (
    BEST,
    BLOCK_COST,
    HARD,
    HIGH,
    HOLES,
    LOW,
    S_AREA,
    S_AROUND,
    S_CAPPED,
    S_COST,
    S_CUT,
    S_LOAD,
    S_POSITIVE,
    SUMS,
    TARGET,
    TOLERANCE,
    VALUE,
    W_BAND,
    W_BORDER,
    W_COMPACT,
    W_DONUT,
    W_EVEN,
    W_SLOPE,
    W_SPLIT,
    W_TOLERANCE,
    Scratch,
    State,
    Static,
)
from geo.partition.heap import heap_pop, heap_push, uniform
from geo.partition.holes import CLOSED_M, enclosing_grids

if TYPE_CHECKING:
    from numpy.typing import NDArray

FOUR_PI = 4.0 * np.pi


@kernel
def _grid_value(rule: NDArray[np.float64], load: float, area: float, perimeter: float) -> float:
    """Return what one grid costs by its load and shape."""
    target = rule[TARGET]
    off = (load - target) / target
    value = rule[W_EVEN] * off * off
    if off > rule[TOLERANCE] or off < -rule[TOLERANCE]:
        value += rule[W_TOLERANCE]
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
def rebuild(static: Static, state: State, scratch: Scratch) -> None:
    """Compute every running sum of `state` from its assignment."""
    part = state.part
    for array in (state.load, state.area, state.perimeter, state.open, state.value):
        array[:] = 0.0
    state.touching[:] = 0
    state.members[:] = 0
    state.pieces[:] = 0
    border = 0.0
    for u in range(len(part)):
        a = part[u]
        state.load[a] += static.load[u]
        state.area[a] += static.area[u]
        state.perimeter[a] += static.around[u]
        state.open[a] += static.outside[u]
        if static.compound[u] >= 0:
            state.members[static.compound[u], a] += 1
        for e in range(static.indptr[u], static.indptr[u + 1]):
            b = part[static.neighbor[e]]
            if a == b:
                state.perimeter[a] -= static.length[e]
            else:
                border += 0.5 * static.cost[e]
                state.touching[a, b] += 1
    total = border * static.rule[W_BORDER]
    for a in range(len(state.load)):
        state.value[a] = _grid_value(static.rule, state.load[a], state.area[a], state.perimeter[a])
        total += state.value[a]
    for c in range(len(state.pieces)):
        state.pieces[c] = np.count_nonzero(state.members[c])
        total += static.rule[W_SPLIT] * max(0, state.pieces[c] - static.allowed[c])
    state.total[HOLES] = enclosing_grids(state, scratch)
    state.total[VALUE] = total + static.rule[W_DONUT] * state.total[HOLES]


@kernel
def _flip_delta(static: Static, state: State, u: int, b: int) -> float:
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
        _grid_value(
            rule, state.load[a] - load, state.area[a] - area, state.perimeter[a] - around + 2.0 * to_a
        )
        + _grid_value(
            rule, state.load[b] + load, state.area[b] + area, state.perimeter[b] + around - 2.0 * to_b
        )
        - state.value[a]
        - state.value[b]
        + rule[W_BORDER] * cost
    )
    c = static.compound[u]
    if c >= 0:
        pieces = state.pieces[c]
        after = pieces - (1 if state.members[c, a] == 1 else 0) + (1 if state.members[c, b] == 0 else 0)
        allowed = static.allowed[c]
        delta += rule[W_SPLIT] * (max(0, after - allowed) - max(0, pieces - allowed))
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
def _flip(static: Static, state: State, u: int, b: int, delta: float) -> bool:
    """Move unit u to grid b; `delta` is what `_flip_delta` said. Return True when other grids touch than before."""
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
    if static.outside[u] > 0.0:
        changed |= state.open[b] <= CLOSED_M
        state.open[a] -= static.outside[u]
        state.open[b] += static.outside[u]
        changed |= state.open[a] <= CLOSED_M
    state.perimeter[a] += 2.0 * to_a - around
    state.perimeter[b] += around - 2.0 * to_b
    state.value[a] = _grid_value(static.rule, state.load[a], state.area[a], state.perimeter[a])
    state.value[b] = _grid_value(static.rule, state.load[b], state.area[b], state.perimeter[b])
    c = static.compound[u]
    if c >= 0:
        state.members[c, a] -= 1
        state.members[c, b] += 1
        state.pieces[c] += (1 if state.members[c, b] == 1 else 0) - (1 if state.members[c, a] == 0 else 0)
    part[u] = b
    state.total[VALUE] += delta
    return changed


@kernel
def _stays_connected(static: Static, state: State, scratch: Scratch, u: int) -> bool:
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
            _grid_value(rule, load, sums[i, S_AREA], around)
            + _grid_value(
                rule,
                rest,
                sums[0, S_AREA] - sums[i, S_AREA],
                sums[0, S_AROUND] - around + 2.0 * sums[i, S_CUT],
            )
            + rule[W_BORDER] * sums[i, S_COST]
        )
        value += temperature * np.log(-np.log(1e-12 + (1.0 - 2e-12) * uniform(scratch.rng)))
        if value < lowest:
            choice, lowest = i, value
    return choice


@kernel
def _resplit(static: Static, state: State, scratch: Scratch, u: int, b: int, temperature: float) -> None:  # noqa: PLR0917
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
    before = state.total[VALUE]
    holes = state.total[HOLES]
    changed = False
    for i in range(count):
        v = scratch.queue[i]
        label = inner if scratch.old[i] == 1 else outer
        scratch.old[i] = state.part[v]
        if state.part[v] != label:
            changed |= _flip(static, state, v, label, _flip_delta(static, state, v, label))
    if changed:
        state.total[HOLES] = enclosing_grids(state, scratch)
    delta = state.total[VALUE] - before + static.rule[W_DONUT] * (state.total[HOLES] - holes)
    if delta <= 0.0 or uniform(scratch.rng) < np.exp(-delta / temperature):
        state.total[VALUE] = before + delta
        return
    for i in range(count):
        v = scratch.queue[i]
        if state.part[v] != scratch.old[i]:
            _flip(static, state, v, scratch.old[i], 0.0)
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


@kernel
def _try_flip(static: Static, state: State, scratch: Scratch, u: int, b: int, limit: float) -> bool:  # noqa: PLR0917
    """Move unit u to grid b when its grid stays whole and the objective rises by at most `limit`."""
    a = state.part[u]
    delta = _flip_delta(static, state, u, b)
    if delta > limit or not _stays_connected(static, state, scratch, u):
        return False
    before = state.total[VALUE]
    if not _flip(static, state, u, b, delta):
        return True
    holes = state.total[HOLES]
    state.total[HOLES] = enclosing_grids(state, scratch)
    state.total[VALUE] += static.rule[W_DONUT] * (state.total[HOLES] - holes)
    if state.total[VALUE] - before <= limit:
        return True
    _flip(static, state, u, a, 0.0)
    state.total[VALUE] = before
    state.total[HOLES] = holes
    return False


@kernel
def _try_chain(static: Static, state: State, scratch: Scratch, u: int, b: int, limit: float) -> bool:  # noqa: PLR0917
    """Move u into grid b and a unit of b, found by a short walk, on to another grid (or back: a swap)."""
    before, holes = state.total[VALUE], state.total[HOLES]
    a = state.part[u]
    if not _try_flip(static, state, scratch, u, b, 1e300):
        return False
    part = state.part
    x = u
    for _ in range(12):
        first = static.indptr[x]
        e = first + int(uniform(scratch.rng) * (static.indptr[x + 1] - first))
        v = static.neighbor[e]
        if part[v] == b:
            x = v
        elif x != u and _try_flip(static, state, scratch, x, part[v], limit - (state.total[VALUE] - before)):
            return True
    _flip(static, state, u, a, 0.0)
    state.total[VALUE] = before
    state.total[HOLES] = holes
    return False


@kernel
def anneal(  # noqa: PLR0917
    static: Static,
    state: State,
    scratch: Scratch,
    proposals: int,
    heat: tuple[float, float],
    mix: tuple[float, float],
) -> None:
    """Improve the assignment by annealing; the best one seen is in ``state.best``.

    Parameters
    ----------
    static, state, scratch
        A connected part with a valid assignment.
    proposals
        Number of random border edges looked at.
    heat
        Temperature at the first and the last proposal, objective units.
    mix
        Shares of proposals that are resplits of two grids and chains of two moves; the rest are single moves.
    """
    rebuild(static, state, scratch)
    part = state.part
    edges = len(static.neighbor)
    rng = scratch.rng
    cooling = np.log(heat[1] / heat[0]) / max(proposals, 1)
    temperature = heat[0]
    every = max(len(part), 64)
    for step in range(proposals):
        if step % 64 == 0:
            temperature = heat[0] * np.exp(cooling * step)
        if step % every == 0 and state.total[VALUE] < state.total[BEST] - 1e-9:
            state.best[:] = part
            state.total[BEST] = state.total[VALUE]
        e = int(uniform(rng) * edges)
        u = static.source[e]
        b = part[static.neighbor[e]]
        if part[u] == b:
            continue
        kind = uniform(rng)
        if kind < mix[0]:
            _resplit(static, state, scratch, u, b, temperature)
            continue
        limit = -temperature * np.log(1e-300 + uniform(rng))
        if kind < mix[0] + mix[1]:
            _try_chain(static, state, scratch, u, b, limit)
        else:
            _try_flip(static, state, scratch, u, b, limit)
    if state.total[VALUE] < state.total[BEST] - 1e-9:
        state.best[:] = part
        state.total[BEST] = state.total[VALUE]
