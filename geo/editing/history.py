"""Who can undo and redo what: the log of a plan read as one linear history, each author with their own stack.

The log only grows. An undo is an entry of its own, which names the edit that it takes back; so is a redo.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

Stacks = dict[str, tuple[int, ...]]


@dataclass(frozen=True, slots=True)
class Entry:
    """One committed change of a plan.

    Attributes
    ----------
    revision
        Of the plan after it, from 1.
    author
        Id of the user.
    undoes, redoes
        Revision of the edit that is taken back, or made again; None for an edit. Both name the edit itself, however
        often it was undone and redone.
    """

    revision: int
    author: str
    undoes: int | None = None
    redoes: int | None = None


@dataclass(frozen=True)
class History:
    """The log as far as undo needs it.

    Attributes
    ----------
    head
        Revision of the last entry, 0 for none.
    done, undone
        Revisions of edits by the author who made them; last is the one to undo, or to redo, next.
    """

    head: int = 0
    done: Mapping[str, tuple[int, ...]] = field(default_factory=dict)
    undone: Mapping[str, tuple[int, ...]] = field(default_factory=dict)

    def after(self, entry: Entry) -> History:
        """Return the history with one more entry.

        A new edit empties what its author can redo, and nobody else's.

        Raises
        ------
        ValueError
            The entry does not follow, or undoes what is not done, or redoes what is not undone.
        """
        if entry.revision != self.head + 1:
            raise ValueError(f"revision {entry.revision} does not follow {self.head}")
        done, undone = dict(self.done), dict(self.undone)
        if entry.undoes is not None and entry.redoes is not None:
            raise ValueError(f"revision {entry.revision} undoes and redoes")
        if entry.undoes is not None:
            _move(entry.undoes, done, undone)
        elif entry.redoes is not None:
            _move(entry.redoes, undone, done)
        else:
            done[entry.author] = (*done.get(entry.author, ()), entry.revision)
            undone.pop(entry.author, None)
        return History(entry.revision, done, undone)


def history_of(log: Iterable[Entry]) -> History:
    """Read a whole log, in the order of its revisions; raises ValueError as `History.after`."""
    history = History()
    for entry in log:
        history = history.after(entry)
    return history


def undo_of(log: History | Iterable[Entry], author: str) -> int | None:
    """Return the revision of the edit that an author's next undo takes back; None when there is none.

    Undo is not limited. The inverse of that edit may not fit any more, when others changed the same objects later:
    `geo.editing.conflict.conflicts` with ``whole=False`` names them.
    """
    return _last(_history(log).done, author)


def redo_of(log: History | Iterable[Entry], author: str) -> int | None:
    """Return the revision of the edit that an author's next redo makes again; None when there is none."""
    return _last(_history(log).undone, author)


def _history(log: History | Iterable[Entry]) -> History:
    return log if isinstance(log, History) else history_of(log)


def _last(stacks: Mapping[str, tuple[int, ...]], author: str) -> int | None:
    mine = stacks.get(author, ())
    return mine[-1] if mine else None


def _move(revision: int, source: Stacks, target: Stacks) -> None:
    """Move an edit from its author's one stack to the other."""
    for author, stack in source.items():
        if revision in stack:
            source[author] = tuple(r for r in stack if r != revision)
            target[author] = (*target.get(author, ()), revision)
            return
    raise ValueError(f"revision {revision} is not there to be undone or redone")
