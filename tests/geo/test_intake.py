"""From files to a city: every household is placed or listed, and every decision is a finding.

Layers are drawn in `intake_files`; rows are shuffled and ids are text wherever order or type might matter.
"""

from __future__ import annotations

import warnings

import geopandas as gpd
import numpy as np
import pandas as pd
import pyproj
import pytest
import shapely
from hypothesis import HealthCheck, assume, example, given, settings
from hypothesis import strategies as st
from intake_files import (
    CRS,
    ORIGIN,
    PLACES,
    area,
    buildings,
    by_code,
    communities,
    shuffled,
    square,
    write,
    write_shapefile,
)
from pyproj import Transformer

from geo.city import City
from geo.crs import wgs84_to_bd09
from geo.errors import ColumnError, CommunityError, CRSError, GeoError, LayerError
from geo.intake import load_city, load_stations
from geo.intake.cells import id_keys, name_keys, numbers, texts
from geo.intake.geometry import VERTEX_BUDGET, clean_areas, clean_lines
from geo.layers import Source, parse_source
from geo.types import BorderClass


def check_sums(city: City) -> None:
    """Check the identity that every city keeps, and the contract of its frames."""
    placed = city.buildings["community"] >= 0
    assert (
        city.households_in
        == city.buildings.loc[placed, "households"].sum() + city.unplaced["households"].sum()
    )
    assert city.buildings["building_id"].is_unique
    assert city.communities["community_id"].is_unique
    assert city.compounds["compound_id"].is_unique
    for frame in (city.buildings, city.communities, city.roads, city.stations):
        assert frame.crs == city.crs
        assert isinstance(frame.index, pd.RangeIndex)
        assert not frame.geometry.is_empty.any()
        assert frame.geometry.is_valid.all()
    assert city.buildings["community"].dtype == np.int32
    assert city.buildings["compound"].dtype == np.int32
    assert city.buildings["households"].dtype == np.int64
    assert city.roads["border_class"].dtype == np.uint8


def refused(code: str, sources: list[Source], **options: object) -> GeoError:
    with pytest.raises(GeoError) as caught:
        load_city(sources, **options)
    assert caught.value.code == code
    assert caught.value.zh
    assert caught.value.en
    return caught.value


def homes_of(city: City) -> dict[str, int]:
    return dict(zip(city.buildings["building_id"], city.buildings["households"], strict=True))


# -- the plain case ----------------------------------------------------------------------------------------------


def test_buildings_with_their_own_counts(tmp_path):
    city = load_city(write(tmp_path, buildings=shuffled(buildings(), 1), communities=communities()))
    check_sums(city)
    assert city.households_in == 210
    assert homes_of(city) == dict(zip(PLACES, [10, 20, 30, 40, 50, 60], strict=True))
    by_community = city.buildings.groupby("community")["households"].sum().tolist()
    assert by_community == [60, 150]
    assert city.communities["name"].tolist() == ["甲社区", "乙社区"]
    assert city.communities["code"].tolist() == ["310115001001", "310115001002"]
    assert city.crs.to_epsg() == CRS
    assert city.persons_estimated
    assert city.buildings["persons"].sum() == 26 + 52 + 78 + 104 + 130 + 156
    assert len(city.doors) == len(city.unplaced) == len(city.roads) == 0
    assert [f.code for f in city.findings] == []


def test_degrees_are_brought_to_a_metric_zone(tmp_path):
    lonlat = {"buildings": buildings().to_crs(4490), "communities": communities().to_crs(4326)}
    city = load_city(write(tmp_path, **lonlat))
    check_sums(city)
    assert city.crs.to_epsg() == 4549
    assert (city.buildings["community"] >= 0).all()


def test_custom_crs_without_a_code(tmp_path):
    svy21 = pyproj.CRS.from_proj4(
        "+proj=tmerc +lat_0=31 +lon_0=120 +k=1 +x_0=28001 +y_0=38744 +ellps=WGS84 +units=m"
    )
    roads = gpd.GeoDataFrame(
        geometry=[shapely.LineString([square(0, 0).centroid, square(90, 90).centroid])], crs=CRS
    )
    city = load_city(
        write(tmp_path, buildings=buildings(), communities=communities(), roads=roads.to_crs(svy21))
    )
    assert city.roads.geometry[0].distance(square(0, 0).centroid) < 1.0


def test_progress_is_reported(tmp_path):
    steps = []
    load_city(
        write(tmp_path, buildings=buildings(), communities=communities()), progress=lambda *s: steps.append(s)
    )
    assert steps == [("layers", 0, 2), ("layers", 1, 2), ("layers", 2, 2)]


def test_loading_twice_gives_the_same(tmp_path):
    sources = write(tmp_path, buildings=shuffled(buildings(), 3), communities=communities())
    first, second = load_city(sources), load_city(sources[::-1])
    pd.testing.assert_frame_equal(first.buildings, second.buildings)
    assert first.findings == second.findings


# -- what is missing ---------------------------------------------------------------------------------------------


def test_needed_layers(tmp_path):
    refused("communities-missing", write(tmp_path, buildings=buildings()))
    refused("buildings-missing", write(tmp_path, communities=communities()))


def test_without_communities_where_they_are_not_needed(tmp_path):
    city = load_city(write(tmp_path, buildings=buildings()), need_communities=False)
    assert len(city.communities) == 0
    assert (city.buildings["community"] == -1).all()
    assert city.households_in == city.buildings["households"].sum()
    assert len(city.unplaced) == 0


def test_no_household_column(tmp_path):
    frame = buildings(building_id=list(PLACES), colour=["red"] * 6)
    error = refused("no-household-column", write(tmp_path, buildings=frame, communities=communities()))
    assert isinstance(error, ColumnError)
    for text in ("buildings.parquet", "colour", "--column buildings.households="):
        assert text in error.zh
        assert text in error.en


def test_naming_the_household_column(tmp_path):
    frame = buildings(colour=[1, 2, 3, 4, 5, 6])
    sources = write(tmp_path, buildings=frame, communities=communities())
    city = load_city(sources, columns={"buildings.households": "colour"})
    assert city.households_in == 21
    assert city.buildings["building_id"].tolist() == [f"B00000{i}" for i in range(1, 7)]
    refused("column-not-found", sources, columns={"buildings.households": "nope"})
    refused("column-override-unknown", sources, columns={"buildings.nope": "colour"})


def test_no_crs(tmp_path):
    path = write_shapefile(
        buildings().rename(columns={"楼栋编号": "id"}), tmp_path / "b.shp", encoding="gbk", cpg=True
    )
    path.with_suffix(".prj").unlink()
    sources = [Source("buildings", path), *write(tmp_path, communities=communities())]
    error = refused("crs-missing", sources)
    assert isinstance(error, CRSError)
    assert "b.shp" in error.zh
    city = load_city(sources, columns={"buildings.crs": "EPSG:4549"})
    assert (city.buildings["community"] >= 0).all()
    refused("crs-unknown", sources, columns={"buildings.crs": "Beijing"})


def test_metres_under_a_crs_of_degrees(tmp_path):
    frame = buildings().set_crs(4326, allow_override=True)
    error = refused("crs-mismatch", write(tmp_path, buildings=frame, communities=communities()))
    assert "EPSG:4326" in error.en


def test_wrong_crs_puts_all_buildings_outside(tmp_path):
    frame = buildings().set_crs(4547, allow_override=True)
    error = refused("buildings-outside", write(tmp_path, buildings=frame, communities=communities()))
    assert isinstance(error, CommunityError)
    assert "EPSG:4547" in error.zh
    assert "EPSG:4549" in error.en
    assert error.where["distance_m"] > 100_000


def test_old_datum_is_warned_of(tmp_path):
    frame = buildings().set_crs(2437, allow_override=True)
    zone = communities().set_crs(2437, allow_override=True)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        city = load_city(write(tmp_path, buildings=frame, communities=zone))
    assert len(by_code(city.findings, "crs-datum-uncertain")) == 2


# -- counts ------------------------------------------------------------------------------------------------------


def test_text_in_the_count_column_is_one_error_with_all_rows(tmp_path):
    frame = buildings(户数=["10", "很多", "３０户", "1,200", "-5", "2.5"])
    error = refused("households-not-a-number", write(tmp_path, buildings=frame, communities=communities()))
    assert error.where["rows"] == [2, 5, 6]
    assert error.where["column"] == "户数"
    assert "很多" in error.zh
    assert "很多" in error.en
    assert "buildings.parquet" in error.en


def test_counts_as_people_write_them(tmp_path):
    frame = buildings(户数=["10", " 20 户", "３０户", "1,200", "", "50.0"])
    city = load_city(write(tmp_path, buildings=frame, communities=communities()))
    assert city.buildings["households"].tolist() == [10, 20, 30, 1200, 0, 50]
    (empty,) = by_code(city.findings, "households-empty")
    assert empty.rows == (5,)


@pytest.mark.parametrize("value", [-1.0, 2.5, float("inf"), 1e12])
def test_numbers_that_are_no_counts(tmp_path, value):
    frame = buildings(户数=[1.0, 2.0, 3.0, 4.0, 5.0, value])
    refused("households-not-a-number", write(tmp_path, buildings=frame, communities=communities()))


@pytest.mark.parametrize(
    ("cell", "value"),
    [
        ("１２", 12),
        ("1,234", 1234),
        ("3.0", 3),
        ("1e2", 100),
        ("12户", 12),
        (7, 7),
        (np.int64(8), 8),
        (2.5, 2.5),
    ],
)
def test_number_cells(cell, value):
    values, bad = numbers(pd.Series([cell, None, "-", "无"], dtype=object))
    assert values[0] == value
    assert np.isnan(values[1:]).all()
    assert not bad.any()


@pytest.mark.parametrize("cell", ["十二", "12-3", "1,2", "a", True, "1 户 2 人"])
def test_cells_that_are_no_numbers(cell):
    assert numbers(pd.Series([cell], dtype=object))[1].tolist() == [True]
    assert numbers(pd.Series([True, False]))[1].all()


def test_text_cells_and_keys():
    assert texts(pd.Series([1.0, np.nan, 2.5])).tolist() == ["1", "", "2.5"]
    assert texts(pd.Series([" a ", None, "<Null>", 3], dtype=object)).tolist() == ["a", "", "", "3"]
    assert id_keys(np.array(["ａ1", "12.0"], dtype=object)).tolist() == ["A1", "12"]
    names = np.array(["3号楼", "03幢", "3 栋", "３"], dtype=object)
    assert set(name_keys(names)) == {"3"}


def test_persons_are_taken_where_counted(tmp_path):
    frame = buildings(户数=[10] * 6, 人口=["25", "", "x", "30", "31", "0"])
    city = load_city(write(tmp_path, buildings=frame, communities=communities()), persons_per_household=3)
    assert city.buildings["persons"].tolist() == [25, 30, 30, 30, 31, 0]
    assert not city.persons_estimated
    assert by_code(city.findings, "persons-not-a-number")[0].rows == (3,)
    assert by_code(city.findings, "persons-estimated")[0].count == 2


def test_personal_columns_are_dropped(tmp_path):
    frame = buildings(户数=[1] * 6, 户主姓名=["张三"] * 6, 联系电话=["138"] * 6)
    city = load_city(write(tmp_path, buildings=frame, communities=communities()))
    (finding,) = by_code(city.findings, "personal-columns-dropped")
    assert finding.ids == ("户主姓名", "联系电话")
    assert "张三" not in str(city.findings)


# -- a household layer -------------------------------------------------------------------------------------------


def test_households_joined_by_id(tmp_path):
    homes = pd.DataFrame(
        {
            "楼栋编号": ["b1", " B1 ", "b2", "b9", "", "ｂ3"],
            "单元": ["1", "2", "1", "1", "1", "10"],
            "户数": [6, 4, 20, 7, 2, 30],
            "人口": [12, 8, 40, 9, 3, 60],
        }
    )
    plain = buildings(楼栋编号=list(PLACES))
    city = load_city(write(tmp_path, buildings=plain, communities=communities(), households=homes))
    check_sums(city)
    assert city.households_in == 69
    assert {k: v for k, v in homes_of(city).items() if v} == {"b1": 10, "b2": 20, "b3": 30}
    assert city.unplaced[["reason", "source_row", "id", "households"]].to_numpy().tolist() == [
        ["no-building", 4, "b9", 7],
        ["no-building", 5, "", 2],
    ]
    (lost,) = by_code(city.findings, "households-unmatched")
    assert (lost.severity, lost.households, lost.rows) == ("error", 9, (4, 5))
    assert city.doors.to_numpy().tolist() == [[0, "1", 6], [0, "2", 4], [1, "1", 20], [2, "10", 30]]
    assert city.buildings["persons"].tolist() == [20, 40, 60, 0, 0, 0]


def test_households_joined_by_compound_and_building_name(tmp_path):
    named = buildings(小区名称=["甲园"] * 3 + ["乙园"] * 3, 楼号=["1幢", "2幢", "3幢"] * 2)
    homes = pd.DataFrame({"小区": ["甲园", "乙园", "丙园"], "楼号": ["1号楼", "3", "1"], "户数": [5, 6, 7]})
    city = load_city(write(tmp_path, buildings=named, communities=communities(), households=homes))
    check_sums(city)
    assert city.buildings["households"].tolist() == [5, 0, 0, 0, 0, 6]
    assert city.unplaced["id"].tolist() == ["1"]


def test_households_joined_by_address(tmp_path):
    named = buildings(地址=[f"一路 {i} 号" for i in range(5)] + ["一路 4 号"])
    homes = pd.DataFrame({"地址": ["一路2号", "一路4号"], "户数": [5, 6]})
    city = load_city(write(tmp_path, buildings=named, communities=communities(), households=homes))
    assert city.buildings["households"].tolist() == [0, 0, 5, 0, 0, 0]
    assert city.unplaced["households"].tolist() == [6]  # two buildings have this address


def test_households_joined_by_place(tmp_path):
    points = [square(*PLACES["b1"]).centroid, square(*PLACES["b2"]).centroid, square(90, 45).centroid]
    points[1] = shapely.Point(points[1].x + 20, points[1].y)
    homes = gpd.GeoDataFrame({"户数": [5, 6, 7]}, geometry=points, crs=CRS).to_crs(4326)
    city = load_city(
        write(tmp_path, buildings=buildings(ref=["x"] * 6), communities=communities(), households=homes)
    )
    check_sums(city)
    assert city.buildings["households"].tolist() == [5, 6, 0, 0, 0, 0]
    assert by_code(city.findings, "households-snapped")[0].rows == (2,)
    assert city.unplaced["source_row"].tolist() == [3]


def test_the_household_layer_wins(tmp_path):
    homes = pd.DataFrame({"楼栋编号": ["b1"], "户数": [3]})
    city = load_city(write(tmp_path, buildings=buildings(), communities=communities(), households=homes))
    assert city.households_in == 3
    assert by_code(city.findings, "households-counted-twice")


def test_a_household_layer_without_counts_is_told(tmp_path):
    homes = pd.DataFrame({"楼栋编号": ["b1"], "备注": ["x"]})
    city = load_city(write(tmp_path, buildings=buildings(), communities=communities(), households=homes))
    assert city.households_in == 210
    assert by_code(city.findings, "layer-without-households")[0].layer == "households"


def test_households_that_fit_nowhere(tmp_path):
    homes = pd.DataFrame({"楼栋编号": ["X-1", "X-2"], "户数": [3, 4]})
    sources = write(tmp_path, buildings=buildings(), communities=communities(), households=homes)
    error = refused("households-not-joined", sources)
    assert isinstance(error, LayerError)
    assert "X-1" in error.zh
    assert "B1" in error.en


def test_located_households_stand_in_for_buildings(tmp_path):
    to_degrees = Transformer.from_crs(CRS, 4326, always_xy=True)
    xy = [square(*PLACES[b]).centroid for b in ("b1", "b1", "b4")]
    lon, lat = to_degrees.transform([p.x for p in xy], [p.y for p in xy])
    homes = pd.DataFrame(
        {"楼栋编号": ["b1", "b1", "b4"], "单元": ["1", "2", "1"], "户数": [3, 4, 5], "经度": lon, "纬度": lat}
    )
    city = load_city(write(tmp_path, households=homes, communities=communities()))
    check_sums(city)
    assert homes_of(city) == {"b1": 7, "b4": 5}
    assert city.buildings["community"].tolist() == [0, 1]
    assert len(city.doors) == 3
    assert by_code(city.findings, "crs-assumed")[0].severity == "info"


def test_households_without_places_or_buildings(tmp_path):
    homes = pd.DataFrame({"楼栋编号": ["b1"], "户数": [3]})
    refused("buildings-without-places", write(tmp_path, households=homes, communities=communities()))


# -- coordinates in tables ---------------------------------------------------------------------------------------


def table_of_points(x: object, y: object, x_name: str, y_name: str) -> pd.DataFrame:
    return pd.DataFrame({"楼栋编号": list(PLACES), "户数": [1] * 6, x_name: x, y_name: y})


def centres() -> tuple[np.ndarray, np.ndarray]:
    points = [square(*xy).centroid for xy in PLACES.values()]
    return np.array([p.x for p in points]), np.array([p.y for p in points])


def degrees() -> tuple[np.ndarray, np.ndarray]:
    return Transformer.from_crs(CRS, 4326, always_xy=True).transform(*centres())


def assert_in_place(city: City) -> None:
    x, y = centres()
    got = shapely.get_coordinates(city.buildings.to_crs(CRS).geometry)
    np.testing.assert_allclose(got, np.column_stack([x, y]), atol=0.1)


def test_shifted_coordinates_are_shifted_back(tmp_path):
    frame = table_of_points(*wgs84_to_bd09(*degrees()), "百度地图经度", "百度地图纬度")
    city = load_city(write(tmp_path, buildings=frame, communities=communities()))
    assert_in_place(city)
    assert "BD-09" in by_code(city.findings, "coordinates-shifted")[0].en


def test_latitude_and_longitude_swapped(tmp_path):
    lon, lat = degrees()
    city = load_city(
        write(tmp_path, buildings=table_of_points(lat, lon, "经度", "纬度"), communities=communities())
    )
    assert_in_place(city)
    assert by_code(city.findings, "axes-swapped")


@pytest.mark.parametrize("swap", [False, True])
def test_bare_metres_within_the_communities(tmp_path, swap):
    x, y = centres()
    frame = table_of_points(y, x, "X", "Y") if swap else table_of_points(x, y, "X", "Y")
    city = load_city(write(tmp_path, buildings=frame, communities=communities()))
    assert_in_place(city)
    assert bool(by_code(city.findings, "axes-swapped")) == swap
    assert by_code(city.findings, "crs-assumed")[0].severity == "warning"


def test_bare_metres_elsewhere_need_a_crs(tmp_path):
    x, y = centres()
    sources = write(tmp_path, buildings=table_of_points(x + 40e6, y, "X", "Y"), communities=communities())
    error = refused("crs-missing", sources)
    assert "EPSG:4528" in error.en
    city = load_city(
        write(
            tmp_path,
            buildings=table_of_points(x + 39.5e6 - 0.5e6 + 1e6, y, "X", "Y"),
            communities=communities(),
        ),
        columns={"buildings.crs": "EPSG:4528"},
    )
    assert_in_place(city)


def test_a_projection_file_beside_the_table(tmp_path):
    x, y = centres()
    sources = write(tmp_path, buildings=table_of_points(x, y, "X", "Y"))
    (tmp_path / "buildings.prj").write_text(pyproj.CRS.from_epsg(CRS).to_wkt())
    assert_in_place(load_city(sources, need_communities=False))


def test_wkt_column(tmp_path):
    frame = pd.DataFrame({"户数": [1, 2], "wkt": [square(10, 10).wkt, "nonsense"]})
    city = load_city(write(tmp_path, buildings=frame, communities=communities()))
    check_sums(city)
    assert city.buildings.geometry[0].equals(square(10, 10))
    assert city.unplaced["reason"].tolist() == ["no-geometry"]


def test_cells_without_coordinates(tmp_path):
    lon, lat = (v.astype(object) for v in degrees())
    lon[0], lat[1] = "不详", ""
    city = load_city(
        write(tmp_path, buildings=table_of_points(lon, lat, "lng", "lat"), communities=communities())
    )
    check_sums(city)
    assert city.unplaced["id"].tolist() == ["b1", "b2"]
    assert by_code(city.findings, "coordinates-not-numbers")[0].rows == (1,)
    assert by_code(city.findings, "building-no-geometry")[0].households == 2


# -- buildings ---------------------------------------------------------------------------------------------------


def test_buildings_outside_and_beside_communities(tmp_path):
    frame = buildings()
    frame.loc[0, "geometry"] = square(-35, 50)
    frame.loc[1, "geometry"] = square(-15, 50)
    city = load_city(write(tmp_path, buildings=frame, communities=communities()))
    check_sums(city)
    assert city.buildings["community"][1] == 0
    assert by_code(city.findings, "building-near-community")
    frame.loc[0, "geometry"] = square(-300, 50)
    city = load_city(write(tmp_path, buildings=frame, communities=communities()))
    check_sums(city)
    assert city.buildings["community"].tolist() == [-1, 0, 0, 1, 1, 1]
    assert city.unplaced.to_numpy().tolist() == [["outside-communities", "buildings", 1, "b1", 10]]
    (finding,) = by_code(city.findings, "building-outside-communities")
    assert (finding.severity, finding.rows, finding.ids, finding.households) == ("error", (1,), ("b1",), 10)


def test_a_building_on_the_line_belongs_to_the_first(tmp_path):
    frame = buildings()
    frame.loc[0, "geometry"] = shapely.Point(ORIGIN[0] + 100, ORIGIN[1] + 50)
    city = load_city(write(tmp_path, buildings=frame, communities=communities()))
    assert city.buildings["community"][0] == 0


def test_repeated_and_missing_ids(tmp_path):
    frame = buildings(楼栋编号=["a", "a", "", None, "a-2", "a"], 户数=[1] * 6)
    city = load_city(write(tmp_path, buildings=frame, communities=communities()))
    assert city.buildings["building_id"].tolist() == ["a", "a-3", "B000003", "B000004", "a-2", "a-4"]
    assert by_code(city.findings, "ids-made-unique")[0].count == 2


def test_numeric_ids_join_text_ids(tmp_path):
    homes = pd.DataFrame({"楼栋编号": ["7", "8.0"], "户数": [3, 4]})
    frame = buildings(楼栋编号=[7.0, 8.0, 9.0, 10.0, 11.0, np.nan])
    city = load_city(write(tmp_path, buildings=frame, communities=communities(), households=homes))
    assert city.buildings["households"].tolist() == [3, 4, 0, 0, 0, 0]
    assert city.buildings["building_id"][0] == "7"


def test_geometry_is_repaired_or_listed(tmp_path):
    frame = buildings()
    x, y = ORIGIN
    frame.loc[0, "geometry"] = shapely.Polygon(
        [(x + 5, y + 5), (x + 25, y + 25), (x + 25, y + 5), (x + 5, y + 25)]
    )
    frame.loc[1, "geometry"] = shapely.Polygon()
    frame.loc[2, "geometry"] = None
    city = load_city(write(tmp_path, buildings=frame, communities=communities()))
    check_sums(city)
    assert len(city.buildings) == 4
    assert by_code(city.findings, "geometry-repaired")[0].rows == (1,)
    assert city.unplaced["reason"].tolist() == ["no-geometry"] * 2
    assert city.unplaced["households"].sum() == 50


def test_doors_follow_buildings_when_some_are_dropped(tmp_path):
    frame = buildings(楼栋编号=list(PLACES))
    frame.loc[0, "geometry"] = None
    homes = pd.DataFrame({"楼栋编号": ["b1", "b3"], "单元": ["1", "2"], "户数": [3, 4]})
    city = load_city(write(tmp_path, buildings=frame, communities=communities(), households=homes))
    check_sums(city)
    assert city.doors.to_numpy().tolist() == [[1, "2", 4]]
    assert city.buildings["building_id"][1] == "b3"


def test_every_kind_of_geometry_becomes_a_place():
    ring = [(0, 0), (9, 0), (9, 9), (0, 9), (0, 0)]
    shapes = np.array(
        [
            shapely.LineString(ring),
            shapely.LineString([(0, 0), (5, 5)]),
            shapely.MultiPoint([(1, 1), (2, 2)]),
            shapely.GeometryCollection([shapely.Polygon(ring), shapely.Point(50, 50)]),
            shapely.MultiPolygon([shapely.Polygon(ring)]),
            shapely.Polygon([(0, 0, 5), (9, 0, 5), (9, 9, 5)]),
            shapely.Polygon([(0, 0), (5, 5), (9, 9)]),
            shapely.Point(np.inf, 1),
            shapely.Point(),
            None,
        ],
        dtype=object,
    )
    before = shapes.copy()
    cleaned = clean_areas(shapes, points=True)
    kinds = [None if g is None else g.geom_type for g in cleaned.geometry]
    assert kinds == ["Polygon", "Point", "Point", "Polygon", "Polygon", "Polygon", "Point", None, None, None]
    assert not shapely.has_z(cleaned.geometry).any()
    assert cleaned.missing.tolist() == [False] * 7 + [True] * 3
    assert all(a is b for a, b in zip(before, shapes, strict=True))


def test_scribbles_are_not_repaired_but_hulled():
    rng = np.random.default_rng(0)
    scribble = shapely.Polygon(rng.random((VERTEX_BUDGET + 500, 2)))
    steps = np.linspace(0, 2 * np.pi, VERTEX_BUDGET + 500)
    outline = np.column_stack([np.cos(steps), np.sin(steps)])
    outline[100:102] = outline[[101, 100]]
    cleaned = clean_areas(np.array([scribble, shapely.Polygon(outline)], dtype=object))
    assert cleaned.hulled.tolist() == [True, False]
    assert cleaned.repaired.tolist() == [False, True]
    assert shapely.is_valid(cleaned.geometry).all()


@settings(max_examples=40, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 8), st.integers(0, 8)), min_size=3, max_size=9))
@example([(5, 8), (2, 6), (0, 6), (8, 4), (8, 6), (1, 6)])  # GEOS repairs it to parts that share a border
@example([(8, 7), (1, 7), (5, 3), (8, 7), (2, 7), (5, 8)])
def test_any_ring_becomes_valid_or_a_point(points):
    cleaned = clean_areas(np.array([shapely.Polygon(points)], dtype=object), points=True)
    shape = cleaned.geometry[0]
    assert shape.is_valid
    assert not shape.is_empty
    assert shape.geom_type in ("Polygon", "MultiPolygon", "Point")


# -- communities -------------------------------------------------------------------------------------------------


def test_overlapping_communities(tmp_path):
    frame = communities()
    frame.loc[1, "geometry"] = area(80, 0, 200, 100)
    error = refused("communities-overlap", write(tmp_path, buildings=buildings(), communities=frame))
    assert isinstance(error, CommunityError)
    assert error.where["ids"] == [["甲社区", "乙社区"]]
    assert error.where["area_m2"] == [pytest.approx(2000)]
    assert "2,000" in error.zh


def test_a_sliver_goes_to_the_first(tmp_path):
    frame = communities()
    frame.loc[1, "geometry"] = area(99.6, 0, 200, 100)
    city = load_city(write(tmp_path, buildings=buildings(), communities=frame))
    first, second = city.communities.geometry
    assert first.intersection(second).area == 0
    assert city.communities.area.sum() == pytest.approx(20_000)
    assert by_code(city.findings, "communities-sliver")[0].severity == "warning"


def test_a_drawing_tolerance_is_no_overlap(tmp_path):
    frame = communities()
    frame.loc[1, "geometry"] = area(99.99, 0, 200, 100)
    assert load_city(write(tmp_path, buildings=buildings(), communities=frame)).findings == ()


def test_rows_of_one_community_are_joined(tmp_path):
    frame = gpd.GeoDataFrame(
        {"id": ["1", "2", "1"], "name": ["甲", "乙", "甲"]},
        geometry=[area(0, 0, 50, 100), area(100, 0, 200, 100), area(50, 0, 100, 100)],
        crs=CRS,
    )
    city = load_city(write(tmp_path, buildings=buildings(), communities=frame))
    assert city.communities["community_id"].tolist() == ["1", "2"]
    assert city.communities.area.tolist() == pytest.approx([10_000, 10_000])
    assert by_code(city.findings, "communities-dissolved")[0].rows == (3,)


def test_one_id_for_two_communities(tmp_path):
    city = load_city(
        write(tmp_path, buildings=buildings(), communities=communities(id=["7", "7"], name=["甲", "乙"]))
    )
    assert city.communities["community_id"].tolist() == ["7", "7-2"]
    assert by_code(city.findings, "ids-made-unique")


@pytest.mark.parametrize(
    ("columns", "ids", "names"),
    [
        ({"SUBZONE_N": ["A", "B"], "SUBZONE_C": ["a", "b"]}, ["a", "b"], ["A", "B"]),
        ({"DIST_CODE": [1, 2], "DIST_NAME": ["A", "B"]}, ["1", "2"], ["A", "B"]),
        ({"社区": ["甲", "乙"]}, ["甲", "乙"], ["甲", "乙"]),
        ({"Shape_Area": [1.0, 2.0]}, ["C001", "C002"], ["C001", "C002"]),
    ],
)
def test_community_ids_and_names(tmp_path, columns, ids, names):
    city = load_city(write(tmp_path, buildings=buildings(), communities=communities(**columns)))
    assert city.communities["community_id"].tolist() == ids
    assert city.communities["name"].tolist() == names
    assert city.communities["code"].tolist() == ["", ""]


def test_communities_need_areas(tmp_path):
    frame = communities().set_geometry(communities().centroid)
    refused("communities-without-areas", write(tmp_path, buildings=buildings(), communities=frame))


def test_a_community_that_is_too_broken(tmp_path):
    rng = np.random.default_rng(0)
    frame = communities()
    frame.loc[1, "geometry"] = shapely.Polygon(rng.random((VERTEX_BUDGET + 500, 2)) * 100 + ORIGIN)
    error = refused("community-too-broken", write(tmp_path, buildings=buildings(), communities=frame))
    assert error.where["row"] == 2


def test_an_invalid_community_is_repaired(tmp_path):
    frame = communities()
    x, y = ORIGIN
    shape = [
        (x, y),
        (x + 100, y),
        (x + 100, y + 100),
        (x, y + 100),
        (x, y + 50),
        (x + 10, y + 50),
        (x, y + 50),
    ]
    frame.loc[0, "geometry"] = shapely.Polygon(shape)
    city = load_city(write(tmp_path, buildings=buildings(), communities=frame))
    check_sums(city)
    assert by_code(city.findings, "geometry-repaired")[0].ids == ("甲社区",)


# -- compounds ---------------------------------------------------------------------------------------------------


def compounds() -> gpd.GeoDataFrame:
    return gpd.GeoDataFrame(
        {"小区编号": ["x1", "x2"], "小区名称": ["甲园", "乙园"], "小区类型": ["商品房", "老旧小区"]},
        geometry=[area(0, 0, 30, 100), area(100, 0, 130, 100)],
        crs=CRS,
    )


def test_compounds_by_id_then_place(tmp_path):
    frame = buildings(楼栋编号=list(PLACES), 户数=[1] * 6, 小区编号=["", "", "X2", "", "", ""])
    city = load_city(write(tmp_path, buildings=frame, communities=communities(), compounds=compounds()))
    assert city.buildings["compound"].tolist() == [0, 0, 1, 1, 1, -1]
    assert city.compounds["compound_type"].tolist() == ["商品房", "老旧小区"]


def test_compounds_known_by_name_only(tmp_path):
    frame = buildings(户数=[1] * 6, 小区=["丙园", "", "丁园", "乙园", "丁园", ""], 小区类型=["公寓"] * 6)
    city = load_city(write(tmp_path, buildings=frame, communities=communities(), compounds=compounds()))
    assert city.compounds["name"].tolist() == ["甲园", "乙园", "丁园"]  # 丙园 lies within 甲园
    assert city.compounds.geometry.isna().tolist() == [False, False, True]
    alone = load_city(write(tmp_path, buildings=frame, communities=communities()))
    assert alone.compounds["name"].tolist() == ["丙园", "丁园", "乙园"]
    assert alone.buildings["compound"].tolist() == [0, -1, 1, 2, 1, -1]
    assert alone.compounds["compound_type"].tolist() == ["公寓"] * 3


def test_overlapping_compounds_are_told(tmp_path):
    frame = compounds()
    frame.loc[1, "geometry"] = area(20, 0, 130, 100)
    city = load_city(write(tmp_path, buildings=buildings(), communities=communities(), compounds=frame))
    assert by_code(city.findings, "compounds-overlap")[0].ids == ("甲园 / 乙园",)
    assert city.buildings["compound"][0] == 0


# -- roads, water, stations and the rest ---------------------------------------------------------------------------


def lines(**columns: list) -> gpd.GeoDataFrame:
    count = len(next(iter(columns.values())))
    shapes = [
        shapely.LineString([(ORIGIN[0], ORIGIN[1] + i), (ORIGIN[0] + 90, ORIGIN[1] + i)])
        for i in range(count)
    ]
    return gpd.GeoDataFrame(columns, geometry=shapes, crs=CRS)


def test_road_classes(tmp_path):
    roads = lines(道路等级=["主干道", "支路", "巷", "???", ""], 名称=["一", "二", "三", "四", None])
    city = load_city(write(tmp_path, buildings=buildings(), communities=communities(), roads=roads))
    assert city.roads["border_class"].tolist() == [4, 3, 2, 3, 3]
    assert city.roads["name"].tolist() == ["一", "二", "三", "四", ""]
    (finding,) = by_code(city.findings, "road-class-unknown")
    assert finding.rows == (4, 5)
    assert "???" in finding.zh


def test_roads_without_classes_and_as_areas(tmp_path):
    roads = gpd.GeoDataFrame(
        geometry=[
            area(0, 0, 100, 5),
            shapely.Point(ORIGIN),
            shapely.LineString([ORIGIN, (ORIGIN[0] + 5, ORIGIN[1])]),
        ],
        crs=CRS,
    )
    city = load_city(write(tmp_path, buildings=buildings(), communities=communities(), roads=roads))
    assert city.roads["border_class"].tolist() == [BorderClass.STREET] * 2
    assert city.roads.length.tolist() == pytest.approx([210, 5])
    assert by_code(city.findings, "geometry-missing")[0].rows == (2,)
    assert by_code(city.findings, "road-class-missing")


def test_water_and_railways(tmp_path):
    water = gpd.GeoDataFrame({"name": ["河"]}, geometry=[area(0, 40, 200, 60)], crs=CRS)
    city = load_city(
        write(
            tmp_path,
            buildings=buildings(),
            communities=communities(),
            water=water,
            railways=lines(name=["铁路"]),
        )
    )
    assert city.water["border_class"].tolist() == [BorderClass.WATER]
    assert city.railways["border_class"].tolist() == [BorderClass.RAILWAY]


def test_collections_of_lines():
    mixed = shapely.GeometryCollection(
        [shapely.LineString([(0, 0), (1, 0)]), shapely.box(5, 5, 6, 6), shapely.Point(9, 9)]
    )
    shapes, unusable = clean_lines(
        np.array(
            [
                mixed,
                shapely.GeometryCollection([shapely.Point(0, 0)]),
                shapely.LinearRing([(0, 0), (1, 0), (1, 1)]),
            ]
        )
    )
    assert unusable.tolist() == [False, True, False]
    assert shapes[0].length == 5
    assert shapes[2].geom_type == "LineString"


def stations() -> gpd.GeoDataFrame:
    return gpd.GeoDataFrame(
        {
            "name": ["一站", "", "三站"],
            "category": ["驿站", None, "驿站"],
            "开放时间": ["8:00-20:00", "", ""],
        },
        geometry=[square(5, 5).centroid, square(50, 50), None],
        crs=CRS,
    )


def test_stations(tmp_path):
    city = load_city(write(tmp_path, buildings=buildings(), communities=communities(), stations=stations()))
    assert city.stations["station_id"].tolist() == ["S0001", "S0002"]
    assert city.stations["name"].tolist() == ["一站", "S0002"]
    assert city.stations["category"].tolist() == ["驿站", "station"]
    assert set(city.stations.geom_type) == {"Point"}
    assert by_code(city.findings, "geometry-missing")[0].rows == (3,)


def test_stations_alone(tmp_path):
    sources = write(tmp_path, stations=stations())
    frame, findings = load_stations(sources)
    assert frame.crs.to_epsg() == CRS
    assert len(frame) == 2
    assert findings
    assert load_stations(sources, crs=pyproj.CRS.from_epsg(32651))[0].crs.to_epsg() == 32651
    with pytest.raises(LayerError) as caught:
        load_stations(write(tmp_path, buildings=buildings()))
    assert caught.value.code == "stations-missing"


def test_several_files_of_one_role(tmp_path):
    (tmp_path / "more").mkdir()
    sources = write(tmp_path, buildings=buildings(), communities=communities(), stations=stations())
    city = load_city([*sources, *write(tmp_path / "more", stations=stations())])
    assert city.stations["station_id"].tolist() == ["S0001", "S0002", "S0001-2", "S0002-2"]


def test_old_grids_and_candidates(tmp_path):
    grids = gpd.GeoDataFrame(
        {"网格编号": ["G1"], "网格名称": ["一格"]}, geometry=[area(0, 0, 50, 50)], crs=CRS
    )
    sites = gpd.GeoDataFrame({"name": ["空地"]}, geometry=[square(0, 0).centroid], crs=CRS)
    city = load_city(
        write(tmp_path, buildings=buildings(), communities=communities(), old_grids=grids, candidates=sites)
    )
    assert city.old_grids[["grid_code", "name"]].to_numpy().tolist() == [["G1", "一格"]]
    assert city.candidates["candidate_id"].tolist() == ["K0001"]


# -- every household is accounted for ------------------------------------------------------------------------------


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    rows=st.lists(
        st.tuples(st.sampled_from([*PLACES, "b9", ""]), st.sampled_from(["1", "2", ""]), st.integers(0, 500)),
        min_size=1,
        max_size=20,
    ),
    away=st.sets(st.sampled_from(range(6)), max_size=4),
    lost=st.sets(st.sampled_from(range(6)), max_size=4),
)
def test_no_household_is_lost(tmp_path, rows, away, lost):
    frame = buildings(楼栋编号=list(PLACES))
    for i in away:
        frame.loc[i, "geometry"] = square(5000, 0)
    for i in lost:
        frame.loc[i, "geometry"] = None
    assume(not away | lost >= set(range(6)))
    homes = pd.DataFrame([("b1", "1", 1), *rows], columns=["楼栋编号", "单元", "户数"])
    city = load_city(write(tmp_path, buildings=frame, communities=communities(), households=homes))
    check_sums(city)
    assert city.households_in == homes["户数"].sum()
    by_door = city.doors.groupby("building")["households"].sum()
    assert (city.buildings["households"].reindex(by_door.index) == by_door).all()
    errors = sum(f.households for f in city.findings if f.severity == "error")
    assert errors == city.unplaced["households"].sum()


# -- real places -------------------------------------------------------------------------------------------------


def test_ang_mo_kio(real_layer):
    file = real_layer("ang_mo_kio.gpkg")
    roles = {
        "buildings": "blocks",
        "communities": "subzones",
        "roads": "road_sections",
        "stations": "service_points",
    }
    city = load_city([parse_source(f"{role}={file}:{layer}") for role, layer in roles.items()])
    check_sums(city)
    assert (city.crs.to_epsg(), city.households_in, len(city.unplaced)) == (32648, 45_595, 0)
    assert city.communities["name"].tolist()[0] == "CHENG SAN"
    assert city.communities["street"].unique().tolist() == ["ANG MO KIO"]
    assert len(city.roads) == 1445
    assert city.roads.union_all().distance(city.communities.union_all()) == 0
    assert {f.code for f in city.findings} == {"road-class-missing"}


def test_cambridge(real_layer):
    file = real_layer("cambridge.gpkg")
    roles = {
        "buildings": "parcels_units",
        "communities": "neighborhoods",
        "roads": "streets",
        "water": "water",
        "stations": "service_points",
        "old_grids": "police_car_routes",
    }
    city = load_city([parse_source(f"{role}={file}:{layer}") for role, layer in roles.items()])
    check_sums(city)
    assert (city.crs.to_epsg(), city.households_in) == (32619, 42_907)
    assert city.unplaced["households"].sum() == 0
    assert len(city.communities) == 13
    assert (city.roads["border_class"] == BorderClass.ARTERIAL).sum() == 917
    codes = {f.code: f for f in city.findings}
    assert {"geometry-repaired", "building-no-geometry"} <= set(codes)
    assert codes["building-no-geometry"].rows == (1887,)
