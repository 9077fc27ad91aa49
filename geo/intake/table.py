"""One layer with its columns understood and its rows located."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from geo.errors import ColumnError
from geo.intake import cells
from geo.schema import FIELD_NAMES, half_width

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from pyproj import CRS

    from geo.intake.log import Log
    from geo.layers import RawLayer
    from geo.schema import Picked
    from geo.types import Role

MAX_HOUSEHOLDS = 1_000_000
"""A count above this in one row is a mistake (a code in the count column)."""

LARGEST_NUMBER = 1e7
"""Workers, workload or floor area above this are a mistake (a code in the column)."""

_SQUARE_METRES = re.compile(r"\s*(m2|平方米|平米|平方)$", re.IGNORECASE)


@dataclass(frozen=True)
class Table:
    """A layer as read, with what its columns mean.

    Attributes
    ----------
    role
        What the layer is.
    raw
        The layer without personal columns.
    picked
        Which column means what.
    geometry
        Object array, shape (rows,), in `crs`; None for a table without places.
    crs
        Of `geometry`.
    """

    role: Role
    raw: RawLayer
    picked: Picked
    geometry: NDArray[np.object_] | None
    crs: CRS | None

    @property
    def n(self) -> int:
        """Number of rows."""
        return len(self.raw.frame)

    def has(self, field: str) -> bool:
        """Tell whether a column holds this field."""
        return field in self.picked.fields

    def column(self, field: str) -> pd.Series:
        """Return the column of a field."""
        return self.raw.frame[self.picked.fields[field]]

    def text(self, field: str) -> NDArray[np.object_]:
        """Return a field as text, ``""`` where missing or where there is no such column."""
        if not self.has(field):
            return np.full(self.n, "", dtype=object)
        return cells.texts(self.column(field))

    def in_crs(self, crs: CRS) -> NDArray[np.object_]:
        """Return the geometry in another CRS; what cannot be converted is None."""
        if self.geometry is None or self.crs is None:
            return np.full(self.n, None, dtype=object)
        if self.crs == crs:
            return self.geometry
        moved = np.asarray(gpd.GeoSeries(self.geometry, crs=self.crs).to_crs(crs).to_numpy(), dtype=object)
        bounds = shapely.bounds(moved)
        moved[~np.isfinite(bounds).all(axis=1)] = None
        return moved


def household_counts(table: Table, log: Log) -> NDArray[np.int64]:
    """Read the household column: whole numbers, 0 where empty.

    Raises
    ------
    ColumnError
        ``households-not-a-number``, over all rows at once.
    """
    column = table.picked.fields["households"]
    values, bad = cells.numbers(table.raw.frame[column])
    with np.errstate(invalid="ignore"):
        bad = bad | (values < 0) | (values > MAX_HOUSEHOLDS) | (np.floor(values) < values)
    if bad.any():
        rows = table.raw.rows[bad]
        shown = [str(v)[:20] for v in table.raw.frame[column].to_numpy(dtype=object)[bad][:5]]
        pairs_zh = "、".join(f"第 {r} 行“{v}”" for r, v in zip(rows, shown, strict=False))
        pairs_en = ", ".join(f'row {r} "{v}"' for r, v in zip(rows, shown, strict=False))
        raise ColumnError(
            "households-not-a-number",
            f"{table.raw.title} 的户数列“{column}”有 {len(rows)} 个单元格不是非负整数：{pairs_zh}。请改正后重试。",
            f'{table.raw.title}: {len(rows)} cells of the household column "{column}" are no whole numbers '
            f"of at least 0: {pairs_en}. Correct them and try again.",
            layer=table.raw.layer,
            role=table.role,
            column=column,
            rows=[int(r) for r in rows[:1000]],
        )
    log.rows(
        "households-empty",
        "info",
        table,
        np.isnan(values),
        "{title} 有 {n} 行户数为空，按 0 户计（第 {rows} 行）。",
        "{title}: {n} rows have no household count; taken as 0 (rows {rows}).",
    )
    return np.nan_to_num(values).astype(np.int64)


def person_counts(table: Table, log: Log) -> NDArray[np.float64]:
    """Read the persons column; NaN where empty or not usable (with a finding)."""
    if not table.has("persons"):
        return np.full(table.n, np.nan)
    values, bad = cells.numbers(table.column("persons"))
    with np.errstate(invalid="ignore"):
        bad = bad | (values < 0) | (values > 100 * MAX_HOUSEHOLDS)
    log.rows(
        "persons-not-a-number",
        "warning",
        table,
        bad,
        "{title} 有 {n} 行人口数不是数字，按户数估算（第 {rows} 行）。",
        "{title}: {n} rows hold no number of persons; estimated from the households (rows {rows}).",
    )
    return np.where(bad, np.nan, np.rint(values))


def plain_numbers(table: Table, field: str, log: Log) -> NDArray[np.float64]:
    """Read a column of numbers of at least 0; NaN where empty or not usable (with a finding)."""
    if not table.has(field):
        return np.full(table.n, np.nan)
    values, bad = cells.numbers(table.column(field))
    with np.errstate(invalid="ignore"):
        bad = bad | (values < 0) | (values > LARGEST_NUMBER)
    return _without(table, field, values, bad, log)


def floor_areas(table: Table, log: Log) -> NDArray[np.float64]:
    """Read the floor area, m², the unit may stand behind it; NaN where empty or not usable (with a finding)."""
    if not table.has("floor_area_m2"):
        return np.full(table.n, np.nan)
    texts = [_SQUARE_METRES.sub("", half_width(text)) for text in table.text("floor_area_m2")]
    values, bad = cells.numbers(pd.Series(texts, dtype=object))
    with np.errstate(invalid="ignore"):
        bad = bad | (values < 0) | (values > LARGEST_NUMBER)
    return _without(table, "floor_area_m2", values, bad, log)


def member_counts(table: Table, log: Log) -> NDArray[np.float64]:
    """Read the number of party members; NaN where empty or no whole number (with a finding)."""
    if not table.has("party_members"):
        return np.full(table.n, np.nan)
    values, bad = cells.numbers(table.column("party_members"))
    with np.errstate(invalid="ignore"):
        bad = bad | (values < 0) | (values > MAX_HOUSEHOLDS) | (np.floor(values) < values)
    return _without(table, "party_members", values, bad, log)


def _without(
    table: Table, field: str, values: NDArray[np.float64], bad: NDArray[np.bool_], log: Log
) -> NDArray[np.float64]:
    """Put NaN in place of the values that are bad, and say so."""
    name = field.removesuffix("_m2")
    log.rows(
        f"{name.replace('_', '-')}-not-a-number",
        "warning",
        table,
        bad,
        f"{{title}} 有 {{n}} 行的{FIELD_NAMES[field]}不是可用的数字，未采用（第 {{rows}} 行）。",
        f"{{title}}: {{n}} rows hold no usable {name.replace('_', ' ')} number; not used (rows {{rows}}).",
    )
    return np.where(bad, np.nan, values)
