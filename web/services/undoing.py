"""Which edit an author takes back, or brings back, next: read from the log alone, so that it is without limit."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Iterable

UNDO, REDO = "undo", "redo"


class Logged(Protocol):
    """What the log says of one revision."""

    @property
    def revision(self) -> int:
        """Number of the revision, from 1."""

    @property
    def user_id(self) -> str | None:
        """Who made it."""

    @property
    def undoes(self) -> int | None:
        """Revision that an undo takes back."""

    @property
    def redoes(self) -> int | None:
        """Revision that a redo brings back."""


class Steps:
    """Two stacks of revisions for each author: edits in force, and edits taken back.

    A number a revision is all that is kept, and one more revision costs the same however long the log is.

    Parameters
    ----------
    log
        From its beginning, the earliest first.
    """

    def __init__(self, log: Iterable[Logged] = ()) -> None:
        self._stacks: dict[str | None, tuple[list[int], list[int]]] = {}
        for entry in log:
            self.add(entry)

    def add(self, entry: Logged) -> None:
        """Take over the next revision."""
        done, back = self._stacks.setdefault(entry.user_id, ([], []))
        if entry.undoes is not None:
            back.append(done.pop())
        elif entry.redoes is not None:
            done.append(back.pop())
        else:
            done.append(entry.revision)
            back.clear()

    def next(self, kind: str, user_id: str | None) -> int | None:
        """Return the revision that an undo or a redo of an author takes.

        Parameters
        ----------
        kind
            `UNDO`: the last edit in force; `REDO`: what was taken back last, none after a new edit.

        Returns
        -------
        None when there is nothing to take back, or to bring back.
        """
        done, back = self._stacks.get(user_id, ((), ()))
        stack = done if kind == UNDO else back
        return stack[-1] if stack else None
