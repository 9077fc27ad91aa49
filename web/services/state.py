"""The parts of one running service, made once by the application factory."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from geo import __version__
from web.jobs import landlock
from web.jobs.desks import coverage_desks
from web.jobs.plan_desk_client import PlanDesk
from web.jobs.runner import Runner
from web.services.alternatives import Alternatives
from web.services.basemaps import Basemaps
from web.services.books import Books
from web.services.comparing import Comparing
from web.services.coverage import Coverages
from web.services.editing import Editing
from web.services.grounds import Grounds
from web.services.live import Feed, Presence
from web.services.plan_records import PlanRecords
from web.services.plans import PlanParameters, Plans
from web.services.projects import Projects
from web.services.reviewing import Reviewing
from web.services.tile_files import TileFiles
from web.settings import MEGABYTE
from web.store import Stores

if TYPE_CHECKING:
    from web.jobs.residents import Residents
    from web.settings import Settings
    from web.store import (
        AuditStore,
        DatasetStore,
        Job,
        JobStore,
        PeopleStore,
        PlanStore,
        ProjectStore,
        PublishedStore,
        ReviewStore,
    )

LOG = logging.getLogger("wangge")


@dataclass(frozen=True)
class Service:
    """Store, runner and services of one application."""

    settings: Settings
    stores: Stores
    runner: Runner
    residents: Residents
    projects: Projects
    plans: Plans
    coverages: Coverages
    grounds: Grounds
    tile_files: TileFiles
    basemaps: Basemaps
    desk: PlanDesk
    books: Books
    records: PlanRecords
    editing: Editing
    alternatives: Alternatives
    reviewing: Reviewing
    comparing: Comparing
    feed: Feed
    presence: Presence

    @classmethod
    def make(cls, settings: Settings) -> Service:
        """Open the store and start the runner."""
        basemaps = Basemaps(settings)  # first: nothing is open yet when its file cannot be read
        stores = Stores.open(settings)
        project_store, job_store = stores.projects, stores.jobs
        runner = Runner(settings, job_store)
        residents = coverage_desks(settings)
        plans = Plans(settings, project_store, job_store, runner)
        grounds, desk, feed = Grounds(settings.datasets_dir), PlanDesk(settings), Feed(stores.plans)
        books = Books(stores.plans, grounds, memory_bytes=settings.plan_memory_mb * MEGABYTE)
        records, editing = PlanRecords(stores, books, plans), Editing(books, desk, feed.announce)
        service = cls(
            settings=settings,
            stores=stores,
            runner=runner,
            residents=residents,
            projects=Projects(settings, project_store, job_store, runner, residents),
            plans=plans,
            coverages=Coverages(settings, project_store, job_store, runner, residents),
            grounds=grounds,
            basemaps=basemaps,
            tile_files=TileFiles(grounds, stores.plans, plans),
            desk=desk,
            books=books,
            records=records,
            editing=editing,
            alternatives=Alternatives(stores, runner, books=books, records=records, editing=editing),
            reviewing=Reviewing(stores, books, plans),
            comparing=Comparing(books),
            feed=feed,
            presence=Presence(),
        )
        if not landlock.available():
            LOG.warning("This kernel has no Landlock: files are read with fewer fences. See /health.")
        project_store.remove_stale_drafts()
        runner.start(on_done=service.job_done)
        return service

    def close(self) -> None:
        """End every process of the service."""
        self.feed.close()
        self.desk.close()
        self.residents.close()
        self.runner.close()
        self.books.close()
        self.stores.close()

    def job_done(self, job: Job) -> None:
        """Make an editable plan of what a planning job made, and publish what an export wrote for it.

        It may be called again for a job, after a crash of the server: then nothing is done twice.
        """
        if job.kind == "plan":
            made, _ = self.records.from_job(job)
            self.plans.tiles(made.dataset_id, job.project)
        elif job.kind == "tiles":
            self.plans.tiled(job)
        elif job.kind == "export":
            self.reviewing.exported(job)

    @property
    def project_store(self) -> ProjectStore:
        """The projects."""
        return self.stores.projects

    @property
    def job_store(self) -> JobStore:
        """The jobs."""
        return self.stores.jobs

    @property
    def dataset_store(self) -> DatasetStore:
        """The datasets."""
        return self.stores.datasets

    @property
    def plan_store(self) -> PlanStore:
        """The plans and their logs."""
        return self.stores.plans

    @property
    def reviews(self) -> ReviewStore:
        """Versions and comments."""
        return self.stores.reviews

    @property
    def people(self) -> PeopleStore:
        """Users, sessions and memberships."""
        return self.stores.people

    @property
    def audit(self) -> AuditStore:
        """What was done."""
        return self.stores.audit

    @property
    def published(self) -> PublishedStore:
        """What is published."""
        return self.stores.published

    def prepare_demo(self) -> None:
        """Plan the small demo city unless that was done before."""
        project, _ = self.projects.demo("small")
        if not self.job_store.of_project(project.id, kind="plan"):
            self.plans.start(project, PlanParameters())

    def health(self) -> dict[str, Any]:
        """Return what an operator should know."""
        return {
            "status": "ok",
            "version": __version__,
            "landlock": landlock.available(),
            "landlock_abi": landlock.abi(),
            "jobs_open": len(self.job_store.unfinished()),
        }
