"""Households behind every unit door: counts only, never people."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

LARGEST_COMPOUND = 1_340
"""Households above which flats of a lot stand empty."""


@dataclass(frozen=True)
class Doors:
    """Unit doors: the building's position, the door's number from 1, households and persons, all int64 (n,)."""

    building: NDArray[np.int64]
    number: NDArray[np.int64]
    households: NDArray[np.int64]
    persons: NDArray[np.int64]


def make_doors(
    doors: NDArray[np.int64],
    flats: NDArray[np.int64],
    lot: NDArray[np.int64],
    total: int | None,
    rng: np.random.Generator,
) -> Doors:
    """Let households move in.

    Parameters
    ----------
    doors, flats, lot
        Unit doors of every building, flats behind each of its doors, the lot it stands on; int64 (buildings,).
    total
        Households to reach exactly, or None.
    rng
        Source of randomness.
    """
    building = np.repeat(np.arange(len(doors)), doors)
    number = np.arange(len(building)) - np.repeat(np.cumsum(doors) - doors, doors) + 1
    lots = int(lot.max()) + 1
    taken = rng.uniform(0.88, 1.0, lots)
    raw = np.bincount(lot, weights=doors * flats, minlength=lots) * taken
    taken *= np.minimum(1.0, LARGEST_COMPOUND / np.maximum(raw, 1.0))
    households = np.maximum(rng.binomial(flats[building], taken[lot[building]]), 1)
    if total is not None:
        households = scale_to(households, total)
    size = rng.uniform(1.35, 1.85, lots)[lot[building]]
    persons = households + rng.poisson(size * households)
    return Doors(building, number, households.astype(np.int64), persons.astype(np.int64))


def scale_to(counts: NDArray[np.int64], total: int) -> NDArray[np.int64]:
    """Scale positive whole numbers to an exact total, by largest remainders, none below 1."""
    exact = counts * (total / counts.sum())
    scaled = np.maximum(np.floor(exact).astype(np.int64), 1)
    missing = total - int(scaled.sum())
    if missing >= 0:
        best = np.argsort(-(exact - np.floor(exact)), kind="stable")
        np.add.at(scaled, np.resize(best, missing), 1)
        return scaled
    best = np.argsort(-scaled, kind="stable")
    while missing < 0:
        room = best[scaled[best] > 1][:-missing]
        scaled[room] -= 1
        missing += len(room)
    return scaled
