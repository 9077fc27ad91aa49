"""Projects, demo cities and standards."""

from typing import Any, Literal

from flask import request
from pydantic import BaseModel

from web.api.common import Id, Model, ProjectPath, answers, blueprint
from web.api.jobs import JobAnswer, job_json
from web.auth.rules import allow, audited, current_user, own, permissions_of
from web.forms import columns_from, of_service
from web.services.projects import parse_layers
from web.store import Project

projects = blueprint("projects", tag="Projects")


class DemoPath(BaseModel):
    """Which demo city."""

    size: Literal["small", "full"]


class ProjectAnswer(Model):
    """A project: its files and the roles of their layers."""

    id: Id
    name: str
    kind: Literal["upload", "demo-small", "demo-full"]
    state: Literal["draft", "ready"]
    created: str
    files: list[dict[str, Any]]
    layers: list[dict[str, Any]]
    columns: dict[str, str]
    summary: dict[str, Any]


class ProjectDetail(ProjectAnswer):
    """A project with its findings and jobs."""

    findings: list[dict[str, Any]]
    jobs: list[JobAnswer]


class ProjectList(Model):
    """Projects, newest first."""

    projects: list[ProjectAnswer]


class StandardAnswer(Model):
    """A standard that grids are judged by."""

    id: str
    name_zh: str
    name_en: str
    measure: str
    target: int
    min: int
    max: int


class StandardList(Model):
    """The standards a plan can be made with."""

    standards: list[StandardAnswer]


class Health(Model):
    """What an operator should know."""

    status: str
    version: str
    landlock: bool
    landlock_abi: int
    jobs_open: int


UPLOAD = {
    "required": True,
    "content": {
        "multipart/form-data": {
            "schema": {
                "type": "object",
                "required": ["files"],
                "properties": {
                    "files": {"type": "array", "items": {"type": "string", "format": "binary"}},
                    "layers": {
                        "type": "array",
                        "items": {"type": "string"},
                        "description": "ROLE=FILE[:LAYER]; without any, roles are guessed",
                    },
                    "columns": {
                        "type": "array",
                        "items": {"type": "string"},
                        "description": "ROLE.FIELD=COLUMN",
                    },
                    "name": {"type": "string"},
                },
            }
        }
    },
}


@projects.get("/health", responses=answers(ok=Health))
@allow("public")
def health() -> dict[str, Any]:
    """Say that the service runs, and which fences it has."""
    return of_service().health()


@projects.get("/standards", responses=answers(ok=StandardList))
@allow("signed-in")
def list_standards() -> dict[str, Any]:
    """List the standards."""
    named = ("id", "name_zh", "name_en", "measure", "target", "min", "max")
    found = of_service().plans.standards()
    return {"standards": [{name: getattr(item, name) for name in named} for item in found]}


@projects.get("/projects", responses=answers(ok=ProjectList))
@allow("signed-in")
def list_projects() -> dict[str, Any]:
    """List projects, newest first."""
    visible = permissions_of().visible(current_user())
    found = [p for p in of_service().project_store.all() if visible is None or p.id in visible]
    return {"projects": [project_json(project) for project in found]}


@projects.post("/projects", request_body=UPLOAD, responses=answers(415, 422, 507, created=ProjectAnswer))
@allow("project:create", audit="project-create")
def create_project() -> tuple[dict[str, Any], int]:
    """Upload files and give layers their roles, in one request: all of it, or nothing."""
    service = of_service()
    project = service.projects.create(request.form.get("name", ""), request.files.getlist("files"))
    try:
        layers = parse_layers(project, request.form.getlist("layers"))
        project = service.projects.assign(project, layers, columns_from(request.form.getlist("columns")))
    except BaseException:
        service.project_store.remove(project.id)
        raise
    own(project.id)
    audited(project=project.id, name=project.name)
    return project_json(project), 201


@projects.post(
    "/demo/<any(small, full):size>",
    responses=answers(404, 507, ok=ProjectAnswer, created=ProjectAnswer),
)
@allow("project:create", audit="project-create")
def open_demo(path: DemoPath) -> tuple[dict[str, Any], int]:
    """Return the project of a demo city."""
    project, new = of_service().projects.demo(path.size, permissions_of().visible(current_user()))
    if new:
        own(project.id)
    audited(project=project.id)
    return project_json(project), 201 if new else 200


@projects.get("/projects/<project_id>", responses=answers(404, ok=ProjectDetail))
@allow("project:read")
def get_project(path: ProjectPath) -> dict[str, Any]:
    """Return a project with its findings and jobs."""
    service = of_service()
    project = service.project_store.get(path.project_id)
    jobs = [job_json(job) for job in service.job_store.of_project(project.id)]
    return project_json(project) | {"findings": project.findings, "jobs": jobs}


@projects.delete("/projects/<project_id>", responses=answers(404, 409, empty=True))
@allow("project:own", audit="project-delete")
def delete_project(path: ProjectPath) -> tuple[str, int]:
    """Delete a project with its jobs and plans."""
    service = of_service()
    service.projects.remove(service.project_store.get(path.project_id))
    return "", 204


def project_json(project: Project) -> dict[str, Any]:
    """Return a project as the interface shows it: no path of ours."""
    return {
        "id": project.id,
        "name": project.name,
        "kind": project.kind,
        "state": project.state,
        "created": project.created,
        "files": [
            {"id": file.id, "label": file.label, "layers": [layer.model_dump() for layer in file.layers]}
            for file in project.files
        ],
        "layers": [layer.model_dump() for layer in project.layers],
        "columns": project.columns,
        "summary": project.summary,
    }
