"""Make a plan from a division of the city, store its whole state, and bring it back."""

from __future__ import annotations

import json
import zlib
from typing import TYPE_CHECKING, Any

import numpy as np

from geo.editing.codec import division_document, division_from, grid_document, grid_from, unreadable
from geo.editing.divided import base_loads, ground_with, loads_with
from geo.editing.figures import measure
from geo.editing.index import index_of
from geo.editing.plan import UNASSIGNED, Grid, Plan
from geo.errors import PlanError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from geo.editing.ground import Ground
    from geo.standards import Standard

MAGIC = b"wangge-plan\n"
VERSION = 1
LARGEST = 512 * 1024 * 1024
"""Bytes that a snapshot may unpack to: twenty million cells."""
OPTIONAL = {"locked": False, "staff": 0, "kind": "", "note": ""}


def new_plan(
    ground: Ground,
    standard: Standard,
    grid_of_cell: NDArray[np.integer],
    grids_table: Any,
    parameters: Mapping[str, Any] | None = None,
    *,
    load: NDArray[np.integer] | None = None,
) -> Plan:
    """Make the plan that editing starts from.

    Parameters
    ----------
    ground
        The cells of the dataset, none divided.
    standard
        What the plan is judged by.
    grid_of_cell
        Integers, shape (cells,): row of `grids_table` of each cell, -1 for none.
    grids_table
        Columns by name, as a DataFrame or a mapping of sequences: ``code``, ``name``, ``community`` (position), and
        where given ``locked``, ``staff``, ``kind``, ``note``. Row r becomes grid r + 1.
    parameters
        What it was made with, as JSON values.
    load
        Integers, shape (cells,): load of each cell in the measure of the standard; `geo.dataset.loads.cell_loads`
        by default.

    Raises
    ------
    PlanError
        ``plan-inconsistent``: cells and grids do not fit together.
    """
    columns = {name: _column(grids_table[name]) for name in ("code", "name", "community")}
    n = len(columns["community"])
    for name, value in OPTIONAL.items():
        columns[name] = _column(grids_table[name]) if name in grids_table else [value] * n
    rows = zip(*columns.values(), strict=True)
    grids = {
        i: Grid(i, int(community), str(code), str(name), bool(locked), int(staff), str(kind), str(note))
        for i, (code, name, community, locked, staff, kind, note) in enumerate(rows, 1)
    }
    rows_of_cells = np.asarray(grid_of_cell)
    assignment = np.where(rows_of_cells >= 0, rows_of_cells + 1, UNASSIGNED).astype(np.int32)
    loads = _loads(ground, standard) if load is None else load
    return _checked_plan(
        ground=ground,
        standard=standard,
        assignment=assignment,
        grids=grids,
        next_grid=n + 1,
        pinned=np.zeros(ground.n, np.bool_),
        load=np.array(loads, np.int64),
        parameters=dict(parameters or {}),
    )


def plan_to_document(plan: Plan) -> dict[str, Any]:
    """Return what a plan says, arrays by cell apart (`plan_arrays`), as JSON values."""
    return {
        "version": VERSION,
        "dataset": plan.ground.dataset,
        "standard": plan.standard.id,
        "cells": plan.ground.n,
        "next_grid": plan.next_grid,
        "parameters": dict(plan.parameters),
        "grids": [grid_document(plan.grids[i]) for i in sorted(plan.grids)],
        "divisions": [
            {"division": division_document(d), "in_force": holds}
            for d, holds in zip(plan.divisions, plan.in_force, strict=True)
        ],
    }


def plan_arrays(plan: Plan) -> dict[str, NDArray[Any]]:
    """Return the arrays by cell: ``assignment`` int32, ``pinned`` bool; ``load`` int64 of the dataset's cells."""
    return {"assignment": plan.assignment, "pinned": plan.pinned, "load": base_loads(plan)}


def plan_from_document(
    ground: Ground, standard: Standard, document: Mapping[str, Any], arrays: Mapping[str, NDArray[Any]]
) -> Plan:
    """Bring a plan back.

    Parameters
    ----------
    ground
        The ground of the plan's dataset, none divided.
    standard
        The plan's.
    document, arrays
        As `plan_to_document` and `plan_arrays` return them.

    Raises
    ------
    PlanError
        ``snapshot-unreadable``: damaged; ``snapshot-version``: of a newer version; ``snapshot-dataset``: of another
        dataset; ``plan-inconsistent``: cells and grids do not fit together.
    """
    try:
        _check_origin(ground, document)
        divisions = tuple(division_from(d["division"]) for d in document["divisions"])
        in_force = tuple(bool(d["in_force"]) for d in document["divisions"])
        grids = [grid_from(g) for g in document["grids"]]
        parameters, next_grid = dict(document["parameters"]), int(document["next_grid"])
        load = _shaped(arrays["load"], np.dtype(np.int64), ground.n)
        n = ground.n + 2 * len(divisions)
        assignment = _shaped(arrays["assignment"], np.dtype(np.int32), n)
        pinned = _shaped(arrays["pinned"], np.dtype(np.bool_), n)
    except (AttributeError, KeyError, TypeError, ValueError) as fault:
        raise unreadable("snapshot-unreadable", "方案快照", "The snapshot of the plan", fault) from fault
    return _checked_plan(
        ground=ground_with(ground, divisions, in_force),
        standard=standard,
        assignment=assignment,
        grids={g.id: g for g in grids},
        next_grid=next_grid,
        pinned=pinned,
        load=loads_with(load, divisions, in_force),
        parameters=parameters,
        divisions=divisions,
        in_force=in_force,
    )


def snapshot(plan: Plan) -> bytes:
    """Return the whole state of a plan, compressed; the same plan gives the same bytes."""
    arrays = plan_arrays(plan)
    layout = [[name, values.dtype.str, len(values)] for name, values in arrays.items()]
    header = json.dumps(
        plan_to_document(plan) | {"arrays": layout}, ensure_ascii=False, separators=(",", ":"), sort_keys=True
    ).encode()
    body = b"".join(np.ascontiguousarray(values).tobytes() for values in arrays.values())
    return MAGIC + zlib.compress(len(header).to_bytes(8, "little") + header + body, 6)


def restored(ground: Ground, standard: Standard, data: bytes) -> Plan:
    """Bring a plan back from `snapshot`; parameters and errors as for `plan_from_document`."""
    try:
        if not data.startswith(MAGIC):
            raise ValueError("not a snapshot of a plan")  # noqa: TRY301 - one message for all faults
        unpacker = zlib.decompressobj()
        plain = unpacker.decompress(data[len(MAGIC) :], LARGEST)
        if not unpacker.eof or unpacker.unused_data:
            raise ValueError("its length is wrong")  # noqa: TRY301
        size = int.from_bytes(plain[:8], "little")
        document = json.loads(plain[8 : 8 + size])
        arrays, at = {}, 8 + size
        for name, kind, length in document["arrays"]:
            dtype = np.dtype(kind)
            arrays[name] = np.frombuffer(plain, dtype, length, at)
            at += dtype.itemsize * length
        if at != len(plain):
            raise ValueError("its length is wrong")  # noqa: TRY301
    except (AttributeError, KeyError, TypeError, ValueError, zlib.error) as fault:
        raise unreadable("snapshot-unreadable", "方案快照", "The snapshot of the plan", fault) from fault
    return plan_from_document(ground, standard, document, arrays)


def _loads(ground: Ground, standard: Standard) -> NDArray[np.int64]:
    from geo.dataset.loads import cell_loads  # noqa: PLC0415 - it loads scipy, which restoring a plan does without

    return cell_loads(ground.cells, standard)


def _column(values: Any) -> list[Any]:
    found: list[Any] = values.tolist() if hasattr(values, "tolist") else list(values)
    return found


def _check_origin(ground: Ground, document: Mapping[str, Any]) -> None:
    if document["version"] != VERSION:
        raise PlanError(
            "snapshot-version",
            f"方案快照的版本为 {document['version']}，本程序只能读取版本 {VERSION}。请升级程序。",
            f"The snapshot of the plan has version {document['version']}; this program reads version {VERSION}. "
            "Update it.",
        )
    if document["dataset"] != ground.dataset or document["cells"] != ground.n + 2 * len(
        document["divisions"]
    ):
        raise PlanError(
            "snapshot-dataset",
            "方案快照属于另一个数据集。请使用该方案自己的数据集。",
            "The snapshot of the plan is of another dataset. Use the plan's own.",
            ids=[document["dataset"], ground.dataset],
        )


def _shaped(values: NDArray[Any], dtype: np.dtype[Any], n: int) -> NDArray[Any]:
    if values.dtype != dtype or values.shape != (n,):
        raise ValueError(f"an array of {values.dtype} {values.shape} instead of {dtype} ({n},)")
    return values.copy()


def _checked_plan(
    *,
    ground: Ground,
    standard: Standard,
    assignment: NDArray[np.int32],
    grids: dict[int, Grid],
    next_grid: int,
    pinned: NDArray[np.bool_],
    load: NDArray[np.int64],
    parameters: dict[str, Any],
    **divisions: Any,
) -> Plan:
    """Hold every promise of `Plan`, then measure it."""
    used = np.unique(assignment)
    used = used[used != UNASSIGNED]
    unknown = sorted(set(used.tolist()) ^ grids.keys())
    if len(assignment) != ground.n or len(load) != ground.n or load.min(initial=0) < 0:
        raise _inconsistent("单元数与底图不符", "the number of cells is not that of the ground", ())
    if unknown or min(grids, default=1) < 1 or max(grids, default=0) >= next_grid:
        raise _inconsistent("网格与单元不符", "grids without cells, or cells in unknown grids", unknown)
    home = np.zeros(next_grid, np.int64)
    for grid in grids.values():
        home[grid.id] = grid.community
    held = assignment != UNASSIGNED
    if (home[assignment[held]] != ground.cells.community[held]).any() or (held & ~ground.live).any():
        wrong = np.flatnonzero(held)[home[assignment[held]] != ground.cells.community[held]]
        raise _inconsistent(
            "网格跨社区", "a grid crosses the border of its community", assignment[wrong].tolist()
        )
    for values in (assignment, pinned, load):
        values.flags.writeable = False
    index = index_of(ground, standard, load)
    return Plan(
        ground=ground,
        standard=standard,
        assignment=assignment,
        grids=grids,
        next_grid=next_grid,
        pinned=pinned,
        load=load,
        figures=measure(index, assignment, next_grid),
        index=index,
        parameters=parameters,
        **divisions,
    )


def _inconsistent(zh: str, en: str, grids: Any) -> PlanError:
    ids = sorted(set(grids))[:20]
    return PlanError(
        "plan-inconsistent",
        f"方案内容不一致：{zh}（{ids}）。请重新生成方案或从备份恢复。",
        f"The plan contradicts itself: {en} ({ids}). Make it anew or restore a backup.",
        ids=ids,
    )
