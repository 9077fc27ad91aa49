"""Read dBase tables (the attributes of a Shapefile) in whatever encoding they are."""

from __future__ import annotations

import struct
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from geo.layers.text import cell_encoding, decode_cell

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

_HEADER = 32
_NUMBERS = "NF"


class DbfError(ValueError):
    """The bytes are no intact dBase table."""


@dataclass(frozen=True)
class Dbf:
    """A decoded table.

    Attributes
    ----------
    frame
        Text and numbers; numbers that are blank or stars are NaN.
    deleted
        bool, shape (rows,): rows marked as deleted, which GIS programs do not show.
    encoding
        Found for names and text together.
    """

    frame: pd.DataFrame
    deleted: NDArray[np.bool_]
    encoding: str


@dataclass(frozen=True)
class _Field:
    name: bytes
    kind: str
    offset: int
    width: int


def read_dbf(data: bytes, declared: str | None) -> Dbf:
    """Decode a table.

    Parameters
    ----------
    data
        The whole file.
    declared
        Encoding by the ``.cpg`` file, believed when it fits.

    Raises
    ------
    DbfError
        The header is damaged or rows are missing.
    """
    if len(data) < _HEADER:
        raise DbfError("header")
    count, start, size = struct.unpack_from("<IHH", data, 4)
    fields = _fields(data, start, size)
    if len(data) < start + count * size or size < 1:
        raise DbfError("rows")
    table = np.frombuffer(
        data,
        dtype=np.dtype(
            {
                "names": ["deleted", *(f"f{i}" for i in range(len(fields)))],
                "formats": ["S1", *(f"S{field.width}" for field in fields)],
                "offsets": [0, *(field.offset for field in fields)],
                "itemsize": size,
            }
        ),
        count=count,
        offset=start,
    )
    texts = {
        i: np.unique(table[f"f{i}"], return_inverse=True)
        for i, field in enumerate(fields)
        if field.kind not in _NUMBERS
    }
    encoding = cell_encoding(_cells(fields, texts), declared)
    columns: dict[str, NDArray[np.object_] | pd.Series] = {}
    for i, field in enumerate(fields):
        name = decode_cell(field.name, encoding).strip() or f"field_{i + 1}"
        while name in columns:
            name += "_"
        if i in texts:
            distinct, inverse = texts[i]
            cells = [decode_cell(bytes(cell), encoding).strip(" \x00") for cell in distinct]
            columns[name] = np.array([cell or None for cell in cells], dtype=object)[inverse]
        else:
            columns[name] = _numbers(table[f"f{i}"])
    frame = pd.DataFrame(columns, index=pd.RangeIndex(count))
    return Dbf(frame, table["deleted"] == b"*", encoding)


def _fields(data: bytes, start: int, size: int) -> list[_Field]:
    fields: list[_Field] = []
    offset = 1
    for at in range(_HEADER, min(start, len(data)) - 31, 32):
        if data[at] == 0x0D:
            break
        name, kind = data[at : at + 11].split(b"\x00")[0], chr(data[at + 11])
        width = data[at + 16] + (256 * data[at + 17] if kind == "C" else 0)
        if width == 0 or offset + width > size:
            raise DbfError("fields")
        fields.append(_Field(name, kind, offset, width))
        offset += width
    return fields


def _cells(
    fields: list[_Field], texts: dict[int, tuple[NDArray[np.bytes_], NDArray[np.intp]]]
) -> Iterator[tuple[bytes, int]]:
    yield from ((field.name, 10) for field in fields)
    for i, (distinct, _) in texts.items():
        yield from ((bytes(cell).rstrip(b" "), fields[i].width) for cell in distinct)


def _numbers(cells: NDArray[np.bytes_]) -> pd.Series:
    """Numbers of a column; text that is none (a text count column is of type C) becomes NaN."""
    texts = pd.Series(np.char.strip(np.char.decode(cells, "latin-1"), " \x00"), dtype=object)
    numbers = pd.to_numeric(texts, errors="coerce")
    present = numbers.dropna()
    if (
        len(present) == len(numbers)
        and np.all(np.abs(present) < 2**53)
        and np.all(present == np.floor(present))
    ):
        return numbers.astype(np.int64)
    return numbers.astype(np.float64)
