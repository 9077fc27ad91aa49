"""Plans: their head, their edits one after the other, and snapshots to start from."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Any, cast

from sqlalchemy import delete, desc, func, insert, select, update

from web.auth.people import AuditEntry
from web.errors import ChainError, StaleError, plan_missing
from web.store.audit import AuditStore
from web.store.chain import digest, link
from web.store.files import is_id
from web.store.models import now
from web.store.records import EditRecord, PlanRecord
from web.store.rows import record_of, values_of
from web.store.tables import edits, plans, settled, snapshots, storable

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from sqlalchemy import Connection, Row, RowMapping

    from web.store.engine import Database

PAGE_LIMIT = 10_000
CHANGEABLE = frozenset({"name", "status", "summary", "parameters", "standard", "published_revision"})
"""What of a plan may be set; the rest follows from its edits or was settled when it was made."""


class PlanStore:
    """Keep plans and their logs; safe to call from several threads."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._audit = AuditStore(database)

    def add(self, plan: PlanRecord, snapshot: bytes) -> PlanRecord:
        """Store a new plan with its beginning; return it, or the one that the same job made before.

        Parameters
        ----------
        snapshot
            The plan as made, revision 0; the chain of its edits hangs on it.
        """
        genesis = _genesis(plan.id, plan.dataset_id, snapshot)
        plan = dataclasses.replace(plan, revision=0, genesis=genesis, head_hash=genesis)
        with self._database.writing() as connection:
            if plan.job_id is not None:
                found = (
                    connection.execute(select(plans).where(plans.c.job_id == plan.job_id)).mappings().first()
                )
                if found is not None:
                    return record_of(PlanRecord, found)
            connection.execute(insert(plans).values(**_row(plan)))
            _keep(connection, plan.id, 0, snapshot)
        return plan

    def get(self, plan_id: str) -> PlanRecord:
        """Return a plan.

        Raises
        ------
        NotFoundError
            If there is none with this id, or it was removed.
        """
        with self._database.reading() as connection:
            return record_of(PlanRecord, _plan_row(connection, plan_id))

    def of_project(self, project_id: str) -> list[PlanRecord]:
        """Return the plans of a project, newest first."""
        return self._plans(plans.c.project_id == project_id)

    def of_dataset(self, dataset_id: str) -> list[PlanRecord]:
        """Return the plans on a dataset, newest first."""
        return self._plans(plans.c.dataset_id == dataset_id) if storable(dataset_id) else []

    def update(self, plan_id: str, **changes: Any) -> PlanRecord:
        """Set `name`, `status`, `summary`, `parameters`, `standard` or `published_revision`.

        Raises
        ------
        NotFoundError
            If there is no such plan.
        ValueError
            If something else shall be set.
        """
        if not changes.keys() <= CHANGEABLE:
            raise ValueError(f"not to be set: {sorted(changes.keys() - CHANGEABLE)}")
        with self._database.writing() as connection:
            _plan_row(connection, plan_id)
            connection.execute(
                update(plans).where(plans.c.id == plan_id).values(**_plain(changes), updated=now())
            )
            return record_of(PlanRecord, _plan_row(connection, plan_id))

    def remove(self, plan_id: str) -> None:
        """Take a plan away from sight; its log stays until its project is deleted.

        Raises
        ------
        NotFoundError
            If there is no such plan.
        """
        with self._database.writing() as connection:
            _plan_row(connection, plan_id)
            connection.execute(update(plans).where(plans.c.id == plan_id).values(removed=now()))

    def append(
        self, edit: EditRecord, expected_revision: int, *, summary: Mapping[str, Any] | None = None
    ) -> EditRecord:
        """Commit a change as revision `expected_revision` + 1; it is on the disk when this returns.

        Parameters
        ----------
        summary
            Figures of the plan afterwards, kept with its head.

        Returns
        -------
        EditRecord
            As stored; what was stored before when this `op_id` is known to the plan.

        Raises
        ------
        StaleError
            If the plan is at another revision by now; ``where`` names it.
        NotFoundError
            If there is no such plan.
        StorageFullError
            If the disk takes nothing more.
        """
        with self._database.writing() as connection:
            head = connection.execute(_head_and_known(edit.plan_id, edit.op_id)).first()
            if head is None:
                raise plan_missing()
            if head.known is not None:
                return cast("EditRecord", _edit_of(connection, edit.plan_id, edit.op_id))
            if head.revision != expected_revision:
                raise _stale(edit.plan_id, head.revision)
            edit = dataclasses.replace(
                edit,
                revision=expected_revision + 1,
                request=settled(edit.request),
                change=settled(edit.change),
            )
            edit = dataclasses.replace(edit, hash=link(head.head_hash, _content(values_of(edit))))
            connection.execute(insert(edits).values(**values_of(edit)))
            values: dict[str, Any] = {"revision": edit.revision, "head_hash": edit.hash, "updated": edit.at}
            if summary is not None:
                values["summary"] = dict(summary)
            connection.execute(update(plans).where(plans.c.id == edit.plan_id).values(**values))
            self._audit.add(_audited(edit, head.project_id))
        return edit

    def edit_of(self, plan_id: str, op_id: str) -> EditRecord | None:
        """Return the edit that an operation became, None for an unknown one."""
        with self._database.reading() as connection:
            return _edit_of(connection, plan_id, op_id)

    def edits(self, plan_id: str, after: int = 0, limit: int = PAGE_LIMIT) -> list[EditRecord]:
        """Return edits of revisions above `after`, the earliest first."""
        wanted = (
            select(edits)
            .where(edits.c.plan_id == plan_id, edits.c.revision > after)
            .order_by(edits.c.revision)
            .limit(limit)
        )
        with self._database.reading() as connection:
            return [record_of(EditRecord, row) for row in connection.execute(wanted).mappings()]

    def steps(self, plan_id: str, at_most: int) -> Sequence[Row[int, str | None, int | None, int | None]]:
        """Return ``revision``, ``user_id``, ``undoes``, ``redoes`` of a log up to a revision, earliest first."""
        columns = (edits.c.revision, edits.c.user_id, edits.c.undoes, edits.c.redoes)
        wanted = select(*columns).where(edits.c.plan_id == plan_id, edits.c.revision <= at_most)
        with self._database.reading() as connection:
            return connection.execute(wanted.order_by(edits.c.revision)).all()

    def snapshot(self, plan_id: str, at_most: int | None = None) -> tuple[int, bytes]:
        """Return the latest snapshot up to a revision, with its own revision.

        Raises
        ------
        NotFoundError
            If there is no such plan.
        """
        wanted = select(snapshots.c.revision, snapshots.c.content).where(snapshots.c.plan_id == plan_id)
        if at_most is not None:
            wanted = wanted.where(snapshots.c.revision <= at_most)
        with self._database.reading() as connection:
            found = connection.execute(wanted.order_by(desc(snapshots.c.revision)).limit(1)).first()
        if found is None:
            raise plan_missing()
        return found.revision, bytes(found.content)

    def save_snapshot(self, plan_id: str, revision: int, snapshot: bytes, *, keep: int = 20) -> None:
        """Keep the plan as it is at a revision; of later ones than the beginning only the last `keep` stay.

        Raises
        ------
        NotFoundError
            If there is no such plan, or it has not come so far.
        """
        with self._database.writing() as connection:
            if not 0 < revision <= _plan_row(connection, plan_id)["revision"]:
                raise plan_missing()
            connection.execute(
                delete(snapshots).where(snapshots.c.plan_id == plan_id, snapshots.c.revision == revision)
            )
            _keep(connection, plan_id, revision, snapshot)
            kept = (
                select(snapshots.c.revision)
                .where(snapshots.c.plan_id == plan_id)
                .order_by(desc(snapshots.c.revision))
                .limit(keep)
            )
            oldest = connection.execute(select(func.min(kept.subquery().c.revision))).scalar_one()
            connection.execute(
                delete(snapshots).where(
                    snapshots.c.plan_id == plan_id, snapshots.c.revision > 0, snapshots.c.revision < oldest
                )
            )

    def verify_chain(self, plan_id: str) -> int:
        """Check the whole log of a plan, from its beginning to its head; return its revision.

        Raises
        ------
        ChainError
            If an edit, the beginning or the head was changed or is missing, naming the first revision.
        NotFoundError
            If there is no such plan.
        """
        with self._database.reading() as connection:
            plan = _plan_row(connection, plan_id)
            first = connection.execute(
                select(snapshots.c.content).where(snapshots.c.plan_id == plan_id, snapshots.c.revision == 0)
            ).scalar()
            previous = _genesis(plan_id, plan["dataset_id"], bytes(first or b""))
            if previous != plan["genesis"]:
                raise _broken(plan_id, 0)
            expected = 1
            log = select(edits).where(edits.c.plan_id == plan_id).order_by(edits.c.revision)
            with connection.execute(log.execution_options(yield_per=500)) as rows:
                for row in rows.mappings():
                    if row["revision"] != expected or row["hash"] != link(previous, _content(row)):
                        raise _broken(plan_id, expected)
                    previous, expected = row["hash"], expected + 1
            if (plan["revision"], plan["head_hash"]) != (expected - 1, previous):
                raise _broken(plan_id, expected)
        return expected - 1

    def _plans(self, condition: Any) -> list[PlanRecord]:
        wanted = select(plans).where(condition, plans.c.removed.is_(None)).order_by(desc(plans.c.number))
        with self._database.reading() as connection:
            return [record_of(PlanRecord, row) for row in connection.execute(wanted).mappings()]


def _plan_row(connection: Connection, plan_id: str) -> RowMapping:
    if not is_id(plan_id):
        raise plan_missing()
    wanted = select(plans).where(plans.c.id == plan_id, plans.c.removed.is_(None))
    row = connection.execute(wanted).mappings().first()
    if row is None:
        raise plan_missing()
    return row


def _head_and_known(plan_id: str, op_id: str) -> Any:
    """Return the question for a plan's head and, in `known`, the revision an operation became before."""
    same = (edits.c.plan_id == plans.c.id) & (edits.c.op_id == op_id)
    columns = (plans.c.project_id, plans.c.revision, plans.c.head_hash, edits.c.revision.label("known"))
    there = (plans.c.id == plan_id) & plans.c.removed.is_(None)
    return select(*columns).select_from(plans.outerjoin(edits, same)).where(there)


def _edit_of(connection: Connection, plan_id: str, op_id: str) -> EditRecord | None:
    wanted = select(edits).where(edits.c.plan_id == plan_id, edits.c.op_id == op_id)
    row = connection.execute(wanted).mappings().first()
    return None if row is None else record_of(EditRecord, row)


def _keep(connection: Connection, plan_id: str, revision: int, content: bytes) -> None:
    connection.execute(
        insert(snapshots).values(plan_id=plan_id, revision=revision, at=now(), content=content)
    )


def _row(plan: PlanRecord) -> dict[str, Any]:
    return _plain(values_of(plan))


def _plain(values: Mapping[str, Any]) -> dict[str, Any]:
    documents = ("standard", "parameters", "summary")
    return {name: dict(value) if name in documents else value for name, value in values.items()}


def _genesis(plan_id: str, dataset_id: str, snapshot: bytes) -> str:
    return link(digest(snapshot), [plan_id, dataset_id])


CONTENT: Sequence[str] = (
    "plan_id",
    "revision",
    "op_id",
    "user_id",
    "user_name",
    "at",
    "kind",
    "request",
    "change",
    "undoes",
    "redoes",
)


def _content(row: Mapping[str, Any] | RowMapping) -> list[Any]:
    return [row[name] for name in CONTENT]


def _audited(edit: EditRecord, project_id: str) -> AuditEntry:
    what = {
        "plan": edit.plan_id,
        "revision": edit.revision,
        "op": edit.op_id,
        "kind": edit.kind,
        "hash": edit.hash,
    }
    return AuditEntry("edit", edit.user_id, edit.user_name, project_id, what)


def _stale(plan_id: str, revision: int) -> StaleError:
    return StaleError(
        "plan-changed",
        f"方案已被他人修改（现为第 {revision} 版），请取得最新内容后重试。",
        f"The plan was edited meanwhile and is at revision {revision}; fetch it and try again.",
        plan=plan_id,
        revision=revision,
    )


def _broken(plan_id: str, revision: int) -> ChainError:
    return ChainError(
        "plan-log-changed",
        f"方案 {plan_id} 的修改记录自第 {revision} 版起不完整。请从备份恢复。",
        f"The log of plan {plan_id} is not intact from revision {revision} on. Restore a backup.",
        plan=plan_id,
        revision=revision,
    )
