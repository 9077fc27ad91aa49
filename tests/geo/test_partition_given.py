"""What a caller fixes is kept, or refused by name: frozen grids, pinned units, numbers of grids, an old plan."""

from __future__ import annotations

import numpy as np
import pytest
from graphs import lattice, town
from hypothesis import given, settings
from hypothesis import strategies as st

from geo.adjacency import components
from geo.errors import CancelledError, InfeasibleError
from geo.partition import Weights, partition, score
from geo.standards import load_standard

FINE = load_standard("fine-250")


def whole(units, label):
    """Every grid is one piece of one community."""
    assert score(units, label, FINE).disconnected == 0
    pairs = np.unique(np.column_stack([label, units.community]), axis=0)
    assert len(pairs) == len(np.unique(label))


def same_grids(label, before, rows):
    """Two of these units share a grid exactly when they did before."""
    pairs = np.unique(np.column_stack([before[rows], label[rows]]), axis=0)
    return len(pairs) == len(np.unique(before[rows])) == len(np.unique(label[rows]))


@st.composite
def requests(draw):
    """A random town of one or two communities, any division of it, and any locks."""
    rows, columns = draw(st.integers(1, 5)), draw(st.integers(2, 6))
    n = rows * columns
    loads = draw(st.lists(st.sampled_from([0, 0, 3, 40, 90, 150, 260, 500]), min_size=n, max_size=n))
    units = lattice(rows, columns, np.array(loads))
    if draw(st.booleans()):
        units.community[:] = np.arange(n) % columns >= columns // 2
    grids = draw(st.integers(1, 5))
    start = np.array(draw(st.lists(st.integers(-1, grids), min_size=n, max_size=n)))
    flags = st.lists(st.booleans(), min_size=n, max_size=n)
    pinned = np.array(draw(flags)) & np.array(draw(flags)) if draw(st.booleans()) else np.zeros(n, bool)
    ice = draw(st.sets(st.integers(0, grids), max_size=2))
    return units, start, pinned, np.isin(start, sorted(ice))


@settings(max_examples=150, deadline=None)
@given(requests(), st.integers(0, 3))
def test_any_locks_are_kept_or_refused_by_name(request_, seed):
    units, start, pinned, frozen = request_
    refusal = None
    try:
        found = partition(units, FINE, seed=seed, effort=0.02, start=start, pinned=pinned, frozen=frozen)
    except InfeasibleError as error:
        refusal = error
    if refusal is not None:
        assert refusal.where["community"] in {0, 1}
        assert refusal.zh
        assert str(refusal.where["community"] + 1) in refusal.en
        return
    label = found.grid_of_unit
    assert (label >= 0).all()
    assert np.bincount(label, minlength=found.n_grids).min() > 0
    assert found.households.sum() == units.households.sum()
    assert same_grids(label, start, pinned | frozen)
    for grid in np.unique(start[frozen]):
        assert (np.flatnonzero(label == label[start == grid][0]) == np.flatnonzero(start == grid)).all()
    # Frozen grids come out as they are, in pieces if they were; all others are whole.
    others = np.where(frozen, -1, label)
    pieces = components(units.graph, others.astype(np.int32))
    assert len(np.unique(pieces[~frozen])) == len(np.unique(label[~frozen]))


def test_frozen_in_part_is_refused():
    units = lattice(2, 4, np.full(8, 100))
    start = np.repeat([0, 1], 4)
    with pytest.raises(InfeasibleError) as refusal:
        partition(units, FINE, start=start, frozen=np.arange(8) < 2)
    assert refusal.value.code == "frozen-in-part"


def test_locks_need_a_division():
    units = lattice(2, 4, np.full(8, 100))
    with pytest.raises(InfeasibleError) as refusal:
        partition(units, FINE, pinned=np.arange(8) < 2)
    assert refusal.value.code == "start-missing"


def test_a_grid_pinned_in_two_communities_is_refused():
    units = lattice(2, 4, np.full(8, 100))
    units.community[4:] = 1
    with pytest.raises(InfeasibleError) as refusal:
        partition(units, FINE, start=np.zeros(8, int), pinned=np.ones(8, bool))
    assert refusal.value.code == "start-across-communities"


def test_pins_that_nothing_connects_are_refused():
    units = lattice(1, 3, np.array([100, 100, 100]))
    with pytest.raises(InfeasibleError) as refusal:
        partition(units, FINE, start=np.array([0, 1, 0]), pinned=np.ones(3, bool))
    assert refusal.value.code == "pinned-apart"
    assert "1" in refusal.value.en


def test_pins_are_connected_through_free_units():
    units = lattice(2, 3, np.full(6, 100))
    start = np.array([0, 1, 0, 1, 1, 1])
    pinned = np.array([True, True, True, False, False, False])
    label = partition(units, FINE, start=start, pinned=pinned).grid_of_unit
    assert label[0] == label[2] != label[1]
    whole(units, label)


@pytest.mark.parametrize("count", [1, 3, 7])
def test_the_number_of_grids_is_kept(count):
    units = lattice(4, 6, np.full(24, 60))
    found = partition(units, FINE, counts={0: count}, effort="fast")
    assert found.n_grids == count
    whole(units, found.grid_of_unit)
    assert partition(units, FINE, counts={0: count}, start=np.arange(24) % 5, effort="fast").n_grids == count


@pytest.mark.parametrize("count", [0, 25])
def test_an_impossible_number_of_grids_is_refused(count):
    with pytest.raises(InfeasibleError) as refusal:
        partition(lattice(4, 6, np.full(24, 60)), FINE, counts={0: count})
    assert refusal.value.code == "grids-count"


def test_pins_against_the_number_of_grids_are_refused():
    units = lattice(1, 4, np.full(4, 100))
    with pytest.raises(InfeasibleError) as refusal:
        partition(units, FINE, start=np.array([0, 0, 1, 1]), pinned=np.ones(4, bool), counts={0: 1})
    assert refusal.value.code == "pinned-count"


def test_moving_less_moves_less():
    units = town(2, 90, seed=3)
    old = partition(units, FINE, seed=5, effort="fast").grid_of_unit
    smaller = FINE.with_(target=200)

    def moved(weights):
        new = partition(units, smaller, seed=1, effort="fast", start=old, weights=weights).grid_of_unit
        whole(units, new)
        table = np.zeros((old.max() + 1, new.max() + 1))
        np.add.at(table, (old, new), units.households)
        return table.sum() - table.max(axis=0).sum()

    assert moved(Weights(moved=400.0)) < moved(Weights())


def test_workers_and_restarts_change_nothing_with_locks():
    from concurrent.futures import ProcessPoolExecutor
    from multiprocessing import get_context

    units = town(3, 60, seed=1)
    first = partition(units, FINE, seed=2, effort="fast").grid_of_unit
    frozen = first == first[0]
    alone = partition(units, FINE, seed=3, effort="fast", start=first, frozen=frozen)
    with ProcessPoolExecutor(2, mp_context=get_context("forkserver")) as pool:
        shared = partition(units, FINE, seed=3, effort="fast", start=first, frozen=frozen, executor=pool)
    assert (alone.grid_of_unit == shared.grid_of_unit).all()


def test_what_was_found_is_kept_on_cancel():
    units = town(4, 90, seed=2)
    calls = []

    def cancelled():
        calls.append(None)
        return len(calls) > 60

    kept = partition(units, FINE, seed=1, on_cancel="keep", cancelled=cancelled)
    whole(units, kept.grid_of_unit)
    assert kept.households.sum() == units.households.sum()
    full = partition(units, FINE, seed=1)
    fast = partition(units, FINE, seed=1, effort="fast")
    assert (kept.grid_of_unit != full.grid_of_unit).any()
    assert (kept.grid_of_unit != fast.grid_of_unit).any()
    # Not cancelled, it changes nothing.
    assert (partition(units, FINE, seed=1, on_cancel="keep").grid_of_unit == full.grid_of_unit).all()
    with pytest.raises(CancelledError):
        partition(units, FINE, seed=1, cancelled=lambda: True)


def test_pins_parted_by_frozen_grids_are_refused():
    units = lattice(3, 4, np.full(12, 50))
    start = np.where(np.isin(np.arange(12), [1, 6]), 3, 0)
    with pytest.raises(InfeasibleError) as refusal:
        partition(units, FINE, start=start, pinned=start == 3, frozen=start == 0)
    assert refusal.value.code == "pinned-apart"
