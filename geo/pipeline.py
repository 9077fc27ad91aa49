"""The whole job: from files to a plan with its report."""

from __future__ import annotations

import math
import time
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from geo import report as reporting
from geo.atomic import replacing
from geo.cells import build_tiling
from geo.intake import load_city
from geo.partition import partition
from geo.plan import assemble, plan_layers
from geo.plan_files import write_layers
from geo.types import never_cancel, no_progress
from geo.units import build_units

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from concurrent.futures import Executor
    from pathlib import Path

    import geopandas as gpd

    from geo.city import City
    from geo.layers import Source
    from geo.partition import Effort
    from geo.plan import Plan
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


@dataclass(frozen=True)
class PlanResult:
    """A plan and all it was made from."""

    city: City
    tiling: Tiling
    units: Units
    plan: Plan
    layers: dict[str, gpd.GeoDataFrame]
    report: dict[str, Any]


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
        tiling = build_tiling(city, executor=executor, progress=progress, cancelled=cancelled)
    with watch.stage("units"):
        units = build_units(city, tiling, max_households=_whole_limit(city, standard))
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
    with watch.stage("plan"):
        plan = assemble(city, tiling, units, parts, standard=standard, seed=seed)
        layers = plan_layers(city, tiling, plan)
    with watch.stage("check"):
        report = reporting.plan_report(city, tiling, units, plan, layers)
    report["seconds"] = watch.seconds
    return PlanResult(city, tiling, units, plan, layers, report)


def _whole_limit(city: City, standard: Standard) -> int | None:
    """Largest number of households of a compound that stays whole; None for no limit."""
    limit = standard.whole_limit
    if math.isinf(limit):
        return None
    if standard.measure == "persons":
        households = int(city.buildings["households"].sum())
        limit *= households / max(int(city.buildings["persons"].sum()), 1)
    return int(limit)


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
