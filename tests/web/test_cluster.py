"""A planning job on a Dask cluster: real scheduler and workers, the same bytes, a clear end when it breaks."""

from __future__ import annotations

import ast
import hashlib
import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import CancelledError
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from pydantic import ValidationError
from web_make import Planned, city, gpkg, roles, send, wait_for

from geo.errors import GeoError
from web.errors import ClusterError
from web.jobs import cluster as cluster_module
from web.jobs import landlock, sandbox
from web.settings import ROOT, Settings

LIMIT_S = 60.0


@pytest.fixture(scope="module", autouse=True)
def able() -> None:
    pytest.importorskip("distributed")
    if landlock.abi() < landlock.NET_ABI:
        if os.environ.get("CI") == "true":
            pytest.fail("this kernel has no Landlock for TCP; CI needs one that has")
        pytest.skip("this kernel has no Landlock for TCP")


@dataclass
class Cluster:
    address: str
    scheduler: subprocess.Popen[bytes]
    workers: list[subprocess.Popen[bytes]]

    def kill(self) -> None:
        for process in (*self.workers, self.scheduler):
            process.kill()
        for process in (*self.workers, self.scheduler):
            process.wait(timeout=10)


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as server:
        return int(server.getsockname()[1])


def dask(folder: Path, *arguments: str) -> subprocess.Popen[bytes]:
    """Start a part of a cluster as an operator does; geo is found in the working directory."""
    quiet = {"DASK_DISTRIBUTED__WORKER__PROFILE__ENABLED": "false", "PYTHONPATH": str(ROOT)}
    with (folder / f"{arguments[0]}-{time.monotonic_ns()}.log").open("wb") as log:
        return subprocess.Popen(
            [sys.executable, "-m", "dask", *arguments],
            cwd=folder,
            env=os.environ | quiet,
            stdout=log,
            stderr=log,
        )


@pytest.fixture(scope="module")
def start(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[[], Cluster]]:
    """Start clusters; they end with the module."""
    made: list[Cluster] = []

    def start_cluster() -> Cluster:
        folder = tmp_path_factory.mktemp("cluster")
        port = free_port()
        address = f"tcp://127.0.0.1:{port}"
        scheduler = dask(folder, "scheduler", "--host", "127.0.0.1", "--port", str(port), "--no-dashboard")
        workers = [
            dask(
                folder,
                "worker",
                address,
                "--nworkers",
                "1",
                "--nthreads",
                "1",
                "--no-dashboard",
                "--no-nanny",
            )
            for _ in range(2)
        ]
        made.append(Cluster(address, scheduler, workers))
        return made[-1]

    yield start_cluster
    for cluster in made:
        cluster.kill()


@pytest.fixture(scope="module")
def cluster(start: Callable[[], Cluster]) -> Cluster:
    return start()


def uploaded(client: FlaskClient) -> str:
    return str(send(client, {"城区.gpkg": gpkg(city())}, roles("城区.gpkg")).get_json()["id"])


def queued(client: FlaskClient, project: str, **parameters: Any) -> str:
    return str(client.post(f"/api/v1/projects/{project}/jobs", json=parameters).get_json()["id"])


def until(wanted: Callable[[], Any]) -> Any:
    deadline = time.monotonic() + LIMIT_S
    while not (found := wanted()):
        assert time.monotonic() < deadline
        time.sleep(0.02)
    return found


def test_a_cluster_makes_the_same_bytes(
    planned: Planned, build: Callable[..., Flask], cluster: Cluster
) -> None:
    app = build(cluster=cluster.address)
    client = app.test_client()
    job = queued(client, uploaded(client))
    state = wait_for(client, job)
    assert state["state"] == "done", state
    service, first = app.extensions["wangge"], planned.app.extensions["wangge"]
    for name in ("grids.geojson", "plan.gpkg"):
        made = (service.job_store.out(job) / name).read_bytes()
        alone = (first.job_store.out(planned.job) / name).read_bytes()
        assert hashlib.sha256(made).digest() == hashlib.sha256(alone).digest(), name
    assert "solve_all" in done_by(cluster)


ASK = """
import sys
from distributed import Client
with Client(sys.argv[1], timeout=10) as client:
    print(*client.run_on_scheduler(lambda dask_scheduler: [str(key) for key in dask_scheduler.task_prefixes]))
"""


def done_by(cluster: Cluster) -> list[str]:
    """Return the names of the functions that a cluster's workers ran."""
    command = [sys.executable, "-c", ASK, cluster.address]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout.split()


def begun(app: Flask, client: FlaskClient) -> str:
    """Start a job and return it once it has begun to read, connected to its cluster."""
    job = queued(client, uploaded(client))
    jobs = app.extensions["wangge"].job_store
    until(lambda: jobs.get(job).over or jobs.progress(job)["stage"] != "start")
    assert not jobs.get(job).over, jobs.get(job).error
    return job


def test_a_job_on_a_cluster_is_cancelled_and_fails_with_the_scheduler(
    build: Callable[..., Flask], cluster: Cluster
) -> None:
    """The workers stand still, so that nothing ends by itself."""
    app = build(cluster=cluster.address)
    client = app.test_client()
    for end in ("cancel", "lose"):
        job = begun(app, client)
        for worker in cluster.workers:
            worker.send_signal(signal.SIGSTOP)
        begin = time.monotonic()
        if end == "cancel":
            assert client.post(f"/api/v1/jobs/{job}/cancel").get_json()["state"] == "cancelled"
            assert time.monotonic() - begin < 1
            for worker in cluster.workers:
                worker.send_signal(signal.SIGCONT)
            continue
        cluster.scheduler.kill()
        error = wait_for(client, job)["error"]
        assert error["code"] == "cluster-lost"
        assert cluster.address in error["zh"]
        assert time.monotonic() - begin < 10


@pytest.mark.parametrize(
    ("raised", "gone", "expected"),
    [
        (CancelledError(), True, ClusterError),
        (CancelledError(), False, CancelledError),
        (OSError("stream closed"), True, ClusterError),
        (GeoError("no-cells", "没有单元。", "There are no cells."), False, GeoError),
    ],
)
def test_what_fails_because_the_scheduler_is_gone_says_that(
    raised: Exception, gone: bool, expected: type[Exception], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Dask notices the loss a moment after what was asked over the connection failed."""
    monkeypatch.setattr(cluster_module, "NOTICE_S", 0.2)
    client = SimpleNamespace(status="running")
    scheduler = cluster_module.Scheduler("tcp://cluster:8786", "192.0.2.1", 8786)
    if gone:
        threading.Timer(0.05, lambda: setattr(client, "status", "connecting")).start()
    with pytest.raises(expected) as told, cluster_module._told_if_gone(client, scheduler):
        raise raised
    if expected is ClusterError:
        assert told.value.code == "cluster-lost"
        assert scheduler.address in told.value.zh
    else:
        assert told.value is raised


def test_no_scheduler_is_said_before_any_work(build: Callable[..., Flask]) -> None:
    address = f"tcp://127.0.0.1:{free_port()}"
    client = build(cluster=address).test_client()
    job = queued(client, uploaded(client))
    state = wait_for(client, job)
    assert (state["state"], state["error"]["code"]) == ("failed", "cluster-unreachable")
    assert address in state["error"]["en"]


def test_without_dask_the_error_says_how_to_install_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DASK_CONFIG", os.devnull)
    monkeypatch.setitem(sys.modules, "distributed", None)
    here = cluster_module.Scheduler("tcp://there:8786", "127.0.0.1", 8786)
    with (
        pytest.raises(ClusterError, match=r"requirements-cluster\.txt") as caught,
        cluster_module.connected(here, lost=lambda error: None),
    ):
        pass
    assert caught.value.code == "cluster-missing"


@pytest.mark.parametrize(
    "address", ["http://a:1", "tcp://a", "tcp://a:0", "tcp://a:65536", "tcp://a b:1", "a:1"]
)
def test_a_wrong_address_is_refused_at_the_start(address: str) -> None:
    with pytest.raises(ValidationError, match="tcp://host:port"):
        Settings(cluster=address)


FENCED = """
import json, socket, sys
from pathlib import Path
from web.jobs import sandbox
open_port, other_port = int(sys.argv[1]), int(sys.argv[2])
sandbox.confine(read=[], write=[], connect=[open_port])
def attempt(action):
    try:
        action()
    except OSError as error:
        return type(error).__name__
    return "done"
def connect(port):
    return lambda: socket.create_connection(("127.0.0.1", port), timeout=2).close()
print(json.dumps({
    "open": attempt(connect(open_port)),
    "other": attempt(connect(other_port)),
    "listen": attempt(lambda: socket.create_server(("127.0.0.1", 0)).close()),
    "read": attempt(lambda: Path("/etc/passwd").read_text()),
}))
"""


def test_only_the_scheduler_can_be_reached() -> None:
    with socket.create_server(("127.0.0.1", 0)) as open_, socket.create_server(("127.0.0.1", 0)) as other:
        ports = [str(server.getsockname()[1]) for server in (open_, other)]
        command = [sys.executable, "-c", FENCED, *ports]
        done = subprocess.run(command, cwd=sandbox.ROOT, capture_output=True, text=True, check=True)
    tried = json.loads(done.stdout)
    assert tried.pop("open") == "done"
    assert set(tried.values()) == {"PermissionError"}


def test_one_module_alone_knows_dask() -> None:
    """The library and the rest of the service run without it."""
    known = []
    for path in (*ROOT.glob("geo/**/*.py"), *ROOT.glob("web/**/*.py")):
        if "node_modules" in path.parts:
            continue
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            named = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            named += [node.module or ""] if isinstance(node, ast.ImportFrom) else []
            if {name.split(".")[0] for name in named} & {"dask", "distributed"}:
                known.append(path.relative_to(ROOT).as_posix())
    assert set(known) == {"web/jobs/cluster.py"}
