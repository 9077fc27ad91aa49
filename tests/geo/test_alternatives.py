"""Alternatives: policy — the Pareto rule against brute force, presets on a made-up town, the page as text."""

from __future__ import annotations

from dataclasses import replace
from html.parser import HTMLParser

import numpy as np
import pytest
from graphs import town
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from geo.alternatives import (
    ALONG_ROADS,
    BALANCED,
    COMPACT,
    MEASURES,
    PRESETS,
    alternatives,
    pareto_front,
    score_table,
    to_records,
)
from geo.alternatives_page import pareto_page
from geo.errors import CancelledError
from geo.search import Search
from geo.standards import load_standard

STANDARD = load_standard("fine-250")


@pytest.fixture(scope="module")
def found():
    return alternatives(town(4, 90, seed=3), STANDARD, search=Search(seed=1, effort=0.3))


def test_each_preset_is_best_at_what_it_says(found):
    figures = {one.preset.id: one.score for one in found}
    assert list(figures) == ["balanced", "compact", "along-roads"]
    assert max(figures, key=lambda name: figures[name].within_10) == BALANCED.id
    assert max(figures, key=lambda name: figures[name].polsby_popper) == COMPACT.id
    assert max(figures, key=lambda name: figures[name].along_roads) == ALONG_ROADS.id


def test_the_table_repeats_the_scores_and_names_the_leaders(found):
    table = score_table(found)
    assert table["id"].tolist() == [preset.id for preset in PRESETS]
    for measure in MEASURES:
        values = [getattr(one.score, measure.id) for one in found]
        assert table[measure.id].tolist() == pytest.approx(values, abs=1e-6)
        best = max(values) if measure.higher else min(values)
        leads = [measure.id in text.split(";") for text in table["best_in"]]
        assert any(leads)
        assert [value == pytest.approx(best, abs=1e-6) for value in values] == leads
    assert table["pareto"].all()
    records = to_records(table)
    assert records[1]["id"] == "compact"
    assert "polsby_popper" in records[1]["best_in"]


def test_the_same_seed_gives_the_same_plans():
    units = town(2, 40, seed=5)
    one, other = (alternatives(units, STANDARD, search=Search(seed=4, effort="fast")) for _ in range(2))
    for a, b in zip(one, other, strict=True):
        assert a.partition.grid_of_unit.tolist() == b.partition.grid_of_unit.tolist()


def test_progress_runs_once_from_nothing_to_all_and_cancelling_stops():
    seen = []
    units = town(2, 30)
    search = Search(effort="fast", progress=lambda stage, done, total: seen.append((stage, done, total)))
    alternatives(units, STANDARD, search=search)
    assert {stage for stage, _, _ in seen} == {"partition"}
    done = [d for _, d, _ in seen]
    assert done == sorted(done)
    assert done[-1] == seen[-1][2] == 3 * units.n
    with pytest.raises(CancelledError):
        alternatives(units, STANDARD, search=replace(search, cancelled=lambda: True))


@settings(max_examples=100, deadline=None)
@given(arrays(np.float64, st.tuples(st.integers(1, 6), st.integers(1, 4)), elements=st.integers(0, 3)))
def test_the_front_is_what_nothing_dominates(gains):
    front = pareto_front(gains)
    assert front.any()
    for i, row in enumerate(gains):
        dominated = any((other >= row).all() and (other > row).any() for other in gains)
        assert front[i] == (not dominated)


class _Reader(HTMLParser):
    """Collects what a browser would: tags, attributes, text."""

    def __init__(self) -> None:
        super().__init__()
        self.tags, self.links, self.text = [], [], []

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        self.links += [value for name, value in attrs if name in {"src", "href", "xlink:href", "style"}]

    def handle_data(self, data):
        self.text.append(data)


def test_the_page_is_offline_and_shows_names_as_text(found):
    table = score_table(found)
    table.loc[0, "name_zh"] = '<script>alert(1)</script>"&'
    reader = _Reader()
    page = pareto_page(table)
    reader.feed(page)
    assert "script" not in reader.tags
    assert not reader.links
    assert any('<script>alert(1)</script>"&' in text for text in reader.text)
    assert "default-src 'none'" in page
    assert page == pareto_page(table)
    assert reader.tags.count("polyline") == 3
    assert reader.tags.count("circle") == 3 * len(MEASURES)


def test_a_page_of_one_plan_has_no_division_by_zero(found):
    page = pareto_page(score_table(found[:1]))
    assert "nan" not in page
    assert page.count("<polyline") == 1


def test_a_dominated_plan_is_drawn_grey(found):
    table = score_table([*found, found[0]])
    table.loc[3, "pareto"] = False
    assert pareto_page(table).count('stroke="#9aa5b1"') == 2
