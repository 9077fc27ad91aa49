"""What is done with accounts and memberships, each with its entry in the audit log."""

from __future__ import annotations

import re
import threading
import time
import unicodedata
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from web.auth.limits import SignInLimits
from web.auth.passwords import Passwords, check_password
from web.auth.people import ROLES, AuditEntry, Role, User
from web.errors import BadRequestError, ConflictError, NotFoundError, SignInError

if TYPE_CHECKING:
    from collections.abc import Callable

    from web.auth.people import AuditStore, PeopleStore

NAME = re.compile(r"[\w.@+-]{1,64}")
NOT_NAME = re.compile(r"[^\w.@+-]+")
DISPLAY_LENGTH = 80


class Accounts:
    """Sign in, and change users and members."""

    def __init__(
        self,
        people: PeopleStore,
        audit: AuditStore,
        *,
        passwords: Passwords | None = None,
        limits: SignInLimits | None = None,
        now: Callable[[], float] = time.time,
    ) -> None:
        self.people = people
        self.audit = audit
        self._passwords = passwords or Passwords()
        self._limits = limits or SignInLimits()
        self._now = now
        self._changing = threading.Lock()
        """Held while a change must leave somebody in charge."""

    def note(
        self, action: str, by: User | None, *, project: str | None = None, address: str = "", **what: Any
    ) -> None:
        """Write an entry of the audit log."""
        entry = AuditEntry(
            action=action,
            user_id=by.id if by else None,
            user_name=by.name if by else "",
            project=project,
            what=what,
            address=address,
            at=self._now(),
        )
        self.audit.add(entry)

    def sign_in(self, name: str, password: str, *, address: str = "") -> User:
        """Return the user of a name and password.

        A name that nobody has, a wrong password and a closed account get the same answer after the same work.

        Raises
        ------
        TooManyError
            After too many attempts for this name or from this address.
        SignInError
            If name and password do not fit.
        """
        name = _folded(name)
        self._limits.take(name, address)
        user = self.people.user_named(name)
        fits = self._passwords.verify(user.password_hash if user else None, password)
        if user is None or not fits or not user.active:
            # An unknown name is not kept: it may be a password typed into the wrong field.
            self.note("sign-in-failed", user, address=address)
            raise SignInError("sign-in-failed", "用户名或密码不正确。", "The name or the password is wrong.")
        self._limits.forget(name)
        if self._passwords.outdated(user.password_hash or ""):
            user = self.people.save_user(replace(user, password_hash=self._passwords.hash(password)))
        self.note("sign-in", user, address=address)
        return user

    def user_named(self, name: str) -> User:
        """Return the user of a name.

        Raises
        ------
        NotFoundError
            If there is none.
        """
        user = self.people.user_named(_folded(name))
        if user is None:
            raise user_missing()
        return user

    def user(self, user_id: str) -> User:
        """Return a user.

        Raises
        ------
        NotFoundError
            If there is none.
        """
        user = self.people.user(user_id)
        if user is None:
            raise user_missing()
        return user

    def add_user(
        self,
        name: str,
        password: str | None,
        *,
        display_name: str = "",
        admin: bool = False,
        by: User | None = None,
        bound_to: tuple[str, str] | None = None,
    ) -> User:
        """Make a user.

        Parameters
        ----------
        password
            None for one who signs in with the identity provider only.
        by
            Who does it; None on the command line, and for a person the provider sent.
        bound_to
            Issuer and subject at the identity provider.

        Raises
        ------
        BadRequestError
            If the name or password cannot be one.
        ConflictError
            If the name is taken.
        """
        name = _folded(name)
        if not NAME.fullmatch(name):
            raise BadRequestError(
                "user-name",
                "用户名应为 1 至 64 个字母、汉字、数字或 . _ @ + -。",
                "A user name takes 1 to 64 letters, digits or . _ @ + -.",
            )
        if password is not None:
            check_password(password, name=name)
        issuer, subject = bound_to or (None, None)
        user = self.people.add_user(
            User(
                name=name,
                display_name=_shown(display_name),
                password_hash=None if password is None else self._passwords.hash(password),
                admin=admin,
                issuer=issuer,
                subject=subject,
                created=self._now(),
            )
        )
        self.note("user-add", by, user=user.id, name=user.name, admin=user.admin)
        return user

    def add_person(self, name: str, issuer: str, subject: str, *, display_name: str = "") -> User:
        """Make a user of a person whom the identity provider sent; a name that is taken gets a number."""
        wanted = NOT_NAME.sub("-", _folded(name)).strip("-")[:56] or "user"
        number = 1
        while self.people.user_named(tried := wanted if number == 1 else f"{wanted}-{number}") is not None:
            number += 1
        return self.add_user(tried, None, display_name=display_name, bound_to=(issuer, subject))

    def change_user(
        self,
        user: User,
        *,
        by: User | None = None,
        display_name: str | None = None,
        admin: bool | None = None,
        active: bool | None = None,
    ) -> User:
        """Change what is said of a user; None leaves it. A closed account is signed out everywhere.

        Raises
        ------
        ConflictError
            If nobody would be left to administer the service.
        """
        changed = replace(
            user,
            display_name=user.display_name if display_name is None else _shown(display_name),
            admin=user.admin if admin is None else admin,
            active=user.active if active is None else active,
        )
        with self._changing:
            if user.admin and user.active and not (changed.admin and changed.active):
                self._keep_an_administrator(user)
            changed = self.people.save_user(changed)
        if not changed.active:
            self.people.remove_sessions(changed.id)
        self.note("user-change", by, user=user.id, name=user.name, admin=changed.admin, active=changed.active)
        return changed

    def set_password(self, user: User, password: str, *, by: User | None = None) -> User:
        """Give a user a new password and end all sessions of the old one.

        Raises
        ------
        BadRequestError
            If it cannot be one.
        """
        check_password(password, name=user.name)
        user = self.people.save_user(replace(user, password_hash=self._passwords.hash(password)))
        self.people.remove_sessions(user.id)
        self.note("password-change", by, user=user.id, name=user.name)
        return user

    def change_own_password(self, user: User, old: str, new: str, *, address: str = "") -> User:
        """Change a password by the one it was; ends all sessions.

        Raises
        ------
        TooManyError, SignInError, BadRequestError
            As `sign_in` and `set_password` do.
        """
        self._limits.take(user.name, address)
        if not self._passwords.verify(user.password_hash, old):
            raise SignInError("password-wrong", "原密码不正确。", "The present password is wrong.")
        self._limits.forget(user.name)
        return self.set_password(user, new, by=user)

    def bind(self, user: User, issuer: str, subject: str, *, address: str = "") -> User:
        """Let a user sign in as a person at the identity provider.

        Raises
        ------
        ConflictError
            If that person is another user here.
        """
        other = self.people.user_of_subject(issuer, subject)
        if other is not None and other.id != user.id:
            raise ConflictError(
                "subject-taken",
                "该身份已绑定到其他用户。",
                "That person is another user here already.",
            )
        user = self.people.save_user(replace(user, issuer=issuer, subject=subject))
        self.note("provider-link", user, address=address, user=user.id)
        return user

    def set_member(self, project_id: str, user: User, role: str, *, by: User | None = None) -> None:
        """Give a user a role in a project.

        Raises
        ------
        BadRequestError
            If there is no such role.
        ConflictError
            If the project would be left without an owner.
        """
        if role not in ROLES:
            raise BadRequestError(
                "role-unknown",
                f"角色应为 {'、'.join(ROLES)} 之一。",
                f"A role is one of {', '.join(ROLES)}.",
            )
        with self._changing:
            before = self.people.role(user.id, project_id)
            if before == "owner" and role != "owner":
                self._keep_an_owner(project_id, user)
            self.people.set_member(project_id, user.id, role)
        action = "member-change" if before else "member-add"
        self.note(action, by, project=project_id, user=user.id, name=user.name, role=role)

    def remove_member(self, project_id: str, user: User, *, by: User | None = None) -> None:
        """Take a user out of a project.

        Raises
        ------
        NotFoundError
            If the user is not in it.
        ConflictError
            If the project would be left without an owner.
        """
        with self._changing:
            before: Role | None = self.people.role(user.id, project_id)
            if before is None:
                raise user_missing()
            if before == "owner":
                self._keep_an_owner(project_id, user)
            self.people.remove_member(project_id, user.id)
        self.note("member-remove", by, project=project_id, user=user.id, name=user.name)

    def _keep_an_administrator(self, leaving: User) -> None:
        if not any(user.admin and user.active and user.id != leaving.id for user in self.people.users()):
            raise ConflictError(
                "last-administrator",
                "这是最后一位管理员。请先任命另一位。",
                "This is the last administrator. Appoint another one first.",
            )

    def _keep_an_owner(self, project_id: str, leaving: User) -> None:
        members = self.people.members(project_id)
        if not any(member.role == "owner" and member.user.id != leaving.id for member in members):
            raise ConflictError(
                "last-owner",
                "这是项目的最后一位负责人。请先指定另一位。",
                "This is the last owner of the project. Name another one first.",
            )


def user_missing() -> NotFoundError:
    """Return the error for a user who is not there."""
    return NotFoundError("user-missing", "没有这个用户。", "There is no such user.")


def _folded(name: str) -> str:
    return unicodedata.normalize("NFKC", name).strip()[: 4 * DISPLAY_LENGTH]


def _shown(text: str) -> str:
    return " ".join(text.split())[:DISPLAY_LENGTH]
