"""One engine in a process of its own: ``python -m bench.partition.child NAME INSTANCE OUT BUDGET``.

Imports and the loading of compiled code are not counted, for anybody; turning the parts into the engine's own
graph is.
"""

from __future__ import annotations

import importlib
import json
import pickle
import resource
import sys
import time
from pathlib import Path

import numpy as np

from bench.partition.peers import PEERS, solve_part


def main(name, instance_path, out_path, budget_s):
    """Solve, and write labels and cost as JSON; the count of finished parts is written on the way."""
    peer = PEERS[name]
    importlib.import_module(peer.module)
    instance = pickle.loads(Path(instance_path).read_bytes())  # noqa: S301 - written by the parent
    out = Path(out_path)
    if peer.solve is None:
        _warm(instance)
    limit = int(time.process_time() + budget_s) + 1
    resource.setrlimit(resource.RLIMIT_CPU, (limit, limit))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    cpu, wall = _cpu(), time.perf_counter()
    label = _ours(instance, peer) if peer.solve is None else _theirs(instance, peer, out, cpu + budget_s)
    cost = {"cpu_s": _cpu() - cpu, "wall_s": time.perf_counter() - wall, "mb": peak_mb()}
    out.write_text(json.dumps({"label": label.tolist(), **cost}))


def _ours(instance, peer):
    from geo.partition import partition

    return partition(instance.units, instance.standard(), seed=0, effort=peer.effort).grid_of_unit


def _warm(instance):
    """Load the compiled kernels from their cache."""
    from geo.partition import partition

    partition(instance.units, instance.standard(), effort=0.001)


def _theirs(instance, peer, out, deadline):
    label = np.zeros(instance.units.n, np.int64)
    offset = 0
    for done, part in enumerate(instance.parts):
        if _cpu() > deadline:
            sys.exit(TOO_LONG)
        mine = solve_part(peer, part)
        label[part.rows] = mine + offset
        offset += int(mine.max()) + 1
        out.with_suffix(".done").write_text(str(done + 1))
    return label


TOO_LONG = 75
"""Exit status of an engine that ran out of time between two parts."""


def _cpu():
    """Return CPU seconds of this process and of the programs it ran."""
    ran = resource.getrusage(resource.RUSAGE_CHILDREN)
    return time.process_time() + ran.ru_utime + ran.ru_stime


def peak_mb():
    """Return the peak resident memory in MB.

    `ru_maxrss` would do, but Linux hands a new process the peak of the one that started it.
    """
    try:
        status = Path("/proc/self/status").read_text()
        return int(status.split("VmHWM:")[1].split()[0]) / 1024
    except (OSError, IndexError):
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], sys.argv[3], float(sys.argv[4]))
