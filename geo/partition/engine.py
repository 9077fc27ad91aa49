"""Solve every connected part, over any executor, and put the answers together."""

from __future__ import annotations

from concurrent.futures import FIRST_COMPLETED, wait
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Literal

import numpy as np

from geo.errors import CancelledError
from geo.partition.arrays import BEST, HIGH, LOW, VALUE, new_scratch, new_state
from geo.partition.bounds import fewest_outside
from geo.partition.coarsen import coarsen
from geo.partition.kernel import anneal, rebuild, seed_split
from geo.partition.problem import build_problems
from geo.partition.reasons import Answer, assemble
from geo.partition.weights import Weights
from geo.types import never_cancel, no_progress

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from concurrent.futures import Executor, Future

    from numpy.typing import NDArray

    from geo.partition.arrays import Scratch, State, Static
    from geo.partition.problem import Problem
    from geo.partition.reasons import Partition
    from geo.standards import Standard
    from geo.types import CancelCheck, Progress
    from geo.units import Units

Effort = Literal["fast", "normal", "best"]

EFFORTS: dict[str, float] = {"fast": 0.06, "normal": 1.0, "best": 6.0}

PROPOSALS_PER_UNIT = 1600
"""Proposals per unit at effort 1, all starts together."""

SLICE = 200_000
"""Proposals between two looks at the cancel check, about a fifth of a second."""


@dataclass(frozen=True, slots=True)
class Plan:
    """How much work a part gets.

    Attributes
    ----------
    starts
        Independent starts per number of grids tried.
    proposals
        Per unit and start.
    heat
        First and last temperature.
    extra
        Further starts for parts with more grids out of the band than need be.
    heat, hot, cold
        Temperature at the beginning of a start, of a further start, and at the end.
    resplits, chains
        Shares of the proposals that resplit two grids (of 15 units on average) or move a chain of two units.
    most_resplits
        Limit of the first when grids are small.
    refining, warm
        Proposals of the last refinement, as a share of `proposals`, and its first temperature.
    """

    starts: int
    proposals: float
    extra: int = 0
    heat: float = 1.0
    hot: float = 3.0
    cold: float = 0.04
    resplits: float = 0.06
    most_resplits: float = 0.2
    chains: float = 0.08
    refining: float = 1.0
    warm: float = 0.5


def plan_for(effort: Effort | float) -> Plan:
    """Translate an effort into starts and proposals."""
    factor = EFFORTS[effort] if isinstance(effort, str) else float(effort)
    starts = 1 if factor < 0.5 else min(8, 1 + round(factor))
    # About starts + 2 runs on joined units, and one refinement on all.
    per_unit = PROPOSALS_PER_UNIT * factor / (starts + 2)
    return Plan(starts, per_unit, extra=2 if factor < 0.5 else 4 * starts)


def partition(
    units: Units,
    standard: Standard,
    *,
    seed: int = 0,
    effort: Effort | float = "normal",
    weights: Weights | None = None,
    executor: Executor | None = None,
    progress: Progress = no_progress,
    cancelled: CancelCheck = never_cancel,
) -> Partition:
    """Divide every community into connected grids of about the standard's size.

    Parts of a community that do not touch get grids of their own. A part without households becomes one empty
    grid; no other grid is ever empty. The main rule of the standard holds for all units.

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
    CancelledError
        When `cancelled` returned True. Tasks that are running in other workers end by themselves.
    """
    problems = build_problems(units, standard, Weights() if weights is None else weights)
    plan = plan_for(effort)
    progress("partition", 0, units.n)
    answers: dict[int, Answer] = {}
    done = 0
    if executor is None:
        steps = _inline(problems, plan, seed, cancelled)
    else:
        steps = _spread(problems, plan, seed, executor, cancelled)
    for index, answer in steps:
        answers[index] = answer
        done += len(answer.labels)
        progress("partition", done, units.n)
    return assemble(units, standard, problems, [answers[i] for i in range(len(problems))])


def _inline(
    problems: Sequence[Problem], plan: Plan, seed: int, cancelled: CancelCheck
) -> Iterator[tuple[int, Answer]]:
    for index, problem in enumerate(problems):
        _stop_if(cancelled())
        yield index, solve(problem, plan, seed, cancelled)


def _spread(
    problems: Sequence[Problem], plan: Plan, seed: int, executor: Executor, cancelled: CancelCheck
) -> Iterator[tuple[int, Answer]]:
    # The largest first, so that no worker is left with a long one at the end.
    order = sorted(range(len(problems)), key=lambda i: -len(problems[i].rows))
    waiting: dict[Future[list[Answer]], list[int]] = {}
    for batch in _batches(order, problems):
        waiting[executor.submit(_solve_all, [problems[i] for i in batch], plan, seed)] = batch
    try:
        while waiting:
            _stop_if(cancelled())
            finished, _ = wait(waiting, timeout=0.1, return_when=FIRST_COMPLETED)
            for future in finished:
                yield from zip(waiting.pop(future), future.result(), strict=True)
    finally:
        for future in waiting:
            future.cancel()


def _batches(order: list[int], problems: Sequence[Problem]) -> Iterator[list[int]]:
    """Group small parts: a task should cost more than its way to the worker."""
    batch: list[int] = []
    size = 0
    for index in order:
        batch.append(index)
        size += len(problems[index].rows)
        if size >= 200:
            yield batch
            batch, size = [], 0
    if batch:
        yield batch


def _solve_all(problems: Sequence[Problem], plan: Plan, seed: int) -> list[Answer]:
    return [solve(problem, plan, seed) for problem in problems]


def solve(problem: Problem, plan: Plan, seed: int, cancelled: CancelCheck = never_cancel) -> Answer:
    """Return the best assignment found for one part.

    Every candidate number of grids gets one start, the best of them the others. Parts that still have more grids
    out of the band than a simple bound says get extra starts.
    """
    coarse, label = coarsen(problem.static)

    def run(k: int, number: int, heat: float) -> _Run:
        return _run(coarse, k, plan, (hash_seed(seed + number, problem.key, k), heat), cancelled)

    best = min((run(k, 0, plan.heat) for k in problem.counts), key=_rank)
    if best.count > 1:
        best = min(
            [best, *(run(best.count, number, plan.heat) for number in range(1, plan.starts))], key=_rank
        )
    tried = set(problem.counts)
    for number in range(plan.starts, plan.starts + plan.extra):
        if best.outside <= _giants(problem) or max(problem.span) <= 1:
            break
        # First the numbers of grids beside the best one, then other starts of it.
        near = [k for k in (best.count - 1, best.count + 1) if problem.span[0] <= k <= problem.span[1]]
        k = next((k for k in near if k not in tried), best.count)
        tried.add(k)
        best = min(best, run(k, number, plan.hot), key=_rank)
    best = replace(best, labels=best.labels[label])
    best = _refine(problem.static, best, plan, hash_seed(seed, problem.key), cancelled)
    _stop_if(cancelled())
    bound = _giants(problem)
    if best.outside > bound and best.count > 1:
        low, high = float(problem.static.rule[LOW]), float(problem.static.rule[HIGH])
        bound = fewest_outside(problem.static.load, best.count, low, high)
    return Answer(best.labels, min(bound, best.outside))


def _giants(problem: Problem) -> int:
    return int((problem.static.load > problem.static.rule[HIGH]).sum())


@dataclass(frozen=True, slots=True)
class _Run:
    """One start: its labels, number of grids, grids out of the band, and objective per grid."""

    labels: NDArray[np.int32]
    count: int
    outside: int
    value: float


def _rank(run: _Run) -> tuple[int, float]:
    return run.outside, run.value


def _run(static: Static, k: int, plan: Plan, start: tuple[int, float], cancelled: CancelCheck) -> _Run:
    """Make one start with k grids from a seed and a first temperature."""
    state = new_state(len(static.load), k, static)
    scratch = new_scratch(static, start[0])
    if k > 1:
        seed_split(static, state, scratch)
        _cool((static, state, scratch), plan, plan.proposals, start[1], cancelled)
    else:
        rebuild(static, state, scratch)
        state.total[BEST] = state.total[VALUE]
    return _judged(static, state)


def _refine(static: Static, run: _Run, plan: Plan, seed: int, cancelled: CancelCheck) -> _Run:
    """Let each unit find its own place, the joined ones too."""
    if run.count == 1:
        return run
    state = new_state(len(static.load), run.count, static)
    state.part[:] = run.labels
    bundle = (static, state, new_scratch(static, seed))
    _cool(bundle, plan, plan.proposals * plan.refining, plan.warm, cancelled)
    return _judged(static, state)


def _cool(
    bundle: tuple[Static, State, Scratch], plan: Plan, per_unit: float, heat: float, cancelled: CancelCheck
) -> None:
    """Anneal from `heat` down to the plan's last temperature, in slices short enough to be cancelled between."""
    static, state, scratch = bundle
    n, k = len(static.load), len(state.load)
    proposals = int(per_unit * n)
    slices = max(1, -(-proposals // SLICE))
    heats = np.geomspace(heat, plan.cold, slices + 1)
    # A resplit costs as much as its two grids are large: the larger the grids, the fewer of them.
    mix = (min(plan.most_resplits, plan.resplits * 15.0 * k / n), plan.chains)
    for i in range(slices):
        _stop_if(cancelled())
        share = proposals * (i + 1) // slices - proposals * i // slices
        anneal(static, state, scratch, share, (float(heats[i]), float(heats[i + 1])), mix)


def _judged(static: Static, state: State) -> _Run:
    k = len(state.load)
    load = np.bincount(state.best, weights=static.load, minlength=k)
    outside = int(((load < static.rule[LOW]) | (load > static.rule[HIGH])).sum())
    return _Run(state.best, k, outside, float(state.total[BEST]) / k)


def hash_seed(*numbers: int) -> int:
    """Mix integers into one seed, the same in every process."""
    return int(
        np.random.SeedSequence([n & 0xFFFFFFFFFFFFFFFF for n in numbers]).generate_state(1, np.uint64)[0]
    )


def _stop_if(cancelled: bool) -> None:  # noqa: FBT001
    if cancelled:
        raise CancelledError
