"""A household layer with places that stands in for the building layer."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import shapely

from geo.intake import cells
from geo.intake.buildings import read_table
from geo.intake.homes import Homes, doors_frame, no_household_column, summed_known, unplaced_frame
from geo.intake.table import Table, household_counts, member_counts, person_counts

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from pyproj import CRS

    from geo.intake.log import Log


def buildings_of_households(tables: list[Table], crs: CRS, log: Log) -> tuple[pd.DataFrame, Homes]:
    """Make one building of all household rows with the same id, else name, else place.

    Returns
    -------
    tuple
        Buildings as `geo.intake.buildings.read_buildings` gives them, and their households.

    Raises
    ------
    ColumnError
        ``no-household-column``, ``households-not-a-number``.
    """
    if not any(table.has("households") for table in tables):
        raise no_household_column(tables)
    counted = [table for table in tables if table.has("households")]
    rows = pd.concat([_rows(table, crs, log) for table in counted], ignore_index=True)
    codes, _ = pd.factorize(rows["key"])
    _, first = np.unique(codes, return_index=True)
    count = len(first)
    households = np.zeros(count, np.int64)
    np.add.at(households, codes, rows["households"].to_numpy())
    with_door = rows["has_door"].to_numpy()
    doors = doors_frame(
        codes[with_door],
        rows["door"].to_numpy(dtype=object)[with_door],
        rows["households"].to_numpy()[with_door],
    )
    frame = _merged(rows, codes, first)
    none = np.array([], np.int64)
    homes = Homes(
        households,
        summed_known([codes], [rows["persons"].to_numpy()], count),
        summed_known([codes], [rows["members"].to_numpy()], count),
        doors,
        unplaced_frame("", "", none, none.astype(object), none),
        int(households.sum()),
    )
    return frame, homes


def _rows(table: Table, crs: CRS, log: Log) -> pd.DataFrame:
    """Rows as single buildings; repeated ids are wanted here."""
    frame = read_table(table, crs, log)
    given = table.text("building_id")
    names = cells.name_keys(table.text("building_name"))
    compounds = cells.name_keys(table.text("compound_name"))
    places = shapely.to_wkb(frame["geometry"].to_numpy(dtype=object))
    keys: list[object] = []
    for i in range(table.n):
        if given[i]:
            keys.append(("id", given[i]))
        elif names[i] and compounds[i]:
            keys.append(("name", compounds[i], names[i]))
        elif places[i] is not None:
            keys.append(("place", places[i]))
        else:
            keys.append(("row", table.raw.path, int(table.raw.rows[i])))
    return frame.assign(
        building_id=np.where(given == "", frame["building_id"].to_numpy(dtype=object), given),
        key=pd.Series(keys, dtype=object),
        households=household_counts(table, log),
        persons=person_counts(table, log),
        members=member_counts(table, log),
        door=table.text("unit_door"),
        has_door=table.has("unit_door"),
    )


def _merged(rows: pd.DataFrame, codes: NDArray[np.intp], first: NDArray[np.intp]) -> pd.DataFrame:
    """Attributes of the first row of each building; the place of the first row that has one."""
    frame = rows.iloc[first].drop(columns=["key", "households", "persons", "members", "door", "has_door"])
    shapes = rows["geometry"].to_numpy(dtype=object)
    there = np.flatnonzero(~shapely.is_missing(shapes))[::-1]
    best = np.full(len(first), None, dtype=object)
    best[codes[there]] = shapes[there]
    return frame.assign(geometry=best).reset_index(drop=True)
