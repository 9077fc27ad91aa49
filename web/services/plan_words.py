"""What an edit did, in one line of Chinese and of English, for the history list."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from web.store.records import EditRecord

NAMED = 3
"""Grids that are named; of more only the number is given."""


class Said(NamedTuple):
    """An edit as it was asked for, and what it changed."""

    request: Mapping[str, Any]
    change: Mapping[str, Any]


def summary_of(record: EditRecord) -> tuple[str, str]:
    """Return what a committed change did, in Chinese and English."""
    if record.undoes is not None:
        return f"撤销第 {record.undoes} 次修改", f"Undid change {record.undoes}"
    if record.redoes is not None:
        return f"恢复第 {record.redoes} 次修改", f"Redid change {record.redoes}"
    words = WORDS.get(record.kind)
    request = record.request if isinstance(record.request, dict) else {}
    change = record.change if isinstance(record.change, dict) else {}
    return words(Said(request, change)) if words is not None else (record.kind, record.kind)


def entry_json(record: EditRecord) -> dict[str, Any]:
    """Return an entry of the history as the interface shows it, without what it changed."""
    zh, en = summary_of(record)
    return {
        "revision": record.revision,
        "op_id": record.op_id,
        "user": {"id": record.user_id, "name": record.user_name},
        "at": record.at,
        "kind": record.kind,
        "undoes": record.undoes,
        "redoes": record.redoes,
        "summary_zh": zh,
        "summary_en": en,
    }


def _name(change: Mapping[str, Any], grid: Any) -> str:
    """Return the code of a grid as far as the change tells it, else its id with a #."""
    for item in change.get("grids", ()):
        if item["id"] == grid:
            said = item["after"] or item["before"]
            return str(said.get("code") or f"#{grid}")
    return f"#{grid}"


def _cells(count: int) -> str:
    return "1 cell" if count == 1 else f"{count} cells"


def _grids(change: Mapping[str, Any], ids: Any) -> tuple[str, str]:
    ids = list(ids)
    if not ids or len(ids) > NAMED:
        return f"{len(ids)} 个网格", f"{len(ids)} grids"
    names = [_name(change, grid) for grid in ids]
    return f"网格 {'、'.join(names)}", f"grid{'s' if len(names) > 1 else ''} {', '.join(names)}"


def _assign(said: Said) -> tuple[str, str]:
    count = len(said.change.get("cells", ()))
    if said.request.get("grid") is None:
        return f"将 {count} 个单元移出网格", f"Took {_cells(count)} out of their grids"
    name = _name(said.change, said.request["grid"])
    return f"将 {count} 个单元划入网格 {name}", f"Moved {_cells(count)} into grid {name}"


def _new(said: Said) -> tuple[str, str]:
    count = len(said.request.get("cells", ()))
    return f"用 {count} 个单元新建网格", f"Made a grid of {_cells(count)}"


def _about(zh: str, en: str, field: str) -> Callable[[Said], tuple[str, str]]:
    """Return words for an edit of the grids that `field` of its request names."""

    def words(said: Said) -> tuple[str, str]:
        given = said.request.get(field)
        named_zh, named_en = _grids(said.change, given if isinstance(given, list) else [given])
        return f"{zh}{named_zh}", f"{en} {named_en}"

    return words


def _repair(said: Said) -> tuple[str, str]:
    count = len(said.change.get("cells", ()))
    return f"修复网格连通性，移动 {count} 个单元", f"Reconnected grids by moving {_cells(count)}"


def _divide(said: Said) -> tuple[str, str]:
    return f"分割单元 {said.request.get('cell')}", f"Divided cell {said.request.get('cell')}"


def _lock(said: Said) -> tuple[str, str]:
    zh, en = ("锁定", "Locked") if said.request.get("locked") else ("解锁", "Unlocked")
    cells, grids = len(said.request.get("cells", ())), said.request.get("grids", ())
    named_zh, named_en = _grids(said.change, grids)
    if grids and cells:
        return f"{zh}{named_zh}和 {cells} 个单元", f"{en} {named_en} and {_cells(cells)}"
    return (
        (f"{zh}{named_zh}", f"{en} {named_en}")
        if grids
        else (f"{zh} {cells} 个单元", f"{en} {_cells(cells)}")
    )


def _lock_area(said: Said) -> tuple[str, str]:
    count = len(said.change.get("pins", ()))
    zh, en = ("锁定", "Locked") if said.request.get("locked") else ("解锁", "Unlocked")
    return f"{zh}区域内 {count} 个单元", f"{en} an area of {_cells(count)}"


def _rename(said: Said) -> tuple[str, str]:
    name, text = _name(said.change, said.request.get("grid")), said.request.get("name")
    return f"将网格 {name} 更名为“{text}”", f"Renamed grid {name} to “{text}”"


def _renumber(said: Said) -> tuple[str, str]:
    count = len(said.change.get("grids", ()))
    return f"为 {count} 个网格重新编号", f"Numbered {count} grids anew"


def _adopt(said: Said) -> tuple[str, str]:
    count = len(said.change.get("cells", ()))
    return f"采用备选方案，调整 {count} 个单元", f"Adopted an alternative, moving {_cells(count)}"


WORDS: Mapping[str, Callable[[Said], tuple[str, str]]] = {
    "assign": _assign,
    "new-grid": _new,
    "adopt": _adopt,
    "merge": _about("合并", "Merged", "grids"),
    "split-line": _about("按线拆分", "Split by a line", "grid"),
    "split-parts": _about("均分", "Split evenly", "grid"),
    "rebalance": _about("重新均衡", "Rebalanced", "grids"),
    "repair": _repair,
    "divide": _divide,
    "lock": _lock,
    "lock-area": _lock_area,
    "rename": _rename,
    "renumber": _renumber,
    "set": _about("修改属性：", "Set attributes of", "grid"),
}
