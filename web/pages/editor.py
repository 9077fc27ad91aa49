"""The page on which a plan is redrawn: a shell that its script fills."""

from __future__ import annotations

from flask import Blueprint, Response, make_response, render_template

from web.auth.headers import page_policy
from web.auth.rules import allow
from web.forms import of_service

editor_pages = Blueprint("editor_pages", __name__)


@editor_pages.get("/plans/<plan_id>")
@allow("plan:read")
def editor(plan_id: str) -> Response:
    """Show the shell of the editor; it alone may ask the tile server that the settings name."""
    service = of_service()
    plan = service.stores.plans.get(plan_id)
    project = service.project_store.get(plan.project_id)
    response = make_response(render_template("editor.html", plan=plan, project=project))
    response.headers["Content-Security-Policy"] = page_policy(service.basemaps.origin)
    return response
