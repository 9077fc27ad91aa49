"""Turn the end of a process into an error, and a stored error back into an exception."""

from __future__ import annotations

import geo.errors
import web.errors
from geo.errors import GeoError
from web.errors import JobError
from web.store.models import Fault


def as_error(fault: Fault) -> GeoError:
    """Return the exception a fault describes; an unknown kind becomes a `JobError`."""
    kind = getattr(geo.errors, fault.kind, None) or getattr(web.errors, fault.kind, None)
    if not (isinstance(kind, type) and issubclass(kind, GeoError)):
        kind = JobError
    error: GeoError = kind(fault.code, fault.zh, fault.en)
    error.where = fault.where
    return error


def timed_out(limit_s: float) -> Fault:
    """Return the fault of a process that took too long."""
    return Fault(
        kind="TimeLimitError",
        code="time-limit",
        zh=f"处理超过 {limit_s:.0f} 秒，已停止。请分区域上传，或调大时限设置。",
        en=f"Processing took more than {limit_s:.0f} s and was stopped. Upload in parts, or raise the limit.",
    )


def crashed() -> Fault:
    """Return the fault of a process that died."""
    return Fault(
        kind="UploadError",
        code="reader-crashed",
        zh="处理进程异常退出，可能是文件损坏或数据过大。请重新导出后再试。",
        en="The process broke off: a file may be damaged or too large. Export it again and retry.",
    )


def interrupted(attempts: int) -> Fault:
    """Return the fault of a job that restarts of the service broke off, after so many tries."""
    again_zh = "已自动重试一次，仍未完成。" if attempts > 1 else ""
    again_en = " It was tried again once and broken off again." if attempts > 1 else ""
    return Fault(
        kind="JobError",
        code="interrupted",
        zh=f"服务重启，任务被中断。{again_zh}请重新运行。",
        en=f"The service restarted and the job was interrupted.{again_en} Run it again.",
    )


def lost() -> Fault:
    """Return the fault of a job that nothing works on any more."""
    return Fault(
        kind="JobError",
        code="job-lost",
        zh="任务的进程已不存在，结果未能保存（磁盘可能已满）。请检查磁盘空间后重新运行。",
        en="The job's process is gone and its end could not be stored (the disk may be full). Check the free space "
        "and run it again.",
    )


def finish_failed(error: Exception) -> Fault:
    """Return the fault of a job whose results could not be registered."""
    if isinstance(error, GeoError):
        return Fault(kind=type(error).__name__, code=error.code, zh=error.zh, en=error.en, where=error.where)
    return Fault(
        kind="JobError",
        code="results-not-kept",
        zh="计算已完成，但结果未能保存（磁盘可能已满）。请检查磁盘空间后重新运行，或查看服务日志。",
        en="The computation finished, but its results could not be stored (the disk may be full). Check the free "
        "space and run it again, or read the service's log.",
    )


def unknown_failure() -> Fault:
    """Return the fault of a job that could not be started."""
    return Fault(
        kind="JobError",
        code="not-started",
        zh="任务无法启动。请稍后重试，或查看服务日志。",
        en="The job could not be started. Try again later, or read the service's log.",
    )
