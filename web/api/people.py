"""Sessions, users, members and the audit log."""

from typing import Annotated, Any, Literal

from flask import Response, jsonify, request
from pydantic import BaseModel, Field

from web.api.common import Id, Model, ProjectPath, Question, answers, blueprint
from web.auth.people import AuditEntry, Member, User
from web.auth.rules import allow, current_user, of_auth
from web.auth.team import team

people = blueprint("people", tag="People")

Seconds = Annotated[float, Field(description="Seconds since 1970")]


class UserPath(BaseModel):
    """Address of a user."""

    user_id: Id


class MemberPath(ProjectPath):
    """Address of a member."""

    user_id: Id


class UserAnswer(Model):
    """A user, as users of the same project see one another."""

    id: Id
    name: str
    display_name: str


class UserDetail(UserAnswer):
    """A user, as administrators see one."""

    admin: bool
    active: bool
    password: bool = Field(description="Whether the user has one")
    issuer: str | None = Field(description="Identity provider that the user signs in with")
    created: Seconds


class UserList(Model):
    """All users, by name."""

    users: list[UserDetail]


class SessionAnswer(Model):
    """Who sends the requests."""

    team: bool = Field(description="Whether people sign in; else one person works on this machine")
    user: UserAnswer
    admin: bool


class MemberAnswer(Model):
    """A user in a project."""

    user: UserAnswer
    role: Literal["viewer", "editor", "owner"]


class MemberList(Model):
    """Who works in a project, by name."""

    members: list[MemberAnswer]


class AuditAnswer(Model):
    """One thing that was done."""

    seq: int
    at: Seconds
    action: str
    user_id: str | None
    user_name: str
    project: str | None
    what: dict[str, Any]
    address: str


class AuditPage(Model):
    """Entries, newest first."""

    entries: list[AuditAnswer]
    before: int | None = Field(description="Asks for the next, older page; null at the end")


class SignIn(Question):
    """Name and password."""

    name: str = Field(max_length=400)
    password: str = Field(max_length=1000)


class NewPassword(Question):
    """One's own password, as it was and as it shall be."""

    old: str = Field(max_length=1000)
    new: str = Field(max_length=1000)


class NewUser(Question):
    """A user to be made."""

    name: str = Field(max_length=400)
    password: str = Field(max_length=1000)
    display_name: str = Field(default="", max_length=400)
    admin: bool = False


class UserChange(Question):
    """What shall be said of a user; what is left out stays."""

    display_name: str | None = Field(default=None, max_length=400)
    admin: bool | None = None
    active: bool | None = None
    password: str | None = Field(default=None, max_length=1000)


class NewMember(Question):
    """A user by name, and the role."""

    name: str = Field(max_length=400)
    role: Literal["viewer", "editor", "owner"]


class AuditQuestion(BaseModel):
    """Which entries."""

    project: str | None = None
    user: str | None = Field(default=None, description="Id of a user")
    action: str | None = None
    since: float | None = Field(default=None, allow_inf_nan=False, description="Seconds since 1970")
    until: float | None = Field(default=None, allow_inf_nan=False, description="Seconds since 1970")
    before: int | None = Field(default=None, ge=0, le=2**53, description="As the page before answered")
    limit: int = Field(default=50, ge=1, le=500)


@people.get("/session", responses=answers(ok=SessionAnswer))
@allow("signed-in")
def get_session() -> dict[str, Any]:
    """Return who is signed in."""
    return _session_json(current_user())


@people.post("/session", responses=answers(404, 429, 503, ok=SessionAnswer))
@allow("public")
def make_session(body: SignIn) -> Response:
    """Sign in: the answer carries the cookie of the session."""
    identifier = team()
    user = of_auth().accounts.sign_in(body.name, body.password, address=request.remote_addr or "")
    response = jsonify(_session_json(user))
    identifier.sign_in(response, user)
    return response


@people.delete("/session", responses=answers(404, empty=True))
@allow("signed-in", audit="sign-out")
def end_session() -> Response:
    """Sign out."""
    response = Response(status=204)
    team().sign_out(response)
    return response


@people.put("/session/password", responses=answers(404, 429, 503, empty=True))
@allow("signed-in")
def change_password(body: NewPassword) -> Response:
    """Change one's own password; every session ends but the one that the answer's cookie begins."""
    identifier = team()
    user = of_auth().accounts.change_own_password(
        current_user(), body.old, body.new, address=request.remote_addr or ""
    )
    response = Response(status=204)
    identifier.sign_in(response, user)
    return response


@people.get("/users", responses=answers(404, ok=UserList))
@allow("admin")
def list_users() -> dict[str, Any]:
    """List every user."""
    team()
    return {"users": [_detail(user) for user in of_auth().accounts.people.users()]}


@people.post("/users", responses=answers(404, 409, 503, created=UserDetail))
@allow("admin")
def add_user(body: NewUser) -> tuple[dict[str, Any], int]:
    """Make a user."""
    team()
    user = of_auth().accounts.add_user(
        body.name, body.password, display_name=body.display_name, admin=body.admin, by=current_user()
    )
    return _detail(user), 201


@people.patch("/users/<user_id>", responses=answers(404, 409, 503, ok=UserDetail))
@allow("admin")
def change_user(path: UserPath, body: UserChange) -> dict[str, Any]:
    """Change a user."""
    team()
    accounts = of_auth().accounts
    user = accounts.user(path.user_id)
    if body.password is not None:
        user = accounts.set_password(user, body.password, by=current_user())
    given = body.model_dump(exclude={"password"}, exclude_none=True)
    if given:
        user = accounts.change_user(user, by=current_user(), **given)
    return _detail(user)


@people.get("/projects/<project_id>/members", responses=answers(404, ok=MemberList))
@allow("project:read")
def list_members(path: ProjectPath) -> dict[str, Any]:
    """List who works in a project."""
    return _members(path.project_id)


@people.post("/projects/<project_id>/members", responses=answers(404, 409, ok=MemberList))
@allow("project:own")
def set_member(path: ProjectPath, body: NewMember) -> dict[str, Any]:
    """Add a member, or give one another role."""
    team()
    accounts = of_auth().accounts
    accounts.set_member(path.project_id, accounts.user_named(body.name), body.role, by=current_user())
    return _members(path.project_id)


@people.delete("/projects/<project_id>/members/<user_id>", responses=answers(404, 409, ok=MemberList))
@allow("project:own")
def remove_member(path: MemberPath) -> dict[str, Any]:
    """Take a member out of a project."""
    team()
    accounts = of_auth().accounts
    accounts.remove_member(path.project_id, accounts.user(path.user_id), by=current_user())
    return _members(path.project_id)


@people.get("/audit", responses=answers(ok=AuditPage))
@allow("admin")
def list_audit(query: AuditQuestion) -> dict[str, Any]:
    """List what was done, newest first."""
    return _audit(query)


@people.get("/projects/<project_id>/audit", responses=answers(404, ok=AuditPage))
@allow("project:own")
def list_project_audit(path: ProjectPath, query: AuditQuestion) -> dict[str, Any]:
    """List what was done in a project, newest first; addresses are for administrators."""
    found = _audit(query.model_copy(update={"project": path.project_id}))
    if not current_user().admin:
        found["entries"] = [entry | {"address": ""} for entry in found["entries"]]
    return found


def _audit(query: AuditQuestion) -> dict[str, Any]:
    asked = query.model_dump() | {"limit": query.limit + 1}
    entries = of_auth().accounts.audit.page(**asked)
    shown = entries[: query.limit]
    return {
        "entries": [_entry(entry) for entry in shown],
        "before": shown[-1].seq if len(entries) > query.limit else None,
    }


def _entry(entry: AuditEntry) -> dict[str, Any]:
    names = ("seq", "at", "action", "user_id", "user_name", "project", "address")
    return {name: getattr(entry, name) for name in names} | {"what": dict(entry.what)}


def _session_json(user: User) -> dict[str, Any]:
    return {"team": of_auth().team, "user": _user(user), "admin": user.admin}


def _user(user: User) -> dict[str, Any]:
    return {"id": user.id, "name": user.name, "display_name": user.display_name}


def _detail(user: User) -> dict[str, Any]:
    return _user(user) | {
        "admin": user.admin,
        "active": user.active,
        "password": user.password_hash is not None,
        "issuer": user.issuer,
        "created": user.created,
    }


def _members(project_id: str) -> dict[str, Any]:
    members: list[Member] = of_auth().accounts.people.members(project_id)
    return {"members": [{"user": _user(member.user), "role": member.role} for member in members]}
