"""Policy: a release is stated with what it gains, pays by at least one grid, and does not depend on the workers."""

from __future__ import annotations

import itertools
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from types import SimpleNamespace

import graphs
import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from geo.errors import CancelledError
from geo.fixed import judge
from geo.partition import partition, released
from geo.partition.release import (
    Figures,
    QuickSearch,
    blocking_compounds,
    refine_units,
    release_gains,
)
from geo.partition.released import release_blocking, release_findings
from geo.standards import load_standard
from geo.units import join_units

FINE = load_standard("fine-250")


def kept_whole(cells, compound):
    """Cells with compounds, and the units in which these are kept whole."""
    cells = replace(cells, compound=np.asarray(compound, np.int32))
    return cells, join_units(cells, cells.compound)


@pytest.fixture(scope="module")
def blocked():
    """A row of eight cells of 70: a compound of five (350) above the maximum and three others (210)."""
    return kept_whole(graphs.lattice(1, 8, [70] * 8), [0, 0, 0, 0, 0, -1, -1, -1])


def outside(units, result, standard=FINE):
    return int((~judge(units, standard, result.grid_of_unit, result.n_grids).in_band).sum())


def test_what_a_release_gains_is_stated(blocked):
    cells, units = blocked
    result = partition(units, FINE)
    assert outside(units, result) == 1
    (gain,) = release_gains(units, cells, result, FINE)
    assert (gain.unit, gain.compound, gain.community, gain.load) == (0, 0, 0, 350)
    assert gain.before == Figures(2, 1, 0)
    assert gain.after.outside == 0
    assert gain.gain == 1
    assert "350" in gain.zh
    assert "from 1 to 0" in gain.en


def test_released_units_bring_the_grids_into_the_band(blocked):
    cells, units = blocked
    result = partition(units, FINE)
    gains = blocking_compounds(units, cells, result, FINE)
    finer = refine_units(units, cells, [gain.unit for gain in gains])
    assert finer.n == 8
    assert finer.households.sum() == units.households.sum()
    assert (finer.released == (finer.compound == 0)).all()
    assert outside(finer, partition(finer, FINE)) == 0


def test_nothing_is_released_where_all_is_well():
    cells, units = kept_whole(graphs.lattice(1, 8, [62] * 8), [0, 0, 0, 0, -1, -1, -1, -1])
    result = partition(units, FINE)
    assert release_gains(units, cells, result, FINE) == []
    assert blocking_compounds(units, cells, result, FINE) == []


def test_nothing_is_released_that_does_not_help():
    # 340 households: two grids are too small, one is too large, however they are cut.
    cells, units = kept_whole(graphs.lattice(1, 4, [85] * 4), [0, 0, 0, 0])
    result = partition(units, FINE)
    (gain,) = release_gains(units, cells, result, FINE)
    assert gain.gain <= 0
    assert blocking_compounds(units, cells, result, FINE) == []


def test_a_compound_beside_the_grid_is_tried_too():
    # The compound of 240 leaves 150 and 100 on either side.
    cells, units = kept_whole(
        graphs.lattice(1, 9, [50, 50, 50, 60, 60, 60, 60, 50, 50]), [-1, -1, -1, 0, 0, 0, 0, -1, -1]
    )
    result = partition(units, FINE)
    assert outside(units, result) > 0
    (gain,) = blocking_compounds(units, cells, result, FINE)
    assert gain.after.outside < gain.before.outside


def connected_town():
    """A town whose compounds are connected: neighbours of a seed."""
    cells = graphs.town(4, 90, seed=4)
    compound = np.full(cells.n, -1)
    rng = np.random.default_rng(2)
    for number, seed in enumerate(rng.permutation(cells.n)[:40].tolist()):
        near = cells.graph.neighbor[cells.graph.indptr[seed] : cells.graph.indptr[seed + 1]]
        group = [seed, *near.tolist()]
        if (compound[group] < 0).all() and len(set(cells.community[group].tolist())) == 1:
            compound[group] = number
    return kept_whole(cells, compound)


@pytest.fixture(scope="module")
def whole_town():
    cells, units = connected_town()
    return cells, units, partition(units, FINE, effort="fast")


def test_releases_pay_and_add_up(whole_town):
    cells, units, result = whole_town
    gains = blocking_compounds(units, cells, result, FINE)
    assert gains
    assert all(g.gain >= 1 for g in gains)
    for _, group in itertools.groupby(gains, key=lambda g: g.community):
        chain = list(group)
        assert all(a.after == b.before for a, b in itertools.pairwise(chain))
    finer = refine_units(units, cells, [g.unit for g in gains])
    assert outside(finer, partition(finer, FINE, effort="fast")) < outside(units, result)


def test_the_best_comes_first(whole_town):
    cells, units, result = whole_town
    gains = [g.gain for g in release_gains(units, cells, result, FINE)]
    assert gains == sorted(gains, reverse=True)


def test_the_whole_release_leaves_fewer_grids_out_of_the_band(whole_town):
    cells, units, result = whole_town
    finer, divided, gains = release_blocking(units, cells, result, FINE, search=QuickSearch(effort="fast"))
    assert gains
    assert outside(finer, divided) < outside(units, result)
    assert [r is not None for r in divided.reasons] == [
        not FINE.min <= h <= FINE.max for h in divided.households
    ]
    touched = {g.community for g in gains}
    for community in set(units.community.tolist()):
        same = finer.community == community
        assert (same.sum() == (units.community == community).sum()) == (community not in touched)


def test_the_result_is_that_of_dividing_the_finer_units_at_once(whole_town):
    cells, units, result = whole_town
    finer, divided, _ = release_blocking(units, cells, result, FINE, search=QuickSearch(effort="fast"))
    whole = partition(finer, FINE, effort="fast")
    assert (divided.grid_of_unit == whole.grid_of_unit).all()
    assert (divided.community == whole.community).all()
    assert (divided.households == whole.households).all()
    assert (divided.persons == whole.persons).all()
    assert divided.communities == whole.communities
    assert divided.reasons == whole.reasons


def test_a_release_that_does_not_help_in_the_end_is_taken_back(blocked, monkeypatch):
    cells, units = blocked
    result = partition(units, FINE)
    monkeypatch.setattr(released, "partition", lambda finer, *_, **__: one_grid_each(finer))
    finer, divided, gains = release_blocking(units, cells, result, FINE)
    assert gains == []
    assert (finer.of_cell == units.of_cell).all()
    assert (divided.grid_of_unit == result.grid_of_unit).all()
    assert divided.reasons == result.reasons


def one_grid_each(units):
    """A division without merit."""
    return SimpleNamespace(
        grid_of_unit=np.arange(units.n, dtype=np.int32), n_grids=units.n, community=units.community
    )


def test_findings_name_the_compound_and_the_reason(blocked):
    cells, units = blocked
    gains = release_gains(units, cells, partition(units, FINE), FINE)
    compounds = pd.DataFrame({"compound_id": ["X7"], "name": ["幸福苑"]})
    (finding,) = release_findings(SimpleNamespace(compounds=compounds), gains)
    assert finding.code == "compound-released"
    assert finding.ids == ("X7",)
    assert "幸福苑" in finding.zh
    assert gains[0].en in finding.en


@pytest.mark.parametrize("work", [release_gains, blocking_compounds])
def test_workers_do_not_change_the_answer(whole_town, work):
    cells, units, result = whole_town
    alone = work(units, cells, result, FINE, search=QuickSearch(3))
    with ThreadPoolExecutor(2) as executor:
        assert work(units, cells, result, FINE, search=QuickSearch(3), executor=executor) == alone


def test_cancel_stops_it(whole_town):
    cells, units, result = whole_town
    calls = itertools.count()
    with pytest.raises(CancelledError):
        release_gains(units, cells, result, FINE, cancelled=lambda: next(calls) >= 1)


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    st.lists(st.integers(-1, 5), min_size=12, max_size=12),
    st.lists(st.integers(0, 300), min_size=12, max_size=12),
)
def test_joining_and_dividing_keep_every_household(compound, households):
    cells = graphs.lattice(3, 4, households, compound=compound)
    label = np.where(np.arange(12) % 2 == 0, cells.compound, -1)
    units = join_units(cells, label)
    assert units.households.sum() == sum(households)
    assert (units.households == np.bincount(units.of_cell, weights=households)).all()
    back = refine_units(units, cells, range(units.n))
    assert (back.households == cells.households).all()
    assert back.graph.neighbor.tolist() == cells.graph.neighbor.tolist()
