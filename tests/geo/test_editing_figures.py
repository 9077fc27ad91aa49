"""Figures patched by flow equal figures measured from scratch, and those what other code makes of the cells.

Towns are random, with compounds across grids, hard barriers and divided cells; edits are of every kind, refused
ones included. Nothing is compared with a tolerance but metres with millimetres.
"""

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

sys.path.insert(0, str(Path(__file__).parent))

from cities import tiny_city
from graphs import lattice
from grounds import (
    PaperSurvey,
    exact_tiling,
    ground_of,
    measured,
    plan_from_labels,
    plan_of,
    random_edit,
    random_plan,
    same_figures,
    squares,
)

from geo import boundaries, fixed, units
from geo.adjacency import components
from geo.cells import build_tiling
from geo.editing import figures, index, judged
from geo.editing.apply import apply, apply_change
from geo.editing.contiguity import count_pieces, pieces_of
from geo.editing.edits import Assign, NewGrid, Refusal, SetAttributes
from geo.editing.judged import grid_rows, in_band, summary
from geo.partition.score import ALONG
from geo.standards import Standard, TypeRule, load_standard
from geo.types import BorderClass
from geo.units import cell_units, open_graph

BARRED = replace(load_standard("fine-250"), barriers={"alley": "hard", "street": "hard"})


@settings(max_examples=60, deadline=None)
@given(seed=st.integers(0, 10**6), steps=st.integers(10, 80), barred=st.booleans())
def test_patched_figures_equal_measured_ones_after_every_edit_and_every_undo(
    seed: int, steps: int, barred: bool
) -> None:
    rng = np.random.default_rng(seed)
    start = plan = random_plan(
        communities=2, per_community=40, seed=seed % 7, standard=BARRED if barred else None
    )
    inverses = []
    for _ in range(steps):
        made = apply(plan, random_edit(plan, rng), survey=PaperSurvey())
        if isinstance(made, Refusal):
            continue
        plan, inverse = made
        inverses.append(inverse)
        assert same_figures(plan.figures, measured(plan))
        assert exact_tiling(plan, start)
    for inverse in reversed(inverses):
        undone = apply_change(plan, inverse)
        assert not isinstance(undone, Refusal)
        plan = undone
        assert same_figures(plan.figures, measured(plan))
    assert_same_state(plan, start)


def test_ten_thousand_edits_and_undo_of_all() -> None:
    rng = np.random.default_rng(4)
    start = plan = random_plan(communities=4, per_community=100, seed=3)
    inverses, kinds = [], set()
    while len(inverses) < 10_000:
        edit = random_edit(plan, rng)
        if edit.kind == "divide" and len(plan.divisions) >= 20:
            continue
        made = apply(plan, edit, survey=PaperSurvey())
        if isinstance(made, Refusal):
            continue
        plan, inverse = made
        inverses.append(inverse)
        kinds.add(edit.kind)
        if len(inverses) % 500 == 0:
            assert exact_tiling(plan, start)
            assert same_figures(plan.figures, measured(plan))
    assert kinds == {"assign", "new-grid", "merge", "lock", "rename", "set", "renumber", "divide"}
    for step, inverse in enumerate(reversed(inverses)):
        plan = apply_change(plan, inverse)
        if step % 500 == 0:
            assert exact_tiling(plan, start)
    assert_same_state(plan, start)


def assert_same_state(plan, start):
    """The plan is as at the start, but for the rows of divisions that were undone, which stay retired."""
    n = start.ground.n
    assert np.array_equal(plan.assignment[:n], start.assignment)
    assert np.array_equal(plan.pinned[:n], start.pinned)
    assert np.array_equal(plan.load[:n], start.load)
    assert plan.grids == start.grids
    assert same_figures(plan.figures, start.figures)
    assert not plan.ground.live[n:].any()
    assert (plan.assignment[n:] == -1).all()
    assert not any(plan.in_force)
    graph, first = plan.ground.cells.graph, start.ground.cells.graph
    assert np.array_equal(graph.indptr[: n + 1], first.indptr)
    assert np.array_equal(graph.neighbor, first.neighbor)
    assert np.array_equal(graph.class_m, first.class_m)


def test_figures_of_squares_counted_by_hand() -> None:
    plan = plan_of(squares("aaaabb aaaabb", households=range(12)), "xxyyzz xyyyzz")
    row = {r["id"]: r for r in grid_rows(plan)}
    assert [row[i]["households"] for i in (1, 2, 3)] == [0 + 1 + 6, 2 + 3 + 7 + 8 + 9, 4 + 5 + 10 + 11]
    assert [row[i]["cells"] for i in (1, 2, 3)] == [3, 5, 4]
    assert row[1]["perimeter_m"] == 8 * 30
    assert row[2]["perimeter_m"] == 10 * 30
    assert row[3]["area_m2"] == 4 * 900
    assert row[3]["polsby_popper"] == pytest.approx(np.pi / 4, abs=1e-6)
    assert int(plan.figures.border_mm[1].sum()) == int(plan.figures.border_mm[2].sum()) == 3 * 30_000
    assert int(plan.figures.border_mm[3].sum()) == 0, "a community's border is no border between grids"


def test_a_hard_barrier_parts_a_grid_and_a_soft_one_does_not() -> None:
    ground = squares("aaaaaa", households=[50] * 6)
    soft = plan_of(ground, "xxxxxx")
    hard = plan_of(ground, "xxxxxx", replace(load_standard("fine-250"), barriers={"alley": "hard"}))
    assert soft.figures.pieces[1] == 1
    assert hard.figures.pieces[1] == 2
    assert summary(hard)["disconnected"] == 1


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("hard", [(), (BorderClass.ALLEY, BorderClass.STREET)])
def test_open_adjacency_and_pieces_are_those_of_the_engine(seed: int, hard: tuple[BorderClass, ...]) -> None:
    standard = replace(load_standard("fine-250"), barriers={c.name.lower(): "hard" for c in hard})
    plan = random_plan(communities=2, per_community=50, seed=seed, standard=standard)
    graph = open_graph(plan.ground.cells.graph, hard)
    assert np.array_equal(graph.indptr, plan.index.indptr)
    assert np.array_equal(graph.neighbor, plan.index.neighbor)
    piece = components(graph, plan.assignment)
    for i in plan.grids:
        assert plan.figures.pieces[i] == len(np.unique(piece[plan.assignment == i]))


def test_constants_shared_with_heavy_modules_are_equal() -> None:
    assert index.GAP_M == units.GAP_M
    assert judged.ALONG == ALONG
    assert figures.REMNANT == fixed.REMNANT


@settings(max_examples=60, deadline=None)
@given(st.lists(st.integers(0, 2), min_size=1, max_size=60), st.integers(1, 9))
def test_pieces_of_a_snake_of_any_length(labels: list[int], width: int) -> None:
    graph = lattice(-(-len(labels) // width), width, [0] * (-(-len(labels) // width) * width)).graph
    cells = np.arange(len(labels))
    label = np.array(labels)
    full = np.full(graph.n, -1, np.int32)
    full[cells] = label
    wanted = components(graph, full)[cells]
    piece = pieces_of(graph.indptr, graph.neighbor, cells, label)
    assert np.array_equal(piece[:, None] == piece, wanted[:, None] == wanted)
    count = count_pieces(graph.indptr, graph.neighbor, cells, label, 3)
    assert count.tolist() == [len(set(wanted[label == k].tolist())) for k in range(3)]


def test_a_path_of_ten_thousand_cells_is_one_piece() -> None:
    order = np.random.default_rng(1).permutation(10_000)
    place = np.argsort(order)
    ends = [np.sort(place[[max(p - 1, 0), min(p + 1, 9_999)]]) for p in order.tolist()]
    indptr = np.arange(0, 20_001, 2)
    pieces = pieces_of(
        indptr, np.concatenate(ends).astype(np.int32), np.arange(10_000), np.zeros(10_000, int)
    )
    assert (pieces == 0).all()


def test_compounds_count_as_split_when_their_homes_lie_in_two_grids_and_would_fit() -> None:
    fits = squares("aaaa", households=[10, 10, 0, 10], compound=[0, 0, 0, -1])
    assert summary(plan_of(fits, "xyyy"))["compounds_split"] == 1
    assert summary(plan_of(fits, "xxyy"))["compounds_split"] == 0, "nobody lives in its third cell"
    large = squares("aaaa", households=[200, 200, 0, 10], compound=[0, 0, 0, -1])
    assert summary(plan_of(large, "xyyy"))["compounds_split"] == 0
    twice = squares("aabb", households=[10, 10, 10, 10], compound=[0, 0, 0, 0])
    assert summary(plan_of(twice, "xxyy"))["compounds_split"] == 0, "no grid crosses the border anyway"
    assert summary(plan_of(twice, "x.yy"))["compounds_split"] == 0


def test_a_compound_that_its_rule_makes_a_grid_is_in_band_until_it_is_cut() -> None:
    rule = TypeRule("成熟小区", "persons", target=3000, min=1500, max=3600, one_compound_per_grid=True)
    standard = Standard("s", "甲", "a", "households", 300, 240, 360, rules=(rule,))
    ground = squares("aaaaa", households=[80, 75, 3, 40, 40], compound=[0, 0, -1, -1, -1])
    kinds = replace(
        ground.cells,
        kind=np.array([0, 0, -1, -1, -1], np.int32),
        kinds=("成熟小区",),
        persons=np.array([900, 800, 9, 120, 120]),
    )
    ground = replace(ground, cells=kinds)
    label = np.array([0, 0, 0, 1, 1], np.int32)
    plan = plan_from_labels(ground, label, standard)
    assert plan.figures.load[1] == 170 + 3
    assert in_band(plan).tolist()[1:] == [True, False]
    cut, inverse = apply(plan, Assign((1,), 2))
    assert in_band(cut).tolist()[1:] == [False, False]
    assert in_band(apply_change(cut, inverse)).tolist()[1:] == [True, False]
    heaped, _ = apply(plan, Assign((3, 4), 1))
    assert in_band(heaped).tolist()[1:] == [True, False]
    row = grid_rows(heaped)[0]
    assert row["in_band"]
    assert row["deviation"] < 0


def test_a_dedicated_grid_has_no_target() -> None:
    plan = plan_of(squares("aaaa"), "xxyy")
    assert not in_band(plan)[1]
    park, _ = apply(plan, SetAttributes(1, {"kind": "park"}))
    assert in_band(park)[1]
    row = grid_rows(park, [1])[0]
    assert (row["deviation"], row["in_band"], row["kind"]) == (0.0, True, "park")


def test_figures_in_metres_are_those_of_the_geometry() -> None:
    city = tiny_city()
    tiling = build_tiling(city)
    ground = ground_of(cell_units(city, tiling))
    rng = np.random.default_rng(2)
    label = ground.cells.community * 2 + rng.integers(0, 2, ground.n)
    _, label = np.unique(label, return_inverse=True)
    plan = plan_from_labels(ground, label.astype(np.int32))
    table = boundaries.border_summary(tiling, label.astype(np.int32), int(label.max()) + 1)
    rows = grid_rows(plan)
    assert np.allclose([r["perimeter_m"] for r in rows], table["perimeter_m"], atol=0.05)
    assert np.allclose([r["area_m2"] for r in rows], table["area_m2"], atol=0.2)
    assert np.allclose([r["polsby_popper"] for r in rows], table["polsby_popper"], atol=1e-4)
    for kind in BorderClass:
        wanted = table[f"inner_{kind.name.lower()}_m"]
        assert np.allclose(plan.figures.border_mm[1:, kind] / 1000, wanted, atol=0.05)
    totals = boundaries.border_totals(tiling, label.astype(np.int32))
    along = sum(totals[c] for c in judged.ALONG) / sum(totals.values())
    assert summary(plan)["along_roads"] == pytest.approx(along, abs=1e-3)


def test_summary_counts_what_is_in_no_grid_and_rows_take_any_ids() -> None:
    plan = plan_of(squares("aaaa", households=[1, 2, 3, 4]), "x.y.")
    found = summary(plan)
    assert (found["grids"], found["unassigned_cells"], found["unassigned_households"]) == (2, 2, 6)
    assert found["households"] == 4
    assert [r["id"] for r in grid_rows(plan, [2, 99, 1])] == [1, 2]
    bare, _ = apply(plan, Assign((0, 2), None))
    assert summary(bare)["mean_polsby_popper"] is None
    assert summary(bare)["along_roads"] is None
    assert grid_rows(bare) == []
    again, _ = apply(bare, NewGrid((1,)))
    assert summary(again)["grids"] == 1
    assert same_figures(again.figures, measured(again))
