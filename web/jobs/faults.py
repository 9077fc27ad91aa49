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


def interrupted() -> Fault:
    """Return the fault of a job the server could not finish."""
    return Fault(
        kind="JobError",
        code="interrupted",
        zh="服务重启，任务被中断。请重新运行。",
        en="The service restarted and the job was interrupted. Run it again.",
    )


def unknown_failure() -> Fault:
    """Return the fault of a job that could not be started."""
    return Fault(
        kind="JobError",
        code="not-started",
        zh="任务无法启动。请稍后重试，或查看服务日志。",
        en="The job could not be started. Try again later, or read the service's log.",
    )
