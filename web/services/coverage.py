"""Coverage: open a project's service model, ask it, and start the search for new sites.

The model lives in a process of its own (`web.jobs.residents`); this module only says what may be asked.
"""

from __future__ import annotations

import hashlib
import json
from typing import TYPE_CHECKING, Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

from web.errors import BadRequestError, ConflictError, file_missing
from web.jobs.desks import coverage_not_ready
from web.jobs.faults import as_error
from web.jobs.launch import Task
from web.services.projects import labels, sources
from web.services.values import NUMBER
from web.store import Job, Project
from web.store.files import read_json
from web.store.models import new_id

if TYPE_CHECKING:
    from pathlib import Path

    from web.jobs.residents import Resident, Residents
    from web.jobs.runner import Runner
    from web.settings import Settings
    from web.store import JobStore, ProjectStore

LAYERS = ("communities", "grids", "roads", "water", "railways", "compounds")

EXPORTS = {
    "coverage.gpkg": "application/geopackage+sqlite3",
    "coverage.json": "application/json",
    "buildings.csv": "text/csv; charset=utf-8",
    "gaps.csv": "text/csv; charset=utf-8",
    "communities.csv": "text/csv; charset=utf-8",
    "grids.csv": "text/csv; charset=utf-8",
}

DEFAULT_MINUTES = 15.0
DEFAULT_SPEED_M_PER_MIN = 66.7
"""As the library has them: it is not loaded in this process."""

MOST_ADDED = 200
MOST_CHANGED = 2000
MOST_VERTICES = 50

SITING_TIME_S = 60.0
"""Seconds the integer programme of a siting may take; the answer says how far it is proved."""

NO_STATIONS_ZH = (
    "项目中没有服务站点，无法计算服务覆盖。请上传站点图层，并在“图层”页把它的角色设为“服务站点”。"
)
NO_STATIONS_EN = (
    "The project has no service stations, so coverage cannot be counted. Upload a layer of stations and give it "
    "that role on the page of layers."
)

Longitude = Annotated[float, Field(ge=-180, le=180, allow_inf_nan=False), NUMBER]
Latitude = Annotated[float, Field(ge=-90, le=90, allow_inf_nan=False), NUMBER]
Point = tuple[Longitude, Latitude]
Line = Annotated[list[Point], Field(min_length=2, max_length=MOST_VERTICES)]
Crossing = Annotated[list[Point], Field(min_length=1, max_length=MOST_VERTICES)]
Row = Annotated[int, Field(ge=0), NUMBER]
Minutes = Annotated[float, Field(gt=0, le=240, allow_inf_nan=False), NUMBER]
Speed = Annotated[float, Field(gt=0, le=1000, allow_inf_nan=False), NUMBER]
"""Walking speed, metres a minute."""


class Strict(BaseModel):
    """A part of a question; a field that is not known is a mistake."""

    model_config = ConfigDict(extra="forbid")


class Moved(Strict):
    """A station of the project at another place."""

    row: Row
    lon: Longitude
    lat: Latitude


class Added(Strict):
    """A station that is not there yet, always open."""

    lon: Longitude
    lat: Latitude
    category: Row


class ScenarioQuestion(Strict):
    """Gates, bridges and paths that are not there yet."""

    gates: list[Point] = Field(default_factory=list)
    bridges: list[Crossing] = Field(default_factory=list)
    paths: list[Line] = Field(default_factory=list)

    @model_validator(mode="after")
    def bounded(self) -> ScenarioQuestion:
        """Refuse more than can be looked at together."""
        if len(self.gates) + len(self.bridges) + len(self.paths) > MOST_ADDED:
            raise ValueError(f"more than {MOST_ADDED} changes")
        return self


class Changes(Strict):
    """Stations as the planner would have them."""

    stations: list[Moved] = Field(default_factory=list, max_length=MOST_CHANGED)
    added: list[Added] = Field(default_factory=list, max_length=MOST_ADDED)
    removed: list[Row] = Field(default_factory=list, max_length=MOST_CHANGED)


class Question(Changes):
    """What is asked of a coverage."""

    method: Literal["network", "circle", "detour"] = "network"
    minutes: Minutes = DEFAULT_MINUTES
    speed: Speed = DEFAULT_SPEED_M_PER_MIN
    category: Row | None = None
    window: str | None = Field(default=None, max_length=60)
    scenario: ScenarioQuestion = Field(default_factory=ScenarioQuestion)
    gaps: bool = True
    """Whether the gaps are listed: the slowest part of an answer, of no use while a station is on its way."""


class SitingQuestion(Changes):
    """What is asked of a siting."""

    model: Literal["lscp", "mclp", "pmedian"] = "mclp"
    p: Annotated[int, Field(ge=1, le=200), NUMBER] = 1
    category: Row
    minutes: Minutes = DEFAULT_MINUTES
    speed: Speed = DEFAULT_SPEED_M_PER_MIN
    method: Literal["network", "circle"] = "network"
    candidates: Literal["layer", "buildings", "cells"] = "layer"
    capacity: Annotated[int, Field(ge=1, le=10_000_000), NUMBER] | None = None


class Coverages:
    """Answer questions about the coverage of projects."""

    def __init__(
        self,
        settings: Settings,
        projects: ProjectStore,
        jobs: JobStore,
        runner: Runner,
        residents: Residents,
    ) -> None:
        self._settings = settings
        self._projects = projects
        self._jobs = jobs
        self._runner = runner
        self._residents = residents

    def overview(self, project: Project) -> dict[str, Any]:
        """Return what the page needs first; opens the model of a project that has stations.

        ``state`` is ``ready``, ``building`` (ask again), ``missing-stations`` or ``failed``.

        Raises
        ------
        ConflictError
            If layers have no roles yet.
        """
        if project.state == "ready" and not has_stations(project):
            return _missing_stations()
        resident = self._opened(project)
        if resident.fault is not None:
            if resident.fault.code == "coverage-no-stations":
                return _missing_stations()
            return {"state": "failed", "error": resident.fault.model_dump(exclude={"kind"})}
        document = read_json(resident.out / "overview.json") if resident.state == "ready" else None
        if not isinstance(document, dict):
            return {"state": "building", "progress": _progress(resident)}
        return {"state": "ready", **document}

    def again(self, project: Project) -> None:
        """Forget the model of a project, also one that failed."""
        self._residents.forget(project.id)

    def buildings(self, project: Project) -> tuple[bytes, str]:
        """Return the buildings as bytes, and a tag that changes with them.

        Raises
        ------
        ConflictError
            While the model is being built.
        """
        resident = self._ready(project)
        return self._read(resident, "buildings.bin"), self._tag(resident, "buildings")

    def layer(self, project: Project, name: str) -> tuple[bytes, str]:
        """Return a layer as GeoJSON, and a tag that changes with it.

        Raises
        ------
        NotFoundError, ConflictError
            If there is no such layer; while the model is being built.
        """
        if name not in LAYERS:
            raise file_missing()
        resident = self._ready(project)
        path = resident.out / f"layer-{name}.geojson"
        if not path.is_file():
            resident.ask({"ask": "layer", "name": name})
        return self._read(resident, path.name), self._tag(resident, name)

    def solve(self, project: Project, question: Question) -> dict[str, Any]:
        """Return who reaches what, with the stations and changes of the question.

        Raises
        ------
        ConflictError, GeoError
            While the model is being built; what is wrong with the question.
        """
        answer: dict[str, Any] = self._ready(project).ask({"ask": "solve", **question.model_dump()})
        return answer

    def isochrones(self, project: Project, question: Question) -> dict[str, Any]:
        """Return the area in reach of each category as GeoJSON; raises as `solve`."""
        answer: dict[str, Any] = self._ready(project).ask({"ask": "isochrones", **question.model_dump()})
        return answer

    def export(self, project: Project, name: str, question: Question) -> bytes:
        """Return one of `EXPORTS`; raises as `solve`.

        Raises
        ------
        NotFoundError
            If there is no such export, or no plan for that of its grids.
        """
        if name not in EXPORTS:
            raise file_missing()
        resident = self._ready(project)
        if name == "grids.csv" and not (read_json(resident.out / "overview.json") or {}).get("grids"):
            raise file_missing()
        file = f"export-{new_id()}-{name}"
        try:
            resident.ask({"ask": "export", "name": name, "file": file, **question.model_dump()})
            return self._read(resident, file)
        finally:
            (resident.out / file).unlink(missing_ok=True)

    def site(self, project: Project, question: SitingQuestion) -> Job:
        """Queue a search for new sites.

        Raises
        ------
        BadRequestError, ConflictError
            If there is no such category or no candidates; while the model is being built.
        """
        overview = read_json(self._ready(project).out / "overview.json") or {}
        names = [str(item["name"]) for item in overview["categories"]]
        if question.category >= len(names):
            raise BadRequestError(
                "coverage-unknown-category",
                f"没有第 {question.category} 号服务类别，类别共 {len(names)} 个（从 0 起）。",
                f"There is no category {question.category}; there are {len(names)}, from 0.",
            )
        if question.candidates == "layer" and not overview["counts"]["candidates"]:
            raise BadRequestError(
                "siting-no-candidates",
                "项目中没有候选站址图层。请上传候选站址，或改用楼栋、空单元作候选。",
                "There is no layer of candidate sites. Upload one, or take buildings or empty cells instead.",
            )
        task = self._task(project, "siting")
        given = {
            **task.parameters,
            **question.model_dump(),
            "name": names[question.category],
            "categories": names,
            "time_limit_s": min(SITING_TIME_S, self._settings.job_timeout_s / 2),
        }
        job = Job(project=project.id, kind="siting", parameters=question.model_dump())
        self._runner.submit(job, Task("siting", given, read=task.read, write=task.write, labels=task.labels))
        return job

    def answer(self, job: Job) -> dict[str, Any] | None:
        """Return the best answer that a siting has found so far; the last when it is done."""
        document = self._jobs.document(job.id, "answer.json") if job.kind == "siting" else None
        return document if isinstance(document, dict) else None

    def _opened(self, project: Project) -> Resident:
        """Return the process that holds the model of the project as it is now, started if need be."""
        if project.state != "ready":
            raise ConflictError("roles-missing", "请先为图层指定角色。", "Give the layers their roles first.")
        plan = self._plan(project)
        task = self._task(project, "coverage", plan=plan)
        stamp = f"{_stamp(project)}-{'' if plan is None else plan.parent.parent.name}"
        return self._residents.open(project.id, task, stamp)

    def _ready(self, project: Project) -> Resident:
        """Return the process that is ready to answer; it need not know of a plan made since the page was opened."""
        resident = self._residents.get(project.id)
        if resident is None or resident.state == "closed" or not resident.stamp.startswith(_stamp(project)):
            if project.state == "ready" and not has_stations(project):
                raise ConflictError("missing-stations", NO_STATIONS_ZH, NO_STATIONS_EN)
            resident = self._opened(project)
        if resident.fault is not None:
            raise as_error(resident.fault)
        if resident.state != "ready":
            raise coverage_not_ready()
        return resident

    def _task(self, project: Project, operation: str, *, plan: Path | None = None) -> Task:
        folder = self._projects.files_dir(project.id)
        given: dict[str, Any] = {"columns": project.columns, "plan": None if plan is None else str(plan)}
        demo = project.kind.removeprefix("demo-") if project.kind != "upload" else None
        if demo is not None:
            given["demo"] = {"size": demo, "path": str(folder / "city.gpkg")}
        else:
            given["sources"] = sources(project, folder)
        return Task(
            operation,
            given,
            read=(folder,) if plan is None else (folder, plan),
            write=(folder,) if demo is not None else (),
            labels=labels(project, folder),
        )

    def _plan(self, project: Project) -> Path | None:
        """Return the plan file of the latest finished plan."""
        for job in self._jobs.of_project(project.id, kind="plan"):
            path = self._jobs.out(job.id) / "plan.gpkg"
            if job.state == "done" and path.is_file() and not path.is_symlink():
                return path
        return None

    def _read(self, resident: Resident, name: str) -> bytes:
        path = resident.out / name
        try:
            if path.is_symlink():
                raise file_missing()
            return path.read_bytes()
        except FileNotFoundError:
            raise coverage_not_ready() from None  # it has just made room for another

    def _tag(self, resident: Resident, name: str) -> str:
        return hashlib.sha256(f"{resident.stamp} {name}".encode()).hexdigest()[:32]


def has_stations(project: Project) -> bool:
    """Whether the project has a layer of stations, be it empty; demo cities have one."""
    return project.kind != "upload" or any(layer.role == "stations" for layer in project.layers)


def _missing_stations() -> dict[str, Any]:
    return {"state": "missing-stations", "message_zh": NO_STATIONS_ZH, "message_en": NO_STATIONS_EN}


def _stamp(project: Project) -> str:
    """Return a text that changes with the project's layers and columns."""
    said = json.dumps(
        [project.kind, [layer.model_dump() for layer in project.layers], project.columns], sort_keys=True
    )
    return hashlib.sha256(said.encode()).hexdigest()


def _progress(resident: Resident) -> dict[str, Any]:
    said = resident.progress()
    return {name: said.get(name) for name in ("stage", "done", "total")}
