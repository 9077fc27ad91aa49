"""The true optimum of a small part: all connected grids listed, then the cheapest exact cover of the units.

The aims are lexicographic: connected grids with load, fewest of them out of the band, fewest excess pieces of
compounds that fit into a grid, fewest grids above the hard maximum with several units with load, then everything
else the engine's objective pays for. Above the hard maximum a grid counts as out of the band once for each of its
units that are above the band by themselves. A grid's cost is its own: half the border on either side, and it
encloses others exactly when what it leaves has a piece without outer border. So an optimum is a cheapest set of
columns that cover each unit once. The linear relaxation, solved by column generation over the complete list, gives
reduced costs; a depth-first search looks only at columns whose reduced costs add up to less than the gap.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from exact_kernels import cheapest_cover, connected_sets, measure
from scipy.optimize import linprog
from scipy.sparse import csr_array, hstack, identity

from geo.partition.arrays import HARD, HIGH, LOW, W_BAND, W_BORDER, W_DONUT, W_HARD, with_mean
from geo.partition.objective import above_value, grid_value

MOST_GRIDS = 60_000
"""Connected sets of units above which an instance is too large."""

EXCESS = 1e5
"""Price of an excess piece of a compound that fits: above all that the rest of the objective can differ by."""

ABOVE = 1e4
"""Price of a grid above the hard maximum: above what the rest can differ by, and ten are below `EXCESS`."""

MISSING = 1e8
"""Price of an artificial column, above anything else."""

GAPS = (0.3, 3.0, 30.0, 300.0, 3.0 * ABOVE, 3.0 * EXCESS, 1e300)
"""Above the linear relaxation, where the search looks one after the other."""


class TooLargeError(Exception):
    """The instance has too many connected sets of units, or its search takes too long."""


@dataclass(frozen=True)
class Aims:
    """What a division is worth: aims in falling order, then the rest of the objective.

    `size` is all that the rest pays and earns, grids out of the band and above the hard maximum left aside: what a
    gap is a share of.
    """

    outside: int
    excess: int
    above: int
    rest: float
    size: float


@dataclass(frozen=True)
class Optimum:
    """The best division into `count` grids."""

    count: int
    aims: Aims
    labels: np.ndarray


@dataclass(frozen=True)
class Columns:
    """Possible grids: uint64 masks with load, cost, how they count out of the band, whether they are several
    units above the hard maximum, and the compounds they meet."""

    mask: np.ndarray
    load: np.ndarray
    cost: np.ndarray
    out: np.ndarray
    above: np.ndarray
    meets: np.ndarray

    def take(self, rows):
        return Columns(*(getattr(self, f)[rows] for f in self.__dataclass_fields__))


def judge(static, labels):
    """Return the aims of any division of a part."""
    count = int(labels.max()) + 1
    static = with_mean(static, count)
    columns = _columns(static, np.array([mask_of(labels == g) for g in range(count)], np.uint64))
    pieces = _bits(columns.meets, len(static.allowed)).sum(axis=0).astype(np.int64)
    excess = np.maximum(pieces - static.allowed, 0)
    fitting = static.allowed == 1
    rest = float(columns.cost.sum() + (static.excess * excess)[~fitting].sum())
    cut = labels[static.source] != labels[static.neighbor]
    earned = static.rule[W_BORDER] * 0.5 * (np.abs(static.cost[cut]) - static.cost[cut]).sum()
    out = int(columns.out.sum())
    above = int(columns.above.sum())
    size = rest + float(earned) - float(static.rule[W_BAND]) * out - float(static.rule[W_HARD]) * above
    return Aims(out, int(excess[fitting].sum()), above, rest, size)


def mask_of(members):
    return sum(1 << int(u) for u in np.flatnonzero(members))


def optimum(static, count):
    """Return the lexicographic optimum among divisions into `count` grids, None when there is none."""
    for outside in range(count + int((static.load > static.rule[HIGH]).sum()) + 1):
        found = optimum_with(static, count, outside)
        if found is not None:
            return found
    return None


def optimum_with(static, count, outside):
    """Return the best division into `count` grids that count `outside` out of the band; None: there is none."""
    static = with_mean(static, count)
    columns = _candidates(static, count, outside)
    if columns is None:
        return None
    relaxed = _relax(static, columns, count, outside)
    if relaxed is None:
        return None
    reduced, base = relaxed
    chosen = _search(static, columns, (reduced, base), (count, outside))
    if chosen is None:
        return None
    labels = np.zeros(len(static.load), np.int32)
    for grid, mask in enumerate(sorted(columns.mask[chosen].tolist(), key=lambda m: m & -m)):
        labels[[u for u in range(len(labels)) if mask >> u & 1]] = grid
    return Optimum(count, judge(static, labels), labels)


def _candidates(static, count, outside):
    """List every grid that such a division can hold; its load follows from what the others must have."""
    low, high = static.rule[LOW], static.rule[HIGH]
    total = static.load.sum()
    # At least so many are inside: a grid with several units that are too large counts more than once.
    inside = max(0, count - outside)
    most = total - low * inside - max(0, count - inside - 1) if outside else 0.0
    least = max(1.0, total - high * inside) if outside == 1 else 1.0
    if outside == 0 and not low * count <= total <= high * count:
        return None
    masks = np.zeros(MOST_GRIDS, np.uint64)
    spans = np.array([low, high, least, most])
    found = connected_sets(_adjacent(static), static.load, spans, masks)
    if found < 0:
        raise TooLargeError
    columns = _columns(static, masks[:found])
    columns = columns.take(np.flatnonzero((columns.load > 0) & (columns.out <= outside)))
    return replace(columns, cost=columns.cost + ABOVE * columns.above)


def _prices(static):
    """What a piece beyond the allowed ones costs: far more than anything else where the compound fits."""
    return np.where(static.allowed == 1, EXCESS, static.excess)


def _adjacent(static):
    adjacent = np.zeros(len(static.load), np.uint64)
    for u, v in zip(static.source.tolist(), static.neighbor.tolist(), strict=True):
        adjacent[u] |= np.uint64(1 << v)
    return adjacent


def _columns(static, masks):
    facts = np.zeros((5, len(masks)))
    meets = np.zeros(len(masks), np.uint64)
    arrays = (static.length, static.cost, static.load, static.area, static.around, static.outside)
    graph = (static.indptr, static.neighbor, _adjacent(static))
    measure(masks, graph, (*arrays, static.compound), facts, meets)
    load, _, _, border, holes = facts
    rule = static.rule
    bits = _bits(masks, len(static.load))
    loaded, large = (bits @ (static.load > limit) for limit in (0.0, rule[HIGH]))
    out = np.where(load > rule[HARD], np.maximum(large, 1), (load < rule[LOW]) | (load > rule[HIGH])).astype(
        int
    )
    above = (load > rule[HARD]) & (loaded > 1)
    counts = np.stack([loaded, large], axis=1).astype(int).tolist()
    # Called one by one from here: a compiled caller would not notice a change of the objective.
    own = (
        grid_value(rule, *row) + above_value(rule, row[0], *units)
        for row, units in zip(facts[:3].T, counts, strict=True)
    )
    cost = np.fromiter(own, float, len(masks)) + rule[W_BORDER] * border + rule[W_DONUT] * holes
    return Columns(masks, load, cost, out, above, meets)


def _relax(static, columns, count, outside):
    """Solve the linear relaxation; return every column's reduced cost and the constant, None when infeasible."""
    n, compounds = len(static.load), len(static.allowed)
    bits = _bits(columns.mask, n)
    meets = _bits(columns.meets, compounds)
    lowest = np.log2((columns.mask & (~columns.mask + np.uint64(1))).astype(float)).astype(int)
    right = np.concatenate([np.ones(n), [count, outside]])
    rows = np.column_stack([bits, np.ones(len(bits)), columns.out.astype(float)])
    order = np.lexsort((columns.cost / bits.sum(axis=1), lowest))
    active = set(_first_of_each(order, lowest, 20).tolist())
    while True:
        use = np.array(sorted(active), int)
        duals, value = _restricted((rows[use], meets[use]), columns.cost[use], right, static)
        y, z = duals
        reduced = columns.cost - rows @ y + meets @ z
        if compounds == 0:
            reduced = columns.cost - rows @ y
        # A column that is there already and looks cheap by rounding alone would be asked for for ever.
        entering = np.setdiff1d(np.flatnonzero(reduced < -1e-7), use)
        if len(entering) == 0:
            base = float(right @ y) - float(z @ static.allowed if compounds else 0.0)
            return None if value > 0.5 * MISSING else (reduced, base)
        order = entering[np.lexsort((reduced[entering], lowest[entering]))]
        active |= set(_first_of_each(order, lowest, 20).tolist())


def _bits(masks, n):
    return ((masks[:, None] >> np.arange(n, dtype=np.uint64)) & np.uint64(1)).astype(float)


def _first_of_each(order, key, most):
    """Return the first few of each key in an order sorted by key."""
    start = np.flatnonzero(np.diff(key[order], prepend=-1))
    rank = np.arange(len(order)) - np.repeat(start, np.diff(np.append(start, len(order))))
    return order[rank < most]


def _restricted(columns, cost, right, static):
    """Solve the relaxation over some columns; return the duals of its rows and compounds, and what is missing."""
    rows, meets = columns
    m, compounds = len(rows), len(static.allowed)
    equal = hstack([csr_array(rows.T), identity(len(right)), csr_array((len(right), compounds))]).tocsr()
    c = np.concatenate([cost, np.full(len(right), MISSING), _prices(static)])
    more = {}
    if compounds:
        over = hstack([csr_array(meets.T), csr_array((compounds, len(right))), -identity(compounds)]).tocsr()
        more = {"A_ub": over, "b_ub": static.allowed.astype(float)}
    answer = linprog(c, A_eq=equal, b_eq=right, method="highs", **more)
    if answer.status != 0:
        raise TooLargeError
    z = -answer.ineqlin.marginals if compounds else np.zeros(0)
    missing = float(answer.x[m : m + len(right)].sum())
    return (answer.eqlin.marginals, z), MISSING if missing > 1e-6 else 0.0


def _search(static, columns, relaxed, want):
    """Return the rows of the cheapest exact cover: the gap is widened until one is found inside it."""
    reduced, base = relaxed
    order = np.lexsort((reduced, columns.mask & (~columns.mask + np.uint64(1))))
    sorted_ = columns.take(order)
    rc = np.maximum(reduced[order], 0.0)
    lowest = sorted_.mask & (~sorted_.mask + np.uint64(1))
    edges = np.searchsorted(lowest, np.uint64(1) << np.arange(len(static.load) + 1, dtype=np.uint64))
    by_mask = np.argsort(sorted_.mask)
    facts = (sorted_.mask, sorted_.load, sorted_.cost, sorted_.out, sorted_.meets)
    tables = (rc, edges.astype(np.int64), by_mask, sorted_.mask[by_mask], _adjacent(static))
    rule = np.array([static.rule[LOW], static.rule[HIGH], base, static.load.sum()])
    compounds = (static.allowed, _prices(static))
    for gap in GAPS:
        status, chosen = cheapest_cover(facts, tables, rule, compounds, (*want, gap))
        if status == 2:
            raise TooLargeError
        if status == 1:
            return order[chosen]
    return None
