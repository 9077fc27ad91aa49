"""Policy: what a building is for, who works there and how much work it makes come in under their usual names."""

from __future__ import annotations

import numpy as np
import pytest
from intake_files import PLACES, buildings, communities, write

from geo.intake import load_city
from geo.schema import dedicated_use

IDS = list(PLACES)


def load(tmp_path, **columns):
    frame = buildings(楼栋编号=IDS, 户数=[10, 0, 0, 40, 50, 60], **columns)
    return load_city(write(tmp_path, buildings=frame, communities=communities()))


def codes(city):
    return [f.code for f in city.findings]


def test_a_layer_that_says_nothing_has_neutral_values(tmp_path):
    homes = load(tmp_path).buildings
    assert homes["use"].tolist() == [""] * 6
    assert homes["workers"].tolist() == [0] * 6
    assert homes["workers"].dtype == np.int64
    assert homes["workload"].tolist() == [1.0] * 6


@pytest.mark.parametrize(
    "names", [("用途", "从业人数", "工作量系数"), ("use", "workers", "workload"), ("JZYT", "CYRS", "GZLXS")]
)
def test_use_workers_and_workload(tmp_path, names):
    use, workers, workload = names
    city = load(
        tmp_path,
        **{
            use: ["住宅", "学校", None, "商业", "", "住宅"],
            workers: ["", "120人", None, "8", "0", "3"],
            workload: ["1", None, "1.5", "0.8", "", "2"],
        },
    )
    homes = city.buildings
    assert homes["use"].tolist() == ["住宅", "学校", "", "商业", "", "住宅"]
    assert homes["workers"].tolist() == [0, 120, 0, 8, 0, 3]
    assert homes["workload"].tolist() == [1.0, 1.0, 1.5, 0.8, 1.0, 2.0]
    assert not {"workers-not-a-number", "workload-not-a-number"} & set(codes(city))


def test_numbers_that_cannot_be_used_are_told(tmp_path):
    city = load(
        tmp_path, 从业人数=["许多", "-5", "10", "", "", ""], 工作量系数=["1", "1", "高", "-1", "1", "1"]
    )
    assert city.buildings["workers"].tolist() == [0, 0, 10, 0, 0, 0]
    assert city.buildings["workload"].tolist() == [1.0] * 6
    found = {f.code: f for f in city.findings}
    assert found["workers-not-a-number"].rows == (1, 2)
    assert found["workload-not-a-number"].rows == (3, 4)
    assert "从业人数" in found["workers-not-a-number"].zh


def test_a_type_of_building_stands_in_for_its_use(tmp_path):
    assert load(tmp_path, 建筑类型=["学校"] * 6).buildings["use"].tolist() == ["学校"] * 6
    both = load(tmp_path, 小区类型=["老旧小区"] * 6, 用途=["", "医院", "", "", "", ""])
    assert both.buildings["use"].tolist() == ["老旧小区", "医院", *["老旧小区"] * 4]


def test_a_column_can_be_named_by_hand(tmp_path):
    frame = buildings(楼栋编号=IDS, 户数=[1] * 6, 备注=["机关"] * 6)
    sources = write(tmp_path, buildings=frame, communities=communities())
    city = load_city(sources, columns={"buildings.use": "备注"})
    assert city.buildings["use"].tolist() == ["机关"] * 6


@pytest.mark.parametrize(
    ("kind", "use"),
    [
        ("学校", "institution"),
        ("第一人民医院", "institution"),
        ("行政办公", "institution"),
        ("驻区单位", "institution"),
        ("University", "institution"),
        ("高新产业园区", "park"),
        ("工业", "park"),
        ("warehouse", "park"),
        ("商业", "business"),
        ("写字楼", "business"),
        ("Retail", "business"),
        ("商业住宅", None),
        ("单位宿舍", None),
        ("学校家属院", None),
        ("商品房小区", None),
        ("老旧小区", None),
        ("公园", None),
        ("", None),
    ],
)
def test_what_a_kind_speaks_of(kind, use):
    assert dedicated_use(kind) == use
