"""Plans as things: made from a job or as a branch, named, kept as versions, deleted."""

from __future__ import annotations

import os
import shutil
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from geo.editing.judged import grid_records, grid_rows, summary
from geo.editing.start import snapshot
from geo.editing.started import held_reasons
from geo.tiling import SCALE
from web.errors import ConflictError, JobError, NotFoundError
from web.jobs.starting import OLD_SOURCE
from web.services.plan_standards import standard_document, standard_from, standard_json
from web.store.records import DatasetRecord, PlanRecord, VersionRecord

if TYPE_CHECKING:
    from pathlib import Path

    from geo.editing.division import Division
    from geo.editing.plan import Plan
    from web.services.books import Books
    from web.services.editing import Author
    from web.services.plans import Finished, Plans
    from web.store import Job, Project, Stores


OLD_NAME = "原有网格 Old grids"


class PlanRecords:
    """Make, list, describe and delete plans."""

    def __init__(self, stores: Stores, books: Books, jobs: Plans) -> None:
        self._stores = stores
        self._books = books
        self._jobs = jobs

    def from_job(
        self, job: Job, *, author: Author | None = None, name: str | None = None
    ) -> tuple[PlanRecord, bool]:
        """Return the plan that a job made, and whether it is new; a job makes one plan, however often it is asked.

        Raises
        ------
        ConflictError
            ``job-without-plan``: the job is not a plan, or has not made one.
        GeoError
            If what it wrote is damaged.
        """
        known = self.of_job(job)
        if known is not None:
            return known, False
        if job.kind != "plan":
            raise _no_plan()
        made = self._finished(job)
        facts = {"communities": len(made.plan.ground.community_ids)}
        self._adopt(job, made.dataset, DatasetRecord(made.dataset_id, cells=made.plan.ground.n, facts=facts))
        if made.old is not None:
            self._add_old(job, made.dataset_id, *made.old)
        record = PlanRecord(
            project_id=job.project,
            dataset_id=made.dataset_id,
            name=name or self._next_name(job.project),
            job_id=job.id,
            standard=standard_document(made.plan.standard),
            parameters=job.parameters,
            summary=summary(made.plan),
            user_id=author.id if author is not None else None,
            user_name=author.label if author is not None else "",
        )
        stored = self._stores.plans.add(record, made.snapshot)
        if stored.id != record.id:  # what the job made first was deleted
            stored = self._stores.plans.add(replace(record, job_id=None), made.snapshot)
        return stored, True

    def of_job(self, job: Job) -> PlanRecord | None:
        """Return the plan that a job has made already."""
        return next(
            (plan for plan in self._stores.plans.of_project(job.project) if plan.job_id == job.id), None
        )

    def of_project(self, project: Project) -> list[PlanRecord]:
        """Return the plans of a project, newest first."""
        return self._stores.plans.of_project(project.id)

    def describe(self, plan_id: str) -> dict[str, Any]:
        """Return all that an editor needs at opening besides the ground and the assignment.

        Raises
        ------
        NotFoundError
            If there is no such plan.
        """
        record, plan, revision = self._books.current(plan_id)
        return record_json(record) | {
            "revision": revision,
            "summary": summary(plan),
            "standard": standard_json(plan.standard),
            "parameters": dict(record.parameters),
            "next_grid": plan.next_grid,
            "pinned": plan.pinned.nonzero()[0].tolist(),
            "divisions": [
                division_json(number, division)
                for number, division in enumerate(plan.divisions)
                if plan.in_force[number]
            ],
        }

    def rows(self, plan_id: str, *, figures: bool = True) -> dict[str, Any]:
        """Return what is said of every grid, with its figures or without, and the revision it is of."""
        _, plan, revision = self._books.current(plan_id)
        return {"revision": revision, "grids": grid_rows(plan) if figures else grid_records(plan)}

    def reasons(self, plan_id: str) -> dict[str, Any]:
        """Return why grids are out of the band, as far as the engine's proofs still hold, and the revision."""
        _, plan, revision = self._books.current(plan_id)
        found = held_reasons(plan)
        return {"revision": revision, "reasons": {str(grid): why for grid, why in found.items()}}

    def figures(self, plan_id: str) -> dict[str, Any]:
        """Return the figures of the whole plan, and the revision they are of."""
        _, plan, revision = self._books.current(plan_id)
        return {"revision": revision, "summary": summary(plan)}

    def assignment(self, plan_id: str) -> tuple[bytes, int]:
        """Return the grid of each cell, int32 little-endian, and the revision."""
        _, plan, revision = self._books.current(plan_id)
        return plan.assignment.astype("<i4").tobytes(), revision

    def loads(self, plan_id: str) -> tuple[bytes, int]:
        """Return the load of each cell in the measure of the standard, int32 little-endian, and the revision."""
        _, plan, revision = self._books.current(plan_id)
        return plan.load.astype("<i4").tobytes(), revision

    def rename(self, plan_id: str, name: str) -> PlanRecord:
        """Give a plan another name.

        Raises
        ------
        NotFoundError
            If there is no such plan.
        """
        return self._stores.plans.update(plan_id, name=name)

    def branch(
        self, plan_id: str, author: Author, *, name: str | None = None, revision: int | None = None
    ) -> PlanRecord:
        """Make a plan of its own from another one as it is, or as it was at a revision.

        Raises
        ------
        NotFoundError
            If there is no such plan, or it has not come so far.
        """
        parent, plan, head = self._books.current(plan_id)
        at = head if revision is None else revision
        if at > head:
            raise revision_missing(head)
        plan = plan if at == head else self._books.state_at(plan_id, at)
        record = PlanRecord(
            project_id=parent.project_id,
            dataset_id=parent.dataset_id,
            name=name or self._next_name(parent.project_id),
            parent_id=parent.id,
            parent_revision=at,
            standard=standard_document(plan.standard),
            parameters=parent.parameters,
            summary=summary(plan),
            user_id=author.id,
            user_name=author.label,
        )
        return self._stores.plans.add(record, snapshot(plan))

    def remove(self, plan_id: str) -> None:
        """Delete a plan.

        Raises
        ------
        NotFoundError, ConflictError
            If there is no such plan; while it is published.
        """
        if self._stores.plans.get(plan_id).status == "published":
            raise ConflictError(
                "plan-published",
                "方案已发布，不能删除。请先撤回发布。",
                "The plan is published and cannot be deleted. Withdraw it first.",
            )
        self._stores.plans.remove(plan_id)
        self._books.forget(plan_id)

    def add_version(
        self, plan_id: str, author: Author, *, name: str, note: str, revision: int | None
    ) -> VersionRecord:
        """Give a revision of a plan a name, the present one by default.

        Raises
        ------
        NotFoundError, ConflictError
            If there is no such plan, or it has not come so far; if another version has the name.
        """
        head = self._stores.plans.get(plan_id).revision
        if revision is not None and revision > head:
            raise revision_missing(head)
        return self._stores.reviews.add_version(
            VersionRecord(
                plan_id=plan_id,
                revision=head if revision is None else revision,
                name=name,
                note=note,
                user_id=author.id,
                user_name=author.label,
            )
        )

    def _finished(self, job: Job) -> Finished:
        try:
            return self._jobs.finished(job)
        except JobError as error:
            if job.over:  # asked for long after: by now it is the request that does not fit
                raise _no_plan() from error
            raise

    def _adopt(self, job: Job, folder: Path, dataset: DatasetRecord) -> None:
        """Take over the dataset of a job; the job keeps its own, so that all of this can be done again."""
        draft = self._stores.datasets.folder(dataset.id).with_name(f".{job.id}")
        shutil.rmtree(draft, ignore_errors=True)
        shutil.copytree(folder, draft, symlinks=True, copy_function=_link)
        try:
            self._stores.datasets.adopt(draft, dataset)
        finally:
            shutil.rmtree(draft, ignore_errors=True)

    def _add_old(self, job: Job, dataset_id: str, plan: Plan, content: bytes) -> None:
        """Add the old division, once for a project and a dataset; before the plan, which tells that all is done."""
        if any(is_old(known, dataset_id) for known in self._stores.plans.of_project(job.project)):
            return
        record = PlanRecord(
            project_id=job.project,
            dataset_id=dataset_id,
            name=OLD_NAME,
            standard=standard_document(plan.standard),
            parameters=dict(plan.parameters),
            summary=summary(plan),
        )
        self._stores.plans.add(record, content)

    def _next_name(self, project_id: str) -> str:
        known = self._stores.plans.of_project(project_id)
        taken = {plan.name for plan in known if not is_old(plan, plan.dataset_id)}
        number = len(taken) + 1
        while f"方案 {number}" in taken:
            number += 1
        return f"方案 {number}"


def is_old(record: PlanRecord, dataset_id: str) -> bool:
    """Whether a plan is the old division of a dataset as it was read, not a branch of it."""
    return (
        record.dataset_id == dataset_id
        and record.parent_id is None
        and record.parameters.get("source") == OLD_SOURCE
    )


def record_json(record: PlanRecord) -> dict[str, Any]:
    """Return a plan as the interface lists it."""
    standard = standard_from(record.standard)
    return {
        "id": record.id,
        "project": record.project_id,
        "dataset": record.dataset_id,
        "name": record.name,
        "status": record.status,
        "revision": record.revision,
        "published_revision": record.published_revision,
        "parent": None
        if record.parent_id is None
        else {"id": record.parent_id, "revision": record.parent_revision},
        "job": record.job_id,
        "user": {"id": record.user_id, "name": record.user_name},
        "created": record.created,
        "updated": record.updated,
        "standard": standard_json(standard),
        "parameters": dict(record.parameters),
        "summary": dict(record.summary),
    }


def version_json(version: VersionRecord) -> dict[str, Any]:
    """Return a version as the interface shows it."""
    return {
        "id": version.id,
        "revision": version.revision,
        "name": version.name,
        "note": version.note,
        "user": {"id": version.user_id, "name": version.user_name},
        "at": version.at,
    }


def division_json(number: int, division: Division) -> dict[str, Any]:
    """Return a division in force: its cells, and the outlines it changed, in degrees as GeoJSON has them."""
    return {
        "number": number,
        "parent": division.parent,
        "children": [
            {
                "cell": cell,
                "households": division.households[side],
                "persons": division.persons[side],
                "buildings": division.buildings[side],
                "load": division.load[side],
                "area_dm2": division.area_dm2[side],
                "outer_mm": division.outer_mm[side],
            }
            for side, cell in enumerate(division.children)
        ],
        "edges": [[a, b, sum(lengths)] for a, b, lengths in division.edges],
        "outlines": [
            {
                "cell": cell,
                "coordinates": [
                    [[x / SCALE, y / SCALE] for x, y in (*ring, ring[0])] for ring in rings if ring
                ],
            }
            for cell, rings in division.rings
        ],
    }


def _link(source: str, target: str) -> None:
    """Give a file a second name, which takes no space; copy it where that cannot be."""
    try:
        os.link(source, target)
    except OSError:
        shutil.copy2(source, target)


def revision_missing(head: int) -> NotFoundError:
    """Return the error for a revision that a plan has not reached."""
    return NotFoundError(
        "revision-missing",
        f"没有这个版本：方案现为第 {head} 版。",
        f"There is no such revision: the plan is at {head}.",
        revision=head,
    )


def _no_plan() -> ConflictError:
    return ConflictError(
        "job-without-plan",
        "该任务没有生成可编辑的方案。请选择已完成的划分任务，或重新运行。",
        "The job has made no plan that can be edited. Choose a finished planning job, or run it again.",
    )
