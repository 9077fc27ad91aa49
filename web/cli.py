"""Commands of the service: ``python -m web [serve|db|backup|restore|user]``."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from geo.errors import GeoError
from web.settings import Settings

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    Command = Callable[[Settings, argparse.Namespace], str]

FAILED = 2


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command; return 0, or 2 after saying in both languages what is wrong."""
    given = parser().parse_args(arguments)
    try:
        if given.command in {None, "serve"}:
            from web.cli_serve import serve  # noqa: PLC0415 - other commands need no server

            serve(Settings())
        else:
            sys.stdout.write(f"{_command(given)(Settings(), given)}\n")
    except GeoError as error:
        sys.stderr.write(f"{error.zh}\n{error.en}\n")
        return FAILED
    except OSError as error:
        sys.stderr.write(f"无法读写 / cannot read or write {error.filename}: {error.strerror}\n")
        return FAILED
    return 0


def parser() -> argparse.ArgumentParser:
    """Return the parser of the command line."""
    made = argparse.ArgumentParser(
        prog="python -m web", description="网格规划服务 / the grid planning service. Settings: docs/api.md"
    )
    commands = made.add_subparsers(dest="command", metavar="COMMAND")
    commands.add_parser("serve", help="serve until interrupted (default)")

    database = commands.add_parser("db", help="version of the database's tables")
    versions = database.add_subparsers(dest="action", metavar="ACTION", required=True)
    versions.add_parser("upgrade", help="bring it to this program's version, after a backup")
    versions.add_parser("current", help="show the version of the database and of the program")
    downgrade = versions.add_parser("downgrade", help="bring it back to an earlier version, after a backup")
    downgrade.add_argument("revision", metavar="VERSION", help="e.g. 0002; what it cannot hold is gone")

    for name, help_text in (
        (
            "backup",
            "write database, uploads, datasets and results into one new file, while the service goes on",
        ),
        ("restore", "bring a backup into an empty data folder and database, and check it"),
    ):
        commands.add_parser(name, help=help_text).add_argument("file", metavar="FILE", type=Path)

    people = commands.add_parser("user", help="users of a team")
    actions = people.add_subparsers(dest="action", metavar="ACTION", required=True)
    add = actions.add_parser(
        "add", help="make a user; the password is asked for, or read from standard input"
    )
    add.add_argument("name", metavar="NAME")
    add.add_argument("--admin", action="store_true", help="who may manage users and see every project")
    add.add_argument("--display-name", default="", metavar="TEXT", help="what others see")
    add.add_argument("--no-password", action="store_true", help="signs in with the identity provider only")
    for name, help_text in (
        ("password", "give a user a new password and end all sessions of the old one"),
        ("disable", "close an account and sign it out everywhere"),
    ):
        actions.add_parser(name, help=help_text).add_argument("name", metavar="NAME")
    return made


def _command(given: argparse.Namespace) -> Command:
    from web import cli_people, cli_store  # noqa: PLC0415 - the help needs no database

    commands: dict[tuple[str, str | None], Command] = {
        ("db", "upgrade"): cli_store.upgrade,
        ("db", "downgrade"): cli_store.downgrade,
        ("db", "current"): cli_store.current,
        ("backup", None): cli_store.back_up,
        ("restore", None): cli_store.restore,
        ("user", "add"): cli_people.add,
        ("user", "password"): cli_people.set_password,
        ("user", "disable"): cli_people.disable,
    }
    return commands[given.command, getattr(given, "action", None)]
