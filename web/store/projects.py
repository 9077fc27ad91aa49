"""Projects: a row each, and a folder with the uploaded files."""

from __future__ import annotations

import shutil
import time
from typing import TYPE_CHECKING, Any

from sqlalchemy import delete, desc, insert, select, update

from web.errors import project_missing
from web.store.files import is_id
from web.store.models import Project
from web.store.tables import plans, projects

if TYPE_CHECKING:
    from pathlib import Path

    from sqlalchemy import RowMapping

    from web.store.engine import Database
    from web.store.published import PublishedStore


class ProjectStore:
    """Keep projects in the database and their files in folders under `root`."""

    def __init__(self, database: Database, root: Path, published: PublishedStore) -> None:
        self._database = database
        self._root = root
        self._published = published
        root.mkdir(parents=True, exist_ok=True)

    def add(self, project: Project) -> None:
        """Store a new project and make its folder of files."""
        self.files_dir(project.id).mkdir(parents=True, exist_ok=True)
        with self._database.writing() as connection:
            connection.execute(insert(projects).values(**project.model_dump(mode="json")))

    def save(self, project: Project) -> None:
        """Store the project as it is now.

        Raises
        ------
        NotFoundError
            If it was deleted meanwhile.
        """
        values = project.model_dump(mode="json")
        with self._database.writing() as connection:
            if not connection.execute(
                update(projects).where(projects.c.id == project.id).values(**values)
            ).rowcount:
                raise project_missing()

    def get(self, project_id: str) -> Project:
        """Return a project.

        Raises
        ------
        NotFoundError
            If there is none with this id.
        """
        if not is_id(project_id):
            raise project_missing()
        with self._database.reading() as connection:
            row = connection.execute(select(projects).where(projects.c.id == project_id)).mappings().first()
        if row is None:
            raise project_missing()
        return _project(row)

    def all(self) -> list[Project]:
        """Return every project, newest first."""
        with self._database.reading() as connection:
            rows = connection.execute(select(projects).order_by(desc(projects.c.number))).mappings().all()
        return [_project(row) for row in rows]

    def remove(self, project_id: str) -> None:
        """Delete a project with its plans, published or not, and its files; its jobs are removed one by one."""
        if not is_id(project_id):
            return
        with self._database.writing() as connection:
            of_project = select(plans.c.id).where(plans.c.project_id == project_id)
            for plan_id in connection.execute(of_project).scalars().all():
                self._published.remove(plan_id)
            connection.execute(delete(projects).where(projects.c.id == project_id))
        shutil.rmtree(self._root / project_id, ignore_errors=True)

    def files_dir(self, project_id: str) -> Path:
        """Folder of a project's files."""
        return self._root / project_id / "files"

    def remove_stale_drafts(self, *, older_than_s: float = 24 * 3600.0) -> None:
        """Delete uploads that were never finished. A folder without a row is left alone: it may be another's."""
        for project in self.all():
            folder = self._root / project.id
            age = time.time() - folder.stat().st_mtime if folder.exists() else older_than_s + 1
            if project.state == "draft" and age > older_than_s:
                self.remove(project.id)


def _project(row: RowMapping) -> Project:
    values: dict[str, Any] = {name: row[name] for name in Project.model_fields}
    return Project.model_validate(values)
