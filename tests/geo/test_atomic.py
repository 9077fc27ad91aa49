"""A file is written whole or not at all."""

from __future__ import annotations

from pathlib import Path

import pytest

from geo.atomic import replacing
from geo.errors import LayerError


def test_all_targets_appear_together(tmp_path: Path) -> None:
    one, two = tmp_path / "a.gpkg", tmp_path / "b.json"
    two.write_text("old")
    with replacing(one, two) as (draft_one, draft_two):
        draft_one.write_text("1")
        draft_two.write_text("2")
        assert not one.exists()
        assert two.read_text() == "old"
    assert (one.read_text(), two.read_text()) == ("1", "2")
    assert sorted(p.name for p in tmp_path.iterdir()) == ["a.gpkg", "b.json"]


def test_a_failure_leaves_no_trace(tmp_path: Path) -> None:
    target = tmp_path / "a.gpkg"
    target.write_text("old")

    def write_half() -> None:
        with replacing(target) as (draft,):
            draft.write_text("half")
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        write_half()
    assert target.read_text() == "old"
    assert [p.name for p in tmp_path.iterdir()] == ["a.gpkg"]


@pytest.mark.parametrize(
    ("target", "code"), [("absent/x.gpkg", "output-folder-missing"), (".", "output-is-folder")]
)
def test_a_bad_target_is_named(tmp_path: Path, target: str, code: str) -> None:
    with pytest.raises(LayerError) as caught, replacing(tmp_path / target):
        pass
    assert caught.value.code == code
