"""The whole service in a real browser: no request to another host, no error, no breach of the policy."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Frame, Page
from watching import Watched

ROOT = Path(__file__).resolve().parent.parent.parent
sys.path.insert(0, str(ROOT / "tests" / "web"))

from web_make import city, gpkg  # noqa: E402 - the path is set above

pytestmark = pytest.mark.browser

PLAN_MS = 240_000


def map_frame(page: Page) -> Frame:
    """Return the frame of the map once its grids are drawn."""
    frame = page.wait_for_selector("iframe[data-map]", timeout=PLAN_MS).content_frame()
    assert frame is not None
    frame.wait_for_selector(".leaflet-container", timeout=30_000)
    frame.wait_for_selector(".leaflet-map-pane path, .leaflet-map-pane canvas", state="attached")
    return frame


def open_demo(page: Page, server: str) -> None:
    page.goto(f"{server}/projects")
    page.click("form[action='/demo/small'] button")
    page.wait_for_selector("iframe[data-map]", timeout=PLAN_MS)


def test_from_the_first_page_to_the_demo_plan(watched: Watched, server: str) -> None:
    page = watched.page
    page.goto(server)
    frame = map_frame(page)
    box = page.locator("iframe[data-map]").bounding_box()
    assert box is not None
    assert box["width"] > 600
    assert box["height"] > 400
    assert "网格" in frame.inner_text("body")
    scale = frame.inner_text(".leaflet-control-scale-line")
    assert scale in {"100 m", "200 m", "300 m", "500 m"}, "the whole plan is in view"
    assert page.inner_text("html").count("精确铺满") == 1
    assert frame.evaluate("window.origin") == "null"


def test_the_table_sorts_filters_and_finds(watched: Watched, server: str) -> None:
    page = watched.page
    open_demo(page, server)
    rows = page.locator(".grid-table tbody tr:visible")
    total = rows.count()
    page.click("button[data-sort='2']")
    first = int(page.locator(".grid-table tbody tr td.num").first.get_attribute("data-value") or -1)
    page.click("button[data-sort='2']")
    last = int(page.locator(".grid-table tbody tr td.num").first.get_attribute("data-value") or -1)
    assert first < last
    page.check("[data-only-out]")
    assert rows.count() == page.locator(".grid-table tbody tr.out").count() < total
    page.uncheck("[data-only-out]")
    code = page.locator(".grid-table .code").nth(3).inner_text()
    page.fill("[data-search]", code)
    assert rows.count() == 1


def test_the_language_switch(watched: Watched, server: str) -> None:
    page = watched.page
    open_demo(page, server)
    page.click(".languages a[lang=en]")
    assert page.get_attribute("html", "lang") == "en"
    assert page.is_visible("text=Exact tiling")
    assert "Grid" in map_frame(page).inner_text("body")
    page.goto(f"{server}/projects")
    assert page.is_visible("text=Upload layers")
    page.click(".languages a[lang=zh-CN]")
    assert page.get_attribute("html", "lang") == "zh-CN"


def test_buildings_of_a_chosen_community(watched: Watched, server: str) -> None:
    page = watched.page
    open_demo(page, server)
    map_frame(page)
    value = page.locator("select[name=community] option").nth(2).get_attribute("value")
    with page.expect_response(lambda answer: "community=" in answer.url, timeout=60_000) as answer:
        page.select_option("select[name=community]", value)
    assert answer.value.status == 200
    map_frame(page)


def test_upload_to_plan_to_download(watched: Watched, server: str, tmp_path: Path) -> None:
    page = watched.page
    source = tmp_path / "滨河.gpkg"
    source.write_bytes(gpkg(city()))
    page.goto(f"{server}/projects")
    page.fill("input[name=name]", "滨河街道 <b>1</b>")
    page.set_input_files("input[type=file]", source)
    assert "滨河.gpkg" in page.inner_text("[data-chosen]")
    page.click("form[data-upload] button[type=submit]")
    page.wait_for_url("**/layers", timeout=60_000)
    chosen = [select.input_value() for select in page.locator("select[name^=role]").all()]
    assert chosen == ["buildings", "communities", "stations"]
    page.click("button[type=submit]")
    page.wait_for_selector("#findings-title", timeout=60_000)
    assert page.inner_text("h1") == "滨河街道 <b>1</b>"
    page.fill("input[name=target]", "200")
    page.fill("input[name=min]", "150")
    page.fill("input[name=max]", "250")
    page.click("form[action$='/plans'] button[type=submit]")
    map_frame(page)
    with page.expect_download() as download:
        page.click("a[download]:has-text('grids.geojson')")
    collection = json.loads(Path(download.value.path()).read_text(encoding="utf-8"))
    assert download.value.suggested_filename == "grids.geojson"
    assert all(150 <= feature["properties"]["households"] <= 250 for feature in collection["features"])
    with page.expect_download() as download:
        page.click("a[download]:has-text('map-zh.html')")
    saved = tmp_path / "map.html"
    download.value.save_as(saved)
    page.goto(saved.as_uri())
    page.wait_for_selector(".leaflet-container")


def test_a_running_job_is_cancelled_from_its_page(watched: Watched, server: str, tmp_path: Path) -> None:
    page = watched.page
    open_demo(page, server)
    page.click("form[action$='/plans'] button[type=submit]")
    page.wait_for_selector("section.progress")
    with page.expect_request("**/cancel") as asked:
        page.click("section.progress button")
    page.wait_for_selector("section.notice.warning")
    # The service's own answer: how soon the page is drawn again is the browser's matter.
    answered = asked.value.response()
    assert answered is not None
    assert 0 <= answered.request.timing["responseStart"] < 3000
    assert page.is_visible("text=任务已取消")


def test_pages_work_without_script(browser: Browser, server: str, watched: Watched) -> None:
    open_demo(watched.page, server)
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto(watched.page.url)
    assert page.locator(".grid-table tbody tr").count() > 5
    page.select_option("select[name=community]", index=1)
    page.click("[data-map-form] button")
    assert "community=" in page.url
    context.close()


@pytest.mark.parametrize("path", ["/projects", "/nothing"])
def test_pages_fit_a_narrow_screen(watched: Watched, server: str, path: str) -> None:
    page = watched.page
    page.set_viewport_size({"width": 390, "height": 800})
    page.goto(server + path)
    watched.complaints = [text for text in watched.complaints if "404" not in text]
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
