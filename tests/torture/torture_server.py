"""A real server in a process of its own, plain clients, and people who edit a plan through them."""

from __future__ import annotations

import contextlib
import http.client
import json
import os
import random
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self

import numpy as np
import psutil
from grounds import random_edit
from torture_make import Place

from geo.editing.apply import apply_change
from geo.editing.change import Change
from geo.editing.codec import change_from
from geo.editing.edits import NEEDS_SURVEY, Edit, Refusal, to_document
from geo.editing.plan import Plan
from web.settings import ROOT

COOKIE = "wangge-session"
START_LIMIT_S = 60.0


class GoneError(Exception):
    """The server did not answer: it was killed."""


@dataclass(frozen=True)
class Start:
    """How long a start took, by the clock of the wall and in time of the processor."""

    seconds: float
    cpu_seconds: float


class RefusedError(Exception):
    """An answer that is neither an acknowledgement, nor a conflict, nor a refusal of the edit."""

    def __init__(self, status: int, problem: dict[str, Any], path: str, body: dict[str, Any]) -> None:
        super().__init__(f"{status} {problem}")
        self.status, self.problem, self.path, self.body = status, problem, path, body


class Server:
    """``python -m web`` on a port of its own."""

    def __init__(self, data: Path, **settings: str) -> None:
        with socket.create_server(("127.0.0.1", 0)) as free:
            self.port = int(free.getsockname()[1])
        given = {
            "DATA_DIR": str(data),
            "PORT": str(self.port),
            "PREPARE_DEMO": "false",
            "WORKERS": "1",
            "THREADS": "16",
        } | settings
        kept = {name: value for name, value in os.environ.items() if not name.startswith("WANGGE_")}
        self._environment = kept | {f"WANGGE_{name}": value for name, value in given.items()}
        self._log = data.parent / "server.log"
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def root(self) -> psutil.Process:
        """The process that was started."""
        assert self._process is not None
        return psutil.Process(self._process.pid)

    def start(self) -> Start:
        """Start; return once it answers."""
        begin = time.monotonic()
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "web"],
                cwd=ROOT,
                env=self._environment,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        while True:
            assert self._process.poll() is None, self._log.read_text()
            assert time.monotonic() - begin < START_LIMIT_S, self._log.read_text()
            with contextlib.suppress(GoneError), Client(self.port) as client:
                if client.ask("GET", "/health")[0] == 200:
                    return Start(time.monotonic() - begin, self._cpu_seconds())
            time.sleep(0.01)

    def _cpu_seconds(self) -> float:
        found = 0.0
        for process in (self.root, *self.root.children(recursive=True)):
            with contextlib.suppress(psutil.NoSuchProcess):  # one that had its say meanwhile
                times = process.cpu_times()
                found += times.user + times.system
        return found

    @property
    def worker(self) -> psutil.Process:
        """The process that answers."""
        return max(self.root.children(recursive=True), key=lambda process: process.memory_info().rss)

    def kill(self) -> None:
        """End it and all it started at once, as a power cut does."""
        started = self.root.children(recursive=True)
        os.killpg(self.root.pid, signal.SIGKILL)
        assert self._process is not None
        self._process.wait()
        _, alive = psutil.wait_procs(started, timeout=5)
        assert not alive, alive
        self._process = None

    def end(self) -> None:
        """Kill it unless it is dead."""
        if self._process is not None:
            self.kill()


@contextlib.contextmanager
def serving(data: Path, **settings: str) -> Iterator[Server]:
    """Run a server for as long as the block lasts."""
    server = Server(data, **settings)
    server.start()
    try:
        yield server
    finally:
        server.end()


class Client:
    """One connection that is kept open."""

    def __init__(self, port: int, token: str | None = None) -> None:
        self._connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
        self._headers = {"Cookie": f"{COOKIE}={token}"} if token else {}

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the connection."""
        self._connection.close()

    def raw(self, method: str, path: str, body: Any = None) -> tuple[int, bytes]:
        """Send a request; return status and content."""
        headers = dict(self._headers)
        if body is not None:
            headers["Content-Type"] = "application/json"
            body = json.dumps(body).encode()
        try:
            self._connection.request(method, path, body, headers)
            answer = self._connection.getresponse()
            return answer.status, answer.read()
        except (OSError, http.client.HTTPException) as error:
            self._connection.close()
            raise GoneError(str(error)) from error

    def ask(self, method: str, path: str, body: Any = None) -> tuple[int, Any]:
        """Send a request; return status and the JSON value of the answer."""
        status, content = self.raw(method, path, body)
        return status, json.loads(content)


@dataclass(frozen=True)
class Row:
    """One revision, as the service lists it."""

    revision: int
    op_id: str
    user: str
    kind: str
    change: Change


class Mirror:
    """A plan as its log says, brought up to date over HTTP and never by what the server holds in memory."""

    def __init__(self, place: Place) -> None:
        self.base = f"/api/v1/plans/{place.plan}"
        self.plan = place.start
        self.rows: list[Row] = []
        self._lock = threading.Lock()

    def view(self) -> tuple[Plan, int]:
        """Return the plan as known, and its revision."""
        with self._lock:
            return self.plan, len(self.rows)

    def catch_up(self, client: Client) -> tuple[Plan, int]:
        """Read what was committed since; return the plan and its revision."""
        while True:
            with self._lock:
                since = len(self.rows)
                status, found = client.ask("GET", f"{self.base}/edits?since={since}&limit=1000")
                assert status == 200, found
                for item in found["edits"]:
                    self._take(item)
                assert found["more"] or found["revision"] == len(self.rows)
                if not found["more"]:
                    return self.plan, len(self.rows)

    def _take(self, item: dict[str, Any]) -> None:
        assert item["revision"] == len(self.rows) + 1
        change = change_from(item["change"])
        after = apply_change(self.plan, change)
        assert not isinstance(after, Refusal), (item, after)
        self.plan = after
        self.rows.append(Row(item["revision"], item["op_id"], item["user"]["name"], item["kind"], change))

    def assert_served(self, client: Client) -> None:
        """Hold what the service serves against what the log says."""
        plan, revision = self.catch_up(client)
        status, content = client.raw("GET", f"{self.base}/assignment")
        assert status == 200
        assert np.array_equal(np.frombuffer(content, "<i4"), plan.assignment)
        status, figures = client.ask("GET", f"{self.base}/metrics")
        assert (status, figures["revision"]) == (200, revision)
        assert figures["summary"]["households"] == int(plan.figures.households.sum())
        status, grids = client.ask("GET", f"{self.base}/grids")
        assert {row["id"]: row["name"] for row in grids["grids"]} == {
            number: grid.name for number, grid in plan.grids.items()
        }
        status, said = client.ask("GET", self.base)
        assert said["pinned"] == np.flatnonzero(plan.pinned).tolist()


@dataclass(frozen=True)
class Sent:
    """A request that was acknowledged."""

    op_id: str
    path: str
    body: dict[str, Any]
    answer: dict[str, Any]
    seconds: float

    @property
    def revision(self) -> int:
        """The revision it became."""
        return int(self.answer["revision"])


def light_edit(plan: Plan, rng: np.random.Generator) -> Edit:
    """Edit as planners make them, without those that need shapes or the engine."""
    while (edit := random_edit(plan, rng)).kind in NEEDS_SURVEY:
        pass
    return edit


@dataclass
class Editor:
    """Somebody who edits a plan over HTTP; a refused edit is given up, a conflicting one is sent anew."""

    mirror: Mirror
    client: Client
    name: str
    seed: int
    undoes: float = 0.12
    """Share of the steps that are an undo or a redo."""
    acked: list[Sent] = field(default_factory=list)
    open: list[tuple[str, dict[str, Any]]] = field(default_factory=list)
    """What was sent and never answered."""
    conflicts: list[dict[str, Any]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.random = random.Random(self.seed)  # noqa: S311 - no secret
        self._rng = np.random.default_rng(self.seed)
        self._base = 0

    def step(self) -> bool:
        """Try one thing; return whether it was acknowledged.

        Raises
        ------
        GoneError
            If the server was killed meanwhile.
        """
        op_id = f"{self.name}-{self.random.getrandbits(64):016x}"
        draw = self.random.random()
        if draw < self.undoes:
            path = "undo" if draw < 0.7 * self.undoes else "redo"
            return self.send(path, {"op_id": op_id, "base": self._base})
        plan, known = self.mirror.view()
        # Half of the time on what was seen a while ago, as somebody who draws slowly does.
        if known < self._base or self.random.random() < 0.5:
            plan, self._base = self.mirror.catch_up(self.client)
        else:
            self._base = known
        edit = to_document(light_edit(plan, self._rng))
        return self.send("edits", {"op_id": op_id, "base": self._base, "edit": edit})

    def send(self, path: str, body: dict[str, Any]) -> bool:
        """Send one operation until it is acknowledged or refused.

        Raises
        ------
        RefusedError
            For any other answer.
        """
        while True:
            self.open.append((path, body))
            begin = time.monotonic()
            status, answer = self.client.ask("POST", f"{self.mirror.base}/{path}", body)
            seconds = time.monotonic() - begin
            self.open.pop()
            if status == 200:
                self.acked.append(Sent(body["op_id"], path, body, answer, seconds))
                return True
            assert answer["detail_zh"], answer
            assert answer["detail_en"], answer
            if status == 409 and answer["code"] == "edit-conflict":
                self.conflicts.append(answer | {"base": body["base"]})
                if path != "edits":
                    return False
                _, base = self.mirror.catch_up(self.client)
                body = body | {"base": base}
                continue
            if status not in {409, 422}:
                raise RefusedError(status, answer, path, body)
            return False
