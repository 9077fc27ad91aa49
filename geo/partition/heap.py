"""Random numbers and a heap of weighted edges, for the kernels."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from geo.jit import kernel

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from geo.partition.arrays import Scratch


@kernel
def uniform(rng: NDArray[np.uint64]) -> float:
    """Return a float64 in [0, 1), xorshift64*."""
    x = rng[0]
    x ^= x >> np.uint64(12)
    x ^= x << np.uint64(25)
    x ^= x >> np.uint64(27)
    rng[0] = x
    return float((x * np.uint64(2685821657736338717)) >> np.uint64(11)) * (1.0 / 9007199254740992.0)


@kernel
def heap_push(scratch: Scratch, size: int, weight: float, item: int) -> None:
    """Add an edge to the heap of `size` edges."""
    i = size
    while i > 0:
        up = (i - 1) >> 1
        if scratch.weight[up] <= weight:
            break
        scratch.weight[i] = scratch.weight[up]
        scratch.item[i] = scratch.item[up]
        i = up
    scratch.weight[i] = weight
    scratch.item[i] = item


@kernel
def heap_pop(scratch: Scratch, size: int) -> int:
    """Remove and return the lightest edge of a heap of `size` edges."""
    top = scratch.item[0]
    weight = scratch.weight[size - 1]
    item = scratch.item[size - 1]
    size -= 1
    i = 0
    while True:
        child = 2 * i + 1
        if child >= size:
            break
        if child + 1 < size and scratch.weight[child + 1] < scratch.weight[child]:
            child += 1
        if scratch.weight[child] >= weight:
            break
        scratch.weight[i] = scratch.weight[child]
        scratch.item[i] = scratch.item[child]
        i = child
    scratch.weight[i] = weight
    scratch.item[i] = item
    return top
