"""The table, the document and the chart."""

from __future__ import annotations

import os
import platform
import re
from html import escape
from importlib import metadata

from bench.partition.peers import BUDGET_S, PEERS

COLUMNS = (
    ("CPU s", "cpu_s", "{:.1f}"),
    ("wall s", "wall_s", "{:.1f}"),
    ("MB", "mb", "{:.0f}"),
    ("grids", "grids", "{}"),
    ("missing or empty", "missing", "{}"),
    ("in pieces", "disconnected", "{}"),
    ("donuts", "donuts", "{}"),
    ("in band", "in_band", "{:.3f}"),
    ("±10 % / ±20 % of mean", ("within_10_of_mean", "within_20_of_mean"), "{:.3f} / {:.3f}"),
    ("±10 % / ±20 % of target", ("within_10", "within_20"), "{:.3f} / {:.3f}"),
    ("Polsby–Popper", "polsby_popper", "{:.3f}"),
    ("border km", "border_km", "{:.1f}"),
    ("along roads", "along_roads", "{:.3f}"),
    ("compounds split / pieces", ("compounds_split", "excess_pieces"), "{} / {}"),
)


def table(rows):
    """Return the Markdown table."""
    lines = [
        "| engine | " + " | ".join(title for title, _, _ in COLUMNS) + " |",
        "|---" * (len(COLUMNS) + 1) + "|",
    ]
    return "\n".join(lines + [line(row) for row in rows])


def line(row):
    """Return one line of the table; an engine without an answer says why in its second cell, a bound has gaps."""
    if row.figures is None:
        return f"| {row.title} | {row.note} " + "| – " * (len(COLUMNS) - 1) + "|"
    values = {**row.figures, **row.cost}
    cells = []
    for _, key, form in COLUMNS:
        keys = key if isinstance(key, tuple) else (key,)
        known = all(k in values for k in keys)
        cells.append(form.format(*(values[k] for k in keys)) if known else "–")
    return f"| {row.title} | " + " | ".join(cells) + " |"


HIGHER = (
    "in_band",
    "within_10_of_mean",
    "within_20_of_mean",
    "within_10",
    "within_20",
    "polsby_popper",
    "along_roads",
)
LOWER = ("missing", "donuts", "border_km", "excess_pieces")
NAMES = {
    "in_band": "in band",
    "within_10_of_mean": "±10 % of mean",
    "within_20_of_mean": "±20 % of mean",
    "within_10": "±10 % of target",
    "within_20": "±20 % of target",
    "polsby_popper": "Polsby–Popper",
    "along_roads": "along roads",
    "missing": "missing or empty",
    "donuts": "donuts",
    "border_km": "border km",
    "excess_pieces": "compound pieces",
}


def verdict(rows, *, own="ours, normal"):
    """Say in which columns a peer whose grids are all connected is ahead of our row."""
    rows = [row for row in rows if not row.bound]
    ours = next((row for row in rows if row.title == own and row.figures), None)
    if ours is None or not any(row.figures for row in rows if not row.title.startswith("ours")):
        return ""
    ahead = []
    for row in rows:
        if row.figures is None or row.title.startswith("ours") or row.figures["disconnected"]:
            continue
        mine, theirs = ours.figures, row.figures
        better = [k for k in HIGHER if theirs[k] > mine[k] + 5e-4] + [
            k for k in LOWER if theirs[k] < mine[k] - 0.05
        ]
        if better:
            ahead.append(f"{row.title}: " + ", ".join(NAMES[k] for k in better))
    if not ahead:
        return f"No peer with connected grids is ahead of “{own}” in any column but cost."
    return (
        f"Peers with connected grids that are ahead of “{own}” in a column other than cost: "
        + "; ".join(ahead)
        + "."
    )


def heading(instance):
    """Say what was divided."""
    units, standard = instance.units, instance.standard()
    return (
        f"{instance.title}: {len(set(units.community.tolist()))} communities in {len(instance.parts)} "
        f"connected parts, {units.n:,} units, {int(units.households.sum()):,} households; "
        f"target {standard.target}, band {standard.min}–{standard.max}"
    )


def machine():
    """Describe the machine by what matters, not by its name."""
    gigabytes = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    return (
        f"{os.cpu_count()} cores ({platform.machine()}), {gigabytes:.0f} GB, "
        f"Python {platform.python_version()}, one thread per engine"
    )


def versions():
    """Return the installed version of every peer."""
    found = []
    for name in dict.fromkeys(peer.distribution for peer in PEERS.values() if peer.distribution):
        try:
            found.append(f"{name} {metadata.version(name)}")
        except metadata.PackageNotFoundError:
            found.append(f"{name} not installed")
    return ", ".join(found)


def write(docs, place, instance, rows, *, seconds, args):
    """Replace the place's block in benchmarks.md, and the chart when it is the demo city."""
    path = docs / "benchmarks.md"
    option = f" --real {args.real}" if args.real else ""
    option += f" --budget {args.budget:.0f}" if args.budget != BUDGET_S else ""
    option += f" --grids {args.grids}" if args.grids != "ours" else ""
    image = "" if args.real else "\n\n![Engines compared](images/partition.svg)"
    block = (
        f"{heading(instance)}.\n\n"
        f"`python -m bench.partition{option}`: {seconds:.0f} s on {machine()}; {versions()}; "
        f"at most {args.budget:.0f} CPU s each; grids per part: {args.grids}.\n\n"
        f"{table(rows)}\n\n{verdict(rows)}{image}"
    )
    text = path.read_text(encoding="utf-8") if path.exists() else "# Benchmarks\n"
    text = _with_block(text, place, block)
    text = _with_block(text, "settings", settings())
    path.write_text(text, encoding="utf-8")
    if not args.real:
        (docs / "images").mkdir(exist_ok=True)
        (docs / "images" / "partition.svg").write_text(chart(rows), encoding="utf-8")


def settings():
    """Return what was set for each engine as a Markdown table."""
    lines = [f"| {p.title} | {p.distribution or 'this project'} | {p.settings} |" for p in PEERS.values()]
    return "\n".join(["| engine | package | settings |", "|---|---|---|", *lines])


def _with_block(text, place, block):
    """Replace the block between a place's two comments, or add it at the end."""
    begin, end = f"<!-- partition {place} -->", f"<!-- end partition {place} -->"
    fresh = f"{begin}\n{block}\n{end}"
    if begin in text:
        return re.sub(re.escape(begin) + ".*?" + re.escape(end), lambda _: fresh, text, flags=re.DOTALL)
    return f"{text.rstrip()}\n\n{fresh}\n"


BARS = (
    ("±10 % of mean", "within_10_of_mean"),
    ("±10 % of target", "within_10"),
    ("Polsby–Popper", "polsby_popper"),
    ("along roads", "along_roads"),
)
LEFT, WIDTH, GAP, HIGH, TOP = 170, 120, 22, 24, 64
OURS, SOUND, BROKEN = "#0b6e75", "#7a8794", "#e3c9c0"


def chart(rows):
    """Draw one line per engine: four bars, CPU seconds, and the grids in pieces, missing or empty.

    Proved ceilings are dashed lines through the bars they hold for.
    """
    bounds = {key: row.figures[key] for row in rows if row.bound for _, key in BARS if key in row.figures}
    rows = [row for row in rows if row.figures is not None and not row.bound]
    width, height = LEFT + len(BARS) * (WIDTH + GAP) + 190, TOP + HIGH * len(rows) + 12
    font = 'font-family="Helvetica, Arial, sans-serif" font-size="12" fill="#222"'
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" {font}>',
        f'<rect width="{width}" height="{height}" fill="#fff"/>',
    ]
    legend = (
        ("ours", OURS),
        ("peer, all grids sound", SOUND),
        ("peer, grids broken, missing or empty", BROKEN),
    )
    for number, (name, colour) in enumerate(legend):
        x = LEFT + (0, 70, 230)[number]
        parts.append(f'<rect x="{x}" y="10" width="11" height="11" fill="{colour}"/>')
        parts.append(f'<text x="{x + 16}" y="20">{name}</text>')
    titles = [title for title, _ in BARS]
    spots = [LEFT + i * (WIDTH + GAP) for i in range(len(BARS) + 1)]
    parts += [
        f'<text x="{x}" y="{TOP - 12}" font-weight="bold">{t}</text>'
        for x, t in zip(spots, titles, strict=False)
    ]
    parts.append(
        f'<text x="{spots[-1] + 40}" y="{TOP - 12}" font-weight="bold" text-anchor="end">CPU s</text>'
    )
    parts.append(
        f'<text x="{spots[-1] + 160}" y="{TOP - 12}" font-weight="bold" text-anchor="end">unsound grids</text>'
    )
    for number, row in enumerate(rows):
        parts += _bars(row, TOP + HIGH * number, spots)
    for x, (_, key) in zip(spots, BARS, strict=False):
        if key in bounds:
            at = f"{x + WIDTH * bounds[key]:.1f}"
            parts.append(
                f'<line x1="{at}" x2="{at}" y1="{TOP - 4}" y2="{height - 8}" stroke="#222" stroke-dasharray="3 2">'
                f"<title>proved ceiling {bounds[key]:.3f}</title></line>"
            )
    return "\n".join([*parts, "</svg>"]) + "\n"


def _bars(row, y, spots):
    unsound = row.figures["missing"] + row.figures["disconnected"]
    colour = OURS if row.title.startswith("ours") else BROKEN if unsound else SOUND
    yield f'<text x="{LEFT - 10}" y="{y + 13}" text-anchor="end">{escape(row.title)}</text>'
    for x, (_, key) in zip(spots, BARS, strict=False):
        share = row.figures[key]
        yield f'<rect x="{x}" y="{y + 2}" width="{WIDTH}" height="14" fill="#f2f4f6"/>'
        yield f'<rect x="{x}" y="{y + 2}" width="{WIDTH * share:.1f}" height="14" fill="{colour}"/>'
        yield f'<text x="{x + 4}" y="{y + 13}" font-size="10" fill="{_ink(share, colour)}">{share:.3f}</text>'
    yield f'<text x="{spots[-1] + 40}" y="{y + 13}" text-anchor="end">{row.cost["cpu_s"]:.1f}</text>'
    yield f'<text x="{spots[-1] + 160}" y="{y + 13}" text-anchor="end">{unsound}</text>'


def _ink(share, colour):
    """Write in white on a dark bar that is long enough for the number."""
    return "#fff" if share > 0.27 and colour != BROKEN else "#222"
