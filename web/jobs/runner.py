"""Start, watch, cancel and end jobs: one process each."""

from __future__ import annotations

import contextlib
import logging
import shutil
import signal
import subprocess
import threading
import time
from pathlib import Path
from queue import SimpleQueue
from typing import TYPE_CHECKING, Any

from pydantic import ValidationError

from web.errors import ConflictError
from web.jobs.faults import as_error, crashed, interrupted, timed_out, unknown_failure
from web.jobs.launch import Task, kill, launch, signal_group
from web.store.files import read_json
from web.store.models import Fault, Job, new_id, now

if TYPE_CHECKING:
    from web.settings import Settings
    from web.store import JobStore

LOG = logging.getLogger("wangge")

LOG_TAIL = 4000
POLL_S = 0.05


class Runner:
    """Run planning jobs in the background and short tasks while the caller waits."""

    def __init__(self, settings: Settings, jobs: JobStore) -> None:
        self._settings = settings
        self._jobs = jobs
        self._queue: SimpleQueue[tuple[str, Task] | None] = SimpleQueue()
        self._lock = threading.Lock()
        self._running: dict[str, subprocess.Popen[bytes]] = {}
        self._cancelled: set[str] = set()
        self._slots = threading.BoundedSemaphore(settings.max_tasks)
        self._threads: list[threading.Thread] = []
        self._closed = False

    def start(self) -> None:
        """End what an earlier server left behind, then begin to take jobs."""
        shutil.rmtree(self._settings.tasks_dir, ignore_errors=True)
        self._settings.tasks_dir.mkdir(parents=True)
        for job in self._jobs.all():
            if not job.over:
                _kill_left_over(job)
                self._end(job, "interrupted", interrupted())
        for number in range(self._settings.max_jobs):
            thread = threading.Thread(target=self._work, name=f"job-{number}", daemon=True)
            thread.start()
            self._threads.append(thread)

    def close(self) -> None:
        """End every job and take no more."""
        self._closed = True
        for _ in self._threads:
            self._queue.put(None)
        with self._lock:
            processes = list(self._running.values())
        for process in processes:
            kill(process)
        for thread in self._threads:
            thread.join(timeout=5)

    def submit(self, job: Job, task: Task) -> None:
        """Store a job and queue it."""
        self._jobs.add(job)
        self._queue.put((job.id, task))

    def cancel(self, job_id: str) -> Job:
        """End a job that waits or runs; returns once it has ended.

        Raises
        ------
        ConflictError
            If it had ended before.
        """
        with self._lock:
            job = self._jobs.get(job_id)
            if job.over:
                raise ConflictError("job-over", "任务已经结束。", "The job has already ended.")
            self._cancelled.add(job_id)
            process = self._running.get(job_id)
            if process is None:
                self._end(job, "cancelled", None)
        if process is not None:
            kill(process)
            deadline = time.monotonic() + 2
            while not self._jobs.get(job_id).over and time.monotonic() < deadline:
                time.sleep(POLL_S / 2)
        return self._jobs.get(job_id)

    def run(self, task: Task) -> dict[str, Any]:
        """Run a short task and return its result; its folder is gone afterwards, whatever happens.

        Raises
        ------
        GeoError
            The error the task ended with.
        """
        folder = self._settings.tasks_dir / new_id()
        (folder / "out").mkdir(parents=True)
        try:
            with self._slots:
                process = launch(
                    self._settings, folder, task, cpu_s=int(self._settings.inspect_timeout_s) + 5
                )
                fault = self._wait(process, folder, self._settings.inspect_timeout_s)
            if fault is not None:
                raise as_error(fault)
            return read_json(folder / "out" / "result.json") or {}
        finally:
            shutil.rmtree(folder, ignore_errors=True)

    def _work(self) -> None:
        while (item := self._queue.get()) is not None:
            job_id, task = item
            with contextlib.suppress(Exception):
                self._run_job(job_id, task)

    def _run_job(self, job_id: str, task: Task) -> None:
        folder = self._jobs.folder(job_id)
        with self._lock:
            job = self._jobs.get(job_id)
            if job.over or self._closed:
                return
            try:
                process = launch(self._settings, folder, task, cpu_s=int(self._settings.job_timeout_s) + 5)
            except Exception:
                self._end(job, "failed", unknown_failure())
                raise
            self._running[job_id] = process
            job.state, job.started = "running", now()
            job.pid, job.process_start = process.pid, _start_of(process.pid)
            self._jobs.save(job)
        fault = self._wait(process, folder, self._settings.job_timeout_s)
        with self._lock:
            del self._running[job_id]
            if job_id in self._cancelled:
                self._end(job, "cancelled", None)
            elif self._closed and fault is not None:
                self._end(job, "interrupted", interrupted())
            elif fault is not None:
                self._end(job, "failed", fault)
            else:
                self._end(job, "done", None)

    def _end(self, job: Job, state: Any, fault: Fault | None) -> None:
        job.state, job.error, job.ended = state, fault, now()
        self._cancelled.discard(job.id)
        if state != "done":
            self._jobs.clear_out(job.id)
        shutil.rmtree(self._jobs.out(job.id) / "cache", ignore_errors=True)
        self._jobs.save(job)

    def _wait(self, process: subprocess.Popen[bytes], folder: Path, limit_s: float) -> Fault | None:
        """Wait for the process to end, or end it; return what went wrong, if anything."""
        try:
            code = process.wait(timeout=limit_s)
        except subprocess.TimeoutExpired:
            kill(process)
            return timed_out(limit_s)
        kill(process)
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


def _start_of(pid: int) -> str | None:
    """Return the kernel's start time of a process, which a later process with the same number lacks."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[19]
    except (OSError, IndexError):
        return None


def _kill_left_over(job: Job) -> None:
    if job.pid is not None and job.process_start is not None and _start_of(job.pid) == job.process_start:
        signal_group(job.pid, signal.SIGKILL)
