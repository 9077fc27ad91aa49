"""Release the few compounds that keep grids out of the band: what it would gain, and for which it is worth it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from geo.errors import CancelledError
from geo.fixed import fixed_grids, judge
from geo.loads import unit_loads
from geo.partition.coarsen import coarsen
from geo.partition.problem import build_problems
from geo.partition.search import budget_for, hash_seed, refine
from geo.partition.search import search as find
from geo.partition.weights import Weights
from geo.types import never_cancel
from geo.units import join_units

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Sequence
    from concurrent.futures import Executor

    from numpy.typing import NDArray

    from geo.fixed import Judged
    from geo.partition.reasons import Partition
    from geo.partition.search import Effort
    from geo.standards import Standard
    from geo.types import CancelCheck
    from geo.units import Units

MOST_TRIED = 2
"""Compounds tried per grid out of the band that holds none too large for a grid."""

SMALLEST = 0.25
"""A compound below this share of the target blocks nothing: it can go to one grid or the other."""


class QuickSearch(NamedTuple):
    """How the quick searches are made; see `geo.partition.partition`."""

    seed: int = 0
    effort: Effort | float = 0.03
    weights: Weights | None = None


@dataclass(frozen=True, slots=True)
class Figures:
    """Grids of a community, and of those in the band and within 10 % of the target."""

    grids: int
    in_band: int
    within_10: int

    @property
    def outside(self) -> int:
        """Grids out of the band."""
        return self.grids - self.in_band


@dataclass(frozen=True, slots=True)
class ReleaseGain:
    """What it does to a community to divide one of its compounds into buildings.

    Attributes
    ----------
    unit
        Row of the compound, or of its piece in this community, in the units it was kept whole in.
    compound, community
        Positions in the city's layers.
    load
        Of the compound, as the standard counts.
    before, after
        The community without and with the release; `after` is of a quick search, which a longer one may better.
    """

    unit: int
    compound: int
    community: int
    load: int
    before: Figures
    after: Figures

    @property
    def gain(self) -> int:
        """How many grids fewer are out of the band."""
        return self.before.outside - self.after.outside

    @property
    def zh(self) -> str:
        """The reason in Chinese."""
        return (
            f"小区（规模 {self.load}）不再保持完整、改按楼栋划分：本社区范围外的网格由 {self.before.outside} 个"
            f"减为 {self.after.outside} 个，范围内 {self.after.in_band}/{self.after.grids}（原 "
            f"{self.before.in_band}/{self.before.grids}）。"
        )

    @property
    def en(self) -> str:
        """The reason in English."""
        return (
            f"The compound (load {self.load}) is divided into its buildings: grids of this community out of the "
            f"band fall from {self.before.outside} to {self.after.outside}; in the band {self.after.in_band} of "
            f"{self.after.grids}, before {self.before.in_band} of {self.before.grids}."
        )


class _Task(NamedTuple):
    """One community: its cells, the unit each belongs to, and the units worth releasing."""

    cells: Units
    unit_of_cell: NDArray[np.int32]
    community: int
    before: Figures
    candidates: tuple[int, ...]
    standard: Standard
    search: QuickSearch


def release_gains(
    units: Units,
    cells: Units,
    result: Partition,
    standard: Standard,
    *,
    search: QuickSearch | None = None,
    executor: Executor | None = None,
    cancelled: CancelCheck = never_cancel,
) -> list[ReleaseGain]:
    """Find out for every compound that may block the band what its release would gain, one at a time.

    Tried are compounds kept whole that lie in a grid out of the band, or in a grid beside one. Each gets a quick
    search of its community with the compound's buildings as units of their own.

    Parameters
    ----------
    units
        The units that were partitioned.
    cells
        `geo.units.cell_units` of the same tiling.
    result
        Their partition.
    standard
        The rules.
    search
        How to search; `QuickSearch` by default.
    executor
        Where communities are worked on in parallel; the result does not depend on it.
    cancelled
        Looked at between two communities.

    Returns
    -------
    list of ReleaseGain
        Best first: most grids brought into the band, then most grids within 10 %, then the smallest compound. Gains
        may be 0 or negative.

    Raises
    ------
    CancelledError
        When `cancelled` returned True.
    """
    tasks = _tasks(units, cells, result, standard, search or QuickSearch())
    gains = [gain for found in _each(_try_all, tasks, executor, cancelled) for gain in found]
    return sorted(gains, key=_worth)


def blocking_compounds(
    units: Units,
    cells: Units,
    result: Partition,
    standard: Standard,
    *,
    search: QuickSearch | None = None,
    executor: Executor | None = None,
    cancelled: CancelCheck = never_cancel,
) -> list[ReleaseGain]:
    """Choose the compounds to release: in each community the best one first, as long as each brings a grid in.

    Parameters and errors are those of `release_gains`.

    Returns
    -------
    list of ReleaseGain
        By community, in the order of release; `before` of the second in a community is `after` of the first.
    """
    tasks = _tasks(units, cells, result, standard, search or QuickSearch())
    return [gain for found in _each(_greedy, tasks, executor, cancelled) for gain in found]


def refine_units(units: Units, cells: Units, released: Collection[int]) -> Units:
    """Return the units with some of them, given by their rows, divided into their cells."""
    return _divided(cells, units.of_cell, released)


def _divided(cells: Units, unit_of_cell: NDArray[np.int32], released: Collection[int]) -> Units:
    """Join cells to units but for the released ones, whose cells bear that mark: cutting them is no fault."""
    gone = np.isin(unit_of_cell, np.asarray(sorted(released), np.int64))
    marked = replace(cells, released=gone)
    return join_units(marked, np.where(gone, np.int32(-1), unit_of_cell))


def _worth(gain: ReleaseGain) -> tuple[int, int, int, int]:
    return -gain.gain, gain.before.within_10 - gain.after.within_10, gain.load, gain.unit


def _tasks(
    units: Units,
    cells: Units,
    result: Partition,
    standard: Standard,
    search: QuickSearch,
) -> list[_Task]:
    judged = judge(units, standard, result.grid_of_unit, result.n_grids)
    by_community: dict[int, list[int]] = {}
    for row in _candidates(units, cells, result, standard, judged.in_band):
        by_community.setdefault(int(units.community[row]), []).append(row)
    tasks = []
    for community, rows in sorted(by_community.items()):
        mine = result.community == community
        before = _figures(judged, mine)
        keep = cells.community == community
        own = join_units(cells, np.full(cells.n, -1, np.int32), keep=keep)
        own = replace(own, of_cell=np.arange(own.n, dtype=np.int32))
        tasks.append(
            _Task(
                own,
                units.of_cell[keep],
                community,
                before,
                tuple(rows),
                standard,
                search,
            )
        )
    return tasks


def _candidates(
    units: Units, cells: Units, result: Partition, standard: Standard, in_band: NDArray[np.bool_]
) -> list[int]:
    """Rows of the compounds of several inhabited cells that may keep a grid out of the band.

    Of a grid with a compound above the maximum, that one; else the largest ones in it and then beside it.
    """
    inhabited = np.bincount(units.of_cell, weights=cells.households > 0, minlength=units.n)
    load = unit_loads(units, standard)
    whole = (units.compound >= 0) & (inhabited > 1) & (load >= SMALLEST * standard.target)
    grid, graph = result.grid_of_unit, units.graph
    beside: dict[int, set[int]] = {int(g): {int(g)} for g in np.flatnonzero(~in_band)}
    here, there = grid[graph.focal], grid[graph.neighbor]
    near = ~in_band[here] & (units.community[graph.focal] == units.community[graph.neighbor])
    for a, b in np.unique(np.stack([here[near], there[near]], axis=1), axis=0).tolist():
        beside[a].add(b)
    chosen: set[int] = set()
    for out, around in sorted(beside.items()):
        rows = np.flatnonzero(whole & np.isin(grid, sorted(around)))
        order = rows[np.lexsort((rows, -load[rows], grid[rows] != out))]
        too_large = order[(grid[order] == out) & (load[order] > standard.max)]
        chosen.update((too_large if len(too_large) else order[:MOST_TRIED]).tolist())
    return sorted(chosen)


def _each(
    work: Callable[[_Task], list[ReleaseGain]],
    tasks: Sequence[_Task],
    executor: Executor | None,
    cancelled: CancelCheck,
) -> Iterable[list[ReleaseGain]]:
    futures = [] if executor is None else [executor.submit(work, task) for task in tasks]
    try:
        for i, task in enumerate(tasks):
            if cancelled():
                raise CancelledError
            yield work(task) if executor is None else futures[i].result()
    finally:
        for future in futures:
            future.cancel()


def _try_all(task: _Task) -> list[ReleaseGain]:
    """Release each candidate by itself."""
    return [_gain(task, (), unit, task.before) for unit in task.candidates]


def _greedy(task: _Task) -> list[ReleaseGain]:
    """Release the candidates that bring a grid in, best first, each tried again on top of those before it."""
    chosen: list[ReleaseGain] = []
    before = task.before
    for first in sorted(_try_all(task), key=_worth):
        if before.outside == 0 or first.gain <= 0:
            break
        gain = first if not chosen else _gain(task, tuple(g.unit for g in chosen), first.unit, before)
        if gain.gain > 0:
            chosen.append(gain)
            before = gain.after
    return chosen


def _gain(task: _Task, released: tuple[int, ...], unit: int, before: Figures) -> ReleaseGain:
    """Search the community with one more compound divided."""
    units = _divided(task.cells, task.unit_of_cell, (*released, unit))
    label = quick_division(units, task.standard, task.search)
    after = _figures(judge(units, task.standard, label, int(label.max()) + 1))
    mine = task.unit_of_cell == unit
    compound = int(task.cells.compound[mine][0])
    load = int(unit_loads(task.cells, task.standard)[mine].sum())
    return ReleaseGain(unit, compound, task.community, load, before, after)


def quick_division(units: Units, standard: Standard, search: QuickSearch) -> NDArray[np.int32]:
    """Divide units into grids without proving why some are out of the band, which takes longer than the search.

    Returns
    -------
    int32, shape (units,): 0..grids-1, the standard's fixed grids first.
    """
    label = fixed_grids(units, standard)
    weights = Weights() if search.weights is None else search.weights
    budget = budget_for(search.effort)
    for problem in build_problems(units, standard, weights, frozen=label >= 0):
        coarse, joined = coarsen(problem.static)
        best = find(problem, coarse, budget, search.seed, never_cancel)
        best = replace(best, labels=best.labels[joined])
        best = refine(problem.static, best, budget, hash_seed(search.seed, problem.key), never_cancel)
        label[problem.rows] = best.labels + int(label.max(initial=-1)) + 1
    return label


def _figures(judged: Judged, mine: NDArray[np.bool_] | slice = slice(None)) -> Figures:
    near = np.abs(judged.deviation[mine]) <= 0.1 + 1e-9
    return Figures(len(near), int(judged.in_band[mine].sum()), int(near.sum()))
