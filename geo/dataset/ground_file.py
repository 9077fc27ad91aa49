"""The ground of a dataset as ``ground.npz``: numbers alone, checked on reading, so that a server may open it."""

from __future__ import annotations

import hashlib
import io
import zipfile
from typing import TYPE_CHECKING, Any

import numpy as np

from geo.adjacency import CLASSES, Graph
from geo.dataset.ground import Ground
from geo.dataset.meta import Meta, checked_bytes, damaged, dataset_id, read_meta
from geo.units import Units

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from numpy.typing import NDArray

__all__ = [
    "CENTRES",
    "GROUND",
    "array_bytes",
    "dataset_id",
    "ground_bytes",
    "ground_names",
    "read_centres",
    "read_ground",
]

GROUND, CENTRES = "ground.npz", "centres.npy"

LARGEST = 2**40
"""No count, length or area of a cell is larger, so that no sum over a city leaves an int64."""

FIELDS: Mapping[str, tuple[str, str]] = {
    "community": ("<i4", "cells"),
    "compound": ("<i4", "cells"),
    "households": ("<i8", "cells"),
    "persons": ("<i8", "cells"),
    "buildings": ("<i4", "cells"),
    "area_m2": ("<f8", "cells"),
    "area_dm2": ("<i8", "cells"),
    "outer_m": ("<f8", "cells"),
    "outer_mm": ("<i8", "cells"),
    "indptr": ("<i8", "ends"),
    "neighbor": ("<i4", "edges"),
    "length_m": ("<f8", "edges"),
    "length_mm": ("<i8", "edges"),
    "class_at": ("<i8", "entries"),
    "class_m": ("<f8", "entries"),
    "class_mm": ("<i8", "entries"),
}
"""Arrays that every ground has: their type and what they run over.

An edge rarely has more than one class, so lengths by class are kept as entries: ``class_at`` is the number of the
edge times that of the classes, plus the class.
"""

OPTIONAL: Mapping[str, tuple[str, str]] = {
    "kind": ("<i4", "cells"),
    "workers": ("<i8", "cells"),
    "workload": ("<f8", "cells"),
    "released": ("|b1", "cells"),
}
"""Arrays that are there when the layers say something of it."""

NAMES = ("community_ids", "community_names", "community_codes", "compound_ids", "compound_names", "kinds")


def ground_names(ground: Ground) -> dict[str, list[str]]:
    """Return the names that the numbers of a ground refer to, for ``meta.json``."""
    lists = {name: getattr(ground, name) for name in NAMES if name != "kinds"}
    return {name: list(values) for name, values in (lists | {"kinds": ground.cells.kinds}).items()}


def ground_bytes(ground: Ground) -> tuple[bytes, str]:
    """Return the bytes of ``ground.npz``, always the same for one ground, and the SHA-256 of its content."""
    cells, graph = ground.cells, ground.cells.graph
    at = np.flatnonzero((graph.class_m != 0.0) | (ground.class_mm != 0))
    arrays: dict[str, NDArray[Any] | None] = {
        "outer_m": graph.outer_m,
        "indptr": graph.indptr,
        "neighbor": graph.neighbor,
        "length_m": graph.length_m,
        "class_at": at,
        "class_m": graph.class_m.ravel()[at],
        "class_mm": ground.class_mm.ravel()[at],
    }
    for name in (*FIELDS, *OPTIONAL):
        if name not in arrays:
            arrays[name] = getattr(ground if hasattr(ground, name) else cells, name)
    sink, digest = io.BytesIO(), hashlib.sha256()
    with zipfile.ZipFile(sink, "w", zipfile.ZIP_STORED) as archive:
        for name, (kind, _) in (FIELDS | OPTIONAL).items():  # type: ignore[operator]
            values = arrays[name]
            if values is None:
                continue
            plain = np.ascontiguousarray(values, dtype=kind)
            digest.update(f"{name} {kind} {len(plain)}\n".encode())
            digest.update(plain.tobytes())
            # An entry without a time of its own, so that the bytes are the same at any hour.
            archive.writestr(zipfile.ZipInfo(f"{name}.npy"), array_bytes(plain))
    return sink.getvalue(), digest.hexdigest()


def array_bytes(values: NDArray[Any]) -> bytes:
    """Return numbers in the file format of numpy."""
    sink = io.BytesIO()
    np.lib.format.write_array(sink, np.ascontiguousarray(values), version=(1, 0), allow_pickle=False)
    return sink.getvalue()


def read_centres(folder: Path) -> NDArray[np.int32]:
    """Read an inner point of every cell.

    Parameters
    ----------
    folder
        A folder that `geo.dataset.folder.write_dataset` wrote.

    Returns
    -------
    int32, shape (cells, 2): longitude and latitude in steps of 1e-7 degree.

    Raises
    ------
    DatasetError
        ``dataset-missing``, ``dataset-format``, ``dataset-damaged``.
    """
    meta = read_meta(folder)
    data = checked_bytes(folder, meta, CENTRES)
    try:
        steps = _array(data, "centres", "<i4")
    except (_WrongError, ValueError, EOFError) as error:
        raise damaged(folder / CENTRES, "不是有效的数组文件", "it is no valid array file") from error
    cells = meta.about.get("cells")
    if not isinstance(cells, int) or len(steps) != 2 * cells:
        raise damaged(
            folder / CENTRES, "点数与单元数不符", "it has another number of points than there are cells"
        )
    return steps.reshape(-1, 2)


def read_ground(folder: Path) -> Ground:
    """Read the ground of a dataset.

    Nothing is trusted: checksums, types, shapes, ranges and the symmetry of the adjacency are checked, and no
    pickle is ever loaded.

    Parameters
    ----------
    folder
        A folder that `geo.dataset.folder.write_dataset` wrote.

    Raises
    ------
    DatasetError
        ``dataset-missing``, ``dataset-format``, ``dataset-damaged``.
    """
    return ground_from(folder, read_meta(folder))


def ground_from(folder: Path, meta: Meta) -> Ground:
    """Read the ground of a dataset whose ``meta.json`` has been read; see `read_ground`."""
    path = folder / GROUND
    arrays = _arrays(checked_bytes(folder, meta, GROUND), path)
    names = _names(meta, folder)
    try:
        _check(arrays, names)
        by_class = {name: _spread(arrays, name) for name in ("class_m", "class_mm")}
        _check_graph(arrays, by_class)
    except _WrongError as wrong:
        raise damaged(path, f"数组 {wrong.array} 的内容有误", f"array {wrong.array} {wrong.what}") from wrong
    graph = Graph(
        arrays["indptr"], arrays["neighbor"], arrays["length_m"], by_class["class_m"], arrays["outer_m"]
    )
    cells = Units(
        of_cell=np.arange(graph.n, dtype=np.int32),
        community=arrays["community"],
        compound=arrays["compound"],
        households=arrays["households"],
        persons=arrays["persons"],
        buildings=arrays["buildings"],
        area_m2=arrays["area_m2"],
        graph=graph,
        kinds=names["kinds"],
        **{name: arrays.get(name) for name in OPTIONAL},
    )
    return Ground(
        dataset=meta.id,
        cells=cells,
        length_mm=arrays["length_mm"],
        class_mm=by_class["class_mm"],
        outer_mm=arrays["outer_mm"],
        area_dm2=arrays["area_dm2"],
        community_ids=names["community_ids"],
        community_names=names["community_names"],
        community_codes=names["community_codes"],
        compound_ids=names["compound_ids"],
        compound_names=names["compound_names"],
    )


class _WrongError(Exception):
    """An array that does not hold what it must."""

    def __init__(self, array: str, what: str) -> None:
        super().__init__(f"{array} {what}")
        self.array = array
        self.what = what


def _arrays(data: bytes, path: Path) -> dict[str, NDArray[Any]]:
    """Return the arrays of an archive, each of the type and dimension it must have."""
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            entries = {entry.filename: entry for entry in archive.infolist()}
            known = {f"{name}.npy" for name in (*FIELDS, *OPTIONAL)}
            if len(entries) != len(archive.infolist()) or not entries.keys() <= known:
                raise damaged(path, "含有未知的数组", "it holds arrays that are not known")
            # Stored, not deflated: no entry is larger than the file, so none can swell in memory.
            if any(entry.compress_type != zipfile.ZIP_STORED for entry in entries.values()):
                raise damaged(path, "数组被压缩", "its arrays are compressed")
            return {
                name: _array(archive.read(entry), name, kind)
                for name, (kind, _) in (FIELDS | OPTIONAL).items()  # type: ignore[operator]
                if (entry := entries.get(f"{name}.npy")) is not None
            }
    except _WrongError as wrong:
        raise damaged(path, f"数组 {wrong.array} 的类型有误", f"array {wrong.array} {wrong.what}") from wrong
    except (
        zipfile.BadZipFile,
        ValueError,
        KeyError,
        EOFError,
        OSError,
        RuntimeError,
        OverflowError,
    ) as error:
        raise damaged(path, "不是有效的数组文件", "it is no valid archive of arrays") from error


def _array(data: bytes, name: str, kind: str) -> NDArray[Any]:
    """Read one array in the format of numpy; one dimension, nothing but numbers."""
    stream = io.BytesIO(data)
    if np.lib.format.read_magic(stream) != (1, 0):
        raise _WrongError(name, "has another version of the format")
    shape, _, dtype = np.lib.format.read_array_header_1_0(stream)
    if dtype != np.dtype(kind) or len(shape) != 1:
        raise _WrongError(name, f"is not of type {kind} and one dimension")
    if shape[0] * dtype.itemsize != len(data) - stream.tell():
        raise _WrongError(name, "is not as long as it says")
    return np.frombuffer(data, dtype, offset=stream.tell()).copy()


def _names(meta: Meta, folder: Path) -> dict[str, tuple[str, ...]]:
    found = meta.about.get("names")
    lists = {name: found.get(name) for name in NAMES} if isinstance(found, dict) else {}
    names = {
        name: tuple(values)
        for name, values in lists.items()
        if isinstance(values, list) and all(isinstance(text, str) for text in values)
    }
    communities = {len(names.get(name, ())) for name in NAMES if name.startswith("community")}
    compounds = {len(names.get(name, ())) for name in NAMES if name.startswith("compound")}
    if len(names) != len(NAMES) or len(communities) != 1 or len(compounds) != 1:
        raise damaged(folder / "meta.json", "名称清单有误", "its lists of names are wrong")
    return names


def _check(arrays: Mapping[str, NDArray[Any]], names: Mapping[str, tuple[str, ...]]) -> None:
    """Raise `_WrongError` for the first array that does not fit the others."""
    for name in FIELDS:
        if name not in arrays:
            raise _WrongError(name, "is missing")
    n, m = len(arrays["community"]), len(arrays["neighbor"])
    size = {"cells": n, "ends": n + 1, "edges": m, "entries": len(arrays["class_at"])}
    for name, values in arrays.items():
        if len(values) != size[(FIELDS | OPTIONAL)[name][1]]:  # type: ignore[operator]
            raise _WrongError(name, "has another length than the others")
        if values.dtype.kind == "f" and not np.isfinite(values).all():
            raise _WrongError(name, "holds values that are not finite")
    low = {"compound": -1, "kind": -1}
    high = {
        "community": len(names["community_ids"]) - 1,
        "compound": len(names["compound_ids"]) - 1,
        "kind": len(names["kinds"]) - 1,
        "neighbor": n - 1,
        "class_at": m * CLASSES - 1,
    }
    for name, values in arrays.items():
        if len(values) and (values.min() < low.get(name, 0) or values.max() > high.get(name, LARGEST)):
            raise _WrongError(name, "holds values out of range")


def _spread(arrays: Mapping[str, NDArray[Any]], name: str) -> NDArray[Any]:
    """Return lengths by class as a table, shape (edges, classes)."""
    at, edges = arrays["class_at"], len(arrays["neighbor"])
    if (np.diff(at) <= 0).any():
        raise _WrongError("class_at", "is not ascending")
    table = np.zeros(edges * CLASSES, arrays[name].dtype)
    table[at] = arrays[name]
    return table.reshape(edges, CLASSES)


def _check_graph(arrays: Mapping[str, NDArray[Any]], by_class: Mapping[str, NDArray[Any]]) -> None:
    """Check that the adjacency is sorted, without loops, and carries the same lengths in both directions."""
    indptr, neighbor = arrays["indptr"], arrays["neighbor"].astype(np.int64)
    n = len(indptr) - 1
    if indptr[0] != 0 or indptr[-1] != len(neighbor) or (np.diff(indptr) < 0).any():
        raise _WrongError("indptr", "does not ascend from 0 to the number of edges")
    focal = np.repeat(np.arange(n), np.diff(indptr))
    key = focal * n + neighbor
    if (np.diff(key) <= 0).any() or (focal == neighbor).any():
        raise _WrongError("neighbor", "is not ascending, or makes a cell its own neighbour")
    back = neighbor * n + focal
    order = np.argsort(back, kind="stable")
    if (back[order] != key).any():
        raise _WrongError("neighbor", "is not the same in both directions")
    if (by_class["class_mm"].sum(axis=1) != arrays["length_mm"]).any():
        raise _WrongError("class_mm", "does not add up to the lengths of the edges")
    for name, values in (*by_class.items(), ("length_m", arrays["length_m"])):
        if (values[order] != values).any():
            raise _WrongError(name, "is not the same in both directions")
