"""The ground with cells divided: rows appended for the two parts, the divided cell retired."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np

from geo.errors import PlanError
from geo.types import BorderClass

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from geo.editing.division import Division
    from geo.editing.ground import Ground
    from geo.editing.plan import Plan

CLASSES = len(BorderClass)
T = TypeVar("T", bound=np.generic)
Borders = dict[int, dict[int, tuple[int, ...]]]
"""By cell and neighbour: millimetres by border class."""


def divided(ground: Ground, division: Division) -> Ground:
    """Return the ground with one more cell divided; its children are the next two rows.

    Raises
    ------
    PlanError
        ``division-unfit``: the division is not of this ground, or its numbers do not add up.
    """
    if division.children != (ground.n, ground.n + 1):
        raise unfit(division, "子单元编号不连续", "its parts are not the next two rows")
    return _with(ground, (division,), (True,))


def ground_with(base: Ground, divisions: Sequence[Division], in_force: Sequence[bool]) -> Ground:
    """Return the ground with the divisions that are in force; the others keep their rows, retired.

    Parameters
    ----------
    base
        The ground of the dataset.
    divisions
        In the order they were made: division k has rows ``base.n + 2 k`` and the next.
    in_force
        For each whether it holds.

    Raises
    ------
    PlanError
        ``division-unfit``: a division does not fit those before it.
    """
    for k, division in enumerate(divisions):
        if division.children != (base.n + 2 * k, base.n + 2 * k + 1):
            raise unfit(division, "子单元编号不连续", "its parts are not the next two rows")
    if not divisions:
        return base
    return _with(base, divisions, in_force)


def loads_with(
    load: NDArray[np.int64], divisions: Sequence[Division], in_force: Sequence[bool]
) -> NDArray[np.int64]:
    """Return the loads of all cells under divisions.

    Parameters
    ----------
    load
        int64, shape (cells of the base,).
    divisions, in_force
        As in `ground_with`.

    Returns
    -------
    int64, shape (cells,), not writable.

    Raises
    ------
    PlanError
        ``division-unfit``: the parts' loads do not add up to the divided cell's.
    """
    loads = np.append(load, np.zeros(2 * len(divisions), np.int64))
    for division, holds in zip(divisions, in_force, strict=True):
        if holds:
            if int(loads[division.parent]) != sum(division.load) or min(division.load) < 0:
                raise unfit(division, "负荷之和不等于原单元", "the loads do not add up to the divided cell's")
            loads[division.parent] = 0
            loads[list(division.children)] = division.load
    loads.flags.writeable = False
    return loads


def base_loads(plan: Plan) -> NDArray[np.int64]:
    """Return the loads of the dataset's cells, int64, as if none was divided."""
    load = plan.load.copy()
    for division, holds in zip(reversed(plan.divisions), reversed(plan.in_force), strict=True):
        if holds:
            load[division.parent] = sum(division.load)
    return load[: plan.base.n]


def _with(ground: Ground, divisions: Sequence[Division], in_force: Sequence[bool]) -> Ground:
    """Patch rows for divisions, one after another, then store them once."""
    old = ground.n
    n = old + 2 * len(divisions)
    retired = np.ones(n, np.bool_)
    retired[:old] = ~ground.live
    columns = _grown(ground, n)
    borders: Borders = {}
    origin = np.arange(n)
    for division, holds in zip(divisions, in_force, strict=True):
        parent, children = division.parent, list(division.children)
        if not 0 <= parent < children[0]:
            raise unfit(division, "被分割的单元不存在", "the divided cell does not exist")
        origin[children] = origin[parent]
        if not holds:
            continue
        if retired[parent]:
            raise unfit(division, "被分割的单元已被分割", "the cell is divided already")
        _check_sums(columns, division)
        _rewire(ground, borders, division, retired)
        retired[parent] = True
        retired[children] = False
        for name, column in columns.items():
            column[parent] = 0
            column[children] = getattr(division, name)
    return _stored(ground, columns, borders, retired, origin)


def _grown(ground: Ground, n: int) -> dict[str, NDArray[Any]]:
    units = ground.cells
    found: dict[str, NDArray[Any] | None] = {
        "households": units.households,
        "persons": units.persons,
        "buildings": units.buildings,
        "workers": units.workers,
        "area_dm2": ground.area_dm2,
        "outer_mm": ground.outer_mm,
    }
    return {
        name: np.append(values, np.zeros(n - ground.n, values.dtype))
        for name, values in found.items()
        if values is not None
    }


def _check_sums(columns: dict[str, NDArray[Any]], division: Division) -> None:
    for name, column in columns.items():
        if sum(getattr(division, name)) != int(column[division.parent]) or min(getattr(division, name)) < 0:
            raise unfit(division, f"{name} 之和不等于原单元", f"{name} does not add up to the divided cell's")


def _rewire(ground: Ground, borders: Borders, division: Division, retired: NDArray[np.bool_]) -> None:
    """Replace the borders of the divided cell by those of its parts; every millimetre has to be there again."""
    lost = _row(ground, borders, division.parent)
    gained: Borders = {child: {} for child in division.children}
    sums: dict[int, NDArray[np.int64]] = {}
    for child, other, classes in division.edges:
        if child not in gained or other in gained[child] or len(classes) != CLASSES or min(classes) < 0:
            raise unfit(division, "边界记录有误", "a border is given wrongly or twice")
        gained[child][other] = tuple(classes)
        if other in division.children:
            gained[other][child] = tuple(classes)
        else:
            sums[other] = sums.get(other, np.zeros(CLASSES, np.int64)) + np.array(classes)
    nothing = np.zeros(CLASSES, np.int64)
    if sums.keys() - lost.keys() or any((sums.get(k, nothing) != np.array(c)).any() for k, c in lost.items()):
        raise unfit(division, "边界之和不等于原单元", "its borders do not add up to the divided cell's")
    for other in lost:
        if retired[other]:
            raise unfit(division, "相邻单元已不存在", "a neighbour does not exist")
        row = _row(ground, borders, other)
        del row[division.parent]
        row.update({child: gained[child][other] for child in division.children if other in gained[child]})
    borders[division.parent] = {}
    borders.update(gained)


def _row(ground: Ground, borders: Borders, cell: int) -> dict[int, tuple[int, ...]]:
    if cell not in borders:
        graph = ground.cells.graph
        entries = slice(int(graph.indptr[cell]), int(graph.indptr[cell + 1]))
        classes = map(tuple, ground.class_mm[entries].tolist())
        borders[cell] = dict(zip(graph.neighbor[entries].tolist(), classes, strict=True))
    return borders[cell]


def _stored(
    ground: Ground,
    columns: dict[str, NDArray[Any]],
    borders: Borders,
    retired: NDArray[np.bool_],
    origin: NDArray[np.int64],
) -> Ground:
    """Put the patched rows between the kept ones."""
    graph, units = ground.cells.graph, ground.cells
    n = len(retired)
    rows = _Rows.of(ground, borders)
    count = np.append(np.diff(graph.indptr), np.zeros(n - ground.n, np.int64))
    count[rows.cells] = rows.count
    class_mm = rows.between(graph.indptr, ground.class_mm, rows.class_mm)
    first = origin[ground.n :]
    new_graph = replace(
        graph,
        indptr=np.concatenate([[0], np.cumsum(count)]).astype(np.int64),
        neighbor=rows.between(graph.indptr, graph.neighbor, rows.neighbor),
        length_m=rows.between(graph.indptr, graph.length_m, rows.length_m),
        class_m=rows.between(graph.indptr, graph.class_m, rows.class_m),
        outer_m=_metres(graph.outer_m, columns["outer_mm"], retired, 1000.0),
    )
    cells = replace(
        units,
        of_cell=np.arange(n, dtype=np.int32),
        community=np.append(units.community, units.community[first]),
        compound=np.append(units.compound, units.compound[first]),
        households=columns["households"],
        persons=columns["persons"],
        buildings=columns["buildings"],
        area_m2=_metres(units.area_m2, columns["area_dm2"], retired, 100.0),
        graph=new_graph,
        kind=None if units.kind is None else np.append(units.kind, units.kind[first]),
        workers=columns.get("workers"),
        workload=None if units.workload is None else np.append(units.workload, units.workload[first]),
        released=None if units.released is None else np.append(units.released, units.released[first]),
    )
    return replace(
        ground,
        cells=cells,
        length_mm=rows.between(graph.indptr, ground.length_mm, rows.class_mm.sum(axis=1)),
        class_mm=class_mm,
        outer_mm=columns["outer_mm"],
        area_dm2=columns["area_dm2"],
        base=ground.base or ground,
        retired=retired,
    )


@dataclass(frozen=True)
class _Rows:
    """The patched rows of the adjacency, one after another, by cell.

    Lengths in metres are as they were for borders between cells that were there, so that both directions go on
    carrying the same; from whole millimetres for new ones.
    """

    cells: NDArray[np.int64]
    count: NDArray[np.int64]
    neighbor: NDArray[np.int32]
    class_mm: NDArray[np.int64]
    class_m: NDArray[np.float64]
    length_m: NDArray[np.float64]

    @classmethod
    def of(cls, ground: Ground, borders: Borders) -> _Rows:
        graph = ground.cells.graph
        cells = sorted(borders)
        pairs = [(i, j) for i in cells for j in sorted(borders[i])]
        class_mm = np.array([borders[i][j] for i, j in pairs], np.int64).reshape(-1, CLASSES)
        class_m = class_mm / 1000.0
        length_m = class_m.sum(axis=1)
        for k, (i, j) in enumerate(pairs):
            if i < ground.n and j < ground.n:
                start, end = graph.indptr[i], graph.indptr[i + 1]
                entry = start + np.searchsorted(graph.neighbor[start:end], j)
                class_m[k], length_m[k] = graph.class_m[entry], graph.length_m[entry]
        return cls(
            cells=np.array(cells, np.int64),
            count=np.array([len(borders[i]) for i in cells], np.int64),
            neighbor=np.array([j for _, j in pairs], np.int32),
            class_mm=class_mm,
            class_m=class_m,
            length_m=length_m,
        )

    def between(self, indptr: NDArray[np.int64], kept: NDArray[T], mine: NDArray[T]) -> NDArray[T]:
        """Return entries of all rows: kept ones, with those of the patched rows in their places."""
        parts, at, done = [], 0, 0
        for cell, count in zip(self.cells.tolist(), self.count.tolist(), strict=True):
            start, end = (int(indptr[min(cell + more, len(indptr) - 1)]) for more in (0, 1))
            parts += [kept[at:start], mine[done : done + count]]
            at, done = end, done + count
        return np.concatenate([*parts, kept[at:]])


def _metres(
    values: NDArray[np.float64], whole: NDArray[np.int64], retired: NDArray[np.bool_], per: float
) -> NDArray[np.float64]:
    """Values of the cells as they were, of new cells from whole numbers, of retired ones zero."""
    result = whole / per
    result[: len(values)] = values
    result[retired] = 0.0
    return result


def unfit(division: Division, zh: str, en: str) -> PlanError:
    """Return the error for a division that is not of its ground."""
    return PlanError(
        "division-unfit",
        f"单元 {division.parent} 的分割与底图不符：{zh}。请重新分割该单元。",
        f"The division of cell {division.parent} does not fit the ground: {en}. Divide the cell anew.",
        ids=[division.parent],
    )
