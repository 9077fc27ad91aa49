"""Make every grid connected again after edits, moving few households."""

from __future__ import annotations

from dataclasses import dataclass
from heapq import heappop, heappush
from typing import TYPE_CHECKING, Any

import numpy as np

from geo.adjacency import components
from geo.errors import InfeasibleError
from geo.loads import unit_loads
from geo.locks import Locks, no_locks

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from geo.standards import Standard
    from geo.units import Units


@dataclass(frozen=True)
class Repaired:
    """A mended division.

    Attributes
    ----------
    grid_of_unit
        int32, shape (units,), in the numbers of the input; a piece that touches no grid it may join gets a number
        of its own, above all others.
    changed
        int64: rows of the units that changed their grid, ascending.
    households
        Households in them.
    """

    grid_of_unit: NDArray[np.int32]
    changed: NDArray[np.int64]
    households: int


def repair(
    units: Units, grid_of_unit: NDArray[np.integer[Any]], standard: Standard, *, locks: Locks | None = None
) -> Repaired:
    """Connect every grid again, and put every grid into one community.

    Of a grid in several pieces the one with most households keeps the number. Each other piece, the smallest first,
    goes the cheaper way: it joins a neighbouring grid, or is linked to its own by units that other grids can spare.
    Households moved are never more than those of all pieces but the largest of each grid. The best choice for all
    pieces together is a Steiner problem; this takes the best for one after the other.

    Parameters
    ----------
    units
        All units.
    grid_of_unit
        Shape (units,): any non-negative numbers.
    standard
        Of the neighbours a piece may join, one that stays within its maximum goes first, then the longest border.
    locks
        Frozen grids are neither mended nor changed; pinned units keep their grid.

    Raises
    ------
    InfeasibleError
        ``repair-locked``: pinned units of one grid lie in pieces that nothing can link.
    """
    locks = locks or no_locks(units)
    mender = _Mender(units, np.asarray(grid_of_unit, np.int64).copy(), standard, locks)
    while mender.mend_one():
        pass
    changed = np.flatnonzero(mender.label != grid_of_unit)
    return Repaired(mender.label.astype(np.int32), changed, int(units.households[changed].sum()))


class _Mender:
    """The division while it is mended."""

    def __init__(self, units: Units, label: NDArray[np.int64], standard: Standard, locks: Locks) -> None:
        self.units = units
        self.label = label
        self.first = label.copy()
        self.standard = standard
        self.locks = locks
        self.load = unit_loads(units, standard)
        self.anchor = self._anchors()

    @property
    def price(self) -> NDArray[np.int64]:
        """Households that more would move if a unit went elsewhere: none for one that has moved already."""
        return np.where(self.label == self.first, self.units.households, 0)

    def mend_one(self) -> bool:
        """Mend the stray piece with fewest households; False when there is none."""
        piece = self._pieces(self.label)
        stray = self._stray(piece)
        if not len(stray):
            return False
        weight = np.bincount(piece, weights=self.price)
        chosen = int(stray[np.argmin(weight[stray])])
        rows = np.flatnonzero(piece == chosen)
        price = int(weight[chosen])
        held = bool(self.locks.pinned[rows].any())
        bridge = self._bridge(rows, piece, None if held else price)
        if bridge is not None:
            self.label[bridge] = self.label[rows[0]]
        elif held:
            raise self._impossible(rows)
        else:
            self.label[rows] = self._new_home(rows)
        return True

    def _pieces(self, label: NDArray[np.int64]) -> NDArray[np.int32]:
        """Return the connected piece of every unit, each inside one grid and one community."""
        key = label * (int(self.units.community.max(initial=0)) + 1) + self.units.community
        return components(self.units.graph, np.unique(key, return_inverse=True)[1].astype(np.int32))

    def _anchors(self) -> NDArray[np.bool_]:
        """Choose a unit of the main piece of every grid; where it lies stays the main piece to the end."""
        piece = self._pieces(self.label)
        count = int(piece.max(initial=-1)) + 1
        weight = np.bincount(piece, weights=self.units.households, minlength=count)
        size = np.bincount(piece, minlength=count)
        pinned = np.bincount(piece, weights=self.locks.pinned, minlength=count) > 0
        rows = np.arange(self.units.n)
        order = np.lexsort(
            (rows, ~self.locks.pinned, piece, -size[piece], -weight[piece], ~pinned[piece], self.label)
        )
        anchor = np.zeros(self.units.n, np.bool_)
        anchor[order[np.diff(self.label[order], prepend=-1) != 0]] = True
        return anchor

    def _stray(self, piece: NDArray[np.int32]) -> NDArray[np.int64]:
        """Return all pieces but the main one of each grid that is not frozen, ascending."""
        main = np.unique(piece[self.anchor | self.locks.frozen])
        return np.setdiff1d(piece, main)

    def _new_home(self, rows: NDArray[np.int64]) -> int:
        """Choose the grid that a piece joins, or a number of its own where there is none."""
        graph, units = self.units.graph, self.units
        mine = np.zeros(units.n, np.bool_)
        mine[rows] = True
        edge = mine[graph.focal] & ~mine[graph.neighbor]
        edge &= units.community[graph.focal] == units.community[graph.neighbor]
        edge &= ~self.locks.frozen[graph.neighbor]
        if not edge.any():
            self.anchor[rows[0]] = True
            return int(self.label.max()) + 1
        grids, place = np.unique(self.label[graph.neighbor[edge]], return_inverse=True)
        border = np.bincount(place, weights=graph.length_m[edge])
        load = np.array([self.load[self.label == g].sum() for g in grids]) + self.load[rows].sum()
        return int(grids[np.lexsort((grids, -border, load > self.standard.max))[0]])

    def _bridge(
        self, rows: NDArray[np.int64], piece: NDArray[np.int32], below: int | None
    ) -> NDArray[np.int64] | None:
        """Find units of other grids that link a piece to its grid for fewer households than `below`.

        None when there are none, or when taking them would break or empty another grid.
        """
        units, grid = self.units, self.label[rows[0]]
        # Only the main piece: linked to another stray one, both might have to move all the same.
        main = piece[self.anchor & (self.label == grid)]
        target = np.isin(piece, main) & (units.community == units.community[rows[0]])
        if not target.any():
            return None
        path = self._cheapest_path(rows, target, below)
        if path is None:
            return None
        return path if self._can_spare(path, piece, grid) else None

    def _can_spare(self, path: NDArray[np.int64], piece: NDArray[np.int32], grid: int) -> bool:
        """Tell whether the grids that give a path keep their main pieces whole and get no more pieces."""
        after = self.label.copy()
        after[path] = grid
        donors = np.setdiff1d(self.label[path], [grid])
        given = np.isin(self.label, donors)
        left = given & np.isin(after, donors)
        now = self._pieces(after)
        main = np.isin(piece, piece[self.anchor & given]) & left
        return bool(
            len(np.unique(now[left])) <= len(np.unique(piece[given]))
            and len(np.unique(now[main])) == len(np.unique(piece[main]))
        )

    def _cheapest_path(
        self, rows: NDArray[np.int64], target: NDArray[np.bool_], below: int | None
    ) -> NDArray[np.int64] | None:
        """Dijkstra over the community's units, each as far as it has households (Dijkstra 1959)."""
        units, graph = self.units, self.units.graph
        # Its own stray pieces on the way are linked for nothing.
        cost = np.where(self.label == self.label[rows[0]], 0, self.price)
        open_unit = (units.community == units.community[rows[0]]) & ~self.locks.held & ~self.anchor
        best = dict.fromkeys(rows.tolist(), 0)
        before: dict[int, int] = {}
        # Steps break ties among ways of equal households: the shortest one takes the fewest units.
        heap: list[tuple[int, int, int]] = [(0, 0, row) for row in rows.tolist()]
        while heap:
            price, steps, unit = heappop(heap)
            if price > best[unit] or (below is not None and price >= below):
                continue
            for other in graph.neighbor[graph.indptr[unit] : graph.indptr[unit + 1]].tolist():
                if target[other]:
                    return _way_back(unit, before)
                if not open_unit[other]:
                    continue
                reached = price + int(cost[other])
                if other not in best or reached < best[other]:
                    best[other], before[other] = reached, unit
                    heappush(heap, (reached, steps + 1, other))
        return None

    def _impossible(self, rows: NDArray[np.int64]) -> InfeasibleError:
        community = int(self.units.community[rows[0]])
        return InfeasibleError(
            "repair-locked",
            f"第{community + 1}个社区中，网格内被锁定的单元互不相连，且无法通过其他单元连接。请解锁其中一部分。",
            f"In community {community + 1}, locked units of one grid do not touch and nothing can link them. "
            "Unlock some of them.",
            community=community,
            units=rows.tolist(),
        )


def _way_back(unit: int, before: dict[int, int]) -> NDArray[np.int64]:
    """Return the units between the piece and the target."""
    path = []
    while unit in before:
        path.append(unit)
        unit = before[unit]
    return np.array(sorted(path), np.int64)
