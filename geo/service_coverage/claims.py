"""What the circle claims, held against the walk."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from geo.service_coverage.coverage import ON, count

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from geo.service_coverage.coverage import Coverage


@dataclass(frozen=True)
class Claims:
    """The circle against the walk, by category, over the buildings on the network.

    Attributes
    ----------
    circle, walk
        int64, shape (categories,): households the circle covers, and the walk.
    wrongly_in, wrongly_out
        int64, shape (categories,): households only the circle covers, and only the walk (no more than rounding lets
        through: a walk is never shorter than the straight line).
    equivalent_radius_m
        float64, shape (categories,): the smallest radius whose circle covers as many households as the walk does;
        0 when the walk covers none.
    """

    circle: NDArray[np.int64]
    walk: NDArray[np.int64]
    wrongly_in: NDArray[np.int64]
    wrongly_out: NDArray[np.int64]
    equivalent_radius_m: NDArray[np.float64]

    @property
    def over_claim(self) -> NDArray[np.float64]:
        """float64, shape (categories,): households the circle covers for each one the walk does; NaN for none."""
        return np.where(self.walk > 0, self.circle / np.maximum(self.walk, 1), np.nan)


def circle_claims(coverage: Coverage) -> Claims:
    """Compare a coverage by walking with the circle beside it.

    Buildings off the network or on an island take no part: nothing is known of their walk.

    Raises
    ------
    ValueError
        If the coverage has no circle beside it.
    """
    circle = coverage.circle
    if circle is None:
        raise ValueError("a circle has nothing to be compared with")
    decided = (coverage.state == ON)[:, None]
    households = coverage.households
    by_circle, by_walk = circle.covered & decided, coverage.covered & decided
    walk = count(households, by_walk)
    known = np.where(coverage.state == ON, households, 0)
    return Claims(
        circle=count(households, by_circle),
        walk=walk,
        wrongly_in=count(households, by_circle & ~by_walk),
        wrongly_out=count(households, by_walk & ~by_circle),
        equivalent_radius_m=np.array(
            [_radius_of(circle.distance_m[:, k], known, int(walk[k])) for k in range(len(walk))], float
        ),
    )


def _radius_of(distance_m: NDArray[np.float64], households: NDArray[np.int64], wanted: int) -> float:
    """Return the smallest distance within which at least so many households live."""
    if wanted == 0:
        return 0.0
    order = np.argsort(distance_m, kind="stable")
    return float(distance_m[order][np.searchsorted(np.cumsum(households[order]), wanted)])
