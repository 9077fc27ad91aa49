"""Published plans as a table that QGIS opens: ``grids`` in PostGIS, else a GeoPackage beside the database."""

from __future__ import annotations

import os
import shutil
import sqlite3
import tempfile
import threading
from contextlib import closing, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sqlalchemy import text

from web.store.models import now

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

    from web.store.engine import Database
    from web.store.records import PlanRecord

FILE = "published.gpkg"
LAYER = "grids"
COLUMNS: Mapping[str, type] = {
    "plan_id": str,
    "grid_id": int,
    "plan_name": str,
    "project_name": str,
    "revision": int,
    "published_at": str,
    "code": str,
    "name": str,
    "community": str,
    "community_id": str,
    "households": int,
    "persons": int,
    "load": int,
    "buildings": int,
    "cells": int,
    "deviation": float,
    "in_band": bool,
    "polsby_popper": float,
    "area_m2": float,
    "perimeter_m": float,
    "staff": int,
    "kind": str,
    "note": str,
}
"""Columns of a published grid beside its geometry; `docs/operations.md` says what they hold."""
BLANK: Mapping[type, Any] = {str: "", int: 0, float: None, bool: None}


class PublishedStore:
    """Keep the grids of published plans where other programs read them."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._lock = threading.Lock()

    @property
    def path(self) -> Path | None:
        """The GeoPackage of an embedded store; there is none with PostGIS."""
        return self._database.path.with_name(FILE) if self._database.embedded else None

    def write(
        self, plan: PlanRecord, rows: Iterable[Mapping[str, Any]], *, project_name: str, at: str | None = None
    ) -> int:
        """Replace what is published of a plan; a reader sees the old grids or the new ones.

        Parameters
        ----------
        rows
            One a grid: ``grid_id``, ``geometry`` (shapely geometry or WKB, longitude and latitude) and any others
            of `COLUMNS`; further keys are left out.
        at
            Time of publication, now when None.

        Returns
        -------
        int
            How many grids there are.
        """
        said = {
            "plan_id": plan.id,
            "plan_name": plan.name,
            "project_name": project_name,
            "revision": plan.revision,
            "published_at": at or now(),
        }
        grids = [_row(row, said) for row in rows]
        if self._database.embedded:
            with self._changed() as draft:
                _forget(draft, plan.id)
                _append(draft, grids)
        else:
            with self._database.writing() as connection:
                connection.execute(text("DELETE FROM grids WHERE plan_id = :plan"), {"plan": plan.id})
                if grids:
                    connection.execute(_insert(), grids)
        return len(grids)

    def remove(self, plan_id: str) -> None:
        """Take a plan out of the published ones."""
        if not self._database.embedded:
            with self._database.writing() as connection:
                connection.execute(text("DELETE FROM grids WHERE plan_id = :plan"), {"plan": plan_id})
        elif plan_id in self.plans():
            with self._changed() as draft:
                _forget(draft, plan_id)

    def plans(self) -> dict[str, int]:
        """Return what is published: plan to revision."""
        wanted = "SELECT plan_id, max(revision) FROM grids GROUP BY plan_id"
        if not self._database.embedded:
            with self._database.reading() as connection:
                return {row[0]: row[1] for row in connection.execute(text(wanted))}
        path = self._file()
        if not path.exists():
            return {}
        with closing(sqlite3.connect(path)) as opened:
            return dict(opened.execute(wanted).fetchall())

    def _file(self) -> Path:
        return self._database.path.with_name(FILE)

    @contextmanager
    def _changed(self) -> Iterator[Path]:
        """Give a copy of the GeoPackage to change, and put it in the place of the old one."""
        target = self._file()
        with self._lock, tempfile.TemporaryDirectory(dir=target.parent, prefix=".published-") as folder:
            draft = Path(folder) / FILE
            if target.exists():
                shutil.copyfile(target, draft)
            yield draft
            with draft.open("rb") as file:
                os.fsync(file.fileno())
            # What another program left beside the old file would be taken for a part of the new one.
            for ending in ("-wal", "-shm", "-journal"):
                target.with_name(FILE + ending).unlink(missing_ok=True)
            draft.replace(target)


def _row(row: Mapping[str, Any], said: Mapping[str, Any]) -> dict[str, Any]:
    made = {}
    for name, kind in COLUMNS.items():
        value = said.get(name, row.get(name))
        missing = value is None or value != value  # noqa: PLR0124 - not a number
        made[name] = BLANK[kind] if missing else kind(value)
    return made | {"geometry": _wkb(row["geometry"])}


def _wkb(geometry: Any) -> bytes:
    if isinstance(geometry, bytes):
        return geometry
    import shapely  # noqa: PLC0415 - a server that publishes nothing does without

    content: bytes = shapely.to_wkb(geometry, output_dimension=2, include_srid=False)
    return content


def _insert() -> Any:
    names = ", ".join([*COLUMNS, "geometry"])
    values = ", ".join([f":{name}" for name in COLUMNS] + ["ST_GeomFromWKB(:geometry, 4326)"])
    return text(f"INSERT INTO grids ({names}) VALUES ({values})")  # noqa: S608 - names of our own


def _forget(path: Path, plan_id: str) -> None:
    if not path.exists():
        return
    with closing(sqlite3.connect(path)) as opened, opened:
        opened.execute("DELETE FROM grids WHERE plan_id = ?", (plan_id,))


def _append(path: Path, grids: Sequence[Mapping[str, Any]]) -> None:
    import numpy as np  # noqa: PLC0415 - a server that publishes nothing does without GDAL
    import pyogrio.raw  # noqa: PLC0415

    dtypes: Mapping[type, Callable[[list[Any]], Any]] = {
        str: lambda values: np.array(values, object),
        int: lambda values: np.array(values, np.int64),
        float: lambda values: np.array([np.nan if value is None else value for value in values], np.float64),
        bool: lambda values: np.array([bool(value) for value in values], np.bool_),
    }
    columns = {name: [grid[name] for grid in grids] for name in COLUMNS}
    pyogrio.raw.write(
        path,
        geometry=np.array([grid["geometry"] for grid in grids], object),
        field_data=[dtypes[COLUMNS[name]](values) for name, values in columns.items()],
        fields=np.array(list(COLUMNS), object),
        field_mask=[np.array([value is None for value in values], np.bool_) for values in columns.values()],
        layer=LAYER,
        driver="GPKG",
        geometry_type="Unknown",
        crs="EPSG:4326",
        append=path.exists(),
    )
