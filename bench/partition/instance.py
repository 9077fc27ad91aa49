"""The instance all engines get: units of a city, cut into the connected parts of its communities."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from geo.partition import Weights
from geo.types import BorderClass
from geo.units import Units

ROLES = ("buildings", "households", "compounds", "communities", "roads", "water", "railways")
REAL_FOLDER = Path(__file__).resolve().parents[3] / "shared" / "real"
REAL = {
    "ang_mo_kio": {"buildings": "blocks", "communities": "subzones", "roads": "road_sections"},
    "cambridge": {
        "buildings": "parcels_units",
        "communities": "neighborhoods",
        "roads": "streets",
        "water": "water",
    },
}


@dataclass(frozen=True)
class Part:
    """One connected part of one community as a graph of its own.

    Attributes
    ----------
    rows
        Position of its units in `Instance.units`, int64 (n,).
    indptr, neighbor
        Adjacency within the part as CSR, int64 (n + 1,) and int64 (m,), both directions.
    length
        Border of each edge, whole metres, at least 1, int64 (m,).
    priced
        The same at the price our engine puts on what runs along it, tenths of metres, at least 1: the tuned
        peers get it, so that they too may look for borders along roads.
    load
        Households, int64 (n,).
    xy
        Centres, metres, float64 (n, 2).
    k
        Number of grids asked for.
    """

    rows: np.ndarray
    indptr: np.ndarray
    neighbor: np.ndarray
    length: np.ndarray
    priced: np.ndarray
    load: np.ndarray
    xy: np.ndarray
    k: int = 1

    @property
    def n(self) -> int:
        return len(self.rows)


@dataclass(frozen=True)
class Instance:
    """A city's units, their centres in metres, and the parts."""

    title: str
    units: Units
    standard_id: str
    parts: tuple[Part, ...]

    def standard(self):
        from geo.standards import load_standard

        return load_standard(self.standard_id)

    def with_grids(self, k_of_part):
        """Return the instance with a number of grids for each part."""
        parts = (replace(p, k=max(1, min(int(k), p.n))) for p, k in zip(self.parts, k_of_part, strict=True))
        return replace(self, parts=tuple(parts))


def load_instance(title, sources, standard_id="fine-250"):
    """Read layers and build units and parts.

    Parameters
    ----------
    title
        What the table calls the place.
    sources
        `geo.layers.Source` of every layer to read.
    """
    from geo.cells import build_tiling
    from geo.intake import load_city
    from geo.standards import load_standard
    from geo.units import build_units

    city = load_city(sources)
    tiling = build_tiling(city)
    units = build_units(city, tiling, max_households=int(load_standard(standard_id).whole_limit))
    cells = tiling.cells.geometry.to_crs(city.crs)
    centre = cells.centroid
    weight = np.maximum(tiling.cells["area_m2"].to_numpy(), 1e-6)
    total = np.bincount(units.of_cell, weights=weight)
    xy = np.column_stack(
        [
            np.bincount(units.of_cell, weights=weight * axis.to_numpy()) / total
            for axis in (centre.x, centre.y)
        ]
    )
    return Instance(title, units, standard_id, tuple(cut_parts(units, xy)))


def demo_sources(folder):
    """Write the full demo city and return its layers."""
    from geo.demo import write_city

    path = Path(folder) / "full.gpkg"
    write_city("full", path)
    return city_sources(path)


def city_sources(path):
    """Return the layers of a GeoPackage that are named by role."""
    import pyogrio

    from geo.layers import Source

    names = {str(name) for name, _ in pyogrio.list_layers(path)}
    return [Source(role, Path(path), role) for role in ROLES if role in names]


def real_sources(name):
    """Return the layers of a real place beside the project."""
    from geo.layers import Source

    path = REAL_FOLDER / f"{name}.gpkg"
    return [Source(role, path, layer) for role, layer in REAL[name].items()]


def cut_parts(units, xy):
    """Cut the unit graph at community borders; parts in the order of their first unit."""
    from geo.adjacency import components

    graph = units.graph
    piece = components(graph, units.community)
    focal = graph.focal
    inside = piece[focal] == piece[graph.neighbor]
    order = np.argsort(piece, kind="stable")
    bounds = np.searchsorted(piece[order], np.arange(int(piece.max(initial=-1)) + 2))
    local = np.empty(units.n, np.int64)
    local[order] = np.arange(units.n) - bounds[piece[order]]
    edges = np.flatnonzero(inside)
    edges = edges[np.argsort(piece[focal[edges]], kind="stable")]
    cuts = np.searchsorted(piece[focal[edges]], np.arange(len(bounds)))
    prices = _prices()
    for p in range(len(bounds) - 1):
        rows = order[bounds[p] : bounds[p + 1]]
        mine = edges[cuts[p] : cuts[p + 1]]
        degree = np.bincount(local[focal[mine]], minlength=len(rows))
        yield Part(
            rows=rows,
            indptr=np.concatenate([[0], np.cumsum(degree)]).astype(np.int64),
            neighbor=local[graph.neighbor[mine]],
            length=np.maximum(np.rint(graph.length_m[mine]), 1).astype(np.int64),
            priced=np.maximum(np.rint(10.0 * graph.class_m[mine] @ prices), 1).astype(np.int64),
            load=units.households[rows].astype(np.int64),
            xy=xy[rows],
        )


def _prices():
    """Return our engine's price of each border class, those below zero as nearly free."""
    prices = np.maximum(Weights().prices(), 0.0)
    prices[BorderClass.INTERIOR] = 1.0
    return np.clip(prices, 0.05, 1.0)
