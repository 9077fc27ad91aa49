"""The database: SQLite embedded, or PostgreSQL by address, behind the same two doors, `reading` and `writing`."""

from __future__ import annotations

import threading
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sqlalchemy import create_engine, event, make_url, text
from sqlalchemy.exc import ArgumentError, StatementError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from web.errors import SettingsError
from web.store.faults import store_busy, translated

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sqlalchemy import URL, Connection, Engine

BUSY_MS = 10_000
WAL_LIMIT = 64 * 1024 * 1024
WRITER_KEY = 0x57414E47
"""Number of the lock that the writers of one PostgreSQL database share."""


class Database:
    """One database and its connections; safe to use from several threads.

    Writers go one after the other, on both databases alike: SQLite can do no other, and on PostgreSQL it makes
    every check before a write hold until the commit and keeps the audit log a single chain.

    Parameters
    ----------
    url
        ``sqlite:////folder/file.db``, or ``postgresql://user:password@host/name``.
    """

    def __init__(self, url: str | URL) -> None:
        self.url = _url(url)
        self.embedded = self.url.get_backend_name() == "sqlite"
        self.engine = _sqlite(self.url) if self.embedded else _postgres(self.url)
        self._mutex = threading.Lock()
        self._own = threading.local()

    @property
    def path(self) -> Path:
        """File of an embedded database."""
        return Path(self.url.database or "")

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        """Give a connection that sees one state of the database; inside `writing`, the writer's own.

        Raises
        ------
        BusyError
            If the database does not answer.
        """
        writer: Connection | None = getattr(self._own, "writer", None)
        if writer is not None:
            yield writer
            return
        with _in_our_words(), self.engine.connect() as connection:
            yield connection

    @contextmanager
    def writing(self, *, foreign_keys: bool = True) -> Iterator[Connection]:
        """Give the one writer's connection; commit when the block ends well, else undo all of it.

        Inside another `writing` of the same thread it is that one: all is committed together, by the outermost.
        SQLite lets `foreign_keys` sleep for the whole transaction, which a migration needs.

        Raises
        ------
        StorageFullError
            If the disk takes nothing more.
        BusyError
            If another program holds the database for too long.
        """
        writer: Connection | None = getattr(self._own, "writer", None)
        if writer is not None:
            yield writer
            return
        # SQLite's own waiting sleeps in steps; between threads of one process a lock wakes the next at once.
        with _in_our_words(), self._turn(), self.engine.connect() as connection:
            connection.execution_options(wangge_write=True, wangge_keys=foreign_keys)
            try:
                with connection.begin():
                    if not self.embedded:
                        connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": WRITER_KEY})
                    self._own.writer = connection
                    yield connection
            finally:
                self._own.writer = None
                if not foreign_keys:
                    connection.invalidate()  # the next to use it would find them asleep

    @contextmanager
    def _turn(self) -> Iterator[None]:
        if not self._mutex.acquire(timeout=BUSY_MS / 1000):
            raise store_busy()
        try:
            yield
        finally:
            self._mutex.release()

    def close(self) -> None:
        """Close every connection."""
        self.engine.dispose()


@contextmanager
def _in_our_words() -> Iterator[None]:
    try:
        yield
    except PoolTimeout as error:
        raise store_busy() from error
    except StatementError as error:
        ours = translated(error)
        if ours is error:
            raise
        raise ours from error


def _url(given: str | URL) -> URL:
    try:
        url = make_url(given)
        backend = url.get_backend_name()
    except ArgumentError:
        url, backend = None, ""
    if url is not None and backend in {"postgresql", "postgres"}:
        return url.set(drivername="postgresql+psycopg")
    if url is not None and backend == "sqlite" and url.database not in {None, "", ":memory:"}:
        return url.set(drivername="sqlite")
    raise SettingsError(
        "database-address",
        "WANGGE_DATABASE 无法理解。请写成 sqlite:////文件夹/wangge.db 或 postgresql://用户:密码@主机/数据库。",
        "WANGGE_DATABASE cannot be understood. Write sqlite:////folder/wangge.db or "
        "postgresql://user:password@host/database.",
    )


def _sqlite(url: URL) -> Engine:
    path = Path(url.database or "")
    path.parent.mkdir(parents=True, exist_ok=True)
    if not path.exists():
        path.touch(mode=0o600)  # it will hold password hashes
    # The connection used last is taken first: its cache of pages is the newest.
    engine = create_engine(
        url, pool_size=16, max_overflow=112, pool_timeout=BUSY_MS / 1000, pool_use_lifo=True
    )

    @event.listens_for(engine, "connect")
    def prepare(connection: Any, record: Any) -> None:  # noqa: ARG001 - the signature is given
        connection.isolation_level = None  # the driver begins nothing by itself
        for pragma in (
            f"busy_timeout={BUSY_MS}",
            "journal_mode=WAL",
            "synchronous=FULL",  # an acknowledged edit survives a power cut
            "foreign_keys=ON",
            f"journal_size_limit={WAL_LIMIT}",
        ):
            connection.execute(f"PRAGMA {pragma}").close()

    @event.listens_for(engine, "begin")
    def begin(connection: Connection) -> None:
        # A transaction that reads first and writes then would fail instead of waiting for its turn.
        options = connection.get_execution_options()
        if not options.get("wangge_keys", True):
            connection.exec_driver_sql("PRAGMA foreign_keys=OFF")
        connection.exec_driver_sql("BEGIN IMMEDIATE" if options.get("wangge_write", False) else "BEGIN")

    return engine


def _postgres(url: URL) -> Engine:
    options = (
        f"-c lock_timeout={BUSY_MS} -c idle_in_transaction_session_timeout=60000 -c synchronous_commit=on"
    )
    return create_engine(
        url,
        pool_size=16,
        max_overflow=48,
        pool_timeout=BUSY_MS / 1000,
        pool_pre_ping=True,
        connect_args={"options": options, "connect_timeout": 10, "application_name": "wangge"},
    )
