"""Copies of a city are cities of their own; what the scale and pipeline benchmarks count is right."""

from __future__ import annotations

from pathlib import Path

import geopandas as gpd
import pandas as pd
import shapely

from bench import pipeline, scale


def layers() -> dict[str, pd.DataFrame]:
    square = shapely.box(0, 0, 10, 10)
    return {
        "communities": gpd.GeoDataFrame({"community_id": ["990102001001"]}, geometry=[square], crs=4549),
        "buildings": gpd.GeoDataFrame(
            {"building_id": ["LD1", "LD2"], "compound_id": ["XQ1", ""]}, geometry=[square, square], crs=4549
        ),
        "households": pd.DataFrame({"building_id": ["LD1", "LD2"], "households": [3, 4]}),
    }


def test_copies_do_not_touch_and_share_no_id() -> None:
    source = layers()
    copies = [scale.copied(source, number) for number in range(12)]
    ids = [i for copy in copies for i in copy["buildings"]["building_id"]]
    codes = [i for copy in copies for i in copy["communities"]["community_id"]]
    assert len(set(ids)) == len(ids) == 24
    assert len(set(codes)) == 12
    assert all(len(code) == 12 and code.isdigit() for code in codes)
    for copy in copies:
        assert set(copy["households"]["building_id"]) == set(copy["buildings"]["building_id"])
    shapes = pd.concat([copy["communities"] for copy in copies]).geometry
    assert shapes.union_all().area == 12 * 100
    assert source["buildings"]["building_id"].tolist() == ["LD1", "LD2"]


def test_copies_in_one_file_read_back_as_one_city(tmp_path: Path) -> None:
    scale.write_copies(layers(), range(3), tmp_path / "many.gpkg")
    read = gpd.read_file(tmp_path / "many.gpkg", layer="buildings")
    assert len(read) == 6
    assert read["building_id"].is_unique


def test_the_digest_sees_names_and_bytes(tmp_path: Path) -> None:
    for name in ("a", "b"):
        (tmp_path / name / "x").mkdir(parents=True)
        (tmp_path / name / "x" / "1").write_bytes(b"data")
    same = scale.digest(tmp_path / "a")
    assert scale.digest(tmp_path / "b") == same
    (tmp_path / "b" / "x" / "1").rename(tmp_path / "b" / "x" / "2")
    assert scale.digest(tmp_path / "b") != same
    (tmp_path / "a" / "x" / "1").write_bytes(b"date")
    assert scale.digest(tmp_path / "a") != same


def test_memory_is_compared_early_and_late() -> None:
    figures = scale.memory_figures([[100.0, 200.0, 210.0, 220.0, 205.0, 215.0, 208.0, 230.0], [50.0]])
    assert figures == {"mb_early": [220.0, 50.0], "mb_late": [230.0, 50.0]}


def test_the_stage_table_tells_when_bytes_differ() -> None:
    run = {"read": 1.0, "cells": 2.0, "export": 0.5, pipeline.AROUND: 1.0, "wall_s": 4.5, "cpu_s": 4.0}
    one, two = run | {"sha256": "ab"}, run | {"sha256": "ab", "cells": 1.25}
    text = pipeline.table({1: one, 2: two}, "fast")
    lines = text.splitlines()
    assert lines[0] == "| wall s, effort fast | 1 worker | 2 workers |"
    assert "| cells | 2.00 | 1.25 |" in lines
    assert "the same bytes, sha256 ab" in text
    assert "DIFFERENT BYTES" in pipeline.table({1: one, 2: two | {"sha256": "cd"}}, "fast")
