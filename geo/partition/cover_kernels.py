"""Kernels of the exact search in small parts: grids as bit masks, a bound by prices, the cheapest cover."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from geo.jit import kernel
from geo.partition.arrays import HARD, HIGH, LOW, W_BORDER, W_DONUT, Static
from geo.partition.objective import above_value, grid_value

if TYPE_CHECKING:
    from typing import TypeAlias

    from numpy.typing import NDArray

    Graph: TypeAlias = tuple[NDArray[np.uint64], NDArray[np.float64]]
    """Neighbours of each unit as a mask, (n,), and its load, (n,)."""

    Grids: TypeAlias = tuple[NDArray[np.uint64], NDArray[np.float64], NDArray[np.int64], NDArray[np.uint64]]
    """Masks, costs, for how many grids out of the band each counts, and the compounds met as masks."""

ONE = np.uint64(1)
NONE = np.uint64(0)

GAVE_UP = 2
"""What a search says that was not finished."""

ENOUGH_PASSES = 150
"""Passes over all grids that set the prices of the units."""


@kernel
def _index(bit: np.uint64) -> int:
    """Return the position of the only bit of a mask."""
    at = 0
    for step in (32, 16, 8, 4, 2, 1):
        if bit >> np.uint64(step) != NONE:
            bit >>= np.uint64(step)
            at += step
    return at


@kernel
def _piece(adjacent: NDArray[np.uint64], within: np.uint64) -> np.uint64:
    """Return the connected piece of a mask that holds its lowest unit."""
    piece = within & (~within + ONE)
    front = piece
    while front != NONE:
        bit = front & (~front + ONE)
        new = adjacent[_index(bit)] & within & ~piece
        piece |= new
        front = (front & ~bit) | new
    return piece


@kernel
def _load_of(load: NDArray[np.float64], units: np.uint64) -> float:
    total = 0.0
    while units != NONE:
        bit = units & (~units + ONE)
        total += load[_index(bit)]
        units &= ~bit
    return total


@kernel
def _leaves_grids(graph: Graph, rest: np.uint64, k: int, low: float, high: float) -> bool:
    """Return True unless what a grid leaves is plainly not k grids with loads between `low` and `high`."""
    adjacent, load = graph
    fewest, most = 0, 0
    while rest != NONE:
        piece = _piece(adjacent, rest)
        rest &= ~piece
        total = _load_of(load, piece)
        least, largest = max(1, int(np.ceil(total / high))), int(total / low)
        if total <= 0.0 or least > largest:
            return False
        fewest += least
        most += min(largest, k)
    return fewest <= k <= most


@kernel
def _fits(
    graph: Graph, whole: NDArray[np.uint64], sets: tuple[np.uint64, np.uint64], rest: tuple[int, float, float]
) -> bool:
    """Return True when a grid cuts no compound that is to stay whole and leaves what the others can be made of."""
    units, others = sets
    for w in whole:
        if units & w != NONE and units & w != w:
            return False
    if rest[0] == 0:
        return others == NONE
    return _leaves_grids(graph, others, rest[0], rest[1], rest[2])


@kernel
def possible_grids(  # noqa: PLR0917
    graph: Graph,
    spans: NDArray[np.float64],
    whole: NDArray[np.uint64],
    rest: tuple[int, float, float],
    masks: NDArray[np.uint64],
    most_steps: int,
) -> int:
    """List the connected sets of units that can be a grid; return their number, -1 when there are too many.

    A set is grown from its lowest unit; the lowest unit beside it is taken in or banned for good, so each set comes
    once.

    Parameters
    ----------
    graph
        The part.
    spans
        float64 (4,): two spans of loads, low and high, of which a grid lies in one.
    whole
        uint64: sets of units of which a grid holds all or none.
    rest
        Number of the other grids, and the lowest and the highest load of one.
    masks
        Filled with the sets.
    most_steps
        Steps after which there are too many.
    """
    adjacent, load = graph
    n = len(load)
    cap = max(spans[1], spans[3])
    stack = np.zeros((3, 2 * n + 2), np.uint64)
    sums = np.zeros(2 * n + 2)
    everything = NONE
    for u in range(n):
        everything |= ONE << np.uint64(u)
    found, steps = 0, 0
    for root in range(n):
        if load[root] > cap:
            continue
        bit = ONE << np.uint64(root)
        stack[0, 0], stack[1, 0], stack[2, 0], sums[0] = bit, bit | (bit - ONE), adjacent[root], load[root]
        top, fresh = 0, True
        while top >= 0:
            steps += 1
            if steps > most_steps:
                return -1
            units, banned, beside, total = stack[0, top], stack[1, top], stack[2, top], sums[top]
            in_span = spans[0] <= total <= spans[1] or spans[2] <= total <= spans[3]
            if fresh and in_span and total > 0.0 and _fits(graph, whole, (units, everything & ~units), rest):
                if found == len(masks):
                    return -1
                masks[found] = units
                found += 1
            choice = beside & ~banned & ~units
            if choice == NONE:
                top -= 1
                fresh = False
                continue
            bit = choice & (~choice + ONE)
            w = _index(bit)
            stack[1, top] = banned | bit
            fresh = False
            if total + load[w] <= cap:
                top += 1
                stack[0, top], stack[1, top], stack[2, top] = units | bit, banned, beside | adjacent[w]
                sums[top] = total + load[w]
                fresh = True
    return found


@kernel
def _misses(rule: NDArray[np.float64], load: float, large: int) -> int:
    """Return for how many grids out of the band one counts that holds so many units that are too large."""
    if load > rule[HARD]:
        return max(1, large)
    return 1 if load < rule[LOW] or load > rule[HIGH] else 0


@kernel
def worth(
    static: Static,
    adjacent: NDArray[np.uint64],
    masks: NDArray[np.uint64],
    out: tuple[NDArray[np.float64], NDArray[np.int64], NDArray[np.uint64]],
) -> None:
    """Fill what each grid costs, its pieces of compounds included, how it counts out of the band, what it meets.

    Above the hard maximum a grid counts once for each of its units that are too large.
    A grid's cost is its own: half the border on either side; and it encloses others exactly when what it leaves
    has a piece that does not reach the outside.
    """
    cost, outside, meets = out
    rule = static.rule
    n = len(static.load)
    everything, open_ = NONE, NONE
    for u in range(n):
        everything |= ONE << np.uint64(u)
        if static.outside[u] > 0.01:
            open_ |= ONE << np.uint64(u)
    for i in range(len(masks)):
        units = masks[i]
        load, area, around, border = 0.0, 0.0, 0.0, 0.0
        loaded, large = 0, 0
        left = units
        while left != NONE:
            bit = left & (~left + ONE)
            left &= ~bit
            u = _index(bit)
            load += static.load[u]
            loaded += 1 if static.load[u] > 0.0 else 0
            large += 1 if static.load[u] > rule[HIGH] else 0
            area += static.area[u]
            around += static.around[u]
            if static.compound[u] >= 0:
                meets[i] |= ONE << np.uint64(static.compound[u])
            for e in range(static.indptr[u], static.indptr[u + 1]):
                if units >> np.uint64(static.neighbor[e]) & ONE != NONE:
                    around -= static.length[e]
                else:
                    border += 0.5 * static.cost[e]
        cost[i] = grid_value(rule, load, area, around) + rule[W_BORDER] * border
        cost[i] += above_value(rule, load, loaded, large)
        outside[i] = _misses(rule, load, large)
        rest = everything & ~units
        while open_ != NONE and rest != NONE:  # noqa: PLR1714 - not in compiled code
            piece = _piece(adjacent, rest)
            rest &= ~piece
            if piece & open_ == NONE:
                cost[i] += rule[W_DONUT]
                break
        for c in range(len(static.allowed)):
            if meets[i] >> np.uint64(c) & ONE != NONE:
                cost[i] += static.excess[c]


@kernel
def price_units(
    masks: NDArray[np.uint64], cost: NDArray[np.float64], n: int, k: int, worst: float
) -> tuple[NDArray[np.float64], float]:
    """Return prices of the units and the bound they prove on a cover by k grids (subgradients, Held and Karp 1971).

    With any prices a cover costs the sum of the prices and of its grids' reduced costs; its grids have different
    lowest units, one of them unit 0. `worst` is a cost that a better cover is below.
    """
    price = np.full(n, (worst - abs(worst) * 0.01) / n)
    best_price = price.copy()
    best = -1e300
    theta, idle = 1.0, 0
    first = np.zeros(len(masks), np.int64)
    for i in range(len(masks)):
        first[i] = _index(masks[i] & (~masks[i] + ONE))
    least, which = np.zeros(n), np.zeros(n, np.int64)
    slope = np.zeros(n)
    for _ in range(ENOUGH_PASSES):
        least[:] = 1e300
        for i in range(len(masks)):
            reduced = cost[i] - _load_of(price, masks[i])
            if reduced < least[first[i]]:
                least[first[i]], which[first[i]] = reduced, i
        order = np.argsort(least[1:])[: k - 1] + 1
        bound = price.sum() + least[0] + least[order].sum()
        if bound > best:
            best, idle = bound, 0
            best_price[:] = price
        else:
            idle += 1
            if idle == 8:
                theta, idle = theta * 0.6, 0
                price[:] = best_price
        if best >= worst or least[0] > 1e299 or (k > 1 and least[order].max() > 1e299):
            break
        slope[:] = 1.0
        for g in range(k):
            units = masks[which[0 if g == 0 else order[g - 1]]]
            for u in range(n):
                slope[u] -= float(units >> np.uint64(u) & ONE)
        norm = (slope * slope).sum()
        if norm == 0.0:
            break
        price += slope * (theta * max(worst - bound, 1e-6 * abs(worst)) / norm)
    return best_price, best


@kernel
def _price(
    grids: Grids, compounds: tuple[NDArray[np.int32], NDArray[np.float64]], pick: NDArray[np.int64]
) -> float:
    """Return what some grids cost together: they pay for all pieces of a compound and get back what it may have."""
    value = 0.0
    for j in pick:
        value += grids[1][j]
    for c in range(len(compounds[0])):
        pieces = 0
        for j in pick:
            pieces += int(grids[3][j] >> np.uint64(c) & ONE)
        value -= compounds[1][c] * min(pieces, compounds[0][c])
    return value


@kernel
def cheapest_cover(
    grids: Grids,
    reduced: NDArray[np.float64],
    edges: NDArray[np.int64],
    compounds: tuple[NDArray[np.int32], NDArray[np.float64]],
    want: tuple[int, int, float, float, int],
) -> tuple[int, NDArray[np.int64]]:
    """Find the cheapest k grids that hold every unit once, depth first and within a bound.

    Parameters
    ----------
    grids
        Sorted by lowest unit, then by reduced cost.
    reduced
        float64: reduced cost of each.
    edges
        int64 (n + 1,): first grid of each lowest unit.
    compounds
        Allowed pieces and price of one more, by compound. The costs hold a price for every piece.
    want
        k, grids out of the band, sum of the unit prices, cost to be below, most steps.

    Returns
    -------
    1 and the grids' positions; 0: there is none; 2: not finished, with the best found, if any.
    """
    masks, outside = grids[0], grids[2]
    k, out, base, below, most_steps = want
    n = len(edges) - 1
    least = np.full(n, 1e300)
    for u in range(n):
        if edges[u] < edges[u + 1]:
            least[u] = reduced[edges[u]]
    # What so many grids cost at least: no two have the same lowest unit.
    ahead = np.append(np.zeros(1), np.cumsum(np.sort(least)))
    at, pick = np.zeros(k, np.int64), np.zeros(k, np.int64)
    left = np.zeros(k + 1, np.uint64)
    spent, outs = np.full(k + 1, base), np.zeros(k + 1, np.int64)
    for u in range(n):
        left[0] |= ONE << np.uint64(u)
    chosen = np.full(k, -1, np.int64)
    best, found, steps, depth = below, 0, 0, 0
    end = np.zeros(k, np.int64)
    end[0] = edges[1]
    while depth >= 0:
        i = at[depth]
        if i >= end[depth] or spent[depth] + reduced[i] + ahead[k - depth - 1] >= best:
            depth -= 1
            continue
        at[depth] += 1
        steps += 1
        if steps > most_steps:
            return GAVE_UP, chosen
        if masks[i] & ~left[depth] != NONE or outs[depth] + outside[i] > out:
            continue
        pick[depth] = i
        rest = left[depth] & ~masks[i]
        if depth == k - 1:
            value = _price(grids, compounds, pick) if rest == NONE else 1e300
            if value < best - 1e-9:
                best, found = value, 1
                chosen[:] = pick
            continue
        if rest == NONE:
            continue
        depth += 1
        left[depth] = rest
        spent[depth] = spent[depth - 1] + reduced[i]
        outs[depth] = outs[depth - 1] + outside[i]
        u = _index(rest & (~rest + ONE))
        at[depth], end[depth] = edges[u], edges[u + 1]
    return found, chosen
