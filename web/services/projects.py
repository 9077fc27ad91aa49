"""Projects: from uploaded files to layers in their roles."""

from __future__ import annotations

import threading
from contextlib import suppress
from typing import TYPE_CHECKING, Literal

from pydantic import TypeAdapter, ValidationError

from geo.types import ROLES
from web.errors import BadRequestError, ConflictError, UploadError
from web.jobs.launch import Task
from web.services.uploads import receive
from web.store import Layer, Project, StoredFile

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from web.jobs.residents import Residents
    from web.jobs.runner import Runner
    from web.services.uploads import Incoming
    from web.settings import Settings
    from web.store import JobStore, ProjectStore

DemoSize = Literal["small", "full"]
DEMO_NAMES = {"small": "演示城区 Demo district", "full": "完整演示城市 Full demo city"}
FILES = TypeAdapter(list[StoredFile])


class Projects:
    """Make, change and delete projects."""

    def __init__(
        self,
        settings: Settings,
        projects: ProjectStore,
        jobs: JobStore,
        runner: Runner,
        residents: Residents,
    ) -> None:
        self._settings = settings
        self._projects = projects
        self._jobs = jobs
        self._runner = runner
        self._residents = residents
        self._demo_lock = threading.Lock()

    def create(self, name: str, incoming: Sequence[Incoming]) -> Project:
        """Store and examine uploaded files; a failed upload leaves nothing behind.

        Raises
        ------
        GeoError
            What is wrong with which file.
        """
        project = Project(name=name.strip()[:80])
        self._projects.add(project)
        try:
            folder = self._projects.files_dir(project.id)
            stored = receive(incoming, folder, max_files=self._settings.max_files)
            project.name = project.name or stored[0].label
            project.files = self._inspect(stored, folder)
            self._projects.save(project)
        except BaseException:
            self._projects.remove(project.id)
            raise
        return project

    def assign(self, project: Project, layers: Sequence[Layer], columns: Mapping[str, str]) -> Project:
        """Give layers their roles and read them; the project changes only if they can be read.

        Raises
        ------
        GeoError
            What is wrong with which layer.
        """
        project = project.model_copy(update={"layers": list(layers), "columns": dict(columns)})
        _check_roles(project)
        folder = self._projects.files_dir(project.id)
        task = Task(
            "load",
            {"sources": sources(project, folder), "columns": project.columns},
            read=(folder,),
            labels=labels(project, folder),
        )
        result = self._runner.run(task)
        project.summary = result.get("summary") or {}
        project.findings = result.get("findings") or []
        project.state = "ready"
        self._projects.save(project)
        return project

    def demo(self, size: DemoSize, visible: frozenset[str] | None = None) -> tuple[Project, bool]:
        """Return the project of a demo city, and whether it is new.

        Parameters
        ----------
        visible
            Ids of the projects to look among, so that everybody has a demo city of their own; None for all.
        """
        kind: Literal["demo-small", "demo-full"] = "demo-small" if size == "small" else "demo-full"
        with self._demo_lock:
            for project in self._projects.all():
                if project.kind == kind and (visible is None or project.id in visible):
                    return project, False
            project = Project(name=DEMO_NAMES[size], kind=kind, state="ready")
            self._projects.add(project)
            return project, True

    def remove(self, project: Project) -> None:
        """Delete a project with its jobs.

        Raises
        ------
        ConflictError
            While a job of it runs.
        """
        jobs = self._jobs.of_project(project.id)
        for job in jobs:
            if job.kind == "tiles" and not job.over:  # nobody asked for it
                with suppress(ConflictError):
                    self._runner.cancel(job.id)
        if any(not job.over and job.kind != "tiles" for job in jobs):
            raise ConflictError(
                "project-busy",
                "项目中有任务正在运行，请先取消。",
                "A job of this project is running; cancel it first.",
            )
        self._residents.forget(project.id)
        self._projects.remove(project.id)
        for job in jobs:
            self._jobs.remove(job.id)

    def _inspect(self, stored: Sequence[StoredFile], folder: Path) -> list[StoredFile]:
        files = [file.model_dump(include={"id", "path", "label"}) for file in stored]
        task = Task(
            "inspect",
            {"folder": str(folder), "files": files, "unpacked_mb": self._settings.max_unpacked_mb},
            read=(folder,),
            write=(folder,),
            labels={str(folder / file.path): file.label for file in stored},
        )
        try:
            found = FILES.validate_python(self._runner.run(task).get("files"))
        except ValidationError as error:
            raise UploadError(
                "unreadable", "无法识别上传的文件。", "The uploaded files cannot be understood."
            ) from error
        for file in found:
            path = (folder / file.path).resolve()
            if not path.is_relative_to(folder.resolve()) or not path.is_file():
                raise UploadError(
                    "unreadable", "无法识别上传的文件。", "The uploaded files cannot be understood."
                )
        return found


def guessed_layers(project: Project) -> list[Layer]:
    """Return the layers whose role inspection could tell, the first for each role."""
    guessed: dict[str, Layer] = {}
    for file in project.files:
        for layer in file.layers:
            if layer.role is not None and layer.role not in guessed:
                guessed[layer.role] = Layer(role=layer.role, file=file.id, layer=layer.name)
    return list(guessed.values())


def parse_layers(project: Project, texts: Sequence[str]) -> list[Layer]:
    """Read ``ROLE=FILE[:LAYER]`` with the client's names of files; without texts, take the guesses.

    Raises
    ------
    BadRequestError
        If a role, file or layer is not there.
    """
    return [_parse_layer(project, text) for text in texts] if texts else guessed_layers(project)


def _parse_layer(project: Project, text: str) -> Layer:
    role, equals, rest = text.partition("=")
    if not equals or role not in ROLES:
        raise BadRequestError(
            "role-unknown",
            f"无法理解图层说明“{text[:80]}”。请写成 角色=文件名[:图层]，角色为 {'、'.join(ROLES)} 之一。",
            f"Cannot read the layer '{text[:80]}'. Write ROLE=FILE[:LAYER]; ROLE is one of {', '.join(ROLES)}.",
        )
    for file in project.files:
        for label in (file.label, file.label.split(" / ")[0]):
            if rest == label:
                return Layer(role=role, file=file.id, layer=None)
            if rest.startswith(f"{label}:"):
                wanted = rest[len(label) + 1 :]
                for layer in file.layers:
                    if wanted in {layer.title, layer.name}:
                        return Layer(role=role, file=file.id, layer=layer.name)
    raise BadRequestError(
        "layer-missing",
        f"上传的文件中没有“{rest[:80]}”。",
        f"There is no '{rest[:80]}' among the uploaded files.",
    )


def _check_roles(project: Project) -> None:
    roles = {layer.role for layer in project.layers}
    if not {"buildings", "communities"} <= roles:
        raise BadRequestError(
            "roles-needed",
            "请至少指定一个“楼栋”图层和一个“社区”图层。",
            "Choose at least one layer as buildings and one as communities.",
        )


def sources(project: Project, folder: Path) -> list[dict[str, str | None]]:
    """Return the layers of a project as the library takes them."""
    files = {file.id: file for file in project.files}
    return [
        {
            "role": layer.role,
            "path": str(folder / files[layer.file].path),
            # A file with one layer needs no name; naming it could only break on odd characters.
            "layer": layer.layer if len(files[layer.file].layers) > 1 else None,
        }
        for layer in project.layers
        if layer.file in files
    ]


def labels(project: Project, folder: Path) -> dict[str, str]:
    """Return the client's name of each stored path, for messages."""
    return {str(folder / file.path): file.label for file in project.files}
