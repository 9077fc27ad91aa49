"""Editing a plan over HTTP: every acknowledged edit is kept once, in order, and nobody's work is overwritten.

Conflicts, refusals and closed plans answer with their own codes; undo and redo are per author and without limit; a
restart, an eviction from memory and a second server on the same store change no answer.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from flask import Flask
from plan_make import Edited

from geo.editing.apply import decide
from geo.editing.change import Change
from geo.editing.edits import Edit, NewGrid
from geo.editing.plan import Plan
from web.services import books as books_module
from web.services.books import Books
from web.services.editing import Editing
from web.store.faults import storage_full
from web.store.records import EditRecord


def moved(edited: Edited, *, op: str, grid: int = 2, count: int = 1) -> Any:
    """Move the first cells of grid 1 into another grid of its community."""
    answer = edited.edit("assign", op=op, cells=edited.cells_of(1)[:count], grid=grid)
    assert answer.status_code == 200, answer.get_json()
    return answer.get_json()


def test_an_edit_answers_with_what_it_touched_and_nothing_else(edited: Edited) -> None:
    cells = edited.cells_of(1)[:2]
    answer = moved(edited, op="first-edit", count=2)
    assert (answer["revision"], answer["gone"]) == (1, [])
    assert answer["change"] == {"cells": cells, "before": [1, 1], "after": [2, 2]}
    assert [row["id"] for row in answer["grids"]] == [1, 2]
    assert answer["edit"]["kind"] == "assign"
    assert answer["edit"]["summary_zh"] != answer["edit"]["summary_en"]
    assert answer["summary"]["households"] == 1828
    assert set(edited.cells_of(2)) >= set(cells)
    rows = {row["id"]: row for row in edited.get("/grids").get_json()["grids"]}
    assert answer["grids"] == [rows[1], rows[2]]


def test_the_same_operation_is_made_once_and_answered_the_same(edited: Edited) -> None:
    body = {"op_id": "again-again", "base": 0, "edit": {"kind": "rename", "grid": 1, "name": "河东"}}
    first = edited.post("/edits", **body)
    assert first.status_code == 200
    moved(edited, op="in-between")
    assert edited.post("/edits", **body).get_json() == first.get_json()
    edited.service.books.forget(edited.id)  # no longer in memory: worked out anew from the log
    assert edited.post("/edits", **body).get_json() == first.get_json()
    assert edited.revision == 2
    other = edited.post("/edits", **(body | {"edit": {"kind": "rename", "grid": 1, "name": "另一"}}))
    assert (other.status_code, other.get_json()["code"]) == (409, "op-reused")


def test_an_operation_is_answered_the_same_after_a_restart(
    build: Callable[..., Flask], city_dataset: Path
) -> None:
    edited = Edited(build(), city_dataset)
    first = moved(edited, op="before-restart")
    sent = {
        "op_id": "before-restart",
        "base": 0,
        "edit": {"kind": "assign", "cells": first["change"]["cells"]},
    }
    sent["edit"]["grid"] = 2
    edited.app.extensions["wangge"].close()
    edited.app = build()
    assert edited.post("/edits", **sent).get_json() == first
    assert edited.revision == 1


def test_edits_of_other_places_are_rebased(edited: Edited) -> None:
    moved(edited, op="east-edit")
    answer = edited.edit("rename", op="late-edit", base=0, grid=3, name="西河一")
    assert (answer.status_code, answer.get_json()["revision"]) == (200, 2)


def test_a_conflict_names_object_user_and_revision(edited: Edited) -> None:
    cell = edited.cells_of(1)[0]
    code, _ = edited.as_user(
        "li", "edits", op_id="li-edit-1", base=0, edit={"kind": "assign", "cells": [cell], "grid": 2}
    )
    assert code == 200
    answer = edited.edit("assign", op="mine-edit", base=0, cells=[cell], grid=None)
    problem = answer.get_json()
    assert (answer.status_code, problem["code"]) == (409, "edit-conflict")
    assert problem["where"]["revision"] == 1
    named = {(item["type"], item["id"]): item for item in problem["where"]["objects"]}
    assert named["cell", cell]["user"]["name"] == "li"
    assert named["cell", cell]["revision"] == 1
    assert "li" in problem["detail_en"]
    assert edited.revision == 1


REFUSED: list[tuple[dict[str, Any], int, str]] = [
    ({"kind": "assign", "cells": [0], "grid": 99}, 422, "no-such-grid"),
    ({"kind": "assign", "cells": [10**6], "grid": 1}, 422, "no-such-cell"),
    ({"kind": "merge", "grids": [1, 3]}, 422, "other-community"),
    ({"kind": "assign", "cells": "all", "grid": 1}, 400, "edit-unreadable"),
    ({"kind": "explode"}, 400, "edit-unreadable"),
]


@pytest.mark.parametrize(("edit", "status", "code"), REFUSED, ids=[item[2] for item in REFUSED])
def test_what_cannot_be_done_is_refused_with_its_reason(
    edited: Edited, edit: dict[str, Any], status: int, code: str
) -> None:
    for path, more in (("/edits", {"op_id": "refused-1"}), ("/preview", {})):
        answer = edited.post(path, base=0, edit=edit, **more)
        assert (answer.status_code, answer.get_json()["code"]) == (status, code)
        assert answer.mimetype == "application/problem+json"
    assert edited.revision == 0


@pytest.mark.parametrize(
    "body",
    [
        {"base": 0, "edit": {"kind": "repair"}},
        {"op_id": "short", "base": 0, "edit": {"kind": "repair"}},
        {"op_id": "good-enough", "base": True, "edit": {"kind": "repair"}},
        {"op_id": "good-enough", "base": "0", "edit": {"kind": "repair"}},
        {"op_id": "good-enough", "base": -1, "edit": {"kind": "repair"}},
        {"op_id": "good-enough", "base": 0, "edit": []},
        {"op_id": "good-enough", "base": 0, "edit": {"kind": "repair"}, "more": 1},
    ],
)
def test_a_request_that_cannot_be_read_changes_nothing(edited: Edited, body: dict[str, Any]) -> None:
    assert edited.post("/edits", **body).status_code == 400
    assert edited.revision == 0


def test_a_preview_changes_nothing_and_says_what_the_edit_would(edited: Edited) -> None:
    edit = {"kind": "merge", "grids": [1, 2]}
    shown = edited.post("/preview", base=0, edit=edit).get_json()
    assert (shown["revision"], shown["edit"], shown["gone"]) == (0, None, [2])
    assert edited.revision == 0
    done = edited.post("/edits", op_id="for-real-1", base=0, edit=edit).get_json()
    assert {name: done[name] for name in ("change", "grids", "gone", "summary", "warnings")} == {
        name: shown[name] for name in ("change", "grids", "gone", "summary", "warnings")
    }


@pytest.mark.parametrize("page", [1, 3, 1000])
def test_undo_and_redo_go_back_and_forth_through_everything(
    edited: Edited, monkeypatch: pytest.MonkeyPatch, page: int
) -> None:
    monkeypatch.setattr(books_module, "PAGE", page)
    states = [edited.assignment()]
    for number in range(4):
        moved(edited, op=f"step-no-{number}")
        states.append(edited.assignment())
    edited.service.books.forget(edited.id)
    for number in reversed(range(4)):
        answer = edited.post("/undo", op_id=f"undo-no-{number}", base=4)
        assert answer.get_json()["edit"]["undoes"] == number + 1
        np.testing.assert_array_equal(edited.assignment(), states[number])
    assert edited.post("/undo", op_id="undo-too-far", base=8).get_json()["code"] == "nothing-to-undo"
    for number in range(4):
        answer = edited.post("/redo", op_id=f"redo-no-{number}", base=8)
        assert answer.get_json()["edit"]["redoes"] == number + 1
        np.testing.assert_array_equal(edited.assignment(), states[number + 1])
    assert edited.post("/redo", op_id="redo-too-far", base=12).get_json()["code"] == "nothing-to-redo"
    said = edited.get().get_json()
    assert (said["undo"], said["redo"]) == (4, None)


def test_undo_takes_back_only_ones_own(edited: Edited) -> None:
    moved(edited, op="mine-first")
    edit = {"kind": "rename", "grid": 3, "name": "李的网格"}
    assert edited.as_user("li", "edits", op_id="li-second", base=1, edit=edit)[0] == 200
    assert edited.post("/undo", op_id="undo-mine", base=2).get_json()["edit"]["undoes"] == 1
    assert edited.as_user("li", "undo", op_id="undo-lis", base=3)[1]["edit"]["undoes"] == 2


def test_an_undo_does_not_overwrite_what_others_did_since(edited: Edited) -> None:
    answer = edited.edit("rename", op="my-name-1", grid=1, name="一")
    assert answer.status_code == 200
    edit = {"kind": "rename", "grid": 1, "name": "二"}
    assert edited.as_user("li", "edits", op_id="li-name-1", base=1, edit=edit)[0] == 200
    answer = edited.post("/undo", op_id="undo-name", base=2)
    assert (answer.status_code, answer.get_json()["code"]) == (409, "edit-conflict")
    assert answer.get_json()["where"]["objects"][0]["user"]["name"] == "li"


def test_closed_plans_take_no_edits(edited: Edited) -> None:
    moved(edited, op="while-open")
    edited.post("/status", status="consultation")
    moved(edited, op="still-open")
    edited.post("/status", status="approved")
    for path in ("/edits", "/undo", "/redo"):
        more = {"edit": {"kind": "rename", "grid": 1, "name": "x"}} if path == "/edits" else {}
        answer = edited.post(path, op_id="too-late-1", base=2, **more)
        assert (answer.status_code, answer.get_json()["code"]) == (409, "plan-closed")
    again = edited.edit("assign", op="still-open", base=1, cells=[edited.cells_of(2)[0]], grid=2)
    assert again.get_json()["code"] == "op-reused"


def test_a_second_server_on_the_store_loses_nothing(edited: Edited) -> None:
    service = edited.service
    second = Books(service.plan_store, service.grounds, memory_bytes=1 << 30)
    other = Editing(second, service.desk, service.feed.announce)
    from web.auth.people import User

    li = User(name="li", id="1" * 32)
    try:
        for number in range(6):
            moved(edited, op=f"here-no-{number}")
            other.edit(
                edited.id,
                li,
                op_id=f"there-no-{number}",
                base=2 * number + 1,
                document={"kind": "rename", "grid": 3, "name": f"第{number}"},
            )
        assert edited.revision == 12
        plan = second.current(edited.id)[1]
        np.testing.assert_array_equal(plan.assignment, edited.assignment())
        assert service.books.current(edited.id)[1].grids == plan.grids
    finally:
        second.close()
    assert service.plan_store.verify_chain(edited.id) == 12


def test_a_commit_that_comes_second_is_tried_again(edited: Edited, monkeypatch: pytest.MonkeyPatch) -> None:
    store, real = edited.service.plan_store, edited.service.plan_store.append
    calls = []

    def late(edit: EditRecord, expected_revision: int, **more: Any) -> EditRecord:
        calls.append(expected_revision)
        if len(calls) == 1:  # another server commits between our look and our commit
            change = {"grids": []}
            real(EditRecord(edited.id, "other-server", "rename", change=change), expected_revision)
        return real(edit, expected_revision, **more)

    monkeypatch.setattr(store, "append", late)
    assert moved(edited, op="beaten-once")["revision"] == 2
    assert calls == [0, 1]


def test_plans_are_put_away_and_opened_again(edited: Edited, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(books_module, "SNAPSHOT_EVERY", 3)
    monkeypatch.setattr(books_module, "LOG_KEPT", 4)
    books = Books(edited.service.plan_store, edited.service.grounds, memory_bytes=1)
    monkeypatch.setattr(edited.service.editing, "_books", books)
    other = edited.add(name="另一方案")
    for number in range(8):
        moved(edited, op=f"many-no-{number}")
        books.current(other.id)  # there is room for one
    books.close()
    revision, _ = edited.service.plan_store.snapshot(edited.id)
    assert revision == 8
    for at in (0, 5, 8):
        plan = edited.service.books.state_at(edited.id, at)
        assert int((plan.assignment == 1).sum()) == int((edited.start.assignment == 1).sum()) - at
    assert edited.post("/undo", op_id="undo-after", base=8).get_json()["edit"]["undoes"] == 8


def test_many_editors_at_once_lose_nothing(edited: Edited) -> None:
    editors, each = 6, 5
    grids = [1, 2, 3, 4]
    outcomes: list[int] = []

    def work(editor: int) -> None:
        base = 0
        for number in range(each):
            edit = {"kind": "rename", "grid": grids[editor % 4], "name": f"{editor}-{number}"}
            for attempt in range(50):
                status, answer = edited.as_user(
                    f"user{editor}", "edits", op_id=f"op-{editor}-{number}-{attempt}", base=base, edit=edit
                )
                if status == 200:
                    base = answer["revision"]
                    outcomes.append(base)
                    break
                assert (status, answer["code"]) == (409, "edit-conflict")
                base = answer["where"]["revision"]

    threads = [threading.Thread(target=work, args=(editor,)) for editor in range(editors)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(outcomes) == list(range(1, editors * each + 1))
    assert edited.service.plan_store.verify_chain(edited.id) == editors * each
    replayed = edited.service.books.state_at(edited.id, editors * each)
    assert replayed.grids == edited.service.books.current(edited.id)[1].grids


def test_a_full_disk_refuses_the_edit_and_loses_nothing(
    edited: Edited, monkeypatch: pytest.MonkeyPatch
) -> None:
    moved(edited, op="before-full")
    with monkeypatch.context() as patch:

        def full(*_: Any, **__: Any) -> EditRecord:
            raise storage_full()

        patch.setattr(edited.service.plan_store, "append", full)
        answer = edited.edit("rename", op="while-full", grid=1, name="满")
        assert (answer.status_code, answer.mimetype) == (507, "application/problem+json")
        assert answer.get_json()["detail_en"]
        assert edited.get("/grids").get_json()["revision"] == 1
    answer = edited.edit("rename", op="while-full", grid=1, name="满")
    assert (answer.status_code, answer.get_json()["revision"]) == (200, 2)


class SlowDesk:
    """A desk beside which somebody else edits while it works."""

    def __init__(self, edited: Edited, change: Change, meanwhile: dict[str, Any]) -> None:
        self.edited, self.change, self.meanwhile = edited, change, meanwhile

    def resolve(self, dataset_id: str, plan: Plan, edit: Edit) -> Change:
        assert (dataset_id, edit.kind) == (self.edited.dataset, "split-parts")
        status, _ = self.edited.as_user("li", "edits", op_id="li-meanwhile", base=0, edit=self.meanwhile)
        assert status == 200
        return self.change


@pytest.mark.parametrize(("grid", "status"), [(3, 200), (1, 409)])
def test_others_edit_while_the_engine_works(
    edited: Edited, monkeypatch: pytest.MonkeyPatch, grid: int, status: int
) -> None:
    change = decide(edited.start, NewGrid(tuple(edited.cells_of(1)[:3])))
    assert isinstance(change, Change)
    desk = SlowDesk(edited, change, {"kind": "assign", "cells": edited.cells_of(grid)[:1], "grid": grid + 1})
    monkeypatch.setattr(edited.service.editing, "_desk", desk)
    answer = edited.edit("split-parts", op="heavy-edit", base=0, grid=1, parts=2)
    assert answer.status_code == status, answer.get_json()
    assert edited.revision == (2 if status == 200 else 1)
    if status == 409:
        assert answer.get_json()["where"]["objects"][0]["user"]["name"] == "li"


def test_a_grid_is_split_by_the_engine_and_put_together_again(edited: Edited) -> None:
    answer = edited.edit("split-parts", op="split-it-1", grid=1, parts=2)
    assert answer.status_code == 200, answer.get_json()
    parts = [row["id"] for row in answer.get_json()["grids"]]
    assert len(parts) == 2
    assert sum(len(edited.cells_of(grid)) for grid in parts) == int((edited.start.assignment == 1).sum())
    assert edited.post("/undo", op_id="together-1", base=1).get_json()["gone"] == [max(parts)]
    np.testing.assert_array_equal(edited.assignment(), edited.start.assignment)
