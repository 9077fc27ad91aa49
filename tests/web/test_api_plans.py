"""Plans as things: made of jobs and branches, named, kept as versions, commented, taken to publication, deleted.

Only the allowed steps of the status are taken, publishing refuses while errors are open, and what an editor loads
(assignment, loads, ground) is laid out as docs/api.md says and answered 304 while it holds.
"""

from __future__ import annotations

import json
import time
from itertools import pairwise
from typing import Any

import numpy as np
import pytest
from plan_make import Edited
from web_make import Planned

from geo.dataset.ground_file import read_centres
from web.services.reviewing import STEPS
from web.store import Job

PUBLIC_WAY = ("draft", "consultation", "approved", "published", "withdrawn", "draft")


def ground_of(content: bytes) -> tuple[dict[str, Any], dict[str, np.ndarray]]:
    """Read the ground as docs/api.md describes it."""
    length = int.from_bytes(content[:4], "little")
    header = json.loads(content[4 : 4 + length])
    data = content[4 + length :]
    assert (4 + length) % 8 == 0
    arrays = {}
    for name, at in header["arrays"].items():
        assert at["offset"] % 8 == 0
        dtype = {"int32": "<i4", "float64": "<f8"}[at["dtype"]]
        arrays[name] = np.frombuffer(data, dtype, at["length"], at["offset"])
    return header, arrays


def test_the_ground_holds_every_cell_and_border(edited: Edited) -> None:
    answer = edited.client.get(f"/api/v1/datasets/{edited.dataset}/ground")
    assert "immutable" in answer.headers["Cache-Control"]
    header, arrays = ground_of(answer.data)
    ground = edited.start.ground
    assert (header["dataset"], header["cells"]) == (edited.dataset, ground.n)
    assert [item["name"] for item in header["communities"]] == list(ground.community_names)
    np.testing.assert_array_equal(arrays["households"], ground.cells.households)
    np.testing.assert_array_equal(arrays["area_dm2"], ground.area_dm2)
    np.testing.assert_array_equal(arrays["neighbor"], ground.cells.graph.neighbor)
    np.testing.assert_array_equal(arrays["indptr"], ground.cells.graph.indptr)
    np.testing.assert_array_equal(arrays["length_mm"], ground.length_mm)
    assert (arrays["along_mm"] <= arrays["length_mm"]).all()
    folder = edited.service.grounds.folder(edited.dataset)
    np.testing.assert_array_equal(np.stack([arrays["lon"], arrays["lat"]], axis=1), read_centres(folder))
    again = edited.client.get(
        f"/api/v1/datasets/{edited.dataset}/ground", headers={"If-None-Match": answer.headers["ETag"]}
    )
    assert (again.status_code, again.data) == (304, b"")


def test_the_ground_lists_each_border_once_where_that_is_asked_for(edited: Edited) -> None:
    ground = edited.start.ground
    both = edited.client.get(f"/api/v1/datasets/{edited.dataset}/ground")
    once = edited.client.get(f"/api/v1/datasets/{edited.dataset}/ground?pairs=once")
    assert once.headers["ETag"] != both.headers["ETag"]
    (header, arrays), (header_once, arrays_once) = ground_of(both.data), ground_of(once.data)
    assert header_once | {"arrays": None} == header | {"arrays": None}
    first = np.repeat(np.arange(ground.n), np.diff(arrays["indptr"]))
    kept = first < arrays["neighbor"]
    for name in ("neighbor", "length_mm", "along_mm"):
        np.testing.assert_array_equal(arrays_once[name], arrays[name][kept])
    np.testing.assert_array_equal(np.repeat(np.arange(ground.n), np.diff(arrays_once["indptr"])), first[kept])
    for name in set(arrays) - {"indptr", "neighbor", "length_mm", "along_mm"}:
        np.testing.assert_array_equal(arrays_once[name], arrays[name])


def test_grids_are_told_without_figures_where_nobody_asks_for_them(edited: Edited) -> None:
    whole, records = (
        edited.client.get(f"/api/v1/plans/{edited.id}/grids{query}") for query in ("", "?figures=false")
    )
    assert whole.headers["ETag"] != records.headers["ETag"]
    said = {"id", "code", "name", "community", "locked", "staff", "kind", "note"}
    rows = [{key: row[key] for key in said} for row in whole.get_json()["grids"]]
    assert records.get_json() == {"revision": whole.get_json()["revision"], "grids": rows}
    assert rows


@pytest.mark.parametrize("dataset", ["0" * 64, "..", "0" * 63, "g" * 64])
def test_a_dataset_that_is_not_there_is_not_found(edited: Edited, dataset: str) -> None:
    assert edited.client.get(f"/api/v1/datasets/{dataset}/ground").status_code == 404


def test_tiles_are_sent_in_parts_and_drawn_when_they_are_missing(
    edited: Edited, monkeypatch: pytest.MonkeyPatch
) -> None:
    base = f"/api/v1/datasets/{edited.dataset}/tiles"
    jobs: list[Job] = []
    monkeypatch.setattr(edited.service.runner, "submit", lambda job, task: jobs.append(job))
    missing = edited.client.get(f"{base}/tiles.json")
    assert (missing.status_code, missing.get_json()["code"]) == (404, "tiles-missing")
    assert missing.get_json()["where"]["job"] == jobs[0].id
    folder = edited.service.grounds.folder(edited.dataset) / "tiles"
    folder.mkdir()
    try:
        (folder / "cells.pmtiles").write_bytes(bytes(range(100)))
        with edited.client.get(f"{base}/cells.pmtiles", headers={"Range": "bytes=10-19"}) as part:
            assert (part.status_code, part.data) == (206, bytes(range(10, 20)))
            assert "immutable" in part.headers["Cache-Control"]
        (folder / "overview.gz").write_bytes(b"runs")
        with edited.client.get(f"{base}/overview.gz") as picture:
            assert (picture.mimetype, picture.data) == ("application/gzip", b"runs")
            assert "immutable" in picture.headers["Cache-Control"]
        for name in ("roads.pmtiles", "meta.json", "..%2Fmeta.json"):
            assert edited.client.get(f"{base}/{name}").status_code == 404
    finally:
        for file in folder.iterdir():
            file.unlink()
        folder.rmdir()


def test_cells_and_figures_are_answered_304_until_an_edit(edited: Edited) -> None:
    assert np.array_equal(np.frombuffer(edited.get("/loads").data, "<i4"), edited.start.load)
    assert np.array_equal(edited.assignment(), edited.start.assignment)
    paths = ("/assignment", "/loads", "/grids", "/metrics", "/edits")
    tags = {path: edited.get(path).headers["ETag"] for path in paths}
    for path in paths:
        assert edited.get(path, **{"If-None-Match": tags[path]}).status_code == 304
    assert edited.edit("rename", op="new-name", grid=1, name="一").status_code == 200
    for path in paths:
        assert edited.get(path, **{"If-None-Match": tags[path]}).status_code == 200


def test_a_plan_is_listed_renamed_and_deleted(edited: Edited) -> None:
    listed = edited.client.get(f"/api/v1/projects/{edited.project.id}/plans").get_json()["plans"]
    assert [plan["id"] for plan in listed] == [edited.id]
    assert (listed[0]["standard"]["target"], listed[0]["summary"]["grids"]) == (250, 4)
    assert edited.client.patch(edited.base, json={"name": "东城方案"}).get_json()["name"] == "东城方案"
    for name in ("", " ", "x" * 81):
        assert edited.client.patch(edited.base, json={"name": name}).status_code == 400
    assert edited.client.delete(edited.base).status_code == 204
    for path in ("", "/assignment", "/edits", "/comments", "/versions", "/presence"):
        assert edited.get(path).status_code == 404
    assert edited.client.get(f"/api/v1/projects/{edited.project.id}/plans").get_json()["plans"] == []


def test_a_branch_is_a_plan_of_its_own(edited: Edited) -> None:
    cells = edited.cells_of(1)[:1]
    edited.edit("assign", op="on-trunk-1", cells=cells, grid=2)
    edited.edit("rename", op="on-trunk-2", grid=3, name="改名")
    old = edited.post("/branches", revision=1, name="旧").get_json()
    new = edited.client.post(f"{edited.base}/branches").get_json()
    assert old["parent"] == {"id": edited.id, "revision": 1}
    assert new["parent"] == {"id": edited.id, "revision": 2}
    assert new["revision"] == old["revision"] == 0
    names = {
        plan: {
            row["id"]: row["name"]
            for row in edited.client.get(f"/api/v1/plans/{plan}/grids").get_json()["grids"]
        }
        for plan in (old["id"], new["id"])
    }
    assert names[old["id"]][3] != "改名"
    assert names[new["id"]][3] == "改名"
    body = {"op_id": "on-branch-1", "base": 0, "edit": {"kind": "rename", "grid": 1, "name": "枝"}}
    assert edited.client.post(f"/api/v1/plans/{old['id']}/edits", json=body).status_code == 200
    assert edited.revision == 2
    assert edited.post("/branches", revision=3).status_code == 404


def test_versions_name_revisions(edited: Edited) -> None:
    edited.edit("rename", op="for-version", grid=1, name="一")
    first = edited.post("/versions", name="征求意见稿", note="给街道")
    assert (first.status_code, first.get_json()["revision"]) == (201, 1)
    assert edited.post("/versions", name="原始", revision=0).status_code == 201
    assert edited.post("/versions", name="原始").get_json()["code"] == "version-name-taken"
    assert edited.post("/versions", name="未来", revision=9).status_code == 404
    named = edited.get("/versions").get_json()["versions"]
    assert [(item["name"], item["revision"]) for item in named] == [("征求意见稿", 1), ("原始", 0)]


def test_comments_belong_to_grids_and_authors(edited: Edited) -> None:
    made = edited.post("/comments", text="边界应沿河", grid=1).get_json()
    general = edited.post("/comments", text="总体可行").get_json()
    assert edited.post("/comments", text="没有", grid=77).status_code == 404
    assert [c["id"] for c in edited.get("/comments?grid=1").get_json()["comments"]] == [made["id"]]
    path = f"{edited.base}/comments/{made['id']}"
    changed = edited.client.patch(path, json={"resolved": True, "text": "应沿河道"}).get_json()
    assert (changed["resolved"], changed["text"]) == (True, "应沿河道")
    assert changed["edited"]
    for body in ({"resolved": 1}, {"text": ""}, {"author": "me"}):
        assert edited.client.patch(path, json=body).status_code == 400
    assert edited.client.delete(path).status_code == 204
    assert edited.client.delete(path).status_code == 404
    assert [c["id"] for c in edited.get("/comments").get_json()["comments"]] == [general["id"]]


def test_a_comment_of_another_stays_as_it_was(edited: Edited) -> None:
    from web.auth.people import User
    from web.errors import ForbiddenError

    made = edited.post("/comments", text="我的").get_json()
    reviewing, li = edited.service.reviewing, User(name="li", id="1" * 32)
    with pytest.raises(ForbiddenError):
        reviewing.change_comment(edited.id, made["id"], li, text="改了", resolved=None)
    with pytest.raises(ForbiddenError):
        reviewing.remove_comment(edited.id, made["id"], li, any_author=False)
    assert reviewing.change_comment(edited.id, made["id"], li, text=None, resolved=True).resolved
    reviewing.remove_comment(edited.id, made["id"], li, any_author=True)


def test_the_status_takes_only_its_steps(edited: Edited, monkeypatch: pytest.MonkeyPatch) -> None:
    exports: list[Job] = []
    monkeypatch.setattr(edited.service.runner, "submit", lambda job, task: exports.append(job))
    for present, wanted in pairwise(PUBLIC_WAY):
        for other in STEPS.keys() - set(STEPS[present]):  # type: ignore[call-overload]
            answer = edited.post("/status", status=other)
            assert (answer.status_code, answer.get_json()["code"]) == (409, "status-step"), (present, other)
        answer = edited.post("/status", status=wanted)
        assert answer.get_json()["plan"]["status"] == wanted, answer.get_json()
        assert (answer.get_json()["job"] is not None) == (wanted == "published")
        if wanted == "published":
            assert edited.client.delete(edited.base).get_json()["code"] == "plan-published"
    assert [job.parameters for job in exports] == [{"plan": edited.id, "revision": 0}]


def test_an_open_error_forbids_publication(edited: Edited) -> None:
    cell = edited.cells_of(1)[0]
    edited.edit("assign", op="leave-out", cells=[cell], grid=None)
    edited.post("/status", status="consultation")
    edited.post("/status", status="approved")
    answer = edited.post("/status", status="published")
    problem = answer.get_json()
    assert (answer.status_code, problem["code"]) == (409, "plan-not-publishable")
    errors = problem["where"]["errors"]
    assert errors
    assert all({"code", "zh", "en"} <= error.keys() for error in errors)
    assert edited.get().get_json()["status"] == "approved"


def test_a_finished_job_makes_an_editable_plan_that_can_be_published(planned: Planned) -> None:
    listed = planned.client.get(f"/api/v1/projects/{planned.project}/plans").get_json()["plans"]
    plan = next(item for item in listed if item["job"] == planned.job)
    assert plan["name"].startswith("方案 ")
    assert plan["parameters"]["standard"] == "fine-250"
    asked = planned.client.post(f"/api/v1/projects/{planned.project}/plans", json={"job": planned.job})
    assert (asked.status_code, asked.get_json()["id"]) == (200, plan["id"])
    report = planned.result("report.json")
    assert plan["summary"]["households"] == report["households"]["placed"]
    base = f"/api/v1/plans/{plan['id']}"
    copy = planned.client.post(f"{base}/branches").get_json()["id"]
    for status in ("consultation", "approved", "published"):
        answer = planned.client.post(f"/api/v1/plans/{copy}/status", json={"status": status})
        assert answer.status_code == 200, answer.get_json()
    job = answer.get_json()["job"]["id"]
    deadline = time.monotonic() + 300
    while (state := planned.client.get(f"/api/v1/jobs/{job}").get_json())["state"] in {"queued", "running"}:
        assert time.monotonic() < deadline
        time.sleep(0.1)
    assert state["state"] == "done", state
    published = planned.app.extensions["wangge"].published
    assert published.plans() == {copy: 0}
    planned.client.post(f"/api/v1/plans/{copy}/status", json={"status": "withdrawn"})
    assert published.plans() == {}
    planned.client.delete(f"/api/v1/plans/{copy}")


def test_only_finished_planning_jobs_make_plans(edited: Edited) -> None:
    job = Job(project=edited.project.id, kind="plan", state="failed")
    edited.service.job_store.add(job)
    path = f"/api/v1/projects/{edited.project.id}/plans"
    answer = edited.client.post(path, json={"job": job.id})
    assert (answer.status_code, answer.get_json()["code"]) == (409, "job-without-plan")
    assert edited.client.post(path, json={"job": "0" * 32}).status_code == 404
    other = edited.another()
    assert (
        other.client.post(f"/api/v1/projects/{other.project.id}/plans", json={"job": job.id}).status_code
        == 404
    )
