"""A city's dataset and an editable plan on it, put into the store without running a job."""

from __future__ import annotations

import copy
import shutil
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
from flask import Flask
from flask.testing import FlaskClient
from web_make import city, gpkg
from werkzeug.test import TestResponse

from geo.cells import build_tiling
from geo.dataset.folder import write_dataset
from geo.dataset.ground_file import read_centres, read_ground
from geo.editing.judged import summary
from geo.editing.plan import Plan
from geo.editing.start import new_plan, snapshot
from geo.intake import load_city
from geo.layers import parse_source
from geo.standards import load_standard
from web.auth.people import User
from web.services.plan_standards import standard_document
from web.services.state import Service
from web.store import DatasetRecord, PlanRecord, Project

STANDARD = load_standard("fine-250")


def write_city_dataset(folder: Path) -> str:
    """Write the dataset of the small city into `folder`; return its id."""
    with tempfile.TemporaryDirectory() as scratch:
        path = Path(scratch) / "city.gpkg"
        path.write_bytes(gpkg(city()))
        loaded = load_city([parse_source(f"{role}={path}:{role}") for role in ("buildings", "communities")])
    return write_dataset(loaded, build_tiling(loaded), folder)


def first_plan(folder: Path) -> Plan:
    """Plan with two grids in each community, west and east."""
    ground = read_ground(folder)
    east = read_centres(folder)[:, 0].astype(np.int64)
    label = np.zeros(ground.n, np.int64)
    for community in range(len(ground.community_ids)):
        mine = ground.cells.community == community
        label[mine] = 2 * community + (east[mine] > np.median(east[mine]))
    n = 2 * len(ground.community_ids)
    table = {
        "code": [
            f"{ground.community_codes[k // 2] or ground.community_ids[k // 2]}{k % 2 + 1:03d}"
            for k in range(n)
        ],
        "name": [f"{ground.community_names[k // 2]}第{k % 2 + 1}网格" for k in range(n)],
        "community": [k // 2 for k in range(n)],
    }
    return new_plan(ground, STANDARD, label, table, {"seed": 0})


class Edited:
    """An application with an editable plan."""

    def __init__(self, app: Flask, dataset: Path) -> None:
        self.app = app
        self.service: Service = app.extensions["wangge"]
        self.dataset = dataset.name
        self.start = first_plan(dataset)
        draft = shutil.copytree(dataset, self.service.settings.datasets_dir / ".draft")
        self.service.dataset_store.adopt(draft, DatasetRecord(self.dataset, cells=self.start.ground.n))
        self._fresh()

    def _fresh(self) -> None:
        self.project = Project(name="项目", state="ready")
        self.service.project_store.add(self.project)
        self.id = self.add().id

    def another(self) -> Edited:
        """The same application with a new project and a new plan in it."""
        made = copy.copy(self)
        made._fresh()
        return made

    def add(self, **changes: Any) -> PlanRecord:
        """Store another plan, as made."""
        record = PlanRecord(
            **{
                "project_id": self.project.id,
                "dataset_id": self.dataset,
                "name": "方案 1",
                "standard": standard_document(STANDARD),
                "summary": summary(self.start),
            }
            | changes
        )
        return self.service.plan_store.add(record, snapshot(self.start))

    @property
    def client(self) -> FlaskClient:
        return self.app.test_client()

    @property
    def base(self) -> str:
        return f"/api/v1/plans/{self.id}"

    def get(self, path: str = "", **headers: str) -> TestResponse:
        return self.client.get(self.base + path, headers=headers)

    def post(self, path: str, **body: Any) -> TestResponse:
        return self.client.post(self.base + path, json=body)

    def edit(self, kind: str, *, op: str, base: int | None = None, **fields: Any) -> TestResponse:
        """Send an edit on the present revision, or on `base`."""
        seen = self.revision if base is None else base
        return self.post("/edits", op_id=op, base=seen, edit={"kind": kind, **fields})

    def as_user(self, name: str, path: str, **body: Any) -> tuple[int, dict[str, Any]]:
        """Call the editing service as somebody else: ``edits``, ``undo`` or ``redo``; status and answer."""
        from geo.errors import GeoError
        from web.api.errors import status_of

        user = User(name=name, id=name.ljust(32, "0"))
        editing = self.service.editing
        try:
            if path == "edits":
                done = editing.edit(
                    self.id, user, op_id=body["op_id"], base=body["base"], document=body["edit"]
                )
            else:
                done = getattr(editing, path)(self.id, user, op_id=body["op_id"], base=body["base"])
        except GeoError as error:
            return status_of(error), {"code": error.code, "where": error.where}
        return 200, done

    @property
    def revision(self) -> int:
        return int(self.get().get_json()["revision"])

    def assignment(self) -> np.ndarray:
        return np.frombuffer(self.get("/assignment").data, "<i4")

    def cells_of(self, grid: int) -> list[int]:
        return np.flatnonzero(self.assignment() == grid).tolist()
