"""Solve a siting problem: an answer at once, better ones as they are found, and the proof."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from geo.errors import GeoError
from geo.siting.answer import Siting, make_siting
from geo.siting.capacity import serve_most
from geo.siting.covering import cover_all
from geo.siting.merge import merge_demand
from geo.siting.problem import UNIT_M, SitingProblem
from geo.siting.rows import SparseRows, sparse_rows
from geo.siting.sites import Choice, choose_sites
from geo.siting.stopwatch import Stopwatch

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

TIME_LIMIT_S = 60.0
"""Seconds that a siting may take; by then most problems are proved."""


def solve(
    problem: SitingProblem,
    *,
    time_limit_s: float = TIME_LIMIT_S,
    clock: Callable[[], float] | None = None,
) -> Siting:
    """Return the last and best of `answers`."""
    for answer in answers(problem, time_limit_s=time_limit_s, clock=clock):
        last = answer
    return last


def answers(
    problem: SitingProblem,
    *,
    time_limit_s: float = TIME_LIMIT_S,
    clock: Callable[[], float] | None = None,
) -> Iterator[Siting]:
    """Yield the greedy answer at once, then better ones; the last is proved, or says its gap.

    The same problem gives the same answers, except where the time limit cuts the work short.

    Parameters
    ----------
    problem
        Checked when it was made.
    time_limit_s
        Seconds from the start, by `clock`; every stage ends there and the answer so far stands with its gap. The
        steps between two looks at the clock take a few seconds on the largest problems. Without a clock it limits
        the integer programmes alone; all else ends by numbers of steps.
    clock
        Returns seconds; fills `Siting.seconds`, and makes the limit count from the start.

    Raises
    ------
    GeoError
        ``siting-time-limit``: the limit is not above 0.
    """
    if not time_limit_s > 0:
        raise GeoError(
            "siting-time-limit",
            f"求解时限应大于 0 秒，当前为 {time_limit_s}。",
            f"The time limit must be above 0 seconds; it is {time_limit_s}.",
        )
    stopwatch = Stopwatch(clock, time_limit_s)
    if problem.capacity is not None:
        for choice, flow in serve_most(problem, stopwatch):
            yield make_siting(problem, choice, stopwatch.seconds, flow=flow)
        return
    choices = {"lscp": _lscp, "mclp": _mclp, "pmedian": _pmedian}[problem.model]
    for choice in choices(problem, stopwatch):
        yield make_siting(problem, choice, stopwatch.seconds)


def _lscp(problem: SitingProblem, stopwatch: Stopwatch) -> Iterator[Choice]:
    with stopwatch("reduce"):
        cover, _, _ = merge_demand(problem.reach, problem.wanting.astype(np.float64))
    yield from cover_all(cover, stopwatch=stopwatch)


def _mclp(problem: SitingProblem, stopwatch: Stopwatch) -> Iterator[Choice]:
    with stopwatch("reduce"):
        cover, weight, _ = merge_demand(problem.reach, problem.wanting.astype(np.float64))
        savings = cover.with_value(weight[cover.column])
    yield from choose_sites(savings, problem.p, unit=1.0, stopwatch=stopwatch)


def _pmedian(problem: SitingProblem, stopwatch: Stopwatch) -> Iterator[Choice]:
    with stopwatch("reduce"):
        savings, cost = _saved_ways(problem)
    for choice in choose_sites(savings, problem.p, unit=1.0, stopwatch=stopwatch):
        yield replace(choice, value=(cost - choice.value) * UNIT_M, bound=(cost - choice.bound) * UNIT_M)


def _saved_ways(problem: SitingProblem) -> tuple[SparseRows, float]:
    """Return what each candidate saves at each pair against today's way, and today's sum, household `UNIT_M`."""
    n, k = problem.weight.shape
    today = np.round(np.minimum(problem.existing_m, problem.penalty) / UNIT_M)
    way = np.round(problem.reach.value / UNIT_M)
    row, column, value = [], [], []
    for category in range(k):
        saved = problem.weight[problem.reach.column, category] * (today[problem.reach.column, category] - way)
        some = saved > 0
        row.append(problem.reach.row[some])
        column.append(problem.reach.column[some].astype(np.int64) + category * n)
        value.append(saved[some])
    table = sparse_rows(
        np.concatenate(row), np.concatenate(column), np.concatenate(value), (problem.reach.n, n * k)
    )
    used = np.unique(table.column)
    return table.columns_at(used), float((problem.weight * today).sum())
