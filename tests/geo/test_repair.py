"""Repair and locks: policy — drawn lattices with known answers, and what must hold for any torn division."""

from __future__ import annotations

import numpy as np
import pytest
from graphs import lattice, town
from hypothesis import example, given, settings
from hypothesis import strategies as st

from geo.adjacency import components
from geo.errors import InfeasibleError
from geo.locks import Locks, lock, no_locks
from geo.repair import repair
from geo.standards import load_standard

STANDARD = load_standard("fine-250")


def drawn(text):
    """Labels from a drawing, one character a unit."""
    return np.array([int(c) for line in text.split() for c in line])


def pinned(units, *rows):
    held = np.zeros(units.n, bool)
    held[list(rows)] = True
    return Locks(np.zeros(units.n, bool), held)


def test_a_whole_division_stays():
    units = lattice(2, 4, [10] * 8)
    label = drawn("0011 0011")
    found = repair(units, label, STANDARD)
    assert found.grid_of_unit.tolist() == label.tolist()
    assert found.households == 0
    assert not len(found.changed)


def test_the_light_piece_joins_its_neighbour():
    units = lattice(1, 6, [50, 50, 60, 60, 9, 60])
    found = repair(units, drawn("001101"), STANDARD)
    assert found.grid_of_unit.tolist() == [0, 0, 1, 1, 1, 1]
    assert found.changed.tolist() == [4]
    assert found.households == 9


def test_a_cheap_bridge_beats_moving_a_heavy_piece():
    # Grid 0 lies left and right of grid 1; the lower middle unit is light, and grid 1 can spare it.
    units = lattice(2, 3, [90, 80, 90, 10, 3, 10])
    found = repair(units, drawn("010 010"), STANDARD)
    assert found.grid_of_unit.tolist() == [0, 1, 0, 0, 0, 0]
    assert found.households == 3


def test_a_bridge_never_empties_or_breaks_another_grid():
    # Taking the middle unit would leave grid 1 without any: the lighter end moves instead.
    found = repair(lattice(1, 3, [90, 3, 80]), drawn("010"), STANDARD)
    assert found.grid_of_unit.tolist() == [0, 1, 1]
    # Taking the middle row would cut grid 1 in two.
    units = lattice(3, 3, [40, 60, 40, 40, 2, 40, 40, 60, 40])
    mended = repair(units, drawn("010 010 010"), STANDARD).grid_of_unit
    assert connected(units, mended)


def test_a_piece_prefers_a_neighbour_with_room():
    units = lattice(3, 1, [290, 30, 200])
    tail = lattice(4, 1, [290, 30, 200, 100])
    assert repair(units, np.array([0, 1, 2]), STANDARD).households == 0
    found = repair(tail, np.array([0, 3, 2, 3]), STANDARD)
    assert found.grid_of_unit.tolist() == [0, 2, 2, 3]


def test_a_grid_in_two_communities_is_divided_at_the_border():
    units = lattice(1, 4, [10, 30, 20, 40], community=[0, 0, 1, 1])
    found = repair(units, np.array([0, 5, 5, 7]), STANDARD)
    assert found.grid_of_unit.tolist() == [0, 5, 7, 7]
    alone = repair(units, np.array([5, 5, 5, 5]), STANDARD)
    assert alone.grid_of_unit.tolist() == [6, 6, 5, 5]


def test_locked_grids_are_neither_mended_nor_joined():
    units = lattice(1, 6, [50, 50, 60, 60, 9, 60])
    label = drawn("001101")
    found = repair(units, label, STANDARD, locks=lock(units, label, grids=[0]))
    assert found.grid_of_unit.tolist() == [*label.tolist()[:5], 2]
    assert (found.grid_of_unit[label == 0] == 0).all()


def test_pinned_units_keep_their_grid_and_are_linked():
    units = lattice(2, 4, [50, 10, 10, 9, 50, 80, 80, 70])
    label = drawn("0110 0110")
    found = repair(units, label, STANDARD, locks=pinned(units, 3))
    assert found.grid_of_unit[3] == 0
    assert connected(units, found.grid_of_unit)


def test_pinned_pieces_that_nothing_can_link_are_refused():
    units = lattice(1, 3, [50, 10, 40])
    with pytest.raises(InfeasibleError) as caught:
        repair(units, drawn("010"), STANDARD, locks=pinned(units, 0, 1, 2))
    assert caught.value.code == "repair-locked"
    assert caught.value.where["community"] == 0


def test_locks_name_grids_and_units():
    units = lattice(1, 4, [1, 1, 1, 1])
    held = lock(units, np.array([3, 3, 8, 8]), grids=[8, 99], pinned=np.array([True, False, True, False]))
    assert held.frozen.tolist() == [False, False, True, True]
    assert held.pinned.tolist() == [True, False, False, False]
    assert held.held.tolist() == [True, False, True, True]
    assert not no_locks(units).held.any()


def connected(units, label):
    """Tell whether every label is one piece in one community."""
    pairs = np.unique(np.column_stack([label, units.community]), axis=0)
    piece = components(units.graph, np.asarray(label, np.int32))
    pieces = np.unique(np.column_stack([label, piece]), axis=0)
    return len(pairs) == len(np.unique(label)) == len(pieces)


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 10_000), st.integers(2, 9), st.booleans())
@example(seed=0, k=8, blocky=True)
@example(seed=782, k=8, blocky=True)
def test_any_division_is_mended_for_no_more_than_its_smaller_pieces(seed, k, blocky):
    units = town(2, 30, seed=seed % 7)
    rng = np.random.default_rng(seed)
    label = rng.integers(0, k, units.n)
    if blocky:
        label = np.sort(label)
    found = repair(units, label, STANDARD)
    assert connected(units, found.grid_of_unit)
    key = np.unique(np.column_stack([label, units.community]), axis=0, return_inverse=True)[1].ravel()
    piece = components(units.graph, key.astype(np.int32))
    homes = np.bincount(piece, weights=units.households)
    grid = np.zeros(len(homes), int)
    grid[piece] = label
    most = sum(homes[grid == g].sum() - homes[grid == g].max() for g in np.unique(grid))
    assert found.households <= most
    assert found.changed.tolist() == np.flatnonzero(found.grid_of_unit != label).tolist()
    assert found.households == units.households[found.changed].sum()


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 10_000), st.integers(3, 6))
def test_frozen_grids_never_change(seed, k):
    units = town(1, 40, seed=seed % 5)
    rng = np.random.default_rng(seed)
    label = rng.integers(0, k, units.n)
    held = lock(units, label, grids=[0])
    found = repair(units, label, STANDARD, locks=held).grid_of_unit
    assert ((found == 0) == (label == 0)).all()
    rest = found != 0
    piece = components(units.graph, np.where(rest, found, -1).astype(np.int32))
    assert len(np.unique(piece[rest])) == len(np.unique(found[rest]))
