"""What a unit counts for: the load that targets and bands are stated in."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from geo.standards import Standard
    from geo.units import Units


def unit_loads(units: Units, standard: Standard) -> NDArray[np.int64]:
    """Return the load of every unit in the measure of the standard's main rule.

    Parameters
    ----------
    units
        All units of the city.
    standard
        Says what is counted.

    Returns
    -------
    int64, shape (units,): households or persons.
    """
    return np.asarray(getattr(units, standard.measure), np.int64)
