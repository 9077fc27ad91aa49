"""Prepare the instance, run every engine in a process of its own, judge and report."""

from __future__ import annotations

import argparse
import importlib.util
import json
import os
import pickle
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

from bench.partition import report
from bench.partition.child import TOO_LONG
from bench.partition.instance import REAL, city_sources, demo_sources, load_instance, real_sources
from bench.partition.judge import Row, best_possible, judge
from bench.partition.peers import BUDGET_S, DEFAULT, PEERS

ROOT = Path(__file__).resolve().parents[2]


def main(argv: list[str] | None = None) -> int:
    """Run the benchmark and return the exit status."""
    args = _parse(argv)
    start = time.perf_counter()
    with tempfile.TemporaryDirectory() as folder:
        instance = _load(args, folder)
        rows = [] if instance is None else _run_all(instance, args, Path(folder))
    if instance is None:
        print(f"there is no {args.real}.gpkg in shared/real beside the project", file=sys.stderr)
        return 2
    table = report.table(rows)
    print(
        f"\n{report.heading(instance)}\n\n{table}\n\n{report.verdict(rows)}\n\n"
        f"{time.perf_counter() - start:.0f} s in all"
    )
    if any(row.note.startswith("not installed") for row in rows):
        print("docs/benchmarks.md is left as it is: not every peer is here (requirements-bench.txt)")
    elif args.write:
        place = args.real or "demo"
        report.write(ROOT / "docs", place, instance, rows, seconds=time.perf_counter() - start, args=args)
    return 0


def _parse(argv):
    parser = argparse.ArgumentParser(prog="python -m bench.partition", description=__doc__)
    parser.add_argument(
        "--city", type=Path, help="GeoPackage with layers named by role; default: the demo city"
    )
    parser.add_argument("--real", choices=sorted(REAL), help="a real place in ../shared/real")
    parser.add_argument("--peers", nargs="+", choices=list(PEERS), help="default: all but ours-best")
    parser.add_argument(
        "--budget", type=float, default=BUDGET_S, metavar="SECONDS", help="CPU limit per engine"
    )
    parser.add_argument(
        "--grids",
        choices=("ours", "target"),
        default="ours",
        help="how many grids the peers are asked for: as many as our plan has, or total / target",
    )
    parser.add_argument(
        "--no-write", dest="write", action="store_false", help="leave docs/benchmarks.md as it is"
    )
    args = parser.parse_args(argv)
    # A partial run, or one on a city of one's own, is not what the document shows.
    args.write = args.write and args.peers is None and args.city is None
    args.peers = args.peers or list(DEFAULT)
    return args


def _load(args, folder):
    if args.real:
        try:
            return load_instance(args.real, real_sources(args.real))
        except FileNotFoundError:
            return None
    if args.city:
        return load_instance(args.city.stem, city_sources(args.city))
    return load_instance("full demo city", demo_sources(folder))


def _run_all(instance, args, folder):
    """Run our engine first: its grids per part are what the peers are asked for."""
    path = folder / "instance.pickle"
    path.write_bytes(pickle.dumps(instance))
    ours = [name for name in args.peers if PEERS[name].solve is None]
    answers = {name: _one(name, path, folder, args.budget) for name in ours}
    lead = answers.get("ours-normal")
    if args.grids == "ours" and (lead is None or "label" not in lead):
        lead = _one("ours-normal", path, folder, args.budget)
    instance = instance.with_grids(_grids(instance, lead if args.grids == "ours" else None))
    path.write_bytes(pickle.dumps(instance))
    rows = []
    for name in args.peers:
        answer = answers.get(name) or _one(name, path, folder, args.budget)
        rows.append(_row(instance, name, answer))
        print(report.line(rows[-1]), file=sys.stderr, flush=True)
    rows.append(best_possible(instance))
    print(report.line(rows[-1]), file=sys.stderr, flush=True)
    return rows


def _grids(instance, lead):
    """Return the number of grids per part: of our plan, or by the target."""
    if lead is None or "label" not in lead:
        target = instance.standard().target
        return [round(part.load.sum() / target) for part in instance.parts]
    label = np.asarray(lead["label"])
    return [len(np.unique(label[part.rows])) for part in instance.parts]


def _one(name, instance_path, folder, budget_s):
    """Run one engine in its own process group; return its labels and cost, or a note why there are none."""
    peer = PEERS[name]
    if importlib.util.find_spec(peer.module.split(".")[0]) is None:
        return {"note": f"not installed ({peer.distribution})"}
    budget_s *= peer.patience
    out, errors = folder / f"{name}.json", folder / f"{name}.err"
    command = [
        sys.executable,
        "-m",
        "bench.partition.child",
        name,
        str(instance_path),
        str(out),
        str(budget_s),
    ]
    # One thread each: CPU seconds of engines that spin in idle threads would say nothing.
    threads = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1")
    environment = {**os.environ, **threads, "PYTHONHASHSEED": "0"}
    with errors.open("wb") as sink:
        child = subprocess.Popen(
            command, cwd=ROOT, env=environment, stdout=sink, stderr=sink, start_new_session=True
        )
        try:
            # The limit is CPU time; wall time is a second line of defence on a loaded machine.
            status = child.wait(timeout=2 * budget_s + 60)
        except BaseException as error:
            os.killpg(child.pid, signal.SIGKILL)
            child.wait()
            if not isinstance(error, subprocess.TimeoutExpired):
                raise
            status = -signal.SIGKILL
    if status == 0:
        return json.loads(out.read_text())
    if status in {TOO_LONG, -signal.SIGXCPU, -signal.SIGKILL}:
        done = out.with_suffix(".done")
        return {"note": f"none in {budget_s:.0f} s", "done": int(done.read_text()) if done.exists() else 0}
    lines = errors.read_text(errors="replace").strip().splitlines() or [f"exit status {status}"]
    return {"note": f"failed: {lines[-1][:90]}"}


def _row(instance, name, answer):
    peer = PEERS[name]
    if "label" not in answer:
        done = f", {answer['done']} of {len(instance.parts)} parts" if "done" in answer else ""
        return Row(peer.title, note=answer["note"] + done)
    asked = [part.k for part in instance.parts] if peer.solve is not None and peer.keeps_k else None
    figures = judge(instance, np.asarray(answer["label"]), asked=asked)
    return Row(peer.title, cost={k: answer[k] for k in ("cpu_s", "wall_s", "mb")}, figures=figures)
