"""The arrays of the kernels: what never changes, the assignment with its running sums, working memory."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

# Positions in Static.rule.
TARGET, LOW, HIGH, HARD, TOLERANCE = 0, 1, 2, 3, 4
W_BAND, W_SLOPE, W_TOLERANCE, W_EVEN, W_COMPACT, W_BORDER, W_MEAN, W_DONUT = 5, 6, 7, 8, 9, 10, 11, 12
BLOCK_COST, MEAN, W_MOVED, W_HARD = 13, 14, 15, 16
RULES = 17

# Positions in State.total.
VALUE, BEST, HOLES = 0, 1, 2


class Static(NamedTuple):
    """One connected part: n units, m directed edges, c compounds of several units.

    Attributes
    ----------
    indptr, neighbor, source
        int64 (n + 1,), int32 (m,), int32 (m,): CSR adjacency and the unit each edge starts from.
    length, cost
        float64 (m,): border in metres; what it costs to have it between two grids (dimensionless, negative where a
        grid should not cross).
    load, area, around
        float64 (n,): measure, m2, full perimeter in metres.
    outside
        float64 (n,): perimeter shared with no unit of this part, metres.
    compound
        int32 (n,): 0..c-1, or -1 for a unit that is a whole compound or belongs to none.
    allowed
        int32 (c,): pieces of the compound that are not excess.
    excess
        float64 (c,): price of a piece of the compound beyond those.
    pinned
        bool (n,): units that may not leave the grid they start in.
    origin
        int32 (n,): old grid of the unit, 0..o-1, or -1 for none; moving households away from it costs.
    rule
        float64 (RULES,): target, band, weights, the border cost per metre above which a border runs through a
        block, and the mean load of a grid, which depends on their number (`with_mean`).
    """

    indptr: NDArray[np.int64]
    neighbor: NDArray[np.int32]
    source: NDArray[np.int32]
    length: NDArray[np.float64]
    cost: NDArray[np.float64]
    load: NDArray[np.float64]
    area: NDArray[np.float64]
    around: NDArray[np.float64]
    outside: NDArray[np.float64]
    compound: NDArray[np.int32]
    allowed: NDArray[np.int32]
    excess: NDArray[np.float64]
    pinned: NDArray[np.bool_]
    origin: NDArray[np.int32]
    rule: NDArray[np.float64]


class State(NamedTuple):
    """Assignment of n units to k grids and its running sums.

    Attributes
    ----------
    part, best
        int32 (n,): current and best grid of each unit.
    load, area, perimeter, open, value
        float64 (k,): sums per grid; border shared with no other grid; the grid's own share of the objective.
    loaded, large
        int64 (k,): units with load, and of those the ones that are above the band by themselves.
    touching
        int32 (k, k): number of unit edges between two grids.
    members
        int32 (c, k): units of a compound in a grid.
    pieces
        int32 (c,): grids a compound lies in.
    old
        float64 (o, k): load of an old grid in a grid; o = 0 when moved load does not cost.
    total
        float64 (3,): objective of `part` and of `best`; number of grids that enclose others.
    """

    part: NDArray[np.int32]
    best: NDArray[np.int32]
    load: NDArray[np.float64]
    area: NDArray[np.float64]
    perimeter: NDArray[np.float64]
    open: NDArray[np.float64]
    value: NDArray[np.float64]
    loaded: NDArray[np.int64]
    large: NDArray[np.int64]
    touching: NDArray[np.int32]
    members: NDArray[np.int32]
    pieces: NDArray[np.int32]
    old: NDArray[np.float64]
    total: NDArray[np.float64]


class Scratch(NamedTuple):
    """Working memory.

    Attributes
    ----------
    rng
        uint64 (1,): state of the generator, never zero.
    stamp, clock
        int64 (n,), int64 (1,): a unit is marked when its stamp equals the clock.
    queue, parent, place, old
        int32 (n,): members in tree order, tree parent (position), position of a unit, labels to restore.
    weight, item
        float64 (m + 1,), int64 (m + 1,): heap of edges.
    sums
        float64 (n, SUMS): subtree sums.
    walk
        int32 (4, n + 1): a depth-first walk over the grids.
    """

    rng: NDArray[np.uint64]
    stamp: NDArray[np.int64]
    clock: NDArray[np.int64]
    queue: NDArray[np.int32]
    parent: NDArray[np.int32]
    place: NDArray[np.int32]
    old: NDArray[np.int32]
    weight: NDArray[np.float64]
    item: NDArray[np.int64]
    sums: NDArray[np.float64]
    walk: NDArray[np.int32]


# Columns of Scratch.sums.
S_LOAD, S_CAPPED, S_POSITIVE, S_AREA, S_AROUND, S_COST, S_CUT, S_LARGE = 0, 1, 2, 3, 4, 5, 6, 7
SUMS = 8


def with_mean(static: Static, k: int) -> Static:
    """Return the part with the mean load of k grids in its rule."""
    rule = static.rule.copy()
    rule[MEAN] = static.load.sum() / k
    return static._replace(rule=rule)


def new_state(n: int, k: int, static: Static) -> State:
    """Return an empty state of n units and k grids; a kernel fills it."""
    compounds = len(static.allowed)
    olds = int(static.origin.max(initial=-1)) + 1 if static.rule[W_MOVED] > 0.0 else 0
    return State(
        part=np.zeros(n, np.int32),
        best=np.zeros(n, np.int32),
        load=np.zeros(k),
        area=np.zeros(k),
        perimeter=np.zeros(k),
        open=np.zeros(k),
        value=np.zeros(k),
        loaded=np.zeros(k, np.int64),
        large=np.zeros(k, np.int64),
        touching=np.zeros((k, k), np.int32),
        members=np.zeros((compounds, k), np.int32),
        pieces=np.zeros(compounds, np.int32),
        old=np.zeros((olds, k)),
        total=np.array([np.inf, np.inf, 0.0]),
    )


def new_scratch(static: Static, seed: int) -> Scratch:
    """Return working memory with a generator seeded by any integer."""
    n, m = len(static.load), len(static.neighbor)
    state = np.random.SeedSequence(seed).generate_state(1, np.uint64)
    return Scratch(
        rng=state | np.uint64(1),
        stamp=np.zeros(n, np.int64),
        clock=np.zeros(1, np.int64),
        queue=np.zeros(n, np.int32),
        parent=np.zeros(n, np.int32),
        place=np.zeros(n, np.int32),
        old=np.zeros(n, np.int32),
        weight=np.zeros(m + 1),
        item=np.zeros(m + 1, np.int64),
        sums=np.zeros((n, SUMS)),
        walk=np.zeros((4, n + 1), np.int32),
    )
