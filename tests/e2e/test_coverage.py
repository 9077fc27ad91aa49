"""The coverage page in a real browser: its figures are the service's, whatever is dragged, sited or switched.

No request goes to another host, nothing breaks the content policy, and the console stays empty of errors.
"""

from __future__ import annotations

import json
import re
import urllib.request
from pathlib import Path
from typing import Any

import pytest
from forgetting import comes_back
from playwright.sync_api import Locator, Page, Route, expect
from watching import WITHOUT_WEBGL, Watched

pytestmark = pytest.mark.browser

OPEN_MS = 240_000
"""The demo's plan may still be in the making, and its service model is built when the page opens."""
ANSWER_MS = 30_000


@pytest.fixture(scope="module")
def project(server: str) -> str:
    request = urllib.request.Request(f"{server}/api/v1/demo/small", method="POST")  # noqa: S310 - our own server
    with urllib.request.urlopen(request) as answer:  # noqa: S310
        return str(json.load(answer)["id"])


@pytest.fixture
def page(watched: Watched, server: str, project: str) -> Page:
    """The open coverage page of the demo, its map drawn and its figures there."""
    page = watched.page
    page.goto(f"{server}/projects/{project}/coverage")
    page.wait_for_selector(".stage-map[data-idle]", timeout=OPEN_MS)
    settled(page)
    return page


def settled(page: Page) -> None:
    """Wait until no question is on its way."""
    expect(page.locator(".headline .busy")).not_to_have_class(re.compile(r"\bon\b"), timeout=ANSWER_MS)


def covered(page: Page) -> int:
    settled(page)
    return int(page.locator(".headline .covered").get_attribute("data-covered") or -1)


def choose(page: Page, category: int) -> None:
    page.check(f"input[name=category][value='{category}']")
    expect(page.locator(f"input[name=category][value='{category}']")).to_be_checked()
    settled(page)


def solved(server: str, project: str, **question: Any) -> dict[str, Any]:
    """Ask the service itself."""
    request = urllib.request.Request(  # noqa: S310 - our own server
        f"{server}/api/v1/projects/{project}/coverage/solve",
        data=json.dumps(question).encode(),
        headers={"Content-Type": "application/json"},
    )
    with urllib.request.urlopen(request) as answer:  # noqa: S310
        found: dict[str, Any] = json.load(answer)
    return found


def drag(page: Page, badge: Locator, dx: int, dy: int) -> None:
    box = badge.bounding_box()
    assert box is not None
    x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    page.mouse.move(x, y)
    page.mouse.down()
    page.mouse.move(x + dx / 2, y + dy / 2, steps=3)
    page.mouse.move(x + dx, y + dy, steps=3)
    page.mouse.up()
    expect(page.locator(".badge.moved")).to_have_count(1)
    settled(page)


def test_the_figures_are_those_of_the_service(page: Page, server: str, project: str) -> None:
    for category in (0, 2):
        choose(page, category)
        total = solved(server, project, category=category)["totals"][category]
        assert covered(page) == total["covered"]
        shown = page.inner_text(f"label.category:has(input[value='{category}']) .share")
        assert shown.replace("\N{NO-BREAK SPACE}", "") == f"{round(100 * total['share'], 1)}%"
        assert f"{total['circle']['wrongly_in']:,}" in page.inner_text(".headline .circle")
        keys = page.locator(".legend .keys").first.locator(".num").all_inner_texts()
        assert sum(int(text.replace(",", "")) for text in keys) == total["households"]


def test_method_minutes_and_time_are_asked(page: Page, server: str, project: str) -> None:
    choose(page, 0)
    walked = covered(page)
    page.check("input[name=method][value=circle]")
    circle = solved(server, project, category=0, method="circle")["totals"][0]["covered"]
    assert covered(page) == circle > walked
    expect(page.locator(".headline .circle.strong")).to_contain_text("多算", timeout=ANSWER_MS)
    page.check("input[name=method][value=network]")
    page.focus("#minutes")
    page.keyboard.press("Home")
    assert covered(page) == solved(server, project, category=0, minutes=5)["totals"][0]["covered"] < walked
    page.select_option(".ask select", "evening")
    evening = solved(server, project, category=0, minutes=5, window="evening")
    assert covered(page) == evening["totals"][0]["covered"]


def test_a_station_is_dragged_moved_by_key_and_put_back(page: Page) -> None:
    choose(page, 0)
    first = covered(page)
    badge = page.locator(".badge").first
    drag(page, badge, 120, 110)
    dragged = covered(page)
    assert dragged != first
    assert page.inner_text(".headline .change") != ""
    page.click("#tab-whatif")
    expect(page.locator(".log li")).to_have_count(1)
    badge.focus()
    page.keyboard.press("Shift+ArrowUp")
    expect(page.locator(".log li")).to_have_count(2, timeout=ANSWER_MS)
    assert covered(page) != dragged
    page.keyboard.press("Control+z")
    page.keyboard.press("Control+z")
    expect(page.locator(".log li")).to_have_count(0)
    assert covered(page) == first
    expect(page.locator(".badge.moved")).to_have_count(0)


def test_a_station_is_removed_and_restored(page: Page, server: str, project: str) -> None:
    choose(page, 0)
    first = covered(page)
    key = page.locator(".badge").first.get_attribute("data-station") or ""
    page.locator(".badge").first.focus()
    page.keyboard.press("Delete")
    removed = solved(server, project, category=0, removed=[int(key[1:])])["totals"][0]["covered"]
    assert covered(page) == removed < first
    page.click("#tab-whatif")
    page.click(".removed button")
    assert covered(page) == first


def test_a_siting_is_proved_and_put_on_the_map(page: Page) -> None:
    choose(page, 0)
    first = covered(page)
    stations = page.locator(".badge").count()
    page.click("#tab-siting")
    page.click("#panel-siting form button")
    page.click("[data-apply]:not([disabled])", timeout=OPEN_MS)
    expect(page.locator(".outcome .tag.good")).to_have_count(1)
    expect(page.locator(".badge.proposed")).to_have_count(1)
    assert page.locator(".badge").count() == stations + 1
    assert covered(page) > first


def test_a_gate_is_placed_by_key_and_told(page: Page) -> None:
    page.click("#tab-whatif")
    page.click("[data-tool=gate]")
    expect(page.locator(".maplibregl-canvas")).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.locator(".log li")).to_contain_text("新增大门")
    settled(page)
    expect(page.locator(".log .gain")).to_contain_text("户", timeout=ANSWER_MS)
    page.click("#panel-whatif button:has-text('全部还原')")
    settled(page)
    assert page.inner_text(".headline .change") == ""


def test_gaps_are_linked_to_the_map(page: Page) -> None:
    choose(page, 0)
    before = page.inner_text(".coordinates")
    page.click(".gaps button >> nth=0")
    expect(page.locator(".gaps button[aria-pressed=true]")).to_have_count(1)
    page.wait_for_timeout(900)
    assert page.inner_text(".coordinates") != before
    box = page.locator(".stage-map").bounding_box()
    assert box is not None
    page.mouse.click(box["x"] + 80, box["y"] + box["height"] - 40)
    expect(page.locator(".gaps button[aria-pressed=true]")).to_have_count(0)
    page.mouse.click(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    expect(page.locator(".gaps button[aria-pressed=true] .rank")).to_have_text("1")


def test_isochrones_say_how_wrong_they_are(page: Page) -> None:
    choose(page, 0)
    page.click(".layers summary")
    page.check("[data-layer=isochrones]")
    expect(page.locator(".reach-error")).to_contain_text("圈内但走不到", timeout=ANSWER_MS)
    page.check("input[name=shade][value=communities]")
    expect(page.locator(".legend .caption")).to_have_text("覆盖率")


def test_the_language_switch_keeps_the_changes(page: Page) -> None:
    choose(page, 0)
    drag(page, page.locator(".badge").first, 90, 90)
    figure = covered(page)
    page.click(".languages a[lang=en]")
    page.wait_for_selector(".stage-map[data-idle]", timeout=OPEN_MS)
    assert page.get_attribute("html", "lang") == "en"
    assert "households" in page.inner_text(".headline .covered")
    assert covered(page) == figure
    expect(page.locator(".badge.moved")).to_have_count(1)


def test_downloads_carry_the_changes(page: Page) -> None:
    choose(page, 0)
    page.locator(".badge").first.focus()
    page.keyboard.press("Delete")
    settled(page)
    page.click("#tab-export")
    with page.expect_download() as download:
        page.click("[data-export='communities.csv']")
    assert download.value.suggested_filename == "communities.csv"
    assert len(Path(download.value.path()).read_text(encoding="utf-8-sig").splitlines()) > 2
    with page.expect_download() as download:
        page.click("[data-export='coverage.gpkg']")
    assert Path(download.value.path()).read_bytes().startswith(b"SQLite format 3")


def overview_answers(page: Page, *documents: dict[str, Any]) -> None:
    """Let the service's first route answer these one after the other, then for real."""
    waiting = list(documents)

    def answer(route: Route) -> None:
        if waiting:
            route.fulfill(json=waiting.pop(0))
        else:
            route.continue_()

    page.route(re.compile(r"/coverage(\?retry=1)?$"), lambda route: _api_only(route, answer))


def _api_only(route: Route, answer: Any) -> None:
    if "/api/" in route.request.url:
        answer(route)
    else:
        route.continue_()


def test_waiting_is_shown_and_failing_can_be_tried_again(watched: Watched, server: str, project: str) -> None:
    page = watched.page
    failed = {"state": "failed", "error": {"code": "layer-unreadable", "zh": "道路图层读不出。", "en": "No."}}
    building = {"state": "building", "progress": {"stage": "network", "done": 0, "total": 1}}
    overview_answers(page, building, building, failed, building)
    page.goto(f"{server}/projects/{project}/coverage")
    expect(page.locator(".waiting .stage")).to_have_text("建立步行网络")
    expect(page.locator("[role=alert] .message")).to_have_text("道路图层读不出。", timeout=ANSWER_MS)
    page.click("[role=alert] button")
    page.wait_for_selector(".stage-map[data-idle]", timeout=OPEN_MS)


def test_a_project_without_stations_says_what_to_do(watched: Watched, server: str, project: str) -> None:
    page = watched.page
    overview_answers(
        page, {"state": "missing-stations", "message_zh": "请上传站点图层。", "message_en": "Upload."}
    )
    page.goto(f"{server}/projects/{project}/coverage")
    expect(page.locator(".notice .message")).to_have_text("请上传站点图层。")
    assert (page.get_attribute(".notice a", "href") or "").endswith("/layers")


def test_without_webgl_the_figures_are_still_there(watched: Watched, server: str, project: str) -> None:
    page = watched.page
    page.add_init_script(WITHOUT_WEBGL)
    page.goto(f"{server}/projects/{project}/coverage")
    expect(page.locator(".stage-map [role=alert]")).to_contain_text("不能绘制", timeout=OPEN_MS)
    page.wait_for_selector(".headline .covered[data-covered]", timeout=ANSWER_MS)
    choose(page, 0)
    assert covered(page) == solved(server, project, category=0)["totals"][0]["covered"]
    page.click(".stage-map a.button")
    page.wait_for_selector("iframe[data-map]", timeout=OPEN_MS)


def test_the_page_fits_a_narrow_screen(watched: Watched, server: str, project: str) -> None:
    page = watched.page
    page.set_viewport_size({"width": 390, "height": 800})
    page.goto(f"{server}/projects/{project}/coverage")
    page.wait_for_selector(".stage-map[data-idle]", timeout=OPEN_MS)
    assert page.evaluate("document.documentElement.scrollWidth") <= 390


def test_the_map_comes_back_when_the_graphics_card_forgets_it(watched: Watched, page: Page) -> None:
    watched.forgets = True
    comes_back(page)
