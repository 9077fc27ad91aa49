"""Published plans: one table of grids, replaced whole, that other programs read; on both databases."""

from __future__ import annotations

import sqlite3
from dataclasses import replace
from typing import Any

import geopandas as gpd
import pytest
from shapely import MultiPolygon, Polygon, box, to_wkb
from sqlalchemy import text
from store_make import Kept

from web.store import PublishedStore, Stores
from web.store.published import COLUMNS


def grid(number: int, shape: Polygon | MultiPolygon | None = None, **changes: Any) -> dict[str, Any]:
    given = {
        "grid_id": number,
        "geometry": shape or box(116 + number / 100, 39, 116.005 + number / 100, 39.005),
        "code": f"110101001001{number:03d}",
        "name": f"第{number}网格",
        "community": "东河社区",
        "community_id": "c1",
        "households": 250 + number,
        "persons": 700,
        "load": 250,
        "buildings": 9,
        "cells": 12,
        "deviation": 0.125,
        "in_band": True,
        "polsby_popper": 0.7,
        "area_m2": 31234.5,
        "perimeter_m": 801.25,
        "staff": 1,
        "kind": "",
        "note": "=1+1",
        "locked": True,
    }
    return given | changes


def read(stores: Stores) -> gpd.GeoDataFrame:
    """Read the table as another program does."""
    path = stores.published.path
    if path is not None:
        frame = gpd.read_file(path, layer="grids")
    else:
        with stores.database.reading() as connection:
            frame = gpd.read_postgis("SELECT * FROM grids", connection, geom_col="geometry")
    return frame.sort_values(["plan_id", "grid_id"]).reset_index(drop=True)


@pytest.fixture
def published(kept: Kept) -> PublishedStore:
    return kept.stores.published


def test_published_grids_are_read_by_another_program(kept: Kept, published: PublishedStore) -> None:
    parts = MultiPolygon([box(116, 39, 116.001, 39.001), box(116.002, 39, 116.003, 39.001)])
    rows = [grid(1), grid(2, in_band=None, deviation=float("nan")), grid(3, parts, note=None)]
    rows[0]["geometry"] = to_wkb(rows[0]["geometry"])
    plan = replace(kept.plan, revision=17)
    assert published.write(plan, rows, project_name="东城区", at="2026-05-01T08:00:00.000+00:00") == 3
    frame = read(kept.stores)
    assert set(frame.columns) == {*COLUMNS, "geometry"}
    assert frame.crs.to_epsg() == 4326
    assert frame["grid_id"].tolist() == [1, 2, 3]
    assert frame["name"].tolist() == ["第1网格", "第2网格", "第3网格"]
    assert frame["households"].sum() == 756
    assert frame["plan_id"].unique().tolist() == [plan.id]
    assert frame["project_name"].unique().tolist() == ["东城区"]
    assert frame["revision"].unique().tolist() == [17]
    assert frame["note"].tolist() == ["=1+1", "=1+1", ""]
    assert frame["in_band"].isna().tolist() == [False, True, False]
    assert frame["deviation"].isna().tolist() == [False, True, False]
    assert frame.geometry[2].equals(parts)
    assert published.plans() == {plan.id: 17}


def test_a_plan_published_again_replaces_its_own_grids_only(kept: Kept, published: PublishedStore) -> None:
    other = replace(kept.plan, id="f" * 32, revision=2)
    published.write(kept.plan, [grid(1), grid(2)], project_name="a")
    published.write(other, [grid(1)], project_name="b")
    published.write(replace(kept.plan, revision=5), [grid(3)], project_name="a")
    assert published.plans() == {kept.plan.id: 5, other.id: 2}
    frame = read(kept.stores)
    assert dict(zip(frame["plan_id"], frame["grid_id"], strict=True)) == {kept.plan.id: 3, other.id: 1}
    published.remove(kept.plan.id)
    published.remove("0" * 32)
    assert published.plans() == {other.id: 2}
    assert len(read(kept.stores)) == 1


def test_a_deleted_project_is_published_no_more(kept: Kept, published: PublishedStore) -> None:
    published.write(kept.plan, [grid(1)], project_name="a")
    published.write(replace(kept.plan, id="f" * 32), [grid(1)], project_name="b")
    kept.stores.projects.remove(kept.project.id)
    assert published.plans() == {"f" * 32: 0}


def test_a_failed_publication_leaves_the_old_one(kept: Kept, published: PublishedStore) -> None:
    published.write(kept.plan, [grid(1)], project_name="a")
    with pytest.raises(Exception, match=r".+"):  # the error is the database's or GDAL's own
        published.write(
            replace(kept.plan, revision=1), [grid(2), grid(3) | {"geometry": b"no shape"}], project_name="a"
        )
    assert published.plans() == {kept.plan.id: 0}
    assert read(kept.stores)["grid_id"].tolist() == [1]


def test_an_open_reader_of_the_package_keeps_what_it_sees(kept: Kept, published: PublishedStore) -> None:
    published.write(kept.plan, [grid(1)], project_name="a")
    if published.path is None:
        with kept.stores.database.reading() as connection:
            index = "SELECT count(*) FROM pg_indexes WHERE tablename = 'grids' AND indexdef LIKE '%gist%'"
            assert connection.execute(text(index)).scalar() == 1
            shape = "SELECT DISTINCT ST_SRID(geometry) FROM grids"
            assert connection.execute(text(shape)).scalar() == 4326
        return
    reader = sqlite3.connect(published.path)
    reader.execute("PRAGMA journal_mode=WAL")  # as QGIS does while it has a layer open
    with reader:
        reader.execute("UPDATE gpkg_contents SET description = 'typed elsewhere'")
    assert published.path.with_name("published.gpkg-wal").stat().st_size > 0
    published.write(replace(kept.plan, revision=1), [grid(2)], project_name="a")
    assert reader.execute("SELECT grid_id FROM grids").fetchall() == [(1,)]
    reader.close()
    assert read(kept.stores)["grid_id"].tolist() == [2]
    with sqlite3.connect(published.path) as opened:
        assert opened.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        assert opened.execute("SELECT count(*) FROM rtree_grids_geom").fetchone() == (1,)
    opened.close()
