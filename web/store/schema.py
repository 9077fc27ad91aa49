"""Bring the database to this version's tables, or refuse it."""

from __future__ import annotations

import logging
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import inspect, text

from web.errors import SchemaError
from web.store.tables import METADATA, Json, Line

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from sqlalchemy import Connection

    from web.store.engine import Database

LOG = logging.getLogger("wangge")

FOLDER = Path(__file__).resolve().parent / "migrations"
FOREIGN = frozenset({"grids", "spatial_ref_sys"})
"""Tables of the database that are not the store's own: the published grids, and PostGIS's."""


def configure(context: Any, connection: Connection) -> None:
    """Set up Alembic's context for our tables."""
    context.configure(
        connection=connection,
        target_metadata=METADATA,
        render_as_batch=True,
        transactional_ddl=True,
        compare_type=True,
        compare_server_default=True,
        include_name=lambda name, kind, _: kind != "table" or name not in FOREIGN,
        render_item=_render,
    )


def prepare(database: Database, *, backup: Callable[[], None]) -> None:
    """Make the tables, or upgrade those of an older version after `backup`; all of it happens, or nothing.

    Raises
    ------
    SchemaError
        If the database is of a newer version, or PostGIS is missing.
    """
    found = current(database)
    if found == head():
        return
    _refuse_unknown(found)
    if found is not None:
        LOG.info("the database is of version %s; it becomes %s after a backup", found, head())
        backup()
    upgrade(database)


def upgrade(database: Database, revision: str = "head") -> None:
    """Bring the database to a version, in one transaction."""
    with _migrating(database) as connection:
        # Somebody else may have been faster while we waited for our turn; then there is nothing left to do.
        _refuse_unknown(_current(connection))
        if not database.embedded:
            require_postgis(database)
        command.upgrade(_config(connection), revision)


def downgrade(database: Database, revision: str) -> None:
    """Bring the database back to an earlier version, in one transaction; what that one cannot hold is gone."""
    with _migrating(database) as connection:
        _refuse_unknown(_current(connection))
        command.downgrade(_config(connection), revision)


def current(database: Database) -> str | None:
    """Return the version of the database, None for an empty one."""
    with database.reading() as connection:
        return _current(connection)


def head() -> str:
    """Return the version that this program works with."""
    return str(_script().get_current_head())


def known() -> list[str]:
    """Return the versions that this program knows, the oldest first."""
    return [script.revision for script in _script().walk_revisions()][::-1]


@contextmanager
def _migrating(database: Database) -> Iterator[Connection]:
    """Give the writer's connection, foreign keys asleep: a table made anew would empty those that refer to it."""
    if not database.embedded:
        with database.writing() as connection:
            yield connection
        return
    with database.writing(foreign_keys=False) as connection:
        yield connection
        broken = connection.exec_driver_sql("PRAGMA foreign_key_check").first()
        if broken is not None:
            raise SchemaError(
                "migration-broken",
                f"数据库升级未通过检查（表 {broken[0]}），已撤销，数据未变。",
                f"The upgrade of the database failed its check (table {broken[0]}) and was undone.",
                table=broken[0],
            )


def _config(connection: Connection | None = None) -> Config:
    config = Config()
    config.set_main_option("script_location", str(FOLDER).replace("%", "%%"))
    config.set_main_option("path_separator", "os")
    config.attributes["connection"] = connection
    return config


def _script() -> ScriptDirectory:
    return ScriptDirectory.from_config(_config())


def _current(connection: Connection) -> str | None:
    return MigrationContext.configure(connection).get_current_revision()


def _refuse_unknown(found: str | None) -> None:
    if found is None or found in known():
        return
    raise SchemaError(
        "schema-newer",
        f"数据库版本（{found}）比本程序（{head()}）新，未打开、未改动。请升级程序，或恢复旧版本的备份。",
        f"The database is of a newer version ({found}) than this program ({head()}); it was not opened or changed. "
        "Upgrade the program, or restore a backup of the older version.",
        found=found,
        known=head(),
    )


def require_postgis(database: Database) -> None:
    """Have PostGIS in a PostgreSQL database, where we may by putting it there.

    Raises
    ------
    SchemaError
        If it is missing and an administrator is needed.
    """
    with database.writing() as connection:
        if (
            connection.execute(text("SELECT 1 FROM pg_extension WHERE extname = 'postgis'")).first()
            is not None
        ):
            return
        offered = connection.execute(
            text(
                "SELECT (SELECT rolsuper FROM pg_roles WHERE rolname = current_user)"
                " FROM pg_available_extensions WHERE name = 'postgis'"
            )
        ).scalar()
        if offered:
            connection.execute(text("CREATE EXTENSION postgis"))
            return
    raise SchemaError(
        "postgis-missing",
        "PostgreSQL 数据库没有 PostGIS。请由数据库管理员在该库中执行 CREATE EXTENSION postgis。",
        "The PostgreSQL database has no PostGIS. Ask its administrator to run CREATE EXTENSION postgis in it.",
    )


def compare(database: Database) -> list[Any]:
    """Return what differs between the database and the tables of this program; nothing if all is well."""
    from alembic.autogenerate import compare_metadata  # noqa: PLC0415 - only a check needs it

    with database.reading() as connection:
        context = MigrationContext.configure(
            connection,
            opts={
                "compare_type": True,
                "compare_server_default": True,
                "include_name": lambda name, kind, _: kind != "table" or name not in FOREIGN,
                "target_metadata": METADATA,
            },
        )
        return list(compare_metadata(context, METADATA))


def tables(database: Database) -> list[str]:
    """Return the names of the tables that there are."""
    with database.reading() as connection:
        return sorted(inspect(connection).get_table_names())


def _render(kind: str, item: Any, context: Any) -> str | bool:  # noqa: ARG001 - the signature is given
    if kind == "type" and isinstance(item, Json | Line):
        return "sa.Text()"  # a version of the tables stays what it was, whatever becomes of our types
    return False
