"""Compare two plans on one dataset: where each grid comes from, what became of it, who moved."""

from __future__ import annotations

import csv
import io
from typing import TYPE_CHECKING, Any

import numpy as np

from geo.export import FORMULA_STARTS
from web.errors import ConflictError
from web.services.overlay import Overlay, overlay
from web.services.plan_records import revision_missing

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    import pandas as pd
    from numpy.typing import NDArray

    from geo.compare import Comparison
    from geo.editing.plan import Plan
    from web.services.books import Books
    from web.store.records import PlanRecord

CROSSWALK = (
    "other_code",
    "other_name",
    "code",
    "name",
    "households",
    "buildings",
    "share_of_other",
    "share_of_grid",
    "main",
)
"""Columns of the table for download."""


class Comparing:
    """Lay plans beside each other."""

    def __init__(self, books: Books) -> None:
        self._books = books

    def compare(
        self, plan_id: str, other_id: str, *, revision: int | None = None, other_revision: int | None = None
    ) -> dict[str, Any]:
        """Compare a plan, as the new division, with another one on the same dataset, as the old one.

        Parameters
        ----------
        revision, other_revision
            States to compare; the present ones by default.

        Returns
        -------
        As docs/api.md describes it.

        Raises
        ------
        NotFoundError
            If there is no such plan, or it has not come so far.
        ConflictError
            ``plans-apart``: the plans stand on different datasets.
        """
        stored = self._books.store
        if stored.get(plan_id).dataset_id != stored.get(other_id).dataset_id:
            raise ConflictError(
                "plans-apart",
                "两个方案不在同一份数据上，不能比较。请选择同一次导入数据的方案。",
                "The plans stand on different data and cannot be compared. Choose plans of the same upload.",
            )
        record, plan, at = self._state(plan_id, revision)
        other_record, other, other_at = self._state(other_id, other_revision)
        laid = overlay(plan, other)
        return {
            "plan": _head(record, plan, at),
            "other": _head(other_record, other, other_at),
        } | compared(laid, plan, other)

    def _state(self, plan_id: str, revision: int | None) -> tuple[PlanRecord, Plan, int]:
        record, plan, head = self._books.current(plan_id)
        if revision is None or revision == head:
            return record, plan, head
        if revision > head:
            raise revision_missing(head)
        return record, self._books.state_at(plan_id, revision), revision


def crosswalk_csv(found: Mapping[str, Any]) -> str:
    """Return the crosswalk of `Comparing.compare` as a table for Excel, with no cell that would run as a formula.

    One row per pair of grids that share ground, in the order of `crosswalk`; a blank code stands for no grid.
    """
    ours = {row["id"]: row for row in found["grids"]}
    theirs = {row["id"]: row for row in found["other_grids"]}
    file = io.StringIO(newline="")
    writer = csv.DictWriter(file, fieldnames=CROSSWALK, extrasaction="ignore")
    writer.writeheader()
    nothing = {"code": "", "name": ""}
    for pair in found["crosswalk"]:
        own, other = ours.get(pair["grid"], nothing), theirs.get(pair["other"], nothing)
        named = {"other_code": other["code"], "other_name": other["name"]}
        row = pair | named | {"code": own["code"], "name": own["name"], "main": int(pair["main"])}
        writer.writerow({key: _tame(value) for key, value in row.items()})
    return f"\ufeff{file.getvalue()}"


def _head(record: PlanRecord, plan: Plan, revision: int) -> dict[str, Any]:
    return {"id": record.id, "name": record.name, "revision": revision, "grids": len(plan.grids)}


def compared(laid: Overlay, plan: Plan, other: Plan) -> dict[str, Any]:
    """Compare by households; grids without any are compared by their area."""
    ids, other_ids = np.array(sorted(plan.grids), np.int64), np.array(sorted(other.grids), np.int64)
    rows = (_rows(laid.old, other_ids), _rows(laid.new, ids))
    by_homes = _run(rows, laid.households, other_ids, ids)
    by_area = _run(rows, laid.area_dm2, other_ids, ids)
    new = _settled(by_homes.new, by_area.new, link="main_origin", count="origins")
    old = _settled(by_homes.old, by_area.old, link="main_successor", count="successors")
    return {
        "summary": _summary(by_homes, new, old),
        "grids": [
            _named(plan, row)
            | {
                "main": row["link"],
                "origins": row["count"],
                "households": row["households"],
                "moved": moved,
                "kind": row["kind"],
            }
            for row, moved in zip(new, by_homes.new["moved"].tolist(), strict=True)
        ],
        "other_grids": [
            _named(other, row)
            | {
                "main": row["link"],
                "successors": row["count"],
                "households": row["households"],
                "kind": row["kind"],
            }
            for row in old
        ],
        "crosswalk": _crosswalk(laid, by_homes, {row["id"]: row["link"] for row in new}),
    }


def _rows(grids: NDArray[np.int64], ids: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return the row in `ids` of each grid, -1 for none."""
    if not len(ids):
        return np.full(len(grids), -1, np.int64)
    return np.where(grids >= 0, np.searchsorted(ids, grids), -1)


def _run(
    rows: tuple[NDArray[np.int64], NDArray[np.int64]],
    weight: NDArray[np.int64],
    other_ids: NDArray[np.int64],
    ids: NDArray[np.int64],
) -> Comparison:
    from geo.compare import compare  # noqa: PLC0415 - it loads pandas

    return compare(
        rows[0], rows[1], weight, old_ids=[str(i) for i in other_ids], new_ids=[str(i) for i in ids]
    )


def _settled(by_homes: pd.DataFrame, by_area: pd.DataFrame, *, link: str, count: str) -> list[dict[str, Any]]:
    """Return one row per grid of a side; `link` names its main relative."""
    empty = by_homes["households"].to_numpy() == 0
    chosen = {name: by_homes[name].where(~empty, by_area[name]).tolist() for name in (link, count, "kind")}
    return [
        {
            "id": int(i),
            "households": households,
            "link": int(main) if main else None,
            "count": n,
            "kind": kind,
        }
        for i, households, main, n, kind in zip(
            by_homes.iloc[:, 0], by_homes["households"].tolist(), *chosen.values(), strict=True
        )
    ]


def _summary(
    by_homes: Comparison, new: Iterable[Mapping[str, Any]], old: Iterable[Mapping[str, Any]]
) -> dict[str, Any]:
    from geo.compare import NEW_KINDS, OLD_KINDS  # noqa: PLC0415 - as above

    found, gone = [row["kind"] for row in new], [row["kind"] for row in old]
    moved, households = by_homes.moved, by_homes.households
    return {
        "grids": len(found),
        "other_grids": len(gone),
        "households": households,
        "households_moved": moved,
        "share_moved": round(moved / households, 6) if households else None,
        "kinds": {kind: found.count(kind) for kind in NEW_KINDS},
        "other_kinds": {kind: gone.count(kind) for kind in OLD_KINDS},
    }


def _named(plan: Plan, row: Mapping[str, Any]) -> dict[str, Any]:
    grid = plan.grids[row["id"]]
    return {"id": grid.id, "code": grid.code, "name": grid.name}


def _crosswalk(laid: Overlay, by_homes: Comparison, main: Mapping[int, int | None]) -> list[dict[str, Any]]:
    """Return the pairs with the buildings that they share; `geo.compare` counts pieces, not buildings."""
    pairs, place = np.unique(np.stack([laid.new, laid.old], axis=1), axis=0, return_inverse=True)
    sums = np.zeros(len(pairs), np.int64)
    np.add.at(sums, place.ravel(), laid.buildings)
    buildings = {(int(new), int(old)): int(n) for (new, old), n in zip(pairs, sums, strict=True)}
    table = by_homes.crosswalk
    found = []
    for old, new, households, of_old, of_new in zip(
        *(
            table[name].tolist()
            for name in ("old_id", "new_id", "households", "share_of_old", "share_of_new")
        ),
        strict=True,
    ):
        grid, other = (int(new) if new else None), (int(old) if old else None)
        found.append(
            {
                "grid": grid,
                "other": other,
                "households": households,
                "buildings": buildings[-1 if grid is None else grid, -1 if other is None else other],
                "share_of_grid": of_new,
                "share_of_other": of_old,
                "main": grid is not None and other is not None and main[grid] == other,
            }
        )
    return found


def _tame(value: Any) -> Any:
    if isinstance(value, str) and value.startswith(FORMULA_STARTS):
        return f"'{value}"
    return value
