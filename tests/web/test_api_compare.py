"""Two plans beside each other: policy — known strokes give known lineage, and sums of both sides stay exact.

Divided cells are compared whatever either plan did to them; the old division becomes a plan once.
"""

from __future__ import annotations

import csv
import io
import shutil
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, cast

import geopandas as gpd
import numpy as np
import pytest
from flask import Flask
from plan_make import Edited, first_plan
from pydantic import SecretStr
from shapely import box
from team_make import SECRET, add_people, add_place, signed_in
from web_make import ORIGIN, SIDE, UTM, city, gpkg

from geo.cells import build_tiling
from geo.dataset.folder import read_dataset, write_dataset
from geo.dataset.ground_file import read_centres, read_ground
from geo.editing.apply import apply
from geo.editing.edits import Assign, Divide, NewGrid, Refusal
from geo.editing.plan import Plan
from geo.editing.start import snapshot
from geo.editing.survey import Survey
from geo.intake import load_city
from geo.layers import parse_source
from geo.standards import load_standard
from web import create_app
from web.jobs.starting import DATASET, OLD, START, old_plan, write_old
from web.services.comparing import compared
from web.services.overlay import overlay
from web.services.plans import PlanParameters
from web.settings import Settings
from web.store import Job

if TYPE_CHECKING:
    from geo.pipeline import PlanResult

EDGE = 0.0002
"""Degrees from the middle of the cell that is divided to near its edge, where no building stands."""
KINDS = {"kept", "split", "merged", "moved", "new", "gone"}


class Branch:
    """A branch of a plan, edited on its own."""

    def __init__(self, edited: Edited) -> None:
        self.trunk = edited
        self.id = edited.post("/branches").get_json()["id"]
        self.edits = 0

    def edit(self, kind: str, **fields: Any) -> dict[str, Any]:
        body = {"op_id": f"branch-{self.edits:04d}", "base": self.edits, "edit": {"kind": kind, **fields}}
        answer = self.trunk.client.post(f"/api/v1/plans/{self.id}/edits", json=body)
        assert answer.status_code == 200, answer.get_json()
        self.edits += 1
        return answer.get_json()

    def compared(self, query: str = "") -> dict[str, Any]:
        """This branch as the new plan, its trunk as the old one."""
        answer = self.trunk.client.get(f"/api/v1/plans/{self.id}/compare/{self.trunk.id}{query}")
        assert answer.status_code == 200, answer.get_json()
        return answer.get_json()


@pytest.fixture
def branch(edited: Edited) -> Branch:
    return Branch(edited)


def by_id(rows: list[dict[str, Any]]) -> dict[int, dict[str, Any]]:
    return {row["id"]: row for row in rows}


def test_a_branch_without_edits_keeps_every_grid(branch: Branch) -> None:
    found = branch.compared()
    assert {row["kind"] for row in found["grids"] + found["other_grids"]} == {"kept"}
    assert all(row["main"] == row["id"] for row in found["grids"] + found["other_grids"])
    assert (found["summary"]["households_moved"], found["summary"]["share_moved"]) == (0, 0.0)
    assert found["summary"]["households"] == int(branch.trunk.start.ground.cells.households.sum())
    assert found["plan"] | {"name": ""} == {"id": branch.id, "name": "", "revision": 0, "grids": 4}


def test_a_stroke_moves_the_households_of_its_cells(branch: Branch) -> None:
    ground = branch.trunk.start.ground
    cells = [cell for cell in branch.trunk.cells_of(1) if ground.cells.households[cell]][:3]
    homes = int(ground.cells.households[cells].sum())
    branch.edit("assign", cells=cells, grid=2)
    found = branch.compared()
    assert found["summary"]["households_moved"] == homes
    assert found["summary"]["share_moved"] == pytest.approx(homes / ground.cells.households.sum(), abs=1e-6)
    gained = by_id(found["grids"])[2]
    assert (gained["kind"], gained["moved"], gained["origins"], gained["main"]) == ("moved", homes, 2, 2)
    pair = next(row for row in found["crosswalk"] if (row["grid"], row["other"]) == (2, 1))
    assert (pair["households"], pair["main"]) == (homes, False)
    assert pair["buildings"] == int(ground.cells.buildings[cells].sum())


def test_halves_are_split_and_the_joined_are_merged(branch: Branch) -> None:
    half = branch.trunk.cells_of(1)[::2]
    branch.edit("new-grid", cells=half)
    branch.edit("merge", grids=[3, 4])
    found = branch.compared()
    kinds = {row["id"]: row["kind"] for row in found["grids"]}
    assert kinds == {1: "split", 2: "kept", 3: "merged", 5: "split"}
    assert {row["id"]: row["kind"] for row in found["other_grids"]} == {
        1: "split",
        2: "kept",
        3: "merged",
        4: "merged",
    }
    assert found["summary"]["kinds"] == {"kept": 1, "split": 2, "merged": 1, "moved": 0, "new": 0}
    smaller = min(row["households"] for row in found["other_grids"] if row["id"] in {3, 4})
    assert found["summary"]["households_moved"] == smaller


def test_grids_that_come_from_nowhere_or_go_there(branch: Branch) -> None:
    trunk = branch.trunk
    trunk.edit("assign", op="leave-one-out", cells=trunk.cells_of(4), grid=None)
    branch.edit("assign", cells=trunk.cells_of(2), grid=None)
    found = branch.compared()
    assert by_id(found["grids"])[4] | {"name": "", "code": ""} == {
        "id": 4,
        "code": "",
        "name": "",
        "main": None,
        "origins": 0,
        "households": by_id(found["grids"])[4]["households"],
        "moved": 0,
        "kind": "new",
    }
    assert by_id(found["other_grids"])[2]["kind"] == "gone"
    assert {(row["grid"], row["other"]) for row in found["crosswalk"]} == {
        (1, 1),
        (3, 3),
        (4, None),
        (None, 2),
    }


def test_other_states_and_what_a_browser_keeps(branch: Branch) -> None:
    branch.edit("assign", cells=branch.trunk.cells_of(1)[:5], grid=2)
    assert branch.compared("?revision=0")["summary"]["households_moved"] == 0
    url = f"/api/v1/plans/{branch.id}/compare/{branch.id}?revision=1&other_revision=0"
    answer = branch.trunk.client.get(url)
    assert answer.get_json()["summary"] == branch.compared()["summary"]
    again = branch.trunk.client.get(url, headers={"If-None-Match": answer.headers["ETag"]})
    assert (again.status_code, again.data) == (304, b"")
    for query in ("?revision=2", "?other_revision=1"):
        answer = branch.trunk.client.get(f"/api/v1/plans/{branch.id}/compare/{branch.trunk.id}{query}")
        assert (answer.status_code, answer.get_json()["code"]) == (404, "revision-missing")
    for query in ("?revision=-1", "?other_revision=x"):
        url = f"/api/v1/plans/{branch.id}/compare/{branch.trunk.id}{query}"
        assert branch.trunk.client.get(url).status_code == 400


def test_the_crosswalk_opens_in_excel_and_runs_nothing(branch: Branch) -> None:
    branch.edit("rename", grid=1, name='=HYPERLINK("http://x","y")')
    branch.edit("assign", cells=branch.trunk.cells_of(1)[:5], grid=2)
    answer = branch.trunk.client.get(f"/api/v1/plans/{branch.id}/compare/{branch.trunk.id}/crosswalk.csv")
    assert answer.mimetype == "text/csv"
    assert answer.headers["Content-Disposition"] == "attachment; filename=crosswalk.csv"
    assert answer.data.startswith(b"\xef\xbb\xbf")
    rows = list(csv.DictReader(io.StringIO(answer.data.decode("utf-8-sig"))))
    assert all(not value.startswith(("=", "+", "-", "@")) for row in rows for value in row.values())
    assert "'=HYPERLINK" in {row["name"][:11] for row in rows}
    pairs = branch.compared()["crosswalk"]
    assert [int(row["households"]) for row in rows] == [pair["households"] for pair in pairs]
    total = sum(int(row["households"]) for row in rows)
    assert total == int(branch.trunk.start.ground.cells.households.sum())
    codes = {row["code"] for row in by_id(branch.compared()["grids"]).values()}
    assert {row["code"] for row in rows} == codes


def test_a_plan_that_is_not_there(edited: Edited) -> None:
    for other in ("0" * 32, "x", "..%2F.."):
        for suffix in ("", "/crosswalk.csv"):
            assert edited.get(f"/compare/{other}{suffix}").status_code == 404


@pytest.fixture
def team_app(tmp_path: Path, compiled_messages: None) -> Iterator[Flask]:
    app = create_app(Settings(data_dir=tmp_path, team=True, secret=SecretStr(SECRET), workers=1))
    yield app
    app.extensions["wangge"].close()


def test_foreign_plans_are_not_there_and_apart_ones_are_refused(team_app: Flask) -> None:
    ours, theirs = add_place(team_app, "滨河街道"), add_place(team_app, "绝密山庄")
    users = add_people(team_app, ours, theirs)
    viewer = signed_in(team_app, users["viewer"])
    for suffix in ("", "/crosswalk.csv"):
        foreign, none = (
            viewer.get(f"/api/v1/plans/{ours.plan}/compare/{other}{suffix}")
            for other in (theirs.plan, "e" * 32)
        )
        assert (foreign.status_code, foreign.data) == (404, none.data)
    admin = signed_in(team_app, users["admin"])
    answer = admin.get(f"/api/v1/plans/{ours.plan}/compare/{theirs.plan}")
    assert (answer.status_code, answer.get_json()["code"]) == (409, "plans-apart")


class Cutter:
    """Divides cells of plans on the small city."""

    def __init__(self, folder: Path) -> None:
        self.start = first_plan(folder)
        self.survey = Survey(read_dataset(folder))
        self.spots = read_centres(folder) / 1e7
        area = self.start.ground.area_dm2
        self.cell = int(np.argmax(area))

    def divide(self, plan: Plan, cell: int, *, upright: bool, shift: float = 0.0) -> Plan:
        lon, lat = self.spots[self.cell]
        ends = ((0.0, -0.02), (0.0, 0.02)) if upright else ((-0.02, 0.0), (0.02, 0.0))
        line = tuple((lon + shift + x, lat + shift + y) for x, y in ends)
        return done(plan, Divide(cell, line), self.survey)


def done(plan: Plan, edit: Any, survey: Survey | None = None) -> Plan:
    made = apply(plan, edit, survey=survey)
    assert not isinstance(made, Refusal), made
    return made[0]


@pytest.fixture(scope="module")
def cutter(city_dataset: Path) -> Cutter:
    return Cutter(city_dataset)


def check_sums(new: Plan, old: Plan) -> None:
    """The pieces of every grid add up to its figures, on both sides."""
    laid = overlay(new, old)
    for plan, grids in ((new, laid.new), (old, laid.old)):
        for grid in plan.grids:
            mine = grids == grid
            for name in ("households", "buildings", "area_dm2"):
                assert int(getattr(laid, name)[mine].sum()) == int(getattr(plan.figures, name)[grid])


def test_a_cell_that_one_plan_divides(cutter: Cutter) -> None:
    new = cutter.divide(cutter.start, cutter.cell, upright=True)
    child = new.divisions[0].children[0]
    target = next(
        grid
        for grid, said in new.grids.items()
        if grid != new.assignment[child] and said.community == new.grids[int(new.assignment[child])].community
    )
    new = done(new, Assign((child,), target))
    for pair in ((new, cutter.start), (cutter.start, new)):
        check_sums(*pair)
    laid = overlay(new, cutter.start)
    moved = laid.households[laid.new != laid.old].sum()
    assert moved == new.divisions[0].households[0]


def test_cells_that_both_plans_divide(cutter: Cutter) -> None:
    upright = cutter.divide(cutter.start, cutter.cell, upright=True)
    again = cutter.divide(cutter.start, cutter.cell, upright=True)
    across = cutter.divide(cutter.start, cutter.cell, upright=False)
    deeper = cutter.divide(upright, upright.divisions[0].children[0], upright=False)
    for new, old in ((upright, again), (upright, across), (deeper, upright), (deeper, across)):
        check_sums(new, old)
        check_sums(old, new)
    assert len(overlay(upright, again).new) == cutter.start.ground.n + 1
    assert len(overlay(deeper, upright).new) == cutter.start.ground.n + 2
    common = overlay(upright, across)
    quarters = common.area_dm2[cutter.start.ground.n - 1 :]
    whole = int(cutter.start.ground.area_dm2[cutter.cell])
    assert (len(quarters), int(quarters.sum())) == (4, whole)
    assert quarters.min() > whole / 20, "crossing lines leave four parts"


def test_a_grid_without_homes_is_compared_by_its_area(cutter: Cutter) -> None:
    """Its households say nothing of where it comes from."""
    new = cutter.divide(cutter.start, cutter.cell, upright=True, shift=EDGE)
    division = new.divisions[0]
    side = division.households.index(0)
    new = done(new, NewGrid((division.children[side],)))
    found = compared(overlay(new, cutter.start), new, cutter.start)
    row = by_id(found["grids"])[5]
    origin = int(cutter.start.assignment[cutter.cell])
    assert (row["households"], row["kind"], row["main"], row["moved"]) == (0, "split", origin, 0)
    assert found["summary"]["households_moved"] == 0
    assert [pair["main"] for pair in found["crosswalk"] if pair["grid"] == 5] == [True]


def test_an_old_grid_across_communities_is_one_in_each(city_dataset: Path) -> None:
    ground = read_ground(city_dataset)
    east = read_centres(city_dataset)[:, 0]
    old = np.digitize(east, np.quantile(east, [0.3, 0.9])).astype(np.int32)
    left_out = np.flatnonzero(old == 2)[:4]
    old[left_out] = -1
    table = gpd.GeoDataFrame({"grid_code": ["A", "B", "C", "D"], "name": ["甲", "", "丙", "丁"]})
    plan = old_plan(ground, load_standard("fine-250"), table, old)
    assert plan.parameters["source"] == "old-grids"
    codes = [grid.code for grid in plan.grids.values()]
    assert codes == ["A", "B", "B-2", "C"]
    assert plan.grids[2].name == "B"
    parts = [int(plan.figures.households[grid]) for grid in (2, 3)]
    assert parts == sorted(parts, reverse=True)
    assert (plan.assignment[left_out] == -1).all()
    for row, grids in ((0, {1}), (1, {2, 3}), (2, {4})):
        assert set(plan.assignment[old == row].tolist()) == grids


def old_layer(east: float) -> gpd.GeoDataFrame:
    """Three old grids side by side, the one in the middle in both communities; moved east by metres."""
    x, y = ORIGIN
    shapes = [box(x + east + k * 200, y, x + east + (k + 1) * 200, y + SIDE) for k in range(3)]
    table = {"grid_code": ["旧1", "旧2", "旧3"], "name": ["一", "二", "三"]}
    return gpd.GeoDataFrame(table, geometry=shapes, crs=UTM)


def leave_results(out: Path, east: float) -> None:
    """Write what a planning job leaves for editing, without planning."""
    path = out.with_suffix(".gpkg")
    path.write_bytes(gpkg(city(old_grids=old_layer(east))))
    read = ("buildings", "communities", "old_grids")
    loaded = load_city([parse_source(f"{role}={path}:{role}") for role in read])
    tiling = build_tiling(loaded)
    out.mkdir()
    write_dataset(loaded, tiling, out / DATASET)
    (out / START).write_bytes(snapshot(first_plan(out / DATASET)))
    drawn = SimpleNamespace(standard=load_standard("fine-250"))
    write_old(cast("PlanResult", SimpleNamespace(city=loaded, tiling=tiling, plan=drawn)), out)


def test_a_job_brings_the_old_division_once(edited: Edited, tmp_path: Path) -> None:
    leave_results(tmp_path / "made", 0)
    plans = f"/api/v1/projects/{edited.project.id}/plans"
    for _ in range(2):
        job = Job(project=edited.project.id, state="done", parameters=PlanParameters().model_dump())
        edited.service.job_store.add(job)
        shutil.copytree(tmp_path / "made", edited.service.job_store.out(job.id), dirs_exist_ok=True)
        for status in (201, 200):
            assert edited.client.post(plans, json={"job": job.id}).status_code == status
    listed = edited.client.get(plans).get_json()["plans"]
    assert [plan["name"] for plan in listed] == ["方案 3", "方案 2", "原有网格 Old grids", "方案 1"]
    old = listed[2]
    assert (old["status"], old["job"], old["parameters"]) == ("draft", None, {"source": "old-grids"})
    assert old["dataset"] == listed[0]["dataset"]
    found = edited.client.get(f"/api/v1/plans/{listed[0]['id']}/compare/{old['id']}").get_json()
    assert {row["code"] for row in found["other_grids"]} == {"旧1", "旧2", "旧2-2", "旧3"}
    assert {row["kind"] for row in found["grids"]} <= KINDS
    assert found["summary"]["households"] == sum(row["households"] for row in found["other_grids"])


def test_old_grids_of_another_place_make_no_plan(tmp_path: Path) -> None:
    leave_results(tmp_path / "made", 50_000)
    assert (tmp_path / "made" / START).is_file()
    assert not (tmp_path / "made" / OLD).exists()
