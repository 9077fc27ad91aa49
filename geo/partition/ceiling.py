"""How good any plan could be: proved ceilings of the shares that `geo.partition.score` reports.

A ceiling holds for every plan, whoever made it, that keeps units whole, stays within communities, hard barriers and
the grids that the standard fixes, and puts no two units into one grid that are each above the band and together
above the hard maximum. Grids without load are left out; they would only lower a share. `Ceilings.same` bounds plans
with as many grids in every community as the one given, `Ceilings.any` plans with any numbers of grids.
`geo.partition.bounds` says what is used.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from geo.loads import unit_loads
from geo.partition.bounds import part_bound
from geo.partition.problem import build_problems
from geo.partition.weights import Weights

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from concurrent.futures import Executor

    from numpy.typing import NDArray

    from geo.fixed import Fixed
    from geo.partition.arrays import Static
    from geo.partition.bounds import PartBound
    from geo.standards import Standard
    from geo.units import Units

BANDS = ("in_band", "within_10", "within_20")


@dataclass(frozen=True, slots=True)
class CommunityCeiling:
    """What no plan of one community can exceed, by number of grids; see the rules of this module.

    Attributes
    ----------
    community
        Position in the city's communities.
    grids
        Numbers of grids, rising: the one given, or all up to where more only add grids out of the band.
    in_band, within_10, within_20
        Most grids of each kind, one per entry of `grids`.
    """

    community: int
    grids: tuple[int, ...]
    in_band: tuple[int, ...]
    within_10: tuple[int, ...]
    within_20: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Ceiling:
    """Highest shares of all grids with load, from 0 to 1; each on its own, as if the others did not matter.

    Attributes
    ----------
    in_band, within_10, within_20
        Upper bounds of the attributes of `Score` with the same names.
    communities
        The counts behind them, of every community with load.
    """

    in_band: float
    within_10: float
    within_20: float
    communities: tuple[CommunityCeiling, ...]


@dataclass(frozen=True, slots=True)
class Ceilings:
    """The ceiling of plans with any numbers of grids, and of those with the numbers of one plan."""

    any: Ceiling
    same: Ceiling


@dataclass(frozen=True, slots=True)
class _Task:
    """One part: its community, arrays, the three bands, the hard maximum and the loads of its grids, if known."""

    community: int
    static: Static
    bands: tuple[tuple[int, int], ...]
    hard: float
    grids: NDArray[np.float64]


def ceiling(
    units: Units,
    standard: Standard,
    *,
    community: NDArray[np.integer[Any]] | None = None,
) -> Ceiling:
    """Bound the shares of plans of these units from above.

    Parameters
    ----------
    units
        Units that no plan splits.
    standard
        Band, target and measure.
    community
        Community of each grid of a plan, shape (grids,): bounds plans with as many grids in each community as
        this one has. Without it every number of grids is admitted.

    Returns
    -------
    Ceiling
        Communities without load are left out.
    """
    tasks = _tasks(units, standard, None, None)
    if community is None:
        return _ceiling([_table(number, own) for number, own in _bounded(tasks, None)().items()], None)
    parts = np.bincount([task.community for task in tasks], minlength=1)
    counts = np.bincount(community, minlength=len(parts))
    # Of a community in several parts it is not known how many of its grids each has.
    tasks = [
        replace(task, grids=np.zeros(counts[task.community])) if parts[task.community] == 1 else task
        for task in tasks
    ]
    tables = [_at(number, own, int(counts[number])) for number, own in _bounded(tasks, None)().items()]
    return _ceiling(tables, None)


def ceilings(
    units: Units,
    standard: Standard,
    grid_of_unit: NDArray[np.integer[Any]],
    *,
    fixed: Fixed | None = None,
    executor: Executor | None = None,
) -> Ceilings:
    """Bound the shares of all plans, and of those that have as many grids in every part as a given one.

    Parameters
    ----------
    units, standard
        As in `ceiling`.
    grid_of_unit
        A plan, shape (units,).
    fixed
        The grids that the standard settles: they are the same in every plan.
    executor
        Where the parts are worked on; None works in the calling thread.
    """
    return ceilings_ahead(units, standard, grid_of_unit, fixed=fixed, executor=executor)()


def ceilings_ahead(
    units: Units,
    standard: Standard,
    grid_of_unit: NDArray[np.integer[Any]],
    *,
    fixed: Fixed | None = None,
    executor: Executor | None = None,
) -> Callable[[], Ceilings]:
    """Let an executor begin with the ceilings and return what waits for them; see `ceilings`."""
    tasks = _tasks(units, standard, grid_of_unit, fixed)
    parts = _bounded(tasks, executor)
    settled = _settled(units, standard, fixed)
    counts: dict[int, int] = {}
    for task in tasks:
        counts[task.community] = counts.get(task.community, 0) + len(task.grids)

    def wait() -> Ceilings:
        bounds = parts()
        return Ceilings(
            any=_ceiling([_table(number, own) for number, own in bounds.items()], settled),
            same=_ceiling([_at(number, own, counts[number]) for number, own in bounds.items()], settled),
        )

    return wait


def _tasks(
    units: Units, standard: Standard, grid_of_unit: NDArray[np.integer[Any]] | None, fixed: Fixed | None
) -> list[_Task]:
    """State every part with load, in the order of communities."""
    bands = tuple(whole_band(standard, name) for name in BANDS)
    hard = float(standard.max if standard.hard_max is None else standard.hard_max)
    frozen = None if fixed is None else fixed.grid >= 0
    tasks = []
    for problem in build_problems(units, standard, Weights(), frozen=frozen):
        if not problem.static.load.any():
            continue
        grids: NDArray[np.float64] = np.zeros(0)
        if grid_of_unit is not None:
            own = np.unique(grid_of_unit[problem.rows], return_inverse=True)[1]
            sums = np.bincount(own, weights=problem.static.load).astype(np.float64)
            grids = sums[sums > 0]
        tasks.append(_Task(problem.community, problem.static, bands, hard, grids))
    return tasks


def _settled(units: Units, standard: Standard, fixed: Fixed | None) -> tuple[int, tuple[int, ...]]:
    """Count the fixed grids with load, and those in each band; no size applies to a dedicated one."""
    if fixed is None or not len(fixed.dedicated):
        return 0, (0,) * len(BANDS)
    mine = fixed.grid >= 0
    load = np.bincount(
        fixed.grid[mine], weights=unit_loads(units, standard)[mine], minlength=len(fixed.dedicated)
    )
    live = load > 0
    inside = [int(live.sum())]
    for name in BANDS[1:]:
        low, high = whole_band(standard, name)
        inside.append(int((live & (fixed.dedicated | ((load >= low) & (load <= high)))).sum()))
    return int(live.sum()), tuple(inside)


def _bounded(
    tasks: Sequence[_Task], executor: Executor | None
) -> Callable[[], dict[int, list[tuple[PartBound, ...]]]]:
    """Begin to bound every part, as far as there is an executor; return what waits for the lists by community."""
    # The largest first, so that no worker is left with a long one at the end.
    order = sorted(range(len(tasks)), key=lambda i: -len(tasks[i].static.load))
    found = (
        map(_bounds, tasks)
        if executor is None
        else executor.map(_bounds, [tasks[i] for i in order], chunksize=4)
    )

    def wait() -> dict[int, list[tuple[PartBound, ...]]]:
        bounds = list(found)
        place = range(len(tasks)) if executor is None else np.argsort(order).tolist()
        own: dict[int, list[tuple[PartBound, ...]]] = {}
        for task, i in zip(tasks, place, strict=True):
            own.setdefault(task.community, []).append(bounds[i])
        return own

    return wait


def whole_band(standard: Standard, name: str) -> tuple[int, int]:
    """Return the smallest and the largest whole load of a band, one of `BANDS`."""
    if name == "in_band":
        return standard.min, standard.max
    width = {"within_10": 0.1, "within_20": 0.2}[name]
    low, high = (1.0 - width - 1e-9) * standard.target, (1.0 + width + 1e-9) * standard.target
    return max(1, int(np.ceil(low))), int(np.floor(high))


def _bounds(task: _Task) -> tuple[PartBound, ...]:
    """Bound one part in every band; what an executor maps."""
    known: dict[tuple[int, int], PartBound] = {}
    for low, high in task.bands:
        if (low, high) not in known:
            attained = int(((task.grids >= low) & (task.grids <= high)).sum())
            known[low, high] = part_bound(
                task.static, low, high, hard=task.hard, count=len(task.grids), attained=attained
            )
    return tuple(known[band] for band in task.bands)


def _table(number: int, parts: Sequence[tuple[PartBound, ...]]) -> CommunityCeiling:
    last = sum(max(bound.worthwhile[-1] for bound in part) for part in parts)
    most = [_joined([part[i] for part in parts], last) for i in range(len(BANDS))]
    grids = tuple(range(len(parts), last + 1))
    return CommunityCeiling(number, grids, *(tuple(row[k] for k in grids) for row in most))


def _joined(bounds: Sequence[PartBound], last: int) -> list[int]:
    """Return the most grids inside of parts together, by their number 0..last; -1 where there is no such plan."""
    total = [0] + [-1] * last
    for bound in bounds:
        more = [-1] * (last + 1)
        own = [bound.inside(k) for k in range(last + 1)]
        for before, inside in enumerate(total):
            if inside >= 0:
                for k in range(1, min(bound.loaded, last - before) + 1):
                    more[before + k] = max(more[before + k], inside + own[k])
        total = more
    return total


def _at(number: int, parts: Sequence[tuple[PartBound, ...]], count: int) -> CommunityCeiling:
    """Return the table of one number of grids; where there are too many or too few for a plan none lies inside."""
    most = [max(0, _joined([part[i] for part in parts], count)[count]) for i in range(len(BANDS))]
    return CommunityCeiling(number, (count,), *((m,) for m in most))


def _ceiling(tables: Sequence[CommunityCeiling], settled: tuple[int, tuple[int, ...]] | None) -> Ceiling:
    grids, inside = settled or (0, (0,) * len(BANDS))
    shares = [
        _share([{grids: more}, *(dict(zip(t.grids, getattr(t, name), strict=True)) for t in tables)])
        for name, more in zip(BANDS, inside, strict=True)
    ]
    return Ceiling(shares[0], shares[1], shares[2], tuple(tables))


def _share(tables: Sequence[dict[int, int]]) -> float:
    """Return the highest ratio of grids inside to grids, one entry of each table chosen (Dinkelbach 1967)."""
    share = 0.0
    for _ in range(100):
        chosen = [_best(table, share) for table in tables]
        grids = sum(chosen)
        better = sum(table[k] for table, k in zip(tables, chosen, strict=True)) / grids if grids else 0.0
        if better <= share:
            break
        share = better
    return share


def _best(table: dict[int, int], share: float) -> int:
    return max(table, key=lambda k: (table[k] - share * k, -k))
