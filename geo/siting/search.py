"""Choose sites fast: greedy, then interchange until no single exchange helps.

Both work on savings: opening candidate j saves ``value`` at each of its demand rows, and a demand row counts the
best saving among the open candidates. Covered households are savings that do not depend on the candidate; shorter
ways are savings that do.
"""

from __future__ import annotations

import heapq
from typing import TYPE_CHECKING

import numpy as np

from geo.siting.kernels import best_swap, surplus, two_best
from geo.siting.stopwatch import never

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from geo.siting.rows import SparseRows
    from geo.siting.stopwatch import Over


def total_saving(savings: SparseRows, chosen: NDArray[np.int32]) -> float:
    """Return what the chosen candidates save together."""
    return float(_best(savings, chosen)[0].sum())


def greedy(savings: SparseRows, p: int) -> NDArray[np.int32]:
    """Open one candidate after the other, each time the one that adds most; of equals the lowest row.

    Saves at least 63 % of the optimum (Nemhauser, Wolsey and Fisher 1978). What a candidate adds only falls as
    others open, so that an old figure is a bound and few are counted anew (Minoux 1978).

    Returns
    -------
    int32, at most `p` rows in the order of opening; fewer when nothing more can be saved.
    """
    floor = np.zeros(savings.n_columns)
    gain = surplus(savings.indptr, savings.column, savings.value, floor)
    queue = [(-float(gain[j]), j) for j in range(savings.n)]
    heapq.heapify(queue)
    chosen: list[int] = []
    while queue and len(chosen) < p:
        before, best = heapq.heappop(queue)
        if before >= 0:
            break
        column, value = savings.of(best)
        now = -float(np.maximum(value - floor[column], 0.0).sum())
        if queue and (now, best) > queue[0]:
            heapq.heappush(queue, (now, best))
            continue
        if now >= 0:
            break
        chosen.append(best)
        floor[column] = np.maximum(floor[column], value)
    return np.array(chosen, np.int32)


def interchange(savings: SparseRows, chosen: NDArray[np.int32], *, over: Over = never) -> NDArray[np.int32]:
    """Exchange one open for one closed candidate while that saves more (Teitz and Bart 1968, best first).

    Parameters
    ----------
    over
        Ends the search early when it says so.

    Returns
    -------
    int32, as many rows, ascending.
    """
    chosen = chosen.copy()
    taken = np.zeros(savings.n, np.bool_)
    taken[chosen] = True
    while len(chosen) and not over():
        first, second, which = _best(savings, chosen)
        _, opened, closed = best_swap(
            savings.indptr, savings.column, savings.value, first, second, which, taken, len(chosen)
        )
        if opened < 0:
            break
        taken[chosen[closed]], taken[opened] = False, True
        chosen[closed] = opened
    return np.sort(chosen)


def _best(
    savings: SparseRows, chosen: NDArray[np.int32]
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.int32]]:
    best: tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.int32]] = two_best(
        savings.indptr, savings.column, savings.value, chosen, savings.n_columns
    )
    return best
