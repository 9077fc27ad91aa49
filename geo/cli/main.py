"""Parse the command line, run one verb, and turn every error into one clear line."""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias

from geo import __version__
from geo.cli import commands, planning, redraw, service, siting
from geo.cli.arguments import add_layers
from geo.errors import CancelledError, GeoError

if TYPE_CHECKING:
    from collections.abc import Sequence

    Verbs: TypeAlias = "argparse._SubParsersAction[argparse.ArgumentParser]"  # noqa: SLF001 - its only name

BAD_INPUT = 2
INTERRUPTED = 130


def main(argv: Sequence[str] | None = None) -> int:
    """Run ``python -m geo`` and return its exit code.

    0: done; 1: a check did not hold (``verify``); 2: bad input, said in one line; 130: interrupted.
    """
    arguments = build_parser().parse_args(argv)
    try:
        result: int = arguments.run(arguments)
    except (KeyboardInterrupt, CancelledError):
        print("已取消。 / Cancelled.", file=sys.stderr)  # noqa: T201
        return INTERRUPTED
    except GeoError as error:
        line = " ".join(f"错误：{error.zh} / Error: {error.en}".split())
        print(line, file=sys.stderr)  # noqa: T201
        return BAD_INPUT
    except BrokenPipeError:
        # The reader of our output has enough, as in `… | head`: nothing is wrong, and nobody is left to tell.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    return result


def build_parser() -> argparse.ArgumentParser:
    """Return the parser of all verbs; ``docs/cli.md`` documents each of its options."""
    parser = argparse.ArgumentParser(
        prog="python -m geo",
        description="Wangge 网格规划: divide communities into connected, balanced, compact grids.",
    )
    parser.add_argument("--version", action="version", version=f"wangge {__version__}")
    verbs = parser.add_subparsers(dest="verb", required=True, metavar="VERB")
    _demo(verbs)
    _inspect(verbs)
    _partition(verbs)
    planning.add_verbs(verbs)
    redraw.add_verbs(verbs)
    service.add_verbs(verbs)
    siting.add_verbs(verbs)
    _map(verbs)
    _export(verbs)
    _verify(verbs)
    _standards(verbs)
    return parser


def _demo(verbs: Verbs) -> None:
    verb = verbs.add_parser("demo", help="write the demo city 生成演示城市")
    verb.add_argument("--size", choices=("small", "full"), default="small")
    verb.add_argument("--seed", type=int, default=0)
    verb.add_argument("--out", type=Path, required=True, metavar="CITY.gpkg")
    verb.set_defaults(run=commands.demo)


def _inspect(verbs: Verbs) -> None:
    verb = verbs.add_parser("inspect", help="say what a file holds 查看文件内容")
    verb.add_argument("file", type=Path)
    verb.add_argument("--json", action="store_true", help="print JSON")
    verb.set_defaults(run=commands.inspect)


def _partition(verbs: Verbs) -> None:
    verb = verbs.add_parser("partition", help="divide communities into grids 划分网格")
    add_layers(verb)
    verb.add_argument("--standard", default="fine-250", help="see the verb standards")
    verb.add_argument("--target", type=int, help="households (or persons) a grid should have")
    verb.add_argument("--min", type=int, help="lower edge of the band")
    verb.add_argument("--max", type=int, help="upper edge of the band")
    verb.add_argument("--effort", choices=("fast", "normal", "best"), default="normal")
    verb.add_argument(
        "--release",
        choices=("never", "blocking"),
        help="whether compounds that keep grids out of the band may be divided; the standard says, by default",
    )
    verb.add_argument("--workers", type=int, default=1, help="processes to work with; never changes the plan")
    verb.add_argument("--seed", type=int, default=0)
    verb.add_argument("--out", type=Path, required=True, metavar="PLAN.gpkg")
    verb.add_argument("--report", type=Path, metavar="REPORT.json")
    verb.set_defaults(run=commands.partition)


def _map(verbs: Verbs) -> None:
    verb = verbs.add_parser("map", help="draw a plan as one HTML page that opens offline 生成地图")
    verb.add_argument("plan", type=Path, metavar="PLAN.gpkg")
    verb.add_argument("--coverage", type=Path, metavar="COVERAGE.gpkg")
    verb.add_argument("--community", help="community_id whose buildings are drawn")
    verb.add_argument("--lang", choices=("zh", "en"), default="zh")
    verb.add_argument("--out", type=Path, required=True, metavar="MAP.html")
    verb.set_defaults(run=commands.draw_map)


def _export(verbs: Verbs) -> None:
    verb = verbs.add_parser("export", help="export the grids of a plan 导出网格")
    verb.add_argument("plan", type=Path, metavar="PLAN.gpkg")
    verb.add_argument("--format", default="geojson", help="geojson or csv")
    verb.add_argument("--out", type=Path, required=True)
    verb.set_defaults(run=commands.export)


def _verify(verbs: Verbs) -> None:
    verb = verbs.add_parser("verify", help="prove that a plan tiles its communities exactly 校验方案")
    verb.add_argument("plan", type=Path, metavar="PLAN.gpkg")
    verb.set_defaults(run=commands.verify)


def _standards(verbs: Verbs) -> None:
    verb = verbs.add_parser("standards", help="list the standards 列出标准")
    verb.set_defaults(run=commands.standards)
