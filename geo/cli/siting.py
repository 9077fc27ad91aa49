"""The verb that finds sites for new stations."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias

from geo.cli.arguments import add_layers, parse_columns
from geo.cli.terminal import say, say_findings, yes

# ruff: noqa: PLC0415 - as in geo.cli.commands

if TYPE_CHECKING:
    import argparse
    from argparse import Namespace

    Verbs: TypeAlias = "argparse._SubParsersAction[argparse.ArgumentParser]"  # noqa: SLF001 - its only name


def add_verbs(verbs: Verbs) -> None:
    """Add the parser of the verb ``siting``."""
    verb = verbs.add_parser("siting", help="propose sites for new stations 服务站点选址")
    add_layers(verb)
    verb.add_argument("--model", default="mclp", help="lscp, mclp or pmedian")
    verb.add_argument("--p", type=int, default=1, metavar="N", help="most new sites (mclp, pmedian)")
    verb.add_argument(
        "--category",
        action="append",
        default=[],
        metavar="CATEGORY",
        help="category of the new stations; repeat to house several at every site",
    )
    verb.add_argument("--minutes", type=float, default=15.0)
    verb.add_argument("--speed", type=float, default=66.7, help="walking speed, metres a minute")
    verb.add_argument("--method", default="circle", help="circle or network")
    verb.add_argument("--candidates", default="layer", help="layer, buildings or cells")
    verb.add_argument("--capacity", type=int, metavar="N", help="most households a new site serves (mclp)")
    verb.add_argument(
        "--penalty", type=float, metavar="M", help="metres counted where no station is in reach"
    )
    verb.add_argument("--existing", action="store_true", default=True, help="count the stations there are")
    verb.add_argument("--ignore-existing", dest="existing", action="store_false", help="site from nothing")
    verb.add_argument(
        "--time-limit", type=float, default=60.0, metavar="S", help="seconds for the exact search"
    )
    verb.add_argument("--out", type=Path, required=True, metavar="SITING.gpkg")
    verb.add_argument("--report", type=Path, metavar="SITING.json")
    verb.set_defaults(run=siting)


def siting(arguments: Namespace) -> int:
    """Choose sites for new stations; write layers and report."""
    import time

    from geo.layers import parse_source
    from geo.siting_job import SitingOptions, site, write_siting

    result = site(
        [parse_source(text) for text in arguments.layer],
        SitingOptions(
            model=arguments.model,
            p=arguments.p,
            categories=tuple(arguments.category),
            minutes=arguments.minutes,
            speed_m_per_min=arguments.speed,
            method=arguments.method,
            candidates=arguments.candidates,
            capacity=arguments.capacity,
            penalty_m=arguments.penalty,
            existing=arguments.existing,
            time_limit_s=arguments.time_limit,
        ),
        columns=parse_columns(arguments.column),
        clock=time.monotonic,
    )
    write_siting(result, arguments.out, arguments.report)
    say_findings(result.findings)
    _say_report(result.report)
    return 0


def _say_report(report: dict[str, Any]) -> None:
    for site in report["sites"]:
        say(f"{site['candidate_id']} {site['name']}: +{site['gained']} 户 households")
    for category in report["categories"]:
        say(
            f"{category['category']}: {category['covered_before']} → {category['covered_after']}"
            f" / {category['households']} 户 households"
        )
    gap = "" if report["proved_optimal"] else f", gap {report['gap_percent']} %"
    say(f"最优性已证明 proved optimal: {yes(report['proved_optimal'])}{gap}")
