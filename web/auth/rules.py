"""Every route declares who may use it; a route that does not is closed to all.

``@allow("project:read")`` stands nearest the view function, below the decorator that makes it a route, so that
whatever wraps the function keeps the rule.
"""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any, TypeVar, cast

from flask import Flask, Response, current_app, g, request

from geo.errors import GeoError
from web.auth.permissions import VERBS, Permissions, sign_in_needed
from web.errors import RuleError, SignInError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from werkzeug.wrappers import Response as BaseResponse

    from web.auth.people import User
    from web.auth.state import Auth

LOG = logging.getLogger("wangge")
View = TypeVar("View", bound="Callable[..., Any]")

RULE = "wangge_rule"
AUDIT = "wangge_audit"
OBJECTS: Mapping[str, str] = {
    "project_id": "project",
    "job_id": "job",
    "plan_id": "plan",
    "dataset_id": "dataset",
}
"""Names of the parts of an address that are ids, and of what."""


def allow(verb: str, *, audit: str | None = None) -> Callable[[View], View]:
    """Declare that a view asks for `verb`.

    Parameters
    ----------
    audit
        Action of the entry in the audit log that an answer without an error writes; None where the store writes one
        itself, or nothing is changed.

    Raises
    ------
    ValueError
        If there is no such verb.
    """
    _check_verb(verb)

    def mark(view: View) -> View:
        setattr(view, RULE, verb)
        setattr(view, AUDIT, audit)
        return view

    return mark


def declare(app: Flask, endpoint: str, verb: str) -> None:
    """Set the rule of a route whose view is not ours."""
    _check_verb(verb)
    app.extensions.setdefault("wangge_rules", {})[endpoint] = verb


def init_app(app: Flask) -> None:
    """Ask before every request and note what was done; files of the pages themselves are for all."""
    declare(app, "static", "public")
    app.before_request(enforce)
    app.after_request(note)


def rule_of(app: Flask, endpoint: str) -> str | None:
    """Return the verb that a route asks for; None when nobody said."""
    declared: dict[str, str] = app.extensions.get("wangge_rules", {})
    return declared.get(endpoint) or getattr(app.view_functions.get(endpoint), RULE, None)


def audit_of(app: Flask, endpoint: str) -> str | None:
    """Return the action that a route notes in the audit log."""
    return getattr(app.view_functions.get(endpoint), AUDIT, None)


def enforce() -> BaseResponse | None:
    """Let a request pass, send a page to sign in, or raise what forbids it.

    Raises
    ------
    RuleError
        If the route has no rule.
    SignInError, ForbiddenError, NotFoundError
        As `Permissions.authorize` does.
    """
    if request.endpoint is None:  # no such address: the answer is the same for all
        return None
    verb = rule_of(current_app, request.endpoint)
    if verb is None:
        LOG.error("route %s has no rule", request.endpoint)
        raise RuleError(
            "rule-missing",
            "此地址未设置访问规则，已关闭。请联系管理员。",
            "This address has no access rule and is closed. Tell your administrator.",
        )
    try:
        require(verb)
    except SignInError:
        answer = of_auth().identifier.challenge()
        if answer is None:
            raise
        return answer
    return None


def note(response: Response) -> Response:
    """Write what was done to the audit log."""
    action = audit_of(current_app, request.endpoint) if request.endpoint else None
    if action is None or response.status_code >= 400 or g.get("wangge_user") is None:
        return response
    given: dict[str, Any] = _objects() | g.get("wangge_audited", {})
    project = given.pop("project", None)
    if project is None and given:
        project = _project_of(given)
    try:
        of_auth().accounts.note(
            action, g.wangge_user, project=project, address=request.remote_addr or "", **given
        )
    except GeoError as error:  # it is done already: the answer has to say so
        LOG.error("%s by %s is not in the audit log: %s", action, g.wangge_user.id, error.en)  # noqa: TRY400
    return response


def audited(**what: Any) -> None:
    """Add ids, names or numbers to the entry this request writes; `project` says where a new thing is."""
    g.wangge_audited = g.get("wangge_audited", {}) | what


def own(project_id: str) -> None:
    """Make the user of this request the owner of a new project."""
    audited(project=project_id)
    if of_auth().team:
        of_auth().accounts.people.set_member(project_id, current_user().id, "owner")


def require(verb: str, **objects: str) -> None:
    """Ask for `verb` about the objects of this address, or about those named, e.g. ``project=...``.

    Raises
    ------
    SignInError, ForbiddenError, NotFoundError
        As `Permissions.authorize` does.
    """
    user = None if verb == "public" else signed_in()
    permissions_of().authorize(user, verb, objects or _objects())


def may(verb: str, **objects: str) -> bool:
    """Whether the user of this request may do `verb`."""
    return permissions_of().may(signed_in(), verb, objects or _objects())


def signed_in() -> User | None:
    """Return who is signed in, None for nobody."""
    if "wangge_user" not in g:
        g.wangge_user = of_auth().identifier.identify()
    return cast("User | None", g.wangge_user)


def current_user() -> User:
    """Return who sends this request.

    Raises
    ------
    SignInError
        If nobody is signed in.
    """
    user = signed_in()
    if user is None:
        raise sign_in_needed()
    return user


def permissions_of() -> Permissions:
    """Return the permissions of this application."""
    return of_auth().permissions


def of_auth() -> Auth:
    """Return the accounts of this application."""
    return cast("Auth", current_app.extensions["wangge_auth"])


def _objects() -> dict[str, str]:
    given = request.view_args or {}
    return {kind: str(given[name]) for name, kind in OBJECTS.items() if name in given}


def _project_of(objects: Mapping[str, Any]) -> str | None:
    """Return the project of the objects of a request that was let pass: they have one in common."""
    for kind in ("job", "plan"):
        if kind in objects:
            return next(iter(permissions_of().projects_of(kind, str(objects[kind]))), None)
    return None


def _check_verb(verb: str) -> None:
    if verb not in VERBS:
        raise ValueError(f"no such verb: {verb}")
