"""What is said of plans: names for revisions, and comments."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sqlalchemy import delete, insert, select, update

from web.errors import ConflictError, NotFoundError, plan_missing
from web.store.files import is_id
from web.store.models import now
from web.store.records import CommentRecord, VersionRecord
from web.store.rows import record_of, values_of
from web.store.tables import comments, plans, versions

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from web.store.engine import Database


class ReviewStore:
    """Keep versions and comments of plans; safe to call from several threads."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def add_version(self, version: VersionRecord) -> VersionRecord:
        """Give a revision a name.

        Raises
        ------
        NotFoundError
            If the plan is not there or has not come so far.
        ConflictError
            ``version-name-taken`` when another version of the plan has the name.
        """
        with self._database.writing() as connection:
            _check_plan(connection, version.plan_id, version.revision)
            same = select(versions.c.number).where(
                versions.c.plan_id == version.plan_id, versions.c.name == version.name
            )
            if connection.execute(same).first() is not None:
                raise ConflictError(
                    "version-name-taken",
                    f"该方案已有名为“{version.name}”的版本，请换一个名字。",
                    f"This plan has a version '{version.name}' already; choose another name.",
                )
            connection.execute(insert(versions).values(**values_of(version)))
        return version

    def versions(self, plan_id: str) -> list[VersionRecord]:
        """Return the versions of a plan in the order they were named."""
        wanted = select(versions).where(versions.c.plan_id == plan_id).order_by(versions.c.number)
        with self._database.reading() as connection:
            return [record_of(VersionRecord, row) for row in connection.execute(wanted).mappings()]

    def version(self, plan_id: str, version_id: str) -> VersionRecord:
        """Return a version of a plan.

        Raises
        ------
        NotFoundError
            If there is none with this id.
        """
        wanted = select(versions).where(versions.c.plan_id == plan_id, versions.c.id == version_id)
        with self._database.reading() as connection:
            row = connection.execute(wanted).mappings().first() if is_id(version_id) else None
        if row is None:
            raise NotFoundError("version-missing", "没有这个版本。", "There is no such version.")
        return record_of(VersionRecord, row)

    def add_comment(self, comment: CommentRecord) -> CommentRecord:
        """Keep a comment.

        Raises
        ------
        NotFoundError
            If the plan is not there or has not come so far.
        """
        with self._database.writing() as connection:
            _check_plan(connection, comment.plan_id, comment.revision)
            connection.execute(insert(comments).values(**values_of(comment)))
        return comment

    def comments(self, plan_id: str, *, grid: int | None = None) -> list[CommentRecord]:
        """Return the comments on a plan, or on one grid of it, in the order they were made."""
        wanted = select(comments).where(comments.c.plan_id == plan_id).order_by(comments.c.number)
        if grid is not None:
            wanted = wanted.where(comments.c.grid == grid)
        with self._database.reading() as connection:
            return [record_of(CommentRecord, row) for row in connection.execute(wanted).mappings()]

    def comment(self, plan_id: str, comment_id: str) -> CommentRecord:
        """Return a comment.

        Raises
        ------
        NotFoundError
            If there is none with this id on the plan.
        """
        with self._database.reading() as connection:
            row = connection.execute(select(comments).where(_is(plan_id, comment_id))).mappings().first()
        if row is None:
            raise _comment_missing()
        return record_of(CommentRecord, row)

    def update_comment(
        self, plan_id: str, comment_id: str, *, text: str | None = None, resolved: bool | None = None
    ) -> CommentRecord:
        """Change what a comment says, or whether it is settled.

        Raises
        ------
        NotFoundError
            If there is none with this id on the plan.
        """
        changes: dict[str, Any] = {} if resolved is None else {"resolved": resolved}
        if text is not None:
            changes |= {"text": text, "edited": now()}
        with self._database.writing() as connection:
            if changes:
                connection.execute(update(comments).where(_is(plan_id, comment_id)).values(**changes))
            return self.comment(plan_id, comment_id)

    def remove_comment(self, plan_id: str, comment_id: str) -> None:
        """Delete a comment.

        Raises
        ------
        NotFoundError
            If there is none with this id on the plan.
        """
        with self._database.writing() as connection:
            if not connection.execute(delete(comments).where(_is(plan_id, comment_id))).rowcount:
                raise _comment_missing()


def _is(plan_id: str, comment_id: str) -> Any:
    if not is_id(comment_id):
        raise _comment_missing()
    return (comments.c.plan_id == plan_id) & (comments.c.id == comment_id)


def _check_plan(connection: Connection, plan_id: str, revision: int) -> None:
    wanted = select(plans.c.revision).where(plans.c.id == plan_id, plans.c.removed.is_(None))
    head = connection.execute(wanted).scalar()
    if head is None or not 0 <= revision <= head:
        raise plan_missing()


def _comment_missing() -> NotFoundError:
    return NotFoundError("comment-missing", "没有这条意见。", "There is no such comment.")
