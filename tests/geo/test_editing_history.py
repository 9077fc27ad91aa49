"""Undo and redo in one linear log: each author has their own, without limit, and the log only grows.

A model with plain lists is the reference; conflicts between authors are decided on real plans.
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

sys.path.insert(0, str(Path(__file__).parent))

from grounds import plan_of, squares

from geo.editing.apply import apply, apply_change
from geo.editing.conflict import Touched, conflicts
from geo.editing.edits import Assign, Refusal
from geo.editing.history import REDO, UNDO, Entry, History
from geo.editing.plan import Plan


def undo_of(log: list[Entry], author: str) -> int | None:
    return History(log).next(UNDO, author)


def redo_of(log: list[Entry], author: str) -> int | None:
    return History(log).next(REDO, author)


def test_undo_and_redo_take_the_author_s_own_edits_in_turn() -> None:
    log = [Entry(1, "wang"), Entry(2, "li"), Entry(3, "wang")]
    assert (undo_of(log, "wang"), undo_of(log, "li"), undo_of(log, "zhao")) == (3, 2, None)
    log.append(Entry(4, "wang", undoes=3))
    assert (undo_of(log, "wang"), redo_of(log, "wang"), redo_of(log, "li")) == (1, 3, None)
    log.append(Entry(5, "wang", undoes=1))
    assert (undo_of(log, "wang"), redo_of(log, "wang")) == (None, 1)
    log.append(Entry(6, "wang", redoes=1))
    assert (undo_of(log, "wang"), redo_of(log, "wang")) == (1, 3)


def test_a_new_edit_ends_its_author_s_redo_and_nobody_else_s() -> None:
    log = [Entry(1, "wang"), Entry(2, "li"), Entry(3, "wang", undoes=1), Entry(4, "li", undoes=2)]
    log.append(Entry(5, "wang"))
    assert (redo_of(log, "wang"), redo_of(log, "li")) == (None, 2)
    assert undo_of(log, "wang") == 5


def test_an_edit_that_was_redone_is_undone_first() -> None:
    log = [Entry(1, "a"), Entry(2, "a"), Entry(3, "a", undoes=2), Entry(4, "a", undoes=1)]
    log += [Entry(5, "a", redoes=1), Entry(6, "a", redoes=2)]
    assert undo_of(log, "a") == 2
    assert redo_of(log, "a") is None


@pytest.mark.parametrize(
    "entry",
    [
        Entry(2, "a"),
        Entry(4, "a"),
        Entry(3, "a", undoes=2),
        Entry(3, "a", undoes=9),
        Entry(3, "a", redoes=2),
        Entry(3, "a", undoes=1, redoes=2),
        Entry(3, "b", redoes=1),
    ],
)
def test_a_log_that_contradicts_itself_is_refused(entry: Entry) -> None:
    history = History([Entry(1, "a"), Entry(2, "a", undoes=1)])
    with pytest.raises(ValueError, match="revision"):
        history.add(entry)
    assert (history.head, history.next(UNDO, "a"), history.next(REDO, "a")) == (2, None, 1)


@settings(max_examples=100, deadline=None)
@given(
    st.lists(st.tuples(st.sampled_from("ab"), st.sampled_from(["edit", "edit", "undo", "redo"])), max_size=60)
)
def test_a_long_walk_agrees_with_plain_lists(steps: list[tuple[str, str]]) -> None:
    history = History()
    done: dict[str, list[int]] = {"a": [], "b": []}
    undone: dict[str, list[int]] = {"a": [], "b": []}
    for author, what in steps:
        revision = history.head + 1
        if what == "edit":
            history.add(Entry(revision, author))
            done[author].append(revision)
            undone[author].clear()
        elif what == "undo" and done[author]:
            history.add(Entry(revision, author, undoes=history.next(UNDO, author)))
            undone[author].append(done[author].pop())
        elif what == "redo" and undone[author]:
            history.add(Entry(revision, author, redoes=history.next(REDO, author)))
            done[author].append(undone[author].pop())
        for one in "ab":
            assert history.next(UNDO, one) == (done[one][-1] if done[one] else None)
            assert history.next(REDO, one) == (undone[one][-1] if undone[one] else None)


def test_undo_goes_past_other_people_s_edits_where_they_do_not_meet() -> None:
    plan = plan_of(squares("aaaaaa"), "uuvvxx")
    wang, undo_wang = apply(plan, Assign((1,), 2))
    li, undo_li = apply(wang, Assign((4,), 2))
    assert conflicts(undo_wang, [undo_li.inverse()], whole=False) == []
    back = apply_change(li, undo_wang)
    assert isinstance(back, Plan)
    assert back.assignment.tolist() == [1, 1, 2, 2, 2, 3]
    redone = apply_change(back, undo_wang.inverse())
    assert np.array_equal(redone.assignment, li.assignment)


def test_undo_stops_where_someone_else_changed_the_same() -> None:
    plan = plan_of(squares("aaaaaa"), "uuvvxx")
    wang, undo_wang = apply(plan, Assign((1,), 2))
    li, undo_li = apply(wang, Assign((1, 2), 3))
    assert conflicts(undo_wang, [undo_li.inverse()], whole=False) == [Touched("cell", 1, 0)]
    refusal = apply_change(li, undo_wang)
    assert isinstance(refusal, Refusal)
    assert refusal.where == {"cells": [1]}
