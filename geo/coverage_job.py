"""The whole coverage job: from files, and a plan where there is one, to layers and a report."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

import geopandas as gpd
import numpy as np
import pandas as pd
import pyogrio

from geo.atomic import replacing
from geo.errors import PlanError
from geo.findings import Finding
from geo.intake import load_city
from geo.plan_files import read_plan, write_layers
from geo.report import to_json
from geo.service_coverage import (
    DEFAULT_MINUTES,
    DEFAULT_SPEED_M_PER_MIN,
    Coverage,
    ServiceModel,
    community_supply,
    coverage_frames,
    coverage_report,
    isochrone_frame,
)
from geo.types import no_progress

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from numpy.typing import NDArray

    from geo.city import City
    from geo.layers import Source
    from geo.service_coverage import Method
    from geo.types import Progress

LAYERS = (
    "buildings",
    "grids",
    "communities",
    "circles",
    "isochrones",
    "gaps",
    "gap_areas",
    "stations",
)


@dataclass(frozen=True)
class CoverageOptions:
    """What is asked of a coverage, see `geo.service_coverage.ServiceModel.coverage`.

    Attributes
    ----------
    minutes
        Walking time, or times by category with the key ``""`` for all others.
    speed
        Metres a minute; several at once, the first is the main one.
    categories
        Categories wanted; None for all.
    window
        Time window; None for any time.
    """

    method: Method = "circle"
    minutes: float | Mapping[str, float] = DEFAULT_MINUTES
    speed: float | Sequence[float] = DEFAULT_SPEED_M_PER_MIN
    categories: Sequence[str] | None = None
    window: str | None = None


@dataclass(frozen=True)
class CoverageResult:
    """Coverage, its layers, its report, and what was found in the data."""

    coverage: Coverage
    layers: dict[str, gpd.GeoDataFrame]
    report: dict[str, Any]
    findings: tuple[Finding, ...]


def cover(
    sources: Sequence[Source],
    *,
    columns: Mapping[str, str] | None = None,
    plan_path: Path | None = None,
    minutes: float | Mapping[str, float] = DEFAULT_MINUTES,
    speed_m_per_min: float | Sequence[float] = DEFAULT_SPEED_M_PER_MIN,
    options: CoverageOptions | None = None,
    progress: Progress = no_progress,
) -> CoverageResult:
    """Read buildings and stations and count the households within reach of each station category.

    Parameters
    ----------
    sources
        Buildings (with households) and stations; communities add totals per community, roads a network to walk on,
        with water, railways and compounds as barriers.
    columns
        Columns named by hand, as for `geo.pipeline.make_plan`.
    plan_path
        A plan of the same buildings: adds totals per grid.
    minutes, speed_m_per_min
        Walking time and speed, instead of those of `options`.
    options
        What is asked; default circles of all categories at any time.

    Raises
    ------
    GeoError
        If the layers, the numbers or the plan cannot be used.
    """
    city = load_city(sources, columns=columns or {}, need_communities=False, progress=progress)
    grids, grid_of_building = None, None
    if plan_path is not None:
        frames = read_plan(plan_path)
        grids, grid_of_building = frames["grids"], _grid_of_building(city, frames, plan_path)
    return cover_city(
        city,
        grids=grids,
        grid_of_building=grid_of_building,
        minutes=minutes,
        speed_m_per_min=speed_m_per_min,
        options=options,
    )


def cover_city(
    city: City,
    *,
    grids: gpd.GeoDataFrame | None = None,
    grid_of_building: NDArray[np.int32] | None = None,
    minutes: float | Mapping[str, float] = DEFAULT_MINUTES,
    speed_m_per_min: float | Sequence[float] = DEFAULT_SPEED_M_PER_MIN,
    options: CoverageOptions | None = None,
) -> CoverageResult:
    """Count coverage of a loaded city; `grids` and `grid_of_building` (int32, -1 none) go together.

    `options` say everything; without them `minutes` and `speed_m_per_min` are those of circles.
    """
    asked = options or CoverageOptions(minutes=minutes, speed=speed_m_per_min)
    model = ServiceModel.build(
        city,
        walk=asked.method == "network",
        grid_of_building=grid_of_building,
        n_grids=None if grids is None else len(grids),
    )
    coverage = model.coverage(
        method=asked.method,
        minutes=asked.minutes,
        speed=asked.speed,
        categories=asked.categories,
        window=asked.window,
    )
    findings = [*city.findings, *coverage.findings]
    if grid_of_building is not None:
        findings += _outside_plan(city, grid_of_building)
    has_communities = len(city.communities) > 0
    report = coverage_report(
        coverage,
        city.buildings,
        grid_ids=None if grids is None else grids["grid_id"].tolist(),
        community_ids=city.communities["community_id"].tolist() if has_communities else None,
        supply=community_supply(coverage, city.stations, city.communities) if has_communities else None,
    )
    drawn = None
    if coverage.method == "network" and model.network is not None:
        drawn = isochrone_frame(model, coverage)
        report["network"] = asdict(model.network.report)
        report["isochrones"] = [
            {"category": name, "inside_not_reached": inside, "outside_reached": outside}
            for name, inside, outside in zip(
                drawn["category"],
                drawn["inside_not_reached"].tolist(),
                drawn["outside_reached"].tolist(),
                strict=True,
            )
        ]
    report["findings"] = [finding.to_dict() for finding in findings]
    layers = coverage_frames(
        coverage,
        city.buildings,
        city.stations,
        grids=grids,
        grid_of_building=grid_of_building,
        communities=city.communities,
        isochrones=drawn,
    )
    return CoverageResult(coverage, layers, report, tuple(findings))


def write_coverage(result: CoverageResult, path: Path, report_path: Path | None = None) -> None:
    """Write the coverage layers and the report: both, or neither."""
    targets = (path,) if report_path is None else (path, report_path)
    with replacing(*targets) as drafts:
        write_layers(result.layers, drafts[0])
        if report_path is not None:
            drafts[1].write_text(to_json(result.report), encoding="utf-8")


def read_coverage(path: Path) -> dict[str, gpd.GeoDataFrame]:
    """Read the layers of a coverage file.

    Raises
    ------
    PlanError
        If the file is missing or is no coverage file.
    """
    try:
        present = {str(name) for name, _ in pyogrio.list_layers(path)} if path.is_file() else set()
    except pyogrio.errors.DataSourceError:
        present = set()
    if not {"buildings", "circles", "gaps"} <= present:
        raise PlanError(
            "coverage-unreadable",
            f"{path} 不是覆盖分析文件。请使用 coverage 命令生成的 coverage.gpkg。",
            f"{path} is not a coverage file. Use a coverage.gpkg written by the coverage command.",
            path=str(path),
        )
    return {name: gpd.read_file(path, layer=name) for name in LAYERS if name in present}


def _grid_of_building(
    city: City, frames: Mapping[str, gpd.GeoDataFrame], plan_path: Path
) -> NDArray[np.int32]:
    """Find the grid of every building by its id in the plan; int32, -1 where the plan has none."""
    row = pd.Series(np.arange(len(frames["grids"])), index=frames["grids"]["grid_id"])
    grid = frames["buildings"]["grid_id"].map(row).fillna(-1).astype(np.int32)
    by_id = pd.Series(grid.to_numpy(), index=frames["buildings"]["building_id"])
    found = city.buildings["building_id"].map(by_id).fillna(-1).to_numpy(np.int32)
    if len(found) and (found < 0).all():
        raise PlanError(
            "plan-of-other-buildings",
            f"方案 {plan_path} 中没有任何一栋楼与所给楼栋图层编号一致。请使用生成该方案时的楼栋图层。",
            f"No building of the given layer is in the plan {plan_path}. Use the layer the plan was made from.",
            path=str(plan_path),
        )
    return found


def _outside_plan(city: City, grid_of_building: NDArray[np.int32]) -> list[Finding]:
    rows = np.flatnonzero(grid_of_building < 0)
    if not len(rows):
        return []
    homes = city.buildings.iloc[rows]
    return [
        Finding(
            code="building-not-in-plan",
            severity="warning",
            layer="buildings",
            count=len(rows),
            zh=f"{len(rows)} 栋楼不在方案的任何网格内，只计入总数，不计入网格。",
            en=f"{len(rows)} buildings are in no grid of the plan: counted in the totals, not by grid.",
            rows=tuple(homes["source_row"]),
            ids=tuple(homes["building_id"]),
            households=int(homes["households"].sum()),
        )
    ]
