"""Ten times the city in one go, and a tenth of a province over Dask: ``python -m bench.scale``.

Cities are copies of the full demo city, side by side, with ids of their own. Every figure comes from a fresh
process; CPU seconds, because the machine may be shared. ``--copies``, ``--effort`` and ``--only`` make it shorter.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

ROLES = ("buildings", "households", "compounds", "communities", "roads", "water", "railways")
STEP_M = (9_000.0, 9_000.0)
"""Distance of one copy from the next, more than the city's extent."""
IDS = ("building_id", "compound_id", "road_id", "water_id", "railway_id")


def renamed(ids, number):
    """Return the ids of copy `number`: text ids with a prefix, statistical codes with another city in them.

    Digits three and four of a 12-digit code are the city's, so 99 copies have codes of their own.
    """
    return [f"{i[:2]}{number + 1:02d}{i[4:]}" if i.isdigit() else f"{number:02d}{i}" for i in ids]


def offset(number, across=10):
    """Return how far copy `number` lies east and north of the first, metres: rows of ten."""
    return STEP_M[0] * (number % across), STEP_M[1] * (number // across)


def copied(layers, number):
    """Return the layers of copy `number` of a city, moved and with ids of its own."""
    east, north = offset(number)
    result = {}
    for role, frame in layers.items():
        ids = [c for c in (*IDS, "community_id") if c in frame.columns]
        fresh = frame.assign(**{c: renamed(frame[c], number) for c in ids})
        if "geometry" in fresh.columns:
            fresh = fresh.set_geometry(fresh.geometry.translate(east, north))
        result[role] = fresh
    return result


def write_copies(layers, numbers, path):
    """Write copies of a city into one GeoPackage, layers named by role."""
    import pandas as pd
    import pyogrio

    copies = [copied(layers, number) for number in numbers]
    for role in layers:
        frame = pd.concat([copy[role] for copy in copies], ignore_index=True)
        pyogrio.write_dataframe(frame, path, layer=role, driver="GPKG", append=path.exists(), use_arrow=True)


def read_layers(path):
    """Read the layers of a city as they are."""
    import pyogrio

    return {role: pyogrio.read_dataframe(path, layer=role) for role in ROLES}


def sources(path):
    from geo.layers import Source

    return [Source(role, Path(path), role) for role in ROLES]


QUIET = {"distributed.worker.profile.enabled": False, "distributed.admin.tick.interval": "1s"}
"""Dask samples the stack of its workers a hundred times a second; on a shared machine that is counted as work."""

# What runs in processes of its own.


def child_plan(city, out, effort):
    """From files to a written plan."""
    from geo.pipeline import make_plan, write_result
    from geo.standards import load_standard

    result = make_plan(sources(city), standard=load_standard("fine-250"), effort=effort)
    write_result(result, Path(out) / "plan.gpkg")
    report = result.report
    return {
        "households": report["households"]["placed"],
        "grids": report["grids"],
        "exact": report["exact_tiling"]["ok"] and report["contiguity"]["ok"],
        "seconds": report["seconds"],
    }


def child_dataset(base, folder, copies):
    """Write the dataset, one city after the other."""
    from geo.intake import load_city
    from geo.province_data import add_region

    layers = read_layers(base)
    spent = 0.0
    for number in range(int(copies)):
        city = Path(folder) / f"{number:02d}.gpkg"
        write_copies(layers, [number], city)
        before = time.process_time()
        add_region(Path(folder) / "dataset", f"city={number:02d}", load_city(sources(city)))
        spent += time.process_time() - before
        city.unlink()
    size = sum(p.stat().st_size for p in (Path(folder) / "dataset").rglob("*") if p.is_file())
    return {"write_cpu_s": spent, "dataset_mb": size / 2**20}


def child_alone(dataset, out, effort):
    """Solve a dataset in this process."""
    from geo.province import solve_province

    summary = solve_province(Path(dataset), Path(out), _task(effort))
    return {"households": summary["households"], "summary": summary, "digest": digest(Path(out))}


def child_dask(dataset, out, effort):
    """Solve a dataset on two Dask workers; watch their CPU time and memory, and this process's."""
    import dask
    import psutil
    from distributed import Client, LocalCluster

    from geo.province import solve_province

    dask.config.set(QUIET)
    options = {"n_workers": 2, "threads_per_worker": 1, "processes": True, "dashboard_address": None}
    with LocalCluster(**options) as cluster, Client(cluster) as client:
        client.run(_import_engine)
        pids = client.run(_pid).values()
        watch = Watch([psutil.Process(pid) for pid in pids], psutil.Process())
        with watch:
            summary = solve_province(
                Path(dataset), Path(out), _task(effort), executor=client.get_executor(), in_flight=6
            )
    return {"households": summary["households"], "digest": digest(Path(out)), **watch.figures()}


def _task(effort):
    from geo.province import Task
    from geo.standards import load_standard

    return Task(load_standard("fine-250"), effort=effort)


def _pid():
    import os

    return os.getpid()


def _import_engine():
    import geo.province  # noqa: F401


class Watch:
    """Samples CPU time and resident memory of workers and driver twice a second."""

    def __init__(self, workers, driver):
        self.processes = [*workers, driver]
        self.stop = threading.Event()
        self.memory = [[] for _ in self.processes]
        self.thread = threading.Thread(target=self._sample)

    def __enter__(self):
        self.before = self._cpu()
        self.thread.start()

    def __exit__(self, *error):
        self.stop.set()
        self.thread.join()
        self.cpu = [b - a for a, b in zip(self.before, self._cpu(), strict=True)]

    def _cpu(self):
        times = [p.cpu_times() for p in self.processes]
        return [t.user + t.system for t in times]

    def _sample(self):
        while not self.stop.wait(0.5):
            for process, series in zip(self.processes, self.memory, strict=True):
                series.append(process.memory_info().rss / 2**20)

    def figures(self):
        return {"worker_cpu_s": self.cpu[:-1], "driver_cpu_s": self.cpu[-1], **memory_figures(self.memory)}


def memory_figures(series):
    """Return the peak of each process in the second and in the last quarter of the run, MB; driver last."""
    quarter = [max(len(s) // 4, 1) for s in series]
    return {
        "mb_early": [max(s[q : 2 * q] or s) for s, q in zip(series, quarter, strict=True)],
        "mb_late": [max(s[-q:]) for s, q in zip(series, quarter, strict=True)],
    }


def digest(folder):
    """Return one hash of every file below a folder: names and bytes."""
    total = hashlib.sha256()
    for path in sorted(p for p in folder.rglob("*") if p.is_file()):
        total.update(
            str(path.relative_to(folder)).encode() + b"\0" + hashlib.sha256(path.read_bytes()).digest()
        )
    return total.hexdigest()


CHILDREN = {"plan": child_plan, "dataset": child_dataset, "alone": child_alone, "dask": child_dask}


def run(name, *arguments):
    """Run a child in a fresh process; return what it found with its own CPU seconds and peak memory."""
    command = [sys.executable, "-m", "bench.scale", "--child", name, *map(str, arguments)]
    done = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True)
    return json.loads(done.stdout.splitlines()[-1])


def run_pair(name, *arguments):
    """Run a child twice side by side, with an output folder for each; return what both did together."""
    base, out, effort = arguments
    commands = []
    for number in range(2):
        folder = Path(out) / f"side{number}"
        folder.mkdir(exist_ok=True)
        commands.append(
            [sys.executable, "-m", "bench.scale", "--child", name, str(base), str(folder), effort]
        )
    started = [subprocess.Popen(command, stdout=subprocess.PIPE, text=True) for command in commands]
    answers = [process.communicate()[0] for process in started]
    if any(process.returncode for process in started):
        raise RuntimeError(f"a {name} beside another failed")
    found = [json.loads(answer.splitlines()[-1]) for answer in answers]
    return {"households": sum(f["households"] for f in found), "cpu_s": sum(f["cpu_s"] for f in found)}


def as_child(name, arguments):
    from bench.partition.child import peak_mb

    found = CHILDREN[name](*arguments)
    print(json.dumps({**found, "cpu_s": time.process_time(), "mb": peak_mb()}))


# What is printed.


def per_million(figures):
    """Return CPU seconds per million households."""
    return figures["cpu_s"] / figures["households"] * 1e6


def at_once(folder, base, copies, effort):
    """Print one city against many in one go."""
    one = run("plan", base, folder, effort)
    many_path = folder / "many.gpkg"
    write_copies(read_layers(base), range(copies), many_path)
    many = run("plan", many_path, folder, effort)
    many_path.unlink()
    (folder / "plan.gpkg").unlink()
    print(
        f"\n| effort {effort} | households | grids | CPU s | CPU s per million | peak MB | exact, connected |"
    )
    print("|---|---|---|---|---|---|---|")
    for title, row in (("one city", one), (f"{copies} cities at once", many)):
        print(
            f"| {title} | {row['households']:,} | {row['grids']:,} | {row['cpu_s']:.1f} | {per_million(row):.1f} "
            f"| {row['mb']:.0f} | {'yes' if row['exact'] else 'NO'} |"
        )
    print(
        f"\n{copies} times the city: {many['cpu_s'] / one['cpu_s']:.1f} times the CPU time, {many['mb']:.0f} MB"
    )
    print("CPU or wall seconds by stage, one and many: " + json.dumps([one["seconds"], many["seconds"]]))
    return one


def streamed(folder, copies, effort, one):
    """Print a dataset of cities solved alone and on two Dask workers, beside one city in one process."""
    written = run("dataset", folder / "base.gpkg", folder, copies)
    dataset = folder / "dataset"
    alone = run("alone", dataset, folder / "alone", effort)
    # Two processes on two cores share caches and, on many machines, the core itself: what Dask costs is held
    # against two plain processes side by side.
    pair = run_pair("plan", folder / "base.gpkg", folder, effort)
    dask = run("dask", dataset, folder / "dask", effort)
    workers = {"households": dask["households"], "cpu_s": sum(dask["worker_cpu_s"])}
    print(f"\ndataset of {copies} cities: {written['write_cpu_s']:.1f} CPU s, {written['dataset_mb']:.0f} MB")
    print(
        f"\n| effort {effort} | CPU s | CPU s per million | households per CPU s | against one city "
        "| against two side by side |"
    )
    print("|---|---|---|---|---|---|")
    for title, row in (
        ("one city, one process", one),
        ("dataset, one process", alone),
        ("two cities in two processes side by side", pair),
        ("dataset, two Dask workers", workers),
    ):
        rate = row["households"] / row["cpu_s"]
        ratios = [per_million(base) / per_million(row) for base in (one, pair)]
        print(
            f"| {title} | {row['cpu_s']:.1f} | {per_million(row):.1f} | {rate:,.0f} "
            f"| {ratios[0]:.2f} | {ratios[1]:.2f} |"
        )
    print(
        "\nmemory, MB, second quarter of the run → last: workers "
        + ", ".join(f"{a:.0f} → {b:.0f}" for a, b in zip(dask["mb_early"], dask["mb_late"], strict=True))
        + f" (the last is the driver); one process: {alone['mb']:.0f}"
    )
    print(f"driver {dask['driver_cpu_s']:.1f} CPU s; same bytes with and without Dask: ", end="")
    print("yes" if dask["digest"] == alone["digest"] else "NO")
    print("summary: " + json.dumps(alone["summary"], ensure_ascii=False))


def main(argv=None):
    parser = argparse.ArgumentParser(prog="python -m bench.scale", description=__doc__)
    parser.add_argument("--copies", type=int, default=10)
    parser.add_argument("--effort", default="fast")
    parser.add_argument(
        "--size", default="full", choices=("small", "full"), help="of the city that is copied"
    )
    parser.add_argument("--only", choices=("at-once", "streamed"))
    parser.add_argument("--child", nargs=argparse.REMAINDER, help=argparse.SUPPRESS)
    args = parser.parse_args(argv)
    if args.child:
        as_child(args.child[0], args.child[1:])
        return
    from geo.demo import write_city

    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        base = folder / "base.gpkg"
        write_city("small", folder / "small.gpkg")
        run(
            "plan", folder / "small.gpkg", folder, args.effort
        )  # compiles the kernels, once after an installation
        write_city(args.size, base)
        one = None
        if args.only != "streamed":
            one = at_once(folder, base, args.copies, args.effort)
        if args.only != "at-once":
            one = one or run("plan", base, folder, args.effort)
            streamed(folder, args.copies, args.effort, one)


if __name__ == "__main__":
    main()
