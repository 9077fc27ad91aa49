"""A backup in one file: the database as it is at one moment, and every file its rows speak of."""

from __future__ import annotations

import contextlib
import hashlib
import io
import json
import os
import shutil
import tarfile
import tempfile
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Any

from sqlalchemy import select

from geo import __version__
from web.errors import SchemaError
from web.store import schema
from web.store.audit import AuditStore
from web.store.backup import copy_database, run_tool
from web.store.engine import Database
from web.store.models import now
from web.store.plans import PlanStore
from web.store.published import FILE as PUBLISHED
from web.store.tables import datasets, jobs, plans, projects

if TYPE_CHECKING:
    from collections.abc import Iterator

    from web.settings import Settings

FORMAT = 1
MANIFEST = "manifest.json"
MANIFEST_LIMIT = 64 * 1024 * 1024
FOLDERS = ("projects", "datasets", "jobs")
SQLITE_COPY = "database/wangge.db"
POSTGRES_COPY = "database/wangge.dump"
LEFT_OUT = frozenset({"cache", "tiles"})
"""Folders whose content is made again when it is missing."""


@dataclass
class Contents:
    """What a backup holds, or what was restored from one."""

    made: str = field(default_factory=now)
    version: str = ""
    """Of the tables."""
    files: dict[str, str] = field(default_factory=dict)
    """Path in the archive to the SHA-256 of what it holds."""
    plans: int = 0
    edits: int = 0


def back_up(database: Database, settings: Settings, target: Path) -> Contents:
    """Write a backup while others go on working; the file appears whole or not at all.

    Parameters
    ----------
    target
        A new file. It holds password hashes and must be kept as carefully as the service's own folder.

    Raises
    ------
    SchemaError
        If the database is of another version or cannot be copied.
    """
    _check_version(schema.current(database))
    contents = Contents(version=schema.head())
    with tempfile.TemporaryDirectory(dir=target.parent, prefix=".backup-") as folder:
        copy = Path(folder) / ("wangge.db" if database.embedded else "wangge.dump")
        copy_database(database, copy)
        draft = Path(folder) / "archive"
        with tarfile.open(draft, "w") as archive:
            _put(archive, contents, copy, SQLITE_COPY if database.embedded else POSTGRES_COPY)
            copy.unlink()
            # The rows are read after the copy: what came meanwhile is kept too, what was deleted is no loss.
            for path, name in _files(database, settings):
                _put(archive, contents, path, name)
            document = {
                "format": FORMAT,
                "program": __version__,
                "version": contents.version,
                "made": contents.made,
                "files": contents.files,
            }
            text = json.dumps(document, indent=1).encode()
            entry = tarfile.TarInfo(MANIFEST)
            entry.size = len(text)
            archive.addfile(entry, io.BytesIO(text))
        draft.chmod(0o600)
        with draft.open("rb") as file:
            os.fsync(file.fileno())
        draft.replace(target)
    return contents


def restore(settings: Settings, source: Path) -> Contents:
    """Bring back a backup into an empty place, and check every file and every log.

    Raises
    ------
    SchemaError
        If the archive is cut off, changed or newer than this program, the place is not empty, or the database is
        of the other kind.
    ChainError
        If a log in it is not intact.
    """
    database = Database(settings.database_url)
    try:
        _check_empty(database, settings)
        settings.data_dir.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=settings.data_dir, prefix=".restoring-") as name:
            draft = Path(name)
            contents = _unpack(source, draft)
            _check_version(contents.version, or_older=True)
            copy = draft / (SQLITE_COPY if database.embedded else POSTGRES_COPY)
            if not copy.exists():
                raise _unusable(
                    "备份来自另一种数据库（SQLite 与 PostgreSQL 不能互相恢复）",
                    "it comes from the other kind of database; SQLite and PostgreSQL do not mix",
                )
            for folder in FOLDERS:
                if (draft / folder).exists():
                    shutil.rmtree(settings.data_dir / folder, ignore_errors=True)  # it is empty
                    (draft / folder).rename(settings.data_dir / folder)
            if (draft / PUBLISHED).exists():
                shutil.move(draft / PUBLISHED, database.path.with_name(PUBLISHED))
            _bring_back(database, copy)
        contents.plans, contents.edits = _check_logs(database)
        return contents
    finally:
        database.close()


def _files(database: Database, settings: Settings) -> Iterator[tuple[Path, str]]:
    """Yield the files of the rows, with their names in the archive."""
    with database.reading() as connection:
        of_projects = connection.execute(select(projects.c.id)).scalars().all()
        of_datasets = connection.execute(select(datasets.c.id)).scalars().all()
        of_jobs = connection.execute(select(jobs.c.id, jobs.c.state)).all()
    for project in of_projects:
        yield from _below(settings.projects_dir / project, f"projects/{project}")
    for dataset in of_datasets:
        yield from _below(settings.datasets_dir / dataset, f"datasets/{dataset}")
    for job, state in of_jobs:
        folder = settings.jobs_dir / job
        if state == "done":
            yield from _below(folder, f"jobs/{job}")
        elif (folder / "task.json").is_file():
            yield folder / "task.json", f"jobs/{job}/task.json"
    if database.embedded and (published := database.path.with_name(PUBLISHED)).exists():
        yield published, PUBLISHED


def _below(folder: Path, name: str) -> Iterator[tuple[Path, str]]:
    for path in sorted(folder.rglob("*")):
        inner = path.relative_to(folder)
        if path.is_file() and not path.is_symlink() and LEFT_OUT.isdisjoint(inner.parts):
            yield path, f"{name}/{PurePosixPath(inner)}"


class _Hashing:
    """A file that is read, and the hash of what was."""

    def __init__(self, file: Any) -> None:
        self._file = file
        self.hash = hashlib.sha256()

    def read(self, size: int = -1) -> bytes:
        content: bytes = self._file.read(size)
        self.hash.update(content)
        return content


def _put(archive: tarfile.TarFile, contents: Contents, path: Path, name: str) -> None:
    with contextlib.suppress(FileNotFoundError), path.open("rb") as file:  # its project was deleted just now
        entry = tarfile.TarInfo(name)
        status = os.fstat(file.fileno())
        entry.size, entry.mtime, entry.mode = status.st_size, int(status.st_mtime), 0o600
        hashing = _Hashing(file)
        archive.addfile(entry, hashing)
        contents.files[name] = hashing.hash.hexdigest()


def _unpack(source: Path, folder: Path) -> Contents:
    """Unpack an archive and hold every file against the list that it ends with."""
    found: dict[str, str] = {}
    document: dict[str, Any] | None = None
    try:
        with tarfile.open(source, "r:") as archive:
            for entry in archive:
                content = archive.extractfile(entry) if entry.isreg() else None
                if content is None or not _is_ours(entry.name):
                    raise _unusable("其中有不属于备份的内容", "it holds what no backup of ours does")
                if entry.name == MANIFEST:
                    document = json.loads(content.read(MANIFEST_LIMIT))
                    continue
                path = folder / entry.name
                path.parent.mkdir(parents=True, exist_ok=True)
                hashing = _Hashing(content)
                with path.open("wb") as file:
                    shutil.copyfileobj(hashing, file, 1 << 20)
                    file.flush()
                    os.fsync(file.fileno())
                found[entry.name] = hashing.hash.hexdigest()
    except (tarfile.TarError, ValueError, EOFError) as error:
        raise _unusable("文件已损坏", "the file is damaged") from error
    if document is None:
        raise _unusable("文件不完整", "the file is cut off")
    if document.get("format") != FORMAT:
        raise _unusable("格式比本程序新", "its format is newer than this program")
    if document.get("files") != found:
        raise _unusable("内容与清单不符", "its content differs from its list")
    return Contents(str(document.get("made")), str(document.get("version")), found)


def _is_ours(name: str) -> bool:
    parts = PurePosixPath(name).parts
    if name in {MANIFEST, PUBLISHED, SQLITE_COPY, POSTGRES_COPY}:
        return True
    return len(parts) > 2 and parts[0] in FOLDERS and ".." not in parts


def _bring_back(database: Database, copy: Path) -> None:
    if not database.embedded:
        schema.require_postgis(database)
        # What is in the schema, not the schema: that one is there.
        flags = ["--schema=public", "--no-owner", "--exit-on-error", "--single-transaction"]
        run_tool(database, ["pg_restore", *flags, str(copy)])
        return
    database.close()
    for ending in ("-wal", "-shm"):
        database.path.with_name(database.path.name + ending).unlink(missing_ok=True)
    copy.chmod(0o600)
    shutil.move(copy, database.path)


def _check_empty(database: Database, settings: Settings) -> None:
    full = [name for name in FOLDERS if any((settings.data_dir / name).glob("*"))]
    if full or schema.current(database) is not None or "projects" in schema.tables(database):
        raise SchemaError(
            "restore-not-empty",
            "只能恢复到空的数据目录和空的数据库中。请另设 WANGGE_DATA_DIR（及 WANGGE_DATABASE）。",
            "A backup is restored into an empty data folder and an empty database only. Set another "
            "WANGGE_DATA_DIR (and WANGGE_DATABASE).",
            folders=full,
        )


def _check_version(found: str | None, *, or_older: bool = False) -> None:
    if found == schema.head() or (or_older and found in schema.known()):
        return
    raise SchemaError(
        "backup-version",
        f"数据库版本（{found}）与本程序（{schema.head()}）不一致。请先升级程序或运行 python -m web db upgrade。",
        f"The database is of version {found}, this program of {schema.head()}. Upgrade the program, or run "
        "python -m web db upgrade first.",
    )


def _check_logs(database: Database) -> tuple[int, int]:
    """Check the logs of a database of this version; an older one is checked after its upgrade."""
    if schema.current(database) != schema.head():
        return 0, 0
    AuditStore(database).verify()
    store = PlanStore(database)
    with database.reading() as connection:
        ids = connection.execute(select(plans.c.id).where(plans.c.removed.is_(None))).scalars().all()
    return len(ids), sum(store.verify_chain(plan) for plan in ids)


def _unusable(zh: str, en: str) -> SchemaError:
    return SchemaError(
        "backup-unusable",
        f"无法恢复这个备份：{zh}。现有数据未改动。",
        f"This backup cannot be restored: {en}. Nothing was changed.",
    )
