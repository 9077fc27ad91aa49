"""The OpenAPI document says what the interface does: every route is in it and in docs/api.md, and what generated
requests get is what it promises.

Requests are generated from a seed and bounded in number, against an application with a planned project and an
editable plan; nothing may answer 5xx, leave its schema, or take what the document forbids.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import schemathesis
from flask import Flask
from hypothesis import HealthCheck, settings
from plan_make import Edited
from schemathesis.config import SchemathesisConfig
from schemathesis.pytest.lazy import get_all_tests

from web.store import Job

DOCS = Path(__file__).resolve().parents[2] / "docs" / "api.md"


def documented(document: dict[str, Any]) -> set[tuple[str, str]]:
    return {(path, method) for path, item in document["paths"].items() for method in item}


def routes(app: Flask) -> set[tuple[str, str]]:
    return {
        (re.sub(r"<(?:[^<:]+:)?([^>]+)>", r"{\1}", rule.rule), method.lower())
        for rule in app.url_map.iter_rules()
        if rule.rule.startswith("/api/v1")
        for method in (rule.methods or set()) - {"HEAD", "OPTIONS"}
    }


@pytest.fixture(scope="module")
def document(sqlite_plans: Edited) -> dict[str, Any]:
    answer = sqlite_plans.client.get("/api/v1/openapi.json")
    assert answer.status_code == 200
    return answer.get_json()


def test_every_route_is_in_the_document(sqlite_plans: Edited, document: dict[str, Any]) -> None:
    assert routes(sqlite_plans.app) == documented(document)
    assert len(documented(document)) > 30


def test_every_route_is_in_the_documentation(sqlite_plans: Edited) -> None:
    text = DOCS.read_text(encoding="utf-8")
    said = re.findall(r"`(GET|POST|PATCH|PUT|DELETE) (/[^`?]*)", text)
    # Routes of service coverage are written after their common beginning; names in capitals stand for anything.
    written = {(method, re.sub(r"\b[A-Z]{2,}\b", "*", path).removeprefix("/api/v1")) for method, path in said}
    wanted = {
        (method.upper(), re.sub(r"\{[^}]+\}", "*", path).removeprefix("/api/v1"))
        for path, method in routes(sqlite_plans.app)
    }
    missing = {
        (method, path)
        for method, path in wanted - written
        if (method, path.removeprefix("/projects/*/coverage")) not in written
    }
    assert not missing, sorted(missing)


def test_every_operation_documents_its_errors(document: dict[str, Any]) -> None:
    assert re.fullmatch(r"3\.[12]\.\d+", document["openapi"])
    assert "Problem" in document["components"]["schemas"]
    ids = set()
    for path, item in document["paths"].items():
        for method, operation in item.items():
            ids.add(operation["operationId"])
            answers = operation["responses"]
            assert {"400", "403", "405", "500"} <= answers.keys(), (path, method)
            if "{" in path:
                assert "404" in answers, (path, method)
            assert any(status.startswith("2") for status in answers), (path, method)
            for status, answer in answers.items():
                if int(status) >= 400:
                    assert list(answer["content"]) == ["application/problem+json"], (path, method, status)
            assert operation["summary"].endswith("."), (path, method)
    assert len(ids) == len(documented(document))


def test_a_wrong_method_names_the_right_ones(sqlite_plans: Edited) -> None:
    answer = sqlite_plans.client.put(f"/api/v1/plans/{sqlite_plans.id}")
    assert answer.status_code == 405
    assert {"GET", "PATCH", "DELETE"} <= set(answer.headers["Allow"].split(", "))


def test_the_documentation_page_asks_no_other_host_and_runs_no_script_inside_it(sqlite_plans: Edited) -> None:
    page = sqlite_plans.client.get("/api/v1/docs")
    html = page.get_data(as_text=True)
    assert "unsafe" not in page.headers["Content-Security-Policy"]
    assert not re.search(r"<script>|<style|\son\w+=|https?://", html)
    for path in re.findall(r'(?:src|href|data-document)="(/[^"]+)"', html):
        with sqlite_plans.client.get(path) as file:
            assert (file.status_code, bool(file.data)) == (200, True), path
    assert sqlite_plans.client.get("/api/v1/docs/other.js").status_code == 404


CASES = int(os.environ.get("WANGGE_API_CASES", "4"))
"""Generated requests for each operation and way of generating."""
NOBODY = "f" * 32
FIT = ["2xx", "3xx", "401", "403", "404", "409", "429"]
"""What a request gets that keeps to the document."""
READ_FURTHER = {
    "POST /api/v1/plans/{plan_id}/edits": ["400", "422"],
    "POST /api/v1/plans/{plan_id}/preview": ["400", "422"],
    "POST /api/v1/projects": ["400", "415", "422"],
    "POST /api/v1/projects/{project_id}/jobs": ["400"],
}
"""Operations whose content is judged further than a schema can say: locks and borders, files, standards."""


@pytest.fixture(scope="module")
def schema(sqlite_plans: Edited) -> Iterator[Any]:
    """Read the document as schemathesis does; ids of our own project, plan and dataset are in the addresses.

    Jobs are stored and not run, and nobody is kept waiting: both have tests of their own.
    """
    own = sqlite_plans.another()
    service = sqlite_plans.service
    job = Job(project=own.project.id, kind="plan", state="failed")
    comment = own.post("/comments", text="意见").get_json()["id"]
    ids = {"project_id": own.project.id, "plan_id": own.id, "dataset_id": own.dataset, "job_id": job.id}
    gone = dict.fromkeys((*ids, "user_id"), NOBODY)
    config = {
        "seed": 1,
        "checks": {"positive_data_acceptance": {"expected-statuses": FIT}},
        "generation": {"max-examples": CASES, "database": "none"},
        "parameters": {f"path.{name}": value for name, value in (ids | {"comment_id": comment}).items()},
        "operations": [
            {"include-name": name, "checks": {"positive_data_acceptance": {"expected-statuses": FIT + more}}}
            for name, more in READ_FURTHER.items()
        ]
        + [
            {"include-method": "DELETE", "parameters": {f"path.{n}": v for n, v in gone.items()}},
        ],
    }
    with pytest.MonkeyPatch.context() as patch:
        wait = service.feed.wait
        service.job_store.add(job)
        patch.setattr(service.runner, "submit", lambda job, task: service.job_store.add(job))
        patch.setattr(service.feed, "wait", lambda plan, since, seconds: wait(plan, since, 0.0))
        yield schemathesis.openapi.from_wsgi(
            "/api/v1/openapi.json", here(sqlite_plans.app), config=SchemathesisConfig.from_dict(config)
        )


def here(app: Flask) -> Any:
    """Let requests come from this machine, as those of a single user do."""

    def called(environ: dict[str, Any], start_response: Any) -> Any:
        return app({"REMOTE_ADDR": "127.0.0.1"} | environ, start_response)

    return called


def promised(case: Any) -> None:
    case.call_and_validate()


def test_generated_requests_get_what_the_document_promises(schema: Any, subtests: pytest.Subtests) -> None:
    bounds = settings(deadline=None, suppress_health_check=list(HealthCheck))
    tests = list(get_all_tests(schema=schema, test_func=promised, settings=bounds, given_kwargs=None))
    assert len(tests) > 30
    for result in tests:
        operation, generated = result.ok()
        with subtests.test(operation.label):
            generated()
