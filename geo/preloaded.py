"""Importing this module loads the engine with its compiled kernels: for processes that workers are forked from.

A kernel is read from the disk when it is first called, a third of a second for all of them. A fork server that
imports this does it once, beside the reading of the layers, and its workers have them from the start.
"""

from __future__ import annotations

import gc

import numpy as np

from geo.adjacency import Graph
from geo.cells.interior import Jobs, divide
from geo.partition import ceiling, partition
from geo.standards import load_standard
from geo.types import BorderClass
from geo.units import Units

SIDE_M = 20.0


def _divide_a_block() -> None:
    """Draw the border between two houses in a square."""
    corners = np.array([[0, 0], [4000, 0], [4000, 4000], [0, 4000]], np.int64)
    xy = np.array([[5.0, 5.0], [5.0, 35.0], [12.0, 20.0], [28.0, 20.0], [35.0, 5.0], [35.0, 35.0]])
    jobs = Jobs(
        block=np.zeros(1, np.int32),
        seed_first=np.array([0, 6]),
        seed_xy=xy,
        along=np.full((6, 2), 1.0),
        seed_building=np.array([0, 0, 0, 1, 1, 1], np.int32),
        ring_first=np.array([0, 4]),
        ring=np.hstack([corners, np.roll(corners, -1, axis=0)]),
        ring_edge=np.arange(4),
        step_m=np.array([0.01, 0.01]),
    )
    divide(jobs.take(np.array([0])))


def _divide_a_row() -> None:
    """Make two grids of a row of eight cells."""
    n = 8
    source = np.repeat(np.arange(n), 2)[1:-1]
    along = np.zeros((2 * n - 2, len(BorderClass)))
    along[:, BorderClass.STREET] = SIDE_M
    graph = Graph(
        indptr=np.concatenate([[0], np.cumsum(np.bincount(source))]).astype(np.int64),
        neighbor=np.stack([np.arange(n) - 1, np.arange(n) + 1], axis=1).ravel()[1:-1].astype(np.int32),
        length_m=along.sum(axis=1),
        class_m=along,
        outer_m=np.array([3.0, *[2.0] * (n - 2), 3.0]) * SIDE_M,
    )
    units = Units(
        of_cell=np.arange(n, dtype=np.int32),
        community=np.zeros(n, np.int32),
        compound=np.full(n, -1, np.int32),
        households=np.array([60, 70, 50, 65, 55, 80, 60, 60]),
        persons=np.full(n, 130),
        buildings=np.ones(n, np.int32),
        area_m2=np.full(n, SIDE_M**2),
        graph=graph,
    )
    standard = load_standard("fine-250")
    partition(units, standard, effort="fast")
    partition(units, standard, effort="normal")
    ceiling(units, standard)


_divide_a_block()
_divide_a_row()
# What is loaded stays: forks share its memory untouched, and nobody looks for cycles in it at the end.
gc.freeze()
