"""The exact answer on the candidates that the bound has left: a small integer programme for HiGHS."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from scipy.optimize import Bounds, LinearConstraint, milp
from scipy.sparse import csr_array

from geo.siting.merge import groups_of_equal
from geo.siting.rows import SparseRows

if TYPE_CHECKING:
    from numpy.typing import NDArray

MOST_PAIRS = 2_000_000
"""A programme with more coefficients is not built: it would fill the memory and not finish."""


@dataclass(frozen=True)
class Programme:
    """What HiGHS answered.

    Attributes
    ----------
    x
        float64, shape (variables,), or None when it found nothing in time.
    bound
        No solution has a lower cost; -inf when nothing is known.
    optimal
        `x` is proved.
    """

    x: NDArray[np.float64] | None
    bound: float
    optimal: bool


def run_highs(
    cost: NDArray[np.float64],
    rows: csr_array,
    low: NDArray[np.float64],
    high: NDArray[np.float64],
    *,
    integral: NDArray[np.bool_],
    upper: NDArray[np.float64],
    time_limit_s: float,
) -> Programme:
    """Minimise ``cost @ x`` with ``low <= rows @ x <= high``, ``0 <= x <= upper``, some of x whole numbers."""
    answer = milp(
        cost,
        integrality=integral.astype(np.int8),
        bounds=Bounds(np.zeros(len(cost)), upper),
        constraints=LinearConstraint(rows, low, high),
        options={"time_limit": max(time_limit_s, 0.01), "mip_rel_gap": 0.0},
    )
    bound = answer.mip_dual_bound
    return Programme(
        x=None if answer.x is None else np.asarray(answer.x, np.float64),
        bound=-np.inf if bound is None else float(bound),
        optimal=answer.status == 0,
    )


@dataclass(frozen=True)
class Levels:
    """Savings as covering: level k of a demand row is saved as soon as one of its candidates is open.

    Attributes
    ----------
    sets
        Levels by candidate, all different, each of two candidates or more.
    worth
        float64, shape (levels,).
    alone
        float64, shape (candidates,): worth of the levels that only this candidate saves.
    """

    sets: SparseRows
    worth: NDArray[np.float64]
    alone: NDArray[np.float64]


def levels_of(savings: SparseRows) -> Levels | None:
    """Write savings by distance as covering (Cornuejols, Nemhauser and Wolsey 1980, the radius formulation).

    A demand row with the distinct savings ``v1 > v2 > … > vk`` becomes k levels: level t is worth ``vt - v(t+1)``
    and is saved by every candidate that saves at least ``vt``. Savings that do not depend on the candidate give one
    level: plain covering. None when the levels would hold more than `MOST_PAIRS` pairs.
    """
    owner, place = savings.column, savings.row
    order = np.lexsort((place, -savings.value, owner))
    owner, place, value = owner[order], place[order], savings.value[order]
    kept = value > 0
    owner, place, value = owner[kept], place[kept], value[kept]
    n = len(owner)
    following = np.append(np.where(owner[1:] == owner[:-1], value[1:], 0.0), 0.0)[:n]
    ends = np.flatnonzero(value > following)
    starts = np.searchsorted(owner, owner[ends])
    lengths = ends - starts + 1
    if lengths.sum() > MOST_PAIRS:
        return None
    indptr = np.concatenate([[0], np.cumsum(lengths)])
    taken = np.arange(indptr[-1]) + np.repeat(starts - indptr[:-1], lengths)
    level = np.repeat(np.arange(len(ends)), lengths)
    member = place[taken]
    sort = np.lexsort((member, level))
    sets = SparseRows(indptr, member[sort].astype(np.int32), np.ones(len(member)), savings.n)
    worth: NDArray[np.float64] = (value - following)[ends]
    single = lengths == 1
    alone = np.bincount(sets.column[indptr[:-1][single]], weights=worth[single], minlength=savings.n)
    many = np.flatnonzero(lengths > 1)
    first, group = groups_of_equal(sets.rows_at(many))
    merged = np.bincount(group, weights=worth[many], minlength=len(first))
    return Levels(sets.rows_at(many[first]), merged.astype(np.float64), alone.astype(np.float64))


def best_of_few(
    savings: SparseRows, p: int, *, time_limit_s: float
) -> tuple[NDArray[np.int32] | None, float]:
    """Choose at most `p` candidates that save most, by integer programming.

    Maximise ``sum_l worth[l] z[l] + sum_j alone[j] x[j]`` with ``z[l] <= sum of x[j] over the candidates of level
    l``, ``sum_j x[j] <= p``, x 0 or 1, ``0 <= z <= 1``.

    Returns
    -------
    Chosen rows (int32, ascending; None when there is no answer in time) and an upper bound of the savings (inf when
    there is none).
    """
    if not savings.n or p < 1:
        return np.empty(0, np.int32), 0.0
    levels = levels_of(savings)
    if levels is None:
        return None, np.inf
    n, m = savings.n, levels.sets.n
    scale = max(float(levels.worth.sum() + levels.alone.sum()), 1.0) / 1e4
    pairs = len(levels.sets.column)
    rows = csr_array(
        (
            np.concatenate([np.full(pairs, -1.0), np.ones(m), np.ones(n)]),
            (
                np.concatenate([levels.sets.row, np.arange(m), np.full(n, m)]),
                np.concatenate([levels.sets.column, n + np.arange(m), np.arange(n)]),
            ),
        ),
        shape=(m + 1, n + m),
    )
    answer = run_highs(
        -np.concatenate([levels.alone, levels.worth]) / scale,
        rows,
        np.full(m + 1, -np.inf),
        np.append(np.zeros(m), float(p)),
        integral=np.arange(n + m) < n,
        upper=np.ones(n + m),
        time_limit_s=time_limit_s,
    )
    chosen = None if answer.x is None else np.flatnonzero(answer.x[:n] > 0.5).astype(np.int32)
    return chosen, -answer.bound * scale
