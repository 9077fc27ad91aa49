"""The verbs about services: who reaches them."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias

from geo.cli.arguments import add_layers, parse_columns
from geo.cli.terminal import percent, say, say_findings

# ruff: noqa: PLC0415 - as in geo.cli.commands

if TYPE_CHECKING:
    import argparse
    from argparse import Namespace

    Verbs: TypeAlias = "argparse._SubParsersAction[argparse.ArgumentParser]"  # noqa: SLF001 - its only name


def add_verbs(verbs: Verbs) -> None:
    """Add the parsers of the verbs of this module."""
    _coverage(verbs)


def _coverage(verbs: Verbs) -> None:
    verb = verbs.add_parser("coverage", help="check 15-minute service circles 服务圈覆盖分析")
    add_layers(verb)
    verb.add_argument("--plan", type=Path, metavar="PLAN.gpkg", help="also count by grid of this plan")
    verb.add_argument("--minutes", type=float, default=15.0)
    verb.add_argument("--speed", type=float, default=80.0, help="walking speed, metres a minute")
    verb.add_argument("--method", choices=("circle",), default="circle")
    verb.add_argument("--out", type=Path, required=True, metavar="COVERAGE.gpkg")
    verb.add_argument("--report", type=Path, metavar="COVERAGE.json")
    verb.set_defaults(run=coverage)


def coverage(arguments: Namespace) -> int:
    """Count households in reach of every station category; write layers and report."""
    from geo.coverage_job import cover, write_coverage
    from geo.layers import parse_source

    result = cover(
        [parse_source(text) for text in arguments.layer],
        columns=parse_columns(arguments.column),
        plan_path=arguments.plan,
        minutes=arguments.minutes,
        speed_m_per_min=arguments.speed,
    )
    write_coverage(result, arguments.out, arguments.report)
    say_findings(result.findings)
    for category in result.report["categories"]:
        say(
            f"{category['category']}: {category['covered']}/{category['households']}"
            f" ({percent(category['share'])})"
        )
    return 0
