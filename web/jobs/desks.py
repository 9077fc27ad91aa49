"""The kinds of processes that stay: coverage models, and desks for the heavy edits of plans."""

from __future__ import annotations

from typing import TYPE_CHECKING

from web.errors import ConflictError
from web.jobs.residents import DeskKind, Residents

if TYPE_CHECKING:
    from web.settings import Settings


def coverage_desks(settings: Settings) -> Residents:
    """Return the processes that hold the coverage model of a project each (`web.jobs.coverage_desk`)."""
    kind = DeskKind(
        most=settings.max_models,
        answer_s=settings.coverage_timeout_s,
        idle_s=settings.coverage_idle_s,
        not_ready=coverage_not_ready,
        busy=_coverage_busy,
    )
    return Residents(settings, kind)


def plan_desks(settings: Settings) -> Residents:
    """Return the processes that hold a dataset each and resolve edits on it (`web.jobs.plan_desk`)."""
    kind = DeskKind(
        most=settings.max_desks,
        answer_s=settings.edit_timeout_s,
        idle_s=settings.desk_idle_s,
        not_ready=plan_desk_not_ready,
        busy=_plan_desk_busy,
    )
    return Residents(settings, kind)


def coverage_not_ready() -> ConflictError:
    """Return the error for a question that comes before the model is ready."""
    return ConflictError(
        "coverage-building",
        "覆盖模型正在准备，请稍候重试。",
        "The coverage model is being prepared; ask again in a moment.",
    )


def plan_desk_not_ready() -> ConflictError:
    """Return the error for an edit that comes before its dataset is read."""
    return ConflictError(
        "plan-desk-building",
        "编辑引擎正在载入数据，请稍候重试。方案没有改变。",
        "The editing engine is loading the data; try again in a moment. The plan has not changed.",
    )


def _coverage_busy() -> ConflictError:
    return ConflictError(
        "coverage-busy",
        "计算请求过多，请稍候重试。",
        "Too many questions wait for an answer; ask again in a moment.",
    )


def _plan_desk_busy() -> ConflictError:
    return ConflictError(
        "plan-desk-busy",
        "等待计算的编辑过多，请稍候重试。方案没有改变。",
        "Too many edits wait for the engine; try again in a moment. The plan has not changed.",
    )
