"""What walking and services need survives the intake: gates, bridges and levels, floor area, members, workers.

Layers are the two communities of `intake_files`; every value is checked on the frame that later steps read, and the
gates and bridges on the walking network too.
"""

from __future__ import annotations

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely
from intake_files import CRS, ORIGIN, PLACES, area, buildings, by_code, communities, square, write

from geo.groups import count_members
from geo.intake import load_city, load_stations
from geo.layers import Source
from geo.network import network_of
from geo.province_data import add_region, list_parts, read_part
from geo.service_coverage import ServiceModel
from geo.service_coverage.rules import community_supply


def point(x: float, y: float) -> shapely.Point:
    return shapely.Point(ORIGIN[0] + x, ORIGIN[1] + y)


def line(*xy: tuple[float, float]) -> shapely.LineString:
    return shapely.LineString([(ORIGIN[0] + x, ORIGIN[1] + y) for x, y in xy])


def frame(shapes, **columns):
    return gpd.GeoDataFrame(columns, geometry=shapes, crs=CRS)


def yards():
    """Return two walled compounds, one in each community."""
    return frame(
        [area(40, 20, 95, 60), area(105, 20, 190, 60)], 小区编号=["XQ1", "XQ2"], 小区名称=["东苑", "西苑"]
    )


def loaded(folder, **layers):
    given = {"buildings": buildings(), "communities": communities()} | layers
    return load_city(write(folder, **given))


# -- gates -------------------------------------------------------------------------------------------------------


def test_without_a_layer_of_gates_there_are_none(tmp_path):
    city = loaded(tmp_path)
    assert city.gates.columns.tolist() == ["gate_id", "name", "compound_id", "geometry"]
    assert len(city.gates) == 0
    assert city.gates.crs == city.crs


def test_gates_name_their_compound_by_id_or_name(tmp_path):
    gates = frame(
        [point(40, 30), point(105, 40), point(190, 40), point(95, 30)],
        出入口编号=["M1", "M2", "", "M1"],
        大门名称=["西门", "西门", "东门", ""],
        小区编号=["xq1", "", "", ""],
        小区名称=["", "西苑", "", ""],
    )
    city = loaded(tmp_path, compounds=yards(), gates=gates.to_crs(4490))
    assert city.gates["gate_id"].tolist() == ["M1", "M2", "M00003", "M1-2"]
    assert city.gates["name"].tolist() == ["西门", "西门", "东门", ""]
    assert city.gates["compound_id"].tolist() == ["XQ1", "XQ2", "", ""]
    assert city.gates.crs == city.crs
    assert city.gates.distance(gates.geometry).max() < 1e-3
    assert [f.count for f in by_code(city.findings, "ids-made-unique")] == [1]


def test_gates_as_a_table_and_without_a_place(tmp_path):
    places = gpd.GeoSeries([point(40, 30)], crs=CRS).to_crs(4326)
    table = pd.DataFrame({"gate_id": ["A", "B"], "经度": [places.x[0], None], "纬度": [places.y[0], None]})
    city = loaded(tmp_path, compounds=yards(), gates=table)
    assert city.gates["gate_id"].tolist() == ["A"]
    (finding,) = [f for f in by_code(city.findings, "geometry-missing") if f.layer == "gates"]
    assert finding.ids == ("B",)


def test_a_gate_of_an_unknown_compound_is_told(tmp_path):
    gates = frame([point(40, 30), point(105, 40)], gate_id=["A", "B"], compound_id=["XQ1", "XQ9"])
    city = loaded(tmp_path, compounds=yards(), gates=gates)
    assert city.gates["compound_id"].tolist() == ["XQ1", ""]
    (finding,) = by_code(city.findings, "gate-compound-unknown")
    assert (finding.count, finding.ids, finding.rows) == (1, ("B",), (2,))
    assert "XQ9" in finding.zh


@pytest.fixture
def gated(tmp_path):
    """Return a city with a street around the first compound, a lane through its western wall and a gate beside."""
    roads = frame(
        [line((0, 10), (100, 10)), line((0, 10), (0, 70)), line((0, 30), (60, 30)), line((60, 25), (60, 50))],
        名称=["南路", "西路", "西弄", "中弄"],
    )
    stations = frame([point(2, 12)], name=["站"], category=["服务"])
    gates = frame([point(60, 20)], gate_id=["南门"], compound_id=["XQ1"])
    return loaded(tmp_path, compounds=yards().iloc[:1], roads=roads, stations=stations, gates=gates)


def test_the_network_passes_walls_at_the_citys_own_gates(gated):
    network = network_of(gated)
    assert network.report.gates == 1
    assert np.allclose(network.xy[network.gate_node], [point(60, 20).coords[0]])
    assert network.report.cut_by_barrier == 1
    given = network_of(gated, gates=gated.gates)
    assert np.array_equal(given.xy, network.xy)
    none = network_of(gated, gates=gated.gates.iloc[:0])
    assert np.allclose(none.xy[none.gate_node], [point(40, 30).coords[0]])


def test_coverage_walks_through_the_citys_own_gates(gated):
    own = ServiceModel.build(gated).network
    assert own is not None
    assert np.array_equal(own.xy, network_of(gated).xy)
    other = ServiceModel.build(gated, gates=gated.gates.iloc[:0]).network
    assert other is not None
    assert other.report.cut_by_barrier == 0


def test_a_part_of_a_province_has_the_gates_in_and_near_it(tmp_path):
    """The border is x = 100; what is up to 60 m beyond it belongs to both parts."""
    gates = frame([point(30, 30), point(95, 30), point(190, 40)], gate_id=["A", "B", "C"])
    city = loaded(tmp_path, compounds=yards(), gates=gates)
    add_region(tmp_path / "data", "r", city, per_part=1)
    parts = [read_part(tmp_path / "data", part) for part in list_parts(tmp_path / "data")]
    assert [part.gates["gate_id"].tolist() for part in parts] == [["A", "B"], ["B", "C"]]
    assert parts[0].gates.crs == city.crs


# -- streets -----------------------------------------------------------------------------------------------------


def test_bridges_tunnels_and_levels_of_streets(tmp_path):
    roads = frame(
        [line((0, y), (50, y)) for y in (10, 20, 30, 40, 50)],
        fclass=["primary"] * 5,
        桥梁=["是", "否", "viaduct", "", None],
        tunnel=["no", "yes", "F", "0", "building_passage"],
        层号=["1", "-1", "0", None, "-2层"],
    )
    city = loaded(tmp_path, roads=roads)
    assert city.roads["bridge"].tolist() == [True, False, True, False, False]
    assert city.roads["tunnel"].tolist() == [False, True, False, False, True]
    assert city.roads["layer"].tolist() == [1, -1, 0, 0, -2]
    assert city.roads.dtypes[["bridge", "tunnel", "layer"]].tolist() == [bool, bool, np.int16]


@pytest.mark.parametrize(
    ("column", "values"),
    [
        ("bridge", [1, 0]),
        ("bridge", [1.0, np.nan]),
        ("is_bridge", [True, False]),
        ("是否桥梁", ["是", "不是"]),
        ("bridge", ["T", "F"]),
    ],
)
def test_ways_to_write_yes_and_no(tmp_path, column, values):
    roads = frame([line((0, 10), (50, 10)), line((0, 20), (50, 20))], **{column: values})
    assert loaded(tmp_path, roads=roads).roads["bridge"].tolist() == [True, False]


def test_streets_that_say_nothing_get_no_such_columns(tmp_path):
    city = loaded(tmp_path, roads=frame([line((0, 10), (50, 10))]))
    assert city.roads.columns.tolist() == ["border_class", "name", "geometry"]


def test_one_of_two_street_layers_says(tmp_path):
    frame([line((0, 10), (50, 10))], bridge=["yes"], layer=[1]).to_parquet(tmp_path / "more.parquet")
    sources = write(
        tmp_path,
        buildings=buildings(),
        communities=communities(),
        roads=frame([line((0, 20), (50, 20))]),
    )
    city = load_city([*sources, Source("roads", tmp_path / "more.parquet")])
    assert city.roads["bridge"].tolist() == [False, True]
    assert city.roads["layer"].tolist() == [0, 1]
    assert city.roads["bridge"].dtype == bool


def test_a_layer_column_of_names_is_at_grade(tmp_path):
    city = loaded(tmp_path, roads=frame([line((0, 10), (50, 10))], layer=["道路中心线"]))
    assert city.roads["layer"].tolist() == [0]
    (finding,) = by_code(city.findings, "level-not-a-number")
    assert (finding.severity, finding.count) == ("info", 1)


def test_the_network_reads_bridges_and_levels(tmp_path):
    """Five streets cross one along x = 25: those on another level do not meet it."""
    across = [line((0, y), (50, y)) for y in (10, 20, 30, 40, 50)]
    roads = frame(
        [*across, line((25, 0), (25, 60))],
        bridge=["yes", "no", "no", "no", "no", "no"],
        tunnel=["no", "yes", "no", "no", "no", "no"],
        layer=[None, None, "1", "0", None, None],
    )
    network = network_of(loaded(tmp_path, roads=roads))
    meet = {round(y - ORIGIN[1]) for x, y in network.xy.tolist() if round(x - ORIGIN[0]) == 25}
    assert meet == {0, 40, 50, 60}


def test_a_culvert_stops_nobody(tmp_path):
    brook = frame([line((50, 0), (50, 100)), line((70, 0), (70, 100))], tunnel=["culvert", "no"])
    city = loaded(tmp_path, water=brook, roads=frame([line((0, 10), (100, 10))], fclass=["footway"]))
    assert city.water["tunnel"].tolist() == [True, False]
    assert network_of(city).report.cut_by_barrier == 1


# -- stations ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["建筑面积", "面积(平方米)", "使用面积", "floor_area_m2", "建筑面积㎡"])
def test_floor_area_of_stations(tmp_path, name):
    stations = frame(
        [point(20, 20), point(30, 20), point(120, 20)],
        名称=["一", "二", "三"],
        类别=["服务"] * 3,
        **{name: ["300", "1,200.5 平方米", ""]},
    )
    city = loaded(tmp_path, stations=stations)
    assert city.stations["floor_area_m2"].dtype == np.float64
    assert city.stations["floor_area_m2"].tolist()[:2] == [300.0, 1200.5]
    assert np.isnan(city.stations["floor_area_m2"][2])
    coverage = ServiceModel.build(city, walk=False).coverage(method="circle")
    supply = community_supply(coverage, city.stations, city.communities)
    assert supply.floor_area_m2.tolist() == [1500.5, 0.0]


def test_floor_area_that_is_no_number_is_told(tmp_path):
    stations = frame([point(20, 20)] * 3, 名称=list("一二三"), 面积=["约300", -5, 80])
    shown, findings = load_stations(write(tmp_path, stations=stations.astype({"面积": str})))
    assert np.isnan(shown["floor_area_m2"].to_numpy()[:2]).all()
    (finding,) = by_code(findings, "floor-area-not-a-number")
    assert finding.rows == (1, 2)


def test_stations_without_floor_area_have_no_such_column(tmp_path):
    city = loaded(tmp_path, stations=frame([point(20, 20)], 名称=["一"]))
    assert "floor_area_m2" not in city.stations
    more = loaded(tmp_path, stations=frame([point(20, 20)], 名称=["一"], 面积=[50]))
    model = ServiceModel.build(more, walk=False).new_station("服务", point(30, 20).coords[0])
    assert model.stations["floor_area_m2"].isna().tolist() == [False, True]


# -- party members -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["党员数", "党员人数", "党员", "party_members"])
def test_party_members_of_buildings_are_counted(tmp_path, name):
    city = loaded(
        tmp_path,
        buildings=buildings(楼栋编号=list(PLACES), 户数=[10] * 6, **{name: [3, 0, None, 5, 2, 1]}),
    )
    assert city.buildings["party_members"].dtype == np.int64
    assert city.buildings["party_members"].tolist() == [3, 0, 0, 5, 2, 1]
    members, findings = count_members(city)
    assert members.sum() == 11
    assert findings == []
    assert [f.count for f in by_code(city.findings, "party-members-empty")] == [1]


@pytest.mark.parametrize("values", [None, [None] * 6, ["张某"] * 6])
def test_party_members_are_estimated_only_where_none_are_counted(tmp_path, values):
    columns = {} if values is None else {"党员": values}
    city = loaded(tmp_path, buildings=buildings(楼栋编号=list(PLACES), 户数=[100] * 6, **columns))
    assert "party_members" not in city.buildings
    members, findings = count_members(city)
    assert members.sum() == 54
    assert [f.code for f in findings] == ["party-members-estimated"]
    told = by_code(city.findings, "party-members-not-a-number")
    assert len(told) == (values is not None and values[0] is not None)
    assert not any("张" in f.zh + f.en for f in city.findings)


def test_party_members_of_doors_are_summed_by_building(tmp_path):
    doors = pd.DataFrame(
        {
            "楼栋编号": ["b1", "b1", "b2", "b2"],
            "单元": ["1", "2", "1", "2"],
            "户数": [5, 5, 8, 8],
            "党员数": [2, 3, None, 1],
        }
    )
    city = loaded(tmp_path, buildings=buildings(楼栋编号=list(PLACES)), households=doors)
    assert city.buildings["party_members"].tolist() == [5, 1, 0, 0, 0, 0]


def test_party_members_of_located_households(tmp_path):
    homes = frame(
        [point(15, 15), point(15, 15), point(120, 15)],
        户数=[10, 20, 30],
        党员数=[1, 2, 4],
        楼栋编号=["a", "a", "b"],
    )
    city = load_city(write(tmp_path, households=homes, communities=communities()))
    assert city.buildings["party_members"].tolist() == [3, 4]


def test_a_column_of_members_names_is_never_read(tmp_path):
    city = loaded(
        tmp_path,
        buildings=buildings(
            楼栋编号=list(PLACES), 户数=[1] * 6, 党员姓名=["张某"] * 6, 政治面貌=list("xxxxxx")
        ),
    )
    assert "party_members" not in city.buildings
    (finding,) = by_code(city.findings, "personal-columns-dropped")
    assert set(finding.ids) == {"党员姓名", "政治面貌"}


# -- workers -----------------------------------------------------------------------------------------------------


def test_places_of_work_without_households_stay(tmp_path):
    frame(
        [area(60, 30, 95, 60), square(150, 50)],
        名称=["产业园", "大厦"],
        用途=["工业", "办公"],
        从业人数=["1,200人", 350],
    ).astype({"从业人数": str}).to_parquet(tmp_path / "work.parquet")
    sources = write(tmp_path, buildings=buildings(), communities=communities())
    city = load_city([*sources, Source("buildings", tmp_path / "work.parquet")])
    work = city.buildings[city.buildings["workers"] > 0]
    assert work["workers"].tolist() == [1200, 350]
    assert work["households"].tolist() == [0, 0]
    assert sorted(work["community"]) == [0, 1]
    assert work["use"].tolist() == ["工业", "办公"]
    assert city.households_in == 210
    assert city.buildings["households"].sum() == 210


def test_workers_are_a_second_demand(tmp_path):
    homes = buildings(楼栋编号=list(PLACES), 户数=[10, 0, 0, 0, 0, 0], 从业人数=[0, 100, 0, 50, 0, 0])
    stations = frame([point(20, 20)], 名称=["一"], 类别=["服务"])
    city = loaded(tmp_path, buildings=homes, stations=stations)
    coverage = ServiceModel.build(city, walk=False).coverage(method="circle", minutes=1, speed=50)
    assert coverage.covered_workers.tolist() == [100]
