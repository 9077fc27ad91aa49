"""Edit a plan: make an edit, look at one first, take one back. Every acknowledged change is on the disk."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np

from geo.editing.apply import apply_change, decide
from geo.editing.codec import change_from, to_document
from geo.editing.conflict import Touched, conflicts
from geo.editing.edits import NEEDS_SURVEY, Refusal, edit_from
from geo.editing.edits import to_document as edit_document
from geo.editing.history import REDO, UNDO
from geo.editing.judged import grid_rows, summary
from geo.editing.publish import warnings
from web.errors import ConflictError, RefusedError, StaleError
from web.services.plan_words import entry_json
from web.store.records import EditRecord

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from geo.editing.change import Change
    from geo.editing.edits import Edit
    from geo.editing.plan import Plan
    from web.services.books import Book, Books, Entry
    from web.store.records import PlanRecord

CLOSED = frozenset({"approved", "published"})
"""Statuses in which a plan takes no edits."""
TRIES = 8
"""Times a commit is tried again when another server came first."""
NAMED = 200
"""Objects that a conflict names."""


class Author(Protocol):
    """Who edits."""

    @property
    def id(self) -> str:
        """Id of the user."""

    @property
    def label(self) -> str:
        """What others see of the user."""


class Desk(Protocol):
    """Decides edits that need shapes or the engine, in a process of its own."""

    def resolve(self, dataset_id: str, plan: Plan, edit: Edit) -> Change | Refusal:
        """Return what the edit changes, or why it is not made."""


class Editing:
    """Make edits on plans that `Books` keeps open."""

    def __init__(self, books: Books, desk: Desk, announce: Callable[[], None]) -> None:
        self._books = books
        self._desk = desk
        self._announce = announce

    def edit(
        self, plan_id: str, author: Author, *, op_id: str, base: int, document: Mapping[str, Any]
    ) -> dict[str, Any]:
        """Commit an edit and return the answer to it; the same operation sent again is answered the same.

        Parameters
        ----------
        base
            Revision that the author saw. What others did since is kept when it touches other objects.
        document
            The edit, as `geo.editing.edits.to_document` writes it.

        Raises
        ------
        EditError
            If the edit cannot be read.
        ConflictError
            ``edit-conflict``: others changed the same objects since; ``plan-closed``, ``op-reused``,
            ``base-unknown``.
        RefusedError
            With the code of the refusal.
        NotFoundError, StorageFullError
            If there is no such plan; if the disk is full.
        """
        edit = edit_from(document)
        return self._commit(plan_id, author, op_id, _Edit(self, plan_id, edit, base))

    def preview(self, plan_id: str, *, base: int, document: Mapping[str, Any]) -> dict[str, Any]:
        """Return the answer that an edit would get, without making it; raises as `edit`."""
        step = _Edit(self, plan_id, edit_from(document), base)
        with self._books.held(plan_id) as (record, book):
            _refuse_closed(record)
            step.prepare(book)
        step.decide(record.dataset_id)
        with self._books.held(plan_id) as (record, book):
            change = step.change(book)
            return answer(_applied(book.plan, change), book.revision, change)

    def undo(self, plan_id: str, author: Author, *, op_id: str, base: int) -> dict[str, Any]:
        """Take back the author's last edit that is in force; raises as `edit`, and ``nothing-to-undo``."""
        return self._commit(plan_id, author, op_id, _Back(self._books, plan_id, author.id, base, UNDO))

    def redo(self, plan_id: str, author: Author, *, op_id: str, base: int) -> dict[str, Any]:
        """Bring back what the author took back last; raises as `edit`, and ``nothing-to-redo``."""
        return self._commit(plan_id, author, op_id, _Back(self._books, plan_id, author.id, base, REDO))

    def open_to(self, plan_id: str, book: Book, author_id: str) -> dict[str, int | None]:
        """Return the revisions that an undo and a redo of the author would take."""
        history = self._books.history(plan_id, book)
        return {kind: history.next(kind, author_id) for kind in (UNDO, REDO)}

    def _commit(self, plan_id: str, author: Author, op_id: str, step: _Step) -> dict[str, Any]:
        with self._books.held(plan_id) as (record, book):
            made = self._replayed(book, author, op_id, step, plan_id)
            if made is None:
                _refuse_closed(record)
                step.prepare(book)
                if not step.slow:
                    made = self._try(book, author, op_id, step, plan_id)
        if made is None and step.slow:
            step.decide(record.dataset_id)  # others go on editing while the engine works
        for _ in range(TRIES):
            if made is not None:
                self._announce()
                return made
            with self._books.held(plan_id) as (record, book):  # what another server committed is read here
                _refuse_closed(record)
                made = self._try(book, author, op_id, step, plan_id)
        raise ConflictError(
            "plan-busy",
            "方案正被频繁修改，请稍候重试。",
            "The plan is being edited too fast; try again in a moment.",
        )

    def _try(
        self, book: Book, author: Author, op_id: str, step: _Step, plan_id: str
    ) -> dict[str, Any] | None:
        """Commit a step on the plan as it is; None when another server came first."""
        change = step.change(book)
        plan = _applied(book.plan, change)
        figures = summary(plan)
        edit = EditRecord(
            plan_id=plan_id,
            op_id=op_id,
            user_id=author.id,
            user_name=author.label,
            change=to_document(change),
            **step.said(),
        )
        try:
            stored = self._books.store.append(edit, book.revision, summary=figures)
        except StaleError:
            return None
        if (
            stored.hash and replace(stored, revision=0, hash="") != edit
        ):  # the same operation came by another server
            self._books.catch_up(plan_id, book)
            return self._replayed(book, author, op_id, step, plan_id)
        book.advance(plan, stored)
        made = answer(plan, stored.revision, change, stored, figures=figures)
        book.answered(op_id, made)
        self._books.save_later(plan_id, book)
        return made

    def _replayed(
        self, book: Book, author: Author, op_id: str, step: _Step, plan_id: str
    ) -> dict[str, Any] | None:
        """Return the answer that an operation got before, worked out anew if it is no longer in memory."""
        stored = self._books.store.edit_of(plan_id, op_id)
        if stored is None:
            return None
        if stored.user_id != author.id or not step.same_as(stored):
            raise ConflictError(
                "op-reused",
                "该操作编号已用于另一次修改。请为每次修改使用新的编号。",
                "This operation id belongs to another change. Use a new one for each.",
                op_id=op_id,
                revision=stored.revision,
            )
        kept = book.answers.get(op_id)
        if kept is not None:
            return kept
        from_log = self._books.state_at(plan_id, stored.revision)
        return answer(from_log, stored.revision, change_from(stored.change), stored)


class _Step(Protocol):
    """One thing to commit."""

    slow: bool
    """Whether `decide` has to be called, with nobody kept waiting meanwhile."""

    def prepare(self, book: Book) -> None:
        """Look at the plan as it is when the request comes."""

    def decide(self, dataset_id: str) -> None:
        """Do what takes long."""

    def change(self, book: Book) -> Change:
        """Return what is to be changed now, or raise what stands in the way."""

    def said(self) -> dict[str, Any]:
        """Return ``kind``, ``request``, ``undoes``, ``redoes`` for the log."""

    def same_as(self, stored: EditRecord) -> bool:
        """Whether a stored change is this one."""


class _Edit:
    """An edit: decided on the plan as it is, or at the desk on a state of it and then rebased."""

    def __init__(self, editing: Editing, plan_id: str, edit: Edit, base: int) -> None:
        self._books, self._desk = editing._books, editing._desk  # noqa: SLF001 - one module
        self._plan_id = plan_id
        self._edit = edit
        self._base = base
        self.slow = edit.kind in NEEDS_SURVEY
        self._seen: Plan | None = None
        self._decided: Change | None = None

    def prepare(self, book: Book) -> None:
        _check_base(self._base, book)
        self._seen = book.plan

    def decide(self, dataset_id: str) -> None:
        if self.slow and self._seen is not None:
            self._decided = _accepted(self._desk.resolve(dataset_id, self._seen, self._edit))

    def change(self, book: Book) -> Change:
        if self._decided is not None:
            self._refuse_conflicts(self._decided, book)
            return self._decided
        self._refuse_conflicts(self._edit, book)
        return _accepted(decide(book.plan, self._edit))

    def said(self) -> dict[str, Any]:
        return {"kind": self._edit.kind, "request": edit_document(self._edit)}

    def same_as(self, stored: EditRecord) -> bool:
        return stored.request == edit_document(self._edit)

    def _refuse_conflicts(self, asked: Edit | Change, book: Book) -> None:
        later = self._books.entries(self._plan_id, book, self._base)
        found = conflicts(asked, [entry.change for entry in later]) if later else []
        if found:
            raise _conflict(found, later, book.revision)


class _Back:
    """An undo or a redo: the inverse of a change, or the change again, if its objects are still as it left them."""

    def __init__(self, books: Books, plan_id: str, user_id: str, base: int, kind: str) -> None:
        self._books = books
        self._plan_id = plan_id
        self._user_id = user_id
        self._base = base
        self._kind = kind
        self._revision = 0
        self.slow = False

    def prepare(self, book: Book) -> None:
        _check_base(self._base, book)

    def decide(self, dataset_id: str) -> None:
        """Nothing takes long."""

    def change(self, book: Book) -> Change:
        found = self._books.history(self._plan_id, book).next(self._kind, self._user_id)
        if found is None:
            zh, en = ("撤销", "undo") if self._kind == UNDO else ("恢复", "redo")
            raise ConflictError(
                f"nothing-to-{self._kind}", f"没有可{zh}的修改。", f"You have no change to {en} in this plan."
            )
        self._revision = found
        made = self._books.entry(self._plan_id, book, found).change
        change = made.inverse() if self._kind == UNDO else made
        refusal = apply_change(book.plan, change)
        if isinstance(refusal, Refusal):
            later = self._books.entries(self._plan_id, book, found)
            others = [entry for entry in later if entry.user_id != self._user_id]
            changes = [entry.change for entry in others]
            # What it moves itself; else grids that it would leave without a cell, or take from under others' cells.
            met = conflicts(change, changes, whole=False) or [
                item for item in conflicts(change, changes) if item.id in refusal.where.get("grids", ())
            ]
            if met:
                raise _conflict(met, others, book.revision)
        return change

    def said(self) -> dict[str, Any]:
        return {"kind": self._kind, "undoes" if self._kind == UNDO else "redoes": self._revision}

    def same_as(self, stored: EditRecord) -> bool:
        return stored.kind == self._kind


def answer(
    plan: Plan,
    revision: int,
    change: Change,
    record: EditRecord | None = None,
    *,
    figures: dict[str, Any] | None = None,
) -> dict[str, Any]:
    """Return what the interface answers to an edit: only what it touched, and the figures of the whole plan."""
    grids = touched(change)
    there = [grid for grid in grids if grid in plan.grids]
    return {
        "revision": revision,
        "edit": None if record is None else entry_json(record),
        "change": to_document(change),
        "grids": grid_rows(plan, there),
        "gone": [grid for grid in grids if grid not in plan.grids],
        "summary": summary(plan) if figures is None else figures,
        "warnings": warnings(plan, there),
    }


def touched(change: Change) -> list[int]:
    """Return the ids of the grids that a change concerns, ascending."""
    ids = set(np.unique(np.concatenate([change.before, change.after])).tolist())
    return sorted((ids | {item.id for item in change.grids}) - {-1})


def _applied(plan: Plan, change: Change) -> Plan:
    after = apply_change(plan, change)
    if isinstance(after, Refusal):
        raise refused(after)
    return after


def _accepted(decided: Change | Refusal) -> Change:
    if isinstance(decided, Refusal):
        raise refused(decided)
    return decided


def refused(refusal: Refusal) -> ConflictError | RefusedError:
    """Return the error for a refusal: a conflict when the plan has moved on, else what stands in the way."""
    kind = ConflictError if refusal.code == "changed-meanwhile" else RefusedError
    code = "edit-conflict" if kind is ConflictError else refusal.code
    error = kind(code, refusal.zh, refusal.en)
    error.where = dict(refusal.where)
    return error


def _refuse_closed(record: PlanRecord) -> None:
    if record.status in CLOSED:
        raise ConflictError(
            "plan-closed",
            "方案已审定或发布，不能修改。请先退回草案，或另建分支。",
            "The plan is approved or published and takes no edits. Set it back to draft, or branch it.",
            status=record.status,
        )


def _check_base(base: int, book: Book) -> None:
    if base > book.revision:
        raise ConflictError(
            "base-unknown",
            f"基准版本 {base} 不存在，方案现为第 {book.revision} 版。请重新载入方案。",
            f"There is no revision {base} yet; the plan is at {book.revision}. Load it again.",
            revision=book.revision,
        )


def _conflict(found: Sequence[Touched], later: Sequence[Entry], revision: int) -> ConflictError:
    objects, names = [], set()
    for item in found[:NAMED]:
        by = later[item.by].record
        names.add(by.user_name)
        user = {"id": by.user_id, "name": by.user_name}
        objects.append({"type": item.type, "id": item.id, "revision": by.revision, "user": user})
    error = ConflictError(
        "edit-conflict",
        f"{'、'.join(sorted(names))}已修改了同一处（方案现为第 {revision} 版）。请查看对方的修改后再试。",
        f"{', '.join(sorted(names))} changed the same place (the plan is at revision {revision}). "
        "Look at that change, then try again.",
    )
    error.where = {"objects": objects, "revision": revision}
    return error
