"""Versions of a plan: revisions with names."""

from typing import Annotated, Any

from pydantic import Field

from web.api.common import Id, Model, PlanPath, Question, answers, blueprint
from web.api.plans import Name, Revision
from web.auth.rules import allow, current_user
from web.forms import of_service
from web.services.plan_records import version_json

versions = blueprint("versions", prefix="/plans/<plan_id>/versions", tag="Versions")


class NewVersion(Question):
    """A name for a revision, the present one by default."""

    name: Name
    note: Annotated[str, Field(max_length=2000)] = ""
    revision: Revision | None = None


class VersionAnswer(Model):
    """A revision with a name."""

    id: Id
    revision: int
    name: str
    note: str
    user: dict[str, Any]
    at: str


class VersionList(Model):
    """The versions of a plan in the order they were named."""

    versions: list[VersionAnswer]


@versions.get("", responses=answers(404, ok=VersionList))
@allow("plan:read")
def list_versions(path: PlanPath) -> dict[str, Any]:
    """List the versions of a plan."""
    return {"versions": [version_json(item) for item in of_service().reviews.versions(path.plan_id)]}


@versions.post("", responses=answers(404, 409, 507, created=VersionAnswer))
@allow("plan:edit", audit="version-create")
def create_version(path: PlanPath, body: NewVersion) -> tuple[dict[str, Any], int]:
    """Give a revision a name."""
    made = of_service().records.add_version(
        path.plan_id, current_user(), name=body.name, note=body.note, revision=body.revision
    )
    return version_json(made), 201
