"""Jobs: start one, follow it, end it, fetch what it made."""

from typing import Annotated, Any, Literal

from flask import Response, jsonify
from pydantic import Field

from web.api.common import (
    PREFIX,
    Blank,
    Id,
    JobPath,
    Model,
    ProjectPath,
    answers,
    binary,
    blueprint,
    only_when_changed,
    optional,
)
from web.auth.rules import allow
from web.downloads import download
from web.forms import of_service
from web.services.plans import DOWNLOADS, PlanParameters
from web.services.values import NUMBER
from web.store import Job

jobs = blueprint("jobs", tag="Jobs")

Count = Annotated[int, Field(ge=1, le=1_000_000), NUMBER]


class JobQuestion(Blank):
    """What the planner chooses; a field that is null or left out means its default."""

    standard: Annotated[str, Field(max_length=80)] | None = None
    target: Count | None = None
    min: Count | None = None
    max: Count | None = None
    seed: Annotated[int, Field(ge=0, le=2**31 - 1), NUMBER] | None = None
    effort: Literal["fast", "normal", "best"] | None = None
    minutes: Annotated[float, Field(gt=0, le=240, allow_inf_nan=False), NUMBER] | None = None
    speed: Annotated[float, Field(gt=0, le=1000, allow_inf_nan=False), NUMBER] | None = None

    def parameters(self) -> PlanParameters:
        """Return the choices with their defaults."""
        return PlanParameters(**self.model_dump(exclude_none=True))


class FilePath(JobPath):
    """Address of a result."""

    name: str


class Progress(Model):
    """How far a job is."""

    stage: str
    done: int
    total: int
    percent: int


class JobAnswer(Model):
    """A job, its progress and what it made."""

    id: Id
    project: str
    kind: str
    state: Literal["queued", "running", "done", "failed", "cancelled", "interrupted"]
    parameters: dict[str, Any]
    created: str
    started: str | None
    ended: str | None
    progress: Progress
    error: dict[str, Any] | None
    files: dict[str, str]


@jobs.post(
    "/projects/<project_id>/jobs",
    request_body=optional(JobQuestion),
    responses=answers(404, 409, 507, accepted=JobAnswer),
)
@allow("project:edit", audit="job-start")
def start_job(path: ProjectPath, body: JobQuestion) -> tuple[dict[str, Any], int]:
    """Start a planning job."""
    service = of_service()
    return job_json(service.plans.start(service.project_store.get(path.project_id), body.parameters())), 202


@jobs.get("/jobs/<job_id>", responses=answers(404, ok=JobAnswer, kept=True))
@allow("job:read")
def get_job(path: JobPath) -> Response:
    """Return a job; with If-None-Match only when it changed."""
    return only_when_changed(jsonify(job_json(of_service().job_store.get(path.job_id))))


@jobs.post("/jobs/<job_id>/cancel", responses=answers(404, 409, ok=JobAnswer))
@allow("job:edit", audit="job-cancel")
def cancel_job(path: JobPath) -> dict[str, Any]:
    """End a job; answers once it has ended."""
    return job_json(of_service().runner.cancel(path.job_id))


@jobs.get(
    "/jobs/<job_id>/files/<name>",
    responses=answers(404, ok=binary(*dict.fromkeys(DOWNLOADS.values()), described="The file"), kept=True),
)
@allow("job:read")
def job_file(path: FilePath) -> Response:
    """Download a result."""
    return download(of_service().job_store.get(path.job_id), path.name)


def job_json(job: Job) -> dict[str, Any]:
    """Return a job as the interface shows it."""
    service = of_service()
    made = service.plans.files(job) if job.state == "done" else {}
    answer = {"answer": service.coverages.answer(job)} if job.kind == "siting" else {}
    return {
        "id": job.id,
        "project": job.project,
        "kind": job.kind,
        "state": job.state,
        "parameters": job.parameters,
        "created": job.created,
        "started": job.started,
        "ended": job.ended,
        "progress": service.plans.progress(job),
        "error": job.error.model_dump(exclude={"kind"}) if job.error else None,
        "files": {name: f"{PREFIX}/jobs/{job.id}/files/{name}" for name in DOWNLOADS if name in made},
        **answer,
    }
