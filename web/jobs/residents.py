"""Processes that stay open to answer questions about one project's data, or one dataset, each.

Uploads are never read in the server's own process, and neither is anything made of them computed there: a question
that a planner asks while dragging a station or rebalancing grids goes over a pipe to a fenced process that holds
the prepared model. It is killed when an answer takes too long, and the least recently asked makes room for another.
`web.jobs.desks` says what kinds there are.
"""

from __future__ import annotations

import json
import logging
import os
import selectors
import shutil
import threading
import time
from concurrent.futures import Future
from contextlib import suppress
from dataclasses import dataclass
from queue import Empty, Full, Queue
from typing import IO, TYPE_CHECKING, Any, Literal

from pydantic import ValidationError

from web.jobs.faults import as_error, crashed, timed_out
from web.jobs.launch import Task, kill, launch
from web.jobs.processes import said, tail
from web.store.files import read_json
from web.store.models import Fault, new_id

if TYPE_CHECKING:
    import subprocess
    from collections.abc import Callable
    from pathlib import Path

    from web.errors import ConflictError
    from web.settings import Settings

LOG = logging.getLogger("wangge")

WAITING = 16
"""Questions that may wait for one process."""
ANSWER_BYTES = 64 * 1024 * 1024
CPU_S = 24 * 3600
"""Processor time after which the kernel ends a process that stays; the next question starts another."""

State = Literal["building", "ready", "failed", "closed"]
Item = tuple[dict[str, Any], "Future[Any]"]


@dataclass(frozen=True)
class DeskKind:
    """What processes of one kind have in common.

    Attributes
    ----------
    most
        How many there may be at the same time.
    answer_s
        Wall clock for one answer.
    idle_s
        A process that nobody asks for so long ends.
    not_ready, busy
        The errors for a question that comes too early, and for one too many.
    """

    most: int
    answer_s: float
    idle_s: float
    not_ready: Callable[[], ConflictError]
    busy: Callable[[], ConflictError]


class Resident:
    """One process and the thread that starts it, talks to it and ends it.

    The kernel ends the process with the thread that started it, so that thread lives as long as the process.
    """

    def __init__(self, settings: Settings, kind: DeskKind, task: Task, stamp: str) -> None:
        self.stamp = stamp
        self.kind = kind
        self.folder = settings.tasks_dir / new_id()
        self.fault: Fault | None = None
        self.state: State = "building"
        self._settings = settings
        self._task = task
        self._questions: Queue[Item | None] = Queue(WAITING)
        self._closing = threading.Event()
        self._settled = threading.Event()
        self._process: subprocess.Popen[bytes] | None = None
        self._thread = threading.Thread(target=self._live, name="resident", daemon=True)
        self._thread.start()

    @property
    def out(self) -> Path:
        """Folder the process writes to."""
        return self.folder / "out"

    def progress(self) -> dict[str, Any]:
        """Return what the process last said about its reading."""
        document = read_json(self.out / "progress.json", limit=4096)
        return document if isinstance(document, dict) else {"stage": "start", "done": 0, "total": 0}

    def settled(self, timeout_s: float) -> bool:
        """Wait until the process is ready or has failed; False when it takes longer."""
        return self._settled.wait(timeout_s)

    def ask(self, question: dict[str, Any]) -> Any:
        """Return the answer to a question.

        Raises
        ------
        ConflictError
            While the model is being built, or when too many questions wait.
        GeoError
            What was wrong with the question, or that it took too long.
        """
        if self.state != "ready":
            raise self.kind.not_ready()
        future: Future[Any] = Future()
        try:
            self._questions.put_nowait((question, future))
        except Full:
            raise self.kind.busy() from None
        if self.state != "ready" and future.cancel():  # it ended between the two: nobody would answer
            raise self.kind.not_ready()
        limit = self.kind.answer_s
        try:
            return future.result(timeout=2 * limit)
        except TimeoutError:
            future.cancel()
            raise as_error(timed_out(limit)) from None

    def close(self) -> None:
        """End the process and forget what it wrote."""
        self._closing.set()
        process = self._process
        if process is not None:
            kill(process)
        with suppress(Full):
            self._questions.put_nowait(None)
        if threading.current_thread() is not self._thread:
            self._thread.join(timeout=5)

    def _live(self) -> None:
        try:
            self._serve()
        except Exception:
            LOG.exception("a resident process could not be kept")
            self.fault = self.fault or crashed()
        finally:
            self.state = "failed" if self.fault is not None else "closed"
            self._settled.set()
            if self._process is not None:
                kill(self._process)
                for pipe in (self._process.stdin, self._process.stdout):
                    if pipe is not None:
                        with suppress(OSError):
                            pipe.close()
            self._refuse_waiting()
            shutil.rmtree(self.folder, ignore_errors=True)

    def _serve(self) -> None:
        self.folder.mkdir(parents=True)
        process = launch(
            self._settings, self.folder, self._task, cpu_s=CPU_S, program="web.jobs.resident", talk=True
        )
        self._process = process
        assert process.stdin is not None  # noqa: S101 - both are pipes
        assert process.stdout is not None  # noqa: S101
        lines = Lines(process.stdout)
        try:
            ready = lines.next(self._settings.job_timeout_s)
        except TimeoutError:
            self.fault = timed_out(self._settings.job_timeout_s)
            return
        if ready is None:
            process.wait(timeout=5)
            if not self._closing.is_set():
                self.fault = said(self.folder) or crashed()
                LOG.info(
                    "a resident process did not get ready: %s\n%s",
                    self.fault.code,
                    tail(self.folder / "log.txt"),
                )
            return
        self.state = "ready"
        self._settled.set()
        while (item := self._next()) is not None:
            question, future = item
            if not future.set_running_or_notify_cancel():
                continue
            if not self._exchange(process.stdin, lines, question, future):
                return

    def _next(self) -> Item | None:
        """Return the next question; None when there will be none, or none came for long."""
        if self._closing.is_set():
            return None
        try:
            return self._questions.get(timeout=self.kind.idle_s)
        except Empty:
            return None

    def _exchange(
        self, asked: IO[bytes], lines: Lines, question: dict[str, Any], future: Future[Any]
    ) -> bool:
        """Ask one question; False when the process cannot be asked again."""
        limit = self.kind.answer_s
        try:
            asked.write(json.dumps(question).encode() + b"\n")
            asked.flush()
            line = lines.next(limit)
            document = None if line is None else json.loads(line)
        except TimeoutError:
            self.state = "closed"
            future.set_exception(as_error(timed_out(limit)))
            return False
        except (OSError, ValueError):
            document = None
        if not isinstance(document, dict):
            self.state = "closed"
            LOG.info("a resident process ended\n%s", tail(self.folder / "log.txt"))
            future.set_exception(as_error(crashed()))
            return False
        try:
            fault = Fault.model_validate(document["error"]) if "error" in document else None
        except ValidationError:
            fault = crashed()
        if fault is not None:
            future.set_exception(as_error(fault))
        else:
            future.set_result(document.get("answer"))
        return True

    def _refuse_waiting(self) -> None:
        with suppress(Empty):
            while True:
                item = self._questions.get_nowait()
                if item is not None and item[1].set_running_or_notify_cancel():
                    item[1].set_exception(self.kind.not_ready())


class Lines:
    """Lines of a pipe, each waited for no longer than is allowed."""

    def __init__(self, pipe: IO[bytes]) -> None:
        self._handle = pipe.fileno()
        self._rest = bytearray()
        os.set_blocking(self._handle, False)

    def next(self, limit_s: float) -> bytes | None:
        """Return the next line; None at the end of the pipe.

        Raises
        ------
        TimeoutError
            If none came in time.
        ValueError
            If it is longer than any answer may be.
        """
        deadline = time.monotonic() + limit_s
        with selectors.DefaultSelector() as selector:
            selector.register(self._handle, selectors.EVENT_READ)
            looked = 0
            while (at := self._rest.find(b"\n", looked)) < 0:
                looked = len(self._rest)
                if looked > ANSWER_BYTES:
                    raise ValueError("an answer is too long")
                left = deadline - time.monotonic()
                if left <= 0 or not selector.select(left):
                    raise TimeoutError
                chunk = os.read(self._handle, 1 << 20)
                if not chunk:
                    return None
                self._rest += chunk
        line = bytes(self._rest[:at])
        del self._rest[: at + 1]
        return line


class Residents:
    """The processes of one kind that stay, by what they hold.

    Parameters
    ----------
    kind
        Of all of them.
    """

    def __init__(self, settings: Settings, kind: DeskKind) -> None:
        self._settings = settings
        self._kind = kind
        self._lock = threading.Lock()
        self._open: dict[str, Resident] = {}

    def open(self, key: str, task: Task, stamp: str) -> Resident:
        """Return the process of a project or dataset, started if there is none or its data have changed since.

        Parameters
        ----------
        key
            Id of what it holds.
        stamp
            Changes with the data.
        """
        leaving: list[Resident] = []
        with self._lock:
            resident = self._open.pop(key, None)
            if resident is not None and (resident.stamp != stamp or resident.state == "closed"):
                leaving.append(resident)
                resident = None
            if resident is None:
                while len(self._open) >= self._kind.most:
                    leaving.append(self._open.pop(next(iter(self._open))))
                resident = Resident(self._settings, self._kind, task, stamp)
            self._open[key] = resident  # last: asked most recently
        for old in leaving:
            old.close()
        return resident

    def get(self, key: str) -> Resident | None:
        """Return the process that holds `key` if there is one, and count it as asked."""
        with self._lock:
            resident = self._open.pop(key, None)
            if resident is not None:
                self._open[key] = resident
        return resident

    def forget(self, key: str) -> None:
        """End the process that holds `key`."""
        with self._lock:
            resident = self._open.pop(key, None)
        if resident is not None:
            resident.close()

    def close(self) -> None:
        """End every process."""
        with self._lock:
            residents = list(self._open.values())
            self._open.clear()
        for resident in residents:
            resident.close()
