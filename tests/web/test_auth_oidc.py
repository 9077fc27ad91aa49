"""Signing in with an identity provider: a real one on this machine, and everything that must not work."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from oidc_make import CLIENT, CLIENT_SECRET, OidcServer
from team_make import PASSWORD, SECRET, auth_of, service_of, sign_in
from werkzeug.test import TestResponse

Make = Callable[..., Flask]


@pytest.fixture
def server() -> Iterator[OidcServer]:
    with OidcServer() as running:
        yield running


@pytest.fixture
def make(build: Make, server: OidcServer) -> Make:
    """Make a team whose identity provider is `server`."""

    def made(**changes: Any) -> Flask:
        given = {
            "team": True,
            "secret": SECRET,
            "oidc_url": server.url,
            "oidc_client_id": CLIENT,
            "oidc_client_secret": CLIENT_SECRET,
            "oidc_name": "市政务身份",
            "oidc_create_users": True,
        }
        return build(**(given | changes))

    return made


def leave(client: FlaskClient, start: str = "/login/provider") -> str:
    answer = client.get(start)
    assert answer.status_code == 303
    return answer.headers["Location"]


def arrive(client: FlaskClient, server: OidcServer, start: str = "/login/provider") -> TestResponse:
    """Go to the provider, sign in there, come back."""
    return client.get(server.consent(leave(client, start)))


def name_of(client: FlaskClient) -> str | None:
    answer = client.get("/api/v1/session")
    return answer.get_json()["user"]["name"] if answer.status_code == 200 else None


def test_a_person_signs_in_and_is_the_same_user_next_time(make: Make, server: OidcServer) -> None:
    app = make()
    client = app.test_client()
    assert "市政务身份" in client.get("/login").get_data(as_text=True)
    answer = arrive(client, server, "/login/provider?next=/account")
    assert (answer.status_code, answer.headers["Location"]) == (303, "/account")
    assert name_of(client) == "lisi"
    account = client.get("/account").get_data(as_text=True)
    assert "李四" in account
    assert client.get("/api/v1/projects").get_json()["projects"] == []
    server.person["preferred_username"] = "renamed"
    again = app.test_client()
    arrive(again, server)
    assert name_of(again) == "lisi"
    assert len(auth_of(app).accounts.people.users()) == 1
    assert [entry.action for entry in service_of(app).stores.audit.page()] == [
        "sign-in",
        "sign-in",
        "user-add",
    ]
    assert client.post("/login", data={"name": "lisi", "password": ""}).status_code == 401


def test_unknown_people_stay_out_unless_the_settings_say_otherwise(make: Make, server: OidcServer) -> None:
    app = make(oidc_create_users=False)
    client = app.test_client()
    assert arrive(client, server).status_code == 403
    assert name_of(client) is None
    assert auth_of(app).accounts.people.users() == []


def test_a_user_binds_the_account_to_the_provider(make: Make, server: OidcServer) -> None:
    app = make(oidc_create_users=False)
    auth_of(app).accounts.add_user("wang", PASSWORD)
    auth_of(app).accounts.add_user("zhao", PASSWORD)
    client = app.test_client()
    sign_in(client, "wang")
    assert arrive(client, server, "/account/provider").headers["Location"] == "/account?done=provider"
    other = app.test_client()
    arrive(other, server)
    assert name_of(other) == "wang"
    zhao = app.test_client()
    sign_in(zhao, "zhao")
    assert arrive(zhao, server, "/account/provider").status_code == 409
    assert app.test_client().get("/account/provider").headers["Location"].startswith("/login?")


def test_binding_needs_the_browser_that_asked_for_it(make: Make, server: OidcServer) -> None:
    app = make()
    auth_of(app).accounts.add_user("wang", PASSWORD)
    client = app.test_client()
    sign_in(client, "wang")
    back = server.consent(leave(client, "/account/provider"))
    client.post("/logout")
    assert client.get(back).status_code == 401
    assert auth_of(app).accounts.user_named("wang").subject is None


def test_a_closed_account_stays_closed(make: Make, server: OidcServer) -> None:
    app = make()
    client = app.test_client()
    arrive(client, server)
    accounts = auth_of(app).accounts
    accounts.change_user(accounts.user_named("lisi"), active=False)
    assert name_of(client) is None
    assert arrive(client, server).status_code == 403


SPOILT: dict[str, Callable[[dict[str, Any]], None]] = {
    "another nonce": lambda claims: claims.update(nonce="other"),
    "no nonce": lambda claims: claims.pop("nonce"),
    "another audience": lambda claims: claims.update(aud="other"),
    "several audiences": lambda claims: claims.update(aud=[CLIENT, "other"], azp="other"),
    "another issuer": lambda claims: claims.update(iss="https://evil.example"),
    "too old": lambda claims: claims.update(exp=claims["exp"] - 3600, iat=claims["iat"] - 3600),
    "no end": lambda claims: claims.pop("exp"),
    "nobody": lambda claims: claims.pop("sub"),
}


@pytest.mark.parametrize("fault", SPOILT)
def test_a_token_that_does_not_fit_is_refused(make: Make, server: OidcServer, fault: str) -> None:
    app = make()
    server.spoil = SPOILT[fault]
    client = app.test_client()
    assert arrive(client, server).status_code == 401
    assert name_of(client) is None
    assert auth_of(app).accounts.people.users() == []


def test_only_the_providers_own_signature_counts(make: Make, server: OidcServer) -> None:
    client = make().test_client()
    server.sign_with_the_client_secret()
    assert arrive(client, server).status_code == 401
    server.algorithm, server.signer = "RS256", OidcServer._new_key("one")
    assert arrive(client, server).status_code == 401
    assert name_of(client) is None


def test_the_provider_may_change_its_keys(make: Make, server: OidcServer) -> None:
    app = make()
    arrive(app.test_client(), server)
    server.change_keys()
    client = app.test_client()
    assert arrive(client, server).status_code == 303
    assert name_of(client) == "lisi"
    assert server.asked.count("/keys") == 2


def test_only_the_browser_that_left_may_come_back(make: Make, server: OidcServer) -> None:
    app = make()
    client = app.test_client()
    back = server.consent(leave(client))
    assert app.test_client().get(back).status_code == 401  # a link that somebody was sent
    assert client.get(back.replace("state=", "state=x")).status_code == 401
    assert client.get("/login/back").status_code == 401
    assert client.get("/login/back?error=access_denied&state=x").status_code == 401
    assert "/token" not in server.asked
    assert client.get(f"{back}&iss=https://evil.example").status_code == 401
    assert client.get(back).status_code == 303
    assert client.get(back).status_code == 401  # a code is good once


def test_the_journey_ends_after_a_while(
    make: Make, server: OidcServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    client = make().test_client()
    back = server.consent(leave(client))
    monkeypatch.setattr("web.auth.oidc.STATE_S", -1)
    assert client.get(back).status_code == 401


def test_a_key_before_still_lets_a_browser_come_back(make: Make, server: OidcServer) -> None:
    client = make().test_client()
    back = server.consent(leave(client))
    cookie = client.get_cookie("wangge-provider", path="/login/back")
    assert cookie is not None
    later = make(secret=SECRET[::-1], secret_fallbacks=(SECRET,)).test_client()
    later.set_cookie("wangge-provider", cookie.value, path="/login/back")
    assert later.get(back).status_code == 303


def test_a_provider_that_does_not_answer(make: Make, server: OidcServer) -> None:
    client = make().test_client()
    server.down = True
    answer = client.get("/login/provider")
    assert answer.status_code == 503
    assert server.issuer not in answer.get_data(as_text=True)
    server.down = False
    assert client.get("/login/provider").status_code == 303


def test_a_provider_with_another_name_is_not_the_one(make: Make, server: OidcServer) -> None:
    server.issuer_said = "https://evil.example"
    assert make().test_client().get("/login/provider").status_code == 503


def test_without_a_provider_there_is_no_way_to_it(build: Make) -> None:
    client = build(team=True, secret=SECRET).test_client()
    for path in ("/login/provider", "/login/back"):
        assert client.get(path).status_code == 404
    assert "/login/provider" not in client.get("/login").get_data(as_text=True)
