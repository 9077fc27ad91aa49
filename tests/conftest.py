"""Fixtures shared by all tests: real layers, and a closed network."""

from __future__ import annotations

import os
import socket
from collections.abc import Callable
from pathlib import Path

import hypothesis
import pytest

ROOT = Path(__file__).resolve().parent.parent
REAL = ROOT.parent / "shared" / "real"
IN_CI = os.environ.get("CI") == "true"

# In CI a change fails for what it changed: the examples are the same in every run. Elsewhere each looks further.
hypothesis.settings.register_profile("ci", derandomize=True)
if IN_CI:
    hypothesis.settings.load_profile("ci")


@pytest.fixture(scope="session")
def real_layer() -> Callable[[str], Path]:
    """Path of a real layer file; without the files the test is skipped, in CI it fails."""

    def path_of(name: str) -> Path:
        path = REAL / name
        if not path.exists():
            reason = f"the real layer {name} is not beside the project"
            if IN_CI:
                pytest.fail(reason)
            pytest.skip(reason)
        return path

    return path_of


LOCAL = {"127.0.0.1", "::1", "localhost", ""}


@pytest.fixture(autouse=True)
def no_network(monkeypatch: pytest.MonkeyPatch) -> None:
    """Refuse every connection that leaves this machine."""
    connect = socket.socket.connect

    def guarded(self: socket.socket, address: object) -> None:
        host = address[0] if isinstance(address, tuple) else None
        if self.family != socket.AF_UNIX and host not in LOCAL:
            raise RuntimeError(f"a test tried to reach {address!r}")
        connect(self, address)  # type: ignore[arg-type]

    monkeypatch.setattr(socket.socket, "connect", guarded)


SKIPPED: list[str] = []


def pytest_runtest_logreport(report: pytest.TestReport) -> None:
    """Remember what was skipped: in CI nothing may be."""
    if report.skipped and not hasattr(report, "wasxfail"):
        SKIPPED.append(report.nodeid)


def pytest_sessionfinish(session: pytest.Session) -> None:
    """Fail a CI run in which a test was skipped."""
    if IN_CI and SKIPPED:
        session.exitstatus = pytest.ExitCode.TESTS_FAILED


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Name the tests that must run in CI and did not."""
    if IN_CI and SKIPPED:
        terminalreporter.section("skipped in CI, which counts as failed")
        for nodeid in SKIPPED:
            terminalreporter.line(nodeid)
