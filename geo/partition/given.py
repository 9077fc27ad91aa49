"""What a caller may fix before the search: an existing division, frozen grids, pinned units, numbers of grids."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from geo.errors import InfeasibleError
from geo.fixed import Fixed, find_fixed

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from geo.partition.problem import Problem
    from geo.standards import Standard
    from geo.units import Units


@dataclass(frozen=True, slots=True)
class Given:
    """What is settled before the search.

    Attributes
    ----------
    settled
        Grids that take no part in the search: frozen, or fixed by the standard.
    frozen
        bool (settled grids,): the frozen ones.
    start
        int32 (units,) or None: the division to begin from, -1 for units in no grid.
    pinned
        bool (units,): units that keep their grid of `start`.
    origin
        int32 (units,) or None: the old division whose moved load costs.
    """

    settled: Fixed
    frozen: NDArray[np.bool_]
    start: NDArray[np.int32] | None
    pinned: NDArray[np.bool_]
    origin: NDArray[np.int32] | None


def settle(
    units: Units,
    standard: Standard,
    *,
    start: NDArray[np.integer[Any]] | None,
    frozen: NDArray[np.bool_] | None,
    pinned: NDArray[np.bool_] | None,
    origin: NDArray[np.integer[Any]] | None,
) -> Given:
    """Check what the caller fixed and settle the grids that the search takes no part in.

    Frozen grids come first; what the standard dedicates is settled among the other units.

    Raises
    ------
    InfeasibleError
        ``start-missing``: units are frozen or pinned without a grid of `start` to keep;
        ``start-across-communities``: a grid of `start` has frozen or pinned units in two communities;
        ``frozen-in-part``: only some units of a grid are frozen.
    """
    begin = None if start is None else np.asarray(start, np.int32)
    ice = _flags(units, frozen)
    pins = _flags(units, pinned) & ~ice
    held = ice | pins
    if held.any():
        _check_held(units, begin, held)
    grid = np.full(units.n, -1, np.int32)
    if begin is not None and ice.any():
        _check_whole(units, begin, ice)
        grid[ice] = np.unique(begin[ice], return_inverse=True)[1]
    frozen_grids = int(grid.max(initial=-1)) + 1
    fixed = find_fixed(units, standard)
    # A grid of the standard that a lock reaches into is left to the lock.
    whole = np.setdiff1d(fixed.grid[fixed.grid >= 0], fixed.grid[held])
    number = np.full(len(fixed.dedicated) + 1, -1, np.int32)
    number[whole] = frozen_grids + np.arange(len(whole), dtype=np.int32)
    grid = np.where(number[fixed.grid] >= 0, number[fixed.grid], grid).astype(np.int32)
    settled = Fixed(grid, np.concatenate([np.zeros(frozen_grids, np.bool_), fixed.dedicated[whole]]))
    is_frozen = np.arange(len(settled.dedicated)) < frozen_grids
    return Given(settled, is_frozen, begin, pins, None if origin is None else np.asarray(origin, np.int32))


def with_counts(
    problems: Sequence[Problem],
    counts: Mapping[int, int] | None,
    given: Given,
) -> list[Problem]:
    """Give every part of the named communities its number of grids.

    A community in several parts shares its number among them by load (largest remainders), at least one each. With
    a division to begin from, a part also tries as many grids as it has there.

    Raises
    ------
    InfeasibleError
        ``grids-count``: fewer grids than parts, or more than units with load.
    """
    shares: dict[int, tuple[int, ...]] = {}
    for community, count in sorted((counts or {}).items()):
        mine = [i for i, p in enumerate(problems) if p.community == community]
        shares |= zip(mine, _shared(problems, mine, count, community), strict=True)
    result = []
    for i, problem in enumerate(problems):
        if i in shares:
            tries = shares[i]
            result.append(replace(problem, counts=tries, span=(tries[0], tries[0]), fixed=True))
        elif given.start is not None:
            own = given.start[problem.rows]
            now = min(len(np.unique(own[own >= 0])), int((problem.static.load > 0).sum()))
            tries = tuple(dict.fromkeys((*problem.counts, max(now, 1))))
            result.append(replace(problem, counts=tries))
        else:
            result.append(problem)
    return result


def check_pins(problems: Sequence[Problem], given: Given) -> None:
    """Refuse units pinned to one grid that lie in several parts.

    Raises
    ------
    InfeasibleError
        ``pinned-apart``.
    """
    home: dict[int, int] = {}
    for i, problem in enumerate(problems if given.start is not None else ()):
        rows = problem.rows[problem.static.pinned]
        for grid in np.unique(given.start[rows]).tolist() if given.start is not None else ():
            if home.setdefault(grid, i) != i:
                raise pinned_apart(problem.community, grid)


def pinned_apart(community: int, grid: int) -> InfeasibleError:
    """Return the error of units pinned to one grid that nothing connects."""
    return InfeasibleError(
        "pinned-apart",
        f"第{community + 1}个社区的网格 {grid} 有固定单元互不相连，也没有可用的单元相连：请解除部分锁定。",
        f"Units pinned to grid {grid} of community number {community + 1} do not touch, and no free unit can "
        "connect them: unlock some.",
        community=community,
        grid=grid,
    )


def _flags(units: Units, flags: NDArray[np.bool_] | None) -> NDArray[np.bool_]:
    return np.zeros(units.n, np.bool_) if flags is None else np.asarray(flags, np.bool_)


def _check_held(units: Units, start: NDArray[np.int32] | None, held: NDArray[np.bool_]) -> None:
    lost = np.flatnonzero(held if start is None else held & (start < 0))
    if len(lost) or start is None:
        community = int(units.community[lost[0]])
        raise InfeasibleError(
            "start-missing",
            f"第{community + 1}个社区有锁定的单元不属于任何网格：锁定前须先给出其所在网格。",
            f"Community number {community + 1} has a locked unit that is in no grid: say which grid it keeps.",
            community=community,
        )
    grids, position = np.unique(start[held], return_inverse=True)
    low, high = np.full(len(grids), units.n), np.full(len(grids), -1)
    np.minimum.at(low, position, units.community[held])
    np.maximum.at(high, position, units.community[held])
    across = np.flatnonzero(low != high)
    if len(across):
        one, other, grid = int(low[across[0]]), int(high[across[0]]), int(grids[across[0]])
        raise InfeasibleError(
            "start-across-communities",
            f"网格 {grid} 的锁定单元分属第{one + 1}和第{other + 1}个社区：网格不能跨社区，请先解锁或拆分。",
            f"Locked units of grid {grid} lie in communities number {one + 1} and {other + 1}: no grid crosses "
            "their border. Unlock or split it first.",
            community=one,
            grid=grid,
        )


def _check_whole(units: Units, start: NDArray[np.int32], ice: NDArray[np.bool_]) -> None:
    half = np.intersect1d(start[ice], start[~ice])
    if len(half):
        grid = int(half[0])
        community = int(units.community[np.flatnonzero(ice & (start == grid))[0]])
        raise InfeasibleError(
            "frozen-in-part",
            f"第{community + 1}个社区的网格 {grid} 只锁定了一部分单元：请锁定整个网格，或只固定其中的单元。",
            f"Only some units of grid {grid} of community number {community + 1} are frozen: freeze the "
            "whole grid, or pin its units.",
            community=community,
            grid=grid,
        )


def _shared(problems: Sequence[Problem], mine: Sequence[int], count: int, community: int) -> list[tuple[int]]:
    load = np.array([problems[i].static.load.sum() for i in mine])
    most = np.array([max(1, int((problems[i].static.load > 0).sum())) for i in mine])
    if not len(mine) or not len(mine) <= count <= int(most.sum()):
        raise InfeasibleError(
            "grids-count",
            f"第{community + 1}个社区无法划分为{count}个网格：有{len(mine)}个互不相连的部分、"
            f"{int(most.sum())}个有住户的单元，网格数须在两者之间。",
            f"Community number {community + 1} cannot be divided into {count} grids: it has {len(mine)} parts that "
            f"do not touch and {int(most.sum())} units with homes, and the number must lie between the two.",
            community=community,
            count=count,
        )
    shares = np.ones(len(mine), np.int64)
    for _ in range(count - len(mine)):
        # The part whose grids are largest gets the next one.
        shares[np.argmax(np.where(shares < most, load / shares, -1.0))] += 1
    return [(int(k),) for k in shares]
