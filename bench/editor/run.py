"""Measure the three pages in Chromium and print the table."""

from __future__ import annotations

import argparse
import contextlib
import os
import socket
import statistics
import subprocess
import sys
import time
import urllib.request
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bench.editor.place import CELLS_OF_ONE, make
from bench.editor.served import rivals_at
from bench.editor.strokes import cpu_s, draw, memory_mb

if TYPE_CHECKING:
    from collections.abc import Iterator

    from playwright.sync_api import Browser

ROOT = Path(__file__).resolve().parent.parent.parent
CHROMIUM = "/usr/bin/chromium"
ARGUMENTS = [
    "--no-sandbox",
    "--use-angle=swiftshader",
    "--enable-unsafe-swiftshader",
    "--disable-background-networking",
    "--disable-component-update",
    "--js-flags=--expose-gc",
]
WAIT_MS = 300_000
LATE = float("inf")
"""Time of a page that was not usable within `WAIT_MS`; it is not opened again."""
SETTLE_MS = 1500
WARM_S = 15
"""Until a service that was opened for the first time has come to rest."""
NOTED = """
window.note = () => requestAnimationFrame(() => requestAnimationFrame(() => (window.usable ??= performance.now())));
const watch = new MutationObserver(() => {
  if (document.querySelector(".stage[data-usable]") === null) return;
  watch.disconnect();
  performance.mark("usable");
  window.note();
});
watch.observe(document, { subtree: true, childList: true, attributes: true, attributeFilter: ["data-usable"] });
if (window === top) localStorage.setItem("wangge-tour", "seen");
"""
"""Notes, two frames later, that our map is drawn and ready for a stroke; the other pages call ``note``."""


def main(argv: list[str] | None = None) -> None:
    """Run the benchmark and print the table."""
    parser = argparse.ArgumentParser(prog="python -m bench.editor", description=__doc__)
    parser.add_argument("--cells", type=int, default=CELLS_OF_ONE, help="20000, or a multiple of it")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--strokes", type=int, default=50)
    parser.add_argument("--data", type=Path, help="folder to keep the prepared city in, else it is made anew")
    parser.add_argument("--pages", nargs="+", default=("editor", "geojson", "folium"))
    args = parser.parse_args(argv)
    copies = max(1, round(args.cells / CELLS_OF_ONE))
    with contextlib.ExitStack() as stack:
        data = args.data.resolve() if args.data else Path(stack.enter_context(_scratch()))
        facts = _made(data, copies)
        service = stack.enter_context(served(data))
        rivals = stack.enter_context(rivals_at(data, facts["bounds"]))
        pages = {"editor": f"{service}/plans/{facts['plan']}"} | {
            name: f"{rivals}/{name}.html" for name in ("geojson", "folium")
        }
        results = measure({name: pages[name] for name in args.pages}, args.rounds, args.strokes)
    print_table(facts, results)


def _scratch() -> Any:
    import tempfile

    return tempfile.TemporaryDirectory()


def _made(data: Path, copies: int) -> dict[str, Any]:
    # In a process of its own: what planning leaves in memory would be in the way of the browser.
    command = [sys.executable, "-m", "bench.editor.place", str(data), str(copies)]
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    return make(data, copies)


@contextlib.contextmanager
def served(data: Path) -> Iterator[str]:
    """Run the service on a data folder; yields its address."""
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    environment = os.environ | {
        "WANGGE_DATA_DIR": str(data),
        "WANGGE_PORT": str(port),
        "WANGGE_PREPARE_DEMO": "false",
    }
    command = [sys.executable, "-m", "web"]
    process = subprocess.Popen(
        command, cwd=ROOT, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    address = f"http://127.0.0.1:{port}"
    try:
        while process.poll() is None:
            with contextlib.suppress(OSError), urllib.request.urlopen(f"{address}/health", timeout=2):  # noqa: S310
                break
            time.sleep(0.2)
        yield address
    finally:
        process.terminate()
        process.wait(timeout=20)


def measure(pages: dict[str, str], rounds: int, strokes: int) -> dict[str, dict[str, Any]]:
    """Open every page so many times, each time in a fresh browser; strokes are drawn in the last round.

    Before that the editor is opened once, and its time noted on its own: a service that has just started reads the
    plan from its files and starts what answers heavy edits, while the other pages come from memory at once.
    """
    from playwright.sync_api import sync_playwright

    results: dict[str, dict[str, Any]] = {name: {"usable_ms": [], "usable_cpu_s": []} for name in pages}
    with sync_playwright() as playwright:
        if "editor" in pages:
            browser = playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
            results["editor"]["cold_ms"] = _open(browser, pages["editor"], 0)["usable_ms"]
            browser.close()
            time.sleep(WARM_S)
        for number in range(rounds):
            for name, address in pages.items():
                if LATE in results[name]["usable_ms"]:
                    continue
                browser = playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
                last = number == rounds - 1
                figures = _open(browser, address, strokes if last and name == "editor" else 0)
                browser.close()
                for key in ("usable_ms", "usable_cpu_s"):
                    results[name][key].append(figures.pop(key))
                results[name] |= figures
                print(name, number, f"{results[name]['usable_ms'][-1]:.0f} ms", figures, file=sys.stderr)
    return results


def _open(browser: Browser, address: str, strokes: int) -> dict[str, Any]:
    page = browser.new_page(viewport={"width": 1440, "height": 900})
    page.add_init_script(NOTED)
    page.wait_for_timeout(SETTLE_MS)  # the browser's own beginning is the same for all
    before = cpu_s(browser)
    page.goto(address, timeout=WAIT_MS, wait_until="commit")
    deadline = time.monotonic() + WAIT_MS / 1000
    # Our policy forbids what Playwright would wait with.
    while (usable := page.evaluate("window.usable ?? null")) is None:
        if time.monotonic() > deadline:
            return {"usable_ms": LATE, "usable_cpu_s": LATE, "heap_mb": LATE, "private_mb": LATE}
        page.wait_for_timeout(100)
    taken = cpu_s(browser) - before
    # Ours goes on: numbers, names, the layers below. Its memory is told with all of them.
    while not page.evaluate("document.querySelector('.stage:not([data-idle])') === null"):
        page.wait_for_timeout(100)
    page.wait_for_timeout(1500)
    figures: dict[str, Any] = {"usable_ms": float(usable), "usable_cpu_s": taken} | memory_mb(browser, page)
    if strokes > 0:
        figures |= draw(page, strokes)
    return figures


def print_table(facts: dict[str, Any], results: dict[str, dict[str, Any]]) -> None:
    """Print a column a page, and how many times sooner ours is."""
    print(f"\n{facts['cells']:,} cells, {facts['grids']:,} grids\n")
    print("| | " + " | ".join(results) + " |")
    print("|---" * (len(results) + 1) + "|")
    usable = {name: statistics.median(found["usable_ms"]) for name, found in results.items()}
    taken = {name: 1000 * statistics.median(found["usable_cpu_s"]) for name, found in results.items()}
    rows = {"first usable map, ms": usable, "CPU time of the browser until then, ms": taken}
    for key, title in (
        ("heap_mb", "JS heap of the page, MB"),
        ("private_mb", "memory of its process with workers, MB"),
    ):
        rows[title] = {name: found[key] for name, found in results.items()}
    for title, values in rows.items():
        print(f"| {title} | " + " | ".join(_told(value) for value in values.values()) + " |")
    ours = results.get("editor", {})
    if "cold_ms" in ours:
        print(f"\neditor, first opening after the service's start: {ours['cold_ms']:,.0f} ms")
    for name, value in usable.items():
        if name != "editor" and "editor" in usable:
            times = min(value, WAIT_MS) / usable["editor"]
            of_cpu = "" if value == LATE else f", CPU {taken[name] / taken['editor']:.2f} times"
            print(f"\n{name} / editor: {'more than ' if value == LATE else ''}{times:.2f} times{of_cpu}")
    if "step_ms" in ours:
        print(
            f"\n{ours['strokes']} strokes of {ours['steps']} brush steps, {ours['step_cells']:.0f} cells a step: "
            f"{ours['step_ms']:.2f} ms median, {ours['step_p95_ms']:.2f} ms p95; "
            f"panels {ours['panels_ms']:.1f} ms once a frame"
        )
        print(
            f"stroke to confirmation: {ours['confirm_ms']:.0f} ms median, {ours['confirm_p95_ms']:.0f} ms p95"
        )


def _told(value: float) -> str:
    return f"not within {WAIT_MS / 1000:.0f} s" if value == LATE else f"{value:,.0f}"
