"""The plan that all pages show: copies of the full demo city, planned, with tiles, as the service keeps them."""

from __future__ import annotations

import argparse
import json
import shutil
import tempfile
from pathlib import Path
from typing import Any

CELLS_OF_ONE = 20_000
GAP_M = 60.0
PLAN = "plan.json"
CELLS = "cells.geojson"
FOLIUM = "folium.html"


def make(data: Path, copies: int) -> dict[str, Any]:
    """Fill the data folder of a service with one project, its dataset, tiles and plan; once for a folder.

    Returns
    -------
    dict
        ``plan`` (id), ``cells``, ``grids``, ``bounds``.
    """
    told = data / PLAN
    if told.is_file():
        known: dict[str, Any] = json.loads(told.read_text(encoding="utf-8"))
        return known
    shutil.rmtree(data, ignore_errors=True)
    data.mkdir(parents=True)
    with tempfile.TemporaryDirectory(dir=data) as folder:
        city = Path(folder) / "city.gpkg"
        _write_city(city, copies)
        facts = _store(data, city, Path(folder))
    told.write_text(json.dumps(facts), encoding="utf-8")
    return facts


def _write_city(path: Path, copies: int) -> None:
    """Write the full demo city, or several of it in a block, each with ids of its own."""
    import pandas as pd
    import pyogrio

    from bench.scale import ROLES, copied, offset, read_layers
    from geo.demo import write_city

    if copies == 1:
        write_city("full", path)
        return
    base = path.with_name("base.gpkg")
    write_city("full", base)
    layers = read_layers(base)
    west, south, east, north = layers["communities"].total_bounds
    across = max(1, round(copies**0.5))
    parts: list[dict[str, Any]] = []
    for number in range(copies):
        there = offset(number)
        target = (number % across) * (east - west + GAP_M), (number // across) * (north - south + GAP_M)
        part = copied(layers, number)
        for role, frame in part.items():
            if "geometry" in frame.columns:
                shifted = frame.geometry.translate(target[0] - there[0], target[1] - there[1])
                part[role] = frame.set_geometry(shifted)
        parts.append(part)
    for role in ROLES:
        frame = pd.concat([part[role] for part in parts], ignore_index=True)
        pyogrio.write_dataframe(frame, path, layer=role, driver="GPKG", append=path.exists(), use_arrow=True)


def _store(data: Path, city: Path, scratch: Path) -> dict[str, Any]:
    """Plan the city and put it into the store, as the service's own jobs do."""
    import pyogrio

    from bench.scale import ROLES
    from geo.dataset.folder import read_dataset
    from geo.dataset.ground_file import dataset_id, read_ground
    from geo.editing.judged import summary
    from geo.editing.start import restored
    from geo.layers import Source
    from geo.pipeline import make_plan
    from geo.standards import load_standard
    from geo.tiles import bake
    from web.jobs.starting import DATASET, START, write_start
    from web.services.plan_standards import standard_document
    from web.settings import Settings
    from web.store import Stores
    from web.store.models import Project
    from web.store.records import DatasetRecord, PlanRecord

    roles = [role for role in ROLES if role in {str(name) for name, _ in pyogrio.list_layers(city)}]
    standard = load_standard("fine-250")
    sources = [Source(role, city, role) for role in roles]  # type: ignore[arg-type]
    result = make_plan(sources, standard=standard, effort="fast")
    write_start(result, {"effort": "fast"}, scratch)
    dataset = read_dataset(scratch / DATASET)
    (scratch / DATASET / "tiles").mkdir()
    bake(dataset.city, dataset.tiling, scratch / DATASET / "tiles", graph=dataset.graph)
    _write_rivals(data, dataset.tiling.cells.geometry.to_numpy(), result.plan.grid_of_cell)
    snapshot = (scratch / START).read_bytes()
    plan = restored(read_ground(scratch / DATASET), standard, snapshot)
    stores = Stores.open(Settings(data_dir=data))
    project = Project(name="Benchmark", state="ready")
    stores.projects.add(project)
    name = dataset_id(scratch / DATASET)
    stores.datasets.adopt(scratch / DATASET, DatasetRecord(name, cells=plan.ground.n))
    document = standard_document(standard)
    record = stores.plans.add(
        PlanRecord(project.id, name, "Benchmark", standard=document, summary=summary(plan)), snapshot
    )
    stores.close()
    bounds = [float(v) for v in dataset.tiling.communities.total_bounds]
    return {"plan": record.id, "cells": plan.ground.n, "grids": len(plan.grids), "bounds": bounds}


def _write_rivals(data: Path, cells: Any, grids: Any) -> None:
    """Write the same cells, with their grids' colours, as GeoJSON and as a folium page."""
    import geopandas as gpd
    import shapely

    from bench.editor.rivals import folium_page

    # Six decimals are a decimetre: what such files usually have.
    shapes = shapely.set_precision(cells, 1e-6, mode="pointwise")
    frame = gpd.GeoDataFrame({"grid": grids, "c": grids % 6}, geometry=shapes, crs="EPSG:4326")
    text = shapely.to_geojson(shapes)
    features = (
        f'{{"type":"Feature","id":{cell},"properties":{{"grid":{grid},"c":{grid % 6}}},"geometry":{shape}}}'
        for cell, (grid, shape) in enumerate(zip(grids.tolist(), text.tolist(), strict=True))
    )
    (data / CELLS).write_text(
        '{"type":"FeatureCollection","features":[' + ",".join(features) + "]}", encoding="utf-8"
    )
    (data / FOLIUM).write_text(folium_page(frame), encoding="utf-8")


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("data", type=Path)
    parser.add_argument("copies", type=int)
    args = parser.parse_args()
    print(json.dumps(make(args.data, args.copies)))
