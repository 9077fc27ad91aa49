"""Alternatives of a plan: locks stay, free cells get a grid, figures are those of the plan once it is adopted."""

from __future__ import annotations

import numpy as np
import pytest
import shapely
from surveyed import Surveyed, demo, done, quarters

from geo.alternatives import PRESETS
from geo.editing.apply import apply
from geo.editing.change import Change
from geo.editing.edits import Adopt, Assign, Lock
from geo.editing.judged import summary
from geo.editing.options import judge, options
from geo.editing.plan import Plan
from geo.editing.sketch import sketch
from geo.search import Search

FAST = Search(effort="fast")


def adopted(at: Surveyed, plan: Plan, grids: np.ndarray) -> Plan:
    cells = np.flatnonzero((grids != plan.assignment) & (grids != -1))
    after, _ = done(at, Adopt(tuple(cells.tolist()), tuple(grids[cells].tolist())), plan)
    return after


def test_one_option_a_preset_with_the_figures_of_the_plan_it_becomes():
    at = quarters()
    found = options(at.plan, search=FAST)
    assert [one.found.preset for one in found] == list(PRESETS)
    for one in found:
        assert (one.grids != -1).all()
        if not one.moved_cells:
            continue
        after = adopted(at, at.plan, one.grids)
        assert len(after.grids) == one.found.score.grids
        assert judge(after) == one.found.score
        assert summary(after)["in_band"] == pytest.approx(one.found.score.in_band * len(after.grids))
        assert summary(after)["compounds_split"] == one.found.score.compounds_split
        assert not (after.figures.pieces > 1).any()


def test_locks_stay_and_cells_in_none_are_taken_in():
    at = quarters()
    plan = at.plan
    loose = plan.cells_of(3)[:2].tolist()
    held = int(plan.cells_of(2)[0])
    for edit in (Lock(locked=True, grids=(1,)), Assign(tuple(loose), None), Lock(locked=True, cells=(held,))):
        result = apply(plan, edit)
        assert isinstance(result, tuple)
        plan = result[0]
    for one in options(plan, communities=[0], search=FAST):
        assert ((one.grids == 1) == (plan.assignment == 1)).all()
        assert (one.grids[loose] != -1).all()
        assert one.grids[held] == 2
        other = plan.ground.cells.community != 0
        assert (one.grids[other] == plan.assignment[other]).all()


def test_nothing_free_is_no_option():
    at = quarters()
    locked = apply(at.plan, Lock(locked=True, grids=tuple(at.plan.grids)))
    assert isinstance(locked, tuple)
    assert options(locked[0], search=FAST) == []
    assert isinstance(locked[1], Change)


def test_a_sketch_covers_the_plan_and_neighbours_differ_in_colour():
    at = demo()
    polygons = at.survey.tiling.cells.geometry.to_numpy()
    drawn = sketch(polygons, at.plan)
    assert [one["id"] for one in drawn["grids"]] == sorted(at.plan.grids)
    assert max(drawn["width"], drawn["height"]) == 1000
    areas = [shapely.from_wkt(_wkt(one["path"])) for one in drawn["grids"]]
    union = shapely.union_all(areas)
    assert abs(sum(area.area for area in areas) - union.area) < 0.02 * union.area
    for k, one in enumerate(areas):
        for m in range(k):
            if shapely.intersection(one.buffer(0), areas[m].buffer(0)).length > 30:
                assert drawn["grids"][k]["colour"] != drawn["grids"][m]["colour"]
    assert {one["id"] for one in drawn["grids"] if one["out"]} == {
        g
        for g in at.plan.grids
        if not at.plan.standard.min <= at.plan.figures.load[g] <= at.plan.standard.max
    }


def _wkt(path: str) -> str:
    rings = [[point.split() for point in ring.split("L")] for ring in path.strip("MZ").split("ZM")]
    closed = [", ".join(" ".join(point) for point in [*ring, ring[0]]) for ring in rings]
    return f"POLYGON ({', '.join(f'({ring})' for ring in closed)})"
