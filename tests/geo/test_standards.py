"""Policy: every shipped preset is loaded; every contradiction is named in both languages."""

from __future__ import annotations

import pytest

from geo import standards
from geo.errors import StandardError
from geo.standards import Standard, list_standards, load_standard


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
