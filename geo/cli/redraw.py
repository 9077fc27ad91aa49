"""The verbs about an old division: redraw it with little change, compare a plan with it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias

from geo.cli.arguments import add_layers, parse_columns, workers
from geo.cli.planning import add_search
from geo.cli.terminal import percent, progress_bars, say, say_findings
from geo.errors import LayerError

# ruff: noqa: PLC0415 - as in geo.cli.commands

if TYPE_CHECKING:
    import argparse
    from argparse import Namespace

    from geo.compare import Comparison

    Verbs: TypeAlias = "argparse._SubParsersAction[argparse.ArgumentParser]"  # noqa: SLF001 - its only name


def add_verbs(verbs: Verbs) -> None:
    """Add the parsers of the verbs of this module."""
    _redraw(verbs)
    _compare(verbs)


def _redraw(verbs: Verbs) -> None:
    verb = verbs.add_parser("redraw", help="redraw an old division with little change 在原网格基础上调整")
    add_layers(verb)
    verb.add_argument("--standard", default="fine-250", help="see the verb standards")
    verb.add_argument("--target", type=int, help="households (or persons) a grid should have")
    verb.add_argument("--min", type=int, help="lower edge of the band")
    verb.add_argument("--max", type=int, help="upper edge of the band")
    verb.add_argument(
        "--moved-weight", type=float, help="price of households moved; large values keep to old borders"
    )
    add_search(verb)
    verb.add_argument("--out", type=Path, required=True, metavar="PLAN.gpkg")
    verb.add_argument("--report", type=Path, metavar="REPORT.json")
    verb.set_defaults(run=redraw)


def _compare(verbs: Verbs) -> None:
    verb = verbs.add_parser("compare", help="compare a plan with an old division 新旧网格对照")
    verb.add_argument("plan", type=Path, metavar="PLAN.gpkg")
    verb.add_argument("--old", type=Path, metavar="OLD.gpkg", help="an older plan of the same buildings")
    add_layers(verb, required=False)
    verb.add_argument("--out", type=Path, required=True, metavar="COMPARE.csv")
    verb.add_argument("--report", type=Path, metavar="COMPARE.json")
    verb.set_defaults(run=compare)


def redraw(arguments: Namespace) -> int:
    """Redraw the old grids to the standard's size; write the plan and its report."""
    from geo.jobs import make_redraw, write_redraw
    from geo.layers import parse_source
    from geo.redraw import MOVED_WEIGHT
    from geo.search import Search
    from geo.standards import load_standard

    sources = [parse_source(text) for text in arguments.layer]
    standard = load_standard(arguments.standard).with_(
        target=arguments.target, min=arguments.min, max=arguments.max
    )
    with progress_bars() as progress, workers(arguments.workers) as executor:
        result = make_redraw(
            sources,
            standard,
            moved_weight=MOVED_WEIGHT if arguments.moved_weight is None else arguments.moved_weight,
            columns=parse_columns(arguments.column),
            search=Search(arguments.seed, arguments.effort, executor, progress),
        )
    write_redraw(result, arguments.out, arguments.report)
    say_findings([*result.study.city.findings, *result.study.tiling.findings, *result.findings])
    say(
        f"网格 grids {result.report['grids']} · 区间内 in band {percent(result.report['share_in_band'])}"
        f" · ±10 % {percent(result.report['share_within_10'])}"
    )
    _say_comparison(result.comparison)
    return 0


def compare(arguments: Namespace) -> int:
    """Say where each grid comes from; write the crosswalk and the summary."""
    from geo.jobs import compare_plans, compare_with_layer, write_comparison
    from geo.layers import parse_source

    layers = arguments.layer or []
    if bool(layers) == (arguments.old is not None):
        raise LayerError(
            "compare-old",
            "请给出原有网格：--layer old_grids=文件，或 --old 旧方案.gpkg，二者选一。",
            "Name the old division: --layer old_grids=FILE or --old OLD.gpkg, one of the two.",
        )
    if arguments.old is not None:
        found = compare_plans(arguments.plan, arguments.old)
    else:
        sources = [parse_source(text) for text in layers]
        found, findings = compare_with_layer(arguments.plan, sources, columns=parse_columns(arguments.column))
        say_findings(findings)
    write_comparison(found, arguments.out, arguments.report)
    _say_comparison(found)
    return 0


def _say_comparison(found: Comparison) -> None:
    figures = found.to_dict()
    kinds = figures["lineage_of_new"]
    say(
        f"原网格 old grids {figures['old_grids']} → 新网格 new grids {figures['new_grids']}"
        f" · 调整户数 households moved {figures['households_moved']} ({percent(figures['share_moved'])})"
        f" · 保留 kept {kinds['kept']} · 拆分 split {kinds['split']} · 合并 merged {kinds['merged']}"
        f" · 调整 moved {kinds['moved']} · 新增 new {kinds['new']}"
    )
