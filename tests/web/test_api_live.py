"""Working together: what others did and where they point arrives within seconds, cheaply and within caps.

The feed loads no plan, a waiting request ends with the first change or its time, and presence forgets.
"""

from __future__ import annotations

import threading
import time

import pytest
from plan_make import Edited

from web.services import live
from web.services.live import Feed, Presence


def test_the_feed_tells_who_did_what_since_a_revision(edited: Edited) -> None:
    for number in range(3):
        edited.edit("rename", op=f"name-no-{number}", grid=1, name=f"第{number}")
    said = edited.get("/edits?since=1&limit=1").get_json()
    assert (said["revision"], said["more"], said["status"]) == (3, True, "draft")
    [entry] = said["edits"]
    assert (entry["revision"], entry["kind"], entry["op_id"]) == (2, "rename", "name-no-1")
    assert entry["user"]["name"]
    assert entry["change"]["grids"][0]["after"]["name"] == "第1"
    assert edited.get("/edits?since=3").get_json()["edits"] == []
    for query in ("since=-1", "limit=0", "limit=1001", "wait=21", "since=x"):
        assert edited.get(f"/edits?{query}").status_code == 400


def test_the_feed_loads_no_plan(edited: Edited, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(edited.service.books, "held", None)
    answer = edited.get("/edits?since=0")
    assert answer.status_code == 200
    assert edited.get("/edits", **{"If-None-Match": answer.headers["ETag"]}).status_code == 304


def test_a_change_of_status_is_news(edited: Edited) -> None:
    tag = edited.get("/edits").headers["ETag"]
    edited.post("/status", status="consultation")
    answer = edited.get("/edits", **{"If-None-Match": tag})
    assert (answer.status_code, answer.get_json()["status"]) == (200, "consultation")


def test_a_waiting_request_ends_with_the_first_change(edited: Edited) -> None:
    def later() -> None:
        time.sleep(0.2)
        edited.as_user(
            "li", "edits", op_id="li-renames", base=0, edit={"kind": "rename", "grid": 1, "name": "李"}
        )

    other = threading.Thread(target=later)
    begun = time.monotonic()
    other.start()
    said = edited.get("/edits?since=0&wait=20").get_json()
    other.join()
    assert said["revision"] == 1
    assert time.monotonic() - begun < 10


def test_waiting_has_an_end_and_a_cap(edited: Edited, monkeypatch: pytest.MonkeyPatch) -> None:
    store = edited.service.plan_store
    ticks = iter(range(100))
    feed = Feed(store, clock=lambda: float(next(ticks)))
    monkeypatch.setattr(live, "LOOK_S", 0.001)
    assert feed.wait(edited.id, 0, 5).revision == 0
    assert next(ticks) <= 10
    held = [feed._waiting.acquire(blocking=False) for _ in range(live.MOST_WAITING)]
    assert all(held)
    before = next(ticks)
    assert feed.wait(edited.id, 0, 20).revision == 0
    assert next(ticks) == before + 1, "nobody looked at the clock: the answer came at once"


def test_presence_shows_the_others_for_ten_seconds(edited: Edited) -> None:
    mine = {"client": "tab-1", "x": 116.1, "y": 39.9, "tool": "brush", "selection": [1, 2]}
    assert edited.post("/presence", **mine).get_json() == {"others": []}
    [seen] = edited.get("/presence?client=tab-2").get_json()["others"]
    assert {name: seen[name] for name in mine} == mine
    assert edited.get("/presence?client=tab-1").get_json()["others"] == []
    for wrong in ({"x": 200}, {"selection": [0] * 201}, {"client": "a b"}, {"tool": "x" * 41}, {"y": True}):
        assert edited.post("/presence", **(mine | wrong)).status_code == 400


def test_presence_forgets_and_is_bounded() -> None:
    now = 0.0
    presence = Presence(clock=lambda: now)
    for number in range(live.MOST_PRESENT + 5):
        presence.say("plan", f"tab-{number}", "user", "User", {"x": number})
    assert len(presence.others("plan", "nobody", None)) == live.MOST_PRESENT
    now = live.SEEN_S + 0.1
    presence.say("plan", "late", "user", "User", {})
    assert [item["client"] for item in presence.others("plan", "nobody", None)] == ["late"]
    now *= 3
    assert presence.others("plan", "nobody", None) == []
    for number in range(live.MOST_PLANS + 5):
        presence.say(f"plan-{number}", "tab", "user", "User", {})
    assert len(presence._plans) == live.MOST_PLANS
