"""Search for the best division of one connected part: starts, restarts while they pay, and a last refinement."""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import product
from typing import TYPE_CHECKING, Literal

import numpy as np

from geo.errors import CancelledError
from geo.partition.above import band_of, counted, split_above
from geo.partition.anneal import anneal
from geo.partition.arrays import BEST, HIGH, VALUE, W_HARD, new_scratch, new_state, with_mean
from geo.partition.coarsen import coarsen
from geo.partition.cover import can_be_covered, cheapest_division
from geo.partition.objective import rebuild
from geo.partition.reasons import Answer
from geo.partition.trees import seed_split
from geo.partition.warm import brought_to, mended
from geo.types import never_cancel

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from geo.partition.arrays import Scratch, State, Static
    from geo.partition.problem import Problem
    from geo.types import CancelCheck

Effort = Literal["fast", "normal", "best"]

EFFORTS: dict[str, float] = {"fast": 0.06, "normal": 1.0, "best": 6.0}

PROPOSALS_PER_UNIT = 117
"""Proposals per joined unit and start at effort 1."""

SLICE = 200_000
"""Proposals between two looks at the cancel check, about a fifth of a second."""

SMALL = 40
"""Units that a part is taken to have more than it has: small parts need more proposals a unit."""

NOT_JOINED = 64
"""Units up to which empty ones are not joined for the search: it is quick enough, and misses nothing."""

SAME = 1e-6
"""Objectives that differ by less are the same division found again."""


@dataclass(frozen=True, slots=True)
class Budget:
    """How much work a part gets.

    Attributes
    ----------
    starts, small
        Most independent starts, those of each number of grids tried included; and what small parts get on top,
        divided by their number of units.
    proposals
        Per joined unit and start.
    agree
        Starts that must end at the same best objective before the search believes it.
    stubborn
        Starts on top while more grids are out of the band than units are too large, also with a grid more or less.
    heat, hot, cold, frozen
        First temperature of a start, that of every other one in a small part, that after four fifths, the last.
    resplits, chains
        Shares of the proposals that resplit two grids (of 15 units on average) or move a chain of two units.
    most_resplits
        Limit of the first when grids are small.
    refining, warm
        Proposals per unit of the last refinement, as a multiple of `proposals`, and its first temperature. A search
        from an existing division consists of this alone.
    """

    starts: int
    proposals: float
    small: int = 400
    agree: int = 2
    stubborn: int = 12
    heat: float = 5.0
    hot: float = 40.0
    cold: float = 0.2
    frozen: float = 0.02
    resplits: float = 0.06
    most_resplits: float = 0.2
    chains: float = 0.08
    refining: float = 4.0
    warm: float = 5.0


def budget_for(effort: Effort | float) -> Budget:
    """Translate an effort into starts and proposals."""
    factor = EFFORTS[effort] if isinstance(effort, str) else float(effort)
    if factor < 0.5:
        return Budget(
            starts=3, proposals=PROPOSALS_PER_UNIT * 2.4 * factor, small=0, agree=1, stubborn=0, refining=1.0
        )
    return Budget(starts=round(4 * factor**0.5), proposals=PROPOSALS_PER_UNIT * factor**0.5)


@dataclass(frozen=True, slots=True)
class Run:
    """One start: its labels, number of grids, and how good it is.

    Attributes
    ----------
    outside
        Grids out of the band; above the hard maximum one counts once for each of its units that are too large.
    excess
        Pieces too many of compounds that fit into a grid.
    above
        Grids above the hard maximum with several units with load.
    value
        Objective per grid.
    """

    labels: NDArray[np.int32]
    count: int
    outside: int = 0
    excess: int = 0
    above: int = 0
    value: float = 0.0

    @property
    def rank(self) -> tuple[int, int, int, float]:
        """The aims in falling order; lower is better."""
        return self.outside, self.excess, self.above, self.value


def solve(problem: Problem, budget: Budget, seed: int, cancelled: CancelCheck = never_cancel) -> Answer:
    """Return the best assignment found for one part.

    A very small part is solved exactly. In others every candidate number of grids gets one start, the best of them
    the others, until the best objective has been found as often as the budget wants. Parts with more grids out of
    the band than units that are too large also try the numbers of grids beside the best.
    """
    n = len(problem.rows)
    exact, proved = covered(problem, cancelled) if budget.small else (None, False)
    if exact is not None and proved:
        return Answer(parted(problem, exact, budget, seed, cancelled).labels)
    static = problem.static
    coarse, label = coarsen(static) if n > NOT_JOINED else (static, np.arange(n, dtype=np.int32))
    best = search(problem, coarse, budget, seed, cancelled)
    best = replace(best, labels=best.labels[label])
    best = refine(static, best, budget, hash_seed(seed, problem.key), cancelled)
    best = best if exact is None or best.rank < exact.rank else exact
    return Answer(parted(problem, best, budget, seed, cancelled).labels)


def parted(problem: Problem, run: Run, budget: Budget, seed: int, cancelled: CancelCheck) -> Run:
    """Divide what is above the hard maximum for want of a grid, unless the number of grids is given."""
    if problem.fixed or not run.above:
        return run
    apart = rated(problem.static, split_above(problem.static, run.labels))
    if apart.rank >= run.rank:
        return run
    key = hash_seed(seed, problem.key, apart.count)
    refined = refine(problem.static, apart, budget, key, cancelled)
    return min(apart, refined, key=lambda r: r.rank)


def covered(problem: Problem, cancelled: CancelCheck) -> tuple[Run | None, bool]:
    """Return the best division of a very small part into any number of grids, and whether that is proved."""
    static = problem.static
    if not can_be_covered(static):
        return None, False
    # Nothing that the grids could save elsewhere outweighs a grid above the hard maximum, and no number of these
    # a compound that is split.
    most = problem.span[1]
    rule = static.rule.copy()
    rule[W_HARD] *= most
    excess = np.where(static.allowed == 1, static.excess * (most * (most + 1)), static.excess)
    strict = static._replace(excess=excess, rule=rule)
    large = int((static.load > rule[HIGH]).sum())
    # The aims in falling order: fewest grids out of the band, no compound split that fits, then all the rest.
    for outside, whole in product(range(most + large + 1), (True, False)):
        found = []
        proved = True
        for k in range(problem.span[0], problem.span[1] + 1):
            if cancelled():
                raise CancelledError
            cover = cheapest_division(strict, k, outside, whole=whole)
            proved &= cover.proved
            if cover.labels is not None:
                found.append(rated(static, cover.labels))
        if found or not proved:
            return min(found, key=lambda run: run.rank, default=None), proved
    return None, False


def solve_from(
    problem: Problem,
    given: NDArray[np.int32],
    budget: Budget,
    seed: int,
    cancelled: CancelCheck = never_cancel,
) -> Answer:
    """Return the best assignment found from an existing division of one part.

    Parameters
    ----------
    problem
        The part, with its pins and old grids.
    given
        int32 (n,): grid of each unit, -1 for none.
    budget, seed, cancelled
        As in `solve`.

    Raises
    ------
    geo.partition.warm.PinnedApartError
        If units pinned to one grid cannot be connected.
    """
    static = problem.static
    label = mended(static, given)
    best: Run | None = None
    for k in problem.counts:
        begin = brought_to(static, label, k, hash_seed(seed, problem.key, k))
        count = int(begin.max()) + 1
        run = refine(static, Run(begin, count), budget, hash_seed(seed, problem.key, count), cancelled)
        if best is None or run.rank < best.rank:
            best = run
    if best is None:
        raise ValueError("a part has no number of grids to try")
    return Answer(parted(problem, best, budget, seed, cancelled).labels)


def search(problem: Problem, static: Static, budget: Budget, seed: int, cancelled: CancelCheck) -> Run:
    """Return the best of several starts on the joined units."""
    giants = int((static.load > static.rule[HIGH]).sum())
    tried: dict[int, int] = {}
    best: Run | None = None
    found, queue = 0, list(problem.counts)
    more = budget.small // len(static.load) if len(static.load) <= NOT_JOINED else 0
    for _ in range(max(budget.starts + more, len(queue))):
        if not queue and best is not None:
            if best.outside > giants:
                near = (best.count - 1, best.count + 1)
                queue = [k for k in near if problem.span[0] <= k <= problem.span[1] and k not in tried]
            queue = queue or [best.count]
        k = queue.pop(0)
        tried[k] = tried.get(k, 0) + 1
        # In a small part every other start is hot enough to walk over the steps of band and tolerance.
        heat = budget.heat if tried[k] % 2 or len(static.load) > NOT_JOINED else budget.hot
        run = start(static, k, budget, (hash_seed(seed + tried[k], problem.key, k), heat), cancelled)
        if best is not None and run.count == best.count and abs(run.value - best.value) <= SAME:
            found += 1
        elif best is None or run.rank < best.rank:
            best, found = run, 1
        if not queue and (best.count == 1 or found >= budget.agree + more // 2):
            break
    if best is None:
        raise ValueError("a part has no number of grids to try")
    for _ in range(budget.stubborn if best.count > 1 else 0):
        if best.outside <= giants:
            break
        first, last = max(best.count - 1, problem.span[0]), min(best.count + 1, problem.span[1])
        k = min(range(first, last + 1), key=lambda k: (tried.get(k, 0), k))
        tried[k] = tried.get(k, 0) + 1
        run = start(static, k, budget, (hash_seed(seed + tried[k], problem.key, k), budget.heat), cancelled)
        best = min(best, run, key=lambda r: r.rank)
    return best


def start(static: Static, k: int, budget: Budget, begin: tuple[int, float], cancelled: CancelCheck) -> Run:
    """Make one start with k grids from a seed and a first temperature."""
    static = with_mean(static, k)
    state = new_state(len(static.load), k, static)
    scratch = new_scratch(static, begin[0])
    if k > 1:
        seed_split(static, state, scratch)
        cool((static, state, scratch), budget, budget.proposals, begin[1], cancelled)
    else:
        rebuild(static, state, scratch)
        state.total[BEST] = state.total[VALUE]
    return judged(static, state)


def refine(static: Static, run: Run, budget: Budget, seed: int, cancelled: CancelCheck) -> Run:
    """Let each unit find its own place, the joined ones too."""
    static = with_mean(static, run.count)
    state = new_state(len(static.load), run.count, static)
    state.part[:] = run.labels
    state.best[:] = run.labels
    if run.count == 1:
        return rated(static, run.labels)
    bundle = (static, state, new_scratch(static, seed))
    cool(bundle, budget, budget.proposals * budget.refining, budget.warm, cancelled)
    return judged(static, state)


def rated(static: Static, labels: NDArray[np.int32]) -> Run:
    """Return a division as it is with its rank."""
    count = int(labels.max()) + 1
    static = with_mean(static, count)
    state = new_state(len(labels), count, static)
    state.part[:] = labels
    state.best[:] = labels
    rebuild(static, state, new_scratch(static, 0))
    state.total[BEST] = state.total[VALUE]
    return judged(static, state)


def cool(
    bundle: tuple[Static, State, Scratch],
    budget: Budget,
    per_unit: float,
    heat: float,
    cancelled: CancelCheck,
) -> None:
    """Anneal from `heat` down to the budget's last temperature, in slices short enough to be cancelled between."""
    static, state, scratch = bundle
    n, k = len(static.load), len(state.load)
    proposals = int(per_unit * (n + SMALL))
    slices = max(5, -(-proposals // SLICE))
    last = slices // 5
    fall = np.geomspace(heat, budget.cold, slices - last + 1)
    heats = np.concatenate([fall, np.geomspace(budget.cold, budget.frozen, last + 1)[1:]])
    # A resplit costs as much as its two grids are large: the larger the grids, the fewer of them.
    mix = (min(budget.most_resplits, budget.resplits * 15.0 * k / n), budget.chains)
    for i in range(slices):
        if cancelled():
            raise CancelledError
        share = proposals * (i + 1) // slices - proposals * i // slices
        anneal(static, state, scratch, share, (float(heats[i]), float(heats[i + 1])), mix)


def judged(static: Static, state: State) -> Run:
    """Return the best assignment of a search with its rank."""
    k = len(state.load)
    how = counted(static.load, state.best, k, band_of(static))
    meets = np.zeros((len(static.allowed), k), bool)
    mine = static.compound >= 0
    meets[static.compound[mine], state.best[mine]] = True
    fits = static.allowed == 1
    excess = int((meets[fits].sum(axis=1) - 1).sum())
    value = float(state.total[BEST]) / k
    return Run(state.best, k, int(how.outside.sum()), excess, int(how.above.sum()), value)


def hash_seed(*numbers: int) -> int:
    """Mix integers into one seed, the same in every process."""
    return int(
        np.random.SeedSequence([n & 0xFFFFFFFFFFFFFFFF for n in numbers]).generate_state(1, np.uint64)[0]
    )
