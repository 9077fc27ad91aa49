"""Ask the desk of a dataset what a heavy edit changes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from geo.editing.codec import change_from
from geo.editing.edits import Refusal, to_document
from geo.errors import PlanError
from web.errors import TimeLimitError, UploadError
from web.jobs.desks import plan_desk_not_ready, plan_desks
from web.jobs.faults import as_error, crashed
from web.jobs.launch import Task
from web.jobs.stated import stated
from web.store.files import read_json

if TYPE_CHECKING:
    from geo.editing.change import Change
    from geo.editing.edits import Edit
    from geo.editing.plan import Plan
    from web.jobs.residents import Resident
    from web.settings import Settings

READY_S = 30.0
"""How long an edit waits for a desk that is still reading its dataset."""


class PlanDesk:
    """The desks of all datasets, one process each."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._desks = plan_desks(settings)

    def warm(self, dataset_id: str) -> None:
        """Start the process of a dataset, so that it is ready when the first edit comes; returns at once."""
        self._opened(dataset_id)

    def overview(self, dataset_id: str) -> dict[str, Any] | None:
        """Return what the process of a dataset says of it; None while it reads, which it is made to begin.

        Raises
        ------
        GeoError
            What is wrong with the dataset.
        """
        desk = self._opened(dataset_id)
        if desk.fault is not None:
            self.forget(dataset_id)
            raise as_error(desk.fault)
        document = read_json(desk.out / "overview.json") if desk.state == "ready" else None
        return document if isinstance(document, dict) else None

    def resolve(self, dataset_id: str, plan: Plan, edit: Edit) -> Change | Refusal:
        """Say what an edit changes, or why it is not made.

        Parameters
        ----------
        dataset_id
            Of the plan's dataset, a folder of `Settings.datasets_dir`.
        plan
            Its whole state goes with the question.
        edit
            Of a kind in `geo.editing.edits.NEEDS_SURVEY`.

        Raises
        ------
        ConflictError
            ``plan-desk-building`` when the dataset takes longer than `READY_S` to read, ``plan-desk-busy``.
        TimeLimitError
            ``time-limit`` when the edit takes longer than `Settings.edit_timeout_s`. Its process is ended then and
            another one is started.
        GeoError
            What was wrong with dataset, plan or edit.
        """
        question = {"ask": "resolve", "edit": to_document(edit)} | stated(plan)
        for again in (True, False):
            try:
                return _read(self._ready(dataset_id).ask(dict(question)))
            except TimeLimitError as error:
                self.warm(dataset_id)
                raise self._too_long() from error
            except UploadError:  # it broke off; the next one knows as much as this one did
                if not again:
                    raise
        raise AssertionError

    def _too_long(self) -> TimeLimitError:
        limit = self._settings.edit_timeout_s
        return TimeLimitError(
            "time-limit",
            f"计算超过 {limit:.0f} 秒，已停止，方案没有改变。请缩小范围或降低搜索强度；"
            "整个方案可用在后台计算的“备选方案”。",
            f"The engine worked for more than {limit:.0f} s and was stopped; the plan has not changed. Choose "
            "fewer grids or less effort; for the whole plan, alternatives are worked out by a job.",
        )

    def survey(self, dataset_id: str) -> DeskSurvey:
        """Return the desk as `geo.editing.apply.apply` takes it."""
        return DeskSurvey(self, dataset_id)

    def forget(self, dataset_id: str) -> None:
        """End the process of a dataset."""
        self._desks.forget(dataset_id)

    def close(self) -> None:
        """End every process."""
        self._desks.close()

    def _opened(self, dataset_id: str) -> Resident:
        folder = self._settings.datasets_dir / dataset_id
        task = Task("resolve", {"dataset": str(folder)}, read=(folder,))
        return self._desks.open(dataset_id, task, dataset_id)

    def _ready(self, dataset_id: str) -> Resident:
        desk = self._opened(dataset_id)
        if not desk.settled(READY_S):
            raise plan_desk_not_ready()
        if desk.fault is not None:
            self.forget(dataset_id)  # the next edit tries anew
            raise as_error(desk.fault)
        return desk


class DeskSurvey:
    """A `geo.editing.apply.Resolver` that asks the desk of one dataset."""

    def __init__(self, desk: PlanDesk, dataset_id: str) -> None:
        self._desk = desk
        self._dataset_id = dataset_id

    def resolve(self, plan: Plan, edit: Edit) -> Change | Refusal:
        """Return what the edit changes, or why it is not made; errors as for `PlanDesk.resolve`."""
        return self._desk.resolve(self._dataset_id, plan, edit)


def _read(answer: Any) -> Change | Refusal:
    """Read the answer of a process that read foreign data: it is checked, not trusted."""
    try:
        if "refusal" in answer:
            return Refusal(**{name: answer["refusal"][name] for name in ("code", "zh", "en", "where")})
        return change_from(answer["change"])
    except (KeyError, TypeError, PlanError) as error:
        raise as_error(crashed()) from error
