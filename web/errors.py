"""Errors of the service; those of the library are in `geo.errors`."""

from __future__ import annotations

from geo.errors import GeoError


class BadRequestError(GeoError):
    """The request itself cannot be understood."""


class CrossSiteError(GeoError):
    """Another site's page sent the request."""


class NotFoundError(GeoError):
    """There is no such project, job or file."""


class ConflictError(GeoError):
    """The project or job is not in a state that allows this."""


class TooLargeError(GeoError):
    """More bytes, files or rows than the settings allow."""


class FormatError(GeoError):
    """A file is of a kind that is not read, or is not what its name says."""


class UploadError(GeoError):
    """A file cannot be read safely: truncated, unpacks too far, points elsewhere."""


class TimeLimitError(GeoError):
    """Reading the files took longer than the settings allow."""


class JobError(GeoError):
    """A job ended without a result."""


def project_missing() -> NotFoundError:
    """Return the error for a project that is not there."""
    return NotFoundError(
        "project-missing", "没有这个项目，可能已被删除。", "There is no such project; it may be deleted."
    )


def job_missing() -> NotFoundError:
    """Return the error for a job that is not there."""
    return NotFoundError("job-missing", "没有这个任务。", "There is no such job.")


def file_missing() -> NotFoundError:
    """Return the error for a result file that is not there."""
    return NotFoundError("file-missing", "没有这个成果文件。", "There is no such result file.")
