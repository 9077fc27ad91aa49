"""Assignments that no single run of the engine made: parts of a city, and plans drawn or mended by hand."""

from __future__ import annotations

from dataclasses import fields, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from geo.adjacency import components, contract
from geo.loads import unit_loads
from geo.partition import CommunitySummary, Partition, Reason

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from geo.standards import Standard
    from geo.units import Units


def take_units(units: Units, rows: NDArray[np.integer[Any]]) -> Units:
    """Return some of the units as a city of their own; borders with the others become outer border.

    Parameters
    ----------
    units
        All units.
    rows
        Rows to keep, ascending; they are numbered from 0 in this order.

    Returns
    -------
    Units; ``of_cell`` is -1 for cells of units left out.
    """
    place = np.full(units.n, -1, np.int32)
    place[rows] = np.arange(len(rows), dtype=np.int32)
    whole = {field.name: getattr(units, field.name) for field in fields(units) if field.name != "of_cell"}
    taken = {name: value[rows] for name, value in whole.items() if isinstance(value, np.ndarray)}
    graph = contract(units.graph, place, len(rows))
    return replace(units, of_cell=place[units.of_cell], graph=graph, **taken)


def ordered(units: Units, label: NDArray[np.integer[Any]]) -> NDArray[np.int32]:
    """Renumber grids from 0 by community, then by their smallest unit; int32, shape (units,)."""
    _, first, inverse = np.unique(label, return_index=True, return_inverse=True)
    order = np.lexsort((first, units.community[first]))
    rank = np.empty(len(first), np.int32)
    rank[order] = np.arange(len(first), dtype=np.int32)
    return rank[inverse]


def drawn_partition(units: Units, standard: Standard, label: NDArray[np.integer[Any]]) -> Partition:
    """Return any assignment as a partition, so that a plan can be made of it.

    Parameters
    ----------
    units
        All units.
    standard
        Measure and band.
    label
        Shape (units,): any non-negative numbers; no number in two communities.

    Returns
    -------
    Partition
        A grid out of the band carries the reason ``"not-searched"``: nobody tried to prove that it must be.
    """
    grid = ordered(units, label)
    count = int(grid.max(initial=-1)) + 1
    community = np.zeros(count, np.int32)
    community[grid] = units.community
    load = sums(grid, unit_loads(units, standard), count)
    reasons = tuple(
        None if standard.min <= value <= standard.max else _not_searched(value, standard)
        for value in load.tolist()
    )
    return Partition(
        grid_of_unit=grid,
        community=community,
        households=sums(grid, units.households, count),
        persons=sums(grid, units.persons, count),
        reasons=reasons,
        communities=_summaries(units, standard, community, reasons),
    )


def sums(label: NDArray[np.integer[Any]], values: NDArray[np.int64], count: int) -> NDArray[np.int64]:
    """Add integers by label, exactly; int64, shape (count,)."""
    total = np.zeros(count, np.int64)
    np.add.at(total, label, values)
    return total


def _not_searched(value: int, standard: Standard) -> Reason:
    zh_unit, en_unit = ("户", "households") if standard.measure == "households" else ("人", "persons")
    return Reason(
        "not-searched",
        proved=False,
        zh=f"{value}{zh_unit}，不在{standard.min}～{standard.max}{zh_unit}内；该网格沿用已有划分，未重新搜索。",
        en=f"{value} {en_unit}, not within {standard.min} to {standard.max}; this grid was taken as drawn, "
        "without a search.",
    )


def _summaries(
    units: Units, standard: Standard, community: NDArray[np.int32], reasons: tuple[Reason | None, ...]
) -> tuple[CommunitySummary, ...]:
    load = unit_loads(units, standard)
    piece = components(units.graph, units.community)
    summaries = []
    for number in np.unique(units.community).tolist():
        mine = units.community == number
        own = [reasons[g] for g in np.flatnonzero(community == number)]
        summaries.append(
            CommunitySummary(
                community=number,
                parts=len(np.unique(piece[mine])),
                grids=len(own),
                in_band=sum(r is None for r in own),
                total=int(load[mine].sum()),
                unavoidable=0,
            )
        )
    return tuple(summaries)
