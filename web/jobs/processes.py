"""Follow a job's process: how far it is, how it ended, and whether it is still the one we started."""

from __future__ import annotations

import logging
import signal
import subprocess
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pydantic import ValidationError

from web.jobs.faults import crashed, timed_out
from web.jobs.launch import kill, signal_group
from web.store.files import read_json
from web.store.models import Fault

if TYPE_CHECKING:
    from collections.abc import Callable

    from web.store.models import Job

LOG = logging.getLogger("wangge")

LOG_TAIL = 4000
PROGRESS_BYTES = 4096
TICK_S = 0.5
GONE_S = 5.0
"""How long a killed process may take to leave."""


def wait(
    process: subprocess.Popen[bytes],
    folder: Path,
    limit_s: float,
    *,
    tick: Callable[[], None] | None = None,
) -> Fault | None:
    """Wait for a process to end, or end it; return what went wrong, if anything.

    Parameters
    ----------
    limit_s
        Wall clock it may take.
    tick
        Called every `TICK_S` while it runs.
    """
    deadline = time.monotonic() + limit_s
    while True:
        left = deadline - time.monotonic()
        try:
            code = process.wait(timeout=max(min(left, TICK_S), 0))
            break
        except subprocess.TimeoutExpired:
            if left <= TICK_S and time.monotonic() >= deadline:
                kill(process)
                return timed_out(limit_s)
        if tick is not None:
            tick()
    kill(process)  # what it started and left behind
    if code == 0 and read_json(folder / "out" / "result.json") is not None:
        return None
    fault = said(folder) or crashed()
    LOG.info("a job ended with %s (exit code %s)\n%s", fault.code, code, tail(folder / "log.txt"))
    return fault


def tail(path: Path) -> str:
    """Return the end of a log, for our own log."""
    try:
        return path.read_bytes()[-LOG_TAIL:].decode("utf-8", "replace")
    except OSError:
        return ""


def said(folder: Path) -> Fault | None:
    """Return the fault that a process wrote down before it ended, if any."""
    document = read_json(folder / "out" / "error.json", limit=1 << 20)
    try:
        return Fault.model_validate(document) if document is not None else None
    except ValidationError:
        return None


def progress_of(out: Path) -> dict[str, Any] | None:
    """Return ``stage``, ``done`` and ``total`` as a process wrote them; None when it wrote nothing of use."""
    document = read_json(out / "progress.json", limit=PROGRESS_BYTES)
    if not isinstance(document, dict):
        return None
    stage, done, total = document.get("stage"), document.get("done"), document.get("total")
    if not (isinstance(stage, str) and isinstance(done, int) and isinstance(total, int)):
        return None
    return {"stage": stage[:40], "done": done, "total": total}


def start_of(pid: int) -> str | None:
    """Return the kernel's start time of a process, which a later process with the same number lacks."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[19]
    except (OSError, IndexError):
        return None


def end_left_over(job: Job) -> None:
    """End the process that an earlier server started for a job, and wait until it is gone."""
    if job.pid is None or job.process_start is None:
        return
    deadline = time.monotonic() + GONE_S
    while start_of(job.pid) == job.process_start and not _is_zombie(job.pid) and time.monotonic() < deadline:
        signal_group(job.pid, signal.SIGKILL)
        time.sleep(0.01)


def _is_zombie(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] == "Z"
    except (OSError, IndexError):
        return True
