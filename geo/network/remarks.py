"""What the planner is told about the network: what was repaired, cut and assumed."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from geo.findings import Finding, Severity
from geo.types import BorderClass

if TYPE_CHECKING:
    from collections.abc import Sequence

    from geo.network.lines import Lines
    from geo.network.passages import Passages
    from geo.network.types import NetworkReport

Note = Callable[[str, Severity, str, int, str, str], None]
"""Note a finding: code, severity, layer, count (nothing is noted for 0), Chinese and English with ``{n}``."""

LOW_SHARE = 0.95
"""Below this connected share the network is called disconnected."""


def remark(
    report: NetworkReport,
    lines: Lines,
    passages: Passages,
    *,
    outlines: int,
    drowned: int,
    lost_gates: Sequence[int],
    rule: str,
) -> list[Finding]:
    """Return the findings on a finished network."""
    found: list[Finding] = []

    def note(  # noqa: PLR0917 - a finding in a line
        code: str, severity: Severity, layer: str, count: int, zh: str, en: str
    ) -> None:
        if count:
            found.append(Finding(code, severity, layer, count, zh.format(n=count), en.format(n=count)))

    note(
        "network-duplicates",
        "info",
        "roads",
        report.duplicates,
        "道路图层有 {n} 段重复，只保留一段。",
        "{n} stretches of street run along the same course as another; one of each is kept.",
    )
    if not lines.marked.any() and not lines.level.any():
        note(
            "network-at-grade",
            "info",
            "roads",
            report.noded,
            "道路图层没有桥梁、隧道或层级列，{n} 处未打断的交叉按平面交叉处理。",
            "The roads layer says nothing on bridges, tunnels or levels; {n} crossings that shared no end count "
            "as at grade.",
        )
    note(
        "network-ends-snapped",
        "info",
        "roads",
        report.snapped_ends,
        "{n} 个道路端点没有接上，已连到附近道路。",
        "{n} loose ends of streets were joined to the street nearby.",
    )
    _on_barriers(note, report, lines, passages, drowned=drowned, rule=rule)
    note(
        "network-gates-assumed",
        "info",
        "compounds",
        len(passages.assumed),
        "{n} 个小区没有大门数据，道路进入处按大门处理。",
        "{n} compounds have no known gate; where a street enters one there is taken to be a gate.",
    )
    note(
        "network-compounds-open",
        "info",
        "compounds",
        outlines - len(passages.closed),
        "{n} 个小区既没有大门数据，也没有道路进入，按没有围墙处理。",
        "{n} compounds have no known gate and no street enters them; they count as open.",
    )
    note(
        "network-gate-without-wall",
        "warning",
        "compounds",
        len(passages.astray),
        "{n} 个大门附近没有小区围墙，未使用。",
        "{n} gates have no compound's wall nearby; not used.",
    )
    note(
        "network-gate-idle",
        "warning",
        "compounds",
        len(passages.idle),
        "{n} 个大门所在小区按没有围墙处理，新增大门不改变步行距离。",
        "{n} gates are of compounds that count as open; they change no distance.",
    )
    note(
        "network-gate-unreachable",
        "warning",
        "compounds",
        len(lost_gates),
        "{n} 个大门在 100 米内没有可到达的道路，未使用。",
        "{n} gates have no street in reach within 100 m; not used.",
    )
    if report.connected_share_after < LOW_SHARE:
        share = f"{report.connected_share_after:.1%}"
        note(
            "network-disconnected",
            "warning",
            "roads",
            report.components,
            f"步行路网分成 {{n}} 片，最大一片占 {share}；其余为“孤岛”，岛上建筑不计为未覆盖。",
            f"The walking network is in {{n}} parts; the largest holds {share}. Buildings on the others are "
            "islands, not counted as uncovered.",
        )
    return found


def _on_barriers(
    note: Note,
    report: NetworkReport,
    lines: Lines,
    passages: Passages,
    *,
    drowned: int,
    rule: str,
) -> None:
    """Note the cuts and the crossings that were taken for bridges."""
    note(
        "network-cut",
        "info",
        "roads",
        report.cut_by_barrier,
        "{n} 处道路被水系、铁路或围墙截断。",
        "Streets and paths were cut at water, railways or walls in {n} places.",
    )
    for kind, code, zh, en in (
        (
            BorderClass.WATER,
            "network-bridges-assumed",
            "跨水处按桥梁",
            "crosses water and is taken for a bridge",
        ),
        (
            BorderClass.RAILWAY,
            "network-crossings-assumed",
            "跨铁路处按道口",
            "crosses a railway and is taken to pass",
        ),
    ):
        assumed = {line for line, k in passages.crossed if k == kind and not lines.marked[line]}
        note(
            code,
            "info",
            "roads",
            len(assumed),
            f"{{n}} 条没有桥梁标记的道路{zh}处理（规则：{rule}）。",
            f"{{n}} streets without a mark: each {en} (rule: {rule}).",
        )
    note(
        "network-drowned",
        "info",
        "roads",
        drowned,
        "{n} 段小路只剩水面或铁路之间的部分，已去掉。",
        "{n} stretches were left between two cuts at water or railways; dropped.",
    )
