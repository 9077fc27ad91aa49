"""Solve every connected part, over any executor, and put the answers together."""

from __future__ import annotations

from concurrent.futures import FIRST_COMPLETED, wait
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

from geo.errors import CancelledError, InfeasibleError
from geo.partition.given import check_pins, pinned_apart, settle, with_counts
from geo.partition.problem import build_problems
from geo.partition.reasons import assemble
from geo.partition.search import budget_for, solve, solve_from
from geo.partition.warm import PinnedApartError
from geo.partition.weights import Weights
from geo.types import never_cancel, no_progress

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from concurrent.futures import Executor, Future

    import numpy as np
    from numpy.typing import NDArray

    from geo.partition.problem import Problem
    from geo.partition.reasons import Answer, Partition
    from geo.partition.search import Budget, Effort
    from geo.standards import Standard
    from geo.types import CancelCheck, Progress
    from geo.units import Units


class _Task(NamedTuple):
    """One part, with the division to begin from where there is one."""

    problem: Problem
    start: NDArray[np.int32] | None
    budget: Budget
    seed: int


def partition(  # noqa: PLR0913 - each keyword is one thing a caller may fix
    units: Units,
    standard: Standard,
    *,
    seed: int = 0,
    effort: Effort | float = "normal",
    weights: Weights | None = None,
    start: NDArray[np.integer[Any]] | None = None,
    frozen: NDArray[np.bool_] | None = None,
    pinned: NDArray[np.bool_] | None = None,
    counts: Mapping[int, int] | None = None,
    origin: NDArray[np.integer[Any]] | None = None,
    on_cancel: Literal["raise", "keep"] = "raise",
    executor: Executor | None = None,
    progress: Progress = no_progress,
    cancelled: CancelCheck = never_cancel,
) -> Partition:
    """Divide every community into connected grids of about the standard's size.

    Parts of a community that do not touch get grids of their own. A part without households becomes one empty
    grid; no other grid is ever empty.

    Parameters
    ----------
    units
        All units of the city with their adjacency.
    standard
        Target, band and measure.
    seed
        Any integer; equal input and seed give an equal result for any executor and number of workers.
    effort
        ``"fast"``, ``"normal"``, ``"best"`` or a factor of the normal number of proposals, above 0.
    weights
        What the objective pays for each aim.
    start
        Shape (units,): grid of each unit in an existing division, -1 for none. The search begins from it, mended
        where a grid is in pieces or crosses communities, and not from random divisions.
    frozen
        Shape (units,): units that take no part. Their grids of `start` come out as they are.
    pinned
        Shape (units,): units that keep their grid of `start`, which others may join or leave.
    counts
        Number of grids by position of the community, settled ones not counted; chosen within the band where it is
        not given.
    origin
        Shape (units,): old division whose moved load costs `Weights.moved`, -1 for none; `start` by default.
    on_cancel
        ``"keep"``: a fast division of every part is made first, and when `cancelled` returns True the best so far
        is the answer: parts the search had finished as they are, the others divided fast.
    executor
        Any `concurrent.futures.Executor`; None computes in the calling thread.
    progress
        Called with stage ``"partition"`` and units done, of all units.
    cancelled
        Looked at several times a second.

    Returns
    -------
    Partition
        Grids numbered by community, then by their smallest unit.

    Raises
    ------
    InfeasibleError
        When what is given cannot be kept: see `geo.partition.given`; ``pinned-apart``: no free unit connects
        units pinned to one grid.
    CancelledError
        When `cancelled` returned True and nothing is kept. Tasks that are running in other workers end by
        themselves.
    """
    weights = Weights() if weights is None else weights
    given = settle(units, standard, start=start, frozen=frozen, pinned=pinned, origin=origin)
    problems = build_problems(
        units,
        standard,
        weights,
        frozen=given.settled.grid >= 0,
        pinned=given.pinned,
        origin=given.start if given.origin is None else given.origin,
    )
    check_pins(problems, given)
    problems = with_counts(problems, counts, given)
    budget = budget_for(effort)
    tasks = [_Task(p, None if given.start is None else given.start[p.rows], budget, seed) for p in problems]
    done = int((given.settled.grid >= 0).sum())
    answers: dict[int, Answer] = {}
    if on_cancel == "keep":
        quick = [task._replace(budget=budget_for("fast")) for task in tasks]
        answers.update(_steps(quick, executor, never_cancel))
    progress("partition", done, units.n)
    try:
        for index, answer in _steps(tasks, executor, cancelled):
            answers[index] = answer
            done += len(answer.labels)
            progress("partition", done, units.n)
    except CancelledError:
        if on_cancel == "raise":
            raise
        # Its workers may be busy for a while with what they have begun.
        executor = None
    found = [answers[i] for i in range(len(problems))]
    return assemble(
        units, standard, problems, found, fixed=given.settled, frozen=given.frozen, executor=executor
    )


def _steps(
    tasks: Sequence[_Task], executor: Executor | None, cancelled: CancelCheck
) -> Iterator[tuple[int, Answer]]:
    return _inline(tasks, cancelled) if executor is None else _spread(tasks, executor, cancelled)


def _inline(tasks: Sequence[_Task], cancelled: CancelCheck) -> Iterator[tuple[int, Answer]]:
    for index, task in enumerate(tasks):
        if cancelled():
            raise CancelledError
        yield index, _solve(task, cancelled)


def _spread(
    tasks: Sequence[_Task], executor: Executor, cancelled: CancelCheck
) -> Iterator[tuple[int, Answer]]:
    # The largest first, so that no worker is left with a long one at the end.
    order = sorted(range(len(tasks)), key=lambda i: -len(tasks[i].problem.rows))
    waiting: dict[Future[list[Answer]], list[int]] = {}
    for batch in _batches(order, tasks):
        waiting[executor.submit(_solve_all, [tasks[i] for i in batch])] = batch
    try:
        while waiting:
            if cancelled():
                raise CancelledError
            finished, _ = wait(waiting, timeout=0.1, return_when=FIRST_COMPLETED)
            for future in finished:
                yield from zip(waiting.pop(future), future.result(), strict=True)
    finally:
        for future in waiting:
            future.cancel()


def _batches(order: list[int], tasks: Sequence[_Task]) -> Iterator[list[int]]:
    """Group small parts: a task should cost more than its way to the worker."""
    batch: list[int] = []
    size = 0
    for index in order:
        batch.append(index)
        size += len(tasks[index].problem.rows)
        if size >= 200:
            yield batch
            batch, size = [], 0
    if batch:
        yield batch


def _solve_all(tasks: Sequence[_Task]) -> list[Answer]:
    return [_solve(task, never_cancel) for task in tasks]


def _solve(task: _Task, cancelled: CancelCheck) -> Answer:
    if task.start is None:
        return solve(task.problem, task.budget, task.seed, cancelled)
    try:
        answer = solve_from(task.problem, task.start, task.budget, task.seed, cancelled)
    except PinnedApartError as fault:
        raise pinned_apart(task.problem.community, fault.grid) from fault
    count = int(answer.labels.max(initial=-1)) + 1
    if task.problem.fixed and count not in task.problem.counts:
        community, wanted = task.problem.community, task.problem.counts[0]
        raise InfeasibleError(
            "pinned-count",
            f"第{community + 1}个社区的固定单元使该部分不能有{wanted}个网格，只能有{count}个：请解锁或改网格数。",
            f"With the pinned units of community number {community + 1} this part cannot have {wanted} grids, only "
            f"{count}: unlock some, or change the number.",
            community=community,
            count=count,
        )
    return answer
