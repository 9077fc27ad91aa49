"""A province: part after part over any executor, in flat memory, resumable."""

from __future__ import annotations

import hashlib
import io
import json
from concurrent.futures import FIRST_COMPLETED, wait
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

import pyarrow.parquet as pq

from geo import __version__
from geo.atomic import replacing
from geo.errors import CancelledError, GeoError
from geo.layers.arrow import to_table
from geo.pipeline import plan_city
from geo.province_data import list_parts, read_index, read_part
from geo.types import never_cancel, no_progress

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from concurrent.futures import Executor, Future
    from pathlib import Path

    import geopandas as gpd

    from geo.partition import Effort
    from geo.province_data import Part
    from geo.standards import Standard
    from geo.types import CancelCheck, Progress

IN_FLIGHT = 16
"""Parts handed to the executor and not yet written: enough for eight workers to have one in reserve."""

LAYERS = ("cells", "grids")
"""What is written of every part; the grids last, since their file says that the part is done."""

MARK = b"wangge"
"""Key of the file metadata that holds what the part was solved with, and its figures."""


@dataclass(frozen=True)
class Task:
    """How every part is divided: as for `geo.pipeline.make_plan`."""

    standard: Standard
    seed: int = 0
    effort: Effort = "normal"

    def key(self, part: Part) -> str:
        """Name a part's content and all that its plan depends on."""
        said = {
            "version": __version__,
            "standard": asdict(self.standard),
            "seed": self.seed,
            "effort": self.effort,
            "content": part.sha256,
        }
        return hashlib.sha256(json.dumps(said, sort_keys=True, default=_plain).encode()).hexdigest()


def _plain(value: object) -> object:
    """Write a set in an order of its own, anything else that JSON lacks as its text."""
    return sorted(map(str, value)) if isinstance(value, set | frozenset) else str(value)


@dataclass(frozen=True)
class Solved:
    """The plan of one part, ready to be written.

    Attributes
    ----------
    part
        The part.
    files
        Layer name to the bytes of a GeoParquet file; empty when it failed.
    figures
        Counts of its report, or ``error`` with the code and the texts of what went wrong.
    """

    part: Part
    files: dict[str, bytes]
    figures: dict[str, Any]


def solve_part(dataset: Path, part: Part, task: Task) -> Solved:
    """Divide the communities of one part; runs in a worker and returns some hundred kilobytes.

    A part that cannot be divided is reported in its figures and stops nobody else.
    """
    try:
        result = plan_city(
            read_part(dataset, part), standard=task.standard, seed=task.seed, effort=task.effort
        )
    except GeoError as error:
        figures = {"error": {"code": error.code, "zh": error.zh, "en": error.en}}
        return Solved(part, {}, {**_identity(part), **figures})
    figures = _identity(part) | _figures(result.report)
    mark = {"key": task.key(part), "figures": figures}
    return Solved(part, {name: _parquet(result.layers[name], mark) for name in LAYERS}, figures)


def solve_province(
    dataset: Path,
    out: Path,
    task: Task,
    *,
    executor: Executor | None = None,
    in_flight: int = IN_FLIGHT,
    progress: Progress = no_progress,
    cancelled: CancelCheck = never_cancel,
) -> dict[str, Any]:
    """Divide every community of a dataset, part by part, and write each plan as soon as it is there.

    Writes ``out/region/NNNNN.cells.parquet`` and ``out/region/NNNNN.grids.parquet`` (GeoParquet, EPSG:4326), and
    at the end ``out/summary.json``. A part that `out` already holds, made of the same content with the same
    settings and version, is not solved again: a run that was stopped goes on where it was. Neither the number nor
    the kind of workers changes a byte.

    Parameters
    ----------
    dataset
        As `geo.province_data.add_region` writes it; with workers on other machines, a folder they all see.
    out
        Where to write; made when it does not exist. Only this process writes.
    task
        Standard, seed and effort.
    executor
        Any `concurrent.futures.Executor`, e.g. a process pool or `dask.distributed.Client.get_executor()`; None
        works in this process.
    in_flight
        Parts handed out at a time. Memory here grows with it, not with the province; two for each worker
        keep all of them busy.
    progress
        Told of the stage ``"province"``, households done of all.
    cancelled
        Asked after every part.

    Returns
    -------
    The summary: totals, shares over all grids with homes, parts whose tiling or contiguity failed, errors.

    Raises
    ------
    LayerError
        When the dataset is empty, incomplete or of another format.
    CancelledError
        When `cancelled` returned True; what is written stays and is taken up by the next run.
    """
    parts = list_parts(dataset)
    known = {part: _already(out, part, task) for part in parts}
    done = [figures for figures in known.values() if figures is not None]
    total, ready = sum(p.households for p in parts), sum(p.households for p in parts if known[p])
    progress("province", ready, total)
    missing = [part for part in parts if known[part] is None]
    for solved in _solve_each(missing, dataset, task, executor, in_flight):
        _write(out, solved)
        done.append(solved.figures)
        ready += solved.part.households
        progress("province", ready, total)
        if cancelled():
            raise CancelledError
    out.mkdir(parents=True, exist_ok=True)
    summary = _summary(dataset, done, task)
    with replacing(out / "summary.json") as (draft,):
        draft.write_text(json.dumps(summary, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")
    return summary


def _solve_each(
    parts: Iterable[Part], dataset: Path, task: Task, executor: Executor | None, in_flight: int
) -> Iterator[Solved]:
    """Yield plans as they come, never more than `in_flight` under way."""
    if executor is None:
        for part in parts:
            yield solve_part(dataset, part, task)
        return
    queue = iter(parts)
    running: set[Future[Solved]] = set()
    try:
        while True:
            while len(running) < max(in_flight, 1) and (following := next(queue, None)) is not None:
                running.add(executor.submit(solve_part, dataset, following, task))
            if not running:
                return
            ready, running = wait(running, return_when=FIRST_COMPLETED)
            # A finished future holds its result: let go of each before the next is asked for.
            while ready:
                yield ready.pop().result()
    finally:
        for future in running:
            future.cancel()


def path_of(out: Path, part: Part, layer: str) -> Path:
    """Return the file of a layer of a part's plan."""
    return out / part.region / f"{part.number:05d}.{layer}.parquet"


def _write(out: Path, solved: Solved) -> None:
    """Write a part's plan, or remove the old one of a part that failed."""
    for name in LAYERS:
        path = path_of(out, solved.part, name)
        if name not in solved.files:
            path.unlink(missing_ok=True)
            continue
        path.parent.mkdir(parents=True, exist_ok=True)
        with replacing(path) as (draft,):
            draft.write_bytes(solved.files[name])


def _already(out: Path, part: Part, task: Task) -> dict[str, Any] | None:
    """Return the figures of a part that is written and up to date, else None."""
    path = path_of(out, part, LAYERS[-1])
    if not all(path_of(out, part, name).is_file() for name in LAYERS):
        return None
    said = json.loads((pq.read_metadata(path).metadata or {}).get(MARK, b"{}"))
    figures: dict[str, Any] | None = said.get("figures") if said.get("key") == task.key(part) else None
    return figures


def _parquet(frame: gpd.GeoDataFrame, mark: dict[str, Any]) -> bytes:
    """Return a frame as the bytes of a GeoParquet file that carries the mark."""
    table = to_table(frame)
    said = json.dumps(mark, ensure_ascii=False, sort_keys=True).encode()
    sink = io.BytesIO()
    pq.write_table(
        table.replace_schema_metadata({**table.schema.metadata, MARK: said}), sink, compression="zstd"
    )
    return sink.getvalue()


def _identity(part: Part) -> dict[str, Any]:
    return {"region": part.region, "number": part.number, "communities": list(part.communities)}


def _figures(report: dict[str, Any]) -> dict[str, Any]:
    with_homes = report["grids"] - report["grids_without_homes"]
    return {
        "cells": report["cells"],
        "grids": report["grids"],
        "grids_with_homes": with_homes,
        "households": report["households"]["placed"],
        "exact": report["exact_tiling"]["ok"],
        "connected": report["contiguity"]["ok"],
    } | {
        name: round((report[f"share_{name}"] or 0.0) * with_homes)
        for name in ("in_band", "within_10", "within_20")
    }


def _summary(dataset: Path, figures: list[dict[str, Any]], task: Task) -> dict[str, Any]:
    """Add up the figures of all parts; the order they came in does not matter."""
    figures = sorted(figures, key=lambda f: (f["region"], f["number"]))
    good = [f for f in figures if "error" not in f]
    regions = [read_index(dataset, region) for region in sorted({f["region"] for f in figures})]
    total = {
        name: sum(f[name] for f in good) for name in ("cells", "grids", "grids_with_homes", "households")
    }
    homes = total["grids_with_homes"]
    return {
        "version": __version__,
        "standard": task.standard.id,
        "seed": task.seed,
        "effort": task.effort,
        "regions": len(regions),
        "communities": sum(len(f["communities"]) for f in figures),
        "parts": len(figures),
        "households_in": sum(r["households_in"] for r in regions),
        "unplaced": sum(r["unplaced"] for r in regions),
        **total,
        **{
            f"share_{name}": round(sum(f[name] for f in good) / homes, 4) if homes else None
            for name in ("in_band", "within_10", "within_20")
        },
        "not_exact": [_name(f) for f in good if not f["exact"]],
        "not_connected": [_name(f) for f in good if not f["connected"]],
        "errors": [
            {"part": _name(f), "communities": f["communities"], **f["error"]} for f in figures if "error" in f
        ],
    }


def _name(figures: dict[str, Any]) -> str:
    return f"{figures['region']}/{figures['number']:05d}"
