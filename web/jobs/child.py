"""One job, in its own process: ``python -m web.jobs.child FOLDER``.

The folder holds ``task.json``, written by the server; results go to ``FOLDER/out`` and nowhere else.
Exit code 0 with ``out/result.json``, or 2 with ``out/error.json``; anything else is a crash.
"""

from __future__ import annotations

import json
import multiprocessing
import os
import sys
import threading
import time
import traceback
from concurrent.futures import Executor, ProcessPoolExecutor
from pathlib import Path
from typing import Any

from geo.errors import GeoError
from web.errors import TooLargeError, UploadError
from web.jobs import cluster, sandbox

FAILED = 2
REPORT_EVERY_S = 0.2
AWAITED = frozenset({"inspect", "load", "map", "alternatives"})
"""Operations that somebody waits for; the others run in the background."""
SHOWN = ("report.json", "coverage.json")
"""Results whose findings may name files."""


class ProgressFile:
    """A `geo.types.Progress` that keeps the latest figures in ``progress.json``."""

    def __init__(self, out: Path) -> None:
        self._path = out / "progress.json"
        self._draft = out / ".progress.draft"
        self._last = ("", 0.0)

    def __call__(self, stage: str, done: int, total: int) -> None:
        """Write the figures, at most a few times a second in one stage."""
        known, at = self._last
        if stage == known and done < total and time.monotonic() - at < REPORT_EVERY_S:
            return
        self._last = (stage, time.monotonic())
        self._draft.write_text(json.dumps({"stage": stage, "done": int(done), "total": int(total)}))
        self._draft.replace(self._path)


def main(folder: Path) -> int:
    """Run the task in `folder` and return the exit code."""
    task = json.loads((folder / "task.json").read_text(encoding="utf-8"))
    out = folder / "out"
    sandbox.die_with_parent(task["parent"])
    sandbox.limit(task["limits"])
    if task["operation"] not in AWAITED:
        sandbox.give_way()
    try:
        result = _fenced(task, out)
    except GeoError as error:
        return fail(out, error, task["labels"])
    except (MemoryError, RecursionError) as error:
        traceback.print_exception(error)
        return fail(out, too_large(), {})
    except Exception as error:  # noqa: BLE001 - whatever a reader raises, the planner gets an answer
        traceback.print_exception(error)
        return fail(out, unreadable(), {})
    text = json.dumps(result, ensure_ascii=False, default=str)
    if task["operation"] != "inspect":  # its result names our paths, for us
        text = relabel(text, task["labels"])
    for name in SHOWN:
        if (out / name).exists():
            shown = relabel((out / name).read_text(encoding="utf-8"), task["labels"])
            (out / name).write_text(shown, encoding="utf-8")
    (out / "result.json").write_text(text, encoding="utf-8")
    return 0


def _fenced(task: dict[str, Any], out: Path) -> dict[str, Any]:
    """Close the fences and run the task inside them."""
    write = [out, *(Path(path) for path in task["write"])]
    read = [Path(path) for path in task["read"]]
    if task["cluster"]:
        scheduler = cluster.resolved(task["cluster"])
        sandbox.confine(read=read, write=write, connect=[scheduler.port])
        with cluster.connected(scheduler, lost=lambda error: _give_up(out, error)) as workers:
            return _run(task, out, workers)
    executor = _executor(int(task["workers"]))
    sandbox.confine(read=read, write=write)
    try:
        return _run(task, out, executor)
    finally:
        if executor is not None:
            executor.shutdown(cancel_futures=True)


def _give_up(out: Path, error: GeoError) -> None:
    """End the process from another thread: the one that works may wait for what never comes."""
    fail(out, error, {})
    os._exit(FAILED)


def _executor(workers: int) -> Executor | None:
    """Return a pool made before the fences close: its locks need a folder that is out of reach later.

    Its processes are forked from this one at their first use, so they are inside the same fences.
    """
    if workers < 2:
        return None
    context = multiprocessing.get_context("fork")
    return ProcessPoolExecutor(
        workers, mp_context=context, initializer=sandbox.die_with_parent, initargs=(os.getpid(),)
    )


def _run(task: dict[str, Any], out: Path, executor: Executor | None) -> dict[str, Any]:
    # Only now, inside the fences, is anything loaded that could read a foreign file.
    from pyogrio import list_drivers  # noqa: PLC0415

    from web.jobs import operations  # noqa: PLC0415

    sandbox.check_drivers(list_drivers(), task["operation"])
    operation = operations.OPERATIONS[task["operation"]]
    return operation(task["parameters"], out, executor=executor, progress=ProgressFile(out))


def relabel(text: str, labels: dict[str, str]) -> str:
    """Put the client's names of files in place of our own paths, whose names are too odd to occur by chance."""
    for path, label in sorted(labels.items(), key=lambda item: -len(item[0])):
        shown = json.dumps(label, ensure_ascii=False)[1:-1]
        text = text.replace(path, shown).replace(Path(path).name, shown).replace(Path(path).stem, shown)
    return text


def fail(out: Path, error: GeoError, labels: dict[str, str]) -> int:
    """Write down why the process ends; two threads may find the reason at once."""
    draft = out / f".error.{threading.get_ident()}.draft"
    draft.write_text(described(error, labels), encoding="utf-8")
    draft.replace(out / "error.json")
    return FAILED


def described(error: GeoError, labels: dict[str, str]) -> str:
    """Return an error as JSON, with the client's names of files."""
    document = {
        "kind": type(error).__name__,
        "code": error.code,
        "zh": error.zh,
        "en": error.en,
        "where": error.where,
    }
    return relabel(json.dumps(document, ensure_ascii=False, default=str), labels)


def too_large() -> GeoError:
    """Return the error for data that do not fit into the memory of a process."""
    return TooLargeError(
        "memory",
        "数据过大，超出了单个任务的内存上限。请分区域上传。",
        "The data is too large for the memory one job may use. Upload it in parts.",
    )


def unreadable() -> GeoError:
    """Return the error for data that a reader broke off at."""
    return UploadError(
        "unreadable",
        "无法处理这些数据：文件内容异常。请检查后重新导出，或换一种格式。",
        "These data cannot be processed: a file holds something unexpected. Check it, or export another format.",
    )


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
