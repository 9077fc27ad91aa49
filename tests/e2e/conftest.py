"""What all browser tests share: one service, one Chromium, and pages that are watched for complaints."""

from __future__ import annotations

import contextlib
import os
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, sync_playwright
from watching import Watched, watch

ROOT = Path(__file__).resolve().parent.parent.parent
CHROMIUM = Path("/usr/bin/chromium")
ARGUMENTS = [
    "--no-sandbox",
    "--use-angle=swiftshader",
    "--enable-unsafe-swiftshader",
    "--disable-quic",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
START_S = 60


@pytest.fixture(scope="session")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of the service that all browser tests share."""
    return tmp_path_factory.mktemp("served")


@pytest.fixture(scope="session")
def server(data: Path) -> Iterator[str]:
    """The service as `python -m web` runs it, on a free port and an empty folder; yields its address."""
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    environment = os.environ | {"WANGGE_DATA_DIR": str(data), "WANGGE_PORT": str(port)}
    with (data / "log.txt").open("wb") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "web"], cwd=ROOT, env=environment, stdout=log, stderr=log
        )
    address = f"http://127.0.0.1:{port}"
    try:
        _wait_until_up(f"{address}/health", process, data / "log.txt")
        assert address in (data / "log.txt").read_text(encoding="utf-8")
        yield address
    finally:
        process.terminate()
        try:
            process.wait(timeout=10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _wait_until_up(url: str, process: subprocess.Popen[bytes], log: Path) -> None:
    deadline = time.monotonic() + START_S
    while time.monotonic() < deadline and process.poll() is None:
        with contextlib.suppress(OSError), urllib.request.urlopen(url, timeout=2):  # noqa: S310 - our own server
            return
        time.sleep(0.2)
    pytest.fail(f"the service did not start:\n{log.read_text(encoding='utf-8')}")


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    if not CHROMIUM.exists():
        if os.environ.get("CI") == "true":
            pytest.fail("Chromium is missing; CI needs it")
        pytest.skip("Chromium is not installed")
    with sync_playwright() as playwright:
        opened = playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        yield opened
        opened.close()


@pytest.fixture
def visitor(browser: Browser, server: str) -> Iterator[Callable[..., Watched]]:
    """Make watched pages, each of another visitor; afterwards none may have complained."""
    made: list[Watched] = []

    def make(**options: object) -> Watched:
        made.append(watch(browser, server, **options))
        return made[-1]

    yield make
    for one in made:
        one.page.context.close()
    for one in made:
        one.check()


@pytest.fixture
def watched(visitor: Callable[..., Watched]) -> Watched:
    """A fresh page; afterwards it must have asked nobody else and complained of nothing."""
    return visitor()
