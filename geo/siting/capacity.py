"""Sites that serve no more than their capacity: greedy, bound, and the exact rest.

For fixed sites the most households served are a maximum flow. The bound prices the households of each demand row
with ``0 <= u[i] <= 1``::

    L(u) = sum_i w[i] u[i] + sum of the p largest s[j],
    s[j] = the most a site earns at 1 - u[i] a household, filling its capacity with the best paid ones
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from scipy.sparse import coo_array, csr_array
from scipy.sparse.csgraph import maximum_flow

from geo.siting.bound import MOMENTUM
from geo.siting.exact import run_highs
from geo.siting.kernels import filled
from geo.siting.merge import merge_demand
from geo.siting.sites import Choice

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from geo.siting.exact import Programme
    from geo.siting.problem import SitingProblem
    from geo.siting.rows import SparseRows
    from geo.siting.stopwatch import Over, Stopwatch

ROUNDS = 200
PATIENCE = 10
MOST_PAIRS = 400_000
"""An integer programme with more pairs of site and demand does not finish: the answer then states its gap."""

HALF = 0.5
"""Households are whole: a bound less than one above an answer proves it; half of it is left to rounding."""


def serve_most(problem: SitingProblem, stopwatch: Stopwatch) -> Iterator[tuple[Choice, NDArray[np.int64]]]:
    """Yield better and better answers to the ``mclp`` with a capacity, each with who is served where.

    Returns
    -------
    The choice, its value in households, and the households of each demand row served by each chosen site, int64,
    shape (demand, sites).
    """
    capacity = float(problem.capacity or 0)
    with stopwatch("reduce"):
        cover, weight, _ = merge_demand(problem.reach, problem.wanting.astype(np.float64))
    with stopwatch("greedy"):
        chosen = _greedy(cover, weight, capacity, p=problem.p, over=stopwatch.over)
        value = _most_served(cover, weight, capacity, chosen)
    ceiling = min(float(weight.sum()), capacity * min(problem.p, cover.n))
    proved = value > ceiling - HALF
    yield _stated(problem, Choice("greedy", chosen, value, ceiling, proved))
    if proved:
        return
    with stopwatch("bound"):
        bound = _Descent(cover, weight, capacity, p=problem.p, chosen=chosen, value=value)
        bound.run(ceiling, stopwatch.over)
    proved = bound.upper < bound.value + 1 - 1e-6
    upper = bound.value if proved else bound.upper
    yield _stated(problem, Choice("bound", bound.chosen, bound.value, upper, proved))
    if proved or stopwatch.over():
        return
    with stopwatch("exact"):
        last = _finish(bound, stopwatch.left)
    yield _stated(problem, last)


def _stated(problem: SitingProblem, choice: Choice) -> tuple[Choice, NDArray[np.int64]]:
    """Hand out the households themselves, not the merged ones."""
    picked = problem.reach.rows_at(choice.chosen)
    flow = _flow(picked, problem.wanting.astype(np.float64), float(problem.capacity or 0))
    return choice, flow


def _flow(picked: SparseRows, weight: NDArray[np.float64], capacity: float) -> NDArray[np.int64]:
    """Return the households that each site serves when most are served; int64 (demand, sites)."""
    d, s = picked.n_columns, picked.n
    source, sink = d + s, d + s + 1
    most = min(capacity, float(weight.sum()))
    head = np.concatenate([np.full(d, source), picked.column, d + np.arange(s)])
    tail = np.concatenate([np.arange(d), d + picked.row, np.full(s, sink)])
    room = np.concatenate([weight, np.minimum(weight[picked.column], most), np.full(s, most)])
    graph = csr_array(coo_array((room.astype(np.int32), (head, tail)), shape=(d + s + 2, d + s + 2)))
    flow = maximum_flow(graph, source, sink).flow.tocoo()
    used = (flow.data > 0) & (flow.row < d) & (flow.col >= d) & (flow.col < d + s)
    table = np.zeros((d, s), np.int64)
    table[flow.row[used], flow.col[used] - d] = flow.data[used]
    return table


def _most_served(
    cover: SparseRows, weight: NDArray[np.float64], capacity: float, chosen: NDArray[np.int32]
) -> float:
    return float(_flow(cover.rows_at(chosen), weight, capacity).sum())


def _greedy(
    cover: SparseRows, weight: NDArray[np.float64], capacity: float, *, p: int, over: Over
) -> NDArray[np.int32]:
    """Open the site that can serve most of what is left, and let it serve first whom fewest others reach."""
    rivals = np.bincount(cover.column, minlength=cover.n_columns)
    left, row = weight.copy(), cover.row
    chosen: list[int] = []
    for _ in range(min(p, cover.n)):
        if chosen and over():
            break
        around = np.bincount(row, weights=left[cover.column], minlength=cover.n)
        around[chosen] = 0.0
        # Of sites that fill their capacity, the one with more left around it leaves others more to choose from.
        best = int(np.lexsort((-around, -np.minimum(around, capacity)))[0])
        if around[best] <= 0:
            break
        chosen.append(best)
        column, _ = cover.of(best)
        column = column[np.argsort(rivals[column], kind="stable")]
        before = np.cumsum(left[column]) - left[column]
        left[column] -= np.clip(capacity - before, 0.0, left[column])
    return np.sort(np.array(chosen, np.int32))


class _Descent:
    """Subgradient steps on the prices; `rows` are the candidates that a better answer may open."""

    def __init__(
        self,
        cover: SparseRows,
        weight: NDArray[np.float64],
        capacity: float,
        *,
        p: int,
        chosen: NDArray[np.int32],
        value: float,
    ) -> None:
        self.cover, self.weight, self.capacity, self.p = cover, weight, capacity, p
        self.by_demand = cover.transposed()
        self.chosen, self.value = chosen, value
        self.upper = np.inf
        self.earned = np.zeros(cover.n)
        self.tried = {chosen.tobytes()}

    def run(self, ceiling: float, over: Over) -> None:
        """Lower the bound, trying the sites that good prices favour as answers."""
        self.upper = ceiling
        price = low = np.zeros(self.cover.n_columns)
        way = np.zeros(self.cover.n_columns)
        factor, stale, lowest = 1.0, 0, np.inf
        for step in range(ROUNDS):
            earned, total, favoured = self._bound(price)
            if total < lowest - 1e-9 * abs(total):
                lowest, low, stale, self.earned = total, price, 0, earned
                self.upper = min(self.upper, total)
            else:
                stale += 1
            if step % 10 == 0:
                self._try(favoured)
            if self.upper < self.value + 1 - 1e-6 or factor < 0.01 or over():
                break
            if stale >= PATIENCE:
                factor, stale, price, way = factor / 2, 0, low, np.zeros_like(way)
                continue
            slope = self.weight - self._handed_out(favoured, price)
            slope[((price <= 0) & (slope > 0)) | ((price >= 1) & (slope < 0))] = 0.0
            way = slope / self.weight + MOMENTUM * way
            length = float((way * way * self.weight).sum())
            if length == 0:
                break
            price = np.clip(price - factor * max(total - self.value, 1.0) / length * way, 0.0, 1.0)
        self.lowest = lowest

    def _bound(self, price: NDArray[np.float64]) -> tuple[NDArray[np.float64], float, NDArray[np.intp]]:
        paid = 1.0 - price
        order = np.argsort(-paid, kind="stable").astype(np.int64)
        earned = filled(
            self.by_demand.indptr,
            self.by_demand.column,
            self.weight,
            paid,
            order,
            np.full(self.cover.n, self.capacity),
        )
        favoured = np.argsort(-earned, kind="stable")[: self.p]
        return earned, float(self.weight @ price + earned[favoured].sum()), favoured

    def _handed_out(self, sites: NDArray[np.intp], price: NDArray[np.float64]) -> NDArray[np.float64]:
        """Households that the sites would take of each demand row, each site for itself."""
        taken = np.zeros(self.cover.n_columns)
        for j in sites:
            column, _ = self.cover.of(int(j))
            column = column[np.argsort(price[column], kind="stable")]
            column = column[price[column] < 1.0]
            before = np.cumsum(self.weight[column]) - self.weight[column]
            taken[column] += np.clip(self.capacity - before, 0.0, self.weight[column])
        return taken

    def _try(self, favoured: NDArray[np.intp]) -> None:
        sites = np.sort(favoured).astype(np.int32)
        if sites.tobytes() in self.tried:
            return
        self.tried.add(sites.tobytes())
        value = _most_served(self.cover, self.weight, self.capacity, sites)
        if value > self.value:
            self.chosen, self.value = sites, value

    def free_rows(self) -> NDArray[np.intp]:
        """Candidates that the reduced costs of the lowest bound leave for a better answer."""
        rank = np.argsort(-self.earned, kind="stable")
        last = self.earned[rank[self.p - 1]] if len(rank) >= self.p else 0.0
        kept = self.lowest - last + self.earned >= self.value + 1 - 1e-6
        kept[rank[: self.p]] = True
        return np.flatnonzero(kept)


def _finish(bound: _Descent, time_limit_s: float) -> Choice:
    """Solve what is left by integer programming; each pair of site and demand is a variable."""
    free = bound.free_rows()
    cover = bound.cover.rows_at(free)
    n = cover.n
    chosen, value, upper = bound.chosen, bound.value, bound.upper
    if len(cover.column) <= MOST_PAIRS:
        answer = _programme(cover, bound.weight, bound.capacity, bound.p, time_limit_s)
        upper = min(upper, -answer.bound)
        if answer.x is not None:
            found = free[np.flatnonzero(answer.x[:n] > 0.5)].astype(np.int32)
            worth = _most_served(bound.cover, bound.weight, bound.capacity, found)
            if worth > value:
                chosen, value = found, worth
    # Whatever opens a site that was ruled out serves no more than the best known answer.
    upper = max(upper, value)
    proved = upper < value + HALF
    return Choice("exact", chosen, value, value if proved else upper, proved)


def _programme(
    cover: SparseRows, weight: NDArray[np.float64], capacity: float, p: int, time_limit_s: float
) -> Programme:
    """Variables: x[j], then f[pair]. Rows: demand, capacity, f <= w x, number of sites."""
    pairs, n, d = len(cover.column), cover.n, cover.n_columns
    f = n + np.arange(pairs)
    room = np.minimum(weight[cover.column], capacity)
    blocks = (
        (np.ones(pairs), cover.column, f),
        (np.ones(pairs), d + cover.row, f),
        (np.full(n, -capacity), d + np.arange(n), np.arange(n)),
        (np.ones(pairs), d + n + np.arange(pairs), f),
        (-room, d + n + np.arange(pairs), cover.row),
        (np.ones(n), np.full(n, d + n + pairs), np.arange(n)),
    )
    data, row, column = (np.concatenate(part) for part in zip(*blocks, strict=True))
    rows = csr_array((data, (row, column)), shape=(d + n + pairs + 1, n + pairs))
    return run_highs(
        -np.concatenate([np.zeros(n), np.ones(pairs)]),
        rows,
        np.full(rows.shape[0], -np.inf),
        np.concatenate([weight, np.zeros(n + pairs), [float(p)]]),
        integral=np.arange(n + pairs) < n,
        upper=np.concatenate([np.ones(n), room]),
        time_limit_s=time_limit_s,
    )
