"""What all browser tests share: one service, one Chromium, and pages that are watched for complaints."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, sync_playwright
from serving import LOG, serving
from watching import Watched, watch

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


@pytest.fixture(scope="session")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of the service that all browser tests share."""
    return tmp_path_factory.mktemp("served")


@pytest.fixture(scope="session")
def server(data: Path) -> Iterator[str]:
    """The service on an empty folder; yields its address."""
    with serving(data) as address:
        assert address in (data / LOG).read_text(encoding="utf-8")
        yield address


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
