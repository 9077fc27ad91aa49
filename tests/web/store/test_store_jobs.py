"""Projects and jobs as rows, their files in folders; what an earlier version kept in files is taken over once."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path

import pytest

from web.errors import NotFoundError
from web.settings import Settings
from web.store import Fault, Job, Layer, Project, StoredFile, Stores

Open = Callable[[Settings], Stores]


def project(name: str = "东城区") -> Project:
    return Project(
        name=name,
        state="ready",
        files=[StoredFile(id="f1", path="f1.gpkg", label="城区.gpkg")],
        layers=[Layer(role="buildings", file="f1", layer="楼栋")],
        columns={"households": "户数"},
        summary={"buildings": 60, "bounds": [116.1, 39.9]},
        findings=[{"code": "odd", "rows": [1, 2]}],
    )


def test_a_project_is_read_back_as_it_was_given(stores: Stores) -> None:
    given = project()
    stores.projects.add(given)
    assert stores.projects.get(given.id) == given
    assert stores.projects.files_dir(given.id).is_dir()
    given.name = "西城区"
    stores.projects.save(given)
    assert stores.projects.all() == [given]
    stores.projects.remove(given.id)
    assert not stores.projects.files_dir(given.id).parent.exists()
    for call in (lambda: stores.projects.get(given.id), lambda: stores.projects.save(given)):
        with pytest.raises(NotFoundError):
            call()
    assert stores.projects.all() == []


@pytest.mark.parametrize("bad", ["", "x", "../projects", "0" * 31, "0" * 32, "\x00"])
def test_an_id_that_is_none_is_not_found(stores: Stores, bad: str) -> None:
    with pytest.raises(NotFoundError):
        stores.projects.get(bad)
    with pytest.raises(NotFoundError):
        stores.jobs.get(bad)
    stores.projects.remove(bad)
    stores.jobs.remove(bad)
    assert stores.projects.files_dir("x").parent.parent.is_dir()


def test_the_order_is_that_of_making_whatever_the_clock_says(stores: Stores) -> None:
    times = ["2026-01-02T00:00:00+00:00", "2026-01-01T00:00:00+00:00", "2026-01-03T00:00:00+00:00"]
    projects = [Project(name=at, created=at) for at in times]
    jobs = [Job(project=projects[0].id, created=at, kind=kind) for at in times for kind in ("plan", "siting")]
    for item in projects:
        stores.projects.add(item)
    for job in jobs:
        stores.jobs.add(job)
    assert stores.projects.all() == projects[::-1]
    assert stores.jobs.all() == jobs[::-1]
    assert stores.jobs.unfinished() == jobs
    assert stores.jobs.of_project(projects[0].id, kind="plan") == jobs[::-1][1::2]
    assert stores.jobs.of_project(projects[1].id) == []


def test_stale_drafts_go_and_what_is_not_ours_stays(stores: Stores) -> None:
    draft, ready, fresh = Project(name="a"), Project(name="b", state="ready"), Project(name="c")
    for item in (draft, ready, fresh):
        stores.projects.add(item)
    unknown = stores.projects.files_dir("e" * 32)
    unknown.mkdir(parents=True)
    for folder in (draft.id, ready.id, "e" * 32):
        os.utime(stores.projects.files_dir(folder).parent, (0, 0))
    stores.projects.remove_stale_drafts()
    assert stores.projects.all() == [fresh, ready]
    assert not stores.projects.files_dir(draft.id).exists()
    assert unknown.exists()


def test_a_job_is_followed_from_its_row(stores: Stores) -> None:
    job = Job(project="0" * 32, parameters={"standard": "fine-250", "speed": 80.0})
    stores.jobs.add(job)
    assert stores.jobs.out(job.id).is_dir()
    assert stores.jobs.progress(job.id) == {"stage": "start", "done": 0, "total": 0}
    job.state, job.pid, job.process_start, job.attempts = "running", 4711, "99", 2
    stores.jobs.save(job)
    stores.jobs.heartbeat(job.id, {"stage": "cells", "done": 3, "total": 9})
    stores.jobs.heartbeat(job.id)
    found = stores.jobs.get(job.id)
    assert stores.jobs.progress(job.id) == found.progress == {"stage": "cells", "done": 3, "total": 9}
    assert found.heartbeat is not None
    assert (found.pid, found.process_start, found.attempts, found.parameters) == (
        4711,
        "99",
        2,
        job.parameters,
    )
    found.state, found.error = "failed", Fault(code="time-limit", zh="超时", en="late", where={"row": 1})
    stores.jobs.save(found)
    stores.jobs.heartbeat(job.id, {"stage": "map", "done": 1, "total": 1})
    assert stores.jobs.get(job.id) == found
    (stores.jobs.out(job.id) / "answer.json").write_text('{"a": 1}')
    assert stores.jobs.document(job.id, "answer.json") == {"a": 1}
    stores.jobs.clear_out(job.id)
    assert stores.jobs.document(job.id, "answer.json") is None
    stores.jobs.remove(job.id)
    assert not stores.jobs.folder(job.id).exists()
    with pytest.raises(NotFoundError):
        stores.jobs.save(found)
    with pytest.raises(NotFoundError):
        stores.jobs.progress(job.id)


def write(root: Path, name: str, document: Project | Job) -> None:
    folder = root / document.id
    (folder / "files").mkdir(parents=True)
    (folder / name).write_text(document.model_dump_json(), encoding="utf-8")


def test_files_of_an_earlier_version_become_rows_once(empty: Callable[[], Settings], opened: Open) -> None:
    settings = empty()
    older, newer = project("旧"), project("新")
    older.created, newer.created = "2026-01-01T00:00:00.000+00:00", "2026-02-01T00:00:00.000+00:00"
    done = Job(project=older.id, state="done")
    for item in (newer, older):
        write(settings.projects_dir, "project.json", item)
    write(settings.jobs_dir, "job.json", done)
    for odd, text in (("a" * 32, "{"), ("b" * 32, json.dumps({"id": 7})), ("notes", "{}")):
        (settings.projects_dir / odd).mkdir()
        (settings.projects_dir / odd / "project.json").write_text(text)
    stores = opened(settings)
    assert stores.projects.all() == [newer, older]
    assert stores.jobs.all() == [done]
    assert (settings.projects_dir / older.id / "project.json").exists()
    stores.projects.remove(newer.id)
    write(settings.projects_dir, "project.json", newer)  # as if its folder could not be deleted
    assert opened(settings).projects.all() == [older]


def test_an_upload_that_another_database_knows_is_not_deleted(settings: Settings, opened: Open) -> None:
    """A wrong address of the database must not cost the files of the right one."""
    stores = opened(settings)
    kept = project()
    stores.projects.add(kept)
    os.utime(stores.projects.files_dir(kept.id).parent, (0, 0))
    other = opened(settings.model_copy(update={"database": f"sqlite:///{settings.data_dir / 'other.db'}"}))
    other.projects.remove_stale_drafts()
    assert stores.projects.files_dir(kept.id).is_dir()
