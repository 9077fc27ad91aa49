"""Grid standards: how large a grid shall be and what may be cut, loaded from ``data/standards/*.toml``.

A preset says where each of its numbers comes from (`Standard.evidence`). None claims conformity with a
published standard whose text was not read.
"""

from __future__ import annotations

import tomllib
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, get_args

from geo.errors import StandardError
from geo.types import BorderClass, DedicatedUse

if TYPE_CHECKING:
    from collections.abc import Iterable

Measure = Literal["households", "persons"]
UnitLevel = Literal["compound_or_building", "compound", "building_or_unit"]
SplitCompound = Literal["over_max", "over_hard_max", "never"]
Barrier = Literal["hard", "soft"]
Release = Literal["never", "blocking"]

STANDARDS_DIR = Path(__file__).resolve().parent.parent / "data" / "standards"


@dataclass(frozen=True, slots=True)
class TypeRule:
    """Size rule of one compound type.

    Attributes
    ----------
    compound_type
        E.g. ``"成熟小区"``.
    also
        Other names under which layers know the type.
    measure
        What is counted.
    target
        Size of a grid of this type, households or persons; None follows the standard's main rule.
    min, max
        Smallest and largest compound that is a grid of its own, with `one_compound_per_grid`. None: no less than
        the target, and any size. Other grids follow the band of the main rule, in its equivalents.
    one_compound_per_grid
        A compound of this type from `min` to `max` is a grid of its own and is not divided.
    note
        What the source leaves open.
    """

    compound_type: str
    measure: Measure
    also: tuple[str, ...] = ()
    target: int | None = None
    min: int | None = None
    max: int | None = None
    one_compound_per_grid: bool = False
    note: str = ""


@dataclass(frozen=True, slots=True)
class Standard:
    """Target, band and division rules of one kind of grid; always consistent.

    Attributes
    ----------
    id
        Stable name, e.g. ``"fine-250"``; a lower level of a nested standard is ``"three-level:micro-grid"``.
    name_zh, name_en
        Shown to the planner.
    measure
        What `target`, `min`, `max` and `hard_max` count.
    target, min, max
        Wanted size and the band; 0 < min <= target <= max.
    hard_max
        A compound above it is divided into its buildings (see `whole_limit`); not below `max`.
        None: no such limit.
    unit
        What stays together.
    split_compound
        When a compound may be divided.
    merge_small_compounds
        Compounds below `min` share a grid with their neighbours.
    rules
        Rules per compound type; where none fits, the main rule holds.
    dedicated
        Uses that get grids of their own (专属网格), which no band judges: ``"institution"`` (驻区单位),
        ``"park"`` (园区), ``"business"`` (商圈、楼宇).
    dedicated_min_area_m2, dedicated_min_workers
        From this area or this many workers on. Both 0: every one.
    barriers
        ``"hard"`` or ``"soft"`` per border class (``"railway"``, ``"water"``, ``"arterial"`` …). No grid and no
        kept compound crosses a hard one; to cross a soft one has its price. Classes not named are soft.
    release
        ``"blocking"``: a compound that would stay whole is divided into its buildings where that brings more grids
        into the band (`geo.partition.release`).
    levels
        Names of the administrative levels from the top down.
    sublevels
        Standards of the levels below this one, nested in its grids.
    staffing
        E.g. ``{"full_time": 1, "part_time": 4}`` per grid.
    evidence
        Where the numbers come from.

    Raises
    ------
    StandardError
        ``standard-band``, ``standard-rule``: numbers contradict each other; ``standard-value``: an unknown word.
    """

    id: str
    name_zh: str
    name_en: str
    measure: Measure
    target: int
    min: int
    max: int
    hard_max: int | None = None
    unit: UnitLevel = "compound_or_building"
    split_compound: SplitCompound = "over_hard_max"
    merge_small_compounds: bool = True
    rules: tuple[TypeRule, ...] = ()
    dedicated: tuple[DedicatedUse, ...] = ()
    dedicated_min_area_m2: float = 0.0
    dedicated_min_workers: int = 0
    barriers: dict[str, Barrier] = field(default_factory=dict)
    release: Release = "never"
    levels: tuple[str, ...] = ("street", "community", "grid")
    sublevels: tuple[Standard, ...] = ()
    staffing: dict[str, int] = field(default_factory=dict)
    evidence: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        _check_numbers(self)
        _check_words(self)
        for rule in self.rules:
            _check_rule(self, rule)

    @property
    def whole_limit(self) -> float:
        """Largest compound that stays one unit, in units of `measure`; infinite when none is divided."""
        if self.split_compound == "never":
            return float("inf")
        if self.split_compound == "over_hard_max" and self.hard_max is not None:
            return float(self.hard_max)
        return float(self.max)

    @property
    def hard_barriers(self) -> tuple[BorderClass, ...]:
        """Border classes that no grid crosses, in the order of their values."""
        return tuple(c for c in BorderClass if self.barriers.get(c.name.lower()) == "hard")

    def rule_for(self, compound_type: str) -> TypeRule | None:
        """Return the rule with numbers of its own for a compound type, if there is one; the first that fits."""
        fits = (r for r in self.rules if compound_type == r.compound_type or compound_type in r.also)
        return next((r for r in fits if r.target is not None), None)

    def with_(
        self,
        *,
        target: int | None = None,
        min: int | None = None,  # noqa: A002 - the planner's own words
        max: int | None = None,  # noqa: A002
        hard_max: int | None = None,
        release: Release | None = None,
    ) -> Standard:
        """Return the standard with other numbers, or another word on releases.

        With a new target, numbers that are not given change in the same proportion, so the tolerance in
        percent stays, and so do the rules per compound type that count what the main rule counts. A hard maximum
        that is not given is never below the new maximum.

        Raises
        ------
        StandardError
            ``standard-band``: not ``0 < min <= target <= max <= hard_max``; ``standard-value``: an unknown word.
        """
        ratio = 1.0 if target is None else target / self.target
        new_max = _scaled(self.max, ratio) if max is None else max
        if hard_max is None and self.hard_max is not None:
            hard_max = _larger(_scaled(self.hard_max, ratio), new_max)
        return replace(
            self,
            target=self.target if target is None else target,
            min=_scaled(self.min, ratio) if min is None else min,
            max=new_max,
            hard_max=hard_max,
            release=self.release if release is None else release,
            rules=tuple(_rescaled(r, ratio) if r.measure == self.measure else r for r in self.rules),
        )


def load_standard(standard_id: str) -> Standard:
    """Load a preset.

    Parameters
    ----------
    standard_id
        File name without ending, e.g. ``"fine-250"``; ``"three-level:micro-grid"`` for a lower level.

    Raises
    ------
    StandardError
        ``standard-unknown``: no such preset; ``standard-folder``: the presets are not beside the package;
        ``standard-file``: a preset's file cannot be used.
    """
    known = _load_all()
    if standard_id not in known:
        names_zh, names_en = "、".join(known), ", ".join(known)
        raise StandardError(
            "standard-unknown",
            f"没有名为“{standard_id}”的网格标准，可选：{names_zh}。",
            f'There is no grid standard "{standard_id}". Choose one of: {names_en}.',
            ids=list(known),
        )
    return known[standard_id]


def list_standards() -> list[Standard]:
    """Return all presets, lower levels included, sorted by id.

    Raises
    ------
    StandardError
        ``standard-folder`` or ``standard-file``, as `load_standard`.
    """
    return list(_load_all().values())


def _load_all() -> dict[str, Standard]:
    paths = sorted(STANDARDS_DIR.glob("*.toml"))
    if not paths:
        raise StandardError(
            "standard-folder",
            f"找不到网格标准文件：目录 {STANDARDS_DIR} 不存在或没有 .toml 文件。请检查安装是否完整。",
            f"No grid standards: the folder {STANDARDS_DIR} is missing or has no .toml file. "
            "Check that the installation is complete.",
            path=str(STANDARDS_DIR),
        )
    found: dict[str, Standard] = {}
    for path in paths:
        standard = _read(path)
        for one in (standard, *standard.sublevels):
            found[one.id] = one
    return dict(sorted(found.items()))


def _read(path: Path) -> Standard:
    try:
        data = tomllib.loads(path.read_text(encoding="utf-8"))
        if data["id"] != path.stem:
            raise ValueError(f'id "{data["id"]}" is not the file name')  # noqa: TRY301 - one message for all faults
        return _from_table(data)
    except (OSError, UnicodeDecodeError, KeyError, TypeError, ValueError) as fault:
        raise StandardError(
            "standard-file",
            f"网格标准文件 {path.name} 无法使用：{fault}。请修正或恢复该文件。",
            f"The standard file {path.name} cannot be used: {fault}. Mend or restore it.",
            path=str(path),
        ) from fault


def _from_table(table: dict[str, Any]) -> Standard:
    data = dict(table)
    sublevels = tuple(_sublevel(row, data) for row in data.pop("sublevels", ()))
    rules = tuple(_type_rule(row) for row in data.pop("rules", ()))
    levels = tuple(data.pop("levels", ("street", "community", "grid")))
    dedicated = tuple(data.pop("dedicated", ()))
    return Standard(**data, rules=rules, dedicated=dedicated, levels=levels, sublevels=sublevels)


def _sublevel(row: dict[str, Any], parent: dict[str, Any]) -> Standard:
    data = dict(row)
    level = data.pop("level")
    data.setdefault("barriers", parent.get("barriers", {}))
    return Standard(
        **data,
        id=f"{parent['id']}:{level}",
        levels=tuple(parent.get("levels", ())),
        evidence=parent.get("evidence", {}),
    )


def _type_rule(row: dict[str, Any]) -> TypeRule:
    data = dict(row)
    return TypeRule(compound_type=data.pop("type"), also=tuple(data.pop("also", ())), **data)


def _rescaled(rule: TypeRule, ratio: float) -> TypeRule:
    low, target, high = (None if v is None else _scaled(v, ratio) for v in (rule.min, rule.target, rule.max))
    return replace(rule, min=low, target=target, max=high)


def _larger(one: int, other: int) -> int:
    return max(one, other)


def _scaled(value: int, ratio: float) -> int:
    return round(value * ratio)


def _check_numbers(standard: Standard) -> None:
    low, target, high, hard = standard.min, standard.target, standard.max, standard.hard_max
    whole = all(isinstance(v, int) and not isinstance(v, bool) for v in (low, target, high))
    if whole and 0 < low <= target <= high and (hard is None or high <= hard):
        return
    hard_text = "-" if hard is None else str(hard)
    raise StandardError(
        "standard-band",
        f"网格标准“{standard.id}”的数值不合理：下限 {low}、目标 {target}、上限 {high}、硬上限 {hard_text}。"
        "须为正整数，且 下限 ≤ 目标 ≤ 上限 ≤ 硬上限。",
        f'The numbers of the standard "{standard.id}" contradict each other: min {low}, target {target}, '
        f"max {high}, hard maximum {hard_text}. They must be positive whole numbers with "
        "min <= target <= max <= hard maximum.",
        min=low,
        target=target,
        max=high,
        hard_max=hard,
    )


def _check_rule(standard: Standard, rule: TypeRule) -> None:
    given = [v for v in (rule.min, rule.target, rule.max) if v is not None]
    ordered = given == sorted(given) and all(v > 0 for v in given)
    if rule.measure in get_args(Measure) and ordered:
        return
    raise StandardError(
        "standard-rule",
        f"网格标准“{standard.id}”中“{rule.compound_type}”的规则不合理：{rule.measure}、下限 {rule.min}、"
        f"目标 {rule.target}、上限 {rule.max}。须为正数，且 下限 ≤ 目标 ≤ 上限。",
        f'The rule for "{rule.compound_type}" of the standard "{standard.id}" cannot be used: {rule.measure}, min '
        f"{rule.min}, target {rule.target}, max {rule.max}. Numbers must be positive with min <= target <= max.",
        compound_type=rule.compound_type,
    )


def _check_words(standard: Standard) -> None:
    classes = tuple(c.name.lower() for c in BorderClass if c > BorderClass.INTERIOR)
    allowed: dict[str, tuple[Iterable[str], tuple[str, ...]]] = {
        "measure": ([standard.measure], get_args(Measure)),
        "unit": ([standard.unit], get_args(UnitLevel)),
        "split_compound": ([standard.split_compound], get_args(SplitCompound)),
        "dedicated": (standard.dedicated, get_args(DedicatedUse)),
        "barriers": (standard.barriers, classes),
        "barriers.*": (standard.barriers.values(), get_args(Barrier)),
        "release": ([standard.release], get_args(Release)),
    }
    for name, (values, words) in allowed.items():
        for value in values:
            if value not in words:
                raise StandardError(
                    "standard-value",
                    f"网格标准“{standard.id}”的 {name} 不能为“{value}”，可选：{'、'.join(words)}。",
                    f'The standard "{standard.id}" has {name} = "{value}"; choose one of: {", ".join(words)}.',
                    column=name,
                )
