"""The commands: what they do, that they say what is wrong in both languages, and that each is documented."""

from __future__ import annotations

import argparse
import io
from pathlib import Path

import pytest
from sqlalchemy import text

from web import cli
from web.settings import ROOT, Settings
from web.store import Database, Project, Stores, schema

PASSWORD = "correct horse battery 9"  # noqa: S105 - of a test


@pytest.fixture
def data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Settings:
    monkeypatch.setenv("WANGGE_DATA_DIR", str(tmp_path / "data"))
    monkeypatch.delenv("WANGGE_DATABASE", raising=False)
    return Settings()


def run(*arguments: str) -> int:
    return cli.main(arguments)


def people(settings: Settings) -> dict[str, tuple[bool, bool, bool]]:
    stores = Stores.open(settings)
    try:
        return {
            user.name: (user.admin, user.active, user.password_hash is not None)
            for user in stores.people.users()
        }
    finally:
        stores.close()


def test_the_version_is_shown_and_changed(data: Settings, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("db", "upgrade") == 0
    assert run("db", "downgrade", "0002") == 0
    assert run("db", "current") == 0
    assert f"database: 0002\n程序 / program: {schema.head()}" in capsys.readouterr().out
    assert run("db", "downgrade", "0009") == 2
    said = capsys.readouterr().err
    assert "没有版本 0009" in said
    assert "no version 0009" in said
    assert run("db", "upgrade") == 0
    assert run("db", "current") == 0
    assert "differs" not in capsys.readouterr().out
    database = Database(data.database_url)
    with database.writing() as connection:
        connection.execute(text("DROP INDEX ix_jobs_state"))
    database.close()
    assert run("db", "current") == 0
    assert "ix_jobs_state" in capsys.readouterr().out
    assert len(list(data.backups_dir.iterdir())) == 2


def test_a_backup_is_made_and_restored(
    data: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    stores = Stores.open(data)
    project = Project(name="东城区")
    stores.projects.add(project)
    stores.close()
    assert run("backup", str(tmp_path / "b.tar")) == 0
    assert run("restore", str(tmp_path / "b.tar")) == 2
    assert "empty" in capsys.readouterr().err
    monkeypatch.setenv("WANGGE_DATA_DIR", str(tmp_path / "other"))
    assert run("restore", str(tmp_path / "missing.tar")) == 2
    assert "missing.tar" in capsys.readouterr().err
    assert run("restore", str(tmp_path / "b.tar")) == 0
    stores = Stores.open(Settings())
    assert stores.projects.all() == [project]
    stores.close()


def test_users_are_made_and_closed(
    data: Settings, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def typed(text: str) -> None:
        monkeypatch.setattr("sys.stdin", io.StringIO(text + "\n"))

    typed(PASSWORD)
    assert run("user", "add", "root", "--admin") == 0
    assert run("user", "add", "li", "--no-password", "--display-name", "李") == 0
    assert people(data) == {"li": (False, True, False), "root": (True, True, True)}
    typed("short")
    assert run("user", "add", "wang") == 2
    typed(PASSWORD)
    assert run("user", "password", "li") == 0
    assert run("user", "disable", "li") == 0
    assert people(data)["li"] == (False, False, True)
    assert run("user", "disable", "nobody") == 2
    assert run("user", "disable", "root") == 2
    stores = Stores.open(data)
    assert stores.audit.verify() == len(stores.audit.page()) == 4
    stores.close()
    assert PASSWORD not in "".join(capsys.readouterr())


def test_every_command_is_documented() -> None:
    words = (ROOT / "docs" / "operations.md").read_text(encoding="utf-8")

    def walk(parser: argparse.ArgumentParser, path: str) -> None:
        for action in parser._actions:
            if isinstance(action, argparse._SubParsersAction):
                for name, child in action.choices.items():
                    assert f"{path} {name}" in words, f"{path} {name}"
                    walk(child, f"{path} {name}")
            elif action.option_strings and action.dest != "help":
                assert action.option_strings[-1] in words, action.option_strings

    walk(cli.parser(), "python -m web")


def test_every_column_that_is_published_and_every_table_is_documented() -> None:
    from web.store.published import COLUMNS

    words = (ROOT / "docs" / "operations.md").read_text(encoding="utf-8")
    for column in COLUMNS:
        assert f"`{column}`" in words, column
