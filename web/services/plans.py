"""Plans: start a planning job, follow it, read what it made."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from geo.dataset.ground_file import dataset_id, read_ground
from geo.editing.start import restored
from geo.errors import DatasetError, PlanError
from geo.standards import Standard, list_standards, load_standard
from web.errors import ConflictError, JobError, file_missing
from web.jobs.exporting import PUBLISHED
from web.jobs.launch import Task
from web.jobs.starting import DATASET, OLD, START
from web.jobs.stated import stated
from web.jobs.tiling import TILES
from web.services.projects import labels, sources
from web.services.values import FormFloat, FormInt  # noqa: TC001 - pydantic reads them
from web.store import Job, Project
from web.store.files import write_text

if TYPE_CHECKING:
    from pathlib import Path

    from geo.editing.plan import Plan
    from web.jobs.runner import Runner
    from web.settings import Settings
    from web.store import JobStore, ProjectStore

Language = Literal["zh", "en"]

DOWNLOADS = {
    "grids.geojson": "application/geo+json",
    "grids.csv": "text/csv; charset=utf-8",
    "plan.gpkg": "application/geopackage+sqlite3",
    "report.json": "application/json",
    "map-zh.html": "text/html; charset=utf-8",
    "map-en.html": "text/html; charset=utf-8",
    "coverage.gpkg": "application/geopackage+sqlite3",
    "coverage.json": "application/json",
    "siting.gpkg": "application/geopackage+sqlite3",
    "siting.json": "application/json",
}

STAGE_SHARES = {
    "start": (0.0, 0.02),
    "demo": (0.02, 0.08),
    "read": (0.08, 0.14),
    "layers": (0.08, 0.14),
    "sites": (0.14, 0.25),
    "prove": (0.25, 0.98),
    "tiles": (0.02, 1.0),
    "alternatives": (0.1, 0.98),
    "cells": (0.14, 0.45),
    "partition": (0.45, 0.82),
    "write": (0.82, 0.88),
    "coverage": (0.88, 0.93),
    "map": (0.93, 1.0),
}
"""Where each stage begins and ends in the whole job, roughly in its share of the time."""


class PlanParameters(BaseModel):
    """What the planner chooses."""

    model_config = ConfigDict(extra="forbid")

    standard: str = Field(default="fine-250", max_length=80)
    target: FormInt | None = Field(default=None, ge=1, le=1_000_000)
    min: FormInt | None = Field(default=None, ge=1, le=1_000_000)
    max: FormInt | None = Field(default=None, ge=1, le=1_000_000)
    seed: FormInt = Field(default=0, ge=0, le=2**31 - 1)
    effort: Literal["fast", "normal", "best"] = "normal"
    minutes: FormFloat = Field(default=15, gt=0, le=240)
    speed: FormFloat = Field(default=80, gt=0, le=1000)
    """Walking speed, metres a minute."""

    def to_standard(self) -> Standard:
        """Return the standard with the planner's numbers.

        Raises
        ------
        StandardError
            If it is unknown or its numbers contradict each other.
        """
        return load_standard(self.standard).with_(target=self.target, min=self.min, max=self.max)


@dataclass(frozen=True)
class Finished:
    """What a planning job left for editing.

    Attributes
    ----------
    dataset_id
        Id that the dataset says it has.
    dataset
        Its folder among the job's results, for `web.store.DatasetStore.adopt`.
    plan
        The plan at revision 0, checked against the dataset's ground.
    snapshot
        The same as `geo.editing.start.snapshot` wrote it.
    old
        The city's old division as a plan, and its snapshot; None without one.
    """

    dataset_id: str
    dataset: Path
    plan: Plan
    snapshot: bytes
    old: tuple[Plan, bytes] | None = None


class Plans:
    """Start plans and read their results."""

    def __init__(self, settings: Settings, projects: ProjectStore, jobs: JobStore, runner: Runner) -> None:
        self._settings = settings
        self._projects = projects
        self._jobs = jobs
        self._runner = runner

    def start(self, project: Project, parameters: PlanParameters) -> Job:
        """Queue a planning job.

        Raises
        ------
        StandardError, ConflictError
            If the numbers contradict each other, or layers have no roles yet.
        """
        parameters.to_standard()
        if project.state != "ready":
            raise ConflictError("roles-missing", "请先为图层指定角色。", "Give the layers their roles first.")
        folder = self._projects.files_dir(project.id)
        given: dict[str, Any] = parameters.model_dump() | {"columns": project.columns}
        demo = project.kind.removeprefix("demo-") if project.kind != "upload" else None
        if demo is not None:
            given["demo"] = {"size": demo, "path": str(folder / "city.gpkg")}
        else:
            given["sources"] = sources(project, folder)
        task = Task(
            "plan",
            given,
            read=(folder,),
            write=(folder,) if demo is not None else (),
            labels=labels(project, folder),
            workers=self._settings.workers,
        )
        job = Job(project=project.id, parameters=parameters.model_dump())
        self._runner.submit(job, task)
        return job

    def finished(self, job: Job) -> Finished:
        """Read and check what a planning job left for editing, before it is registered.

        Raises
        ------
        JobError
            ``results-unusable``: dataset and plan are not whole, or do not fit together.
        """
        out = self._jobs.out(job.id)
        folder, start, before = out / DATASET, out / START, out / OLD
        try:
            if any(path.is_symlink() for path in (folder, start, before)):
                raise OSError(str(out))  # noqa: TRY301 - one answer for all faults
            ground = read_ground(folder)
            content = start.read_bytes()
            standard = PlanParameters.model_validate(job.parameters).to_standard()
            plan, old = restored(ground, standard, content), None
            if before.is_file():
                division = before.read_bytes()
                old = restored(ground, standard, division), division
            return Finished(dataset_id(folder), folder, plan, content, old)
        except (OSError, DatasetError, PlanError) as error:
            raise _unusable() from error

    def export(  # noqa: PLR0917 - one export is all of these
        self, project_id: str, plan_id: str, revision: int, dataset_id: str, plan: Plan, name: str
    ) -> Job:
        """Queue a job that writes an edited plan as files.

        Parameters
        ----------
        revision, plan
            The state to write.
        name
            Of the plan, for the report.
        """
        folder = self._settings.datasets_dir / dataset_id
        given = {"dataset": str(folder), "name": name, "revision": revision} | stated(plan)
        job = Job(project=project_id, kind="export", parameters={"plan": plan_id, "revision": revision})
        self._runner.submit(job, Task("export", given, read=(folder,)))
        return job

    def published_rows(self, job: Job) -> list[dict[str, Any]]:
        """Return the grids that an export wrote, for `web.store.PublishedStore`: ``geometry`` is WKB.

        Raises
        ------
        JobError
            ``results-unusable``: the job did not write them whole.
        """
        rows: Any = self._jobs.document(job.id, PUBLISHED)
        try:
            return [dict(row) | {"geometry": bytes.fromhex(row["geometry"])} for row in rows]
        except (TypeError, ValueError, KeyError) as error:
            raise _unusable() from error

    def tiles(self, dataset_id: str, project_id: str) -> Job | None:
        """Queue a job that draws the map tiles of a dataset; None when they are there.

        Returns
        -------
        The job that does it already, if there is one.
        """
        folder = self._settings.datasets_dir / dataset_id
        if (folder / TILES).is_dir():
            return None
        for job in self._jobs.unfinished():
            if job.kind == "tiles" and job.parameters.get("dataset") == dataset_id:
                return job
        job = Job(project=project_id, kind="tiles", parameters={"dataset": dataset_id})
        self._runner.submit(job, Task("tiles", {"dataset": str(folder)}, read=(folder,)))
        return job

    def tiled(self, job: Job) -> None:
        """Put the tiles that a job drew beside their dataset.

        Raises
        ------
        JobError
            ``results-unusable``: they are not whole.
        """
        made = self._jobs.out(job.id) / TILES
        target = self._settings.datasets_dir / str(job.parameters["dataset"]) / TILES
        if target.is_dir():
            return
        if not made.is_dir() or any(path.is_symlink() for path in (made, *made.rglob("*"))):
            raise _unusable()
        made.rename(target)

    def progress(self, job: Job) -> dict[str, Any]:
        """Return stage, steps and percent of a job."""
        if job.state == "done":
            return {"stage": "done", "done": 1, "total": 1, "percent": 100}
        said: dict[str, Any] = {"stage": job.state, "done": 0, "total": 0}
        if job.state == "running":
            said = self._jobs.progress(job.id)
        begin, end = STAGE_SHARES.get(said["stage"], (0.0, 0.0))
        within = min(max(said["done"] / said["total"], 0.0), 1.0) if said["total"] > 0 else 0.0
        return said | {"percent": round(100 * (begin + (end - begin) * within))}

    def report(self, job: Job) -> dict[str, Any] | None:
        """Return the report of a finished job."""
        return self._document(job, "report.json")

    def table(self, job: Job) -> dict[str, Any] | None:
        """Return the grids and communities of a finished job, without geometry."""
        return self._document(job, "table.json")

    def coverage(self, job: Job) -> dict[str, Any] | None:
        """Return the service coverage of a finished job, None without stations."""
        return self._document(job, "coverage.json")

    def file(self, job: Job, name: str) -> Path:
        """Return the path of a result.

        Raises
        ------
        NotFoundError
            If the job made no such file, or is not done.
        """
        path = self._jobs.out(job.id) / name
        if name not in DOWNLOADS or job.state != "done" or path.is_symlink() or not path.is_file():
            raise file_missing()
        return path

    def files(self, job: Job) -> dict[str, int]:
        """Return the results of a job: name to size in bytes."""
        out = self._jobs.out(job.id)
        return {name: (out / name).stat().st_size for name in DOWNLOADS if (out / name).is_file()}

    def map(self, job: Job, *, lang: Language, community: str | None) -> str:
        """Return the map as HTML, with the buildings of `community` when one is named.

        Raises
        ------
        NotFoundError
            If there is no such plan or community.
        """
        if community is None:
            return self.file(job, f"map-{lang}.html").read_text(encoding="utf-8")
        plan = self.file(job, "plan.gpkg")
        named = [item["id"] for item in (self.table(job) or {}).get("communities", [])]
        if community not in named:
            raise file_missing()
        kept = self._jobs.folder(job.id) / f"map-{lang}-{named.index(community)}.html"
        if not kept.exists():
            coverage = plan.with_name("coverage.gpkg")
            task = Task(
                "map",
                {
                    "plan": str(plan),
                    "coverage": str(coverage) if coverage.is_file() else None,
                    "community": community,
                    "lang": lang,
                },
                read=(plan.parent,),
            )
            write_text(kept, str(self._runner.run(task)["html"]))
        return kept.read_text(encoding="utf-8")

    def standards(self) -> list[Standard]:
        """Return the standards a plan can be made with."""
        return list(list_standards())

    def _document(self, job: Job, name: str) -> dict[str, Any] | None:
        document = self._jobs.document(job.id, name) if job.state == "done" else None
        return document if isinstance(document, dict) else None


def _unusable() -> JobError:
    return JobError(
        "results-unusable",
        "任务写出的结果不完整，无法使用。请重新运行；如仍出现请联系管理员。",
        "What the job wrote is not whole and cannot be used. Run it again, or tell your administrator.",
    )
