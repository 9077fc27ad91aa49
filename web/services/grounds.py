"""Datasets as the server and the editor need them: the ground of a plan, and the same as bytes for a browser."""

from __future__ import annotations

import json
import threading
from collections import OrderedDict
from typing import TYPE_CHECKING, Any

import numpy as np

from geo.dataset.ground_file import read_centres, read_ground
from geo.types import BorderClass
from web.errors import dataset_missing

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from numpy.typing import NDArray

    from geo.editing.ground import Ground

DATASET_ID_LENGTH = 64
KEPT = 4
"""Datasets whose ground stays in memory beside those of open plans."""
LAYOUT = 1
"""Number of the layout of `packed`; part of its tag."""
ALIGNMENT = 8

ALONG = (
    BorderClass.ALLEY,
    BorderClass.STREET,
    BorderClass.ARTERIAL,
    BorderClass.RAILWAY,
    BorderClass.WATER,
)
"""Borders along these are good borders, as in `geo.partition.score`, which the server does not load."""


class Grounds:
    """Read datasets from their folders; safe to call from several threads."""

    def __init__(self, root: Path) -> None:
        self._root = root
        self._lock = threading.Lock()
        self._grounds: OrderedDict[str, Ground] = OrderedDict()
        self._packed: OrderedDict[tuple[str, bool], bytes] = OrderedDict()

    def folder(self, dataset_id: str) -> Path:
        """Return the folder of a dataset.

        Raises
        ------
        NotFoundError
            If there is no such dataset.
        """
        proper = len(dataset_id) == DATASET_ID_LENGTH and set(dataset_id) <= set("0123456789abcdef")
        if not proper or not (self._root / dataset_id / "meta.json").is_file():
            raise dataset_missing()
        return self._root / dataset_id

    def ground(self, dataset_id: str) -> Ground:
        """Return the cells of a dataset; one object for all plans on it.

        Raises
        ------
        NotFoundError, DatasetError
            If there is no such dataset, or its files are damaged.
        """
        with self._lock:
            ground = self._grounds.pop(dataset_id, None)
            if ground is None:
                ground = read_ground(self.folder(dataset_id))
            self._grounds[dataset_id] = ground
            while len(self._grounds) > KEPT:
                self._grounds.popitem(last=False)
        return ground

    def packed(self, dataset_id: str, *, once: bool = False) -> bytes:
        """Return the cells of a dataset as `pack` writes them; raises as `ground`."""
        key = dataset_id, once
        with self._lock:
            found = self._packed.get(key)
        if found is not None:
            return found
        packed = pack(self.ground(dataset_id), read_centres(self.folder(dataset_id)), once=once)
        with self._lock:
            self._packed[key] = packed
            while len(self._packed) > 1:
                self._packed.popitem(last=False)
        return packed

    def tag(self, dataset_id: str, *, once: bool = False) -> str:
        """Return what names the bytes of `packed`, without making them; raises as `folder`."""
        return f"{self.folder(dataset_id).name}-{LAYOUT}{'-once' if once else ''}"


def pack(ground: Ground, centres: NDArray[np.int32], *, once: bool = False) -> bytes:
    """Write a ground for a browser.

    Little-endian: uint32 length of a header, the header (JSON, padded with blanks so that the data begins at a
    multiple of eight), then arrays, each at a multiple of eight from the beginning of the data. The header names
    ``cells``, ``communities``, ``compounds``, ``kinds`` and for each array ``dtype``, ``length`` and ``offset``.

    Parameters
    ----------
    ground
        Of a dataset, without divisions.
    centres
        int32, shape (cells, 2): longitude and latitude of a point inside each cell, degrees × 10⁷.
    once
        List each pair of neighbours at its lower cell only: a third less to send.
    """
    cells, graph = ground.cells, ground.cells.graph
    kept: NDArray[np.bool_] | slice = slice(None)
    indptr: NDArray[Any] = graph.indptr
    if once:
        after = graph.neighbor > np.repeat(np.arange(ground.n), np.diff(graph.indptr))
        kept, indptr = after, np.concatenate([[0], after.cumsum()])[graph.indptr]
    arrays: dict[str, NDArray[Any]] = {
        "community": cells.community.astype("<i4"),
        "compound": cells.compound.astype("<i4"),
        "kind": (np.full(ground.n, -1) if cells.kind is None else cells.kind).astype("<i4"),
        "households": cells.households.astype("<i4"),
        "persons": cells.persons.astype("<i4"),
        "buildings": cells.buildings.astype("<i4"),
        "area_dm2": ground.area_dm2.astype("<f8"),
        "indptr": indptr.astype("<i4"),
        "neighbor": graph.neighbor[kept].astype("<i4"),
        "length_mm": ground.length_mm[kept].astype("<i4"),
        "along_mm": ground.class_mm[:, list(ALONG)].sum(axis=1)[kept].astype("<i4"),
        "outer_mm": ground.outer_mm.astype("<i4"),
        "lon": centres[:, 0].astype("<i4"),
        "lat": centres[:, 1].astype("<i4"),
    }
    communities = zip(ground.community_ids, ground.community_names, ground.community_codes, strict=True)
    compounds = zip(ground.compound_ids, ground.compound_names, strict=True)
    return packed_arrays(
        arrays,
        {
            "dataset": ground.dataset,
            "cells": ground.n,
            "communities": [{"id": i, "name": name, "code": code} for i, name, code in communities],
            "compounds": [{"id": i, "name": name} for i, name in compounds],
            "kinds": list(cells.kinds),
        },
    )


def packed_arrays(arrays: Mapping[str, NDArray[Any]], said: Mapping[str, Any]) -> bytes:
    """Write arrays after a header that says what and where they are; the layout is that of `pack`."""
    names = {"<i4": "int32", "<f8": "float64", "|u1": "uint8"}
    places, offset = {}, 0
    for name, values in arrays.items():
        places[name] = {"dtype": names[values.dtype.str], "length": len(values), "offset": offset}
        offset += _up(values.nbytes)
    header = json.dumps({**said, "arrays": places}, ensure_ascii=False, separators=(",", ":")).encode()
    header += b" " * (_up(4 + len(header)) - 4 - len(header))
    parts = [len(header).to_bytes(4, "little"), header]
    for values in arrays.values():
        parts += [values.tobytes(), bytes(_up(values.nbytes) - values.nbytes)]
    return b"".join(parts)


def _up(length: int) -> int:
    """Return the next multiple of `ALIGNMENT`."""
    return -(-length // ALIGNMENT) * ALIGNMENT
