"""Read the cells of a table as text or as numbers."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from geo.schema import half_width

if TYPE_CHECKING:
    from numpy.typing import NDArray

EMPTY = frozenset(
    ("", "-", "--", "—", "——", "/", "\\", "无", "空", "null", "<null>", "none", "nan", "n/a", "na", "#n/a")
)
_UNIT = re.compile(r"(户|人|套|间|层|家|栋|幢)$")
_NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?")
_GROUPED = re.compile(r"[+-]?\d{1,3}(,\d{3})+(\.\d*)?")
_HOUSE = re.compile(r"(\d+)(号楼|号|幢|栋|座|#楼|#)$")
_SPACES = re.compile(r"\s+")


def texts(column: pd.Series) -> NDArray[np.object_]:
    """Return the cells as stripped text; ``""`` where missing, ``"12"`` for 12.0."""
    if column.dtype == object or isinstance(column.dtype, pd.StringDtype):
        return _by_distinct(column, _text)
    return _by_distinct(column.astype(object), _text)


def numbers(column: pd.Series) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
    """Return the cells as numbers, and which cells hold something that is none.

    ``"1,200"``, ``"２４"``, ``"36户"`` are numbers. Empty cells are NaN and not marked.
    """
    if pd.api.types.is_bool_dtype(column.dtype):
        return np.full(len(column), np.nan), np.ones(len(column), bool)
    if pd.api.types.is_numeric_dtype(column.dtype):
        values = column.to_numpy(dtype=np.float64, na_value=np.nan)
        return values, np.isinf(values)
    parsed = _by_distinct(column.astype(object), _number)
    bad = parsed == "bad"
    parsed[bad] = np.nan
    return parsed.astype(np.float64), bad.astype(bool)


def id_keys(ids: NDArray[np.object_]) -> NDArray[np.object_]:
    """Bring ids to the form in which two layers' ids are compared."""
    return _by_distinct(
        pd.Series(ids, dtype=object), lambda text: half_width(text).upper().removesuffix(".0")
    )


def name_keys(names: NDArray[np.object_]) -> NDArray[np.object_]:
    """Bring building and compound names to one form: ``3号楼``, ``3幢`` and ``03栋`` are the same."""
    return _by_distinct(pd.Series(names, dtype=object), _name)


def _by_distinct(column: pd.Series, convert: object) -> NDArray[np.object_]:
    codes, distinct = pd.factorize(column.to_numpy(dtype=object), use_na_sentinel=True)
    converted = np.empty(len(distinct) + 1, dtype=object)
    converted[:-1] = [convert(value) for value in distinct]  # type: ignore[operator]
    converted[-1] = convert("")  # type: ignore[operator]
    return converted[codes]


def _text(value: object) -> str:
    if isinstance(value, float | np.floating) and float(value).is_integer():
        return str(int(value))
    text = str(value).strip()
    return "" if text.lower() in ("nan", "none", "null", "<null>", "nat") else text


def _number(value: object) -> float | str:
    if isinstance(value, bool | np.bool_):
        return "bad"
    if isinstance(value, int | float | np.integer | np.floating):
        return "bad" if np.isinf(value) else float(value)
    text = half_width(str(value)).lower().replace("，", ",")
    if text in EMPTY:
        return float("nan")
    text = _UNIT.sub("", _SPACES.sub("", text))
    if _GROUPED.fullmatch(text):
        text = text.replace(",", "")
    return float(text) if _NUMBER.fullmatch(text) else "bad"


def _name(value: str) -> str:
    text = _SPACES.sub("", half_width(value)).lower()
    return _HOUSE.sub(r"\1", text).lstrip("0") or text
