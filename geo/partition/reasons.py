"""The answer: grids of all communities, and why a grid is out of the band."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from geo.loads import unit_loads
from geo.partition import reason_texts as say
from geo.partition.above import counted, must_exceed
from geo.partition.bounds import part_bound, size_bound, unreachable
from geo.partition.reason_texts import Reason

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence
    from concurrent.futures import Executor

    from numpy.typing import NDArray

    from geo.fixed import Fixed
    from geo.partition.above import Counted
    from geo.partition.arrays import Static
    from geo.partition.problem import Problem
    from geo.standards import Standard
    from geo.units import Units

__all__ = ["Answer", "CommunitySummary", "Partition", "Reason", "assemble"]


class Answer(NamedTuple):
    """What the engine says of one part.

    Attributes
    ----------
    labels
        int32 (n,): grid of each unit of the part, 0..k-1.
    """

    labels: NDArray[np.int32]


@dataclass(frozen=True, slots=True)
class CommunitySummary:
    """What became of one community.

    Attributes
    ----------
    community
        Position in the city's communities.
    parts
        Number of parts that do not touch each other.
    grids, in_band
        Number of grids, and of those within the band or to which none applies.
    total
        Households or persons, by the standard's measure.
    unavoidable
        Grids out of the band whose reason is proved (`Reason.proved`).
    """

    community: int
    parts: int
    grids: int
    in_band: int
    total: int
    unavoidable: int


@dataclass(frozen=True, slots=True)
class Partition:
    """An assignment of every unit to a grid.

    Attributes
    ----------
    grid_of_unit
        int32 (units,): 0..grids-1, by community, then by the smallest row of their units.
    community
        int32 (grids,): position in the city's communities.
    households, persons
        int64 (grids,).
    reasons
        Per grid; None within the band.
    communities
        One summary per community that has units.
    """

    grid_of_unit: NDArray[np.int32]
    community: NDArray[np.int32]
    households: NDArray[np.int64]
    persons: NDArray[np.int64]
    reasons: tuple[Reason | None, ...]
    communities: tuple[CommunitySummary, ...]

    @property
    def n_grids(self) -> int:
        """Number of grids."""
        return len(self.community)


def assemble(
    units: Units,
    standard: Standard,
    problems: Sequence[Problem],
    answers: Sequence[Answer],
    *,
    fixed: Fixed | None = None,
    frozen: NDArray[np.bool_] | None = None,
    executor: Executor | None = None,
) -> Partition:
    """Give numbers to the grids of all parts and explain those out of the band.

    Parameters
    ----------
    units, standard
        As the problems were made from.
    problems, answers
        One answer per part.
    fixed
        Grids of the units that are in no problem.
    frozen
        bool, shape (fixed grids,): those that the caller froze, and no standard dedicated.
    executor
        Where proofs are looked for; None works in the calling thread.
    """
    label = np.zeros(units.n, np.int64)
    part_of_grid: list[int] = []
    for index, (problem, answer) in enumerate(zip(problems, answers, strict=True)):
        label[problem.rows] = answer.labels + len(part_of_grid)
        part_of_grid.extend([index] * (int(answer.labels.max(initial=-1)) + 1))
    if fixed is not None:
        mine = fixed.grid >= 0
        label[mine] = fixed.grid[mine] + len(part_of_grid)
        # A fixed grid has no part: -1 for a dedicated one, -2 for a compound in its own band, -3 for a frozen one.
        kind = np.where(fixed.dedicated, -1, -2)
        part_of_grid.extend((kind if frozen is None else np.where(frozen, -3, kind)).tolist())
    count = len(part_of_grid)
    first = np.full(count, units.n)
    np.minimum.at(first, label, np.arange(units.n))
    community = units.community[first].astype(np.int32) if count else np.zeros(0, np.int32)
    order = np.lexsort((first, community))
    rank = np.empty(count, np.int32)
    rank[order] = np.arange(count, dtype=np.int32)
    grid_of_unit = rank[label] if units.n else np.zeros(0, np.int32)
    community = community[order]
    hard = float(standard.max if standard.hard_max is None else standard.hard_max)
    band = float(standard.min), float(standard.max), hard
    how = counted(unit_loads(units, standard), grid_of_unit, count, band)
    part = np.asarray(part_of_grid, np.int64)[order]
    given = _Given(units, standard, problems, grid_of_unit, part, how)
    beyond = _beyond(given)
    reasons = _proved(given, _own_reasons(given, beyond), beyond, executor)
    return Partition(
        grid_of_unit=grid_of_unit,
        community=community,
        households=_sum(units.households, grid_of_unit, count),
        persons=_sum(units.persons, grid_of_unit, count),
        reasons=tuple(reasons),
        communities=_summaries(given, community, reasons),
    )


class _Given(NamedTuple):
    """What the reasons are found from.

    Attributes
    ----------
    part
        int64 (grids,): position of a grid's problem, below zero for a fixed grid.
    how
        How the grids count.
    """

    units: Units
    standard: Standard
    problems: Sequence[Problem]
    grid_of_unit: NDArray[np.int32]
    part: NDArray[np.int64]
    how: Counted


def _sum(values: NDArray[np.int64], label: NDArray[np.int32], count: int) -> NDArray[np.int64]:
    out = np.zeros(count, np.int64)
    np.add.at(out, label, values)
    return out


def _own_reasons(given: _Given, beyond: Mapping[int, Reason]) -> list[Reason | None]:
    """Explain every grid by itself; one that nothing explains is not proved."""
    units, standard = given.units, given.standard
    load = unit_loads(units, standard)
    total = _sum(load, given.grid_of_unit, len(given.part))
    largest = np.zeros(len(given.part), np.int64)
    np.maximum.at(largest, given.grid_of_unit, load)
    # Of the units in a grid, the one that is too large; ties go to the smallest row.
    culprit = np.full(len(given.part), -1)
    rows = np.flatnonzero(load == largest[given.grid_of_unit])[::-1]
    culprit[given.grid_of_unit[rows]] = rows
    siblings = _parts_with_load(given.problems)
    reasons: list[Reason | None] = []
    for grid, (value, part) in enumerate(zip(total.tolist(), given.part.tolist(), strict=True)):
        if part < 0:
            outside = part == -3 and not standard.min <= value <= standard.max
            reasons.append(
                say.dedicated() if part == -1 else say.locked(value, standard) if outside else None
            )
            continue
        whole = int(given.problems[part].static.load.sum())
        unit = int(culprit[grid])
        if standard.min <= value <= standard.max:
            reasons.append(None)
        elif value == 0:
            reasons.append(say.no_households())
        elif grid in beyond:
            reasons.append(beyond[grid])
        elif largest[grid] > standard.max:
            kept = units.compound[unit] >= 0 and units.buildings[unit] > 1
            reasons.append(say.too_large(int(largest[grid]), standard, kept=bool(kept)))
        elif whole < standard.min:
            reasons.append(
                say.too_small(whole, standard, alone=siblings[given.problems[part].community] == 1)
            )
        else:
            reasons.append(say.not_proved(value, standard))
    return reasons


def _beyond(given: _Given) -> dict[int, Reason]:
    """Explain the grids of several units above the hard maximum that are not so by their number alone."""
    standard = given.standard
    hard = standard.max if standard.hard_max is None else standard.hard_max
    reasons: dict[int, Reason] = {}
    for grid in np.flatnonzero(given.how.above & (given.part >= 0)).tolist():
        problem = given.problems[given.part[grid]]
        load = problem.static.load
        own = given.grid_of_unit[problem.rows] == grid
        large = np.flatnonzero(own & (load > standard.max))
        total = int(load[own].sum())
        if len(large) == 1 and must_exceed(problem.static)[large[0]]:
            reasons[grid] = say.beyond(total, int(load[large[0]]), standard)
        elif load.sum() <= hard * int((given.part == given.part[grid]).sum()):
            reasons[grid] = say.above_hard(total, standard)
    return reasons


def _proved(
    given: _Given,
    reasons: list[Reason | None],
    beyond: Collection[int],
    executor: Executor | None,
) -> list[Reason | None]:
    """Look for a proof where there is none: of the whole part first, then of single grids.

    That as many grids must be out of the band proves nothing of one `beyond` the hard maximum.
    """
    tasks = []
    wanted = [
        part >= 0 and reason is not None and not reason.proved and grid not in beyond
        for grid, (part, reason) in enumerate(zip(given.part.tolist(), reasons, strict=True))
    ]
    for index in np.unique(given.part[wanted]).tolist():
        own = np.flatnonzero(given.part == index)
        outside = sum(int(given.how.outside[g]) for g in own if reasons[g] is not None)
        tasks.append(_Task(index, given.problems[index].static, given.standard, len(own), outside))
    # In order of size, so that no worker is left with a long one at the end; the answers do not depend on it.
    tasks.sort(key=lambda task: (-len(task.static.load), task.part))
    answers = map(_prove, tasks) if executor is None else executor.map(_prove, tasks)
    for task, (why, stuck) in zip(tasks, answers, strict=True):
        cut_off = _cut_off(given, given.problems[task.part], stuck)
        for grid in np.flatnonzero(given.part == task.part).tolist():
            reason = reasons[grid]
            if reason is None or reason.proved or grid in beyond:
                continue
            if why is not None:
                reasons[grid] = why
            elif grid in cut_off:
                reasons[grid] = say.cut_off(cut_off[grid], given.standard)
    return reasons


class _Task(NamedTuple):
    """A part with grids out of the band that nothing explains yet: what a worker needs to look for a proof."""

    part: int
    static: Static
    standard: Standard
    grids: int
    outside: int


def _prove(task: _Task) -> tuple[Reason | None, NDArray[np.int64]]:
    """Prove that no division has fewer grids out of the band; else find units that no grid in the band can hold."""
    why = _of_part(task)
    if why is not None:
        return why, np.zeros(0, np.int64)
    return None, np.flatnonzero(unreachable(task.static, task.standard.min, task.standard.max))


def _of_part(task: _Task) -> Reason | None:
    """Say why no division of a part into as many grids has fewer out of the band; None when that is not proved."""
    standard, load = task.standard, task.static.load
    hard = float(standard.max if standard.hard_max is None else standard.hard_max)
    count, outside = task.grids, task.outside
    whole = int(load.sum())
    by_size = size_bound(load, standard.min, standard.max, hard=hard, count=count)
    if outside <= count - by_size.inside(count):
        divides = by_size.apart or -(-whole // standard.max) <= whole // standard.min
        return say.sizes_do_not_pack() if divides else say.does_not_divide(whole, standard)
    by_map = part_bound(task.static, standard.min, standard.max, hard=hard, count=count)
    return say.neighbours_do_not_pack() if outside <= count - by_map.inside(count) else None


def _cut_off(given: _Given, problem: Problem, stuck: NDArray[np.int64]) -> dict[int, int]:
    """Find the grids with a unit that no grid in the band can hold; return its load, the largest of several."""
    found: dict[int, int] = {}
    grid = given.grid_of_unit[problem.rows[stuck]].tolist()
    for g, load in zip(grid, problem.static.load[stuck].tolist(), strict=True):
        found[g] = max(found.get(g, 0), int(load))
    return found


def _parts_with_load(problems: Sequence[Problem]) -> dict[int, int]:
    parts: dict[int, int] = {}
    for problem in problems:
        parts[problem.community] = parts.get(problem.community, 0) + int(problem.static.load.sum() > 0)
    return parts


def _summaries(
    given: _Given, community: NDArray[np.int32], reasons: Sequence[Reason | None]
) -> tuple[CommunitySummary, ...]:
    total = _sum(unit_loads(given.units, given.standard), given.grid_of_unit, len(community))
    parts: dict[int, int] = {}
    for problem in given.problems:
        parts[problem.community] = parts.get(problem.community, 0) + 1
    summaries = []
    for number in np.unique(community).tolist():
        own = np.flatnonzero(community == number).tolist()
        codes = [r.code if r.proved else "" for g in own if (r := reasons[g]) is not None]
        dedicated = codes.count("dedicated")
        inside = len(own) - len(codes) + dedicated
        unavoidable = len(codes) - codes.count("") - dedicated
        summaries.append(
            CommunitySummary(
                number, parts.get(number, 0), len(own), inside, int(total[own].sum()), unavoidable
            )
        )
    return tuple(summaries)
