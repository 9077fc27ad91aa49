"""Policy: whatever the rules of a standard, every unit gets a grid, connected and in its own community."""

from __future__ import annotations

from dataclasses import replace

import graphs
import numpy as np
import pytest
import shapely
from cities import box, make_city
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from geo.adjacency import components, connected_labels
from geo.cells import build_tiling
from geo.fixed import find_fixed, fixed_grids, judge
from geo.grouping import units_for
from geo.loads import unit_loads
from geo.partition import partition
from geo.partition.release import QuickSearch, quick_division
from geo.plan import assemble
from geo.standards import TypeRule, load_standard
from geo.types import BorderClass
from geo.units import build_units, open_graph

FINE = load_standard("fine-250")
BY_TYPE = load_standard("type-rule-634")
DEDICATED = load_standard("base-and-dedicated")
ANY = replace(
    BY_TYPE,
    dedicated=("institution", "park", "business"),
    dedicated_min_area_m2=2000.0,
    dedicated_min_workers=50,
    barriers={"railway": "hard", "water": "hard"},
)
KINDS = ("成熟小区", "散居楼院", "学校", "商业", "工业园区", "学校家属院")


def kinds_of(units, kinds, **more):
    codes = [KINDS.index(k) if k else -1 for k in kinds]
    return replace(units, kind=np.array(codes, np.int32), kinds=KINDS, **more)


def row_of(households, kinds, *, area=20_000.0, edges=None, **more):
    n = len(households)
    chain = [(i, i + 1, 30.0, BorderClass.INTERIOR) for i in range(n - 1)]
    graph = graphs.graph_of(n, chain if edges is None else edges, [40.0] * n)
    compound = more.pop("compound", None)
    units = graphs.units_of(graph, households, area=[area] * n, compound=compound)
    return kinds_of(units, kinds, **more)


def test_a_standard_without_such_rules_fixes_nothing():
    units = row_of([200, 0, 250], ["", "学校", "商业"])
    assert (fixed_grids(units, FINE) == -1).all()
    assert fixed_grids(units, FINE).dtype == np.int32


def test_institutions_parks_and_business_areas_get_grids_of_their_own():
    units = row_of([400, 0, 0, 400, 0, 400], ["", "学校", "商业", "", "工业园区", ""])
    standard = replace(DEDICATED, target=1000, min=300, max=1200, hard_max=1200)
    # The park lies between homes that are grids anyway.
    assert fixed_grids(units, standard).tolist() == [-1, 0, 1, -1, 2, -1]
    assert find_fixed(units, standard).dedicated.all()


def test_homes_of_an_institution_are_homes():
    units = row_of([400, 300], ["", "学校家属院"])
    assert (fixed_grids(units, DEDICATED) == -1).all()


def test_only_the_uses_the_standard_names():
    units = row_of([400, 0, 0], ["", "学校", "商业"])
    assert fixed_grids(units, replace(DEDICATED, dedicated=("business",))).tolist() == [-1, -1, 0]


@pytest.mark.parametrize(
    ("area", "workers", "own"), [(9_999.0, 99, False), (10_000.0, 0, True), (10.0, 100, True)]
)
def test_it_takes_enough_ground_or_workers(area, workers, own):
    units = row_of([400, 0], ["", "学校"], area=area, workers=np.array([0, workers]))
    assert (fixed_grids(units, DEDICATED)[1] == 0) == own


def test_without_minima_every_one_counts():
    units = row_of([400, 0], ["", "商业"], area=5.0)
    loose = replace(DEDICATED, dedicated_min_area_m2=0.0, dedicated_min_workers=0)
    assert fixed_grids(units, loose).tolist() == [-1, 0]


def test_buildings_of_one_school_are_one_grid_and_a_street_ends_it():
    edges = [
        (0, 1, 30.0, BorderClass.INTERIOR),
        (1, 2, 30.0, BorderClass.ALLEY),
        (2, 3, 30.0, BorderClass.STREET),
    ]
    units = row_of([400, 0, 0, 0], ["", "学校", "学校", "学校"], area=6_000.0, edges=edges)
    # Only the two north of the street reach the area together; the third is cut off, empty ground, and joins them.
    assert fixed_grids(units, DEDICATED).tolist() == [-1, 0, 0, 0]
    assert fixed_grids(replace(units, area_m2=np.full(4, 20_000.0)), DEDICATED).tolist() == [-1, 0, 0, 1]


def test_a_school_that_parts_small_groups_of_homes_stays_between_them():
    units = row_of([200, 0, 200], ["", "学校", ""])
    assert (fixed_grids(units, DEDICATED) == -1).all()
    assert fixed_grids(row_of([400, 0, 400], ["", "学校", ""]), DEDICATED).tolist() == [-1, 0, -1]
    # Too few homes for a grid either way.
    assert fixed_grids(row_of([100, 0, 90], ["", "学校", ""]), DEDICATED).tolist() == [-1, 0, -1]


def test_a_mature_compound_is_a_grid_of_its_own_and_takes_in_remnants():
    units = row_of(
        [600, 1400, 40, 0],
        ["散居楼院", "成熟小区", "散居楼院", ""],
        compound=[-1, 0, -1, -1],
        persons=np.array([1500, 3600, 100, 0]),
    )
    fixed = find_fixed(units, BY_TYPE)
    assert fixed.grid.tolist() == [-1, 0, 0, 0]
    assert not fixed.dedicated.any()
    judged = judge(units, BY_TYPE, np.array([0, 1, 1, 1]), 2)
    assert judged.load.tolist() == [600, 760]
    assert judged.in_band.tolist() == [True, True]
    assert judged.deviation.tolist() == [0.0, 160 / 600]


def test_a_mature_compound_with_a_maximum_takes_in_no_more():
    rules = (TypeRule("成熟小区", "persons", target=3000, max=3700, one_compound_per_grid=True),)
    units = row_of([1400, 40], ["成熟小区", ""], compound=[0, -1], persons=np.array([3600, 100]))
    assert fixed_grids(units, replace(BY_TYPE, rules=rules)).tolist() == [0, -1]


def test_a_larger_group_of_homes_is_no_remnant():
    units = row_of([300, 1400], ["", "成熟小区"], compound=[-1, 0], persons=np.array([800, 3600]))
    assert fixed_grids(units, BY_TYPE).tolist() == [-1, 0]


def test_a_plan_that_merges_a_dedicated_grid_is_judged_by_the_band():
    units = row_of([400, 0], ["", "学校"])
    own = judge(units, DEDICATED, np.array([0, 1]), 2)
    assert own.dedicated.tolist() == [False, True]
    assert own.in_band.tolist() == [True, True]
    assert own.deviation.tolist() == [0.0, 0.0]
    merged = judge(units, DEDICATED, np.array([0, 0]), 1)
    assert merged.dedicated.tolist() == [False]
    assert merged.in_band.tolist() == [True]
    assert judge(units, FINE, np.array([0, 1]), 2).in_band.tolist() == [False, False]


def test_a_grid_of_no_units_is_out_of_the_band():
    units = row_of([400, 0], ["", "学校"])
    judged = judge(units, DEDICATED, np.array([0, 2]), 3)
    assert judged.in_band.tolist() == [True, False, True]


@st.composite
def any_units(draw):
    """Any graph of up to three communities, with compounds, types, uses, zeros and giants."""
    n = draw(st.integers(1, 24))
    sizes = st.one_of(st.just(0), st.integers(0, 120), st.integers(0, 2000))
    loads = draw(st.lists(sizes, min_size=n, max_size=n))
    pairs = draw(st.sets(st.tuples(st.integers(0, n - 1), st.integers(0, n - 1)), max_size=3 * n))
    classes = st.sampled_from(list(BorderClass))
    edges = [(i, j, draw(st.floats(0.5, 90.0)), draw(classes)) for i, j in sorted(pairs) if i < j]
    units = graphs.units_of(
        graphs.graph_of(n, edges, draw(st.lists(st.sampled_from([0.0, 30.0]), min_size=n, max_size=n))),
        loads,
        community=draw(st.lists(st.integers(0, 2), min_size=n, max_size=n)),
        compound=draw(st.lists(st.integers(-1, 4), min_size=n, max_size=n)),
        area=draw(st.lists(st.sampled_from([50.0, 900.0, 3000.0]), min_size=n, max_size=n)),
    )
    kinds = draw(st.lists(st.sampled_from(["", *KINDS]), min_size=n, max_size=n))
    workers = np.array(draw(st.lists(st.sampled_from([0, 20, 80]), min_size=n, max_size=n)))
    workload = np.array(draw(st.lists(st.sampled_from([0.5, 1.0, 1.3]), min_size=n, max_size=n)))
    return kinds_of(units, kinds, workers=workers, workload=draw(st.sampled_from([None, workload])))


@settings(max_examples=80, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(any_units(), st.sampled_from([ANY, BY_TYPE, DEDICATED, replace(ANY, dedicated=("business",))]))
def test_fixed_grids_are_connected_and_keep_homes_in_their_community(units, standard):
    fixed = find_fixed(units, standard)
    graph = open_graph(units.graph, standard.hard_barriers)
    count = len(fixed.dedicated)
    assert fixed.grid.max() == count - 1
    assert connected_labels(graph, fixed.grid, count).all()
    first = [int(np.flatnonzero(fixed.grid == g)[0]) for g in range(count)]
    assert first == sorted(first)
    for g in range(count):
        assert len(set(units.community[fixed.grid == g].tolist())) == 1
    again = find_fixed(units, standard)
    assert (again.grid == fixed.grid).all()


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(any_units(), st.sampled_from([ANY, BY_TYPE, DEDICATED, FINE]), st.integers(0, 3))
def test_every_case_gives_a_partition(units, standard, seed):
    label = quick_division(units, standard, QuickSearch(seed))
    count = int(label.max()) + 1
    assert sorted(set(label.tolist())) == list(range(count))
    graph = open_graph(units.graph, standard.hard_barriers)
    assert connected_labels(graph, label, count).all()
    fixed = fixed_grids(units, standard)
    assert (label[fixed >= 0] == fixed[fixed >= 0]).all()
    assert not np.isin(label[fixed < 0], fixed[fixed >= 0]).any()
    for g in range(count):
        assert len(set(units.community[label == g].tolist())) == 1
    judged = judge(units, standard, label, count)
    loads = unit_loads(units, standard)
    assert judged.load.sum() == loads.sum()
    free = components(graph, np.where(fixed < 0, units.community, -1).astype(np.int32))
    for g in np.flatnonzero((judged.load == 0) & ~judged.dedicated):
        part = free == free[np.flatnonzero(label == g)[0]]
        assert loads[part].sum() == 0
        assert (label[part] == g).all()


@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(any_units(), st.sampled_from([ANY, BY_TYPE, DEDICATED]))
def test_the_engine_keeps_what_the_standard_fixes_and_explains_the_rest(units, standard):
    result = partition(units, standard, effort="fast")
    label = result.grid_of_unit
    fixed = find_fixed(units, standard)
    for g in range(len(fixed.dedicated)):
        mine = np.unique(label[fixed.grid == g])
        assert len(mine) == 1
        assert (fixed.grid[label == mine[0]] == g).all()
    graph = open_graph(units.graph, standard.hard_barriers)
    assert connected_labels(graph, label, result.n_grids).all()
    judged = judge(units, standard, label, result.n_grids)
    for g, reason in enumerate(result.reasons):
        assert (reason is not None and reason.code == "dedicated") == judged.dedicated[g]
        assert (reason is None) == (judged.in_band[g] and not judged.dedicated[g])


def test_a_plan_says_what_is_dedicated_and_counts_in_equivalents():
    city = compound_city("成熟小区", [500, 560])
    city.buildings["persons"] = [1500, 1800, 0]
    city.buildings["workload"] = 1.0
    standard = replace(BY_TYPE, dedicated=("institution",), dedicated_min_workers=50)
    tiling = build_tiling(city)
    units = units_for(city, tiling, standard)
    grids = assemble(city, tiling, units, partition(units, standard), standard=standard, seed=0).grids
    assert sorted(grids["households"].tolist()) == [0, 1060]
    assert grids["in_band"].all()
    own = grids.set_index("households")
    assert own.loc[1060, "load"] == 660
    assert own.loc[1060, "deviation"] == 0.1
    assert own.loc[1060, "reason"] == ""
    assert own.loc[0, "reason"] == "dedicated"
    assert own.loc[0, "deviation"] == 0.0


def test_a_plan_of_a_plain_standard_has_no_load_of_its_own():
    city = compound_city("", [100, 150])
    city.buildings["workload"] = 1.0
    tiling = build_tiling(city)
    units = units_for(city, tiling, FINE)
    grids = assemble(city, tiling, units, partition(units, FINE), standard=FINE, seed=0).grids
    assert "load" not in grids
    assert grids["deviation"].tolist() == [0.0]


def compound_city(kind, households):
    """A compound of two buildings beside a school."""
    city = make_city(
        [box(0, 0, 300, 100)],
        [box(20, 20, 20, 20), box(60, 20, 20, 20), box(200, 20, 60, 60)],
        compounds=[box(5, 5, 120, 90)],
        households=[*households, 0],
        building_compound=[0, 0, -1],
    )
    city.compounds["compound_type"] = [kind]
    city.buildings["use"] = ["住宅", "住宅", "学校"]
    city.buildings["workers"] = np.array([0, 0, 70])
    city.buildings["workload"] = [1.0, 1.5, 1.0]
    return city


def test_units_know_their_type_use_workers_and_workload():
    city = compound_city("成熟小区", [100, 300])
    tiling = build_tiling(city)
    units = build_units(city, tiling)
    own = units.of_cell[tiling.building_cell]
    assert units.kinds[units.kind[own[0]]] == "成熟小区"
    assert units.kinds[units.kind[own[2]]] == "学校"
    assert units.workers.sum() == 70
    assert units.workload[own[0]] == (100 + 1.5 * 300) / 400
    assert unit_loads(units, FINE)[own[0]] == 550


def test_a_mature_compound_that_is_a_grid_stays_whole_whatever_its_size():
    city = compound_city("成熟小区", [900, 900])
    tiling = build_tiling(city)
    own = units_for(city, tiling, BY_TYPE).of_cell[tiling.building_cell]
    assert own[0] == own[1]
    city = compound_city("老旧小区", [900, 900])
    own = units_for(city, tiling, BY_TYPE).of_cell[tiling.building_cell]
    assert own[0] != own[1]


def test_units_of_a_plain_standard_are_those_of_its_limit():
    city = compound_city("", [150, 250])
    city.buildings["workload"] = 1.0
    tiling = build_tiling(city)
    mine, plain = units_for(city, tiling, FINE), build_units(city, tiling, max_households=400)
    assert (mine.of_cell == plain.of_cell).all()
    assert mine.n == plain.n
    assert units_for(city, tiling, FINE, released=[0]).n > mine.n


def test_a_compound_across_a_hard_barrier_is_two_units():
    city = make_city(
        [box(0, 0, 300, 100)],
        [box(20, 20, 20, 20), box(200, 20, 20, 20)],
        railways=[shapely.LineString([(150, -10), (150, 110)])],
        compounds=[box(5, 5, 290, 90)],
        households=[60, 60],
        building_compound=[0, 0],
    )
    tiling = build_tiling(city)
    own = units_for(city, tiling, FINE).of_cell[tiling.building_cell]
    assert own[0] == own[1]
    own = units_for(city, tiling, replace(FINE, barriers={"railway": "hard"})).of_cell[tiling.building_cell]
    assert own[0] != own[1]
