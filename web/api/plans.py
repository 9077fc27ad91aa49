"""Plans: make, list, open, name, branch and delete them; their cells and figures; their way to publication."""

from typing import Annotated, Any, Literal

from flask import Response, jsonify
from pydantic import BaseModel, Field

from web.api.common import (
    Blank,
    Id,
    Model,
    PlanPath,
    ProjectPath,
    Question,
    answers,
    binary,
    blueprint,
    kept,
    optional,
    tagged,
)
from web.api.jobs import JobAnswer, job_json
from web.auth.rules import allow, audited, current_user, may, require
from web.forms import of_service
from web.services.plan_records import record_json
from web.services.reviewing import WEIGHTY
from web.services.values import NUMBER

plans = blueprint("plans", tag="Plans")

Name = Annotated[str, Field(min_length=1, max_length=80, pattern=r"\S")]
Revision = Annotated[int, Field(ge=0, le=2**31 - 1), NUMBER]
Status = Literal["draft", "consultation", "approved", "published", "withdrawn"]


class NewPlan(Question):
    """A finished planning job, of which an editable plan is made."""

    job: Id
    name: Name | None = None


class NewBranch(Blank):
    """A branch of a plan, from what it is now or was at a revision."""

    name: Name | None = None
    revision: Revision | None = None


class PlanChange(Question):
    """What of a plan may be changed."""

    name: Name


class StatusQuestion(Question):
    """What a plan shall become."""

    status: Status


class PlanAnswer(Model):
    """A plan."""

    id: Id
    project: Id
    dataset: str
    name: str
    status: Status
    revision: int
    published_revision: int | None
    parent: dict[str, Any] | None
    job: str | None
    user: dict[str, Any]
    created: str
    updated: str
    standard: dict[str, Any]
    parameters: dict[str, Any]
    summary: dict[str, Any]


class PlanDetail(PlanAnswer):
    """A plan as an editor opens it."""

    next_grid: int
    pinned: list[int]
    divisions: list[dict[str, Any]]
    may_edit: bool
    undo: int | None
    redo: int | None


class PlanList(Model):
    """The plans of a project, newest first."""

    plans: list[PlanAnswer]


class StatusAnswer(Model):
    """A plan, and the job that writes it for publication."""

    plan: PlanAnswer
    job: JobAnswer | None


class GridList(Model):
    """Figures of every grid at a revision."""

    revision: int
    grids: list[dict[str, Any]]


class GridQuestion(BaseModel):
    """What to tell of grids."""

    figures: Literal["true", "false"] = "true"
    """With what is counted and measured, or only with what is said of them: an editor counts for itself."""


class Reasons(Model):
    """Why grids are out of the band, by the grid's id: ``code``, ``zh``, ``en``."""

    revision: int
    reasons: dict[str, dict[str, Any]]


class Metrics(Model):
    """Figures of a plan at a revision."""

    revision: int
    summary: dict[str, Any]


CELLS = binary("application/octet-stream", described="int32 little-endian, one a cell")


@plans.get("/projects/<project_id>/plans", responses=answers(404, ok=PlanList))
@allow("project:read")
def list_plans(path: ProjectPath) -> dict[str, Any]:
    """List the plans of a project, newest first."""
    service = of_service()
    found = service.records.of_project(service.project_store.get(path.project_id))
    return {"plans": [record_json(record) for record in found]}


@plans.post(
    "/projects/<project_id>/plans", responses=answers(404, 409, 507, ok=PlanAnswer, created=PlanAnswer)
)
@allow("project:edit", audit="plan-create")
def create_plan(path: ProjectPath, body: NewPlan) -> tuple[dict[str, Any], int]:
    """Make an editable plan of a finished planning job; 200 and the plan where the job has one already."""
    require("job:edit", project=path.project_id, job=body.job)
    service = of_service()
    job = service.job_store.get(body.job)
    record, new = service.records.from_job(job, author=current_user(), name=body.name)
    audited(plan=record.id)
    return record_json(record), 201 if new else 200


@plans.get("/plans/<plan_id>", responses=answers(404, ok=PlanDetail))
@allow("plan:read")
def get_plan(path: PlanPath) -> Response:
    """Return all that an editor needs at opening besides the ground and the assignment."""
    service = of_service()
    described = service.records.describe(path.plan_id)
    with service.books.held(path.plan_id) as (_, book):
        back = service.editing.open_to(path.plan_id, book, current_user().id)
    return jsonify(described | back | {"may_edit": may("plan:edit")})


@plans.patch("/plans/<plan_id>", responses=answers(404, 507, ok=PlanAnswer))
@allow("plan:edit", audit="plan-change")
def change_plan(path: PlanPath, body: PlanChange) -> dict[str, Any]:
    """Give a plan another name."""
    return record_json(of_service().records.rename(path.plan_id, body.name))


@plans.delete("/plans/<plan_id>", responses=answers(404, 409, 507, empty=True))
@allow("plan:own", audit="plan-delete")
def delete_plan(path: PlanPath) -> tuple[str, int]:
    """Delete a plan; one that is published has to be withdrawn first."""
    of_service().records.remove(path.plan_id)
    return "", 204


@plans.post(
    "/plans/<plan_id>/branches",
    request_body=optional(NewBranch),
    responses=answers(404, 507, created=PlanAnswer),
)
@allow("plan:edit", audit="plan-branch")
def branch_plan(path: PlanPath, body: NewBranch) -> tuple[dict[str, Any], int]:
    """Make a plan of its own from this one, as it is or was at a revision."""
    record = of_service().records.branch(path.plan_id, current_user(), name=body.name, revision=body.revision)
    audited(branch=record.id)
    return record_json(record), 201


@plans.get("/plans/<plan_id>/assignment", responses=answers(404, ok=CELLS, kept=True))
@allow("plan:read")
def plan_assignment(path: PlanPath) -> Response:
    """Return the grid of each cell, -1 for none; the ETag is the revision."""
    content, revision = of_service().records.assignment(path.plan_id)
    return kept(content, str(revision), "application/octet-stream")


@plans.get("/plans/<plan_id>/loads", responses=answers(404, ok=CELLS, kept=True))
@allow("plan:read")
def plan_loads(path: PlanPath) -> Response:
    """Return the load of each cell in the measure of the plan's standard; the ETag is the revision."""
    content, revision = of_service().records.loads(path.plan_id)
    return kept(content, str(revision), "application/octet-stream")


@plans.get("/plans/<plan_id>/grids", responses=answers(404, ok=GridList, kept=True))
@allow("plan:read")
def plan_grids(path: PlanPath, query: GridQuestion) -> Response:
    """Return the figures of every grid; the ETag is the revision."""
    figures = query.figures == "true"
    found = of_service().records.rows(path.plan_id, figures=figures)
    return tagged(jsonify(found), f"{found['revision']}{'' if figures else '-records'}")


@plans.get("/plans/<plan_id>/metrics", responses=answers(404, ok=Metrics, kept=True))
@allow("plan:read")
def plan_metrics(path: PlanPath) -> Response:
    """Return the figures of the whole plan; the ETag is the revision."""
    found = of_service().records.figures(path.plan_id)
    return tagged(jsonify(found), str(found["revision"]))


@plans.get("/plans/<plan_id>/reasons", responses=answers(404, ok=Reasons, kept=True))
@allow("plan:read")
def plan_reasons(path: PlanPath) -> Response:
    """Return why grids are out of the band, as far as it still holds; the ETag is the revision."""
    found = of_service().records.reasons(path.plan_id)
    return tagged(jsonify(found), str(found["revision"]))


@plans.post("/plans/<plan_id>/status", responses=answers(404, 409, 507, ok=StatusAnswer))
@allow("plan:edit", audit="plan-status")
def set_status(path: PlanPath, body: StatusQuestion) -> dict[str, Any]:
    """Take a plan a step further or back; approving, publishing and withdrawing take an owner."""
    if body.status in WEIGHTY:
        require("plan:own")
    record, job = of_service().reviewing.set_status(path.plan_id, body.status)
    audited(status=body.status)
    return {"plan": record_json(record), "job": None if job is None else job_json(job)}


@plans.post("/plans/<plan_id>/exports", responses=answers(404, 409, 507, accepted=JobAnswer))
@allow("plan:edit", audit="export-start")
def export_plan(path: PlanPath) -> tuple[dict[str, Any], int]:
    """Start a job that writes the plan as files."""
    return job_json(of_service().reviewing.export(path.plan_id)), 202
