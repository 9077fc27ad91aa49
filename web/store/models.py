"""Documents of the store."""

from __future__ import annotations

import uuid
from datetime import UTC, datetime
from typing import Any, Literal

from pydantic import BaseModel, Field

from geo.types import Role  # noqa: TC001 - pydantic reads it when the class is made

ProjectKind = Literal["upload", "demo-small", "demo-full"]
ProjectState = Literal["draft", "ready"]
JobKind = Literal["plan", "siting", "export", "tiles", "alternatives"]
JobState = Literal["queued", "running", "done", "failed", "cancelled", "interrupted"]
ENDED: frozenset[JobState] = frozenset({"done", "failed", "cancelled", "interrupted"})


def new_id() -> str:
    """Return a fresh id: 32 hexadecimal digits."""
    return uuid.uuid4().hex


def now() -> str:
    """Return the time in UTC, ISO 8601 with milliseconds."""
    return datetime.now(UTC).isoformat(timespec="milliseconds")


class Fault(BaseModel):
    """An error as it is kept and shown."""

    kind: str = "JobError"
    """Name of the error class, which decides the HTTP status."""
    code: str
    zh: str
    en: str
    where: dict[str, Any] = Field(default_factory=dict)


class LayerFacts(BaseModel):
    """What inspection found about one layer of a file."""

    name: str = Field(max_length=500)
    """As the file has it; a file of one layer carries our own name."""
    title: str = Field(default="", max_length=500)
    """As the planner knows it."""
    rows: int | None = None
    geometry_type: str | None = None
    crs: str | None = None
    role: Role | None = None
    columns: list[str] = Field(default_factory=list)


class StoredFile(BaseModel):
    """One file of an upload: our name on disk, the client's name only as a label."""

    id: str
    path: str
    """Relative to the project's folder of files."""
    label: str = Field(max_length=300)
    layers: list[LayerFacts] = Field(default_factory=list)


class Layer(BaseModel):
    """A layer of a file and the role it plays."""

    role: Role
    file: str
    """Id of the stored file."""
    layer: str | None = None


class Project(BaseModel):
    """Files, their roles, and what was found in them."""

    id: str = Field(default_factory=new_id)
    name: str
    kind: ProjectKind = "upload"
    state: ProjectState = "draft"
    created: str = Field(default_factory=now)
    files: list[StoredFile] = Field(default_factory=list)
    layers: list[Layer] = Field(default_factory=list)
    columns: dict[str, str] = Field(default_factory=dict)
    summary: dict[str, Any] = Field(default_factory=dict)
    findings: list[dict[str, Any]] = Field(default_factory=list)


class Job(BaseModel):
    """One job of a project."""

    id: str = Field(default_factory=new_id)
    project: str
    kind: JobKind = "plan"
    parameters: dict[str, Any] = Field(default_factory=dict)
    state: JobState = "queued"
    created: str = Field(default_factory=now)
    started: str | None = None
    ended: str | None = None
    pid: int | None = None
    process_start: str | None = None
    """The kernel's start time of the process: with `pid` it names one process for good."""
    attempts: int = 0
    """How often its process was started."""
    heartbeat: str | None = None
    """When its process was last seen alive."""
    progress: dict[str, Any] = Field(default_factory=dict)
    """``stage``, ``done`` and ``total`` as its process last said them."""
    error: Fault | None = None

    @property
    def over(self) -> bool:
        """Whether the job has ended, one way or another."""
        return self.state in ENDED
