"""The fences around the process that reads uploads hold: files, network, links, drivers."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from web.jobs import landlock, sandbox

TRY = """
import json, os, socket, sys
from pathlib import Path
from web.jobs import sandbox
inside, canary, port = Path(sys.argv[1]), Path(sys.argv[2]), int(sys.argv[3])
sandbox.confine(read=[], write=[inside])
def attempt(action):
    try:
        action()
    except OSError as error:
        return type(error).__name__
    return "done"
def connect():
    socket.create_connection(("127.0.0.1", port), timeout=2).close()
def rename():
    (inside / "folder").mkdir()
    (inside / "folder" / "a").write_text("x")
    (inside / "folder" / "a").replace(inside / "b")
print(json.dumps({
    "read_canary": attempt(lambda: canary.read_text()),
    "read_passwd": attempt(lambda: Path("/etc/passwd").read_text()),
    "list_home": attempt(lambda: os.listdir("/root")),
    "write_outside": attempt(lambda: (canary.parent / "new").write_text("x")),
    "link": attempt(lambda: (inside / "link").symlink_to(canary)),
    "run": attempt(lambda: os.execv("/bin/true", ["true"])),
    "connect": attempt(connect),
    "write_inside": attempt(lambda: (inside / "c").write_text("x")),
    "rename_inside": attempt(rename),
}))
"""


@pytest.fixture
def fenced() -> None:
    if not landlock.available():
        if os.environ.get("CI") == "true":
            pytest.fail("this kernel has no Landlock; CI needs one that has")
        pytest.skip("this kernel has no Landlock")


def test_a_confined_process_reaches_nothing_outside(fenced: None, tmp_path: Path) -> None:
    inside = tmp_path / "inside"
    inside.mkdir()
    canary = tmp_path / "canary.txt"
    canary.write_text("CANARY")
    with socket.create_server(("127.0.0.1", 0)) as server:
        command = [sys.executable, "-c", TRY, str(inside), str(canary), str(server.getsockname()[1])]
        done = subprocess.run(command, cwd=sandbox.ROOT, capture_output=True, text=True, check=True)
    tried = json.loads(done.stdout)
    assert tried.pop("write_inside") == "done"
    assert tried.pop("rename_inside") == "done"
    assert "done" not in tried.values(), tried


def test_a_job_sees_only_its_own_environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SECRET_TOKEN", "x")
    given = sandbox.environment(out=tmp_path, numba_cache=tmp_path)
    assert "SECRET_TOKEN" not in given
    assert "OGR_VRT" in given["GDAL_SKIP"].split(",")


def test_only_needed_drivers_are_left(tmp_path: Path) -> None:
    code = "import json, pyogrio; print(json.dumps(list(pyogrio.list_drivers())))"
    given = sandbox.environment(out=tmp_path, numba_cache=tmp_path)
    done = subprocess.run([sys.executable, "-c", code], env=given, capture_output=True, text=True, check=True)
    left = set(json.loads(done.stdout))
    assert {"GPKG", "GeoJSON", "ESRI Shapefile"} <= left <= sandbox.DRIVERS
    with pytest.raises(PermissionError, match="OGR_VRT"):
        sandbox.check_drivers([*left, "OGR_VRT"])


def test_an_operation_gets_no_other_drivers_than_its_own(tmp_path: Path) -> None:
    """Tiles are drawn of our own dataset; what reads uploads has neither of their drivers."""
    skipped = {
        name: set(
            sandbox.environment(out=tmp_path, numba_cache=tmp_path, operation=name)["GDAL_SKIP"].split(",")
        )
        for name in ("inspect", "plan", "tiles")
    }
    assert skipped["inspect"] == skipped["plan"]
    assert skipped["plan"] - skipped["tiles"] == sandbox.ALSO["tiles"] == {"PMTiles", "SQLite"}
    sandbox.check_drivers(sandbox.DRIVERS | {"PMTiles"}, "tiles")
    with pytest.raises(PermissionError, match="PMTiles"):
        sandbox.check_drivers(sandbox.DRIVERS | {"PMTiles"}, "plan")


def test_a_process_whose_parent_is_gone_ends_at_once() -> None:
    code = "from web.jobs import sandbox; sandbox.die_with_parent(1); print('went on')"
    command = [sys.executable, "-c", code]
    done = subprocess.run(command, check=False, cwd=sandbox.ROOT, capture_output=True, text=True)
    assert (done.returncode, done.stdout) == (1, "")


def test_limits_of_the_kernel_are_set() -> None:
    code = (
        "import resource; from web.jobs import sandbox;"
        "sandbox.limit({'memory_mb': 900, 'cpu_s': 9, 'file_mb': 8, 'files': 64});"
        "print(resource.getrlimit(resource.RLIMIT_AS)[0] >> 20, resource.getrlimit(resource.RLIMIT_CPU)[0])"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=sandbox.ROOT, capture_output=True, text=True, check=True
    )
    assert done.stdout.split() == ["900", "9"]


def test_a_job_stands_behind_the_server_in_the_line_for_processors() -> None:
    """And so does everything that it starts."""
    script = (
        "import os; from multiprocessing import get_context as c; from web.jobs import sandbox;"
        "before = os.nice(0); sandbox.give_way(); pool = c('fork').Pool(1);"
        "print(os.nice(0) - before, pool.apply(os.nice, (0,)) - before,"
        "os.sched_getscheduler(0) == os.SCHED_BATCH); pool.terminate()"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    behind, started_behind, batch = done.stdout.split()
    assert 0 < int(behind) == int(started_behind)
    assert batch == "True"
