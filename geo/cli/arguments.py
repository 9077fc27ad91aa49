"""Arguments that several verbs share."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

from geo.errors import ColumnError, GeoError
from geo.workers import ENGINE, started_ahead

# ruff: noqa: PLC0415 - as in geo.cli.commands

if TYPE_CHECKING:
    import argparse
    from collections.abc import Iterator
    from concurrent.futures import Executor


def add_layers(verb: argparse.ArgumentParser, *, required: bool = True) -> None:
    """Add the layers and the columns named by hand."""
    verb.add_argument(
        "--layer",
        action="append",
        required=required,
        metavar="ROLE=PATH[:LAYER]",
        help="a layer and its role; repeat for each layer",
    )
    verb.add_argument(
        "--column",
        action="append",
        default=[],
        metavar="ROLE.FIELD=NAME",
        help="name a column by hand, e.g. buildings.households=HU_CNT; repeat as needed",
    )


def parse_columns(texts: list[str]) -> dict[str, str]:
    """Turn ``ROLE.FIELD=NAME`` options into a mapping of ``role.field`` to column name."""
    columns: dict[str, str] = {}
    for text in texts:
        key, equals, name = text.partition("=")
        if not equals or "." not in key or not name:
            raise ColumnError(
                "column-option",
                f"无法理解 --column {text}。请写成 角色.字段=列名，例如 buildings.households=户数。",
                f"Cannot read --column {text}. Write ROLE.FIELD=NAME, e.g. buildings.households=HU_CNT.",
            )
        columns[key] = name
    return columns


@contextmanager
def workers(count: int) -> Iterator[Executor | None]:
    """Yield a pool of `count` processes, or None for one worker: this process itself."""
    import multiprocessing
    from concurrent.futures import ProcessPoolExecutor

    if count < 1:
        raise GeoError(
            "workers", f"--workers 应为正整数，实际为 {count}。", f"--workers must be 1 or more, not {count}."
        )
    if count == 1:
        yield None
        return
    methods = multiprocessing.get_all_start_methods()
    context = multiprocessing.get_context("forkserver" if "forkserver" in methods else "spawn")
    if "forkserver" in methods:
        context.set_forkserver_preload([*ENGINE])
    with ProcessPoolExecutor(count, mp_context=context) as pool, started_ahead(pool):
        yield pool
