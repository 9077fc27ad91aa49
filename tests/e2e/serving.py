"""The service as a process of its own, as `python -m web` runs it."""

from __future__ import annotations

import contextlib
import os
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent
LOG = "log.txt"
START_S = 60


@contextlib.contextmanager
def serving(data: Path, **settings: str) -> Iterator[str]:
    """Run the service on a free port and a data folder, with some settings; yields its address."""
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    environment = os.environ | {"WANGGE_DATA_DIR": str(data), "WANGGE_PORT": str(port)} | settings
    with (data / LOG).open("ab") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "web"], cwd=ROOT, env=environment, stdout=log, stderr=log
        )
    address = f"http://127.0.0.1:{port}"
    try:
        _wait_until_up(f"{address}/health", process, data / LOG)
        yield address
    finally:
        process.terminate()
        try:
            process.wait(timeout=20)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _wait_until_up(url: str, process: subprocess.Popen[bytes], log: Path) -> None:
    deadline = time.monotonic() + START_S
    while time.monotonic() < deadline and process.poll() is None:
        with contextlib.suppress(OSError), urllib.request.urlopen(url, timeout=2):  # noqa: S310 - our own server
            return
        time.sleep(0.2)
    raise AssertionError(f"the service did not start:\n{log.read_text(encoding='utf-8')}")
