"""Numbers in reading order: policy — a fresh plan has them already; disorder, locks and kept names around it."""

from __future__ import annotations

import numpy as np
from cities import CORNER
from surveyed import degrees, demo, done, plan_on, quarters, refused

from geo.editing.apply import apply
from geo.editing.edits import Divide, Lock, Merge, Rename, Renumber, SetAttributes, SplitLine


def codes(plan):
    return {g: grid.code for g, grid in plan.grids.items()}


def test_a_fresh_plan_is_in_order():
    assert refused(demo(), Renumber()).code == "nothing-changes"
    assert refused(demo(), Renumber((0,))).code == "nothing-changes"


def turned():
    """The quarters numbered from the east."""
    at = quarters()
    grid = at.plan.assignment - 1
    return plan_on(at.survey.city, at.survey.tiling, grid // 4 * 4 + 3 - grid % 4)


def test_codes_run_from_west_to_east_in_a_row():
    plan, inverse = done(turned(), Renumber())
    found = codes(plan)
    assert {found[3], found[4]} == {"c0-001", "c0-002"}
    assert {found[1], found[2]} == {"c0-003", "c0-004"}
    assert {found[7], found[8]} == {"c1-001", "c1-002"}
    assert plan.grids[3].name == f"社区0第{int(found[3][-1])}网格"
    assert not len(inverse.cells)


def test_disorder_in_the_demo_city_is_undone():
    at = demo()
    plan, _ = apply(at.plan, SetAttributes(1, {"code": "甲"}))
    plan, _ = apply(plan, SetAttributes(2, {"code": at.plan.grids[1].code}))
    plan, _ = apply(plan, Rename(3, "旧名"))
    after, _ = done(at, Renumber(), plan)
    assert after.grids == at.plan.grids


def test_only_the_named_communities_and_only_codes_where_names_are_kept():
    at = turned()
    plan, inverse = done(at, Renumber((1,), keep_names=True))
    assert {g.id for g in inverse.grids} <= {5, 6, 7, 8}
    assert {g: grid.name for g, grid in plan.grids.items()} == {g: x.name for g, x in at.plan.grids.items()}
    assert sorted(codes(plan)[g] for g in (5, 6, 7, 8)) == [f"c1-00{k}" for k in (1, 2, 3, 4)]


def test_locked_grids_keep_theirs_and_nobody_else_gets_it():
    at = turned()
    named, _ = apply(at.plan, Rename(1, "老街"))
    locked, _ = apply(named, Lock(True, grids=(1,)))
    plan, _ = done(at, Renumber((0,)), locked)
    assert plan.grids[1] == locked.grids[1]
    assert sorted(codes(plan)[g] for g in (2, 3, 4)) == ["c0-002", "c0-003", "c0-004"]


def test_gaps_close_and_codes_by_hand_are_replaced():
    at = quarters()
    merged, _ = apply(at.plan, Merge((2, 4)))
    odd, _ = apply(merged, SetAttributes(3, {"code": "旧-7"}))
    plan, _ = done(at, Renumber((0,)), odd)
    assert sorted(codes(plan)[g] for g in (1, 2, 3)) == ["c0-001", "c0-002", "c0-003"]


def test_codes_that_another_community_uses_are_passed_over():
    at = quarters()
    odd, _ = apply(at.plan, SetAttributes(5, {"code": "c0-001"}))
    plan, _ = done(at, Renumber((0,)), odd)
    assert sorted(codes(plan)[g] for g in (1, 2, 3, 4)) == ["c0-002", "c0-003", "c0-004", "c0-005"]


def test_an_unknown_community_is_refused():
    assert refused(quarters(), Renumber((2,))).code == "no-such-community"
    assert refused(quarters(), Renumber((-1,))).code == "no-such-community"


def test_split_grids_and_divided_cells_have_their_place():
    at = quarters()
    plan, _ = done(at, SplitLine(3, degrees((300, 0), (300, 140))))
    cell = int(plan.cells_of(9)[0])
    x, y = at.survey.inner_points(plan, np.array([cell]))[0] - np.array(CORNER)
    plan, _ = done(at, Divide(cell, degrees((x - 900, y - 3), (x + 900, y + 3))), plan)
    after, _ = done(at, Renumber((0,)), plan)
    assert len({*codes(after).values()}) == 9
    assert sorted(codes(after)[g] for g in (1, 2, 3, 4, 9)) == [f"c0-00{k}" for k in range(1, 6)]
    west, east = sorted((3, 9), key=lambda g: inner_x(at, after, g))
    assert codes(after)[west] < codes(after)[east]


def inner_x(at, plan, grid):
    return float(at.survey.inner_points(plan, plan.cells_of(grid))[:, 0].mean())
