"""Views: each reads the request, calls a service, and renders."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from flask import Blueprint, Response, current_app, g, jsonify, redirect, render_template, request, url_for

from geo.errors import GeoError
from geo.types import ROLES
from web.api.errors import status_of, wants_json
from web.auth.headers import MAP_POLICY
from web.auth.rules import allow, audited, current_user, may, own, permissions_of
from web.downloads import download
from web.errors import job_missing
from web.forms import columns_from, of_service, parameters_from
from web.i18n import language
from web.pages import figures, words
from web.pages.plans import plan_rows
from web.services.coverage import has_stations
from web.services.projects import guessed_layers
from web.store import Layer

if TYPE_CHECKING:
    from werkzeug.wrappers import Response as BaseResponse

    from web.store import Job, Project

pages = Blueprint("pages", __name__)


@pages.app_context_processor
def names() -> dict[str, Any]:
    """Give templates the names of roles, states and stages."""
    return {
        "role_names": words.ROLE_NAMES,
        "state_names": words.STATE_NAMES,
        "stage_names": words.STAGE_NAMES,
        "severity_names": words.SEVERITY_NAMES,
        "download_names": words.DOWNLOAD_NAMES,
        "measure_names": words.MEASURE_NAMES,
        "member_role_names": words.MEMBER_ROLE_NAMES,
        "plan_status_names": words.PLAN_STATUS_NAMES,
        "step_names": words.STEP_NAMES,
        "me": g.get("wangge_user"),
        "team": current_app.config["WANGGE_TEAM"],
        "project_name": words.project_name,
    }


PARAMETERS = ("standard", "target", "min", "max", "seed", "minutes", "speed")


@pages.get("/")
@allow("signed-in")
def index() -> BaseResponse:
    """Open the demo city while it is all there is, else the list of projects."""
    projects = visible(of_service().project_store.all())
    if len(projects) == 1 and projects[0].kind != "upload":
        return redirect(url_for("pages.project", project_id=projects[0].id), 303)
    return redirect(url_for("pages.projects"), 303)


@pages.get("/projects")
@allow("signed-in")
def projects() -> str:
    """Show projects, demo cities and the upload form."""
    service = of_service()
    latest: dict[str, Job] = {}
    for job in (job for job in service.job_store.all() if job.kind == "plan"):
        latest.setdefault(job.project, job)
    shown = visible(service.project_store.all())
    return render_template(
        "index.html",
        projects=shown,
        owned={project.id for project in shown if may("project:own", project=project.id)},
        latest=latest,
        plans=service.plans,
        limit_mb=service.settings.max_upload_mb,
    )


@pages.get("/health")
@allow("public")
def health() -> Response:
    """Say that the service runs, and which fences it has."""
    return jsonify(of_service().health())


@pages.post("/demo/<any(small, full):size>")
@allow("project:create", audit="project-create")
def demo(size: Any) -> BaseResponse:
    """Open a demo city; plan it when it is opened first."""
    service = of_service()
    project, new = service.projects.demo(size, permissions_of().visible(current_user()))
    if new:
        own(project.id)
    audited(project=project.id)
    if not service.job_store.of_project(project.id, kind="plan"):
        service.plans.start(project, parameters_from({}))
    return redirect(url_for("pages.project", project_id=project.id), 303)


@pages.post("/projects")
@allow("project:create", audit="project-create")
def upload() -> BaseResponse:
    """Receive files, then ask for their roles."""
    project = of_service().projects.create(request.form.get("name", ""), request.files.getlist("files"))
    own(project.id)
    return redirect(url_for("pages.layers", project_id=project.id), 303)


@pages.get("/projects/<project_id>/layers")
@allow("project:edit")
def layers(project_id: str) -> str:
    """Ask which role each layer plays."""
    return _layers_page(of_service().project_store.get(project_id), None)


@pages.post("/projects/<project_id>/layers")
@allow("project:edit", audit="layers-assign")
def assign(project_id: str) -> BaseResponse | tuple[str, int]:
    """Give layers their roles; what is wrong with them is shown beside the form."""
    service = of_service()
    project = service.project_store.get(project_id)
    try:
        service.projects.assign(
            project, _chosen_layers(project), columns_from([request.form.get("columns", "")])
        )
    except GeoError as error:
        if wants_json():
            raise
        return _layers_page(project, error), status_of(error)
    return redirect(url_for("pages.project", project_id=project.id), 303)


@pages.get("/projects/<project_id>")
@allow("project:read")
def project(project_id: str) -> str | BaseResponse:
    """Show a project: findings, settings, and the plan of the chosen or latest job."""
    service = of_service()
    project = service.project_store.get(project_id)
    if project.state == "draft":
        return redirect(url_for("pages.layers", project_id=project.id), 303)
    jobs = service.job_store.of_project(project.id, kind="plan")
    job = _chosen_job(jobs)
    # While a new plan is made, or when it failed, the last one stays in view.
    shown = job if job and job.state == "done" else next((old for old in jobs if old.state == "done"), None)
    report = service.plans.report(shown) if shown else None
    table = service.plans.table(shown) if shown else None
    return render_template(
        "project.html",
        project=project,
        jobs=jobs,
        job=job,
        progress=service.plans.progress(job) if job else None,
        report=report,
        shown=shown,
        table=table,
        coverage=service.plans.coverage(shown) if shown else None,
        files=service.plans.files(shown) if shown else {},
        findings=figures.ordered_findings(report["findings"] if report else project.findings),
        histogram=figures.histogram(table, report) if report else None,
        standards=service.plans.standards(),
        community=request.args.get("community", ""),
        has_stations=has_stations(project),
        plan_rows=plan_rows(project.id),
        may_edit=may("project:edit"),
    )


@pages.post("/projects/<project_id>/plans")
@allow("project:edit", audit="job-start")
def start(project_id: str) -> BaseResponse:
    """Start a planning job."""
    service = of_service()
    given = {name: request.form.get(name, "") for name in PARAMETERS}
    job = service.plans.start(service.project_store.get(project_id), parameters_from(given))
    audited(job=job.id)
    return redirect(url_for("pages.project", project_id=project_id, plan=job.id), 303)


@pages.post("/projects/<project_id>/delete")
@allow("project:own", audit="project-delete")
def delete(project_id: str) -> BaseResponse:
    """Delete a project."""
    service = of_service()
    project = service.project_store.get(project_id)
    audited(name=project.name)
    service.projects.remove(project)
    return redirect(url_for("pages.projects"), 303)


@pages.post("/projects/<project_id>/plans/<job_id>/cancel")
@allow("job:edit", audit="job-cancel")
def cancel(project_id: str, job_id: str) -> BaseResponse:
    """Cancel a job."""
    of_service().runner.cancel(_job_of(project_id, job_id).id)
    return redirect(url_for("pages.project", project_id=project_id, plan=job_id), 303)


@pages.get("/projects/<project_id>/plans/<job_id>/map")
@allow("job:read")
def plan_map(project_id: str, job_id: str) -> Response:
    """Return the map, fenced into an origin of its own."""
    job = _job_of(project_id, job_id)
    html = of_service().plans.map(job, lang=language(), community=request.args.get("community") or None)
    response = Response(html, mimetype="text/html")
    response.headers["Content-Security-Policy"] = MAP_POLICY
    return response


@pages.get("/projects/<project_id>/plans/<job_id>/files/<name>")
@allow("job:read")
def result(project_id: str, job_id: str, name: str) -> Response:
    """Download a result."""
    return download(_job_of(project_id, job_id), name)


def visible(projects: list[Project]) -> list[Project]:
    """Return those projects that the user of this request may read."""
    seen = permissions_of().visible(current_user())
    return projects if seen is None else [project for project in projects if project.id in seen]


def _job_of(project_id: str, job_id: str) -> Job:
    job = of_service().job_store.get(job_id)
    if job.project != project_id:
        raise job_missing()
    return job


def _chosen_job(jobs: list[Job]) -> Job | None:
    wanted = request.args.get("plan")
    if wanted is None:
        return jobs[0] if jobs else None
    job = next((job for job in jobs if job.id == wanted), None)
    if job is None:
        raise job_missing()
    return job


def _chosen_layers(project: Project) -> list[Layer]:
    """Read the form: one field ``role-FILE-NUMBER`` a layer."""
    chosen = []
    for file in project.files:
        for number, layer in enumerate(file.layers):
            role = request.form.get(f"role-{file.id}-{number}", "")
            if role in ROLES:
                chosen.append(Layer(role=role, file=file.id, layer=layer.name))
    return chosen


def _layers_page(project: Project, error: GeoError | None) -> str:
    chosen = _chosen_layers(project) if error is not None else project.layers or guessed_layers(project)
    return render_template(
        "layers.html",
        project=project,
        roles=ROLES,
        chosen={(layer.file, layer.layer): layer.role for layer in chosen},
        columns=request.form.get("columns") or "\n".join(f"{k}={v}" for k, v in project.columns.items()),
        error=error,
    )
