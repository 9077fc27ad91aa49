"""The parts of one running service, made once by the application factory."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from geo import __version__
from web.jobs import landlock
from web.jobs.residents import Residents
from web.jobs.runner import Runner
from web.services.coverage import Coverages
from web.services.plans import PlanParameters, Plans
from web.services.projects import Projects
from web.store import JobStore, ProjectStore

if TYPE_CHECKING:
    from web.settings import Settings

LOG = logging.getLogger("wangge")


@dataclass(frozen=True)
class Service:
    """Store, runner and services of one application."""

    settings: Settings
    project_store: ProjectStore
    job_store: JobStore
    runner: Runner
    residents: Residents
    projects: Projects
    plans: Plans
    coverages: Coverages

    @classmethod
    def make(cls, settings: Settings) -> Service:
        """Open the store and start the runner."""
        project_store = ProjectStore(settings.projects_dir)
        job_store = JobStore(settings.jobs_dir)
        runner = Runner(settings, job_store)
        residents = Residents(settings)
        service = cls(
            settings,
            project_store,
            job_store,
            runner,
            residents,
            Projects(settings, project_store, job_store, runner, residents),
            Plans(settings, project_store, job_store, runner),
            Coverages(settings, project_store, job_store, runner, residents),
        )
        if not landlock.available():
            LOG.warning("This kernel has no Landlock: files are read with fewer fences. See /health.")
        project_store.remove_stale_drafts()
        runner.start()
        return service

    def close(self) -> None:
        """End every process of the service."""
        self.residents.close()
        self.runner.close()

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
            "jobs_open": sum(not job.over for job in self.job_store.all()),
        }
