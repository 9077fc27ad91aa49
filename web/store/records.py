"""What the store keeps of plans, as plain values."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

from web.store.models import new_id, now

if TYPE_CHECKING:
    from collections.abc import Mapping

PlanStatus = Literal["draft", "consultation", "approved", "published", "withdrawn"]


@dataclass(frozen=True)
class DatasetRecord:
    """A dataset: a folder of files named by its content, which never change."""

    id: str
    """SHA-256 of the content, 64 hexadecimal digits."""
    cells: int = 0
    facts: Mapping[str, Any] = field(default_factory=dict)
    """What is shown of it: counts, names, bounds."""
    created: str = field(default_factory=now)


@dataclass(frozen=True)
class PlanRecord:
    """A plan: whose it is, what it stands on, how far it has come."""

    project_id: str
    dataset_id: str
    name: str
    id: str = field(default_factory=new_id)
    status: PlanStatus = "draft"
    revision: int = 0
    """Number of changes committed to it."""
    genesis: str = ""
    """Hash of its beginning; the store sets it."""
    head_hash: str = ""
    """Hash of its last edit, `genesis` before the first; the store sets it."""
    parent_id: str | None = None
    parent_revision: int | None = None
    """Plan and revision that it is a branch of."""
    job_id: str | None = None
    """Job that made it; a job makes one plan at most."""
    standard: Mapping[str, Any] = field(default_factory=dict)
    parameters: Mapping[str, Any] = field(default_factory=dict)
    summary: Mapping[str, Any] = field(default_factory=dict)
    published_revision: int | None = None
    user_id: str | None = None
    user_name: str = ""
    """Who made it, by the name of that time."""
    created: str = field(default_factory=now)
    updated: str = field(default_factory=now)


@dataclass(frozen=True)
class EditRecord:
    """One committed change of a plan; `revision` and `hash` are set by the store."""

    plan_id: str
    op_id: str
    """Chosen by the client: the same request sent twice is stored once."""
    kind: str
    """Kind of the edit, or ``undo``, ``redo``."""
    request: Any = None
    """The edit as it was asked for."""
    change: Any = None
    """What it did (`geo.editing.change.to_document`)."""
    user_id: str | None = None
    user_name: str = ""
    at: str = field(default_factory=now)
    undoes: int | None = None
    redoes: int | None = None
    """Revision that it takes back or makes again."""
    revision: int = 0
    hash: str = ""


@dataclass(frozen=True)
class VersionRecord:
    """A revision of a plan with a name."""

    plan_id: str
    revision: int
    name: str
    note: str = ""
    user_id: str | None = None
    user_name: str = ""
    id: str = field(default_factory=new_id)
    at: str = field(default_factory=now)


@dataclass(frozen=True)
class CommentRecord:
    """A remark on a plan, or on one of its grids."""

    plan_id: str
    revision: int
    """Of the plan when it was made."""
    text: str
    grid: int | None = None
    resolved: bool = False
    user_id: str | None = None
    user_name: str = ""
    id: str = field(default_factory=new_id)
    at: str = field(default_factory=now)
    edited: str | None = None
