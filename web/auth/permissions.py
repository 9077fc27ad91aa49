"""Who may do what: one table of verbs, one question, and no for an answer unless the table says yes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, Protocol

from web.auth.people import ROLES, Role, User
from web.errors import (
    ForbiddenError,
    NotFoundError,
    SignInError,
    dataset_missing,
    job_missing,
    plan_missing,
    project_missing,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

Kind = Literal["", "project", "job", "plan", "dataset"]
Need = Literal["anyone", "user", "admin", "viewer", "editor", "owner"]


@dataclass(frozen=True)
class Verb:
    """What a verb is about, and what it takes."""

    kind: Kind
    """The object it is about; empty for none. Jobs, plans and datasets belong to projects."""
    need: Need
    """For a verb about an object: the least role in its project."""


VERBS: Mapping[str, Verb] = {
    "public": Verb("", "anyone"),
    "signed-in": Verb("", "user"),
    "admin": Verb("", "admin"),
    "project:create": Verb("", "user"),
    "project:read": Verb("project", "viewer"),
    "project:comment": Verb("project", "viewer"),
    "project:edit": Verb("project", "editor"),
    "project:own": Verb("project", "owner"),
    "job:read": Verb("job", "viewer"),
    "job:edit": Verb("job", "editor"),
    "plan:read": Verb("plan", "viewer"),
    "plan:comment": Verb("plan", "viewer"),
    "plan:edit": Verb("plan", "editor"),
    "plan:own": Verb("plan", "owner"),
    "dataset:read": Verb("dataset", "viewer"),
}

MISSING: Mapping[str, Callable[[], NotFoundError]] = {
    "project": project_missing,
    "job": job_missing,
    "plan": plan_missing,
    "dataset": dataset_missing,
}


class Places(Protocol):
    """Knows which projects an object belongs to."""

    def projects_of(self, kind: str, object_id: str) -> frozenset[str]:
        """Return the ids of its projects; empty when there is no such object."""


class Memberships(Protocol):
    """Knows who has which role; the part of `web.auth.people.PeopleStore` that is needed here."""

    def role(self, user_id: str, project_id: str) -> Role | None:
        """Return the role of a user in a project."""

    def roles(self, user_id: str) -> dict[str, Role]:
        """Return the projects of a user, with the role in each."""


class Permissions:
    """Answers whether a user may do something."""

    def __init__(self, memberships: Memberships, places: Places) -> None:
        self._memberships = memberships
        self._places = places

    def authorize(self, user: User | None, verb: str, objects: Mapping[str, str] | None = None) -> None:
        """Return if `user` may do `verb` with `objects`, ids by kind; else raise.

        All `objects` must belong to one project. What somebody may not even read is answered as if it were not
        there, so that an id tells nothing.

        Raises
        ------
        SignInError
            If nobody is signed in and the verb takes somebody.
        ForbiddenError
            If the user may read the object but not do this.
        NotFoundError
            If there is no such object, or the user may not read it.
        """
        rule = VERBS[verb]
        if rule.need == "anyone":
            return
        if user is None or not user.active:
            raise sign_in_needed()
        if rule.need == "user" or (rule.need == "admin" and user.admin):
            return
        if rule.need == "admin":
            raise forbidden()
        self._authorize_objects(user, rule, objects or {})

    def may(self, user: User | None, verb: str, objects: Mapping[str, str] | None = None) -> bool:
        """Whether `user` may do `verb` with `objects`."""
        try:
            self.authorize(user, verb, objects)
        except (SignInError, ForbiddenError, NotFoundError):
            return False
        return True

    def role(self, user: User, project_id: str) -> Role | None:
        """Return the role of a user in a project; an administrator is an owner everywhere."""
        return "owner" if user.admin else self._memberships.role(user.id, project_id)

    def visible(self, user: User) -> frozenset[str] | None:
        """Return the projects that a user may read; None for all of them."""
        return None if user.admin else frozenset(self._memberships.roles(user.id))

    def projects_of(self, kind: str, object_id: str) -> frozenset[str]:
        """Return the projects an object belongs to; empty when there is no such object."""
        return self._places.projects_of(kind, object_id)

    def _authorize_objects(self, user: User, rule: Verb, objects: Mapping[str, str]) -> None:
        missing = MISSING[rule.kind]
        if rule.kind not in objects:
            raise missing()
        projects = self._places.projects_of(rule.kind, objects[rule.kind])
        for kind in objects.keys() - {rule.kind}:
            projects &= self._places.projects_of(kind, objects[kind])
        ranks = [ROLES.index(role) for project in projects if (role := self.role(user, project)) is not None]
        if not ranks:
            raise missing()
        if max(ranks) < ROLES.index(rule.need):
            raise forbidden()


def sign_in_needed() -> SignInError:
    """Return the error for a request that takes a signed-in user."""
    return SignInError("sign-in-needed", "请先登录。", "Sign in first.")


def forbidden() -> ForbiddenError:
    """Return the error for something that this user may not do."""
    return ForbiddenError(
        "forbidden",
        "您没有进行此操作的权限。请联系项目负责人或管理员。",
        "You may not do this. Ask an owner of the project or an administrator.",
    )
