"""Versions of the tables: up, down, up again; all of a step happens or nothing; a newer database is refused."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import postgres_make
import pytest
from sqlalchemy import text
from store_make import Kept

import web.store.backup
from web.errors import SchemaError, SettingsError
from web.settings import ROOT, Settings
from web.store import Database, Project, Stores, schema

Empty = Callable[..., Settings]
Open = Callable[[Settings], Stores]


def names(settings: Settings) -> list[str]:
    database = Database(settings.database_url)
    try:
        return [name for name in schema.tables(database) if name != "spatial_ref_sys"]
    finally:
        database.close()


def at_version(settings: Settings, version: str) -> None:
    """Bring the database down to an older version."""
    database = Database(settings.database_url)
    schema.downgrade(database, version)
    database.close()


def test_the_steps_lead_up_and_down_and_end_where_the_tables_are(empty: Empty, opened: Open) -> None:
    settings = empty()
    database = opened(settings).database
    first = names(settings)
    assert schema.current(database) == schema.head() == schema.known()[-1]
    assert schema.compare(database) == []
    for version in [*schema.known()[-2::-1], "base"]:
        schema.downgrade(database, version)
        assert schema.current(database) == (None if version == "base" else version)
    assert names(settings) == ["alembic_version"]
    for version in schema.known():
        schema.upgrade(database, version)
        assert schema.current(database) == version
    assert names(settings) == first
    assert schema.compare(database) == []


def test_a_table_that_is_not_as_it_should_be_is_noticed(empty: Empty, opened: Open) -> None:
    database = opened(empty()).database
    with database.writing() as connection:
        connection.execute(text("ALTER TABLE comments ADD COLUMN mood text"))
        connection.execute(text("DROP INDEX ix_plans_project_id"))
    assert {difference[0] for difference in schema.compare(database)} == {"remove_column", "add_index"}


def test_an_older_database_is_upgraded_after_a_backup_and_keeps_its_rows(
    empty: Empty, opened: Open, tmp_path: Path
) -> None:
    settings = empty()
    stores = opened(settings)
    project = Project(name="老项目")
    stores.projects.add(project)
    stores.close()
    at_version(settings, "0001")
    stores = opened(settings)
    assert stores.projects.all() == [project]
    assert schema.current(stores.database) == schema.head()
    (backup,) = settings.backups_dir.iterdir()
    assert backup.stat().st_mode & 0o077 == 0
    assert "0001" in backup.name
    if stores.database.embedded:
        older = Database(f"sqlite:///{backup}")
        assert schema.current(older) == "0001"
        with older.reading() as connection:
            assert connection.execute(text("SELECT name FROM projects")).scalar() == "老项目"
        older.close()
    assert Kept.make(stores, tmp_path).edited(1)


def test_five_backups_stay(empty: Empty, opened: Open, monkeypatch: pytest.MonkeyPatch) -> None:
    settings = empty()
    stores = opened(settings)
    for day in range(1, 8):
        monkeypatch.setattr(web.store.backup, "now", lambda day=day: f"2026-01-0{day}T00:00:00.000+00:00")
        web.store.backup.Keeper(stores.database, settings).before_upgrade()
    assert [path.name[15:23] for path in sorted(settings.backups_dir.iterdir())] == [
        f"2026010{day}" for day in range(3, 8)
    ]


def test_without_a_backup_nothing_is_upgraded(
    empty: Empty, opened: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = empty()
    opened(settings).close()
    at_version(settings, "0002")

    def fail(*_: object) -> None:
        raise SchemaError("backup-failed", "失败", "failed")

    monkeypatch.setattr(web.store.backup, "copy_database", fail)
    with pytest.raises(SchemaError):
        Stores.open(settings)
    database = Database(settings.database_url)
    assert schema.current(database) == "0002"
    database.close()


def test_a_newer_database_is_refused_and_left_as_it_is(empty: Empty, opened: Open) -> None:
    settings = empty()
    stores = opened(settings)
    with stores.database.writing() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    stores.close()
    for call in (
        lambda: Stores.open(settings),
        lambda: schema.upgrade(stores.database),
        lambda: schema.downgrade(stores.database, "0001"),
    ):
        with pytest.raises(SchemaError) as error:
            call()
        assert error.value.code == "schema-newer"
        assert "9999" in error.value.zh
        assert "9999" in error.value.en
    assert schema.current(stores.database) == "9999"
    assert not settings.backups_dir.exists()


KILLED = """
import os, signal, sys
from pathlib import Path
from sqlalchemy import event
from web.settings import Settings
from web.store import Database, schema
database = Database(Settings(data_dir=Path(sys.argv[1]), database=sys.argv[2]).database_url)
left = int(sys.argv[3])

@event.listens_for(database.engine, "after_cursor_execute")
def count(connection, cursor, statement, *_):
    global left
    if statement.lstrip().upper().startswith(("CREATE", "DROP", "UPDATE", "INSERT", "ALTER")):
        left -= 1
        if left == 0:
            os.kill(os.getpid(), signal.SIGKILL)

schema.upgrade(database)
"""


@pytest.mark.parametrize("step", [1, 9, 14])
def test_a_killed_upgrade_leaves_the_old_version(
    empty: Empty, opened: Open, tmp_path: Path, step: int
) -> None:
    """The process is killed after its n-th statement that changes something, also in the second of two steps."""
    settings = empty()
    stores = opened(settings)
    project = Project(name="老项目")
    stores.projects.add(project)
    stores.close()
    at_version(settings, "0001")
    before = names(settings)
    command = [sys.executable, "-c", KILLED, str(settings.data_dir), settings.database, str(step)]
    ended = subprocess.run(
        command, check=False, cwd=ROOT, env=dict(os.environ), capture_output=True, timeout=60
    )
    assert ended.returncode == -signal.SIGKILL, ended.stderr.decode()
    assert names(settings) == before
    stores = opened(settings)
    assert stores.projects.all() == [project]
    assert schema.compare(stores.database) == []


def test_an_address_that_cannot_be_understood_is_refused(tmp_path: Path) -> None:
    for url in ("mysql://localhost/x", "sqlite://", "nonsense", "sqlite:///:memory:"):
        with pytest.raises(SettingsError):
            Stores.open(Settings(data_dir=tmp_path, database=url))
    assert Database("postgres://u:p@h/d").url.drivername == "postgresql+psycopg"


def test_postgresql_without_postgis_gets_it_or_says_so(
    postgres: postgres_make.Server, tmp_path: Path, opened: Open
) -> None:
    url = postgres.database("template0")
    database = Database(url)
    with database.writing() as connection:
        connection.execute(text("CREATE ROLE clerk LOGIN"))
        connection.execute(text("GRANT CREATE ON SCHEMA public TO clerk"))
    database.close()
    as_clerk = url.replace("wangge@", "clerk@")
    with pytest.raises(SchemaError) as error:
        Stores.open(Settings(data_dir=tmp_path, database=as_clerk))
    assert error.value.code == "postgis-missing"
    assert opened(Settings(data_dir=tmp_path, database=url)).published.plans() == {}
