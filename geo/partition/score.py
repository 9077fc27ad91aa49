"""Judge an assignment of units to grids, whoever made it."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from scipy.sparse import csr_array
from scipy.sparse.csgraph import connected_components

from geo.loads import unit_loads
from geo.partition.donuts import enclosing
from geo.types import BorderClass

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from geo.standards import Standard
    from geo.units import Units

ALONG = (
    BorderClass.ALLEY,
    BorderClass.STREET,
    BorderClass.ARTERIAL,
    BorderClass.RAILWAY,
    BorderClass.WATER,
)


@dataclass(frozen=True, slots=True)
class Score:
    """Figures of one assignment. Shares are of all grids, from 0 to 1.

    Attributes
    ----------
    grids, empty, disconnected, donuts
        Number of grids; of those without load, in several pieces, with another grid inside.
    in_band, within_10, within_20
        Share within the band, and within 10 % and 20 % of the target.
    within_10_of_mean, within_20_of_mean
        The same against the mean grid of the grid's own community.
    compounds_split, excess_pieces
        Compounds within the maximum that lie in several grids, and how many pieces too many that makes.
    polsby_popper
        Mean of 4 pi area / perimeter^2 (Polsby and Popper 1991).
    border_km
        Border between two grids of one community, kilometres.
    border_share
        Its share by class name, and ``along_roads``: alleys, streets, arterials, railways and water together.
    crossed_km
        Arterial, railway and water inside grids, kilometres.
    """

    grids: int
    empty: int
    disconnected: int
    donuts: int
    in_band: float
    within_10: float
    within_20: float
    within_10_of_mean: float
    within_20_of_mean: float
    compounds_split: int
    excess_pieces: int
    polsby_popper: float
    border_km: float
    border_share: dict[str, float]
    along_roads: float
    crossed_km: float

    def to_dict(self) -> dict[str, Any]:
        """Return a JSON-ready dictionary."""
        return asdict(self)


def score(units: Units, grid_of_unit: NDArray[np.integer[Any]], standard: Standard) -> Score:
    """Compute the figures of an assignment.

    Parameters
    ----------
    units
        All units with their adjacency.
    grid_of_unit
        Shape (units,): any non-negative numbers; a number that no unit carries is not a grid.
    standard
        Gives the measure, the band and the target.
    """
    label = np.unique(grid_of_unit, return_inverse=True)[1]
    count = int(label.max(initial=-1)) + 1
    graph = units.graph
    source = np.repeat(np.arange(graph.n), np.diff(graph.indptr))
    here, there = label[source], label[graph.neighbor]
    load = np.bincount(label, weights=unit_loads(units, standard), minlength=count).astype(np.float64)
    off = np.abs(load / standard.target - 1.0)
    off_mean = np.abs(load / _community_mean(units, label, load) - 1.0)
    same = here == there
    border = ~same & (units.community[source] == units.community[graph.neighbor])
    class_m = graph.class_m[border].sum(axis=0) / 2.0
    total_m = float(class_m.sum())
    barriers = [BorderClass.ARTERIAL, BorderClass.RAILWAY, BorderClass.WATER]
    split, excess = _compounds_split(units, label, standard)
    return Score(
        grids=count,
        empty=int((load == 0).sum()),
        disconnected=_disconnected(source[same], graph.neighbor[same], label, count),
        donuts=len(enclosing(units, label, count)),
        in_band=_mean((load >= standard.min) & (load <= standard.max)),
        within_10=_mean(off <= 0.1 + 1e-9),
        within_20=_mean(off <= 0.2 + 1e-9),
        within_10_of_mean=_mean(off_mean <= 0.1 + 1e-9),
        within_20_of_mean=_mean(off_mean <= 0.2 + 1e-9),
        compounds_split=split,
        excess_pieces=excess,
        polsby_popper=_mean(polsby_popper(units, label, count)),
        border_km=total_m / 1000.0,
        border_share={c.name.lower(): float(class_m[c]) / total_m if total_m else 0.0 for c in BorderClass},
        along_roads=float(class_m[list(ALONG)].sum()) / total_m if total_m else 0.0,
        crossed_km=float(graph.class_m[same][:, barriers].sum()) / 2000.0,
    )


def polsby_popper(units: Units, label: NDArray[np.integer[Any]], count: int) -> NDArray[np.float64]:
    """Return 4 pi area / perimeter^2 per grid, float64 (count,); 0 without perimeter (Polsby and Popper 1991)."""
    graph = units.graph
    source = np.repeat(np.arange(graph.n), np.diff(graph.indptr))
    cut = label[source] != label[graph.neighbor]
    perimeter = np.bincount(label, weights=graph.outer_m, minlength=count)
    perimeter += np.bincount(label[source[cut]], weights=graph.length_m[cut], minlength=count)
    area = np.bincount(label, weights=units.area_m2, minlength=count)
    out = np.zeros(count)
    np.divide(4.0 * np.pi * area, perimeter**2, out=out, where=perimeter > 0.0)
    return out


def _mean(values: NDArray[Any]) -> float:
    return float(values.mean()) if len(values) else 0.0


def _community_mean(units: Units, label: NDArray[np.int64], load: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the mean load of a grid in each grid's community; 1 where there is none."""
    community = np.zeros(len(load), np.int64)
    community[label] = units.community
    _, group = np.unique(community, return_inverse=True)
    mean = np.bincount(group, weights=load) / np.maximum(np.bincount(group), 1)
    return np.where(mean > 0.0, mean, 1.0)[group]


def _disconnected(
    source: NDArray[np.int64], target: NDArray[np.int32], label: NDArray[np.int64], count: int
) -> int:
    links = csr_array((np.ones(len(source), np.int8), (source, target)), shape=(len(label), len(label)))
    pieces, piece = connected_components(links, directed=False)
    grid_of_piece = np.zeros(pieces, np.int64)
    grid_of_piece[piece] = label
    return int((np.bincount(grid_of_piece, minlength=count) > 1).sum())


def _compounds_split(units: Units, label: NDArray[np.int64], standard: Standard) -> tuple[int, int]:
    mine = units.compound >= 0
    pairs = np.unique(np.stack([units.compound[mine], label[mine]], axis=1), axis=0)
    count = int(units.compound.max(initial=-1)) + 1
    pieces = np.bincount(pairs[:, 0], minlength=count)
    load = np.bincount(units.compound[mine], weights=unit_loads(units, standard)[mine], minlength=count)
    split = (pieces > 1) & (load <= standard.max)
    return int(split.sum()), int((pieces[split] - 1).sum())
