"""Jobs outlive their server: whatever is killed when, a job goes on or ends with a reason; the same bytes come out.

The first half drives a runner without a web server, on tasks that take no time; the second kills a real one.
"""

from __future__ import annotations

import hashlib
import json
import os
import random
import signal
import socket
import subprocess
import sys
import threading
import time
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest
from web_make import city, form, gpkg, roles

from geo.errors import PlanError
from web.errors import ConflictError, StorageFullError
from web.jobs.launch import Task, keep_task
from web.jobs.processes import progress_of, start_of
from web.jobs.runner import Runner
from web.settings import ROOT, Settings
from web.store import Job, JobStore, Stores

NOTHING = Task("inspect", {"folder": "/nowhere", "files": []})
"""A task that ends at once and well."""
PROJECT = "0" * 32
LIMIT_S = 60.0


def until(wanted: Callable[[], Any], *, limit_s: float = LIMIT_S, every_s: float = 0.02) -> Any:
    """Return what `wanted` returns once it is true."""
    deadline = time.monotonic() + limit_s
    while not (found := wanted()):
        assert time.monotonic() < deadline
        time.sleep(every_s)
    return found


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(data_dir=tmp_path, workers=1)


@pytest.fixture
def jobs(settings: Settings) -> Iterator[JobStore]:
    stores = Stores.open(settings)
    yield stores.jobs
    stores.close()


@pytest.fixture
def server(settings: Settings, jobs: JobStore) -> Iterator[Callable[..., Runner]]:
    """Start runners, each as a server that starts anew would."""
    made: list[Runner] = []

    def start(on_done: Callable[[Job], None] | None = None) -> Runner:
        made.append(Runner(settings, jobs))
        made[-1].start(on_done)
        return made[-1]

    yield start
    for runner in made:
        runner.close()


def left(jobs: JobStore, **facts: Any) -> Job:
    """Store a job as a server that was killed leaves it."""
    job = Job(project=PROJECT, **facts)
    jobs.add(job)
    keep_task(jobs.folder(job.id), NOTHING)
    return job


def ended(jobs: JobStore, job: Job) -> Job:
    found: Job = until(lambda: now if (now := jobs.get(job.id)).over else None)
    return found


def held(runner: Runner, jobs: JobStore) -> Job:
    """Submit a job and stop its process, so that it runs as long as the test wants."""
    job = Job(project=PROJECT)
    runner.submit(job, NOTHING)
    pid = until(lambda: jobs.get(job.id).pid)
    os.kill(pid, signal.SIGSTOP)
    return jobs.get(job.id)


def test_a_restart_takes_up_everything_in_order(jobs: JobStore, server: Callable[..., Runner]) -> None:
    process = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"], start_new_session=True)
    ran = left(jobs, state="running", attempts=1, pid=process.pid, process_start=start_of(process.pid))
    waited = [left(jobs) for _ in range(2)]
    (jobs.out(ran.id) / "half.json").write_text("{}")
    done: list[str] = []
    try:
        server(lambda job: done.append(job.id))
        assert process.wait(timeout=5) == -signal.SIGKILL
        assert [ended(jobs, job).state for job in (ran, *waited)] == ["done"] * 3
    finally:
        process.kill()
        process.wait()
    assert done == [job.id for job in (ran, *waited)]
    assert [jobs.get(job.id).attempts for job in (ran, *waited)] == [2, 1, 1]
    assert not (jobs.out(ran.id) / "half.json").exists()


def test_a_job_is_not_tried_a_third_time(jobs: JobStore, server: Callable[..., Runner]) -> None:
    job = left(jobs, state="running", attempts=2)
    server()
    end = ended(jobs, job)
    assert end.state == "interrupted"
    assert end.error is not None
    assert "已自动重试一次" in end.error.zh
    assert "tried again once" in end.error.en


def test_a_job_whose_task_was_never_kept_ends(jobs: JobStore, server: Callable[..., Runner]) -> None:
    job = Job(project=PROJECT)
    jobs.add(job)
    server()
    assert ended(jobs, job).state == "interrupted"


def test_a_job_whose_task_cannot_be_kept_is_not_taken(
    jobs: JobStore, server: Callable[..., Runner], monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: Any) -> None:
        raise OSError(28, "No space left on device")

    runner = server()
    monkeypatch.setattr("web.jobs.runner.keep_task", full)
    with pytest.raises(OSError, match="No space"):
        runner.submit(Job(project=PROJECT), NOTHING)
    assert jobs.all() == []


def test_a_server_that_stops_gives_the_job_back(jobs: JobStore, server: Callable[..., Runner]) -> None:
    """An orderly stop is no try of the job."""
    first = server()
    job = held(first, jobs)
    first.close()
    assert (jobs.get(job.id).state, jobs.get(job.id).attempts) == ("queued", 0)
    server()
    assert (ended(jobs, job).state, jobs.get(job.id).attempts) == ("done", 1)


def test_signs_of_life_and_progress_reach_the_row(jobs: JobStore, server: Callable[..., Runner]) -> None:
    runner = server()
    job = held(runner, jobs)
    said = {"stage": "partition", "done": 3, "total": 7}
    (jobs.out(job.id) / "progress.json").write_text(json.dumps(said))
    begin = time.monotonic()
    until(lambda: jobs.progress(job.id) == said, limit_s=2)
    beat = jobs.get(job.id).heartbeat
    until(lambda: jobs.get(job.id).heartbeat != beat, limit_s=2.2)
    assert time.monotonic() - begin < 4
    begin = time.monotonic()
    assert runner.cancel(job.id).state == "cancelled"
    assert time.monotonic() - begin < 1
    assert start_of(job.pid or 0) != job.process_start


def test_tiles_let_plans_pass(jobs: JobStore, server: Callable[..., Runner]) -> None:
    done: list[str] = []
    runner = server(lambda job: done.append(job.id))
    first = held(runner, jobs)
    tiles, plan = Job(project=PROJECT, kind="tiles"), Job(project=PROJECT)
    runner.submit(tiles, NOTHING)
    runner.submit(plan, NOTHING)
    runner.cancel(first.id)
    ended(jobs, tiles)
    assert done == [plan.id, tiles.id]


def test_a_process_that_dies_ends_its_job(jobs: JobStore, server: Callable[..., Runner]) -> None:
    job = held(server(), jobs)
    os.kill(job.pid or 0, signal.SIGKILL)
    end = ended(jobs, job)
    assert end.state == "failed"
    assert end.error is not None
    assert end.error.code == "reader-crashed"


@pytest.mark.parametrize(
    ("error", "code"),
    [(PlanError("plan-damaged", "坏", "bad"), "plan-damaged"), (OSError("full"), "results-not-kept")],
)
def test_results_that_cannot_be_kept_end_the_job(
    jobs: JobStore, server: Callable[..., Runner], error: Exception, code: str
) -> None:
    states = []

    def keep(job: Job) -> None:
        states.append(jobs.get(job.id).state)
        raise error

    runner = server(keep)
    job = Job(project=PROJECT)
    runner.submit(job, NOTHING)
    end = ended(jobs, job)
    assert end.state == "failed"
    assert end.error is not None
    assert end.error.code == code
    assert states == ["running"]


def test_a_cancel_that_comes_too_late_says_so(jobs: JobStore, server: Callable[..., Runner]) -> None:
    """Results are being registered: what the planner is told is what happened."""
    refused: list[str] = []

    def cancel(job_id: str) -> None:
        try:
            runner.cancel(job_id)
        except ConflictError as error:
            refused.append(error.code)

    def keep(job: Job) -> None:
        late.append(threading.Thread(target=cancel, args=(job.id,)))
        late[0].start()
        time.sleep(0.3)

    late: list[threading.Thread] = []
    runner = server(keep)
    job = Job(project=PROJECT)
    runner.submit(job, NOTHING)
    assert ended(jobs, job).state == "done"
    late[0].join(timeout=5)
    assert refused == ["job-over"]


def test_a_job_whose_end_could_not_be_stored_still_ends(
    jobs: JobStore, server: Callable[..., Runner], monkeypatch: pytest.MonkeyPatch
) -> None:
    runner = server()
    job = held(runner, jobs)
    save, full = jobs.save, [True, True]

    def save_or_fail(job: Job) -> None:
        if job.over and full:
            full.pop()
            raise StorageFullError("disk-full", "满", "full")
        save(job)

    monkeypatch.setattr(jobs, "save", save_or_fail)
    os.kill(job.pid or 0, signal.SIGKILL)
    end = ended(jobs, job)
    assert end.state == "failed"
    assert end.error is not None
    assert end.error.code == "job-lost"


def test_a_job_that_was_removed_is_forgotten(jobs: JobStore, server: Callable[..., Runner]) -> None:
    runner = server()
    job = held(runner, jobs)
    jobs.remove(job.id)
    os.kill(job.pid or 0, signal.SIGKILL)
    until(lambda: not runner._open)
    follower = Job(project=PROJECT)
    runner.submit(follower, NOTHING)
    assert ended(jobs, follower).state == "done"


# A real server, killed.


class Server:
    """``python -m web`` on a port of its own."""

    def __init__(self, data: Path) -> None:
        self._data = data
        with socket.create_server(("127.0.0.1", 0)) as free:
            self.port = int(free.getsockname()[1])
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        given = {
            "WANGGE_DATA_DIR": str(self._data),
            "WANGGE_PORT": str(self.port),
            "WANGGE_PREPARE_DEMO": "false",
            "WANGGE_WORKERS": "1",
            "WANGGE_THREADS": "4",
        }
        with (self._data / "server.log").open("ab") as log:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "web"], cwd=ROOT, env=os.environ | given, stdout=log, stderr=log
            )
        until(self._up)

    def _up(self) -> bool:
        assert self._process is not None
        assert self._process.poll() is None, (self._data / "server.log").read_text()
        try:
            return bool(self.ask("/health")["status"])
        except OSError:
            return False

    def ask(self, path: str, **upload: Any) -> dict[str, Any]:
        """Send a request; one with arguments of `form` is a POST."""
        request = urllib.request.Request(f"http://127.0.0.1:{self.port}{path}")
        if upload:
            request.data = upload["data"]
            request.add_header("Content-Type", upload["content_type"])
        with urllib.request.urlopen(request, timeout=30) as answer:  # noqa: S310 - our own server
            found: dict[str, Any] = json.load(answer)
        return found

    def kill(self) -> None:
        """End it as a power cut does, and see that everything it started ends with it."""
        assert self._process is not None
        started = psutil.Process(self._process.pid).children(recursive=True)
        self._process.kill()
        self._process.wait()
        _, alive = psutil.wait_procs(started, timeout=5)
        assert not alive, alive


@pytest.fixture
def real(tmp_path: Path) -> Iterator[Server]:
    server = Server(tmp_path)
    server.start()
    yield server
    server.kill()


class City:
    """A small city on a server, planned again and again."""

    def __init__(self, server: Server, data: Path) -> None:
        self._server, self._data = server, data
        layers = roles("a.gpkg", "buildings", "communities")  # without stations: less to wait for
        answer = server.ask("/api/v1/projects", **form({"a.gpkg": gpkg(city())}, layers=layers))
        self._project = answer["id"]

    def submit(self) -> str:
        answer = self._server.ask(
            f"/api/v1/projects/{self._project}/jobs",
            data=b'{"effort": "fast"}',
            content_type="application/json",
        )
        return str(answer["id"])

    def over(self, job: str) -> dict[str, Any]:
        """Return the job once it has ended, within a minute."""
        path = f"/api/v1/jobs/{job}"
        return dict(until(lambda: said if (said := self._server.ask(path))["ended"] else None, every_s=0.1))

    def killed(self, reached: Callable[[Path], bool]) -> dict[str, Any]:
        """Plan the city, kill the server once `reached` says so of the job's results, start it again."""
        job = self.submit()
        out = self._data / "jobs" / job / "out"
        until(lambda: reached(out) or (out / "result.json").exists(), every_s=0.001)
        self._server.kill()
        self._server.start()
        return self.over(job)

    def results(self, job: str) -> list[str]:
        files = [self._data / "jobs" / job / "out" / name for name in ("grids.geojson", "plan.gpkg")]
        return [hashlib.sha256(file.read_bytes()).hexdigest() for file in files]

    def stored(self, job: str) -> Job:
        stores = Stores.open(Settings(data_dir=self._data))
        try:
            return stores.jobs.get(job)
        finally:
            stores.close()


def at_stage(stage: str) -> Callable[[Path], bool]:
    return lambda out: (said := progress_of(out)) is not None and said["stage"] == stage


def at_once(out: Path) -> bool:
    return True


def begun(out: Path) -> bool:
    return (out / "cache").exists()


POINTS = (at_once, begun, *(at_stage(stage) for stage in ("cells", "partition", "write", "map")))


def test_a_killed_server_finishes_its_job_after_the_next_start(real: Server, tmp_path: Path) -> None:
    """Killed at six points of a planning job: each is done within a minute of the start, with the same bytes."""
    place = City(real, tmp_path)
    first = place.submit()
    assert place.over(first)["state"] == "done"
    wanted, again = place.results(first), 0
    for reached in POINTS:
        said = place.killed(reached)
        assert said["state"] == "done", said
        assert place.results(said["id"]) == wanted
        again += place.stored(said["id"]).attempts == 2
    assert again >= 3  # the point was met while the job ran


RANDOM_KILLS = int(os.environ.get("WANGGE_TEST_KILLS", "50"))


@pytest.mark.torture
def test_a_server_killed_at_random_moments(real: Server, tmp_path: Path) -> None:
    place = City(real, tmp_path)
    begin = time.monotonic()
    first = place.submit()
    assert place.over(first)["state"] == "done"
    lasts, wanted = time.monotonic() - begin, place.results(first)
    rng = random.Random(0)  # noqa: S311
    for _ in range(RANDOM_KILLS):
        wait_s, begin = rng.uniform(0, lasts), time.monotonic()
        said = place.killed(lambda out, end=begin + wait_s: time.monotonic() >= end)  # type: ignore[misc]
        assert said["state"] == "done", said
        assert place.results(said["id"]) == wanted
