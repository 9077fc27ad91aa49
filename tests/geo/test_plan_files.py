"""Plan files: the same frames give the same bytes, everything comes back, and what is no plan is refused."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

import geopandas as gpd
import pyogrio
import pytest
import shapely
from geopandas.testing import assert_geodataframe_equal
from plans import plan_frames

from geo.errors import PlanError
from geo.plan_files import EPOCH, NEEDED, read_plan, write_layers

SYNC = "OGR_SQLITE_SYNCHRONOUS"


def frames() -> dict[str, gpd.GeoDataFrame]:
    layers = plan_frames()
    layers["communities"].loc[0, "geometry"] = shapely.MultiPolygon([layers["communities"].geometry.iloc[0]])
    return layers


def test_a_plan_comes_back_as_it_was_written(tmp_path: Path) -> None:
    layers = frames()
    write_layers(layers, tmp_path / "plan.gpkg")
    read = read_plan(tmp_path / "plan.gpkg")
    assert list(read) == [*NEEDED, "stations"]
    for name, frame in read.items():
        assert_geodataframe_equal(frame, layers[name], check_dtype=False)
        assert frame.dtypes.drop("geometry").equals(layers[name].dtypes.drop("geometry")), name
    assert read["grids"]["in_band"].dtype == bool


def test_the_same_frames_give_the_same_bytes_and_no_date_of_today(tmp_path: Path) -> None:
    for name in ("a.gpkg", "b.gpkg"):
        write_layers(frames(), tmp_path / name)
    assert (tmp_path / "a.gpkg").read_bytes() == (tmp_path / "b.gpkg").read_bytes()
    with closing(sqlite3.connect(tmp_path / "a.gpkg")) as database:
        dates = database.execute("SELECT DISTINCT last_change FROM gpkg_contents").fetchall()
        assert dates == [(EPOCH,)]
        assert database.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
    assert {p.name for p in tmp_path.iterdir()} == {"a.gpkg", "b.gpkg"}


def test_a_layer_without_rows_keeps_its_columns(tmp_path: Path) -> None:
    layers = frames()
    layers["buildings"] = layers["buildings"].iloc[:0]
    write_layers(layers, tmp_path / "plan.gpkg")
    read = read_plan(tmp_path / "plan.gpkg")["buildings"]
    assert read.empty
    assert set(NEEDED["buildings"]) <= set(read.columns)


@pytest.mark.parametrize("before", [None, "NORMAL"])
def test_how_gdal_syncs_is_as_before(tmp_path: Path, before: str | None) -> None:
    pyogrio.set_gdal_config_options({SYNC: before})
    try:
        write_layers(frames(), tmp_path / "plan.gpkg")
        assert pyogrio.get_gdal_config_option(SYNC) == before
        with pytest.raises(Exception, match="nowhere"):
            write_layers(frames(), tmp_path / "nowhere" / "plan.gpkg")
        assert pyogrio.get_gdal_config_option(SYNC) == before
    finally:
        pyogrio.set_gdal_config_options({SYNC: None})


def test_only_some_layers_can_be_read_but_all_must_be_there(tmp_path: Path) -> None:
    layers = frames()
    write_layers(layers, tmp_path / "plan.gpkg")
    read = read_plan(tmp_path / "plan.gpkg", only=("grids",))
    assert list(read) == ["grids"]
    assert read["grids"]["in_band"].dtype == bool
    assert list(read_plan(tmp_path / "plan.gpkg", only=("stations", "cells"))) == ["cells", "stations"]

    del layers["cells"]
    write_layers(layers, tmp_path / "torso.gpkg")
    with pytest.raises(PlanError) as caught:
        read_plan(tmp_path / "torso.gpkg", only=("grids",))
    assert caught.value.code == "plan-unreadable"
    assert "cells" in caught.value.en


def test_what_is_no_plan_is_refused_with_its_reason(tmp_path: Path) -> None:
    with pytest.raises(PlanError) as caught:
        read_plan(tmp_path / "plan.gpkg")
    assert caught.value.code == "plan-missing"

    (tmp_path / "text.gpkg").write_text("no plan")
    with pytest.raises(PlanError) as caught:
        read_plan(tmp_path / "text.gpkg")
    assert caught.value.code == "plan-unreadable"

    layers = frames()
    layers["grids"] = layers["grids"].drop(columns="deviation")
    write_layers(layers, tmp_path / "poor.gpkg")
    with pytest.raises(PlanError) as caught:
        read_plan(tmp_path / "poor.gpkg")
    assert "deviation" in caught.value.en
