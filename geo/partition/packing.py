"""How many grids of a size a heap of loads can fill, wherever its units lie: arc-flow bin packing.

A grid in the band is a path from 0 to a load within the band whose steps are units, and no unit is used more often
than it exists (Valério de Carvalho 1999). The linear relaxation bounds the number of paths from above.
"""

from __future__ import annotations

from functools import lru_cache
from heapq import heapreplace
from typing import TYPE_CHECKING

import numpy as np
from scipy.sparse import coo_array, csr_array, vstack

# Its linear programs take a fifth of a second to import, and a process that sends its parts away needs none.
# ruff: noqa: PLC0415

if TYPE_CHECKING:
    from numpy.typing import NDArray

MOST_SWAPS = 100
"""Moves and swaps of a quick packing."""

LARGEST_MODEL = 200_000
"""Steps in the model above which only sums are compared."""


def most_filled(loads: NDArray[np.int64], low: int, high: int) -> int:
    """Return a number of grids within [low, high] that no choice of some of these loads exceeds.

    Parameters
    ----------
    loads
        int64 (n,), from 1 to `high`.
    low, high
        The band, 0 < low <= high.
    """
    most = most_by_sum(loads, low)
    if most == 0 or one_by_one(loads, low, high) >= most or packs(loads, most, (low, high), spare=True):
        return most
    return min(most, _flow_bound(loads.tobytes(), low, high))


@lru_cache(maxsize=1024)
def _flow_bound(loads: bytes, low: int, high: int) -> int:
    """Solve the relaxation; the reasons of a plan and its ceilings ask the same of the same loads."""
    values, copies = np.unique(np.frombuffer(loads, np.int64), return_counts=True)
    no_bound = int(copies.sum())
    if high * len(values) > LARGEST_MODEL:
        return no_bound
    from scipy.optimize import linprog

    balance, use, objective = _model((values, copies), low, high)
    answer = linprog(  # type: ignore[call-overload]
        objective, A_ub=use, b_ub=copies, A_eq=balance, b_eq=np.zeros(balance.shape[0]), method="highs"
    )
    return no_bound if answer.status != 0 else int(np.floor(-answer.fun + 1e-6))


def most_by_sum(loads: NDArray[np.int64], low: int) -> int:
    """Return how many grids of at least `low` the sum and the number of the loads allow."""
    return min(int(loads.sum()) // low, len(loads))


def one_by_one(loads: NDArray[np.int64], low: int, high: int) -> int:
    """Return how many grids within the band a quick packing fills: the largest load, and the least beside it.

    What goes beside it is the smallest sum of other loads that reaches `low`, found with a bit for every sum.
    """
    left = np.sort(loads)[::-1].tolist()
    filled = 0
    while left:
        first = left.pop(0)
        sums = [1 << first]
        for value in left:
            sums.append(sums[-1] | (sums[-1] << value) & ((2 << high) - 1))
        reached = sums[-1] >> low
        if not reached:
            continue
        total = low + (reached & -reached).bit_length() - 1
        filled += 1
        for i in range(len(left) - 1, -1, -1):
            if not sums[i] >> total & 1:
                total -= left.pop(i)
    return filled


def all_fit(loads: NDArray[np.int64], count: int, low: int, high: int) -> bool:
    """Return False when `count` grids within [low, high] provably cannot use up all these loads."""
    if not low * count <= int(loads.sum()) <= high * count or len(loads) < count:
        return False
    return packs(loads, count, (low, high), spare=False) or _may_fit(loads.tobytes(), count, low, high)


@lru_cache(maxsize=1024)
def _may_fit(loads: bytes, count: int, low: int, high: int) -> bool:
    """Solve the relaxation."""
    values, copies = np.unique(np.frombuffer(loads, np.int64), return_counts=True)
    if high * len(values) > LARGEST_MODEL:
        return True
    from scipy.optimize import linprog

    balance, use, objective = _model((values, copies), low, high)
    equal = vstack([balance, use, csr_array(objective[None, :])])
    right = np.concatenate([np.zeros(balance.shape[0]), copies, [-float(count)]])
    answer = linprog(np.zeros(len(objective)), A_eq=equal, b_eq=right, method="highs")  # type: ignore[call-overload]
    return bool(answer.status != 2)


def packs(loads: NDArray[np.int64], count: int, band: tuple[int, int], *, spare: bool) -> bool:
    """Return True when a quick packing puts all loads, or all but some to spare, into `count` grids in the band.

    The largest goes into the emptiest grid; then loads are moved or swapped while that brings grids nearer to the
    band. False says nothing.
    """
    low, high = band
    load = np.sort(loads)[::-1]
    sums = [0] * count
    place = np.full(len(load), count)
    queue = [(0, g) for g in range(count)]
    for i, value in enumerate(load.tolist()):
        total, grid = queue[0]
        if not spare or total < low:
            heapreplace(queue, (total + value, grid))
            sums[grid], place[i] = total + value, grid
    # The last is what is to spare; without any it can hold nothing.
    total_of = np.array([*sums, 0])
    for _ in range(MOST_SWAPS):
        off = np.maximum(low - total_of[:count], 0) + np.maximum(total_of[:count] - high, 0)
        worst = int(np.argmax(off))
        if off[worst] == 0:
            return True
        if not _swap((load, place, total_of), worst, np.append(off, 0), band, spare=spare):
            return False
    return False


def _swap(
    packed: tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]],
    worst: int,
    off: NDArray[np.int64],
    band: tuple[int, int],
    *,
    spare: bool,
) -> bool:
    """Move a load from or to one grid, or swap two, as is best for the band; False when nothing is better."""
    load, place, total = packed
    count = len(total) - 1
    mine, others = np.flatnonzero(place == worst), np.flatnonzero(place != worst)
    targets = np.setdiff1d(np.arange(count + spare), [worst])
    if not len(others) and not len(targets):
        return False
    # Load number -1 is none at all: a move instead of a swap.
    give = np.append(mine, -1)
    take = np.concatenate([others, np.full(len(targets), -1)])
    where = np.concatenate([place[others], targets])
    value = np.append(load, 0)
    change = value[give][:, None] - value[take]
    here, there = total[worst] - change, total[where] + change
    far = np.maximum(band[0] - here, 0) + np.maximum(here - band[1], 0)
    beyond = np.maximum(band[0] - there, 0) + np.maximum(there - band[1], 0)
    better = far + np.where(where < count, beyond, 0) - off[worst] - off[where]
    best = int(np.argmin(better))
    i, j = divmod(best, len(take))
    if better[i, j] >= 0:
        return False
    total[worst] -= change[i, j]
    total[where[j]] += change[i, j]
    if give[i] >= 0:
        place[give[i]] = where[j]
    if take[j] >= 0:
        place[take[j]] = worst
    return True


def pieces_needed(loads: NDArray[np.int64], high: int) -> int:
    """Return how many grids of at most `high` hold these loads at least; a load above it has one of its own.

    The bound L2 of Martello and Toth (1990) for bin packing.
    """
    small = np.sort(loads[(loads > 0) & (loads <= high)])
    alone = int((loads > high).sum())
    best = 0
    for limit in [0, *np.unique(small[2 * small <= high]).tolist()]:
        large = small[small > high - limit]
        middle = small[(small <= high - limit) & (2 * small > high)]
        rest = int(small[(small >= limit) & (2 * small <= high)].sum())
        room = len(middle) * high - int(middle.sum())
        best = max(best, len(large) + len(middle) + max(0, -(-(rest - room) // high)))
    return max(1, alone + best)


def _arcs(
    values: NDArray[np.int64], copies: NDArray[np.int64], last: int
) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]:
    """Return tail, head and value number of every step between loads 0..last of paths whose steps never grow."""
    reached = np.zeros(last + 1, bool)
    reached[0] = True
    tails, number = [], []
    for v in range(len(values) - 1, -1, -1):
        value = int(values[v])
        starts = reached.copy()
        for _ in range(min(int(copies[v]), last // value)):
            before = np.count_nonzero(reached)
            reached[value:] |= reached[:-value].copy()
            if np.count_nonzero(reached) == before:
                break
            starts[: last + 1 - value] |= reached[: last + 1 - value]
        mine = np.flatnonzero(starts[: last + 1 - value])
        tails.append(mine)
        number.append(np.full(len(mine), v))
    tail, row = np.concatenate(tails), np.concatenate(number)
    return tail, tail + values[row], row


def _model(
    pieces: tuple[NDArray[np.int64], NDArray[np.int64]], first: int, last: int
) -> tuple[csr_array, csr_array, NDArray[np.float64]]:
    """Return flow conservation (inner loads), use of each value, and the objective (minus paths)."""
    values, copies = pieces
    tails, heads, number = _arcs(values, copies, last)
    arcs = len(tails)
    ends = np.arange(first, last + 1)
    columns = arcs + len(ends)
    row = np.concatenate([heads, tails, ends])
    column = np.concatenate([np.arange(arcs), np.arange(arcs), arcs + np.arange(len(ends))])
    sign = np.concatenate([np.ones(arcs), -np.ones(arcs), -np.ones(len(ends))])
    balance = csr_array(coo_array((sign, (row, column)), shape=(last + 1, columns)))[1:]
    use = csr_array(coo_array((np.ones(arcs), (number, np.arange(arcs))), shape=(len(values), columns)))
    objective = np.zeros(columns)
    objective[arcs:] = -1.0
    return balance, use, objective
