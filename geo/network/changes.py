"""What a scenario changes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from geo.network.types import TIE_M

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from geo.network.types import Network


@dataclass(frozen=True)
class Changes:
    """Difference between two networks of one city.

    Attributes
    ----------
    gates, bridges, edges, components
        Added number of each.
    km
        Added length.
    connected_share_before, connected_share_after
        Share of the length in the largest part of each.
    """

    gates: int
    bridges: int
    edges: int
    components: int
    km: float
    connected_share_before: float
    connected_share_after: float


def changes(before: Network, after: Network) -> Changes:
    """Compare two networks, as `apply` makes them."""
    a, b = before.report, after.report
    return Changes(
        gates=b.gates - a.gates,
        bridges=b.bridges - a.bridges,
        edges=b.edges - a.edges,
        components=b.components - a.components,
        km=b.km - a.km,
        connected_share_before=a.connected_share_after,
        connected_share_after=b.connected_share_after,
    )


def changed(before_m: NDArray[np.float64], after_m: NDArray[np.float64]) -> NDArray[np.bool_]:
    """Tell which walking distances differ by more than `TIE_M`, or became reachable or unreachable.

    Parameters
    ----------
    before_m, after_m
        float64, of one shape, inf for unreachable.
    """
    a, b = np.asarray(before_m, np.float64), np.asarray(after_m, np.float64)
    both = np.isfinite(a) & np.isfinite(b)
    differs = np.isfinite(a) != np.isfinite(b)
    differs[both] = np.abs(a[both] - b[both]) > TIE_M
    return differs
