"""Walking distance without streets: the straight line times a factor."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from geo.errors import GeoError

if TYPE_CHECKING:
    from numpy.typing import NDArray

DETOUR_FACTOR = 1.3
"""Walking distance over straight distance: an assumption of ours, editable like every parameter.

A square street grid has 4 / pi = 1.27 on average over all directions; walls and few gates raise it. It stands in
only where there are no streets.
"""


def detour_distance(
    straight_m: NDArray[np.float64] | float, *, factor: float = DETOUR_FACTOR
) -> NDArray[np.float64]:
    """Estimate walking metres from straight metres.

    Parameters
    ----------
    straight_m
        Straight-line distance in metres, any shape; inf stays inf.
    factor
        Walking over straight distance, at least 1.

    Raises
    ------
    GeoError
        ``network-bad-detour``: the factor is below 1 or not a number.
    """
    if not (np.isfinite(factor) and factor >= 1.0):
        raise GeoError(
            "network-bad-detour",
            f"绕行系数不能小于 1，当前为 {factor}。",
            f"The detour factor must be at least 1; it is {factor}.",
        )
    return np.asarray(straight_m, np.float64) * factor
