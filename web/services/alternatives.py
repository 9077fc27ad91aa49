"""Alternatives of a plan: worked out by a job, looked at side by side, and taken over as a branch."""

from __future__ import annotations

import uuid
from typing import TYPE_CHECKING, Any

import numpy as np

from web.errors import JobError, NotFoundError, file_missing
from web.jobs.alternatives import CELLS, SKETCHES, TABLE
from web.jobs.launch import Task
from web.jobs.stated import stated
from web.store import Job

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from geo.editing.plan import Plan
    from web.jobs.runner import Runner
    from web.services.books import Books
    from web.services.editing import Author, Editing
    from web.services.plan_records import PlanRecords
    from web.settings import Settings
    from web.store import Stores
    from web.store.records import PlanRecord

KIND = "alternatives"


class Alternatives:
    """Start jobs that work out alternatives, and read what they made."""

    def __init__(
        self, stores: Stores, runner: Runner, *, books: Books, records: PlanRecords, editing: Editing
    ) -> None:
        self._plans = stores.plans
        self._jobs = stores.jobs
        self._runner = runner
        self._books = books
        self._records = records
        self._editing = editing

    def start(
        self, settings: Settings, plan_id: str, *, community: int | None, effort: str, seed: int
    ) -> Job:
        """Queue a job that divides a plan as it is now, or one community of it, for each preset.

        Parameters
        ----------
        settings
            Where datasets are, and how many processes may work.
        community
            Its position in the ground; None for all.

        Raises
        ------
        NotFoundError
            If there is no such plan or community.
        """
        record, plan, revision = self._books.current(plan_id)
        if community is not None and community >= len(plan.ground.community_ids):
            raise NotFoundError(
                "community-missing",
                f"方案中没有序号为 {community} 的社区。",
                f"The plan has no community number {community}.",
                community=community,
            )
        asked = {"revision": revision, "community": community, "effort": effort, "seed": seed}
        folder = settings.datasets_dir / record.dataset_id
        job = Job(project=record.project_id, kind="alternatives", parameters={"plan": plan_id} | asked)
        given = {"dataset": str(folder)} | stated(plan) | asked
        self._runner.submit(job, Task(KIND, given, read=(folder,), workers=settings.workers))
        return job

    def table(self, plan_id: str, job_id: str) -> dict[str, Any]:
        """Return the figures of the alternatives side by side, and of the plan they were made of.

        Raises
        ------
        NotFoundError
            If the job is not of this plan, or is not done.
        """
        return self._document(plan_id, job_id, TABLE)

    def sketches(self, plan_id: str, job_id: str) -> dict[str, Any]:
        """Return a small map of each alternative and of the plan as it was (``present``); raises as `table`."""
        return self._document(plan_id, job_id, SKETCHES)

    def cells(self, plan_id: str, job_id: str, preset: str) -> bytes:
        """Return the grid of each cell in an alternative, int32 little-endian; -1 for none, below that new ones.

        Raises
        ------
        NotFoundError
            If the job is not of this plan, or has no such alternative.
        """
        job = self._job(plan_id, job_id)
        self._described(plan_id, job_id, preset)
        path = self._jobs.out(job.id) / CELLS.format(preset=preset)
        if path.is_symlink() or not path.is_file():
            raise file_missing()
        return path.read_bytes()

    def branch(
        self, plan_id: str, job_id: str, preset: str, author: Author, *, name: str | None
    ) -> PlanRecord:
        """Make a plan of its own of an alternative: a branch whose first change takes it over.

        Raises
        ------
        NotFoundError
            If the job is not of this plan, or has no such alternative.
        GeoError
            If what the job wrote does not fit the plan.
        """
        grids = np.frombuffer(self.cells(plan_id, job_id, preset), "<i4")
        revision = int(self._job(plan_id, job_id).parameters["revision"])
        said = self._described(plan_id, job_id, preset)
        named = name or f"{self._plans.get(plan_id).name} · {said['name_zh']}"[:80]
        record = self._records.branch(plan_id, author, name=named, revision=revision)
        edit = adoption(self._books.current(record.id)[1], grids)
        if edit is None:
            return record
        try:
            self._editing.edit(record.id, author, op_id=str(uuid.uuid4()), base=0, document=edit)
        except Exception:
            self._records.remove(record.id)  # a branch without the alternative is not what was asked for
            raise
        return self._plans.get(record.id)

    def _described(self, plan_id: str, job_id: str, preset: str) -> dict[str, Any]:
        for row in self.table(plan_id, job_id)["alternatives"]:
            if row["id"] == preset:
                return dict(row)
        raise file_missing()

    def _document(self, plan_id: str, job_id: str, name: str) -> dict[str, Any]:
        document = self._jobs.document(self._job(plan_id, job_id).id, name)
        if not isinstance(document, dict):
            raise _unusable()
        return document

    def _job(self, plan_id: str, job_id: str) -> Job:
        job = self._jobs.get(job_id)
        if job.kind != KIND or job.parameters.get("plan") != plan_id or job.state != "done":
            raise file_missing()
        return job


def adoption(plan: Plan, grids: NDArray[np.integer[Any]]) -> dict[str, Any] | None:
    """Return the edit that gives every cell its grid of an alternative; None where all have it.

    Raises
    ------
    JobError
        ``results-unusable``: the alternative is of other cells.
    """
    if len(grids) != plan.ground.n:
        raise _unusable()
    cells = np.flatnonzero((grids != plan.assignment) & (grids != -1))
    if not len(cells):
        return None
    return {"kind": "adopt", "cells": cells.tolist(), "grids": grids[cells].tolist()}


def _unusable() -> JobError:
    return JobError(
        "results-unusable",
        "任务写出的结果不完整，无法使用。请重新运行；如仍出现请联系管理员。",
        "What the job wrote is not whole and cannot be used. Run it again, or tell your administrator.",
    )
