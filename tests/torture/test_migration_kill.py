"""``python -m web db upgrade`` killed at random moments: the database is of the old version or of the new.

The moments lie between the first trace that the command leaves and its end, so that the copy made before the
upgrade and the upgrade itself are both met. Whatever was left, the next upgrade ends well and every row is there.
"""

from __future__ import annotations

import os
import random
import shutil
import signal
import sqlite3
import subprocess
import sys
import time
from contextlib import closing
from pathlib import Path

import pytest

from web.settings import ROOT, Settings
from web.store import Database, Job, Project, Stores, schema

FIRST = "0001"
PROJECTS = 300
Rows = dict[str, list[tuple[object, ...]]]


@pytest.fixture(scope="module")
def old(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data folder with a database of the first version and rows in it."""
    data = tmp_path_factory.mktemp("old") / "data"
    stores = Stores.open(Settings(data_dir=data))
    for number in range(PROJECTS):
        project = Project(name=f"项目 {number}", state="ready")
        stores.projects.add(project)
        stores.jobs.add(Job(project=project.id, state="done"))
    schema.downgrade(stores.database, FIRST)
    stores.close()
    return data


def version(data: Path) -> str | None:
    database = Database(Settings(data_dir=data).database_url)
    try:
        return schema.current(database)
    finally:
        database.close()


def rows(path: Path) -> Rows:
    """Return the rows of every table but Alembic's, and hold the database whole."""
    with closing(sqlite3.connect(path)) as opened:
        assert opened.execute("PRAGMA integrity_check").fetchone()[0] == "ok"
        assert opened.execute("PRAGMA foreign_key_check").fetchone() is None
        names = [row[0] for row in opened.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
        return {
            name: opened.execute(f'SELECT * FROM "{name}" ORDER BY 1').fetchall()  # noqa: S608 - our own names
            for name in sorted(names)
            if name not in {"alembic_version", "sqlite_sequence"}
        }


def upgrading(data: Path) -> subprocess.Popen[bytes]:
    environment = {name: value for name, value in os.environ.items() if not name.startswith("WANGGE_")}
    return subprocess.Popen(
        [sys.executable, "-m", "web", "db", "upgrade"],
        cwd=ROOT,
        env=environment | {"WANGGE_DATA_DIR": str(data)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )


def upgraded(data: Path) -> None:
    """Upgrade, and see it end well."""
    process = upgrading(data)
    said = process.communicate(timeout=120)
    assert process.returncode == 0, said


def first_trace(data: Path, process: subprocess.Popen[bytes]) -> float:
    """Wait for the first trace of the copy made before an upgrade; return the moment."""
    while not (data / "backups").exists() and process.poll() is None:
        time.sleep(0.0005)
    return time.monotonic()


def kept(before: Rows, after: Rows) -> None:
    """Hold the rows of the first version against those after an upgrade, which may have further columns."""
    for name, wanted in before.items():
        found = after[name]
        assert len(found) == len(wanted), name
        width = len(wanted[0]) if wanted else 0
        assert [set(map(repr, row)) <= set(map(repr, more)) for row, more in zip(wanted, found, strict=True)]
        assert all(len(row) >= width for row in found)


@pytest.mark.parametrize("kills", [4, pytest.param(50, marks=pytest.mark.torture)])
def test_a_killed_upgrade_leaves_the_old_version_or_the_new(old: Path, tmp_path: Path, kills: int) -> None:
    data = tmp_path / "data"
    before = rows(old / "wangge.db")
    shutil.copytree(old, data)
    process = upgrading(data)
    begin = first_trace(data, process)
    process.communicate(timeout=120)
    lasts = time.monotonic() - begin
    wanted = rows(data / "wangge.db")
    kept(before, wanted)
    rng, left = random.Random(kills), {FIRST: 0, schema.head(): 0}  # noqa: S311 - no secret
    killed = 0
    for _ in range(kills):
        shutil.rmtree(data)
        shutil.copytree(old, data)
        process = upgrading(data)
        first_trace(data, process)
        time.sleep(rng.uniform(0, lasts))
        process.kill()
        process.communicate()
        killed += process.returncode == -signal.SIGKILL
        found = version(data)
        assert found in left
        left[str(found)] += 1
        assert rows(data / "wangge.db") == (before if found == FIRST else wanted)
        for copy in data.glob("backups/before-upgrade-*"):
            assert rows(copy) == before
        upgraded(data)
        assert rows(data / "wangge.db") == wanted
    print(f"\n{kills} upgrades, {killed} killed before their end: left by version {left}")
    assert killed


def test_a_newer_database_is_refused_and_not_touched(old: Path, tmp_path: Path) -> None:
    data = tmp_path / "data"
    shutil.copytree(old, data)
    path = data / "wangge.db"
    with closing(sqlite3.connect(path)) as opened:
        opened.execute("UPDATE alembic_version SET version_num = '9999'")
        opened.commit()
    content = path.read_bytes()
    for command in (["db", "upgrade"], ["serve"], ["db", "downgrade", FIRST]):
        ended = subprocess.run(
            [sys.executable, "-m", "web", *command],
            cwd=ROOT,
            env=os.environ | {"WANGGE_DATA_DIR": str(data), "WANGGE_PORT": "0"},
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
        assert ended.returncode == 2, ended
        zh, en = ended.stderr.splitlines()[-2:]
        assert "9999" in zh
        assert "9999" in en
        assert path.read_bytes() == content
    assert version(data) == "9999"
