"""A clock that jumps while people work: order comes from revisions, and sessions follow time that passes.

The application runs in this process, so that the clocks it reads can be moved: the time of day goes back an hour,
ahead a day and back again, between edits and between starts of the service.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from datetime import datetime, tzinfo
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from flask import Flask
from flask.testing import FlaskClient
from torture_make import SECRET, Place, replayed
from torture_server import COOKIE

import web.services.books
import web.store.backup
from web import create_app
from web.auth.sessions import IDLE_S, LIFE_S
from web.settings import Settings
from web.store import Project

HOUR, DAY = 3600.0, 86_400.0
JUMPS = (0.0, -HOUR, DAY, 0.0, -HOUR, 2 * HOUR, -DAY, 0.0)


class Clock:
    """The time of day, which can be moved; time that really passes is not."""

    def __init__(self) -> None:
        self.ahead = 0.0
        self._time = time.time

    def __call__(self) -> float:
        return self._time() + self.ahead


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    moved = Clock()

    class Moved(datetime):
        @classmethod
        def now(cls, tz: tzinfo | None = None) -> datetime:  # type: ignore[override]
            return datetime.fromtimestamp(moved(), tz)

    monkeypatch.setattr(time, "time", moved)
    monkeypatch.setattr("web.store.models.datetime", Moved)
    return moved


@pytest.fixture
def running(place: Place) -> Iterator[Callable[..., Flask]]:
    """Start the service anew on the same folder; the one before ends."""
    last: list[Flask] = []

    def end() -> None:
        while last:
            last.pop().extensions["wangge"].close()

    def start(**settings: Any) -> Flask:
        end()
        app = create_app(Settings(data_dir=place.data, prepare_demo=False, workers=1, **settings))
        last.append(app)
        return app

    yield start
    end()


@pytest.fixture
def team(running: Callable[..., Flask]) -> Callable[[], Flask]:
    return lambda: running(team=True, secret=SECRET, insecure_cookies=True)


def client_of(app: Flask, token: str) -> FlaskClient:
    client = app.test_client()
    client.set_cookie(COOKIE, token)
    return client


def signed_in(app: Flask, token: str) -> bool:
    return client_of(app, token).get("/api/v1/session").status_code == 200


def test_order_comes_from_revisions_not_from_clocks(
    place: Place, clock: Clock, running: Callable[..., Flask], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(web.services.books, "SNAPSHOT_EVERY", 3)
    base, rng, seen = f"/api/v1/plans/{place.plan}", np.random.default_rng(3), []
    app = running()
    for number, ahead in enumerate(JUMPS * 3):
        clock.ahead = ahead
        if number % 7 == 6:
            app = running()  # also across a restart
        client = app.test_client()
        cells = rng.choice(place.start.cells_of(1 + number % 6), 2, replace=False).tolist()
        edit = {"kind": "assign", "cells": cells, "grid": 1 + (number + 1) % 6}
        body = {"op_id": f"clock-{number:03d}", "base": number, "edit": edit}
        answer = client.post(f"{base}/edits", json=body)
        if answer.status_code != 200:  # the cell moved before: say something else
            body["edit"] = {"kind": "set", "grid": 1 + number % 6, "attributes": {"note": f"第{number}次"}}
            answer = client.post(f"{base}/edits", json=body)
        assert answer.status_code == 200, answer.get_json()
        assert answer.get_json()["revision"] == number + 1
        seen.append(answer.get_json()["edit"]["at"])
        made = client.post(f"{base}/comments", json={"text": f"意见 {number}"})
        assert made.status_code == 201
        client.post(f"{base}/versions", json={"name": f"版本 {number}"})
    assert seen != sorted(seen)
    listed = client.get(f"{base}/edits").get_json()["edits"]
    assert [edit["revision"] for edit in listed] == list(range(1, len(seen) + 1))
    assert [edit["op_id"] for edit in listed] == [f"clock-{number:03d}" for number in range(len(seen))]
    for name, key, text in (("comments", "text", "意见"), ("versions", "name", "版本")):
        said = [one[key] for one in client.get(f"{base}/{name}").get_json()[name]]
        wanted = [f"{text} {number}" for number in range(len(seen))]
        assert said in (wanted, wanted[::-1]), name
    back = client.post(f"{base}/undo", json={"op_id": "clock-undo", "base": len(seen)}).get_json()
    assert back["edit"]["undoes"] == len(seen)
    served = client.get(f"{base}/assignment").data
    app.extensions["wangge"].close()
    log = place.log()
    plan = replayed(place.start, log)
    assert np.array_equal(np.frombuffer(served, "<i4"), plan.assignment)
    stores = place.stores()
    revision, _ = stores.plans.snapshot(place.plan)
    entries = stores.audit.page(limit=1000)
    stores.close()
    assert revision == len(log)  # the newest by revision: the clock was set back after others
    assert [entry.seq for entry in entries] == list(range(len(entries), 0, -1))


def test_lists_are_in_the_order_in_which_things_were_made(place: Place, clock: Clock) -> None:
    stores = place.stores()
    ids = []
    for number, ahead in enumerate(JUMPS):
        clock.ahead = ahead
        project = Project(name=f"项目 {number}", state="ready")
        stores.projects.add(project)
        ids.append(project.id)
    assert [project.id for project in stores.projects.all()][:-1] == ids[::-1]
    assert len(set(ids)) == len(ids)
    stores.close()


def test_sessions_live_by_time_that_passes(place: Place, clock: Clock, team: Callable[[], Flask]) -> None:
    """While the service runs the time of day does not count; across a restart an hour back kills nobody."""
    tokens = place.team(3)
    app = team()
    for ahead in JUMPS:
        clock.ahead = ahead
        assert all(signed_in(app, token) for token in tokens)
    for ahead in (-HOUR, 0.0, HOUR, -DAY):
        clock.ahead = ahead
        app = team()
        assert all(signed_in(app, token) for token in tokens)


def test_no_session_is_immortal(place: Place, clock: Clock, team: Callable[[], Flask]) -> None:
    """Begun while the clock was a day ahead, it ends like any other once the clock is right."""
    clock.ahead = DAY
    (idle, used) = place.team(2)
    clock.ahead = 0.0
    app = team()
    assert signed_in(app, idle)
    assert signed_in(app, used)
    begun = clock.ahead
    while clock.ahead - begun < LIFE_S - IDLE_S:
        clock.ahead += IDLE_S - HOUR
        app = team()
        assert signed_in(app, used)
    assert not signed_in(app, idle)
    clock.ahead = begun + LIFE_S + HOUR
    assert not signed_in(team(), used)


def test_a_backup_made_with_the_clock_set_back_is_kept(place: Place, clock: Clock) -> None:
    stores = place.stores()
    settings = Settings(data_dir=place.data)
    keeper = web.store.backup.Keeper(stores.database, settings)
    for hours in range(web.store.backup.KEPT):
        clock.ahead = hours * HOUR
        keeper.before_upgrade()
    old = set(settings.backups_dir.iterdir())
    clock.ahead = -365 * DAY
    keeper.before_upgrade()
    stores.close()
    now = set(settings.backups_dir.iterdir())
    assert len(now) == web.store.backup.KEPT
    assert len(now - old) == 1


def test_now_is_moved_for_the_store(clock: Clock, tmp_path: Path) -> None:
    """The tests above move the clock that the store reads."""
    clock.ahead = -DAY
    made = datetime.fromisoformat(Project(name="昨天").created).timestamp()
    assert abs(made - clock()) < 60
