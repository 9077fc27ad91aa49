"""Jobs: a row each, and a folder; only ``out`` in it is written by the job's own process."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING, Any

from sqlalchemy import delete, desc, insert, select, update

from web.errors import job_missing
from web.store.files import is_id, read_json
from web.store.models import ENDED, Job, now
from web.store.tables import jobs

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from sqlalchemy import RowMapping

    from web.store.engine import Database
    from web.store.models import JobKind


class JobStore:
    """Keep jobs in the database and their results in folders under `root`; safe to call from several threads."""

    def __init__(self, database: Database, root: Path) -> None:
        self._database = database
        self._root = root
        root.mkdir(parents=True, exist_ok=True)

    def folder(self, job_id: str) -> Path:
        """Folder of a job."""
        return self._root / job_id

    def out(self, job_id: str) -> Path:
        """Folder the job's process writes to."""
        return self._root / job_id / "out"

    def add(self, job: Job) -> None:
        """Store a new job and make its folders."""
        self.out(job.id).mkdir(parents=True, exist_ok=True)
        with self._database.writing() as connection:
            connection.execute(insert(jobs).values(**job.model_dump(mode="json")))

    def save(self, job: Job) -> None:
        """Store the job as it is now.

        Raises
        ------
        NotFoundError
            If it was removed meanwhile.
        """
        values = job.model_dump(mode="json")
        with self._database.writing() as connection:
            if not connection.execute(update(jobs).where(jobs.c.id == job.id).values(**values)).rowcount:
                raise job_missing()

    def get(self, job_id: str) -> Job:
        """Return a job.

        Raises
        ------
        NotFoundError
            If there is none with this id.
        """
        if not is_id(job_id):
            raise job_missing()
        with self._database.reading() as connection:
            row = connection.execute(select(jobs).where(jobs.c.id == job_id)).mappings().first()
        if row is None:
            raise job_missing()
        return _job(row)

    def all(self) -> list[Job]:
        """Return every job, the last submitted first."""
        return self._jobs()

    def unfinished(self) -> list[Job]:
        """Return the jobs that have not ended, the first submitted first."""
        return self._jobs(jobs.c.state.not_in(sorted(ENDED)))[::-1]

    def of_project(self, project_id: str, *, kind: JobKind | None = None) -> list[Job]:
        """Return a project's jobs, the last submitted first; those of one kind when it is named."""
        of_kind = [] if kind is None else [jobs.c.kind == kind]
        return self._jobs(jobs.c.project == project_id, *of_kind)

    def remove(self, job_id: str) -> None:
        """Delete a job and its results."""
        if not is_id(job_id):
            return
        shutil.rmtree(self.folder(job_id), ignore_errors=True)
        with self._database.writing() as connection:
            connection.execute(delete(jobs).where(jobs.c.id == job_id))

    def clear_out(self, job_id: str) -> None:
        """Delete what an unfinished job wrote."""
        shutil.rmtree(self.out(job_id), ignore_errors=True)

    def heartbeat(self, job_id: str, progress: Mapping[str, Any] | None = None) -> None:
        """Note that the job's process is alive, and its progress when it is given; one that is over is left."""
        values: dict[str, Any] = {"heartbeat": now()}
        if progress is not None:
            values["progress"] = dict(progress)
        with self._database.writing() as connection:
            connection.execute(
                update(jobs).where(jobs.c.id == job_id, jobs.c.state.not_in(sorted(ENDED))).values(**values)
            )

    def progress(self, job_id: str) -> dict[str, Any]:
        """Return ``stage``, ``done`` and ``total`` as the job last said them.

        Raises
        ------
        NotFoundError
            If there is no such job.
        """
        return {"stage": "start", "done": 0, "total": 0} | self.get(job_id).progress

    def document(self, job_id: str, name: str) -> Any | None:
        """Return a JSON result of a finished job, or None."""
        return read_json(self.out(job_id) / name)

    def _jobs(self, *conditions: Any) -> list[Job]:
        wanted = select(jobs).where(*conditions).order_by(desc(jobs.c.number))
        with self._database.reading() as connection:
            return [_job(row) for row in connection.execute(wanted).mappings()]


def _job(row: RowMapping) -> Job:
    return Job.model_validate({name: row[name] for name in Job.model_fields})
