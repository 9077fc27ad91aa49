"""A team with two projects: everybody who may ask something, and everything there is to be asked for."""

from __future__ import annotations

import dataclasses
from typing import Any

from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from web.auth.people import Role, User
from web.auth.state import Auth
from web.services.state import Service
from web.store import DatasetRecord, Job, PlanRecord, Project

SECRET = "kP3v-Zq81_xT7nJw0mLbYc5RgUe2HdFs9AoQi"  # noqa: S105 - the key of a test
PASSWORD = "correct horse 7"  # noqa: S105
PEOPLE: dict[str, Role | None] = {
    "viewer": "viewer",
    "editor": "editor",
    "owner": "owner",
    "admin": None,
    "stranger": None,
}


@dataclasses.dataclass(frozen=True)
class Place:
    """A project, and one of each thing that belongs to it."""

    project: str
    job: str
    plan: str
    dataset: str

    @property
    def values(self) -> dict[str, Any]:
        """Values for the parts of an address."""
        return {
            "project_id": self.project,
            "job_id": self.job,
            "plan_id": self.plan,
            "dataset_id": self.dataset,
            "user_id": "0" * 32,
            "comment_id": "0" * 32,
            "version_id": "0" * 32,
            "name": "report.json",
            "size": "small",
            "filename": "app.css",
        }


def auth_of(app: Flask) -> Auth:
    """The accounts of an application."""
    found: Auth = app.extensions["wangge_auth"]
    return found


def service_of(app: Flask) -> Service:
    """The service of an application."""
    found: Service = app.extensions["wangge"]
    return found


def add_place(app: Flask, name: str) -> Place:
    """Store a project with a finished job, a dataset and a plan, without computing any."""
    stores = service_of(app).stores
    project = Project(name=name, state="ready")
    stores.projects.add(project)
    job = Job(project=project.id, state="done")
    stores.jobs.add(job)
    dataset = DatasetRecord((project.id * 2)[:64], cells=3)
    folder = service_of(app).settings.data_dir / f"made-{project.id}"
    folder.mkdir()
    stores.datasets.adopt(folder, dataset)
    plan = stores.plans.add(PlanRecord(project.id, dataset.id, f"{name}的方案"), b"snapshot")
    return Place(project.id, job.id, plan.id, dataset.id)


def add_people(app: Flask, ours: Place, theirs: Place) -> dict[str, User]:
    """Make one user for each role in `ours`, an administrator, and a stranger who owns `theirs`."""
    accounts = auth_of(app).accounts
    one = accounts.add_user("viewer", PASSWORD)
    users = {"viewer": one}
    for name in list(PEOPLE)[1:]:
        made = User(name=name, password_hash=one.password_hash, admin=name == "admin", created=one.created)
        users[name] = accounts.people.add_user(made)  # hashing takes a while, and one hash serves all
    for name, role in PEOPLE.items():
        if role is not None:
            accounts.people.set_member(ours.project, users[name].id, role)
    accounts.people.set_member(theirs.project, users["stranger"].id, "owner")
    return users


def sign_in(client: FlaskClient, name: str, password: str = PASSWORD) -> TestResponse:
    """Sign in by the form."""
    return client.post("/login", data={"name": name, "password": password})


def signed_in(app: Flask, user: User | None) -> FlaskClient:
    """A client with a session of `user`; None: a client of nobody."""
    client = app.test_client()
    if user is not None:
        identifier = auth_of(app).identifier
        token = identifier._sessions.begin(user)  # type: ignore[union-attr]
        client.set_cookie(identifier.cookie, token)  # type: ignore[union-attr]
    return client


def cookie_of(client: FlaskClient, app: Flask) -> str:
    """The session cookie that a client holds."""
    cookie = client.get_cookie(auth_of(app).identifier.cookie)  # type: ignore[union-attr]
    assert cookie is not None
    return cookie.value
