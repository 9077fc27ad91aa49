"""Policy: a grid out of the band is called unavoidable only when a proof says so, and the proof is named."""

from __future__ import annotations

import graphs
import numpy as np
import pytest

from geo.fixed import Fixed
from geo.partition.problem import build_problems
from geo.partition.reason_texts import UNPROVED, not_proved
from geo.partition.reasons import Answer, assemble
from geo.partition.weights import Weights
from geo.standards import load_standard

FINE = load_standard("fine-250")


def explained(loads, label, standard=FINE, **more):
    """The reasons of a division of a row of units, drawn by hand, in the order of its grids."""
    units = graphs.lattice(1, len(loads), loads, **more)
    return reasons_of(units, np.asarray(label), standard)


def reasons_of(units, label, standard=FINE, fixed=None):
    frozen = None if fixed is None else fixed.grid >= 0
    problems = build_problems(units, standard, Weights(), frozen=frozen)
    answers = [Answer(np.unique(label[p.rows], return_inverse=True)[1].astype(np.int32)) for p in problems]
    return assemble(units, standard, problems, answers, fixed=fixed)


def codes(result):
    return [r.code if r else None for r in result.reasons]


@pytest.mark.parametrize(
    ("loads", "label", "expected"),
    [
        ([60, 0, 60], [0, 0, 0], ["community-too-small"]),
        ([0, 0, 0], [0, 0, 0], ["no-households"]),
        ([175, 175], [0, 0], ["community-total-does-not-divide"]),
        ([200, 390], [0, 1], [None, "unit-too-large"]),
        ([155, 190, 155], [0, 0, 1], ["sizes-do-not-pack"] * 2),
        # 100 + 100 would do, but 240 lies between them.
        ([100, 240, 100], [0, 0, 1], ["cut-off"] * 2),
        # Two grids of 240, one unit of 120 left over: it could not be otherwise with three grids.
        ([120, 120, 120, 120, 120], [0, 0, 1, 1, 2], [None, None, "sizes-do-not-pack"]),
        # 190 + 90 twice would do.
        ([190, 90, 190, 90], [0, 1, 1, 2], ["not-proved", None, "not-proved"]),
    ],
)
def test_reasons_that_can_be_seen(loads, label, expected):
    assert codes(explained(loads, label)) == expected


def test_a_better_division_with_as_many_grids_is_never_called_impossible():
    # 100 + 150 twice is in the band; this division is not.
    result = explained([100, 150, 150, 100], [0, 1, 1, 1])
    assert codes(result) == ["not-proved"] * 2
    assert not any(r.proved for r in result.reasons)
    assert result.communities[0].unavoidable == 0


def test_two_misses_are_not_excused_by_one_that_must_be():
    # No grids of 270 to 275 add up to 412, so one is out of the band; but 136 + 136 make one that is not.
    narrow = FINE.with_(target=272, min=270, max=275, hard_max=400)
    assert codes(explained([136, 136, 140], [0, 1, 1], narrow)) == ["not-proved", "cut-off"]
    assert codes(explained([136, 136, 140], [0, 0, 1], narrow)) == [None, "community-total-does-not-divide"]


def test_neighbours_that_do_not_pack():
    # 110 + 110 would do, and 195 + 195 is too much: on the line no two neighbours go together.
    loads = [110, 195, 110, 195, 110, 195, 110]
    result = explained(loads, [0, 1, 2, 3, 4, 5, 6])
    assert set(codes(result)) <= {"cut-off", "neighbours-do-not-pack"}
    assert all(r.proved for r in result.reasons)


def test_settled_grids_have_no_band():
    units = graphs.lattice(1, 4, [390, 250, 90, 0])
    fixed = Fixed(np.array([0, -1, -1, 1], np.int32), np.array([False, True]))
    result = reasons_of(units, np.array([0, 1, 2, 3]), fixed=fixed)
    assert result.grid_of_unit.tolist() == [0, 1, 2, 3]
    assert codes(result)[0] is None
    assert codes(result)[3] == "dedicated"
    (summary,) = result.communities
    assert (summary.grids, summary.in_band) == (4, 3)
    assert summary.total == 730


def test_a_community_of_settled_grids_alone_is_summed_up():
    units = graphs.lattice(1, 2, [390, 0])
    fixed = Fixed(np.array([0, 1], np.int32), np.array([False, True]))
    (summary,) = reasons_of(units, np.array([0, 1]), fixed=fixed).communities
    assert (summary.parts, summary.grids, summary.in_band, summary.unavoidable) == (0, 2, 2, 0)


def test_the_side_of_the_band_is_named():
    assert "above the maximum" in not_proved(310, FINE).en
    assert "低于下限" in not_proved(190, FINE).zh
    assert not_proved(190, FINE).code in UNPROVED
