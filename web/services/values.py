"""Numbers as a JSON body carries them, for the models of questions."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import BeforeValidator


def _no_truth(value: Any) -> Any:
    """Refuse true and false, which Python counts among the whole numbers and JSON does not."""
    if isinstance(value, bool):
        raise ValueError("a number is needed, not true or false")  # noqa: TRY004 - pydantic wants this one
    return value


def _number(value: Any) -> Any:
    """Refuse what is no number of JSON: truth values, and text that looks like a number."""
    if isinstance(value, str):
        raise ValueError("a number is needed, not text")  # noqa: TRY004
    return _no_truth(value)


FORM_NUMBER = BeforeValidator(_no_truth)
"""Marks a number as forms and addresses write it: "3" and 3.0 are whole, true is none. Stands after the bounds."""
NUMBER = BeforeValidator(_number)
"""Marks a number of JSON: 3 and 3.0 are whole, true and "3" are none. Stands after the bounds."""

FormInt = Annotated[int, FORM_NUMBER]
FormFloat = Annotated[float, FORM_NUMBER]
