"""The standard of a plan as it is stored with it, whole: the plan is judged by it even when ours change."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pydantic import TypeAdapter

from geo.standards import Standard

if TYPE_CHECKING:
    from collections.abc import Mapping

STANDARD = TypeAdapter(Standard)


def standard_document(standard: Standard) -> dict[str, Any]:
    """Return a standard as JSON values."""
    document: dict[str, Any] = STANDARD.dump_python(standard, mode="json")
    return document


def standard_from(document: Mapping[str, Any]) -> Standard:
    """Read what `standard_document` wrote; a field added since takes its default.

    Raises
    ------
    StandardError
        If its numbers contradict each other.
    """
    return STANDARD.validate_python(dict(document))


def standard_json(standard: Standard) -> dict[str, Any]:
    """Return what an editor shows of a standard."""
    named = (
        "id",
        "name_zh",
        "name_en",
        "measure",
        "target",
        "min",
        "max",
        "hard_max",
        "unit",
        "split_compound",
        "release",
    )
    return {name: getattr(standard, name) for name in named} | {
        "barriers": dict(standard.barriers),
        "rules": len(standard.rules),
        "type_rules": [
            {
                name: getattr(rule, name)
                for name in ("compound_type", "measure", "target", "one_compound_per_grid")
            }
            for rule in standard.rules
        ],
        "dedicated": list(standard.dedicated),
        "levels": list(standard.levels),
        "sublevels": [
            {name: getattr(level, name) for name in ("name_zh", "name_en", "target")}
            for level in standard.sublevels
        ],
    }
