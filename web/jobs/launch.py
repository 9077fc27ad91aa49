"""Start and end the processes that work on uploads, each in its own folder and inside its fences."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from web.jobs import sandbox
from web.jobs.kernels import copy_kernels
from web.store.files import read_json, write_text

if TYPE_CHECKING:
    from collections.abc import Mapping

    from web.settings import Settings

GRACE_S = 0.4
"""Between asking a process to end and killing it."""

COMPILED = frozenset({"plan", "siting", "coverage", "resolve", "export", "alternatives"})
"""Operations that use compiled kernels."""

SPREAD = frozenset({"plan"})
"""Operations that work on a cluster when there is one."""

TASK = "task.json"

Program = Literal["web.jobs.child", "web.jobs.resident"]


@dataclass(frozen=True)
class Task:
    """What one process has to do, and all it may touch."""

    operation: str
    parameters: Mapping[str, Any]
    read: tuple[Path, ...] = ()
    write: tuple[Path, ...] = ()
    labels: Mapping[str, str] = field(default_factory=dict)
    workers: int = 1

    def to_document(self) -> dict[str, Any]:
        """Return the task as JSON values."""
        return {
            "operation": self.operation,
            "parameters": dict(self.parameters),
            "read": [str(path) for path in self.read],
            "write": [str(path) for path in self.write],
            "labels": dict(self.labels),
            "workers": self.workers,
        }


def keep_task(folder: Path, task: Task) -> None:
    """Write a task down, so that it can be started after a restart."""
    write_text(folder / TASK, json.dumps(task.to_document(), ensure_ascii=False))


def kept_task(folder: Path) -> Task | None:
    """Return the task that was kept in a job's folder; None without one.

    The folder is the server's own: a job's process writes to ``out`` alone.
    """
    document = read_json(folder / TASK)
    if not isinstance(document, dict):
        return None
    return Task(
        document["operation"],
        document["parameters"],
        read=tuple(Path(path) for path in document["read"]),
        write=tuple(Path(path) for path in document["write"]),
        labels=document["labels"],
        workers=document["workers"],
    )


def launch(
    settings: Settings,
    folder: Path,
    task: Task,
    *,
    cpu_s: int,
    program: Program = "web.jobs.child",
    talk: bool = False,
) -> subprocess.Popen[bytes]:
    """Start a process on the task; `folder` holds all that is its own.

    Parameters
    ----------
    cpu_s
        Seconds of processor time after which the kernel ends it.
    talk
        Whether its standard input and output are pipes to us.
    """
    out = folder / "out"
    cache = out / "cache"
    cache.mkdir(parents=True, exist_ok=True)
    if task.operation in COMPILED:
        copy_kernels(cache)
    limits = {
        "memory_mb": settings.child_memory_mb,
        "cpu_s": cpu_s,
        "file_mb": 4096,
        "files": 512,
    }
    document = task.to_document() | {
        "limits": limits,
        "parent": os.getpid(),
        "cluster": settings.cluster if task.operation in SPREAD else None,
    }
    write_text(folder / TASK, json.dumps(document, ensure_ascii=False))
    with (folder / "log.txt").open("wb") as log:
        return subprocess.Popen(  # noqa: S603 - our own module, our own folder
            [sys.executable, "-m", program, str(folder)],
            cwd=sandbox.ROOT,
            env=sandbox.environment(out=out, numba_cache=cache, operation=task.operation),
            stdin=subprocess.PIPE if talk else subprocess.DEVNULL,
            stdout=subprocess.PIPE if talk else log,
            stderr=log,
            start_new_session=True,
        )


def kill(process: subprocess.Popen[bytes]) -> None:
    """End a process and all it started; its group outlives it only if it left helpers."""
    signal_group(process.pid, signal.SIGTERM)
    with contextlib.suppress(subprocess.TimeoutExpired):
        process.wait(timeout=GRACE_S)
    signal_group(process.pid, signal.SIGKILL)
    with contextlib.suppress(subprocess.TimeoutExpired):
        process.wait(timeout=GRACE_S)


def signal_group(pid: int, number: signal.Signals) -> None:
    """Send a signal to a process and all it started; nothing happens when they are gone."""
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(pid, number)
