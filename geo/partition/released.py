"""Carry a release out: divide the communities anew whose compounds block the band, and say why."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from geo.findings import Finding
from geo.fixed import judge
from geo.partition.engine import partition
from geo.partition.reasons import Partition
from geo.partition.release import QuickSearch, blocking_compounds, refine_units
from geo.types import never_cancel
from geo.units import join_units

if TYPE_CHECKING:
    from collections.abc import Sequence
    from concurrent.futures import Executor

    from geo.city import City
    from geo.partition.release import ReleaseGain
    from geo.standards import Standard
    from geo.types import CancelCheck
    from geo.units import Units


def release_blocking(
    units: Units,
    cells: Units,
    result: Partition,
    standard: Standard,
    *,
    search: QuickSearch | None = None,
    executor: Executor | None = None,
    cancelled: CancelCheck = never_cancel,
) -> tuple[Units, Partition, list[ReleaseGain]]:
    """Release the compounds that block the band and divide their communities anew.

    Parameters
    ----------
    units, cells, result, standard, executor, cancelled
        As in `geo.partition.release.release_gains`.
    search
        How the final division is made, as the first one was; the searches before it are quick.

    Returns
    -------
    tuple
        The finer units, their partition, and the releases. Only communities with a release are divided anew, and
        one that has no fewer grids out of the band in the end keeps its compounds and its grids.
    """
    final = search or QuickSearch(effort="normal")
    quick = final._replace(effort=QuickSearch().effort)
    gains = blocking_compounds(
        units, cells, result, standard, search=quick, executor=executor, cancelled=cancelled
    )
    if not gains:
        return units, result, []
    finer = refine_units(units, cells, [gain.unit for gain in gains])
    touched = np.isin(finer.community, [gain.community for gain in gains])
    part = join_units(finer, np.full(finer.n, -1, np.int32), keep=touched)
    divided = partition(part, standard, **final._asdict(), executor=executor, cancelled=cancelled)
    before, after = _outside(units, result, standard), _outside(part, divided, standard)
    kept = [gain for gain in gains if after[gain.community] < before[gain.community]]
    finer = refine_units(units, cells, [gain.unit for gain in kept])
    return finer, _spliced(finer, (units, result), (part, divided), {g.community for g in kept}), kept


def _spliced(
    finer: Units, old: tuple[Units, Partition], new: tuple[Units, Partition], communities: set[int]
) -> Partition:
    """Take the grids of some communities from the new division, the others from the old one."""
    (units, before), (part, after) = old, new
    numbers = [np.full(one.n_grids, -1, np.int32) for one in (before, after)]
    grids: list[tuple[Partition, int]] = []
    summaries = []
    for own in before.communities:
        second = own.community in communities
        source = after if second else before
        mine = np.flatnonzero(source.community == own.community)
        numbers[second][mine] = len(grids) + np.arange(len(mine), dtype=np.int32)
        grids.extend((source, g) for g in mine.tolist())
        summaries.append(next(s for s in source.communities if s.community == own.community))
    renewed = np.isin(units.community[units.of_cell], sorted(communities))
    of_cell = numbers[0][before.grid_of_unit[units.of_cell]]
    of_cell[renewed] = numbers[1][after.grid_of_unit[part.of_cell[renewed]]]
    grid_of_unit = np.zeros(finer.n, np.int32)
    grid_of_unit[finer.of_cell] = of_cell
    return Partition(
        grid_of_unit=grid_of_unit,
        community=np.array([source.community[g] for source, g in grids], np.int32),
        households=np.array([source.households[g] for source, g in grids], np.int64),
        persons=np.array([source.persons[g] for source, g in grids], np.int64),
        reasons=tuple(source.reasons[g] for source, g in grids),
        communities=tuple(summaries),
    )


def release_findings(city: City, gains: Sequence[ReleaseGain]) -> tuple[Finding, ...]:
    """Say of every release which compound it is and why, one finding each."""
    ids, names = city.compounds["compound_id"], city.compounds["name"]
    return tuple(
        Finding(
            "compound-released",
            "info",
            "compounds",
            1,
            f"“{names[gain.compound] or ids[gain.compound]}”：{gain.zh}",
            f'"{names[gain.compound] or ids[gain.compound]}": {gain.en}',
            ids=(str(ids[gain.compound]),),
        )
        for gain in gains
    )


def _outside(units: Units, result: Partition, standard: Standard) -> dict[int, int]:
    """Count the grids out of the band in every community."""
    judged = judge(units, standard, result.grid_of_unit, result.n_grids)
    count = np.bincount(result.community, weights=~judged.in_band)
    return {int(c): int(count[c]) for c in np.unique(result.community)}
