"""Routes of ``/api/v1/projects/ID/coverage``; docs/api.md describes them."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, Response, jsonify, request

from web.api.routes import job_json
from web.forms import body, of_service, validated
from web.services.coverage import EXPORTS, Question, SitingQuestion

coverage = Blueprint("coverage", __name__, url_prefix="/api/v1/projects/<project_id>/coverage")

ASKED = ("method", "minutes", "speed", "category", "window")
"""What an address can ask; moved stations and changes need a body."""


@coverage.get("")
def overview(project_id: str) -> Response:
    """Return what the page needs first; opens the model. With ``retry=1`` a model that failed is built again."""
    service = of_service()
    project = service.project_store.get(project_id)
    if request.args.get("retry"):
        service.coverages.again(project)
    return jsonify(service.coverages.overview(project))


@coverage.get("/buildings")
def buildings(project_id: str) -> Response:
    """Return the buildings, 16 bytes each."""
    service = of_service()
    content, tag = service.coverages.buildings(service.project_store.get(project_id))
    return _kept(content, tag, "application/octet-stream")


@coverage.get("/layers/<name>")
def layer(project_id: str, name: str) -> Response:
    """Return a layer as GeoJSON."""
    service = of_service()
    content, tag = service.coverages.layer(service.project_store.get(project_id), name)
    return _kept(content, tag, "application/geo+json")


@coverage.post("/solve")
def solve(project_id: str) -> Response:
    """Return who reaches what, with the stations and changes of the body."""
    service = of_service()
    question = validated(Question, body())
    return jsonify(service.coverages.solve(service.project_store.get(project_id), question))


@coverage.route("/isochrones", methods=["GET", "POST"])
def isochrones(project_id: str) -> Response:
    """Return the area in reach of each category as GeoJSON."""
    service = of_service()
    found = service.coverages.isochrones(service.project_store.get(project_id), _question())
    response = jsonify(found)
    response.mimetype = "application/geo+json"
    return response


@coverage.post("/siting")
def siting(project_id: str) -> tuple[Response, int]:
    """Start a search for new sites."""
    service = of_service()
    question = validated(SitingQuestion, body())
    job = service.coverages.site(service.project_store.get(project_id), question)
    return jsonify(job_json(job)), 202


@coverage.route("/export/<name>", methods=["GET", "POST"])
def export(project_id: str, name: str) -> Response:
    """Download the coverage of a question as a file."""
    service = of_service()
    content = service.coverages.export(service.project_store.get(project_id), name, _question())
    response = Response(content, content_type=EXPORTS[name])
    response.headers.set("Content-Disposition", "attachment", filename=name)
    return response


def _question() -> Question:
    """Read the question of the address, or of the body."""
    given: dict[str, Any] = (
        {name: value for name in ASKED if (value := request.args.get(name))}
        if request.method == "GET"
        else body()
    )
    return validated(Question, given)


def _kept(content: bytes, tag: str, mimetype: str) -> Response:
    """Answer what stays the same while the project does: a browser asks whether it still holds."""
    response = Response(content, mimetype=mimetype)
    response.set_etag(tag)
    response.headers["Cache-Control"] = "private, no-cache"
    response.make_conditional(request)
    return response
