"""Who can undo and redo what: the log of a plan read as one linear history, each author with their own stacks.

The log only grows. An undo is an entry of its own, which names the edit that it takes back; so is a redo.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Iterable

UNDO, REDO = "undo", "redo"


class Logged(Protocol):
    """What the log says of one committed change."""

    @property
    def revision(self) -> int:
        """Number of the plan after it, from 1."""

    @property
    def user_id(self) -> str | None:
        """Its author."""

    @property
    def undoes(self) -> int | None:
        """Revision of the edit that is taken back; None for anything but an undo."""

    @property
    def redoes(self) -> int | None:
        """Revision of the edit that is made again, however often it was undone; None for anything but a redo."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One committed change of a plan, as `Logged` says."""

    revision: int
    user_id: str | None
    undoes: int | None = None
    redoes: int | None = None


class History:
    """The log as far as undo needs it: for each author the edits in force and those taken back.

    A number a revision is all that is kept, and one more revision costs the same however long the log is.

    Parameters
    ----------
    log
        From its beginning, the earliest first.

    Raises
    ------
    ValueError
        As `add`.
    """

    def __init__(self, log: Iterable[Logged] = ()) -> None:
        self.head = 0
        self._stacks: dict[str | None, tuple[list[int], list[int]]] = {}
        for entry in log:
            self.add(entry)

    def add(self, entry: Logged) -> None:
        """Take over the next entry; a new edit empties what its author can redo, and nobody else's.

        Raises
        ------
        ValueError
            The entry does not follow, or takes another edit than its author's next. Nothing is taken over.
        """
        if entry.revision != self.head + 1:
            raise ValueError(f"revision {entry.revision} does not follow {self.head}")
        if entry.undoes is not None and entry.redoes is not None:
            raise ValueError(f"revision {entry.revision} undoes and redoes")
        done, back = self._stacks.setdefault(entry.user_id, ([], []))
        if entry.undoes is not None:
            back.append(_taken(entry.undoes, done, entry.revision))
        elif entry.redoes is not None:
            done.append(_taken(entry.redoes, back, entry.revision))
        else:
            done.append(entry.revision)
            back.clear()
        self.head = entry.revision

    def next(self, kind: str, user_id: str | None) -> int | None:
        """Return the revision that the next undo or redo of an author takes.

        Undo is not limited. The inverse of that edit may not fit any more, when others changed the same objects
        later: `geo.editing.conflict.conflicts` with ``whole=False`` names them.

        Parameters
        ----------
        kind
            `UNDO`: the last edit in force; `REDO`: what was taken back last, none after a new edit.

        Returns
        -------
        None when there is nothing to take back, or to make again.
        """
        done, back = self._stacks.get(user_id, ((), ()))
        stack = done if kind == UNDO else back
        return stack[-1] if stack else None


def _taken(revision: int, stack: list[int], by: int) -> int:
    if not stack or stack[-1] != revision:
        raise ValueError(f"revision {revision} is not the next for revision {by} to undo or redo")
    return stack.pop()
