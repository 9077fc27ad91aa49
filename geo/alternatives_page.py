"""A page that shows which alternatives are worth having: one self-contained HTML file with its own SVG."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING

from geo.alternatives import MEASURES, gains_of

if TYPE_CHECKING:
    import pandas as pd

    from geo.alternatives import Measure

COLOURS = ("#2b6cb0", "#b3400e", "#1f7a4d", "#8b2f6f", "#7a5c12", "#5a4fa0")
"""One line colour per alternative, repeated when there are more; dashes tell them apart as well."""

DASHES = ("", "9 4", "2 4", "12 4 2 4", "6 3 2 3", "1 3")

WIDTH, HEIGHT = 900, 440
LEFT, RIGHT, TOP, BOTTOM = 80, 90, 40, 330

STYLE = """
body { font: 15px/1.5 "Noto Sans CJK SC", "Microsoft YaHei", sans-serif; margin: 2rem auto; max-width: 960px;
  color: #22303f; padding: 0 1rem; }
h1 { font-size: 1.3rem; } table { border-collapse: collapse; width: 100%; }
th, td { border-bottom: 1px solid #d5dbe2; padding: .4rem .6rem; text-align: right; }
th:first-child, td:first-child { text-align: left; } td.best { font-weight: 700; }
svg { width: 100%; height: auto; } .note { color: #5d6b7a; }
"""

POLICY = "default-src 'none'; style-src 'unsafe-inline'; img-src data:; base-uri 'none'; form-action 'none'"


def pareto_page(table: pd.DataFrame) -> str:
    """Draw the alternatives as lines over parallel axes, one axis a measure, the better end on top.

    A line that lies nowhere above another's is dominated: drawn thin and grey. The page asks nothing of any other
    host, holds no script, and shows every name as text only; the same table gives the same bytes.

    Parameters
    ----------
    table
        As `geo.alternatives.score_table` returns it, with at least one row.
    """
    rows = "\n".join(_row(table, i) for i in range(len(table)))
    heads = "".join(f"<th>{escape(m.name_zh)}<br>{escape(m.name_en)}</th>" for m in MEASURES)
    return f"""<!DOCTYPE html>
<html lang="zh-CN">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="{POLICY}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>方案比选 Alternatives</title>
<style>{STYLE}</style>
</head>
<body>
<h1>方案比选 Alternatives</h1>
<p class="note">每条线是一个方案，每根轴是一项指标，越靠上越好；各方案相同的指标画在中间。
灰色细线的方案各项都不优于另一方案。<br>
A line is a plan, an axis a measure, higher is better, the middle where all are equal.
Thin and grey: in nothing better than another plan.</p>
{_drawing(table)}
<table>
<thead><tr><th>方案 Plan</th><th>网格数<br>grids</th>{heads}<th>帕累托<br>Pareto</th></tr></thead>
<tbody>
{rows}
</tbody>
</table>
</body>
</html>
"""


def _row(table: pd.DataFrame, i: int) -> str:
    record = table.iloc[i]
    best = set(str(record["best_in"]).split(";"))
    cells = "".join(
        f'<td class="best">{_shown(m, record[m.id])}</td>'
        if m.id in best
        else f"<td>{_shown(m, record[m.id])}</td>"
        for m in MEASURES
    )
    mark = "✓" if record["pareto"] else "—"
    name = f"{escape(str(record['name_zh']))}<br>{escape(str(record['name_en']))}"
    return f"<tr><td>{name}</td><td>{int(record['grids'])}</td>{cells}<td>{mark}</td></tr>"


def _drawing(table: pd.DataFrame) -> str:
    gains = gains_of(table)
    low, high = gains.min(axis=0), gains.max(axis=0)
    span = high - low
    step = (WIDTH - LEFT - RIGHT) / (len(MEASURES) - 1)
    parts = [_axis(m, LEFT + k * step, (low[k], high[k])) for k, m in enumerate(MEASURES)]
    for i, record in enumerate(table.to_dict("records")):
        places = [
            (
                LEFT + k * step,
                BOTTOM - (BOTTOM - TOP) * (0.5 if span[k] == 0 else (gains[i, k] - low[k]) / span[k]),
            )
            for k in range(len(MEASURES))
        ]
        colour, dash = COLOURS[i % len(COLOURS)], DASHES[i % len(DASHES)]
        stroke = (
            f'stroke="{colour}" stroke-width="3"'
            if record["pareto"]
            else 'stroke="#9aa5b1" stroke-width="1.2"'
        )
        points = " ".join(f"{x:.1f},{y:.1f}" for x, y in places)
        title = escape(f"{record['name_zh']} {record['name_en']}")
        parts.append(
            f'<g><title>{title}</title><polyline points="{points}" fill="none" {stroke} '
            f'stroke-dasharray="{dash}"/>'
            + "".join(f'<circle cx="{x:.1f}" cy="{y:.1f}" r="4" fill="{colour}"/>' for x, y in places)
            + "</g>"
        )
        parts.append(_key(i, title, stroke, dash))
    label = "各方案指标的平行坐标图 parallel axes of the alternatives"
    height = HEIGHT + 24 * max(0, len(table) - 3)
    return (
        f'<svg viewBox="0 0 {WIDTH} {height}" role="img" aria-label="{label}">' + "\n".join(parts) + "</svg>"
    )


def _axis(measure: Measure, x: float, ends: tuple[float, float]) -> str:
    """Draw an axis with its name above and its best and worst value at the ends."""
    sign = 1.0 if measure.higher else -1.0
    worst, best = (_shown(measure, sign * value) for value in ends)
    text = 'text-anchor="middle" font-size="12"'
    return (
        f'<line x1="{x:.1f}" y1="{TOP}" x2="{x:.1f}" y2="{BOTTOM}" stroke="#c4ccd5"/>'
        f'<text x="{x:.1f}" y="{TOP - 24}" {text}>{escape(measure.name_zh)}</text>'
        f'<text x="{x:.1f}" y="{TOP - 8}" {text} fill="#5d6b7a">{best}</text>'
        f'<text x="{x:.1f}" y="{BOTTOM + 18}" {text} fill="#5d6b7a">{worst}</text>'
    )


def _key(i: int, title: str, stroke: str, dash: str) -> str:
    y = BOTTOM + 42 + 24 * i
    return (
        f'<line x1="{LEFT}" y1="{y}" x2="{LEFT + 40}" y2="{y}" {stroke} stroke-dasharray="{dash}"/>'
        f'<text x="{LEFT + 50}" y="{y + 4}" font-size="13">{title}</text>'
    )


def _shown(measure: Measure, value: float) -> str:
    if measure.share:
        return f"{value:.1%}"
    return f"{value:.0f}" if measure.id == "compounds_split" else f"{value:.3f}"
