"""Work on a Dask cluster: the only module that knows Dask.

The job's process stays fenced: of TCP it may reach the scheduler's port and nothing else, and it listens nowhere.
Results come back through the scheduler. What a worker computes is the same function on the same data as in a pool
of this machine, so the plan has the same bytes.

The workers are not fenced. Whoever reaches the scheduler can run code on them, which is how Dask works; the network
between must be the operator's own.
"""

from __future__ import annotations

import os
import re
import socket
import threading
import time
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

import geo
from geo.errors import GeoError
from web.errors import ClusterError
from web.jobs import landlock

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from concurrent.futures import Executor

    from distributed import Client

ADDRESS = re.compile(r"tcp://(?:\[(?P<six>[0-9A-Fa-f:.]+)\]|(?P<host>[A-Za-z0-9.-]+)):(?P<port>[0-9]{1,5})")

CONNECT_S = 10.0
"""How long the scheduler may take to answer, and a worker to be there."""
LOOK_S = 0.25
NOTICE_S = 1.0
"""How long the client may take to notice that its connection has ended, after what was asked over it failed."""
IDLE_S = 60.0
"""How long a cluster may be without any worker while a job runs."""

QUIET = {
    "distributed.comm.timeouts.connect": f"{CONNECT_S:.0f}s",
    "distributed.comm.retry.count": 0,
    "distributed.admin.large-graph-warning-threshold": "1GB",
    "distributed.client.security-loader": None,
}
"""Settings of Dask. Work is sent in few large pieces, which it would warn of."""


@dataclass(frozen=True)
class Scheduler:
    """Where a scheduler listens, its name looked up."""

    address: str
    """As it is configured, for messages."""
    host: str
    port: int

    @property
    def uri(self) -> str:
        """Address with the number of the host, for a process that cannot look names up."""
        return f"tcp://[{self.host}]:{self.port}" if ":" in self.host else f"tcp://{self.host}:{self.port}"


def resolved(address: str) -> Scheduler:
    """Look up a scheduler's address and see that something listens there; for before the fences close.

    Raises
    ------
    ClusterError
        ``cluster-unfenced`` if this kernel cannot close all ports but the scheduler's, ``cluster-unreachable`` if
        there is no such host.
    """
    if landlock.abi() < landlock.NET_ABI:
        raise ClusterError(
            "cluster-unfenced",
            "本机内核的 Landlock 版本过低（需要 Linux 6.7 或更新），读取上传文件的进程无法只连接集群。"
            "请升级内核，或去掉设置 WANGGE_CLUSTER。",
            "This machine's kernel has no Landlock for TCP (Linux 6.7 or newer), so the process that reads uploads "
            "cannot be fenced to the cluster alone. Use a newer kernel, or unset WANGGE_CLUSTER.",
        )
    found = ADDRESS.fullmatch(address)
    if found is None:
        raise _unreachable(address)
    name, port = found["six"] or found["host"], int(found["port"])
    try:
        # Dask would try a refused connection again until its time is over.
        with socket.create_connection((name, port), timeout=CONNECT_S) as tried:
            host = str(tried.getpeername()[0])
    except OSError as error:
        raise _unreachable(address) from error
    return Scheduler(address, host, port)


@contextmanager
def connected(scheduler: Scheduler, *, lost: Callable[[ClusterError], None]) -> Iterator[Executor]:
    """Connect to a cluster for the block and give an executor that works on it.

    Parameters
    ----------
    scheduler
        From `resolved`. To be called inside the fences: a thread that starts before them stays outside.
    lost
        Called from another thread when the scheduler is gone, or all workers for long: work that was sent may
        then never come back.

    Raises
    ------
    ClusterError
        ``cluster-missing`` without Dask, ``cluster-unreachable``, ``cluster-empty`` without workers,
        ``cluster-other-version`` if a worker has not this version of the library, and ``cluster-lost`` in place of
        whatever the block raised if the scheduler is gone by then.
    """
    client = _client(scheduler)
    ended = threading.Event()
    watch = threading.Thread(
        target=_watch, args=(client, scheduler, ended, lost), name="cluster", daemon=True
    )
    try:
        with _told_if_gone(client, scheduler):
            _check_workers(client, scheduler)
            watch.start()
            yield client.get_executor()  # type: ignore[no-untyped-call]
    finally:
        ended.set()
        client.close(timeout=2)  # type: ignore[no-untyped-call]


@contextmanager
def _told_if_gone(client: Client, scheduler: Scheduler) -> Iterator[None]:
    """Say that the scheduler is gone where that is why the block failed: its own error may say nothing at all."""
    try:
        yield
    except Exception as error:
        of_data = isinstance(error, GeoError) and not isinstance(error, ClusterError)
        deadline = time.monotonic() + (0 if of_data else NOTICE_S)
        while client.status == "running":
            if time.monotonic() >= deadline:
                raise
            time.sleep(NOTICE_S / 20)
        raise _gone(scheduler.address) from error


def _client(scheduler: Scheduler) -> Client:
    # Dask writes a folder of settings to the home of whoever imports it, unless it is told where.
    os.environ["DASK_CONFIG"] = os.environ.get("NUMBA_CACHE_DIR", os.devnull)
    try:
        import dask  # noqa: PLC0415 - optional
        from distributed import Client  # noqa: PLC0415
    except ImportError as error:
        raise ClusterError(
            "cluster-missing",
            "设置了 WANGGE_CLUSTER，但没有安装 Dask。"
            "请运行 pip install -r requirements-cluster.txt -c constraints.txt，或去掉该设置。",
            "WANGGE_CLUSTER is set, but Dask is not installed. Run pip install -r requirements-cluster.txt -c "
            "constraints.txt, or unset it.",
        ) from error
    dask.config.set(QUIET)
    try:
        # Dask has types, but not here.
        return Client(scheduler.uri, timeout=CONNECT_S, set_as_default=False, name="wangge")  # type: ignore[no-untyped-call]
    except OSError as error:  # a TimeoutError is one
        raise _unreachable(scheduler.address) from error


def _check_workers(client: Client, scheduler: Scheduler) -> None:
    try:
        client.wait_for_workers(1, timeout=CONNECT_S)
    except TimeoutError as error:
        raise _empty(scheduler.address) from error
    workers = sorted(client.scheduler_info()["workers"])
    asked = [client.submit(getattr, geo, "__version__", workers=[worker], pure=False) for worker in workers]
    for worker, future in zip(workers, asked, strict=True):
        try:
            version = future.result(timeout=CONNECT_S)
        except Exception:  # noqa: BLE001 - whatever hinders a worker from loading the library
            version = None
        if version != geo.__version__:
            raise ClusterError(
                "cluster-other-version",
                f"集群 {scheduler.address} 的工作进程 {worker} 没有本软件的 {geo.__version__} 版"
                f"（找到：{version or '无'}）。请在每台机器上安装相同版本。",
                f"Worker {worker} of the cluster {scheduler.address} does not have version {geo.__version__} of "
                f"this software (found: {version or 'none'}). Install the same version on every machine.",
            )


def _watch(
    client: Client, scheduler: Scheduler, ended: threading.Event, lost: Callable[[ClusterError], None]
) -> None:
    seen = time.monotonic()
    while not ended.wait(LOOK_S):
        if client.status != "running":
            if not ended.is_set():
                lost(_gone(scheduler.address))
            return
        if _workers(client):
            seen = time.monotonic()
        elif time.monotonic() - seen > IDLE_S:
            lost(_empty(scheduler.address))
            return


def _workers(client: Client) -> int:
    """Return the number of workers as the scheduler last told it, every two seconds."""
    return int(client._scheduler_identity.get("n_workers", 0))  # noqa: SLF001 - the public way asks and waits


def _unreachable(address: str) -> ClusterError:
    return ClusterError(
        "cluster-unreachable",
        f"Dask 调度器 {address} 在 {CONNECT_S:.0f} 秒内没有应答。请确认它已启动、地址和端口正确，或去掉设置 "
        "WANGGE_CLUSTER。",
        f"The Dask scheduler {address} did not answer within {CONNECT_S:.0f} s. Check that it runs and that its "
        "address and port are right, or unset WANGGE_CLUSTER.",
    )


def _empty(address: str) -> ClusterError:
    return ClusterError(
        "cluster-empty",
        f"集群 {address} 没有工作进程。请启动 dask worker 后重试。",
        f"The cluster {address} has no workers. Start some with dask worker and try again.",
    )


def _gone(address: str) -> ClusterError:
    return ClusterError(
        "cluster-lost",
        f"与 Dask 调度器 {address} 的连接中断，任务已停止。请检查集群后重新运行。",
        f"The connection to the Dask scheduler {address} broke and the job was stopped. Check the cluster and run "
        "it again.",
    )
