"""Building groups: parts of a grid with 3 to 15 party members, every home within a service radius."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
import shapely
from scipy.sparse import csr_array
from scipy.sparse.csgraph import dijkstra
from scipy.spatial.distance import cdist

from geo.drawn import drawn_partition, sums, take_units
from geo.findings import Finding
from geo.search import Search
from geo.standards import Standard
from geo.types import no_progress

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from geo.city import City
    from geo.partition import Partition
    from geo.tiling import Tiling
    from geo.units import Units

MEMBERS_PER_HOUSEHOLD = 0.09
"""Party members of all kinds for each household: about 20,000 in 867 grids of 250 households, where none are
counted. An assumption, always editable."""

RADIUS_M = 200.0
"""Service radius of a group where none is given, metres: a walk of two to three minutes. An assumption."""

ROUNDS = 3
"""How often the engine gets one more group for each one that is too wide, before such groups are simply cut."""

GROUP_STANDARD = Standard(
    id="building-group-3-15",
    name_zh="楼栋党小组（3～15名党员）",
    name_en="Building groups of 3 to 15 party members",
    measure="households",
    target=9,
    min=3,
    max=15,
    unit="building_or_unit",
    split_compound="over_max",
    levels=("grid", "building_group"),
    evidence={
        "min": "read: a party group has at least 3 members",
        "max": "read: a group above 15 members should be split",
        "target": "assumption: the middle of the band",
    },
)
"""The measure here is party members: they stand in the place of households (see `count_members`)."""


@dataclass(frozen=True)
class Groups:
    """Building groups of every grid.

    Attributes
    ----------
    parts
        The partition; its ``households`` are party members.
    centre
        int64, shape (groups,): row in the city's buildings of the building from which the farthest home of the
        group is nearest; -1 for a group without homes.
    reach_m
        float64, shape (groups,): distance from it to that farthest home, metres; 0 without homes.
    """

    parts: Partition
    centre: NDArray[np.int64]
    reach_m: NDArray[np.float64]


def count_members(
    city: City, *, per_household: float = MEMBERS_PER_HOUSEHOLD
) -> tuple[NDArray[np.int64], list[Finding]]:
    """Return the party members of every building: counted where there is a column, else estimated.

    Estimates are whole numbers whose sum in a community is the community's households times the ratio, rounded
    (largest remainders, ties to the lowest row).

    Parameters
    ----------
    city
        A column ``party_members`` of its buildings is taken as counted.
    per_household
        Members for each household where none are counted.

    Returns
    -------
    int64, shape (buildings,), and a finding that says so when they are estimated.
    """
    buildings = city.buildings
    if "party_members" in buildings:
        return buildings["party_members"].fillna(0).to_numpy(np.int64), []
    wanted = buildings["households"].to_numpy(np.float64) * per_household
    members = np.floor(wanted).astype(np.int64)
    community = buildings["community"].to_numpy()
    for number in np.unique(community):
        rows = np.flatnonzero(community == number)
        short = round(float(wanted[rows].sum())) - int(members[rows].sum())
        remainder = wanted[rows] - members[rows]
        members[rows[np.lexsort((rows, -remainder))[:short]]] += 1
    finding = Finding(
        "party-members-estimated",
        "info",
        "buildings",
        len(buildings),
        f"楼栋图层没有党员数，按每户 {per_household:g} 名估算，共 {int(members.sum())} 名。",
        f"The buildings have no number of party members; {per_household:g} per household are estimated, "
        f"{int(members.sum())} in all.",
    )
    return members, [finding]


def divide_into_groups(
    city: City,
    tiling: Tiling,
    units: Units,
    members: NDArray[np.int64],
    *,
    standard: Standard = GROUP_STANDARD,
    radius_m: float = RADIUS_M,
    search: Search | None = None,
) -> Groups:
    """Divide every grid into building groups; where a group would exceed the radius, into more of them.

    The radius holds from the group's best placed building with homes to every other one, in a straight line
    between points inside them. It goes before the number of members: a far-flung grid gets smaller groups. A group
    that is still too wide after `ROUNDS` attempts of the engine is cut between its two homes farthest apart.

    Parameters
    ----------
    city, tiling, units
        With grids in the place of communities (`geo.levels.inside`); each unit is one cell.
    members
        int64, shape (buildings,).
    standard
        Band of members a group.
    radius_m
        Service radius, metres.
    search
        How to run the engine.
    """
    # Rules by type and workloads are about households: members count as they are.
    counted = replace(units, households=_of_unit(tiling, units, members), kind=None, workload=None)
    homes = _homes(city, tiling, units)
    search = search or Search()
    parts = search.run(counted, standard)
    label = parts.grid_of_unit.astype(np.int64)
    for _ in range(ROUNDS):
        more = _one_more_each(homes, counted, label, radius_m)
        if not more:
            break
        rows = np.flatnonzero(np.isin(units.community, list(more)))
        again = replace(search, progress=no_progress).run(take_units(counted, rows), standard, counts=more)
        label[rows] = again.grid_of_unit + label.max() + 1
    places = _places(city, tiling, units)
    label = _cut_wide_ones(homes, units, places, label, radius_m)
    return _summed(counted, standard, homes, label)


@dataclass(frozen=True)
class _Homes:
    """Buildings with homes: row in the city's buildings, unit, and a point inside, shape (homes, 2), metres."""

    row: NDArray[np.int64]
    unit: NDArray[np.int32]
    xy: NDArray[np.float64]


def _homes(city: City, tiling: Tiling, units: Units) -> _Homes:
    row = np.flatnonzero((tiling.building_cell >= 0) & (city.buildings["households"].to_numpy() > 0))
    points = shapely.point_on_surface(city.buildings.geometry.to_numpy()[row])
    return _Homes(row, units.of_cell[tiling.building_cell[row]], shapely.get_coordinates(points))


def _of_unit(tiling: Tiling, units: Units, values: NDArray[np.int64]) -> NDArray[np.int64]:
    placed = tiling.building_cell >= 0
    return sums(units.of_cell[tiling.building_cell[placed]], values[placed], units.n)


def _places(city: City, tiling: Tiling, units: Units) -> NDArray[np.float64]:
    """Return a point inside each unit's first cell, metres."""
    first = np.unique(units.of_cell, return_index=True)[1]
    cells = tiling.cells.geometry.iloc[first].to_crs(city.crs)
    return shapely.get_coordinates(shapely.point_on_surface(cells.to_numpy()))


def _reach(
    homes: _Homes, label: NDArray[np.int64], count: int
) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """Return each group's centre (row of a building, -1 none) and the distance to its farthest home."""
    centre, reach = np.full(count, -1, np.int64), np.zeros(count)
    group = label[homes.unit]
    order = np.argsort(group, kind="stable")
    starts = np.flatnonzero(np.diff(group[order], prepend=-1))
    for mine in np.split(order, starts[1:]) if len(order) else []:
        farthest = cdist(homes.xy[mine], homes.xy[mine]).max(axis=1)
        best = int(np.argmin(farthest))
        centre[group[mine[0]]] = homes.row[mine[best]]
        reach[group[mine[0]]] = farthest[best]
    return centre, reach


def _one_more_each(homes: _Homes, units: Units, label: NDArray[np.int64], radius_m: float) -> dict[int, int]:
    """Return for each grid with groups that are too wide: its groups and one more for each of those."""
    _, label = np.unique(label, return_inverse=True)
    count = int(label.max(initial=-1)) + 1
    wide = _reach(homes, label, count)[1] > radius_m
    grid = np.zeros(count, np.int64)
    grid[label] = units.community
    have, lack = np.bincount(grid), np.bincount(grid, weights=wide)
    room = np.bincount(units.community, weights=units.households > 0, minlength=len(have))
    return {int(g): int(have[g] + lack[g]) for g in np.flatnonzero(lack) if have[g] + lack[g] <= room[g]}


def _cut_wide_ones(
    homes: _Homes,
    units: Units,
    places: NDArray[np.float64],
    label: NDArray[np.int64],
    radius_m: float,
) -> NDArray[np.int64]:
    """Cut every group that is too wide in two, again and again, until none is."""
    _, label = np.unique(label, return_inverse=True)
    steps = np.hypot(*(places[units.graph.focal] - places[units.graph.neighbor]).T)
    queue = list(range(int(label.max(initial=-1)) + 1))
    count = len(queue)
    while queue:
        group = queue.pop()
        mine = np.flatnonzero(label[homes.unit] == group)
        apart = cdist(homes.xy[mine], homes.xy[mine])
        if not len(mine) or apart.max(axis=1).min() <= radius_m:
            continue
        one, other = homes.unit[mine[list(divmod(int(apart.argmax()), len(mine)))]].tolist()
        if one == other:
            # A unit of one cell can be no wider than its buildings: no cut would help.
            continue
        rows = np.flatnonzero(label == group)
        label[rows[_nearer_to_other(units, steps, rows, one, other)]] = count
        queue += [group, count]
        count += 1
    return label


def _nearer_to_other(
    units: Units, steps: NDArray[np.float64], rows: NDArray[np.int64], one: int, other: int
) -> NDArray[np.bool_]:
    """Say which units of a connected group are nearer to `other` than to `one` by the way through the group.

    Either side is connected: the way from a unit to its nearer end leads through units of the same side.
    """
    place = np.full(units.n, -1)
    place[rows] = np.arange(len(rows))
    a, b = place[units.graph.focal], place[units.graph.neighbor]
    inner = (a >= 0) & (b >= 0)
    graph = csr_array((np.maximum(steps[inner], 1e-6), (a[inner], b[inner])), shape=(len(rows), len(rows)))
    far = dijkstra(graph, directed=False, indices=[place[one], place[other]])
    return np.asarray(far[1] < far[0], np.bool_)


def _summed(units: Units, standard: Standard, homes: _Homes, label: NDArray[np.int64]) -> Groups:
    parts = drawn_partition(units, standard, label)
    centre, reach = _reach(homes, parts.grid_of_unit.astype(np.int64), parts.n_grids)
    return Groups(parts, centre, reach)
