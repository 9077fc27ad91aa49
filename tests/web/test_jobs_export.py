"""What jobs make of a plan after the engine: its dataset and start, files of an edited plan, map tiles."""

from __future__ import annotations

import json
import shutil
import time
from collections.abc import Callable
from typing import Any

import geopandas as gpd
import pytest
import shapely
from test_desk_plan import plan_of, service_of
from web_make import Planned, wait_for

from geo.editing.apply import apply
from geo.editing.edits import Assign, Merge, Refusal
from geo.editing.plan import Plan
from geo.editing.start import snapshot
from geo.plan_files import read_plan
from geo.report import verify_layers
from web.errors import JobError
from web.services.plans import DOWNLOADS
from web.store import Job

FILES = {"grids.geojson", "grids.csv", "plan.gpkg", "report.json", "map-zh.html", "map-en.html"}


def exported(planned: Planned, plan: Plan, revision: int = 0) -> Job:
    service = service_of(planned)
    job = service.plans.export(planned.project, "0" * 32, revision, plan_of(planned)[0], plan, "方案")
    deadline = time.monotonic() + 120
    while not service.job_store.get(job.id).over:
        assert time.monotonic() < deadline
        time.sleep(0.05)
    return service.job_store.get(job.id)


@pytest.fixture
def quiet(planned: Planned, monkeypatch: pytest.MonkeyPatch) -> None:
    """Export plans that are in no store: nothing is registered when they are done."""
    monkeypatch.setattr(service_of(planned).runner, "_on_done", None)


def document(planned: Planned, job: Job, name: str) -> Any:
    return json.loads((service_of(planned).job_store.out(job.id) / name).read_text(encoding="utf-8"))


def test_a_planning_job_leaves_what_editing_starts_from(planned: Planned) -> None:
    service = service_of(planned)
    dataset_id, plan = plan_of(planned)
    assert (service.settings.datasets_dir / dataset_id / "meta.json").is_file()
    grids = planned.result("grids.geojson")["features"]
    assert len(plan.grids) == len(grids)
    by_code = {item["properties"]["code"]: item["properties"]["households"] for item in grids}
    assert {g.code: int(plan.figures.households[g.id]) for g in plan.grids.values()} == by_code
    assert plan.parameters["standard"] == "fine-250"
    assert not any("path" in name or "sources" in name for name in plan.parameters)


def test_an_export_of_an_unchanged_plan_has_the_bytes_of_the_plan(quiet: None, planned: Planned) -> None:
    service = service_of(planned)
    job = exported(planned, plan_of(planned)[1])
    assert job.state == "done", job.error
    assert set(service.plans.files(job)) == FILES
    assert set(DOWNLOADS) >= FILES
    for name in ("grids.geojson", "grids.csv", "plan.gpkg"):
        made, first = (service.job_store.out(known) / name for known in (job.id, planned.job))
        assert made.read_bytes() == first.read_bytes(), name


def test_an_export_of_an_edited_plan(quiet: None, planned: Planned) -> None:
    """Two grids are merged and a cell is set free: the files say so, and the cells still tile exactly."""
    service, (_, plan) = service_of(planned), plan_of(planned)
    for edit in (Merge((1, 2)), Assign((int(plan.cells_of(3)[0]),), None)):
        made = apply(plan, edit)
        assert not isinstance(made, Refusal), made
        plan = made[0]
    job = exported(planned, plan, revision=2)
    assert job.state == "done", job.error
    out = service.job_store.out(job.id)
    frames = read_plan(out / "plan.gpkg")
    assert verify_layers(frames)["cells"].ok
    assert len(frames["grids"]) == len(plan.grids) == len(gpd.read_file(out / "grids.geojson"))
    report = document(planned, job, "report.json")
    assert (report["revision"], report["summary"]["grids"]) == (2, len(plan.grids))
    assert report["exact_tiling"] == {"cells": True, "grids": False}
    assert "cells-unassigned" in [error["code"] for error in report["errors"]]
    rows = service.plans.published_rows(job)
    assert [row["grid_id"] for row in rows] == sorted(plan.grids)
    assert sum(row["households"] for row in rows) == int(plan.figures.households.sum())
    assert {shapely.from_wkb(row["geometry"]).geom_type for row in rows} <= {"Polygon", "MultiPolygon"}


def test_results_of_a_job_are_checked_before_they_are_used(planned: Planned) -> None:
    """A job's process read foreign files: what it wrote is not believed."""
    service, (_, plan) = service_of(planned), plan_of(planned)
    job = Job(project=planned.project, parameters=service.job_store.get(planned.job).parameters)
    out = service.job_store.out(job.id)
    out.mkdir(parents=True)
    dataset = service.settings.datasets_dir / plan_of(planned)[0]

    def refused(act: Callable[[Job], Any]) -> str:
        with pytest.raises(JobError) as caught:
            act(job)
        return caught.value.code

    assert refused(service.plans.finished) == "results-unusable"
    (out / "dataset").symlink_to(dataset)
    (out / "start.plan").write_bytes(snapshot(plan))
    assert refused(service.plans.finished) == "results-unusable"
    (out / "dataset").unlink()
    shutil.copytree(dataset, out / "dataset")
    assert service.plans.finished(job).plan.assignment.tolist() == plan.assignment.tolist()
    (out / "start.plan").write_bytes(snapshot(plan)[:-3])
    assert refused(service.plans.finished) == "results-unusable"
    assert refused(service.plans.published_rows) == "results-unusable"
    for odd in ('[{"geometry": "xyz"}]', "[1]", '{"a": 1}'):
        (out / "published.json").write_text(odd)
        assert refused(service.plans.published_rows) == "results-unusable"


def test_a_new_dataset_gets_its_tiles(planned: Planned) -> None:
    service, (dataset_id, _) = service_of(planned), plan_of(planned)
    started = service.plans.tiles(dataset_id, planned.project)
    if started is not None:
        assert wait_for(planned.client, started.id)["state"] == "done"
    folder = service.settings.datasets_dir / dataset_id / "tiles"
    listed = json.loads((folder / "tiles.json").read_text(encoding="utf-8"))["layers"]
    assert {"cells", "communities", "buildings"} <= set(listed)
    assert all((folder / f"{name}.pmtiles").read_bytes()[:7] == b"PMTiles" for name in listed)
    assert service.plans.tiles(dataset_id, planned.project) is None
    assert len(service.job_store.of_project(planned.project, kind="tiles")) == 1
