"""A disk that takes nothing more: an edit answers 507, reading goes on, and with room work goes on as before.

Twice the same: a limit on the size of files that the running server may write, which needs no rights, and, where
file systems may be mounted, a small one that is filled to its last byte.
"""

from __future__ import annotations

import contextlib
import errno
import os
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Protocol

import psutil
import pytest
from torture_make import Place, assert_same, assert_tiles, assert_whole, replayed
from torture_server import Client, Editor, Mirror, RefusedError, Server, serving

DISK_MB = 24
MOST_TRIES = 3000
"""Edits until a full disk must have been noticed: the log of SQLite begins anew before it is 8 MB long."""


class Disk(Protocol):
    """Where the data folder is."""

    def fill(self) -> None:
        """Leave no room."""

    def free(self) -> None:
        """Make room again."""


class Mounted:
    """A file system of its own that is filled with a file."""

    def __init__(self, folder: Path, server: Server) -> None:
        self._filler = folder / "filler"

    def fill(self) -> None:
        with self._filler.open("ab", buffering=0) as file:
            for size in (2**16, 2**12, 1):
                with contextlib.suppress(OSError):
                    while True:
                        file.write(b"x" * size)

    def free(self) -> None:
        self._filler.unlink()


class Limited:
    """The server may not make a file longer than the log of its database is."""

    def __init__(self, folder: Path, server: Server) -> None:
        self._wal = folder / "data" / "wangge.db-wal"
        self._process = server.worker

    def fill(self) -> None:
        self._process.rlimit(psutil.RLIMIT_FSIZE, (self._wal.stat().st_size, psutil.RLIM_INFINITY))

    def free(self) -> None:
        self._process.rlimit(psutil.RLIMIT_FSIZE, (psutil.RLIM_INFINITY, psutil.RLIM_INFINITY))


@contextlib.contextmanager
def mounted(folder: Path) -> Iterator[None]:
    """Have a small file system at a folder."""
    options = f"size={DISK_MB}m"
    subprocess.run(["mount", "-t", "tmpfs", "-o", options, "tmpfs", str(folder)], check=True)
    try:
        yield
    finally:
        subprocess.run(["umount", "--lazy", str(folder)], check=True)


def may_mount() -> bool:
    """Whether this process may mount a file system."""
    if os.geteuid() != 0:
        return False
    with tempfile.TemporaryDirectory() as folder:
        try:
            with mounted(Path(folder)):
                return True
        except (OSError, subprocess.CalledProcessError):
            return False


DISKS = {"limited": Limited} | ({"mounted": Mounted} if may_mount() else {})


@pytest.fixture(params=list(DISKS))
def disk_kind(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def folder(disk_kind: str, tmp_path: Path) -> Iterator[Path]:
    """A folder on the disk."""
    found = tmp_path / "disk"
    found.mkdir()
    with mounted(found) if disk_kind == "mounted" else contextlib.nullcontext():
        yield found


def edited_until_full(editor: Editor) -> RefusedError:
    """Edit until the answer is 507."""
    for _ in range(MOST_TRIES):
        try:
            editor.step()
        except RefusedError as refused:
            return refused
    raise AssertionError("the full disk was never noticed")


def assert_said_plainly(refused: RefusedError) -> None:
    """The answer tells the planner what happened, in both languages."""
    assert (refused.status, refused.problem["code"]) == (507, "storage-full"), refused
    assert "没有保存" in refused.problem["detail_zh"]
    assert "not saved" in refused.problem["detail_en"]


def assert_read(mirror: Mirror, client: Client) -> None:
    """Everything can still be read, and is what was acknowledged."""
    mirror.assert_served(client)
    for path in ("", "/loads", "/versions", "/comments", "/presence", "/edits?since=0"):
        assert client.raw("GET", mirror.base + path)[0] == 200, path
    assert client.ask("GET", "/health")[0] == 200
    assert client.raw("POST", f"{mirror.base}/preview", {"base": 0, "edit": {"kind": "repair"}})[0] < 600


@pytest.mark.parametrize("rounds", [1, pytest.param(20, marks=pytest.mark.torture)])
def test_a_full_disk_refuses_edits_and_nothing_else(
    place_at: Callable[[Path], Place], folder: Path, tmp_path: Path, disk_kind: str, rounds: int
) -> None:
    place = place_at(folder / "data")
    mirror = Mirror(place)
    known: dict[str, int] = {}
    with serving(place.data) as server, Client(server.port) as client:
        disk: Disk = DISKS[disk_kind](folder, server)
        editor = Editor(mirror, client, "full", rounds)
        for _ in range(rounds):
            while len(editor.acked) - len(known) < 20:
                editor.step()
            disk.fill()
            refused = edited_until_full(editor)
            assert_said_plainly(refused)
            known = {one.op_id: one.revision for one in editor.acked}
            assert_read(mirror, client)
            again = client.ask("POST", f"{mirror.base}/{refused.path}", refused.body)
            if again[0] == 507:  # else the log of the database had begun anew, with room in it
                assert {row.op_id: row.revision for row in mirror.rows} == known
            disk.free()
            editor.open.clear()
            assert editor.send(refused.path, refused.body), "the edit that found no room is made now"
            mirror.assert_served(client)
            known = {one.op_id: one.revision for one in editor.acked}
            assert {row.op_id: row.revision for row in mirror.rows} == known
    log = place.log()
    assert {edit.op_id: edit.revision for edit in log} == known
    assert_same(mirror.plan, replayed(place.start, log))
    assert_whole(mirror.plan, place.start)
    assert_tiles(place.dataset, mirror.plan, tmp_path)


def test_a_limit_is_an_error_of_its_kind(tmp_path: Path) -> None:
    """The limit on sizes fails as a full disk does, with an error instead of a signal."""
    script = (
        "import resource, sys; resource.setrlimit(resource.RLIMIT_FSIZE, (10, -1));"
        "open(sys.argv[1], 'wb', buffering=0).write(b'x' * 10);"
        "open(sys.argv[1], 'ab', buffering=0).write(b'x')"
    )
    ended = subprocess.run(
        [os.sys.executable, "-c", script, str(tmp_path / "file")], capture_output=True, text=True, check=False
    )
    assert os.strerror(errno.EFBIG) in ended.stderr
