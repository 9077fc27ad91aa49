"""Projects: one folder each, with ``project.json`` and the uploaded files."""

from __future__ import annotations

import shutil
import time
from typing import TYPE_CHECKING

from pydantic import ValidationError

from web.errors import project_missing
from web.store.files import is_id, read_json, write_text
from web.store.models import Project

if TYPE_CHECKING:
    from pathlib import Path


class ProjectStore:
    """Keep projects in folders under `root`."""

    def __init__(self, root: Path) -> None:
        self._root = root
        root.mkdir(parents=True, exist_ok=True)

    def add(self, project: Project) -> None:
        """Store a new project and make its folder of files."""
        self.files_dir(project.id).mkdir(parents=True)
        self.save(project)

    def save(self, project: Project) -> None:
        """Store the project as it is now."""
        write_text(self._root / project.id / "project.json", project.model_dump_json(indent=1))

    def get(self, project_id: str) -> Project:
        """Return a project.

        Raises
        ------
        NotFoundError
            If there is none with this id.
        """
        document = read_json(self._root / project_id / "project.json") if is_id(project_id) else None
        if document is None:
            raise project_missing()
        try:
            return Project.model_validate(document)
        except ValidationError as error:
            raise project_missing() from error

    def all(self) -> list[Project]:
        """Return every project, newest first."""
        found = []
        for folder in self._root.iterdir():
            document = read_json(folder / "project.json") if is_id(folder.name) else None
            if document is not None:
                found.append(Project.model_validate(document))
        return sorted(found, key=lambda project: (project.created, project.id), reverse=True)

    def remove(self, project_id: str) -> None:
        """Delete a project and its files."""
        if is_id(project_id):
            shutil.rmtree(self._root / project_id, ignore_errors=True)

    def files_dir(self, project_id: str) -> Path:
        """Folder of a project's files."""
        return self._root / project_id / "files"

    def remove_stale_drafts(self, *, older_than_s: float = 24 * 3600.0) -> None:
        """Delete uploads that were never finished."""
        for folder in self._root.iterdir():
            document = folder / "project.json"
            age = time.time() - folder.stat().st_mtime
            if age > older_than_s and (not document.exists() or self.get(folder.name).state == "draft"):
                self.remove(folder.name)
