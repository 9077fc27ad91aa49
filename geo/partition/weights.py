"""What the objective pays for each aim, in one currency."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from geo.partition.arrays import RULES
from geo.types import BorderClass

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from geo.standards import Standard


@dataclass(frozen=True, slots=True)
class Weights:
    """What the objective pays, per grid and in one currency; the aims in falling order.

    Attributes
    ----------
    band
        A grid out of the band.
    slope
        The same, growing with the distance from the band: per target's worth of load.
    split
        A compound in two grids that would have fitted into one, per piece too many.
    piece
        The same for a compound that does not fit into one, beyond the pieces it needs.
    hard
        A grid above the hard maximum that holds several units with load. Units that are too large by themselves
        pay on top, each but the first, what one out of the band pays, so that they gain nothing by sharing it.
    tolerance
        A grid more than 10 % off target.
    mean
        A grid more than 10 % off the mean of its part.
    even
        Squared deviation from target.
    border
        Border between two grids through a block, per side of an average grid (square root of its area).
    compact
        One minus Polsby-Popper, per grid.
    donut
        A grid inside another grid.
    moved
        Load that is not from the old grid most of its grid is from, per target's worth.
    wall, alley, street, arterial, railway, water
        Price of a border along this class, in borders through a block; below zero where no grid should cross.
    """

    band: float = 300.0
    slope: float = 8.0
    split: float = 200.0
    piece: float = 4.0
    hard: float = 180.0
    tolerance: float = 60.0
    mean: float = 45.0
    even: float = 2.0
    border: float = 4.0
    compact: float = 10.0
    donut: float = 40.0
    moved: float = 0.0
    wall: float = 0.5
    alley: float = 0.25
    street: float = 0.1
    arterial: float = -1.0
    railway: float = -2.5
    water: float = -2.5

    def prices(self) -> NDArray[np.float64]:
        """Return the price of each `BorderClass`, shape (len(BorderClass),)."""
        prices = np.ones(len(BorderClass))
        for name in ("wall", "alley", "street", "arterial", "railway", "water"):
            prices[BorderClass[name.upper()]] = getattr(self, name)
        return prices


def rule_array(standard: Standard, weights: Weights, block_cost: float) -> NDArray[np.float64]:
    """Return `Static.rule`: target, band, weights, and the border cost per metre above which a block is cut."""
    hard = standard.max if standard.hard_max is None else standard.hard_max
    rule = np.array(
        [
            standard.target,
            standard.min,
            standard.max,
            hard,
            0.1,
            weights.band,
            weights.slope,
            weights.tolerance,
            weights.even,
            weights.compact,
            weights.border,
            weights.mean,
            weights.donut,
            block_cost,
            standard.target,
            weights.moved,
            weights.hard,
        ]
    )
    if len(rule) != RULES:
        raise ValueError("the rule array does not match its positions")
    return rule.astype(np.float64)
