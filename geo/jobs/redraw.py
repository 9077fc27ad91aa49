"""The redraw job: from an old division to grids of the standard's size, with little change."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from geo.atomic import replacing
from geo.compare import compare
from geo.jobs.prepare import read_study
from geo.old_grids import map_old_grids
from geo.plan import assemble, plan_layers
from geo.plan_files import write_layers
from geo.redraw import MOVED_WEIGHT, redraw
from geo.report import plan_report, to_json
from geo.search import Search

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    import geopandas as gpd

    from geo.compare import Comparison
    from geo.findings import Finding
    from geo.jobs.prepare import Study
    from geo.layers import Source
    from geo.plan import DrawnPlan
    from geo.standards import Standard


@dataclass(frozen=True)
class RedrawResult:
    """The new plan with its layers and report, and how it compares with the old division."""

    study: Study
    plan: DrawnPlan
    layers: dict[str, gpd.GeoDataFrame]
    comparison: Comparison
    report: dict[str, Any]
    findings: tuple[Finding, ...]


def make_redraw(
    sources: Sequence[Source],
    standard: Standard,
    *,
    moved_weight: float = MOVED_WEIGHT,
    columns: Mapping[str, str] | None = None,
    search: Search | None = None,
) -> RedrawResult:
    """Read layers, old grids among them, and redraw the division; see `geo.redraw.redraw`.

    Raises
    ------
    GeoError
        If the input cannot be used; ``old-grids-missing`` without old grids.
    """
    search = search or Search()
    study = read_study(sources, columns=columns, search=search)
    return redraw_of(study, standard, moved_weight=moved_weight, search=search)


def redraw_of(
    study: Study,
    standard: Standard,
    *,
    moved_weight: float = MOVED_WEIGHT,
    search: Search | None = None,
) -> RedrawResult:
    """Redraw a city that is already in cells; see `make_redraw`."""
    search = search or Search()
    city, tiling = study.city, study.tiling
    units = study.units(standard)
    old = map_old_grids(city, tiling, units)
    parts = redraw(units, old.of_unit, standard, moved_weight=moved_weight, search=search)
    plan = assemble(city, tiling, units, parts, standard=standard, seed=search.seed)
    found = compare(
        old.of_building,
        np.append(plan.grid_of_cell, np.int32(-1))[tiling.building_cell],
        city.buildings["households"].to_numpy(np.int64),
        old_ids=city.old_grids["grid_code"].tolist(),
        new_ids=plan.grids["grid_id"].tolist(),
    )
    grids = plan.grids.assign(
        main_origin=found.new["main_origin"].to_numpy(),
        lineage=found.new["kind"].to_numpy(),
        moved=found.new["moved"].to_numpy(),
    )
    plan = replace(plan, grids=grids)
    layers = plan_layers(city, tiling, plan)
    report = plan_report(city, tiling, units, plan, layers)
    report["redraw"] = found.to_dict() | {"moved_weight": moved_weight}
    report["findings"] += [finding.to_dict() for finding in old.findings]
    return RedrawResult(study, plan, layers, found, report, old.findings)


def write_redraw(result: RedrawResult, path: Path, report_path: Path | None = None) -> None:
    """Write the plan and its report: both, or neither."""
    targets = (path,) if report_path is None else (path, report_path)
    with replacing(*targets) as drafts:
        write_layers(result.layers, drafts[0])
        if report_path is not None:
            drafts[1].write_text(to_json(result.report), encoding="utf-8")
