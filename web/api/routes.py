"""Routes of ``/api/v1``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from flask import Blueprint, Response, jsonify, request

from web.downloads import download
from web.forms import body, columns_from, of_service, parameters_from
from web.services.plans import DOWNLOADS
from web.services.projects import parse_layers

if TYPE_CHECKING:
    from web.store import Job, Project

api = Blueprint("api", __name__, url_prefix="/api/v1")


@api.get("/health")
def health() -> Response:
    """Say that the service runs, and which fences it has."""
    return jsonify(of_service().health())


@api.get("/standards")
def standards() -> Response:
    """List the standards."""
    return jsonify(
        standards=[
            {
                name: getattr(item, name)
                for name in ("id", "name_zh", "name_en", "measure", "target", "min", "max")
            }
            for item in of_service().plans.standards()
        ]
    )


@api.get("/projects")
def list_projects() -> Response:
    """List projects, newest first."""
    return jsonify(projects=[project_json(project) for project in of_service().project_store.all()])


@api.post("/projects")
def create_project() -> tuple[Response, int]:
    """Upload files and give layers their roles, in one request: all of it, or nothing."""
    service = of_service()
    project = service.projects.create(request.form.get("name", ""), request.files.getlist("files"))
    try:
        layers = parse_layers(project, request.form.getlist("layers"))
        project = service.projects.assign(project, layers, columns_from(request.form.getlist("columns")))
    except BaseException:
        service.project_store.remove(project.id)
        raise
    return jsonify(project_json(project)), 201


@api.post("/demo/<any(small, full):size>")
def open_demo(size: Any) -> tuple[Response, int]:
    """Return the project of a demo city."""
    project, new = of_service().projects.demo(size)
    return jsonify(project_json(project)), 201 if new else 200


@api.get("/projects/<project_id>")
def get_project(project_id: str) -> Response:
    """Return a project with its findings and jobs."""
    service = of_service()
    project = service.project_store.get(project_id)
    jobs = [job_json(job) for job in service.job_store.of_project(project.id)]
    return jsonify(project_json(project) | {"findings": project.findings, "jobs": jobs})


@api.delete("/projects/<project_id>")
def delete_project(project_id: str) -> tuple[str, int]:
    """Delete a project."""
    service = of_service()
    service.projects.remove(service.project_store.get(project_id))
    return "", 204


@api.post("/projects/<project_id>/jobs")
def start_job(project_id: str) -> tuple[Response, int]:
    """Start a planning job."""
    service = of_service()
    job = service.plans.start(service.project_store.get(project_id), parameters_from(body()))
    return jsonify(job_json(job)), 202


@api.get("/jobs/<job_id>")
def get_job(job_id: str) -> Response:
    """Return a job; with ``If-None-Match`` only when it changed."""
    response = jsonify(job_json(of_service().job_store.get(job_id)))
    response.add_etag()
    response.headers["Cache-Control"] = "private, no-cache"
    response.make_conditional(request)
    return response


@api.post("/jobs/<job_id>/cancel")
def cancel_job(job_id: str) -> Response:
    """End a job; answers once it has ended."""
    return jsonify(job_json(of_service().runner.cancel(job_id)))


@api.get("/jobs/<job_id>/files/<name>")
def job_file(job_id: str, name: str) -> Response:
    """Download a result."""
    return download(of_service().job_store.get(job_id), name)


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
        "files": {name: f"/api/v1/jobs/{job.id}/files/{name}" for name in DOWNLOADS if name in made},
        **answer,
    }
