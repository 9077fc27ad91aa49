"""Who else has a plan open, and where they point."""

from typing import Annotated, Any

from pydantic import BaseModel, Field

from web.api.common import Model, PlanPath, Question, answers, blueprint
from web.auth.rules import allow, current_user, may
from web.forms import of_service
from web.services.values import NUMBER

presence = blueprint("presence", prefix="/plans/<plan_id>/presence", tag="Presence")

Client = Annotated[str, Field(pattern=r"^[A-Za-z0-9_-]{1,64}$")]
"""Chosen by a browser tab."""
MOST_SELECTED = 200


class Cursor(Question):
    """Where somebody points and what is selected."""

    client: Client
    x: Annotated[float, Field(ge=-180, le=180, allow_inf_nan=False), NUMBER] | None = None
    y: Annotated[float, Field(ge=-90, le=90, allow_inf_nan=False), NUMBER] | None = None
    tool: Annotated[str, Field(max_length=40)] = ""
    selection: list[Annotated[int, Field(ge=0, le=2**31 - 1), NUMBER]] = Field(
        default_factory=list, max_length=MOST_SELECTED
    )


class Asking(BaseModel):
    """The tab that asks: it is not told of itself."""

    client: Client | None = None


class OtherEditor(Model):
    """Somebody else, heard of in the last ten seconds."""

    client: str
    user: dict[str, Any]
    age_s: float
    x: float | None
    y: float | None
    tool: str
    selection: list[int]


class Others(Model):
    """Who else has the plan open."""

    others: list[OtherEditor]


@presence.get("", responses=answers(404, ok=Others))
@allow("plan:read")
def list_others(path: PlanPath, query: Asking) -> dict[str, Any]:
    """Return who else was heard of in the last ten seconds."""
    return {"others": of_service().presence.others(path.plan_id, current_user().id, query.client)}


@presence.post("", responses=answers(404, ok=Others))
@allow("plan:read")
def point(path: PlanPath, body: Cursor) -> dict[str, Any]:
    """Say where one points, and learn where the others do; kept in memory, for seconds."""
    user, service = current_user(), of_service()
    says = body.model_dump(exclude={"client"})
    if may("plan:edit"):
        service.desk.warm(
            service.plan_store.get(path.plan_id).dataset_id
        )  # ready when the first heavy edit comes
    service.presence.say(path.plan_id, body.client, user.id, user.label, says)
    return {"others": service.presence.others(path.plan_id, user.id, body.client)}
