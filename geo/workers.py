"""Start the workers of an executor while there is other work to do."""

from __future__ import annotations

import importlib
import threading
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator
    from concurrent.futures import Executor

STARTERS = 8
"""Calls sent ahead: pools start a process for each until they have all; the rest cost nothing."""

ENGINE = ("geo.preloaded",)
"""What workers import: the engine, its compiled kernels included."""


@contextmanager
def started_ahead(executor: Executor | None) -> Iterator[None]:
    """Let an executor start its workers and import the engine beside the work of the block.

    A process pool starts its workers when the first task comes, and the caller then waits for their imports,
    about a second. Here a thread hands out the first tasks. What is computed does not depend on it; an executor
    that cannot start fails at its first real task. Not for pools that fork from this process: their workers would
    be children of that thread, which ends before they do.

    Parameters
    ----------
    executor
        Any executor; None does nothing.
    """
    if executor is None:
        yield
        return
    starter = threading.Thread(target=_start, args=(executor,), name="start workers", daemon=True)
    starter.start()
    try:
        yield
    finally:
        starter.join()


def load_engine() -> None:
    """Import what workers need; runs in a worker."""
    for name in ENGINE:
        importlib.import_module(name)


def _start(executor: Executor) -> None:
    # An executor that is shut down or broken says so again, and to the right caller, at the first real task.
    with suppress(RuntimeError, OSError):
        for _ in range(STARTERS):
            executor.submit(load_engine)
