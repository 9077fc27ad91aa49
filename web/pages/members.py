"""Pages of a project's members, of all users, and of the audit log."""

from __future__ import annotations

import sys
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from flask import Blueprint, redirect, render_template, request, url_for

from geo.errors import GeoError
from web.api.errors import status_of
from web.auth.people import ROLES
from web.auth.rules import allow, current_user, may, of_auth
from web.auth.team import team
from web.forms import of_service
from web.pages.words import AUDIT_NAMES

if TYPE_CHECKING:
    from werkzeug.wrappers import Response as BaseResponse

member_pages = Blueprint("member_pages", __name__)

PAGE = 50


@member_pages.get("/projects/<project_id>/members")
@allow("project:read")
def members(project_id: str) -> str:
    """Show who works in a project."""
    team()
    return _members_page(project_id, None)


@member_pages.post("/projects/<project_id>/members")
@allow("project:own")
def set_member(project_id: str) -> BaseResponse | tuple[str, int]:
    """Add a member by user name, or change a role."""
    team()
    accounts = of_auth().accounts
    try:
        user = accounts.user_named(request.form.get("name", ""))
        accounts.set_member(project_id, user, request.form.get("role", ""), by=current_user())
    except GeoError as error:
        return _members_page(project_id, error), status_of(error)
    return redirect(url_for("member_pages.members", project_id=project_id), 303)


@member_pages.post("/projects/<project_id>/members/<user_id>/remove")
@allow("project:own")
def remove_member(project_id: str, user_id: str) -> BaseResponse | tuple[str, int]:
    """Take a member out of a project."""
    team()
    accounts = of_auth().accounts
    try:
        accounts.remove_member(project_id, accounts.user(user_id), by=current_user())
    except GeoError as error:
        return _members_page(project_id, error), status_of(error)
    return redirect(url_for("member_pages.members", project_id=project_id), 303)


@member_pages.get("/users")
@allow("admin")
def users() -> str:
    """Show every user."""
    team()
    return _users_page(None)


@member_pages.post("/users")
@allow("admin")
def add_user() -> BaseResponse | tuple[str, int]:
    """Make a user."""
    team()
    try:
        of_auth().accounts.add_user(
            request.form.get("name", ""),
            request.form.get("password", ""),
            display_name=request.form.get("display_name", ""),
            admin="admin" in request.form,
            by=current_user(),
        )
    except GeoError as error:
        return _users_page(error), status_of(error)
    return redirect(url_for("member_pages.users"), 303)


@member_pages.post("/users/<user_id>")
@allow("admin")
def change_user(user_id: str) -> BaseResponse | tuple[str, int]:
    """Change a user's standing, or give a new password."""
    team()
    accounts = of_auth().accounts
    try:
        user = accounts.user(user_id)
        if request.form.get("password"):
            accounts.set_password(user, request.form["password"], by=current_user())
        else:
            accounts.change_user(
                user, by=current_user(), admin="admin" in request.form, active="active" in request.form
            )
    except GeoError as error:
        return _users_page(error), status_of(error)
    return redirect(url_for("member_pages.users"), 303)


@member_pages.get("/audit")
@allow("admin")
def audit() -> str:
    """Show the audit log, newest first."""
    accounts = of_auth().accounts
    name = request.args.get("user", "").strip()
    user = accounts.people.user_named(name) if name else None
    until = _day("until")
    entries = accounts.audit.page(
        project=request.args.get("project") or None,
        user=user.id if user else (name or None),
        action=request.args.get("action") or None,
        since=_day("since"),
        until=None if until is None else until + timedelta(days=1).total_seconds(),
        before=_number("before"),
        limit=PAGE + 1,
    )
    shown = entries[:PAGE]
    kept = {name: value for name, value in request.args.items() if name not in {"before", "lang"} and value}
    return render_template(
        "audit.html",
        entries=shown,
        older={**kept, "before": shown[-1].seq} if len(entries) > PAGE else None,
        projects={project.id: project for project in of_service().project_store.all()},
        actions=AUDIT_NAMES,
        given=request.args,
        when=_moment,
    )


def _day(name: str) -> float | None:
    """Read a day of the form, in the server's time zone; what is no day does not count."""
    try:
        return datetime.strptime(request.args.get(name, ""), "%Y-%m-%d").astimezone().timestamp()
    except (ValueError, OverflowError):
        return None


def _number(name: str) -> int | None:
    number = request.args.get(name, type=int)
    return None if number is None else min(max(number, 0), sys.maxsize)


def _moment(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).isoformat()


def _members_page(project_id: str, error: GeoError | None) -> str:
    return render_template(
        "members.html",
        project=of_service().project_store.get(project_id),
        members=of_auth().accounts.people.members(project_id),
        roles=ROLES,
        may_change=may("project:own"),
        error=error,
        given=request.form,
    )


def _users_page(error: GeoError | None) -> str:
    return render_template(
        "users.html", users=of_auth().accounts.people.users(), error=error, given=request.form
    )
