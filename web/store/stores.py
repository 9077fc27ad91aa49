"""All stores of one service on one database."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from web.store import schema
from web.store.audit import AuditStore
from web.store.backup import Keeper
from web.store.datasets import DatasetStore
from web.store.engine import Database
from web.store.jobs import JobStore
from web.store.legacy import read_files
from web.store.people import PeopleStore
from web.store.plans import PlanStore
from web.store.projects import ProjectStore
from web.store.published import PublishedStore
from web.store.reviews import ReviewStore

if TYPE_CHECKING:
    from web.settings import Settings


@dataclass(frozen=True)
class Stores:
    """A database and what is kept in it. Changes within one `database.writing` are committed together."""

    database: Database
    projects: ProjectStore
    jobs: JobStore
    datasets: DatasetStore
    plans: PlanStore
    reviews: ReviewStore
    people: PeopleStore
    audit: AuditStore
    published: PublishedStore

    @classmethod
    def open(cls, settings: Settings) -> Stores:
        """Open the database of the settings: made when it is new, upgraded when it is of an older version.

        Raises
        ------
        SchemaError
            If it is of a newer version, or lacks PostGIS.
        SettingsError
            If its address cannot be understood.
        """
        database = Database(settings.database_url)
        try:
            keeper = Keeper(database, settings)
            schema.prepare(database, backup=keeper.before_upgrade)
            read_files(database, settings.projects_dir, settings.jobs_dir)
        except BaseException:
            database.close()
            raise
        published = PublishedStore(database)
        return cls(
            database,
            ProjectStore(database, settings.projects_dir, published),
            JobStore(database, settings.jobs_dir),
            DatasetStore(database, settings.datasets_dir),
            PlanStore(database),
            ReviewStore(database),
            PeopleStore(database),
            AuditStore(database),
            published,
        )

    def close(self) -> None:
        """Close the database."""
        self.database.close()
