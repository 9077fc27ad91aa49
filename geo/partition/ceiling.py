"""How good any plan could be: proved ceilings of the shares that `geo.partition.score` reports.

Units are never split and contiguity is left out, so no plan with an admitted number of grids is above the
ceiling, whoever made it. Two things count as given. Numbers of grids are those the band admits when every unit
that is too large has a grid of its own (`geo.partition.problem.candidate_counts`); a plan with another number is
bounded by passing its `community`. And two units that are each too large do not share a grid, unless together
they would not exceed the hard maximum.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from geo.partition.bounds import most_inside
from geo.partition.problem import build_problems
from geo.partition.weights import Weights

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from geo.partition.problem import Problem
    from geo.standards import Standard
    from geo.units import Units


@dataclass(frozen=True, slots=True)
class CommunityCeiling:
    """What no plan of one community can exceed, by number of grids; see the rules of this module.

    Attributes
    ----------
    community
        Position in the city's communities.
    grids
        Admissible numbers of grids, rising.
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
    """Highest shares of all grids, from 0 to 1; each on its own, as if the others did not matter.

    Attributes
    ----------
    in_band, within_10, within_20
        Upper bounds of the attributes of `Score` with the same names.
    communities
        The counts behind them.
    """

    in_band: float
    within_10: float
    within_20: float
    communities: tuple[CommunityCeiling, ...]


def ceiling(
    units: Units,
    standard: Standard,
    *,
    community: NDArray[np.integer[Any]] | None = None,
) -> Ceiling:
    """Bound the shares of plans of these units from above, under the two rules this module starts with.

    Parameters
    ----------
    units
        Units that no plan splits.
    standard
        Band, target and measure.
    community
        Community of each grid of a plan, shape (grids,): bounds plans with as many grids in each community as
        this one has. Without it every number of grids is admitted that the band does.

    Returns
    -------
    Ceiling
        Communities without units are left out.
    """
    own: dict[int, list[Problem]] = {}
    for problem in build_problems(units, standard, Weights()):
        own.setdefault(problem.community, []).append(problem)
    tables = []
    for number, problems in sorted(own.items()):
        counts = _admissible(problems)
        if community is not None:
            counts = [int((community == number).sum())]
        tables.append(_table(number, np.concatenate([p.static.load for p in problems]), counts, standard))
    return Ceiling(
        in_band=_share([dict(zip(t.grids, t.in_band, strict=True)) for t in tables]),
        within_10=_share([dict(zip(t.grids, t.within_10, strict=True)) for t in tables]),
        within_20=_share([dict(zip(t.grids, t.within_20, strict=True)) for t in tables]),
        communities=tuple(tables),
    )


def _admissible(problems: Sequence[Problem]) -> list[int]:
    low = sum(p.span[0] for p in problems)
    return list(range(low, sum(p.span[1] for p in problems) + 1))


def _table(
    number: int, loads: NDArray[np.float64], counts: Sequence[int], standard: Standard
) -> CommunityCeiling:
    hard = standard.max if standard.hard_max is None else standard.hard_max
    bands = [(float(standard.min), float(standard.max))]
    bands += [((1.0 - w - 1e-9) * standard.target, (1.0 + w + 1e-9) * standard.target) for w in (0.1, 0.2)]
    known: dict[tuple[int, int], tuple[int, ...]] = {}
    most = []
    for low, high in bands:
        key = (int(np.ceil(low)), int(np.floor(high)))
        if key not in known:
            inside = most_inside(loads, counts, *key, hard=hard)
            known[key] = tuple(inside[k] for k in counts)
        most.append(known[key])
    return CommunityCeiling(number, tuple(counts), *most)


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
