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
    def kind(self) -> str:
        """``undo``, ``redo`` or the kind of the edit."""

    @property
    def user_id(self) -> str | None:
        """Who made it."""

    @property
    def undoes(self) -> int | None:
        """Revision that an undo takes back."""

    @property
    def redoes(self) -> int | None:
        """Revision that a redo brings back."""


def to_undo(newest_first: Iterable[Logged], user_id: str | None) -> int | None:
    """Return the revision of an author's last edit that is in force; None when all are taken back.

    Parameters
    ----------
    newest_first
        The log backwards, down to its beginning; read only as far as needed.
    """
    taken_back: dict[int, bool] = {}
    for entry in newest_first:
        if entry.user_id != user_id:
            continue
        if entry.undoes is not None:
            taken_back.setdefault(entry.undoes, True)
        elif entry.redoes is not None:
            taken_back.setdefault(entry.redoes, False)
        elif not taken_back.get(entry.revision, False):
            return entry.revision
    return None


def to_redo(newest_first: Iterable[Logged], user_id: str | None) -> int | None:
    """Return the revision that an author took back last and has not brought back; None after a new edit.

    Parameters
    ----------
    newest_first
        As for `to_undo`.
    """
    brought_back: set[int] = set()
    for entry in newest_first:
        if entry.user_id != user_id:
            continue
        if entry.redoes is not None:
            brought_back.add(entry.redoes)
        elif entry.undoes is None:
            return None
        elif entry.undoes in brought_back:
            brought_back.discard(entry.undoes)
        else:
            return entry.undoes
    return None
