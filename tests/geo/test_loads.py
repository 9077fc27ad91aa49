"""Policy: loads are whole numbers, never lose an inhabited unit, and are plain counts for a plain standard."""

from __future__ import annotations

from dataclasses import replace

import graphs
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from geo.loads import rules_of_units, stands_alone, unit_loads
from geo.standards import TypeRule, load_standard

FINE = load_standard("fine-250")
BY_TYPE = load_standard("type-rule-634")
KINDS = ("成熟小区", "散居楼院", "老旧小区", "学校")


def units_of(households, kinds, persons=None, **more):
    units = graphs.lattice(1, len(households), households, compound=list(range(len(households))))
    if persons is not None:
        units = replace(units, persons=np.asarray(persons, np.int64))
    codes = [KINDS.index(k) if k else -1 for k in kinds]
    return replace(units, kind=np.array(codes, np.int32), kinds=KINDS, **more)


@pytest.mark.parametrize("measure", ["households", "persons"])
def test_a_plain_standard_counts_plainly(measure):
    standard = replace(FINE, measure=measure)
    units = units_of([0, 40, 333], ["成熟小区", "", "学校"])
    assert unit_loads(units, standard).tolist() == getattr(units, measure).tolist()
    assert unit_loads(units, standard).dtype == np.int64


def test_types_with_rules_count_in_equivalents_of_the_main_rule():
    units = units_of([570, 300, 300, 300], ["成熟小区", "散居楼院", "老旧小区", ""], [1500, 800, 800, 800])
    # 1,500 persons of 3,000 are half a grid: 300 of 600 households. The third type has no numbers of its own.
    assert unit_loads(units, BY_TYPE).tolist() == [300, 300, 300, 300]


def test_other_names_of_a_type_follow_its_rule():
    units = replace(units_of([570], ["成熟小区"], [1500]), kinds=("商品房小区", *KINDS[1:]))
    assert unit_loads(units, BY_TYPE).tolist() == [300]
    assert [r.compound_type for r in rules_of_units(units, BY_TYPE) if r] == ["成熟小区"]


def test_a_few_persons_still_count():
    units = units_of([1, 0], ["成熟小区", "成熟小区"], [1, 0])
    assert unit_loads(units, BY_TYPE).tolist() == [1, 0]


def test_the_workload_index_multiplies():
    units = units_of([100, 100, 3], ["", "", ""], workload=np.array([1.25, 1.0, 0.01]))
    assert unit_loads(units, FINE).tolist() == [125, 100, 1]


def test_a_compound_stands_alone_from_the_minimum_to_the_maximum_of_its_rule():
    units = units_of([1000] * 4, ["成熟小区"] * 3 + ["散居楼院"], [2999, 3000, 9000, 9000])
    assert stands_alone(units, BY_TYPE).tolist() == [False, True, True, False]
    rules = (TypeRule("成熟小区", "persons", target=3000, max=4000, one_compound_per_grid=True),)
    assert stands_alone(units, replace(BY_TYPE, rules=rules)).tolist() == [False, True, False, False]
    loose = replace(units, compound=np.full(4, -1, np.int32))
    assert not stands_alone(loose, BY_TYPE).any()


@given(
    st.lists(
        st.tuples(st.integers(0, 5000), st.integers(0, 15000), st.sampled_from(["", *KINDS])), min_size=1
    ),
    st.sampled_from([FINE, BY_TYPE]),
)
def test_loads_are_whole_and_keep_every_inhabited_unit(rows, standard):
    households, persons, kinds = zip(*rows, strict=True)
    units = units_of(list(households), kinds, persons)
    loads = unit_loads(units, standard)
    assert loads.dtype == np.int64
    rules = rules_of_units(units, standard)
    for i, rule in enumerate(rules):
        measure, target = (standard.measure, standard.target) if rule is None else (rule.measure, rule.target)
        counted = int(getattr(units, measure)[i])
        assert (loads[i] > 0) == (counted > 0)
        assert abs(loads[i] - counted * standard.target / target) <= 1
