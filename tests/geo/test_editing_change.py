"""Changes are invertible, compose, and survive JSON; edits survive JSON, and what is no edit is refused by name.

Documents pass through text, as the store keeps them.
"""

from __future__ import annotations

import copy
import json
import sys
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

sys.path.insert(0, str(Path(__file__).parent))

from grounds import PaperSurvey, plan_of, random_edit, random_plan, same_figures, squares

from geo.editing.apply import apply, apply_change
from geo.editing.arrays import distinct
from geo.editing.change import Change, GridChange, compose, moves
from geo.editing.codec import change_from, to_document
from geo.editing.edits import (
    Assign,
    Divide,
    Edit,
    Lock,
    LockArea,
    Merge,
    NewGrid,
    Rebalance,
    Refusal,
    Rename,
    Renumber,
    Repair,
    SetAttributes,
    SplitLine,
    SplitParts,
    edit_from,
)
from geo.editing.edits import to_document as edit_document
from geo.errors import EditError, PlanError

LINE = ((116.1, 39.9), (116.2, 40.0))
EDITS: list[Edit] = [
    Assign((1, 2), 3),
    Assign((1,), None),
    NewGrid((4, 5)),
    NewGrid((4,), "河畔"),
    Merge((3, 1)),
    SplitLine(2, LINE),
    SplitParts(2, 3, 7),
    Rebalance((1, 2), "thorough", 5, 3),
    Repair(),
    Repair((4,)),
    Divide(9, LINE),
    Lock(True, (1,), (2, 3)),
    LockArea(False, (*LINE, (116.3, 39.9))),
    Rename(1, "甲"),
    Renumber((0, 1), True),
    SetAttributes(1, {"staff": 2, "note": "“引号”"}),
]


def walk(seed: int, steps: int):
    """Plans and changes of a random walk."""
    rng = np.random.default_rng(seed)
    plans, changes = [random_plan(communities=2, per_community=30, seed=seed % 5)], []
    while len(changes) < steps:
        made = apply(plans[-1], random_edit(plans[-1], rng), survey=PaperSurvey())
        if not isinstance(made, Refusal):
            plans.append(made[0])
            changes.append(made[1].inverse())
    return plans, changes


def through_json(document: dict) -> dict:
    return json.loads(json.dumps(document, ensure_ascii=False, allow_nan=False))


@settings(max_examples=15, deadline=None)
@given(seed=st.integers(0, 10**6), steps=st.integers(1, 25))
def test_changes_survive_json_and_invert_twice(seed: int, steps: int) -> None:
    _, changes = walk(seed, steps)
    for change in changes:
        assert not change.empty
        assert change.inverse().inverse() == change
        assert change.inverse() != change
        assert change_from(through_json(to_document(change))) == change
        assert change_from(through_json(to_document(change.inverse()))) == change.inverse()


@settings(max_examples=15, deadline=None)
@given(seed=st.integers(0, 10**6), steps=st.integers(2, 25))
def test_a_composed_change_does_what_its_parts_do(seed: int, steps: int) -> None:
    plans, changes = walk(seed, steps)
    whole = changes[0]
    for change in changes[1:]:
        whole = compose(whole, change)
    after = apply_change(plans[0], whole)
    assert not isinstance(after, Refusal), after
    assert np.array_equal(after.assignment, plans[-1].assignment)
    assert np.array_equal(after.pinned, plans[-1].pinned)
    assert after.grids == plans[-1].grids
    assert after.divisions == plans[-1].divisions
    assert same_figures(after.figures, plans[-1].figures)
    back = apply_change(after, whole.inverse())
    assert np.array_equal(back.assignment[: plans[0].ground.n], plans[0].assignment)
    assert back.grids == plans[0].grids


def test_a_change_and_its_inverse_compose_to_nothing() -> None:
    plan = plan_of(squares("aaaa"), "uuvv")
    _, inverse = apply(plan, NewGrid((0, 2)))
    assert compose(inverse.inverse(), inverse).empty
    assert Change().empty
    assert Change().inverse() == Change()
    assert to_document(Change()) == {}


def test_changes_that_do_not_meet_do_not_compose() -> None:
    one = Change(**moves(np.array([3, 1]), np.array([1, 1]), np.array([2, 1])))
    assert one.cells.tolist() == [3], "cell 1 stays"
    with pytest.raises(ValueError, match="start"):
        compose(one, one)
    plan = plan_of(squares("aaaa"), "uuvv")
    rename = Change(grids=(GridChange(1, plan.grids[1], None),))
    with pytest.raises(ValueError, match="grid 1"):
        compose(rename, rename)
    _, undo = apply(plan, Divide(1, ()), survey=PaperSurvey())
    with pytest.raises(ValueError, match="division 0"):
        compose(Change(divisions=undo.divisions), Change(divisions=undo.divisions))
    _, pin = apply(plan, Lock(True, (), (1,)))
    with pytest.raises(ValueError, match="pins"):
        compose(pin, pin)
    assert one != object()


@pytest.mark.parametrize(
    ("path", "value"),
    [
        (("cells",), [3, 1]),
        (("cells",), [1]),
        (("cells",), [1, "3"]),
        (("cells",), [1, 2**40]),
        (("cells",), 5),
        (("before",), [1.0, 1]),
        (("grids", 0, "before", "staff"), -1),
        (("grids", 0, "before", "staff"), True),
        (("grids", 0, "before", "name"), None),
        (("grids", 0, "id"), 9),
        (("grids", 0), {"id": 3}),
        (("pinned",), [1, 0]),
        (("pins",), [1]),
        (("divisions", 0, "division", "load"), [1, 2, 3]),
        (("divisions", 0, "division", "edges", 0), [1, 2]),
        (("divisions", 0, "before"), 0),
    ],
)
def test_a_damaged_record_is_not_read(path: tuple, value: object) -> None:
    plan = plan_of(squares("aaaa"), "uuvv")
    _, one = apply(plan, NewGrid((0, 2)))
    _, two = apply(plan, Lock(True, (), (1, 3)))
    _, three = apply(plan, Divide(1, ()), survey=PaperSurvey())
    document = through_json(to_document(one) | to_document(two) | {"cells": [0, 2]})
    document["divisions"] = through_json(to_document(three))["divisions"]
    document |= {"before": [3, 3], "after": [1, 2]}
    assert change_from(copy.deepcopy(document)).cells.tolist() == [0, 2]
    spot = document
    for key in path[:-1]:
        spot = spot[key]
    spot[path[-1]] = value
    with pytest.raises(PlanError) as caught:
        change_from(document)
    assert caught.value.code == "change-unreadable"


@pytest.mark.parametrize("edit", EDITS, ids=lambda e: e.kind)
def test_edits_survive_json(edit: Edit) -> None:
    document = through_json(edit_document(edit))
    assert document["kind"] == edit.kind
    assert edit_from(document) == edit


def test_every_kind_is_among_those_tested_and_defaults_may_be_left_out() -> None:
    assert {e.kind for e in EDITS} == {
        *("assign", "new-grid", "merge", "split-line", "split-parts", "rebalance", "repair", "divide"),
        *("lock", "lock-area", "rename", "renumber", "set"),
    }
    assert edit_from({"kind": "rebalance", "grids": [1]}) == Rebalance((1,))
    assert edit_from({"kind": "new-grid", "cells": [1]}) == NewGrid((1,))
    assert edit_from({"kind": "assign", "cells": [1], "grid": None}) == Assign((1,), None)


@pytest.mark.parametrize(
    ("document", "column"),
    [
        ({}, "kind"),
        ([], "kind"),
        ({"kind": "explode"}, "kind"),
        ({"kind": ["assign"]}, "kind"),
        ({"kind": "assign", "cells": [1]}, "grid"),
        ({"kind": "assign", "grid": 1}, "cells"),
        ({"kind": "assign", "cells": [1], "grid": 1, "force": True}, "force"),
        ({"kind": "assign", "cells": "12", "grid": 1}, "cells"),
        ({"kind": "assign", "cells": [True], "grid": 1}, "cells"),
        ({"kind": "assign", "cells": [1.0], "grid": 1}, "cells"),
        ({"kind": "assign", "cells": [2**31], "grid": 1}, "cells"),
        ({"kind": "assign", "cells": [1], "grid": "1"}, "grid"),
        ({"kind": "divide", "cell": 1, "line": []}, "line"),
        ({"kind": "divide", "cell": 1, "line": [[1, 2, 3]]}, "line"),
        ({"kind": "divide", "cell": 1, "line": [[1, float("nan")]]}, "line"),
        ({"kind": "divide", "cell": 1, "line": [[181, 2]]}, "line"),
        ({"kind": "divide", "cell": 1, "line": [["1", "2"]]}, "line"),
        ({"kind": "divide", "cell": 1, "line": 5}, "line"),
        ({"kind": "lock", "locked": 1}, "locked"),
        ({"kind": "rename", "grid": 1, "name": None}, "name"),
        ({"kind": "rename", "grid": 1, "name": "\ud800"}, "name"),
        ({"kind": "set", "grid": 1, "attributes": ["staff"]}, "attributes"),
        ({"kind": "set", "grid": 1, "attributes": {1: 2}}, "attributes"),
    ],
)
def test_what_is_no_edit_is_refused_by_the_name_of_its_field(document: object, column: str) -> None:
    with pytest.raises(EditError) as caught:
        edit_from(document)
    assert caught.value.code == "edit-unreadable"
    assert caught.value.where == {"column": column}
    assert column in caught.value.zh
    assert column in caught.value.en


@pytest.mark.parametrize("n", [0, 1, 30, 512, 513, 5000])
def test_distinct_values_are_those_of_numpy(n: int) -> None:
    values = np.random.default_rng(n).integers(-5, 40, n).astype(np.int32)
    found = distinct(values)
    assert found.dtype == np.int32
    assert np.array_equal(found, np.unique(values))
