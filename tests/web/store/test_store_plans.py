"""Plans in the store: an edit is stored once, in order, and none can be changed afterwards; on both databases."""

from __future__ import annotations

import dataclasses
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from sqlalchemy import Executable, delete, exc, text, update
from store_make import Kept, dataset_folder, edit

import web.store.plans
from web.errors import (
    BadRequestError,
    ChainError,
    ConflictError,
    JobError,
    NotFoundError,
    StaleError,
)
from web.store import CommentRecord, DatasetRecord, PlanRecord, VersionRecord
from web.store.tables import edits, plans, snapshots


def test_an_edit_is_read_back_as_it_was_given(kept: Kept) -> None:
    given = edit(kept.plan.id, 1, request={"b": (1, 2.5), "a": "网格"}, undoes=None, user_id="u1")
    stored = kept.stores.plans.append(given, 0, summary={"grids": 3})
    assert kept.stores.plans.edits(kept.plan.id) == [stored]
    assert stored == dataclasses.replace(
        given, revision=1, hash=stored.hash, request={"b": [1, 2.5], "a": "网格"}
    )
    plan = kept.stores.plans.get(kept.plan.id)
    assert (plan.revision, plan.head_hash, plan.summary) == (1, stored.hash, {"grids": 3})
    entry = kept.stores.audit.page()[0]
    assert (entry.action, entry.user_name, entry.project) == ("edit", "李规划", kept.project.id)
    assert entry.what["revision"] == 1
    assert entry.what["hash"] == stored.hash


def test_an_edit_on_an_old_revision_is_refused_and_names_the_new_one(kept: Kept) -> None:
    kept.edited(3)
    with pytest.raises(StaleError) as error:
        kept.stores.plans.append(edit(kept.plan.id, 9), 1)
    assert error.value.where["revision"] == 3
    assert len(kept.stores.plans.edits(kept.plan.id)) == len(kept.stores.audit.page()) == 3


def test_a_request_sent_twice_is_stored_once(kept: Kept) -> None:
    first = kept.stores.plans.append(edit(kept.plan.id, 1), 0)
    kept.stores.plans.append(edit(kept.plan.id, 2), 1)
    again = kept.stores.plans.append(edit(kept.plan.id, 1, kind="merge"), 0)
    assert again == first
    assert kept.stores.plans.edit_of(kept.plan.id, "op-1") == first
    assert kept.stores.plans.edit_of(kept.plan.id, "op-9") is None
    assert kept.stores.plans.get(kept.plan.id).revision == len(kept.stores.audit.page()) == 2


def test_edits_are_read_in_pages(kept: Kept) -> None:
    kept.edited(7)
    assert [item.revision for item in kept.stores.plans.edits(kept.plan.id, after=2, limit=3)] == [3, 4, 5]
    assert kept.stores.plans.edits(kept.plan.id, after=7) == []


def test_many_editors_lose_nothing(kept: Kept) -> None:
    """Eight editors write at once, each trying again with the revision that the refusal names."""
    store, plan_id = kept.stores.plans, kept.plan.id

    def work(editor: int) -> int:
        head, refused = 0, 0
        for number in range(12):
            while True:
                try:
                    head = store.append(edit(plan_id, editor * 100 + number), head).revision
                    break
                except StaleError as error:
                    head, refused = error.where["revision"], refused + 1
        return refused

    with ThreadPoolExecutor(8) as pool:
        refused = sum(pool.map(work, range(8)))
    assert refused > 0
    stored = store.edits(plan_id)
    assert [item.revision for item in stored] == list(range(1, 97))
    assert {item.op_id for item in stored} == {f"op-{e * 100 + n}" for e in range(8) for n in range(12)}
    assert store.verify_chain(plan_id) == kept.stores.audit.verify() == 96


def test_a_jump_of_the_clock_changes_no_order(kept: Kept) -> None:
    times = [
        "2026-03-01T10:00:00.000+00:00",
        "2026-03-01T09:00:00.000+00:00",
        "2026-03-02T09:00:00.000+00:00",
    ]
    for number, at in enumerate(times):
        kept.stores.plans.append(edit(kept.plan.id, number, at=at), number)
    assert [item.at for item in kept.stores.plans.edits(kept.plan.id)] == times
    assert kept.stores.plans.verify_chain(kept.plan.id) == 3


def test_the_database_refuses_to_change_an_edit(kept: Kept) -> None:
    kept.edited(1)
    refusal = "append-only"
    with pytest.raises(exc.DBAPIError, match=refusal), kept.stores.database.writing() as connection:
        connection.execute(update(edits).values(user_name="别人"))
    with pytest.raises(exc.DBAPIError, match=refusal), kept.stores.database.writing() as connection:
        connection.execute(text("DELETE FROM audit"))


@pytest.mark.parametrize(
    ("damage", "revision"),
    [
        (update(edits).where(edits.c.revision == 2).values(change={}), 2),
        (update(edits).where(edits.c.revision == 3).values(user_name="x"), 3),
        (delete(edits).where(edits.c.revision == 2), 2),
        (delete(edits).where(edits.c.revision == 4), 4),
        (update(plans).values(revision=3), 5),
        (update(snapshots).values(content=b"other"), 0),
    ],
)
def test_a_log_changed_behind_our_back_is_found(kept: Kept, damage: Executable, revision: int) -> None:
    kept.edited(4)
    assert kept.stores.plans.verify_chain(kept.plan.id) == 4
    drop = "DROP TRIGGER edits_no_update" + ("" if kept.stores.database.embedded else " ON edits")
    with kept.stores.database.writing() as connection:
        connection.execute(text(drop))
        connection.execute(damage)
    with pytest.raises(ChainError) as error:
        kept.stores.plans.verify_chain(kept.plan.id)
    assert error.value.where["revision"] == revision


def test_snapshots_start_from_the_beginning_and_keep_the_last(
    kept: Kept, monkeypatch: pytest.MonkeyPatch
) -> None:
    kept.edited(30)
    store, plan_id = kept.stores.plans, kept.plan.id
    assert store.snapshot(plan_id) == (0, b"as made")
    for revision in range(5, 31, 5):
        store.save_snapshot(plan_id, revision, b"at %d" % revision, keep=3)
    store.save_snapshot(plan_id, 30, b"again", keep=3)
    assert store.snapshot(plan_id) == (30, b"again")
    assert store.snapshot(plan_id, at_most=26) == (25, b"at 25")
    assert store.snapshot(plan_id, at_most=19) == (0, b"as made")
    for beyond in (0, 31):
        with pytest.raises(NotFoundError):
            store.save_snapshot(plan_id, beyond, b"")
    assert store.verify_chain(plan_id) == 30


def test_a_job_makes_one_plan(kept: Kept) -> None:
    made = PlanRecord(kept.project.id, kept.plan.dataset_id, "二", job_id="1" * 32)
    first = kept.stores.plans.add(made, b"a")
    assert kept.stores.plans.add(dataclasses.replace(made, id="2" * 32), b"a") == first
    assert [plan.id for plan in kept.stores.plans.of_project(kept.project.id)] == [first.id, kept.plan.id]


def test_a_removed_plan_is_not_found(kept: Kept) -> None:
    store, plan_id = kept.stores.plans, kept.plan.id
    store.remove(plan_id)
    assert store.of_project(kept.project.id) == store.of_dataset(kept.plan.dataset_id) == []
    for call in (
        lambda: store.get(plan_id),
        lambda: store.remove(plan_id),
        lambda: store.append(edit(plan_id, 1), 0),
        lambda: store.update(plan_id, name="x"),
        lambda: kept.stores.reviews.add_comment(CommentRecord(plan_id, 0, "x")),
    ):
        with pytest.raises(NotFoundError):
            call()


def test_a_plan_is_renamed_and_its_status_set(kept: Kept) -> None:
    changed = kept.stores.plans.update(kept.plan.id, name="定稿", status="published", published_revision=0)
    assert kept.stores.plans.get(kept.plan.id) == changed
    assert (changed.name, changed.status, changed.standard) == ("定稿", "published", {"target": 250})
    with pytest.raises(ValueError, match="revision"):
        kept.stores.plans.update(kept.plan.id, revision=7)
    with pytest.raises(exc.IntegrityError):
        kept.stores.plans.update(kept.plan.id, status="lost")


def test_a_deleted_project_takes_its_plans_along(kept: Kept) -> None:
    kept.edited(2)
    kept.stores.projects.remove(kept.project.id)
    with pytest.raises(NotFoundError):
        kept.stores.plans.get(kept.plan.id)
    assert kept.stores.plans.edits(kept.plan.id) == []
    assert kept.stores.audit.verify() == 2


def test_text_that_one_database_cannot_hold_is_refused_by_both(kept: Kept) -> None:
    for bad in ("a\x00b", "\ud800"):
        with pytest.raises(BadRequestError):
            kept.stores.plans.update(kept.plan.id, name=bad)
        # Inside a JSON value it is written in letters that both can hold.
        number = kept.stores.plans.get(kept.plan.id).revision
        kept.stores.plans.append(edit(kept.plan.id, number + 1, request={"note": bad}), number)
        assert kept.stores.plans.edits(kept.plan.id)[-1].request == {"note": bad}
    assert kept.stores.plans.get(kept.plan.id).name == "方案一"
    assert kept.stores.plans.verify_chain(kept.plan.id) == 2


def test_changes_of_several_stores_are_made_together_or_not_at_all(
    kept: Kept, monkeypatch: pytest.MonkeyPatch
) -> None:
    def change() -> None:
        with kept.stores.database.writing():
            kept.stores.plans.update(kept.plan.id, status="approved")
            kept.stores.reviews.add_version(VersionRecord(kept.plan.id, 0, "第一稿"))
            assert kept.stores.plans.get(kept.plan.id).status == "approved"
            kept.stores.plans.append(edit(kept.plan.id, 1), 0)

    monkeypatch.setattr(web.store.plans, "link", lambda *_: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        change()
    monkeypatch.undo()
    assert kept.stores.plans.get(kept.plan.id) == kept.plan
    assert kept.stores.reviews.versions(kept.plan.id) == []
    change()
    assert (
        kept.stores.plans.get(kept.plan.id).revision == len(kept.stores.reviews.versions(kept.plan.id)) == 1
    )


def test_a_reader_does_not_wait_for_a_writer(kept: Kept) -> None:
    begun, read = threading.Event(), threading.Event()

    def write() -> bool:
        with kept.stores.database.writing():
            kept.stores.plans.append(edit(kept.plan.id, 1), 0)
            begun.set()
            return read.wait(10)

    with ThreadPoolExecutor(1) as pool:
        waited = pool.submit(write)
        assert begun.wait(10)
        assert kept.stores.plans.get(kept.plan.id).revision == 0
        read.set()
        assert waited.result()
    assert kept.stores.plans.get(kept.plan.id).revision == 1


def test_versions_have_names_of_their_own(kept: Kept) -> None:
    kept.edited(2)
    reviews = kept.stores.reviews
    first = reviews.add_version(VersionRecord(kept.plan.id, 2, "征求意见稿", note="发街道"))
    second = reviews.add_version(VersionRecord(kept.plan.id, 1, "初稿"))
    assert reviews.versions(kept.plan.id) == [first, second]
    assert reviews.version(kept.plan.id, second.id) == second
    with pytest.raises(ConflictError):
        reviews.add_version(VersionRecord(kept.plan.id, 0, "初稿"))
    with pytest.raises(NotFoundError):
        reviews.add_version(VersionRecord(kept.plan.id, 3, "太远"))
    with pytest.raises(NotFoundError):
        reviews.version("0" * 32, second.id)


def test_comments_are_made_changed_settled_and_deleted(kept: Kept) -> None:
    reviews, plan_id = kept.stores.reviews, kept.plan.id
    first = reviews.add_comment(CommentRecord(plan_id, 0, "边界应沿河", grid=4, user_name="街道"))
    second = reviews.add_comment(CommentRecord(plan_id, 0, "同意"))
    assert reviews.comments(plan_id) == [first, second]
    assert reviews.comments(plan_id, grid=4) == [first]
    changed = reviews.update_comment(plan_id, first.id, text="边界应沿路")
    assert (changed.text, changed.resolved, changed.edited is None) == ("边界应沿路", False, False)
    assert reviews.update_comment(plan_id, first.id, resolved=True).resolved
    assert reviews.update_comment(plan_id, second.id) == second
    reviews.remove_comment(plan_id, second.id)
    assert [item.id for item in reviews.comments(plan_id)] == [first.id]
    for call in (
        lambda: reviews.comment(plan_id, second.id),
        lambda: reviews.remove_comment(plan_id, second.id),
        lambda: reviews.update_comment(plan_id, second.id, text="x"),
        lambda: reviews.remove_comment("0" * 32, first.id),
    ):
        with pytest.raises(NotFoundError):
            call()


def test_a_dataset_is_taken_over_once_and_whole(kept: Kept, tmp_path: Path) -> None:
    datasets = kept.stores.datasets
    folder = datasets.folder(kept.plan.dataset_id)
    assert (folder / "layers" / "cells.parquet").read_bytes() == b"cellscells"
    again, dataset_id = dataset_folder(tmp_path)
    assert datasets.adopt(again, DatasetRecord(dataset_id)) == folder
    assert not again.exists()
    assert datasets.adopt(again, DatasetRecord(dataset_id)) == folder  # as after a crash
    assert [item.cells for item in datasets.all()] == [20]
    assert datasets.get(dataset_id).cells == 20
    other, other_id = dataset_folder(tmp_path / "other", b"x")
    (other / "layers" / "link").symlink_to("/etc/hostname")
    with pytest.raises(JobError):
        datasets.adopt(other, DatasetRecord(other_id))
    for missing in (other_id, "../projects", "A" * 64):
        with pytest.raises(NotFoundError):
            datasets.get(missing)


def test_a_plan_stands_on_a_dataset_that_is_there(kept: Kept) -> None:
    with pytest.raises(exc.IntegrityError):
        kept.stores.plans.add(PlanRecord(kept.project.id, "f" * 64, "x"), b"")
    with pytest.raises(exc.IntegrityError), kept.stores.database.writing() as connection:
        connection.execute(text("DELETE FROM datasets"))


def test_a_snapshot_lost_behind_our_back_is_found(kept: Kept) -> None:
    with kept.stores.database.writing() as connection:
        connection.execute(delete(snapshots))
    with pytest.raises(ChainError):
        kept.stores.plans.verify_chain(kept.plan.id)


@pytest.mark.parametrize("bad", ["", "x", "\x00", "\ud800", "../../etc"])
def test_an_id_that_is_none_is_not_found(kept: Kept, bad: str) -> None:
    stores = kept.stores
    for call in (
        lambda: stores.plans.get(bad),
        lambda: stores.datasets.get(bad),
        lambda: stores.reviews.version(kept.plan.id, bad),
        lambda: stores.reviews.comment(kept.plan.id, bad),
    ):
        with pytest.raises(NotFoundError):
            call()
    assert stores.plans.of_dataset(bad) == []
    assert stores.people.user(bad) is stores.people.user_named(bad) is None
