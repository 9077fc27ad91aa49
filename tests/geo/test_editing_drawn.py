"""An edited plan as shapes: whatever was edited, the layers tile exactly and say what the plan says.

A plan nobody edited is drawn as the engine drew it, to the byte. After random edits and divisions the cells tile
every community without a single unmatched edge, the grids do when no cell is left out, and every count is that of
the plan.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely
from cities import box, make_city
from hypothesis import given, settings
from hypothesis import strategies as st

from geo.dataset.folder import Dataset, read_dataset, write_dataset
from geo.dataset.ground import ground_of
from geo.dataset.ground_file import read_ground
from geo.demo import write_city
from geo.editing.apply import apply, apply_change
from geo.editing.drawn import draw, drawn_plan, grid_ids, layers_of, published_grids
from geo.editing.edits import Assign, Divide, Merge, NewGrid, Refusal, Rename, SetAttributes
from geo.editing.judged import grid_rows
from geo.editing.plan import Plan
from geo.editing.present import present_tiling
from geo.editing.start import restored, snapshot
from geo.editing.started import held_reasons, start_plan
from geo.editing.survey import Survey
from geo.export import export_plan, grids_geojson
from geo.grouping import units_for
from geo.layers import parse_source
from geo.maps import plan_map
from geo.partition import partition
from geo.pipeline import PlanResult, make_plan, plan_city, write_result
from geo.plan import assemble
from geo.plan_files import read_plan, write_layers
from geo.report import verify_layers
from geo.standards import Standard, load_standard
from geo.tiling import SCALE

FINE = load_standard("fine-250")
ROLES = ("buildings", "households", "compounds", "communities", "roads", "water", "railways", "stations")
COUNTS = ("households", "persons", "buildings")


def kept(result: PlanResult, folder: Path) -> tuple[Dataset, Plan]:
    """Write a result as a dataset, and start an editable plan from it."""
    write_dataset(result.city, result.tiling, folder)
    return read_dataset(folder), start_plan(read_ground(folder), result.plan)


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> tuple[PlanResult, Dataset, Plan]:
    folder = tmp_path_factory.mktemp("demo")
    write_city("small", folder / "city.gpkg")
    sources = [parse_source(f"{role}={folder / 'city.gpkg'}:{role}") for role in ROLES]
    result = make_plan(sources, standard=FINE, effort="fast")
    return (result, *kept(result, folder / "dataset"))


@pytest.fixture(scope="module")
def town(tmp_path_factory: pytest.TempPathFactory) -> tuple[Dataset, Plan]:
    """Two communities, one in two parts, forty buildings with odd numbers of households."""
    west = shapely.MultiPolygon([box(0, 0, 200, 300), box(400, 0, 100, 300)])
    homes = [box(12 + 50 * i, 14 + 55 * j, 26, 17) for i in range(10) for j in range(5)]
    city = make_city(
        [west, box(200, 0, 200, 300)],
        homes,
        households=[7 + (13 * k) % 41 for k in range(len(homes))],
        roads=[shapely.LineString([(-10, 150), (510, 150)]), shapely.LineString([(100, -10), (100, 310)])],
    )
    return kept(plan_city(city, standard=FINE, effort="fast"), tmp_path_factory.mktemp("town") / "dataset")


def assert_drawn(dataset: Dataset, plan: Plan) -> dict[str, gpd.GeoDataFrame]:
    """Hold a drawing against its plan: exact tiling, and every count."""
    layers = layers_of(dataset, plan)
    verdicts = verify_layers(layers)
    assert verdicts["cells"].ok, verdicts["cells"]
    if plan.figures.unassigned_cells == 0:
        assert verdicts["grids"].ok, verdicts["grids"]
    drawing = draw(dataset, plan)
    grids, ids = drawing.plan.grids, drawing.ids
    assert sorted(ids.tolist()) == sorted(plan.grids)
    rows = {row["id"]: row for row in grid_rows(plan)}
    for name in ("code", "name", "community", "community_id", *COUNTS, "deviation", "in_band"):
        assert grids[name].tolist() == [rows[i][name] for i in ids.tolist()], name
    assert ("load" in grids) == (plan.figures.load != getattr(plan.figures, plan.standard.measure)).any()
    rounding = 0.01 + 0.005 * plan.figures.cells[ids]  # half a square decimetre a cell, and two decimals
    assert (np.abs(grids["area_m2"] - [rows[i]["area_m2"] for i in ids.tolist()]) <= rounding).all()
    assert np.allclose(
        grids["perimeter_m"], [rows[i]["perimeter_m"] for i in ids.tolist()], rtol=1e-5, atol=0.05
    )
    assert np.allclose(grids["compactness"], [rows[i]["polsby_popper"] for i in ids.tolist()], atol=1e-3)
    several = shapely.get_num_geometries(grids.geometry.to_numpy()) > 1
    assert (several == (plan.figures.pieces[ids] > 1)).all()
    assert grids["grid_id"].is_unique

    cells, homes = layers["cells"], layers["buildings"]
    assert cells["cell_id"].is_unique
    assert len(cells) == int(plan.ground.live.sum())
    by_cell = cells.groupby("grid_id")["households"].sum()
    assert by_cell.get("", 0) == plan.figures.unassigned_households
    assert (grids["households"].to_numpy() == by_cell.reindex(grids["grid_id"]).to_numpy()).all()
    counted = homes[homes["grid_id"] != ""].groupby("grid_id").size()
    assert (grids["buildings"].to_numpy() == counted.reindex(grids["grid_id"]).fillna(0).to_numpy()).all()
    pd.testing.assert_series_equal(homes["households"], dataset.city.buildings["households"])
    assert (
        households_by_grid(homes).reindex(grids["grid_id"]).fillna(0) == grids["households"].to_numpy()
    ).all()
    return layers


def households_by_grid(homes: gpd.GeoDataFrame) -> pd.Series[Any]:
    """Count households by grid from the buildings alone, as the documentation says to."""
    between = homes["divided_between"] if "divided_between" in homes else pd.Series("", index=homes.index)
    whole = homes[between == ""]
    parts = [part.rpartition(":") for text in between[between != ""] for part in text.split(";")]
    pairs = [*zip(whole["grid_id"], whole["households"], strict=True), *((g, int(n)) for g, _, n in parts)]
    return pd.DataFrame(pairs, columns=["grid", "households"]).groupby("grid")["households"].sum()


def test_a_plan_nobody_edited_is_drawn_as_the_engine_drew_it(
    demo: tuple[PlanResult, Dataset, Plan], tmp_path: Path
) -> None:
    result, dataset, plan = demo
    write_result(result, tmp_path / "engine.gpkg")
    layers = layers_of(dataset, plan)
    assert list(layers) == list(result.layers)
    for name, frame in result.layers.items():
        assert (shapely.to_wkb(frame.geometry) == shapely.to_wkb(layers[name].geometry)).all()
        assert_same_table(frame, layers[name])
    write_layers(layers, tmp_path / "edited.gpkg")
    assert (tmp_path / "engine.gpkg").read_bytes() == (tmp_path / "edited.gpkg").read_bytes()
    assert grids_geojson(drawn_plan(dataset, plan).grids) == grids_geojson(result.plan.grids)
    export_plan(read_plan(tmp_path / "engine.gpkg"), tmp_path / "a.geojson", to="geojson")
    export_plan(layers, tmp_path / "b.geojson", to="geojson")
    assert (tmp_path / "a.geojson").read_bytes() == (tmp_path / "b.geojson").read_bytes()


@pytest.mark.parametrize("name", ["type-rule-634", "base-and-dedicated", "three-level", "type-range"])
def test_plans_of_every_kind_of_rule_are_drawn_as_the_engine_drew_them(
    demo: tuple[PlanResult, Dataset, Plan], name: str
) -> None:
    _, dataset, _ = demo
    standard = load_standard(name)
    units = units_for(dataset.city, dataset.tiling, standard, graph=dataset.graph)
    parts = partition(units, standard, effort="fast")
    drawn = assemble(dataset.city, dataset.tiling, units, parts, standard=standard, seed=0)
    assert_same_table(drawn_plan(dataset, start_plan(dataset.ground, drawn)).grids, drawn.grids)


def test_a_plan_with_released_compounds_keeps_its_loads(
    demo: tuple[PlanResult, Dataset, Plan], tmp_path: Path
) -> None:
    standard = replace(load_standard("type-rule-634"), release="blocking")
    result = plan_city(demo[0].city, standard=standard, effort="fast")
    dataset, plan = kept(result, tmp_path / "dataset")
    assert_same_table(drawn_plan(dataset, plan).grids, result.plan.grids)


def assert_same_table(one: gpd.GeoDataFrame, other: gpd.GeoDataFrame) -> None:
    pd.testing.assert_frame_equal(
        pd.DataFrame(one.drop(columns="geometry")), pd.DataFrame(other.drop(columns="geometry"))
    )


def test_an_edited_plan_becomes_a_file_an_export_and_a_map(
    demo: tuple[PlanResult, Dataset, Plan], tmp_path: Path
) -> None:
    _, dataset, plan = demo
    first = int(np.flatnonzero(plan.assignment == 1)[0])
    made = apply(plan, NewGrid((first,), "=新网格"))
    assert not isinstance(made, Refusal)
    layers = assert_drawn(dataset, made[0])
    write_layers(layers, tmp_path / "plan.gpkg")
    frames = read_plan(tmp_path / "plan.gpkg")
    export_plan(frames, tmp_path / "grids.geojson", to="geojson")
    export_plan(frames, tmp_path / "grids.csv", to="csv")
    assert "=新网格" in (tmp_path / "grids.geojson").read_text(encoding="utf-8")
    assert "新网格" in plan_map(frames)


def random_plan_of(plan: Plan, rng: np.random.Generator, steps: int, survey: Survey | None = None) -> Plan:
    """Make random edits on the ground: brush strokes, new grids, merges, divisions by random lines."""
    kinds = ["assign", "new", "merge", "unassign", *(["divide"] * 3 if survey else [])]
    for _ in range(steps):
        live = np.flatnonzero(plan.ground.live)
        cells = tuple(rng.choice(live, size=int(rng.integers(1, 6)), replace=False).tolist())
        grids = sorted(plan.grids)
        kind = str(rng.choice(kinds))
        if kind == "divide" and survey is not None:
            edit: Any = Divide(cells[0], line_through(survey, plan, cells[0], rng))
        elif kind == "assign":
            edit = Assign(cells[:1], int(rng.choice(grids)))
        elif kind == "unassign":
            edit = Assign(cells[:1], None)
        elif kind == "new":
            edit = NewGrid(tuple(c for c in cells if plan.ground.cells.community[c] == 0) or cells[:1])
        else:
            edit = Merge(tuple(rng.choice(grids, 2, replace=False).tolist()) if len(grids) > 1 else (1, 2))
        made = apply(plan, edit, survey=survey)
        plan = plan if isinstance(made, Refusal) else made[0]
    return plan


def line_through(
    survey: Survey, plan: Plan, cell: int, rng: np.random.Generator
) -> tuple[tuple[float, float], ...]:
    """Return a line through a cell at a random angle, off its middle."""
    shape = survey.shapes(plan).polygons([cell])[0]
    xmin, ymin, xmax, ymax = shape.bounds
    middle = np.array([(xmin + xmax) / 2, (ymin + ymax) / 2]) + rng.normal(0, 0.1, 2) * (xmax - xmin)
    angle = rng.uniform(0, np.pi)
    step = np.array([np.cos(angle), np.sin(angle)]) * (xmax - xmin + ymax - ymin)
    return tuple(map(tuple, np.array([middle - step, middle + step]).tolist()))


@settings(max_examples=12, deadline=None)
@given(seed=st.integers(0, 2**32 - 1))
def test_random_edits_are_drawn_exactly(town: tuple[Dataset, Plan], seed: int) -> None:
    dataset, plan = town
    assert_drawn(dataset, random_plan_of(plan, np.random.default_rng(seed), 30))


@settings(max_examples=8, deadline=None)
@given(seed=st.integers(0, 2**32 - 1))
def test_random_divisions_are_drawn_exactly(town: tuple[Dataset, Plan], seed: int) -> None:
    dataset, start = town
    plan = random_plan_of(start, np.random.default_rng(seed), 16, Survey(dataset))
    assert len(plan.divisions) > 1
    assert_drawn(dataset, plan)
    again = restored(dataset.ground, plan.standard, snapshot(plan))
    for name, frame in layers_of(dataset, plan).items():
        assert frame.equals(layers_of(dataset, again)[name]), name


def halved(dataset: Dataset, plan: Plan, cell: int, share: float) -> Plan:
    """Divide a cell from south to north, with about this share of its width in the west."""
    xmin, ymin, xmax, ymax = dataset.tiling.cells.geometry.iloc[cell].bounds
    x = xmin + share * (xmax - xmin)
    made = apply(plan, Divide(cell, ((x, ymin - 1e-4), (x, ymax + 1e-4))), survey=Survey(dataset))
    assert not isinstance(made, Refusal), made
    return made[0]


def test_a_cut_building_stays_whole_and_says_who_has_what(town: tuple[Dataset, Plan]) -> None:
    dataset, plan = town
    building = 17
    cell = int(dataset.tiling.building_cell[building])
    homes = int(dataset.city.buildings["households"].iloc[building])
    plan = halved(dataset, plan, cell, 0.5)
    layers = assert_drawn(dataset, plan)
    assert "divided_between" not in layers["buildings"]
    named = layers["cells"].set_index("cell_id")["building_id"]
    children = [f"C{c + 1:06d}" for c in plan.divisions[0].children]
    assert [named[c] for c in children] == [f"b{building}"] * 2
    assert f"C{cell + 1:06d}" not in named.index

    east = plan.divisions[0].children[1]
    made = apply(plan, NewGrid((east,)))
    assert not isinstance(made, Refusal)
    layers = assert_drawn(dataset, made[0])
    row = layers["buildings"].iloc[building]
    assert row["households"] == homes
    shares = dict(part.rsplit(":", 1) for part in row["divided_between"].split(";"))
    assert sum(map(int, shares.values())) == homes
    assert sorted(map(int, shares.values())) == sorted(plan.divisions[0].households)
    assert row["grid_id"] in shares
    assert (layers["buildings"]["divided_between"] != "").sum() == 1


def test_children_lie_in_their_parent_and_keep_what_it_had(town: tuple[Dataset, Plan]) -> None:
    dataset, start = town
    plan = halved(dataset, start, 5, 0.4)
    tiling, _ = present_tiling(dataset, plan)
    shapes = tiling.cells.geometry.to_numpy()
    children = list(plan.divisions[0].children)
    assert shapes[5].is_empty
    whole = dataset.tiling.cells.geometry.iloc[5]
    assert (
        shapely.union_all(shapes[children]).symmetric_difference(whole).area
        < 100 / SCALE**2 * whole.length * SCALE
    )
    for name in ("community", "block", "compound"):
        assert (tiling.cells[name].iloc[children] == dataset.tiling.cells[name].iloc[5]).all()
    assert tiling.cells["area_m2"].iloc[children].sum() == pytest.approx(
        dataset.tiling.cells["area_m2"].iloc[5], abs=0.01
    )
    metric = gpd.GeoSeries(shapes[children], crs="EPSG:4326").to_crs(dataset.city.crs)
    assert np.allclose(tiling.cells["area_m2"].iloc[children], metric.area, rtol=1e-3)


def test_an_undone_division_leaves_no_trace_in_the_layers(town: tuple[Dataset, Plan]) -> None:
    dataset, start = town
    made = apply(
        start,
        Divide(3, line_through(Survey(dataset), start, 3, np.random.default_rng(1))),
        survey=Survey(dataset),
    )
    assert not isinstance(made, Refusal)
    undone = apply_change(*made)
    assert not isinstance(undone, Refusal)
    assert undone.ground.n == start.ground.n + 2
    before, after = layers_of(dataset, start), assert_drawn(dataset, undone)
    for name, frame in before.items():
        assert frame.equals(after[name]), name


def test_cells_in_no_grid_are_in_no_polygon(town: tuple[Dataset, Plan]) -> None:
    dataset, plan = town
    made = apply(plan, Assign((4,), None))
    assert not isinstance(made, Refusal)
    layers = assert_drawn(dataset, made[0])
    assert layers["cells"]["grid_id"].iloc[4] == ""
    inside = shapely.point_on_surface(dataset.tiling.cells.geometry.iloc[4])
    assert not shapely.intersects(layers["grids"].geometry.to_numpy(), inside).any()
    assert drawn_plan(dataset, made[0]).grid_of_cell[4] == -1


def test_a_plan_without_any_grid_is_written_and_read(town: tuple[Dataset, Plan], tmp_path: Path) -> None:
    dataset, plan = town
    made = apply(plan, Assign(tuple(range(plan.ground.n)), None))
    assert not isinstance(made, Refusal)
    assert made[0].grids == {}
    write_layers(layers_of(dataset, made[0]), tmp_path / "plan.gpkg")
    frames = read_plan(tmp_path / "plan.gpkg")
    assert frames["grids"].empty
    assert set(frames["cells"]["grid_id"].fillna("")) == {""}
    export_plan(frames, tmp_path / "grids.geojson", to="geojson")
    published = published_grids(dataset, made[0])
    assert published.empty
    assert (published.dtypes == published_grids(dataset, plan).dtypes).all()


def test_every_grid_has_an_id_of_its_own_whatever_its_code(town: tuple[Dataset, Plan]) -> None:
    dataset, plan = town
    odd = ["c0-001", "c0-001", "", "甲", "c0-1", "c0-0001", "c0-٠٠١"]
    grid = next(iter(plan.grids.values()))
    grids = [replace(grid, id=k, community=0, code=code) for k, code in enumerate(odd, 1)]
    assert grid_ids(plan, grids) == ["c0-001", "c0-g2", "c0-g3", "c0-g4", "c0-g5", "c0-0001", "c0-g7"]
    made = apply(plan, SetAttributes(1, {"code": plan.grids[2].code}))
    if not isinstance(made, Refusal):
        assert_drawn(dataset, made[0])


def test_grids_come_in_the_order_of_their_codes(town: tuple[Dataset, Plan]) -> None:
    dataset, plan = town
    last = max(g.id for g in plan.grids.values() if g.community == 0)
    made = apply(plan, SetAttributes(last, {"code": "c0-000"}))
    assert not isinstance(made, Refusal)
    drawing = draw(dataset, made[0])
    assert drawing.ids[0] == last
    codes = drawing.plan.grids.groupby("community")["code"].apply(list)
    assert all(listed == sorted(listed) for listed in codes)
    assert (drawing.plan.grids.groupby("community")["number"].min() == 1).all()


def test_reasons_hold_only_while_a_community_is_unchanged(demo: tuple[PlanResult, Dataset, Plan]) -> None:
    result, dataset, plan = demo
    said = result.plan.grids[result.plan.grids["reason"] != ""]
    assert len(said) > 1
    assert {i - 1 for i in held_reasons(plan)} == set(said.index)
    community = int(said["community"].iloc[0])
    cell = int(np.flatnonzero(plan.ground.cells.community == community)[0])
    made = apply(plan, Assign((cell,), None))
    assert not isinstance(made, Refusal)
    left = held_reasons(made[0])
    assert set(left) == {int(row) + 1 for row in said.index[said["community"] != community]}
    grids = drawn_plan(dataset, made[0]).grids
    changed = grids[grids["community"] == community]
    assert set(changed.loc[~changed["in_band"], "reason"]) == {"not-searched"}
    assert (changed.loc[changed["in_band"], "reason"] == "").all()
    renamed = apply(plan, Rename(1, "新名"))
    assert not isinstance(renamed, Refusal)
    assert held_reasons(renamed[0]) == held_reasons(plan)


def test_dedicated_grids_keep_their_use() -> None:
    town_ = [box(0, 0, 400, 200)]
    homes = [box(10 + 30 * i, 20, 20, 20) for i in range(13)]
    city = make_city(town_, homes, households=[40] * 12 + [0])
    uses = [""] * 12 + ["医院"]
    city = replace(city, buildings=city.buildings.assign(use=uses, workers=np.array([0] * 12 + [900])))
    standard: Standard = replace(FINE, dedicated=("institution",))
    result = plan_city(city, standard=standard, effort="fast")
    plan = start_plan(ground_of(city, result.tiling, "0" * 64), result.plan)
    settled = (result.plan.grids["reason"] == "dedicated").tolist()
    assert sum(settled) == 1
    assert [grid.kind for grid in plan.grids.values()] == ["institution" if s else "" for s in settled]


def test_published_grids_say_what_the_plan_says(town: tuple[Dataset, Plan]) -> None:
    dataset, plan = town
    for edit in (SetAttributes(1, {"staff": 3, "note": "注"}), Rename(2, "二"), Assign((0,), None)):
        made = apply(plan, edit)
        assert not isinstance(made, Refusal)
        plan = made[0]
    frame = published_grids(dataset, plan)
    rows = {row["id"]: row for row in grid_rows(plan)}
    assert frame.crs.to_epsg() == 4326
    assert set(frame.geom_type) <= {"Polygon", "MultiPolygon"}
    for record in frame.drop(columns="geometry").to_dict("records"):
        row = rows.pop(record["grid_id"])
        assert record.pop("compactness") == row["polsby_popper"]
        assert record.pop("community") == plan.ground.community_names[row["community"]]
        assert {name: row[name] for name in record if name != "grid_id"} == {
            name: value for name, value in record.items() if name != "grid_id"
        }
    assert rows == {}


def test_a_plan_of_another_dataset_is_not_drawn(town: tuple[Dataset, Plan]) -> None:
    dataset, plan = town
    with pytest.raises(ValueError, match="the plan is of dataset"):
        draw(replace(dataset, id="0" * 64), plan)
