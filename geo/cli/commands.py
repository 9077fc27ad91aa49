"""The verbs of the command line: each reads its arguments, calls the library, says what came out."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from geo.atomic import replacing
from geo.cli.arguments import parse_columns, workers
from geo.cli.terminal import percent, progress_bars, say, say_findings, yes

# The verbs import what they need: numba, folium and pandas cost up to a second each, and `--help` needs none.
# ruff: noqa: PLC0415

if TYPE_CHECKING:
    from argparse import Namespace


def demo(arguments: Namespace) -> int:
    """Write the demo city."""
    from geo.demo import write_city

    write_city(arguments.size, arguments.out, seed=arguments.seed)
    say(f"已生成演示城市 demo city: {arguments.out}")
    return 0


def inspect(arguments: Namespace) -> int:
    """Say what a file holds: layers, encoding, CRS, columns and what they were taken for."""
    from geo.layers import inspect_file

    facts = inspect_file(arguments.file)
    if arguments.json:
        say(json.dumps(facts, ensure_ascii=False, indent=1))
        return 0
    say(f"{arguments.file}: {facts['format']}")
    for layer in facts["layers"]:
        say(f"- {layer['name']}: {layer['rows']} × {layer['geometry_type'] or '—'}, {layer['crs'] or '—'}")
        role = layer["likely_role"]
        say(f"  可能的角色 likely role: {role or '—'}")
        for column in layer["columns"]:
            unread = "个人信息，不读取 personal, left unread"
            meaning = unread if column["personal"] else column["meaning"].get(role, "—")
            say(f"  {column['name']}  →  {meaning}")
    return 0


def partition(arguments: Namespace) -> int:
    """Divide every community into grids; write the plan and its report."""
    with progress_bars() as progress, workers(arguments.workers) as executor:
        # Not before: the workers start and load the engine meanwhile.
        from geo.layers import parse_source
        from geo.pipeline import make_plan, write_result
        from geo.standards import load_standard

        sources = [parse_source(text) for text in arguments.layer]
        standard = load_standard(arguments.standard).with_(
            target=arguments.target, min=arguments.min, max=arguments.max, release=arguments.release
        )
        result = make_plan(
            sources,
            standard=standard,
            columns=parse_columns(arguments.column),
            seed=arguments.seed,
            effort=arguments.effort,
            executor=executor,
            progress=progress,
        )
    write_result(result, arguments.out, arguments.report)
    say_findings([*result.city.findings, *result.tiling.findings])
    report = result.report
    say(
        f"网格 grids {report['grids']} · 户数 households {report['households']['placed']}"
        f"/{report['households']['in']} · ±10 % {percent(report['share_within_10'])}"
        f" · ±20 % {percent(report['share_within_20'])}"
        f" · 区间内 in band {percent(report['share_in_band'])}"
        f" · 精确铺满 exact tiling {yes(report['exact_tiling']['ok'])}"
        f" · 连通 connected {yes(report['contiguity']['ok'])}"
    )
    return 0


def draw_map(arguments: Namespace) -> int:
    """Draw a plan as one HTML page."""
    from geo.coverage_job import read_coverage
    from geo.maps import plan_map
    from geo.plan_files import read_plan

    frames = read_plan(arguments.plan)
    circles = read_coverage(arguments.coverage) if arguments.coverage else None
    html = plan_map(frames, coverage=circles, community=arguments.community, lang=arguments.lang)
    with replacing(arguments.out) as (draft,):
        draft.write_text(html, encoding="utf-8")
    say(f"已生成地图 map: {arguments.out}")
    return 0


def export(arguments: Namespace) -> int:
    """Export the grids of a plan."""
    from geo.export import export_plan
    from geo.plan_files import read_plan

    export_plan(read_plan(arguments.plan, only=("grids",)), arguments.out, to=arguments.format)
    say(f"已导出 exported: {arguments.out}")
    return 0


def verify(arguments: Namespace) -> int:
    """Check with integers that the cells and the grids of a plan file tile every community."""
    from geo.plan_files import read_plan
    from geo.report import verify_layers

    verdicts = verify_layers(read_plan(arguments.plan))
    for name, verdict in verdicts.items():
        say(f"{name}: {yes(verdict.ok)} · 不匹配边 unmatched edges {verdict.unmatched_edges}")
        for place in verdict.where:
            say(f"  {place.fault} {place.lon:.7f}, {place.lat:.7f}")
    return 0 if all(verdict.ok for verdict in verdicts.values()) else 1


def standards(arguments: Namespace) -> int:
    """List the standards that can be planned with."""
    from geo.standards import list_standards

    del arguments
    for standard in list_standards():
        say(
            f"{standard.id}: {standard.name_zh} {standard.name_en}"
            f" · {standard.target} [{standard.min}, {standard.max}] {standard.measure}"
        )
    return 0
