"""A province: parts hold all they need, plans do not depend on who works on them, and a stopped run goes on.

Cities are lattices of communities in several streets, with roads across their borders and compounds over them;
the workers are this process, a pool, and a Dask cluster of two processes.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from concurrent.futures import Executor, Future, ProcessPoolExecutor
from contextlib import contextmanager
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import shapely
from cities import box, make_city

from geo import province
from geo.city import City
from geo.errors import CancelledError, LayerError, TilingError
from geo.province import Task, solve_province
from geo.province_data import MARGIN_M, add_region, list_parts, read_part
from geo.standards import load_standard
from geo.verify import verify_tiling

TASK = Task(load_standard("fine-250"), effort="fast")


def lattice(*, columns: int = 4, rows: int = 3, seed: int = 0) -> City:
    """Return a city of communities 300 m wide; each column is a street."""
    rng = np.random.default_rng(seed)
    outlines = [box(300 * c, 300 * r, 300, 300) for c in range(columns) for r in range(rows)]
    corners = [
        (300 * c + 20 + 55 * i, 300 * r + 20 + 70 * j)
        for c in range(columns)
        for r in range(rows)
        for i in range(5)
        for j in range(4)
    ]
    homes = [box(x, y, *rng.uniform(8, 30, 2)) for x, y in corners]
    width, height = 300 * columns, 300 * rows
    roads = [shapely.LineString([(x, -90), (x, height + 90)]) for x in np.arange(150, width, 300) + 3]
    roads += [
        shapely.LineString([(-90, y), (width / 2, y + 9), (width + 90, y)]) for y in range(100, height, 200)
    ]
    order = rng.permutation(len(homes))
    city = make_city(
        outlines,
        [homes[k] for k in order],
        roads=roads,
        compounds=[box(310, 10, 120, 120), box(560, 200, 80, 90)],
        households=rng.choice([0, 12, 24, 48, 60], len(homes)).tolist(),
    )
    city.communities["street"] = [f"街道{c}" for c in range(columns) for _ in range(rows)]
    inside = shapely.within(city.buildings.geometry.to_numpy(), city.compounds.geometry.to_numpy()[0])
    city.buildings["compound"] = np.where(inside, 0, -1).astype(np.int32)
    door = np.arange(0, len(homes), 3, dtype=np.int32)
    doors = pd.DataFrame({"building": door, "door": [f"{k}单元" for k in door], "households": np.int64(1)})
    object.__setattr__(city, "doors", doors)
    return city


@pytest.fixture(scope="module")
def dataset(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("province")
    add_region(folder, "甲市", lattice())
    add_region(folder, "b", lattice(columns=2, rows=5, seed=1), per_part=2)
    return folder


@pytest.fixture(scope="module")
def alone(dataset: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("alone") / "out"
    solve_province(dataset, out, TASK)
    return out


def contents(folder: Path) -> dict[str, bytes]:
    return {str(p.relative_to(folder)): p.read_bytes() for p in sorted(folder.rglob("*")) if p.is_file()}


def test_every_building_door_and_compound_is_in_its_part_and_knows_its_place(tmp_path: Path) -> None:
    city = lattice()
    parts = add_region(tmp_path, "r", city, per_part=2)
    assert [len(part.communities) for part in parts] == [2, 1] * 4
    assert list_parts(tmp_path) == parts
    read = [read_part(tmp_path, part) for part in parts]
    ids = [list(c.communities["community_id"]) for c in read]
    assert [name for some in ids for name in some] == list(city.communities["community_id"])
    assert sum(part.households for part in parts) == city.households_in

    def places(c: City) -> set[tuple[str, ...]]:
        homes = c.buildings
        inside = [c.communities["community_id"].iloc[k] for k in homes["community"]]
        walled = [c.compounds["compound_id"].iloc[k] if k >= 0 else "" for k in homes["compound"]]
        wkt = homes.geometry.to_wkt()
        columns = (homes["building_id"], inside, walled, homes["households"].astype(str), wkt)
        return set(zip(*columns, strict=True))

    def doors(c: City) -> set[tuple[str, str]]:
        return set(zip(c.buildings["building_id"].iloc[c.doors["building"]], c.doors["door"], strict=True))

    assert set().union(*map(places, read)) == places(city)
    assert set().union(*map(doors, read)) == doors(city)
    assert sum(len(c.buildings) for c in read) == len(city.buildings)
    for name in ("buildings", "communities", "compounds", "roads", "doors"):
        for c in read:
            assert (
                getattr(c, name)
                .dtypes.drop("geometry", errors="ignore")
                .equals(getattr(city, name).dtypes.drop("geometry", errors="ignore"))
            )
            assert getattr(c, name).index.equals(pd.RangeIndex(len(getattr(c, name))))
    assert all(c.crs == city.crs == c.buildings.crs for c in read)


def test_barriers_near_a_part_keep_their_very_nodes(tmp_path: Path) -> None:
    city = lattice()

    def pieces(frame: gpd.GeoDataFrame) -> set[tuple[float, ...]]:
        xy, line = shapely.get_coordinates(frame.geometry.to_numpy(), return_index=True)
        same = line[:-1] == line[1:]
        return {tuple(row) for row in np.hstack([xy[:-1][same], xy[1:][same]]).tolist()}

    whole = pieces(city.roads)
    for part in add_region(tmp_path, "r", city, per_part=2):
        alone = read_part(tmp_path, part)
        mine = pieces(alone.roads)
        assert mine <= whole
        near = shapely.box(*alone.communities.total_bounds).buffer(MARGIN_M, join_style="mitre")
        for a, b, c, d in whole - mine:
            assert not shapely.LineString([(a, b), (c, d)]).intersects(near)


def test_plans_are_exact_complete_and_summed(dataset: Path, alone: Path) -> None:
    summary = json.loads((alone / "summary.json").read_text(encoding="utf-8"))
    assert summary["communities"] == 22
    assert summary["parts"] == len(list_parts(dataset)) == 10
    assert summary["not_exact"] == summary["not_connected"] == summary["errors"] == []
    assert summary["households"] == summary["households_in"] - summary["unplaced"]
    grids_seen = 0
    for part in list_parts(dataset):
        city = read_part(dataset, part)
        grids = gpd.read_parquet(province.path_of(alone, part, "grids"))
        cells = gpd.read_parquet(province.path_of(alone, part, "cells"))
        grids_seen += len(grids)
        assert set(cells["grid_id"]) == set(grids["grid_id"])
        assert grids["households"].sum() == cells["households"].sum() == part.households
        named = ";".join(cells["building_id"][cells["building_id"] != ""]).split(";")
        assert sorted(named) == sorted(city.buildings["building_id"])
        position = {name: k for k, name in enumerate(city.communities["community_id"])}
        group = grids["community_id"].map(position).to_numpy()
        outlines = cells.dissolve("community_id").geometry.reindex(city.communities["community_id"])
        assert verify_tiling(grids.geometry, group, outlines).ok
    assert summary["grids"] == grids_seen


def test_borders_of_parts_solved_apart_agree_to_a_grid_step(dataset: Path, alone: Path) -> None:
    west, east = (gpd.read_parquet(alone / "甲市" / f"0000{k}.grids.parquet").union_all() for k in (0, 1))
    seam = west.boundary.intersection(east.boundary.buffer(5e-7))
    assert seam.length > 0.005
    assert west.intersection(east).area < seam.length * 2e-7
    assert west.buffer(2e-7).intersection(east.buffer(2e-7)).length > seam.length


@contextmanager
def pool() -> Iterator[Executor]:
    with ProcessPoolExecutor(2, mp_context=get_context("spawn")) as workers:
        yield workers


@contextmanager
def dask() -> Iterator[Executor]:
    distributed = pytest.importorskip("distributed")
    options = {"n_workers": 2, "threads_per_worker": 1, "processes": True, "dashboard_address": None}
    with distributed.LocalCluster(**options) as cluster, distributed.Client(cluster) as client:
        yield client.get_executor()


@pytest.mark.parametrize("workers", [pool, dask])
def test_the_bytes_do_not_depend_on_the_workers(
    dataset: Path, alone: Path, tmp_path: Path, workers: Any
) -> None:
    with workers() as executor:
        solve_province(dataset, tmp_path, TASK, executor=executor, in_flight=3)
    assert contents(tmp_path) == contents(alone)


class Counting(Executor):
    """Runs a task when its result is asked for one task later; counts what is out."""

    def __init__(self) -> None:
        self.submitted: list[str] = []
        self.open: list[tuple[Future[Any], Any]] = []
        self.most = 0

    def submit(self, fn: Any, /, *args: Any, **kwargs: Any) -> Future[Any]:
        future: Future[Any] = Future()
        self.submitted.append(f"{args[1].region}/{args[1].number}")
        self.open.append((future, lambda: fn(*args, **kwargs)))
        self.most = max(self.most, len(self.open))
        if len(self.open) == 3:
            self.finish()
        return future

    def finish(self) -> None:
        for future, work in reversed(self.open):
            future.set_result(work())
        self.open.clear()


def test_no_more_than_asked_is_under_way(dataset: Path, alone: Path, tmp_path: Path) -> None:
    executor = Counting()
    with pytest.raises(CancelledError):
        solve_province(dataset, tmp_path, TASK, executor=executor, in_flight=3, cancelled=lambda: True)
    assert executor.most == 3
    assert len(executor.submitted) == 3
    written = contents(tmp_path)
    assert 0 < len(written) < len(contents(alone))
    assert all(contents(alone)[name] == data for name, data in written.items())


def test_a_stopped_run_goes_on_and_finished_parts_are_not_solved_again(
    dataset: Path, alone: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    solved: list[str] = []
    solve = province.solve_part

    def spy(folder: Path, part: Any, task: Task) -> Any:
        solved.append(f"{part.region}/{part.number}")
        return solve(folder, part, task)

    monkeypatch.setattr(province, "solve_part", spy)
    with pytest.raises(CancelledError):
        solve_province(dataset, tmp_path, TASK, cancelled=lambda: len(solved) == 4)
    told: list[tuple[int, int]] = []
    solve_province(dataset, tmp_path, TASK, progress=lambda _, done, total: told.append((done, total)))
    assert len(solved) == len(set(solved)) == 10
    assert contents(tmp_path) == contents(alone)
    assert told[0][0] > 0
    assert told == sorted(told)
    assert told[-1][0] == told[-1][1]

    lost = province.path_of(tmp_path, list_parts(dataset)[2], "cells")
    lost.unlink()
    solve_province(dataset, tmp_path, TASK)
    assert solved[10:] == [f"{list_parts(dataset)[2].region}/2"]
    assert contents(tmp_path) == contents(alone)


def test_other_settings_or_content_are_solved_anew(tmp_path: Path) -> None:
    city = lattice(columns=2, rows=1)
    parts = add_region(tmp_path / "a", "r", city, per_part=1)
    keys = {TASK.key(part) for part in parts}
    keys |= {Task(TASK.standard, seed=1, effort="fast").key(parts[0]), Task(TASK.standard).key(parts[0])}
    keys.add(Task(TASK.standard.with_(target=200), effort="fast").key(parts[0]))
    assert len(keys) == 5

    assert add_region(tmp_path / "same", "r", lattice(columns=2, rows=1), per_part=1) == parts
    row = int(np.flatnonzero(city.buildings["community"] == 0)[0])
    city.buildings.loc[row, "households"] += 1
    changed = add_region(tmp_path / "changed", "r", city, per_part=1)
    assert changed[0].sha256 != parts[0].sha256
    assert changed[1] == parts[1]


def test_a_part_that_fails_is_named_and_stops_nobody(
    dataset: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    plan = province.plan_city

    def fails(city: City, **options: Any) -> Any:
        if "c3" in set(city.communities["community_id"]):
            raise TilingError("blocks-do-not-tile", "不行", "no")
        return plan(city, **options)

    stale = province.path_of(tmp_path, list_parts(dataset)[1], "grids")
    stale.parent.mkdir(parents=True)
    pq.write_table(pa.table({"grid_id": ["old"]}), stale)
    shutil.copy(stale, province.path_of(tmp_path, list_parts(dataset)[1], "cells"))
    monkeypatch.setattr(province, "plan_city", fails)
    summary = solve_province(dataset, tmp_path, TASK)
    assert [error["code"] for error in summary["errors"]] == ["blocks-do-not-tile"] * 2
    assert all("c3" in error["communities"] for error in summary["errors"])
    assert len(list(tmp_path.rglob("*.grids.parquet"))) == 8
    assert len(list(tmp_path.rglob("*.cells.parquet"))) == 8
    monkeypatch.undo()
    assert solve_province(dataset, tmp_path, TASK)["errors"] == []


def test_what_is_no_dataset_is_refused(tmp_path: Path) -> None:
    city = lattice(columns=1, rows=1)
    for name in ("", "a/b", "..", ".hidden"):
        with pytest.raises(LayerError) as caught:
            add_region(tmp_path, name, city)
        assert caught.value.code == "region-name"
    with pytest.raises(LayerError) as caught:
        list_parts(tmp_path / "nowhere")
    assert caught.value.code == "dataset-empty"
    add_region(tmp_path, "r", city)
    with pytest.raises(LayerError) as caught:
        add_region(tmp_path, "r", city)
    assert caught.value.code == "region-exists"
    index = tmp_path / "r" / "index.json"
    said = json.loads(index.read_text(encoding="utf-8"))
    index.write_text(json.dumps(said | {"format": 99}), encoding="utf-8")
    with pytest.raises(LayerError) as caught:
        list_parts(tmp_path)
    assert caught.value.code == "region-format"
    index.unlink()
    with pytest.raises(LayerError) as caught:
        list_parts(tmp_path)
    assert caught.value.code == "region-incomplete"
