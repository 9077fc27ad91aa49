"""What is wrong with a plan: errors that forbid its publication, and warnings that a planner may live with."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

import numpy as np

from geo.editing.judged import in_band
from geo.editing.refusals import named

if TYPE_CHECKING:
    from collections.abc import Iterable

    from geo.editing.plan import Grid, Plan


def open_errors(plan: Plan) -> list[dict[str, Any]]:
    """List what forbids the publication of a plan.

    Returns
    -------
    Dicts ``code``, ``zh``, ``en``, ``where`` (``cells`` or ``grids``, at most 20 named, and their ``count``):
    ``cells-unassigned``; ``grid-in-pieces`` for a grid that its community could connect; ``code-empty``;
    ``code-duplicate``.
    """
    errors = []
    free = np.flatnonzero((plan.assignment < 0) & plan.ground.live)
    if len(free):
        homes = plan.figures.unassigned_households
        errors.append(
            _finding(
                "cells-unassigned",
                f"有 {len(free)} 个单元（{homes} 户）不属于任何网格。请将它们划入网格。",
                f"{len(free)} cells with {homes} households are in no grid. Put them into grids.",
                named("cells", free.tolist()),
            )
        )
    apart = grids_in_pieces(plan)
    if apart:
        errors.append(
            _finding(
                "grid-in-pieces",
                f"{len(apart)} 个网格不连通：{_names(plan, apart)}。请连通它们（可一键修复）。",
                f"{len(apart)} grids are in pieces: {_names(plan, apart)}. Connect them; the repair does it.",
                named("grids", apart),
            )
        )
    return errors + _code_errors(plan)


def open_warnings(plan: Plan) -> list[dict[str, Any]]:
    """List the warnings of every grid of a plan, as `warnings`."""
    return warnings(plan, plan.grids)


def warnings(plan: Plan, grids: Iterable[int]) -> list[dict[str, Any]]:
    """List what a planner should know of some grids; none of it stops an edit.

    Returns
    -------
    Dicts ``code``, ``zh``, ``en``, ``where``, by grid: ``grid-out-of-band``; ``grid-in-pieces``; ``compound-split``
    for a compound that would have fitted into one grid and has homes in this one and others (``compound``: its id).
    """
    chosen = sorted({g for g in grids if g in plan.grids})
    within = in_band(plan)
    found = []
    for i in chosen:
        grid = plan.grids[i]
        if not within[i]:
            found.append(_band_warning(plan, grid))
        pieces = int(plan.figures.pieces[i])
        if pieces > 1:
            found.append(
                _finding(
                    "grid-in-pieces",
                    f"网格“{grid.name}”分成 {pieces} 块，不连通。",
                    f'The grid "{grid.name}" is in {pieces} pieces.',
                    {"grids": [i], "pieces": pieces},
                )
            )
    return found + _split_warnings(plan, chosen)


def grids_in_pieces(plan: Plan) -> list[int]:
    """Return the grids in pieces that their community could connect: it holds a way between two of the pieces."""
    apart = []
    for i in np.flatnonzero(plan.figures.pieces > 1).tolist():
        lands = np.unique(plan.index.community_piece[plan.cells_of(i)])
        if len(lands) < plan.figures.pieces[i]:
            apart.append(i)
    return apart


def _code_errors(plan: Plan) -> list[dict[str, Any]]:
    errors = []
    ids = sorted(plan.grids)
    empty = [i for i in ids if not plan.grids[i].code]
    if empty:
        errors.append(
            _finding(
                "code-empty",
                f"{len(empty)} 个网格没有编码：{_names(plan, empty)}。请填写编码或重新编号。",
                f"{len(empty)} grids have no code: {_names(plan, empty)}. Give them one, or number anew.",
                named("grids", empty),
            )
        )
    count = Counter(plan.grids[i].code for i in ids if plan.grids[i].code)
    for code in sorted(c for c, k in count.items() if k > 1):
        same = [i for i in ids if plan.grids[i].code == code]
        errors.append(
            _finding(
                "code-duplicate",
                f"编码 {code} 被 {len(same)} 个网格使用：{_names(plan, same)}。请修改编码或重新编号。",
                f"The code {code} has {len(same)} grids: {_names(plan, same)}. Change it, or number anew.",
                named("grids", same) | {"value": code},
            )
        )
    return errors


def _band_warning(plan: Plan, grid: Grid) -> dict[str, Any]:
    load, standard = int(plan.figures.load[grid.id]), plan.standard
    what_zh, what_en = ("户", "households") if standard.measure == "households" else ("人", "persons")
    return _finding(
        "grid-out-of-band",
        f"网格“{grid.name}”为 {load} {what_zh}，不在 {standard.min}–{standard.max} 范围内。",
        f'The grid "{grid.name}" has {load} {what_en}; the band is {standard.min} to {standard.max}.',
        {"grids": [grid.id], "load": load},
    )


def _split_warnings(plan: Plan, chosen: list[int]) -> list[dict[str, Any]]:
    """One for each compound, however many of the grids it lies in."""
    index, figures = plan.index, plan.figures
    near = [index.part[plan.cells_of(i)] for i in chosen]
    parts = np.unique(np.concatenate(near)) if near else np.zeros(0, np.int32)
    parts = parts[parts >= 0]
    found = []
    for part in parts[figures.split[parts] & index.fits[parts]].tolist():
        own = np.unique(plan.assignment[index.by_part.of(part)])
        grids = own[own >= 0].tolist()
        if not set(grids) & set(chosen):
            continue
        compound = int(index.part_compound[part])
        name = plan.ground.compound_names[compound] or plan.ground.compound_ids[compound]
        found.append(
            _finding(
                "compound-split",
                f"小区“{name}”被分到 {len(grids)} 个网格：{_names(plan, grids)}。",
                f'The compound "{name}" is split among {len(grids)} grids: {_names(plan, grids)}.',
                named("grids", grids) | {"compound": plan.ground.compound_ids[compound]},
            )
        )
    return found


def _names(plan: Plan, grids: list[int]) -> str:
    return "、".join(plan.grids[g].name for g in grids[:5]) + (" …" if len(grids) > 5 else "")


def _finding(code: str, zh: str, en: str, where: dict[str, Any]) -> dict[str, Any]:
    return {"code": code, "zh": zh, "en": en, "where": where}
