"""Service coverage of a project."""

from typing import Annotated, Any, Literal

from flask import Response, jsonify
from pydantic import BaseModel, Field, model_validator

from web.api.common import Model, ProjectPath, answers, binary, blueprint, geojson, kept, optional
from web.api.jobs import JobAnswer, job_json
from web.auth.rules import allow
from web.forms import of_service
from web.services.coverage import (
    DEFAULT_MINUTES,
    DEFAULT_SPEED_M_PER_MIN,
    EXPORTS,
    Question,
    SitingQuestion,
)
from web.services.values import FORM_NUMBER

coverage = blueprint("coverage", prefix="/projects/<project_id>/coverage", tag="Service coverage")


class NamedPath(ProjectPath):
    """Address of a layer or an export."""

    name: str


class CoverageQuestion(Question):
    """What is asked of a coverage; every field is optional."""

    @model_validator(mode="before")
    @classmethod
    def _empty(cls, given: Any) -> Any:
        return {} if given is None else given


class Retry(BaseModel):
    """Whether a model that failed is built again."""

    retry: str = ""


class CoverageQuery(BaseModel):
    """What an address can ask; moved stations and changes need a body."""

    method: Literal["network", "circle", "detour"] = "network"
    minutes: Annotated[float, Field(gt=0, le=240, allow_inf_nan=False), FORM_NUMBER] = DEFAULT_MINUTES
    speed: Annotated[float, Field(gt=0, le=1000, allow_inf_nan=False), FORM_NUMBER] = DEFAULT_SPEED_M_PER_MIN
    category: Annotated[int, Field(ge=0), FORM_NUMBER] | None = None
    window: Annotated[str, Field(max_length=60)] | None = None

    @model_validator(mode="before")
    @classmethod
    def _blank(cls, given: Any) -> Any:
        return {name: value for name, value in given.items() if value != ""}

    def question(self) -> Question:
        """Return the question."""
        return Question(**self.model_dump())


class Overview(Model):
    """What a page needs first; see docs/api.md for what a model that is ready says."""

    state: Literal["building", "ready", "missing-stations", "failed"]


class Coverage(Model):
    """Who reaches what; docs/api.md describes every field."""

    method: str
    totals: list[dict[str, Any]]


FILES = binary(*dict.fromkeys(EXPORTS.values()), described="The file")
AREAS = geojson("The area in reach, one feature a category")


@coverage.get("", responses=answers(404, 409, ok=Overview))
@allow("project:read")
def overview(path: ProjectPath, query: Retry) -> dict[str, Any]:
    """Return what the page needs first; opens the model. With retry=1 a model that failed is built again."""
    service = of_service()
    project = service.project_store.get(path.project_id)
    if query.retry:
        service.coverages.again(project)
    return service.coverages.overview(project)


@coverage.get(
    "/buildings",
    responses=answers(
        404, 409, 422, ok=binary("application/octet-stream", described="16 bytes a building"), kept=True
    ),
)
@allow("project:read")
def buildings(path: ProjectPath) -> Response:
    """Return the buildings, 16 bytes each."""
    service = of_service()
    content, tag = service.coverages.buildings(service.project_store.get(path.project_id))
    return kept(content, tag, "application/octet-stream")


@coverage.get("/layers/<name>", responses=answers(404, 409, 422, ok=geojson("The layer"), kept=True))
@allow("project:read")
def layer(path: NamedPath) -> Response:
    """Return a layer as GeoJSON."""
    service = of_service()
    content, tag = service.coverages.layer(service.project_store.get(path.project_id), path.name)
    return kept(content, tag, "application/geo+json")


@coverage.post(
    "/solve", request_body=optional(CoverageQuestion), responses=answers(404, 409, 422, ok=Coverage)
)
@allow("project:read")
def solve(path: ProjectPath, body: CoverageQuestion) -> dict[str, Any]:
    """Return who reaches what, with the stations and changes of the body."""
    service = of_service()
    return service.coverages.solve(service.project_store.get(path.project_id), body)


@coverage.get("/isochrones", responses=answers(404, 409, 422, ok=AREAS))
@allow("project:read")
def isochrones(path: ProjectPath, query: CoverageQuery) -> Response:
    """Return the area in reach of each category as GeoJSON."""
    return _areas(path, query.question())


@coverage.post(
    "/isochrones", request_body=optional(CoverageQuestion), responses=answers(404, 409, 422, ok=AREAS)
)
@allow("project:read")
def isochrones_asked(path: ProjectPath, body: CoverageQuestion) -> Response:
    """Return the area in reach of each category as GeoJSON, with the stations and changes of the body."""
    return _areas(path, body)


@coverage.post("/siting", responses=answers(404, 409, 422, 507, accepted=JobAnswer))
@allow("project:edit", audit="siting-start")
def siting(path: ProjectPath, body: SitingQuestion) -> tuple[dict[str, Any], int]:
    """Start a search for new sites."""
    service = of_service()
    return job_json(service.coverages.site(service.project_store.get(path.project_id), body)), 202


@coverage.get("/export/<name>", responses=answers(404, 409, 422, ok=FILES))
@allow("project:read")
def export(path: NamedPath, query: CoverageQuery) -> Response:
    """Download the coverage of a question as a file."""
    return _file(path, query.question())


@coverage.post(
    "/export/<name>", request_body=optional(CoverageQuestion), responses=answers(404, 409, 422, ok=FILES)
)
@allow("project:read")
def export_asked(path: NamedPath, body: CoverageQuestion) -> Response:
    """Download the coverage of a question as a file, with the stations and changes of the body."""
    return _file(path, body)


def _areas(path: ProjectPath, question: Question) -> Response:
    service = of_service()
    response = jsonify(service.coverages.isochrones(service.project_store.get(path.project_id), question))
    response.mimetype = "application/geo+json"
    return response


def _file(path: NamedPath, question: Question) -> Response:
    service = of_service()
    content = service.coverages.export(service.project_store.get(path.project_id), path.name, question)
    response = Response(content, content_type=EXPORTS[path.name])
    response.headers.set("Content-Disposition", "attachment", filename=path.name)
    return response
