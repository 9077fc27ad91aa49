"""Small arrays, fast: an edit touches a handful of cells, where numpy's general ways cost more than the work."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

T = TypeVar("T", bound=np.integer)

FEW = 512
"""Up to so many values a set of Python's is faster than sorting by numpy, ten times for a dozen."""


def distinct(values: NDArray[T]) -> NDArray[T]:
    """Return the different values of an integer array, ascending, of the same dtype; as `numpy.unique`."""
    if len(values) > FEW:
        return np.unique(values)
    return np.array(sorted(set(values.tolist())), values.dtype)
