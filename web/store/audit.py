"""The audit log: who did what, one row after the other, none of them ever changed."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

from sqlalchemy import desc, insert, select

from web.auth.people import AuditEntry
from web.errors import ChainError
from web.store.chain import START, link
from web.store.rows import record_of, values_of
from web.store.tables import audit, settled

if TYPE_CHECKING:
    from sqlalchemy import RowMapping

    from web.store.engine import Database

PAGE_LIMIT = 1000


class AuditStore:
    """Keep the audit log. Inside `Database.writing` an entry is committed with what it tells of."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def add(self, entry: AuditEntry) -> None:
        """Append an entry; its `seq` and, when it has none, its time are set here."""
        with self._database.writing() as connection:
            last = connection.execute(
                select(audit.c.seq, audit.c.hash).order_by(desc(audit.c.seq)).limit(1)
            ).first()
            seq, previous = (last.seq + 1, last.hash) if last is not None else (1, START)
            at = float(entry.at or time.time())
            row = values_of(entry) | {"seq": seq, "at": at, "what": settled(dict(entry.what))}
            connection.execute(insert(audit).values(**row, hash=link(previous, _content(row))))

    def page(
        self,
        *,
        project: str | None = None,
        user: str | None = None,
        action: str | None = None,
        since: float | None = None,
        until: float | None = None,
        before: int | None = None,
        limit: int = 50,
    ) -> list[AuditEntry]:
        """Return entries, newest first; `before` is the `seq` that the page before ended with."""
        wanted = select(audit).order_by(desc(audit.c.seq)).limit(min(max(limit, 0), PAGE_LIMIT))
        if project is not None:
            wanted = wanted.where(audit.c.project == project)
        if user is not None:
            wanted = wanted.where(audit.c.user_id == user)
        if action is not None:
            wanted = wanted.where(audit.c.action == action)
        if since is not None:
            wanted = wanted.where(audit.c.at >= since)
        if until is not None:
            wanted = wanted.where(audit.c.at <= until)
        if before is not None:
            wanted = wanted.where(audit.c.seq < before)
        with self._database.reading() as connection:
            return [record_of(AuditEntry, row) for row in connection.execute(wanted).mappings()]

    def verify(self) -> int:
        """Check every row against the one before; return how many there are.

        Raises
        ------
        ChainError
            If a row was changed or is missing, naming the first.
        """
        previous, expected = START, 1
        with self._database.reading() as connection:
            log = select(audit).order_by(audit.c.seq).execution_options(yield_per=500)
            with connection.execute(log) as rows:
                for row in rows.mappings():
                    if row["seq"] != expected or row["hash"] != link(previous, _content(row)):
                        raise _broken(expected)
                    previous, expected = row["hash"], expected + 1
        return expected - 1


def _content(row: RowMapping | dict[str, Any]) -> list[Any]:
    names = ("seq", "at", "action", "user_id", "user_name", "project", "what", "address")
    return [row[name] for name in names]


def _broken(seq: int) -> ChainError:
    return ChainError(
        "audit-changed",
        f"审计日志自第 {seq} 条起被改动过。请从备份恢复，并联系管理员。",
        f"The audit log was changed from entry {seq} on. Restore a backup and tell your administrator.",
        seq=seq,
    )
