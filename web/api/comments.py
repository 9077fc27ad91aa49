"""Comments on a plan or on one of its grids."""

from typing import Annotated, Any

from pydantic import BaseModel, Field

from web.api.common import Id, Model, PlanPath, Question, answers, blueprint
from web.auth.rules import allow, audited, current_user, may
from web.forms import of_service
from web.services.reviewing import comment_json
from web.services.values import FORM_NUMBER, NUMBER

comments = blueprint("comments", prefix="/plans/<plan_id>/comments", tag="Comments")

Text = Annotated[str, Field(min_length=1, max_length=4000, pattern=r"\S")]


class CommentPath(PlanPath):
    """Address of a comment."""

    comment_id: Id


class OnGrid(BaseModel):
    """Comments on one grid only."""

    grid: Annotated[int, Field(ge=1, le=2**31 - 1), FORM_NUMBER] | None = None


class NewComment(Question):
    """What is said, of a grid or of the plan."""

    text: Text
    grid: Annotated[int, Field(ge=1, le=2**31 - 1), NUMBER] | None = None


class CommentChange(Question):
    """Another text, or whether it is settled."""

    text: Text | None = None
    resolved: bool | None = Field(default=None, strict=True)


class CommentAnswer(Model):
    """A comment."""

    id: Id
    revision: int
    grid: int | None
    text: str
    resolved: bool
    user: dict[str, Any]
    at: str
    edited: str | None


class CommentList(Model):
    """Comments in the order they were made."""

    comments: list[CommentAnswer]


@comments.get("", responses=answers(404, ok=CommentList))
@allow("plan:read")
def list_comments(path: PlanPath, query: OnGrid) -> dict[str, Any]:
    """List the comments on a plan, or on one grid."""
    found = of_service().reviews.comments(path.plan_id, grid=query.grid)
    return {"comments": [comment_json(item) for item in found]}


@comments.post("", responses=answers(404, 507, created=CommentAnswer))
@allow("plan:comment", audit="comment-create")
def create_comment(path: PlanPath, body: NewComment) -> tuple[dict[str, Any], int]:
    """Comment on a plan or a grid."""
    made = of_service().reviewing.comment(path.plan_id, current_user(), text=body.text, grid=body.grid)
    audited(comment=made.id)
    return comment_json(made), 201


@comments.patch("/<comment_id>", responses=answers(404, 507, ok=CommentAnswer))
@allow("plan:comment", audit="comment-change")
def change_comment(path: CommentPath, body: CommentChange) -> dict[str, Any]:
    """Settle a comment, or change the text of one's own."""
    made = of_service().reviewing.change_comment(
        path.plan_id, path.comment_id, current_user(), text=body.text, resolved=body.resolved
    )
    audited(comment=made.id)
    return comment_json(made)


@comments.delete("/<comment_id>", responses=answers(404, 507, empty=True))
@allow("plan:comment", audit="comment-delete")
def delete_comment(path: CommentPath) -> tuple[str, int]:
    """Delete one's own comment; an owner of the project deletes any."""
    of_service().reviewing.remove_comment(
        path.plan_id, path.comment_id, current_user(), any_author=may("plan:own")
    )
    audited(comment=path.comment_id)
    return "", 204
