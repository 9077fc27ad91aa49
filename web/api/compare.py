"""Two plans on one dataset beside each other."""

from typing import Annotated, Any

from flask import Response, jsonify
from pydantic import BaseModel, Field

from web.api.common import Id, Model, PlanPath, answers, binary, blueprint, tagged
from web.auth.rules import allow, require
from web.forms import of_service
from web.services.comparing import crosswalk_csv
from web.services.values import FORM_NUMBER

Revision = Annotated[int, Field(ge=0, le=2**31 - 1), FORM_NUMBER]

compare = blueprint("compare", prefix="/plans/<plan_id>/compare/<other_id>", tag="Compare")


class ComparePath(PlanPath):
    """Addresses of a plan and of the one that it is compared with."""

    other_id: Id


class States(BaseModel):
    """Revisions to compare, the present ones by default."""

    revision: Revision | None = None
    other_revision: Revision | None = None


class Compared(BaseModel):
    """One of the two plans."""

    id: Id
    name: str
    revision: int
    grids: int


class Figures(Model):
    """What changed in all."""

    grids: int
    other_grids: int
    households: int
    households_moved: int
    share_moved: Annotated[float | None, Field(description="Null without households in both plans")]
    kinds: dict[str, int]
    other_kinds: dict[str, int]


class ComparisonAnswer(Model):
    """What became of the grids of the other plan, and where those of this one come from."""

    plan: Compared
    other: Compared
    summary: Figures
    grids: list[dict[str, Any]]
    other_grids: list[dict[str, Any]]
    crosswalk: list[dict[str, Any]]


CSV = binary("text/csv", described="One row per pair of grids that share ground")


@compare.get("", responses=answers(404, 409, ok=ComparisonAnswer, kept=True))
@allow("plan:read")
def compare_plans(path: ComparePath, query: States) -> Response:
    """Compare a plan with another one on the same dataset; the ETag is both revisions."""
    found = _compared(path, query)
    return tagged(jsonify(found), f"{found['plan']['revision']}-{found['other']['revision']}")


@compare.get("/crosswalk.csv", responses=answers(404, 409, ok=CSV))
@allow("plan:read")
def crosswalk(path: ComparePath, query: States) -> Response:
    """Return which grid of the other plan went into which of this one, as a table for Excel."""
    response = Response(crosswalk_csv(_compared(path, query)), mimetype="text/csv")
    response.headers["Content-Disposition"] = "attachment; filename=crosswalk.csv"
    response.headers["Cache-Control"] = "private, no-store"
    return response


def _compared(path: ComparePath, query: States) -> dict[str, Any]:
    require("plan:read", plan=path.other_id)
    return of_service().comparing.compare(
        path.plan_id, path.other_id, revision=query.revision, other_revision=query.other_revision
    )
