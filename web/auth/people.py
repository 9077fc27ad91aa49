"""Who there is: users, their sessions, their roles in projects, and what is kept of what they did.

The records are plain values. The store keeps them; whatever offers the methods of `PeopleStore` and `AuditStore`
is one.
"""

from __future__ import annotations

import uuid
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal, Protocol

if TYPE_CHECKING:
    from collections.abc import Mapping

Role = Literal["viewer", "editor", "owner"]
ROLES: tuple[Role, ...] = ("viewer", "editor", "owner")
"""Each may do what those before it may, and more."""


def _new_id() -> str:
    return uuid.uuid4().hex


@dataclass(frozen=True)
class User:
    """Somebody who may sign in."""

    name: str
    """What is typed to sign in; unique without regard to case."""
    id: str = field(default_factory=_new_id)
    display_name: str = ""
    password_hash: str | None = field(default=None, repr=False)
    """None for one who signs in elsewhere only."""
    admin: bool = False
    active: bool = True
    issuer: str | None = None
    subject: str | None = None
    """The person at the identity provider `issuer`."""
    created: float = 0.0
    """Seconds since 1970, as all times here."""

    @property
    def label(self) -> str:
        """What others see."""
        return self.display_name or self.name


@dataclass(frozen=True)
class Session:
    """One signed-in browser."""

    token_hash: str
    """Keyed hash of what the browser holds: who reads the store cannot sign in with it."""
    user_id: str
    created: float
    seen: float
    address: str = ""
    agent: str = ""


@dataclass(frozen=True)
class Member:
    """A user in a project."""

    user: User
    role: Role


@dataclass(frozen=True)
class AuditEntry:
    """One thing that was done: never with data of households."""

    action: str
    """Kebab-case, e.g. ``sign-in``, ``member-added``."""
    user_id: str | None = None
    user_name: str = ""
    """As it was at the time."""
    project: str | None = None
    what: Mapping[str, Any] = field(default_factory=dict)
    """A few small values: ids, names, numbers."""
    address: str = ""
    at: float = 0.0
    seq: int = 0
    """Place in the log; given by the store."""


class PeopleStore(Protocol):
    """Keeps users, sessions and memberships."""

    def add_user(self, user: User) -> User:
        """Keep a new user; ConflictError ``name-taken`` when there is one of that name."""

    def user(self, user_id: str) -> User | None:
        """Return a user."""

    def user_named(self, name: str) -> User | None:
        """Return the user of a name, without regard to case."""

    def user_of_subject(self, issuer: str, subject: str) -> User | None:
        """Return who a person at an identity provider is here."""

    def users(self) -> list[User]:
        """Return all users by name."""

    def save_user(self, user: User) -> User:
        """Replace the user of this id."""

    def role(self, user_id: str, project_id: str) -> Role | None:
        """Return the role of a user in a project."""

    def roles(self, user_id: str) -> dict[str, Role]:
        """Return the projects of a user, with the role in each."""

    def members(self, project_id: str) -> list[Member]:
        """Return who works in a project, by name."""

    def set_member(self, project_id: str, user_id: str, role: Role) -> None:
        """Give a user a role in a project."""

    def remove_member(self, project_id: str, user_id: str) -> None:
        """Take a user out of a project."""

    def add_session(self, session: Session) -> None:
        """Keep a new session."""

    def session(self, token_hash: str) -> Session | None:
        """Return a session."""

    def touch_session(self, token_hash: str, *, created: float, seen: float) -> None:
        """Note that a session was used."""

    def remove_session(self, token_hash: str) -> None:
        """End a session."""

    def remove_sessions(self, user_id: str, *, keep: str | None = None) -> int:
        """End the sessions of a user but one; returns how many."""

    def remove_sessions_before(self, created: float, seen: float) -> int:
        """Forget sessions made before `created` or last seen before `seen`; returns how many."""


class AuditStore(Protocol):
    """Keeps what was done; nothing in it is ever changed."""

    def add(self, entry: AuditEntry) -> None:
        """Append an entry."""

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
