"""Opening hours: when a station is open, as written in the notation of maps or in Chinese."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass, field
from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np

from geo.errors import GeoError
from geo.findings import Finding

if TYPE_CHECKING:
    import geopandas as gpd
    from numpy.typing import NDArray

DAY = 1440
"""Minutes of a day."""

LATEST = 28 * 60
"""Latest end that can be written: 04:00 of the next day."""

NAMED_OPEN_MINUTES = 60


@dataclass(frozen=True)
class Window:
    """A time of the week at which services are wanted.

    A station counts in a window when it is open for at least `open_minutes` of it on each of its days.

    Attributes
    ----------
    name
        As asked for.
    days
        0 (Monday) to 6.
    start_min, end_min
        Minutes of the day, the end after the start.
    open_minutes
        A named window asks for one hour, so that a canteen with three meals counts; a window written out asks
        for its whole length.
    """

    name: str
    days: tuple[int, ...]
    start_min: int
    end_min: int
    open_minutes: int


WINDOWS = {
    name: Window(name, days, start * 60, end * 60, NAMED_OPEN_MINUTES)
    for name, days, start, end in (
        ("weekday", (0, 1, 2, 3, 4), 9, 17),
        ("evening", (0, 1, 2, 3, 4), 18, 22),
        ("weekend", (5, 6), 9, 17),
    )
}
"""The evening is the four hours after work that stations extend their service to."""


def parse_window(text: str) -> Window:
    """Return a named window, or one written like opening hours, ``Sa 09:00-12:00``.

    Raises
    ------
    GeoError
        ``coverage-bad-window``: neither, or not one stretch of time on each of its days.
    """
    name = text.strip()
    if name.casefold() in WINDOWS:
        return WINDOWS[name.casefold()]
    spans = _spans(name)
    stretches = {tuple(of_day) for of_day in spans if of_day} if spans else set()
    if spans is None or len(stretches) != 1 or len(next(iter(stretches))) != 1:
        raise _bad_window(text)
    start, end = next(iter(stretches))[0]
    if end > DAY:
        raise _bad_window(text)
    days = tuple(day for day in range(7) if spans[day])
    return Window(name, days, start, end, end - start)


def _bad_window(text: str) -> GeoError:
    known = ", ".join(WINDOWS)
    return GeoError(
        "coverage-bad-window",
        f"无法理解时段“{text}”。可用：{known}，或写成“Sa 09:00-12:00”（同一天内的一段时间）。",
        f'Cannot read the time window "{text}". Use {known}, or one stretch of a day like "Sa 09:00-12:00".',
    )


def open_week(text: str) -> NDArray[np.bool_] | None:
    """Return for every minute of a week from Monday 00:00 whether a station is open; None for what cannot be read.

    Understood are ``Mo-Fr 09:00-17:30; Sa 09:00-12:00``, ``24/7``, ``周一至周五 8:30-12:00、14:00-17:30``,
    ``每天 9点-21点``, ``周一休息``. Hours without days hold every day; a rule after a semicolon replaces earlier
    ones of its days; rules on public holidays are passed over.

    Returns
    -------
    bool, shape (10080,), or None.
    """
    spans = _spans(text)
    if spans is None:
        return None
    week = np.zeros(7 * DAY, bool)
    for day, of_day in enumerate(spans):
        for start, end in of_day:
            week[np.arange(day * DAY + start, day * DAY + end) % len(week)] = True
    return week


def is_open(week: NDArray[np.bool_], window: Window) -> bool:
    """Tell whether a station with these hours counts in a window."""
    return all(
        int(week[day * DAY + window.start_min : day * DAY + window.end_min].sum()) >= window.open_minutes
        for day in window.days
    )


def open_stations(
    stations: gpd.GeoDataFrame, window: Window | None
) -> tuple[NDArray[np.bool_], tuple[Finding, ...]]:
    """Tell which stations count in a window.

    Returns
    -------
    tuple
        bool, shape (stations,); and a finding on stations whose hours are blank or cannot be read: they count as
        open. Without a window every station counts and nothing is found.
    """
    count = len(stations)
    if window is None:
        return np.ones(count, bool), ()
    texts = (
        stations["opening_hours"].fillna("").astype(str).tolist()
        if "opening_hours" in stations
        else [""] * count
    )
    weeks = [open_week(text) for text in texts]
    is_known = np.array([week is not None for week in weeks], bool)
    opened = np.array([week is None or is_open(week, window) for week in weeks], bool)
    if is_known.all():
        return opened, ()
    rows = np.flatnonzero(~is_known)
    shown = "、".join(dict.fromkeys(f"“{texts[row]}”" for row in rows[:20].tolist() if texts[row].strip()))
    return opened, (
        Finding(
            "opening-hours-unknown",
            "warning",
            "stations",
            len(rows),
            f"{len(rows)} 个站点没有开放时间或无法识别，按开放计{f'（如 {shown}）' if shown else ''}。",
            f"{len(rows)} stations have no opening hours, or none that can be read; they count as open"
            f"{f' (such as {shown})' if shown else ''}.",
            ids=tuple(stations["station_id"].to_numpy()[rows]),
        ),
    )


# Reading

_EN = {name: day for day, name in enumerate(("mo", "tu", "we", "th", "fr", "sa", "su"))}
_ZH = {"一": 0, "二": 1, "三": 2, "四": 3, "五": 4, "六": 5, "日": 6, "天": 6}
_EVERY = frozenset(range(7))
_SETS = {"工作日": frozenset(range(5)), "weekdays": frozenset(range(5)), "weekday": frozenset(range(5))}
_SETS |= {name: frozenset((5, 6)) for name in ("周末", "双休日", "weekends", "weekend")}
_SETS |= dict.fromkeys(("每天", "每日", "天天", "全周", "全年", "daily"), _EVERY)
_LATE = ("下午", "晚上", "晚", "傍晚", "pm")

_TOKENS = re.compile(
    r"(?P<always>24/7|24小时|全天候|全天)"
    r"|(?P<set>工作日|周末|双休日|每天|每日|天天|全周|全年|weekdays?|weekends?|daily)"
    r"|(?P<holiday>法定节假日|节假日|法定假日|ph|sh)"
    r"|(?P<zh>(?:周|星期|礼拜)[一二三四五六日天])"
    r"|(?P<en>mo(?:n(?:day)?)?|tu(?:es?(?:day)?)?|we(?:d(?:nesday)?)?|th(?:u(?:rs?)?(?:day)?)?|fr(?:i(?:day)?)?"
    r"|sa(?:t(?:urday)?)?|su(?:n(?:day)?)?)s?(?![a-z])\.?"
    r"|(?P<short>[一二三四五六日天](?=[^\w]|\s|\d|$))"
    r"|(?P<time>(?P<part>上午|早上|早|中午|下午|傍晚|晚上|晚)?\s*(?P<hour>\d{1,2})(?:[:.](?P<minute>\d{2})"
    r"|[点时](?:(?P<min_zh>\d{1,2})分?|(?P<half>半))?))"
    r"|(?P<off>off|closed|休息|不开放|闭馆|关闭|休)"
    r"|(?P<dash>-)|(?P<comma>,)|(?P<rule>;)|(?P<space>[\s():]+)"
)


@dataclass
class _Rule:
    """One rule being read."""

    days: set[int] = field(default_factory=set)
    times: list[tuple[int, int]] = field(default_factory=list)
    is_off: bool = False
    on_holidays: bool = False
    replaces: bool = True

    @property
    def is_complete(self) -> bool:
        return bool(self.times) or self.is_off


@lru_cache(maxsize=4096)
def _spans(text: str) -> tuple[tuple[tuple[int, int], ...], ...] | None:
    """Return the open stretches of each day in minutes, or None."""
    tokens = _tokens(text)
    if not tokens:
        return None
    rules = _rules(tokens)
    if rules is None:
        return None
    # Days of rest alone do not say when a station is open.
    if not all(rule.is_complete for rule in rules) or not any(rule.times or not rule.days for rule in rules):
        return None
    week: list[list[tuple[int, int]]] = [[] for _ in range(7)]
    for rule in rules:
        days = rule.days or (set() if rule.on_holidays else set(_EVERY))
        for day in days:
            if rule.replaces or rule.is_off:
                week[day] = []
            week[day] += rule.times
    return tuple(tuple(sorted(of_day)) for of_day in week)


def _tokens(text: str) -> list[re.Match[str]] | None:
    """Split a text into tokens; None when something in it is not understood."""
    plain = unicodedata.normalize("NFKC", text).casefold()
    plain = re.sub(r"[~—–−]+|至|到", "-", plain).replace("、", ",").replace("\n", ";").replace("。", ";")
    tokens, place = [], 0
    while place < len(plain):
        match = _TOKENS.match(plain, place)
        if match is None:
            return None
        if match.lastgroup != "space":
            tokens.append(match)
        place = match.end()
    return tokens


def _rules(tokens: list[re.Match[str]]) -> list[_Rule] | None:
    rules = [_Rule()]
    place = 0
    while place < len(tokens):
        kind = _kind(tokens[place])
        speaks_of_days = kind in ("set", "holiday", "zh", "en", "short")
        if kind == "rule" or (speaks_of_days and rules[-1].is_complete):
            if rules[-1].is_complete:
                rules.append(_Rule(replaces=kind == "rule"))
            if kind == "rule":
                place += 1
                continue
        used = _take(rules[-1], tokens, place)
        if used == 0:
            return None
        place += used
    return [rule for rule in rules if rule != _Rule(replaces=rule.replaces)]


def _take(rule: _Rule, tokens: list[re.Match[str]], place: int) -> int:
    """Add what stands at a place to a rule; return the number of tokens used, 0 when they make no sense."""
    kind = _kind(tokens[place])
    following = [_kind(token) for token in tokens[place + 1 : place + 3]]
    if kind in ("zh", "en", "short"):
        first = _day(tokens[place])
        if following[:1] == ["dash"] and following[1:] and following[1] in ("zh", "en", "short"):
            last = _day(tokens[place + 2])
            rule.days |= {(first + k) % 7 for k in range((last - first) % 7 + 1)}
            return 3
        rule.days.add(first)
    elif kind == "set":
        rule.days |= _SETS[tokens[place].group("set")]
    elif kind == "holiday":
        rule.on_holidays = True
    elif kind == "always":
        rule.times.append((0, DAY))
    elif kind == "off":
        rule.is_off = True
    elif kind == "time":
        span = _span(tokens[place], tokens[place + 2]) if following == ["dash", "time"] else None
        if span is None:
            return 0
        rule.times.append(span)
        return 3
    elif kind != "comma":
        return 0
    return 1


def _kind(token: re.Match[str]) -> str:
    groups = (
        "always",
        "set",
        "holiday",
        "zh",
        "en",
        "short",
        "time",
        "off",
        "dash",
        "comma",
        "rule",
        "space",
    )
    return next(name for name in groups if token.group(name) is not None)


def _day(token: re.Match[str]) -> int:
    english = token.group("en")
    return _EN[english[:2]] if english else _ZH[token.group()[-1]]


def _span(first: re.Match[str], last: re.Match[str]) -> tuple[int, int] | None:
    start, end = _minute(first), _minute(last)
    if start is None or end is None:
        return None
    if first.group("part") in _LATE and last.group("part") is None and end <= DAY // 2:
        end += DAY // 2
    if end < start:
        end += DAY
    return (start, end) if start < end <= max(LATEST, DAY + start) and start < DAY else None


def _minute(token: re.Match[str]) -> int | None:
    hour = int(token.group("hour"))
    minute = 30 if token.group("half") else int(token.group("minute") or token.group("min_zh") or 0)
    if token.group("part") in _LATE and hour < 12:
        hour += 12
    return hour * 60 + minute if minute < 60 and hour * 60 + minute <= LATEST else None
