"""The page about a plan: its way to publication, its versions and files; and what its buttons do."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

from flask import Blueprint, redirect, render_template, request, url_for

from geo.errors import GeoError
from web.api.errors import status_of
from web.auth.rules import allow, audited, current_user, may, require
from web.errors import BadRequestError
from web.forms import of_service
from web.services.plan_words import entry_json
from web.services.reviewing import STEPS, WEIGHTY

if TYPE_CHECKING:
    from collections.abc import Callable

    from werkzeug.wrappers import Response as BaseResponse

    from web.store import Job, PlanRecord, PlanStatus

plan_pages = Blueprint("plan_pages", __name__)

NAME_LENGTH = 80
NOTE_LENGTH = 2000
SHOWN_EDITS = 20


@plan_pages.get("/plans/<plan_id>/about")
@allow("plan:read")
def about(plan_id: str) -> str:
    """Show a plan's status, versions, last changes and files."""
    return _about_page(plan_id, None)


@plan_pages.post("/plans/<plan_id>/name")
@allow("plan:edit", audit="plan-change")
def rename(plan_id: str) -> BaseResponse | tuple[str, int]:
    """Give a plan another name."""
    return _done(plan_id, lambda: of_service().records.rename(plan_id, _named("name", NAME_LENGTH)))


@plan_pages.post("/plans/<plan_id>/branch")
@allow("plan:edit", audit="plan-branch")
def branch(plan_id: str) -> BaseResponse | tuple[str, int]:
    """Make a plan of its own from this one."""

    def act() -> str:
        name = request.form.get("name", "").strip()[:NAME_LENGTH] or None
        revision = request.form.get("revision", type=int)
        made = of_service().records.branch(plan_id, current_user(), name=name, revision=revision)
        audited(branch=made.id)
        return made.id

    return _done(plan_id, act)


@plan_pages.post("/plans/<plan_id>/status")
@allow("plan:edit", audit="plan-status")
def set_status(plan_id: str) -> BaseResponse | tuple[str, int]:
    """Take a plan a step further or back; the weighty steps take an owner."""
    status = request.form.get("status", "")
    if status in WEIGHTY:
        require("plan:own")

    def act() -> None:
        if status not in STEPS:
            raise BadRequestError("status-unknown", "没有这个状态。", "There is no such status.")
        of_service().reviewing.set_status(plan_id, cast("PlanStatus", status))
        audited(status=status)

    return _done(plan_id, act)


@plan_pages.post("/plans/<plan_id>/versions")
@allow("plan:edit", audit="version-create")
def add_version(plan_id: str) -> BaseResponse | tuple[str, int]:
    """Give the present revision a name."""
    return _done(
        plan_id,
        lambda: of_service().records.add_version(
            plan_id,
            current_user(),
            name=_named("name", NAME_LENGTH),
            note=request.form.get("note", "").strip()[:NOTE_LENGTH],
            revision=None,
        ),
    )


@plan_pages.post("/plans/<plan_id>/export")
@allow("plan:edit", audit="export-start")
def export(plan_id: str) -> BaseResponse | tuple[str, int]:
    """Start a job that writes the plan as files."""
    return _done(plan_id, lambda: audited(job=of_service().reviewing.export(plan_id).id))


@plan_pages.post("/plans/<plan_id>/delete")
@allow("plan:own", audit="plan-delete")
def delete(plan_id: str) -> BaseResponse | tuple[str, int]:
    """Delete a plan."""
    service = of_service()
    project_id = service.plan_store.get(plan_id).project_id
    audited(project=project_id)
    try:
        service.records.remove(plan_id)
    except GeoError as error:
        return _about_page(plan_id, error), status_of(error)
    return redirect(url_for("pages.project", project_id=project_id), 303)


def plan_rows(project_id: str) -> list[dict[str, Any]]:
    """Return the plans of a project for its list: each with who changed it last."""
    store = of_service().plan_store
    return [{"plan": plan, "last": _last_editor(plan)} for plan in store.of_project(project_id)]


def _last_editor(plan: PlanRecord) -> str:
    edits = of_service().plan_store.edits(plan.id, plan.revision - 1, 1) if plan.revision else []
    return edits[0].user_name if edits else plan.user_name


def _done(plan_id: str, act: Callable[[], Any]) -> BaseResponse | tuple[str, int]:
    """Do something and show the plan's page, of the new plan when one was made; with what is wrong, if anything."""
    try:
        made = act()
    except GeoError as error:
        return _about_page(plan_id, error), status_of(error)
    shown = made if isinstance(made, str) else plan_id
    return redirect(url_for("plan_pages.about", plan_id=shown), 303)


def _named(field: str, length: int) -> str:
    name = request.form.get(field, "").strip()[:length]
    if not name:
        raise BadRequestError("name-empty", "请填写名称。", "Give it a name.")
    return name


def _about_page(plan_id: str, error: GeoError | None) -> str:
    service = of_service()
    plan = service.plan_store.get(plan_id)
    exports = [(job, service.plans.files(job) if job.state == "done" else {}) for job in _exports(plan)]
    return render_template(
        "plan.html",
        plan=plan,
        project=service.project_store.get(plan.project_id),
        parent=_parent(plan),
        steps=[step for step in STEPS[plan.status] if step not in WEIGHTY or may("plan:own")],
        versions=service.reviews.versions(plan_id),
        edits=_last_edits(plan),
        exports=exports,
        may_edit=may("plan:edit"),
        may_own=may("plan:own"),
        error=error,
    )


def _exports(plan: PlanRecord) -> list[Job]:
    jobs = of_service().job_store.of_project(plan.project_id, kind="export")
    return [job for job in jobs if job.parameters.get("plan") == plan.id][:5]


def _parent(plan: PlanRecord) -> PlanRecord | None:
    if plan.parent_id is None:
        return None
    plans = of_service().plan_store.of_project(plan.project_id)
    return next((other for other in plans if other.id == plan.parent_id), None)


def _last_edits(plan: PlanRecord) -> list[dict[str, Any]]:
    after = max(plan.revision - SHOWN_EDITS, 0)
    edits = of_service().plan_store.edits(plan.id, after, SHOWN_EDITS)
    return [entry_json(edit) for edit in reversed(edits)]
