"""Start, watch, cancel and end jobs: one process each.

A job always ends. Its task is kept in its folder, so that a server that starts again takes up what the last one
left: jobs that waited in their order, and one that ran once more, if that was its first try.
"""

from __future__ import annotations

import logging
import shutil
import threading
import time
from collections import deque
from typing import TYPE_CHECKING, Any

from web.errors import ConflictError, NotFoundError
from web.jobs.faults import as_error, finish_failed, interrupted, lost, unknown_failure
from web.jobs.launch import Task, keep_task, kept_task, kill, launch
from web.jobs.processes import end_left_over, progress_of, start_of, wait
from web.store.files import read_json
from web.store.models import Fault, Job, JobState, new_id, now

if TYPE_CHECKING:
    import subprocess
    from collections.abc import Callable

    from web.settings import Settings
    from web.store import JobStore

LOG = logging.getLogger("wangge")

ATTEMPTS = 2
"""How often a job is started: a second time after a restart, not a third."""
BEAT_S = 1.5
"""Between two signs of life of a running job that says nothing new."""
WATCH_S = 2.0
"""Between two looks for jobs that nobody works on."""
CANCEL_S = 2.0
LATE = frozenset({"tiles"})
"""Kinds of jobs that let all others pass: nobody waits for them yet."""


class Runner:
    """Run planning jobs in the background and short tasks while the caller waits."""

    def __init__(self, settings: Settings, jobs: JobStore) -> None:
        self._settings = settings
        self._jobs = jobs
        self._changed = threading.Condition()
        """Guards everything below; notified when a job comes or ends."""
        self._open: set[str] = set()
        self._waiting: deque[str] = deque()
        self._late: set[str] = set()
        """Those of `_waiting` that let all others pass."""
        self._busy: set[str] = set()
        self._running: dict[str, subprocess.Popen[bytes]] = {}
        self._cancelled: set[str] = set()
        self._closed = False
        self._slots = threading.BoundedSemaphore(settings.max_tasks)
        self._threads: list[threading.Thread] = []
        self._on_done: Callable[[Job], None] | None = None

    def start(self, on_done: Callable[[Job], None] | None = None) -> None:
        """Take up what an earlier server left behind, then begin to take jobs.

        Parameters
        ----------
        on_done
            Called in the runner's thread with a job whose process succeeded, before the job is done; when it fails,
            so does the job. After a crash of the server in between it is called again for the same job.
        """
        self._on_done = on_done
        shutil.rmtree(self._settings.tasks_dir, ignore_errors=True)
        self._settings.tasks_dir.mkdir(parents=True)
        for job in self._jobs.unfinished():
            self._guarded(job.id, self._take_up, job)
        names = [f"job-{number}" for number in range(self._settings.max_jobs)]
        self._threads = [threading.Thread(target=self._work, name=name, daemon=True) for name in names]
        self._threads.append(threading.Thread(target=self._watch, name="job-watch", daemon=True))
        for thread in self._threads:
            thread.start()

    def close(self) -> None:
        """End every process and take no more jobs; the next start takes up what did not end."""
        with self._changed:
            self._closed = True
            processes = list(self._running.values())
            self._changed.notify_all()
        for process in processes:
            kill(process)
        for thread in self._threads:
            thread.join(timeout=5)

    def submit(self, job: Job, task: Task) -> None:
        """Store a job and queue it."""
        self._jobs.add(job)
        try:
            keep_task(self._jobs.folder(job.id), task)
        except BaseException:
            self._jobs.remove(job.id)  # it would wait for ever
            raise
        with self._changed:
            self._open.add(job.id)
            self._queue(job)
            self._changed.notify_all()

    def cancel(self, job_id: str) -> Job:
        """End a job that waits or runs; returns once it has ended.

        Raises
        ------
        ConflictError
            If it had ended before.
        """
        with self._changed:
            job = self._jobs.get(job_id)
            if job.over:
                raise _over()
            self._cancelled.add(job_id)
            process = self._running.get(job_id)
            if process is None and job_id not in self._busy:
                self._end(job, "cancelled", None)
        if process is not None:
            kill(process)
        with self._changed:
            self._changed.wait_for(lambda: job_id not in self._open, timeout=CANCEL_S)
        job = self._jobs.get(job_id)
        if job.over and job.state != "cancelled":
            raise _over()
        return job

    def run(self, task: Task) -> dict[str, Any]:
        """Run a short task and return its result; its folder is gone afterwards, whatever happens.

        Raises
        ------
        GeoError
            The error the task ended with.
        """
        folder = self._settings.tasks_dir / new_id()
        (folder / "out").mkdir(parents=True)
        limit_s = self._settings.inspect_timeout_s
        try:
            with self._slots:
                process = launch(self._settings, folder, task, cpu_s=int(limit_s) + 5)
                fault = wait(process, folder, limit_s)
            if fault is not None:
                raise as_error(fault)
            return read_json(folder / "out" / "result.json") or {}
        finally:
            shutil.rmtree(folder, ignore_errors=True)

    def _take_up(self, job: Job) -> None:
        """Queue a job that an earlier server left, or end it."""
        end_left_over(job)
        task_kept = kept_task(self._jobs.folder(job.id)) is not None
        with self._changed:
            self._open.add(job.id)
            if not task_kept or job.attempts >= ATTEMPTS:
                self._end(job, "interrupted", interrupted(job.attempts))
            else:
                self._requeue(job)

    def _requeue(self, job: Job) -> None:
        self._jobs.clear_out(job.id)
        job.state, job.started, job.pid, job.process_start = "queued", None, None, None
        job.progress = {}
        self._jobs.save(job)
        if not self._closed:
            self._queue(job)

    def _queue(self, job: Job) -> None:
        self._waiting.append(job.id)
        if job.kind in LATE:
            self._late.add(job.id)

    def _work(self) -> None:
        while (job_id := self._next()) is not None:
            self._guarded(job_id, self._run_job, job_id)
            with self._changed:
                self._busy.discard(job_id)

    def _next(self) -> str | None:
        """Return the job that waited longest, late ones last; None when the service closes."""
        with self._changed:
            self._changed.wait_for(lambda: self._closed or self._waiting)
            if self._closed:
                return None
            job_id = next((known for known in self._waiting if known not in self._late), self._waiting[0])
            self._waiting.remove(job_id)
            self._late.discard(job_id)
            self._busy.add(job_id)
            return job_id

    def _watch(self) -> None:
        """End jobs that nobody works on: the store could not be written when they should have ended."""
        while True:
            with self._changed:
                if self._changed.wait_for(lambda: self._closed, timeout=WATCH_S):
                    return
                stray = self._open - self._busy - set(self._waiting)
                for job_id in stray:
                    self._guarded(job_id, self._settle, job_id, lost())

    def _guarded(self, job_id: str, work: Callable[..., None], *arguments: Any) -> None:
        """Do what must not end the thread: a job that fails here is ended by `_watch`."""
        try:
            work(*arguments)
        except NotFoundError:  # it was removed meanwhile
            with self._changed:
                self._open.discard(job_id)
        except Exception:
            LOG.exception("job %s could not be kept", job_id)
            with self._changed:
                self._open.add(job_id)

    def _run_job(self, job_id: str) -> None:
        process = self._launched(job_id)
        if process is None:
            return
        try:
            beat = _Beat(self._jobs, job_id)
            fault = wait(process, self._jobs.folder(job_id), self._settings.job_timeout_s, tick=beat)
        finally:
            kill(process)
            with self._changed:
                del self._running[job_id]
                cancelled = job_id in self._cancelled
        if fault is None and not cancelled:
            fault = self._finish(job_id)
            if fault is None:
                self._cancelled.discard(job_id)  # it came too late
        with self._changed:
            self._settle(job_id, fault)

    def _launched(self, job_id: str) -> subprocess.Popen[bytes] | None:
        """Start a job's process; None when the job ended before."""
        folder = self._jobs.folder(job_id)
        with self._changed:
            job = self._jobs.get(job_id)
            if job.over or self._closed:
                return None
            if job_id in self._cancelled:
                self._end(job, "cancelled", None)
                return None
            task = kept_task(folder)
            job.attempts += 1
            # Before the process: a job that ends the whole service must not do so for ever.
            self._jobs.save(job)
            if task is None:
                self._end(job, "failed", unknown_failure())
                return None
            try:
                process = launch(self._settings, folder, task, cpu_s=int(self._settings.job_timeout_s) + 5)
            except Exception:
                self._end(job, "failed", unknown_failure())
                raise
            self._running[job_id] = process
            job.state, job.started, job.heartbeat = "running", now(), now()
            job.pid, job.process_start = process.pid, start_of(process.pid)
            try:
                self._jobs.save(job)
            except Exception:
                del self._running[job_id]
                kill(process)
                raise
            return process

    def _finish(self, job_id: str) -> Fault | None:
        """Do what follows a success; return what went wrong, if anything."""
        if self._on_done is None:
            return None
        try:
            self._on_done(self._jobs.get(job_id))
        except Exception as error:
            LOG.exception("the results of job %s could not be kept", job_id)
            return finish_failed(error)
        return None

    def _settle(self, job_id: str, fault: Fault | None) -> None:
        """Write down how a job ended."""
        job = self._jobs.get(job_id)
        if job.over:
            self._open.discard(job_id)
        elif job_id in self._cancelled:
            self._end(job, "cancelled", None)
        elif fault is None:
            self._end(job, "done", None)
        elif self._closed:
            job.attempts -= 1  # it is we who stop it, not the job
            self._requeue(job)
        else:
            self._end(job, "failed", fault)

    def _end(self, job: Job, state: JobState, fault: Fault | None) -> None:
        job.state, job.error, job.ended = state, fault, now()
        if state != "done":
            self._jobs.clear_out(job.id)
        shutil.rmtree(self._jobs.out(job.id) / "cache", ignore_errors=True)
        self._jobs.save(job)
        self._cancelled.discard(job.id)
        self._open.discard(job.id)
        self._changed.notify_all()


class _Beat:
    """Signs of life of one running job, for its row: what changed at once, otherwise now and then."""

    def __init__(self, jobs: JobStore, job_id: str) -> None:
        self._jobs = jobs
        self._job_id = job_id
        self._known: dict[str, Any] | None = None
        self._at = 0.0

    def __call__(self) -> None:
        said = progress_of(self._jobs.out(self._job_id))
        fresh = said is not None and said != self._known
        if not fresh and time.monotonic() - self._at < BEAT_S:
            return
        try:
            self._jobs.heartbeat(self._job_id, said if fresh else None)
        except Exception:  # a full disk must not end a job that can go on
            LOG.exception("the progress of job %s could not be kept", self._job_id)
        self._known, self._at = said, time.monotonic()


def _over() -> ConflictError:
    return ConflictError("job-over", "任务已经结束。", "The job has already ended.")
