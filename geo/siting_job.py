"""The whole siting job: from files to proposed stations, the demand before and after, and a report."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Literal, get_args

import geopandas as gpd
import numpy as np
import pandas as pd

from geo.atomic import replacing
from geo.errors import GeoError
from geo.findings import Finding
from geo.intake import load_city
from geo.network import DETOUR_FACTOR, ON, detour_distance, network_of, snap
from geo.plan_files import write_layers
from geo.report import to_json
from geo.service_coverage import DEFAULT_MINUTES, DEFAULT_SPEED_M_PER_MIN, category_columns
from geo.service_coverage.model import LEAST_ON_NETWORK
from geo.service_coverage.notes import no_streets, poor_network
from geo.siting import (
    TIME_LIMIT_S,
    Siting,
    SitingProblem,
    answers,
    candidate_sites,
    circle_nearest,
    circle_reach,
    points_of,
    proposed_stations,
    siting_report,
    with_proposed,
)
from geo.siting.reach import network_nearest, network_reach
from geo.types import no_progress

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

    from numpy.typing import NDArray

    from geo.city import City
    from geo.layers import Source
    from geo.siting import SparseRows
    from geo.types import Progress

Method = Literal["circle", "network"]

METHODS: tuple[Method, ...] = get_args(Method)

OUTPUT_CRS = "EPSG:4326"

GENERAL = "station"
"""Category of new stations where none is named and no station has one."""


@dataclass(frozen=True)
class Ways:
    """How it was measured (``"detour"`` where there are no streets to walk on), and the ways within the limit."""

    method: str
    reach: SparseRows
    existing_m: NDArray[np.float64]
    findings: tuple[Finding, ...] = ()


@dataclass(frozen=True)
class SitingOptions:
    """What is asked for; see `geo.siting.SitingProblem`.

    Attributes
    ----------
    categories
        Categories that every new site houses; may be empty where the stations are of one category only.
    minutes, speed_m_per_min
        Walking time and speed; their product is the limit.
    method
        ``"circle"``: straight line; ``"network"``: along the streets, or, where there are none, a straight line
        times `geo.network.DETOUR_FACTOR`, which a finding says.
    candidates
        ``"layer"``, ``"buildings"`` or ``"cells"``.
    existing
        Whether stations that are there count.
    time_limit_s
        Seconds from the first answer's start, see `geo.siting.answers`.
    """

    model: str = "mclp"
    p: int = 1
    categories: tuple[str, ...] = ()
    minutes: float = DEFAULT_MINUTES
    speed_m_per_min: float = DEFAULT_SPEED_M_PER_MIN
    method: str = "circle"
    candidates: str = "layer"
    capacity: int | None = None
    penalty_m: float | None = None
    existing: bool = True
    time_limit_s: float = TIME_LIMIT_S

    @property
    def limit_m(self) -> float:
        """Walking limit in metres."""
        return self.minutes * self.speed_m_per_min


@dataclass(frozen=True)
class SitingResult:
    """The answer, the chosen stations, the layers, the report, and what was found in the data.

    Attributes
    ----------
    stations
        The stations that are there and the proposed ones, told apart by ``proposed``; in the CRS of the city, for
        counting coverage as if all were open.
    """

    siting: Siting
    stations: gpd.GeoDataFrame
    layers: dict[str, gpd.GeoDataFrame]
    report: dict[str, Any]
    findings: tuple[Finding, ...]


def site(
    sources: Sequence[Source],
    options: SitingOptions,
    *,
    columns: Mapping[str, str] | None = None,
    progress: Progress = no_progress,
    clock: Callable[[], float] | None = None,
) -> SitingResult:
    """Read the layers and choose sites for new stations.

    Parameters
    ----------
    sources
        Buildings (with households); stations, candidates, and roads for ways along the streets.
    columns
        Columns named by hand, as for `geo.pipeline.make_plan`.
    clock
        Seconds; lets the time limit count from the start.

    Raises
    ------
    GeoError
        If the layers or the options cannot be used.
    """
    city = load_city(sources, columns=columns or {}, need_communities=False, progress=progress)
    return site_city(city, options, clock=clock)


def site_city(
    city: City,
    options: SitingOptions,
    *,
    clock: Callable[[], float] | None = None,
    on_answer: Callable[[Siting], None] | None = None,
) -> SitingResult:
    """Choose sites in a loaded city; `on_answer` receives every answer, the first at once."""
    _check(options)
    sites = candidate_sites(city, options.candidates)
    categories = _categories(city, options)
    problem, ways = _problem(city, sites, categories, options)
    for siting in answers(problem, time_limit_s=options.time_limit_s, clock=clock):
        if on_answer is not None:
            on_answer(siting)
    findings = [*city.findings, *ways.findings, *siting.findings]
    proposed = proposed_stations(sites.iloc[siting.chosen], categories, city.stations["station_id"].tolist())
    stations = with_proposed(city.stations, proposed)
    asked = {
        "method": ways.method,
        "minutes": options.minutes,
        "speed_m_per_min": options.speed_m_per_min,
        "existing": options.existing,
    }
    report = asked | siting_report(siting, problem, sites, categories)
    report["findings"] = [finding.to_dict() for finding in findings]
    layers = {
        "proposed": _proposed_frame(siting, proposed, len(categories)),
        "demand": _demand_frame(siting, problem, city, categories, options),
        "candidates": _candidate_frame(siting, problem, sites),
        "stations": stations.to_crs(OUTPUT_CRS),
    }
    return SitingResult(siting, stations, layers, report, tuple(findings))


def write_siting(result: SitingResult, path: Path, report_path: Path | None = None) -> None:
    """Write the layers and the report: both, or neither."""
    targets = (path,) if report_path is None else (path, report_path)
    with replacing(*targets) as drafts:
        write_layers(result.layers, drafts[0])
        if report_path is not None:
            drafts[1].write_text(to_json(result.report), encoding="utf-8")


def _check(options: SitingOptions) -> None:
    if not (math.isfinite(options.minutes) and options.minutes > 0):
        raise GeoError(
            "siting-bad-minutes",
            f"步行时间必须大于 0 分钟，当前为 {options.minutes}。",
            f"The walking time must be above 0 minutes; it is {options.minutes}.",
        )
    if not (math.isfinite(options.speed_m_per_min) and options.speed_m_per_min > 0):
        raise GeoError(
            "siting-bad-speed",
            f"步行速度必须大于 0 米/分钟，当前为 {options.speed_m_per_min}。",
            f"The walking speed must be above 0 metres a minute; it is {options.speed_m_per_min}.",
        )
    if options.method not in METHODS:
        raise GeoError(
            "siting-unknown-method",
            f"没有距离算法“{options.method}”，可用的有：{'、'.join(METHODS)}。",
            f'There is no method "{options.method}"; use one of {", ".join(METHODS)}.',
        )


def _categories(city: City, options: SitingOptions) -> list[str]:
    """Return the categories to site for; they must be known, unless existing stations do not count."""
    known = sorted(set(city.stations["category"])) if len(city.stations) else []
    wanted = list(dict.fromkeys(options.categories))
    listed = "、".join(known), ", ".join(known)
    if not wanted:
        if len(known) > 1:
            raise GeoError(
                "siting-no-category",
                f"站点有多个服务类别，请说明为哪一个选址：{listed[0]}。",
                f"The stations are of several categories; say which to site for: {listed[1]}.",
            )
        return known or [GENERAL]
    unknown = [name for name in wanted if name not in known]
    if options.existing and known and unknown:
        raise GeoError(
            "siting-unknown-category",
            f"没有类别为“{unknown[0]}”的站点，现有类别：{listed[0]}。若要新设类别，请不计现有站点。",
            f'No station is of the category "{unknown[0]}"; there are: {listed[1]}. '
            "For a new category, ignore the existing stations.",
            layer="stations",
        )
    return wanted


def _problem(
    city: City, sites: gpd.GeoDataFrame, categories: Sequence[str], options: SitingOptions
) -> tuple[SitingProblem, Ways]:
    """Measure the ways and set up the problem: one demand row a building, one column a category."""
    homes = city.buildings
    stations = city.stations if options.existing else city.stations.iloc[:0]
    rows = [np.flatnonzero((stations["category"] == name).to_numpy(bool)) for name in categories]
    measure = _circle_ways if options.method == "circle" else _network_ways
    ways = measure(city, points_of(sites), points_of(stations), rows, options.limit_m)
    households = homes["households"].to_numpy(np.int64)
    problem = SitingProblem(
        model=options.model,  # type: ignore[arg-type] # the problem itself refuses an unknown model
        weight=np.repeat(households[:, None], len(categories), axis=1),
        reach=ways.reach,
        existing_m=ways.existing_m,
        limit_m=options.limit_m,
        p=options.p,
        capacity=options.capacity,
        penalty_m=options.penalty_m,
    )
    return problem, ways


def _circle_ways(
    city: City,
    sites: NDArray[np.float64],
    stations: NDArray[np.float64],
    rows: Sequence[NDArray[np.intp]],
    limit_m: float,
) -> Ways:
    homes = points_of(city.buildings)
    existing = [circle_nearest(stations[of], homes, limit_m) for of in rows]
    return Ways("circle", circle_reach(sites, homes, limit_m), np.column_stack(existing))


def _detour_ways(
    city: City,
    sites: NDArray[np.float64],
    stations: NDArray[np.float64],
    rows: Sequence[NDArray[np.intp]],
    limit_m: float,
) -> Ways:
    """Return straight ways times the factor; what rounds to the limit is decided as coverage does."""
    straight = _circle_ways(city, sites, stations, rows, limit_m / DETOUR_FACTOR * (1 + 1e-9))
    reach = straight.reach.with_value(detour_distance(straight.reach.value))
    existing = detour_distance(straight.existing_m)
    return Ways(
        "detour", reach.pairs_where(reach.value <= limit_m), np.where(existing <= limit_m, existing, np.inf)
    )


def _network_ways(
    city: City,
    sites: NDArray[np.float64],
    stations: NDArray[np.float64],
    rows: Sequence[NDArray[np.intp]],
    limit_m: float,
) -> Ways:
    """Return walks along the streets; where there are none to walk on, straight lines times the factor."""
    if not len(city.roads):
        straight = _detour_ways(city, sites, stations, rows, limit_m)
        return replace(straight, findings=(no_streets(DETOUR_FACTOR),))
    network = network_of(city)
    homes = snap(network, points_of(city.buildings), compound=city.buildings["compound"].to_numpy(np.int32))
    households = city.buildings["households"].to_numpy(np.int64)
    share = float(households[homes.state == ON].sum() / max(int(households.sum()), 1))
    if share < LEAST_ON_NETWORK:
        straight = _detour_ways(city, sites, stations, rows, limit_m)
        return replace(straight, findings=(poor_network(share, network.report, DETOUR_FACTOR),))
    places, spots = snap(network, sites), snap(network, stations)
    existing = [network_nearest(network, spots.take(of), homes, limit_m) for of in rows]
    return Ways(
        "network",
        network_reach(network, places, homes, limit_m),
        np.column_stack(existing),
        (*_off(city.buildings, homes.edge < 0), *_sites_off(places.edge < 0)),
    )


def _off(buildings: gpd.GeoDataFrame, off: NDArray[np.bool_]) -> list[Finding]:
    lost = buildings[off & (buildings["households"] > 0).to_numpy(bool)]
    if not len(lost):
        return []
    return [
        Finding(
            "siting-building-off-network",
            "warning",
            "buildings",
            len(lost),
            zh=f"{len(lost)} 栋有住户的楼附近没有道路，按路网无法到达任何站点，计为无站可达。",
            en=f"{len(lost)} buildings with households have no street nearby: no station can be reached from them.",
            rows=tuple(lost["source_row"]),
            ids=tuple(lost["building_id"]),
            households=int(lost["households"].sum()),
        )
    ]


def _sites_off(off: NDArray[np.bool_]) -> list[Finding]:
    if not off.any():
        return []
    return [
        Finding(
            code="siting-candidate-off-network",
            severity="warning",
            layer="candidates",
            count=int(off.sum()),
            zh=f"{int(off.sum())} 个候选站址附近没有道路，不会被选中。",
            en=f"{int(off.sum())} candidate sites have no street nearby and are never chosen.",
            rows=tuple(np.flatnonzero(off) + 1),
        )
    ]


def _proposed_frame(siting: Siting, proposed: gpd.GeoDataFrame, n: int) -> gpd.GeoDataFrame:
    frame = proposed.drop(columns=["opening_hours", "proposed"]).reset_index(drop=True)
    site_of = np.repeat(np.arange(len(siting.chosen)), n)
    return frame.assign(gained=siting.gained[site_of], alone=siting.alone[site_of]).to_crs(OUTPUT_CRS)


def _demand_frame(
    siting: Siting, problem: SitingProblem, city: City, categories: Sequence[str], options: SitingOptions
) -> gpd.GeoDataFrame:
    data: dict[str, Any] = {
        "building_id": city.buildings["building_id"].to_numpy(),
        "households": city.buildings["households"].to_numpy(np.int64),
    }
    for k, column in enumerate(category_columns(categories)):
        data[f"{column.minutes}_before"] = _minutes(problem.existing_m[:, k], options.speed_m_per_min)
        data[f"{column.minutes}_after"] = _minutes(siting.metres[:, k], options.speed_m_per_min)
        before = np.isfinite(problem.existing_m[:, k])
        data[f"{column.covered}_before"] = np.where(before, problem.weight[:, k], 0)
        data[f"{column.covered}_after"] = siting.served[:, k]
    shapes = city.buildings.geometry.to_crs(OUTPUT_CRS).to_numpy()
    return gpd.GeoDataFrame(pd.DataFrame(data), geometry=shapes, crs=OUTPUT_CRS)


def _minutes(metres: NDArray[np.float64], speed: float) -> NDArray[np.float64]:
    return np.where(np.isfinite(metres), np.round(metres / speed, 3), np.nan).astype(np.float64)


def _candidate_frame(siting: Siting, problem: SitingProblem, sites: gpd.GeoDataFrame) -> gpd.GeoDataFrame:
    """Return every candidate with the households in its reach that no station covers today."""
    chosen = np.zeros(len(sites), np.bool_)
    chosen[siting.chosen] = True
    wanting = np.bincount(
        problem.reach.row, weights=problem.wanting[problem.reach.column], minlength=problem.reach.n
    )
    return sites.assign(chosen=chosen, uncovered_in_reach=wanting.astype(np.int64)).to_crs(OUTPUT_CRS)
