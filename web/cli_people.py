"""Users from a shell on the server: the first administrator, a forgotten password, an account to close."""

from __future__ import annotations

import getpass
import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING

from web.auth.accounts import Accounts
from web.errors import BadRequestError
from web.store import Stores

if TYPE_CHECKING:
    from argparse import Namespace
    from collections.abc import Iterator

    from web.settings import Settings


def add(settings: Settings, given: Namespace) -> str:
    """Make a user; returns what to say."""
    password = None if given.no_password else _password()
    with _accounts(settings) as accounts:
        user = accounts.add_user(given.name, password, display_name=given.display_name, admin=given.admin)
    return f"已添加用户 {user.name} / user {user.name} added"


def set_password(settings: Settings, given: Namespace) -> str:
    """Give a user a new password and end the sessions of the old one."""
    with _accounts(settings) as accounts:
        user = accounts.user_named(given.name)
        accounts.set_password(user, _password())
    return f"已修改 {user.name} 的密码 / password of {user.name} changed"


def disable(settings: Settings, given: Namespace) -> str:
    """Close an account and sign it out everywhere."""
    with _accounts(settings) as accounts:
        user = accounts.change_user(accounts.user_named(given.name), active=False)
    return f"已停用用户 {user.name} / user {user.name} disabled"


@contextmanager
def _accounts(settings: Settings) -> Iterator[Accounts]:
    stores = Stores.open(settings)
    try:
        yield Accounts(stores.people, stores.audit)
    finally:
        stores.close()


def _password() -> str:
    """Read a password twice from the terminal, or once from what is piped in; never from the command line."""
    if not sys.stdin.isatty():
        return sys.stdin.readline().rstrip("\r\n")
    first = getpass.getpass("密码 / password: ")
    if getpass.getpass("再次输入 / again: ") != first:
        raise BadRequestError(
            "passwords-differ", "两次输入的密码不一致。", "The two passwords differ; nothing was changed."
        )
    return first
