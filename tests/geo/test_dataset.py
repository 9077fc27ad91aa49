"""Datasets: a city and its cells come back bit by bit, and nothing damaged is taken for one.

Every frame, column, type, coordinate and array must be equal, not close. The same content has the same id and
bytes; a file that was cut, changed or forged gives a `DatasetError` that names it, never another exception.
"""

from __future__ import annotations

import errno
import hashlib
import io
import json
import os
import pickle
import shutil
import subprocess
import sys
import zipfile
from concurrent.futures import ThreadPoolExecutor
from dataclasses import fields, is_dataclass, replace
from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely
from cities import box, make_city, tiny_city
from hypothesis import given, settings
from hypothesis import strategies as st
from pyproj import CRS

from geo.adjacency import cell_graph
from geo.cells import build_tiling
from geo.city import City
from geo.dataset.folder import read_dataset, write_dataset
from geo.dataset.ground import ground_of, share_out
from geo.dataset.ground_file import FIELDS, read_centres, read_ground
from geo.dataset.meta import FORMAT, META, Meta, dataset_id, read_meta
from geo.demo import write_city
from geo.errors import DatasetError, GeoError, TilingError
from geo.findings import Finding
from geo.intake import load_city
from geo.layers import parse_source
from geo.tiling import SCALE, Tiling
from geo.units import cell_units

ROLES = (
    "buildings",
    "households",
    "compounds",
    "communities",
    "roads",
    "water",
    "railways",
    "stations",
    "gates",
    "candidates",
    "old_grids",
)


def assert_same(one: Any, other: Any, where: str = "") -> None:
    """Compare two values to the bit: types, columns, coordinates, the sign of zeros."""
    assert type(one) is type(other), where
    if isinstance(one, gpd.GeoDataFrame):
        assert one.crs == other.crs, where
        assert list(one.columns) == list(other.columns), where
        assert (shapely.to_wkb(one.geometry.to_numpy()) == shapely.to_wkb(other.geometry.to_numpy())).all(), (
            where
        )
        one, other = (pd.DataFrame(frame.drop(columns="geometry")) for frame in (one, other))
    if isinstance(one, pd.DataFrame):
        pd.testing.assert_frame_equal(one, other, check_exact=True, obj=where)
    elif isinstance(one, np.ndarray):
        assert (one.dtype, one.shape, one.tobytes()) == (other.dtype, other.shape, other.tobytes()), where
    elif is_dataclass(one):
        for field in fields(one):
            assert_same(getattr(one, field.name), getattr(other, field.name), f"{where}.{field.name}")
    else:
        assert one == other, where


def assert_round_trip(city: City, tiling: Tiling, folder: Path) -> None:
    written = write_dataset(city, tiling, folder)
    found = read_dataset(folder)
    assert found.id == written == dataset_id(folder)
    assert_same(city, found.city, "city")
    assert_same(tiling, found.tiling, "tiling")
    ground = read_ground(folder)
    assert_same(ground_of(city, tiling, written), ground, "ground")
    assert_same(ground, found.ground, "ground of the dataset")
    assert_same(found.graph, cell_graph(tiling), "graph")


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> tuple[City, Tiling]:
    path = tmp_path_factory.mktemp("city") / "city.gpkg"
    write_city("small", path)
    city = load_city([parse_source(f"{role}={path}:{role}") for role in ROLES], columns={})
    return city, build_tiling(city)


@pytest.fixture(scope="module")
def tiny() -> tuple[City, Tiling]:
    city = tiny_city()
    return city, build_tiling(city)


@pytest.fixture(scope="module")
def written(tiny: tuple[City, Tiling], tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("tiny") / "dataset"
    write_dataset(*tiny, folder)
    return folder


@pytest.fixture
def folder(written: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(written, tmp_path / "dataset"))


def test_the_demo_city_comes_back_to_the_bit(small: tuple[City, Tiling], tmp_path: Path) -> None:
    assert_round_trip(*small, tmp_path / "dataset")


def test_a_city_of_odd_content_comes_back_to_the_bit(tmp_path: Path) -> None:
    communities = [shapely.MultiPolygon([box(0, 0, 90, 100), box(210, 0, 90, 100)]), box(90, 0, 120, 100)]
    city = make_city(communities, [box(20, 20, 10, 10), shapely.Point(150.25, 50.5), box(500, 500, 5, 5)])
    city = replace(
        city,
        buildings=city.buildings.assign(
            address=["幸福路1号", "“引号”，逗号", ""], floors=[6.5, np.nan, -0.0], workload=[1.0, 0.5, 2.0]
        ),
        compounds=gpd.GeoDataFrame(
            {
                "compound_id": ["k0", "k1"],
                "name": ["和平里", "无图形的小区"],
                "compound_type": ["成熟小区", ""],
            },
            geometry=np.array([box(0, 0, 50, 50), None], dtype=object),
            crs=city.crs,
        ),
        doors=pd.DataFrame(
            {"building": np.array([0, 0], np.int32), "door": ["一单元", "2"], "households": np.array([4, 6])}
        ),
        unplaced=pd.DataFrame(
            {
                "reason": ["outside-communities"],
                "source": ["buildings"],
                "source_row": np.array([3], np.int64),
                "id": ["b2"],
                "households": np.array([10], np.int64),
            }
        ),
        persons_estimated=False,
        findings=(Finding("some-code", "error", "buildings", 1, "一户", "one", (3,), ("b2",), 10),),
    )
    tiling = build_tiling(city)
    assert set(tiling.communities.geom_type) == {"Polygon", "MultiPolygon"}
    assert_round_trip(city, tiling, tmp_path / "数据集")


def test_a_city_without_a_building_comes_back_to_the_bit(tmp_path: Path) -> None:
    city = make_city([box(0, 0, 50, 50)])
    assert_round_trip(city, build_tiling(city), tmp_path / "dataset")


def test_a_crs_without_a_code_comes_back(tiny: tuple[City, Tiling], tmp_path: Path) -> None:
    crs = CRS.from_proj4(
        "+proj=tmerc +lat_0=0 +lon_0=117.25 +k=1 +x_0=500000 +ellps=GRS80 +units=m +type=crs"
    )
    city, tiling = tiny
    frames = {
        field.name: getattr(city, field.name).to_crs(crs)
        for field in fields(City)
        if isinstance(getattr(city, field.name), gpd.GeoDataFrame)
    }
    assert_round_trip(replace(city, crs=crs, **frames), tiling, tmp_path / "dataset")


def test_the_same_content_has_the_same_id_and_bytes(tiny: tuple[City, Tiling], tmp_path: Path) -> None:
    city = tiny_city()
    ids = [write_dataset(*tiny, tmp_path / "a"), write_dataset(city, build_tiling(city), tmp_path / "b")]
    assert ids[0] == ids[1]
    names = sorted(p.relative_to(tmp_path / "a") for p in (tmp_path / "a").rglob("*"))
    assert names == sorted(p.relative_to(tmp_path / "b") for p in (tmp_path / "b").rglob("*"))
    for name in names:
        if (tmp_path / "a" / name).is_file():
            assert (tmp_path / "a" / name).read_bytes() == (tmp_path / "b" / name).read_bytes(), name


@pytest.mark.parametrize("change", ["households", "name", "findings", "geometry", "estimated"])
def test_other_content_has_another_id(tiny: tuple[City, Tiling], tmp_path: Path, change: str) -> None:
    city, tiling = tiny
    moved = city.roads.geometry.translate(1e-9, 0.0)
    other = {
        "households": {"buildings": city.buildings.assign(households=city.buildings["households"] + 1)},
        "name": {"communities": city.communities.assign(name="别名")},
        "findings": {"findings": (Finding("x", "info", "roads", 1, "一", "one"),)},
        "geometry": {"roads": city.roads.set_geometry(moved)},
        "estimated": {"persons_estimated": False},
    }
    ids = {write_dataset(city, tiling, tmp_path / "a")}
    ids.add(write_dataset(replace(city, **other[change]), tiling, tmp_path / "b"))
    assert len(ids) == 2


def test_a_dataset_that_is_there_is_left_alone(tiny: tuple[City, Tiling], folder: Path) -> None:
    before = {path: path.stat().st_mtime_ns for path in folder.rglob("*")}
    assert write_dataset(*tiny, folder) == dataset_id(folder)
    assert {path: path.stat().st_mtime_ns for path in folder.rglob("*")} == before
    assert [path.name for path in folder.parent.iterdir()] == [folder.name]


def test_several_may_write_one_dataset_at_a_time(tiny: tuple[City, Tiling], tmp_path: Path) -> None:
    with ThreadPoolExecutor(4) as pool:
        ids = set(pool.map(lambda _: write_dataset(*tiny, tmp_path / "dataset"), range(8)))
    assert ids == {read_dataset(tmp_path / "dataset").id}
    assert [path.name for path in tmp_path.iterdir()] == ["dataset"]


def test_a_disk_that_is_full_leaves_nothing_behind(
    tiny: tuple[City, Tiling], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(_: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(DatasetError) as caught:
        write_dataset(*tiny, tmp_path / "dataset")
    assert caught.value.code == "dataset-not-writable"
    assert "No space left" in caught.value.en
    assert list(tmp_path.iterdir()) == []


def test_nothing_else_is_written_over(tiny: tuple[City, Tiling], tmp_path: Path) -> None:
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "notes.txt").write_text("keep", encoding="utf-8")
    with pytest.raises(DatasetError) as caught:
        write_dataset(*tiny, tmp_path / "mine")
    assert caught.value.code == "dataset-exists"
    assert (tmp_path / "mine" / "notes.txt").read_text(encoding="utf-8") == "keep"
    with pytest.raises(DatasetError) as caught:
        write_dataset(*tiny, tmp_path / "nowhere" / "dataset")
    assert caught.value.code == "dataset-not-writable"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["mine"]


def test_cells_off_the_grid_are_refused(tiny: tuple[City, Tiling], tmp_path: Path) -> None:
    city, tiling = tiny
    cells = tiling.cells.set_geometry(tiling.cells.geometry.translate(0.3 / SCALE, 0.0))
    with pytest.raises(TilingError) as caught:
        write_dataset(city, replace(tiling, cells=cells), tmp_path / "dataset")
    assert caught.value.code == "tiling-off-grid"
    assert not (tmp_path / "dataset").exists()


def test_inner_points_lie_in_their_cells(small: tuple[City, Tiling], tmp_path: Path) -> None:
    write_dataset(*small, tmp_path / "dataset")
    points = read_centres(tmp_path / "dataset")
    assert points.dtype == np.int32
    near = shapely.distance(small[1].cells.geometry.to_numpy(), shapely.points(points / SCALE))
    assert (near <= 1.0 / SCALE).all()


def test_the_ground_counts_in_whole_numbers(small: tuple[City, Tiling]) -> None:
    ground = ground_of(*small, "id")
    graph = ground.cells.graph
    assert_same(ground.cells, cell_units(*small), "cells")
    assert (np.abs(ground.length_mm - graph.length_m * 1000) <= 0.5).all()
    assert (np.abs(ground.class_mm - graph.class_m * 1000) < 1.0).all()
    assert (ground.class_mm.sum(axis=1) == ground.length_mm).all()
    assert ((ground.class_mm > 0) <= (graph.class_m > 0)).all()
    assert (np.abs(ground.area_dm2 - ground.cells.area_m2 * 100) <= 0.5).all()
    assert (np.abs(ground.outer_mm - graph.outer_m * 1000) <= 0.5).all()


@given(st.lists(st.lists(st.floats(0, 1e6), min_size=3, max_size=3), min_size=1, max_size=20))
def test_rounded_rows_add_up(rows: list[list[float]]) -> None:
    exact = np.array(rows)
    total = np.rint(exact.sum(axis=1)).astype(np.int64)
    shared = share_out(exact, total)
    assert (shared.sum(axis=1) == total).all()
    assert (np.abs(shared - exact) <= 1.0).all()


def test_the_server_reads_the_ground_without_the_heavy_libraries(written: Path) -> None:
    code = (
        "import sys, pathlib, geo.dataset.ground_file as g;"
        "g.read_ground(pathlib.Path(sys.argv[1])); g.read_centres(pathlib.Path(sys.argv[1]));"
        "import geo.dataset.loads;"
        "heavy = {'numba', 'geopandas', 'pyogrio', 'pandas', 'shapely', 'pyarrow', 'geo.partition'};"
        "print(sorted(heavy & set(sys.modules)))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, str(written)], capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "[]"


def files_of(folder: Path) -> list[Path]:
    return sorted(path for path in folder.rglob("*") if path.is_file())


def read_all(folder: Path) -> None:
    for read in (read_dataset, read_ground, read_centres):
        read(folder)


def test_any_file_cut_short_or_missing_is_damage(written: Path, tmp_path: Path) -> None:
    for number, path in enumerate(files_of(written)):
        data = path.read_bytes()
        for size in (None, 0, len(data) // 2, len(data) - 2):
            copy = Path(shutil.copytree(written, tmp_path / f"{number}-{size}"))
            broken = copy / path.relative_to(written)
            broken.unlink() if size is None else broken.write_bytes(data[:size])
            with pytest.raises(DatasetError) as caught:
                read_all(copy)
            missing = size is None and path.name == META
            assert caught.value.code == ("dataset-missing" if missing else "dataset-damaged")
            assert copy.name in caught.value.zh
            assert copy.name in caught.value.en


@settings(max_examples=60, deadline=None)
@given(data=st.data())
def test_a_changed_byte_is_damage(written: Path, data: st.DataObject) -> None:
    path = data.draw(st.sampled_from(files_of(written)))
    before = path.read_bytes()
    place = data.draw(st.integers(0, len(before) - 1))
    flip = data.draw(st.integers(1, 255))
    wanted = dataset_id(written)
    path.write_bytes(before[:place] + bytes([before[place] ^ flip]) + before[place + 1 :])
    try:
        read_all(written)
        # White space between the values of the JSON document may differ: it says the same.
        assert (path.name, dataset_id(written)) == (META, wanted)
    except DatasetError as error:
        assert error.code in {"dataset-damaged", "dataset-format"}  # noqa: PT017 - either outcome is right
    finally:
        path.write_bytes(before)


def test_another_version_is_refused(folder: Path) -> None:
    document = json.loads((folder / META).read_text(encoding="utf-8"))
    (folder / META).write_text(json.dumps(document | {"format": FORMAT + 1}), encoding="utf-8")
    with pytest.raises(DatasetError) as caught:
        dataset_id(folder)
    assert caught.value.code == "dataset-format"


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[]",
        "{}",
        "nul",
        "[" * 100_000,
        '{"format": 1}',
        '{"format": 1, "about": {}, "content": 1, "files": {}}',
    ],
)
def test_a_meta_that_is_none_is_damage(folder: Path, text: str) -> None:
    (folder / META).write_text(text, encoding="utf-8")
    with pytest.raises(DatasetError) as caught:
        read_all(folder)
    assert caught.value.code in {"dataset-damaged", "dataset-format"}


def forged(folder: Path, data: bytes, *, name: str = "ground.npz", **about: Any) -> Path:
    """Put other bytes into a dataset and make id and checksums fit, as somebody who knows the format could."""
    meta = read_meta(folder)
    (folder / name).write_bytes(data)
    files = dict(meta.files) | {name: hashlib.sha256(data).hexdigest()}
    (folder / META).write_text(
        Meta(dict(meta.about) | about, meta.content, files).to_json(), encoding="utf-8"
    )
    return folder


def arrays_of(folder: Path) -> dict[str, np.ndarray[Any, Any]]:
    with np.load(folder / "ground.npz", allow_pickle=False) as archive:
        return dict(archive)


def stored(arrays: dict[str, np.ndarray[Any, Any]], *, compressed: bool = False) -> bytes:
    sink = io.BytesIO()
    save: Any = np.savez_compressed if compressed else np.savez
    save(sink, **arrays)
    return sink.getvalue()


def expect_damage(folder: Path) -> str:
    with pytest.raises(DatasetError) as caught:
        read_ground(folder)
    assert caught.value.code == "dataset-damaged"
    return caught.value.en


@pytest.mark.parametrize("name", sorted(FIELDS))
@pytest.mark.parametrize("fault", ["missing", "short", "type", "range", "shape"])
def test_a_forged_array_is_damage(folder: Path, name: str, fault: str) -> None:
    arrays = arrays_of(folder)
    values = arrays[name]
    if fault == "missing":
        del arrays[name]
    elif fault == "short":
        arrays[name] = values[:-1]
    elif fault == "type":
        arrays[name] = values.astype(np.float32 if values.dtype.kind == "f" else np.int16)
    elif fault == "shape":
        arrays[name] = values[:, None]
    else:
        arrays[name] = np.where(np.arange(len(values)) == 1, -5, values).astype(values.dtype)
    assert "array" in expect_damage(forged(folder, stored(arrays)))


def broken_graphs() -> dict[str, Any]:
    def one_way(arrays: dict[str, Any]) -> None:
        last = int(arrays["indptr"][1]) - 1
        assert arrays["neighbor"][last] < len(arrays["community"]) - 1
        arrays["neighbor"][last] = len(arrays["community"]) - 1

    def loop(arrays: dict[str, Any]) -> None:
        arrays["neighbor"][0] = 0

    def uneven(arrays: dict[str, Any]) -> None:
        arrays["length_m"][0] += 1.0

    def no_sum(arrays: dict[str, Any]) -> None:
        arrays["length_mm"][0] += 1

    def descending(arrays: dict[str, Any]) -> None:
        arrays["indptr"][1], arrays["indptr"][2] = arrays["indptr"][2], arrays["indptr"][1]

    def repeated(arrays: dict[str, Any]) -> None:
        arrays["class_at"][1] = arrays["class_at"][0]

    def endless(arrays: dict[str, Any]) -> None:
        arrays["area_m2"][0] = np.nan

    def huge(arrays: dict[str, Any]) -> None:
        arrays["households"][0] = 2**62

    return {f.__name__: f for f in (one_way, loop, uneven, no_sum, descending, repeated, endless, huge)}


@pytest.mark.parametrize("fault", sorted(broken_graphs()))
def test_a_forged_graph_is_damage(folder: Path, fault: str) -> None:
    arrays = arrays_of(folder)
    broken_graphs()[fault](arrays)
    told = expect_damage(forged(folder, stored(arrays)))
    assert fault != "one_way" or "array neighbor is not the same in both directions" in told


def test_pickles_and_swelling_archives_are_damage(folder: Path) -> None:
    arrays = arrays_of(folder)
    pickled = io.BytesIO()
    np.savez(pickled, **(arrays | {"kind": np.array([{"a": 1}], dtype=object)}))
    expect_damage(forged(folder, pickled.getvalue()))
    expect_damage(forged(folder, stored(arrays, compressed=True)))
    expect_damage(forged(folder, stored(arrays | {"more": np.zeros(1)})))
    twice = io.BytesIO()
    with zipfile.ZipFile(twice, "w") as archive:
        archive.writestr("kind.npy", b"")
        with pytest.warns(UserWarning, match="Duplicate"):
            archive.writestr("kind.npy", b"")
    expect_damage(forged(folder, twice.getvalue()))
    header = stored(arrays).replace(b"'shape': (", b"'shape': (9")
    expect_damage(forged(folder, header))


@pytest.mark.parametrize(
    "names",
    [
        None,
        {},
        [],
        {"community_ids": ["a"]},
        {"community_ids": [1, 2]},
        {"kinds": "abc"},
        {"compound_ids": []},
    ],
)
def test_forged_names_are_damage(folder: Path, names: Any) -> None:
    said = dict(read_meta(folder).about["names"])
    mixed = said | names if names and isinstance(names, dict) else names
    expect_damage(forged(folder, (folder / "ground.npz").read_bytes(), names=mixed))


def test_forged_layers_are_damage(folder: Path) -> None:
    data = (folder / "segments.parquet").read_bytes()
    for name in (
        "layers/roads.parquet",
        "layers/cells.parquet",
        "layers/outlines.parquet",
        "segments.parquet",
    ):
        copy = Path(shutil.copytree(folder, folder.parent / name.replace("/", "-")))
        other = (folder / "layers" / "stations.parquet").read_bytes() if name == "segments.parquet" else data
        with pytest.raises(DatasetError):
            read_dataset(forged(copy, other, name=name))
    with pytest.raises(DatasetError):
        read_dataset(forged(folder, b"no parquet", name="layers/roads.parquet"))
    with pytest.raises(DatasetError):
        read_dataset(forged(folder, (folder / "layers/roads.parquet").read_bytes(), crs="no such crs"))


def test_the_error_survives_the_way_between_processes() -> None:
    error = pickle.loads(pickle.dumps(DatasetError("dataset-damaged", "坏", "bad", path="p")))  # noqa: S301 - our own bytes
    assert isinstance(error, GeoError)
    assert (error.code, error.where) == ("dataset-damaged", {"path": "p"})
