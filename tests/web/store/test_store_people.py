"""Users, sessions, memberships and the audit log: names are one whatever their case, nothing is lost on the way."""

from __future__ import annotations

from dataclasses import replace

import pytest
from sqlalchemy import text
from store_make import Kept

from web.auth.people import AuditEntry, Session, User
from web.errors import ChainError, ConflictError, NotFoundError
from web.store import Stores


def test_a_user_is_found_by_any_spelling_of_the_name(stores: Stores) -> None:
    user = stores.people.add_user(
        User("Wang.Wei", display_name="王伟", password_hash="$argon2id$", admin=True, created=1.5)  # noqa: S106 - no password
    )
    for name in ("wang.wei", "WANG.WEI", "Ｗang.Wei"):
        assert stores.people.user_named(name) == user
        with pytest.raises(ConflictError) as error:
            stores.people.add_user(User(name))
        assert error.value.code == "name-taken"
    assert stores.people.user(user.id) == user
    assert stores.people.user_named("nobody") is None
    assert stores.people.user("0" * 32) is None


def test_a_user_is_changed(stores: Stores) -> None:
    first = stores.people.add_user(User("b"))
    second = stores.people.add_user(User("A", issuer="https://id", subject="7"))
    changed = stores.people.save_user(replace(first, name="C", active=False, password_hash=None))
    assert stores.people.users() == [second, changed]
    assert stores.people.user_of_subject("https://id", "7") == second
    assert stores.people.user_of_subject("https://other", "7") is None
    with pytest.raises(ConflictError):
        stores.people.save_user(replace(first, name="a"))
    with pytest.raises(ConflictError):
        stores.people.add_user(User("d", issuer="https://id", subject="7"))
    with pytest.raises(NotFoundError):
        stores.people.save_user(User("e"))


def test_members_have_one_role_in_a_project(kept: Kept) -> None:
    people, project = kept.stores.people, kept.project.id
    users = [people.add_user(User(name)) for name in ("b", "A")]
    people.set_member(project, users[0].id, "viewer")
    people.set_member(project, users[0].id, "owner")
    people.set_member(project, users[1].id, "editor")
    assert [(member.user, member.role) for member in people.members(project)] == [
        (users[1], "editor"),
        (users[0], "owner"),
    ]
    assert people.role(users[0].id, project) == "owner"
    assert people.role(users[0].id, "0" * 32) is None
    assert people.roles(users[1].id) == {project: "editor"}
    people.remove_member(project, users[1].id)
    assert people.roles(users[1].id) == {}
    with pytest.raises(NotFoundError):
        people.set_member(project, "0" * 32, "viewer")
    kept.stores.projects.remove(project)
    assert people.roles(users[0].id) == {}


def test_sessions_end(stores: Stores) -> None:
    people = stores.people
    user, other = people.add_user(User("a")), people.add_user(User("b"))
    for number in range(4):
        owner = user if number < 3 else other
        people.add_session(
            Session(f"t{number}", owner.id, 100.0 + number, 200.0 + number, "127.0.0.1", "Firefox")
        )
    assert people.session("t1") == Session("t1", user.id, 101.0, 201.0, "127.0.0.1", "Firefox")
    people.touch_session("t0", created=50.0, seen=300.25)
    assert people.session("t0").seen == 300.25  # type: ignore[union-attr]
    assert people.remove_sessions(user.id, keep="t0") == 2
    people.remove_session("t9")
    assert [people.session(f"t{number}") is not None for number in range(4)] == [True, False, False, True]
    assert people.remove_sessions_before(created=60.0, seen=100.0) == 1
    assert people.remove_sessions_before(created=0.0, seen=204.0) == 1
    assert people.remove_sessions(other.id) == 0


def test_the_log_is_read_newest_first_and_by_what_is_asked(stores: Stores) -> None:
    for number in range(10):
        entry = AuditEntry(
            "sign-in" if number % 2 else "member-add",
            user_id=f"u{number % 3}",
            user_name="王",
            project="p" if number > 4 else None,
            what={"number": number, "pair": (1, 2)},
            address="10.0.0.1",
            at=1000.0 + number,
        )
        stores.audit.add(entry)
    page = stores.audit.page(limit=4)
    assert [entry.what["number"] for entry in page] == [9, 8, 7, 6]
    assert page[0] == replace(page[0], user_name="王", project="p", address="10.0.0.1", at=1009.0)
    assert [entry.seq for entry in stores.audit.page(before=page[-1].seq, limit=2)] == [6, 5]
    assert {entry.seq for entry in stores.audit.page(user="u1")} == {2, 5, 8}
    assert {entry.seq for entry in stores.audit.page(project="p", action="sign-in")} == {6, 8, 10}
    assert {entry.seq for entry in stores.audit.page(since=1002, until=1003)} == {3, 4}
    assert stores.audit.verify() == 10


def test_a_log_changed_behind_our_back_is_found(stores: Stores) -> None:
    for number in range(3):
        stores.audit.add(AuditEntry("sign-in", what={"number": number}))
    assert stores.audit.verify() == 3
    drop = "DROP TRIGGER audit_no_update" + ("" if stores.database.embedded else " ON audit")
    with stores.database.writing() as connection:
        connection.execute(text(drop))
        connection.execute(text("UPDATE audit SET action = 'sign-out' WHERE seq = 2"))
    with pytest.raises(ChainError) as error:
        stores.audit.verify()
    assert error.value.where["seq"] == 2
