"""Policy: opening hours in both notations give exact minutes; what cannot be read is said, never guessed."""

from __future__ import annotations

import numpy as np
import pytest
import towns

from geo.demo.services import HOURS
from geo.errors import GeoError
from geo.service_coverage.hours import DAY, WINDOWS, is_open, open_stations, open_week, parse_window

EVERY_DAY = range(7)


def minutes_of(text: str) -> list[list[tuple[int, int]]]:
    """Stretches of open minutes of each day, read off the week minute by minute."""
    week = open_week(text)
    assert week is not None
    days = []
    for day in EVERY_DAY:
        edges = np.flatnonzero(
            np.diff(np.concatenate([[0], week[day * DAY : (day + 1) * DAY], [0]]).astype(int))
        )
        days.append([(int(a), int(b)) for a, b in edges.reshape(-1, 2)])
    return days


def hm(text: str) -> tuple[int, int]:
    start, end = ([int(part) for part in time.split(":")] for time in text.split("-"))
    return start[0] * 60 + start[1], end[0] * 60 + end[1]


@pytest.mark.parametrize(
    ("text", "days", "times"),
    [
        ("24/7", EVERY_DAY, ["00:00-24:00"]),
        ("全天", EVERY_DAY, ["00:00-24:00"]),
        ("09:00-17:00", EVERY_DAY, ["09:00-17:00"]),
        ("Mo-Fr 09:00-17:30", range(5), ["09:00-17:30"]),
        ("Mo-Su 06:30-09:00,10:30-13:00", EVERY_DAY, ["06:30-09:00", "10:30-13:00"]),
        ("Tu-Su 09:00-21:00", range(1, 7), ["09:00-21:00"]),
        ("Sa-Mo 10:00-12:00", [5, 6, 0], ["10:00-12:00"]),
        ("Mo,We,Fr 10:00-12:00", [0, 2, 4], ["10:00-12:00"]),
        ("Monday - Friday 9:00-17:00", range(5), ["09:00-17:00"]),
        ("周一至周五 8:30-12:00、14:00-17:30", range(5), ["08:30-12:00", "14:00-17:30"]),
        ("周一到周五：上午8:30-11:30，下午2:00-5:30", range(5), ["08:30-11:30", "14:00-17:30"]),
        ("星期一至五 9点—17点半", range(5), ["09:00-17:30"]),
        ("每天 8时30分~20时", EVERY_DAY, ["08:30-20:00"]),
        ("工作日 9:00-17:00", range(5), ["09:00-17:00"]),
        ("周末 9:00-17:00", [5, 6], ["09:00-17:00"]),
        ("周一至周日 9:00-17:00，周一休息", range(1, 7), ["09:00-17:00"]),
        ("Mo-Su 08:00-20:00; PH off", EVERY_DAY, ["08:00-20:00"]),
        ("Mo-Su 08:00-20:00; Su off", range(6), ["08:00-20:00"]),
        ("Ｍｏ－Ｆｒ　０９：００－１７：３０", range(5), ["09:00-17:30"]),
    ],
)
def test_hours_are_read_to_the_minute(text: str, days: list[int], times: list[str]) -> None:
    wanted = [[hm(time) for time in times] if day in days else [] for day in EVERY_DAY]
    assert minutes_of(text) == wanted


def test_a_rule_after_a_semicolon_replaces_after_a_comma_it_adds() -> None:
    replaced = minutes_of("Mo-Su 09:00-17:00; Sa 10:00-12:00")
    added = minutes_of("Mo-Su 09:00-12:00, Sa 14:00-16:00")
    assert replaced[5] == [hm("10:00-12:00")]
    assert replaced[4] == [hm("09:00-17:00")]
    assert added[5] == [hm("09:00-12:00"), hm("14:00-16:00")]


def test_hours_past_midnight_belong_to_the_night() -> None:
    days = minutes_of("Fr 22:00-02:00")
    assert days[4] == [hm("22:00-24:00")]
    assert days[5] == [hm("00:00-02:00")]
    assert minutes_of("Su 22:00-02:00")[0] == [hm("00:00-02:00")]


@pytest.mark.parametrize(
    "text",
    [
        "",
        "  ",
        "按预约",
        "9:00",
        "09:00+",
        "9:00-25:70",
        "Mo-Fr",
        "周一休息",
        "sunrise-sunset",
        "12:00-12:00",
    ],
)
def test_what_cannot_be_read_is_none(text: str) -> None:
    assert open_week(text) is None


def test_every_hour_of_the_demo_city_is_read() -> None:
    for text in {text for texts in HOURS.values() for text in texts}:
        assert open_week(text) is not None, text


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("Mo-Fr 09:00-17:30", {"weekday"}),
        ("Mo-Su 08:30-18:59", {"weekday", "weekend"}),
        ("Mo-Su 08:30-19:00", {"weekday", "weekend", "evening"}),
        ("Mo-Su 11:30-12:30", {"weekday", "weekend"}),
        ("Tu-Su 09:00-21:00", {"weekend"}),
        ("Mo-Sa 09:00-12:00", {"weekday"}),
        ("24/7", {"weekday", "weekend", "evening"}),
        ("20:00-06:00", {"evening"}),
    ],
)
def test_a_station_counts_in_a_named_window_with_an_hour_on_each_of_its_days(
    text: str, named: set[str]
) -> None:
    week = open_week(text)
    assert week is not None
    assert {name for name, window in WINDOWS.items() if is_open(week, window)} == named


def test_a_written_window_must_be_open_throughout() -> None:
    window = parse_window("Sa 09:00-12:00")
    assert (window.days, window.open_minutes) == ((5,), 180)
    for text, wanted in (("Sa 09:00-12:00", True), ("Sa 09:01-12:00", False), ("Mo-Fr 09:00-12:00", False)):
        week = open_week(text)
        assert week is not None
        assert is_open(week, window) is wanted
    assert parse_window(" Evening ") == WINDOWS["evening"]


@pytest.mark.parametrize(
    "text", ["night", "Mo-Fr", "Mo 9:00-10:00,11:00-12:00", "Mo 9:00-10:00; Tu 9:00-11:00", "22:00-02:00"]
)
def test_a_window_that_cannot_be_read_is_refused_and_the_known_ones_are_named(text: str) -> None:
    with pytest.raises(GeoError) as caught:
        parse_window(text)
    assert caught.value.code == "coverage-bad-window"
    assert text in caught.value.zh
    assert all(name in caught.value.en for name in WINDOWS)


def test_unknown_hours_count_as_open_and_are_told() -> None:
    stations = towns.stations_at([(0, 0)] * 4, hours=["Mo-Fr 09:00-17:00", "", "按预约", "24/7"])
    opened, findings = open_stations(stations, WINDOWS["evening"])
    assert opened.tolist() == [False, True, True, True]
    assert [(f.code, f.count, f.ids) for f in findings] == [("opening-hours-unknown", 2, ("s1", "s2"))]
    assert "按预约" in findings[0].zh
    assert open_stations(stations, None)[1] == ()
    bare, told = open_stations(stations.drop(columns="opening_hours"), WINDOWS["evening"])
    assert bare.all()
    assert told[0].count == 4
