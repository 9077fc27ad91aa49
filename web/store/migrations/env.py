"""What Alembic runs: on the connection that `web.store.schema` gives, or on the database of the settings."""

from __future__ import annotations

from typing import TYPE_CHECKING

from alembic import context

from web.settings import Settings
from web.store.engine import Database
from web.store.schema import configure

if TYPE_CHECKING:
    from sqlalchemy import Connection


def run(connection: Connection) -> None:
    """Run what was asked for in one transaction."""
    configure(context, connection)
    with context.begin_transaction():
        context.run_migrations()


given = context.config.attributes.get("connection")
if given is not None:
    run(given)
else:
    with Database(Settings().database_url).writing() as own:
        run(own)
