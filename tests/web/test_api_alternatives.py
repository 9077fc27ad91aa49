"""Alternatives by the interface: a fenced job divides a plan for each preset, and one of them becomes a branch.

Locks stay as they are, the plan itself is not touched, another plan's job is not found, and the figures that are
shown are those of the branch that is made.
"""

from __future__ import annotations

import time
from typing import Any

import numpy as np
import pytest
from plan_make import Edited

PRESETS = ["balanced", "compact", "along-roads"]


def ended(edited: Edited, job_id: str) -> dict[str, Any]:
    deadline = time.monotonic() + 120
    while True:
        job: dict[str, Any] = edited.client.get(f"/api/v1/jobs/{job_id}").get_json()
        if job["state"] not in {"queued", "running"}:
            return job
        assert time.monotonic() < deadline
        time.sleep(0.05)


def made(edited: Edited, **asked: Any) -> tuple[str, dict[str, Any]]:
    """Have alternatives worked out; the job, and the table."""
    started = edited.post("/alternatives", **{"effort": "fast"} | asked)
    assert started.status_code == 202, started.get_json()
    job = ended(edited, started.get_json()["id"])
    assert (job["state"], job["kind"]) == ("done", "alternatives"), job
    return job["id"], edited.get(f"/alternatives/{job['id']}").get_json()


def cells(edited: Edited, job: str, preset: str) -> np.ndarray:
    return np.frombuffer(edited.get(f"/alternatives/{job}/{preset}").data, "<i4")


@pytest.mark.parametrize("plan_app", ["sqlite"], indirect=True)
def test_three_alternatives_are_compared_and_one_becomes_a_branch(edited: Edited) -> None:
    before = edited.assignment()
    edited.edit("lock", op="lock-grid-1", locked=True, grids=[1])
    job, table = made(edited)
    assert [one["id"] for one in table["alternatives"]] == PRESETS
    assert (table["revision"], table["community"]) == (1, None)
    assert {m["id"] for m in table["measures"]} <= set(table["present"])
    assert any(one["moved_cells"] > 0 for one in table["alternatives"])
    for one in table["alternatives"]:
        grids = cells(edited, job, one["id"])
        assert len(grids) == len(before)
        assert ((grids == 1) == (before == 1)).all()
        assert one["moved_cells"] == (grids != before).sum()
        assert one["grids"] == len(np.unique(grids[grids != -1]))
        branch = edited.client.post(f"{edited.base}/alternatives/{job}/{one['id']}/branches")
        assert branch.status_code == 201, branch.get_json()
        plan = branch.get_json()
        assert plan["parent"]["id"] == edited.id
        assert one["name_zh"] in plan["name"]
        assert plan["summary"]["grids"] == one["grids"]
        assert plan["summary"]["in_band"] == pytest.approx(one["in_band"] * one["grids"], abs=1e-3)
        now = np.frombuffer(edited.client.get(f"/api/v1/plans/{plan['id']}/assignment").data, "<i4")
        assert (
            len(np.unique(np.stack([now, grids]), axis=1).T) == len(np.unique(now)) == len(np.unique(grids))
        )
    assert (edited.assignment() == before).all()
    assert edited.revision == 1
    sketches = edited.get(f"/alternatives/{job}/sketches").get_json()
    assert set(sketches) == {"present", *PRESETS}
    assert {one["id"] for one in sketches["present"]["grids"]} == set(edited.start.grids)
    assert [len(sketches[one["id"]]["grids"]) for one in table["alternatives"]] == [
        one["grids"] for one in table["alternatives"]
    ]


@pytest.mark.parametrize("plan_app", ["sqlite"], indirect=True)
def test_a_community_alone_is_adopted_as_one_edit(edited: Edited) -> None:
    job, table = made(edited, community=0, seed=3)
    assert table["community"] == 0
    before = edited.assignment()
    other = edited.start.ground.cells.community != 0
    assert table["present"]["grids"] == len(np.unique(before[~other]))
    for preset in PRESETS:
        grids = cells(edited, job, preset)
        assert (grids[other] == before[other]).all()
    chosen = next(one["id"] for one in table["alternatives"] if one["moved_cells"])
    grids = cells(edited, job, chosen)
    differ = np.flatnonzero(grids != before)
    answer = edited.edit("adopt", op="adopt-alternative", cells=differ.tolist(), grids=grids[differ].tolist())
    assert answer.status_code == 200, answer.get_json()
    assert answer.get_json()["revision"] == 1
    assert str(len(differ)) in answer.get_json()["edit"]["summary_en"]
    assert edited.post("/undo", op_id="undo-adoption", base=1).status_code == 200
    assert (edited.assignment() == before).all()


@pytest.mark.parametrize("plan_app", ["sqlite"], indirect=True)
def test_what_is_not_this_plans_is_not_found(edited: Edited) -> None:
    assert edited.post("/alternatives", community=999).get_json()["code"] == "community-missing"
    job, _ = made(edited, community=0)
    foreign = edited.another()
    for path in (f"/alternatives/{job}", f"/alternatives/{job}/compact"):
        assert foreign.get(path).status_code == 404
    assert foreign.post(f"/alternatives/{job}/compact/branches").status_code == 404
    assert edited.get(f"/alternatives/{job}/roundest").status_code in {400, 404}
    assert edited.get(f"/alternatives/{'0' * 32}").status_code == 404


@pytest.mark.parametrize("plan_app", ["sqlite"], indirect=True)
def test_a_job_on_its_way_is_ended_and_leaves_nothing(edited: Edited) -> None:
    job = edited.post("/alternatives").get_json()["id"]
    edited.client.post(f"/api/v1/jobs/{job}/cancel")
    state = ended(edited, job)["state"]
    assert state in {"cancelled", "done"}
    if state == "cancelled":
        assert edited.get(f"/alternatives/{job}").status_code == 404
