"""Put the interface into an application."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NoReturn

from flask import request
from flask_openapi.openapi import OpenAPI

from geo import __version__
from web.api.alternatives import alternatives
from web.api.basemaps import basemaps
from web.api.comments import comments
from web.api.common import PREFIX, Problem
from web.api.compare import compare
from web.api.coverage import coverage
from web.api.datasets import datasets
from web.api.document import document
from web.api.edits import edits
from web.api.jobs import jobs
from web.api.people import people
from web.api.plans import plans
from web.api.presence import presence
from web.api.projects import projects
from web.api.versions import versions
from web.errors import BadRequestError, TooLargeError
from web.forms import BODY_BYTES, unusable

if TYPE_CHECKING:
    from pydantic import ValidationError

RESOURCES = (
    projects,
    jobs,
    plans,
    edits,
    alternatives,
    versions,
    comments,
    compare,
    presence,
    datasets,
    basemaps,
    coverage,
    people,
    document,
)

LARGE_BODIES = frozenset({"edits.make_edit", "edits.preview_edit"})
"""An edit may name every cell of a city."""
LARGE_BYTES = 8 << 20


def application(**options: Any) -> OpenAPI:
    """Return an application that can hold the interface; `options` are Flask's."""
    return OpenAPI(
        "web.app",
        info={
            "title": "Wangge 网格规划",
            "version": __version__,
            "description": "Errors are application/problem+json with texts in Chinese and English.",
        },
        security_schemes={},
        validation_error_status=400,
        validation_error_model=Problem,
        validation_error_callback=_unusable,
        doc_ui=False,
        **options,
    )


def register(app: OpenAPI) -> None:
    """Register every resource."""
    app.before_request(check_body)
    for resource in RESOURCES:
        app.register_api(resource)


def check_body() -> None:
    """Refuse a body that is no JSON object, before anything reads it.

    Raises
    ------
    BadRequestError, TooLargeError
        If it is none, or longer than any question needs to be.
    """
    if not request.path.startswith(f"{PREFIX}/") or request.method in {"GET", "HEAD", "OPTIONS"}:
        return
    if request.mimetype == "multipart/form-data":
        return
    limit = LARGE_BYTES if request.endpoint in LARGE_BODIES else BODY_BYTES
    if (request.content_length or 0) > limit:
        raise TooLargeError(
            "body-too-large", "请求内容过大。", "The body is larger than any question needs to be."
        )
    request.max_content_length = limit  # also of a body that does not say how long it is
    try:
        given = request.get_json(silent=True) if request.get_data() else {}
    except RecursionError:
        given = None
    if not isinstance(given, dict):
        raise BadRequestError("json-needed", "请求内容应为 JSON 对象。", "The body must be a JSON object.")


def _unusable(error: ValidationError) -> NoReturn:
    raise unusable(error)
