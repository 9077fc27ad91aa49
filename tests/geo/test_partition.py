"""Policy: made-up towns with towers, slabs and cells where nobody lives; rows are shuffled; islands are normal."""

from __future__ import annotations

import itertools
import multiprocessing
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor

import graphs
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from geo.adjacency import Graph
from geo.errors import CancelledError
from geo.partition import partition, score
from geo.standards import load_standard
from geo.types import BorderClass
from geo.units import Units

FINE = load_standard("fine-250")


def pieces(units, members):
    """Number of connected pieces of a set of units."""
    left, count = set(members), 0
    while left:
        count += 1
        stack = [left.pop()]
        while stack:
            u = stack.pop()
            near = units.graph.neighbor[units.graph.indptr[u] : units.graph.indptr[u + 1]]
            found = left.intersection(near.tolist())
            left -= found
            stack.extend(found)
    return count


def parts(units):
    """The connected parts of every community."""
    found = []
    for c in np.unique(units.community):
        left = set(np.flatnonzero(units.community == c).tolist())
        while left:
            stack = [left.pop()]
            part = set(stack)
            while stack:
                u = stack.pop()
                near = units.graph.neighbor[units.graph.indptr[u] : units.graph.indptr[u + 1]]
                fresh = left.intersection(near.tolist())
                left -= fresh
                part |= fresh
                stack.extend(fresh)
            found.append(part)
    return found


def check(units, result, standard=FINE):
    label = result.grid_of_unit
    assert label.dtype == np.int32
    assert len(label) == units.n
    assert sorted(set(label.tolist())) == list(range(result.n_grids))
    part_of = {u: i for i, part in enumerate(parts(units)) for u in part}
    load = getattr(units, standard.measure)
    for grid in range(result.n_grids):
        members = np.flatnonzero(label == grid)
        assert pieces(units, members.tolist()) == 1
        assert set(units.community[members].tolist()) == {int(result.community[grid])}
        assert result.households[grid] == units.households[members].sum()
        assert result.persons[grid] == units.persons[members].sum()
        total = load[members].sum()
        if total == 0:
            part = {u for u, p in part_of.items() if p == part_of[int(members[0])]}
            assert load[list(part)].sum() == 0
            assert len(members) == len(part)
        reason = result.reasons[grid]
        assert (reason is None) == (standard.min <= total <= standard.max)
        if reason is not None:
            assert reason.zh
            assert reason.en
    assert sum(s.grids for s in result.communities) == result.n_grids
    assert sum(s.total for s in result.communities) == load.sum()


def same_grouping(one, other):
    pairs = set(zip(one.tolist(), other.tolist(), strict=True))
    return len(pairs) == len(set(one.tolist())) == len(set(other.tolist()))


@st.composite
def any_units(draw):
    """Any graph, connected or not, not even planar, with zeros and giants."""
    n = draw(st.integers(1, 24))
    loads = draw(
        st.lists(st.one_of(st.just(0), st.integers(0, 120), st.integers(0, 2000)), min_size=n, max_size=n)
    )
    pairs = draw(st.sets(st.tuples(st.integers(0, n - 1), st.integers(0, n - 1)), max_size=3 * n))
    kinds = st.sampled_from(list(BorderClass))
    edges = [(i, j, draw(st.floats(0.5, 90.0)), draw(kinds)) for i, j in sorted(pairs) if i < j]
    community = draw(st.lists(st.integers(0, 2), min_size=n, max_size=n))
    compound = draw(st.lists(st.integers(-1, 3), min_size=n, max_size=n))
    outer = draw(st.lists(st.sampled_from([0.0, 30.0]), min_size=n, max_size=n))
    return graphs.units_of(graphs.graph_of(n, edges, outer), loads, community=community, compound=compound)


@settings(max_examples=120, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(any_units(), st.integers(-(2**40), 2**40))
def test_any_graph_with_any_loads_is_divided_into_connected_grids(units, seed):
    result = partition(units, FINE, seed=seed, effort="fast")
    check(units, result)
    again = partition(units, FINE, seed=seed, effort="fast")
    assert (again.grid_of_unit == result.grid_of_unit).all()


@pytest.fixture(scope="module")
def town():
    return graphs.town(5, 120, seed=3)


@pytest.fixture(scope="module")
def solved(town):
    return partition(town, FINE, seed=5, effort="fast")


def test_a_town_is_nearly_all_in_band(town, solved):
    check(town, solved)
    figures = score(town, solved.grid_of_unit, FINE)
    assert figures.disconnected == 0
    assert figures.empty == 0
    assert figures.in_band >= 0.97
    assert figures.polsby_popper >= 0.5


def test_more_effort_pays(town, solved):
    better = score(town, partition(town, FINE, seed=5, effort=0.6).grid_of_unit, FINE)
    first = score(town, solved.grid_of_unit, FINE)
    assert better.in_band >= first.in_band
    assert better.within_10 > first.within_10
    assert better.within_10_of_mean > first.within_10_of_mean


@pytest.mark.parametrize("workers", [1, 2])
def test_threads_do_not_change_the_result(town, solved, workers):
    with ThreadPoolExecutor(workers) as executor:
        result = partition(town, FINE, seed=5, effort="fast", executor=executor)
    assert (result.grid_of_unit == solved.grid_of_unit).all()


def test_processes_do_not_change_the_result(town, solved):
    context = multiprocessing.get_context("forkserver")
    for workers in (1, 2):
        with ProcessPoolExecutor(workers, mp_context=context) as executor:
            result = partition(town, FINE, seed=5, effort="fast", executor=executor)
        assert (result.grid_of_unit == solved.grid_of_unit).all()
        assert result.reasons == solved.reasons


def shuffled(units, order):
    """The same units with row i of the result being row order[i] of the input."""
    place = np.empty(units.n, int)
    place[order] = np.arange(units.n)
    graph = units.graph
    keys = []
    for new, old in enumerate(order):
        span = range(graph.indptr[old], graph.indptr[old + 1])
        keys += sorted((new, int(place[graph.neighbor[e]]), e) for e in span)
    edge = np.array([e for _, _, e in keys])
    mixed = Graph(
        indptr=np.concatenate([[0], np.cumsum(np.diff(graph.indptr)[order])]).astype(np.int64),
        neighbor=np.array([j for _, j, _ in keys], np.int32),
        length_m=graph.length_m[edge],
        class_m=graph.class_m[edge],
        outer_m=graph.outer_m[order],
    )
    return Units(
        of_cell=place[units.of_cell].astype(np.int32),
        community=units.community[order],
        compound=units.compound[order],
        households=units.households[order],
        persons=units.persons[order],
        buildings=units.buildings[order],
        area_m2=units.area_m2[order],
        graph=mixed,
    )


def test_the_order_of_the_rows_does_not_change_the_grids(town, solved):
    order = np.random.default_rng(1).permutation(town.n)
    result = partition(shuffled(town, order), FINE, seed=5, effort="fast")
    assert same_grouping(result.grid_of_unit, solved.grid_of_unit[order])


def test_the_order_of_the_rows_does_not_change_a_part_that_is_solved_exactly():
    small = graphs.town(1, 20, seed=3)
    order = np.random.default_rng(1).permutation(small.n)
    result = partition(shuffled(small, order), FINE)
    assert same_grouping(result.grid_of_unit, partition(small, FINE).grid_of_unit[order])


def test_another_seed_is_another_plan(town, solved):
    other = partition(town, FINE, seed=6, effort="fast")
    assert not same_grouping(other.grid_of_unit, solved.grid_of_unit)


def test_grids_are_numbered_by_community_and_smallest_unit(town, solved):
    assert (np.diff(solved.community) >= 0).all()
    first = [int(np.flatnonzero(solved.grid_of_unit == g)[0]) for g in range(solved.n_grids)]
    order = list(zip(solved.community.tolist(), first, strict=True))
    assert order == sorted(order)


@pytest.mark.parametrize("pooled", [False, True])
def test_progress_rises_to_the_end(town, pooled):
    seen = []

    def note(stage, done, total):
        seen.append((stage, done, total))

    if pooled:
        with ThreadPoolExecutor(2) as executor:
            partition(town, FINE, effort="fast", executor=executor, progress=note)
    else:
        partition(town, FINE, effort="fast", progress=note)
    done = [d for _, d, _ in seen]
    assert done[0] == 0
    assert done == sorted(done)
    assert seen[-1] == ("partition", town.n, town.n)


@pytest.mark.parametrize("pooled", [False, True])
def test_cancel_stops_it(town, pooled):
    calls = itertools.count()
    if pooled:
        with ThreadPoolExecutor(2) as executor, pytest.raises(CancelledError):
            partition(town, FINE, effort="fast", executor=executor, cancelled=lambda: next(calls) >= 1)
    else:
        with pytest.raises(CancelledError):
            partition(town, FINE, effort="fast", cancelled=lambda: next(calls) >= 2)


def test_no_units_give_no_grids():
    none = graphs.units_of(graphs.graph_of(0, [], []), [])
    assert partition(none, FINE).n_grids == 0
    assert score(none, np.zeros(0, np.int32), FINE).grids == 0


def codes(units, standard=FINE):
    result = partition(units, standard)
    check(units, result, standard)
    return [r.code if r else None for r in result.reasons]


def test_reasons():
    assert codes(graphs.lattice(1, 3, [60, 0, 60])) == ["community-too-small"]
    assert codes(graphs.lattice(1, 3, [0, 0, 0])) == ["no-households"]
    assert codes(graphs.lattice(1, 2, [175, 175])) == ["community-total-does-not-divide"]
    assert codes(graphs.lattice(1, 2, [200, 390])) == [None, "unit-too-large"]
    assert codes(graphs.lattice(1, 2, [250, 300])) == [None, None]
    # 155 + 155 is too much, and so is 155 + 190, wherever they lie.
    assert codes(graphs.lattice(1, 3, [155, 190, 155])) == ["sizes-do-not-pack"] * 2
    # 100 + 100 would do, but 240 lies between them.
    assert codes(graphs.lattice(1, 3, [100, 240, 100])) == ["cut-off"] * 2


def test_a_part_that_touches_nothing_has_its_own_reason():
    edges = [(0, 1, 30.0, BorderClass.INTERIOR)]
    units = graphs.units_of(graphs.graph_of(4, edges, [30.0] * 4), [120, 130, 40, 0])
    assert codes(units) == [None, "part-too-small", "no-households"]


def test_a_compound_above_the_maximum_says_that_it_was_kept_whole():
    units = graphs.lattice(1, 2, [200, 390], compound=[-1, 0])
    units.buildings[:] = [4, 6]
    assert codes(units) == [None, "compound-kept-whole"]


def test_a_compound_that_fits_is_not_cut_without_need():
    compound = [0, 0, 0, 0, -1, -1, -1, -1]
    units = graphs.lattice(2, 4, [60, 70, 60, 60, 60, 60, 70, 60], compound=compound)
    result = partition(units, FINE)
    assert score(units, result.grid_of_unit, FINE).compounds_split == 0


def test_a_grid_does_not_cross_the_river_when_it_need_not():
    households = [50] * 20
    units = graphs.lattice(4, 5, households)
    river = {(i, i + 5) for i in range(5, 10)}
    source = np.repeat(np.arange(20), np.diff(units.graph.indptr))
    for e, (i, j) in enumerate(zip(source.tolist(), units.graph.neighbor.tolist(), strict=True)):
        if (min(i, j), max(i, j)) in river:
            units.graph.class_m[e] = 0.0
            units.graph.class_m[e, BorderClass.WATER] = 30.0
    result = partition(units, FINE)
    check(units, result)
    assert score(units, result.grid_of_unit, FINE).crossed_km == 0.0


def test_persons_can_be_the_measure():
    persons = FINE.with_(target=650, min=520, max=780)
    persons = type(persons)(**{f: getattr(persons, f) for f in persons.__slots__} | {"measure": "persons"})
    units = graphs.lattice(4, 6, [40] * 24, persons=np.full(24, 110, np.int64))
    result = partition(units, persons)
    check(units, result, persons)
    assert all(r is None for r in result.reasons)


def fewest_out_of_band(units, standard, counts):
    """Try every division into connected grids with load, for each number of grids in `counts`."""
    n = units.n
    best = n
    labels = [0] * n

    def grow(i, used):
        nonlocal best
        if i == n:
            if used not in counts:
                return
            groups = [[u for u in range(n) if labels[u] == g] for g in range(used)]
            load = [int(units.households[g].sum()) for g in groups]
            out = sum(not standard.min <= x <= standard.max for x in load)
            if out < best and min(load) > 0 and all(pieces(units, g) == 1 for g in groups):
                best = out
            return
        for g in range(min(used + 1, max(counts))):
            labels[i] = g
            grow(i + 1, max(used, g + 1))

    grow(0, 0)
    return best


@pytest.mark.parametrize("seed", range(12))
def test_small_instances_reach_the_fewest_grids_out_of_band(seed):
    rng = np.random.default_rng(seed)
    rows, columns = [(2, 4), (3, 3), (1, 8), (2, 5)][seed % 4]
    households = rng.choice([0, 30, 60, 90, 120, 150, 210, 260, 330], rows * columns)
    households[0] = 60
    units = graphs.lattice(rows, columns, households)
    result = partition(units, FINE)
    check(units, result)
    out = sum(r is not None for r in result.reasons)
    assert out == fewest_out_of_band(units, FINE, {result.n_grids})
