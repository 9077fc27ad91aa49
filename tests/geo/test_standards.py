"""Policy: every shipped preset is loaded; every contradiction is named in both languages."""

from __future__ import annotations

from dataclasses import fields, replace

import pytest

from geo import standards
from geo.errors import StandardError
from geo.standards import Standard, TypeRule, list_standards, load_standard
from geo.types import BorderClass


def test_the_source_documents_fine_grid():
    fine = load_standard("fine-250")
    assert (fine.target, fine.min, fine.max, fine.hard_max) == (250, 200, 300, 400)
    assert fine.measure == "households"
    assert fine.whole_limit == 400


def test_every_preset_says_where_its_numbers_come_from():
    presets = list_standards()
    assert {s.id for s in presets} >= {
        "fine-250",
        "standard-300-500",
        "type-range",
        "three-level",
        "three-level:micro-grid",
        "compound-unit-138",
        "type-rule-634",
        "base-and-dedicated",
    }
    assert all(s.evidence and s.name_zh and s.name_en for s in presets)
    assert [s.id for s in presets] == sorted(s.id for s in presets)


def test_a_nested_standard_offers_its_lower_level():
    area = load_standard("three-level")
    assert area.sublevels == (load_standard("three-level:micro-grid"),)
    assert area.sublevels[0].max < area.min


def test_rules_per_compound_type_are_kept():
    rules = {r.compound_type: r for r in load_standard("type-rule-634").rules}
    assert rules["成熟小区"].measure == "persons"
    assert rules["成熟小区"].one_compound_per_grid
    assert rules["散居楼院"].target == 600


def test_a_rule_is_found_by_any_of_its_names_and_only_with_numbers():
    standard = load_standard("type-rule-634")
    assert standard.rule_for("成熟小区") is standard.rule_for("商品房小区")
    assert standard.rule_for("散居楼院").target == 600
    assert standard.rule_for("老旧小区") is None
    assert standard.rule_for("") is None


def test_rules_that_count_the_same_move_with_the_target():
    smaller = load_standard("type-rule-634").with_(target=300)
    assert (smaller.rule_for("散居楼院").target, smaller.rule_for("散居楼院").max) == (300, 360)
    assert smaller.rule_for("成熟小区").target == 3000


@pytest.mark.parametrize(
    "numbers",
    [{"target": 0}, {"target": 100, "min": 200}, {"target": 100, "max": 90}, {"measure": "area"}],
)
def test_a_rule_that_contradicts_itself_is_refused(numbers):
    rule = TypeRule(**{"compound_type": "甲", "measure": "persons"} | numbers)
    with pytest.raises(StandardError) as caught:
        replace(load_standard("fine-250"), rules=(rule,))
    assert caught.value.code == "standard-rule"
    assert "甲" in caught.value.zh


def test_dedicated_grids_and_barriers_are_read():
    standard = load_standard("base-and-dedicated")
    assert standard.dedicated == ("institution", "park", "business")
    assert standard.dedicated_min_area_m2 > 0
    assert standard.hard_barriers == (BorderClass.RAILWAY,)
    assert load_standard("fine-250").hard_barriers == ()
    assert load_standard("fine-250").release == "never"


@pytest.mark.parametrize(
    "words",
    [
        {"dedicated": ("zoo",)},
        {"barriers": {"motorway": "hard"}},
        {"barriers": {"water": "firm"}},
        {"barriers": {"interior": "hard"}},
        {"release": "always"},
    ],
)
def test_unknown_words_are_refused(words):
    with pytest.raises(StandardError) as caught:
        replace(load_standard("fine-250"), **words)
    assert caught.value.code == "standard-value"


def test_lower_levels_take_over_the_barriers(tmp_path, monkeypatch):
    text = (standards.STANDARDS_DIR / "three-level.toml").read_text(encoding="utf-8")
    own = text.replace("[[sublevels]]", '[barriers]\nwater = "hard"\n\n[[sublevels]]', 1)
    (tmp_path / "three-level.toml").write_text(own, encoding="utf-8")
    monkeypatch.setattr(standards, "STANDARDS_DIR", tmp_path)
    assert load_standard("three-level:micro-grid").hard_barriers == (BorderClass.WATER,)


def test_every_key_is_documented():
    text = (standards.STANDARDS_DIR.parent.parent / "docs" / "standards.md").read_text(encoding="utf-8")
    for field in fields(Standard):
        assert f"`{field.name}`" in text or f"[{field.name}]" in text, field.name
    for field in fields(TypeRule):
        assert ("type" if field.name == "compound_type" else field.name) in text


def test_a_standard_that_never_splits_keeps_any_compound_whole():
    assert load_standard("compound-unit-138").whole_limit == float("inf")
    assert load_standard("three-level:micro-grid").whole_limit == 100


def test_a_new_target_moves_the_band_in_proportion():
    wider = load_standard("fine-250").with_(target=300)
    assert (wider.target, wider.min, wider.max, wider.hard_max) == (300, 240, 360, 480)


def test_given_numbers_win():
    other = load_standard("fine-250").with_(target=300, min=100, max=900)
    assert (other.min, other.max, other.hard_max) == (100, 900, 900)
    assert load_standard("fine-250").with_() == load_standard("fine-250")
    assert load_standard("fine-250").with_(release="blocking").release == "blocking"


@pytest.mark.parametrize(
    "numbers",
    [
        {"min": 260},
        {"max": 240},
        {"target": 0},
        {"target": -5, "min": -6, "max": 3},
        {"min": 0},
        {"max": 500, "hard_max": 450},
        {"target": 250.5},
        {"min": True},
    ],
)
def test_contradicting_numbers_are_refused(numbers):
    with pytest.raises(StandardError) as caught:
        load_standard("fine-250").with_(**numbers)
    assert caught.value.code == "standard-band"
    assert "下限" in caught.value.zh
    assert "min" in caught.value.en


def test_an_unknown_measure_is_refused():
    with pytest.raises(StandardError, match="measure"):
        Standard("x", "甲", "x", "area", 10, 5, 20)


def test_an_unknown_name_lists_the_known_ones():
    with pytest.raises(StandardError, match="fine-250") as caught:
        load_standard("fine-25")
    assert caught.value.code == "standard-unknown"


def test_a_missing_folder_is_one_clear_error(tmp_path, monkeypatch):
    monkeypatch.setattr(standards, "STANDARDS_DIR", tmp_path / "none")
    with pytest.raises(StandardError) as caught:
        list_standards()
    assert caught.value.code == "standard-folder"


@pytest.mark.parametrize("text", ["id = ", 'id = "x"', 'id = "y"\nname_zh = "甲"'])
def test_a_damaged_file_is_named(text, tmp_path, monkeypatch):
    (tmp_path / "x.toml").write_text(text, encoding="utf-8")
    monkeypatch.setattr(standards, "STANDARDS_DIR", tmp_path)
    with pytest.raises(StandardError, match=r"x\.toml") as caught:
        list_standards()
    assert caught.value.code == "standard-file"
