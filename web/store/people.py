"""Users, their sessions, and their roles in projects; what they mean is decided by `web.auth`."""

from __future__ import annotations

import unicodedata
from typing import TYPE_CHECKING, Any, cast

from sqlalchemy import delete, insert, or_, select, update

from web.auth.people import Member, Role, Session, User
from web.errors import ConflictError, NotFoundError
from web.store.rows import record_of, values_of
from web.store.tables import memberships, sessions, storable, users

if TYPE_CHECKING:
    from sqlalchemy import Connection, RowMapping

    from web.store.engine import Database


def name_key(name: str) -> str:
    """Return what two spellings of one name share: case and width do not count."""
    return unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", name).casefold())


class PeopleStore:
    """Keep users, sessions and memberships; safe to call from several threads."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def add_user(self, user: User) -> User:
        """Keep a new user.

        Raises
        ------
        ConflictError
            ``name-taken`` when there is one of that name, ``subject-taken`` when one is that person elsewhere.
        """
        with self._database.writing() as connection:
            _check_free(connection, user)
            connection.execute(insert(users).values(**_user_values(user)))
        return user

    def save_user(self, user: User) -> User:
        """Replace the user of this id.

        Raises
        ------
        NotFoundError
            If there is none.
        ConflictError
            As for `add_user`.
        """
        with self._database.writing() as connection:
            if connection.execute(select(users.c.number).where(users.c.id == user.id)).first() is None:
                raise _user_missing()
            _check_free(connection, user)
            connection.execute(update(users).where(users.c.id == user.id).values(**_user_values(user)))
        return user

    def user(self, user_id: str) -> User | None:
        """Return a user."""
        return self._one(users.c.id == user_id) if storable(user_id) else None

    def user_named(self, name: str) -> User | None:
        """Return the user of a name, without regard to case."""
        return self._one(users.c.name_key == name_key(name)) if storable(name) else None

    def user_of_subject(self, issuer: str, subject: str) -> User | None:
        """Return who a person at an identity provider is here."""
        return self._one((users.c.issuer == issuer) & (users.c.subject == subject))

    def users(self) -> list[User]:
        """Return all users by name."""
        with self._database.reading() as connection:
            rows = connection.execute(select(users).order_by(users.c.name_key)).mappings().all()
        return [record_of(User, row) for row in rows]

    def role(self, user_id: str, project_id: str) -> Role | None:
        """Return the role of a user in a project."""
        wanted = select(memberships.c.role).where(
            memberships.c.user_id == user_id, memberships.c.project_id == project_id
        )
        with self._database.reading() as connection:
            return cast("Role | None", connection.execute(wanted).scalar())

    def roles(self, user_id: str) -> dict[str, Role]:
        """Return the projects of a user, with the role in each."""
        wanted = select(memberships.c.project_id, memberships.c.role).where(memberships.c.user_id == user_id)
        with self._database.reading() as connection:
            return {row.project_id: row.role for row in connection.execute(wanted)}

    def members(self, project_id: str) -> list[Member]:
        """Return who works in a project, by name."""
        wanted = (
            select(users, memberships.c.role)
            .join(memberships, memberships.c.user_id == users.c.id)
            .where(memberships.c.project_id == project_id)
            .order_by(users.c.name_key)
        )
        with self._database.reading() as connection:
            rows = connection.execute(wanted).mappings().all()
        return [Member(record_of(User, row), row["role"]) for row in rows]

    def set_member(self, project_id: str, user_id: str, role: Role) -> None:
        """Give a user a role in a project.

        Raises
        ------
        NotFoundError
            If there is no such user.
        """
        with self._database.writing() as connection:
            if connection.execute(select(users.c.number).where(users.c.id == user_id)).first() is None:
                raise _user_missing()
            connection.execute(delete(memberships).where(_membership(project_id, user_id)))
            connection.execute(insert(memberships).values(project_id=project_id, user_id=user_id, role=role))

    def remove_member(self, project_id: str, user_id: str) -> None:
        """Take a user out of a project."""
        with self._database.writing() as connection:
            connection.execute(delete(memberships).where(_membership(project_id, user_id)))

    def add_session(self, session: Session) -> None:
        """Keep a new session."""
        with self._database.writing() as connection:
            connection.execute(insert(sessions).values(**values_of(session)))

    def session(self, token_hash: str) -> Session | None:
        """Return a session."""
        with self._database.reading() as connection:
            found = connection.execute(select(sessions).where(sessions.c.token_hash == token_hash))
            row = found.mappings().first()
        return None if row is None else record_of(Session, row)

    def touch_session(self, token_hash: str, *, created: float, seen: float) -> None:
        """Note that a session was used."""
        with self._database.writing() as connection:
            connection.execute(
                update(sessions).where(sessions.c.token_hash == token_hash).values(created=created, seen=seen)
            )

    def remove_session(self, token_hash: str) -> None:
        """End a session."""
        self._end(sessions.c.token_hash == token_hash)

    def remove_sessions(self, user_id: str, *, keep: str | None = None) -> int:
        """End the sessions of a user but one; returns how many."""
        return self._end((sessions.c.user_id == user_id) & (sessions.c.token_hash != (keep or "")))

    def remove_sessions_before(self, created: float, seen: float) -> int:
        """Forget sessions made before `created` or last seen before `seen`; returns how many."""
        return self._end(or_(sessions.c.created < created, sessions.c.seen < seen))

    def _end(self, condition: Any) -> int:
        with self._database.writing() as connection:
            return int(connection.execute(delete(sessions).where(condition)).rowcount)

    def _one(self, condition: Any) -> User | None:
        with self._database.reading() as connection:
            row: RowMapping | None = connection.execute(select(users).where(condition)).mappings().first()
        return None if row is None else record_of(User, row)


def _membership(project_id: str, user_id: str) -> Any:
    return (memberships.c.project_id == project_id) & (memberships.c.user_id == user_id)


def _user_values(user: User) -> dict[str, Any]:
    return values_of(user) | {"name_key": name_key(user.name)}


def _check_free(connection: Connection, user: User) -> None:
    others = select(users.c.number).where(users.c.id != user.id)
    if connection.execute(others.where(users.c.name_key == name_key(user.name))).first() is not None:
        raise ConflictError(
            "name-taken",
            f"已有名为“{user.name}”的用户，请换一个名字。",
            f"There is a user named '{user.name}' already; choose another name.",
        )
    if user.subject is None:
        return
    same = others.where(users.c.issuer == user.issuer, users.c.subject == user.subject)
    if connection.execute(same).first() is not None:
        raise ConflictError(
            "subject-taken",
            "该外部账号已绑定到另一位用户。",
            "This account of the identity provider belongs to another user already.",
        )


def _user_missing() -> NotFoundError:
    return NotFoundError("user-missing", "没有这个用户。", "There is no such user.")
