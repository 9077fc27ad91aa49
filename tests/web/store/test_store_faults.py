"""Full disks, kills and cut logs: what was acknowledged stays, what was not is not half there, and work goes on."""

from __future__ import annotations

import random
import shutil
import signal
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import event, text
from store_make import CHANGE, Kept, edit

from web.api.errors import status_of
from web.errors import BusyError, StorageFullError
from web.settings import ROOT, Settings
from web.store import Database, Stores

BIG = {"cells": list(range(20_000)), "before": [1] * 20_000, "after": [2] * 20_000}


@pytest.fixture
def embedded(tmp_path: Path) -> Iterator[Kept]:
    """A plan in an embedded database."""
    stores = Stores.open(Settings(data_dir=tmp_path / "data"))
    yield Kept.make(stores, tmp_path)
    stores.close()


def test_on_a_full_disk_an_edit_is_refused_and_reading_goes_on(embedded: Kept) -> None:
    """SQLite's own limit of pages stands for the disk: it fails in the same place with the same error."""
    database, plans = embedded.stores.database, embedded.stores.plans
    embedded.edited(3)
    room = {"pages": 0}

    @event.listens_for(database.engine, "checkout")
    def limit(connection: sqlite3.Connection, *_: object) -> None:
        connection.execute(f"PRAGMA max_page_count={room['pages'] or 2**30}")

    with database.reading() as connection:
        room["pages"] = connection.execute(text("PRAGMA page_count")).scalar_one()
    for _ in range(2):
        with pytest.raises(StorageFullError) as error:
            plans.append(edit(embedded.plan.id, 4, change=BIG), 3)
        assert status_of(error.value) == 507
        assert plans.get(embedded.plan.id).revision == len(plans.edits(embedded.plan.id)) == 3
    assert plans.verify_chain(embedded.plan.id) == 3
    room["pages"] = 0
    assert plans.append(edit(embedded.plan.id, 4, change=BIG), 3).revision == 4
    assert plans.verify_chain(embedded.plan.id) == embedded.stores.audit.verify() == 4


def test_a_database_that_may_only_be_read_is_said_so(kept: Kept) -> None:
    kept.edited(1)
    database = kept.stores.database
    command = "PRAGMA query_only=ON" if database.embedded else "SET default_transaction_read_only = on"

    @event.listens_for(database.engine, "checkout")
    def read_only(connection: object, *_: object) -> None:
        connection.execute(command)  # type: ignore[attr-defined]
        if not database.embedded:
            connection.commit()  # type: ignore[attr-defined]

    with pytest.raises(StorageFullError):
        kept.stores.plans.append(edit(kept.plan.id, 2), 1)
    assert kept.stores.plans.get(kept.plan.id).revision == 1
    event.remove(database.engine, "checkout", read_only)
    undo = "PRAGMA query_only=OFF" if database.embedded else "SET default_transaction_read_only = off"
    with database.reading() as connection:
        connection.execute(text(undo))
        connection.commit()
    assert kept.stores.plans.append(edit(kept.plan.id, 2), 1).revision == 2


def test_a_database_held_by_another_program_is_busy_not_broken(
    embedded: Kept, monkeypatch: pytest.MonkeyPatch
) -> None:
    database = embedded.stores.database

    @event.listens_for(database.engine, "checkout")
    def impatient(connection: sqlite3.Connection, *_: object) -> None:
        connection.execute("PRAGMA busy_timeout=50")

    other = sqlite3.connect(database.path, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    with pytest.raises(BusyError):
        embedded.edited(1)
    assert embedded.stores.plans.get(embedded.plan.id).revision == 0
    other.execute("ROLLBACK")
    other.close()
    assert embedded.edited(1)[0].revision == 1


def test_a_server_that_is_not_there_is_said_so(tmp_path: Path) -> None:
    database = Database(f"postgresql://nobody@/x?host={tmp_path}")
    with pytest.raises(BusyError), database.reading():
        pass
    database.close()


WRITER = """
import sys
from collections.abc import Iterator
from pathlib import Path
from web.settings import Settings
from web.store import EditRecord, Stores
stores = Stores.open(Settings(data_dir=Path(sys.argv[1]), database=sys.argv[2]))
plan = stores.plans.get(sys.argv[3])
revision = plan.revision
print("ready", flush=True)
while True:
    edit = EditRecord(plan.id, f"op-{revision + 1}", "assign", change=[1] * 50)
    revision = stores.plans.append(edit, revision).revision
    print(revision, flush=True)
"""


def test_a_killed_writer_loses_nothing_it_acknowledged(kept: Kept, settings: Settings) -> None:
    command = [sys.executable, "-c", WRITER, str(settings.data_dir), settings.database, kept.plan.id]
    rng = random.Random(4)  # noqa: S311 - no secret
    for _ in range(3):
        with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as process:
            assert process.stdout is not None
            for _ in range(rng.randint(2, 25)):
                last = process.stdout.readline()
            process.send_signal(signal.SIGKILL)
            acknowledged = int([line for line in (last, *process.stdout) if line.endswith("\n")][-1])
        revision = kept.stores.plans.verify_chain(kept.plan.id)
        assert acknowledged <= revision <= acknowledged + 1
        assert len(kept.stores.plans.edits(kept.plan.id)) == revision == kept.stores.audit.verify()


def test_a_cut_or_garbled_end_of_the_log_loses_nothing_acknowledged(embedded: Kept, tmp_path: Path) -> None:
    """What lies behind the last acknowledged commit may not have reached the disk when the power went."""
    database = embedded.stores.database
    embedded.edited(12)
    wal = database.path.with_name(database.path.name + "-wal")
    safe = wal.stat().st_size
    embedded.edited(12)
    main, log = database.path.read_bytes(), wal.read_bytes()
    rng = random.Random(11)  # noqa: S311 - no secret
    for number in range(60):
        cut = rng.randint(safe, len(log))
        tail = b"" if number % 2 else rng.randbytes(len(log) - cut)
        folder = tmp_path / f"cut{number}"
        folder.mkdir()
        (folder / "wangge.db").write_bytes(main)
        (folder / "wangge.db-wal").write_bytes(log[:cut] + tail)
        stores = Stores.open(Settings(data_dir=folder))
        revision = stores.plans.verify_chain(embedded.plan.id)
        assert 12 <= revision <= 24
        assert stores.audit.verify() == revision
        assert (
            stores.plans.append(edit(embedded.plan.id, 99, change=CHANGE), revision).revision == revision + 1
        )
        stores.close()
        shutil.rmtree(folder)


def test_a_commit_reaches_the_disk_before_it_is_acknowledged(embedded: Kept) -> None:
    with embedded.stores.database.writing() as connection:
        said = [
            connection.exec_driver_sql(f"PRAGMA {name}").scalar()
            for name in ("synchronous", "journal_mode", "foreign_keys")
        ]
    assert said == [2, "wal", 1]
