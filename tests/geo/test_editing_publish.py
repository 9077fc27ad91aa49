"""What forbids publication, and what is worth a warning: each by the smallest plan that shows it."""

from __future__ import annotations

import json
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).parent))

from grounds import plan_from_labels, plan_of, random_plan, squares

from geo.editing.apply import apply
from geo.editing.edits import Assign, SetAttributes
from geo.editing.publish import grids_in_pieces, open_errors, open_warnings, warnings
from geo.standards import load_standard


def codes(findings):
    return [f["code"] for f in findings]


def test_a_plan_in_order_has_no_errors_and_no_warnings() -> None:
    plan = plan_of(squares("aaaabbbb", households=[125] * 8), "uuvvxxyy")
    assert open_errors(plan) == []
    assert open_warnings(plan) == []


def test_unassigned_cells_forbid_publication() -> None:
    plan = plan_of(squares("aaaa", households=[1, 2, 3, 4]), "u..u")
    (error, apart) = open_errors(plan)
    assert (error["code"], error["where"]) == ("cells-unassigned", {"cells": [1, 2]})
    assert "5 households" in error["en"]
    assert "5 户" in error["zh"]
    assert apart["code"] == "grid-in-pieces"


def test_a_grid_in_pieces_forbids_publication_only_where_its_community_connects_it() -> None:
    joined = plan_of(squares("aaaa"), "uvvu")
    assert grids_in_pieces(joined) == [1]
    assert [e["where"] for e in open_errors(joined)] == [{"grids": [1]}]
    parted = plan_of(squares("abba"), "uvvu")
    assert parted.figures.pieces[1] == 2
    assert grids_in_pieces(parted) == []
    assert open_errors(parted) == []
    assert "grid-in-pieces" in codes(warnings(parted, [1]))
    three = plan_of(squares("aaabba"), "uvuxxu")
    assert grids_in_pieces(three) == [1], "two of its three pieces could meet"


def test_a_hard_barrier_excuses_pieces_on_its_sides() -> None:
    hard = replace(load_standard("fine-250"), barriers={"alley": "hard"})
    plan = plan_of(squares("aaaaaa"), "uuuuuu", hard)
    assert plan.figures.pieces[1] == 2
    assert grids_in_pieces(plan) == []


def test_codes_are_there_and_each_once() -> None:
    plan = plan_of(squares("aaaa"), "uvwx")
    plan, _ = apply(plan, SetAttributes(1, {"code": ""}))
    plan, _ = apply(plan, SetAttributes(4, {"code": "c0-002"}))
    empty, twice = open_errors(plan)
    assert (empty["code"], empty["where"]) == ("code-empty", {"grids": [1]})
    assert (twice["code"], twice["where"]) == ("code-duplicate", {"grids": [2, 4], "value": "c0-002"})
    json.dumps([empty, twice], allow_nan=False)


def test_warnings_are_of_the_touched_grids_alone() -> None:
    plan = plan_of(squares("aaaaaa", households=[250, 0, 400, 0, 1, 1]), "uuvvxx")
    assert [w["where"]["grids"] for w in warnings(plan, [2, 99])] == [[2]]
    assert [w["where"] for w in open_warnings(plan)] == [
        {"grids": [2], "load": 400},
        {"grids": [3], "load": 2},
    ]
    assert "400 households" in warnings(plan, [2])[0]["en"]
    persons = replace(plan, standard=replace(plan.standard, measure="persons"))
    assert "400 人" in warnings(persons, [2])[0]["zh"]
    park, _ = apply(plan, SetAttributes(2, {"kind": "park"}))
    assert codes(warnings(park, [2])) == []


def test_a_split_compound_is_named_with_all_its_grids_once() -> None:
    ground = squares("aaaaaa", households=[60] * 6, compound=[-1, 0, 0, 0, 1, 1])
    plan = plan_from_labels(ground, np.array([0, 0, 1, 1, 2, 2], np.int32))
    found = [w for w in warnings(plan, [1, 2, 3]) if w["code"] == "compound-split"]
    assert [w["where"] for w in found] == [{"grids": [1, 2], "compound": "k0"}]
    assert "小区0" in found[0]["zh"]
    assert "compound-split" not in codes(warnings(plan, [3]))
    assert warnings(plan, []) == []
    whole, _ = apply(plan, Assign((1,), 2))
    assert "compound-split" not in codes(open_warnings(whole))


def test_findings_of_a_whole_town_are_json() -> None:
    plan = random_plan(communities=2, per_community=60, seed=1)
    found = open_errors(plan) + open_warnings(plan)
    assert {"grid-in-pieces", "compound-split", "grid-out-of-band"} <= set(codes(found))
    assert json.loads(json.dumps(found, allow_nan=False)) == found
    assert all(f["zh"] and f["en"] and f["where"] for f in found)
