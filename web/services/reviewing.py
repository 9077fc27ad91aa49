"""The way of a plan from draft to published, and what is said of it on the way."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from geo.editing.publish import open_errors
from web.errors import ConflictError, ForbiddenError, NotFoundError
from web.store.records import CommentRecord

if TYPE_CHECKING:
    from collections.abc import Mapping

    from geo.editing.plan import Plan
    from web.services.books import Books
    from web.services.editing import Author
    from web.services.plans import Plans
    from web.store import Job, Stores
    from web.store.records import PlanRecord, PlanStatus

STEPS: Mapping[PlanStatus, tuple[PlanStatus, ...]] = {
    "draft": ("consultation",),
    "consultation": ("draft", "approved"),
    "approved": ("draft", "published"),
    "published": ("withdrawn",),
    "withdrawn": ("draft",),
}
"""What each status may become."""
WEIGHTY = frozenset({"approved", "published", "withdrawn"})
"""Statuses that only an owner of the project gives."""


class Reviewing:
    """Change the status of plans, publish them, keep comments."""

    def __init__(self, stores: Stores, books: Books, jobs: Plans) -> None:
        self._stores = stores
        self._books = books
        self._jobs = jobs

    def set_status(self, plan_id: str, status: PlanStatus) -> tuple[PlanRecord, Job | None]:
        """Take a plan one step further, or back; return it and the job that writes it for publication, if any.

        Raises
        ------
        NotFoundError
            If there is no such plan.
        ConflictError
            ``status-step`` when this step does not follow; ``plan-not-publishable`` naming every open error.
        """
        with self._books.held(plan_id) as (record, book):  # no edit comes in between
            if status not in STEPS[record.status]:
                raise _no_step(record.status, status)
            if status == "published":
                _refuse_errors(book.plan)
                changed = self._stores.plans.update(plan_id, status=status, published_revision=book.revision)
                return changed, self._publish(record, changed, book.plan)
            changed = self._stores.plans.update(plan_id, status=status)
        if status == "withdrawn":
            self._stores.published.remove(plan_id)
        return changed, None

    def export(self, plan_id: str) -> Job:
        """Start a job that writes a plan as files.

        Raises
        ------
        NotFoundError
            If there is no such plan.
        """
        record, plan, revision = self._books.current(plan_id)
        return self._jobs.export(record.project_id, plan_id, revision, record.dataset_id, plan, record.name)

    def exported(self, job: Job) -> None:
        """Put a finished export into the published table, if it is the one that its plan is published as."""
        plan_id, revision = job.parameters.get("plan"), job.parameters.get("revision")
        try:
            record = self._stores.plans.get(str(plan_id))
        except NotFoundError:  # deleted meanwhile: the files are there all the same
            return
        if record.status != "published" or record.published_revision != revision:
            return
        rows = self._jobs.published_rows(job)
        project = self._stores.projects.get(record.project_id)
        self._stores.published.write(record, rows, project_name=project.name)

    def comment(self, plan_id: str, author: Author, *, text: str, grid: int | None) -> CommentRecord:
        """Keep a comment on a plan, or on one of its grids.

        Raises
        ------
        NotFoundError
            If there is no such plan, or it has no such grid.
        """
        record, plan, revision = self._books.current(plan_id)
        if grid is not None and grid not in plan.grids:
            raise NotFoundError(
                "grid-missing",
                f"方案中没有编号为 {grid} 的网格。",
                f"The plan has no grid {grid}.",
                grid=grid,
            )
        return self._stores.reviews.add_comment(
            CommentRecord(
                plan_id=record.id,
                revision=revision,
                text=text,
                grid=grid,
                user_id=author.id,
                user_name=author.label,
            )
        )

    def change_comment(
        self, plan_id: str, comment_id: str, author: Author, *, text: str | None, resolved: bool | None
    ) -> CommentRecord:
        """Change what one's own comment says, or settle any comment.

        Raises
        ------
        NotFoundError, ForbiddenError
            If there is no such comment; if another one's text is to be changed.
        """
        found = self._stores.reviews.comment(plan_id, comment_id)
        if text is not None and found.user_id != author.id:
            raise _of_another()
        return self._stores.reviews.update_comment(plan_id, comment_id, text=text, resolved=resolved)

    def remove_comment(self, plan_id: str, comment_id: str, author: Author, *, any_author: bool) -> None:
        """Delete one's own comment, or anybody's with `any_author`.

        Raises
        ------
        NotFoundError, ForbiddenError
            If there is no such comment; if it is another one's.
        """
        found = self._stores.reviews.comment(plan_id, comment_id)
        if found.user_id != author.id and not any_author:
            raise _of_another()
        self._stores.reviews.remove_comment(plan_id, comment_id)

    def _publish(self, before: PlanRecord, record: PlanRecord, plan: Plan) -> Job:
        try:
            return self._jobs.export(
                record.project_id, record.id, record.revision, record.dataset_id, plan, record.name
            )
        except BaseException:
            self._stores.plans.update(
                record.id, status=before.status, published_revision=before.published_revision
            )
            raise


def comment_json(comment: CommentRecord) -> dict[str, Any]:
    """Return a comment as the interface shows it."""
    return {
        "id": comment.id,
        "revision": comment.revision,
        "grid": comment.grid,
        "text": comment.text,
        "resolved": comment.resolved,
        "user": {"id": comment.user_id, "name": comment.user_name},
        "at": comment.at,
        "edited": comment.edited,
    }


def _refuse_errors(plan: Plan) -> None:
    errors = open_errors(plan)
    if errors:
        raise ConflictError(
            "plan-not-publishable",
            f"方案还有 {len(errors)} 处错误，不能发布。请逐一处理后再发布。",
            f"The plan cannot be published while it has errors ({len(errors)}). Mend them first.",
            errors=errors,
        )


def _no_step(present: PlanStatus, wanted: str) -> ConflictError:
    allowed = STEPS[present]
    return ConflictError(
        "status-step",
        f"状态为“{present}”的方案只能变为：{'、'.join(allowed)}。",
        f"A plan that is '{present}' can become: {', '.join(allowed)}.",
        status=present,
        wanted=wanted,
        allowed=list(allowed),
    )


def _of_another() -> ForbiddenError:
    return ForbiddenError(
        "comment-of-another",
        "这是他人的意见，不能更改。",
        "This comment is somebody else's and cannot be changed.",
    )
