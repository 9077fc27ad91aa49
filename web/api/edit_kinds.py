"""The kinds of edits as JSON Schema, read from the records of the library, so that the two cannot differ."""

from __future__ import annotations

from typing import Any, get_args

from pydantic import TypeAdapter

from geo.editing.edits import Edit


def edit_schema() -> dict[str, Any]:
    """Return the schema of an edit: one of the kinds, each with its fields."""
    return {"type": "object", "oneOf": [_of(kind) for kind in get_args(Edit)]}


def _of(kind: Any) -> dict[str, Any]:
    schema = TypeAdapter(kind).json_schema()
    properties = {"kind": {"const": kind.kind, "type": "string"}, **schema.get("properties", {})}
    return {
        "title": kind.__name__,
        "description": schema.get("description", ""),
        "type": "object",
        "required": ["kind", *schema.get("required", [])],
        "properties": properties,
        "additionalProperties": False,
    }
