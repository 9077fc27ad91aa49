"""The operations of jobs. They and the coverage desk call the library, inside the fences; nothing else does."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from geo.types import ROLES
from web.jobs import screen
from web.jobs.alternatives import alternatives
from web.jobs.exporting import export
from web.jobs.siting import siting
from web.jobs.starting import write_old, write_start
from web.jobs.tiling import tiles

# Each operation imports what it needs: looking at a file needs neither numba nor folium.
# ruff: noqa: PLC0415

if TYPE_CHECKING:
    from collections.abc import Callable
    from concurrent.futures import Executor

    from geo.layers import Source
    from geo.maps.wording import Lang
    from geo.pipeline import PlanResult
    from geo.types import Progress

LANGUAGES: tuple[Lang, ...] = ("zh", "en")
REASONS = ("reason_zh", "reason_en")


def inspect(
    parameters: dict[str, Any], out: Path, *, executor: Executor | None, progress: Progress
) -> dict[str, Any]:
    """Screen uploaded files, unpack archives, and say what layers they hold.

    `parameters`: ``folder``, ``files`` (``id``, ``path``, ``label``), ``unpacked_mb``.
    """
    del out, executor
    folder = Path(parameters["folder"])
    files = []
    for done, file in enumerate(parameters["files"]):
        progress("inspect", done, len(parameters["files"]))
        path = folder / file["path"]
        screen.screen(path, file["label"], unpacked_mb=parameters["unpacked_mb"])
        if path.suffix == ".zip":
            unpacked = screen.unpack_shapefiles(
                path, file["label"], folder / file["id"], unpacked_mb=parameters["unpacked_mb"]
            )
            path.unlink()
            files += [
                _inspected(shp.stem, shp, f"{file['label']} / {name}", folder)
                for name, shp in unpacked.items()
            ]
        else:
            files.append(_inspected(file["id"], path, file["label"], folder))
    return {"files": files}


def _inspected(file_id: str, path: Path, label: str, folder: Path) -> dict[str, Any]:
    from geo.layers import list_layers
    from geo.layers.inspection import likely_role

    # A layer that is named after its file carries our name; roles are guessed from the client's.
    known_as = Path(label).stem
    layers = []
    for info in list_layers(path):
        shown = info if info.name != path.stem else replace(info, name=known_as)
        layers.append(
            {
                "name": info.name,
                "title": shown.name,
                "rows": info.rows,
                "geometry_type": info.geometry_type,
                "crs": info.crs,
                "role": likely_role(shown),
                "columns": list(info.columns),
            }
        )
    return {"id": file_id, "path": str(path.relative_to(folder)), "label": label, "layers": layers}


def load(
    parameters: dict[str, Any], out: Path, *, executor: Executor | None, progress: Progress
) -> dict[str, Any]:
    """Read the layers in their roles and return what came in and what was found.

    `parameters`: ``sources``, ``columns``.
    """
    del out, executor
    from geo.intake import load_city

    city = load_city(_sources(parameters), columns=parameters["columns"], progress=progress)
    summary = {
        "crs": city.crs.name,
        "communities": len(city.communities),
        "buildings": len(city.buildings),
        "compounds": len(city.compounds),
        "roads": len(city.roads),
        "stations": len(city.stations),
        "households_in": int(city.households_in),
        "households_placed": int(city.households_in - city.unplaced["households"].sum()),
        "households_unplaced": int(city.unplaced["households"].sum()),
    }
    return {"summary": summary, "findings": [finding.to_dict() for finding in city.findings]}


def plan(
    parameters: dict[str, Any], out: Path, *, executor: Executor | None, progress: Progress
) -> dict[str, Any]:
    """Make a plan and everything that is shown or downloaded of it.

    `parameters`: ``sources``, ``columns``, ``standard``, ``target``, ``min``, ``max``, ``seed``, ``effort``,
    ``minutes``, ``speed``, and ``demo`` (``size``, ``path``) for the demo city.
    """
    from geo.export import export_plan
    from geo.pipeline import make_plan, write_result
    from geo.plan_files import read_plan
    from geo.standards import load_standard

    standard = load_standard(parameters["standard"]).with_(
        target=parameters["target"], min=parameters["min"], max=parameters["max"]
    )
    sources = sources_of(parameters, out, progress)
    result = make_plan(
        sources,
        standard=standard,
        columns=parameters["columns"],
        seed=parameters["seed"],
        effort=parameters["effort"],
        executor=executor,
        progress=progress,
    )
    progress("write", 0, 4)
    write_result(result, out / "plan.gpkg", out / "report.json")
    progress("write", 1, 4)
    write_start(result, _made_with(parameters), out)
    write_old(result, out)
    progress("write", 2, 4)
    frames = read_plan(out / "plan.gpkg")
    export_plan(frames, out / "grids.geojson", to="geojson")
    export_plan(frames, out / "grids.csv", to="csv")
    _write_json(out / "table.json", _table(frames))
    progress("write", 3, 4)
    has_stations = len(result.city.stations) > 0
    if has_stations:
        _cover(result, parameters, out, progress)
    for number, lang in enumerate(LANGUAGES):
        progress("map", number, len(LANGUAGES))
        draw(
            out / "plan.gpkg", out / f"map-{lang}.html", coverage=_coverage_of(out), community=None, lang=lang
        )
    progress("map", len(LANGUAGES), len(LANGUAGES))
    return {"grids": len(frames["grids"]), "stations": has_stations}


def _made_with(parameters: dict[str, Any]) -> dict[str, Any]:
    """Return what of a task's parameters a plan keeps: nothing that names a path."""
    names = ("standard", "target", "min", "max", "seed", "effort", "minutes", "speed")
    return {name: parameters[name] for name in names}


def map_of_community(
    parameters: dict[str, Any], out: Path, *, executor: Executor | None, progress: Progress
) -> dict[str, Any]:
    """Draw a plan with the buildings of one community.

    `parameters`: ``plan``, ``coverage`` (path or None), ``community``, ``lang``.
    """
    del executor, progress
    coverage = Path(parameters["coverage"]) if parameters["coverage"] else None
    draw(
        Path(parameters["plan"]),
        out / "map.html",
        coverage=coverage,
        community=parameters["community"],
        lang=parameters["lang"],
    )
    return {"html": (out / "map.html").read_text(encoding="utf-8")}


def draw(plan_path: Path, target: Path, *, coverage: Path | None, community: str | None, lang: Lang) -> None:
    """Draw a plan file as one HTML page."""
    from geo.coverage_job import read_coverage
    from geo.maps import plan_map
    from geo.plan_files import read_plan

    circles = read_coverage(coverage) if coverage else None
    html = plan_map(read_plan(plan_path), coverage=circles, community=community, lang=lang)
    target.write_text(html, encoding="utf-8")


def _cover(result: PlanResult, parameters: dict[str, Any], out: Path, progress: Progress) -> None:
    import numpy as np

    from geo.coverage_job import cover_city, write_coverage

    progress("coverage", 0, 1)
    cell = result.tiling.building_cell
    grid = np.where(cell >= 0, result.plan.grid_of_cell[np.maximum(cell, 0)], -1).astype(np.int32)
    coverage = cover_city(
        result.city,
        grids=result.layers["grids"],
        grid_of_building=grid,
        minutes=parameters["minutes"],
        speed_m_per_min=parameters["speed"],
    )
    write_coverage(coverage, out / "coverage.gpkg", out / "coverage.json")
    progress("coverage", 1, 1)


def _coverage_of(out: Path) -> Path | None:
    path = out / "coverage.gpkg"
    return path if path.exists() else None


def _sources(parameters: dict[str, Any]) -> list[Source]:
    from geo.layers import Source

    return [Source(item["role"], Path(item["path"]), item["layer"]) for item in parameters["sources"]]


def sources_of(parameters: dict[str, Any], out: Path, progress: Progress) -> list[Source]:
    """Return the layers a task names: those of an upload, or of the demo city, which is made when it is missing.

    `parameters`: ``sources``, or ``demo`` (``size``, ``path``).
    """
    from pyogrio import list_layers

    from geo.demo import write_city
    from geo.layers import Source

    demo = parameters.get("demo")
    if not demo:
        return _sources(parameters)
    path = Path(demo["path"])
    if not path.exists():
        progress("demo", 0, 1)
        draft = out / f"draft-{path.name}"
        write_city(demo["size"], draft)
        draft.rename(path)
        progress("demo", 1, 1)
    names = [str(name) for name, _ in list_layers(path)]
    return [Source(role, path, role) for role in ROLES if role in names]


def _table(frames: Any) -> dict[str, Any]:
    """Return the grids without geometry, and the communities that have any, for the page."""
    from geo.export import COLUMNS

    grids, communities = frames["grids"], frames["communities"]
    columns = [name for name in (*COLUMNS, *REASONS) if name in grids.columns]
    counts = grids.groupby("community_id").agg(grids=("grid_id", "size"), households=("households", "sum"))
    named = communities.set_index("community_id")["name"]
    return {
        "columns": columns,
        "grids": json.loads(grids[columns].to_json(orient="values")),
        "communities": [
            {"id": str(key), "name": str(named.get(key, key)), "grids": int(n), "households": int(h)}
            for key, n, h in zip(counts.index, counts["grids"], counts["households"], strict=True)
        ],
    }


def _write_json(path: Path, document: Any) -> None:
    path.write_text(json.dumps(document, ensure_ascii=False), encoding="utf-8")


OPERATIONS: dict[str, Callable[..., dict[str, Any]]] = {
    "inspect": inspect,
    "load": load,
    "plan": plan,
    "map": map_of_community,
    "siting": siting,
    "export": export,
    "tiles": tiles,
    "alternatives": alternatives,
}
