"""Kernels of the exact solver: connected sets of units as masks, what each measures, and the cheapest cover."""

from __future__ import annotations

import numpy as np

from geo.jit import kernel

MOST_STEPS = 1_000_000
"""Steps of one depth-first search before it gives up."""


@kernel
def _lowest(units):
    """Return the lowest unit of a mask that is not empty."""
    u = 0
    while (units >> np.uint64(u)) & np.uint64(1) == 0:
        u += 1
    return u


@kernel
def connected_sets(adjacent, load, spans, masks):
    """List the connected sets whose load lies in one of two spans, each once (Wernicke 2006); -1: too many."""
    n = len(load)
    top = max(spans[1], spans[3])
    sub = np.zeros(n + 1, np.uint64)
    ext = np.zeros(n + 1, np.uint64)
    seen = np.zeros(n + 1, np.uint64)
    sums = np.zeros(n + 1)
    one = np.uint64(1)
    found = 0
    steps = 0
    for root in range(n):
        if load[root] > top:
            continue
        above = ~((one << np.uint64(root + 1)) - one) if root < 63 else np.uint64(0)
        depth = 0
        sub[0] = one << np.uint64(root)
        ext[0] = adjacent[root] & above
        seen[0] = sub[0] | adjacent[root]
        sums[0] = load[root]
        fresh = True
        while depth >= 0:
            if fresh:
                value = sums[depth]
                if spans[0] <= value <= spans[1] or spans[2] <= value <= spans[3]:
                    if found == len(masks):
                        return -1
                    masks[found] = sub[depth]
                    found += 1
                fresh = False
            rest = ext[depth]
            if rest == 0:
                depth -= 1
                continue
            steps += 1
            if steps > 60 * len(masks):
                return -1
            w = _lowest(rest)
            bit = one << np.uint64(w)
            ext[depth] = rest & ~bit
            if sums[depth] + load[w] > top:
                continue
            sub[depth + 1] = sub[depth] | bit
            ext[depth + 1] = ext[depth] | (adjacent[w] & ~seen[depth] & above)
            seen[depth + 1] = seen[depth] | adjacent[w]
            sums[depth + 1] = sums[depth] + load[w]
            depth += 1
            fresh = True
    return found


@kernel
def flood(adjacent, start, within):
    """Return the units of `within` that can be reached from `start` inside it."""
    one = np.uint64(1)
    reached = start & within
    front = reached
    while front != 0:
        w = _lowest(front)
        front &= ~(one << np.uint64(w))
        new = adjacent[w] & within & ~reached
        reached |= new
        front |= new
    return reached


@kernel
def measure(masks, graph, arrays, facts, meets):
    """Fill load, area, perimeter, half the border's cost and holes of each set, and the compounds it meets."""
    indptr, neighbor, adjacent = graph
    length, cost, load, area, around, outside, compound = arrays
    n = len(load)
    one = np.uint64(1)
    everything = np.uint64(0)
    open_ = np.uint64(0)
    for u in range(n):
        everything |= one << np.uint64(u)
        if outside[u] > 0.01:
            open_ |= one << np.uint64(u)
    for i in range(len(masks)):
        mask = masks[i]
        for u in range(n):
            if (mask >> np.uint64(u)) & one == 0:
                continue
            facts[0, i] += load[u]
            facts[1, i] += area[u]
            facts[2, i] += around[u]
            if compound[u] >= 0:
                meets[i] |= one << np.uint64(compound[u])
            for e in range(indptr[u], indptr[u + 1]):
                if (mask >> np.uint64(neighbor[e])) & one:
                    facts[2, i] -= length[e]
                else:
                    facts[3, i] += 0.5 * cost[e]
        left = everything & ~mask
        if open_ != 0 and flood(adjacent, open_, left) != left:
            facts[4, i] = 1.0


@kernel
def cheapest_cover(facts, tables, rule, compounds, want):
    """Return 1 and the cheapest cover within the gap, 0 when there is none, 2 to give up; with its rows."""
    mask, load, _, out, _ = facts
    reduced, edges, by_mask, sorted_mask, adjacent = tables
    count, outside, gap = want
    at, end, pick = np.zeros(count, np.int64), np.zeros(count, np.int64), np.zeros(count, np.int64)
    left = np.zeros(count + 1, np.uint64)
    sums = np.zeros(
        (3, count + 1)
    )  # reduced costs, grids out of the band and remaining load down to each depth
    for u in range(len(edges) - 1):
        left[0] |= np.uint64(1) << np.uint64(u)
    sums[2, 0] = rule[3]
    best = rule[2] + gap + 1e-7
    chosen = np.full(count, -1, np.int64)
    found, steps, depth = 0, 0, 0
    end[0] = edges[1]
    while depth >= 0:
        grids = count - depth - 1
        if grids == 0:
            # What remains must be a grid itself.
            i = np.searchsorted(sorted_mask, left[depth])
            if i < len(sorted_mask) and sorted_mask[i] == left[depth]:
                pick[depth] = by_mask[i]
                if sums[1, depth] + out[pick[depth]] == outside:
                    value = _price(facts, compounds, pick)
                    if value < best:
                        best, found = value, 1
                        chosen[:] = pick
            depth -= 1
            continue
        c = at[depth]
        if c >= end[depth] or rule[2] + sums[0, depth] + reduced[c] > best:
            depth -= 1
            continue
        at[depth] += 1
        steps += 1
        if steps > MOST_STEPS:
            return 2, chosen
        if mask[c] & ~left[depth] != 0:
            continue
        rest = left[depth] & ~mask[c]
        more = sums[2, depth] - load[c]
        still = outside - sums[1, depth] - out[c]
        too_much = still == 0 and more > rule[1] * grids
        if still < 0 or too_much or more < rule[0] * (grids - still) or not _in_parts(adjacent, rest, grids):
            continue
        pick[depth] = c
        depth += 1
        left[depth] = rest
        sums[0, depth] = sums[0, depth - 1] + reduced[c]
        sums[1, depth] = outside - still
        sums[2, depth] = more
        u = _lowest(rest)
        at[depth], end[depth] = edges[u], edges[u + 1]
    return found, chosen


@kernel
def _price(facts, compounds, pick):
    """Return the cost of a cover with what its pieces of compounds cost."""
    cost, meets = facts[2], facts[4]
    allowed, prices = compounds
    value = 0.0
    for c in pick:
        value += cost[c]
    for k in range(len(allowed)):
        pieces = 0
        for c in pick:
            pieces += np.int64((meets[c] >> np.uint64(k)) & np.uint64(1))
        value += prices[k] * max(0, pieces - allowed[k])
    return value


@kernel
def _in_parts(adjacent, units, most):
    """Return True when the units, some, are in at most so many pieces."""
    parts = 0
    while units != 0 and parts <= most:
        units &= ~flood(adjacent, units & (~units + np.uint64(1)), units)
        parts += 1
    return 0 < parts <= most
