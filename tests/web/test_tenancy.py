"""Every route × everybody × their own and a foreign project: who is let through, and what the others are told.

The routes come from the application's own map, so a new one is asked too. For the matrix, the views are replaced by
one that only says it was reached, with the rules left as they are: what is tested is who gets that far, and nothing
is changed on the way. What each route must take at least is said here a second time, by method and address alone.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from flask import Flask, Response
from flask.testing import FlaskClient
from team_make import SECRET, Place, add_people, add_place, service_of, signed_in
from werkzeug.routing import Rule

from web import create_app
from web.auth.permissions import VERBS
from web.auth.rules import RULE, allow, audit_of, rule_of
from web.settings import Settings

ROLES = ["nobody", "viewer", "editor", "owner", "admin", "stranger"]
JSON = {"Accept": "application/json"}
RANK = {"viewer": 1, "editor": 2, "owner": 3, "admin": 4}

OPEN = {
    "static",
    "api.health",
    "projects.health",
    "pages.health",
    "people_pages.login",
    "people_pages.sign_in",
    "people_pages.leave_for_provider",
    "people_pages.arrive_from_provider",
    "people.make_session",
}
"""All that answers to somebody who has not signed in."""

READING = re.compile(r"/(preview|presence|solve|isochrones|export/<name>)$")
"""A changing method that changes nothing of the project."""
REMARKS = re.compile(r"/comments(/<\w+>)?$")
"""What a viewer may write."""
OWNERS = re.compile(
    r"^(POST|DELETE|PATCH|PUT) .*(/members.*|/delete)$|^DELETE .*/(projects|plans)/<\w+>$|^GET .*/audit$"
)
"""What takes an owner."""
FORMS = {"GET /projects/<project_id>/layers"}
"""Pages that are nothing but a form to change something."""


class Team:
    """The application, its people, and two projects of which one is foreign to all but its owner."""

    def __init__(self, app: Flask) -> None:
        self.app = app
        self.ours = add_place(app, "滨河街道")
        self.theirs = add_place(app, "绝密山庄")
        self.users = add_people(app, self.ours, self.theirs)

    def client(self, role: str) -> FlaskClient:
        return signed_in(self.app, self.users.get(role))


@pytest.fixture(scope="module")
def team(tmp_path_factory: pytest.TempPathFactory, compiled_messages: None) -> Iterator[Team]:
    folder = tmp_path_factory.mktemp("team")
    app = create_app(Settings(data_dir=folder, team=True, secret=SECRET, workers=1))
    yield Team(app)
    app.extensions["wangge"].close()


@pytest.fixture
def stubbed(team: Team) -> Iterator[Team]:
    """The team, with views that only say they were reached."""
    kept = dict(team.app.view_functions)
    for endpoint, view in kept.items():

        def reached(**values: object) -> Response:
            return Response("reached", 200)

        if hasattr(view, RULE):
            setattr(reached, RULE, getattr(view, RULE))
        team.app.view_functions[endpoint] = reached
    yield team
    team.app.view_functions.clear()
    team.app.view_functions.update(kept)


def routes(app: Flask) -> list[tuple[str, Rule]]:
    """Every method of every rule."""
    return [
        (method, rule)
        for rule in app.url_map.iter_rules()
        for method in sorted((rule.methods or set()) - {"OPTIONS", "HEAD"})
    ]


def address(app: Flask, rule: Rule, place: Place) -> str:
    # "1" fits an address that takes a number as well as one that takes a name.
    values = {name: place.values.get(name, "1") for name in rule.arguments}
    return app.url_map.bind("localhost").build(rule.endpoint, values, method=next(iter(rule.methods or ())))


def least(method: str, rule: Rule) -> int:
    """The least rank that a route about a project may take, from its address alone."""
    text = f"{method} {rule.rule}"
    if OWNERS.search(text):
        return RANK["owner"]
    if text in FORMS:
        return RANK["editor"]
    if method == "GET" or READING.search(text) or REMARKS.search(text):
        return RANK["viewer"]
    return RANK["editor"]


def is_about_a_project(rule: Rule) -> bool:
    return bool(rule.arguments & {"project_id", "job_id", "plan_id", "dataset_id"})


def test_every_route_has_a_rule(team: Team) -> None:
    missing = [rule.endpoint for _, rule in routes(team.app) if rule_of(team.app, rule.endpoint) is None]
    assert missing == []


def test_a_route_about_a_project_asks_about_that_project(team: Team) -> None:
    for _, rule in routes(team.app):
        verb = VERBS[rule_of(team.app, rule.endpoint) or ""]
        assert bool(verb.kind) == is_about_a_project(rule), rule
        if verb.kind:
            assert f"{verb.kind}_id" in rule.arguments, rule


def test_every_change_is_noted(team: Team) -> None:
    """Each changing route writes to the audit log by its rule, or is known to be noted where it is done."""
    by_the_accounts = ("people_pages.", "people.", "member_pages.")
    by_the_store = re.compile(r"/(edits|undo|redo)$")
    for method, rule in routes(team.app):
        if method == "GET" or READING.search(rule.rule) or by_the_store.search(rule.rule):
            continue
        assert audit_of(team.app, rule.endpoint) or rule.endpoint.startswith(by_the_accounts), rule


@pytest.mark.parametrize("role", ROLES)
def test_who_is_let_through(stubbed: Team, role: str) -> None:
    client = stubbed.client(role)
    asked = 0
    for method, rule in routes(stubbed.app):
        for place in (stubbed.ours, stubbed.theirs):
            answer = client.open(
                address(stubbed.app, rule, place),
                method=method,
                headers=JSON,
                json={},
            )
            assert answer.status_code == _wanted(stubbed, role, method, rule, place), (method, rule, place)
            if answer.status_code != 200:
                assert "reached" not in answer.get_data(as_text=True)
            asked += 1
    assert asked > 100


def _wanted(team: Team, role: str, method: str, rule: Rule, place: Place) -> int:
    if rule.endpoint in OPEN or role == "admin":
        return 200
    if role == "nobody":
        return 401
    if is_about_a_project(rule):
        mine = place is (team.theirs if role == "stranger" else team.ours)
        rank = RANK["owner"] if role == "stranger" else RANK[role]
        if not mine:
            return 404
        return 200 if rank >= least(method, rule) else 403
    return 403 if VERBS[rule_of(team.app, rule.endpoint) or ""].need == "admin" else 200


def test_only_these_need_an_administrator(team: Team) -> None:
    found = {r.rule for _, r in routes(team.app) if rule_of(team.app, r.endpoint) == "admin"}
    assert found >= {"/users", "/audit", "/users/<user_id>", "/api/v1/users", "/api/v1/audit"}
    assert all(re.match(r"(/api/v1)?/(users|audit)", address_) for address_ in found)


def test_a_foreign_thing_is_told_like_one_that_is_not_there(team: Team) -> None:
    """Views and all: status, code and text do not tell a foreign id from one that nobody has."""
    client = team.client("viewer")
    nowhere = Place("e" * 32, "e" * 32, "e" * 32, "e" * 64)
    for method, rule in routes(team.app):
        if not is_about_a_project(rule):
            continue
        foreign, none = (
            client.open(address(team.app, rule, place), method=method, headers=JSON, json={})
            for place in (team.theirs, nowhere)
        )
        assert (foreign.status_code, foreign.data) == (none.status_code, none.data), (method, rule)
        assert foreign.status_code == 404, (method, rule)


def test_things_of_two_projects_do_not_mix(team: Team) -> None:
    """A job of another project is not reached through one's own, not even by an administrator."""
    for role in ("stranger", "admin"):
        client = team.client(role)
        for suffix in ("map", "files/report.json"):
            page = f"/projects/{team.theirs.project}/plans/{team.ours.job}/{suffix}"
            assert client.get(page).status_code == 404


@pytest.mark.parametrize("role", ["viewer", "editor"])
@pytest.mark.parametrize("status", ["approved", "published", "withdrawn"])
def test_weighty_steps_take_an_owner(team: Team, role: str, status: str) -> None:
    """The address is for editors; the view asks for more once it has read what is wanted."""
    client = team.client(role)
    plan = team.ours.plan
    assert client.post(f"/api/v1/plans/{plan}/status", json={"status": status}).status_code == 403
    assert client.post(f"/plans/{plan}/status", data={"status": status}).status_code == 403


def test_a_foreign_id_in_the_body_is_not_there(team: Team) -> None:
    client = team.client("owner")
    answers = [
        client.post(f"/api/v1/projects/{team.ours.project}/plans", json={"job": job})
        for job in (team.theirs.job, "e" * 32)
    ]
    assert [answer.status_code for answer in answers] == [404, 404]
    assert answers[0].data == answers[1].data


@pytest.mark.parametrize("role", ["viewer", "editor", "owner"])
def test_lists_show_only_what_one_may_see(team: Team, role: str) -> None:
    client = team.client(role)
    names = [project["name"] for project in client.get("/api/v1/projects").get_json()["projects"]]
    assert names == ["滨河街道"]
    for method, rule in routes(team.app):
        if method == "GET" and not is_about_a_project(rule) and rule.endpoint != "static":
            text = client.get(address(team.app, rule, team.theirs)).get_data(as_text=True)
            for secret in ("绝密山庄", team.theirs.project, team.theirs.job, team.theirs.plan):
                assert secret not in text, rule
    assert "滨河街道" in client.get("/projects").get_data(as_text=True)


def test_everybody_has_a_demo_city_of_their_own(team: Team) -> None:
    made = {
        role: team.client(role).post("/api/v1/demo/small").get_json()["id"] for role in ("viewer", "stranger")
    }
    assert made["viewer"] != made["stranger"]
    assert team.client("viewer").post("/api/v1/demo/small").get_json()["id"] == made["viewer"]
    assert team.client("viewer").get(f"/api/v1/projects/{made['stranger']}").status_code == 404
    for role, project in made.items():
        assert team.client(role).delete(f"/api/v1/projects/{project}").status_code == 204


def test_a_new_route_without_a_rule_is_closed(tmp_path_factory: pytest.TempPathFactory) -> None:
    for changes in ({}, {"team": True, "secret": SECRET}):
        folder = tmp_path_factory.mktemp("new")
        app = create_app(Settings(data_dir=folder, prepare_demo=False, **changes))
        app.add_url_rule("/new", "new", lambda: "reached")
        app.add_url_rule("/marked", "marked", allow("public")(lambda: "reached"))
        answer = app.test_client().get("/new")
        assert answer.status_code == 500
        assert "reached" not in answer.get_data(as_text=True)
        assert app.test_client().get("/marked").data == b"reached"
        service_of(app).close()


def test_there_is_no_rule_by_a_name_nobody_knows() -> None:
    with pytest.raises(ValueError, match="no such verb"):
        allow("project:reed")
