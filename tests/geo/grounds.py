"""Grounds and plans made up for tests: squares of 30 m, random towns, cells divided at random."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from graphs import lattice, town

from geo.editing import refusals
from geo.editing.change import Change, DivisionChange, GridChange, moves
from geo.editing.division import Division
from geo.editing.edits import (
    Assign,
    Divide,
    Edit,
    Lock,
    Merge,
    NewGrid,
    Refusal,
    Rename,
    Renumber,
    SetAttributes,
)
from geo.editing.figures import Figures, grown, measure
from geo.editing.ground import Ground
from geo.editing.index import index_of
from geo.editing.numbering import code_of
from geo.editing.plan import Plan
from geo.editing.stacked import built_upon
from geo.editing.start import new_plan
from geo.standards import Standard, load_standard
from geo.types import BorderClass
from geo.units import Units

CLASSES = len(BorderClass)


def ground_of(units: Units, *, codes: Sequence[str] | None = None) -> Ground:
    """Ground of units as cells, its lengths rounded to millimetres class by class."""
    class_mm = np.rint(units.graph.class_m * 1000).astype(np.int64)
    n_communities = int(units.community.max(initial=-1)) + 1
    n_compounds = int(units.compound.max(initial=-1)) + 1
    return Ground(
        dataset="0" * 64,
        cells=units,
        length_mm=class_mm.sum(axis=1),
        class_mm=class_mm,
        outer_mm=np.rint(units.graph.outer_m * 1000).astype(np.int64),
        area_dm2=np.rint(units.area_m2 * 100).astype(np.int64),
        community_ids=tuple(f"c{i}" for i in range(n_communities)),
        community_names=tuple(f"社区{i}" for i in range(n_communities)),
        community_codes=tuple(codes) if codes is not None else ("",) * n_communities,
        compound_ids=tuple(f"k{i}" for i in range(n_compounds)),
        compound_names=tuple(f"小区{i}" for i in range(n_compounds)),
    )


def squares(rows: str, **more: object) -> Ground:
    """Ground drawn as text: a character a square of 30 m, the same letter for the same community (a is 0)."""
    lines = rows.split()
    letters = "".join(lines)
    names = sorted(set(letters))
    community = [names.index(c) for c in letters]
    households = more.pop("households", [10] * len(letters))
    codes = more.pop("codes", None)
    units = lattice(len(lines), len(lines[0]), households, community=community, **more)
    return ground_of(units, codes=codes)


def plan_of(ground: Ground, rows: str, standard: Standard | None = None) -> Plan:
    """Plan drawn as text: the same letter for the same grid (the first letter is grid 1), a point for none."""
    letters = "".join(rows.split())
    names = sorted(set(letters) - {"."})
    label = np.array([names.index(c) if c != "." else -1 for c in letters], np.int32)
    return plan_from_labels(ground, label, standard)


def plan_from_labels(ground: Ground, label: np.ndarray, standard: Standard | None = None) -> Plan:
    """Plan of labels 0 … k - 1 (-1 for none), coded by the scheme of the product."""
    n = int(label.max(initial=-1)) + 1
    community = np.zeros(n, np.int64)
    community[label[label >= 0]] = ground.cells.community[label >= 0]
    number = [int((community[:k] == community[k]).sum()) + 1 for k in range(n)]
    table = {
        "code": [f"{ground.community_ids[c]}-{k:03d}" for c, k in zip(community, number, strict=True)],
        "name": [f"{ground.community_names[c]}第{k}网格" for c, k in zip(community, number, strict=True)],
        "community": community,
    }
    return new_plan(ground, standard or load_standard("fine-250"), label, table, {"seed": 1})


def random_plan(
    *, communities: int = 3, per_community: int = 60, seed: int = 0, standard: Standard | None = None
) -> Plan:
    """Plan of a random town with compounds across grids; about nine cells a grid, some of them in pieces."""
    rng = np.random.default_rng(seed)
    units = town(communities, per_community, seed)
    compound = np.where(rng.random(units.n) < 0.6, np.arange(units.n) // 5, -1).astype(np.int32)
    workers = rng.integers(0, 30, units.n)
    ground = ground_of(replace(units, compound=compound, workers=workers))
    label = np.empty(units.n, np.int64)
    for community in range(communities):
        mine = np.flatnonzero(units.community == community)
        label[mine] = community * units.n + rng.integers(0, max(len(mine) // 9, 1), len(mine))
    _, label = np.unique(label, return_inverse=True)
    return plan_from_labels(ground, label.astype(np.int32), standard)


def division_of(ground: Ground, cell: int, share: float = 0.4, cut_mm: int = 7000) -> Division:
    """Divide a cell without looking at its shape: every number and border in two parts that add up."""
    units, graph = ground.cells, ground.cells.graph
    children = (ground.n, ground.n + 1)

    def parts(value: int) -> tuple[int, int]:
        return _shares(int(value), share)

    edges: list[tuple[int, int, tuple[int, ...]]] = []
    for entry in range(graph.indptr[cell], graph.indptr[cell + 1]):
        other = int(graph.neighbor[entry])
        halves = np.array([parts(mm) for mm in ground.class_mm[entry].tolist()])
        for child, classes in zip(children, halves.T.tolist(), strict=True):
            if sum(classes):
                edges.append((child, other, tuple(classes)))
    between = [0] * CLASSES
    between[BorderClass.INTERIOR] = cut_mm
    edges.append((*children, tuple(between)))
    return Division(
        parent=cell,
        children=children,
        households=parts(units.households[cell]),
        persons=parts(units.persons[cell]),
        buildings=parts(units.buildings[cell]),
        workers=parts(0 if units.workers is None else units.workers[cell]),
        load=parts(units.households[cell]),
        area_dm2=parts(ground.area_dm2[cell]),
        outer_mm=parts(ground.outer_mm[cell]),
        edges=tuple(edges),
        rings=(),
    )


class PaperSurvey:
    """Resolves `Divide` and `Renumber` without shapes: enough to drive every part of a change."""

    def resolve(self, plan: Plan, edit: Edit) -> Change | Refusal:
        if isinstance(edit, Divide):
            return divide_change(plan, edit.cell)
        if isinstance(edit, Renumber):
            changes = []
            for community in edit.communities:
                mine = sorted(i for i, g in plan.grids.items() if g.community == community and not g.locked)
                for number, i in enumerate(reversed(mine), 1):
                    before = plan.grids[i]
                    after = replace(before, code=code_of(plan.ground, community, number))
                    changes += [GridChange(i, before, after)] if after != before else []
            return Change(grids=tuple(sorted(changes, key=lambda g: g.id)))
        raise AssertionError(edit)


def divide_change(plan: Plan, cell: int, share: float = 0.4) -> Change | Refusal:
    """Change that divides a cell, its parts in the grid that the cell was in."""
    grid = int(plan.assignment[cell])
    if plan.pinned[cell]:
        return refusals.cells_locked([cell])
    if grid in plan.grids and plan.grids[grid].locked:
        return refusals.grids_locked(plan, [grid])
    division = replace(division_of(plan.ground, cell, share), load=_shares(int(plan.load[cell]), share))
    division = replace(division, upon=built_upon(plan, division))
    cells = np.array([cell, *division.children])
    moved = moves(cells, np.array([grid, -1, -1]), np.array([-1, grid, grid]))
    return Change(**moved, divisions=(DivisionChange(len(plan.divisions), division, False, True),))


def random_edit(plan: Plan, rng: np.random.Generator) -> Edit:
    """Edit as planners make them, and now and then one that is refused."""
    live = np.flatnonzero(plan.ground.live)
    cell = int(rng.choice(live))
    community = int(plan.ground.cells.community[cell])
    grids = sorted(i for i, g in plan.grids.items() if g.community == community)
    near = _around(plan, cell, int(rng.integers(1, 9)))
    any_grid = int(rng.choice(sorted(plan.grids))) if plan.grids else 1
    draw = int(rng.integers(0, 100))
    target = int(rng.choice(grids)) if grids else None
    several = tuple(rng.choice(grids, 2, replace=False).tolist()) if len(grids) > 1 else (any_grid,)
    kinds: list[tuple[int, Edit]] = [
        (45, Assign(near, target)),
        (50, Assign(near, None)),
        (53, Assign(tuple(rng.choice(plan.ground.n, 3).tolist()), any_grid)),
        (64, NewGrid(near)),
        (66, NewGrid(near, "新网格")),
        (71, Merge(several)),
        (76, Lock(draw < 73, tuple(g for g in grids if rng.random() < 0.3), near[:2])),
        (82, Lock(False, tuple(i for i, g in plan.grids.items() if g.locked), near)),
        (87, Rename(any_grid, f"第{draw}号")),
        (93, SetAttributes(any_grid, {"staff": draw % 5, "kind": "park" if draw % 2 else "", "note": "…"})),
        (97, Renumber((community,))),
        (100, Divide(cell, ())),
    ]
    return next(edit for limit, edit in kinds if draw < limit)


def _around(plan: Plan, cell: int, count: int) -> tuple[int, ...]:
    """Cells of one community, in the order in which they are reached."""
    graph, community = plan.ground.cells.graph, plan.ground.cells.community
    found = [cell]
    for at in found:
        for other in graph.neighbor[graph.indptr[at] : graph.indptr[at + 1]].tolist():
            if community[other] == community[cell] and other not in found and len(found) < count:
                found.append(other)
    return tuple(found)


def _shares(value: int, share: float) -> tuple[int, int]:
    first = int(value * share)
    return first, value - first


def same_figures(one: Figures, other: Figures) -> bool:
    """Whether all figures are equal; ids that only one of them has room for must have none."""
    n = max(len(one.cells), len(other.cells))
    left, right = vars(grown(one, n)), vars(grown(other, n))
    return left.keys() == right.keys() and all(np.array_equal(left[k], right[k]) for k in left)


def measured(plan: Plan) -> Figures:
    """Figures of a plan from scratch, its index made anew too."""
    index = index_of(plan.ground, plan.standard, plan.load)
    return measure(index, plan.assignment, plan.next_grid)


def exact_tiling(plan: Plan, start: Plan) -> bool:
    """Whether every live cell is in one grid or none, and nothing of the city got lost."""
    ground, base = plan.ground, plan.base
    sums = plan.figures
    free = (plan.assignment < 0) & ground.live
    return (
        not (plan.assignment[~ground.live] >= 0).any()
        and set(np.unique(plan.assignment[plan.assignment >= 0]).tolist()) == set(plan.grids)
        and int(sums.households.sum()) + sums.unassigned_households == int(base.cells.households.sum())
        and int(ground.cells.households.sum()) == int(base.cells.households.sum())
        and int(sums.area_dm2.sum()) + int(ground.area_dm2[free].sum()) == int(base.area_dm2.sum())
        and int(plan.load.sum()) == int(start.load.sum())
    )
