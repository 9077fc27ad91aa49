"""The annealed local search over single moves, chains and resplits."""

from __future__ import annotations

import numpy as np

from geo.jit import kernel
from geo.partition.arrays import BEST, VALUE, Scratch, State, Static
from geo.partition.heap import uniform
from geo.partition.moves import try_chain, try_flip
from geo.partition.objective import rebuild
from geo.partition.trees import resplit


@kernel
def anneal(  # noqa: PLR0917
    static: Static,
    state: State,
    scratch: Scratch,
    proposals: int,
    heat: tuple[float, float],
    mix: tuple[float, float],
) -> None:
    """Improve the assignment by annealing; the best one seen is in ``state.best``.

    Parameters
    ----------
    static, state, scratch
        A connected part with a valid assignment.
    proposals
        Number of random border edges looked at.
    heat
        Temperature at the first and the last proposal, objective units.
    mix
        Shares of proposals that are resplits of two grids and chains of two moves; the rest are single moves.
    """
    rebuild(static, state, scratch)
    part = state.part
    edges = len(static.neighbor)
    rng = scratch.rng
    cooling = np.log(heat[1] / heat[0]) / max(proposals, 1)
    temperature = heat[0]
    every = max(len(part), 64)
    for step in range(proposals):
        if step % 64 == 0:
            temperature = heat[0] * np.exp(cooling * step)
        if step % every == 0 and state.total[VALUE] < state.total[BEST] - 1e-9:
            state.best[:] = part
            state.total[BEST] = state.total[VALUE]
        e = int(uniform(rng) * edges)
        u = static.source[e]
        b = part[static.neighbor[e]]
        if part[u] == b:
            continue
        kind = uniform(rng)
        if kind < mix[0]:
            resplit(static, state, scratch, u, b, temperature)
            continue
        limit = -temperature * np.log(1e-300 + uniform(rng))
        if kind < mix[0] + mix[1]:
            try_chain(static, state, scratch, u, b, limit)
        else:
            try_flip(static, state, scratch, u, b, limit)
    if state.total[VALUE] < state.total[BEST] - 1e-9:
        state.best[:] = part
        state.total[BEST] = state.total[VALUE]
