"""Comparing divisions: policy — small divisions written out by hand, sums against brute force at random."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from geo.compare import compare


def of(old, new, households, **options):
    old, new = np.array(old), np.array(new)
    return compare(
        old,
        new,
        np.array(households),
        old_ids=[f"o{k}" for k in range(max(old.max() + 1, 1))],
        new_ids=[f"n{k}" for k in range(max(new.max() + 1, 1))],
        **options,
    )


def test_kinds_of_change():
    # o0 stays; o1 is divided; o2 and o3 are joined; o4 and o5 exchange homes; n6 is new; o6 is pulled down.
    old = [0, 0, 1, 1, 2, 3, 4, 4, 5, 5, -1, 6]
    new = [0, 0, 1, 2, 3, 3, 4, 5, 5, 4, 6, -1]
    found = of(old, new, [10, 5, 8, 7, 6, 9, 12, 4, 11, 3, 20, 30])
    assert found.new["kind"].tolist() == ["kept", "split", "split", "merged", "moved", "moved", "new"]
    assert found.old["kind"].tolist() == ["kept", "split", "merged", "merged", "moved", "moved", "gone"]
    assert found.new["main_origin"].tolist() == ["o0", "o1", "o1", "o3", "o4", "o5", ""]
    assert found.moved == 6 + 3 + 4
    assert found.households == 75
    assert found.new["moved"].tolist() == [0, 0, 0, 6, 3, 4, 0]
    assert found.to_dict()["lineage_of_new"] == {"kept": 1, "split": 2, "merged": 1, "moved": 2, "new": 1}


def test_dividing_moves_nobody_and_joining_moves_the_smaller():
    assert of([0, 0, 0], [0, 1, 2], [5, 6, 7]).moved == 0
    joined = of([0, 1, 2], [0, 0, 0], [5, 6, 7])
    assert joined.moved == 11
    assert joined.new["kind"].tolist() == ["merged"]


def test_a_tie_for_the_main_origin_goes_to_the_first_old_grid():
    found = of([1, 0], [0, 0], [5, 5])
    assert found.new["main_origin"].tolist() == ["o0"]
    assert found.crosswalk["main"].tolist() == [True, False]


def test_a_stray_building_does_not_hide_that_a_grid_was_kept():
    found = of([0] * 40 + [1] * 40, [0] * 39 + [1] * 41, [5] * 80)
    assert found.new["kind"].tolist() == ["kept", "kept"]
    assert found.moved == 5
    assert of([0] * 40 + [1] * 40, [0] * 39 + [1] * 41, [5] * 80, same=1.0).new["kind"].tolist() == [
        "split",
        "moved",
    ]


def test_grids_without_homes_do_not_divide_by_zero():
    found = of([0, 1], [0, 1], [0, 0])
    assert found.moved == 0
    assert found.to_dict()["share_moved"] is None
    assert found.new["kind"].tolist() == ["new", "new"]
    assert found.old["kind"].tolist() == ["gone", "gone"]


def test_lengths_must_agree():
    with pytest.raises(ValueError, match="one value a building"):
        compare(np.zeros(2, int), np.zeros(3, int), np.zeros(2, int), old_ids=["a"], new_ids=["b"])


@settings(max_examples=80, deadline=None)
@given(st.integers(0, 2**32 - 1), st.integers(1, 60), st.integers(1, 9), st.integers(1, 9))
def test_the_crosswalk_adds_up(seed, n, n_old, n_new):
    rng = np.random.default_rng(seed)
    old, new = rng.integers(-1, n_old, n), rng.integers(-1, n_new, n)
    households = rng.choice([0, 1, 24, 100], n)
    found = compare(
        old,
        new,
        households,
        old_ids=[f"o{k}" for k in range(n_old)],
        new_ids=[f"n{k}" for k in range(n_new)],
    )
    table = found.crosswalk
    seen = (old >= 0) | (new >= 0)
    assert table["households"].sum() == households[seen].sum()
    assert table["buildings"].sum() == seen.sum()
    assert not table.duplicated(["old_id", "new_id"]).any()
    by_new = table[table["new_id"] != ""].groupby("new_id")["households"].sum()
    for k in range(n_new):
        assert by_new.get(f"n{k}", 0) == households[new == k].sum()
        assert found.new["households"][k] == households[new == k].sum()
    moved = 0
    for k in range(n_new):
        origins = [households[(new == k) & (old == o)].sum() for o in range(n_old)]
        moved += sum(origins) - max(origins)
        assert found.new["moved"][k] == sum(origins) - max(origins)
    assert found.moved == moved
    assert (table.groupby("new_id")["main"].sum() <= 1).all()
    assert len(found.old) == n_old
    for name in ("share_of_old", "share_of_new"):
        assert table[name].between(0.0, 1.0).all()
