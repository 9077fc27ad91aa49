"""What all resources of the interface share: blueprints, the problem document, parameters of a path."""

from collections.abc import Mapping
from typing import Annotated, Any

from flask import Response, request
from flask_openapi.blueprint import APIBlueprint
from flask_openapi.types import ResponseDict
from pydantic import BaseModel, ConfigDict, Field, model_validator

PREFIX = "/api/v1"

PROBLEMS: Mapping[int, str] = {
    400: "The request cannot be understood",
    401: "Nobody is logged in",
    403: "Not allowed, or sent by another site's page",
    404: "There is no such thing, or not for this user",
    405: "The method does not belong to this address",
    409: "The present state does not allow it",
    413: "More than is read at once",
    415: "A format that is not read",
    416: "The file has no such part",
    422: "The content cannot be used, or the edit is refused",
    429: "Too many at once",
    500: "A defect of ours",
    503: "Not ready now",
    507: "The disk is full; nothing was changed",
}
ALWAYS = (400, 401, 403, 405, 413, 500)
"""Every address can answer with these."""

Id = Annotated[str, Field(json_schema_extra={"pattern": "^[0-9a-f]{32}$"})]
"""An id of ours. One of another form is answered like one that does not exist, so it is only described."""


class Problem(BaseModel):
    """An error, as RFC 9457 has it, in both languages."""

    model_config = ConfigDict(title="Problem")

    type: str = Field(description="Always about:blank")
    title: str = Field(description="The same as code")
    status: int
    code: str = Field(description="Stable name of the fault, for programs")
    detail: str = Field(description="For people, in the language of the request")
    detail_zh: str
    detail_en: str
    where: dict[str, Any] = Field(description="File, layer, row, objects, as far as they are known")


class Model(BaseModel):
    """An answer: what it has besides the described fields is left to the resource."""

    model_config = ConfigDict(extra="allow")


class Question(BaseModel):
    """A body: a field that is not known is a mistake."""

    model_config = ConfigDict(extra="forbid")


class Blank(Question):
    """A body that may be left out: no body is the same as an empty one."""

    @model_validator(mode="before")
    @classmethod
    def _empty(cls, given: Any) -> Any:
        return {} if given is None else given


class ProjectPath(BaseModel):
    """Address of a project."""

    project_id: Id


class JobPath(BaseModel):
    """Address of a job."""

    job_id: Id


class PlanPath(BaseModel):
    """Address of a plan."""

    plan_id: Id


class DatasetPath(BaseModel):
    """Address of a dataset."""

    dataset_id: Annotated[str, Field(json_schema_extra={"pattern": "^[0-9a-f]{64}$"})]


def _operation_id(*, bp_name: str, name: str, **_: str) -> str:
    return f"{bp_name}.{name}"


def blueprint(name: str, *, prefix: str = "", tag: str) -> APIBlueprint:
    """Return a blueprint under `PREFIX`, whose operations are named ``RESOURCE.FUNCTION``.

    Parameters
    ----------
    prefix
        Path after ``/api/v1``.
    tag
        Heading in the documentation.
    """
    return APIBlueprint(
        name,
        __name__,
        url_prefix=f"{PREFIX}{prefix}",
        abp_tags=[{"name": tag}],
        operation_id_callback=_operation_id,
    )


def answers(*problems: int, **by_status: Any) -> ResponseDict:
    """Describe what an operation answers: ``answers(404, ok=Plan)``.

    Parameters
    ----------
    problems
        Statuses it may fail with, besides those of `ALWAYS`.
    by_status
        ``ok``, ``created``, ``accepted``, ``part`` with a model or a description, ``empty=True`` for 204,
        ``kept=True`` for 304.
    """
    found: dict[Any, Any] = {}
    for word, status in (("ok", 200), ("created", 201), ("accepted", 202), ("part", 206)):
        if word in by_status:
            found[status] = by_status[word]
    if by_status.get("empty"):
        found[204] = {"description": "Done; nothing to say"}
    if by_status.get("kept"):
        found[304] = {"description": "What If-None-Match names still holds"}
    for status in sorted({*ALWAYS, *problems}):
        found[status] = {
            "description": PROBLEMS[status],
            "content": {"application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}},
        }
        if status == 405:
            found[status]["headers"] = {"Allow": {"schema": {"type": "string"}}}
    return found


def binary(*mimetypes: str, described: str) -> dict[str, Any]:
    """Describe an answer that is a file."""
    return {
        "description": described,
        "content": {name: {"schema": {"type": "string", "format": "binary"}} for name in mimetypes},
    }


def geojson(described: str) -> dict[str, Any]:
    """Describe an answer that is a collection of features."""
    return {
        "description": described,
        "content": {
            "application/geo+json": {
                "schema": {
                    "type": "object",
                    "required": ["type", "features"],
                    "properties": {
                        "type": {"const": "FeatureCollection"},
                        "features": {"type": "array", "items": {"type": "object"}},
                    },
                }
            }
        },
    }


def optional(model: type[BaseModel]) -> dict[str, Any]:
    """Describe a JSON body that may be left out."""
    schema = {"$ref": f"#/components/schemas/{model.__name__}"}
    return {"required": False, "content": {"application/json": {"schema": schema}}}


def only_when_changed(response: Response) -> Response:
    """Answer 304 where the client has this document already."""
    response.add_etag()
    response.headers["Cache-Control"] = "private, no-cache"
    response.make_conditional(request)
    return response


def tagged(response: Response, tag: str) -> Response:
    """Answer 304 where the client has what `tag` names already."""
    response.set_etag(tag)
    response.headers["Cache-Control"] = "private, no-cache"
    response.make_conditional(request)
    return response


def kept(content: bytes, tag: str, mimetype: str) -> Response:
    """Answer what stays the same until its tag changes: a browser asks whether it still holds."""
    return tagged(Response(content, mimetype=mimetype), tag)
