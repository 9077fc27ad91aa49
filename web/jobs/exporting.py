"""The operation that writes an edited plan as files, inside the fences."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

from geo.errors import TilingError

# Loaded with the operation that uses it, inside the fences.
# ruff: noqa: PLC0415

if TYPE_CHECKING:
    from collections.abc import Mapping
    from concurrent.futures import Executor

    import geopandas as gpd

    from geo.dataset.folder import Dataset
    from geo.editing.plan import Plan
    from geo.types import Progress

PUBLISHED = "published.json"


def export(
    parameters: dict[str, Any], out: Path, *, executor: Executor | None, progress: Progress
) -> dict[str, Any]:
    """Write an edited plan as layers, table, maps and report, and its grids as rows for the published table.

    `parameters`: ``dataset`` (its folder), ``state`` and ``standard`` (from `web.jobs.stated.stated`), ``name``
    and ``revision`` (of the plan).
    """
    del executor
    from geo.dataset.folder import read_dataset
    from geo.editing.drawn import layers_of
    from geo.export import export_plan
    from geo.plan_files import read_plan, write_layers
    from web.jobs.operations import LANGUAGES, draw
    from web.jobs.stated import plan_from

    progress("read", 0, 1)
    dataset = read_dataset(Path(parameters["dataset"]))
    plan = plan_from(dataset.ground, parameters)
    progress("write", 0, 4)
    layers = layers_of(dataset, plan)
    tiling = _exact(layers)
    write_layers(layers, out / "plan.gpkg")
    progress("write", 1, 4)
    frames = read_plan(out / "plan.gpkg")
    export_plan(frames, out / "grids.geojson", to="geojson")
    export_plan(frames, out / "grids.csv", to="csv")
    progress("write", 2, 4)
    _write_json(out / "report.json", _report(plan, parameters) | {"exact_tiling": tiling})
    _write_json(out / PUBLISHED, published_rows(dataset, plan))
    progress("write", 4, 4)
    for number, lang in enumerate(LANGUAGES):
        progress("map", number, len(LANGUAGES))
        draw(out / "plan.gpkg", out / f"map-{lang}.html", coverage=None, community=None, lang=lang)
    progress("map", len(LANGUAGES), len(LANGUAGES))
    return {"grids": len(plan.grids), "revision": parameters["revision"]}


def published_rows(dataset: Dataset, plan: Plan) -> list[dict[str, Any]]:
    """Return one row a grid for `web.store.PublishedStore`, its ``geometry`` as hexadecimal WKB."""
    from geo.editing.drawn import published_grids

    grids = published_grids(dataset, plan).rename(columns={"compactness": "polsby_popper"})
    shapes = grids.geometry.to_wkb(hex=True).tolist()
    rows = json.loads(grids.drop(columns="geometry").to_json(orient="records"))
    return [row | {"geometry": shape} for row, shape in zip(rows, shapes, strict=True)]


def _exact(layers: Mapping[str, gpd.GeoDataFrame]) -> dict[str, Any]:
    """Prove that the cells tile their communities, and say whether the grids do.

    Raises
    ------
    TilingError
        ``export-not-exact``. Grids need not tile: cells may be in none, and a grid may be in pieces.
    """
    from geo.report import verify_layers

    verdicts = verify_layers(layers)
    if not verdicts["cells"].ok:
        raise TilingError(
            "export-not-exact",
            "导出的单元没有严丝合缝，已停止导出。这是程序的缺陷，请联系管理员。方案没有改变。",
            "The cells of the export do not tile exactly, so it was stopped. This is a defect of ours: tell your "
            "administrator. The plan has not changed.",
        )
    return {name: verdict.ok for name, verdict in verdicts.items()}


def _report(plan: Plan, parameters: Mapping[str, Any]) -> dict[str, Any]:
    from geo.editing.judged import grid_rows, summary
    from geo.editing.publish import open_errors, open_warnings

    return {
        "plan": parameters["name"],
        "revision": parameters["revision"],
        "standard": json.loads(parameters["standard"]),
        "summary": summary(plan),
        "errors": open_errors(plan),
        "warnings": open_warnings(plan),
        "grids": grid_rows(plan),
    }


def _write_json(path: Path, document: Any) -> None:
    path.write_text(json.dumps(document, ensure_ascii=False, allow_nan=False), encoding="utf-8")
