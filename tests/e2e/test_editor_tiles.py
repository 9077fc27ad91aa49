"""Nothing that the map loses leaves a hole: tiles that do not arrive, or all that the graphics card held."""

from __future__ import annotations

import pytest
from editing import Editor, branch, demo_plan
from forgetting import comes_back
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


@pytest.mark.parametrize("steps", [0, 6], ids=["far", "near"])
def test_the_map_comes_back_when_the_graphics_card_forgets_it(
    watched: Watched, server: str, plan: str, steps: int
) -> None:
    watched.forgets = True
    page = watched.page
    editor = Editor.open(page, server, plan)
    page.mouse.move(*editor.spot(0))
    for _ in range(steps):
        page.mouse.wheel(0, -300)
        editor.still()
    editor.still()
    comes_back(page)
    editor.agrees()


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
