"""Tiles that do not arrive leave no hole: they are asked for again, and the planner's console stays empty."""

from __future__ import annotations

import pytest
from editing import Editor, branch, demo_plan
from playwright.sync_api import Route
from watching import Watched

pytestmark = pytest.mark.browser

ARCHIVES = "**/*.pmtiles"


@pytest.fixture
def plan(server: str, request: pytest.FixtureRequest) -> str:
    return branch(server, demo_plan(server)[1], request.node.name)


def test_tiles_that_got_lost_are_asked_for_again(watched: Watched, server: str, plan: str) -> None:
    watched.losses = True
    editor = Editor.open(watched.page, server, plan)
    lost: list[str] = []

    def drop(route: Route) -> None:
        lost.append(route.request.url)
        route.abort("failed")

    watched.page.route(ARCHIVES, drop)
    watched.page.mouse.move(*editor.spot(0))
    while not lost:
        watched.page.mouse.wheel(0, -300)
        editor.still()
    with watched.page.expect_response(lambda answer: answer.url == lost[0] and answer.status == 206):
        watched.page.unroute(ARCHIVES)


def test_a_page_left_while_tiles_are_on_their_way_says_nothing(
    watched: Watched, server: str, plan: str
) -> None:
    editor = Editor.open(watched.page, server, plan)
    held: list[Route] = []
    watched.page.route(ARCHIVES, lambda route: held.append(route))  # noqa: PLW0108 - it takes no built-in
    watched.page.mouse.move(*editor.spot(0))
    while not held:
        watched.page.mouse.wheel(0, -300)
        editor.still()
    watched.page.unroute(ARCHIVES)
    watched.page.reload()
    editor.ready()
    editor.agrees()
