"""A PostgreSQL server with PostGIS of the tests' own: in a temporary folder, on a socket there, gone afterwards."""

from __future__ import annotations

import os
import pwd
import shutil
import signal
import subprocess
import tempfile
import time
from pathlib import Path

import psycopg
import pytest

LIMIT_S = 60
PLACES = [Path("/usr/lib/postgresql") / str(version) / "bin" for version in range(20, 12, -1)]
TEMPLATE = "wangge_template"
MEMORY = Path("/dev/shm")  # noqa: S108 - a folder of its own in it, for speed
ROOM = 1 << 30


class Server:
    """A running server; each test takes a fresh database of it."""

    def __init__(self, binaries: Path, folder: Path, user: str | None) -> None:
        self._binaries, self._folder, self._user = binaries, folder, user
        self._made = 0
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        data = self._folder / "data"
        self._run("initdb", "-D", str(data), "-U", "wangge", "-A", "trust", "-E", "UTF8", "--locale=C", "-N")
        # Nothing here has to survive a power cut, and tests should not wait for the disk.
        options = ("listen_addresses=", "max_connections=60", "shared_buffers=32MB", "fsync=off")
        command = [str(self._binaries / "postgres"), "-D", str(data), "-k", str(self._folder)]
        command += [part for option in options for part in ("-c", option)]
        with (self._folder / "log.txt").open("wb") as log:
            self._process = subprocess.Popen(
                command, stdout=log, stderr=log, user=self._user, cwd=self._folder, start_new_session=True
            )
        deadline = time.monotonic() + LIMIT_S
        while not self._answers():
            if self._process.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError((self._folder / "log.txt").read_text(encoding="utf-8", errors="replace"))
            time.sleep(0.05)
        self._sql("postgres", f"CREATE DATABASE {TEMPLATE}")
        self._sql(TEMPLATE, "CREATE EXTENSION postgis")

    def stop(self) -> None:
        if self._process is not None:
            self._process.send_signal(signal.SIGQUIT)  # at once: nothing of it is kept
            self._process.wait(timeout=LIMIT_S)

    def database(self, template: str = TEMPLATE) -> str:
        """Make a database like another, empty with PostGIS unless one is named, and return its address."""
        self._made += 1
        name = f"t{self._made}"
        self._sql("postgres", f"CREATE DATABASE {name} TEMPLATE {template}")
        return f"postgresql://wangge@/{name}?host={self._folder}"

    def drop(self, url: str) -> None:
        """Delete a database; whoever is still connected is sent away."""
        self._sql("postgres", f"DROP DATABASE {self.name_of(url)} WITH (FORCE)")

    def name_of(self, url: str) -> str:
        """Return the name of a database that `database` made."""
        return url.removeprefix("postgresql://wangge@/").partition("?")[0]

    def _answers(self) -> bool:
        try:
            self._sql("postgres", "SELECT 1")
        except psycopg.OperationalError:
            return False
        return True

    def _sql(self, database: str, statement: str) -> None:
        address = f"host={self._folder} user=wangge dbname={database}"
        with psycopg.connect(address, autocommit=True) as connection:
            connection.execute(statement.encode())

    def _run(self, program: str, *arguments: str) -> None:
        subprocess.run(
            [str(self._binaries / program), *arguments],
            check=True,
            capture_output=True,
            user=self._user,
            cwd=self._folder,
        )


def binaries() -> Path | None:
    """Return the folder of the server's programs, None where PostGIS or the server is not installed."""
    found = shutil.which("postgres")
    for place in [Path(found).resolve().parent] if found else PLACES:
        share = Path("/usr/share/postgresql") / place.parent.name / "extension" / "postgis.control"
        if (place / "initdb").exists() and (share.exists() or found):
            return place
    return None


def start(in_ci: bool) -> tuple[Server, Path]:
    """Start a server; without the programs the test is skipped, in CI it fails."""
    place = binaries()
    if place is None:
        reason = "PostgreSQL with PostGIS is not installed (postgresql-15-postgis-3)"
        if in_ci:
            pytest.fail(reason)
        pytest.skip(reason)
    # A path of its own, and a short one: a socket's address has room for about a hundred letters.
    folder = Path(tempfile.mkdtemp(prefix="wgpg", dir=MEMORY if _has_room(MEMORY) else None))
    user = _unprivileged() if os.geteuid() == 0 else None
    if user is not None:
        shutil.chown(folder, user)
    server = Server(place, folder, user)
    try:
        server.start()
    except BaseException:
        server.stop()
        shutil.rmtree(folder, ignore_errors=True)
        raise
    return server, folder


def _has_room(folder: Path) -> bool:
    return folder.is_dir() and shutil.disk_usage(folder).free > ROOM


def _unprivileged() -> str:
    """Return a user that may run the server, which refuses to run as root."""
    for name in ("postgres", "nobody"):
        try:
            return pwd.getpwnam(name).pw_name
        except KeyError:
            continue
    pytest.fail("there is no unprivileged user to run PostgreSQL as")
