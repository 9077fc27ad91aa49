"""The best division of a small part, proved: all grids it could have, then the cheapest of them that cover it."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from geo.partition.arrays import HIGH, LOW, W_MOVED, with_mean
from geo.partition.cover_kernels import GAVE_UP, cheapest_cover, possible_grids, price_units, worth

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from geo.partition.arrays import Static

MOST_UNITS = 40
"""Units of a part above which it is not tried."""

MOST_GRIDS = 30_000
"""Possible grids above which a part is too large."""

MOST_STEPS = 1_500_000
"""Steps of the listing, and of the search, before they give up."""


class Cover(NamedTuple):
    """What was found.

    Attributes
    ----------
    labels
        int32 (n,): grids 0..k-1 by lowest unit; None when none was found.
    proved
        Nothing is better; with None: there is none.
    """

    labels: NDArray[np.int32] | None
    proved: bool


def can_be_covered(static: Static) -> bool:
    """Return True when a part is small enough, and nothing but its grids decides what a division costs."""
    moved = bool(static.rule[W_MOVED] > 0.0) and bool((static.origin >= 0).any())
    return (
        len(static.load) <= MOST_UNITS and not moved and not static.pinned.any() and len(static.allowed) <= 64
    )


def cheapest_division(static: Static, k: int, outside: int, *, whole: bool, below: float = np.inf) -> Cover:
    """Find the best division into k connected grids with load.

    Parameters
    ----------
    static
        The part; `can_be_covered`.
    k
        Number of grids.
    outside
        Most of them out of the band; above the hard maximum a grid counts once for each of its units that are too
        large.
    whole
        Compounds that fit into a grid are not split at all.
    below
        Objective to be below.
    """
    static = with_mean(static, k)
    n = len(static.load)
    adjacent = np.zeros(n, np.uint64)
    np.bitwise_or.at(adjacent, static.source, np.uint64(1) << static.neighbor.astype(np.uint64))
    masks = _listed(static, adjacent, (k, outside), whole=whole)
    if masks is None or not len(masks):
        return Cover(None, proved=masks is not None)
    cost, out, meets = np.zeros(len(masks)), np.zeros(len(masks), np.int64), np.zeros(len(masks), np.uint64)
    worth(static, adjacent, masks, (cost, out, meets))
    # A cover pays for every piece of a compound, and gets back what it may have.
    back = float((static.excess * static.allowed).sum())
    below = min(below, float(np.sort(cost)[-k:].sum()) - back + 1.0)
    price, bound = price_units(masks, cost, n, k, below + back)
    if bound >= below + back:
        return Cover(None, proved=True)
    bits = (masks[:, None] >> np.arange(n, dtype=np.uint64)) & np.uint64(1)
    reduced = cost - bits @ price
    first = np.argmax(bits, axis=1)
    order = np.lexsort((masks, reduced, first))
    edges = np.searchsorted(first[order], np.arange(n + 1)).astype(np.int64)
    grids = (masks[order], cost[order], out[order], meets[order])
    want = (k, outside, float(price.sum()) - back, below, MOST_STEPS)
    status, chosen = cheapest_cover(grids, reduced[order], edges, (static.allowed, static.excess), want)
    if chosen[0] < 0:
        return Cover(None, proved=status != GAVE_UP)
    mine = np.argmax(bits[order[np.sort(chosen)]], axis=0).astype(np.int32)
    return Cover(mine, proved=status != GAVE_UP)


def _listed(
    static: Static, adjacent: NDArray[np.uint64], wanted: tuple[int, int], *, whole: bool
) -> NDArray[np.uint64] | None:
    """List the grids that such a division can hold, none when it cannot be; None when there are too many."""
    k, outside = wanted[0], min(wanted)
    low, high = float(static.rule[LOW]), float(static.rule[HIGH])
    total, inside = float(static.load.sum()), k - outside
    if outside == 0 and not low * k <= total <= high * k:
        return np.zeros(0, np.uint64)
    spans = np.array([low, high, 1.0, 0.0])
    rest = (k - 1, low, high)
    if outside:
        # The others take at least so much and at most so much.
        most = total - low * inside - (outside - 1)
        least = max(1.0, total - high * inside) if outside == 1 else 1.0
        spans[2:] = least, most
        rest = (k - 1, 1.0, max(high, most))
    fitting = np.flatnonzero(static.allowed == 1) if whole else np.zeros(0, int)
    together = np.zeros(len(fitting), np.uint64)
    for i, c in enumerate(fitting.tolist()):
        together[i] = np.bitwise_or.reduce(
            np.uint64(1) << np.flatnonzero(static.compound == c).astype(np.uint64)
        )
    masks = np.zeros(MOST_GRIDS, np.uint64)
    found = possible_grids((adjacent, static.load), spans, together, rest, masks, MOST_STEPS)
    return masks[:found] if found >= 0 else None
