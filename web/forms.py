"""Read what a form or a JSON body says; used by pages and interface alike."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeVar, cast

from flask import current_app
from pydantic import BaseModel, ValidationError

from web.errors import BadRequestError
from web.services.plans import PlanParameters

Kind = TypeVar("Kind", bound=BaseModel)

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from web.services.state import Service

NAMES = {
    "standard": "标准",
    "target": "目标",
    "min": "下限",
    "max": "上限",
    "seed": "随机种子",
    "effort": "搜索强度",
    "minutes": "分钟数",
    "speed": "步行速度",
    "method": "计算方法",
    "category": "服务类别",
    "window": "时段",
    "stations": "移动的站点",
    "added": "新增的站点",
    "removed": "移除的站点",
    "scenario": "新增的门、桥和路",
    "model": "选址模型",
    "p": "新增站点数",
    "candidates": "候选站址",
    "capacity": "容量",
}

BODY_BYTES = 1 << 20
"""More than two thousand stations need."""


def of_service() -> Service:
    """Return the running service of this application."""
    return cast("Service", current_app.extensions["wangge"])


def parameters_from(given: Mapping[str, Any]) -> PlanParameters:
    """Read the planner's choices; an empty field means its default.

    Raises
    ------
    BadRequestError
        Naming every field that cannot be read.
    """
    return validated(
        PlanParameters, {name: value for name, value in given.items() if value not in ("", None)}
    )


def validated(kind: type[Kind], given: Mapping[str, Any]) -> Kind:
    """Read a question of one kind.

    Raises
    ------
    BadRequestError
        Naming every field that cannot be read.
    """
    try:
        return kind.model_validate(given)
    except ValidationError as error:
        raise unusable(error) from error


def unusable(error: ValidationError) -> BadRequestError:
    """Return the error that names every field that cannot be read."""
    fields = list(dict.fromkeys(str(fault["loc"][0]) for fault in error.errors() if fault["loc"]))
    if not fields:
        why = str(error.errors()[0]["msg"])[:200]
        return BadRequestError(
            "parameters", f"请求内容无效：{why}。", f"The content cannot be used: {why}.", fields=[]
        )
    zh = "、".join(NAMES.get(name, name[:40]) for name in fields)
    en = ", ".join(name[:40] for name in fields)
    return BadRequestError(
        "parameters",
        f"参数无效：{zh}。请填写合理的数值。",
        f"Not usable: {en}. Give sensible numbers.",
        fields=fields,
    )


def columns_from(texts: Iterable[str]) -> dict[str, str]:
    """Read lines ``ROLE.FIELD=COLUMN``.

    Raises
    ------
    BadRequestError
        If a line is not of this form.
    """
    columns: dict[str, str] = {}
    for line in (line.strip() for text in texts for line in text.splitlines()):
        key, equals, name = line.partition("=")
        if not line:
            continue
        if not equals or "." not in key or not name.strip():
            raise BadRequestError(
                "column-option",
                f"无法理解“{line[:80]}”。请写成 角色.字段=列名，例如 buildings.households=户数。",
                f"Cannot read '{line[:80]}'. Write ROLE.FIELD=COLUMN, e.g. buildings.households=HU_CNT.",
            )
        columns[key.strip()] = name.strip()
    return columns
