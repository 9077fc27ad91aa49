"""From files to an exported plan, stage by stage: ``python -m bench.pipeline [--effort fast] [--workers 1 2]``.

Runs the two commands a planner runs, each in a fresh process: ``partition`` on the full demo city, then ``export``
of its grids as GeoJSON. Wall seconds count what the planner waits for; on a shared machine only the CPU seconds of
one worker can be compared. The hash of the export must be the same for every number of workers. A first run,
outside the clock, leaves compiled kernels and byte code behind, as any use of an installation does.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROLES = ("buildings", "households", "compounds", "communities", "roads", "water", "railways")
STAGES = ("read", "cells", "units", "partition", "plan", "check", "write")
AROUND = "start, imports, end"
"""What `partition` takes beside its stages: the interpreter, imports, the end of the workers."""


def main(argv=None):
    """Print one row per stage and a column per number of workers."""
    parser = argparse.ArgumentParser(prog="python -m bench.pipeline", description=__doc__)
    parser.add_argument(
        "--city", type=Path, help="GeoPackage with layers named by role; default: the demo city"
    )
    parser.add_argument("--effort", default="fast")
    parser.add_argument("--workers", type=int, nargs="+", default=[1, 2])
    parser.add_argument("--repeat", type=int, default=3, help="the fastest of so many runs counts")
    args = parser.parse_args(argv)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        city = args.city or demo_city(folder)
        plan_once(
            city, folder, args.effort, 1
        )  # compiles the kernels and fills the disk cache, outside the clock
        best = {}
        for workers in args.workers:
            runs = [plan_once(city, folder, args.effort, workers) for _ in range(args.repeat)]
            best[workers] = min(runs, key=lambda r: r["wall_s"])
    print(table(best, args.effort))


def demo_city(folder):
    """Write the full demo city."""
    from geo.demo import write_city

    write_city("full", folder / "city.gpkg")
    return folder / "city.gpkg"


def plan_once(city, folder, effort, workers):
    """Run both commands; return seconds by stage, wall and CPU seconds in all, and the hash of the export."""
    layers = [f"--layer={role}={city}:{role}" for role in ROLES]
    plan, report, out = folder / "plan.gpkg", folder / "report.json", folder / "grids.geojson"
    options = ["--effort", effort, "--workers", str(workers), "--out", str(plan), "--report", str(report)]
    partition_s, cpu_s = timed(["partition", *layers, *options])
    export_s, more_s = timed(["export", str(plan), "--format", "geojson", "--out", str(out)])
    stages = json.loads(report.read_text(encoding="utf-8"))["seconds"]
    return {
        **stages,
        AROUND: partition_s - sum(stages.values()),
        "export": export_s,
        "wall_s": partition_s + export_s,
        "cpu_s": cpu_s + more_s,
        "sha256": hashlib.sha256(out.read_bytes()).hexdigest(),
    }


def timed(arguments):
    """Run ``python -m geo``; return wall seconds, and CPU seconds of the command without its workers."""
    before, start = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
    installed = {k: v for k, v in os.environ.items() if k != "PYTHONDONTWRITEBYTECODE"}
    subprocess.run([sys.executable, "-m", "geo", *arguments], check=True, capture_output=True, env=installed)
    wall = time.perf_counter() - start
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return wall, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def table(runs, effort):
    """Return the Markdown table: a row per stage, a column per number of workers."""
    names = [name for name in (*STAGES, AROUND, "export") if any(name in run for run in runs.values())]
    head = f"| wall s, effort {effort} | " + " | ".join(f"{w} worker{'s' * (w > 1)}" for w in runs) + " |"
    lines = [head, "|---" * (len(runs) + 1) + "|"]
    lines += [
        f"| {name} | " + " | ".join(f"{r.get(name, 0):.2f}" for r in runs.values()) + " |" for name in names
    ]
    lines.append(
        "| **files to exported plan** | " + " | ".join(f"{r['wall_s']:.2f}" for r in runs.values()) + " |"
    )
    lines.append(
        "| CPU s, workers not counted | " + " | ".join(f"{r['cpu_s']:.2f}" for r in runs.values()) + " |"
    )
    hashes = {run["sha256"] for run in runs.values()}
    same = f"the same bytes, sha256 {hashes.pop()}" if len(hashes) == 1 else "DIFFERENT BYTES"
    return "\n".join(lines) + f"\n\ngrids.geojson: {same}"


if __name__ == "__main__":
    main()
