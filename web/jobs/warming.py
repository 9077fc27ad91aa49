"""Load the engine's kernels before the first edit needs them."""

from __future__ import annotations

import numpy as np

from geo.adjacency import CLASSES, Graph
from geo.partition import partition
from geo.standards import load_standard
from geo.units import Units
from geo.workers import load_engine

SIDE = 8
HOUSEHOLDS = 25


def warm_engine() -> None:
    """Divide a small square, once from nothing and once from a division there is."""
    load_engine()
    units = _square()
    standard = load_standard("fine-250")
    halves = (np.arange(units.n) % SIDE >= SIDE // 2).astype(np.int32)
    partition(units, standard, effort=0.1)
    partition(units, standard, effort=0.1, start=halves, pinned=np.zeros(units.n, np.bool_))


def _square() -> Units:
    """Return equal cells in rows and columns."""
    n = SIDE * SIDE
    row, column = np.divmod(np.arange(n), SIDE)
    near = (np.abs(row[:, None] - row) + np.abs(column[:, None] - column)) == 1
    focal, neighbor = np.nonzero(near)
    length = np.full(len(focal), 20.0)
    along = np.zeros((len(focal), CLASSES))
    along[:, 0] = length
    graph = Graph(
        np.concatenate([[0], np.cumsum(near.sum(axis=1))]).astype(np.int64),
        neighbor.astype(np.int32),
        length,
        along,
        80.0 - 20.0 * near.sum(axis=1),
    )
    return Units(
        of_cell=np.arange(n, dtype=np.int32),
        community=np.zeros(n, np.int32),
        compound=np.full(n, -1, np.int32),
        households=np.full(n, HOUSEHOLDS, np.int64),
        persons=np.full(n, 2 * HOUSEHOLDS, np.int64),
        buildings=np.ones(n, np.int32),
        area_m2=np.full(n, 400.0),
        graph=graph,
    )
