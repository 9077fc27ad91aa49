"""Backups: one archive with a consistent copy of the database and the files that its rows speak of."""

from __future__ import annotations

import logging
import os
import shutil
import sqlite3
import subprocess
import tempfile
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING

from web.errors import SchemaError, SettingsError
from web.store import schema
from web.store.models import now

if TYPE_CHECKING:
    from web.settings import Settings
    from web.store.engine import Database

LOG = logging.getLogger("wangge")
KEPT = 5
"""Backups made before upgrades that stay."""
DUMP_LIMIT_S = 3600


class Keeper:
    """Copies the database of a service."""

    def __init__(self, database: Database, settings: Settings) -> None:
        self._database = database
        self._settings = settings

    def before_upgrade(self) -> None:
        """Copy the database into the folder of backups, and drop all but the last five such copies.

        Without ``pg_dump`` a PostgreSQL database is not copied; the log says so.

        Raises
        ------
        SchemaError
            If the copy fails: then nothing is upgraded.
        """
        folder = self._settings.backups_dir
        folder.mkdir(parents=True, exist_ok=True)
        ending = "db" if self._database.embedded else "dump"
        if not self._database.embedded and shutil.which("pg_dump") is None:
            LOG.warning("pg_dump is not on this machine: the database is upgraded without a backup of ours")
            return
        version = schema.current(self._database) or "empty"
        stamp = now().replace(":", "").replace("-", "")[:19].replace(".", "")
        made = folder / f"before-upgrade-{stamp}-{version}.{ending}"
        copy_database(self._database, made)
        others = sorted(path for path in folder.glob("before-upgrade-*") if path != made)
        for old in others[: 1 - KEPT]:  # never the new one, though a clock set back makes it seem the oldest
            old.unlink()


def copy_database(database: Database, target: Path) -> None:
    """Write a copy of the whole database as it is at one moment, while others go on working.

    Raises
    ------
    SchemaError
        If it cannot be copied.
    """
    with tempfile.TemporaryDirectory(dir=target.parent, prefix=".backup-") as folder:
        draft = Path(folder) / target.name
        if database.embedded:
            _copy_sqlite(database.path, draft)
        else:
            _dump_postgres(database, draft)
        draft.chmod(0o600)  # it holds password hashes
        with draft.open("rb") as file:
            os.fsync(file.fileno())
        draft.replace(target)


def _copy_sqlite(source: Path, target: Path) -> None:
    with closing(sqlite3.connect(source)) as opened, closing(sqlite3.connect(target)) as copy:
        opened.backup(copy)
        copy.execute("PRAGMA journal_mode=DELETE")  # one file, nothing beside it
        said = copy.execute("PRAGMA integrity_check").fetchone()[0]
    if said != "ok":
        raise SchemaError(
            "backup-damaged",
            f"数据库文件已损坏（{said}），无法备份。请从先前的备份恢复。",
            f"The database file is damaged ({said}) and cannot be copied. Restore an earlier backup.",
        )


def _dump_postgres(database: Database, target: Path) -> None:
    # Of our schema alone: PostGIS is the server's, and is put there anew before a restore.
    flags = ["--format=custom", "--schema=public", "--no-owner", "--no-privileges", "--no-comments"]
    run_tool(database, ["pg_dump", *flags, f"--file={target}"])


def run_tool(database: Database, command: list[str]) -> None:
    """Run a program of PostgreSQL on the database; the password goes by the environment, not the command line.

    Raises
    ------
    SettingsError
        If the program is not on this machine.
    SchemaError
        If it fails.
    """
    program = shutil.which(command[0])
    if program is None:
        raise SettingsError(
            "tool-missing",
            f"本机没有 {command[0]}。请安装 PostgreSQL 客户端工具。",
            f"{command[0]} is not on this machine. Install the client tools of PostgreSQL.",
        )
    url = database.url
    address = url.set(drivername="postgresql", password=None).render_as_string(hide_password=False)
    environment = dict(os.environ) | ({"PGPASSWORD": str(url.password)} if url.password else {})
    ended = subprocess.run(  # noqa: S603 - a fixed program, an address from the settings
        [program, *command[1:], f"--dbname={address}"],
        env=environment,
        capture_output=True,
        text=True,
        timeout=DUMP_LIMIT_S,
        check=False,
    )
    if ended.returncode != 0:
        LOG.error("%s failed: %s", command[0], ended.stderr[-2000:])
        raise SchemaError(
            "backup-failed",
            f"{command[0]} 失败，详见日志。",
            f"{command[0]} failed; the log says more.",
        )
