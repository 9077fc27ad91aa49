"""The operation that works out alternatives of a plan, inside the fences."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

# Loaded with the operation that uses it, inside the fences.
# ruff: noqa: PLC0415

if TYPE_CHECKING:
    from collections.abc import Sequence
    from concurrent.futures import Executor

    from geo.dataset.folder import Dataset
    from geo.editing.options import Option
    from geo.editing.plan import Plan
    from geo.types import Progress

TABLE, SKETCHES = "alternatives.json", "sketches.json"
CELLS = "alternative-{preset}.bin"
"""Grid of each cell, int32 little-endian: -1 for none, below that new grids from -2 on."""


def alternatives(
    parameters: dict[str, Any], out: Path, *, executor: Executor | None, progress: Progress
) -> dict[str, Any]:
    """Divide a plan, or one community of it, anew for each preset, and write the grids and the figures.

    `parameters`: ``dataset`` (its folder), ``state`` and ``standard`` (from `web.jobs.stated.stated`), and
    ``revision``, ``community`` (its position, None for all), ``seed``, ``effort``.
    """
    from geo.dataset.folder import read_dataset
    from geo.editing.options import judge, options
    from geo.search import Search
    from web.jobs.stated import plan_from

    progress("read", 0, 1)
    dataset = read_dataset(Path(parameters["dataset"]))
    plan = plan_from(dataset.ground, parameters)
    scope = None if parameters["community"] is None else [int(parameters["community"])]
    search = Search(
        seed=parameters["seed"],
        effort=parameters["effort"],
        executor=executor,
        progress=lambda _, done, total: progress("alternatives", done, total),
    )
    progress("alternatives", 0, 1)
    found = options(plan, communities=scope, search=search)
    for one in found:
        (out / CELLS.format(preset=one.found.preset.id)).write_bytes(one.grids.astype("<i4").tobytes())
    document = _compared(found) | {
        "revision": parameters["revision"],
        "community": parameters["community"],
        "seed": parameters["seed"],
        "effort": parameters["effort"],
        "present": _figures(judge(plan, scope)),
    }
    _write(out / TABLE, document)
    _write(out / SKETCHES, _sketches(dataset, plan, found, scope))
    return {"alternatives": len(found)}


def _write(path: Path, document: Any) -> None:
    path.write_text(json.dumps(document, ensure_ascii=False, allow_nan=False), encoding="utf-8")


def _sketches(
    dataset: Dataset, plan: Plan, found: Sequence[Option], scope: Sequence[int] | None
) -> dict[str, Any]:
    """Return the small maps by preset, and ``present`` of the plan as it is."""
    import numpy as np

    from geo.editing.present import present_tiling
    from geo.editing.sketch import sketch

    tiling, _ = present_tiling(dataset, plan)
    polygons = tiling.cells.geometry.to_numpy()
    rows = None if scope is None else np.flatnonzero(np.isin(plan.ground.cells.community, scope))
    plans = {"present": plan} | {one.found.preset.id: one.after for one in found}
    return {name: sketch(polygons, state, rows=rows) for name, state in plans.items()}


def _compared(found: Sequence[Option]) -> dict[str, Any]:
    """Return the measures, and the alternatives with their figures side by side."""
    from geo.alternatives import MEASURES, score_table, to_records

    rows = to_records(score_table([one.found for one in found])) if found else []
    return {
        "measures": [
            {"id": m.id, "zh": m.name_zh, "en": m.name_en, "higher": m.higher, "share": m.share}
            for m in MEASURES
        ],
        "alternatives": [
            row
            | {
                "why_zh": one.found.preset.why_zh,
                "why_en": one.found.preset.why_en,
                "moved_households": one.moved_households,
                "moved_cells": one.moved_cells,
            }
            for row, one in zip(rows, found, strict=True)
        ],
    }


def _figures(score: Any) -> dict[str, Any]:
    from geo.alternatives import MEASURES

    return {"grids": score.grids} | {m.id: round(float(getattr(score, m.id)), 6) for m in MEASURES}
