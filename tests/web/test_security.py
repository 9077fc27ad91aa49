"""Headers on every route, requests from other sites refused, foreign hosts refused, names never markup."""

from __future__ import annotations

from typing import Any

import pytest
from coverage_make import ready
from flask import Flask
from flask.testing import FlaskClient
from web_make import Planned, city, form, gpkg
from werkzeug.routing import Rule

HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
}


def address(app: Flask, rule: Rule, values: dict[str, Any]) -> str:
    adapter = app.url_map.bind("localhost")
    method = next(iter(rule.methods or ()))
    return adapter.build(
        rule.endpoint, {name: values.get(name, "1") for name in rule.arguments}, method=method
    )


def test_every_route_answers_with_the_headers(planned: Planned) -> None:
    app, client = planned.app, planned.client
    assert ready(client, planned.project)["state"] == "ready"
    plan = client.get(f"/api/v1/projects/{planned.project}/plans").get_json()["plans"][0]
    values = {
        "project_id": planned.project,
        "job_id": planned.job,
        "name": "report.json",
        "size": "small",
        "filename": "app.css",
        "plan_id": plan["id"],
        "comment_id": "0" * 32,
        "user_id": "0" * 32,
        "dataset_id": plan["dataset"],
        "preset": "balanced",
    }
    seen = 0
    for rule in app.url_map.iter_rules():
        # Other sites' requests: every answer is made, and nothing is changed.
        for method in (rule.methods or set()) - {"OPTIONS"}:
            answer = client.open(
                address(app, rule, values), method=method, headers={"Sec-Fetch-Site": "cross-site"}
            )
            assert answer.status_code in ({200, 303, 404} if method in {"GET", "HEAD"} else {403}), rule
            policy = answer.headers["Content-Security-Policy"]
            assert "default-src 'none'" in policy
            assert "unsafe-inline" not in policy or "sandbox allow-scripts" in policy
            assert {name: answer.headers.get(name) for name in HEADERS} == HEADERS
            if rule.endpoint != "static":
                assert "private" in answer.headers["Cache-Control"], rule
            seen += 1
            answer.close()
    assert seen > 25


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({}, 303),
        ({"Sec-Fetch-Site": "same-origin"}, 303),
        ({"Sec-Fetch-Site": "none"}, 303),
        ({"Origin": "http://localhost"}, 303),
        ({"Sec-Fetch-Site": "cross-site"}, 403),
        ({"Sec-Fetch-Site": "same-site"}, 403),
        ({"Origin": "http://evil.example"}, 403),
        ({"Origin": "null"}, 403),
        ({"Origin": "http://localhost:81"}, 403),
    ],
)
def test_other_sites_change_nothing(client: FlaskClient, headers: dict[str, str], status: int) -> None:
    sent = form({"a.gpkg": gpkg(city())})
    assert client.post("/projects", headers=headers, **sent).status_code == status
    assert len(client.get("/api/v1/projects").get_json()["projects"]) == (status == 303)


@pytest.mark.parametrize("host", ["evil.example", "127.0.0.1.evil.example", "localhost.evil:8000"])
def test_foreign_hosts_are_refused(client: FlaskClient, host: str) -> None:
    assert client.get("/", headers={"Host": host}).status_code == 400


@pytest.mark.parametrize("host", ["127.0.0.1:8000", "localhost:1"])
def test_own_hosts_pass(client: FlaskClient, host: str) -> None:
    assert client.get("/projects", headers={"Host": host}).status_code == 200


def test_names_are_text(client: FlaskClient) -> None:
    evil = "<img src=x onerror=alert(1)>\"'{{7*7}}.gpkg"
    answer = client.post("/projects", **form({evil: gpkg(city())}, name="<script>alert(2)</script>{{8*8}}"))
    for page in ("/projects", answer.headers["Location"]):
        html = client.get(page).get_data(as_text=True)
        assert "<img" not in html
        assert "<script>alert" not in html
        assert "{{8*8}}" in html


def test_problems_are_json_where_json_is_wanted(client: FlaskClient) -> None:
    for path, headers in (("/api/v1/nothing", {}), ("/nothing", {"Accept": "application/json"})):
        answer = client.get(path, headers=headers)
        assert answer.content_type == "application/problem+json"
        assert answer.get_json()["status"] == 404
    answer = client.put("/api/v1/projects")
    assert answer.status_code == 405
    assert "GET" in answer.headers["Allow"]


def test_health_tells_of_the_fences(client: FlaskClient) -> None:
    for path in ("/health", "/api/v1/health"):
        health = client.get(path).get_json()
        assert health["status"] == "ok"
        assert isinstance(health["landlock"], bool)
