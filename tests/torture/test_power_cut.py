"""A power cut: the end of SQLite's log may be cut off, or hold anything, behind the last commit that was synced.

An edit is acknowledged after its commit was synced, so everything up to there is as it was written; of what lies
behind, any part may have reached the disk, in any order. ``kill -9`` does not show this: the system's cache
survives it. The position of the last commit is read from the log itself, whose frames an earlier round may have
left behind the end.
"""

from __future__ import annotations

import random
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
from torture_make import Place, replayed
from torture_server import light_edit

from geo.editing.edits import to_document
from geo.errors import GeoError
from web.auth.people import User
from web.services.books import Books
from web.services.editing import Editing
from web.services.grounds import Grounds
from web.settings import Settings
from web.store import Stores

HEADER, FRAME = 32, 24
CUTS_A_STATE = 10
SECTOR = 512
WRITER = User(name="writer", id="1" * 32)
Damage = Callable[[bytes, int, random.Random], bytes]


class NoDesk:
    """Nobody asks for heavy edits here."""

    def resolve(self, *_: object) -> None:
        raise AssertionError


def committed(log: bytes) -> int:
    """Return where the last commit of a log ends, in bytes."""
    size, salts = int.from_bytes(log[8:12], "big"), log[16:24]
    end = at = HEADER
    while at + FRAME + size <= len(log) and log[at + 8 : at + 16] == salts:
        at += FRAME + size
        if log[at - FRAME - size + 4 : at - size - 16] != b"\0" * 4:
            end = at
    return end


def cut(log: bytes, safe: int, rng: random.Random) -> bytes:
    """Nothing behind a byte was written."""
    return log[: rng.randint(safe, len(log))]


def garbled(log: bytes, safe: int, rng: random.Random) -> bytes:
    """Behind a byte the disk holds anything."""
    at = rng.randint(safe, len(log))
    return log[:at] + rng.randbytes(len(log) - at)


def zeroed(log: bytes, safe: int, rng: random.Random) -> bytes:
    """The file was made longer, its content not written."""
    at = rng.randint(safe, len(log))
    return log[:at] + bytes(len(log) - at)


def torn(log: bytes, safe: int, rng: random.Random) -> bytes:
    """Some sectors were written and some were not, in no order."""
    found = bytearray(log)
    for at in range(safe - safe % SECTOR + SECTOR, len(log), SECTOR):
        if rng.random() < 0.3:
            found[at : at + SECTOR] = rng.randbytes(len(found[at : at + SECTOR]))
    return bytes(found)


def flipped(log: bytes, safe: int, rng: random.Random) -> bytes:
    """One bit is wrong."""
    found = bytearray(log)
    if safe < len(log):
        found[rng.randrange(safe, len(log))] ^= 1 << rng.randrange(8)
    return bytes(found)


DAMAGES: tuple[Damage, ...] = (cut, garbled, zeroed, torn, flipped)


@dataclass(frozen=True)
class State:
    """The files of a database that may be found after a power cut."""

    database: bytes
    log: bytes
    safe: int
    """Bytes of the log that are on the disk for sure."""
    ops: tuple[str, ...]
    """Operations acknowledged when the log was so long."""


class Writer:
    """Edits a plan through the service's own classes."""

    def __init__(self, place: Place) -> None:
        self._place = place
        self.stores = place.stores()
        self._books = Books(self.stores.plans, Grounds(place.dataset.parent), memory_bytes=2**28)
        self._editing = Editing(self._books, NoDesk(), lambda: None)  # type: ignore[arg-type]
        self._rng = np.random.default_rng(5)
        self.ops: list[str] = []
        self.states = [place.start.assignment]
        """Where the cells are at each revision."""

    def edit(self, count: int) -> None:
        """Commit edits; whatever is refused is not counted."""
        wanted = len(self.ops) + count
        while len(self.ops) < wanted:
            plan, base = self._books.current(self._place.plan)[1:]
            op_id = f"power-{len(self.ops):05d}-{self._rng.integers(10**9)}"
            document = to_document(light_edit(plan, self._rng))
            try:
                self._editing.edit(self._place.plan, WRITER, op_id=op_id, base=base, document=document)
            except GeoError:
                continue
            self.ops.append(op_id)
            self.states.append(self._books.current(self._place.plan)[1].assignment)

    def state(self, more: int) -> State | None:
        """Commit `more` edits whose end may get lost; None when the log began anew meanwhile."""
        path = self.stores.database.path
        wal = path.with_name(path.name + "-wal")
        self.edit(1)
        before, first, ops = path.read_bytes(), wal.read_bytes(), tuple(self.ops)
        self.edit(more)
        log = wal.read_bytes()
        if path.read_bytes() != before or log[:HEADER] != first[:HEADER]:
            return None
        safe = committed(first)
        assert log[:safe] == first[:safe]
        return State(before, log, safe, ops)

    def close(self) -> None:
        self._books.close()
        self.stores.close()


@pytest.fixture
def writer(place: Place) -> Iterator[Writer]:
    made = Writer(place)
    yield made
    made.close()


def opened(state: State, log: bytes, folder: Path) -> Stores:
    """Open what the power cut left, as a server that starts does."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    (folder / "wangge.db").write_bytes(state.database)
    (folder / "wangge.db-wal").write_bytes(log)
    return Stores.open(Settings(data_dir=folder))


def hold(stores: Stores, place: Place, state: State, writer: Writer) -> int:
    """Hold what was found against what was acknowledged; return how many edits more there are."""
    with stores.database.reading() as connection:
        assert connection.exec_driver_sql("PRAGMA integrity_check").scalar() == "ok"
        assert connection.exec_driver_sql("PRAGMA foreign_key_check").first() is None
    revision = stores.plans.verify_chain(place.plan)
    stores.audit.verify()
    log = stores.plans.edits(place.plan, limit=10**9)
    assert [edit.op_id for edit in log] == writer.ops[:revision]
    assert tuple(writer.ops[:revision])[: len(state.ops)] == state.ops
    assert np.array_equal(replayed(place.start, log).assignment, writer.states[revision])
    return revision - len(state.ops)


@pytest.mark.parametrize("cuts", [25, pytest.param(400, marks=pytest.mark.torture)])
def test_a_power_cut_loses_no_acknowledged_edit(
    place: Place, writer: Writer, tmp_path: Path, cuts: int
) -> None:
    rng = random.Random(cuts)  # noqa: S311 - no secret
    folder = tmp_path / "after"
    done = further = anew = 0
    while done < cuts:
        state = writer.state(rng.randint(1, 12))
        if state is None:
            anew += 1
            continue
        for damage in (rng.choice(DAMAGES) for _ in range(min(CUTS_A_STATE, cuts - done))):
            stores = opened(state, damage(state.log, state.safe, rng), folder)
            try:
                further += hold(stores, place, state, writer)
            finally:
                stores.close()
            done += 1
    print(
        f"\n{cuts} power cuts on {len(writer.ops)} edits: 0 acknowledged lost, 0 unopenable; "
        f"{further} edits more were found whole; the log began anew {anew} times"
    )
    assert further  # what was damaged was written: the cuts went through it
