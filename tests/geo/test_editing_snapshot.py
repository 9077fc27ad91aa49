"""A stored plan comes back to the bit, and bytes that are not one are refused, whatever was done to them.

Also: how a plan starts, and what a divided ground must hold.
"""

from __future__ import annotations

import json
import subprocess
import sys
import zlib
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

sys.path.insert(0, str(Path(__file__).parent))

from grounds import (
    PaperSurvey,
    division_of,
    measured,
    plan_of,
    random_edit,
    random_plan,
    same_figures,
    squares,
)

from geo.editing.apply import apply
from geo.editing.divided import divided, ground_with
from geo.editing.edits import Divide, Refusal
from geo.editing.plan import Plan
from geo.editing.start import MAGIC, new_plan, plan_to_document, restored, snapshot
from geo.errors import PlanError
from geo.standards import load_standard

ROOT = Path(__file__).resolve().parents[2]
STANDARD = load_standard("fine-250")


def walked(seed: int, steps: int) -> tuple[Plan, Plan]:
    rng = np.random.default_rng(seed)
    start = plan = random_plan(communities=2, per_community=30, seed=seed % 5)
    for _ in range(steps):
        made = apply(plan, random_edit(plan, rng), survey=PaperSurvey())
        plan = plan if isinstance(made, Refusal) else made[0]
    return start, plan


@settings(max_examples=20, deadline=None)
@given(seed=st.integers(0, 10**6), steps=st.integers(0, 60))
def test_a_snapshot_brings_back_every_part_of_a_plan(seed: int, steps: int) -> None:
    start, plan = walked(seed, steps)
    data = snapshot(plan)
    back = restored(start.ground, STANDARD, data)
    assert snapshot(back) == data
    for name in ("grids", "next_grid", "parameters", "divisions", "in_force"):
        assert getattr(back, name) == getattr(plan, name)
    for name in ("assignment", "pinned", "load"):
        assert np.array_equal(getattr(back, name), getattr(plan, name))
        assert not getattr(back, name).flags.writeable
    assert same_figures(back.figures, plan.figures)
    assert np.array_equal(back.ground.class_mm, plan.ground.class_mm)


STORED = walked(3, 30)


@settings(max_examples=60, deadline=None)
@given(st.data())
def test_damaged_bytes_are_refused_or_say_the_same(data: st.DataObject) -> None:
    start, plan = STORED
    whole = snapshot(plan)
    at = data.draw(st.integers(0, len(whole) - 1))
    if data.draw(st.booleans()):
        broken = whole[:at]
    else:
        broken = whole[:at] + bytes([whole[at] ^ data.draw(st.integers(1, 255))]) + whole[at + 1 :]
    code = ""
    try:
        same = snapshot(restored(start.ground, STANDARD, broken)) == whole
    except PlanError as error:
        same, code = False, error.code
    assert same or code.startswith("snapshot-")


def repacked(plan: Plan, change: object) -> bytes:
    """Snapshot whose header went through a function."""
    plain = zlib.decompress(snapshot(plan)[len(MAGIC) :])
    size = int.from_bytes(plain[:8], "little")
    document = json.loads(plain[8 : 8 + size])
    change(document)
    header = json.dumps(document).encode()
    return MAGIC + zlib.compress(len(header).to_bytes(8, "little") + header + plain[8 + size :])


@pytest.mark.parametrize(
    ("change", "code"),
    [
        (lambda d: d.update(version=2), "snapshot-version"),
        (lambda d: d.update(dataset="1" * 64), "snapshot-dataset"),
        (lambda d: d.update(cells=5), "snapshot-dataset"),
        (lambda d: d.pop("grids"), "snapshot-unreadable"),
        (lambda d: d["grids"][0].update(staff="2"), "snapshot-unreadable"),
        (lambda d: d["grids"][0].pop("name"), "snapshot-unreadable"),
        (lambda d: d["arrays"][0].__setitem__(1, "<i8"), "snapshot-unreadable"),
        (lambda d: d["arrays"][0].__setitem__(1, "|O"), "snapshot-unreadable"),
        (lambda d: d["arrays"][0].__setitem__(2, -1), "snapshot-unreadable"),
        (lambda d: d["arrays"].pop(), "snapshot-unreadable"),
        (lambda d: d["arrays"].append(["more", "<i4", 10**9]), "snapshot-unreadable"),
        (lambda d: d["grids"].pop(), "plan-inconsistent"),
        (lambda d: d["grids"][0].update(community=1), "plan-inconsistent"),
        (lambda d: d["grids"][0].update(id=9), "plan-inconsistent"),
        (lambda d: d.update(next_grid=2), "plan-inconsistent"),
    ],
)
def test_a_snapshot_that_contradicts_itself_is_refused(change: object, code: str) -> None:
    plan = plan_of(squares("aabb"), "uvxx")
    with pytest.raises(PlanError) as caught:
        restored(plan.ground, STANDARD, repacked(plan, change))
    assert caught.value.code == code


def test_other_bytes_are_no_snapshot() -> None:
    ground = squares("aa")
    for data in (
        b"",
        b"PK\x03\x04",
        MAGIC,
        MAGIC + zlib.compress(b"[]"),
        snapshot(plan_of(ground, "uu")) + b"x",
    ):
        with pytest.raises(PlanError) as caught:
            restored(ground, STANDARD, data)
        assert caught.value.code == "snapshot-unreadable"


def test_a_plan_starts_from_a_table_of_grids() -> None:
    ground = squares("aabb", households=[1, 2, 3, 4])
    table = pd.DataFrame(
        {
            "code": ["A", "B"],
            "name": ["甲", "乙"],
            "community": np.array([0, 1], np.int32),
            "kind": ["", "park"],
            "staff": [1, 2],
            "households": [3, 3],
        }
    )
    plan = new_plan(ground, STANDARD, np.array([0, 0, 1, -1]), table, {"seed": 7})
    assert plan.assignment.tolist() == [1, 1, 2, -1]
    assert (plan.grids[2].code, plan.grids[2].kind, plan.grids[2].staff) == ("B", "park", 2)
    assert (plan.next_grid, plan.parameters) == (3, {"seed": 7})
    assert plan.figures.unassigned_households == 4
    assert plan_to_document(plan)["standard"] == "fine-250"
    json.dumps(plan_to_document(plan), allow_nan=False)
    loaded = new_plan(ground, STANDARD, np.array([0, 0, 1, -1]), table, load=np.array([5, 6, 7, 8]))
    assert loaded.figures.load.tolist() == [0, 11, 7]
    assert loaded.parameters == {}


@pytest.mark.parametrize(
    ("label", "community"),
    [
        ([0, 0, 0, 0], [0]),
        ([0, 0, 1, 1], [0, 0]),
        ([0, 0, 2, 2], [0, 1]),
        ([0, 0, 0], [0]),
        ([0, 0, -1, -1], [0, 1]),
    ],
)
def test_a_plan_whose_cells_and_grids_do_not_fit_is_not_made(label: list[int], community: list[int]) -> None:
    table = {
        "code": ["A", "B"][: len(community)],
        "name": ["甲", "乙"][: len(community)],
        "community": community,
    }
    with pytest.raises(PlanError) as caught:
        new_plan(squares("aabb"), STANDARD, np.array(label), table, {})
    assert caught.value.code == "plan-inconsistent"


def test_divided_ground_keeps_every_household_and_millimetre() -> None:
    plan = random_plan(communities=1, per_community=40, seed=2)
    ground = plan.ground
    once = divided(ground, division_of(ground, 7))
    more = divided(once, division_of(once, 40))
    assert more.n == 44
    assert more.base is ground
    assert np.flatnonzero(~more.live).tolist() == [7, 40]
    units, graph = more.cells, more.cells.graph
    for name in ("households", "persons", "buildings", "workers"):
        assert getattr(units, name).sum() == getattr(ground.cells, name).sum()
    assert more.area_dm2.sum() == ground.area_dm2.sum()
    assert more.outer_mm.sum() == ground.outer_mm.sum()
    assert more.length_mm.sum() == ground.length_mm.sum() + 2 * 2 * 7000
    assert np.array_equal(more.class_mm.sum(axis=1), more.length_mm)
    dense = np.zeros((more.n, more.n), np.int64)
    dense[graph.focal, graph.neighbor] = more.length_mm
    assert (dense == dense.T).all()
    assert not dense[[7, 40]].any()
    for i in range(more.n):
        assert (np.diff(graph.neighbor[graph.indptr[i] : graph.indptr[i + 1]]) > 0).all()
    assert np.allclose(graph.class_m, more.class_mm / 1000, atol=0.001)
    metres = np.zeros((more.n, more.n))
    metres[graph.focal, graph.neighbor] = graph.length_m
    assert (metres == metres.T).all(), "both directions carry the very same"
    assert np.array_equal(units.compound[[40, 41]], ground.cells.compound[[7, 7]])
    assert ground_with(ground, (), ()) is ground


@pytest.mark.parametrize(
    "spoil",
    [
        {"parent": 99},
        {"parent": -1},
        {"children": (9, 10)},
        {"households": (1, 1)},
        {"households": (-5, 15)},
        {"area_dm2": (1, 2)},
        {"outer_mm": (1, 2)},
        {"edges": ()},
        {"edges": ((0, 1, (0,) * 7),)},
    ],
)
def test_a_division_whose_numbers_do_not_add_up_is_refused(spoil: dict[str, object]) -> None:
    ground = squares("aaaa")
    with pytest.raises(PlanError) as caught:
        divided(ground, replace(division_of(ground, 1), **spoil))
    assert caught.value.code == "division-unfit"


def test_a_cell_is_divided_once_and_loads_add_up() -> None:
    plan = plan_of(squares("aaaa"), "uuuu")
    ground = divided(plan.ground, division_of(plan.ground, 1))
    with pytest.raises(PlanError):
        divided(ground, division_of(ground, 1))
    once, inverse = apply(plan, Divide(1, ()), survey=PaperSurvey())
    document = plan_to_document(once)
    document["divisions"][0]["division"]["load"] = [1, 1]
    with pytest.raises(PlanError) as caught:
        restored(plan.ground, STANDARD, repacked(once, lambda d: d.update(divisions=document["divisions"])))
    assert caught.value.code == "division-unfit"
    assert same_figures(measured(once), once.figures)
    assert inverse.divisions[0].after is False


def test_the_modules_of_the_server_are_light() -> None:
    names = ["apply", "start", "judged", "publish", "conflict", "history", "codec"]
    code = (
        "import sys\n"
        + "".join(f"import geo.editing.{name}\n" for name in names)
        + "heavy = {'numba', 'pandas', 'geopandas', 'shapely', 'scipy', 'pyogrio'} & set(sys.modules)\n"
        + "assert not heavy, heavy\n"
        + "assert not any(m.startswith('geo.partition') for m in sys.modules)\n"
    )
    subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=True)
