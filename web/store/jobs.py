"""Jobs: one folder each. ``job.json`` is ours; only ``out`` is written by the job's own process."""

from __future__ import annotations

import shutil
import threading
from typing import TYPE_CHECKING, Any

from pydantic import ValidationError

from web.errors import job_missing
from web.store.files import is_id, read_json, write_text
from web.store.models import Job

if TYPE_CHECKING:
    from pathlib import Path

    from web.store.models import JobKind

PROGRESS_LIMIT = 4096


class JobStore:
    """Keep jobs in folders under `root`; safe to call from several threads."""

    def __init__(self, root: Path) -> None:
        self._root = root
        self._lock = threading.Lock()
        root.mkdir(parents=True, exist_ok=True)

    def folder(self, job_id: str) -> Path:
        """Folder of a job."""
        return self._root / job_id

    def out(self, job_id: str) -> Path:
        """Folder the job's process writes to."""
        return self._root / job_id / "out"

    def add(self, job: Job) -> None:
        """Store a new job and make its folders."""
        self.out(job.id).mkdir(parents=True)
        self.save(job)

    def save(self, job: Job) -> None:
        """Store the job as it is now."""
        with self._lock:
            write_text(self.folder(job.id) / "job.json", job.model_dump_json(indent=1))

    def get(self, job_id: str) -> Job:
        """Return a job.

        Raises
        ------
        NotFoundError
            If there is none with this id.
        """
        document = read_json(self.folder(job_id) / "job.json") if is_id(job_id) else None
        if document is None:
            raise job_missing()
        try:
            return Job.model_validate(document)
        except ValidationError as error:
            raise job_missing() from error

    def all(self) -> list[Job]:
        """Return every job, newest first."""
        folders = [folder for folder in self._root.iterdir() if is_id(folder.name)]
        documents = [read_json(folder / "job.json") for folder in folders]
        jobs = [Job.model_validate(document) for document in documents if document is not None]
        return sorted(jobs, key=lambda job: (job.created, job.id), reverse=True)

    def of_project(self, project_id: str, *, kind: JobKind | None = None) -> list[Job]:
        """Return a project's jobs, newest first; those of one kind when it is named."""
        return [job for job in self.all() if job.project == project_id and kind in {None, job.kind}]

    def remove(self, job_id: str) -> None:
        """Delete a job and its results."""
        if is_id(job_id):
            shutil.rmtree(self.folder(job_id), ignore_errors=True)

    def clear_out(self, job_id: str) -> None:
        """Delete what an unfinished job wrote."""
        shutil.rmtree(self.out(job_id), ignore_errors=True)

    def progress(self, job_id: str) -> dict[str, Any]:
        """Return ``stage``, ``done`` and ``total`` as the job last said them."""
        document = read_json(self.out(job_id) / "progress.json", limit=PROGRESS_LIMIT)
        blank = {"stage": "start", "done": 0, "total": 0}
        if not isinstance(document, dict):
            return blank
        stage, done, total = document.get("stage"), document.get("done"), document.get("total")
        if not (isinstance(stage, str) and isinstance(done, int) and isinstance(total, int)):
            return blank
        return {"stage": stage[:40], "done": done, "total": total}

    def document(self, job_id: str, name: str) -> Any | None:
        """Return a JSON result of a finished job, or None."""
        return read_json(self.out(job_id) / name)
