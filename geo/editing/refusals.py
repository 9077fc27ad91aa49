"""The refusals of edits, each with its code, both texts and the objects in the way."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from geo.editing.edits import Refusal

if TYPE_CHECKING:
    from collections.abc import Iterable

    from geo.editing.plan import Plan

SHOWN = 20
"""Objects named in `Refusal.where`; a larger number is said by ``count``."""


def nothing_changes() -> Refusal:
    """Refuse: all is as the edit wants it."""
    return Refusal("nothing-changes", "该编辑没有改变任何内容。", "The edit changes nothing.")


def no_cells() -> Refusal:
    """Refuse: an edit of cells names none."""
    return Refusal(
        "no-cells", "没有选择单元。请至少选择一个单元。", "No cell is selected. Select at least one."
    )


def no_such_cells(cells: Iterable[int]) -> Refusal:
    """Refuse: cells that are not in the ground, or retired."""
    where = named("cells", cells)
    return Refusal(
        "no-such-cell",
        f"单元 {_listed(where['cells'])} 不存在或已被分割。请刷新后重新选择。",
        f"Cell {_listed(where['cells'])} does not exist or was divided. Reload and select again.",
        where,
    )


def no_such_grids(grids: Iterable[int]) -> Refusal:
    """Refuse: grids that do not exist, or no more."""
    where = named("grids", grids)
    return Refusal(
        "no-such-grid",
        f"网格 {_listed(where['grids'])} 不存在或已被删除。请刷新后重新选择。",
        f"Grid {_listed(where['grids'])} does not exist any more. Reload and select again.",
        where,
    )


def grids_locked(plan: Plan, grids: Iterable[int]) -> Refusal:
    """Refuse: grids that are locked."""
    where = named("grids", grids)
    names = "、".join(plan.grids[g].name for g in where["grids"] if g in plan.grids)
    return Refusal(
        "grid-locked",
        f"网格“{names}”已锁定，不能修改。请先解锁。",
        f'The grid "{names}" is locked. Unlock it first.',
        where,
    )


def cells_locked(cells: Iterable[int]) -> Refusal:
    """Refuse: cells that are pinned."""
    where = named("cells", cells)
    return Refusal(
        "cell-locked",
        f"单元 {_listed(where['cells'])} 已锁定，不能改变所属网格。请先解锁。",
        f"Cell {_listed(where['cells'])} is locked and keeps its grid. Unlock it first.",
        where,
    )


def other_community(plan: Plan, community: int, **objects: Iterable[int]) -> Refusal:
    """Refuse: cells or grids of another community than the grid's."""
    where = {"community": plan.ground.community_ids[community]}
    for kind, ids in objects.items():
        where |= named(kind, ids)
    name = plan.ground.community_names[community]
    return Refusal(
        "other-community",
        f"所选内容不都在社区“{name}”内，网格不能跨社区。请只选择同一社区的内容。",
        f'Not all of the selection lies in the community "{name}", and no grid crosses its border. '
        "Select within one community.",
        where,
    )


def adopt_malformed(cells: int, grids: int) -> Refusal:
    """Refuse: cells and grids of an adoption that do not go together."""
    return Refusal(
        "adopt-malformed",
        f"每个单元须列出一次，并各有一个网格；现有 {cells} 个单元、{grids} 个网格。",
        f"Each cell has to be named once, with one grid each; there are {cells} cells and {grids} grids.",
        {"cells": cells, "grids": grids},
    )


def too_few_grids() -> Refusal:
    """Refuse: a merge of one grid."""
    return Refusal(
        "too-few-grids",
        "合并至少需要两个不同的网格。请再选择一个网格。",
        "A merge needs at least two different grids. Select another one.",
    )


def malformed(field: str, zh: str, en: str, grid: int) -> Refusal:
    """Refuse: an attribute that cannot be set so."""
    return Refusal(
        "attribute-malformed",
        f"属性 {field} {zh}。",
        f"The attribute {field} {en}.",
        {"grids": [grid], "field": field},
    )


def changed_meanwhile(**objects: Iterable[int]) -> Refusal:
    """Refuse: objects that are not as the change expects them."""
    where: dict[str, Any] = {}
    for kind, ids in objects.items():
        where |= named(kind, ids)
    what_zh, what_en = [], []
    for kind, zh, en in (
        ("cells", "单元", "cell"),
        ("grids", "网格", "grid"),
        ("divisions", "分割", "division"),
    ):
        if kind in where:
            what_zh.append(f"{zh} {_listed(where[kind])}")
            what_en.append(f"{en} {_listed(where[kind])}")
    return Refusal(
        "changed-meanwhile",
        f"{'、'.join(what_zh)} 此后已被修改。请刷新后重试。",
        f"Changed in the meantime: {', '.join(what_en)}. Reload and try again.",
        where,
    )


def built_upon(divisions: Iterable[int]) -> Refusal:
    """Refuse: a division that others stand on, or that stands on others which are not in force."""
    where = named("divisions", divisions)
    return Refusal(
        "division-built-upon",
        f"相邻单元的分割 {_listed(where['divisions'])} 与此分割相关联。请先撤销或恢复它。",
        f"Division {_listed(where['divisions'])} of a cell nearby is tied to this one. Undo or redo it first.",
        where,
    )


def named(kind: str, ids: Iterable[int]) -> dict[str, Any]:
    """Return the first of the ids, ascending, and their count where that says more."""
    every = sorted({int(i) for i in ids})
    where: dict[str, Any] = {kind: every[:SHOWN]}
    if len(every) > SHOWN:
        where["count"] = len(every)
    return where


def _listed(ids: list[int]) -> str:
    return ", ".join(map(str, ids[:5])) + (" …" if len(ids) > 5 else "")
