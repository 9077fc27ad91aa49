"""Backups: made while edits go on, restored into an empty place, equal in every row and byte; bad ones refused."""

from __future__ import annotations

import io
import json
import tarfile
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select, text
from store_make import Kept, edit
from test_store_published import grid

from web.auth.people import User
from web.errors import ChainError, SchemaError
from web.settings import Settings
from web.store import CommentRecord, Job, Stores, VersionRecord, schema
from web.store.archive import MANIFEST, back_up, restore
from web.store.tables import METADATA

Empty = Callable[..., Settings]
Open = Callable[[Settings], Stores]


def rows(stores: Stores) -> dict[str, list[Any]]:
    """Return every row of every table."""
    with stores.database.reading() as connection:
        return {
            table.name: sorted((tuple(row) for row in connection.execute(select(table))), key=repr)
            for table in METADATA.sorted_tables
        }


def files(folder: Path) -> dict[str, bytes]:
    """Return every file below a folder, but for the database's own."""
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file() and not path.name.startswith(("wangge.db", "published"))
    }


def full(stores: Stores, settings: Settings, folder: Path) -> Kept:
    """Keep something of every kind."""
    kept = Kept.make(stores, folder)
    kept.edited(5)
    stores.plans.save_snapshot(kept.plan.id, 4, b"\x00\xff at 4")
    stores.reviews.add_version(VersionRecord(kept.plan.id, 5, "定稿"))
    stores.reviews.add_comment(CommentRecord(kept.plan.id, 5, "同意", grid=2))
    user = stores.people.add_user(User("a", password_hash="h"))  # noqa: S106 - no password
    stores.people.set_member(kept.project.id, user.id, "owner")
    (stores.projects.files_dir(kept.project.id) / "city.gpkg").write_bytes(b"city" * 1000)
    for state in ("done", "failed", "queued"):
        job = Job(project=kept.project.id, state=state)
        stores.jobs.add(job)
        (stores.jobs.out(job.id) / "plan.gpkg").write_bytes(state.encode())
        (stores.jobs.out(job.id) / "cache").mkdir()
        (stores.jobs.out(job.id) / "cache" / "kernel").write_bytes(b"x")
        (stores.jobs.folder(job.id) / "task.json").write_text("{}")
    stores.published.write(kept.plan, [grid(1), grid(2)], project_name="东城区")
    return kept


def test_what_is_restored_equals_what_was(empty: Empty, opened: Open, tmp_path: Path) -> None:
    settings, other = empty("data"), empty("other")
    stores = opened(settings)
    kept = full(stores, settings, tmp_path)
    made = back_up(stores.database, settings, tmp_path / "b.tar")
    contents = restore(other, tmp_path / "b.tar")
    assert (contents.plans, contents.edits, contents.files) == (1, 5, made.files)
    again = opened(other)
    assert rows(again) == rows(stores)
    kept_files = {
        name: content
        for name, content in files(settings.data_dir).items()
        if "cache" not in name and not (name.startswith("jobs") and content in {b"failed", b"queued"})
    }
    assert files(other.data_dir) == kept_files
    assert schema.compare(again.database) == []
    assert again.published.plans() == stores.published.plans() == {kept.plan.id: 0}
    assert again.plans.append(edit(kept.plan.id, 6), 5).revision == 6
    assert again.plans.verify_chain(kept.plan.id) == again.audit.verify() == 6
    with pytest.raises(Exception, match="append-only"), again.database.writing() as connection:
        connection.execute(text("UPDATE audit SET action = 'x'"))


def test_a_backup_is_of_one_moment_while_edits_go_on(empty: Empty, opened: Open, tmp_path: Path) -> None:
    settings, other = empty("data"), empty("other")
    kept = Kept.make(opened(settings), tmp_path)
    kept.edited(3)
    stop = threading.Event()

    def work() -> None:
        while not stop.is_set():
            kept.edited(1)

    editor = threading.Thread(target=work)
    editor.start()
    try:
        back_up(kept.stores.database, settings, tmp_path / "b.tar")
    finally:
        stop.set()
        editor.join()
    contents = restore(other, tmp_path / "b.tar")
    assert 3 <= contents.edits <= kept.stores.plans.get(kept.plan.id).revision


def test_a_place_that_is_not_empty_is_left_alone(empty: Empty, opened: Open, tmp_path: Path) -> None:
    settings, other = empty("data"), empty("other")
    stores = opened(settings)
    back_up(stores.database, settings, tmp_path / "b.tar")
    there = opened(other)
    kept = Kept.make(there, tmp_path)
    before = rows(there)
    with pytest.raises(SchemaError) as error:
        restore(other, tmp_path / "b.tar")
    assert error.value.code == "restore-not-empty"
    assert rows(there) == before
    assert there.plans.get(kept.plan.id) == kept.plan


def rewritten(source: Path, target: Path, change: Callable[[str, bytes], tuple[str, bytes] | None]) -> None:
    """Write an archive anew with its members changed."""
    with tarfile.open(source) as old, tarfile.open(target, "w") as new:
        for entry in old:
            stream = old.extractfile(entry)
            assert stream is not None
            made = change(entry.name, stream.read())
            if made is not None:
                fresh = tarfile.TarInfo(made[0])
                fresh.size = len(made[1])
                new.addfile(fresh, io.BytesIO(made[1]))


def _garbled(name: str, content: bytes) -> tuple[str, bytes]:
    return name, content[:-1] + b"?" if name.startswith("datasets") else content


def _without_list(name: str, content: bytes) -> tuple[str, bytes] | None:
    return None if name == MANIFEST else (name, content)


def _without_a_file(name: str, content: bytes) -> tuple[str, bytes] | None:
    return None if name.endswith("ground.npz") else (name, content)


def _elsewhere(name: str, content: bytes) -> tuple[str, bytes]:
    return name.replace("datasets/", "datasets/../../"), content


def _newer(name: str, content: bytes) -> tuple[str, bytes]:
    return name, json.dumps(
        json.loads(content) | {"version": "9999"}
    ).encode() if name == MANIFEST else content


def _newer_format(name: str, content: bytes) -> tuple[str, bytes]:
    return name, json.dumps(json.loads(content) | {"format": 2}).encode() if name == MANIFEST else content


@pytest.mark.parametrize(
    ("change", "code"),
    [
        (_garbled, "backup-unusable"),
        (_without_list, "backup-unusable"),
        (_without_a_file, "backup-unusable"),
        (_elsewhere, "backup-unusable"),
        (_newer_format, "backup-unusable"),
        (_newer, "backup-version"),
    ],
)
def test_a_bad_archive_is_refused_and_nothing_is_left_of_it(
    tmp_path: Path, opened: Open, change: Any, code: str
) -> None:
    settings, other = (Settings(data_dir=tmp_path / name) for name in ("data", "other"))
    stores = opened(settings)
    Kept.make(stores, tmp_path).edited(1)
    back_up(stores.database, settings, tmp_path / "b.tar")
    rewritten(tmp_path / "b.tar", tmp_path / "bad.tar", change)
    with pytest.raises(SchemaError) as error:
        restore(other, tmp_path / "bad.tar")
    assert error.value.code == code
    assert files(other.data_dir) == {}
    assert not (tmp_path / "cells.parquet").exists()
    restore(other, tmp_path / "b.tar")


def test_a_cut_archive_is_refused(tmp_path: Path, opened: Open) -> None:
    settings = Settings(data_dir=tmp_path / "data")
    back_up(opened(settings).database, settings, tmp_path / "b.tar")
    content = (tmp_path / "b.tar").read_bytes()
    for part in (0.0, 0.5, 0.93):
        (tmp_path / "cut.tar").write_bytes(content[: int(len(content) * part)])
        with pytest.raises(SchemaError):
            restore(Settings(data_dir=tmp_path / "other"), tmp_path / "cut.tar")


def test_a_log_that_was_changed_is_found_when_it_is_restored(tmp_path: Path, opened: Open) -> None:
    settings = Settings(data_dir=tmp_path / "data")
    stores = opened(settings)
    Kept.make(stores, tmp_path).edited(2)
    with stores.database.writing() as connection:
        connection.execute(text("DROP TRIGGER edits_no_update"))
        connection.execute(text("UPDATE edits SET kind = 'merge'"))
    back_up(stores.database, settings, tmp_path / "b.tar")
    with pytest.raises(ChainError):
        restore(Settings(data_dir=tmp_path / "other"), tmp_path / "b.tar")


def test_the_other_kind_of_database_is_refused(
    tmp_path: Path, opened: Open, request: pytest.FixtureRequest
) -> None:
    settings = Settings(data_dir=tmp_path / "data")
    back_up(opened(settings).database, settings, tmp_path / "b.tar")
    server = request.getfixturevalue("postgres")
    with pytest.raises(SchemaError) as error:
        restore(Settings(data_dir=tmp_path / "other", database=server.database()), tmp_path / "b.tar")
    assert error.value.code == "backup-unusable"


def test_a_backup_is_for_its_keeper_only(tmp_path: Path, opened: Open) -> None:
    settings = Settings(data_dir=tmp_path / "data")
    back_up(opened(settings).database, settings, tmp_path / "b.tar")
    for path in (tmp_path / "b.tar", tmp_path / "data" / "wangge.db"):
        assert path.stat().st_mode & 0o077 == 0
