"""Sessions, limits and passwords by themselves: a clock in the test's hand, the store on a real database."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from web.auth.accounts import Accounts
from web.auth.clock import SteadyClock
from web.auth.identity import local_path
from web.auth.limits import PER_ACCOUNT, PER_ADDRESS, WINDOW_S, SignInLimits
from web.auth.passwords import Passwords, check_password
from web.auth.people import User
from web.auth.sessions import IDLE_S, LIFE_S, TOLERANCE_S, Sessions
from web.errors import (
    BadRequestError,
    BusyError,
    ConflictError,
    NotFoundError,
    SignInError,
    StorageFullError,
    TooManyError,
)
from web.settings import Settings
from web.store import Project, Stores

HOUR = 3600.0
DAY = 24 * HOUR
PASSWORD = "correct horse 7"  # noqa: S105 - the password of a test


class Clock:
    """A clock that is moved by hand."""

    def __init__(self) -> None:
        self.at = 1_800_000_000.0

    def __call__(self) -> float:
        return self.at


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def stores(tmp_path: Path) -> Iterator[Stores]:
    opened = Stores.open(Settings(data_dir=tmp_path))
    yield opened
    opened.close()


@pytest.fixture
def user(stores: Stores) -> User:
    return stores.people.add_user(User(name="王芳", created=1.0))


@pytest.fixture
def sessions(stores: Stores, clock: Clock) -> Sessions:
    return Sessions(stores.people, ["first key", "key before"], clock)


def alive(sessions: Sessions, token: str) -> bool:
    return sessions.find(token) is not None


def test_the_store_holds_no_token(stores: Stores, sessions: Sessions, user: User) -> None:
    token = sessions.begin(user)
    found = sessions.find(token)
    assert found is not None
    assert found[1] == user
    assert token not in repr(found[0])
    assert stores.people.session(token) is None
    assert not alive(sessions, found[0].token_hash)
    assert len({sessions.begin(user) for _ in range(20)}) == 20
    assert len(token) >= 43  # 256 bits in base64


def test_idle_and_whole_life(sessions: Sessions, user: User, clock: Clock) -> None:
    token = sessions.begin(user)
    clock.at += IDLE_S - 1
    assert alive(sessions, token)
    clock.at += IDLE_S + 1
    assert not alive(sessions, token)
    clock.at -= IDLE_S
    assert not alive(sessions, token)  # dead stays dead

    token = sessions.begin(user)
    begun = clock.at
    while clock.at + IDLE_S < begun + LIFE_S:
        clock.at += IDLE_S - HOUR
        assert alive(sessions, token)
    clock.at = begun + LIFE_S + 1
    assert not alive(sessions, token)


@pytest.mark.parametrize("jump", [-TOLERANCE_S, -HOUR, -DAY, -365 * DAY])
def test_a_clock_set_back_kills_nobody_and_makes_nobody_immortal(
    sessions: Sessions, user: User, clock: Clock, jump: float
) -> None:
    token = sessions.begin(user)
    clock.at += jump
    assert alive(sessions, token)
    now = clock.at
    clock.at = now + TOLERANCE_S + LIFE_S + 1
    assert not alive(sessions, token)

    token = sessions.begin(user)
    clock.at += jump
    assert alive(sessions, token)
    clock.at += TOLERANCE_S + IDLE_S + 1
    assert not alive(sessions, token)


@pytest.mark.parametrize("jump", [-HOUR, DAY])
def test_a_clock_that_is_moved_while_the_service_runs_changes_no_age(
    stores: Stores, user: User, monkeypatch: pytest.MonkeyPatch, jump: float
) -> None:
    sessions = Sessions(stores.people, ["key"], SteadyClock())
    before = sessions.begin(user)
    true_time = time.time
    monkeypatch.setattr(time, "time", lambda: true_time() + jump)
    after = sessions.begin(user)
    assert alive(sessions, before)
    assert alive(sessions, after)


def test_a_key_before_still_opens_and_an_unknown_one_does_not(
    stores: Stores, user: User, clock: Clock
) -> None:
    token = Sessions(stores.people, ["key before"], clock).begin(user)
    assert alive(Sessions(stores.people, ["new key", "key before"], clock), token)
    assert not alive(Sessions(stores.people, ["new key"], clock), token)


def test_a_full_disk_signs_nobody_out(
    stores: Stores, sessions: Sessions, user: User, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    token = sessions.begin(user)

    def full(*given: object, **named: object) -> None:
        raise StorageFullError("disk-full", "磁盘已满", "The disk is full")

    monkeypatch.setattr(stores.people, "touch_session", full)
    clock.at += HOUR
    assert alive(sessions, token)
    monkeypatch.setattr(stores.people, "remove_session", full)
    with pytest.raises(StorageFullError):
        sessions.end(token)  # what cannot be ended is not said to be
    clock.at += IDLE_S
    assert not alive(sessions, token)


def test_ending(sessions: Sessions, user: User) -> None:
    tokens = [sessions.begin(user) for _ in range(3)]
    sessions.end(tokens[0])
    assert [alive(sessions, token) for token in tokens] == [False, True, True]
    found = sessions.find(tokens[1])
    assert found is not None
    assert sessions.end_all(user, keep=found[0]) == 1
    assert [alive(sessions, token) for token in tokens] == [False, True, False]


def test_a_closed_account_has_no_session(stores: Stores, sessions: Sessions) -> None:
    accounts = Accounts(stores.people, stores.audit)
    accounts.add_user("chief", PASSWORD, admin=True)
    user = accounts.add_user("leaver", PASSWORD)
    token = sessions.begin(user)
    accounts.change_user(user, active=False)
    assert not alive(sessions, token)
    accounts.change_user(accounts.user(user.id), active=True)
    assert not alive(sessions, token)


def test_limits_by_account_and_by_address() -> None:
    clock = Clock()
    limits = SignInLimits(clock)
    for _ in range(PER_ACCOUNT):
        limits.take("Wang", "10.0.0.1")
    with pytest.raises(TooManyError) as caught:
        limits.take("wang", "10.0.0.2")
    assert 0 < caught.value.where["retry_after_s"] <= WINDOW_S + 1
    clock.at += WINDOW_S
    limits.take("wang", "10.0.0.2")  # the refused ones did not count
    for number in range(PER_ADDRESS):
        limits.take(f"user{number}", "10.0.0.9")
    with pytest.raises(TooManyError):
        limits.take("another", "10.0.0.9")
    limits.take("another", "10.0.0.8")


def test_a_sign_in_that_works_is_forgotten() -> None:
    limits = SignInLimits(Clock())
    for number in range(3 * PER_ACCOUNT):
        limits.take("wang", f"10.0.0.{number}")
        limits.forget("WANG")


def test_limits_remember_no_more_than_they_should(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("web.auth.limits.MOST_KEYS", 100)
    limits = SignInLimits(Clock())
    for number in range(500):
        limits.take(f"user{number}", f"10.0.{number}.1")
    assert len(limits._attempts) == 100


def test_passwords_are_argon2id_as_owasp_has_it() -> None:
    passwords = Passwords()
    kept = passwords.hash(PASSWORD)
    assert kept.startswith("$argon2id$v=19$m=19456,t=2,p=1$")
    assert passwords.verify(kept, PASSWORD)
    assert passwords.verify(kept, "ｃorrect horse 7")  # a full-width letter is the same letter
    assert not passwords.verify(kept, PASSWORD + " ")
    assert not passwords.verify(None, PASSWORD)
    assert not passwords.verify("no hash", PASSWORD)
    assert not passwords.outdated(kept)
    assert passwords.outdated("$argon2id$v=19$m=8,t=1,p=1$c29tZXNhbHQ$cbVOhYfXe/DDBxzVzTbfLQ")


def test_no_more_than_so_many_passwords_are_checked_at_once() -> None:
    passwords = Passwords(parallel=1, wait_s=0.01)
    with passwords._place(), pytest.raises(BusyError):
        passwords.verify(None, PASSWORD)
    assert not passwords.verify(None, PASSWORD)


def test_an_unknown_name_costs_as_much_as_a_wrong_password(stores: Stores) -> None:
    """Processor time of the two differs by less than the time of one hash: both check exactly one."""
    accounts = Accounts(stores.people, stores.audit)
    accounts.add_user("wang", PASSWORD)

    def cost(name: str) -> float:
        best = float("inf")
        for number in range(4):
            begun = time.process_time()
            with pytest.raises(SignInError):
                accounts.sign_in(name, "wrong password", address=f"{name}{number}")
            best = min(best, time.process_time() - begun)
        return best

    known, unknown = cost("wang"), cost("nobody")
    assert 0.5 < unknown / known < 2


@pytest.mark.parametrize("password", ["short", "aaaaaaaaaaaaaa", "Wang.Fang.01", "x" * 201, ""])
def test_plain_passwords_are_refused(password: str) -> None:
    with pytest.raises(BadRequestError):
        check_password(password, name="wang.fang.01")


@pytest.mark.parametrize("name", ["", "  ", "a b", "x" * 65, "<b>", "a/b", "a\x00b"])
def test_names_are_plain(stores: Stores, name: str) -> None:
    with pytest.raises(BadRequestError):
        Accounts(stores.people, stores.audit).add_user(name, PASSWORD)


def test_somebody_stays_in_charge(stores: Stores) -> None:
    accounts = Accounts(stores.people, stores.audit)
    chief = accounts.add_user("chief", PASSWORD, admin=True)
    other = accounts.add_user("other", PASSWORD)
    for change in ({"admin": False}, {"active": False}):
        with pytest.raises(ConflictError) as caught:
            accounts.change_user(chief, **change)  # type: ignore[arg-type]
        assert caught.value.code == "last-administrator"
    accounts.change_user(other, admin=True)
    accounts.change_user(chief, admin=False)

    project = Project(name="p", state="ready")
    stores.projects.add(project)
    accounts.set_member(project.id, chief, "owner")
    for act in (
        lambda: accounts.set_member(project.id, chief, "editor"),
        lambda: accounts.remove_member(project.id, chief),
    ):
        with pytest.raises(ConflictError) as caught:
            act()
        assert caught.value.code == "last-owner"
    accounts.set_member(project.id, other, "owner")
    accounts.remove_member(project.id, chief)
    with pytest.raises(NotFoundError):
        accounts.remove_member(project.id, chief)
    with pytest.raises(BadRequestError):
        accounts.set_member(project.id, chief, "king")
    assert [member.user.name for member in stores.people.members(project.id)] == ["other"]


def test_what_is_done_is_kept(stores: Stores) -> None:
    accounts = Accounts(stores.people, stores.audit)
    chief = accounts.add_user("chief", PASSWORD, admin=True)
    accounts.add_user("wang", PASSWORD, by=chief)
    accounts.sign_in("WANG", PASSWORD, address="10.0.0.1")
    for name in ("wang", "my secret password"):
        with pytest.raises(SignInError):
            accounts.sign_in(name, "wrong password", address="10.0.0.2")
    entries = stores.audit.page()
    assert [(entry.action, entry.user_name, entry.address) for entry in entries] == [
        ("sign-in-failed", "", "10.0.0.2"),
        ("sign-in-failed", "wang", "10.0.0.2"),
        ("sign-in", "wang", "10.0.0.1"),
        ("user-add", "chief", ""),
        ("user-add", "", ""),
    ]
    assert "secret" not in repr(entries)
    assert stores.audit.verify() == 5


def test_a_person_of_the_provider_gets_a_name_of_their_own(stores: Stores) -> None:
    accounts = Accounts(stores.people, stores.audit)
    made = [
        accounts.add_person(name, "https://id.example", f"s{number}").name
        for number, name in enumerate(["li si", "Li/si", "李四", "///", "x" * 300])
    ]
    assert made == ["li-si", "Li-si-2", "李四", "user", "x" * 56]


@pytest.mark.parametrize(
    "given",
    ["//evil.example", "/\\evil.example", "https://evil.example", "evil", "", "/\t/evil", "/a\nb", None],
)
def test_nobody_is_sent_elsewhere_after_signing_in(given: str | None) -> None:
    assert local_path(given) is None


def test_addresses_of_our_own_are_kept() -> None:
    assert local_path("/projects/1?plan=2&x=%2F#grid") == "/projects/1?plan=2&x=%2F#grid"
