"""How streets and barriers lie: on bridges, in tunnels, over level crossings."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from geo.intake import cells

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from geo.intake.log import Log
    from geo.intake.table import Table

FLAGS = ("bridge", "tunnel", "crossing")

NO = cells.EMPTY | {"0", "no", "n", "false", "f", "否", "不是", "非"}
"""Values that deny; every other one says yes, as ``yes``, ``1``, ``viaduct``, ``culvert`` or ``是`` do."""

DEEPEST = 99
"""Levels are cut to so many up and down."""


def levels_of(tables: list[Table], log: Log) -> list[dict[str, NDArray[np.generic]]]:
    """Read the columns that say how lines lie, for each table the same ones: those any of them has.

    Returns
    -------
    list
        ``bridge``, ``tunnel``, ``crossing`` (bool), ``layer`` (int16: 0 at grade, above on bridges, below in
        tunnels), by name.
    """
    given = [name for name in (*FLAGS, "layer") if any(table.has(name) for table in tables)]
    return [
        {name: _layer(table, log) if name == "layer" else _flag(table, name) for name in given}
        for table in tables
    ]


def _flag(table: Table, field: str) -> NDArray[np.bool_]:
    return np.array([value.lower() not in NO for value in table.text(field)], bool)


def _layer(table: Table, log: Log) -> NDArray[np.int16]:
    if not table.has("layer"):
        return np.zeros(table.n, np.int16)
    values, bad = cells.numbers(table.column("layer"))
    log.rows(
        "level-not-a-number",
        "info",
        table,
        bad,
        "{title} 有 {n} 行的层号不是数字，按地面处理（第 {rows} 行）。",
        "{title}: {n} rows hold no number as their level; taken as at grade (rows {rows}).",
    )
    return np.clip(np.rint(np.nan_to_num(values)), -DEEPEST, DEEPEST).astype(np.int16)
