"""Decode text that does not say its encoding: UTF-8 when it strictly is, else GB18030."""

from __future__ import annotations

import codecs
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

_MARKS = ((codecs.BOM_UTF8, "utf-8-sig"), (codecs.BOM_UTF16_LE, "utf-16"), (codecs.BOM_UTF16_BE, "utf-16"))


def decode(data: bytes) -> tuple[str, str]:
    """Return the text and the name of its encoding; bytes that fit nowhere become U+FFFD."""
    for mark, name in _MARKS:
        if data.startswith(mark):
            return data.decode(name, errors="replace"), name
    for name in ("utf-8", "gb18030"):
        try:
            return data.decode(name), name
        except UnicodeDecodeError:
            continue
    return data.decode("gb18030", errors="replace"), "gb18030"


def cell_encoding(cells: Iterable[tuple[bytes, int]], declared: str | None) -> str:
    """Find the one encoding that all cells of a table are in.

    A declared multi-byte encoding is believed when it fits; then UTF-8, a declared single-byte one (which fits
    anything, so it cannot come first), GB18030.

    Parameters
    ----------
    cells
        (bytes, width of the field): a character cut by the end of its field is no contradiction.
    declared
        What the ``.cpg`` file says, if anything.
    """
    foreign = [cell for cell in cells if not cell[0].isascii()]
    if not foreign:
        return "utf-8"
    known = _codec(declared)
    single = known is not None and _is_single_byte(known)
    order = [known if not single else None, "utf-8", known if single else None, "gb18030"]
    for name in order:
        if name is not None and all(_fits(data, width, name) for data, width in foreign):
            return name
    return "gb18030"


def decode_cell(data: bytes, encoding: str) -> str:
    """Decode one cell and drop a character that is cut at its end."""
    try:
        return data.decode(encoding)
    except UnicodeDecodeError:
        text = codecs.getincrementaldecoder(encoding)("replace").decode(data, final=False)
        return text.rstrip("\ufffd")


def _codec(declared: str | None) -> str | None:
    if not declared:
        return None
    name = declared.strip()
    name = {"65001": "utf-8", "936": "gbk", "54936": "gb18030"}.get(name, name)
    for candidate in (name, f"cp{name}"):
        try:
            return codecs.lookup(candidate).name
        except (LookupError, ValueError):
            continue
    return None


def _is_single_byte(name: str) -> bool:
    return name.startswith(("iso8859", "cp125", "latin", "ascii", "cp437", "cp850"))


def _fits(data: bytes, width: int, name: str) -> bool:
    try:
        data.decode(name)
    except UnicodeDecodeError:
        if len(data) < width - 3:
            return False
        try:
            codecs.getincrementaldecoder(name)("strict").decode(data, final=False)
        except UnicodeDecodeError:
            return False
    return True
