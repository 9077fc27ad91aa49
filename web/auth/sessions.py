"""Sessions on the server: the browser holds a random number, the store its keyed hash, and ending one ends it."""

from __future__ import annotations

import hashlib
import hmac
import logging
import secrets
from dataclasses import replace
from typing import TYPE_CHECKING

from geo.errors import GeoError
from web.auth.people import Session, User

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from web.auth.people import PeopleStore

LOG = logging.getLogger("wangge")

TOKEN_BYTES = 32
IDLE_S = 8 * 3600.0
LIFE_S = 7 * 24 * 3600.0
TOLERANCE_S = 300.0
"""A session may seem to come from the future by so much; clocks are never quite equal."""
TOUCH_S = 60.0
"""A session's last use is written at most so often."""
SHOWN = 200
"""Characters kept of what a browser calls itself."""


class Sessions:
    """Begins, finds and ends sessions.

    A session ends `IDLE_S` after its last use and `LIFE_S` after its beginning. One from the future, because the
    clock was set back across a restart, counts as begun now: so no session is immortal, and none dies of the clock.
    """

    def __init__(self, store: PeopleStore, secrets_: Sequence[str], clock: Callable[[], float]) -> None:
        self._store = store
        self._keys = [_key(secret) for secret in secrets_]
        self._clock = clock

    def begin(self, user: User, *, address: str = "", agent: str = "") -> str:
        """Begin a session and return its token, which is kept nowhere here."""
        now = self._clock()
        self._store.remove_sessions_before(now - LIFE_S, now - IDLE_S)
        token = secrets.token_urlsafe(TOKEN_BYTES)
        self._store.add_session(
            Session(self._hashes(token)[0], user.id, now, now, address[:SHOWN], agent[:SHOWN])
        )
        return token

    def find(self, token: str) -> tuple[Session, User] | None:
        """Return the session of a token and its user; None if there is none, or it is over."""
        session = next(filter(None, map(self._store.session, self._hashes(token))), None)
        if session is None:
            return None
        now = self._clock()
        begun = _not_ahead(session.created, now)
        seen = _not_ahead(session.seen, now)
        user = self._store.user(session.user_id)
        if user is None or not user.active or now - begun > LIFE_S or now - seen > IDLE_S:
            self._try(lambda: self._store.remove_session(session.token_hash))
            return None
        if now - seen > TOUCH_S or (begun, seen) != (session.created, session.seen):
            self._try(lambda: self._store.touch_session(session.token_hash, created=begun, seen=now))
        return replace(session, created=begun, seen=seen), user

    def end(self, token: str) -> None:
        """End a session: every copy of its token is dead."""
        for token_hash in self._hashes(token):
            self._store.remove_session(token_hash)

    def end_all(self, user: User, *, keep: Session | None = None) -> int:
        """End the sessions of a user but one; returns how many."""
        return self._store.remove_sessions(user.id, keep=keep.token_hash if keep else None)

    @staticmethod
    def _try(write: Callable[[], None]) -> None:
        """Write what reading does not depend on: with a full disk, who is signed in goes on reading."""
        try:
            write()
        except GeoError as error:
            LOG.warning("a session could not be brought up to date: %s", error.en)

    def _hashes(self, token: str) -> list[str]:
        """Return the hash of a token under each key, the key of today first."""
        return [
            hmac.new(key, token.encode("utf-8", "surrogatepass"), hashlib.sha256).hexdigest()
            for key in self._keys
        ]


def derived_key(secret: str, purpose: str) -> bytes:
    """Return a key for one purpose, so that no two uses of the secret share one."""
    return hmac.new(secret.encode(), f"wangge {purpose}".encode(), hashlib.sha256).digest()


def _key(secret: str) -> bytes:
    return derived_key(secret, "session")


def _not_ahead(moment: float, now: float) -> float:
    return moment if moment <= now + TOLERANCE_S else now
