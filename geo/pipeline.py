"""The whole job: from files to a plan with its report."""

from __future__ import annotations

import gc
import time
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from geo import report as reporting
from geo.atomic import replacing
from geo.cells import build_tiling
from geo.grouping import units_for
from geo.intake import load_city
from geo.partition import partition
from geo.partition.release import QuickSearch, release_gains
from geo.partition.released import release_blocking, release_findings
from geo.plan import assemble, plan_layers
from geo.plan_files import write_layers
from geo.stairwells import divide_buildings
from geo.types import never_cancel, no_progress
from geo.units import cell_units

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from concurrent.futures import Executor
    from pathlib import Path

    import geopandas as gpd

    from geo.city import City
    from geo.layers import Source
    from geo.partition import Effort
    from geo.partition.release import ReleaseGain
    from geo.plan import DrawnPlan
    from geo.standards import Standard
    from geo.tiling import Tiling
    from geo.types import CancelCheck, Progress
    from geo.units import Units


@dataclass
class Stopwatch:
    """Wall-clock seconds per stage, in the order the stages ran."""

    seconds: dict[str, float] = field(default_factory=dict)

    @contextmanager
    def stage(self, name: str) -> Iterator[None]:
        """Time the block as stage `name`."""
        start = time.perf_counter()
        yield
        self.seconds[name] = round(self.seconds.get(name, 0.0) + time.perf_counter() - start, 3)


COLLECTION = (100_000, 50, 1_000)
"""Thresholds of the garbage collector while a plan is made."""


@contextmanager
def collecting_less() -> Iterator[None]:
    """Let Python look for garbage cycles less often in the block or function.

    Tables and polygons are tens of thousands of objects that live on and hold no cycles: with the usual thresholds
    a seventh of the whole job is spent looking through them.
    """
    before = gc.get_threshold()
    gc.set_threshold(*COLLECTION)
    try:
        yield
    finally:
        gc.set_threshold(*before)


@dataclass(frozen=True)
class PlanResult:
    """A plan and all it was made from."""

    city: City
    tiling: Tiling
    units: Units
    plan: DrawnPlan
    layers: dict[str, gpd.GeoDataFrame]
    report: dict[str, Any]


@collecting_less()
def make_plan(
    sources: Sequence[Source],
    *,
    standard: Standard,
    columns: Mapping[str, str] | None = None,
    seed: int = 0,
    effort: Effort = "normal",
    executor: Executor | None = None,
    progress: Progress = no_progress,
    cancelled: CancelCheck = never_cancel,
) -> PlanResult:
    """Read layers and divide every community into grids.

    Parameters
    ----------
    sources
        At least the buildings (with households, or with a separate household layer) and the communities.
    standard
        Target, band and rules.
    columns
        Columns named by hand: ``"role.field"`` to the column's name in the file.
    seed
        The same input, standard and seed give the same plan with any number of workers.
    effort
        How long the engine searches.
    executor
        Where communities are worked on in parallel; None works in this process.
    progress, cancelled
        Called from this process only.

    Raises
    ------
    GeoError
        If the input cannot be used; `code`, `zh`, `en` and `where` say what and where.
    CancelledError
        Soon after `cancelled` returns True.
    """
    watch = Stopwatch()
    with watch.stage("read"):
        city = load_city(sources, columns=columns or {}, progress=progress)
    return plan_city(
        city,
        standard=standard,
        seed=seed,
        effort=effort,
        executor=executor,
        progress=progress,
        cancelled=cancelled,
        watch=watch,
    )


@collecting_less()
def plan_city(
    city: City,
    *,
    standard: Standard,
    seed: int = 0,
    effort: Effort = "normal",
    executor: Executor | None = None,
    progress: Progress = no_progress,
    cancelled: CancelCheck = never_cancel,
    watch: Stopwatch | None = None,
) -> PlanResult:
    """Divide a loaded city into grids; see `make_plan`."""
    watch = watch or Stopwatch()
    with watch.stage("cells"):
        city = divide_buildings(city, standard)
        tiling = build_tiling(city, executor=executor, progress=progress, cancelled=cancelled)
    with watch.stage("units"):
        units = units_for(city, tiling, standard)
    with watch.stage("partition"):
        parts = partition(
            units,
            standard,
            seed=seed,
            effort=effort,
            executor=executor,
            progress=progress,
            cancelled=cancelled,
        )
    releases: list[ReleaseGain] = []
    gains: list[ReleaseGain] | None = None
    if standard.release == "blocking":
        with watch.stage("release"):
            units, parts, releases = release_blocking(
                units,
                cell_units(city, tiling),
                parts,
                standard,
                search=QuickSearch(seed, effort),
                executor=executor,
                cancelled=cancelled,
            )
        city = replace(city, findings=(*city.findings, *release_findings(city, releases)))
    elif effort != "fast":
        with watch.stage("release"):
            cells = cell_units(city, tiling)
            gains = release_gains(units, cells, parts, standard, executor=executor, cancelled=cancelled)
    with watch.stage("plan"):
        plan = assemble(city, tiling, units, parts, standard=standard, seed=seed, releases=releases)
        layers = plan_layers(city, tiling, plan)
    with watch.stage("check"):
        report = reporting.plan_report(city, tiling, units, plan, layers, release=gains, executor=executor)
    report["seconds"] = watch.seconds
    return PlanResult(city, tiling, units, plan, layers, report)


@collecting_less()
def write_result(result: PlanResult, plan_path: Path, report_path: Path | None = None) -> None:
    """Write the plan file and its report: both, or neither."""
    targets = (plan_path,) if report_path is None else (plan_path, report_path)
    watch = Stopwatch()
    with replacing(*targets) as drafts:
        with watch.stage("write"):
            write_layers(result.layers, drafts[0])
        result.report["seconds"].update(watch.seconds)
        if report_path is not None:
            drafts[1].write_text(reporting.to_json(result.report), encoding="utf-8")
