"""Choose p sites that save most: greedy at once, then interchange, bound, and the exact rest."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Literal

import numpy as np

from geo.siting.bound import everything, lagrangian, least_better
from geo.siting.exact import best_of_few
from geo.siting.kernels import surplus
from geo.siting.search import greedy, interchange, total_saving

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from geo.siting.bound import Bounded
    from geo.siting.rows import SparseRows
    from geo.siting.stopwatch import Stopwatch

CORE = 100
"""Candidates of the small programme that looks for a better answer before the last one proves it."""

CORE_TIME = 0.25
"""Share of the time left that it gets; without a clock the time left never falls, so the last one gets the rest."""

Stage = Literal["greedy", "search", "bound", "exact"]


@dataclass(frozen=True)
class Choice:
    """An answer on its way to the proof.

    Attributes
    ----------
    stage
        What has been done so far; after ``"bound"`` an answer may already be proved, and then it is the last.
    chosen
        int32, rows of the candidates, ascending.
    value
        What it is worth: savings, or for the least number of sites that number.
    bound
        No answer is better than this.
    proved
        The answer is best.
    """

    stage: Stage
    chosen: NDArray[np.int32]
    value: float
    bound: float
    proved: bool


def choose_sites(savings: SparseRows, p: int, *, unit: float, stopwatch: Stopwatch) -> Iterator[Choice]:
    """Yield better and better answers to "open at most `p` candidates so that most is saved"; the last is final.

    Parameters
    ----------
    savings
        float64 multiples of `unit`, above zero.
    unit
        Answers that differ at all differ by this much.
    stopwatch
        When its limit is reached the answer stands as it is; the integer programmes get what is left.
    """
    with stopwatch("greedy"):
        chosen = np.sort(greedy(savings, p))
        saved, most = total_saving(savings, chosen), everything(savings)
    yield _stated("greedy", chosen, saved, most, unit)
    if most < least_better(saved, unit):
        return
    with stopwatch("search"):
        chosen = interchange(savings, chosen, over=stopwatch.over)
        saved = total_saving(savings, chosen)
    yield _stated("search", chosen, saved, most, unit)
    if most < least_better(saved, unit):
        return
    with stopwatch("bound"):
        bounded = lagrangian(savings, p, chosen, unit=unit, over=stopwatch.over)
    yield _stated("bound", bounded.best, bounded.saved, bounded.upper, unit)
    if stopwatch.over() or bounded.upper < least_better(bounded.saved, unit):
        return
    with stopwatch("core"):
        bounded = _with_core(savings, p, bounded, unit=unit, stopwatch=stopwatch)
    with stopwatch("exact"):
        last = _finish(savings, p, bounded, unit=unit, time_limit_s=stopwatch.left * (1 - CORE_TIME))
    yield last


def _stated(stage: Stage, chosen: NDArray[np.int32], saved: float, upper: float, unit: float) -> Choice:
    proved = upper < least_better(saved, unit)
    return Choice(stage, chosen, saved, saved if proved else upper, proved)


def _with_core(
    savings: SparseRows, p: int, bounded: Bounded, *, unit: float, stopwatch: Stopwatch
) -> Bounded:
    """Look for a better answer among the candidates that the prices favour; it rules out more of the others."""
    free = bounded.free_rows
    if len(free) <= CORE:
        return bounded
    earned = surplus(savings.indptr, savings.column, savings.value, bounded.price)[free]
    core = np.sort(free[np.argsort(-earned, kind="stable")[:CORE]])
    found = _finish(
        savings, p, replace(bounded, free_rows=core), unit=unit, time_limit_s=stopwatch.left * CORE_TIME
    )
    if found.value <= bounded.saved:
        return bounded
    chosen = interchange(savings, found.chosen, over=stopwatch.over)
    tighter = lagrangian(savings, p, chosen, unit=unit, price=bounded.price, over=stopwatch.over)
    return replace(tighter, upper=min(tighter.upper, bounded.upper))


def _finish(savings: SparseRows, p: int, bounded: Bounded, *, unit: float, time_limit_s: float) -> Choice:
    """Decide on the candidates that the bound left free, the ones it fixed being open."""
    floor = np.zeros(savings.n_columns)
    fixed = savings.rows_at(bounded.open_rows)
    np.maximum.at(floor, fixed.column, fixed.value)
    rest = savings.rows_at(bounded.free_rows)
    rest = rest.with_value(rest.value - floor[rest.column])
    rest = rest.pairs_where(rest.value > 0)
    found, upper = best_of_few(rest, p - len(bounded.open_rows), time_limit_s=time_limit_s)
    chosen, saved = bounded.best, bounded.saved
    if found is not None:
        answer = np.sort(np.append(bounded.open_rows, bounded.free_rows[found]))
        worth = total_saving(savings, answer)
        if worth > saved:
            chosen, saved = answer, worth
    # Whatever opens a candidate that was ruled out saves no more than the best known answer.
    upper = max(min(float(floor.sum()) + upper, bounded.upper), saved)
    return _stated("exact", chosen, saved, upper, unit)
