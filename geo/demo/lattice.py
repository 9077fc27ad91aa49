"""The skeleton of the city: a bent lattice of arterials with a river and a railway through it.

Everything is laid out on a plane of "lattice metres", where roads are straight, and carried to the working
CRS by one smooth warp at the very end. Straight lines make the splitting of blocks exact; the warp makes
them look grown.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from geo.demo.settings import ARTERIAL, ORIGIN, STREET, WALL

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from geo.demo.settings import Spec

RIVER_HALF_M = 42.0
RAIL_HALF_M = 17.0


@dataclass(frozen=True)
class Lattice:
    """Crossings of the main lines, and what each line and each gap between two lines is.

    Attributes
    ----------
    nodes
        float64 (columns, rows, 2), lattice metres.
    column_kind, row_kind
        ``"arterial"``, ``"bank"`` (a street along the river), ``"fence"`` (beside the railway) or ``"axis"``
        (the middle of the river or of the railway).
    kept
        bool (columns - 1, rows - 1): gaps that are part of the city.
    city
        bool, same shape: gaps that are superblocks, not corridors.
    """

    nodes: NDArray[np.float64]
    column_kind: tuple[str, ...]
    row_kind: tuple[str, ...]
    kept: NDArray[np.bool_]
    city: NDArray[np.bool_]

    def line_class(self, kind: str) -> int:
        """Return the road class of a kind of line."""
        return {"arterial": ARTERIAL, "bank": STREET}.get(kind, WALL)


def make_lattice(spec: Spec, rng: np.random.Generator) -> Lattice:
    """Lay out the main lines of a city of the given size."""
    x, column_kind, rail = _axis(spec.columns, spec.gap_m[0], RAIL_HALF_M, "fence", rng)
    y, row_kind, river = _axis(spec.rows, spec.gap_m[1], RIVER_HALF_M, "bank", rng)
    nodes = np.stack(np.meshgrid(x, y, indexing="ij"), axis=-1)
    _jitter(nodes, column_kind, row_kind, 0.06 * min(spec.gap_m), rng)
    _lean(nodes, rail, river, x, y)
    city = np.outer(_city_gaps(column_kind), _city_gaps(row_kind))
    return Lattice(nodes, column_kind, row_kind, _kept(spec, city), city)


def _axis(
    counts: tuple[int, int], gap_m: float, half_m: float, side: str, rng: np.random.Generator
) -> tuple[NDArray[np.float64], tuple[str, ...], int]:
    """Positions and kinds of the lines along one axis, and the position of the corridor's middle."""
    before, after = counts
    gaps = np.clip(rng.normal(gap_m, 0.13 * gap_m, before + after), 0.72 * gap_m, 1.3 * gap_m)
    gaps *= gap_m * (before + after) / gaps.sum()
    steps = np.concatenate([gaps[:before], [half_m, half_m], gaps[before:]])
    position = np.concatenate([[0.0], np.cumsum(steps)])
    kinds = ["arterial"] * before + [side, "axis", side] + ["arterial"] * after
    return position - position[-1] / 2, tuple(kinds), before + 1


def _city_gaps(kinds: tuple[str, ...]) -> NDArray[np.bool_]:
    axis = kinds.index("axis")
    gaps = np.ones(len(kinds) - 1, dtype=bool)
    gaps[axis - 1 : axis + 1] = False
    return gaps


def _jitter(
    nodes: NDArray[np.float64],
    column_kind: tuple[str, ...],
    row_kind: tuple[str, ...],
    sigma: float,
    rng: np.random.Generator,
) -> None:
    """Bend the arterials at their crossings; the lines of a corridor move together."""
    moves = np.clip(rng.normal(0.0, sigma, nodes.shape), -2 * sigma, 2 * sigma)
    for kinds, axis in ((column_kind, 0), (row_kind, 1)):
        middle = kinds.index("axis")
        view = np.moveaxis(moves, axis, 0)
        view[middle - 1] = view[middle] * 0.6
        view[middle + 1] = view[middle] * 0.6
        view[middle] *= 0.6
    nodes += moves


def _lean(
    nodes: NDArray[np.float64],
    rail: int,
    river: int,
    x: NDArray[np.float64],
    y: NDArray[np.float64],
) -> None:
    """Let the railway run aslant and the river meander; neighbouring lines follow in part."""
    width, height = np.ptp(x), np.ptp(y)
    pull_x = 1 - np.abs(x - x[rail]) / width
    pull_y = 1 - np.abs(y - y[river]) / height
    lean = 0.16 * y
    meander = 0.055 * height * np.sin(2.2 * np.pi * (x - x[0]) / width + 0.7)
    nodes[..., 0] += pull_x[:, None] ** 2 * lean[None, :]
    nodes[..., 1] += pull_y[None, :] ** 2 * meander[:, None]


def _kept(spec: Spec, city: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Drop the superblocks outside the city, and the corridors that border on nothing else."""
    kept = np.ones_like(city)
    columns = np.flatnonzero(city.any(axis=1))
    rows = np.flatnonzero(city.any(axis=0))
    for column, row in spec.dropped:
        kept[columns[column], rows[row]] = False
    beside_column, beside_row = spec.columns[0], spec.rows[0]
    # A half of the corridor belongs to the superblock at its side and goes with it.
    kept[beside_column, :] &= kept[beside_column - 1, :]
    kept[beside_column + 1, :] &= kept[beside_column + 2, :]
    kept[:, beside_row] &= kept[:, beside_row - 1]
    kept[:, beside_row + 1] &= kept[:, beside_row + 2]
    return kept


def make_warp(spec: Spec, rng: np.random.Generator) -> Callable[[NDArray[np.float64]], NDArray[np.float64]]:
    """Return the smooth map from lattice metres to `CRS`; it stretches by no more than about a fifth."""
    turn = np.deg2rad(rng.uniform(6.0, 9.0))
    rotation = np.array([[np.cos(turn), np.sin(turn)], [-np.sin(turn), np.cos(turn)]])
    size = max(sum(spec.columns) * spec.gap_m[0], sum(spec.rows) * spec.gap_m[1])
    waves = []
    for share, strength in ((0.85, 0.085), (0.42, 0.05)):
        length = share * size
        for _ in range(2):
            heading = rng.uniform(0, 2 * np.pi)
            push = rng.uniform(0, 2 * np.pi)
            wave = 2 * np.pi / length * np.array([np.cos(heading), np.sin(heading)])
            amplitude = strength * length / (2 * np.pi)
            direction = amplitude * np.array([np.cos(push), np.sin(push)])
            waves.append((wave, direction, rng.uniform(0, 2 * np.pi)))

    def warp(points: NDArray[np.float64]) -> NDArray[np.float64]:
        moved = points @ rotation
        for wave, direction, phase in waves:
            moved = moved + np.sin(points @ wave + phase)[:, None] * direction
        return moved + ORIGIN

    return warp
