"""What the service keeps: projects and jobs. Files today; callers see only `ProjectStore` and `JobStore`."""

from web.store.jobs import JobStore
from web.store.models import Fault, Job, JobState, Layer, LayerFacts, Project, StoredFile
from web.store.projects import ProjectStore

__all__ = [
    "Fault",
    "Job",
    "JobState",
    "JobStore",
    "Layer",
    "LayerFacts",
    "Project",
    "ProjectStore",
    "StoredFile",
]
