"""Projects and jobs that an earlier version kept in files of their own become rows, once; the files stay."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, TypeVar

from pydantic import ValidationError
from sqlalchemy import insert, select

from web.store.files import is_id, read_json
from web.store.models import Job, Project
from web.store.tables import facts, jobs, projects

if TYPE_CHECKING:
    from pathlib import Path

    from sqlalchemy import Table

    from web.store.engine import Database

LOG = logging.getLogger("wangge")
DONE = "files-read"
Document = TypeVar("Document", Project, Job)


def read_files(database: Database, projects_dir: Path, jobs_dir: Path) -> int:
    """Bring ``project.json`` and ``job.json`` of old folders into the database; return how many became rows."""
    with database.writing() as connection:
        if connection.execute(select(facts.c.value).where(facts.c.name == DONE)).first() is not None:
            return 0
        made = sum(
            _add(database, projects, item) for item in _documents(Project, projects_dir, "project.json")
        )
        made += sum(_add(database, jobs, item) for item in _documents(Job, jobs_dir, "job.json"))
        connection.execute(insert(facts).values(name=DONE, value=made))
    if made:
        LOG.info("%d projects and jobs of an earlier version were taken over", made)
    return made


def _documents(kind: type[Document], root: Path, name: str) -> list[Document]:
    """Return the documents below `root`, oldest first; one that cannot be read is left out and said."""
    found = []
    for folder in sorted(root.iterdir()) if root.is_dir() else []:
        document = read_json(folder / name) if is_id(folder.name) else None
        if document is None:
            continue
        try:
            found.append(kind.model_validate(document))
        except ValidationError:
            LOG.warning("%s cannot be read and stays a file", folder / name)
    return sorted(found, key=lambda item: (item.created, item.id))


def _add(database: Database, table: Table, document: Project | Job) -> int:
    values = document.model_dump(mode="json")
    with database.writing() as connection:
        if connection.execute(select(table.c.number).where(table.c.id == values["id"])).first() is not None:
            return 0
        connection.execute(insert(table).values(**values))
    return 1
