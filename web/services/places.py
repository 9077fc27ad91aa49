"""Which project a job, plan or dataset belongs to: permissions are given by project."""

from __future__ import annotations

from typing import TYPE_CHECKING

from web.errors import NotFoundError

if TYPE_CHECKING:
    from web.store import JobStore, PlanStore

NOWHERE: frozenset[str] = frozenset()


class StoredPlaces:
    """Looks it up in the store."""

    def __init__(self, jobs: JobStore, plans: PlanStore) -> None:
        self._jobs = jobs
        self._plans = plans

    def projects_of(self, kind: str, object_id: str) -> frozenset[str]:
        """Return the ids of the projects of an object; empty when there is none."""
        try:
            return self._found(kind, object_id)
        except NotFoundError:
            return NOWHERE

    def _found(self, kind: str, object_id: str) -> frozenset[str]:
        if kind == "project":
            return frozenset({object_id})
        if kind == "job":
            return frozenset({self._jobs.get(object_id).project})
        if kind == "plan":
            return frozenset({self._plans.get(object_id).project_id})
        if kind == "dataset":
            return frozenset(plan.project_id for plan in self._plans.of_dataset(object_id))
        return NOWHERE
