"""Divide a cell by a drawn line into exactly two, down to the last household and millimetre."""

from __future__ import annotations

import itertools
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from geo.editing import refusals
from geo.editing.change import Change, DivisionChange
from geo.editing.contents import contents, halves, share
from geo.editing.cutting import CutError, cut_in_two, with_nodes
from geo.editing.division import Division
from geo.editing.edits import Refusal
from geo.editing.plan import UNASSIGNED
from geo.editing.refusing import line_too_short
from geo.editing.shapes import edges_of, metric, polygon_of
from geo.editing.stacked import built_upon
from geo.types import BorderClass

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from geo.editing.contents import Inside
    from geo.editing.cutting import Cut
    from geo.editing.edits import Divide
    from geo.editing.plan import Plan
    from geo.editing.shapes import Edge, Rings, Shapes
    from geo.editing.survey import Survey

CLASSES = len(BorderClass)

THINNEST_M = 0.5
"""A half with a smaller mean width, twice its area by its outline, is no cell."""

TEXTS = {
    "line-touches-not": (
        "所画的线没有穿过该单元。请从单元的一条边画到另一条边。",
        "The line does not cut through the cell. Draw it from one side of the cell to another.",
    ),
    "line-ends-inside": (
        "所画的线在单元内部中断。请把两端画到单元边界以外。",
        "The line ends inside the cell. Draw both of its ends to the border or beyond.",
    ),
    "line-crosses-itself": (
        "所画的线与自身相交。请重新画一条不自交的线。",
        "The line crosses itself. Draw one that does not.",
    ),
    "cuts-more-than-two": (
        "所画的线会把单元分成两块以上。请画一条只穿过单元一次的线，逐次分割。",
        "The line cuts the cell into more than two. Draw one that passes through once, and divide again.",
    ),
    "too-thin": (
        "分割出的部分过窄或过小。请把线画在离边界更远处。",
        "A part would be too thin or too small. Draw the line farther from the border.",
    ),
}


def divide(survey: Survey, plan: Plan, edit: Divide) -> Change | Refusal:
    """Divide a cell along a drawn line.

    Where the line meets the outline, nodes are put into the outlines on both sides, so that all cells still tile
    exactly; households follow the footprints (`geo.editing.contents.halves`). Both halves stay in the grid of the
    cell, and pinned if it was.

    Refusals: ``no-such-cell``, ``grid-locked``, ``line-too-short``, and the keys of `TEXTS`.
    """
    if not (0 <= edit.cell < plan.ground.n and plan.ground.live[edit.cell]):
        return refusals.no_such_cells([edit.cell])
    grid = int(plan.assignment[edit.cell])
    if grid != UNASSIGNED and plan.grids[grid].locked:
        return refusals.grids_locked(plan, [grid])
    if len(set(edit.line)) < 2:
        return line_too_short()
    shapes = survey.shapes(plan)
    try:
        cut = cut_in_two(shapes.rings(edit.cell), edit.line)
        redrawn = _redrawn(shapes, cut)
        areas = _areas(cut.halves, survey)
    except CutError as fault:
        return _refused(fault.code, edit.cell)
    widths = [2.0 * area / _outline_m(half, shapes) for area, half in zip(areas, cut.halves, strict=True)]
    if min(widths) < THINNEST_M:
        return _refused("too-thin", edit.cell)
    return _change(plan, edit.cell, grid, _division(survey, plan, shapes, (edit.cell, cut, redrawn)))


def _refused(code: str, cell: int) -> Refusal:
    zh, en = TEXTS[code]
    return Refusal(code, zh, en, refusals.named("cells", [cell]))


def _change(plan: Plan, cell: int, grid: int, division: Division) -> Change:
    three = np.array([cell, *division.children], np.int32)
    held = bool(plan.pinned[cell])
    nowhere, within = np.full(3, UNASSIGNED, np.int32), np.full(3, UNASSIGNED, np.int32)
    nowhere[0], within[1:] = grid, grid
    moved = slice(0, 3 if grid != UNASSIGNED else 0)
    return Change(
        cells=three[moved],
        before=nowhere[moved],
        after=within[moved],
        pins=three if held else three[:0],
        pinned=np.array([False, True, True] if held else [], np.bool_),
        divisions=(DivisionChange(len(plan.divisions), division, before=False, after=True),),
    )


def _redrawn(shapes: Shapes, cut: Cut) -> dict[int, Rings]:
    """Return the rings of the neighbours that get a node, all valid."""
    found: dict[int, Rings] = {}
    for a, b in sorted(cut.split):
        other = shapes.beyond(a, b)
        if other >= 0 and other not in found:
            found[other] = with_nodes(shapes.rings(other), cut.split)
    if not all(polygon_of(rings).is_valid for rings in found.values()):
        raise CutError("too-thin")
    return found


def _division(
    survey: Survey, plan: Plan, shapes: Shapes, drawn: tuple[int, Cut, dict[int, Rings]]
) -> Division:
    """Share everything the cell has between the halves."""
    cell, cut, redrawn = drawn
    ground, units = plan.ground, plan.ground.cells
    children = (ground.n, ground.n + 1)
    inside = halves(survey.city, contents(survey.city, shapes, plan, cell), cut.halves)
    areas = _areas(cut.halves, survey)
    lengths = _Lengths(shapes, cut)
    edges, outer = _edges(plan, cell, children, lengths)
    sums = {name: _sums(inside, name) for name in ("households", "persons", "workers")}
    if units.workers is None:
        sums["workers"] = (0, 0)
    counted = sums[plan.standard.measure]
    division = Division(
        parent=cell,
        children=children,
        households=sums["households"],
        persons=sums["persons"],
        buildings=_sums(inside, "counts"),
        workers=sums["workers"],
        load=share(int(plan.load[cell]), *(counted if sum(counted) else areas)),
        area_dm2=share(int(ground.area_dm2[cell]), *areas),
        outer_mm=outer,
        edges=edges,
        rings=(*zip(children, cut.halves, strict=True), *sorted(redrawn.items())),
    )
    return replace(division, upon=built_upon(plan, division))


def _sums(inside: Sequence[Sequence[Inside]], name: str) -> tuple[int, int]:
    first, second = (sum(getattr(part, name) for part in half) for half in inside)
    return first, second


def _areas(cut: tuple[Rings, Rings], survey: Survey) -> tuple[float, float]:
    """Areas of the halves in the working CRS, square metres."""
    first, second = (sum(_signed_area(np.array(r, np.int64), survey) for r in rings) for rings in cut)
    return first, second


def _outline_m(half: Rings, shapes: Shapes) -> float:
    return float(shapes.lengths_m(list(edges_of(half))).sum())


def _signed_area(ring: NDArray[np.int64], survey: Survey) -> float:
    xy = metric(ring, survey.crs)
    a = xy - xy[0]
    b = np.roll(a, -1, axis=0)
    return float((a[:, 0] * b[:, 1] - b[:, 0] * a[:, 1]).sum()) / 2.0


class _Lengths:
    """Metres of each half's outline by what lies beyond and what runs along; of the cut itself."""

    def __init__(self, shapes: Shapes, cut: Cut) -> None:
        whole: dict[Edge, Edge] = {}
        for (a, b), nodes in cut.split.items():
            chain = [a, *nodes, b]
            whole |= dict.fromkeys(itertools.pairwise(chain), (a, b))
        sides = [set(edges_of(half)) for half in cut.halves]
        self.by_half: list[dict[tuple[int, int], float]] = [{}, {}]
        for number in (0, 1):
            mine = sorted(edge for edge in sides[number] if edge[::-1] not in sides[1 - number])
            for edge, length in zip(mine, shapes.lengths_m(mine).tolist(), strict=True):
                old = whole.get(edge, edge)
                key = (shapes.beyond(*old), shapes.border_class(*old))
                self.by_half[number][key] = self.by_half[number].get(key, 0.0) + length
        common = sorted(edge for edge in sides[0] if edge[::-1] in sides[1])
        self.cut_m = float(shapes.lengths_m(common).sum())

    def shares(self, other: int, kind: int | None = None) -> tuple[float, float]:
        """Metres beside another cell, -1 for none, along one class or all; of both halves."""
        first, second = (
            sum(m for (cell, k), m in half.items() if cell == other and kind in {None, k})
            for half in self.by_half
        )
        return first, second


def _edges(
    plan: Plan, cell: int, children: tuple[int, int], lengths: _Lengths
) -> tuple[tuple[tuple[int, int, tuple[int, ...]], ...], tuple[int, int]]:
    """Share the borders of a cell between its halves by their metres, in millimetres that add up."""
    graph, class_mm = plan.ground.cells.graph, plan.ground.class_mm
    found: list[tuple[int, int, tuple[int, ...]]] = []
    for entry in range(int(graph.indptr[cell]), int(graph.indptr[cell + 1])):
        other = int(graph.neighbor[entry])
        pairs = [_shared(int(mm), lengths, other, kind) for kind, mm in enumerate(class_mm[entry].tolist())]
        for number, child in enumerate(children):
            mine = tuple(pair[number] for pair in pairs)
            if any(mine):
                found.append((child, other, mine))
    cut_mm = [0] * CLASSES
    cut_mm[BorderClass.INTERIOR] = max(1, round(lengths.cut_m * 1000.0))
    found.append((*children, tuple(cut_mm)))
    outer = share(int(plan.ground.outer_mm[cell]), *lengths.shares(-1))
    return tuple(sorted(found)), outer


def _shared(mm: int, lengths: _Lengths, other: int, kind: int) -> tuple[int, int]:
    """Share one border; one half alone gets all where only it touches the other cell."""
    one, two = lengths.shares(other, kind)
    if one + two == 0.0:
        one, two = lengths.shares(other)
    return share(mm, one, two)
