"""Limit the process that reads uploads, before it reads anything.

Five fences, each of which stops something the others do not: our own file names (web.services.uploads),
screening (web.jobs.screen), few drivers (`environment`), limits of the kernel (`limit`) and Landlock
(`confine`). Only the standard library is imported here.
"""

from __future__ import annotations

import contextlib
import ctypes
import json
import mimetypes
import os
import resource
import signal
import subprocess
import sys
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from web.jobs import landlock

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

ROOT = Path(__file__).resolve().parent.parent.parent

DRIVERS = frozenset({"ESRI Shapefile", "GPKG", "GeoJSON", "MEM", "Memory"})
"""The only GDAL drivers a job keeps."""

ALSO = {"tiles": frozenset({"PMTiles", "SQLite"})}
"""Further drivers by operation. Tiles are drawn of a dataset of ours; no upload is read by GDAL then."""

CODE = tuple(ROOT / name for name in ("geo", "web", "data"))
SYSTEM = tuple(
    Path(name)
    for name in (
        "/usr/lib",
        "/usr/lib64",
        "/lib",
        "/lib64",
        "/usr/local/lib",
        "/usr/share/zoneinfo",
        "/usr/share/locale",
        "/etc/ld.so.cache",
        "/etc/localtime",
        "/dev/urandom",
        "/sys/devices/system/cpu",
        "/proc/self",
        "/proc/cpuinfo",
        "/proc/meminfo",
        "/proc/sys/vm/overcommit_memory",
        *mimetypes.knownfiles,
    )
)
BACKGROUND = 10
"""How far behind the server, and whatever else is not in the background, a job stands in line for processors."""
STAYING = 5
"""The same for a process that stays: somebody may wait for its answer, but no page waits because of it."""
PR_SET_PDEATHSIG = 1
CLONE_NEWUSER = 0x10000000
CLONE_NEWNET = 0x40000000

UNREACHABLE = "127.0.0.1:9"


def environment(*, out: Path, numba_cache: Path, operation: str = "") -> dict[str, str]:
    """Return the whole environment of a job: nothing of the server's own leaks into it."""
    unwanted = [name for name in unwanted_drivers() if name not in ALSO.get(operation, ())]
    kept = {name: os.environ[name] for name in ("PATH", "LD_LIBRARY_PATH") if name in os.environ}
    return kept | {
        "LANG": "C.UTF-8",
        "LC_ALL": "C.UTF-8",
        "TZ": "UTC",
        "HOME": str(out),
        "TMPDIR": str(out),
        "PYTHONDONTWRITEBYTECODE": "1",
        "PYTHONHASHSEED": "0",
        "NUMBA_CACHE_DIR": str(numba_cache),
        "OMP_NUM_THREADS": "1",
        "OPENBLAS_NUM_THREADS": "1",
        "GDAL_SKIP": ",".join(unwanted),
        "GDAL_DISABLE_READDIR_ON_OPEN": "TRUE",
        "GDAL_HTTP_PROXY": UNREACHABLE,
        "CPL_VSIL_CURL_ALLOWED_EXTENSIONS": "{none}",
        "OGR_SQLITE_LOAD_EXTENSIONS": "NO",
        "SPATIALITE_SECURITY": "strict",
        "PROJ_NETWORK": "OFF",
    }


@cache
def unwanted_drivers() -> tuple[str, ...]:
    """Return every vector driver of this GDAL except `DRIVERS`, asked once in a process of its own."""
    asking = "import json, pyogrio; print(json.dumps(list(pyogrio.list_drivers())))"
    command = [sys.executable, "-c", f"import os; os.nice({BACKGROUND}); {asking}"]
    listed = subprocess.run(command, capture_output=True, check=True, timeout=60)  # noqa: S603 - a fixed command
    return tuple(sorted(set(json.loads(listed.stdout)) - DRIVERS))


def check_drivers(registered: Iterable[str], operation: str = "") -> None:
    """Refuse to go on if a driver is left that should be gone.

    Raises
    ------
    PermissionError
        Names the drivers.
    """
    left = sorted(set(registered) - DRIVERS - ALSO.get(operation, frozenset()))
    if left:
        raise PermissionError(f"GDAL drivers not switched off: {', '.join(left)}")


def limit(limits: Mapping[str, int]) -> None:
    """Set limits of the kernel: ``memory_mb``, ``cpu_s``, ``file_mb``, ``files``."""
    megabyte = 1024 * 1024
    wanted = {
        resource.RLIMIT_AS: limits["memory_mb"] * megabyte,
        resource.RLIMIT_CPU: limits["cpu_s"],
        resource.RLIMIT_FSIZE: limits["file_mb"] * megabyte,
        resource.RLIMIT_NOFILE: limits["files"],
        resource.RLIMIT_CORE: 0,
    }
    for kind, value in wanted.items():
        hard = resource.getrlimit(kind)[1]
        value = value if hard == resource.RLIM_INFINITY else min(value, hard)  # noqa: PLW2901
        resource.setrlimit(kind, (value, value))


def give_way(behind: int = BACKGROUND) -> None:
    """Let whoever waits for an answer go first; to be called before this process starts any other.

    A job gets what processors are free, so that edits are answered as fast while it runs.
    """
    os.nice(behind)
    if behind == BACKGROUND and hasattr(os, "SCHED_BATCH"):  # it does not interrupt others when it wakes
        with contextlib.suppress(OSError):
            os.sched_setscheduler(0, os.SCHED_BATCH, os.sched_param(0))
    # Where the kernel shares processors out by session, only the session's own standing counts.
    with contextlib.suppress(OSError):
        Path("/proc/self/autogroup").write_text(f"{behind}\n", encoding="ascii")


def die_with_parent(parent: int) -> None:
    """End this process when the one that started it ends, however that happens.

    The kernel watches the thread that started it; those of the runner wait for their processes.

    Parameters
    ----------
    parent
        Number of the process that started this one: it may have ended before the kernel was asked to watch it.
    """
    if sys.platform.startswith("linux"):
        ctypes.CDLL(None, use_errno=True).prctl(PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
    if os.name == "posix" and os.getppid() != parent:
        os._exit(1)


def confine(*, read: Iterable[Path], write: Iterable[Path], connect: Iterable[int] = ()) -> None:
    """Take away the network, and every file but these, our code and the libraries.

    Parameters
    ----------
    connect
        TCP ports that stay reachable, for a process that works on a cluster. It keeps the machine's network then,
        and Landlock alone stops everything else over TCP; see docs/scaling.md.

    Raises
    ------
    PermissionError
        If a port shall stay reachable and this kernel cannot stop all others.
    """
    ports = tuple(connect)
    if ports and landlock.abi() < landlock.NET_ABI:
        raise PermissionError("this kernel's Landlock cannot fence TCP ports")
    if not ports:
        leave_network()
    if not landlock.available():
        return
    prefixes = {Path(prefix).resolve() for prefix in (sys.prefix, sys.base_prefix)}
    libraries = [prefix / part for prefix in prefixes for part in ("lib", "lib64", "pyvenv.cfg", "share")]
    devices = [Path("/dev/null")]
    landlock.restrict(read=[*SYSTEM, *CODE, *libraries, *read], write=[*devices, *write], connect=ports)


def leave_network() -> bool:
    """Move this process to a network of its own, with nothing in it; False where the kernel forbids it.

    Landlock stops TCP only; a name lookup is UDP.
    """
    if not sys.platform.startswith("linux"):
        return False
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.unshare(CLONE_NEWNET) == 0:
        return True
    return bool(libc.unshare(CLONE_NEWUSER | CLONE_NEWNET) == 0)
