"""Heavy edits in a process of their own: the answers of the library, whatever happens to the process.

The plan is that of the shared small city. A desk is opened once and asked by every test that does it no harm.
"""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import pytest
from web_make import Planned

from geo.dataset.folder import read_dataset
from geo.editing.apply import apply
from geo.editing.change import Change
from geo.editing.codec import to_document
from geo.editing.edits import Edit, Merge, Rebalance, Refusal, Renumber, Repair, SplitParts
from geo.editing.plan import Plan
from geo.editing.survey import Survey
from geo.errors import DatasetError
from web.errors import TimeLimitError
from web.jobs.plan_desk_client import PlanDesk
from web.jobs.residents import Resident
from web.services.state import Service
from web.settings import Settings


@dataclass
class Place:
    """A plan, its dataset, and a desk for it."""

    settings: Settings
    dataset_id: str
    plan: Plan
    desk: PlanDesk

    def resident(self) -> Resident:
        found = self.desk._desks.get(self.dataset_id)
        assert found is not None
        return found

    def pid(self) -> int:
        process = self.resident()._process
        assert process is not None
        return process.pid

    def resolve(self, edit: Edit) -> Change | Refusal:
        return self.desk.resolve(self.dataset_id, self.plan, edit)


def service_of(planned: Planned) -> Service:
    found: Service = planned.app.extensions["wangge"]
    return found


def plan_of(planned: Planned) -> tuple[str, Plan]:
    """Return the dataset and the plan that the shared job made."""
    service = service_of(planned)
    made = next(plan for plan in service.plan_store.of_project(planned.project) if plan.job_id == planned.job)
    return made.dataset_id, service.books.current(made.id)[1]


@pytest.fixture(scope="module")
def place(planned: Planned) -> Iterator[Place]:
    settings = service_of(planned).settings
    dataset_id, plan = plan_of(planned)
    desk = PlanDesk(settings)
    yield Place(settings, dataset_id, plan, desk)
    desk.close()


def test_the_first_edit_waits_for_the_desk(place: Place) -> None:
    """Nobody is told to try again: a merged grid is split right after the start."""
    assert isinstance(place.resolve(SplitParts(1, 2)), Change)


@pytest.mark.parametrize(
    "edit", [SplitParts(1, 2), Rebalance((1, 2, 3), parts=2), Renumber(), Repair()], ids=lambda e: e.kind
)
def test_the_desk_answers_as_the_library_does(place: Place, edit: Edit) -> None:
    survey = Survey(read_dataset(place.settings.datasets_dir / place.dataset_id))
    wanted, found = survey.resolve(place.plan, edit), place.resolve(edit)
    assert isinstance(found, type(wanted))
    if isinstance(wanted, Change) and isinstance(found, Change):
        assert to_document(found) == to_document(wanted)


def test_a_refusal_is_handed_on(place: Place) -> None:
    refused = place.resolve(SplitParts(10_000, 2))
    assert isinstance(refused, Refusal)
    assert refused.code == "no-such-grid"
    assert "10000" in refused.zh
    assert refused.where["grids"] == [10_000]


def test_the_state_goes_with_the_question(place: Place) -> None:
    """One process serves any number of plans: an edited one, then the one before the edit."""
    number = place.pid()
    merged = apply(place.plan, Merge((1, 2)))
    assert not isinstance(merged, Refusal)
    answer = place.desk.resolve(place.dataset_id, merged[0], SplitParts(1, 2))
    assert isinstance(answer, Change)
    after = apply(merged[0], SplitParts(1, 2), survey=place.desk.survey(place.dataset_id))
    assert not isinstance(after, Refusal)
    assert len(after[0].grids) == len(place.plan.grids)
    assert isinstance(place.resolve(SplitParts(2, 2)), Change)
    assert place.pid() == number


def test_a_process_that_was_killed_is_replaced_unseen(place: Place) -> None:
    number = place.pid()
    os.kill(number, signal.SIGKILL)
    assert isinstance(place.resolve(SplitParts(1, 2)), Change)
    assert place.pid() != number


def test_an_edit_that_takes_too_long_ends_its_process_and_starts_the_next(place: Place) -> None:
    desk = PlanDesk(place.settings.model_copy(update={"edit_timeout_s": 1.0}))
    slow = replace(place, desk=desk)
    try:
        desk.warm(place.dataset_id)
        assert slow.resident().settled(60)
        number = slow.pid()
        os.kill(number, signal.SIGSTOP)
        begin = time.monotonic()
        with pytest.raises(TimeLimitError):
            slow.resolve(SplitParts(1, 2))
        assert time.monotonic() - begin < 5
        assert not Path(f"/proc/{number}").exists()
        assert slow.resident().settled(60)
        assert slow.resident().state == "ready"
        assert slow.pid() != number
    finally:
        desk.close()


def test_a_dataset_that_is_not_there_is_named_every_time(place: Place) -> None:
    for _ in range(2):
        with pytest.raises(DatasetError):
            place.desk.resolve("0" * 64, place.plan, Renumber())
