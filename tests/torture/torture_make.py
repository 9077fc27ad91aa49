"""A town with shapes, a plan on it put into a data folder without running a job, and what must hold of it."""

from __future__ import annotations

import dataclasses
import shutil
import tempfile
from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
from grounds import measured, same_figures
from shapely import box
from web_make import ORIGIN, UTM, gpkg

from geo.cells import build_tiling
from geo.dataset.folder import Dataset, read_dataset, write_dataset
from geo.dataset.ground_file import read_centres, read_ground
from geo.editing.apply import apply_change
from geo.editing.codec import change_from
from geo.editing.drawn import layers_of
from geo.editing.edits import Refusal
from geo.editing.judged import summary
from geo.editing.plan import Plan
from geo.editing.start import new_plan, restored, snapshot
from geo.intake import load_city
from geo.layers import parse_source
from geo.plan_files import read_plan, write_layers
from geo.report import verify_layers
from geo.standards import load_standard
from web.auth.clock import SteadyClock
from web.auth.people import User
from web.auth.sessions import Sessions
from web.services.plan_standards import standard_document
from web.settings import Settings
from web.store import DatasetRecord, EditRecord, PlanRecord, Project, Stores

STANDARD = load_standard("fine-250")
SIDE = 400.0
ACROSS, UP = 4, 2
SECRET = "wL4-c0Xy7NbRz2kQfT9sJ1vGm8UeHdPa5iKo"  # noqa: S105 - the key of a test


def town() -> dict[str, gpd.GeoDataFrame]:
    """Eight communities of 48 blocks each."""
    x, y = ORIGIN
    corners = [(x + i * SIDE, y + j * SIDE) for j in range(UP) for i in range(ACROSS)]
    areas = gpd.GeoDataFrame(
        {
            "社区编码": [f"110101001{k:03d}" for k in range(1, len(corners) + 1)],
            "社区名称": [f"第{k}社区" for k in range(1, len(corners) + 1)],
        },
        geometry=[box(left, low, left + SIDE, low + SIDE) for left, low in corners],
        crs=UTM,
    )
    blocks = [
        box(left, low, left + 40, low + 13)
        for at_x, at_y in corners
        for column in range(6)
        for row in range(8)
        for left, low in [(at_x + 15 + column * 64, at_y + 16 + row * 48)]
    ]
    rng = np.random.default_rng(7)
    homes = gpd.GeoDataFrame(
        {
            "building_id": [f"B{k:03d}" for k in range(len(blocks))],
            "households": rng.integers(12, 44, len(blocks)),
        },
        geometry=blocks,
        crs=UTM,
    )
    return {"buildings": homes, "communities": areas}


def write_town(folder: Path) -> str:
    """Write the dataset of the town into `folder`; return its id."""
    with tempfile.TemporaryDirectory() as scratch:
        path = Path(scratch) / "town.gpkg"
        path.write_bytes(gpkg(town()))
        city = load_city([parse_source(f"{role}={path}:{role}") for role in ("buildings", "communities")])
    return write_dataset(city, build_tiling(city), folder)


def first_plan(folder: Path) -> Plan:
    """Six grids in each community, two columns of three."""
    ground = read_ground(folder)
    spot = read_centres(folder).astype(np.int64)
    label = np.zeros(ground.n, np.int64)
    for community in range(len(ground.community_ids)):
        mine = np.flatnonzero(ground.cells.community == community)
        ranks = [np.argsort(np.argsort(spot[mine, axis], kind="stable")) / len(mine) for axis in (0, 1)]
        label[mine] = 6 * community + 3 * (2 * ranks[0]).astype(int) + (3 * ranks[1]).astype(int)
    used, label = np.unique(label, return_inverse=True)
    number = [int(np.sum(used[:k] // 6 == used[k] // 6)) + 1 for k in range(len(used))]
    table = {
        "code": [
            f"{ground.community_codes[u // 6]}{n:03d}" for u, n in zip(used.tolist(), number, strict=True)
        ],
        "name": [f"第{u // 6 + 1}社区第{n}网格" for u, n in zip(used.tolist(), number, strict=True)],
        "community": (used // 6).tolist(),
    }
    return new_plan(ground, STANDARD, label, table, {"seed": 0})


@dataclasses.dataclass(frozen=True)
class Place:
    """A data folder with one plan."""

    data: Path
    dataset: Path
    """Folder of the dataset that the plan stands on, outside `data`."""
    start: Plan
    project: str
    plan: str

    @classmethod
    def make(cls, data: Path, dataset: Path, start: Plan) -> Place:
        """Fill a data folder."""
        data.mkdir(parents=True, exist_ok=True)
        stores = Stores.open(Settings(data_dir=data))
        try:
            project = Project(name="耐久测试", state="ready")
            stores.projects.add(project)
            draft = shutil.copytree(dataset, data / "draft")
            stores.datasets.adopt(draft, DatasetRecord(dataset.name, cells=start.ground.n))
            record = PlanRecord(
                project.id,
                dataset.name,
                "方案 1",
                standard=standard_document(STANDARD),
                summary=summary(start),
            )
            plan = stores.plans.add(record, snapshot(start))
        finally:
            stores.close()
        return cls(data, dataset, start, project.id, plan.id)

    def stores(self) -> Stores:
        """Open the store, as a server does."""
        return Stores.open(Settings(data_dir=self.data))

    def team(self, count: int) -> list[str]:
        """Make editors of the project; return a session's token of each, for a server in team mode."""
        stores = self.stores()
        try:
            sessions, tokens = Sessions(stores.people, [SECRET], SteadyClock()), []
            for number in range(count):
                user = stores.people.add_user(User(name=f"editor-{number:02d}"))
                stores.people.set_member(self.project, user.id, "editor")
                tokens.append(sessions.begin(user))
        finally:
            stores.close()
        return tokens

    def log(self) -> list[EditRecord]:
        """Return the whole log, after checking its chain, that of the audit log, and the database itself."""
        stores = self.stores()
        try:
            revision = stores.plans.verify_chain(self.plan)
            stores.audit.verify()
            if stores.database.embedded:
                with stores.database.reading() as connection:
                    assert connection.exec_driver_sql("PRAGMA integrity_check").scalar() == "ok"
                    assert connection.exec_driver_sql("PRAGMA foreign_key_check").first() is None
            found = stores.plans.edits(self.plan, limit=10**9)
            assert [edit.revision for edit in found] == list(range(1, revision + 1))
            at, content = stores.plans.snapshot(self.plan)
        finally:
            stores.close()
        stored = restored(read_ground(self.dataset), STANDARD, content)
        assert_same(stored, replayed(self.start, found[:at]))
        return found


def replayed(plan: Plan, log: list[EditRecord]) -> Plan:
    """Return the plan that a log makes of its beginning."""
    for record in log:
        after = apply_change(plan, change_from(record.change))
        assert not isinstance(after, Refusal), (record.revision, after)
        plan = after
    return plan


def assert_same(one: Plan, other: Plan) -> None:
    """Hold two states of a plan equal in all that is stored."""
    assert np.array_equal(one.assignment, other.assignment)
    assert np.array_equal(one.pinned, other.pinned)
    assert dict(one.grids) == dict(other.grids)
    assert one.next_grid == other.next_grid
    assert (one.divisions, one.in_force) == (other.divisions, other.in_force)


def assert_whole(plan: Plan, start: Plan) -> None:
    """Hold a plan's figures against a full count, and its households against the city's, as whole numbers."""
    assert same_figures(plan.figures, measured(plan))
    base = start.base.cells
    for name in ("households", "persons", "buildings"):
        free = getattr(plan.ground.cells, name)[plan.assignment < 0]
        total = int(getattr(plan.figures, name).sum()) + int(free.sum())
        assert total == int(getattr(base, name).sum()), name
    assert int(plan.load.sum()) == int(start.load.sum())
    free_area = plan.ground.area_dm2[(plan.assignment < 0) & plan.ground.live]
    assert int(plan.figures.area_dm2.sum()) + int(free_area.sum()) == int(start.base.area_dm2.sum())


def assert_tiles(dataset: Dataset | Path, plan: Plan, folder: Path) -> None:
    """Write a plan as files, read them back, and prove that cells and grids tile every community exactly.

    Cells in no grid lie in no polygon of the grids; they are added, one polygon each, to what has to tile.
    """
    opened = read_dataset(dataset) if isinstance(dataset, Path) else dataset
    path = folder / "exported.gpkg"
    path.unlink(missing_ok=True)
    write_layers(layers_of(opened, plan), path)
    layers: dict[str, Any] = dict(read_plan(path))
    path.unlink()
    cells = layers["cells"]
    free = cells[cells["grid_id"].fillna("") == ""]
    assert len(free) == plan.figures.unassigned_cells
    filled = dict(layers)
    columns = ["community_id", "geometry"]
    if len(free):
        parts = [*layers["grids"].geometry, *free.geometry]
        owners = [*layers["grids"]["community_id"], *free["community_id"]]
        filled["grids"] = gpd.GeoDataFrame({"community_id": owners}, geometry=parts, crs=cells.crs)[columns]
    for name, verdict in verify_layers(filled).items():
        assert verdict.ok, (name, verdict)
        assert not verdict.area_difference.any()
