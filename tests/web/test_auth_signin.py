"""Signing in and out over HTTP: cookies, copied cookies, limits, the pages and routes of accounts."""

from __future__ import annotations

import json
import re
from collections.abc import Callable

import pytest
from flask import Flask
from flask.testing import FlaskClient
from team_make import (
    PASSWORD,
    SECRET,
    Place,
    add_people,
    add_place,
    auth_of,
    cookie_of,
    service_of,
    sign_in,
    signed_in,
)

from web.auth.people import User
from web.auth.rules import current_user

SECURE = "__Host-wangge"
OTHER = "another fine word 8"  # a password


class Team:
    """An application on this test's own folder, with people and two projects."""

    def __init__(self, app: Flask) -> None:
        self.app = app
        self.ours: Place = add_place(app, "滨河街道")
        self.theirs: Place = add_place(app, "绝密山庄")
        self.users: dict[str, User] = add_people(app, self.ours, self.theirs)

    def client(self, role: str | None = None) -> FlaskClient:
        return signed_in(self.app, self.users[role] if role else None)

    def actions(self) -> list[str]:
        return [entry.action for entry in service_of(self.app).stores.audit.page()]


@pytest.fixture
def team(build: Callable[..., Flask]) -> Team:
    return Team(build(team=True, secret=SECRET))


def test_signing_in_gives_a_cookie_that_only_this_site_gets(team: Team) -> None:
    client = team.client()
    answer = sign_in(client, "owner")
    assert (answer.status_code, answer.headers["Location"]) == (303, "/")
    cookie = next(c for c in answer.headers.getlist("Set-Cookie") if c.startswith(f"{SECURE}="))
    assert set(cookie.split("; ")[1:]) == {"Secure", "HttpOnly", "Path=/", "SameSite=Lax"}
    assert answer.headers["Cache-Control"] == "private, no-store"
    assert client.get("/projects").status_code == 200


def test_a_plain_network_has_to_be_asked_for(
    build: Callable[..., Flask], caplog: pytest.LogCaptureFixture
) -> None:
    app = build(team=True, secret=SECRET, insecure_cookies=True)
    assert "WANGGE_INSECURE_COOKIES" in caplog.text
    auth_of(app).accounts.add_user("wang", PASSWORD)
    answer = sign_in(app.test_client(), "wang")
    assert answer.headers["Set-Cookie"].startswith("wangge-session=")
    assert "Secure" not in answer.headers["Set-Cookie"]


@pytest.mark.parametrize("way", ["page", "json", "everywhere", "password", "by the administrator"])
def test_a_copied_cookie_is_dead_after_signing_out(team: Team, way: str) -> None:
    client = team.client()
    assert sign_in(client, "owner").status_code == 303
    thief = team.app.test_client()
    thief.set_cookie(SECURE, cookie_of(client, team.app))
    assert thief.get("/api/v1/session").get_json()["user"]["name"] == "owner"
    if way == "page":
        assert client.post("/logout").status_code == 303
    elif way == "json":
        assert client.delete("/api/v1/session").status_code == 204
    elif way == "everywhere":
        assert client.post("/account/sign-out-everywhere").status_code == 303
    elif way == "password":
        assert client.post("/account/password", data={"old": PASSWORD, "new": OTHER}).status_code == 303
        assert client.get("/account").status_code == 200  # a new session began here
    else:
        chief, owner = team.client("admin"), team.users["owner"]
        assert chief.patch(f"/api/v1/users/{owner.id}", json={"active": False}).status_code == 200
    assert thief.get("/api/v1/session").status_code == 401
    assert thief.get("/projects").headers["Location"] == "/login?next=/projects"


def test_the_session_is_new_after_signing_in(team: Team) -> None:
    client = team.client("viewer")
    before = cookie_of(client, team.app)
    sign_in(client, "owner")
    assert cookie_of(client, team.app) != before
    other = team.app.test_client()
    other.set_cookie(SECURE, before)
    assert other.get("/api/v1/session").status_code == 401


@pytest.mark.parametrize("token", ["", "x", "x" * 3000, "' OR 1=1 --", "é"])
def test_made_up_cookies_are_nobody(team: Team, token: str) -> None:
    client = team.app.test_client()
    client.set_cookie(SECURE, token)
    assert client.get("/api/v1/session").status_code == 401


def test_nobody_is_told_whether_a_name_exists(team: Team) -> None:
    client = team.client()
    answers = []
    for name in ("owner", "nobody"):
        answer = client.post("/api/v1/session", json={"name": name, "password": "wrong password"})
        answers.append((answer.status_code, answer.data))
    assert answers[0] == answers[1]
    assert answers[0][0] == 401
    assert sign_in(client, "owner", "wrong password").status_code == 401


@pytest.mark.parametrize("odd", ["\ud800", "\x00", "x" * 999, "王\u0301", "%s", "' OR 1=1 --"])
def test_odd_letters_are_wrong_and_nothing_else(team: Team, odd: str) -> None:
    client = team.client()
    for sent in ({"name": odd, "password": PASSWORD}, {"name": "owner", "password": odd}):
        answer = client.post("/api/v1/session", data=json.dumps(sent), content_type="application/json")
        assert answer.status_code in {400, 401}


def test_the_limit_comes_before_the_password(team: Team) -> None:
    client = team.client()
    for _ in range(5):
        assert sign_in(client, "owner", "wrong password").status_code == 401
    for name in ("owner", "OWNER"):
        answer = client.post("/api/v1/session", json={"name": name, "password": PASSWORD})
        assert answer.status_code == 429
        assert 0 < int(answer.headers["Retry-After"]) <= 61
    page = sign_in(client, "owner")
    assert page.status_code == 429
    assert int(page.headers["Retry-After"]) > 0
    assert sign_in(client, "editor").status_code == 303


def test_pages_send_to_the_form_and_back(team: Team) -> None:
    client = team.client()
    answer = client.get(f"/projects/{team.ours.project}/members?lang=en")
    assert answer.status_code == 303
    form = client.get(answer.headers["Location"]).get_data(as_text=True)
    back = re.search(r'name="next" value="([^"]+)"', form)
    assert back is not None
    assert back[1] == f"/projects/{team.ours.project}/members?lang=en"
    sent = {"name": "owner", "password": PASSWORD, "next": back[1]}
    assert client.post("/login", data=sent).headers["Location"] == back[1]
    for evil in ("//evil.example", "https://evil.example", "/\\evil.example"):
        answer = client.post("/login", data=sent | {"next": evil})
        assert answer.headers["Location"] == "/"


def test_other_sites_can_sign_nobody_in_or_out(team: Team) -> None:
    client = team.client("owner")
    headers = {"Sec-Fetch-Site": "cross-site"}
    assert (
        client.post("/login", data={"name": "owner", "password": PASSWORD}, headers=headers).status_code
        == 403
    )
    assert client.post("/logout", headers=headers).status_code == 403
    assert client.get("/account").status_code == 200


def test_one_person_on_one_machine_signs_in_nowhere(build: Callable[..., Flask]) -> None:
    client = build().test_client()
    session = client.get("/api/v1/session").get_json()
    assert (session["team"], session["admin"], session["user"]["name"]) == (False, True, "local")
    for page in ("/login", "/account", "/users"):
        assert client.get(page).status_code == 404
    assert "/logout" not in client.get("/projects").get_data(as_text=True)
    assert client.get("/audit").status_code == 200
    assert client.post("/api/v1/session", json={"name": "a", "password": "b"}).status_code == 404


@pytest.mark.parametrize("address", ["10.0.0.7", "192.168.1.2", "2001:db8::1", ""])
def test_one_person_is_nobody_from_elsewhere(build: Callable[..., Flask], address: str) -> None:
    """Behind a server that listens everywhere, the implicit user is still the one at this machine."""
    app = build()
    for path in ("/projects", "/api/v1/projects"):
        answer = app.test_client().get(path, environ_base={"REMOTE_ADDR": address})
        assert answer.status_code == 403


def test_the_proxy_is_believed_only_when_it_is_said_to_be_there(build: Callable[..., Flask]) -> None:
    headers = {"X-Forwarded-For": "10.0.0.7"}
    for proxies, status in ((0, 200), (1, 403)):
        client = build(proxies=proxies).test_client()
        assert client.get("/projects", headers=headers).status_code == status


def test_members_by_page_and_by_program(team: Team) -> None:
    owner, stranger = team.client("owner"), team.users["stranger"]
    page = f"/projects/{team.ours.project}/members"
    assert owner.post(page, data={"name": "STRANGER", "role": "viewer"}).status_code == 303
    assert team.client("stranger").get(f"/projects/{team.ours.project}").status_code == 200
    html = owner.get(page).get_data(as_text=True)
    assert "stranger" in html
    assert "<select" not in team.client("viewer").get(page).get_data(as_text=True)
    assert owner.post(page, data={"name": "nobody", "role": "viewer"}).status_code == 404
    assert owner.post(page, data={"name": "stranger", "role": "king"}).status_code == 400
    assert owner.post(f"{page}/{stranger.id}/remove").status_code == 303
    assert team.client("stranger").get(f"/projects/{team.ours.project}").status_code == 404

    api = f"/api/v1{page}"
    found = owner.post(api, json={"name": "stranger", "role": "editor"}).get_json()["members"]
    assert [(one["user"]["name"], one["role"]) for one in found] == [
        ("editor", "editor"),
        ("owner", "owner"),
        ("stranger", "editor"),
        ("viewer", "viewer"),
    ]
    assert set(found[0]["user"]) == {"id", "name", "display_name"}
    assert owner.delete(f"{api}/{team.users['owner'].id}").status_code == 409
    assert len(owner.delete(f"{api}/{stranger.id}").get_json()["members"]) == 3
    assert team.client("editor").post(api, json={"name": "stranger", "role": "owner"}).status_code == 403
    assert team.actions()[:3] == ["member-remove", "member-add", "member-remove"]


def test_users_by_page_and_by_program(team: Team) -> None:
    chief = team.client("admin")
    sent = {"name": "王芳", "display_name": "王芳 <b>", "password": OTHER}
    assert chief.post("/users", data=sent).status_code == 303
    assert chief.post("/users", data=sent).status_code == 409
    assert chief.post("/users", data=sent | {"name": "li", "password": "short"}).status_code == 400
    html = chief.get("/users").get_data(as_text=True)
    assert "王芳 &lt;b&gt;" in html
    assert "<b>" not in html
    client = team.client()
    assert sign_in(client, "王芳", OTHER).status_code == 303
    user = next(u for u in chief.get("/api/v1/users").get_json()["users"] if u["name"] == "王芳")
    assert "password_hash" not in user
    assert chief.post(f"/users/{user['id']}", data={"password": "yet another 9 words"}).status_code == 303
    assert client.get("/api/v1/session").status_code == 401
    assert sign_in(client, "王芳", "yet another 9 words").status_code == 303
    assert chief.post(f"/users/{user['id']}", data={}).status_code == 303  # neither active nor administrator
    assert client.get("/api/v1/session").status_code == 401
    assert sign_in(client, "王芳", "yet another 9 words").status_code == 401
    made = chief.post("/api/v1/users", json={"name": "zhao", "password": OTHER, "admin": True})
    assert made.status_code == 201
    own = chief.patch(f"/api/v1/users/{team.users['admin'].id}", json={"admin": False})
    assert own.get_json()["admin"] is False  # the new one stays in charge
    assert chief.get("/api/v1/users").status_code == 403
    for role in ("owner", "viewer"):
        assert team.client(role).get("/users").status_code == 403


def test_a_projects_creator_owns_it(team: Team) -> None:
    client = team.client("stranger")
    project = client.post("/api/v1/demo/small").get_json()["id"]
    assert client.get(f"/api/v1/projects/{project}/members").get_json()["members"][0]["role"] == "owner"
    assert team.client("owner").get(f"/api/v1/projects/{project}").status_code == 404


def test_one_s_own_password(team: Team) -> None:
    client = team.client("owner")
    assert client.post("/account/password", data={"old": "wrong", "new": OTHER}).status_code == 401
    assert client.post("/account/password", data={"old": PASSWORD, "new": "short"}).status_code == 400
    assert client.put("/api/v1/session/password", json={"old": PASSWORD, "new": OTHER}).status_code == 204
    assert client.get("/api/v1/session").status_code == 200
    assert sign_in(team.client(), "owner", OTHER).status_code == 303
    assert sign_in(team.client(), "owner", PASSWORD).status_code == 401


def test_the_audit_log_is_shown_filtered_and_paged(team: Team) -> None:
    chief = team.client("admin")
    owner = team.client("owner")
    page = f"/projects/{team.ours.project}/members"
    for _ in range(30):
        owner.post(page, data={"name": "stranger", "role": "viewer"})
        owner.post(page, data={"name": "stranger", "role": "editor"})
    first = chief.get("/audit?lang=en&user=owner").get_data(as_text=True)
    assert first.count("<tr>") == 51
    older = re.search(r'href="(/audit\?[^"]*before=\d+)"', first)
    assert older is not None
    second = chief.get(older[1].replace("&amp;", "&")).get_data(as_text=True)
    assert second.count("<tr>") == 11
    assert "滨河街道" in first
    assert chief.get("/audit?action=sign-out&lang=en").get_data(as_text=True).count("<tr>") == 0
    assert chief.get("/audit?since=2001-01-01&until=2001-01-02").get_data(as_text=True).count("<tr>") == 0
    for odd in (
        "since=x",
        "since=0001-01-01",
        "before=x",
        f"before={10**30}",
        "project=x",
        "until=9999-12-31",
    ):
        assert chief.get(f"/audit?{odd}").status_code == 200
    entries = chief.get("/api/v1/audit?limit=2&lang=en").get_json()
    assert len(entries["entries"]) == 2
    assert entries["before"] == entries["entries"][-1]["seq"]
    mine = owner.get(f"/api/v1{page.removesuffix('members')}audit").get_json()["entries"]
    assert {entry["project"] for entry in mine} == {team.ours.project}
    assert {entry["address"] for entry in mine} == {""}


def test_what_pages_and_programs_do_is_noted(team: Team) -> None:
    client = team.client("owner")
    client.delete(f"/api/v1/projects/{team.ours.project}")
    entry = service_of(team.app).stores.audit.page(limit=1)[0]
    assert (entry.action, entry.user_name, entry.project) == ("project-delete", "owner", team.ours.project)
    client.delete(f"/api/v1/projects/{team.theirs.project}")  # refused: nothing to note
    assert service_of(team.app).stores.audit.page(limit=1)[0] == entry
    assert service_of(team.app).stores.audit.verify() > 0


@pytest.mark.parametrize("lang", ["zh", "en"])
def test_the_pages_of_accounts_are_in_one_language(team: Team, lang: str) -> None:
    chief = team.client("admin")
    for path in ("/login", "/account", "/users", "/audit", f"/projects/{team.ours.project}/members"):
        html = chief.get(f"{path}?lang={lang}").get_data(as_text=True)
        text = re.sub(
            r"<[^>]*lang=\"zh-CN\".*?</\w+>", "", html.replace("滨河街道", "").replace("绝密山庄", "")
        )
        text = re.sub(r"<html[^>]*>", "", text)
        assert bool(re.search(r"[\u4e00-\u9fff]", text)) == (lang == "zh"), path
        assert "<script>" not in html
        assert " style=" not in html
        for field in re.findall(r"<(?:input|select)[^>]*>", html):
            labelled = "aria-label" in field or 'type="hidden"' in field or 'aria-hidden="true"' in field
            assert labelled or re.search(rf"<label[^>]*>[^<]*{re.escape(field)}", html), field


def test_outside_a_request_there_is_nobody(team: Team) -> None:
    with pytest.raises(RuntimeError):
        current_user()
