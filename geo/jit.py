"""The only door to numba: one decorator for every kernel."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar, cast

import numba

F = TypeVar("F", bound=Callable[..., object])


def kernel(function: F) -> F:
    """Compile a function to machine code that releases the GIL and is cached on disk.

    A cached kernel does not notice a change in a kernel it calls from another file: after such a change run
    ``make kernels``, which compiles all of them anew.
    """
    return cast("F", numba.njit(cache=True, nogil=True, error_model="numpy")(function))
