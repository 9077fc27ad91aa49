"""A job always ends: done, cancelled within a second, stopped by its limit, or interrupted by a restart."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from web_make import city, gpkg, roles, send, wait_for

from web.jobs.processes import start_of
from web.settings import ROOT, Settings
from web.store import Job, JobStore, Stores

CANCEL_S = 1.0


def jobs_of(folder: Path) -> JobStore:
    """Return the jobs of a data folder."""
    return Stores.open(Settings(data_dir=folder)).jobs


@pytest.fixture
def project(client: FlaskClient) -> str:
    answer = send(client, {"a.gpkg": gpkg(city())}, roles("a.gpkg"))
    return str(answer.get_json()["id"])


def started(client: FlaskClient, project: str) -> str:
    """Start a job and return its id once its process runs."""
    job = client.post(f"/api/v1/projects/{project}/jobs", json={}).get_json()["id"]
    deadline = time.monotonic() + 20
    while client.get(f"/api/v1/jobs/{job}").get_json()["state"] == "queued" and time.monotonic() < deadline:
        time.sleep(0.02)
    return str(job)


def alive(pid: int) -> bool:
    stat = Path(f"/proc/{pid}/stat")
    return stat.exists() and stat.read_text().rsplit(")", 1)[1].split()[0] != "Z"


def test_cancel_ends_the_process_at_once(app: Flask, client: FlaskClient, project: str) -> None:
    job = started(client, project)
    pid = app.extensions["wangge"].job_store.get(job).pid
    assert alive(pid)
    begin = time.monotonic()
    answer = client.post(f"/api/v1/jobs/{job}/cancel")
    assert time.monotonic() - begin < CANCEL_S
    assert answer.get_json()["state"] == "cancelled"
    assert not alive(pid)
    assert answer.get_json()["files"] == {}
    assert client.post(f"/api/v1/jobs/{job}/cancel").status_code == 409


def test_a_queued_job_can_be_cancelled(client: FlaskClient, project: str) -> None:
    first = started(client, project)
    second = client.post(f"/api/v1/projects/{project}/jobs", json={}).get_json()["id"]
    assert client.get(f"/api/v1/jobs/{second}").get_json()["state"] == "queued"
    assert client.post(f"/api/v1/jobs/{second}/cancel").get_json()["state"] == "cancelled"
    assert client.post(f"/api/v1/jobs/{first}/cancel").get_json()["state"] == "cancelled"


def test_a_busy_project_is_not_deleted(client: FlaskClient, project: str) -> None:
    job = started(client, project)
    assert client.delete(f"/api/v1/projects/{project}").status_code == 409
    client.post(f"/api/v1/jobs/{job}/cancel")
    assert client.delete(f"/api/v1/projects/{project}").status_code == 204
    assert client.get(f"/api/v1/projects/{project}").status_code == 404
    assert client.get(f"/api/v1/jobs/{job}").status_code == 404


def test_a_job_that_takes_too_long_is_stopped(build: Callable[..., Flask]) -> None:
    client = build(job_timeout_s=0.3).test_client()
    project = send(client, {"a.gpkg": gpkg(city())}, roles("a.gpkg")).get_json()["id"]
    job = client.post(f"/api/v1/projects/{project}/jobs", json={}).get_json()["id"]
    state = wait_for(client, job)
    assert (state["state"], state["error"]["code"]) == ("failed", "time-limit")


def test_a_restart_interrupts_what_ran_and_ends_its_process(
    build: Callable[..., Flask], tmp_path: Path
) -> None:
    left = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"], start_new_session=True)
    try:
        jobs = jobs_of(tmp_path / "data")
        job = Job(project="0" * 32, state="running", pid=left.pid, process_start=start_of(left.pid))
        queued = Job(project="0" * 32)
        jobs.add(job)
        jobs.add(queued)
        build()
        assert jobs.get(job.id).state == "interrupted"
        assert jobs.get(queued.id).state == "interrupted"
        assert left.wait(timeout=5) != 0
    finally:
        left.kill()
        left.wait()


def test_a_restart_never_ends_a_process_that_only_has_the_same_number(
    build: Callable[..., Flask], tmp_path: Path
) -> None:
    other = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"], start_new_session=True)
    try:
        jobs = jobs_of(tmp_path / "data")
        jobs.add(Job(project="0" * 32, state="running", pid=other.pid, process_start="1"))
        build()
        assert other.poll() is None
    finally:
        other.kill()
        other.wait()


SERVER = """
import sys
from pathlib import Path
from typing import Any
from web import create_app
from web.settings import Settings
app = create_app(Settings(data_dir=Path(sys.argv[1]), prepare_demo=True, workers=2))
print("ready", flush=True)
sys.stdin.read()
"""


def test_a_killed_server_leaves_no_process(tmp_path: Path) -> None:
    command = [sys.executable, "-c", SERVER, str(tmp_path)]
    server = subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    try:
        assert server.stdout is not None
        assert server.stdout.readline() == b"ready\n"
        jobs = jobs_of(tmp_path)
        pid = until(lambda: jobs.all()[0].pid)
        until(lambda: jobs.progress(jobs.all()[0].id)["stage"] != "start")
        assert alive(pid)
    finally:
        server.kill()
        server.communicate()
    until(lambda: not alive(pid))


def until(wanted: Callable[[], Any], *, limit_s: float = 20) -> Any:
    """Return what `wanted` returns once it is true."""
    deadline = time.monotonic() + limit_s
    while not (found := wanted()):
        assert time.monotonic() < deadline
        time.sleep(0.02)
    return found


def test_an_unchanged_job_answers_304(client: FlaskClient, project: str) -> None:
    job = started(client, project)
    client.post(f"/api/v1/jobs/{job}/cancel")
    answer = client.get(f"/api/v1/jobs/{job}")
    again = client.get(f"/api/v1/jobs/{job}", headers={"If-None-Match": answer.headers["ETag"]})
    assert (again.status_code, again.data) == (304, b"")
