"""What a coverage says: who reaches a station of each category in time, and who does not."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING, Literal

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from geo.findings import Finding
    from geo.service_coverage.question import Question

Method = Literal["circle", "network", "detour"]

TIE_M = 1e-6
"""A limit on walking distance is inclusive by this much: lengths are summed edge by edge."""

ON, OFF_NETWORK, ISLAND = 0, 1, 2
"""States of a building, as `geo.network.State` numbers them."""


@dataclass(frozen=True)
class Totals:
    """Households and covered households of groups of buildings (grids, communities).

    Attributes
    ----------
    households
        int64, shape (groups,).
    covered
        int64, shape (groups, categories).
    undecided
        int64, shape (groups, categories): households off the network or on an island that reach no station:
        neither covered nor uncovered.
    """

    households: NDArray[np.int64]
    covered: NDArray[np.int64]
    undecided: NDArray[np.int64]

    @property
    def uncovered(self) -> NDArray[np.int64]:
        """int64, shape (groups, categories)."""
        return self.households[:, None] - self.covered - self.undecided


@dataclass(frozen=True)
class Groups:
    """Which grid and community each building is in, -1 for none, and how many there are of each.

    Attributes
    ----------
    grid
        int32, shape (buildings,), or None without a plan.
    community
        int32, shape (buildings,).
    """

    grid: NDArray[np.int32] | None
    n_grids: int
    community: NDArray[np.int32]
    n_communities: int


@dataclass(frozen=True)
class Ways:
    """Ways from every building to the nearest station of each category.

    Attributes
    ----------
    distance_m
        float64, shape (buildings, categories): inf when no station can be walked to.
    nearest
        int32, shape (buildings, categories): row of that station, -1 for none.
    """

    distance_m: NDArray[np.float64]
    nearest: NDArray[np.int32]


@dataclass(frozen=True)
class Coverage:
    """Who reaches a station of each category within the walking time.

    Attributes
    ----------
    method
        How distance was measured: ``"circle"`` in a straight line, ``"network"`` along streets and paths,
        ``"detour"`` in a straight line times a factor, where there are no streets.
    minutes, speed_m_per_min
        As asked for; `category_minutes` holds what counts for each category.
    categories
        Station categories; the columns of every table below are in this order.
    category_minutes
        float64, shape (categories,): walking time that counts as served, inclusive.
    station_category
        int32, shape (stations,): position in `categories`, -1 for a category that was not asked for.
    households, workers
        int64, shape (buildings,); workers, a demand of its own in offices and parks, None where none are counted.
    distance_m
        float64, shape (buildings, categories): distance to the nearest open station; inf when there is none.
    nearest
        int32, shape (buildings, categories): row of that station, of equally near ones the lowest; -1 for none.
    covered
        bool, shape (buildings, categories): the way is at most `limit_m`.
    state
        uint8, shape (buildings,): `ON`, `OFF_NETWORK` or `ISLAND`; all `ON` for circles.
    groups
        Grids and communities of the buildings.
    window
        Name of the time window, "" for any time.
    is_open
        bool, shape (stations,): counts in the window.
    shut_out
        bool, shape (buildings, categories): not covered, but would be if every station were open.
    circle
        The circle of the same minutes and speed beside a coverage by walking; None for a circle itself.
    other_speeds
        The same ways at the other speeds asked for.
    findings
        What was found on streets, buildings, stations and hours.
    """

    method: Method
    minutes: float
    speed_m_per_min: float
    categories: tuple[str, ...]
    category_minutes: NDArray[np.float64]
    station_category: NDArray[np.int32]
    households: NDArray[np.int64]
    workers: NDArray[np.int64] | None
    distance_m: NDArray[np.float64]
    nearest: NDArray[np.int32]
    covered: NDArray[np.bool_]
    state: NDArray[np.uint8]
    groups: Groups
    window: str
    is_open: NDArray[np.bool_]
    shut_out: NDArray[np.bool_]
    circle: Coverage | None = None
    other_speeds: tuple[Coverage, ...] = ()
    findings: tuple[Finding, ...] = ()

    @property
    def radius_m(self) -> float:
        """Walking radius in metres: minutes times speed."""
        return self.minutes * self.speed_m_per_min

    @property
    def limit_m(self) -> NDArray[np.float64]:
        """float64, shape (categories,): the farthest way that counts as served."""
        return self.category_minutes * self.speed_m_per_min

    @property
    def walk_minutes(self) -> NDArray[np.float64]:
        """float64, shape (buildings, categories): walking minutes to the nearest station."""
        return self.distance_m / self.speed_m_per_min

    @property
    def undecided(self) -> NDArray[np.bool_]:
        """bool, shape (buildings, categories): off the network or on an island, and no station reached."""
        return (self.state != ON)[:, None] & ~self.covered

    @cached_property
    def grids(self) -> Totals | None:
        """Totals by grid, or None without a plan. Buildings outside every grid are in no row."""
        if self.groups.grid is None:
            return None
        return self._totals(self.groups.grid, self.groups.n_grids)

    @cached_property
    def communities(self) -> Totals:
        """Totals by community. Buildings outside every community are in no row."""
        return self._totals(self.groups.community, self.groups.n_communities)

    def _totals(self, group: NDArray[np.int32], n: int) -> Totals:
        return group_totals(self.households, self.covered, group, n, undecided=self.undecided)

    @property
    def categories_reached(self) -> NDArray[np.int32]:
        """int32, shape (buildings,): number of categories with a station in reach."""
        return self.covered.sum(axis=1, dtype=np.int32)

    @property
    def stations(self) -> NDArray[np.int64]:
        """int64, shape (categories,): number of stations, open or not."""
        known = self.station_category[self.station_category >= 0]
        return np.bincount(known, minlength=len(self.categories)).astype(np.int64)

    @property
    def total_households(self) -> int:
        """Households in all buildings."""
        return int(self.households.sum())

    @property
    def covered_households(self) -> NDArray[np.int64]:
        """int64, shape (categories,): households in covered buildings."""
        return count(self.households, self.covered)

    @property
    def uncovered_households(self) -> NDArray[np.int64]:
        """int64, shape (categories,): households on the network that reach no station in time."""
        return self.total_households - self.covered_households - count(self.households, self.undecided)

    def undecided_households(self, state: int) -> NDArray[np.int64]:
        """Return households of one state, `OFF_NETWORK` or `ISLAND`, that reach no station: int64 by category."""
        return count(self.households, self.undecided & (self.state == state)[:, None])

    @property
    def covered_workers(self) -> NDArray[np.int64] | None:
        """int64, shape (categories,): workers in covered buildings; None where none are counted."""
        return None if self.workers is None else count(self.workers, self.covered)


@dataclass(frozen=True)
class Scene:
    """Who lives where, and which stations there are, whatever is asked.

    Attributes
    ----------
    households, workers
        int64, shape (buildings,); workers None where none are counted.
    state
        uint8, shape (buildings,): `ON`, `OFF_NETWORK` or `ISLAND`.
    station_category
        int32, shape (stations,): position in the categories wanted, -1 for none of them.
    is_open
        bool, shape (stations,).
    window
        Name of the time window, "" for any time.
    """

    households: NDArray[np.int64]
    workers: NDArray[np.int64] | None
    state: NDArray[np.uint8]
    groups: Groups
    station_category: NDArray[np.int32]
    is_open: NDArray[np.bool_]
    window: str = ""


def judge(
    scene: Scene, question: Question, ways: Ways, ways_any: Ways | None = None, *, method: Method
) -> Coverage:
    """Tell who is covered, at the main speed and at the others, and add up by grid and community.

    Parameters
    ----------
    ways
        Ways to the open stations.
    ways_any
        Ways to all stations; None when every station is open.
    """
    nobody = np.zeros(ways.distance_m.shape, bool)
    whole = Coverage(
        method=method,
        minutes=question.minutes,
        speed_m_per_min=question.speeds[0],
        categories=question.categories,
        category_minutes=question.category_minutes,
        station_category=scene.station_category,
        households=scene.households,
        workers=scene.workers,
        distance_m=ways.distance_m,
        nearest=ways.nearest,
        covered=nobody,
        state=scene.state,
        groups=scene.groups,
        window=scene.window,
        is_open=scene.is_open,
        shut_out=nobody,
    )
    first, *others = (_at_speed(whole, speed, ways_any) for speed in question.speeds)
    return replace(first, other_speeds=tuple(others))


def count(values: NDArray[np.int64], mask: NDArray[np.bool_]) -> NDArray[np.int64]:
    """Add up integers by column of a mask, shape (rows, columns)."""
    return values @ mask.astype(np.int64)


def group_totals(
    households: NDArray[np.int64],
    covered: NDArray[np.bool_],
    group: NDArray[np.int32],
    n: int | None = None,
    *,
    undecided: NDArray[np.bool_] | None = None,
) -> Totals:
    """Add up households, covered and undecided ones by group, as integers.

    Parameters
    ----------
    households
        int64, shape (buildings,).
    covered, undecided
        bool, shape (buildings, categories).
    group
        int32, shape (buildings,): group of each building, -1 for none.
    n
        Number of groups; default one more than the highest named.
    """
    if len(group) != len(households):
        raise ValueError(f"{len(group)} groups for {len(households)} buildings")
    n = int(group.max(initial=-1)) + 1 if n is None else n
    # One bucket more takes those in no group.
    bucket = np.where(group >= 0, group, n)

    def sums(values: NDArray[np.int64]) -> NDArray[np.int64]:
        # Sums of households stay far below 2**53, up to which floats count exactly.
        return np.bincount(bucket, weights=values, minlength=n + 1)[:n].astype(np.int64)

    def by_column(mask: NDArray[np.bool_]) -> NDArray[np.int64]:
        columns = [sums(np.where(mask[:, k], households, 0)) for k in range(mask.shape[1])]
        return np.stack(columns, axis=1) if columns else np.zeros((n, 0), np.int64)

    none = np.zeros((n, covered.shape[1]), np.int64)
    return Totals(
        households=sums(households),
        covered=by_column(covered),
        undecided=by_column(undecided) if undecided is not None and undecided.any() else none,
    )


def _at_speed(whole: Coverage, speed: float, ways_any: Ways | None) -> Coverage:
    limit = whole.category_minutes * speed
    # A straight line has one length; a walk is a sum of pieces.
    limit = limit if whole.method == "circle" else limit + TIE_M
    covered = whole.distance_m <= limit
    return replace(
        whole,
        speed_m_per_min=speed,
        covered=covered,
        shut_out=whole.shut_out if ways_any is None else (ways_any.distance_m <= limit) & ~covered,
    )
