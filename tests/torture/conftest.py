"""Each proof runs short in every test run and in full by ``make torture``.

A test takes its amount from a parameter; that of the full form carries the marker ``torture``.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path

import pytest

TESTS = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(TESTS / "geo"), str(TESTS / "web")]

from torture_make import Place, first_plan, write_town  # noqa: E402 - the helpers' folders come first

from geo.editing.plan import Plan  # noqa: E402


@pytest.fixture(scope="session")
def town_dataset(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Folder of the town's dataset, named by its id."""
    folder = tmp_path_factory.mktemp("town")
    made = folder / "made"
    return made.rename(folder / write_town(made))


@pytest.fixture(scope="session")
def town_plan(town_dataset: Path) -> Plan:
    """The plan of the town as made."""
    return first_plan(town_dataset)


@pytest.fixture
def place(tmp_path: Path, town_dataset: Path, town_plan: Plan) -> Place:
    """A data folder of this test's own."""
    return Place.make(tmp_path / "data", town_dataset, town_plan)


@pytest.fixture
def place_at(town_dataset: Path, town_plan: Plan) -> Callable[[Path], Place]:
    """Make a data folder elsewhere."""
    return lambda data: Place.make(data, town_dataset, town_plan)
