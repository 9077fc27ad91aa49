"""Distance bands: the last hundred metres."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from geo.service_coverage.coverage import Coverage

BAND_M = 100.0


def band_edges(coverage: Coverage, *, width_m: float = BAND_M) -> NDArray[np.float64]:
    """Return the upper edges of the bands, up to the farthest limit of any category rounded up to a band."""
    farthest = float(coverage.limit_m.max(initial=0.0))
    return np.arange(1.0, np.ceil(farthest / width_m - 1e-9) + 1.0) * float(width_m)


def distance_bands(coverage: Coverage, *, width_m: float = BAND_M) -> NDArray[np.int64]:
    """Count households by the length of the way to the nearest station.

    A band holds its upper edge, and the first one 0 too. Households off the network or on an island that reach no
    station are in no band.

    Returns
    -------
    int64, shape (categories, bands + 1): the last column is beyond all bands, without any station among them.
    """
    edges = band_edges(coverage, width_m=width_m)
    table = np.zeros((len(coverage.categories), len(edges) + 1), np.int64)
    undecided = coverage.undecided
    for k in range(len(table)):
        counted = ~undecided[:, k]
        band = np.searchsorted(edges, coverage.distance_m[counted, k], side="left")
        np.add.at(table[k], band, coverage.households[counted])
    return table
