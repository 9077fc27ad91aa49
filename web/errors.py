"""Errors of the service; those of the library are in `geo.errors`."""

from __future__ import annotations

from geo.errors import GeoError


class BadRequestError(GeoError):
    """The request itself cannot be understood."""


class SignInError(GeoError):
    """Nobody is signed in, or not with this name and password."""


class ForbiddenError(GeoError):
    """The user may not do this."""


class TooManyError(GeoError):
    """Asked too often in too short a time."""


class BusyError(GeoError):
    """No room for this at the moment; try again."""


class SettingsError(GeoError):
    """The service cannot start with these settings."""


class RuleError(GeoError):
    """A route has no rule: a defect of ours."""


class StorageFullError(GeoError):
    """The disk takes nothing more; what was asked for is not saved."""


class SchemaError(GeoError):
    """The database is of another version, or lacks what the service needs."""


class ChainError(GeoError):
    """A log was changed after it was written."""


class CrossSiteError(GeoError):
    """Another site's page sent the request."""


class NotFoundError(GeoError):
    """There is no such project, job or file."""


class ConflictError(GeoError):
    """The project or job is not in a state that allows this."""


class RefusedError(GeoError):
    """A plan does not take an edit: a lock, a community border, an object that is not there."""


class StaleError(ConflictError):
    """The plan has been edited meanwhile."""


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


class ClusterError(JobError):
    """The Dask cluster that jobs shall work on cannot be used."""


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


def plan_missing() -> NotFoundError:
    """Return the error for a plan that is not there."""
    return NotFoundError(
        "plan-missing", "没有这个方案，可能已被删除。", "There is no such plan; it may be deleted."
    )


def dataset_missing() -> NotFoundError:
    """Return the error for a dataset that is not there."""
    return NotFoundError("dataset-missing", "没有这个数据集。", "There is no such dataset.")
