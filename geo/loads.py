"""What a unit counts for: the load that targets and bands are stated in."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from geo.standards import Standard, TypeRule
    from geo.units import Units


def unit_loads(units: Units, standard: Standard) -> NDArray[np.int64]:
    """Return the load of every unit in the measure of the standard's main rule.

    A unit whose compound type has a rule of its own counts ``value / rule target * main target``: a mature
    compound of 1,500 persons, where 3,000 make a grid, is half a grid, as many as 300 households where 600 make
    one. One plan can so mix measures, while bands and bounds stay whole numbers. A workload index multiplies.

    Parameters
    ----------
    units
        All units of the city.
    standard
        Says what is counted.

    Returns
    -------
    int64, shape (units,): households or persons, or their equivalents, rounded half up; at least 1 for a unit that
    has what its rule counts.
    """
    if units.workload is None and not _ruled(units, standard):
        return np.asarray(getattr(units, standard.measure), np.int64)
    exact = measured(units, standard)
    inhabited = exact > 0.0
    if units.workload is not None:
        exact *= units.workload
    loads = np.floor(exact + 0.5).astype(np.int64)
    return np.where(inhabited, np.maximum(loads, 1), 0)


def measured(
    units: Units, standard: Standard, *, kind: NDArray[np.int32] | None = None
) -> NDArray[np.float64]:
    """Return what every unit counts for before rounding, and before any workload index.

    Parameters
    ----------
    units, standard
        As in `unit_loads`.
    kind
        int32, shape (units,): positions in `Units.kinds` that decide the rules instead of the units' own.

    Returns
    -------
    float64, shape (units,): in the measure of the standard's main rule.
    """
    exact = np.array(getattr(units, standard.measure), np.float64)
    for rule, mine in _ruled(units, standard, kind):
        exact[mine] = getattr(units, rule.measure)[mine] * (standard.target / _target(rule))
    return exact


def rules_of_units(units: Units, standard: Standard) -> list[TypeRule | None]:
    """Return the rule of each unit by its kind; None where the main rule holds."""
    if units.kind is None or not standard.rules:
        return [None] * units.n
    of_kind = [*(standard.rule_for(name) for name in units.kinds), None]
    return [of_kind[k] for k in units.kind.tolist()]


def stands_alone(units: Units, standard: Standard) -> NDArray[np.bool_]:
    """Say which units are a grid of their own by the rule of their compound type, bool, shape (units,)."""
    alone = np.zeros(units.n, np.bool_)
    for rule, mine in _ruled(units, standard):
        if rule.one_compound_per_grid:
            size = getattr(units, rule.measure)
            fewest = _target(rule) if rule.min is None else rule.min
            fits = (size >= fewest) & (size <= (np.inf if rule.max is None else rule.max))
            alone |= mine & fits & (units.compound >= 0)
    return alone


def _ruled(
    units: Units, standard: Standard, kind: NDArray[np.int32] | None = None
) -> list[tuple[TypeRule, NDArray[np.bool_]]]:
    """Say for every kind with a rule of its own which units are of it."""
    own = units.kind if kind is None else kind
    if own is None or not standard.rules:
        return []
    found = ((standard.rule_for(name), k) for k, name in enumerate(units.kinds))
    return [(rule, own == k) for rule, k in found if rule is not None]


def _target(rule: TypeRule) -> int:
    if rule.target is None:
        raise ValueError("a rule without a target has no equivalents")
    return rule.target
