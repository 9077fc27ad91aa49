"""Rows to records and back."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Any, TypeVar

if TYPE_CHECKING:
    from collections.abc import Mapping

    from sqlalchemy import RowMapping, Table

Record = TypeVar("Record")


def values_of(record: Any) -> dict[str, Any]:
    """Return the fields of a record by name, as they are."""
    return {field.name: getattr(record, field.name) for field in dataclasses.fields(record)}


def record_of(kind: type[Record], row: RowMapping | Mapping[str, Any]) -> Record:
    """Return the record of a row; columns that it does not have are left out."""
    names = {field.name for field in dataclasses.fields(kind)}  # type: ignore[arg-type]
    return kind(**{name: value for name, value in row.items() if name in names})


def columns_of(table: Table) -> frozenset[str]:
    """Return the names of a table's columns."""
    return frozenset(column.name for column in table.columns)
