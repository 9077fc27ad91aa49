"""Exports: RFC 7946 to the digit, and tables that no spreadsheet runs."""

from __future__ import annotations

import json
from pathlib import Path

import geopandas as gpd
import pytest
import shapely

from geo.errors import GeoError
from geo.export import export_plan, grids_geojson


@pytest.fixture
def grids() -> gpd.GeoDataFrame:
    west = shapely.box(120.1234567, 31.0000001, 120.2, 31.1)
    east = shapely.Polygon(
        shapely.box(120.2, 31.0000001, 120.3, 31.1).exterior,
        [shapely.box(120.22, 31.02, 120.23, 31.03).exterior],
    )
    return gpd.GeoDataFrame(
        {
            "grid_id": ["=A-001", "A-002"],
            "code": ["990102001001001", "990102001001002"],
            "name": ["幸福社区第1网格", "</script>"],
            "households": [250, 0],
            "in_band": [True, False],
            "deviation": [0.0, -1.0],
        },
        geometry=[west.reverse(), east.reverse()],
        crs="EPSG:4326",
    )


def test_geojson_follows_rfc_7946(grids: gpd.GeoDataFrame) -> None:
    document = json.loads(grids_geojson(grids))
    assert document.keys() == {"type", "features"}
    assert [f["id"] for f in document["features"]] == ["=A-001", "A-002"]
    assert document["features"][0]["properties"]["name"] == "幸福社区第1网格"
    for feature, shape in zip(document["features"], grids.geometry, strict=True):
        read = shapely.geometry.shape(feature["geometry"])
        assert read.equals(shape)
        assert read.exterior.is_ccw
        assert not any(hole.is_ccw for hole in read.interiors)


def test_coordinates_keep_their_seven_decimals(grids: gpd.GeoDataFrame) -> None:
    text = grids_geojson(grids)
    assert "120.1234567" in text
    assert "31.0000001" in text
    assert "0000000000" not in text


def test_csv_opens_in_excel_without_formulas(grids: gpd.GeoDataFrame, tmp_path: Path) -> None:
    export_plan({"grids": grids}, tmp_path / "grids.csv", to="csv")
    raw = (tmp_path / "grids.csv").read_bytes()
    assert raw.startswith(b"\xef\xbb\xbf")
    assert "'=A-001" in raw.decode("utf-8-sig")


def test_an_unknown_format_writes_nothing(grids: gpd.GeoDataFrame, tmp_path: Path) -> None:
    with pytest.raises(GeoError) as caught:
        export_plan({"grids": grids}, tmp_path / "grids.dwg", to="dwg")
    assert caught.value.code == "export-format-unknown"
    assert list(tmp_path.iterdir()) == []
