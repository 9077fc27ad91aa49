"""The documentation page of the interface: drawn offline, under the policy of every page."""

from __future__ import annotations

import pytest
from watching import Watched

pytestmark = pytest.mark.browser


def test_the_operations_are_listed_and_open(watched: Watched, server: str) -> None:
    page = watched.page
    page.goto(f"{server}/api/v1/docs")
    page.wait_for_selector(".opblock >> nth=40", timeout=60_000)
    page.click(".opblock-summary-control >> nth=5")
    page.wait_for_selector(".opblock-body")
