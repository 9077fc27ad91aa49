"""The verbs about services: who reaches them."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias

from geo.cli.arguments import add_layers, parse_columns
from geo.cli.terminal import percent, say, say_findings
from geo.errors import GeoError

# ruff: noqa: PLC0415 - as in geo.cli.commands

if TYPE_CHECKING:
    import argparse
    from argparse import Namespace

    Verbs: TypeAlias = "argparse._SubParsersAction[argparse.ArgumentParser]"  # noqa: SLF001 - its only name

SPEED = 80.0
"""Metres a minute where none is given."""


def add_verbs(verbs: Verbs) -> None:
    """Add the parsers of the verbs of this module."""
    _coverage(verbs)


def _coverage(verbs: Verbs) -> None:
    verb = verbs.add_parser("coverage", help="check 15-minute service circles 服务圈覆盖分析")
    add_layers(verb)
    verb.add_argument("--plan", type=Path, metavar="PLAN.gpkg", help="also count by grid of this plan")
    verb.add_argument(
        "--minutes",
        action="append",
        metavar="[CATEGORY=]N",
        help="walking minutes, of one category or of all others; repeat as needed",
    )
    verb.add_argument(
        "--speed",
        action="append",
        type=float,
        metavar="N",
        help="walking speed, metres a minute; repeat to count several, the first is the main one",
    )
    verb.add_argument("--method", choices=("circle", "network"), default="circle")
    verb.add_argument("--category", action="append", metavar="NAME", help="only this one; repeat as needed")
    verb.add_argument("--window", help="weekday, evening, weekend, or hours such as 'Sa 09:00-12:00'")
    verb.add_argument("--out", type=Path, required=True, metavar="COVERAGE.gpkg")
    verb.add_argument("--report", type=Path, metavar="COVERAGE.json")
    verb.set_defaults(run=coverage)


def coverage(arguments: Namespace) -> int:
    """Count households in reach of every station category; write layers and report."""
    from geo.coverage_job import CoverageOptions, cover, write_coverage
    from geo.layers import parse_source

    result = cover(
        [parse_source(text) for text in arguments.layer],
        columns=parse_columns(arguments.column),
        plan_path=arguments.plan,
        options=CoverageOptions(
            method=arguments.method,
            minutes=parse_minutes(arguments.minutes or []),
            speed=arguments.speed or [SPEED],
            categories=arguments.category,
            window=arguments.window,
        ),
    )
    write_coverage(result, arguments.out, arguments.report)
    say_findings(result.findings)
    for category in result.report["categories"]:
        say(_line(category))
    return 0


def parse_minutes(texts: list[str]) -> dict[str, float]:
    """Turn ``[CATEGORY=]N`` options into minutes by category, with the key ``""`` for all others.

    Raises
    ------
    GeoError
        ``coverage-minutes-option``: what follows is no number.
    """
    minutes: dict[str, float] = {}
    for text in texts:
        name, _, number = text.rpartition("=")
        try:
            minutes[name.strip()] = float(number)
        except ValueError:
            raise GeoError(
                "coverage-minutes-option",
                f"无法理解 --minutes {text}。请写成分钟数，或 类别=分钟数。",
                f"Cannot read --minutes {text}. Write a number of minutes, or CATEGORY=minutes.",
            ) from None
    return minutes


def _line(category: dict[str, Any]) -> str:
    line = f"{category['category']}: {category['covered']}/{category['households']} ({percent(category['share'])})"
    circle = category.get("circle")
    if circle is None:
        return line
    return f"{line}; 直线圆多算 circle over-claims {circle['wrongly_in']}"
