"""The verbs that make more than one plan: alternatives, and levels inside each other."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias

from geo.cli.arguments import add_layers, parse_columns, workers
from geo.cli.terminal import percent, progress_bars, say, say_findings, yes

# ruff: noqa: PLC0415 - as in geo.cli.commands

if TYPE_CHECKING:
    import argparse
    from argparse import Namespace

    Verbs: TypeAlias = "argparse._SubParsersAction[argparse.ArgumentParser]"  # noqa: SLF001 - its only name


def add_verbs(verbs: Verbs) -> None:
    """Add the parsers of the verbs of this module."""
    _alternatives(verbs)
    _levels(verbs)


def add_search(verb: argparse.ArgumentParser) -> None:
    """Add the options that say how to run the engine."""
    verb.add_argument("--effort", choices=("fast", "normal", "best"), default="normal")
    verb.add_argument("--workers", type=int, default=1, help="processes to work with; never changes the plan")
    verb.add_argument("--seed", type=int, default=0)


def _alternatives(verbs: Verbs) -> None:
    verb = verbs.add_parser("alternatives", help="make three plans to choose from 多方案比选")
    add_layers(verb)
    verb.add_argument("--standard", default="fine-250", help="see the verb standards")
    add_search(verb)
    verb.add_argument("--out-dir", type=Path, required=True, metavar="FOLDER")
    verb.add_argument("--report", type=Path, metavar="ALTERNATIVES.json")
    verb.set_defaults(run=alternatives)


def _levels(verbs: Verbs) -> None:
    verb = verbs.add_parser("levels", help="divide level by level, each inside the one above 多级划分")
    add_layers(verb)
    verb.add_argument("--standard", default="three-level", help="see the verb standards")
    verb.add_argument("--communities", action="store_true", help="divide streets into communities anew first")
    verb.add_argument("--groups", action="store_true", help="divide the lowest level into building groups")
    verb.add_argument("--radius", type=float, default=200.0, help="service radius of a group, metres")
    verb.add_argument(
        "--members-per-household", type=float, default=0.09, help="party members, where none are counted"
    )
    add_search(verb)
    verb.add_argument("--out", type=Path, required=True, metavar="LEVELS.gpkg")
    verb.add_argument("--report", type=Path, metavar="LEVELS.json")
    verb.set_defaults(run=levels)


def alternatives(arguments: Namespace) -> int:
    """Make a plan for each preset of weights; write them with their table."""
    from geo.jobs import make_alternatives, write_alternatives
    from geo.layers import parse_source
    from geo.search import Search
    from geo.standards import load_standard

    sources = [parse_source(text) for text in arguments.layer]
    standard = load_standard(arguments.standard)
    with progress_bars() as progress, workers(arguments.workers) as executor:
        result = make_alternatives(
            sources,
            standard,
            columns=parse_columns(arguments.column),
            search=Search(arguments.seed, arguments.effort, executor, progress),
        )
    write_alternatives(result, arguments.out_dir, arguments.report)
    say_findings([*result.study.city.findings, *result.study.tiling.findings])
    for row in result.report["alternatives"]:
        say(
            f"{row['id']}: {row['name_zh']} · 网格 grids {row['grids']} · 区间内 in band {percent(row['in_band'])}"
            f" · ±10 % {percent(row['within_10'])} · 紧凑度 compactness {row['polsby_popper']:.3f}"
            f" · 沿道路 along roads {percent(row['along_roads'])} · 帕累托 Pareto {yes(row['pareto'])}"
        )
    return 0


def levels(arguments: Namespace) -> int:
    """Divide the city level by level; write all levels and the report."""
    from geo.jobs import Wanted, make_levels, write_levels
    from geo.layers import parse_source
    from geo.search import Search
    from geo.standards import load_standard

    sources = [parse_source(text) for text in arguments.layer]
    wanted = Wanted(
        load_standard(arguments.standard),
        redraw_communities=arguments.communities,
        groups=arguments.groups,
        radius_m=arguments.radius,
        members_per_household=arguments.members_per_household,
    )
    with progress_bars() as progress, workers(arguments.workers) as executor:
        result = make_levels(
            sources,
            wanted,
            columns=parse_columns(arguments.column),
            search=Search(arguments.seed, arguments.effort, executor, progress),
        )
    write_levels(result, arguments.out, arguments.report)
    say_findings([*result.study.city.findings, *result.study.tiling.findings, *result.findings])
    for level in result.report["levels"]:
        say(
            f"{level['level']}: {level['areas']} · 区间内 in band {percent(level['share_in_band'])}"
            f" · 平均 mean {level['mean']} {level['measure']} · 嵌套 nested {yes(level['nesting']['ok'])}"
        )
    return 0
