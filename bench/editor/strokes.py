"""Draw with the brush as a planner does, and read off how long it took."""

from __future__ import annotations

import contextlib
import os
import random
import statistics
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

ZOOMS = 3
"""Steps closer before drawing: a planner draws where single buildings can be seen."""
REACH_PX = 90
WATCH = """() => {
  window.steps = [];
  window.panels = [];
  new PerformanceObserver((list) => {
    for (const one of list.getEntries()) {
      if (one.name === "step") window.steps.push([one.duration, one.detail]);
      if (one.name === "panels") window.panels.push(one.duration);
    }
  }).observe({ type: "measure" });
  const saved = document.querySelector(".saved");
  window.waits = [];
  let since = null;
  window.addEventListener("pointerup", () => (since = performance.now()), true);
  window.addEventListener("mouseup", () => (since ??= performance.now()), true);
  let busy = false;
  new MutationObserver(() => {
    if (saved.dataset.state === "saving") busy = true;
    else if (busy && saved.dataset.state === "saved" && since !== null) {
      window.waits.push(performance.now() - since);
      since = null;
      busy = false;
    }
  }).observe(saved, { attributes: true, attributeFilter: ["data-state"] });
}"""


def draw(page: Page, strokes: int) -> dict[str, float]:
    """Make brush strokes until the service has confirmed so many.

    A step is one move of the pointer: it ends when the plan and all its figures are up to date. The panels that
    show them, and the map, are drawn once a frame.
    """
    box = page.locator(".stage canvas").first.bounding_box()
    assert box is not None  # noqa: S101 - the map is there
    middle = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    page.mouse.move(*middle)
    for _ in range(ZOOMS):
        page.mouse.wheel(0, -400)
        page.wait_for_timeout(700)
    page.keyboard.press("b")
    page.evaluate(WATCH)
    luck = random.Random(0)  # noqa: S311 - the same strokes in every run
    for _ in range(strokes * 6):
        x = middle[0] + luck.uniform(-0.35, 0.35) * box["width"]
        y = middle[1] + luck.uniform(-0.35, 0.35) * box["height"]
        page.mouse.move(x, y)
        page.mouse.down()
        page.mouse.move(x + luck.uniform(-1, 1) * REACH_PX, y + luck.uniform(-1, 1) * REACH_PX, steps=6)
        page.mouse.up()
        page.wait_for_timeout(150)
        if page.evaluate("window.waits.length") >= strokes:
            break
    steps = page.evaluate("window.steps")
    waits = sorted(page.evaluate("window.waits"))
    cells = [detail for _, detail in steps if detail]
    times = sorted(duration for duration, _ in steps)
    return {
        "strokes": len(waits),
        "steps": len(steps),
        "step_cells": statistics.mean(cells or [0]),
        "panels_ms": statistics.median(page.evaluate("window.panels")),
        "step_ms": statistics.median(times),
        "step_p95_ms": times[int(0.95 * len(times))],
        "confirm_ms": statistics.median(waits),
        "confirm_p95_ms": waits[int(0.95 * len(waits))],
    }


def memory_mb(browser: Browser, page: Page) -> dict[str, Any]:
    """Return the JS heap of the page, and all private memory of its process, in which its workers are too."""
    devtools = page.context.new_cdp_session(page)
    devtools.send("HeapProfiler.collectGarbage")
    heap = devtools.send("Runtime.getHeapUsage")
    processes = browser.new_browser_cdp_session().send("SystemInfo.getProcessInfo")["processInfo"]
    private = max(_private_kb(one["id"]) for one in processes if one["type"] == "renderer")
    held = heap["usedSize"] + heap.get("backingStorageSize", 0)
    return {"heap_mb": held / 2**20, "private_mb": private / 1024}


def cpu_s(browser: Browser) -> float:
    """Return the CPU seconds that all processes of the browser have taken: what a busy machine changes least."""
    processes = browser.new_browser_cdp_session().send("SystemInfo.getProcessInfo")["processInfo"]
    ticks = 0
    for one in processes:
        with contextlib.suppress(OSError):  # one may have ended
            told = Path(f"/proc/{one['id']}/stat").read_text(encoding="ascii").rsplit(")", 1)[1].split()
            ticks += int(told[11]) + int(told[12])
    return ticks / os.sysconf("SC_CLK_TCK")


def _private_kb(process: int) -> int:
    told = Path(f"/proc/{process}/smaps_rollup").read_text(encoding="ascii")
    return sum(int(line.split()[1]) for line in told.splitlines() if line.startswith("Private_"))
