"""Alternatives of a plan: divisions by other weights, side by side, and a branch of the one that is wanted."""

from typing import Annotated, Any, Literal

from flask import Response
from pydantic import Field

from web.api.common import Blank, Id, Model, PlanPath, answers, binary, blueprint, kept, optional
from web.api.jobs import JobAnswer, job_json
from web.api.plans import Name, PlanAnswer
from web.auth.rules import allow, audited, current_user
from web.forms import of_service
from web.services.plan_records import record_json
from web.services.values import NUMBER

alternatives = blueprint("alternatives", prefix="/plans/<plan_id>/alternatives", tag="Alternatives")

Whole = Annotated[int, Field(ge=0, le=2**31 - 1), NUMBER]
Preset = Literal["balanced", "compact", "along-roads"]


class AlternativesQuestion(Blank):
    """What is divided anew, and how long is searched."""

    community: Whole | None = None
    effort: Literal["fast", "normal", "best"] = "normal"
    seed: Whole = 0


class MadePath(PlanPath):
    """Address of the alternatives that a job made."""

    job_id: Id


class PresetPath(MadePath):
    """Address of one of them."""

    preset: Preset


class NewBranchName(Blank):
    """Name of the plan that is made."""

    name: Name | None = None


class AlternativesAnswer(Model):
    """Alternatives side by side."""

    revision: int
    community: int | None
    measures: list[dict[str, Any]]
    present: dict[str, Any]
    alternatives: list[dict[str, Any]]


class SketchesAnswer(Model):
    """Small maps by preset, and ``present``: ``width``, ``height``, ``grids`` with ``path`` as in SVG."""

    present: dict[str, Any]


CELLS = binary("application/octet-stream", described="int32 little-endian, one a cell")


@alternatives.post(
    "", request_body=optional(AlternativesQuestion), responses=answers(404, 409, 507, accepted=JobAnswer)
)
@allow("plan:edit", audit="alternatives-start")
def start_alternatives(path: PlanPath, body: AlternativesQuestion) -> tuple[dict[str, Any], int]:
    """Start a job that divides a plan, or one community, for each preset; what is locked stays."""
    service = of_service()
    job = service.alternatives.start(
        service.settings, path.plan_id, community=body.community, effort=body.effort, seed=body.seed
    )
    return job_json(job), 202


@alternatives.get("/<job_id>", responses=answers(404, ok=AlternativesAnswer))
@allow("plan:read")
def get_alternatives(path: MadePath) -> dict[str, Any]:
    """Return the figures of the alternatives, and of the plan as it was."""
    return of_service().alternatives.table(path.plan_id, path.job_id)


@alternatives.get("/<job_id>/sketches", responses=answers(404, ok=SketchesAnswer))
@allow("plan:read")
def alternative_sketches(path: MadePath) -> dict[str, Any]:
    """Return a small map of each alternative, and of the plan as it was."""
    return of_service().alternatives.sketches(path.plan_id, path.job_id)


@alternatives.get("/<job_id>/<preset>", responses=answers(404, ok=CELLS, kept=True))
@allow("plan:read")
def alternative_cells(path: PresetPath) -> Response:
    """Return the grid of each cell: -1 for none, below that new grids, from -2 on."""
    content = of_service().alternatives.cells(path.plan_id, path.job_id, path.preset)
    return kept(content, f"{path.job_id}-{path.preset}", "application/octet-stream")


@alternatives.post(
    "/<job_id>/<preset>/branches",
    request_body=optional(NewBranchName),
    responses=answers(404, 409, 507, created=PlanAnswer),
)
@allow("plan:edit", audit="alternative-branch")
def branch_alternative(path: PresetPath, body: NewBranchName) -> tuple[dict[str, Any], int]:
    """Make a plan of its own of an alternative."""
    service = of_service()
    record = service.alternatives.branch(
        path.plan_id, path.job_id, path.preset, current_user(), name=body.name
    )
    audited(branch=record.id)
    return record_json(record), 201
