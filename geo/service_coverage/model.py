"""The service model: a city snapped to its walking network once, asked many times."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import TYPE_CHECKING

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from geo.errors import GeoError, LayerError
from geo.network import DETOUR_FACTOR, Access, Router, apply, detour_distance, network_of, snap
from geo.service_coverage.circles import (
    category_labels,
    check_layers,
    groups_of,
    inner_points,
    join_ways,
    station_categories,
    straight_ways,
    straight_ways_moved,
    workers_of,
)
from geo.service_coverage.coverage import ON, Groups, Scene, Ways, judge
from geo.service_coverage.hours import open_stations, parse_window
from geo.service_coverage.notes import home_findings, no_streets, poor_network, station_findings
from geo.service_coverage.question import DEFAULT_MINUTES, DEFAULT_SPEED_M_PER_MIN, ask, bad_method
from geo.service_coverage.rules import stations_outside

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from geo.city import City
    from geo.findings import Finding
    from geo.network import Network, Scenario
    from geo.service_coverage.coverage import Coverage, Method

    Column = tuple[NDArray[np.float64], NDArray[np.int32]]
    Key = tuple[Method, bytes, bytes]

LEAST_ON_NETWORK = 0.5
"""With a smaller share of households on the main network walks would tell of too few: the factor is used."""

COLUMNS_KEPT = 96
"""Solved columns kept in memory, one a category and set of open stations."""


@dataclass(frozen=True, eq=False)
class ServiceModel:
    """Buildings and stations of a city on its walking network.

    What does not depend on the question is done once: the network, the access of every building, the ways of every
    category. A model is never changed; `with_station` and `with_stations` return another one that shares
    what stayed the same.

    Attributes
    ----------
    city
        The city as loaded.
    stations
        Stations in the city's CRS, at first the city's own.
    network
        None where there are no streets to walk on: ways are then straight lines times `geo.network.DETOUR_FACTOR`.
    homes, spots
        Access of buildings and stations to the network; None without one.
    groups
        Grid and community of every building.
    wanted
        Categories that are wanted although no station may have them.
    findings
        What was found on streets, buildings and stations.

    Examples
    --------
    >>> model = ServiceModel.build(city)
    >>> coverage = model.coverage(minutes=15, window="evening")
    >>> moved = model.with_station(3, (510_200.0, 3_462_100.0)).coverage(minutes=15, window="evening")
    >>> gaps = gap_table(moved)
    """

    city: City
    stations: gpd.GeoDataFrame
    network: Network | None
    homes: Access | None
    spots: Access | None
    groups: Groups
    wanted: tuple[str, ...] = ()
    findings: tuple[Finding, ...] = ()
    _router: Router | None = field(default=None, repr=False)
    _points: NDArray[np.float64] = field(default_factory=lambda: np.empty((0, 2)), repr=False)
    _sites: NDArray[np.float64] = field(default_factory=lambda: np.empty((0, 2)), repr=False)
    _solved: dict[Key, Column] = field(default_factory=dict, repr=False)
    _without: ServiceModel | None = field(default=None, repr=False)

    @classmethod
    def build(
        cls,
        city: City,
        *,
        scenario: Scenario | None = None,
        gates: gpd.GeoDataFrame | None = None,
        wanted: Sequence[str] = (),
        walk: bool = True,
        grid_of_building: NDArray[np.int32] | None = None,
        n_grids: int | None = None,
    ) -> ServiceModel:
        """Build the network of a city and find the access of its buildings and stations.

        Parameters
        ----------
        city
            With buildings and stations; its roads are the network, its water, railways and compounds the barriers.
        scenario
            Gates, bridges and paths that are there although no layer has them.
        gates
            Points where walls can be passed; the city's own where None is given.
        wanted
            Categories that are wanted although no station may have them.
        walk
            False to build no network: for circles alone.
        grid_of_building, n_grids
            Row of the plan's grids of every building, int32, -1 for none; and their number.

        Raises
        ------
        LayerError
            If there are no buildings or no stations.
        CRSError
            If the layers are not in one projected CRS.
        """
        check_layers(city.buildings, city.stations)
        points, sites = inner_points(city.buildings), inner_points(city.stations)
        groups = groups_of(
            city.buildings, grid_of_building, n_grids=n_grids, n_communities=len(city.communities)
        )
        bare = cls(
            city=city,
            stations=city.stations,
            network=None,
            homes=None,
            spots=None,
            groups=groups,
            wanted=tuple(wanted),
            _points=points,
            _sites=sites,
        )
        if not walk:
            return bare
        network = _network(city, gates)
        if network is None:
            return replace(bare, findings=(no_streets(DETOUR_FACTOR),))

        homes = snap(network, points, compound=_compound(city))
        households = city.buildings["households"].to_numpy(np.int64)
        share = households[homes.state == ON].sum() / max(int(households.sum()), 1)
        if share < LEAST_ON_NETWORK:
            found = (*network.findings, poor_network(float(share), network.report, DETOUR_FACTOR))
            return replace(bare, findings=found)
        model = bare._joined(network, homes)
        return model if scenario is None else model.with_scenario(scenario)

    @property
    def method(self) -> Method:
        """How this model walks: ``"network"``, or ``"detour"`` without one."""
        return "detour" if self.network is None else "network"

    @property
    def router(self) -> Router | None:
        """The network prepared for ways to this city's buildings; None without streets."""
        return self._router

    @property
    def categories(self) -> tuple[str, ...]:
        """Categories of the stations and those wanted, sorted."""
        return tuple(sorted({*category_labels(self.stations), *self.wanted}))

    def coverage(
        self,
        *,
        minutes: float | Mapping[str, float] = DEFAULT_MINUTES,
        speed: float | Sequence[float] = DEFAULT_SPEED_M_PER_MIN,
        method: Method = "network",
        categories: Sequence[str] | None = None,
        window: str | None = None,
    ) -> Coverage:
        """Measure, for every building, the way to the nearest station of each category.

        Parameters
        ----------
        minutes
            Walking time that counts as served, inclusive; or times by category, with the key ``""`` for all others.
        speed
            Metres a minute; several at once, the first is the main one.
        method
            ``"network"`` walks, with the circle beside it for comparison; without streets, or by ``"detour"``, a
            walk is the straight line times a factor. ``"circle"`` counts straight lines alone.
        categories
            Categories wanted, in this order; default all.
        window
            Only stations open in this window count: a name of `geo.service_coverage.WINDOWS`, or hours such as
            ``"Sa 09:00-12:00"``.

        Raises
        ------
        GeoError
            ``coverage-bad-minutes``, ``coverage-bad-speed``, ``coverage-bad-window``, ``coverage-bad-method``,
            ``coverage-unknown-category``.
        """
        if method not in ("circle", "network", "detour"):
            raise bad_method(method)
        labels = category_labels(self.stations)
        question = ask(
            [*labels, *self.wanted], minutes=minutes, speeds=speed, categories=categories, allow_new=False
        )
        asked = None if window is None or not window.strip() else parse_window(window)
        is_open, hours_findings = open_stations(self.stations, asked)
        how = self.method if method == "network" else method
        if how == "network" and self.homes is not None:
            state = self.homes.state
        else:
            state = np.zeros(len(self._points), np.uint8)
        scene = Scene(
            households=self.city.buildings["households"].to_numpy(np.int64),
            workers=workers_of(self.city.buildings),
            state=state,
            groups=self.groups,
            station_category=station_categories(labels, question.categories),
            is_open=is_open,
            window="" if asked is None else asked.name,
        )
        n = len(question.categories)
        circle_scene = replace(scene, state=np.zeros(len(self._points), np.uint8))
        circle = judge(circle_scene, question, *self._both("circle", scene, n), method="circle")
        found = (*self._outside, *hours_findings)
        if how == "circle":
            return replace(circle, findings=found)
        walk = judge(scene, question, *self._both(how, scene, n), method=how)
        beside = zip(walk.other_speeds, circle.other_speeds, strict=True)
        return replace(
            walk,
            circle=replace(circle, other_speeds=()),
            other_speeds=tuple(replace(other, circle=its) for other, its in beside),
            findings=(*self.findings, *self._snapped_findings(how), *found),
        )

    def with_station(self, row: int, xy: tuple[float, float]) -> ServiceModel:
        """Return the model with one station moved.

        Parameters
        ----------
        row
            Row of `stations`.
        xy
            New place in the city's CRS, metres.
        """
        if not 0 <= row < len(self.stations):
            raise LayerError(
                "coverage-no-such-station",
                f"没有第 {row} 号站点，站点共 {len(self.stations)} 个（从 0 起）。",
                f"There is no station {row}; there are {len(self.stations)}, from 0.",
                layer="stations",
                row=row,
            )
        shapes = self.stations.geometry.to_numpy().copy()
        shapes[row] = shapely.Point(xy)
        sites = self._sites.copy()
        sites[row] = xy
        spots = self.spots
        if self._router is not None and spots is not None:
            spots = _put(spots, row, self._router.join(sites[[row]]))
        return replace(
            self,
            stations=self.stations.set_geometry(shapes),
            spots=spots,
            _sites=sites,
            _solved=self._after_move(row, sites),
            _without=None if self._without is None else self._without.with_station(row, xy),
        )

    def with_stations(self, stations: gpd.GeoDataFrame) -> ServiceModel:
        """Return the model with other stations: the columns of `geo.city.City.stations`, in any CRS."""
        frame = stations.to_crs(self.city.crs).reset_index(drop=True)
        check_layers(self.city.buildings, frame)
        sites = inner_points(frame)
        spots = None if self._router is None else self._router.join(sites)
        before = None if self._without is None else self._without.with_stations(frame)
        return replace(
            self, stations=frame, spots=spots, _sites=sites, _solved=dict(self._solved), _without=before
        )

    def new_station(self, category: str, xy: tuple[float, float], name: str = "") -> ServiceModel:
        """Return the model with one more station, at a place in the city's CRS; it is always open."""
        row = {
            "station_id": [f"new-{len(self.stations) + 1}"],
            "name": [name or category],
            "category": [category],
            "opening_hours": ["24/7"],
        }
        more = gpd.GeoDataFrame(row, geometry=[shapely.Point(xy)], crs=self.stations.crs)
        return self.with_stations(gpd.GeoDataFrame(pd.concat([self.stations, more], ignore_index=True)))

    def with_scenario(self, scenario: Scenario) -> ServiceModel:
        """Return the model with gates, bridges and paths added to its network.

        What is added closes nothing: where a building or a station joins a new street and its way gets longer for
        it, the way without the addition counts.

        Raises
        ------
        GeoError
            ``coverage-change-without-streets``: the city has no network to add to.
        """
        if self.network is None or self.homes is None:
            raise GeoError(
                "coverage-change-without-streets",
                "没有可用的路网，无法计算新增的门、桥或路。请加入 roads 图层。",
                "There is no network to add a gate, a bridge or a path to. Add a roads layer.",
                layer="roads",
            )
        network = apply(self.network, scenario)
        homes = snap(network, self._points, compound=_compound(self.city))
        return self._joined(network, homes, self)

    def _joined(self, network: Network, homes: Access, before: ServiceModel | None = None) -> ServiceModel:
        """Return the model on another network, one that has more than that of `before`."""
        was = None if before is None else before.homes
        state = homes.state if was is None else np.where(was.state == ON, ON, homes.state)
        return replace(
            self,
            network=network,
            homes=replace(homes, state=state.astype(np.uint8)),
            spots=snap(network, self._sites),
            findings=(*network.findings, *home_findings(self.city.buildings, state)),
            _router=Router(network, homes),
            _solved={key: column for key, column in self._solved.items() if key[0] != "network"},
            _without=before,
        )

    def _after_move(self, row: int, sites: NDArray[np.float64]) -> dict[Key, Column]:
        """Return what is solved after a station moved: straight ways mended; walks are searched when asked for."""
        solved = dict(self._solved)
        for key, column in self._solved.items():
            rows = np.frombuffer(key[1], np.intp)
            # Columns of other stations, kept from before, may know rows that are gone.
            known = rows.max(initial=-1) < len(self._sites)
            if key[0] == "circle" and known and row in rows and key[2] == self._sites[rows].tobytes():
                new = straight_ways_moved(column, self._points, sites, rows, row)
                solved["circle", key[1], sites[rows].tobytes()] = new
        return solved

    def _snapped_findings(self, how: Method) -> tuple[Finding, ...]:
        if how != "network" or self.spots is None:
            return ()
        return station_findings(self.stations, self.spots.state)

    @cached_property
    def _outside(self) -> tuple[Finding, ...]:
        return stations_outside(self.city, self.stations)

    def _both(self, how: Method, scene: Scene, n: int) -> tuple[Ways, Ways | None]:
        """Return the ways to open stations, and to all stations unless all are open."""
        category = scene.station_category
        ways = self._ways(how, [np.flatnonzero((category == k) & scene.is_open) for k in range(n)])
        if scene.is_open.all():
            return ways, None
        return ways, self._ways(how, [np.flatnonzero(category == k) for k in range(n)])

    def _ways(self, how: Method, rows: list[NDArray[np.intp]]) -> Ways:
        if how == "detour":
            straight = self._ways("circle", rows)
            return replace(straight, distance_m=detour_distance(straight.distance_m))
        keys: list[Key] = [(how, of.tobytes(), self._sites[of].tobytes()) for of in rows]
        for key, of in zip(keys, rows, strict=True):
            # What is used goes to the end: the columns at the front are the first to be forgotten.
            known = self._solved.pop(key, None)
            self._solved[key] = self.column(how, of) if known is None else known
        columns = [self._solved[key] for key in keys]
        for key in list(self._solved)[:-COLUMNS_KEPT]:
            del self._solved[key]
        return join_ways(columns, len(self._points))

    def column(self, how: Method, rows: NDArray[np.intp]) -> Column:
        """Return the ways to the nearest of some stations: metres and row of it, each of shape (buildings,)."""
        if how == "circle" or self._router is None or self.spots is None:
            return straight_ways(self._points, self._sites, rows)
        distance, station = self._router.solve(self.spots.take(rows), rows=rows.astype(np.int32))
        if self._without is None:
            return distance, station
        other, its = self._without.column(how, rows)
        return np.minimum(distance, other), np.where(other < distance, its, station)


def _network(city: City, gates: gpd.GeoDataFrame | None) -> Network | None:
    """Return the walking network; None where the city has no streets."""
    try:
        return network_of(city, gates=gates)
    except LayerError as error:
        if error.code != "network-no-streets":
            raise
        return None


def _compound(city: City) -> NDArray[np.int32] | None:
    """Return the compound of every building where that is known."""
    return city.buildings["compound"].to_numpy(np.int32) if "compound" in city.buildings else None


def _put(access: Access, row: int, one: Access) -> Access:
    """Return access with one row replaced by the only row of another."""
    columns = []
    for name in ("edge", "offset_m", "leg_m", "state"):
        column = getattr(access, name).copy()
        column[row] = getattr(one, name)[0]
        columns.append(column)
    return Access(*columns)
