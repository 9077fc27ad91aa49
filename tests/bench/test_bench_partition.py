"""The engine benchmark counts what is missing, leaves gaps where nothing is known, and draws what it says.

Instances are small lattices; no peer has to be installed and no engine is run.
"""

from __future__ import annotations

import sys
import xml.etree.ElementTree as ET
from pathlib import Path

import numpy as np
import pytest

sys.path.insert(0, str(Path(__file__).parent.parent / "geo"))

from graphs import lattice

from bench.partition import report
from bench.partition.instance import Instance, cut_parts
from bench.partition.judge import Row, best_possible, judge
from bench.partition.run import _grids


@pytest.fixture
def instance() -> Instance:
    """Two rows of six units, each row a community of its own, 125 households a unit."""
    units = lattice(2, 6, [125] * 12, community=[0] * 6 + [1] * 6)
    return Instance("lattice", units, "fine-250", tuple(cut_parts(units, np.zeros((12, 2))))).with_grids(
        [3, 3]
    )


def test_parts_are_the_communities_with_their_own_adjacency(instance: Instance) -> None:
    first, second = instance.parts
    assert first.rows.tolist() == [0, 1, 2, 3, 4, 5]
    assert second.rows.tolist() == [6, 7, 8, 9, 10, 11]
    for part in instance.parts:
        assert np.diff(part.indptr).tolist() == [1, 2, 2, 2, 2, 1]
        assert part.neighbor[:3].tolist() == [1, 0, 2]
        assert part.k == 3
        assert (part.priced > 0).all()


def test_grids_that_are_missing_or_empty_are_misses(instance: Instance) -> None:
    whole = np.array([0, 0, 1, 1, 2, 2, 3, 3, 4, 4, 5, 5])
    figures = judge(instance, whole, asked=[3, 3])
    assert (figures["grids"], figures["missing"], figures["disconnected"]) == (6, 0, 0)
    assert figures["in_band"] == figures["within_10"] == figures["within_10_of_mean"] == 1.0
    short = np.array([0, 0, 1, 1, 1, 1, 3, 3, 4, 4, 5, 5])
    figures = judge(instance, short, asked=[3, 3])
    assert (figures["grids"], figures["missing"]) == (6, 1)
    assert figures["in_band"] == pytest.approx(4 / 6)
    apart = np.array([0, 1, 0, 1, 2, 2, 3, 3, 4, 4, 5, 5])
    assert judge(instance, apart, asked=[3, 3])["disconnected"] == 2
    free = judge(instance, short, asked=None)
    assert (free["grids"], free["missing"]) == (5, 0)


def test_peers_are_asked_for_our_number_of_grids_or_the_target(instance: Instance) -> None:
    assert _grids(instance, None) == [3, 3]
    assert _grids(instance, {"label": [0, 0, 0, 1, 1, 1, 2, 3, 4, 5, 6, 6]}) == [2, 5]


def rows_of(instance: Instance) -> list[Row]:
    whole = np.array([0, 0, 1, 1, 2, 2, 3, 3, 4, 4, 5, 5])
    apart = np.array([0, 1, 0, 1, 2, 2, 3, 3, 4, 4, 5, 5])
    cost = {"cpu_s": 1.25, "wall_s": 2.5, "mb": 100.0}
    return [
        Row("ours, normal", cost=cost, figures=judge(instance, whole, asked=None)),
        Row("a <peer>", cost=cost, figures=judge(instance, apart, asked=[3, 3])),
        Row("slow", note="none in 60 s, 1 of 2 parts"),
        best_possible(instance),
    ]


def test_the_table_has_a_cell_for_every_column_and_the_ceiling_where_it_is_known(instance: Instance) -> None:
    lines = report.table(rows_of(instance)).splitlines()
    assert len({line.count("|") for line in lines}) == 1
    assert "none in 60 s" in lines[4]
    names = [cell.strip() for cell in lines[0].strip("|").split("|")]
    bound = dict(zip(names, (cell.strip() for cell in lines[5].strip("|").split("|")), strict=True))
    assert bound["engine"] == "proved ceiling"
    assert bound["in band"] == "1.000"
    assert bound["±10 % / ±20 % of target"] == "1.000 / 1.000"
    assert bound["Polsby–Popper"] == bound["grids"] == bound["MB"] == "–"


def test_no_engine_is_above_the_ceiling(instance: Instance) -> None:
    ours, *_, best = rows_of(instance)
    for name, highest in best.figures.items():
        assert ours.figures[name] <= highest + 1e-9


def test_the_verdict_names_connected_peers_that_are_ahead_and_no_bound(instance: Instance) -> None:
    ours, peer, _, best = rows_of(instance)
    assert "No peer" in report.verdict([ours, peer, best])
    better = Row("fine", cost=peer.cost, figures={**ours.figures, "polsby_popper": 0.99})
    said = report.verdict([ours, peer, better, best])
    assert said.endswith("fine: Polsby–Popper.")
    assert report.verdict([ours, best]) == ""


def test_the_chart_is_one_line_per_engine_and_dashes_for_the_ceiling(instance: Instance) -> None:
    root = ET.fromstring(report.chart(rows_of(instance)))  # noqa: S314 - our own text
    texts = [element.text for element in root.iter("{http://www.w3.org/2000/svg}text")]
    assert "ours, normal" in texts
    assert "a <peer>" in texts
    assert "slow" not in texts
    assert "proved ceiling" not in texts
    dashes = [e for e in root.iter("{http://www.w3.org/2000/svg}line") if e.get("stroke-dasharray")]
    assert len(dashes) == 1


def test_a_block_of_the_document_is_replaced_and_the_rest_is_kept() -> None:
    text = "# Benchmarks\n\n<!-- partition demo -->\nold \\1\n<!-- end partition demo -->\n\nmore\n"
    fresh = report._with_block(text, "demo", r"new \1 text")
    assert "old" not in fresh
    assert r"new \1 text" in fresh
    assert fresh.endswith("\n\nmore\n")
    assert report._with_block(fresh, "demo", r"new \1 text") == fresh
    assert report._with_block("a", "b", "c").endswith("<!-- partition b -->\nc\n<!-- end partition b -->\n")
