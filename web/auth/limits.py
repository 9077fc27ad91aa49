"""How often somebody may try to sign in."""

from __future__ import annotations

import threading
import time
from collections import deque
from typing import TYPE_CHECKING

from web.errors import TooManyError

if TYPE_CHECKING:
    from collections.abc import Callable

WINDOW_S = 60.0
PER_ACCOUNT = 5
PER_ADDRESS = 20
MOST_KEYS = 50_000
"""Accounts and addresses remembered; beyond that the ones longest unused are forgotten."""


class SignInLimits:
    """Counts attempts of the last minute by account and by address, before any password is checked."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._attempts: dict[tuple[str, str], deque[float]] = {}

    def take(self, account: str, address: str) -> None:
        """Count an attempt.

        Raises
        ------
        TooManyError
            If there were too many; its ``retry_after_s`` says when the next is heard. A refused attempt does not
            count, so that nobody is locked out for longer than the window.
        """
        now = self._clock()
        with self._lock:
            places = [
                (self._recent(("account", account.casefold()), now), PER_ACCOUNT),
                (self._recent(("address", address), now), PER_ADDRESS),
            ]
            waits = [recent[0] + WINDOW_S - now for recent, most in places if len(recent) >= most]
            if not waits:
                for recent, _ in places:
                    recent.append(now)
        if waits:
            seconds = max(1, round(max(waits) + 0.5))
            raise TooManyError(
                "sign-in-limit",
                f"登录尝试过于频繁，请在 {seconds} 秒后再试。",
                f"Too many attempts to sign in. Try again in {seconds} seconds.",
                retry_after_s=seconds,
            )

    def forget(self, account: str) -> None:
        """Forget the attempts of an account: it signed in."""
        with self._lock:
            self._attempts.pop(("account", account.casefold()), None)

    def _recent(self, key: tuple[str, str], now: float) -> deque[float]:
        recent = self._attempts.pop(key, None) or deque()
        while recent and recent[0] <= now - WINDOW_S:
            recent.popleft()
        self._attempts[key] = recent  # last in order: most recently used
        while len(self._attempts) > MOST_KEYS:
            del self._attempts[next(iter(self._attempts))]
        return recent
