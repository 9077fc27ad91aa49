"""Read CSV and Excel tables as people make them: titles above the header, comment rows, totals below."""

from __future__ import annotations

import re
import warnings
import zipfile
import zlib
from io import StringIO
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from geo.findings import Finding
from geo.layers.raw import RawLayer, choose_layer, unreadable
from geo.layers.text import decode
from geo.schema import half_width, known_names, plain_name

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from numpy.typing import NDArray

    from geo.errors import LayerError

MAX_COLUMNS = 300
MAX_BLANK_ROWS = 1000
"""A sheet ends after so many empty rows, whatever size it declares."""

# What openpyxl lets through when a workbook is damaged: of the zip, of the XML, of its own lookups.
_DAMAGED = (
    zipfile.BadZipFile,
    zlib.error,
    SyntaxError,
    LookupError,
    ValueError,
    TypeError,
    AttributeError,
    RuntimeError,
    EOFError,
    OSError,
)

_HEADER_ROWS = 20
_TOTAL = re.compile(r"^.{0,20}(合计|小计|总计|共计|汇总)[:：]?$|^(grand |sub)?total:?$", re.IGNORECASE)
_COMMENT = re.compile(
    r"必填|选填|填写|说明|示例|样例|例如|例[:：]|^注[:：]|格式|单位[:：]|required|optional|e\.g\.",
    re.IGNORECASE,
)
_NUMBER = re.compile(r"^[+-]?[\d,]*\.?\d+([eE][+-]?\d+)?$")


def csv_names(path: Path) -> list[str]:
    """Name the one layer of a CSV file like the file."""
    return [path.stem]


def sheet_names(path: Path) -> list[str]:
    """Return the visible sheets of a workbook."""
    book = _workbook(path)
    try:
        return [sheet.title for sheet in book.worksheets if sheet.sheet_state == "visible"]
    finally:
        book.close()


def read_csv(path: Path, layer: str | None, *, role: str | None = None) -> RawLayer:
    """Read a delimited text file, UTF-8 or GB18030, separated by comma, tab or semicolon.

    Raises
    ------
    LayerError
        ``file-unreadable``: rows that do not fit the header, or no text.
    """
    name = choose_layer(path, layer, csv_names(path), role)
    data = path.read_bytes()
    if b"\x00" in data[:4096] and not data.startswith((b"\xff\xfe", b"\xfe\xff")):
        raise unreadable(path, "不是文本文件。", "it is no text file.")
    text, encoding = decode(data)
    text = text.removeprefix("\ufeff")
    head = text[:20000].splitlines()[:50]
    mark = max(",\t;，", key=lambda c: sum(line.count(c) for line in head))
    width = max((line.count(mark) for line in text.splitlines()), default=0) + 1
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", pd.errors.ParserWarning)
            cells = pd.read_csv(
                StringIO(text),
                sep=mark,
                header=None,
                names=list(range(min(width, MAX_COLUMNS))),
                index_col=False,
                dtype=str,
                na_filter=False,
                skip_blank_lines=False,
                engine="python" if ord(mark) > 127 else "c",
            )
    except (pd.errors.ParserError, pd.errors.EmptyDataError, pd.errors.ParserWarning, ValueError) as error:
        raise unreadable(
            path, f"表格行列不一致（{_first_line(error)}）。", f"its rows do not fit ({_first_line(error)})."
        ) from error
    return _tidy(path, name, cells.astype(object), kind="CSV", encoding=encoding)


def read_xlsx(path: Path, layer: str | None, *, role: str | None = None) -> RawLayer:
    """Read one sheet of a workbook; without a name the first sheet that holds anything."""
    names = sheet_names(path)
    findings: tuple[Finding, ...] = ()
    if layer is None and len(names) > 1 and role not in [n.lower() for n in names]:
        findings = (_first_sheet(path, names),)
        layer = names[0]
    name = choose_layer(path, layer, names, role)
    book = _workbook(path)
    try:
        rows = list(_rows(book[name]))
    except _DAMAGED as error:
        raise _bad_workbook(path, error) from error
    finally:
        book.close()
    width = max((len(row) for row in rows), default=0)
    cells = pd.DataFrame(
        [row + [None] * (width - len(row)) for row in rows], dtype=object, columns=range(width)
    )
    return _tidy(path, name, cells, kind="XLSX", encoding="utf-8", findings=findings)


def _rows(sheet: Any) -> Iterator[list[Any]]:
    blank: list[list[Any]] = []
    for values in sheet.iter_rows(max_col=MAX_COLUMNS, values_only=True):
        row = list(values)
        while row and (row[-1] is None or row[-1] == ""):
            row.pop()
        if row:
            yield from blank
            blank.clear()
            yield row
        else:
            blank.append(row)
            if len(blank) > MAX_BLANK_ROWS:
                return


def _workbook(path: Path) -> Any:
    # Costs a tenth of a second, and most plans are made without workbooks.
    import openpyxl  # noqa: PLC0415
    from openpyxl.utils.exceptions import InvalidFileException  # noqa: PLC0415

    try:
        with zipfile.ZipFile(path) as archive:
            for member in archive.infolist():
                if member.filename.endswith((".xml", ".rels")):
                    with archive.open(member) as file:
                        if b"<!DOCTYPE" in file.read(1024):
                            raise unreadable(path, "表格含有 DOCTYPE。", "the workbook holds a DOCTYPE.")
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return openpyxl.load_workbook(path, read_only=True, data_only=True)
    except (InvalidFileException, *_DAMAGED) as error:
        raise _bad_workbook(path, error) from error


def _bad_workbook(path: Path, error: Exception) -> LayerError:
    return unreadable(
        path,
        "不是有效的 .xlsx 文件，或文件不完整。",
        "not a valid .xlsx file, or cut short.",
        code="zip-damaged" if isinstance(error, zipfile.BadZipFile | zlib.error) else "file-unreadable",
    )


def _tidy(
    path: Path,
    name: str,
    cells: pd.DataFrame,
    *,
    kind: str,
    encoding: str,
    findings: tuple[Finding, ...] = (),
) -> RawLayer:
    """Make a table of raw cells: find the header, name the columns, drop comments, blanks and totals."""
    cells = cells.where(cells.notna(), None)
    filled = _filled(cells)
    if not filled.any():
        raise unreadable(
            path, f"表“{name}”是空的。", f'table "{name}" is empty.', code="layer-empty", layer=name
        )
    last, header = _header(cells.head(_HEADER_ROWS))
    body, has = cells.iloc[last + 1 :].reset_index(drop=True), filled[last + 1 :]
    rows = np.arange(1, len(body) + 1, dtype=np.int64)
    used = [i for i, text in enumerate(header) if text or has[:, i].any()]
    body, has = body.iloc[:, used], has[:, used]
    body.columns = _unique([header[i] or f"列{i + 1}" for i in used])
    comment, total = _comments(body, has), _totals(body)
    found = list(findings)
    if last > 0:
        found.append(
            _note(
                "rows-above-header",
                "info",
                np.arange(last),
                "表头在第 {row} 行，其上的行未读取。",
                "The header is in row {row}; rows above it were not read.",
                row=last + 1,
            )
        )
    if comment.any():
        found.append(
            _note(
                "rows-comment",
                "info",
                rows[comment],
                "{count} 行是填表说明，未读取（第 {rows} 行）。",
                "{count} comment rows were not read (rows {rows}).",
            )
        )
    if total.any():
        found.append(
            _note(
                "rows-total",
                "info",
                rows[total],
                "{count} 行是合计/小计，未计入（第 {rows} 行）。",
                "{count} total rows were not counted (rows {rows}).",
            )
        )
    keep = has.any(axis=1) & ~comment & ~total
    frame = body[keep].reset_index(drop=True)
    return RawLayer(path, name, kind, encoding, frame, None, None, rows[keep], findings=tuple(found))


def _filled(cells: pd.DataFrame) -> NDArray[np.bool_]:
    values = cells.to_numpy(dtype=object)
    flat = np.fromiter((v is not None and str(v).strip() != "" for v in values.ravel()), bool, values.size)
    return flat.reshape(values.shape)


def _header(head: pd.DataFrame) -> tuple[int, list[str]]:
    """Find the header: the row, or pair of rows with merged cells, that holds most known names.

    Returns
    -------
    tuple
        The (last) row of the header, and a name per column, ``""`` where there is none.
    """
    known = known_names()
    rows = [[half_width(str(v)) if v is not None else "" for v in row] for row in head.to_numpy(dtype=object)]
    best, best_score, names = 0, -1.0, rows[0]
    for i, row in enumerate(rows):
        if not any(row):
            continue
        # The share of filled cells decides between rows without any known name: a title fills one cell of many.
        score = sum(plain_name(v) in known for v in row if v) + 0.5 * sum(bool(v) for v in row) / len(row)
        if score > best_score + 1e-9:
            best, best_score, names = i, score, row
        if i + 1 < len(rows) and not any(_NUMBER.match(v) for v in (*row, *rows[i + 1])):
            pair = _merged(row, rows[i + 1], known)
            hits = sum(plain_name(v) in known for v in pair if v) + _is_subheader(row, rows[i + 1], known)
            if hits > max(score, best_score) and sum(bool(v) for v in pair) >= 2:
                best, best_score, names = i + 1, hits + 0.5, pair
    return best, names


def _merged(above: Sequence[str], below: Sequence[str], known: frozenset[str]) -> list[str]:
    """Names of a header of two rows, where a merged cell above spans several below."""
    spans: list[str] = []
    for upper, lower in zip(above, below, strict=True):
        spans.append(upper or (spans[-1] if spans and lower else ""))
    names = []
    for span, lower in zip(spans, below, strict=True):
        options = [lower, f"{lower}{span}", f"{span}{lower}"] if lower else [span]
        names.append(next((o for o in options if o and plain_name(o) in known), f"{span}{lower}"))
    return names


def _is_subheader(above: Sequence[str], below: Sequence[str], known: frozenset[str]) -> bool:
    """Tell whether a row only divides merged cells of the row above: data would stand under every name."""
    if sum(bool(v) for v in above) < 2 or not any(plain_name(v) in known for v in above if v):
        return False
    spanned = [not upper or (i + 1 < len(above) and not above[i + 1]) for i, upper in enumerate(above)]
    fills_gap = any(lower and not upper for upper, lower in zip(above, below, strict=True))
    return fills_gap and all(inside for inside, lower in zip(spanned, below, strict=True) if lower)


def _comments(body: pd.DataFrame, has: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Mark rows right below the header that explain it instead of holding data."""
    marked = np.zeros(len(body), bool)
    for i, row in enumerate(body.head(3).itertuples(index=False)):
        texts = [half_width(str(v)) for v, there in zip(row, has[i], strict=True) if there]
        if not texts or any(_NUMBER.match(text) for text in texts):
            break
        marked[i] = any(_COMMENT.search(text) for text in texts)
        if not marked[i]:
            break
    return marked


def _totals(body: pd.DataFrame) -> NDArray[np.bool_]:
    """Mark rows that add up others: a word for it in one of the first columns."""
    marked = np.zeros(len(body), bool)
    for i in range(min(4, body.shape[1])):
        column = body.iloc[:, i]
        words = (v for v in column.unique() if isinstance(v, str))
        distinct = {v for v in words if _TOTAL.match(half_width(v).replace(" ", ""))}
        if distinct:
            marked |= column.isin(distinct).to_numpy()
    return marked


def _unique(names: Sequence[str]) -> list[str]:
    seen: dict[str, int] = {}
    result = []
    for name in names:
        seen[name] = seen.get(name, 0) + 1
        result.append(name if seen[name] == 1 else f"{name}_{seen[name]}")
    return result


def _note(code: str, severity: Any, rows: NDArray[Any], zh: str, en: str, *, row: int = 0) -> Finding:
    listed = ", ".join(str(r) for r in rows[:10]) + (" …" if len(rows) > 10 else "")
    facts = {"count": len(rows), "rows": listed, "row": row}
    shown = () if row else tuple(rows)
    return Finding(code, severity, "", len(rows), zh.format(**facts), en.format(**facts), rows=shown)


def _first_sheet(path: Path, names: Sequence[str]) -> Finding:
    return Finding(
        "sheet-chosen",
        "info",
        "",
        len(names),
        f"{path.name} 有 {len(names)} 个工作表，读取了第一个“{names[0]}”。如需其他工作表，请写成 文件:工作表。",
        f'{path.name} has {len(names)} sheets; read the first, "{names[0]}". Name another as PATH:SHEET.',
    )


def _first_line(error: Exception) -> str:
    return str(error).strip().splitlines()[0][:120] if str(error).strip() else type(error).__name__
