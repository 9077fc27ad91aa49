"""What no plan can beat: an upper bound on the grids of one part that lie in a band, for every number of grids.

It holds for every division of the part's units into grids with load, as long as no grid holds two units that are
each above the band and together above the hard maximum. Four things are used. A unit above the band takes a grid
out of it. What is left without these units falls into components, and a grid in the band lies in one of them. In a
component the loads can fill only so many grids (`geo.partition.packing`). And where grids hold few units, all
connected grids within the band are listed, and only so many of them fit beside each other (`geo.partition.reach`).
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from geo.partition.packing import all_fit, most_by_sum, most_filled
from geo.partition.reach import Component, components_of, may_cover, most_beside

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from geo.partition.arrays import Static


@dataclass(frozen=True, slots=True)
class PartBound:
    """Most grids of one part within a band, whatever the number of its grids.

    Attributes
    ----------
    loaded
        Units with load; there cannot be more grids with load.
    apart
        Grids out of the band that there are in any case.
    most
        Grids within the band that no number of grids exceeds.
    full
        First and last number of grids that may all lie within the band, by the sum of the loads.
    refuted
        Those of them of which it is proved that they cannot.
    """

    loaded: int
    apart: int
    most: int
    full: tuple[int, int] = (1, 0)
    refuted: tuple[int, ...] = ()

    def inside(self, count: int) -> int:
        """Return how many of `count` grids can lie within the band at most."""
        if not 0 < count <= self.loaded:
            return 0
        most = max(0, min(count - self.apart, self.most))
        possible = self.full[0] <= count <= self.full[1] and count not in self.refuted
        return most - 1 if most == count and not possible else most

    @property
    def worthwhile(self) -> range:
        """Numbers of grids beyond which more of them only add grids out of the band."""
        return range(1, max(1, min(self.loaded, self.most + max(self.apart, 1))) + 1)


def part_bound(
    static: Static, low: int, high: int, *, hard: float, count: int = 0, attained: int = 0
) -> PartBound:
    """Bound the grids of a part by its loads and its adjacency.

    Parameters
    ----------
    static
        The part; loads are whole numbers.
    low, high
        The band, 0 < low <= high.
    hard
        Two units above `high` do not share a grid when they exceed this together.
    count
        A number of grids to look at closely; beside it, only the largest that could all lie within the band are.
    attained
        Grids within the band in a known division into `count` grids. When no such division can have more, the
        bound for other numbers of grids compares sums only, which is quick.
    """
    apart = grids_apart(static.load, high, hard)
    if 0 < count - apart <= attained:
        return _by_sums(static, (low, high), apart)
    pieces = components_of(static, low, high)
    if apart == 0 and not all(_reached(piece).all() for piece in pieces):
        apart = 1
    bound = PartBound(int((static.load > 0).sum()), apart, sum(_most(piece, low, high) for piece in pieces))
    if apart or not pieces:
        return bound
    (whole,) = pieces

    def fits(k: int) -> bool:
        return all_fit(whole.load, k, low, high) and (whole.sets is None or may_cover(whole.sets, k))

    return _with_full(bound, whole.load, (low, high), fits, count)


def _by_sums(static: Static, band: tuple[int, int], apart: int) -> PartBound:
    loads = static.load[(static.load > 0) & (static.load <= band[1])].astype(np.int64)
    most, total = most_by_sum(loads, band[0]), int(loads.sum())
    full = (1, 0) if apart else (max(1, -(-total // band[1])), most)
    return PartBound(int((static.load > 0).sum()), apart, most, full)


def size_bound(load: NDArray[np.float64], low: int, high: int, *, hard: float, count: int = 0) -> PartBound:
    """Bound the grids of a part by its loads alone, as if every unit touched every other; see `part_bound`."""
    small = load[(load > 0) & (load <= high)].astype(np.int64)
    apart = grids_apart(load, high, hard)
    bound = PartBound(int((load > 0).sum()), apart, most_filled(small, low, high))
    if apart:
        return bound
    return _with_full(bound, small, (low, high), lambda k: all_fit(small, k, low, high), count)


def _with_full(
    bound: PartBound, load: NDArray[np.int64], band: tuple[int, int], fits: Callable[[int], bool], count: int
) -> PartBound:
    """Say which numbers of grids may all lie within the band: from the top down to the first, and `count`."""
    total = int(load.sum())
    full = (max(1, -(-total // band[1])), min(total // band[0], bound.most))
    refuted = []
    for k in range(full[1], full[0] - 1, -1):
        if fits(k):
            break
        refuted.append(k)
    if full[0] <= count <= full[1] and (not refuted or count < refuted[-1]) and not fits(count):
        refuted.append(count)
    return replace(bound, full=full, refuted=tuple(refuted))


def grids_apart(load: NDArray[np.float64], high: float, hard: float) -> int:
    """Return how many grids the units above `high` need when two of them share one only up to `hard` together."""
    large = np.sort(load[load > high])
    if len(large) == 0:
        return 0
    # Of those above half the limit no two go together; of the others one at most goes with none of these.
    heavy = large[2 * large > hard]
    light = large[2 * large <= hard]
    extra = len(heavy) == 0 or (len(light) > 0 and light[-1] + heavy[0] > hard)
    return len(heavy) + int(extra)


def unreachable(static: Static, low: int, high: int) -> NDArray[np.bool_]:
    """Say which units with load lie in no connected grid within [low, high] at all, bool (units,).

    Units above `high` are such units, too. False where it is not known.
    """
    out = np.asarray(static.load > high)
    for piece in components_of(static, low, high):
        if piece.sets is not None:
            out[piece.rows[~_reached(piece)]] = True
    return out


def _reached(piece: Component) -> NDArray[np.bool_]:
    if piece.sets is None or piece.sets.shape[0] == 0:
        return np.full(len(piece.rows), piece.sets is None)
    return np.asarray(piece.sets.sum(axis=0) > 0)


def _most(piece: Component, low: int, high: int) -> int:
    if piece.sets is None:
        return most_filled(piece.load, low, high)
    return min(most_by_sum(piece.load, low), most_beside(piece.sets))
