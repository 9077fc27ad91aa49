"""Plans on cities with shapes, for the tests of edits that need a survey."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import shapely
from cities import CORNER, METRIC, box, make_city
from pyproj import Transformer

from geo.adjacency import components
from geo.cells import build_tiling
from geo.city import City
from geo.dataset.ground import ground_of
from geo.demo import write_city
from geo.editing.apply import apply, apply_change
from geo.editing.change import Change
from geo.editing.edits import Edit, Refusal
from geo.editing.figures import measure
from geo.editing.plan import Plan
from geo.editing.start import new_plan
from geo.editing.survey import Survey
from geo.layers import parse_source
from geo.pipeline import make_plan
from geo.standards import Standard, load_standard
from geo.tiling import Tiling
from geo.units import open_graph
from geo.verify import TilingVerdict, verify_tiling

STANDARD = load_standard("fine-250")


@dataclass(frozen=True)
class Surveyed:
    """A plan with its survey."""

    survey: Survey
    plan: Plan


def plan_on(
    city: City, tiling: Tiling, grid_of_cell: Any, *, standard: Standard = STANDARD, names: Any = None
) -> Surveyed:
    """A plan of grids numbered from 0, each with cells; codes by number in the community."""
    ground = ground_of(city, tiling, "0" * 64)
    rows = np.asarray(grid_of_cell)
    community = [int(ground.cells.community[np.flatnonzero(rows == g)[0]]) for g in range(rows.max() + 1)]
    number = [community[: g + 1].count(k) for g, k in enumerate(community)]
    table = names or {
        "code": [f"c{k}-{n:03d}" for k, n in zip(community, number, strict=True)],
        "name": [f"社区{k}第{n}网格" for k, n in zip(community, number, strict=True)],
        "community": community,
    }
    return Surveyed(Survey.of(city, tiling), new_plan(ground, standard, rows, table))


@cache
def town() -> tuple[City, Tiling]:
    """Two communities of 400 m by 300 m side by side, cut by streets into quarters of twelve houses.

    In the south-west quarter of either six houses make a compound with a wall around.
    """
    blocks = [box(0, 0, 400, 300), box(400, 0, 400, 300)]
    spots = [(50 * i + 12, 50 * j + 18) for i in range(16) for j in range(6)]
    houses = [box(x, y, 22, 12) for x, y in spots]
    compound = [-1] * len(spots)
    walls = []
    for k, x0 in enumerate((0, 400)):
        walls.append(box(x0 + 5, 5, 90, 142))
        for i, (x, y) in enumerate(spots):
            if x0 + 5 < x < x0 + 90 and y < 145:
                compound[i] = k
    rng = np.random.default_rng(7)
    city = make_city(
        blocks,
        houses,
        roads=[
            shapely.LineString([(200, -20), (200, 320)]),
            shapely.LineString([(600, -20), (600, 320)]),
            shapely.LineString([(-10, 150), (810, 150)]),
        ],
        compounds=walls,
        households=rng.integers(8, 33, len(spots)).tolist(),
        building_compound=compound,
    )
    return city, build_tiling(city)


def inner(tiling: Tiling) -> np.ndarray:
    """Inner points of the cells, metres from `CORNER`."""
    shapes = tiling.cells.geometry.to_crs(METRIC).to_numpy()
    return shapely.get_coordinates(shapely.point_on_surface(shapes)) - np.array(CORNER)


@cache
def quarters() -> Surveyed:
    """Return the town with one grid to each quarter: 1 south-west, 2 north-west, 3 and 4 east; then 5 to 8."""
    city, tiling = town()
    xy = inner(tiling)
    community = tiling.cells["community"].to_numpy()
    grid = community * 4 + (xy[:, 0] % 400 > 200) * 2 + (xy[:, 1] > 150)
    return plan_on(city, tiling, grid)


@cache
def demo() -> Surveyed:
    """The small demo city with a fast plan."""
    with TemporaryDirectory() as folder:
        path = Path(folder) / "city.gpkg"
        write_city("small", path)
        roles = ("buildings", "households", "compounds", "communities", "roads", "water", "railways")
        sources = [parse_source(f"{role}={path}:{role}") for role in roles]
        made = make_plan(sources, standard=STANDARD, effort="fast")
    grids = made.plan.grids
    table = {name: grids[name] for name in ("code", "name", "community")}
    return plan_on(made.city, made.tiling, made.plan.grid_of_cell, names=table)


def degrees(*points: tuple[float, float]) -> tuple[tuple[float, float], ...]:
    """Turn metres from `CORNER` into longitude and latitude."""
    back = Transformer.from_crs(METRIC, "EPSG:4326", always_xy=True)
    return tuple(back.transform(x + CORNER[0], y + CORNER[1]) for x, y in points)


def done(at: Surveyed, edit: Edit, plan: Plan | None = None) -> tuple[Plan, Change]:
    """Make an edit that has to work; returns the plan and the change that takes it back.

    Whatever the edit, the same question has the same answer, cells are in one grid each as before, and the inverse
    restores the plan.
    """
    before = at.plan if plan is None else plan
    change = at.survey.resolve(before, edit)
    assert isinstance(change, Change), change.code
    assert at.survey.resolve(before, edit) == change
    made = apply(before, edit, survey=at.survey)
    assert not isinstance(made, Refusal), made.code
    after, inverse = made
    assert inverse == change.inverse()
    check(before, after, inverse)
    back = apply_change(after, inverse)
    assert not isinstance(back, Refusal), back.code
    n = before.ground.n
    assert np.array_equal(back.assignment[:n], before.assignment)
    assert (back.assignment[n:] == -1).all()
    assert np.array_equal(back.pinned[:n], before.pinned)
    assert back.grids == before.grids
    return after, inverse


def refused(at: Surveyed, edit: Edit, plan: Plan | None = None) -> Refusal:
    """Make an edit that has to be refused."""
    answer = apply(at.plan if plan is None else plan, edit, survey=at.survey)
    assert isinstance(answer, Refusal), "the edit was made"
    assert answer.zh
    assert answer.en
    return answer


def check(before: Plan, after: Plan, inverse: Change) -> None:
    """What holds after every edit: nobody lost, untouched grids as they were, connected what was connected."""
    units = after.ground.cells
    assert units.households.sum() == before.ground.cells.households.sum()
    homeless = units.households[(after.assignment < 0) & after.ground.live].sum()
    assert homeless == before.ground.cells.households[(before.assignment < 0) & before.ground.live].sum()
    assert not (after.assignment[~after.ground.live] >= 0).any()
    held = np.flatnonzero(after.assignment >= 0)
    assert set(after.assignment[held].tolist()) == set(after.grids)
    home = np.array([after.grids[g].community for g in after.assignment[held].tolist()])
    assert (home == units.community[held]).all()
    touched = {*inverse.before.tolist(), *inverse.after.tolist(), *(g.id for g in inverse.grids)}
    for g in set(before.grids) - touched:
        assert after.grids[g] == before.grids[g]
        assert np.array_equal(after.cells_of(g), before.cells_of(g))
    assert_figures(after)
    if (before.figures.pieces <= 1).all():
        assert (after.figures.pieces <= 1).all()


def assert_figures(plan: Plan) -> None:
    """The figures kept along are those measured from scratch; pieces are counted by another way, too."""
    again = measure(plan.index, plan.assignment, plan.next_grid)
    for name in ("households", "persons", "load", "buildings", "cells", "area_dm2", "perimeter_mm", "pieces"):
        assert np.array_equal(getattr(again, name), getattr(plan.figures, name)), name
    graph = open_graph(plan.ground.cells.graph, plan.standard.hard_barriers)
    piece = components(graph, plan.assignment)
    for g in plan.grids:
        assert plan.figures.pieces[g] == len(np.unique(piece[plan.assignment == g]))


def verdict(at: Surveyed, plan: Plan) -> TilingVerdict:
    """Prove that the cells of a plan tile the communities."""
    shapes = at.survey.shapes(plan)
    rows = np.flatnonzero(plan.ground.live)
    return verify_tiling(shapes.polygons(rows), plan.ground.cells.community[rows], shapes.outlines())
