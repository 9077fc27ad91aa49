"""The page of a project's service coverage: a shell that its script fills."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flask import Blueprint, redirect, render_template, url_for

from web.auth.rules import allow
from web.forms import of_service
from web.pages.coverage_words import TEXTS

if TYPE_CHECKING:
    from werkzeug.wrappers import Response as BaseResponse

coverage_pages = Blueprint("coverage_pages", __name__)


@coverage_pages.get("/projects/<project_id>/coverage")
@allow("project:read")
def coverage(project_id: str) -> str | BaseResponse:
    """Show the shell of the coverage page."""
    project = of_service().project_store.get(project_id)
    if project.state == "draft":
        return redirect(url_for("pages.layers", project_id=project.id), 303)
    return render_template("coverage.html", project=project, texts=TEXTS)
