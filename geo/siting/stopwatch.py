"""Seconds by stage and until the limit, by a clock that the caller brings: the library itself has none."""

from __future__ import annotations

import math
from contextlib import contextmanager
from typing import TYPE_CHECKING, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    Over: TypeAlias = Callable[[], bool]


def never() -> bool:
    """Say that there is time left: for work without a limit."""
    return False


class Stopwatch:
    """Add up seconds by stage and tell when the limit is reached; without a clock every stage takes none.

    Parameters
    ----------
    clock
        Returns seconds from any start, e.g. ``time.perf_counter`` or ``time.process_time``.
    limit_s
        Seconds from now on.
    """

    def __init__(self, clock: Callable[[], float] | None = None, limit_s: float = math.inf) -> None:
        self._clock = clock or (lambda: 0.0)
        self._end = self._clock() + limit_s
        self.seconds: dict[str, float] = {}

    @contextmanager
    def __call__(self, stage: str) -> Iterator[None]:
        """Count the block as part of `stage`."""
        start = self._clock()
        try:
            yield
        finally:
            self.seconds[stage] = self.seconds.get(stage, 0.0) + self._clock() - start

    @property
    def left(self) -> float:
        """Seconds until the limit, 0 when it is reached."""
        return max(self._end - self._clock(), 0.0)

    def over(self) -> bool:
        """Tell whether the limit is reached."""
        return self.left <= 0.0
