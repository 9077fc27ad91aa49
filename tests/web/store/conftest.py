"""Fixtures of the store's tests: the same stores on SQLite and on PostgreSQL with PostGIS."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import postgres_make
import pytest
from store_make import Kept

from web.settings import Settings
from web.store import Stores

BOTH = ("sqlite", "postgis")


@pytest.fixture(scope="session", params=BOTH)
def ready(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path | str:
    """A database with its tables, to be copied: a file, or the name of a template."""
    folder = tmp_path_factory.mktemp("ready")
    if request.param == "sqlite":
        Stores.open(Settings(data_dir=folder)).close()
        return folder / "wangge.db"
    server: postgres_make.Server = request.getfixturevalue("postgres")
    url = server.database()
    Stores.open(Settings(data_dir=folder, database=url)).close()
    return server.name_of(url)


@pytest.fixture
def settings(ready: Path | str, request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Settings]:
    """Settings on a database of this test's own, with its tables."""
    data = tmp_path / "data"
    if isinstance(ready, Path):
        data.mkdir()
        shutil.copyfile(ready, data / "wangge.db")
        yield Settings(data_dir=data)
        return
    server: postgres_make.Server = request.getfixturevalue("postgres")
    url = server.database(ready)
    yield Settings(data_dir=data, database=url)
    server.drop(url)


@pytest.fixture(params=BOTH)
def empty(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Callable[[str], Settings]]:
    """Make settings on an empty database, each under a name of its own."""
    server: postgres_make.Server | None = None
    made: list[str] = []

    def settings(name: str = "data") -> Settings:
        nonlocal server
        if request.param == "sqlite":
            return Settings(data_dir=tmp_path / name)
        server = request.getfixturevalue("postgres")
        made.append(server.database())
        return Settings(data_dir=tmp_path / name, database=made[-1])

    yield settings
    for url in made:
        server.drop(url)  # type: ignore[union-attr]


@pytest.fixture
def opened(request: pytest.FixtureRequest) -> Iterator[Callable[[Settings], Stores]]:
    """Open stores; they are closed afterwards."""
    made: list[Stores] = []

    def open_stores(settings: Settings) -> Stores:
        made.append(Stores.open(settings))
        return made[-1]

    yield open_stores
    for stores in made:
        stores.close()


@pytest.fixture
def stores(settings: Settings, opened: Callable[[Settings], Stores]) -> Stores:
    return opened(settings)


@pytest.fixture
def kept(stores: Stores, tmp_path: Path) -> Kept:
    """Stores with a project, a dataset and a plan at revision 0."""
    return Kept.make(stores, tmp_path)
