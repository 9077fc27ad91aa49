"""Edits of a plan: make one, try one, take one back, and see what others did."""

from typing import Annotated, Any

from flask import Response, jsonify
from pydantic import BaseModel, Field, WithJsonSchema

from web.api.common import Model, PlanPath, Question, answers, blueprint, tagged
from web.api.edit_kinds import edit_schema
from web.api.plans import Revision
from web.auth.rules import allow, current_user
from web.forms import of_service
from web.services.values import FORM_NUMBER

edits = blueprint("edits", prefix="/plans/<plan_id>", tag="Edits")

OpId = Annotated[str, Field(pattern=r"^[A-Za-z0-9_-]{8,64}$")]
"""Chosen by the client, new for each edit; a request that is sent again carries the same."""
EditDocument = Annotated[dict[str, Any], WithJsonSchema(edit_schema())]
"""Read by `geo.editing.edits.edit_from`."""
MOST_EDITS = 1000


class Base(Question):
    """The revision that the planner saw."""

    base: Revision


class Step(Base):
    """One thing to commit."""

    op_id: OpId


class EditQuestion(Step):
    """An edit; docs/api.md describes the kinds and their fields."""

    edit: EditDocument


class PreviewQuestion(Base):
    """An edit that is only to be looked at."""

    edit: EditDocument


class Since(BaseModel):
    """From which revision on, and how many."""

    since: Annotated[int, Field(ge=0, le=2**31 - 1), FORM_NUMBER] = 0
    limit: Annotated[int, Field(ge=1, le=MOST_EDITS), FORM_NUMBER] = 200
    wait: Annotated[float, Field(ge=0, le=20, allow_inf_nan=False), FORM_NUMBER] = 0


class EntryAnswer(Model):
    """A committed change: who did what, and when."""

    revision: int
    op_id: str
    user: dict[str, Any]
    at: str
    kind: str
    undoes: int | None
    redoes: int | None
    summary_zh: str
    summary_en: str


class EditAnswer(Model):
    """What an edit did: the touched grids only, and the figures of the whole plan."""

    revision: int
    edit: EntryAnswer | None
    change: dict[str, Any]
    grids: list[dict[str, Any]]
    gone: list[int]
    summary: dict[str, Any]
    warnings: list[dict[str, Any]]


class EditList(Model):
    """What was done after a revision, the earliest first."""

    revision: int
    status: str
    edits: list[EntryAnswer]
    more: bool


@edits.post("/edits", responses=answers(404, 409, 422, 503, 507, ok=EditAnswer))
@allow("plan:edit")
def make_edit(path: PlanPath, body: EditQuestion) -> dict[str, Any]:
    """Commit an edit; what others did since its base is kept where it touches other objects."""
    return of_service().editing.edit(
        path.plan_id, current_user(), op_id=body.op_id, base=body.base, document=body.edit
    )


@edits.post("/preview", responses=answers(404, 409, 422, 503, ok=EditAnswer))
@allow("plan:read")
def preview_edit(path: PlanPath, body: PreviewQuestion) -> dict[str, Any]:
    """Return what an edit would do, without making it."""
    return of_service().editing.preview(path.plan_id, base=body.base, document=body.edit)


@edits.get("/edits", responses=answers(404, ok=EditList, kept=True))
@allow("plan:read")
def list_edits(path: PlanPath, query: Since) -> Response:
    """Return who changed what after a revision; with wait, as soon as there is something. The ETag is the head."""
    feed = of_service().feed
    record = feed.wait(path.plan_id, query.since, query.wait)
    tag = f"{record.revision}-{record.status}"
    unchanged = tagged(Response(), tag)
    if unchanged.status_code == 304:
        return unchanged
    return tagged(jsonify(feed.edits(record, query.since, query.limit)), tag)


@edits.post("/undo", responses=answers(404, 409, 422, 507, ok=EditAnswer))
@allow("plan:edit")
def undo_edit(path: PlanPath, body: Step) -> dict[str, Any]:
    """Take back one's own last edit that is in force."""
    return of_service().editing.undo(path.plan_id, current_user(), op_id=body.op_id, base=body.base)


@edits.post("/redo", responses=answers(404, 409, 422, 507, ok=EditAnswer))
@allow("plan:edit")
def redo_edit(path: PlanPath, body: Step) -> dict[str, Any]:
    """Bring back what one took back last."""
    return of_service().editing.redo(path.plan_id, current_user(), op_id=body.op_id, base=body.base)
