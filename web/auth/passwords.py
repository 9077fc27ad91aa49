"""Passwords: argon2id, few at a time, and the same work for a name that nobody has."""

from __future__ import annotations

import threading
import unicodedata
from contextlib import contextmanager
from typing import TYPE_CHECKING

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from web.errors import BadRequestError, BusyError

if TYPE_CHECKING:
    from collections.abc import Iterator

MIN_LENGTH = 10
MAX_LENGTH = 200
MIN_DISTINCT = 5
PARALLEL = 2
"""Hashes at the same time: each takes memory and a core."""
WAIT_S = 5.0

# OWASP Password Storage Cheat Sheet: argon2id with 19 MiB, two passes, one lane.
HASHER = PasswordHasher(time_cost=2, memory_cost=19 * 1024, parallelism=1)


class Passwords:
    """Hash and check passwords."""

    def __init__(self, *, parallel: int = PARALLEL, wait_s: float = WAIT_S) -> None:
        self._room = threading.BoundedSemaphore(parallel)
        self._wait_s = wait_s
        self._nobody = HASHER.hash("nobody has this password")

    def hash(self, password: str) -> str:
        """Return what is kept of a password.

        Raises
        ------
        BusyError
            If too many passwords are being checked.
        """
        with self._place():
            return HASHER.hash(_bytes(password))

    def verify(self, kept: str | None, password: str) -> bool:
        """Whether a password is the one; takes as long when there is none to compare with.

        Raises
        ------
        BusyError
            If too many passwords are being checked.
        """
        with self._place():
            try:
                return HASHER.verify(kept or self._nobody, _bytes(password[:MAX_LENGTH])) and kept is not None
            except (VerificationError, InvalidHashError):
                return False

    def outdated(self, kept: str) -> bool:
        """Whether a hash was made with weaker parameters than today's."""
        return HASHER.check_needs_rehash(kept)

    @contextmanager
    def _place(self) -> Iterator[None]:
        if not self._room.acquire(timeout=self._wait_s):
            raise BusyError(
                "sign-in-busy",
                "登录请求过多，请稍后再试。",
                "Too many people are signing in. Try again in a moment.",
            )
        try:
            yield
        finally:
            self._room.release()


def check_password(password: str, *, name: str) -> None:
    """Return if `password` may be one.

    Raises
    ------
    BadRequestError
        If it is too short or long, all alike, or the name.
    """
    folded = _folded(password)
    too_plain = len(set(folded)) < MIN_DISTINCT or folded.casefold() == name.casefold()
    if not MIN_LENGTH <= len(folded) <= MAX_LENGTH or too_plain:
        raise BadRequestError(
            "password-weak",
            f"密码需为 {MIN_LENGTH} 至 {MAX_LENGTH} 个字符，至少含 {MIN_DISTINCT} 个不同字符，且不能与用户名相同。",
            f"A password takes {MIN_LENGTH} to {MAX_LENGTH} characters, at least {MIN_DISTINCT} different ones, "
            "and is not the user name.",
        )


def _folded(password: str) -> str:
    """Return a password as any keyboard would give it."""
    return unicodedata.normalize("NFKC", password)


def _bytes(password: str) -> bytes:
    """Return the bytes to hash; JSON can carry halves of letters, which are bytes like any other."""
    return _folded(password).encode("utf-8", "surrogatepass")
