"""The whole job on cities drawn at random: what must hold for every input.

Buildings may overlap, touch, repeat, cross roads and lie on borders; communities may be concave, in several
parts, or empty; households may be zero or far above a grid's maximum.
"""

from __future__ import annotations

import gc
import hashlib
import threading
import time
from concurrent.futures import Executor, Future, ProcessPoolExecutor, ThreadPoolExecutor
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import pytest
import shapely
from cities import make_city
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from geo.city import City
from geo.demo import write_city
from geo.errors import GeoError
from geo.export import export_plan
from geo.layers import Source, parse_source
from geo.pipeline import collecting_less, make_plan, plan_city, write_result
from geo.plan_files import read_plan
from geo.standards import load_standard
from geo.workers import STARTERS, load_engine, started_ahead

STANDARD = load_standard("fine-250")

SHAPES = {
    "square": [shapely.box(0, 0, 600, 400)],
    "two": [shapely.box(0, 0, 300, 400), shapely.box(300, 0, 600, 400)],
    "concave": [
        shapely.Polygon(
            [(0, 0), (600, 0), (600, 400), (400, 400), (400, 100), (200, 100), (200, 400), (0, 400)]
        ),
        shapely.Polygon([(200, 100), (400, 100), (400, 400), (200, 400)]),
    ],
    "parts": [
        shapely.MultiPolygon([shapely.box(0, 0, 200, 400), shapely.box(400, 0, 600, 400)]),
        shapely.box(200, 0, 400, 400),
    ],
}


@st.composite
def cities(draw: st.DrawFn) -> City:
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    n = draw(st.integers(0, 60))
    corner = np.round(rng.uniform((0, 0), (590, 390), (n, 2)), draw(st.sampled_from([0, 3])))
    size = rng.uniform(2, 40, (n, 2))
    homes = [
        shapely.Point(*c) if rng.random() < 0.2 else shapely.box(*c, *(c + s))
        for c, s in zip(corner, size, strict=True)
    ]
    households = rng.choice([0, 1, 24, 60, 120, 700], n)
    roads = [
        shapely.LineString(np.round(rng.uniform((-20, -20), (620, 420), (2, 2)), 1))
        for _ in range(draw(st.integers(0, 8)))
    ]
    return make_city(
        SHAPES[draw(st.sampled_from(sorted(SHAPES)))], homes, roads=roads, households=households.tolist()
    )


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(cities(), st.integers(0, 3))
def test_every_plan_is_exact_connected_and_complete(city: City, seed: int) -> None:
    result = plan_city(city, standard=STANDARD, seed=seed, effort="fast")
    report, grids, cells = result.report, result.layers["grids"], result.layers["cells"]

    assert report["exact_tiling"]["ok"], report["exact_tiling"]
    assert report["contiguity"]["ok"]
    assert set(grids.geom_type) == {"Polygon"}
    assert set(grids["community_id"]) == set(city.communities["community_id"])
    assert (cells.groupby("grid_id")["community_id"].nunique() == 1).all()

    placed = city.buildings["community"].to_numpy() >= 0
    assert grids["households"].sum() == city.buildings.loc[placed, "households"].sum()
    by_cell = cells.groupby("grid_id")["households"].sum()
    assert (grids.set_index("grid_id")["households"] == by_cell.reindex(grids["grid_id"])).all()
    homes = result.layers["buildings"]
    by_home = homes[homes["grid_id"] != ""].groupby("grid_id")["households"].sum()
    assert (grids.set_index("grid_id")["households"].sub(by_home, fill_value=0) == 0).all()

    shapes = grids.to_crs(city.crs).geometry
    assert np.allclose(grids["area_m2"], shapes.area, rtol=1e-3, atol=0.1)
    assert np.allclose(grids["perimeter_m"], shapes.length, rtol=1e-3, atol=0.1)
    assert np.allclose(grids["compactness"], 4 * np.pi * shapes.area / shapes.length**2, atol=2e-3)

    assert grids["grid_id"].is_unique
    assert grids["code"].is_unique
    assert ((grids["reason"] != "") == ~grids["in_band"]).all()


def test_buildings_lie_in_their_own_grid() -> None:
    homes = [
        shapely.box(20 + 50 * i, 20 + 50 * j, 50 + 50 * i, 40 + 50 * j) for i in range(11) for j in range(7)
    ]
    result = plan_city(
        make_city(SHAPES["two"], homes, households=[20] * len(homes)), standard=STANDARD, effort="fast"
    )
    grids, buildings = result.layers["grids"], result.layers["buildings"]
    points = gpd.GeoDataFrame(
        buildings[["grid_id"]], geometry=buildings.geometry.representative_point(), crs=buildings.crs
    )
    joined = points.sjoin(grids[["grid_id", "geometry"]], predicate="within")
    assert len(joined) == len(homes)
    assert (joined["grid_id_left"] == joined["grid_id_right"]).all()
    assert result.report["share_in_band"] == 1.0


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> list[Source]:
    path = tmp_path_factory.mktemp("city") / "city.gpkg"
    write_city("small", path)
    roles = ("buildings", "households", "compounds", "communities", "roads", "water", "railways")
    return [parse_source(f"{role}={path}:{role}") for role in roles]


def exported(sources: list[Source], folder: Path, executor: Executor | None) -> tuple[str, str]:
    result = make_plan(sources, standard=STANDARD, effort="fast", executor=executor)
    write_result(result, folder / "plan.gpkg", folder / "report.json")
    export_plan(read_plan(folder / "plan.gpkg", only=("grids",)), folder / "grids.geojson", to="geojson")
    plan, grids = ((folder / name).read_bytes() for name in ("plan.gpkg", "grids.geojson"))
    return hashlib.sha256(plan).hexdigest(), hashlib.sha256(grids).hexdigest()


def test_plan_and_export_are_the_same_bytes_for_any_workers(small: list[Source], tmp_path: Path) -> None:
    alone = exported(small, tmp_path, None)
    with ProcessPoolExecutor(2, mp_context=get_context("spawn")) as pool:
        assert exported(small, tmp_path, pool) == alone
    with ThreadPoolExecutor(2) as threads:
        assert exported(small, tmp_path, threads) == alone


class Recording(Executor):
    """Notes what is submitted, from which thread, and takes its time over it."""

    def __init__(self, error: Exception | None = None) -> None:
        self.calls: list[tuple[Any, str]] = []
        self.error = error

    def submit(self, fn: Any, /, *args: Any, **kwargs: Any) -> Future[Any]:
        time.sleep(0.02)
        if self.error is not None:
            raise self.error
        self.calls.append((fn, threading.current_thread().name))
        future: Future[Any] = Future()
        future.set_result(None)
        return future


def test_workers_are_started_beside_the_work_and_are_all_there_at_its_end() -> None:
    executor = Recording()
    with started_ahead(executor):
        before = len(executor.calls)
    assert before < STARTERS == len(executor.calls)
    assert {fn for fn, _ in executor.calls} == {load_engine}
    assert threading.current_thread().name not in {name for _, name in executor.calls}
    load_engine()
    with started_ahead(None):
        pass


def test_an_executor_that_cannot_start_does_not_hide_the_error_of_the_work() -> None:
    with pytest.raises(GeoError), started_ahead(Recording(RuntimeError("shut down"))):
        raise GeoError("some-code", "错", "wrong")


def test_the_garbage_collector_is_left_as_it_was() -> None:
    before = gc.get_threshold()
    with pytest.raises(ZeroDivisionError), collecting_less():  # noqa: PT012
        assert gc.get_threshold() != before
        _ = 1 // 0
    assert gc.get_threshold() == before
