"""Households: counted in the building layer, or joined to it from a layer of their own."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import shapely

from geo.errors import ColumnError, LayerError
from geo.intake import cells
from geo.intake.buildings import NEAR_M
from geo.intake.geometry import clean_points
from geo.intake.log import listed
from geo.intake.table import Table, household_counts, member_counts, person_counts

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray
    from pyproj import CRS

    from geo.intake.log import Log

UNPLACED_COLUMNS = ("reason", "source", "source_row", "id", "households")


@dataclass(frozen=True)
class Homes:
    """Households per building.

    Attributes
    ----------
    households
        int64, shape (buildings,).
    persons, members
        float64, shape (buildings,): persons and party members; NaN where not counted.
    doors
        ``building`` (position), ``door``, ``households``.
    unplaced
        Rows of the household layer without a building; columns as in `geo.city.City`.
    total
        Households in the input.
    """

    households: NDArray[np.int64]
    persons: NDArray[np.float64]
    members: NDArray[np.float64]
    doors: pd.DataFrame
    unplaced: pd.DataFrame
    total: int


@dataclass(frozen=True)
class _Rows:
    """One household table, row by row."""

    table: Table
    households: NDArray[np.int64]
    persons: NDArray[np.float64]
    members: NDArray[np.float64]
    building: NDArray[np.int64]


def count_homes(
    frame: pd.DataFrame, buildings: list[Table], tables: list[Table], crs: CRS, log: Log
) -> Homes:
    """Count the households of every building.

    A household layer with counts wins over counts in the building layer.

    Parameters
    ----------
    frame
        Buildings of `read_buildings`.
    buildings
        The tables `frame` was read from, in the same order.
    tables
        Household tables, may be empty.

    Raises
    ------
    ColumnError
        ``no-household-column``, ``households-not-a-number``.
    LayerError
        ``households-not-joined``: no row of the household layer fits a building.
    """
    counted = [table for table in tables if table.has("households")]
    if not counted:
        if not any(table.has("households") for table in buildings):
            raise no_household_column([*tables, *buildings])
        for table in tables:
            _note_uncounted(table, log)
        return _own_counts(buildings, log)
    own = [table for table in buildings if table.has("households")]
    joined = [_join(frame, table, crs, log) for table in counted]
    homes = _summed(frame, joined)
    if homes.total and not homes.households.any():
        raise _nothing_joined(frame, joined[0])
    if own:
        _note_two_counts(own, homes.total, log)
    if np.isnan(homes.persons).all() and any(table.has("persons") for table in buildings):
        homes = replace(homes, persons=np.concatenate([person_counts(table, log) for table in buildings]))
    if np.isnan(homes.members).all() and any(table.has("party_members") for table in buildings):
        homes = replace(homes, members=np.concatenate([member_counts(table, log) for table in buildings]))
    return homes


def no_household_column(tables: list[Table]) -> ColumnError:
    """Make the error for layers without any household column: which, what they have, how to name one."""
    columns = {t.raw.title: [str(c) for c in t.raw.frame.columns] for t in tables}
    seen_zh = "；".join(f"{title} 有 {'、'.join(names) or '（没有列）'}" for title, names in columns.items())
    seen_en = "; ".join(f"{title} has {', '.join(names) or 'none'}" for title, names in columns.items())
    role = tables[0].role
    return ColumnError(
        "no-household-column",
        f"找不到户数列。{seen_zh}。请把户数列命名为“户数”，或指定：--column {role}.households=列名。",
        f"No household column found. {seen_en}. Name it with --column {role}.households=NAME.",
        layers=list(columns),
        columns=columns,
    )


def doors_frame(
    building: NDArray[np.int64], door: NDArray[np.object_], households: NDArray[np.int64]
) -> pd.DataFrame:
    """Sum households per building and door, doors in the order they first appear."""
    frame = pd.DataFrame({"building": building.astype(np.int32), "door": door, "households": households})
    summed = frame.groupby(["building", "door"], sort=False)["households"].sum().reset_index()
    order = np.argsort(summed["building"].to_numpy(), kind="stable")
    return summed.iloc[order].reset_index(drop=True)


def summed_known(
    building: Sequence[NDArray[np.integer]], values: Sequence[NDArray[np.float64]], size: int
) -> NDArray[np.float64]:
    """Sum values by building, float64, shape (size,); NaN is not counted, and NaN where nothing is; -1 is none."""
    at, value = np.concatenate(building), np.concatenate(values)
    known = (at >= 0) & ~np.isnan(value)
    total = np.bincount(at[known], weights=value[known], minlength=size)
    return np.where(np.bincount(at[known], minlength=size) > 0, total, np.nan)


def unplaced_frame(
    reason: str, source: str, rows: NDArray[np.int64], ids: NDArray[np.object_], households: NDArray[np.int64]
) -> pd.DataFrame:
    """Build rows of the list of unplaced households; rows without households are left out."""
    lost = households > 0
    return pd.DataFrame(
        {
            "reason": np.full(int(lost.sum()), reason, dtype=object),
            "source": np.full(int(lost.sum()), source, dtype=object),
            "source_row": rows[lost].astype(np.int64),
            "id": ids[lost].astype(object),
            "households": households[lost].astype(np.int64),
        }
    )


def _own_counts(buildings: list[Table], log: Log) -> Homes:
    households, persons = [], []
    for table in buildings:
        if table.has("households"):
            households.append(household_counts(table, log))
        else:
            _note_uncounted(table, log)
            households.append(np.zeros(table.n, np.int64))
        persons.append(person_counts(table, log))
    counts = np.concatenate(households)
    none = np.array([], np.int64)
    return Homes(
        counts,
        np.concatenate(persons),
        np.concatenate([member_counts(table, log) for table in buildings]),
        doors_frame(none, none.astype(object), none),
        unplaced_frame("", "", none, none.astype(object), none),
        int(counts.sum()),
    )


def _join(frame: pd.DataFrame, table: Table, crs: CRS, log: Log) -> _Rows:
    """Find the building of every household row: by id, by compound and building name, by address, by place."""
    households, persons = household_counts(table, log), person_counts(table, log)
    members = member_counts(table, log)
    building = np.full(table.n, -1, np.int64)
    ways: dict[str, int] = {}

    def match(way: str, theirs: NDArray[np.object_], mine: NDArray[np.object_], *, first: bool) -> None:
        found = _by_key(theirs, mine, first=first)
        new = (building < 0) & (found >= 0)
        building[new] = found[new]
        if new.any():
            ways[way] = int(new.sum())

    match(
        "building_id", frame["id_key"].to_numpy(object), cells.id_keys(table.text("building_id")), first=True
    )
    if (building < 0).any():
        names = cells.name_keys(table.text("building_name"))
        compounds = cells.name_keys(table.text("compound_name"))
        own_names = cells.name_keys(frame["building_name"].to_numpy(object))
        own_compounds = cells.name_keys(frame["compound_name"].to_numpy(object))
        match("name", _pair(own_compounds, own_names), _pair(compounds, names), first=False)
        addresses = cells.name_keys(table.text("address"))
        match("address", cells.name_keys(frame["address"].to_numpy(object)), addresses, first=False)
    if (building < 0).any() and table.geometry is not None:
        ways |= _by_place(frame["geometry"].to_numpy(dtype=object), table, crs, building, log)
    _note_ways(table, ways, log)
    return _Rows(table, households, persons, members, building)


def _nothing_joined(frame: pd.DataFrame, rows: _Rows) -> LayerError:
    title = rows.table.raw.title
    theirs = [text for text in rows.table.text("building_id") if text]
    mine = [text for text in frame["id_key"] if text]
    seen_zh = f"住户图层如 {listed(theirs[:3]) or '（空）'}，楼栋图层如 {listed(mine[:3]) or '（空）'}"
    seen_en = f"there: {listed(theirs[:3]) or 'none'}; in the building layer: {listed(mine[:3]) or 'none'}"
    return LayerError(
        "households-not-joined",
        f"{title} 没有一行能与楼栋对应。需要相同的楼栋编号（{seen_zh}），或小区加楼号、地址、坐标。"
        "请核对，或用 --column households.building_id=列名 和 buildings.building_id=列名 指定编号列。",
        f"No row of {title} fits a building. Both layers need the same building ids ({seen_en}), or compound and "
        "building names, addresses, or places. Check them, or name the columns with --column "
        "households.building_id=NAME and buildings.building_id=NAME.",
        layer=rows.table.raw.layer,
        role="households",
    )


def _by_key(theirs: NDArray[np.object_], mine: NDArray[np.object_], *, first: bool) -> NDArray[np.int64]:
    """Position in `theirs` of each key in `mine`, -1 where empty, unknown, or (unless `first`) ambiguous."""
    index = pd.Series(np.arange(len(theirs)), index=pd.Index(theirs, dtype=object))
    index = index[index.index != ""]
    index = index[~index.index.duplicated(keep="first" if first else False)]
    found = index.index.get_indexer(pd.Index(mine, dtype=object))
    return np.where(found >= 0, index.to_numpy()[found] if len(index) else -1, -1)


def _pair(compounds: NDArray[np.object_], names: NDArray[np.object_]) -> NDArray[np.object_]:
    return np.where(names == "", "", compounds + "\x1f" + names)


def _by_place(
    shapes: NDArray[np.object_], table: Table, crs: CRS, building: NDArray[np.int64], log: Log
) -> dict[str, int]:
    """Fill in the building of rows that have none yet from where they are; return how many, by which way."""
    points, _ = clean_points(table.in_crs(crs))
    left = np.flatnonzero((building < 0) & ~shapely.is_missing(points))
    if not len(left) or shapely.is_missing(shapes).all():
        return {}
    tree = shapely.STRtree(shapes)
    found = np.full(len(left), len(shapes), np.int64)
    at, hit = tree.query(points[left], predicate="intersects")
    np.minimum.at(found, at, hit)
    ways = {"place": int((found < len(shapes)).sum())}
    away = np.flatnonzero(found == len(shapes))
    if len(away):
        at, hit = tree.query_nearest(points[left[away]], max_distance=NEAR_M, all_matches=True)
        np.minimum.at(found, away[at], hit)
        snapped = np.zeros(table.n, bool)
        snapped[left[away[np.unique(at)]]] = True
        log.rows(
            "households-snapped",
            "info",
            table,
            snapped,
            f"{{title}} 有 {{n}} 行的位置不在楼栋内，归入 {NEAR_M:.0f} 米内最近的楼栋（第 {{rows}} 行）。",
            f"{{title}}: {{n}} rows lie in no building; joined to one within {NEAR_M:.0f} m (rows {{rows}}).",
        )
        ways["near"] = int(snapped.sum())
    building[left] = np.where(found == len(shapes), -1, found)
    return ways


def _summed(frame: pd.DataFrame, joined: list[_Rows]) -> Homes:
    size = len(frame)
    households = np.zeros(size, np.int64)
    doors, unplaced = [], []
    for rows in joined:
        placed = rows.building >= 0
        np.add.at(households, rows.building[placed], rows.households[placed])
        if rows.table.has("unit_door"):
            doors.append(
                doors_frame(
                    rows.building[placed], rows.table.text("unit_door")[placed], rows.households[placed]
                )
            )
        unplaced.append(_without_building(rows))
    none = np.array([], np.int64)
    return Homes(
        households,
        summed_known([rows.building for rows in joined], [rows.persons for rows in joined], size),
        summed_known([rows.building for rows in joined], [rows.members for rows in joined], size),
        pd.concat(doors, ignore_index=True) if doors else doors_frame(none, none.astype(object), none),
        pd.concat(unplaced, ignore_index=True),
        int(sum(rows.households.sum() for rows in joined)),
    )


def _without_building(rows: _Rows) -> pd.DataFrame:
    table, lost = rows.table, rows.building < 0
    ids = table.text("building_id")
    for field in ("address", "building_name", "compound_name"):
        ids = np.where(ids == "", table.text(field), ids)
    return unplaced_frame("no-building", table.role, table.raw.rows[lost], ids[lost], rows.households[lost])


def note_unmatched(unplaced: pd.DataFrame, log: Log) -> None:
    """Add the finding on household rows without a building."""
    lost = unplaced[unplaced["reason"] == "no-building"]
    if len(lost) == 0:
        return
    count, households = len(lost), int(lost["households"].sum())
    log.note(
        "households-unmatched",
        "error",
        "households",
        f"{count} 行住户数据（{households} 户）找不到对应的楼栋，未计入网格：{listed(lost['id'])}（第 "
        f"{listed(lost['source_row'])} 行）。",
        f"{count} household rows ({households} households) belong to no building and are in no grid: "
        f"{listed(lost['id'])} (rows {listed(lost['source_row'])}).",
        count=count,
        rows=tuple(lost["source_row"]),
        ids=tuple(lost["id"]),
        households=households,
    )


_WAYS = {
    "building_id": ("楼栋编号", "building id"),
    "name": ("小区和楼号", "compound and building name"),
    "address": ("地址", "address"),
    "place": ("位置", "place"),
    "near": ("就近", "nearness"),
}


def _note_ways(table: Table, ways: dict[str, int], log: Log) -> None:
    used = {way: n for way, n in ways.items() if n}
    if not used:
        return
    zh = "、".join(f"{n} 行按{_WAYS[way][0]}" for way, n in used.items())
    en = ", ".join(f"{n} rows by {_WAYS[way][1]}" for way, n in used.items())
    log.note(
        "households-joined",
        "info",
        table.role,
        f"{table.raw.title} 与楼栋关联：{zh}。",
        f"{table.raw.title} was joined to the buildings: {en}.",
        count=sum(used.values()),
    )


def _note_uncounted(table: Table, log: Log) -> None:
    log.note(
        "layer-without-households",
        "warning",
        table.role,
        f"{table.raw.title} 没有户数列，按 0 户计。如有户数列，请指定 {table.role}.households。",
        f"{table.raw.title} has no household column and counts as 0. Name one with {table.role}.households.",
        count=table.n,
    )


def _note_two_counts(own: list[Table], total: int, log: Log) -> None:
    columns = "、".join(table.picked.fields["households"] for table in own)
    log.note(
        "households-counted-twice",
        "info",
        "households",
        f"楼栋图层（{columns}）和住户图层都有户数，采用住户图层的 {total} 户。",
        f"Both the building layer ({columns}) and the household layer count households; the {total} of the "
        "household layer are used.",
        count=len(own),
    )
