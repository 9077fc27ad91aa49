"""Pages of a finished plan: every figure, verdict, grid and download, in both languages, with names as text."""

from __future__ import annotations

import json
import re

import pytest
from flask import Flask
from flask.testing import FlaskClient
from web_make import Planned, buildings, city, gpkg, roles, send

from web.settings import ROOT
from web.store import Job

LANGUAGES = ["zh", "en"]


def plan_of(planned: Planned) -> str:
    """The plan that the planning job made."""
    found = planned.client.get(f"/api/v1{planned.page}/plans").get_json()["plans"]
    return next(str(plan["id"]) for plan in found if plan["job"] == planned.job)


@pytest.mark.parametrize("lang", LANGUAGES)
def test_the_plan_is_shown(planned: Planned, lang: str) -> None:
    html = planned.client.get(f"{planned.page}?lang={lang}").get_data(as_text=True)
    report = planned.result("report.json")
    assert report["households"]["in"] == int(buildings()["households"].sum())
    assert f"{report['households']['placed']:,}" in html
    assert html.count('<span class="code">') == report["grids"]
    assert f'{planned.plan}/map"' in html
    assert ("精确铺满" if lang == "zh" else "Exact tiling") in html
    assert ("15 分钟服务圈" if lang == "zh" else "15-minute service circle") in html
    assert "党群服务" in html


def test_the_plan_is_right(planned: Planned) -> None:
    report = planned.result("report.json")
    assert report["exact_tiling"]["ok"]
    assert report["contiguity"]["ok"]
    assert report["households"]["placed"] == report["households"]["in"]


@pytest.mark.parametrize("lang", LANGUAGES)
@pytest.mark.parametrize("community", ["", "110101001002"])
def test_the_map_is_fenced_and_whole(planned: Planned, lang: str, community: str) -> None:
    answer = planned.client.get(f"{planned.plan}/map?lang={lang}&community={community}")
    assert answer.status_code == 200
    assert answer.headers["Content-Security-Policy"].startswith("sandbox allow-scripts; default-src 'none'")
    html = answer.get_data(as_text=True)
    assert "东河社区" in html
    assert re.findall(r"<(?:script|link|img)[^>]+(?:src|href)=[\"']?http", html) == []
    assert "<script>alert(1)" not in html


def test_an_unknown_community_has_no_map(planned: Planned) -> None:
    assert planned.client.get(f"{planned.plan}/map?community=../x").status_code == 404


def test_downloads_are_attachments(planned: Planned) -> None:
    files = planned.client.get(f"/api/v1/jobs/{planned.job}").get_json()["files"]
    assert set(files) == {
        "grids.geojson",
        "grids.csv",
        "plan.gpkg",
        "report.json",
        "map-zh.html",
        "map-en.html",
        "coverage.gpkg",
        "coverage.json",
    }
    for name, address in files.items():
        for url in (address, f"{planned.plan}/files/{name}"):
            answer = planned.client.get(url)
            assert answer.status_code == 200
            assert answer.headers["Content-Disposition"] == f"attachment; filename={name}"
            assert answer.headers["Cache-Control"] == "private, no-store"
            answer.close()
    collection = planned.result("grids.geojson")
    assert "crs" not in collection
    assert {feature["geometry"]["type"] for feature in collection["features"]} == {"Polygon"}


@pytest.mark.parametrize(
    "name", ["job.json", "task.json", "../job.json", "%2e%2e%2fjob.json", "result.json", "log.txt"]
)
def test_nothing_else_can_be_downloaded(planned: Planned, name: str) -> None:
    assert planned.client.get(f"{planned.plan}/files/{name}").status_code == 404


def test_a_job_is_reached_only_through_its_project(planned: Planned) -> None:
    other = f"/projects/{'0' * 32}/plans/{planned.job}"
    assert planned.client.get(f"{other}/map").status_code == 404
    assert planned.client.get(f"{other}/files/plan.gpkg").status_code == 404
    assert planned.client.post(f"{other}/cancel").status_code == 404


@pytest.mark.parametrize("lang", LANGUAGES)
@pytest.mark.parametrize("path", ["/projects", "/projects/nothing", "/nothing"])
def test_simple_pages(planned: Planned, path: str, lang: str) -> None:
    answer = planned.client.get(f"{path}?lang={lang}")
    assert answer.status_code == (200 if path == "/projects" else 404)
    assert f'lang="{"zh-CN" if lang == "zh" else "en"}"' in answer.get_data(as_text=True)


def test_findings_name_the_clients_file_and_no_path_of_ours(planned: Planned) -> None:
    text = planned.client.get(f"/api/v1/projects/{planned.project}").get_data(as_text=True)
    assert str(planned.app.extensions["wangge"].settings.data_dir) not in text
    files = json.loads(text)["files"]
    assert files[0]["label"] == "城区.gpkg"


def test_the_first_page_opens_the_demo_city_while_it_is_all_there_is(app: Flask, client: FlaskClient) -> None:
    assert client.get("/").headers["Location"] == "/projects"
    demo, _ = app.extensions["wangge"].projects.demo("small")
    assert client.get("/").headers["Location"] == f"/projects/{demo.id}"
    assert send(client, {"城区.gpkg": gpkg(city())}, roles("城区.gpkg")).status_code == 201
    assert client.get("/").headers["Location"] == "/projects"


@pytest.mark.parametrize("lang", LANGUAGES)
def test_plans_are_listed_and_described(planned: Planned, lang: str) -> None:
    plan = plan_of(planned)
    html = planned.client.get(f"{planned.page}?lang={lang}").get_data(as_text=True)
    assert f'href="/plans/{plan}"' in html
    assert f'action="/plans/{plan}/branch"' in html
    assert ("Draft" if lang == "en" else "草稿") in html
    about = planned.client.get(f"/plans/{plan}/about?lang={lang}").get_data(as_text=True)
    assert "方案 1" in about
    assert ("Send to consultation" if lang == "en" else "征求意见") in about
    assert 'value="published"' not in about  # a draft is not published in one step


def test_a_plan_is_branched_named_kept_and_deleted_by_its_page(planned: Planned) -> None:
    client = planned.client
    first = plan_of(planned)
    answer = client.post(f"/plans/{first}/branch", data={"name": "河东 <b>"})
    page = answer.headers["Location"]
    branch = page.split("/")[2]
    assert branch != first
    html = client.get(f"{page}?lang=en").get_data(as_text=True)
    assert "河东 &lt;b&gt;" in html
    assert f'href="/plans/{first}/about"' in html
    assert client.post(f"/plans/{branch}/name", data={"name": "河西"}).headers["Location"] == page
    assert client.post(f"/plans/{branch}/name", data={"name": "  "}).status_code == 400
    assert (
        client.post(f"/plans/{branch}/versions", data={"name": "初稿", "note": "给街道看"}).status_code == 303
    )
    assert client.post(f"/plans/{branch}/versions", data={"name": "初稿"}).status_code == 409
    html = client.get(page).get_data(as_text=True)
    assert "河西" in html
    assert "给街道看" in html
    for status, code in (("king", 400), ("published", 409), ("consultation", 303), ("draft", 303)):
        assert client.post(f"/plans/{branch}/status", data={"status": status}).status_code == code
    log = client.get("/api/v1/audit?limit=4").get_json()["entries"]
    assert [entry["action"] for entry in log] == [
        "plan-status",
        "plan-status",
        "version-create",
        "plan-change",
    ]
    assert {entry["project"] for entry in log} == {planned.project}
    assert client.post(f"/plans/{branch}/delete").headers["Location"] == planned.page
    assert client.get(page).status_code == 404
    assert client.get("/api/v1/audit?limit=1").get_json()["entries"][0]["project"] == planned.project


def test_every_address_that_a_template_names_exists(planned: Planned) -> None:
    """Also those of templates that are shown for a moment only, such as the progress of a job."""
    folder = ROOT / "web" / "pages" / "templates"
    named = {
        name
        for template in folder.glob("*.html")
        for name in re.findall(r"url_for\('([\w.]+)'", template.read_text(encoding="utf-8"))
    }
    assert len(named) > 20
    assert named <= set(planned.app.view_functions)


def test_a_running_job_is_shown(client: FlaskClient, app: Flask) -> None:
    project, _ = app.extensions["wangge"].projects.demo("small")
    job = Job(project=project.id, state="queued")
    app.extensions["wangge"].job_store.add(job)
    html = client.get(f"/projects/{project.id}").get_data(as_text=True)
    assert f"/api/v1/jobs/{job.id}" in html
