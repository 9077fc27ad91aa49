"""Open plans: each is loaded once, kept while it is used, and brought up to date from the log."""

from __future__ import annotations

import logging
import threading
from collections import OrderedDict
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any

from geo.editing.apply import apply_change
from geo.editing.codec import change_from
from geo.editing.edits import Refusal
from geo.editing.history import History
from geo.editing.start import restored, snapshot
from geo.errors import GeoError
from web.errors import ChainError, NotFoundError
from web.services.plan_standards import standard_from

if TYPE_CHECKING:
    from collections.abc import Iterator

    from geo.editing.change import Change
    from geo.editing.plan import Plan
    from web.services.grounds import Grounds
    from web.store.plans import PlanStore
    from web.store.records import EditRecord, PlanRecord

LOG = logging.getLogger("wangge")

PAGE = 1000
"""Edits read from the store at once."""
LOG_KEPT = 5000
"""Edits of a plan that stay in memory; older ones are read again when they are needed."""
LOG_BYTES = 64 << 20
"""What those may weigh: a change can hold every cell of a city."""
ANSWERS_KEPT = 200
ROWS_KEPT = 500
"""Answers to edits that a client may ask for again, and rows in one; others are worked out anew from the log."""
SNAPSHOT_EVERY = 200
"""Edits after which a plan is stored whole, so that opening it reads few."""


class Entry:
    """One committed change, its document read when it is needed."""

    def __init__(self, record: EditRecord) -> None:
        self.record = record
        change = record.change or {}
        self.size = 2000 + 150 * len(change.get("cells", ())) + 1500 * len(change.get("grids", ()))

    @cached_property
    def change(self) -> Change:
        """What it did."""
        return change_from(self.record.change)

    @property
    def revision(self) -> int:
        """Number of the revision."""
        return self.record.revision

    @property
    def kind(self) -> str:
        """Kind of the edit, ``undo`` or ``redo``."""
        return self.record.kind

    @property
    def user_id(self) -> str | None:
        """Who made it."""
        return self.record.user_id

    @property
    def undoes(self) -> int | None:
        """Revision that it takes back."""
        return self.record.undoes

    @property
    def redoes(self) -> int | None:
        """Revision that it brings back."""
        return self.record.redoes


@dataclass
class Book:
    """A plan as it is now and the end of its log. Only who holds `lock` may touch it."""

    plan: Plan
    revision: int
    saved: int
    """Revision of the last snapshot."""
    entries: list[Entry] = field(default_factory=list)
    """The last entries of the log, up to `revision`."""
    log_bytes: int = 0
    """About what `entries` weigh."""
    answers: OrderedDict[str, dict[str, Any]] = field(default_factory=OrderedDict)
    """The latest answers, by operation."""
    history: History | None = None
    """What authors may take back, once somebody asked; see `Books.history`."""

    def advance(self, plan: Plan, record: EditRecord) -> None:
        """Take over a committed change."""
        self.plan, self.revision = plan, record.revision
        self.entries.append(Entry(record))
        self.log_bytes += self.entries[-1].size
        if self.history is not None:
            self.history.add(record)
        if len(self.entries) > LOG_KEPT or self.log_bytes > LOG_BYTES:
            del self.entries[: (len(self.entries) + 1) // 2]
            self.log_bytes = sum(entry.size for entry in self.entries)

    def answered(self, op_id: str, answer: dict[str, Any]) -> None:
        """Remember an answer, unless it is very long."""
        if len(answer["grids"]) + len(answer["change"].get("cells", ())) <= ROWS_KEPT:
            self.answers[op_id] = answer
        while len(self.answers) > ANSWERS_KEPT:
            self.answers.popitem(last=False)

    def size(self) -> int:
        """Return about how many bytes the plan takes, without the ground that plans share."""
        plan = self.plan
        arrays = [plan.assignment, plan.pinned, plan.load, *vars(plan.figures).values()]
        held = sum(int(getattr(values, "nbytes", 0)) for values in arrays)
        own_ground = plan.ground.n * 64 if plan.divisions else 0
        return held + own_ground + 400 * len(plan.grids) + self.log_bytes


class Shelf:
    """The place of one plan: a lock, and the book once it is open."""

    def __init__(self) -> None:
        self.lock = threading.RLock()
        self.book: Book | None = None


class Books:
    """Keep plans open, the least recently used closed first when memory runs short."""

    def __init__(self, store: PlanStore, grounds: Grounds, *, memory_bytes: int) -> None:
        self.store = store
        self._grounds = grounds
        self._memory_bytes = memory_bytes
        self._lock = threading.Lock()
        self._shelves: OrderedDict[str, Shelf] = OrderedDict()
        self._savers = ThreadPoolExecutor(1, thread_name_prefix="snapshot")

    @contextmanager
    def held(self, plan_id: str) -> Iterator[tuple[PlanRecord, Book]]:
        """Hold a plan, up to date with the store; nobody else in this process changes it meanwhile.

        Raises
        ------
        NotFoundError
            If there is no such plan.
        """
        with self._lock:
            shelf = self._shelves.pop(plan_id, None) or Shelf()
            self._shelves[plan_id] = shelf
        with shelf.lock:
            try:
                record = self.store.get(
                    plan_id
                )  # not before the lock: its status and head hold while it is held
            except NotFoundError:
                self.forget(plan_id)
                raise
            if shelf.book is None:
                shelf.book = self._load(record)
            book = shelf.book
            if book.revision < record.revision:
                self.catch_up(plan_id, book)
            yield record, book
        self._make_room(plan_id)

    def current(self, plan_id: str) -> tuple[PlanRecord, Plan, int]:
        """Return a plan as it is now: its record, its state and the revision of that state."""
        with self.held(plan_id) as (record, book):
            return record, book.plan, book.revision

    def catch_up(self, plan_id: str, book: Book) -> None:
        """Take over what others committed since.

        Raises
        ------
        ChainError
            If the log does not fit the plan.
        """
        while records := self.store.edits(plan_id, after=book.revision, limit=PAGE):
            for record in records:
                book.advance(_changed(book.plan, record), record)

    def entries(self, plan_id: str, book: Book, after: int) -> list[Entry]:
        """Return the log above a revision, the earliest first."""
        if after >= book.revision:
            return []
        if book.entries and book.entries[0].revision <= after + 1:
            return book.entries[after + 1 - book.entries[0].revision :]
        found: list[Entry] = []
        while records := self.store.edits(plan_id, after=after, limit=PAGE):
            found += [Entry(record) for record in records if record.revision <= book.revision]
            after = records[-1].revision
        return found

    def entry(self, plan_id: str, book: Book, revision: int) -> Entry:
        """Return one revision of the log."""
        first = book.entries[0].revision if book.entries else revision + 1
        if revision >= first:
            return book.entries[revision - first]
        return Entry(self.store.edits(plan_id, after=revision - 1, limit=1)[0])

    def history(self, plan_id: str, book: Book) -> History:
        """Return what authors may take back and bring back; the log is read for it once."""
        if book.history is None:
            book.history = History(self.store.steps(plan_id, at_most=book.revision))
        return book.history

    def state_at(self, plan_id: str, revision: int) -> Plan:
        """Return a plan as it was at a revision, from the nearest snapshot before it.

        Raises
        ------
        NotFoundError, ChainError
            If there is no such plan; if its log does not fit.
        """
        record = self.store.get(plan_id)
        at, content = self.store.snapshot(plan_id, at_most=revision)
        plan = self._restored(record, content)
        while at < revision and (found := self.store.edits(plan_id, at, min(PAGE, revision - at))):
            for edit in found:
                plan = _changed(plan, edit)
            at = found[-1].revision
        return plan

    def save_later(self, plan_id: str, book: Book) -> None:
        """Store the plan whole in the background when it is time; its states never change, so nobody waits."""
        if book.revision - book.saved >= SNAPSHOT_EVERY:
            book.saved = book.revision
            self._savers.submit(self._save, plan_id, book.revision, book.plan)

    def forget(self, plan_id: str) -> None:
        """Close a plan without storing it."""
        with self._lock:
            self._shelves.pop(plan_id, None)

    def close(self) -> None:
        """Store every open plan whole."""
        with self._lock:
            shelves = list(self._shelves.items())
            self._shelves.clear()
        for plan_id, shelf in shelves:
            self._put_away(plan_id, shelf)
        self._savers.shutdown(wait=True)

    def _load(self, record: PlanRecord) -> Book:
        at, content = self.store.snapshot(record.id)
        book = Book(plan=self._restored(record, content), revision=at, saved=at)
        self.catch_up(record.id, book)
        return book

    def _restored(self, record: PlanRecord, content: bytes) -> Plan:
        return restored(self._grounds.ground(record.dataset_id), standard_from(record.standard), content)

    def _make_room(self, kept: str) -> None:
        leaving: list[tuple[str, Shelf]] = []
        with self._lock:
            sizes = {
                plan_id: shelf.book.size()
                for plan_id, shelf in self._shelves.items()
                if shelf.book is not None
            }
            total = sum(sizes.values())
            for plan_id, size in sizes.items():
                if total <= self._memory_bytes:
                    break
                if plan_id != kept:
                    leaving.append((plan_id, self._shelves.pop(plan_id)))
                    total -= size
        for plan_id, shelf in leaving:
            self._savers.submit(self._put_away, plan_id, shelf)

    def _put_away(self, plan_id: str, shelf: Shelf) -> None:
        with shelf.lock:
            book = shelf.book
            if book is not None and book.saved < book.revision:
                book.saved = book.revision
                self._save(plan_id, book.revision, book.plan)

    def _save(self, plan_id: str, revision: int, plan: Plan) -> None:
        try:
            self.store.save_snapshot(plan_id, revision, snapshot(plan))
        except GeoError as error:  # the log holds everything; a snapshot only makes opening faster
            LOG.warning("no snapshot of plan %s: %s", plan_id, error.en)
        except Exception:
            LOG.exception("no snapshot of plan %s", plan_id)


def _changed(plan: Plan, record: EditRecord) -> Plan:
    """Return the plan after a change of its log.

    Raises
    ------
    ChainError
        If it does not fit.
    """
    after = apply_change(plan, change_from(record.change))
    if isinstance(after, Refusal):
        raise ChainError(
            "plan-log-unfit",
            f"方案的第 {record.revision} 次修改与方案内容不符。请从备份恢复。",
            f"Change {record.revision} of the plan does not fit it. Restore a backup.",
            plan=record.plan_id,
            revision=record.revision,
            why=after.code,
        )
    return after
