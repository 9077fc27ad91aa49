"""The answer: grids of all communities, and why a grid is out of the band."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from geo.loads import unit_loads

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from geo.partition.problem import Problem
    from geo.standards import Standard
    from geo.units import Units


class Answer(NamedTuple):
    """What the engine says of one part.

    Attributes
    ----------
    labels
        int32 (n,): grid of each unit of the part, 0..k-1.
    unavoidable
        Grids out of the band in every division into k grids (`geo.partition.bounds`).
    """

    labels: NDArray[np.int32]
    unavoidable: int


@dataclass(frozen=True, slots=True)
class Reason:
    """Why a grid is out of the band.

    Attributes
    ----------
    code
        ``"no-households"``, ``"unit-too-large"``, ``"compound-kept-whole"``, ``"community-too-small"``,
        ``"part-too-small"``, ``"community-total-does-not-divide"``, ``"sizes-do-not-pack"`` or ``"not-proved"``.
    proved
        True when no plan can bring this grid into the band.
    zh, en
        One sentence each.
    """

    code: str
    proved: bool
    zh: str
    en: str


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
        Number of grids, and of those within the band.
    total
        Households or persons, by the standard's measure.
    unavoidable
        Grids that are proved to be out of the band in every plan.
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
    units: Units, standard: Standard, problems: Sequence[Problem], answers: Sequence[Answer]
) -> Partition:
    """Give numbers to the grids of all parts and explain those out of the band."""
    label = np.zeros(units.n, np.int64)
    part_of_grid: list[int] = []
    for index, (problem, answer) in enumerate(zip(problems, answers, strict=True)):
        label[problem.rows] = answer.labels + len(part_of_grid)
        part_of_grid.extend([index] * (int(answer.labels.max(initial=-1)) + 1))
    count = len(part_of_grid)
    first = np.full(count, units.n)
    np.minimum.at(first, label, np.arange(units.n))
    community = np.array([problems[p].community for p in part_of_grid], np.int32)
    order = np.lexsort((first, community))
    rank = np.empty(count, np.int32)
    rank[order] = np.arange(count, dtype=np.int32)
    grid_of_unit = rank[label] if units.n else np.zeros(0, np.int32)
    part = np.asarray(part_of_grid, np.int64)[order]
    community = community[order]
    reasons = _reasons(units, standard, problems, grid_of_unit, part)
    reasons = _certify(reasons, part, [answer.unavoidable for answer in answers])
    return Partition(
        grid_of_unit=grid_of_unit,
        community=community,
        households=_sum(units.households, grid_of_unit, count),
        persons=_sum(units.persons, grid_of_unit, count),
        reasons=reasons,
        communities=_summaries(units, standard, problems, community, reasons),
    )


def _sum(values: NDArray[np.int64], label: NDArray[np.int32], count: int) -> NDArray[np.int64]:
    out = np.zeros(count, np.int64)
    np.add.at(out, label, values)
    return out


def _reasons(
    units: Units,
    standard: Standard,
    problems: Sequence[Problem],
    grid_of_unit: NDArray[np.int32],
    part: NDArray[np.int64],
) -> tuple[Reason | None, ...]:
    load = unit_loads(units, standard)
    total = _sum(load, grid_of_unit, len(part))
    largest = np.zeros(len(part), np.int64)
    np.maximum.at(largest, grid_of_unit, load)
    # Of the units in a grid, the one that is too large; ties go to the smallest row.
    culprit = np.full(len(part), -1)
    rows = np.flatnonzero(load == largest[grid_of_unit])[::-1]
    culprit[grid_of_unit[rows]] = rows
    siblings = _parts_with_load(problems)
    reasons: list[Reason | None] = []
    for grid, value in enumerate(total.tolist()):
        if standard.min <= value <= standard.max:
            reasons.append(None)
            continue
        problem = problems[int(part[grid])]
        whole = int(problem.static.load.sum())
        unit = int(culprit[grid])
        if value == 0:
            reasons.append(_no_households())
        elif largest[grid] > standard.max:
            kept = units.compound[unit] >= 0 and units.buildings[unit] > 1
            reasons.append(_too_large(int(largest[grid]), standard, kept=bool(kept)))
        elif whole < standard.min:
            reasons.append(_too_small(whole, standard, alone=siblings[problem.community] == 1))
        elif _does_not_divide(whole, standard):
            reasons.append(_total(whole, standard))
        else:
            reasons.append(_not_proved(value, standard))
    return tuple(reasons)


def _certify(
    reasons: tuple[Reason | None, ...], part: NDArray[np.int64], unavoidable: Sequence[int]
) -> tuple[Reason | None, ...]:
    """Mark what a part's bound proves: when no plan has fewer grids out of the band, none of these is a fault."""
    outside = np.bincount(part[[r is not None for r in reasons]], minlength=len(unavoidable))
    return tuple(
        _sizes_do_not_pack() if r is not None and not r.proved and outside[p] <= unavoidable[p] else r
        for r, p in zip(reasons, part.tolist(), strict=True)
    )


def _sizes_do_not_pack() -> Reason:
    return Reason(
        "sizes-do-not-pack",
        proved=True,
        zh="这些单元的户数大小决定了：即使不考虑连通，也无法让更多网格落在范围内。",
        en="The sizes of the units decide it: even without contiguity no division into as many grids has more of "
        "them in the band.",
    )


def _parts_with_load(problems: Sequence[Problem]) -> dict[int, int]:
    parts: dict[int, int] = {}
    for problem in problems:
        parts[problem.community] = parts.get(problem.community, 0) + int(problem.static.load.sum() > 0)
    return parts


def _does_not_divide(total: int, standard: Standard) -> bool:
    return -(-total // standard.max) > total // standard.min


def _words(standard: Standard) -> tuple[str, str]:
    return ("户", "households") if standard.measure == "households" else ("人", "persons")


def _no_households() -> Reason:
    return Reason(
        "no-households",
        proved=True,
        zh="该部分没有住户，单独成一个网格。",
        en="This part has no households; it is one grid of its own.",
    )


def _too_large(size: int, standard: Standard, *, kept: bool) -> Reason:
    zh_unit, en_unit = _words(standard)
    if kept:
        return Reason(
            "compound-kept-whole",
            proved=True,
            zh=f"含一个{size}{zh_unit}的小区，超过上限{standard.max}{zh_unit}，按标准保持完整、不拆分。",
            en=f"Holds a compound of {size} {en_unit}, above the maximum of {standard.max}; the standard keeps it "
            "whole.",
        )
    return Reason(
        "unit-too-large",
        proved=True,
        zh=f"含一个{size}{zh_unit}的单元，仅此一项已超过上限{standard.max}{zh_unit}。",
        en=f"Holds one unit of {size} {en_unit}, by itself above the maximum of {standard.max}.",
    )


def _too_small(total: int, standard: Standard, *, alone: bool) -> Reason:
    zh_unit, en_unit = _words(standard)
    if alone:
        return Reason(
            "community-too-small",
            proved=True,
            zh=f"整个社区只有{total}{zh_unit}，低于下限{standard.min}{zh_unit}。",
            en=f"The whole community has {total} {en_unit}, below the minimum of {standard.min}.",
        )
    return Reason(
        "part-too-small",
        proved=True,
        zh=f"社区的这一部分与其他部分不相连，只有{total}{zh_unit}，低于下限{standard.min}{zh_unit}。",
        en=f"This part of the community touches no other part and has {total} {en_unit}, below the minimum of "
        f"{standard.min}.",
    )


def _total(total: int, standard: Standard) -> Reason:
    zh_unit, en_unit = _words(standard)
    return Reason(
        "community-total-does-not-divide",
        proved=True,
        zh=f"该社区（或其相连部分）共{total}{zh_unit}，无法划分为若干个{standard.min}～{standard.max}{zh_unit}的网格。",
        en=f"The community (or this connected part of it) has {total} {en_unit} in all, which no number of grids "
        f"of {standard.min} to {standard.max} adds up to.",
    )


def _not_proved(size: int, standard: Standard) -> Reason:
    zh_unit, en_unit = _words(standard)
    side_zh, side_en = (
        ("低于下限", "below the minimum") if size < standard.min else ("高于上限", "above the maximum")
    )
    limit = standard.min if size < standard.min else standard.max
    return Reason(
        "not-proved",
        proved=False,
        zh=f"{size}{zh_unit}，{side_zh}{limit}{zh_unit}；未找到更好的连通划分，也未证明不可避免。",
        en=f"{size} {en_unit}, {side_en} of {limit}; none better was found, nor proved impossible.",
    )


def _summaries(
    units: Units,
    standard: Standard,
    problems: Sequence[Problem],
    community: NDArray[np.int32],
    reasons: tuple[Reason | None, ...],
) -> tuple[CommunitySummary, ...]:
    load = unit_loads(units, standard)
    parts: dict[int, list[Problem]] = {}
    for problem in problems:
        parts.setdefault(problem.community, []).append(problem)
    summaries = []
    for number, own in sorted(parts.items()):
        mine = [reasons[g] for g in np.flatnonzero(community == number)]
        total = int(sum(load[p.rows].sum() for p in own))
        unavoidable = sum(r is not None and r.proved for r in mine)
        inside = sum(r is None for r in mine)
        summaries.append(CommunitySummary(number, len(own), len(mine), inside, total, unavoidable))
    return tuple(summaries)
