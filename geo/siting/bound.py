"""An upper bound on what p candidates can save, and the candidates that it rules out.

Relax "a demand row counts one saving" with a price ``u[i] >= 0`` per demand row (Cornuejols, Fisher and Nemhauser
1977)::

    L(u) = sum_i u[i] + sum of the p largest s[j],     s[j] = sum_i max(0, v[j, i] - u[i])

``L(u)`` is at least the optimum for every u, and its least value equals the linear programme's. It is brought down
by subgradient steps. The reduced costs then rule candidates out: with q the p-th largest s, an answer that opens j
saves at most ``L - q + s[j]``; where that does not beat the best known answer, j can go.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from geo.siting.kernels import surplus
from geo.siting.search import interchange, total_saving
from geo.siting.stopwatch import never

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from geo.siting.rows import SparseRows
    from geo.siting.stopwatch import Over

ROUNDS = 400
"""Subgradient steps at most."""

PATIENCE = 12
"""Steps without a lower bound after which the step length is halved."""

MOMENTUM = 0.9
"""Share of the last way that a step keeps: without it the steps zigzag."""

SHORTEST = 0.01
"""Step length factor at which the descent ends."""

SHRINK_EVERY = 10

CHECK_EVERY = 40

LEAST_GAIN = 0.05
"""Share of the gap by which the bound must come down from check to check."""

TRY_EVERY = 20
"""Every so many steps the candidates that the prices favour are tried as an answer."""

SLACK = 1e-9
"""Answers that differ by less than this share of their value count as equal: sums of floats round."""


@dataclass(frozen=True)
class Bounded:
    """What is left to decide after the bound.

    Attributes
    ----------
    upper
        No p candidates save more.
    best
        int32: best known answer, rows of the savings the bound was asked for, ascending.
    saved
        What it saves.
    open_rows
        int32: rows that are in every better answer.
    free_rows
        int32: rows that may be in a better answer; all others are not.
    price
        float64, shape (demand,): prices of the lowest bound.
    """

    upper: float
    best: NDArray[np.int32]
    saved: float
    open_rows: NDArray[np.int32]
    free_rows: NDArray[np.int32]
    price: NDArray[np.float64]


def everything(savings: SparseRows) -> float:
    """Return what all candidates together save."""
    best = np.zeros(savings.n_columns)
    np.maximum.at(best, savings.column, savings.value)
    return float(best.sum())


def least_better(saved: float, unit: float) -> float:
    """Return what an answer must save to be better than one that saves `saved`; a bound below it is a proof."""
    return saved + max(unit * (1 - 1e-6), SLACK * saved)


def lagrangian(
    savings: SparseRows,
    p: int,
    best: NDArray[np.int32],
    *,
    unit: float,
    price: NDArray[np.float64] | None = None,
    rounds: int = ROUNDS,
    over: Over = never,
) -> Bounded:
    """Bound the savings of `p` candidates from above and drop candidates that no better answer opens.

    Parameters
    ----------
    savings
        float64 multiples of `unit`.
    best
        int32: a known answer of at most `p` rows.
    unit
        Two answers differ by at least this or not at all: an answer is better only if it saves that much more.
    price
        float64, shape (demand,): prices to start from, e.g. of an earlier bound; default what `best` saves.
    over
        Ends the descent early when it says so, after one step at least.
    """
    descent = _Descent(savings, p, best, unit, over)
    if price is not None:
        descent.price = descent.low_price = price
        descent.shrink()
    for step in range(rounds):
        if descent.closed or descent.factor < SHORTEST:
            break
        descent.step()
        if over():
            break
        if step % TRY_EVERY == TRY_EVERY - 1:
            descent.try_favoured()
        if step % SHRINK_EVERY == SHRINK_EVERY - 1:
            descent.shrink()
        if step % CHECK_EVERY == CHECK_EVERY - 1 and not descent.worth_while():
            break
    return descent.result()


class _Descent:
    """State of the subgradient steps; `rows` are the candidates still in."""

    def __init__(self, savings: SparseRows, p: int, best: NDArray[np.int32], unit: float, over: Over) -> None:
        self.all, self.p, self.unit, self.over = savings, p, unit, over
        self.rows = np.arange(savings.n, dtype=np.int32)
        self.left = savings
        self.must = np.zeros(savings.n, np.bool_)
        self.best, self.saved = np.sort(best), total_saving(savings, best)
        self.tried: set[bytes] = set()
        self.factor, self.stale = 1.0, 0
        self.upper = everything(savings)
        self.low = self.checked = np.inf
        self.price = self.low_price = self._first_price()
        self.scale = np.zeros(savings.n_columns)
        np.maximum.at(self.scale, savings.column, savings.value)
        self.scale[self.scale <= 0] = 1.0
        self.way = np.zeros(savings.n_columns)

    @property
    def target(self) -> float:
        """What an answer must save to be better."""
        return least_better(self.saved, self.unit)

    @property
    def closed(self) -> bool:
        """Whether the best known answer is proved."""
        return self.upper < self.target

    def _first_price(self) -> NDArray[np.float64]:
        """Return what the best known answer saves at each demand row: the bound of submodularity."""
        price = np.zeros(self.all.n_columns)
        for j in self.best:
            column, value = self.all.of(int(j))
            price[column] = np.maximum(price[column], value)
        return price

    def _earned(self, price: NDArray[np.float64]) -> NDArray[np.float64]:
        earned: NDArray[np.float64] = surplus(self.left.indptr, self.left.column, self.left.value, price)
        return earned

    def _favoured(self, earned: NDArray[np.float64]) -> NDArray[np.intp]:
        """Positions in `rows` of the `p` best paid candidates, those that must be in first."""
        rank = np.lexsort((-earned, ~self.must[self.rows]))
        return rank[: self.p]

    def step(self) -> None:
        """Take one subgradient step."""
        earned = self._earned(self.price)
        favoured = self._favoured(earned)
        value = float(self.price.sum() + earned[favoured].sum())
        if value < self.low:
            self.low, self.low_price, self.stale = value, self.price, 0
            self.upper = min(self.upper, value)
        else:
            self.stale += 1
            if self.stale >= PATIENCE:
                self.factor, self.stale = self.factor / 2, 0
                self.price, self.way = self.low_price, np.zeros(len(self.price))
                return
        slope = np.ones(len(self.price))
        picked = self.left.rows_at(favoured)
        paid = picked.value > self.price[picked.column]
        np.subtract.at(slope, picked.column[paid], 1.0)
        slope[(self.price <= 0) & (slope > 0)] = 0.0
        self.way = slope * self.scale + MOMENTUM * self.way
        length = float((self.way * self.way / self.scale).sum())
        if length > 0:
            stride = self.factor * max(value - self.saved, self.unit) / length
            self.price = np.clip(self.price - stride * self.way, 0.0, self.scale)

    def worth_while(self) -> bool:
        """Tell whether the bound still comes down by a fair share of what it is too high."""
        before, self.checked = self.checked, self.low
        return before - self.low > LEAST_GAIN * (self.low - self.saved)

    def try_favoured(self) -> None:
        """Take the candidates that the best prices favour as an answer, improved by interchange."""
        favoured = np.sort(self.rows[self._favoured(self._earned(self.low_price))])
        if favoured.tobytes() in self.tried:
            return
        self.tried.add(favoured.tobytes())
        answer = interchange(self.all, favoured, over=self.over)
        saved = total_saving(self.all, answer)
        if saved > self.saved:
            self.best, self.saved = answer, saved

    def shrink(self) -> None:
        """Drop candidates by reduced cost; note those that every better answer opens."""
        if self.closed:
            return
        earned = self._earned(self.low_price)
        favoured = self._favoured(earned)
        upper = float(self.low_price.sum() + earned[favoured].sum())
        inside = np.zeros(len(self.rows), np.bool_)
        inside[favoured] = True
        # Who comes in takes the place of the least favoured one that may go.
        may_go = earned[favoured][~self.must[self.rows[favoured]]]
        last = 0.0 if len(favoured) < self.p else float(may_go.min(initial=np.inf))
        following = float(earned[~inside].max()) if (~inside).any() else 0.0
        free = ~self.must[self.rows]
        swap_out = upper - earned + following < self.target
        self.must[self.rows[inside & free & swap_out]] = True
        kept = inside | (upper - last + earned >= self.target)
        if not kept.all():
            self.rows = self.rows[kept]
            self.left = self.left.rows_at(np.flatnonzero(kept))

    def result(self) -> Bounded:
        if not self.closed:
            self.shrink()
        must = self.must[self.rows]
        return Bounded(
            upper=max(self.upper, self.saved),
            best=self.best,
            saved=self.saved,
            open_rows=self.rows[must],
            free_rows=self.rows[~must],
            price=self.low_price,
        )
