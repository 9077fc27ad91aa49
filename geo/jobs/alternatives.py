"""The alternatives job: one city, one set of units, several plans side by side."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from geo import __version__
from geo.alternatives import MEASURES, PRESETS, alternatives, score_table, to_records
from geo.alternatives_page import pareto_page
from geo.atomic import replacing
from geo.errors import LayerError
from geo.jobs.prepare import read_study
from geo.plan import assemble, plan_layers
from geo.plan_files import write_layers
from geo.report import plan_report, to_json
from geo.search import Search

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    import geopandas as gpd
    import pandas as pd

    from geo.alternatives import Alternative, Preset
    from geo.jobs.prepare import Study
    from geo.layers import Source
    from geo.plan import DrawnPlan
    from geo.standards import Standard

TABLE, PAGE = "alternatives.csv", "alternatives.html"
"""File names beside the plans."""


@dataclass(frozen=True)
class AlternativesResult:
    """Alternatives of one city with their plans and layers, in the order of the presets, and the table."""

    study: Study
    found: tuple[Alternative, ...]
    plans: tuple[DrawnPlan, ...]
    layers: tuple[dict[str, gpd.GeoDataFrame], ...]
    table: pd.DataFrame
    report: dict[str, Any]


def make_alternatives(
    sources: Sequence[Source],
    standard: Standard,
    *,
    presets: Sequence[Preset] = PRESETS,
    columns: Mapping[str, str] | None = None,
    search: Search | None = None,
) -> AlternativesResult:
    """Read layers and divide every community once for each preset, on the same units.

    Raises
    ------
    GeoError
        If the input cannot be used.
    """
    search = search or Search()
    study = read_study(sources, columns=columns, search=search)
    return alternatives_of(study, standard, presets=presets, search=search)


def alternatives_of(
    study: Study, standard: Standard, *, presets: Sequence[Preset] = PRESETS, search: Search | None = None
) -> AlternativesResult:
    """Divide a city that is already in cells; see `make_alternatives`."""
    search = search or Search()
    city, tiling, units = study.city, study.tiling, study.units(standard)
    found = alternatives(units, standard, presets=presets, search=search)
    plans = tuple(
        assemble(city, tiling, units, one.partition, standard=standard, seed=search.seed) for one in found
    )
    layers = tuple(plan_layers(city, tiling, plan) for plan in plans)
    table = score_table(found)
    reports = {
        one.preset.id: plan_report(city, tiling, units, plan, frames)
        for one, plan, frames in zip(found, plans, layers, strict=True)
    }
    report = {
        "version": __version__,
        "standard": standard.id,
        "seed": search.seed,
        "measures": [
            {"id": m.id, "zh": m.name_zh, "en": m.name_en, "higher_is_better": m.higher} for m in MEASURES
        ],
        "alternatives": to_records(table),
        "weights": {one.preset.id: asdict(one.preset.weights) for one in found},
        "plans": reports,
    }
    return AlternativesResult(study, tuple(found), plans, layers, table, report)


def write_alternatives(result: AlternativesResult, folder: Path, report_path: Path | None = None) -> None:
    """Write ``<preset>.gpkg`` for each plan, the table as CSV and as a page, and the report: all, or none.

    The folder is made when it does not exist.

    Raises
    ------
    LayerError
        If the folder cannot be made or written.
    """
    try:
        folder.mkdir(exist_ok=True)
    except OSError as error:
        raise LayerError(
            "output-not-writable",
            f"无法创建输出文件夹 {folder}：{error.strerror}。",
            f"Cannot make the output folder {folder}: {error.strerror}.",
            path=str(folder),
        ) from error
    plans = [folder / f"{one.preset.id}.gpkg" for one in result.found]
    targets = [*plans, folder / TABLE, folder / PAGE, *([] if report_path is None else [report_path])]
    with replacing(*targets) as drafts:
        for frames, draft in zip(result.layers, drafts, strict=False):
            write_layers(frames, draft)
        drafts[len(plans)].write_text(result.table.to_csv(index=False), encoding="utf-8-sig")
        drafts[len(plans) + 1].write_text(pareto_page(result.table), encoding="utf-8")
        if report_path is not None:
            drafts[-1].write_text(to_json(result.report), encoding="utf-8")
