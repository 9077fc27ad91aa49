"""Every division of a few loads into grids, contiguity aside: what the bounds are held against."""

from __future__ import annotations

from collections.abc import Sequence


def most_inside_by_hand(loads: Sequence[int], count: int, low: int, high: int, *, hard: int = 0) -> int:
    """Try every division into `count` grids that puts no two loads above `high` together beyond `hard`."""
    best = 0

    def grow(i: int, grids: list[list[int]]) -> None:
        nonlocal best
        if i == len(loads):
            if len(grids) == count:
                best = max(best, sum(low <= sum(g) <= high for g in grids))
            return
        for g in grids:
            large = [x for x in [*g, loads[i]] if x > high]
            if len(large) > 1 and sum(large) > hard:
                continue
            g.append(loads[i])
            grow(i + 1, grids)
            g.pop()
        if len(grids) < count:
            grow(i + 1, [*grids, [loads[i]]])

    grow(0, [])
    return best
