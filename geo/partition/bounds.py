"""What no plan can beat: lower bounds on grids out of the band, found without looking at the map.

Contiguity is left out, so a bound holds for every division into the same number of grids. The bound is the
linear relaxation of arc-flow bin packing (Valério de Carvalho 1999): a grid in the band is a path from 0 to a
load within the band whose steps are units, and no unit is used more often than it exists.
"""

from __future__ import annotations

from heapq import heapreplace
from typing import TYPE_CHECKING

import numpy as np
from scipy.optimize import linprog
from scipy.sparse import coo_array, csr_array, vstack

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

LARGEST_MODEL = 200_000
"""Steps in the model above which only the units that are too large by themselves are counted."""


def fewest_outside(loads: NDArray[np.float64], count: int, low: float, high: float) -> int:
    """Return a number of grids that are outside [low, high] in every division into `count` grids.

    Units above `high` count one grid each: putting two of them together is not a better plan.

    Parameters
    ----------
    loads
        Whole numbers, shape (n,): households or persons per unit; zeros do not matter.
    count
        Number of grids, each with load.
    low, high
        The band, 0 < low <= high.
    """
    giants = int((loads > high).sum())
    values, copies = np.unique(loads[(loads > 0) & (loads <= high)].astype(np.int64), return_counts=True)
    if count <= 0:
        return 0
    if len(values) == 0:
        return count
    if int(high) * len(values) > LARGEST_MODEL:
        return min(giants, count)
    first, last = int(np.ceil(low)), int(np.floor(high))
    if giants < count and _packs(np.repeat(values, copies), count - giants, first, last):
        return giants
    flow = _most_paths(values, copies, first, last)
    inside = min(flow, max(count - giants, 0))
    if inside == count and not _all_fit(values, copies, count, (first, last)):
        inside -= 1
    return count - inside


def most_inside(
    loads: NDArray[np.float64], counts: Sequence[int], low: int, high: int, *, hard: float
) -> dict[int, int]:
    """Return, for each number of grids, how many of them can lie within [low, high] at most.

    Parameters
    ----------
    loads
        Whole numbers, shape (n,).
    counts
        Numbers of grids.
    low, high
        The band, 0 < low <= high.
    hard
        Two units above `high` are taken to need two grids only when they exceed this together.
    """
    small = loads[(loads > 0) & (loads <= high)].astype(np.int64)
    large = np.sort(loads[loads > high])
    apart = len(large)
    if apart > 1 and large[0] + large[1] <= hard:
        apart = 1
    values, copies = np.unique(small, return_counts=True)
    total = int(small.sum())
    inside: dict[int, int] = {}
    flow: int | None = None
    for count in counts:
        most = max(0, min(count - apart, total // low, len(small)))
        if most == count and total > count * high:
            most -= 1
        if most > 0 and not _packs(np.repeat(values, copies), most, low, high, rest=most < count):
            if flow is None and high * len(values) <= LARGEST_MODEL:
                flow = _most_paths(values, copies, low, high)
            most = most if flow is None else min(most, flow)
        inside[count] = most
    return inside


def _packs(values: NDArray[np.int64], count: int, first: int, last: int, *, rest: bool = False) -> bool:
    """Return True when a quick packing, the largest into the emptiest, puts `count` grids into the band.

    With `rest` there is one more grid, of any load, for what does not fit.
    """
    grids = [0] * count
    for value in values[::-1].tolist():
        if grids[0] + value <= last or not rest:
            heapreplace(grids, grids[0] + value)
    return grids[0] >= first and max(grids) <= last


def _arcs(
    values: NDArray[np.int64], last: int
) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]:
    """Return tail, head and value number of every step between loads 0..last that paths from 0 can reach."""
    reached = np.zeros(last + 1, bool)
    reached[0] = True
    for load in range(last + 1):
        if reached[load]:
            heads = load + values
            reached[heads[heads <= last]] = True
    tails = np.repeat(np.flatnonzero(reached), len(values))
    number = np.tile(np.arange(len(values)), int(reached.sum()))
    heads = tails + values[number]
    keep = heads <= last
    return tails[keep], heads[keep], number[keep]


def _model(
    values: NDArray[np.int64], first: int, last: int
) -> tuple[csr_array, csr_array, NDArray[np.float64]]:
    """Return flow conservation (inner loads), use of each value, and the objective (minus paths)."""
    tails, heads, number = _arcs(values, last)
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


def _most_paths(values: NDArray[np.int64], copies: NDArray[np.int64], first: int, last: int) -> int:
    balance, use, objective = _model(values, first, last)
    answer = linprog(  # type: ignore[call-overload]
        objective, A_ub=use, b_ub=copies, A_eq=balance, b_eq=np.zeros(balance.shape[0]), method="highs"
    )
    if answer.status != 0:
        return int(copies.sum())
    return int(np.floor(-answer.fun + 1e-6))


def _all_fit(values: NDArray[np.int64], copies: NDArray[np.int64], count: int, band: tuple[int, int]) -> bool:
    """Return False when `count` grids in the band provably cannot use up every unit."""
    balance, use, objective = _model(values, *band)
    equal = vstack([balance, use, csr_array(objective[None, :])])
    right = np.concatenate([np.zeros(balance.shape[0]), copies, [-float(count)]])
    answer = linprog(np.zeros(len(objective)), A_eq=equal, b_eq=right, method="highs")  # type: ignore[call-overload]
    return bool(answer.status != 2)
