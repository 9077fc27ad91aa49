"""The coverage routes say what the library says, for the project asked about, and refuse the rest."""

from __future__ import annotations

import base64
import csv
import io
import json
import re
import sqlite3
from typing import Any

import numpy as np
import pytest
from coverage_make import Covered, as_read, lonlat, minutes_of, place
from shapely import LineString

from geo.network import Scenario
from geo.service_coverage import (
    DEFAULT_MINUTES,
    DEFAULT_SPEED_M_PER_MIN,
    ServiceModel,
    circle_claims,
    gap_areas,
    isochrone_frame,
)
from web.services import coverage as service

CHINESE = re.compile(r"[\u4e00-\u9fff]")

RECORD = np.dtype(
    [("lon", "<i4"), ("lat", "<i4"), ("households", "<i4"), ("community", "<i2"), ("state", "<i2")]
)


@pytest.fixture(scope="module")
def model() -> ServiceModel:
    return ServiceModel.build(as_read())


def agrees(answer: dict[str, Any], model: ServiceModel, category: int, **question: Any) -> None:
    """The answer is what the library says of the model, building by building and in total."""
    said = model.coverage(**question)
    claims = circle_claims(said)
    assert answer["method"] == "network"
    for k, row in enumerate(answer["totals"]):
        assert (row["category"], row["covered"]) == (k, int(said.covered_households[k]))
        assert row["circle"]["covered"] == int(claims.circle[k])
        assert row["circle"]["wrongly_in"] == int(claims.wrongly_in[k])
        assert row["circle"]["wrongly_out"] == int(claims.wrongly_out[k])
        assert row["circle"]["equivalent_radius_m"] == round(float(claims.equivalent_radius_m[k]), 1)
    walk = said.walk_minutes[:, category]
    assert np.allclose(
        minutes_of(answer), np.where(np.isfinite(walk), walk, np.nan), atol=0.0051, equal_nan=True
    )
    assert answer["communities"] == said.communities.covered[:, category].tolist()
    assert said.circle is not None
    circle = np.frombuffer(base64.b64decode(answer["circle_covered"]), np.uint8)
    assert circle.tolist() == said.circle.covered[:, category].astype(int).tolist()
    reached = said.categories_reached
    assert answer["reached"] == [int(said.households[reached == k].sum()) for k in range(3)]
    assert sum(band["households"] for band in answer["bands"]) == said.total_households


def test_the_overview_says_what_there_is(covered: Covered) -> None:
    found = covered.overview
    assert (found["state"], found["method_default"]) == ("ready", "network")
    assert [(item["id"], item["name"], item["stations"]) for item in found["categories"]] == [
        (0, "党群服务", 1),
        (1, "养老", 1),
    ]
    assert (found["minutes_default"], found["speeds"]["adult"]) == (DEFAULT_MINUTES, DEFAULT_SPEED_M_PER_MIN)
    assert found["counts"]["buildings"] == 60
    assert found["counts"]["candidates"] == len(found["candidates"]) == 3
    assert sum(item["households"] for item in found["communities"]) == found["counts"]["households"]
    station = found["stations"][0]
    assert (station["row"], station["name"], station["category"]) == (0, "党群服务站", 0)
    assert {name: station[name] for name in ("lon", "lat")} == pytest.approx(lonlat(100, 100), abs=1e-6)
    west, south, east, north = found["bounds"]
    assert west < station["lon"] < east
    assert south < station["lat"] < north
    assert found["network"]["connected_after"] == 1
    assert found["windows"] == ["weekday", "evening", "weekend"]
    assert found["grids"] is False


def test_the_service_asks_with_the_defaults_of_the_library() -> None:
    assert (service.DEFAULT_MINUTES, service.DEFAULT_SPEED_M_PER_MIN) == (
        DEFAULT_MINUTES,
        DEFAULT_SPEED_M_PER_MIN,
    )


def test_buildings_come_in_the_order_of_the_model(covered: Covered, model: ServiceModel) -> None:
    answer = covered.client.get(f"{covered.base}/buildings")
    table = np.frombuffer(answer.data, RECORD)
    buildings = model.city.buildings
    assert table["households"].tolist() == buildings["households"].tolist()
    assert table["community"].tolist() == buildings["community"].tolist()
    assert (table["state"] == 0).all()
    points = buildings.geometry.representative_point().to_crs("EPSG:4326")
    assert np.abs(table["lon"] / 1e7 - points.x).max() < 1e-6
    assert np.abs(table["lat"] / 1e7 - points.y).max() < 1e-6


@pytest.mark.parametrize("path", ["buildings", "layers/roads"])
def test_what_does_not_change_is_not_sent_again(covered: Covered, path: str) -> None:
    first = covered.client.get(f"{covered.base}/{path}")
    assert first.headers["Cache-Control"] == "private, no-cache"
    again = covered.client.get(f"{covered.base}/{path}", headers={"If-None-Match": first.headers["ETag"]})
    assert (again.status_code, again.data) == (304, b"")


def test_layers_are_geojson_in_wgs84(covered: Covered) -> None:
    assert covered.overview["layers"] == ["communities", "roads"]
    answer = covered.client.get(f"{covered.base}/layers/communities")
    assert answer.mimetype == "application/geo+json"
    features = answer.get_json()["features"]
    assert [feature["properties"]["row"] for feature in features] == [0, 1]
    assert features[0]["properties"]["name"] == "东河社区"
    lon, lat = features[0]["geometry"]["coordinates"][0][0]
    assert (round(lon, 1), round(lat, 1)) == tuple(round(value, 1) for value in lonlat(0, 0).values())
    assert covered.client.get(f"{covered.base}/layers/water").get_json()["features"] == []
    assert covered.client.get(f"{covered.base}/layers/secrets").status_code == 404


def test_solve_says_what_the_library_says(covered: Covered, model: ServiceModel) -> None:
    agrees(covered.solve(minutes=3, category=1), model, 1, minutes=3)
    agrees(covered.solve(minutes=3, speed=48, category=0), model, 0, minutes=3, speed=48)


def test_without_a_category_a_building_counts_when_it_reaches_all(
    covered: Covered, model: ServiceModel
) -> None:
    said = model.coverage(minutes=6)
    answer = covered.solve(minutes=6)
    assert np.allclose(minutes_of(answer), said.walk_minutes.max(axis=1), atol=0.0051)
    assert sum(answer["communities"]) == int(said.households[said.covered.all(axis=1)].sum()) > 0


def test_a_moved_station_serves_from_its_new_place(covered: Covered, model: ServiceModel) -> None:
    before = covered.solve(minutes=3, category=0)
    for x in (120, 300, 580):
        moved = covered.solve(minutes=3, category=0, stations=[{"row": 0, **lonlat(x, 140)}])
        point = place(x, 140)
        agrees(moved, model.with_station(0, (point.x, point.y)), 0, minutes=3)
        assert moved["totals"][1] == before["totals"][1]
    assert moved["minutes"] != before["minutes"]
    assert covered.solve(minutes=3, category=0)["minutes"] == before["minutes"]


def test_an_added_station_serves_too(covered: Covered, model: ServiceModel) -> None:
    point = place(560, 20)
    answer = covered.solve(minutes=3, category=0, added=[{"category": 0, **lonlat(560, 20)}])
    agrees(answer, model.new_station("党群服务", (point.x, point.y)), 0, minutes=3)
    assert answer["totals"][0]["stations"] == 2


def test_stations_come_and_go_in_any_order(covered: Covered, model: ServiceModel) -> None:
    """Fewer stations than the question before, then one that moves."""
    added = [{"category": k % 2, **lonlat(50 * k, 20)} for k in range(12)]
    assert covered.solve(minutes=3, category=0, added=added)["totals"][0]["stations"] == 7
    point = place(400, 140)
    answer = covered.solve(minutes=3, category=0, stations=[{"row": 0, **lonlat(400, 140)}])
    agrees(answer, model.with_station(0, (point.x, point.y)), 0, minutes=3)


def test_a_removed_station_serves_nobody(covered: Covered) -> None:
    answer = covered.solve(minutes=3, category=0, removed=[0])
    assert (answer["totals"][0]["covered"], answer["totals"][0]["stations"]) == (0, 0)
    assert np.isnan(minutes_of(answer)).all()
    assert {gap["reason"] for gap in answer["gaps"]} == {"no-station"}
    assert covered.solve(minutes=3, category=1, removed=[0])["totals"][1]["covered"] > 0


def test_a_closed_station_serves_nobody(covered: Covered, model: ServiceModel) -> None:
    answer = covered.solve(minutes=3, category=0, window="evening")
    agrees(answer, model, 0, minutes=3, window="evening")
    assert (answer["totals"][0]["open_stations"], answer["totals"][0]["covered"]) == (0, 0)
    assert covered.solve(minutes=3, category=0, window="weekday")["totals"][0]["covered"] > 0


def test_a_new_path_shortens_ways(covered: Covered, model: ServiceModel) -> None:
    ends = [lonlat(100, 100), lonlat(220, 220)]
    path = [[end["lon"], end["lat"]] for end in ends]
    line = np.array([[place(100, 100).x, place(100, 100).y], [place(220, 220).x, place(220, 220).y]])
    answer = covered.solve(minutes=3, category=0, scenario={"paths": [path]})
    said = model.with_scenario(Scenario(paths=[LineString(line)])).coverage(minutes=3)
    assert answer["totals"][0]["covered"] == int(said.covered_households[0])
    assert np.allclose(minutes_of(answer), said.walk_minutes[:, 0], atol=0.0051)
    assert (minutes_of(answer) < minutes_of(covered.solve(minutes=3, category=0)) - 0.1).any()


def test_gaps_are_ranked_with_place_and_reason(covered: Covered, model: ServiceModel) -> None:
    said = gap_areas(model.coverage(minutes=2), model.city.buildings)
    gaps = covered.solve(minutes=2)["gaps"]
    assert [gap["households"] for gap in gaps] == said["households"].tolist()[:200]
    assert [gap["reason"] for gap in gaps] == said["reason"].tolist()[:200]
    assert {gap["category"] for gap in covered.solve(minutes=2, category=1)["gaps"]} == {1}
    west, south, east, north = covered.overview["bounds"]
    assert all(west <= gap["lon"] <= east and south <= gap["lat"] <= north for gap in gaps)
    assert covered.solve(minutes=2, gaps=False)["gaps"] == []


def test_circles_are_straight_lines(covered: Covered, model: ServiceModel) -> None:
    answer = covered.solve(minutes=3, category=0, method="circle")
    said = model.coverage(minutes=3, method="circle")
    assert answer["method"] == "circle"
    assert [row["covered"] for row in answer["totals"]] == said.covered_households.tolist()
    assert answer["totals"][0]["circle"]["covered"] == answer["totals"][0]["covered"]


def test_isochrones_carry_their_error(covered: Covered, model: ServiceModel) -> None:
    answer = covered.client.get(f"{covered.base}/isochrones?minutes=3&category=1")
    (feature,) = answer.get_json()["features"]
    drawn = isochrone_frame(model, model.coverage(minutes=3))
    assert feature["properties"]["error"] == {
        "claimed_in_wrong": int(drawn["inside_not_reached"][1]),
        "missed": int(drawn["outside_reached"][1]),
    }
    assert feature["properties"]["category"] == 1
    assert feature["geometry"]["type"] in {"Polygon", "MultiPolygon"}
    both = covered.client.post(
        f"{covered.base}/isochrones", json={"minutes": 3, "method": "circle"}
    ).get_json()
    assert [item["properties"]["category"] for item in both["features"]] == [0, 1]
    walk = circle_claims(model.coverage(minutes=3))
    assert both["features"][0]["properties"]["error"]["claimed_in_wrong"] == int(walk.wrongly_in[0])


@pytest.mark.parametrize("name", sorted(set(service.EXPORTS) - {"grids.csv"}))
def test_every_export_is_a_download(covered: Covered, name: str) -> None:
    answer = covered.client.get(f"{covered.base}/export/{name}?minutes=3")
    assert answer.status_code == 200
    assert answer.headers["Content-Disposition"] == f"attachment; filename={name}"
    assert answer.headers["Cache-Control"] == "private, no-store"
    if name.endswith(".csv"):
        rows = list(csv.DictReader(io.StringIO(answer.data.decode("utf-8-sig"))))
        assert len(rows) == {"buildings.csv": 60, "communities.csv": 2}.get(name, len(rows)) > 0
    elif name.endswith(".json"):
        report = json.loads(answer.data)
        assert [item["covered"] for item in report["categories"]] == [
            row["covered"] for row in covered.solve(minutes=3)["totals"]
        ]
    else:
        opened = sqlite3.connect(":memory:")
        opened.deserialize(answer.data)
        tables = {row[0] for row in opened.execute("SELECT table_name FROM gpkg_contents")}
        assert {"buildings", "gaps", "isochrones", "stations"} <= tables


def test_an_export_holds_the_stations_as_moved(covered: Covered) -> None:
    answer = covered.client.post(
        f"{covered.base}/export/coverage.json",
        json={"minutes": 3, "removed": [0], "added": [{"category": 1, **lonlat(100, 20)}]},
    )
    assert [item["stations"] for item in answer.get_json()["categories"]] == [0, 2]
    assert covered.client.get(f"{covered.base}/export/grids.csv").status_code == 404
    assert covered.client.get(f"{covered.base}/export/passwd").status_code == 404


REFUSED: list[tuple[dict[str, Any], str]] = [
    ({"category": 9}, "coverage-unknown-category"),
    ({"added": [{"lon": 0, "lat": 0, "category": 0}]}, "coverage-outside"),
    ({"added": [{**lonlat(10, 10), "category": 7}]}, "coverage-unknown-category"),
    ({"stations": [{"row": 0, "lon": 0, "lat": 89}]}, "coverage-outside"),
    ({"stations": [{"row": 50, **lonlat(10, 10)}]}, "coverage-no-such-station"),
    ({"removed": [99]}, "coverage-no-such-station"),
    ({"window": "sometimes"}, "coverage-bad-window"),
    ({"speed": -1}, "parameters"),
    ({"speed": "fast"}, "parameters"),
    ({"minutes": 0}, "parameters"),
    ({"minutes": 1e9}, "parameters"),
    ({"category": -1}, "parameters"),
    ({"method": "teleport"}, "parameters"),
    ({"bogus": 1}, "parameters"),
    ({"stations": [{"row": 0, "lon": 999, "lat": 0}]}, "parameters"),
    ({"added": [{**lonlat(10, 10), "category": 0}] * 201}, "parameters"),
    ({"scenario": {"gates": [[116.0, 39.0]] * 201}}, "parameters"),
    ({"scenario": {"paths": [[[116.0, 39.0]]]}}, "parameters"),
]


@pytest.mark.parametrize(
    ("question", "code"), REFUSED, ids=[f"{k}-{item[1]}" for k, item in enumerate(REFUSED)]
)
def test_what_cannot_be_answered_is_refused_in_both_languages(
    covered: Covered, question: dict[str, Any], code: str
) -> None:
    answer = covered.post(**question)
    problem = answer.get_json()
    assert (answer.status_code, problem["code"]) == (400, code)
    assert answer.mimetype == "application/problem+json"
    assert problem["detail_zh"]
    assert not CHINESE.search(problem["detail_en"])
    assert covered.solve(minutes=3)["totals"], "the process lives on"


@pytest.mark.parametrize("content", [b"{", b"[1]", b'{"minutes": NaN}', b"\xff\xfe"])
def test_a_body_that_is_no_question_is_refused(covered: Covered, content: bytes) -> None:
    answer = covered.client.post(f"{covered.base}/solve", data=content, content_type="application/json")
    assert answer.status_code == 400


def test_a_huge_body_is_refused(covered: Covered) -> None:
    answer = covered.client.post(
        f"{covered.base}/solve", data=b" " * (2 << 20), content_type="application/json"
    )
    assert answer.status_code == 413


def test_answers_are_not_kept_and_other_sites_cannot_ask(covered: Covered) -> None:
    answer = covered.post(minutes=3)
    assert answer.headers["Cache-Control"] == "private, no-store"
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    foreign = covered.client.post(f"{covered.base}/solve", json={}, headers={"Sec-Fetch-Site": "cross-site"})
    assert foreign.status_code == 403


def test_the_page_is_a_shell_with_texts_in_both_languages(covered: Covered) -> None:
    html = covered.client.get(f"/projects/{covered.project}/coverage?lang=en").get_data(as_text=True)
    assert f'<main id="coverage" class="coverage" data-project="{covered.project}" data-lang="en"' in html
    block = html.split('id="coverage-texts">')[1].split("</script>")[0]
    texts = json.loads(block)
    assert texts["zh"].keys() == texts["en"].keys()
    assert all(texts["zh"].values())
    assert not any(CHINESE.search(text) for text in texts["en"].values())
    link = covered.client.get(f"/projects/{covered.project}").get_data(as_text=True)
    assert f'href="/projects/{covered.project}/coverage"' in link


def test_another_project_is_not_there(covered: Covered) -> None:
    for method, path in [("get", ""), ("get", "/buildings"), ("post", "/solve"), ("post", "/siting")]:
        address = f"/api/v1/projects/{'0' * 32}/coverage{path}"
        answer = getattr(covered.client, method)(
            address, **({"json": {"category": 0}} if method == "post" else {})
        )
        assert answer.status_code == 404, address
