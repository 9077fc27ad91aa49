"""What the service keeps: a database of rows, and folders of files that the rows speak of."""

from web.store.audit import AuditStore
from web.store.datasets import DatasetStore
from web.store.engine import Database
from web.store.jobs import JobStore
from web.store.models import Fault, Job, JobState, Layer, LayerFacts, Project, StoredFile
from web.store.people import PeopleStore
from web.store.plans import PlanStore
from web.store.projects import ProjectStore
from web.store.published import PublishedStore
from web.store.records import CommentRecord, DatasetRecord, EditRecord, PlanRecord, PlanStatus, VersionRecord
from web.store.reviews import ReviewStore
from web.store.stores import Stores

__all__ = [
    "AuditStore",
    "CommentRecord",
    "Database",
    "DatasetRecord",
    "DatasetStore",
    "EditRecord",
    "Fault",
    "Job",
    "JobState",
    "JobStore",
    "Layer",
    "LayerFacts",
    "PeopleStore",
    "PlanRecord",
    "PlanStatus",
    "PlanStore",
    "Project",
    "ProjectStore",
    "PublishedStore",
    "ReviewStore",
    "StoredFile",
    "Stores",
    "VersionRecord",
]
