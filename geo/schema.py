"""The columns of each layer: which names mean what, in Chinese, pinyin and English."""

from __future__ import annotations

import json
import re
import unicodedata
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING, cast, get_args

from geo.errors import ColumnError
from geo.findings import Finding
from geo.types import ROLES, BorderClass, DedicatedUse, Role

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

PLACE_FIELDS = ("lon", "lat", "wkt", "crs")
"""Fields every role understands in overrides, beside its own: where a table's coordinates are."""

_BRACKETS = re.compile(r"\([^()]*\)|\[[^\[\]]*\]|<[^<>]*>|【[^【】]*】")
_JOINTS = re.compile(r"[\s_\-]+")
_LISTED = 30


@dataclass(frozen=True)
class Aliases:
    """The alias file, with every name brought to the form `plain_name` gives.

    Attributes
    ----------
    fields
        Role to field to names, best first.
    coordinates
        (x name, y name, system): ``"degrees"``, ``"GCJ-02"``, ``"BD-09"`` or ``"unknown"``.
    wkt
        Names of columns that hold a geometry as text.
    personal, personal_parts
        Whole names, and parts of names, of columns that hold personal data.
    use_parts
        Parts of the name of a use, or of a compound type, and the dedicated use they speak of; the first wins.
    homes
        Parts of the name of a use where people live, whatever else it says.
    road_values, road_parts, road_flags
        Border class of a road by its whole value, by a part of it, and by value in a column of a certain name.
    """

    fields: Mapping[Role, Mapping[str, tuple[str, ...]]]
    coordinates: tuple[tuple[str, str, str], ...]
    wkt: tuple[str, ...]
    personal: frozenset[str]
    personal_parts: tuple[str, ...]
    use_parts: tuple[tuple[str, DedicatedUse], ...]
    homes: tuple[str, ...]
    road_values: Mapping[str, BorderClass]
    road_parts: tuple[tuple[str, BorderClass], ...]
    road_flags: Mapping[str, Mapping[str, BorderClass]]


@dataclass(frozen=True)
class Picked:
    """Which columns of one layer are used, and for what.

    Attributes
    ----------
    fields
        Field to column name.
    coordinates
        (x column, y column, system), or None.
    wkt
        The column that holds geometry as text, or None.
    """

    fields: Mapping[str, str]
    coordinates: tuple[str, str, str] | None
    wkt: str | None
    findings: tuple[Finding, ...]


def half_width(text: str) -> str:
    """Turn full-width letters, digits and punctuation to half-width, and strip."""
    return unicodedata.normalize("NFKC", text).strip()


def plain_name(name: str) -> str:
    """Bring a column name to the form in which names are compared."""
    text = half_width(name).replace("（", "(").replace("）", ")")
    short = _JOINTS.sub("", _BRACKETS.sub("", text)).lower()
    return short or _JOINTS.sub("", text).lower()


@cache
def aliases() -> Aliases:
    """Read the alias file that ships with the library."""
    raw = json.loads((files("geo") / "schema_data" / "column_aliases.json").read_text(encoding="utf-8"))
    names: dict[str, list[str]] = raw["names"]

    def listed(groups: Iterable[str]) -> tuple[str, ...]:
        return tuple(dict.fromkeys(plain_name(alias) for group in groups for alias in names[group]))

    return Aliases(
        fields={
            cast("Role", role): {field: listed(groups) for field, groups in fields.items()}
            for role, fields in raw["roles"].items()
        },
        coordinates=tuple((plain_name(x), plain_name(y), system) for x, y, system in raw["coordinates"]),
        wkt=tuple(plain_name(name) for name in raw["wkt"]),
        personal=frozenset(plain_name(name) for name in raw["personal"]),
        personal_parts=tuple(plain_name(part) for part in raw["personal_parts"]),
        use_parts=tuple((part, cast("DedicatedUse", use)) for part, use in raw["use_parts"]),
        homes=tuple(raw["homes"]),
        road_values={
            value: BorderClass[kind.upper()]
            for kind, values in raw["road_values"].items()
            for value in values
        },
        road_parts=tuple((part, BorderClass[kind.upper()]) for part, kind in raw["road_parts"]),
        road_flags={
            name: {value: BorderClass[kind.upper()] for value, kind in values.items()}
            for name, values in raw["road_flags"].items()
        },
    )


@cache
def known_names() -> frozenset[str]:
    """Return every name that means something in some layer; used to find the header of a table."""
    known = aliases()
    names = {name for fields in known.fields.values() for wanted in fields.values() for name in wanted}
    pairs = {name for x, y, _ in known.coordinates for name in (x, y)}
    return frozenset(names | pairs | set(known.wkt) | known.personal)


def fields_of(role: Role) -> tuple[str, ...]:
    """Return the fields a layer of this role may have."""
    return tuple(aliases().fields[role])


def is_personal(name: str) -> bool:
    """Tell whether a column of this name holds data on persons, which is never read."""
    known = aliases()
    plain = plain_name(name)
    return plain in known.personal or any(part in plain for part in known.personal_parts)


def check_overrides(overrides: Mapping[str, str]) -> None:
    """Refuse an override whose key is not ``role.field``.

    Raises
    ------
    ColumnError
        ``column-override-unknown``, with the keys that exist.
    """
    for key in overrides:
        role, _, field = key.partition(".")
        if role not in ROLES:
            known = ", ".join(f"{r}.<field>" for r in get_args(Role))
        elif field not in (*fields_of(role), *PLACE_FIELDS):
            known = ", ".join(f"{role}.{f}" for f in (*fields_of(role), *PLACE_FIELDS))
        else:
            continue
        raise ColumnError(
            "column-override-unknown",
            f"没有“{key}”这个字段，可用的有：{known}。",
            f'There is no field "{key}"; use one of: {known}.',
            key=key,
        )


def pick_columns(
    columns: Sequence[str],
    role: Role,
    *,
    overrides: Mapping[str, str] | None = None,
    cut_names: bool = False,
    place: str = "",
) -> Picked:
    """Decide which column means what.

    Parameters
    ----------
    columns
        Column names as read, without the geometry.
    role
        What the layer is.
    overrides
        ``role.field`` to column name: the planner's own choice, taken before any guess.
    cut_names
        True for DBF files, whose names end after 10 bytes: an alias that starts with the cut name fits too.
    place
        File and layer, for messages.

    Raises
    ------
    ColumnError
        ``column-not-found``: an override names a column the layer does not have.
    """
    chosen = _chosen_by_hand(columns, role, overrides or {}, place)
    plain = {column: plain_name(column) for column in columns if not is_personal(column)}
    free = {column: name for column, name in plain.items() if column not in chosen.values()}
    findings: list[Finding] = []
    for field, wanted in aliases().fields[role].items():
        if field in chosen:
            continue
        fits = _fitting(free, wanted, cut_names=cut_names)
        if not fits:
            continue
        chosen[field] = fits[0]
        del free[fits[0]]
        if len(fits) > 1 and field in ("households", "persons"):
            findings.append(_choice(role, field, fits, place))
    return Picked(
        fields={field: column for field, column in chosen.items() if field not in PLACE_FIELDS},
        coordinates=_coordinates(free, chosen),
        wkt=chosen.get("wkt") or next((c for c, name in free.items() if name in aliases().wkt), None),
        findings=tuple(findings),
    )


def name_columns(columns: Sequence[str]) -> tuple[str | None, str | None]:
    """Guess the (id, name) columns of an area layer by the look of their names, when no alias fits.

    ``SUBZONE_N``, ``DIST_NAME``, ``某某名称`` look like names; ``SUBZONE_C``, ``某某代码``, ``N_HOOD_ID`` like ids.
    """
    ids = [c for c in columns if re.search(r"(_c|code|_id|no|编号|编码|代码|号)$", half_width(c).lower())]
    names = [c for c in columns if re.search(r"(_n|name|nam|名|名称|label)$", half_width(c).lower())]
    return (ids[0] if ids else None), (names[0] if names else None)


def road_classes(column: str, values: Sequence[str]) -> list[BorderClass | None]:
    """Translate the values of a road class column; None for a value that is not known."""
    known = aliases()
    flags = known.road_flags.get(plain_name(column))
    return [_road_value(known, flags, half_width(value).lower()) for value in values]


def dedicated_use(kind: str) -> DedicatedUse | None:
    """Tell which dedicated use a compound type or the use of a building speaks of; None for homes and others."""
    text = half_width(kind).lower()
    if any(part in text for part in aliases().homes):
        return None
    return next((use for part, use in aliases().use_parts if part in text), None)


def _road_value(known: Aliases, flags: Mapping[str, BorderClass] | None, value: str) -> BorderClass | None:
    if flags is not None:
        return flags.get(value.removesuffix(".0"))
    if value in known.road_values:
        return known.road_values[value]
    return next((kind for part, kind in known.road_parts if part in value), None)


def _chosen_by_hand(
    columns: Sequence[str], role: Role, overrides: Mapping[str, str], place: str
) -> dict[str, str]:
    chosen: dict[str, str] = {}
    for key, wanted in overrides.items():
        of_role, _, field = key.partition(".")
        if of_role != role:
            continue
        if field == "crs":
            continue
        match = next((c for c in columns if c == wanted), None) or next(
            (c for c in columns if plain_name(c) == plain_name(wanted)), None
        )
        if match is None:
            seen = "、".join(columns[:_LISTED])
            raise ColumnError(
                "column-not-found",
                f"{place}没有名为“{wanted}”的列（为 {key} 指定）。现有的列：{seen}。",
                f'{place} has no column "{wanted}" (named for {key}). Columns: {", ".join(columns[:_LISTED])}.',
                column=wanted,
                columns=list(columns),
            )
        chosen[field] = match
    return chosen


def _fitting(free: Mapping[str, str], wanted: Sequence[str], *, cut_names: bool) -> list[str]:
    """Columns that fit, in the order of the aliases; whole names before cut ones."""
    by_name: dict[str, str] = {}
    for column, name in free.items():
        by_name.setdefault(name, column)
    fits = [by_name[alias] for alias in wanted if alias in by_name]
    if not fits and cut_names:
        cut = {name: column for name, column in by_name.items() if _may_be_cut(column)}
        fits = [column for alias in wanted for name, column in cut.items() if alias.startswith(name)]
    return list(dict.fromkeys(fits))


def _may_be_cut(column: str) -> bool:
    """Tell whether a DBF name fills its 10 bytes, in UTF-8 (3 Chinese characters) or GBK (5)."""
    sizes = (len(column.encode("utf-8")), len(column.encode("gb18030")))
    return any(9 <= size <= 10 for size in sizes)


def _coordinates(free: Mapping[str, str], chosen: Mapping[str, str]) -> tuple[str, str, str] | None:
    if "lon" in chosen and "lat" in chosen:
        return chosen["lon"], chosen["lat"], coordinate_system(chosen["lon"])
    by_name: dict[str, str] = {}
    for column, name in free.items():
        by_name.setdefault(name, column)
    for x, y, system in aliases().coordinates:
        if x in by_name and y in by_name:
            return by_name[x], by_name[y], system
    return None


def coordinate_system(column: str) -> str:
    """Return the system a coordinate column's name speaks of, ``"unknown"`` when it does not."""
    name = plain_name(column)
    if "百度" in name or name.startswith("bd"):
        return "BD-09"
    if "高德" in name or "腾讯" in name or name.startswith("gcj"):
        return "GCJ-02"
    return next((system for x, _, system in aliases().coordinates if x == name), "unknown")


def _choice(role: Role, field: str, fits: Sequence[str], place: str) -> Finding:
    others_zh = "、".join(fits[1:])
    return Finding(
        "column-chosen",
        "info",
        role,
        len(fits),
        f"{place}有多列可作为{FIELD_NAMES.get(field, field)}，采用“{fits[0]}”，未用：{others_zh}。"
        f"如需改用，请指定 {role}.{field}。",
        f'{place}: several columns could be {field}; used "{fits[0]}", not {", ".join(fits[1:])}. '
        f"Name another one with {role}.{field}.",
    )


FIELD_NAMES: Mapping[str, str] = {
    "households": "户数",
    "persons": "人口",
    "workers": "从业人数",
    "workload": "工作量系数",
    "party_members": "党员数",
    "floor_area_m2": "建筑面积",
}
