"""Where a gate in a wall would bring most households within reach."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import shapely
from scipy.spatial import cKDTree

from geo.network import Access, Router, compound_of, snap
from geo.service_coverage.changes import Change
from geo.service_coverage.circles import inner_points
from geo.service_coverage.coverage import TIE_M
from geo.service_coverage.gaps import BARRIER, gap_reasons

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from geo.network import Network
    from geo.service_coverage.coverage import Coverage
    from geo.service_coverage.model import ServiceModel

STEP_M = 20.0
"""A place for a gate is looked at this often along a wall."""

SIDE_M = 0.5
"""How far from the wall its two sides are felt for."""

GATE_LEG_M = 40.0
"""A gate needs a street on both sides within this distance."""

NEAR_M = 300.0
"""A gate is first judged by the households behind barriers within this distance."""

APART_M = 60.0
"""Two gates looked at closely are at least so far apart."""

LOOKED_AT = 120
"""So many places are looked at closely."""


@dataclass(frozen=True)
class _Places:
    """Places for gates: the point in the wall, and where the streets on its two sides are joined."""

    xy: NDArray[np.float64]
    inside: Access
    outside: Access

    def take(self, rows: NDArray[np.intp]) -> _Places:
        return _Places(self.xy[rows], self.inside.take(rows), self.outside.take(rows))

    @property
    def length_m(self) -> NDArray[np.float64]:
        return self.inside.leg_m + self.outside.leg_m


def candidate_gates(model: ServiceModel, coverage: Coverage, *, most: int = 20) -> list[Change]:
    """Propose gates where streets run on both sides of a wall, those that help most households first.

    A gate is one new link between two points u and v of the network. A shortest way uses it at most once, so what
    it gains follows without building the network anew from the ways from the homes to u and to v, and from u and v
    to the nearest station: ``min(to u + link + from v, to v + link + from u)``. `single_changes` gives the exact
    figures of the gates proposed here.

    Parameters
    ----------
    coverage
        Of this model: households out of reach behind a barrier are what gates may help.
    most
        Longest list.

    Returns
    -------
    Changes of the kind ``"gate"`` that gain at least one household; none without walls.
    """
    network, router, spots = model.network, model.router, model.spots
    if network is None or router is None or spots is None:
        return []
    stuck = np.where(gap_reasons(coverage) == BARRIER, coverage.households[:, None], 0)
    homes = np.flatnonzero(stuck.any(axis=1))
    places = _places(network)
    if not len(homes) or not len(places.xy):
        return []
    here, there = (_station_ways(network, side, spots, coverage) for side in (places.inside, places.outside))
    helps = np.abs(_gap(here) - _gap(there)) > places.length_m[:, None]
    near = cKDTree(inner_points(model.city.buildings)[homes]).query_ball_point(places.xy, NEAR_M)
    around = np.array([stuck[homes[of]].sum(axis=0) for of in near], np.int64).reshape(helps.shape)
    rows = _apart(places.xy, (around * helps).sum(axis=1))
    gains = np.array(
        [
            _gain(router, places.take(rows[[k]]), here[rows[k]], there[rows[k]], coverage)
            for k in range(len(rows))
        ],
        np.int64,
    )
    best = np.lexsort((rows, -gains))[:most]
    return [
        Change("gate", f"gate-{rank}", shapely.Point(places.xy[rows[k]]))
        for rank, k in enumerate(best.tolist(), start=1)
        if gains[k]
    ]


def _places(network: Network) -> _Places:
    """Return places along the walls with a street near on both sides."""
    walled = [row for row, wall in enumerate(network.walls) if wall is not None]
    rings = shapely.get_parts(shapely.boundary(network.walls[walled])) if walled else np.empty(0, object)
    length = shapely.length(rings)
    count = np.maximum((length / STEP_M).astype(np.int64), 1)
    ring = np.repeat(np.arange(len(rings)), count)
    at = (np.arange(len(ring)) - (np.cumsum(count) - count)[ring] + 0.5) * (length / np.maximum(count, 1))[
        ring
    ]
    point, ahead = (
        shapely.get_coordinates(shapely.line_interpolate_point(rings[ring], at + step)).reshape(-1, 2)
        for step in (0.0, SIDE_M / 2)
    )
    along = ahead - point
    size = np.hypot(along[:, 0], along[:, 1])
    point, along, size = point[size > 0], along[size > 0], size[size > 0]
    normal = np.column_stack([-along[:, 1], along[:, 0]]) / size[:, None] * SIDE_M
    sides = [point + normal, point - normal]
    owners = [compound_of(network, side) for side in sides]
    left, right = (
        snap(network, side, max_leg_m=GATE_LEG_M, compound=owner)
        for side, owner in zip(sides, owners, strict=True)
    )
    kept = np.flatnonzero((left.edge >= 0) & (right.edge >= 0) & (owners[0] != owners[1]))
    return _Places(point[kept], left.take(kept), right.take(kept))


def _station_ways(network: Network, side: Access, spots: Access, coverage: Coverage) -> NDArray[np.float64]:
    """Return the way from each joined point, without its leg, to the nearest open station: (points, categories)."""
    start = Access(side.edge, side.offset_m, np.zeros(len(side)), side.state)
    category = np.where(coverage.is_open, coverage.station_category, -1)
    return Router(network, start).distances(spots, category, len(coverage.categories))[0]


def _gap(ways: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return ways that can be subtracted: no way at all is a very long one."""
    return np.where(np.isfinite(ways), ways, 1e9)


def _apart(xy: NDArray[np.float64], promise: NDArray[np.int64]) -> NDArray[np.intp]:
    """Return up to `LOOKED_AT` rows with most promise, no two closer than `APART_M`."""
    order = np.lexsort((np.arange(len(xy)), -promise))
    order = order[promise[order] > 0]
    tree, taken = cKDTree(xy), np.zeros(len(xy), bool)
    rows: list[int] = []
    for row in order.tolist():
        if len(rows) == LOOKED_AT:
            break
        if not taken[row]:
            rows.append(row)
            taken[tree.query_ball_point(xy[row], APART_M)] = True
    return np.array(rows, np.intp)


def _gain(
    router: Router,
    place: _Places,
    here: NDArray[np.float64],
    there: NDArray[np.float64],
    coverage: Coverage,
) -> int:
    """Return the households, times categories, that one gate brings within reach."""
    limit = coverage.limit_m + TIE_M
    farthest = float(limit.max())
    link = float(place.length_m[0])
    to_here, to_there = (
        router.solve(Access(side.edge, side.offset_m, np.zeros(1), side.state), limit_m=farthest)[0]
        for side in (place.inside, place.outside)
    )
    new = np.minimum(to_here[:, None] + link + there, to_there[:, None] + link + here) <= limit
    return int((coverage.households @ (new & ~coverage.covered).astype(np.int64)).sum())
