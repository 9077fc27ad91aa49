"""Planning units: what the engine and the brush move together."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from geo.adjacency import Graph, cell_graph, components, contract

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Sequence

    import geopandas as gpd
    from numpy.typing import NDArray

    from geo.city import City
    from geo.tiling import Tiling
    from geo.types import BorderClass

GAP_M = 1.0
"""Length in metres beside a hard barrier that does not connect: where lines meet, borders are ragged."""


@dataclass(frozen=True)
class Units:
    """Units of all communities, each a connected set of cells of one community.

    Attributes
    ----------
    of_cell
        int32, shape (cells,): the unit of each cell.
    community, compound
        int32, shape (n,): position in the city's layers; compound is -1 for none. A compound that is too large to
        stay whole, or whose cells do not touch, has several units that carry its number.
    households, persons
        int64, shape (n,).
    buildings
        int32, shape (n,): number of buildings.
    area_m2
        float64, shape (n,).
    graph
        Adjacency of the units, also across community borders.
    kind
        int32, shape (n,): position in `kinds`, -1 unknown; None when nothing is known of any unit.
    kinds
        Compound types and uses of buildings as the layers name them, e.g. ``"成熟小区"`` or ``"学校"``.
    workers
        int64, shape (n,): people who work there; None when not counted.
    workload
        float64, shape (n,): what a household there counts for, 1 on average; None when the layers do not say.
    released
        bool, shape (n,): of a compound that may be cut although it would fit into a grid; None for no unit.
    """

    of_cell: NDArray[np.int32]
    community: NDArray[np.int32]
    compound: NDArray[np.int32]
    households: NDArray[np.int64]
    persons: NDArray[np.int64]
    buildings: NDArray[np.int32]
    area_m2: NDArray[np.float64]
    graph: Graph
    kind: NDArray[np.int32] | None = None
    kinds: tuple[str, ...] = ()
    workers: NDArray[np.int64] | None = None
    workload: NDArray[np.float64] | None = None
    released: NDArray[np.bool_] | None = None

    @property
    def n(self) -> int:
        """Number of units."""
        return len(self.community)


def build_units(
    city: City,
    tiling: Tiling,
    *,
    max_households: int | None = None,
    stays_whole: Callable[[Units], NDArray[np.bool_]] | None = None,
    hard: Sequence[BorderClass] = (),
    released: Collection[int] = (),
    graph: Graph | None = None,
) -> Units:
    """Group the cells into planning units: compounds that fit stay whole, every other cell is its own unit.

    The cells of a compound form one unit for each connected piece in one community that is not too large to stay
    whole; its cells without a building belong to it.

    Parameters
    ----------
    city, tiling
        The city and its tiling.
    max_households
        The largest piece that stays whole; None for no limit.
    stays_whole
        Decides instead, when given: says of every unit whether it may stay in one piece.
    hard
        Border classes that no piece crosses.
    released
        Positions of compounds that do not stay whole, whatever their size.
    graph
        `geo.adjacency.cell_graph` of the tiling, when the caller has it already.

    Returns
    -------
    Units in the order of their first cell; sums are exact integers.
    """
    if stays_whole is None and max_households is not None:

        def stays_whole(units: Units) -> NDArray[np.bool_]:
            return np.asarray(units.households <= max_households, dtype=np.bool_)

    cells = cell_units(city, tiling, graph=graph)
    return join_compounds(cells, stays_whole=stays_whole, hard=hard, released=released)


def join_compounds(
    cells: Units,
    *,
    stays_whole: Callable[[Units], NDArray[np.bool_]] | None = None,
    hard: Sequence[BorderClass] = (),
    released: Collection[int] = (),
) -> Units:
    """Group counted cells into planning units, as `build_units` does with those of a city.

    Parameters
    ----------
    cells
        One unit a cell, as from `cell_units`; divided cells included, where a plan has some.
    stays_whole, hard, released
        As in `build_units`; without `stays_whole` every piece does.
    """
    width = int(cells.compound.max(initial=0)) + 1
    whole = (cells.compound >= 0) & ~np.isin(cells.compound, list(released))
    key = np.where(whole, cells.community.astype(np.int64) * width + cells.compound, -1)
    _, label = np.unique(key, return_inverse=True)
    piece = components(open_graph(cells.graph, hard), np.where(whole, label, -1).astype(np.int32))
    joined = join_units(cells, piece)
    if stays_whole is None:
        return joined
    return join_units(cells, np.where(stays_whole(joined)[joined.of_cell], piece, -1))


def cell_units(city: City, tiling: Tiling, *, graph: Graph | None = None) -> Units:
    """Return the finest units: every cell by itself, the compound it lies in, and what its buildings hold."""
    cells = graph if graph is not None else cell_graph(tiling)
    compound = tiling.cells["compound"].to_numpy(np.int32)
    placed = tiling.building_cell >= 0
    home = tiling.building_cell[placed]
    buildings = city.buildings.loc[placed]

    def sums(column: str) -> NDArray[np.int64]:
        return _sums(home, buildings[column].to_numpy(np.int64), cells.n)

    households = sums("households")
    kind, kinds = _kinds(city, buildings, home, compound)
    return Units(
        of_cell=np.arange(cells.n, dtype=np.int32),
        community=tiling.cells["community"].to_numpy(np.int32),
        compound=compound,
        households=households,
        persons=sums("persons"),
        buildings=np.bincount(home, minlength=cells.n).astype(np.int32),
        area_m2=tiling.cells["area_m2"].to_numpy(np.float64),
        graph=cells,
        kind=kind,
        kinds=kinds,
        workers=sums("workers") if "workers" in buildings else None,
        workload=_workload(buildings, home, households),
    )


def join_units(units: Units, label: NDArray[np.int32], *, keep: NDArray[np.bool_] | None = None) -> Units:
    """Join the units of each label into one; a unit of label -1 stays by itself.

    Parameters
    ----------
    units
        The finer units.
    label
        int32, shape (units,): units of one label become one, which has to be connected and of one community.
    keep
        bool, shape (units,): only these remain; borders with the others become outer border. All by default.

    Returns
    -------
    Units in the order of their first unit; `of_cell` is -1 for a cell whose unit does not remain.
    """
    kept = np.ones(units.n, np.bool_) if keep is None else keep
    target = np.full(units.n, -1, np.int32)
    target[kept] = _number(label[kept])
    n = int(target.max(initial=-1)) + 1
    to = target[kept]
    first = np.flatnonzero(kept)[np.unique(to, return_index=True)[1]]
    households = _sums(to, units.households[kept], n)
    workload = None
    if units.workload is not None:
        work = np.bincount(to, weights=(units.workload * units.households)[kept], minlength=n)
        workload = np.where(households > 0, work / np.maximum(households, 1), 1.0)
    return Units(
        of_cell=np.append(target, np.int32(-1))[units.of_cell],
        community=units.community[first],
        compound=units.compound[first],
        households=households,
        persons=_sums(to, units.persons[kept], n),
        buildings=_sums(to, units.buildings[kept], n).astype(np.int32),
        area_m2=np.bincount(to, weights=units.area_m2[kept], minlength=n).astype(np.float64),
        graph=contract(units.graph, target, n),
        kind=None if units.kind is None else _first_kind(units.kind[kept], to, n),
        kinds=units.kinds,
        workers=None if units.workers is None else _sums(to, units.workers[kept], n),
        workload=workload,
        released=None if units.released is None else np.bincount(to, units.released[kept], n) > 0,
    )


def open_graph(graph: Graph, hard: Sequence[BorderClass]) -> Graph:
    """Drop the adjacencies that run along hard barriers for their whole length, but for `GAP_M`.

    The lengths of the dropped become outer border. Without such edges the graph itself is returned.
    """
    if not hard:
        return graph
    closed = graph.length_m - graph.class_m[:, list(hard)].sum(axis=1) < GAP_M
    closed &= graph.class_m[:, list(hard)].sum(axis=1) > 0.0
    if not closed.any():
        return graph
    focal = graph.focal
    outer = graph.outer_m + np.bincount(focal[closed], weights=graph.length_m[closed], minlength=graph.n)
    indptr = np.concatenate([[0], np.cumsum(np.bincount(focal[~closed], minlength=graph.n))])
    return Graph(
        indptr.astype(np.int64),
        graph.neighbor[~closed],
        graph.length_m[~closed],
        graph.class_m[~closed],
        outer,
    )


def _kinds(
    city: City, buildings: gpd.GeoDataFrame, home: NDArray[np.int32], compound: NDArray[np.int32]
) -> tuple[NDArray[np.int32], tuple[str, ...]]:
    """Kind of every cell: its compound's type, else the use of its building that names one; and the names."""
    text = np.full(len(compound), "", dtype=object)
    if "use" in buildings:
        use = buildings["use"].to_numpy(dtype=object)
        said = np.flatnonzero(use != "")[::-1]
        text[home[said]] = use[said]
    types = np.append(city.compounds["compound_type"].to_numpy(dtype=object), "")[compound]
    text = np.where(types != "", types, text)
    names = tuple(sorted({str(t) for t in text if t}))
    code = {name: i for i, name in enumerate(names)}
    return np.array([code.get(t, -1) for t in text.tolist()], np.int32), names


def _first_kind(kind: NDArray[np.int32], to: NDArray[np.int32], n: int) -> NDArray[np.int32]:
    """Kind of the first of the joined units that has one."""
    out = np.full(n, -1, np.int32)
    known = np.flatnonzero(kind >= 0)[::-1]
    out[to[known]] = kind[known]
    return out


def _workload(
    buildings: gpd.GeoDataFrame, home: NDArray[np.int32], households: NDArray[np.int64]
) -> NDArray[np.float64] | None:
    """Mean workload index of every cell, by households; None when no building has one other than 1."""
    if "workload" not in buildings or (buildings["workload"] == 1.0).all():
        return None
    weights = (buildings["workload"] * buildings["households"]).to_numpy(np.float64)
    work = np.bincount(home, weights=weights, minlength=len(households))
    return np.where(households > 0, work / np.maximum(households, 1), 1.0)


def _sums(position: NDArray[np.int32], values: NDArray[np.integer], n: int) -> NDArray[np.int64]:
    """Add integers by position, without a detour through floats."""
    total = np.zeros(n, np.int64)
    np.add.at(total, position, values)
    return total


def _number(piece: NDArray[np.int32]) -> NDArray[np.int32]:
    """Give a number to each piece and to each cell of piece -1, in the order of their first cell."""
    n = len(piece)
    key = np.where(piece >= 0, piece, np.arange(n) + int(piece.max(initial=-1)) + 1)
    _, first, inverse = np.unique(key, return_index=True, return_inverse=True)
    rank = np.empty(len(first), np.int32)
    rank[np.argsort(first)] = np.arange(len(first), dtype=np.int32)
    return rank[inverse]
