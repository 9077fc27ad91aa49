"""Pages to sign in and out, and of one's own account."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flask import Blueprint, make_response, redirect, render_template, request, url_for

from geo.errors import GeoError
from web.api.errors import status_of
from web.auth.identity import local_path
from web.auth.rules import allow, current_user, of_auth
from web.auth.team import team
from web.errors import ForbiddenError, NotFoundError, SignInError

if TYPE_CHECKING:
    from werkzeug.wrappers import Response as BaseResponse

    from web.auth.oidc import Person, Provider
    from web.auth.people import User

people_pages = Blueprint("people_pages", __name__)

STATE_COOKIE = "wangge-provider"
STATE_S = 600


@people_pages.get("/login")
@allow("public")
def login() -> str:
    """Show the form to sign in."""
    team()
    return _login_page(None)


@people_pages.post("/login")
@allow("public")
def sign_in() -> BaseResponse | tuple[str, int, dict[str, str]]:
    """Sign in with name and password."""
    identifier = team()
    try:
        user = of_auth().accounts.sign_in(
            request.form.get("name", ""), request.form.get("password", ""), address=request.remote_addr or ""
        )
    except GeoError as error:
        wait = error.where.get("retry_after_s")
        return _login_page(error), status_of(error), {"Retry-After": str(wait)} if wait else {}
    response = redirect(local_path(request.form.get("next")) or url_for("pages.index"), 303)
    identifier.sign_in(response, user)
    return response


@people_pages.post("/logout")
@allow("signed-in", audit="sign-out")
def sign_out() -> BaseResponse:
    """Sign out: the session is over, wherever its cookie was copied to."""
    response = redirect(url_for("people_pages.login"), 303)
    team().sign_out(response)
    return response


@people_pages.get("/account")
@allow("signed-in")
def account() -> str:
    """Show one's own account."""
    team()
    return _account_page(None)


@people_pages.post("/account/password")
@allow("signed-in")
def change_password() -> BaseResponse | tuple[str, int]:
    """Change one's own password; every session ends but the one that begins here."""
    identifier = team()
    try:
        user = of_auth().accounts.change_own_password(
            current_user(),
            request.form.get("old", ""),
            request.form.get("new", ""),
            address=request.remote_addr or "",
        )
    except GeoError as error:
        return _account_page(error), status_of(error)
    response = redirect(url_for("people_pages.account", done="password"), 303)
    identifier.sign_in(response, user)
    return response


@people_pages.post("/account/sign-out-everywhere")
@allow("signed-in", audit="sign-out-everywhere")
def sign_out_everywhere() -> BaseResponse:
    """End every session of one's own."""
    response = redirect(url_for("people_pages.login"), 303)
    team().sign_out_everywhere(response, current_user())
    return response


@people_pages.get("/login/provider")
@allow("public")
def leave_for_provider() -> BaseResponse:
    """Send the browser to the identity provider."""
    return _leave(local_path(request.args.get("next")) or url_for("pages.index"), None)


@people_pages.get("/account/provider")
@allow("signed-in")
def bind_provider() -> BaseResponse:
    """Send a signed-in user to the identity provider, to sign in with it from now on."""
    return _leave(url_for("people_pages.account", done="provider"), current_user().id)


@people_pages.get("/login/back")
@allow("public")
def arrive_from_provider() -> BaseResponse | tuple[str, int]:
    """Receive the browser back from the identity provider."""
    identifier, provider = team(), _provider()
    address = request.remote_addr or ""
    try:
        person, journey = provider.arrive(_callback(), request.args, request.cookies.get(STATE_COOKIE, ""))
        user = _bound(person, journey.user) if journey.user else _known(person, provider)
    except GeoError as error:
        return _login_page(error), status_of(error)
    of_auth().accounts.note("sign-in", user, address=address, provider=person.issuer)
    response = redirect(local_path(journey.back) or url_for("pages.index"), 303)
    response.delete_cookie(STATE_COOKIE, path="/login/back")
    identifier.sign_in(response, user)
    return response


def _leave(back: str, user_id: str | None) -> BaseResponse:
    team()
    address, kept = _provider().leave(_callback(), back=back, user=user_id)
    response = make_response(redirect(address, 303))
    response.set_cookie(
        STATE_COOKIE,
        kept,
        max_age=STATE_S,
        path="/login/back",
        secure=request.is_secure,
        httponly=True,
        samesite="Lax",
    )
    return response


def _bound(person: Person, user_id: str) -> User:
    """Bind a person to the user who asked for it and is still the one at the browser."""
    user = current_user()
    if user.id != user_id:
        raise SignInError("sign-in-needed", "请重新登录后再试。", "Sign in again, then try once more.")
    return of_auth().accounts.bind(user, person.issuer, person.subject, address=request.remote_addr or "")


def _known(person: Person, provider: Provider) -> User:
    """Return the user that a person is here."""
    accounts = of_auth().accounts
    user = accounts.people.user_of_subject(person.issuer, person.subject)
    if user is None and provider.create_users:
        user = accounts.add_person(
            person.name, person.issuer, person.subject, display_name=person.display_name
        )
    if user is None or not user.active:
        raise ForbiddenError(
            "user-unknown",
            "身份服务认识您，但本系统没有您的账号。请联系管理员。",
            "The identity provider knows you, but there is no account for you here. Ask an administrator.",
        )
    return user


def _provider() -> Provider:
    provider = of_auth().provider
    if provider is None:
        raise NotFoundError("no-provider", "未配置身份服务。", "No identity provider is set up.")
    return provider


def _callback() -> str:
    return url_for("people_pages.arrive_from_provider", _external=True)


def _login_page(error: GeoError | None) -> str:
    return render_template(
        "login.html",
        error=error,
        next=local_path(request.values.get("next")) or "",
        name=request.form.get("name", ""),
        provider=of_auth().provider,
    )


def _account_page(error: GeoError | None) -> str:
    return render_template(
        "account.html",
        user=current_user(),
        error=error,
        done=request.args.get("done", ""),
        provider=of_auth().provider,
    )
