"""The fewest sites that cover all demand that can be covered: reduction, greedy, bound, and the exact rest.

Location set covering (Toregas and others 1971)::

    minimise sum_j x[j]   such that   sum of x[j] over the candidates that cover i >= 1 for every demand row i
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from scipy.sparse import csr_array

from geo.siting.bound import MOMENTUM
from geo.siting.exact import MOST_PAIRS, run_highs
from geo.siting.kernels import surplus
from geo.siting.merge import undominated
from geo.siting.search import greedy
from geo.siting.sites import Choice

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from geo.siting.rows import SparseRows
    from geo.siting.stopwatch import Over, Stopwatch

ROUNDS = 300
PATIENCE = 15
WHOLE = 1e-7
"""A bound this little above a whole number is that number."""


def cover_all(cover: SparseRows, *, stopwatch: Stopwatch) -> Iterator[Choice]:
    """Yield better and better answers to "cover every demand row with the fewest candidates"; the last is final.

    Parameters
    ----------
    cover
        Candidates by demand; every demand row has a candidate.
    stopwatch
        When its limit is reached the answer stands as it is; the integer programme gets what is left.
    """
    with stopwatch("greedy"):
        chosen = _greedy_cover(cover)
    if len(chosen) <= 1:
        yield Choice("greedy", chosen, len(chosen), len(chosen), proved=True)
        return
    yield Choice("greedy", chosen, len(chosen), 1.0, proved=False)
    with stopwatch("search"):
        core = _reduce(cover, stopwatch.over)
        shorter = np.sort(np.append(core.forced, core.rows[_greedy_cover(core.cover)])).astype(np.int32)
        chosen = min(chosen, shorter, key=len)
    with stopwatch("bound"):
        lower = len(core.forced) + _lower_bound(core.cover, len(chosen) - len(core.forced), stopwatch.over)
    proved = lower >= len(chosen)
    yield Choice("bound", chosen, len(chosen), lower, proved)
    if proved or stopwatch.over():
        return
    with stopwatch("exact"):
        last = _finish(core, chosen, lower, stopwatch.left)
    yield last


@dataclass(frozen=True)
class _Core:
    """What reduction leaves: `forced` candidates, and a table whose candidates are `rows` of the original."""

    forced: NDArray[np.int32]
    rows: NDArray[np.int32]
    cover: SparseRows


def _reduce(cover: SparseRows, over: Over) -> _Core:
    """Force candidates that alone cover something; drop needless demand and candidates; until nothing changes.

    When time is over what is left stands: a table that could be reduced further has the same answers.
    """
    forced: list[NDArray[np.int32]] = []
    rows = np.arange(cover.n, dtype=np.int32)
    while cover.n_columns and not over():
        size = (cover.n, cover.n_columns)
        by_demand = cover.transposed()
        cover = cover.columns_at(undominated(by_demand, cover, tail=True))
        by_demand = cover.transposed()
        alone = np.unique(by_demand.column[by_demand.indptr[:-1][np.diff(by_demand.indptr) == 1]])
        if len(alone):
            forced.append(rows[alone])
            met = np.zeros(cover.n_columns, np.bool_)
            met[cover.rows_at(alone).column] = True
            cover = cover.columns_at(np.flatnonzero(~met))
        kept = undominated(cover, cover.transposed(), tail=False)
        rows, cover = rows[kept], cover.rows_at(kept)
        if (cover.n, cover.n_columns) == size:
            break
    return _Core(np.concatenate([np.empty(0, np.int32), *forced]), rows, cover)


def _greedy_cover(cover: SparseRows) -> NDArray[np.int32]:
    """Take the candidate that covers most of what is left, of equals the lowest; then drop what is not needed."""
    chosen = greedy(cover.with_value(np.ones(len(cover.column))), cover.n)
    count = np.bincount(cover.rows_at(chosen).column, minlength=cover.n_columns)
    kept = []
    for j in chosen.tolist():
        column, _ = cover.of(j)
        if (count[column] > 1).all():
            count[column] -= 1
        else:
            kept.append(j)
    return np.sort(np.array(kept, np.int32))


def _lower_bound(cover: SparseRows, known: int, over: Over) -> int:
    """Return a number of candidates that no cover goes below, by subgradient steps on the prices of the demand.

    ``L(u) = sum_i u[i] + sum_j min(0, 1 - sum of u[i] over the demand of j)`` for any ``u >= 0``.
    """
    if not cover.n_columns:
        return 0
    # Each demand row pays the share of its largest candidate: a feasible dual to start from.
    largest = np.zeros(cover.n_columns)
    np.maximum.at(largest, cover.column, np.diff(cover.indptr)[cover.row].astype(np.float64))
    price = 1.0 / largest
    best_price, best, factor, stale = price, 0.0, 1.0, 0
    way = nothing = np.zeros(cover.n_columns)
    for _ in range(ROUNDS):
        cost = 1.0 - surplus(cover.indptr, cover.column, price[cover.column], nothing)
        picked = np.flatnonzero(cost < 0)
        value = float(price.sum() + cost[picked].sum())
        if value > best + 1e-9:
            best, best_price, stale = value, price, 0
        else:
            stale += 1
        if np.ceil(best - WHOLE) >= known or factor < 0.005 or over():
            break
        if stale >= PATIENCE:
            factor, stale, price, way = factor / 2, 0, best_price, nothing
            continue
        slope = np.ones(cover.n_columns)
        np.subtract.at(slope, cover.rows_at(picked).column, 1.0)
        slope[(price <= 0) & (slope < 0)] = 0.0
        way = slope + MOMENTUM * way
        length = float(way @ way)
        if length == 0:
            break
        price = np.maximum(price + factor * max(known - value, 0.1) / length * way, 0.0)
    return int(np.ceil(best - WHOLE))


def _finish(core: _Core, chosen: NDArray[np.int32], lower: int, time_limit_s: float) -> Choice:
    """Solve the reduced table by integer programming; one that is too large is left as it is."""
    if len(core.cover.column) > MOST_PAIRS:
        return Choice("bound", chosen, len(chosen), lower, proved=False)
    n, m = core.cover.n, core.cover.n_columns
    ones = np.ones(len(core.cover.column))
    answer = run_highs(
        np.ones(n),
        csr_array((ones, (core.cover.column, core.cover.row)), shape=(m, n)),
        np.ones(m),
        np.full(m, np.inf),
        integral=np.ones(n, np.bool_),
        upper=np.ones(n),
        time_limit_s=time_limit_s,
    )
    if answer.x is not None:
        found = np.append(core.forced, core.rows[answer.x > 0.5]).astype(np.int32)
        chosen = min(chosen, np.sort(found), key=len)
    if np.isfinite(answer.bound):
        lower = max(lower, len(core.forced) + int(np.ceil(answer.bound - WHOLE * 10)))
    lower = min(lower, len(chosen))
    return Choice("exact", chosen, len(chosen), lower, proved=lower == len(chosen))
