"""The page on which a plan is redrawn: a shell that its script fills."""

from __future__ import annotations

from flask import Blueprint, render_template

from web.auth.rules import allow
from web.forms import of_service

editor_pages = Blueprint("editor_pages", __name__)


@editor_pages.get("/plans/<plan_id>")
@allow("plan:read")
def editor(plan_id: str) -> str:
    """Show the shell of the editor."""
    service = of_service()
    plan = service.stores.plans.get(plan_id)
    project = service.project_store.get(plan.project_id)
    return render_template("editor.html", plan=plan, project=project)
