"""What the database says went wrong, in errors of ours."""

from __future__ import annotations

import sqlite3
from typing import TYPE_CHECKING

from geo.errors import GeoError
from web.errors import BusyError, StorageFullError

if TYPE_CHECKING:
    from sqlalchemy.exc import StatementError

FULL_STATES = frozenset({"53100", "25006"})
"""PostgreSQL: disk full, read-only."""
WAIT_STATES = frozenset({"55P03", "40P01", "40001", "53300", "57P03"})
"""PostgreSQL: lock not had in time, deadlock, serialization, too many connections, starting up."""
FULL_CODES = frozenset(
    {
        sqlite3.SQLITE_FULL,
        sqlite3.SQLITE_READONLY,
        sqlite3.SQLITE_IOERR_WRITE,
        sqlite3.SQLITE_IOERR_FSYNC,
        sqlite3.SQLITE_IOERR_TRUNCATE,
        sqlite3.SQLITE_IOERR_SHMSIZE,
    }
)
"""SQLite: nothing more can be written, though what is there can be read."""
WAIT_CODES = frozenset({sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED})


def translated(error: StatementError) -> Exception:
    """Return the error of ours for one of the database, or the same when it is a defect."""
    cause = error.orig
    if isinstance(cause, GeoError):  # a value that our own types refused
        return cause
    if isinstance(cause, sqlite3.Error):
        code = getattr(cause, "sqlite_errorcode", 0)
        if code in FULL_CODES or code & 0xFF in {sqlite3.SQLITE_FULL, sqlite3.SQLITE_READONLY}:
            return storage_full()
        return store_busy() if code & 0xFF in WAIT_CODES else error
    state = getattr(cause, "sqlstate", None)
    if state in FULL_STATES:
        return storage_full()
    if state in WAIT_STATES or getattr(error, "connection_invalidated", False):
        return store_busy()
    # libpq gives no state when it does not reach the server at all.
    return store_busy() if state is None and type(cause).__name__ == "OperationalError" else error


def storage_full() -> StorageFullError:
    """Return the error for a disk that takes nothing more."""
    return StorageFullError(
        "storage-full",
        "存储空间已满或不可写，这次修改没有保存。已保存的内容完好，可继续查看；请联系管理员腾出空间后重试。",
        "The disk is full or cannot be written: this change is not saved. All that was saved is intact and can "
        "be read; ask your administrator for space, then try again.",
    )


def store_busy() -> BusyError:
    """Return the error for a database that does not answer in time."""
    return BusyError(
        "store-busy",
        "数据库暂时没有响应，这次修改没有保存，请稍后重试。",
        "The database does not answer at the moment: this change is not saved. Try again shortly.",
    )
