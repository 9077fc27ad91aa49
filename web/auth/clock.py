"""A clock for ages: it starts at the time of day and goes on evenly, whatever is done to the time of day."""

from __future__ import annotations

import time


def _elapsed() -> float:
    """Return seconds since some fixed moment; a machine that sleeps counts on where the system can tell."""
    boottime = getattr(time, "CLOCK_BOOTTIME", None)
    return time.monotonic() if boottime is None else time.clock_gettime(boottime)


class SteadyClock:
    """Seconds since 1970 as they were believed when the clock was made, and steadily on from there.

    A time of day that is moved while the service runs makes no session older or younger.
    """

    def __init__(self) -> None:
        self._offset = time.time() - _elapsed()

    def __call__(self) -> float:
        """Return the time, seconds since 1970."""
        return self._offset + _elapsed()
