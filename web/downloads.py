"""Send results as downloads."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flask import Response, send_file

from web.auth.headers import MAP_POLICY
from web.forms import of_service
from web.services.plans import DOWNLOADS

if TYPE_CHECKING:
    from web.store import Job


def download(job: Job, name: str) -> Response:
    """Return a result as an attachment: a browser stores it and never runs it here.

    Raises
    ------
    NotFoundError
        If the job made no such file.
    """
    path = of_service().plans.file(job, name)
    response = send_file(path, mimetype=DOWNLOADS[name], as_attachment=True, download_name=name, max_age=None)
    response.headers["Cache-Control"] = "private, no-store"
    if name.endswith(".html"):
        response.headers["Content-Security-Policy"] = MAP_POLICY
    return response
