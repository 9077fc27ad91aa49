"""The levels job: streets to communities, communities to grids and micro-grids, grids to building groups."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from geo import __version__
from geo.atomic import replacing
from geo.grouping import units_for
from geo.groups import GROUP_STANDARD, MEMBERS_PER_HOUSEHOLD, RADIUS_M, count_members, divide_into_groups
from geo.jobs.prepare import read_study
from geo.levels import (
    COMMUNITY_STANDARD,
    LevelPlan,
    communities_as_parents,
    finish_level,
    inside,
    nesting,
    streets_as_parents,
)
from geo.plan import plan_layers
from geo.plan_files import write_layers
from geo.report import to_json
from geo.search import Search
from geo.units import cell_units

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    import geopandas as gpd
    from numpy.typing import NDArray

    from geo.findings import Finding
    from geo.jobs.prepare import Study
    from geo.layers import Source
    from geo.levels import Parents
    from geo.standards import Standard


@dataclass(frozen=True)
class Wanted:
    """Which levels to make, and by what rules.

    Attributes
    ----------
    standard
        Of the grids; its sublevels are made below them.
    redraw_communities
        True to divide the streets into communities first, by `community_standard`, in place of today's.
    community_standard
        Size of a community.
    groups
        True to divide the lowest level into building groups.
    group_standard
        Band of party members a group.
    radius_m
        Service radius of a group, metres.
    members_per_household
        Party members where none are counted.
    """

    standard: Standard
    redraw_communities: bool = False
    community_standard: Standard = COMMUNITY_STANDARD
    groups: bool = False
    group_standard: Standard = GROUP_STANDARD
    radius_m: float = RADIUS_M
    members_per_household: float = MEMBERS_PER_HOUSEHOLD


@dataclass(frozen=True)
class LevelsResult:
    """Nested levels from the top down, the layers of their file, and the report."""

    study: Study
    levels: tuple[LevelPlan, ...]
    layers: dict[str, gpd.GeoDataFrame]
    report: dict[str, Any]
    findings: tuple[Finding, ...]


def make_levels(
    sources: Sequence[Source],
    wanted: Wanted,
    *,
    columns: Mapping[str, str] | None = None,
    search: Search | None = None,
) -> LevelsResult:
    """Read layers and divide the city level by level, each wholly inside the one above.

    Raises
    ------
    GeoError
        If the input cannot be used; ``streets-missing`` when communities are to be redrawn and none names a street.
    """
    search = search or Search()
    return levels_of(read_study(sources, columns=columns, search=search), wanted, search=search)


def levels_of(study: Study, wanted: Wanted, *, search: Search | None = None) -> LevelsResult:
    """Divide a city that is already in cells; see `make_levels`."""
    search = search or Search()
    maker = _Maker(study, search, _steps(wanted))
    city, tiling = study.city, study.tiling
    if wanted.redraw_communities:
        parents, findings = streets_as_parents(city, tiling)
        maker.findings += tuple(findings)
        maker.divide("community", wanted.community_standard, parents)
        parents = maker.levels[-1].as_parents()
    else:
        parents = communities_as_parents(tiling)
    names = _names(wanted.standard)
    main = maker.divide(names[0], wanted.standard, parents)
    for name, sublevel in zip(names[1:], wanted.standard.sublevels, strict=True):
        maker.divide(name, sublevel, maker.levels[-1].as_parents())
    if wanted.groups:
        maker.group(wanted)
    layers = _layers(study, maker, main)
    return LevelsResult(study, tuple(maker.levels), layers, _report(study, maker, wanted), maker.findings)


def write_levels(result: LevelsResult, path: Path, report_path: Path | None = None) -> None:
    """Write the levels and their report: both, or neither."""
    targets = (path,) if report_path is None else (path, report_path)
    with replacing(*targets) as drafts:
        write_layers(result.layers, drafts[0])
        if report_path is not None:
            drafts[1].write_text(to_json(result.report), encoding="utf-8")


class _Maker:
    """Makes one level after the other, and keeps what it made."""

    def __init__(self, study: Study, search: Search, steps: int) -> None:
        self.study = study
        self.search = search
        self.steps = steps
        self.levels: list[LevelPlan] = []
        self.extra: list[dict[str, NDArray[Any]]] = []
        self.findings: tuple[Finding, ...] = ()

    def divide(self, level: str, standard: Standard, parents: Parents) -> LevelPlan:
        """Divide every parent by the standard."""
        city, tiling = inside(self.study.city, self.study.tiling, parents)
        units = units_for(city, tiling, standard, graph=self.study.graph)
        parts = self._next().run(units, standard)
        plan = finish_level(
            city, tiling, units, parts, level=level, parents=parents, standard=standard, seed=self.search.seed
        )
        self.levels.append(plan)
        self.extra.append({})
        return plan

    def group(self, wanted: Wanted) -> None:
        """Divide the lowest level into building groups."""
        parents = self.levels[-1].as_parents()
        city, tiling = inside(self.study.city, self.study.tiling, parents)
        units = cell_units(city, tiling, graph=self.study.graph)
        members, findings = count_members(self.study.city, per_household=wanted.members_per_household)
        self.findings = (*self.findings, *findings)
        standard = wanted.group_standard
        groups = divide_into_groups(
            city, tiling, units, members, standard=standard, radius_m=wanted.radius_m, search=self._next()
        )
        plan = finish_level(
            city,
            tiling,
            units,
            groups.parts,
            level="building_group",
            parents=parents,
            standard=standard,
            seed=self.search.seed,
        )
        self.levels.append(plan)
        order = _rows_in_plan(plan, groups.parts.grid_of_unit)
        centre = np.append(city.buildings["building_id"].to_numpy(dtype=object), "")[groups.centre[order]]
        self.extra.append(
            {
                **_by_members(groups.parts.households[order], standard),
                "centre_building_id": centre,
                "reach_m": np.round(groups.reach_m[order], 1),
            }
        )

    def _next(self) -> Search:
        return self.search.step(len(self.levels), self.steps)


def _by_members(members: NDArray[np.int64], standard: Standard) -> dict[str, NDArray[Any]]:
    """Return the columns of building groups that speak of party members in place of households."""
    few, many = members < standard.min, members > standard.max
    cases = [few, many]
    return {
        "party_members": members,
        "in_band": ~(few | many),
        "deviation": np.round((members - standard.target) / standard.target, 6),
        "reason": np.select(cases, ["too-few-members", "too-many-members"], ""),
        "reason_zh": np.select(
            cases,
            [
                f"党员不足{standard.min}名：服务半径内没有更多党员，或上级网格总数不足。",
                f"党员超过{standard.max}名：单栋楼已超过，或未找到更好的划分；可按单元门再分。",
            ],
            "",
        ),
        "reason_en": np.select(
            cases,
            [
                f"Fewer than {standard.min} members: no more live within the radius, or in the area above.",
                f"More than {standard.max} members: one building alone has more, or none better was found.",
            ],
            "",
        ),
    }


def _rows_in_plan(plan: LevelPlan, grid_of_unit: NDArray[np.int32]) -> NDArray[np.int64]:
    """Return the grid of the partition that each row of the plan came from."""
    rows = np.zeros(len(plan.plan.grids), np.int64)
    rows[plan.plan.grid_of_cell] = grid_of_unit[plan.units.of_cell]
    return rows


def _steps(wanted: Wanted) -> int:
    return 1 + len(wanted.standard.sublevels) + wanted.redraw_communities + wanted.groups


def _names(standard: Standard) -> list[str]:
    """Return the names of the level of the grids and of those below it."""
    count = 1 + len(standard.sublevels)
    return list(standard.levels[-count:])


def _layers(study: Study, maker: _Maker, main: LevelPlan) -> dict[str, gpd.GeoDataFrame]:
    """Return the main level as the layers of a plan file, and one layer for each level below it."""
    city, tiling = inside(study.city, study.tiling, main.parents)
    layers = plan_layers(city, tiling, main.plan)
    start = next(i for i, level in enumerate(maker.levels) if level is main)
    for level, extra in zip(maker.levels[start + 1 :], maker.extra[start + 1 :], strict=True):
        layers[f"grids_{level.level}"] = level.grids.assign(**extra)
        ids = level.plan.grids["grid_id"].to_numpy(dtype=object)
        column = f"{level.level}_id"
        layers["cells"][column] = ids[level.plan.grid_of_cell]
        home = np.append(level.plan.grid_of_cell, -1)[study.tiling.building_cell]
        layers["buildings"][column] = np.append(ids, "")[home]
    if start > 0:
        redrawn = maker.levels[0]
        figures = redrawn.grids.drop(columns=["geometry"]).rename(columns={"grid_id": "community_id"})
        columns = ["community_id", *(c for c in figures if c not in {*layers["communities"]})]
        layers["communities"] = layers["communities"].merge(figures[columns], on="community_id", how="left")
        layers["old_communities"] = study.tiling.communities
        old = study.city.communities["community_id"].to_numpy(dtype=object)
        layers["cells"]["old_community_id"] = old[study.tiling.cells["community"].to_numpy()]
        layers["streets"] = redrawn.parents.frame
    return layers


def _report(study: Study, maker: _Maker, wanted: Wanted) -> dict[str, Any]:
    findings = [*study.city.findings, *study.tiling.findings, *maker.findings]
    levels = [_figures(level, extra, wanted) for level, extra in zip(maker.levels, maker.extra, strict=True)]
    return {
        "version": __version__,
        "standard": wanted.standard.id,
        "seed": maker.search.seed,
        "nested": all(level["nesting"]["ok"] for level in levels),
        "levels": levels,
        "findings": [finding.to_dict() for finding in findings],
    }


def _figures(level: LevelPlan, extra: Mapping[str, NDArray[Any]], wanted: Wanted) -> dict[str, Any]:
    grids, standard = level.grids.assign(**extra), level.plan.standard
    counted = "party_members" if "party_members" in extra else standard.measure
    occupied = grids["households"].to_numpy() > 0
    outside = grids.loc[~grids["in_band"], "reason"].value_counts().sort_index()
    figures = {
        "level": level.level,
        "standard": standard.id,
        "measure": counted,
        "target": standard.target,
        "band": [standard.min, standard.max],
        "areas": len(grids),
        "areas_without_homes": int((~occupied).sum()),
        "households": int(grids["households"].sum()),
        "mean": _round(grids.loc[occupied, counted].mean()),
        "share_in_band": _round(grids.loc[occupied, "in_band"].mean()),
        "mean_polsby_popper": _round(grids.loc[occupied, "compactness"].mean()),
        "out_of_band_reasons": {str(code): int(n) for code, n in outside.items()},
        "disconnected": int((grids.geometry.geom_type != "Polygon").sum()),
        "nesting": nesting(level),
    }
    if "reach_m" in extra:
        figures["radius_m"] = wanted.radius_m
        figures["largest_reach_m"] = float(extra["reach_m"].max(initial=0.0))
        figures["beyond_radius"] = int((extra["reach_m"] > wanted.radius_m + 0.05).sum())
    return figures


def _round(value: float) -> float | None:
    return None if pd.isna(value) else round(float(value), 4)
