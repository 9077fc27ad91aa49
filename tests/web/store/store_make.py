"""Make what the store's tests keep: a project, a dataset, a plan, edits."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from web.store import DatasetRecord, EditRecord, PlanRecord, Project, Stores

CHANGE: dict[str, Any] = {"cells": [3, 4, 9], "before": [1, 1, 2], "after": [2, 2, 1]}


def dataset_folder(folder: Path, content: bytes = b"cells") -> tuple[Path, str]:
    """Write the files of a dataset as a job does; return the folder and the id."""
    source = folder / "job" / "dataset"
    (source / "layers").mkdir(parents=True)
    (source / "ground.npz").write_bytes(content)
    (source / "layers" / "cells.parquet").write_bytes(content * 2)
    return source, hashlib.sha256(content).hexdigest()


def edit(plan_id: str, number: int, **changes: Any) -> EditRecord:
    """An edit with the operation id ``op-<number>``."""
    given = {
        "kind": "assign",
        "request": {"kind": "assign", "cells": [3, 4, 9], "grid": 2},
        "change": CHANGE,
        "user_name": "李规划",
    }
    return EditRecord(plan_id, f"op-{number}", **(given | changes))


@dataclass(frozen=True)
class Kept:
    """Stores with one plan."""

    stores: Stores
    project: Project
    plan: PlanRecord

    @classmethod
    def make(cls, stores: Stores, folder: Path) -> Kept:
        project = Project(name="东城区")
        stores.projects.add(project)
        source, dataset_id = dataset_folder(folder)
        stores.datasets.adopt(source, DatasetRecord(dataset_id, cells=20))
        plan = PlanRecord(project.id, dataset_id, "方案一", standard={"target": 250}, user_name="李规划")
        return cls(stores, project, stores.plans.add(plan, b"as made"))

    def edited(self, count: int) -> list[EditRecord]:
        """Commit `count` edits more."""
        begin = self.stores.plans.get(self.plan.id).revision
        return [
            self.stores.plans.append(edit(self.plan.id, number + 1), number)
            for number in range(begin, begin + count)
        ]
