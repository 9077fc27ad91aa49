"""Divide buildings too large for a grid along their unit doors (单元), before the cells are built."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import geopandas as gpd
import numpy as np
import shapely

from geo.findings import Finding

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import pandas as pd
    from numpy.typing import NDArray

    from geo.city import City
    from geo.standards import Standard

LISTED = 10

COUNTS = ("households", "persons", "workers", "party_members")
"""Columns of the buildings that count, so that parts share them."""


@dataclass(frozen=True, slots=True)
class _Doors:
    """The inhabited unit doors of one building, in their order along it."""

    names: tuple[str, ...]
    households: NDArray[np.int64]


def divide_buildings(city: City, standard: Standard) -> City:
    """Replace every building above the standard's `whole_limit` by its parts, one for each inhabited unit door.

    The footprint is cut across its longer axis into pieces of equal length, which touch; a building's doors are
    taken to follow one another from west to east, or from north to south where the building runs so. The cells then
    come out as for any buildings that touch: an exact tiling in which the border of two parts is the cut.

    A part carries the building's attributes, the households of its door, and a share of the persons, workers and
    party members by households; its id is the building's, a colon and the door. Households that no door counts are
    spread over the doors, so that all sums stay. A building without two inhabited doors, or without a footprint,
    stays as it is, and a finding says so.

    Parameters
    ----------
    city
        A loaded city.
    standard
        Says from which load on a building does not fit into a grid.

    Returns
    -------
    City
        The same city when nothing is too large. `City.doors` refers to the parts.
    """
    large = np.flatnonzero(_loads(city, standard) > standard.whole_limit)
    if not len(large):
        return city
    doors = _doors_of(city, large)
    shapes = city.buildings.geometry.to_numpy()
    pieces = {
        row: cut_along(shapes[row], len(door.names)) for row, door in doors.items() if len(door.names) > 1
    }
    pieces = {row: parts for row, parts in pieces.items() if parts}
    findings = _findings(city, standard, [r for r in large.tolist() if r not in pieces], sorted(pieces))
    if not pieces:
        return replace(city, findings=(*city.findings, *findings))
    count = np.ones(len(city.buildings), np.int64)
    for row, parts in pieces.items():
        count[row] = len(parts)
    first = np.cumsum(count) - count
    whole = city.buildings.iloc[np.repeat(np.arange(len(count)), count)].reset_index(drop=True)
    return replace(
        city,
        buildings=_with_parts(whole, {int(first[row]): (doors[row], pieces[row]) for row in pieces}),
        doors=_moved_doors(city.doors, first, {row: doors[row].names for row in pieces}),
        findings=(*city.findings, *findings),
    )


def cut_along(shape: Any, parts: int) -> list[Any]:
    """Cut a footprint across its longer axis into parts of equal length, from west to east or north to south.

    Parameters
    ----------
    shape
        Polygon or MultiPolygon, projected, metres.
    parts
        Number of pieces, at least 1.

    Returns
    -------
    list
        Polygons or MultiPolygons that touch and together are the footprint; empty when a piece would have no area
        or the shape has none.
    """
    if shapely.get_dimensions(shape) < 2 or shapely.area(shape) <= 0.0:
        return []
    axis, origin = _axis(shape)
    turn = np.array([[axis[0], -axis[1]], [axis[1], axis[0]]])
    flat = shapely.transform(shape, lambda xy: (xy - origin) @ turn)
    x0, y0, x1, y1 = shapely.bounds(flat)
    ends = np.linspace(x0, x1, parts + 1)
    slices = shapely.intersection(flat, shapely.box(ends[:-1], y0 - 1.0, ends[1:], y1 + 1.0))
    # Turning back rounds: a ring that touches itself in a corner may cross itself by a hair.
    back = shapely.make_valid(shapely.transform(slices, lambda xy: xy @ turn.T + origin))
    found = [_areal(one) for one in back]
    return [] if any(one is None for one in found) else found


def _axis(shape: Any) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Direction of the longer side of the smallest rectangle around a shape, eastward or southward; its corner."""
    corners = shapely.get_coordinates(shapely.minimum_rotated_rectangle(shape))
    sides = corners[1:3] - corners[:2]
    length = np.hypot(sides[:, 0], sides[:, 1])
    axis = sides[int(length[1] > length[0])] / length.max()
    eastward = axis[0] > 0.0 if abs(axis[0]) >= abs(axis[1]) else axis[1] < 0.0
    return (axis if eastward else -axis), corners[0]


def _areal(shape: Any) -> Any | None:
    """Keep what has area; None without any."""
    parts = shapely.get_parts(shape)
    parts = parts[(shapely.get_dimensions(parts) == 2) & (shapely.area(parts) > 0.0)]
    if not len(parts):
        return None
    return parts[0] if len(parts) == 1 else shapely.multipolygons(parts)


def _loads(city: City, standard: Standard) -> NDArray[np.float64]:
    """Load of every building as `geo.loads` counts a unit of its compound's type."""
    loads = city.buildings[standard.measure].to_numpy(np.float64).copy()
    types = np.append(city.compounds["compound_type"].to_numpy(dtype=object), "")
    kind = types[city.buildings["compound"].to_numpy()]
    for name in dict.fromkeys(kind.tolist()):
        rule = standard.rule_for(name)
        if rule is not None and rule.target is not None:
            mine = kind == name
            counted = city.buildings[rule.measure].to_numpy(np.float64)[mine]
            loads[mine] = counted * (standard.target / rule.target)
    return loads * city.buildings["workload"].to_numpy(np.float64) if "workload" in city.buildings else loads


def _doors_of(city: City, rows: NDArray[np.int64]) -> dict[int, _Doors]:
    """Doors with households of some buildings, by number where the names hold one, and their exact households."""
    total = city.buildings["households"].to_numpy(np.int64)
    wanted = set(rows.tolist())
    counted: dict[int, dict[str, int]] = {}
    columns = (city.doors[c].tolist() for c in ("building", "door", "households"))
    for row, door, households in zip(*columns, strict=True):
        if row in wanted and door != "" and households > 0:
            own = counted.setdefault(row, {})
            own[door] = own.get(door, 0) + households
    found = {}
    for row, own in counted.items():
        names = tuple(sorted(own, key=_number))
        found[row] = _Doors(names, shared_out(int(total[row]), [own[name] for name in names]))
    return found


def _number(door: str) -> tuple[int, str]:
    digits = re.search(r"\d+", door)
    return (int(digits.group()), "") if digits else (0, door)


def shared_out(total: int, weights: NDArray[np.int64] | Sequence[int]) -> NDArray[np.int64]:
    """Share a whole number out by weights, by largest remainders, int64; ties go to the first."""
    weight = np.asarray(weights, np.int64)
    exact = total * weight
    share, rest = np.divmod(exact, max(int(weight.sum()), 1))
    order = np.argsort(-rest, kind="stable")
    share[order[: total - int(share.sum())]] += 1
    return share


def _with_parts(
    frame: gpd.GeoDataFrame, parts: Mapping[int, tuple[_Doors, Sequence[Any]]]
) -> gpd.GeoDataFrame:
    """Give the copies of a building, which start at a row, the households, persons and places of its parts."""
    ids, shapes = frame["building_id"].to_numpy(dtype=object), frame.geometry.to_numpy().copy()
    counts = {c: frame[c].to_numpy(np.int64).copy() for c in COUNTS if c in frame}
    ids = ids.copy()
    for first, (doors, pieces) in parts.items():
        rows = slice(first, first + len(pieces))
        ids[rows] = [f"{ids[first]}:{name}" for name in doors.names]
        for column in counts.keys() - {"households"}:
            counts[column][rows] = shared_out(int(counts[column][first]), doors.households)
        counts["households"][rows] = doors.households
        shapes[rows] = np.array([*pieces, None], dtype=object)[:-1]
    table = frame.drop(columns="geometry").assign(building_id=ids, **counts)[
        list(frame.columns.drop("geometry"))
    ]
    return gpd.GeoDataFrame(table, geometry=shapes, crs=frame.crs)


def _moved_doors(
    doors: pd.DataFrame, first: NDArray[np.int64], names: Mapping[int, tuple[str, ...]]
) -> pd.DataFrame:
    """Let the doors point at the parts; a door without households or name goes to the first part."""
    at = first[doors["building"].to_numpy()].astype(np.int32)
    building, door = doors["building"].to_numpy(), doors["door"].to_numpy(dtype=object)
    for i in np.flatnonzero(np.isin(building, list(names))).tolist():
        own = names[int(building[i])]
        at[i] += own.index(door[i]) if door[i] in own else 0
    return doors.assign(building=at)


def _findings(city: City, standard: Standard, kept: Sequence[int], divided: Sequence[int]) -> list[Finding]:
    limit = int(standard.whole_limit)
    found = []
    if divided:
        mine, names = _listed(city, divided)
        found.append(
            Finding(
                "building-divided",
                "info",
                "buildings",
                len(mine),
                f"{len(mine)} 栋楼超过上限 {limit}，已按单元门划分：{names}。",
                f"{len(mine)} buildings above the limit of {limit} are divided along their unit doors: {names}.",
                rows=tuple(mine["source_row"]),
                ids=tuple(mine["building_id"]),
                households=int(mine["households"].sum()),
            )
        )
    if kept:
        mine, names = _listed(city, kept)
        found.append(
            Finding(
                "building-too-large",
                "warning",
                "buildings",
                len(mine),
                f"{len(mine)} 栋楼超过上限 {limit}，但没有两个以上有住户的单元门或没有楼栋图形，不能划分，所在网格"
                f"将超出范围：{names}。可在住户图层补充“单元”列。",
                f"{len(mine)} buildings above the limit of {limit} have no two inhabited unit doors, or no "
                f"footprint, and cannot be divided; their grids will be too large: {names}. A column of unit "
                "doors in the household layer helps.",
                rows=tuple(mine["source_row"]),
                ids=tuple(mine["building_id"]),
                households=int(mine["households"].sum()),
            )
        )
    return found


def _listed(city: City, rows: Sequence[int]) -> tuple[gpd.GeoDataFrame, str]:
    mine = city.buildings.iloc[list(rows)]
    names = mine["building_id"].tolist()
    return mine, "、".join(names[:LISTED]) + ("…" if len(names) > LISTED else "")
