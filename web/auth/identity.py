"""Who sends a request: the one person of this machine, or whoever the session cookie stands for."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from flask import g, redirect, request, url_for

from web.auth.origin import SAFE
from web.auth.people import Session, User
from web.auth.startup import is_loopback
from web.errors import ForbiddenError

if TYPE_CHECKING:
    from werkzeug.wrappers import Response as BaseResponse

    from web.auth.sessions import Sessions

LOCAL = User(name="local", id="0" * 32, display_name="本机用户 Local user", admin=True)
"""The implicit user where nobody signs in."""

SECURE_COOKIE = "__Host-wangge"
"""A browser takes a cookie of this name only with Secure, for the whole site, and from no neighbour's domain."""
INSECURE_COOKIE = "wangge-session"


class SingleUser:
    """Everybody at this machine is the same person; nobody else is anybody."""

    team = False

    def identify(self) -> User | None:
        """Return the implicit user.

        Raises
        ------
        ForbiddenError
            If the request comes from another machine: the service was bound to an address it should not have.
        """
        if not is_loopback(request.remote_addr or ""):
            raise ForbiddenError(
                "not-local",
                "未启用登录，只能在本机使用。多人使用请启用团队模式。",
                "Without logins this service is for its own machine only. Use team mode to share it.",
            )
        return LOCAL

    def challenge(self) -> BaseResponse | None:
        """Return nothing: there is nothing to sign in to."""
        return None


class TeamUser:
    """Whoever the session cookie stands for."""

    team = True

    def __init__(self, sessions: Sessions, *, insecure: bool) -> None:
        self._sessions = sessions
        self._secure = not insecure
        self.cookie = INSECURE_COOKIE if insecure else SECURE_COOKIE

    def identify(self) -> User | None:
        """Return the user of the session cookie."""
        token = self.token()
        found = self._sessions.find(token) if token else None
        g.wangge_session = found[0] if found else None
        return found[1] if found else None

    def challenge(self) -> BaseResponse | None:
        """Send a page to the form to sign in, and back to itself afterwards."""
        if request.path.startswith("/api/"):
            return None
        best = request.accept_mimetypes.best_match(["text/html", "application/json"])
        if best == "application/json":
            return None
        back = request.full_path.rstrip("?") if request.method in SAFE else None
        return redirect(url_for("people_pages.login", next=back), 303)

    def session(self) -> Session | None:
        """Return the session of this request, once it was identified."""
        return g.get("wangge_session")

    def token(self) -> str | None:
        """Return what the browser holds."""
        token = request.cookies.get(self.cookie)
        return token if token and len(token) <= 100 else None

    def sign_in(self, response: BaseResponse, user: User) -> None:
        """Begin a session and give its token to the browser; the session it came with ends."""
        self._end_present()
        agent = request.user_agent.string
        token = self._sessions.begin(user, address=request.remote_addr or "", agent=agent)
        response.set_cookie(self.cookie, token, path="/", secure=self._secure, httponly=True, samesite="Lax")

    def sign_out(self, response: BaseResponse) -> None:
        """End the session of this request: every copy of its cookie is dead."""
        self._end_present()
        response.delete_cookie(self.cookie, path="/", secure=self._secure, httponly=True, samesite="Lax")

    def sign_out_everywhere(self, response: BaseResponse, user: User) -> None:
        """End every session of a user."""
        self._sessions.end_all(user)
        self.sign_out(response)

    def _end_present(self) -> None:
        token = self.token()
        if token:
            self._sessions.end(token)


def local_path(given: str | None) -> str | None:
    """Return `given` if it is an address on this site, so that a link cannot lead elsewhere after signing in."""
    if not given or len(given) > 2000 or not given.startswith("/") or given[1:2] in {"/", "\\"}:
        return None
    parts = urlsplit(given)
    plain = not parts.scheme and not parts.netloc and given.isprintable() and "\\" not in given
    return given if plain else None
