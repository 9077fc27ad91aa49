"""Edits of a large plan over HTTP while a planning job runs: ``python -m bench edits``.

A made-up city of 200,000 cells in 8,700 grids, a real server, ten brush strokes of thirty cells a second for a
minute, each sent at its time whatever became of the one before. The time of an edit counts from the moment it was
due to the last byte of its answer. First alone; then with planning jobs of the full demo city on two workers.
"""

from __future__ import annotations

import argparse
import contextlib
import http.client
import json
import os
import queue
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path
from types import SimpleNamespace

import numpy as np

ROWS, COLUMNS = 46, 50
"""Cells of a community, which has ten by ten grids."""
GRIDS_A_SIDE = 10
HOMES = 22
"""Households of a cell are below this."""
STROKE = 30
REACH = 5
"""Half the width of the brush, in cells."""
SENDERS = 4
WARM = 30


def main(argv: list[str] | None = None) -> None:
    """Run both parts and print the table."""
    parser = argparse.ArgumentParser(prog="python -m bench edits", description=__doc__)
    parser.add_argument("--cells", type=int, default=200_000)
    parser.add_argument("--seconds", type=float, default=60)
    parser.add_argument("--rate", type=float, default=10, help="edits a second")
    parser.add_argument("--effort", default="normal", help="of the planning jobs")
    parser.add_argument("--only", choices=("alone", "job"))
    args = parser.parse_args(argv)
    with tempfile.TemporaryDirectory() as folder:
        city = made_city(args.cells)
        plan = stored(city, Path(folder))
        print(f"{city.ground.n:,} cells in {city.grids:,} grids; {os.cpu_count()} cores")
        with server(Path(folder)) as port:
            painter = Painter(city, port, plan)
            painter.run(rate=args.rate, count=WARM)
            if args.only != "job":
                report("alone", painter.run(rate=args.rate, count=int(args.rate * args.seconds)))
            if args.only != "alone":
                with planning(port, args.effort) as jobs:
                    found = painter.run(rate=args.rate, count=int(args.rate * args.seconds))
                report(f"with {jobs.begun} planning job(s)", found)


# The city.


def made_city(cells: int) -> SimpleNamespace:
    """Return a jittered lattice of at least so many cells, in communities side by side."""
    from geo.adjacency import CLASSES, Graph
    from geo.dataset.ground import Ground
    from geo.types import BorderClass
    from geo.units import Units

    rng = np.random.default_rng(0)
    communities = -(-cells // (ROWS * COLUMNS))
    across = max(round(communities**0.5), 1)
    communities += -communities % across
    height, width = communities // across * ROWS, across * COLUMNS
    n = height * width
    row, column = np.divmod(np.arange(n), width)
    community = (row // ROWS) * across + column // COLUMNS
    near = np.concatenate([np.flatnonzero(column < width - 1), np.flatnonzero(row < height - 1)])
    step = np.repeat([1, width], [height * (width - 1), (height - 1) * width])
    mm = rng.integers(24_000, 36_000, len(near))
    along = np.where(rng.random(len(near)) < 0.25, BorderClass.ALLEY, BorderClass.INTERIOR)
    focal, neighbor = np.concatenate([near, near + step]), np.concatenate([near + step, near])
    order = np.lexsort((neighbor, focal))
    both, kind = np.tile(mm, 2)[order], np.tile(along, 2)[order]
    class_mm = np.zeros((len(order), CLASSES), np.int64)
    class_mm[np.arange(len(order)), kind] = both
    edge = ((row == 0) | (row == height - 1)).astype(int) + ((column == 0) | (column == width - 1))
    outer = edge * 30_000
    graph = Graph(
        np.concatenate([[0], np.cumsum(np.bincount(focal, minlength=n))]),
        neighbor[order].astype(np.int32),
        both / 1000.0,
        class_mm / 1000.0,
        outer / 1000.0,
    )
    households = rng.integers(0, HOMES, n)
    area = rng.integers(70_000, 110_000, n)
    compound = np.where(column % COLUMNS < COLUMNS // 2, (row * width + column) // 5, -1)
    used, compound = np.unique(compound, return_inverse=True)
    units = Units(
        of_cell=np.arange(n, dtype=np.int32),
        community=community.astype(np.int32),
        compound=(compound - 1).astype(np.int32),
        households=households,
        persons=households * 3,
        buildings=np.ones(n, np.int32),
        area_m2=area / 100.0,
        graph=graph,
    )
    codes = tuple(f"110101{k // 1000:03d}{k % 1000:03d}" for k in range(communities))
    compounds = tuple(f"K{k}" for k in range(len(used) - 1))
    ground = Ground(
        dataset="",
        cells=units,
        length_mm=both,
        class_mm=class_mm,
        outer_mm=outer,
        area_dm2=area,
        community_ids=codes,
        community_names=tuple(f"第{k}社区" for k in range(communities)),
        community_codes=codes,
        compound_ids=compounds,
        compound_names=compounds,
    )
    inner = (row % ROWS * GRIDS_A_SIDE // ROWS) * GRIDS_A_SIDE + column % COLUMNS * GRIDS_A_SIDE // COLUMNS
    label = community * GRIDS_A_SIDE**2 + inner
    return SimpleNamespace(
        ground=ground,
        label=label,
        grids=communities * GRIDS_A_SIDE**2,
        shape=(height, width),
        communities=communities,
    )


def stored(city: SimpleNamespace, data: Path) -> str:
    """Put the city and a plan of it into a data folder; return the plan's id."""
    import hashlib
    from dataclasses import replace

    from geo.dataset.ground_file import CENTRES, GROUND, array_bytes, ground_bytes, ground_names
    from geo.dataset.meta import META, Meta
    from geo.editing.judged import summary
    from geo.editing.start import new_plan, snapshot
    from geo.standards import load_standard
    from web.services.plan_standards import standard_document
    from web.settings import Settings
    from web.store import DatasetRecord, PlanRecord, Project, Stores

    standard, ground = load_standard("fine-250"), city.ground
    width = city.shape[1]
    spot = np.stack(np.divmod(np.arange(ground.n), width)[::-1], axis=1).astype("<i4") * 3000
    files, content = {}, {}
    files[GROUND], content[GROUND] = ground_bytes(ground)
    files[CENTRES] = array_bytes(spot.ravel())
    content[CENTRES] = hashlib.sha256(spot.tobytes()).hexdigest()
    sums = {name: hashlib.sha256(part).hexdigest() for name, part in files.items()}
    meta = Meta({"cells": ground.n, "names": ground_names(ground)}, content, sums)
    draft = data / "draft"
    draft.mkdir()
    for name, part in (files | {META: meta.to_json().encode()}).items():
        (draft / name).write_bytes(part)
    of = np.arange(city.grids) // GRIDS_A_SIDE**2
    number = np.arange(city.grids) % GRIDS_A_SIDE**2 + 1
    table = {
        "code": [
            f"{ground.community_codes[c]}{k:03d}" for c, k in zip(of.tolist(), number.tolist(), strict=True)
        ],
        "name": [f"第{c}社区第{k}网格" for c, k in zip(of.tolist(), number.tolist(), strict=True)],
        "community": of,
    }
    based = replace(ground, dataset=meta.id)
    plan = new_plan(based, standard, city.label, table, {"seed": 0}, load=ground.cells.households)
    stores = Stores.open(Settings(data_dir=data))
    try:
        project = Project(name="bench", state="ready")
        stores.projects.add(project)
        stores.datasets.adopt(draft, DatasetRecord(meta.id, cells=ground.n))
        record = PlanRecord(
            project.id, meta.id, "bench", standard=standard_document(standard), summary=summary(plan)
        )
        return stores.plans.add(record, snapshot(plan)).id
    finally:
        stores.close()


# The server, and what it is asked.


@contextlib.contextmanager
def server(data: Path):
    """Run a server; give its port."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    settings = {"DATA_DIR": str(data), "PORT": str(port), "PREPARE_DEMO": "false", "WORKERS": "2"}
    process = subprocess.Popen(
        [sys.executable, "-m", "web"],
        env=os.environ | {f"WANGGE_{name}": value for name, value in settings.items()},
        stdout=subprocess.DEVNULL,
        start_new_session=True,
    )
    try:
        deadline = time.monotonic() + 60
        while True:
            with contextlib.suppress(OSError):
                if ask(http.client.HTTPConnection("127.0.0.1", port), "GET", "/health")[0] == 200:
                    break
            if process.poll() is not None or time.monotonic() > deadline:
                raise SystemExit("the server did not start")
            time.sleep(0.05)
        yield port
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGTERM)
        process.wait(timeout=30)


def ask(connection: http.client.HTTPConnection, method: str, path: str, body=None):
    """Send a request; return status and JSON value."""
    content = None if body is None else json.dumps(body)
    connection.request(method, path, content, {"Content-Type": "application/json"} if content else {})
    answer = connection.getresponse()
    return answer.status, json.loads(answer.read())


@contextlib.contextmanager
def planning(port: int, effort: str):
    """Keep a planning job of the full demo city running."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=600)
    project = ask(connection, "POST", "/api/v1/demo/full")[1]["id"]
    found, over = SimpleNamespace(begun=0), threading.Event()

    def keep() -> None:
        own = http.client.HTTPConnection("127.0.0.1", port, timeout=600)
        job = None
        while not over.is_set():
            state = ask(own, "GET", f"/api/v1/jobs/{job}")[1]["state"] if job else "none"
            if state not in {"queued", "running"}:
                if state == "failed":
                    raise SystemExit("the planning job failed")
                job = ask(own, "POST", f"/api/v1/projects/{project}/jobs", {"effort": effort})[1]["id"]
                found.begun += 1
            over.wait(1.0)
        ask(own, "POST", f"/api/v1/jobs/{job}/cancel")

    thread = threading.Thread(target=keep)
    thread.start()
    time.sleep(3)  # the job's process has begun its work
    try:
        yield found
    finally:
        over.set()
        thread.join()


class Painter:
    """Paints brush strokes, one every so often."""

    def __init__(self, city: SimpleNamespace, port: int, plan: str) -> None:
        self._city, self._port, self._path = city, port, f"/api/v1/plans/{plan}/edits"
        self._label = city.label + 1
        self._rng = np.random.default_rng(1)
        self._lock = threading.Lock()
        self._revision = 0
        self._number = 0

    def stroke(self) -> tuple[list[int], int]:
        """Return thirty cells around a random one, of its community, and the grid it is in."""
        height, width = self._city.shape
        community = self._city.ground.cells.community
        while True:
            at = int(self._rng.integers(height * width))
            row, column = divmod(at, width)
            rows = np.arange(max(row - REACH, 0), min(row + REACH + 1, height))
            columns = np.arange(max(column - REACH, 0), min(column + REACH + 1, width))
            cells = (rows[:, None] * width + columns).ravel()
            far = (cells // width - row) ** 2 + (cells % width - column) ** 2
            cells = cells[np.argsort(far, kind="stable")]
            cells = cells[(community[cells] == community[at]) & (self._label[cells] != self._label[at])]
            if len(cells) >= STROKE:
                return sorted(cells[:STROKE].tolist()), int(self._label[at])

    def run(self, *, rate: float, count: int) -> list[tuple[float, float]]:
        """Paint; return of every edit the seconds from when it was due, and from when it was sent."""
        due: queue.Queue[float | None] = queue.Queue()
        found: list[tuple[float, float]] = []
        threads = [threading.Thread(target=self._send, args=(due, found)) for _ in range(SENDERS)]
        for thread in threads:
            thread.start()
        begin = time.perf_counter() + 0.2
        for number in range(count):
            at = begin + number / rate
            time.sleep(max(at - time.perf_counter(), 0))
            due.put(at)
        for _ in threads:
            due.put(None)
        for thread in threads:
            thread.join()
        if len(found) != count:
            raise SystemExit(f"{count - len(found)} edits were not acknowledged")
        return found

    def _send(self, due: queue.Queue[float | None], found: list[tuple[float, float]]) -> None:
        connection = http.client.HTTPConnection("127.0.0.1", self._port, timeout=60)
        while (at := due.get()) is not None:
            with self._lock:
                cells, grid = self.stroke()
                self._number += 1
                body = {"op_id": f"stroke-{self._number:06d}", "base": self._revision}
            body["edit"] = {"kind": "assign", "cells": cells, "grid": grid}
            sent = time.perf_counter()
            status, answer = ask(connection, "POST", self._path, body)
            now = time.perf_counter()
            if status in {409, 422}:  # a stroke over one that was under way: painted again by the next
                due.put(time.perf_counter())
                continue
            if status != 200:
                raise SystemExit(f"{status} {answer}")
            found.append((now - at, now - sent))
            with self._lock:
                self._label[answer["change"]["cells"]] = answer["change"]["after"]
                self._revision = max(self._revision, answer["revision"])
        connection.close()


def report(name: str, found: list[tuple[float, float]]) -> None:
    """Print a line."""
    for what, times in zip(("from due", "from sent"), np.array(found).T * 1000, strict=True):
        p50, p95, p99 = np.percentile(times, (50, 95, 99))
        print(f"{name:26}{what:10} p50 {p50:7.1f}  p95 {p95:7.1f}  p99 {p99:7.1f}  max {times.max():7.1f} ms")


if __name__ == "__main__":
    main()
