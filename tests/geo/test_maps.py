"""Policy: the page needs no other host, runs no text from the data, gives the same bytes, works in a browser."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import plans
import pytest

from geo.errors import AssetError, PlanError
from geo.maps import load_assets, plan_map
from geo.maps.layers import gap_rows
from geo.maps.prepare_assets import main, prepare
from geo.maps.shapes import label_places
from geo.service_coverage import circle_coverage, coverage_frames

PAYLOADS = (
    "<img src=x onerror=\"document.title='ran'\">",
    "</script><script>document.title='ran'</script>",
    "`+(document.title='ran')+`",
    "${document.title='ran'}",
    "{{document.title='ran'}}",
    "{% raw %}{{ 7*7 }}'\"></textarea><svg onload=document.title='ran'>",
    "</style><svg/onload=document.title='ran'>",
    "']});document.title='ran';//\\",
)


def with_coverage(frames: dict[str, gpd.GeoDataFrame], minutes: float = 5) -> dict[str, gpd.GeoDataFrame]:
    buildings, stations, grid = plans.city_layers(frames)
    coverage = circle_coverage(
        buildings,
        stations,
        minutes=minutes,
        speed_m_per_min=80,
        grid_of_building=grid,
        n_grids=len(frames["grids"]),
    )
    return coverage_frames(coverage, buildings, stations, grids=frames["grids"], grid_of_building=grid)


def hostile(frames: dict[str, gpd.GeoDataFrame]) -> dict[str, gpd.GeoDataFrame]:
    """Put a payload into every text of every layer, also into the ids, keeping the ids' references."""
    out = {}
    for name, frame in frames.items():
        texts = [c for c in frame.columns if frame[c].dtype.kind not in "ifb" and c != frame.geometry.name]
        changed = frame.copy()
        for column in texts:
            codes, _ = np.unique(frame[column].to_numpy(str), return_inverse=True)
            order = {value: k for k, value in enumerate(codes)}
            changed[column] = [f"{PAYLOADS[order[v] % len(PAYLOADS)]}{v}" for v in frame[column].astype(str)]
        out[name] = changed
    return out


@pytest.fixture(scope="module")
def frames() -> dict[str, gpd.GeoDataFrame]:
    return plans.plan_frames()


def test_nothing_is_loaded_from_elsewhere(frames: dict[str, gpd.GeoDataFrame]) -> None:
    html = plan_map(frames, coverage=with_coverage(frames))
    assert not re.search(r"<(script|link|img|iframe)[^>]*\b(src|href)\s*=", html)
    assert "cdn" not in html
    for absent in ("jquery", "bootstrap", "fontawesome", "sourceMappingURL"):
        assert absent not in html.lower()
    fetched = re.findall(r"url\((?!#|\"?data:)[^)]*\)", html)
    assert fetched == []
    assert html.count("<script") == html.count("</script>")
    policy = re.search(r'Content-Security-Policy" content="([^"]+)"', html)
    assert policy is not None
    assert "default-src 'none'" in policy[1]
    assert "unsafe-inline" not in policy[1].split("style-src")[0]
    assert policy[1].count("sha256-") == html.count("<script>")


def test_the_same_plan_gives_the_same_bytes_in_any_process(
    frames: dict[str, gpd.GeoDataFrame], tmp_path: Path
) -> None:
    code = (
        "import sys, hashlib; sys.path.insert(0, sys.argv[1]); import plans; from geo.maps import plan_map;"
        "print(hashlib.sha256(plan_map(plans.plan_frames()).encode()).hexdigest())"
    )
    seen = set()
    for seed in ("1", "2"):
        environment = {**os.environ, "PYTHONHASHSEED": seed}
        here = str(Path(__file__).parent)
        root = Path(__file__).parents[2]
        done = subprocess.run(
            [sys.executable, "-c", code, here],
            cwd=root,
            env=environment,
            capture_output=True,
            text=True,
            check=True,
        )
        seen.add(done.stdout)
    assert len(seen) == 1
    assert plan_map(frames) == plan_map(plans.plan_frames())


def test_inputs_are_not_changed(frames: dict[str, gpd.GeoDataFrame]) -> None:
    before = {name: frame.copy() for name, frame in frames.items()}
    plan_map(frames, coverage=with_coverage(frames), community="C1")
    for name, frame in frames.items():
        assert frame.equals(before[name])


@pytest.mark.parametrize("lang", ["zh", "en"])
def test_the_page_speaks_its_language_and_the_legend_both(
    frames: dict[str, gpd.GeoDataFrame], lang: Any
) -> None:
    html = plan_map(frames, lang=lang)
    assert ('<html lang="zh-Hans">' if lang == "zh" else '<html lang="en">') in html
    assert ("<title>网格划分方案</title>" if lang == "zh" else "<title>Grid plan</title>") in html
    assert "Households above the band" in html
    assert "户数高于区间" in html


def test_raw_markup_of_names_is_nowhere(frames: dict[str, gpd.GeoDataFrame]) -> None:
    bad = hostile(frames)
    covered = hostile(with_coverage(frames))
    covered["circles"]["covered"] = 1
    for community in (None, bad["communities"]["community_id"][0]):
        html = plan_map(bad, coverage=covered, community=community, title=PAYLOADS[0])
        for raw in ("<img", "</script><script>document", "<svg onload", "<svg/onload", "</textarea>"):
            assert raw not in html
        assert html.count("</script>") == html.count("<script")
    # Texts in scripts are JSON or HTML-escaped strings; a style of folium would run what starts with two braces.
    assert not re.search(r"return [^;]*document\.title", html)


def test_names_are_not_templates(frames: dict[str, gpd.GeoDataFrame], tmp_path: Path) -> None:
    """Folium compiles the finished script as a template: a name must not run on the machine that draws the map."""
    canary = tmp_path / "canary"
    attack = f"{{{{ cycler.__init__.__globals__.os.mkdir({str(canary)!r}) }}}}{{% include 'x' %}}{{# "
    bad = {name: frame.copy() for name, frame in frames.items()}
    covered = with_coverage(frames)
    for layers in (bad, covered):
        for frame in layers.values():
            for column in {"name", "code", "category", "building_id", "station_id"} & set(frame.columns):
                frame[column] = attack + frame[column].astype(str)
    html = plan_map(bad, coverage=covered, title=attack)
    assert not canary.exists()
    assert html.count("cycler.__init__") > 100


def test_a_community_is_chosen_by_id_or_name_and_an_unknown_one_is_named(
    frames: dict[str, gpd.GeoDataFrame],
) -> None:
    by_id, by_name = plan_map(frames, community="C2"), plan_map(frames, community=plans.NAMES[1])
    assert by_id == by_name
    assert "B0032" in by_id
    assert "B0000" not in by_id
    with pytest.raises(PlanError) as caught:
        plan_map(frames, community="没有的社区")
    assert caught.value.code == "community-unknown"
    assert "没有的社区" in caught.value.zh


def test_every_building_out_of_reach_is_on_the_map(frames: dict[str, gpd.GeoDataFrame]) -> None:
    covered = with_coverage(frames)
    rows = gap_rows(covered["gaps"], plans.CATEGORIES)
    assert [row[2] for row in rows] == sorted((row[2] for row in rows), reverse=True)
    for k, category in enumerate(plans.CATEGORIES):
        uncovered = covered["circles"].set_index("category").loc[category, "uncovered"]
        assert sum(row[2] for row in rows if k in row[4]) == uncovered


def test_edge_cases_still_draw(frames: dict[str, gpd.GeoDataFrame]) -> None:
    """Everything in band, everyone covered, no stations, a category without any, buildings as points, one grid."""
    calm = {**frames, "grids": frames["grids"].assign(in_band=True)}
    assert "未达标网格" not in _layer_names(plan_map(calm))
    assert len(plan_map(frames, coverage=with_coverage(frames, minutes=1000))) > 100_000
    bare = {name: frame for name, frame in frames.items() if name != "stations"}
    assert "服务站点" not in _layer_names(plan_map(bare))
    points = frames["buildings"].assign(geometry=frames["buildings"].geometry.representative_point())
    assert "CircleMarker" in plan_map({**frames, "buildings": points})
    buildings, stations, _ = plans.city_layers(frames)
    empty = circle_coverage(buildings, stations, categories=["养老", "无站点"])
    assert "无站点" in plan_map(frames, coverage=coverage_frames(empty, buildings, stations))
    one = {**bare, "grids": frames["grids"].head(1)}
    assert "FeatureCollection" in plan_map(one)
    with pytest.raises(PlanError):
        plan_map({**frames, "grids": frames["grids"].head(0)})


def _layer_names(html: str) -> str:
    part = re.search(r"overlays :\s*\{(.*?)\}", html, re.DOTALL)
    assert part is not None
    return part[1].encode().decode("unicode_escape")


def test_a_label_sits_inside_its_grid_with_room_around(frames: dict[str, gpd.GeoDataFrame]) -> None:
    import shapely

    u_shape = shapely.box(0, 0, 3, 3).difference(shapely.box(1, 1, 2, 3))
    lat, lon, radius = label_places(np.array([u_shape], dtype=object))[0]
    assert u_shape.contains(shapely.Point(lon, lat))
    assert radius == pytest.approx(0.5 / 360 * 256, rel=0.25)


def test_very_many_vertices_are_thinned_without_gaps(monkeypatch: pytest.MonkeyPatch) -> None:
    import shapely

    from geo.colouring import polygon_graph
    from geo.maps import shapes

    grids = plans.plan_frames()["grids"]
    grids["geometry"] = shapely.segmentize(grids.geometry.to_numpy(), 0.0001)
    assert shapes.light(grids) is grids
    monkeypatch.setattr(shapes, "MANY_VERTICES", 100)
    thin = shapes.light(grids)
    assert shapely.get_num_coordinates(thin.geometry.to_numpy()).sum() < 24 * 8
    assert np.array_equal(
        polygon_graph(thin.geometry.to_numpy()).neighbor, polygon_graph(grids.geometry.to_numpy()).neighbor
    )


def test_missing_names_are_not_shown_as_nan(frames: dict[str, gpd.GeoDataFrame]) -> None:
    bare = {name: frame.copy() for name, frame in frames.items()}
    bare["grids"]["name"] = None
    bare["communities"]["name"] = None
    bare["stations"]["name"] = None
    html = plan_map(bare)
    assert '"None"' not in html
    assert '"nan"' not in html
    without = {**frames, "grids": frames["grids"].drop(columns="name")}
    assert frames["grids"]["code"][0] in plan_map(without)


def test_the_lock_file_names_no_registry() -> None:
    """The package addresses are the registry's business: whoever installs chooses it."""
    lock = (Path(__file__).parents[2] / "web" / "frontend" / "package-lock.json").read_text()
    assert '"resolved"' not in lock
    assert "registry" not in lock


def test_missing_assets_say_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(AssetError) as caught:
        load_assets(tmp_path)
    assert "make setup" in caught.value.en
    with pytest.raises(AssetError):
        prepare(tmp_path, tmp_path / "out")
    assert main([str(tmp_path)]) == 2


def test_prepared_assets_hold_their_images_and_name_their_version(tmp_path: Path) -> None:
    package = tmp_path / "node_modules" / "leaflet"
    (package / "dist" / "images").mkdir(parents=True)
    (package / "package.json").write_text('{"version": "9.9.9"}')
    (package / "dist" / "leaflet.js").write_text("var L;\n//# sourceMappingURL=leaflet.js.map")
    (package / "dist" / "leaflet.css").write_text(
        "a{background:url(images/x.png)} b{behavior:url(#default#VML)}"
    )
    (package / "dist" / "images" / "x.png").write_bytes(b"png")
    assert prepare(tmp_path / "node_modules", tmp_path / "out") == "9.9.9"
    assert "data:image/png;base64,cG5n" in (tmp_path / "out" / "leaflet.css").read_text()
    assert "sourceMappingURL" not in (tmp_path / "out" / "leaflet.js").read_text()
    (package / "dist" / "images" / "x.png").unlink()
    with pytest.raises(AssetError):
        prepare(tmp_path / "node_modules", tmp_path / "out")


# ---- in a real browser ----

CHROMIUM_FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    from playwright.sync_api import sync_playwright

    path = shutil.which("chromium")
    if path is None:
        if os.environ.get("CI") == "true":
            pytest.fail("Chromium is needed in CI")
        pytest.skip("no Chromium on this machine")
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=path, args=CHROMIUM_FLAGS)
        yield chromium
        chromium.close()


class Opened:
    """A page and all it complained about or asked for."""

    def __init__(self, browser: Any, html: str, folder: Path, width: int = 1280, height: int = 800) -> None:
        path = folder / "map.html"
        path.write_text(html, encoding="utf-8")
        self.complaints: list[str] = []
        self.requests: list[str] = []
        self.page = browser.new_page(viewport={"width": width, "height": height})
        self.page.on("console", lambda message: self.complaints.append(message.text))
        self.page.on("pageerror", lambda error: self.complaints.append(str(error)))
        self.page.on("request", lambda request: self.requests.append(request.url))
        self.page.on("dialog", lambda dialog: dialog.dismiss())
        self.page.goto(path.as_uri())
        self.page.wait_for_selector(".wg-title")

    def quiet(self) -> bool:
        asked = [url for url in self.requests if not url.startswith("data:")]
        return len(asked) == 1 and not self.complaints


@pytest.mark.browser
@pytest.mark.parametrize("lang", ["zh", "en"])
def test_the_page_draws_everything_and_asks_for_nothing(browser, frames, lang, tmp_path) -> None:
    opened = Opened(browser, plan_map(frames, coverage=with_coverage(frames), lang=lang), tmp_path)
    page = opened.page
    assert page.locator(".leaflet-wg-grids-pane path").count() == 24
    assert page.locator(".wg-number").count() == 24
    assert page.locator(".leaflet-wg-out-pane path").count() == int((~frames["grids"]["in_band"]).sum())
    gaps = with_coverage(frames)["gaps"]
    worst = gaps.groupby("category")["households"].sum().idxmax()
    assert page.locator(".leaflet-wg-gaps-pane path").count() == (gaps["category"] == worst).sum()
    page.locator(".leaflet-wg-gaps-pane path").first.hover()
    assert worst in page.locator(".wg-tip").inner_text()
    assert (
        page.locator(".wg-badge").count() == 2
    )  # the stations of the category with most households uncovered
    assert page.locator(".wg-legend").get_attribute("open") is not None
    page.locator("#wg-service-select").select_option("-1")
    assert page.locator(".wg-badge").count() == 6
    assert set(page.locator(".wg-badge").all_text_contents()) == {"养", "托", "助"}
    assert opened.quiet()
    page.close()


@pytest.mark.browser
def test_search_by_keyboard_finds_marks_and_tells(browser, frames, tmp_path) -> None:
    opened = Opened(browser, plan_map(frames), tmp_path)
    page = opened.page
    code = frames["grids"]["code"][10]
    page.focus("#wg-search-input")
    page.keyboard.type(code)
    page.keyboard.press("Enter")
    page.wait_for_selector("path.wg-found")
    assert code in page.locator(".wg-status").inner_text()
    page.keyboard.press("Escape")
    assert page.locator("path.wg-found").count() == 0
    page.keyboard.type("第7网格")
    page.keyboard.press("Enter")
    assert page.locator("path.wg-found").count() == 3
    page.locator("#wg-search-input").fill("没有")
    page.keyboard.press("Enter")
    assert "没有找到" in page.locator(".wg-status").inner_text()
    assert opened.quiet()
    page.close()


@pytest.mark.browser
def test_a_tooltip_gives_the_figures_of_a_grid(browser, frames, tmp_path) -> None:
    opened = Opened(browser, plan_map(frames, community="C2"), tmp_path)
    opened.page.locator(".leaflet-wg-grids-pane path").first.hover()
    text = opened.page.locator(".wg-tip").inner_text()
    first = frames["grids"].iloc[0]
    for part in (first["code"], first["name"], "幸福社区", f"{first['households']:,}", "%"):
        assert part in text
    opened.page.close()


@pytest.mark.browser
def test_no_text_from_the_data_runs(browser, frames, tmp_path) -> None:
    """Hover, search and choose with a payload in every text: it is shown as text and never runs."""
    bad, covered = hostile(frames), hostile(with_coverage(frames))
    html = plan_map(bad, coverage=covered, title="方案" + PAYLOADS[0])
    # Without the page's own policy escaping alone must hold.
    for page_text in (html, re.sub(r"<meta http-equiv=\"Content-Security-Policy\"[^>]*>", "", html)):
        opened = Opened(browser, page_text, tmp_path)
        page = opened.page
        title = page.title()
        for pane in ("grids", "buildings", "gaps"):
            page.locator(f".leaflet-wg-{pane}-pane path.leaflet-interactive").first.hover(force=True)
            assert page.locator(".wg-tip").count() > 0
        page.locator(".wg-badge").first.hover(force=True)
        page.locator("#wg-service-select").select_option("-1")
        page.locator("#wg-search-input").fill(bad["grids"]["code"][0])
        page.keyboard.press("Enter")
        page.wait_for_timeout(100)
        assert page.title() == title != "ran"
        assert (
            page.evaluate(
                "document.querySelectorAll('svg[onload], .leaflet-tooltip img, .wg-card img').length"
            )
            == 0
        )
        assert "<img src=x onerror" in page.locator(".wg-title h1").inner_text()
        assert opened.quiet()
        page.close()


@pytest.mark.browser
def test_labels_wait_until_there_is_room(browser, tmp_path) -> None:
    many = plans.plan_frames(columns=30, rows=29)
    opened = Opened(browser, plan_map(many), tmp_path, width=800, height=600)
    page = opened.page
    assert page.locator(".leaflet-wg-grids-pane path").count() == 870
    assert page.locator(".wg-number").count() == 0
    page.locator("#wg-search-input").fill(many["grids"]["code"][400])
    page.keyboard.press("Enter")
    page.wait_for_selector(".wg-number", state="attached")
    assert 0 < page.locator(".wg-number").count() < 200
    assert opened.quiet()
    page.close()


@pytest.mark.browser
def test_a_phone_has_room_for_the_map(browser, frames, tmp_path) -> None:
    opened = Opened(
        browser, plan_map(frames, coverage=with_coverage(frames)), tmp_path, width=360, height=640
    )
    assert opened.page.locator(".wg-legend").get_attribute("open") is None
    assert opened.page.locator(".leaflet-control-layers-expanded").count() == 0
    assert opened.page.evaluate("document.documentElement.scrollWidth") <= 360
    assert opened.quiet()
    opened.page.close()


@pytest.mark.browser
def test_the_page_works_in_a_sandboxed_frame(browser, frames, tmp_path) -> None:
    """The web page shows the map in a frame that may run scripts and nothing else."""
    (tmp_path / "map.html").write_text(plan_map(frames), encoding="utf-8")
    outer = tmp_path / "outer.html"
    outer.write_text('<iframe sandbox="allow-scripts" src="map.html" width="1000" height="700"></iframe>')
    page = browser.new_page(viewport={"width": 1100, "height": 760})
    complaints: list[str] = []
    page.on("console", lambda message: complaints.append(message.text))
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.goto(outer.as_uri())
    inside = page.frame_locator("iframe")
    inside.locator("#wg-search-input").fill(frames["grids"]["code"][3][:-1])
    inside.locator(".wg-search button").click()
    assert inside.locator("path.wg-found").count() > 1
    inside.locator("#wg-search-input").fill(frames["grids"]["name"][3])
    page.keyboard.press("Enter")
    assert inside.locator("path.wg-found").count() == 1
    assert complaints == []
    page.close()
