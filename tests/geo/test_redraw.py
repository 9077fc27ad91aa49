"""Warm starts: policy — small towns and lattices; whatever the engine finds, locks hold and grids are connected."""

from __future__ import annotations

from dataclasses import replace

import geopandas as gpd
import numpy as np
import pytest
import shapely
from cities import CORNER, METRIC, box, make_city, tiny_city
from graphs import lattice, town
from hypothesis import given, settings
from hypothesis import strategies as st

from geo.cells import build_tiling
from geo.drawn import drawn_partition, ordered, take_units
from geo.errors import InfeasibleError, LayerError
from geo.locks import Locks, lock, units_in_area
from geo.old_grids import map_old_grids
from geo.partition import partition, score
from geo.redraw import fill_gaps, first_draft, keep_numbers, moved_households, rebalance, redraw
from geo.repair import repair
from geo.search import Search
from geo.standards import load_standard
from geo.units import build_units

STANDARD = load_standard("fine-250")
FAST = Search(seed=1, effort="fast")


@pytest.fixture(scope="module")
def planned():
    units = town(3, 90, seed=2)
    return units, partition(units, STANDARD, seed=1, effort="fast").grid_of_unit


def assert_division(units, label):
    """Every grid is connected and in one community."""
    figures = score(units, label, STANDARD)
    assert figures.disconnected == 0
    pairs = np.unique(np.column_stack([label, units.community]), axis=0)
    assert len(pairs) == len(np.unique(label))


def test_rebalance_leaves_every_other_grid_alone(planned):
    units, label = planned
    rows = units.community == 1
    chosen = np.unique(label[rows]).tolist()
    # Neighbours two by two give all they have to one of them, but for a single unit.
    torn = label.copy()
    for grid in chosen[::2]:
        near = label[units.graph.neighbor[units.graph.focal == np.flatnonzero(label == grid)[0]]]
        torn[np.flatnonzero(label == grid)[1:]] = next((g for g in near.tolist() if g in chosen), grid)
    torn = repair(units, torn, STANDARD).grid_of_unit
    found = rebalance(units, torn, STANDARD, selection=np.unique(torn[rows]).tolist(), search=FAST)
    assert (found.grid_of_unit[~rows] == torn[~rows]).all()
    assert_division(units, found.grid_of_unit)
    assert set(np.unique(found.grid_of_unit[rows])) == set(np.unique(torn[rows]))
    before, after = (score(units, x, STANDARD).in_band for x in (torn, found.grid_of_unit))
    assert after > before


def test_rebalance_makes_as_many_grids_as_asked(planned):
    units, label = planned
    chosen = np.unique(label[units.community == 0])[:3].tolist()
    rows = np.isin(label, chosen)
    found = rebalance(units, label, STANDARD, selection=chosen, k=4, search=FAST)
    assert len(np.unique(found.grid_of_unit[rows])) == 4
    assert found.grid_of_unit.max() == label.max() + 1
    assert (found.grid_of_unit[~rows] == label[~rows]).all()


def test_rebalance_mends_a_lopsided_pair():
    units = lattice(2, 10, [50] * 20)
    label = np.array(([0] * 8 + [1] * 2) * 2)
    found = rebalance(
        units, label, STANDARD.with_(target=500, min=450, max=550), selection=[0, 1], search=FAST
    )
    assert np.bincount(found.grid_of_unit, weights=units.households).tolist() == [500.0, 500.0]
    assert found.households == units.households[found.changed].sum()


def test_rebalance_respects_locks(planned):
    units, label = planned
    chosen = np.unique(label[units.community == 2]).tolist()
    held = np.zeros(units.n, bool)
    held[np.flatnonzero(np.isin(label, chosen))[::7]] = True
    locks = lock(units, label, grids=chosen[:1], pinned=held)
    found = rebalance(units, label, STANDARD, selection=chosen, locks=locks, search=FAST).grid_of_unit
    assert ((found == chosen[0]) == (label == chosen[0])).all()
    assert (found[locks.held] == label[locks.held]).all()
    assert_division(units, found)


def test_rebalance_refuses_what_makes_no_sense(planned):
    units, label = planned
    with pytest.raises(InfeasibleError) as caught:
        rebalance(units, label, STANDARD, selection=[10_000])
    assert caught.value.code == "rebalance-nothing"
    with pytest.raises(InfeasibleError) as caught:
        rebalance(units, label, STANDARD, selection=np.unique(label).tolist(), k=9)
    assert caught.value.code == "rebalance-communities"


@settings(max_examples=8, deadline=None)
@given(st.integers(0, 1000), st.integers(1, 6))
def test_any_selection_comes_out_connected_and_the_rest_untouched(seed, size):
    units = town(2, 60, seed=seed % 3)
    label = partition(units, STANDARD, seed=seed % 3, effort="fast").grid_of_unit
    rng = np.random.default_rng(seed)
    chosen = rng.choice(np.unique(label), min(size, len(np.unique(label))), replace=False).tolist()
    rows = np.isin(label, chosen)
    found = rebalance(units, label, STANDARD, selection=chosen, search=Search(seed=seed, effort="fast"))
    assert (found.grid_of_unit[~rows] == label[~rows]).all()
    assert set(np.unique(found.grid_of_unit[rows])) == set(chosen)
    assert_division(units, found.grid_of_unit)


def test_numbers_follow_the_households():
    old, new = np.array([5, 5, 7, 7, 7]), np.array([1, 0, 0, 0, 2])
    kept = keep_numbers(old, new, np.array([10, 90, 40, 20, 5]), above=9)
    assert kept.tolist() == [10, 5, 5, 5, 7]


def old_division(units, k, seed=0):
    """About k grids a community of very different sizes, as an old division has."""
    loose = STANDARD.with_(target=620, min=200, max=1200)
    return partition(units, loose, seed=seed, effort="fast").grid_of_unit


def test_a_redraw_moves_fewer_households_than_a_fresh_plan():
    units = town(3, 120, seed=4)
    old = old_division(units, 3)
    fresh = partition(units, STANDARD, seed=1, effort="fast").grid_of_unit
    kept = redraw(units, old, STANDARD, moved_weight=600.0, search=FAST).grid_of_unit
    assert_division(units, kept)
    assert moved_households(units, old, kept) < 0.5 * moved_households(units, old, fresh)
    assert score(units, kept, STANDARD).in_band >= score(units, old, STANDARD).in_band


def test_a_redraw_leaves_locked_grids_as_they_were():
    units = town(2, 80, seed=6)
    old = old_division(units, 3)
    locks = lock(units, old, grids=[0])
    new = redraw(units, old, STANDARD, locks=locks, search=FAST).grid_of_unit
    kept = np.unique(new[old == 0])
    assert len(kept) == 1
    assert ((new == kept[0]) == (old == 0)).all()


def test_the_first_draft_divides_inside_old_borders_and_joins_the_small():
    units = lattice(2, 12, [50] * 24)
    old = np.array(([0] * 7 + [1] * 2 + [2] * 3) * 2)
    none = Locks(np.zeros(24, bool), np.zeros(24, bool))
    standard = STANDARD.with_(target=350, min=250, max=500)
    draft = first_draft(units, old, standard, locks=none, search=FAST)
    # 700 become two of 350 inside; 200 are too few and join the 300 of their neighbour.
    assert len(np.unique(draft[old == 0])) == 2
    assert len(np.unique(draft[old > 0])) == 1
    assert moved_households(units, old, draft) == 200


def test_units_of_no_old_grid_go_to_their_longest_neighbour():
    units = lattice(1, 6, [1] * 6, community=[0, 0, 0, 0, 1, 1])
    assert fill_gaps(units, np.array([4, -1, -1, 9, -1, -1])).tolist() == [4, 4, 9, 9, 10, 10]


def test_moved_households_count_from_the_main_origin():
    units = lattice(1, 5, [10, 20, 30, 40, 50])
    assert moved_households(units, np.array([0, 0, 1, 1, -1]), np.array([0, 0, 0, 1, 1])) == 30
    assert moved_households(units, np.array([-1] * 5), np.array([0] * 5)) == 0


def test_some_units_are_a_city_of_their_own(planned):
    units, _ = planned
    rows = np.flatnonzero(units.community == 1)
    taken = take_units(units, rows)
    assert taken.households.tolist() == units.households[rows].tolist()
    around = np.bincount(units.graph.focal, weights=units.graph.length_m) + units.graph.outer_m
    inside = (
        np.bincount(taken.graph.focal, weights=taken.graph.length_m, minlength=taken.n) + taken.graph.outer_m
    )
    assert inside == pytest.approx(around[rows])
    assert (taken.of_cell[rows] == np.arange(len(rows))).all()
    assert (np.delete(taken.of_cell, rows) == -1).all()


def test_any_labels_become_a_partition():
    units = lattice(1, 4, [250, 250, 20, 10], community=[1, 0, 0, 0])
    parts = drawn_partition(units, STANDARD, np.array([3, 9, 9, 5]))
    assert parts.grid_of_unit.tolist() == ordered(units, np.array([3, 9, 9, 5])).tolist() == [2, 0, 0, 1]
    assert parts.community.tolist() == [0, 0, 1]
    assert parts.households.tolist() == [270, 10, 250]
    assert [r.code if r else "" for r in parts.reasons] == ["", "not-searched", ""]
    assert [s.in_band for s in parts.communities] == [1, 1]


def with_old(city, shapes):
    shapes = [shapely.transform(shape, lambda xy: xy + np.array(CORNER)) for shape in shapes]
    old = gpd.GeoDataFrame(
        {"grid_code": [f"G{k}" for k in range(len(shapes))], "name": ""}, geometry=shapes, crs=METRIC
    )
    return replace(city, old_grids=old)


def mapped(city):
    tiling = build_tiling(city)
    units = build_units(city, tiling, max_households=400)
    return map_old_grids(city, tiling, units), tiling, units


def test_old_grids_are_brought_to_units_by_households():
    # The border x = 300 runs through the compound of two buildings of 60: the first in the layer wins the tie.
    city = with_old(tiny_city(), [box(0, 0, 300, 200), box(300, 0, 100, 200)])
    old, _, units = mapped(city)
    whole = np.flatnonzero(units.compound == 0)
    assert len(whole) == 1
    assert old.of_unit[whole[0]] == 0
    codes = {f.code: f for f in old.findings}
    assert codes["unit-cut-by-old-grid"].households == 60
    assert codes["old-grid-across-communities"].ids == ("G0",)
    assert old.of_building.tolist() == [0, 0, 0, 0, 0, 0, 0, 1, 1]


def test_mismatches_of_old_grids_are_findings():
    shapes = [box(0, 0, 200, 100), box(150, 0, 60, 100), box(0, 110, 90, 80), box(900, 900, 5, 5)]
    old, _, _ = mapped(with_old(tiny_city(), shapes))
    codes = {f.code: f for f in old.findings}
    assert codes["building-outside-old-grids"].count == 4
    assert codes["building-outside-old-grids"].households == 30 + 24 + 60 + 60
    assert "G3" in codes["old-grid-without-units"].ids
    overlapping = with_old(tiny_city(), [box(0, 0, 400, 200), box(0, 0, 400, 200)])
    codes = {f.code: f for f in mapped(overlapping)[0].findings}
    assert codes["old-grids-overlap"].count == 9
    assert codes["old-grid-without-units"].ids == ("G1",)


def test_old_grids_must_exist_and_lie_here():
    with pytest.raises(LayerError) as caught:
        mapped(tiny_city())
    assert caught.value.code == "old-grids-missing"
    with pytest.raises(LayerError) as caught:
        mapped(with_old(tiny_city(), [box(90_000, 0, 10, 10)]))
    assert caught.value.code == "old-grids-elsewhere"


def test_an_area_locks_the_units_in_it():
    city = make_city([box(0, 0, 400, 100)], [box(20 + 90 * k, 40, 20, 20) for k in range(4)])
    tiling = build_tiling(city)
    units = build_units(city, tiling, max_households=400)
    west = shapely.transform(box(0, 0, 200, 100), lambda xy: xy + np.array(CORNER))
    found = units_in_area(city, tiling, units, west)
    home = units.of_cell[tiling.building_cell]
    assert found[home].tolist() == [True, True, False, False]
