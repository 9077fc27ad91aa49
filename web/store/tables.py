"""The tables of the store, the same on SQLite and on PostgreSQL.

Each table has a number that grows by one a row: what came first is told by it, never by a clock. Ids that leave the
service are 32 hexadecimal digits in a column of their own.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from sqlalchemy import (
    Boolean,
    CheckConstraint,
    Column,
    Double,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    Table,
    Text,
    UniqueConstraint,
)
from sqlalchemy.types import TypeDecorator

from web.errors import BadRequestError

if TYPE_CHECKING:
    from sqlalchemy.engine import Dialect

NAMING = {
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(column_0_N_name)s",
    "pk": "pk_%(table_name)s",
}
METADATA = MetaData(naming_convention=NAMING)


class Json(TypeDecorator[Any]):
    """A JSON value kept as text, byte by byte the same in both databases, so that hashes over it hold.

    PostgreSQL's own type would reorder keys and rewrite numbers.
    """

    impl = Text
    cache_ok = True

    def process_bind_param(self, value: Any, dialect: Dialect) -> str:  # noqa: ARG002 - the signature is given
        """Return the text to store."""
        return canonical(value)

    def process_result_value(self, value: Any, dialect: Dialect) -> Any:  # noqa: ARG002 - the signature is given
        """Return the value of the stored text."""
        return None if value is None else json.loads(value)


class Line(TypeDecorator[str]):
    """Text that both databases can hold: no NUL, no half of a surrogate pair."""

    impl = Text
    cache_ok = True

    def process_bind_param(self, value: str | None, dialect: Dialect) -> str | None:  # noqa: ARG002 - as above
        """Return the text, or refuse it.

        Raises
        ------
        BadRequestError
            If a character in it cannot be stored.
        """
        if value is not None and not storable(value):
            raise BadRequestError(
                "text-unusable",
                "文字中含有无法保存的字符，请删除后重试。",
                "The text holds a character that cannot be stored; remove it and try again.",
            )
        return value


def storable(value: str) -> bool:
    """Whether both databases can hold a text."""
    return "\x00" not in value and not any("\ud800" <= letter <= "\udfff" for letter in value)


def canonical(value: Any) -> str:
    """Return the one JSON text of a value: keys sorted, no blanks, ASCII."""
    return json.dumps(value, ensure_ascii=True, sort_keys=True, separators=(",", ":"), allow_nan=False)


def settled(value: Any) -> Any:
    """Return a value as it comes back from the store: lists for tuples, text for keys."""
    return json.loads(canonical(value))


def _number() -> Column[int]:
    return Column("number", Integer, primary_key=True, autoincrement=True)


def _id() -> Column[str]:
    return Column("id", Line, nullable=False, unique=True)


def _text(name: str) -> Column[Any]:
    return Column(name, Line, nullable=False)


def _json(name: str) -> Column[Any]:
    return Column(name, Json, nullable=False)


projects = Table(
    "projects",
    METADATA,
    _number(),
    _id(),
    Column("name", Line, nullable=False),
    Column("kind", Line, nullable=False),
    Column("state", Line, nullable=False),
    Column("created", Line, nullable=False),
    _json("files"),
    _json("layers"),
    _json("columns"),
    _json("summary"),
    _json("findings"),
)

jobs = Table(
    "jobs",
    METADATA,
    _number(),
    _id(),
    # No foreign key: a job's folder has to go before its row, and a cascade would leave the folder.
    Column("project", Line, nullable=False),
    Column("kind", Line, nullable=False),
    Column("state", Line, nullable=False),
    _json("parameters"),
    Column("created", Line, nullable=False),
    Column("started", Line),
    Column("ended", Line),
    Column("pid", Integer),
    Column("process_start", Line),
    Column("attempts", Integer, nullable=False),
    Column("heartbeat", Line),
    _json("progress"),
    _json("error"),
    Index(None, "project"),
    Index(None, "state"),
)

facts = Table(
    "facts",
    METADATA,
    Column("name", Line, primary_key=True),
    Column("value", Json, nullable=False),
)

datasets = Table(
    "datasets",
    METADATA,
    _number(),
    _id(),
    Column("created", Line, nullable=False),
    Column("cells", Integer, nullable=False),
    _json("facts"),
)

plans = Table(
    "plans",
    METADATA,
    _number(),
    _id(),
    Column("project_id", Line, ForeignKey("projects.id", ondelete="CASCADE"), nullable=False),
    Column("dataset_id", Line, ForeignKey("datasets.id"), nullable=False),
    Column("name", Line, nullable=False),
    Column("status", Line, nullable=False),
    Column("revision", Integer, nullable=False),
    Column("genesis", Line, nullable=False),
    Column("head_hash", Line, nullable=False),
    Column("parent_id", Line),
    Column("parent_revision", Integer),
    Column("job_id", Line, unique=True),
    _json("standard"),
    _json("parameters"),
    _json("summary"),
    Column("published_revision", Integer),
    Column("user_id", Line),
    _text("user_name"),
    Column("created", Line, nullable=False),
    Column("updated", Line, nullable=False),
    Column("removed", Line),
    CheckConstraint(
        "status IN ('draft', 'consultation', 'approved', 'published', 'withdrawn')", name="status"
    ),
    Index(None, "project_id"),
    Index(None, "dataset_id"),
)

edits = Table(
    "edits",
    METADATA,
    Column("plan_id", Line, ForeignKey("plans.id", ondelete="CASCADE"), primary_key=True),
    Column("revision", Integer, primary_key=True, autoincrement=False),
    Column("op_id", Line, nullable=False),
    Column("user_id", Line),
    _text("user_name"),
    Column("at", Line, nullable=False),
    Column("kind", Line, nullable=False),
    _json("request"),
    _json("change"),
    Column("undoes", Integer),
    Column("redoes", Integer),
    Column("hash", Line, nullable=False),
    UniqueConstraint("plan_id", "op_id"),
    CheckConstraint("revision > 0", name="revision"),
)

snapshots = Table(
    "snapshots",
    METADATA,
    Column("plan_id", Line, ForeignKey("plans.id", ondelete="CASCADE"), primary_key=True),
    Column("revision", Integer, primary_key=True, autoincrement=False),
    Column("at", Line, nullable=False),
    Column("content", LargeBinary, nullable=False),
)

versions = Table(
    "versions",
    METADATA,
    _number(),
    _id(),
    Column("plan_id", Line, ForeignKey("plans.id", ondelete="CASCADE"), nullable=False),
    Column("revision", Integer, nullable=False),
    Column("name", Line, nullable=False),
    _text("note"),
    Column("user_id", Line),
    _text("user_name"),
    Column("at", Line, nullable=False),
    UniqueConstraint("plan_id", "name"),
)

comments = Table(
    "comments",
    METADATA,
    _number(),
    _id(),
    Column("plan_id", Line, ForeignKey("plans.id", ondelete="CASCADE"), nullable=False),
    Column("grid", Integer),
    Column("revision", Integer, nullable=False),
    Column("text", Line, nullable=False),
    Column("resolved", Boolean, nullable=False),
    Column("user_id", Line),
    _text("user_name"),
    Column("at", Line, nullable=False),
    Column("edited", Line),
    Index(None, "plan_id"),
)

users = Table(
    "users",
    METADATA,
    _number(),
    _id(),
    Column("name", Line, nullable=False),
    Column("name_key", Line, nullable=False, unique=True),
    _text("display_name"),
    Column("password_hash", Line),
    Column("admin", Boolean, nullable=False),
    Column("active", Boolean, nullable=False),
    Column("issuer", Line),
    Column("subject", Line),
    Column("created", Double, nullable=False),
    UniqueConstraint("issuer", "subject"),
)

sessions = Table(
    "sessions",
    METADATA,
    Column("token_hash", Line, primary_key=True),
    Column("user_id", Line, ForeignKey("users.id", ondelete="CASCADE"), nullable=False),
    # Seconds since 1970: these are compared and never shown.
    Column("created", Double, nullable=False),
    Column("seen", Double, nullable=False),
    _text("address"),
    _text("agent"),
    Index(None, "user_id"),
)

memberships = Table(
    "memberships",
    METADATA,
    Column("project_id", Line, ForeignKey("projects.id", ondelete="CASCADE"), primary_key=True),
    Column("user_id", Line, ForeignKey("users.id", ondelete="CASCADE"), primary_key=True),
    Column("role", Line, nullable=False),
    CheckConstraint("role IN ('viewer', 'editor', 'owner')", name="role"),
    Index(None, "user_id"),
)

audit = Table(
    "audit",
    METADATA,
    Column("seq", Integer, primary_key=True, autoincrement=False),
    Column("at", Double, nullable=False),
    Column("action", Line, nullable=False),
    Column("user_id", Line),
    _text("user_name"),
    Column("project", Line),
    _json("what"),
    _text("address"),
    Column("hash", Line, nullable=False),
    Index(None, "project"),
    Index(None, "user_id"),
)
