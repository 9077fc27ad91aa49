"""The database and its backups from a shell on the server."""

from __future__ import annotations

from typing import TYPE_CHECKING

from web.errors import SchemaError
from web.store import Stores, archive, schema
from web.store.backup import Keeper
from web.store.engine import Database

if TYPE_CHECKING:
    from argparse import Namespace

    from web.settings import Settings


def upgrade(settings: Settings, given: Namespace) -> str:  # noqa: ARG001 - every command takes both
    """Bring the database to this program's version, after a backup; the service does the same when it starts."""
    Stores.open(settings).close()
    return f"数据库版本 / version of the database: {schema.head()}"


def downgrade(settings: Settings, given: Namespace) -> str:
    """Bring the database back to an earlier version, after a backup."""
    if given.revision not in {"base", *schema.known()}:
        raise SchemaError(
            "version-unknown",
            f"没有版本 {given.revision}。可用：base、{'、'.join(schema.known())}。",
            f"There is no version {given.revision}; there are base, {', '.join(schema.known())}.",
        )
    database = Database(settings.database_url)
    try:
        Keeper(database, settings).before_upgrade()
        schema.downgrade(database, given.revision)
    finally:
        database.close()
    return f"数据库版本 / version of the database: {given.revision}"


def current(settings: Settings, given: Namespace) -> str:  # noqa: ARG001 - every command takes both
    """Return the version of the database and of the program, and whether the tables are as they should be."""
    database = Database(settings.database_url)
    try:
        found = schema.current(database)
        odd = schema.compare(database) if found == schema.head() else []
    finally:
        database.close()
    said = f"数据库 / database: {found or '-'}\n程序 / program: {schema.head()}"
    return said + "".join(f"\n有出入 / differs: {difference}" for difference in odd)


def back_up(settings: Settings, given: Namespace) -> str:
    """Write a backup while the service goes on."""
    database = Database(settings.database_url)
    try:
        contents = archive.back_up(database, settings, given.file)
    finally:
        database.close()
    return f"已备份 {len(contents.files)} 个文件到 {given.file} / {len(contents.files)} files in {given.file}"


def restore(settings: Settings, given: Namespace) -> str:
    """Bring back a backup into an empty place."""
    contents = archive.restore(settings, given.file)
    return (
        f"已恢复 {contents.made} 的备份：{contents.plans} 个方案、{contents.edits} 次修改，记录完整。\n"
        f"Restored the backup of {contents.made}: {contents.plans} plans, {contents.edits} edits, logs intact."
    )
