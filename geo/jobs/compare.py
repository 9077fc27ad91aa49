"""The compare job: a plan beside an old division, from files to a table."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import shapely

from geo.atomic import replacing
from geo.compare import compare
from geo.crs import working_crs
from geo.errors import LayerError, PlanError
from geo.intake.features import read_old_grids
from geo.intake.log import Log
from geo.intake.opening import Reference, open_table
from geo.old_grids import old_grid_of_points
from geo.plan_files import read_plan
from geo.report import to_json
from geo.schema import check_overrides

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    import geopandas as gpd
    from numpy.typing import NDArray

    from geo.compare import Comparison
    from geo.findings import Finding
    from geo.layers import Source


def compare_with_layer(
    plan_path: Path, sources: Sequence[Source], *, columns: Mapping[str, str] | None = None
) -> tuple[Comparison, tuple[Finding, ...]]:
    """Compare a plan with an old division drawn as areas.

    Parameters
    ----------
    plan_path
        A plan file; its buildings carry the households.
    sources
        Layers of old grids; other roles are not read.
    columns
        Columns named by hand, as for `geo.pipeline.make_plan`.

    Raises
    ------
    LayerError
        ``old-grids-missing``: no source is of old grids; ``old-grids-elsewhere``: no building lies in any.
    PlanError, ColumnError, CRSError
        The plan or the layer cannot be used.
    """
    check_overrides(columns or {})
    frames = read_plan(plan_path)
    homes = frames["buildings"]
    old, findings = _read_old(sources, columns or {}, homes)
    points = shapely.point_on_surface(homes.to_crs(old.crs).geometry.to_numpy())
    of_building, _ = old_grid_of_points(points, old)
    if not (of_building >= 0).any():
        raise LayerError(
            "old-grids-elsewhere",
            "没有任何一栋楼位于原有网格内。请核对原有网格图层的坐标系和范围。",
            "No building lies in any of the old grids. Check the CRS and the extent of the old grids.",
            role="old_grids",
        )
    found = compare(
        of_building,
        _grid_rows(frames),
        homes["households"].to_numpy(np.int64),
        old_ids=old["grid_code"].tolist(),
        new_ids=frames["grids"]["grid_id"].tolist(),
    )
    return found, findings


def compare_plans(plan_path: Path, old_path: Path) -> Comparison:
    """Compare a plan with an older plan of the same buildings, matched by ``building_id``.

    Raises
    ------
    PlanError
        ``plans-of-other-buildings``: the two share no building; or a file is no plan.
    """
    frames, older = read_plan(plan_path), read_plan(old_path)
    row = pd.Series(_grid_rows(older), index=older["buildings"]["building_id"])
    row = row[~row.index.duplicated()]
    homes = frames["buildings"]
    of_building = homes["building_id"].map(row).fillna(-1).to_numpy(np.int64)
    if not (of_building >= 0).any():
        raise PlanError(
            "plans-of-other-buildings",
            f"方案 {plan_path} 与 {old_path} 没有相同编号的楼栋，无法对比。",
            f"The plans {plan_path} and {old_path} have no building in common: nothing to compare.",
            path=str(old_path),
        )
    return compare(
        of_building,
        _grid_rows(frames),
        homes["households"].to_numpy(np.int64),
        old_ids=older["grids"]["grid_id"].tolist(),
        new_ids=frames["grids"]["grid_id"].tolist(),
    )


def write_comparison(found: Comparison, path: Path, report_path: Path | None = None) -> None:
    """Write the crosswalk as CSV and the summary with the lineage as JSON: both, or neither."""
    targets = (path,) if report_path is None else (path, report_path)
    with replacing(*targets) as drafts:
        # The mark at the beginning tells spreadsheets that the file is UTF-8.
        drafts[0].write_text(found.crosswalk.to_csv(index=False), encoding="utf-8-sig")
        if report_path is not None:
            report = found.to_dict() | {
                "new": found.new.to_dict("records"),
                "old": found.old.to_dict("records"),
            }
            drafts[1].write_text(to_json(report), encoding="utf-8")


def _read_old(
    sources: Sequence[Source], columns: Mapping[str, str], homes: gpd.GeoDataFrame
) -> tuple[gpd.GeoDataFrame, tuple[Finding, ...]]:
    log = Log()
    xmin, ymin, xmax, ymax = homes.total_bounds.tolist()
    reference = Reference(homes.crs, (xmin, ymin, xmax, ymax))
    tables = [open_table(s, columns, log, reference=reference) for s in sources if s.role == "old_grids"]
    if not tables:
        raise LayerError(
            "old-grids-missing",
            "没有给出原有网格图层（--layer old_grids=文件）。",
            "No layer of old grids was given (--layer old_grids=FILE).",
            role="old_grids",
        )
    crs = working_crs((xmin + xmax) / 2, (ymin + ymax) / 2)
    return read_old_grids(tables, crs, log), tuple(log.findings)


def _grid_rows(frames: Mapping[str, gpd.GeoDataFrame]) -> NDArray[np.int64]:
    """Return the row of the grid of every building of a plan, -1 for none."""
    row = pd.Series(np.arange(len(frames["grids"])), index=frames["grids"]["grid_id"])
    return frames["buildings"]["grid_id"].map(row).fillna(-1).to_numpy(np.int64)
