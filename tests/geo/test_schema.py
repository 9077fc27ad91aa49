"""Columns are found under the names planners use; ambiguity and overrides are settled openly."""

from __future__ import annotations

import pytest

from geo.errors import ColumnError
from geo.schema import (
    aliases,
    check_overrides,
    coordinate_system,
    is_personal,
    name_columns,
    pick_columns,
    plain_name,
    road_classes,
)
from geo.types import ROLES, BorderClass


@pytest.mark.parametrize(
    ("written", "plain"),
    [
        (" 户数（户） ", "户数"),
        ("总建筑面积(平方米)", "总建筑面积"),
        ("ＸＱＭＣ", "xqmc"),
        ("Building_ID", "buildingid"),
        ("building id", "buildingid"),
        ("（户数）", "(户数)"),
    ],
)
def test_names_are_compared_plain(written, plain):
    assert plain_name(written) == plain


def test_every_role_has_fields():
    assert set(aliases().fields) == set(ROLES)


@pytest.mark.parametrize(
    "name", ["户数", "总户数", "HS", "total_dwelling_units", "units", "住户数（户）", "Households"]
)
def test_household_columns(name):
    assert pick_columns(["x1", name], "buildings").fields["households"] == name


def test_a_better_alias_wins_and_the_choice_is_told():
    picked = pick_columns(["规划户数", "户数", "总户数"], "buildings")
    assert picked.fields["households"] == "户数"
    (finding,) = picked.findings
    assert finding.code == "column-chosen"
    assert finding.severity == "info"
    assert "规划户数" in finding.zh
    assert "户数" in finding.en


def test_one_column_serves_one_field():
    picked = pick_columns(["id", "name"], "stations")
    assert picked.fields == {"station_id": "id", "name": "name"}


@pytest.mark.parametrize(
    ("cut", "field"), [("常住户", "households"), ("常住人口数", "persons"), ("total_dwel", "households")]
)
def test_names_cut_by_dbf(cut, field):
    assert pick_columns([cut], "buildings", cut_names=True).fields == {field: cut}


def test_short_names_are_not_taken_for_cut_ones():
    assert "households" not in pick_columns(["to"], "buildings", cut_names=True).fields


def test_override_beats_the_guess():
    picked = pick_columns(["户数", "住宅"], "buildings", overrides={"buildings.households": "住宅"})
    assert picked.fields["households"] == "住宅"
    assert picked.findings == ()


def test_override_of_another_role_is_left_alone():
    picked = pick_columns(["户数"], "buildings", overrides={"households.households": "住宅"})
    assert picked.fields["households"] == "户数"


def test_override_of_a_missing_column_lists_the_columns():
    with pytest.raises(ColumnError) as caught:
        pick_columns(["甲", "乙"], "buildings", overrides={"buildings.households": "丙"}, place="a.gpkg")
    assert caught.value.code == "column-not-found"
    assert "甲" in caught.value.zh
    assert "丙" in caught.value.en


@pytest.mark.parametrize("key", ["nonsense", "buildings.colour", "castles.households"])
def test_unknown_override_keys_are_refused(key):
    with pytest.raises(ColumnError) as caught:
        check_overrides({key: "x"})
    assert caught.value.code == "column-override-unknown"


@pytest.mark.parametrize(
    "name", ["姓名", "户主姓名", "身份证号", "联系电话", "手机号码", "业主电话", "出生日期"]
)
def test_personal_columns(name):
    assert is_personal(name)
    assert name not in pick_columns([name], "households").fields.values()


@pytest.mark.parametrize("name", ["户数", "名称", "name", "社区名称", "楼栋编号"])
def test_columns_that_are_not_personal(name):
    assert not is_personal(name)


def test_coordinate_columns_come_in_pairs_of_one_system():
    picked = pick_columns(["百度地图经度", "高德经度", "高德纬度", "百度地图纬度"], "buildings")
    assert picked.coordinates == ("高德经度", "高德纬度", "GCJ-02")
    assert pick_columns(["经度", "高德纬度"], "buildings").coordinates is None
    assert coordinate_system("百度经度") == "BD-09"


def test_names_that_only_look_like_names():
    assert name_columns(["DIST_C", "DIST_NAME", "Shape_Area"]) == ("DIST_C", "DIST_NAME")


@pytest.mark.parametrize(
    ("value", "kind"),
    [
        ("主干道", BorderClass.ARTERIAL),
        ("城市快速路", BorderClass.ARTERIAL),
        ("次干道", BorderClass.STREET),
        ("支路", BorderClass.STREET),
        ("小巷", BorderClass.ALLEY),
        ("Primary", BorderClass.ARTERIAL),
        ("residential", BorderClass.STREET),
        ("footway", BorderClass.ALLEY),
        ("quux", None),
        ("", None),
    ],
)
def test_road_values(value, kind):
    assert road_classes("highway", [value]) == [kind]


def test_a_flag_column_has_its_own_values():
    assert road_classes("MajorRoad", ["1", "2.0", "", "7"]) == [
        BorderClass.ARTERIAL,
        BorderClass.ARTERIAL,
        BorderClass.STREET,
        None,
    ]
