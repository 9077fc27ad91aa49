"""Locking by area: policy — polygons over a town with known inner points."""

from __future__ import annotations

import numpy as np
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st
from surveyed import degrees, done, inner, quarters, refused

from geo.editing.apply import apply
from geo.editing.change import Change
from geo.editing.edits import Divide, Lock, LockArea

SQUARE = ((40, 40), (260, 40), (260, 130), (40, 130))


def within(points):
    xy = inner(quarters().survey.tiling)
    return np.flatnonzero(shapely.intersects_xy(shapely.Polygon(points), *xy.T))


def test_cells_with_their_inner_point_inside_are_locked_and_unlocked():
    at = quarters()
    plan, _ = done(at, LockArea(True, degrees(*SQUARE)))
    assert np.flatnonzero(plan.pinned).tolist() == within(SQUARE).tolist()
    assert len(within(SQUARE)) > 3
    free, _ = done(at, LockArea(False, degrees(*SQUARE)), plan)
    assert not free.pinned.any()


def test_what_is_locked_already_is_no_hindrance():
    at = quarters()
    first = int(within(SQUARE)[0])
    some, _ = apply(at.plan, Lock(True, cells=(first, 95)))
    change = at.survey.resolve(some, LockArea(True, degrees(*SQUARE)))
    assert isinstance(change, Change)
    assert change.pins.tolist() == within(SQUARE).tolist()[1:]
    plan, _ = done(at, LockArea(True, degrees(*SQUARE)), some)
    assert plan.pinned[95]
    assert refused(at, LockArea(True, degrees(*SQUARE)), plan).code == "nothing-changes"


def test_an_area_without_cells_or_without_area_is_refused():
    at = quarters()
    assert refused(at, LockArea(True, degrees((900, 0), (990, 0), (990, 90)))).code == "area-empty"
    assert refused(at, LockArea(True, degrees((0, 0), (100, 0)))).code == "area-unreadable"
    assert refused(at, LockArea(True, degrees((0, 0), (100, 0), (0, 0)))).code == "area-unreadable"
    assert refused(at, LockArea(True, ((-60.0, 0.0), (-60.0, 90.0), (-61.0, 90.0)))).code in {
        "area-unreadable",
        "area-empty",
    }


def test_a_ring_may_be_closed_or_cross_itself():
    at = quarters()
    closed, _ = done(at, LockArea(True, degrees(*SQUARE, SQUARE[0])))
    assert np.flatnonzero(closed.pinned).tolist() == within(SQUARE).tolist()
    bow = degrees((0, 0), (200, 150), (200, 0), (0, 150))
    plan, _ = done(at, LockArea(True, bow))
    assert 0 < plan.pinned.sum() < (at.plan.assignment == 1).sum()


def test_children_of_a_divided_cell_count_the_divided_one_does_not():
    at = quarters()
    plan, _ = done(at, Divide(int(within(SQUARE)[0]), degrees((-500, 75), (900, 76))))
    locked, _ = done(at, LockArea(True, degrees((-1, -1), (801, -1), (801, 301), (-1, 301))), plan)
    assert np.array_equal(locked.pinned, plan.ground.live)


@settings(max_examples=25, deadline=None)
@given(st.lists(st.tuples(st.integers(-20, 820), st.integers(-20, 320)), min_size=3, max_size=6, unique=True))
def test_any_simple_ring_locks_just_what_lies_inside(points):
    at = quarters()
    ring = shapely.Polygon(points)
    if not ring.is_valid or ring.area == 0:
        return
    change = at.survey.resolve(at.plan, LockArea(True, degrees(*points)))
    found = change.pins.tolist() if isinstance(change, Change) else []
    xy = inner(at.survey.tiling)
    sure = shapely.distance(ring.boundary, shapely.points(xy)) > 0.05
    inside = shapely.contains_xy(ring, *xy.T)
    assert set(np.flatnonzero(sure & inside)) <= set(found)
    assert not set(found) & set(np.flatnonzero(sure & ~inside))
