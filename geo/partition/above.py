"""Grids above the hard maximum: how they count, when one cannot be avoided, and how one comes apart."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from scipy.sparse import csr_array
from scipy.sparse.csgraph import connected_components

from geo.partition.arrays import HARD, HIGH, LOW, W_HARD, W_MOVED, new_scratch, new_state, with_mean
from geo.partition.coarsen import coarsen
from geo.partition.cover import can_be_covered, cheapest_division
from geo.partition.trees import seed_split
from geo.partition.warm import taken

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from geo.partition.arrays import Static

TRIES = 16
"""Random trees along which a large grid is cut when not all its divisions can be looked at."""


class Counted(NamedTuple):
    """How the grids of a division count.

    Attributes
    ----------
    outside
        int64 (k,): 0 in the band, else 1; above the hard maximum one for each unit that is too large by itself,
        so that two of them are no better in one grid than in two.
    above
        bool (k,): above the hard maximum with several units with load.
    """

    outside: NDArray[np.int64]
    above: NDArray[np.bool_]


def counted(
    load: NDArray[Any], label: NDArray[np.integer[Any]], k: int, band: tuple[float, float, float]
) -> Counted:
    """Count the grids out of the band and above the hard maximum.

    Parameters
    ----------
    load, label
        Load and grid of each unit, shape (n,).
    k
        Number of grids.
    band
        Minimum, maximum, hard maximum.
    """
    low, high, hard = band
    total = np.bincount(label, weights=load, minlength=k)
    large = np.bincount(label[load > high], minlength=k)
    over = total > hard
    outside = np.where((total < low) | (total > high), np.where(over, np.maximum(large, 1), 1), 0)
    return Counted(outside.astype(np.int64), over & (np.bincount(label[load > 0], minlength=k) > 1))


def band_of(static: Static) -> tuple[float, float, float]:
    """Return minimum, maximum and hard maximum of a part."""
    return float(static.rule[LOW]), float(static.rule[HIGH]), float(static.rule[HARD])


def must_exceed(static: Static) -> NDArray[np.bool_]:
    """Say which units take a grid above the hard maximum, unless one more grid is below the minimum; bool (n,).

    Such a unit is too large by itself. Without the units that are too large the part falls into pieces. A grid that
    lies in a piece below the minimum is below it, too; so what is in a piece that touches this unit alone goes with
    it, and with all of it the unit is above the hard maximum.
    """
    low, high, hard = band_of(static)
    large = static.load > high
    n = len(large)
    small = ~large[static.source] & ~large[static.neighbor]
    links = csr_array(
        (np.ones(int(small.sum()), np.int8), (static.source[small], static.neighbor[small])), shape=(n, n)
    )
    pieces, piece = connected_components(links, directed=False)
    total = np.bincount(piece, weights=static.load, minlength=pieces)
    across = large[static.source] & ~large[static.neighbor]
    pairs = np.unique(np.stack([piece[static.neighbor[across]], static.source[across]], axis=1), axis=0)
    touched = np.bincount(pairs[:, 0], minlength=pieces)
    tied = pairs[(touched[pairs[:, 0]] == 1) & (total[pairs[:, 0]] < low)]
    more = np.bincount(tied[:, 1], weights=total[tied[:, 0]], minlength=n)
    return large & (more > 0) & (static.load + more > hard)


def split_above(static: Static, label: NDArray[np.int32]) -> NDArray[np.int32]:
    """Divide grids above the hard maximum where that puts no more grids out of the band and splits no compound.

    Parameters
    ----------
    static
        One connected part.
    label
        int32 (n,): grids 0..k-1, connected and with load.

    Returns
    -------
    The division with more grids, or the one given.
    """
    label = label.copy()
    count = int(label.max(initial=-1)) + 1
    open_ = np.flatnonzero(counted(static.load, label, count, band_of(static)).above).tolist()
    while open_:
        rows = np.flatnonzero(label == open_.pop())
        second = _halved(taken(static, rows))
        if second is None:
            continue
        grid = int(label[rows[0]])
        label[rows[second]] = count
        count += 1
        above = counted(static.load, label, count, band_of(static)).above
        open_.extend(g for g in (grid, count - 1) if above[g])
    return label


def _halved(part: Static) -> NDArray[np.bool_] | None:
    """Say which units of a grid above the hard maximum make a second grid; None when it stays as it is."""
    if part.pinned.sum() > 1:
        return None
    rule = part.rule.copy()
    rule[W_MOVED], rule[W_HARD] = 0.0, 4.0 * rule[W_HARD]
    part = part._replace(pinned=np.zeros_like(part.pinned), rule=rule)
    coarse, group = coarsen(part)
    begun = int(counted(part.load, np.zeros(len(group), np.int32), 1, band_of(part)).outside[0])
    found: NDArray[np.int32] | None = None
    known = can_be_covered(coarse)
    for outside in range(begun + 1) if known else ():
        cover = cheapest_division(coarse, 2, outside, whole=True)
        known &= cover.proved
        if cover.labels is not None:
            found = cover.labels
            break
    if found is None and not known:
        found = _cut_by_chance(coarse, begun)
    return None if found is None else np.asarray(found[group] == 1)


def _cut_by_chance(part: Static, most: int) -> NDArray[np.int32] | None:
    """Return the best of several random divisions into two with at most so many grids out of the band, or None."""
    best: tuple[tuple[int, int], NDArray[np.int32]] | None = None
    fits = np.flatnonzero(part.allowed == 1)
    for number in range(TRIES):
        state = new_state(len(part.load), 2, part)
        seed_split(with_mean(part, 2), state, new_scratch(part, number))
        how = counted(part.load, state.part, 2, band_of(part))
        rank = int(how.above.sum()), int(how.outside.sum())
        fair = rank[1] <= most and rank[0] < 2 and not (state.members[fits] > 0).all(axis=1).any()
        if fair and (best is None or rank < best[0]):
            best = rank, state.part.copy()
    return None if best is None else best[1]
