"""Machine code of the inner loops: sums over candidates, interchange, dominance, merging."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from geo.jit import kernel

F8 = NDArray[np.float64]
I8 = NDArray[np.int64]
I4 = NDArray[np.int32]


@kernel
def surplus(indptr: I8, column: I4, value: F8, floor: F8) -> F8:
    """Return for every candidate the sum of what its values exceed `floor` by; float64 (candidates,)."""
    total = np.zeros(len(indptr) - 1)
    for j in range(len(total)):
        for k in range(indptr[j], indptr[j + 1]):
            over = value[k] - floor[column[k]]
            if over > 0.0:
                total[j] += over
    return total


@kernel
def two_best(indptr: I8, column: I4, value: F8, chosen: I4, n: int) -> tuple[F8, F8, I4]:
    """Return the best and second best value of every demand, and the position in `chosen` of the best, or -1."""
    first, second = np.zeros(n), np.zeros(n)
    which = np.full(n, -1, np.int32)
    for s in range(len(chosen)):
        for k in range(indptr[chosen[s]], indptr[chosen[s] + 1]):
            i = column[k]
            if value[k] > first[i]:
                second[i] = first[i]
                first[i] = value[k]
                which[i] = s
            elif value[k] > second[i]:
                second[i] = value[k]
    return first, second, which


@kernel
def best_swap(  # noqa: PLR0917 - numba takes no keyword-only arguments
    indptr: I8, column: I4, value: F8, first: F8, second: F8, which: I4, taken: NDArray[np.bool_], p: int
) -> tuple[float, int, int]:
    """Return the most profitable interchange: profit, candidate to open, position to close; the first of equals.

    Resende and Werneck (2007): profit = gain of opening - loss of closing + what the two have in common,
    so that one pass over the pairs values every interchange.
    """
    loss = np.zeros(p)
    for i in range(len(which)):
        if which[i] >= 0:
            loss[which[i]] += first[i] - second[i]
    best, opened, closed = 0.0, -1, -1
    common = np.zeros(p)
    for j in range(len(indptr) - 1):
        if taken[j]:
            continue
        common[:] = 0.0
        gain = 0.0
        for k in range(indptr[j], indptr[j + 1]):
            i, v = column[k], value[k]
            if v > first[i]:
                gain += v - first[i]
                if which[i] >= 0:
                    common[which[i]] += first[i] - second[i]
            elif v > second[i]:
                common[which[i]] += v - second[i]
        for s in range(p):
            profit = gain + common[s] - loss[s]
            if profit > best:
                best, opened, closed = profit, j, s
    return best, opened, closed


@kernel
def same_as_before(indptr: I8, member: I4, order: I8) -> NDArray[np.bool_]:
    """Say of each set, in `order`, whether it equals the one before it."""
    same = np.zeros(len(order), np.bool_)
    for t in range(1, len(order)):
        a, b = indptr[order[t - 1]], indptr[order[t]]
        length = indptr[order[t] + 1] - b
        if indptr[order[t - 1] + 1] - a != length:
            continue
        equal = True
        for k in range(length):
            if member[a + k] != member[b + k]:
                equal = False
                break
        same[t] = equal
    return same


@kernel
def looked_at(member: I4, a: int, b: int, start: int, end: int) -> int:
    """Return how many of ``member[start:end]`` show that ``member[a:b]`` is inside; negative when it is not."""
    at = start
    for k in range(a, b):
        while at < end and member[at] < member[k]:
            at += 1
        if at == end or member[at] != member[k]:
            return start - at - 1
    return at - start + 1


@kernel
def contained(  # noqa: PLR0917 - numba takes no keyword-only arguments
    indptr: I8,
    member: I4,
    holder_ptr: I8,
    holder: I4,
    tail: bool,  # noqa: FBT001
    most: int,
) -> NDArray[np.bool_]:
    """Mark sets that another set makes needless; sets must differ from each other.

    With `tail` false a set is marked that lies inside another one (a candidate that covers less); with `tail` true
    a set that holds another one inside (demand that is covered whenever the other is). `holder` lists the sets of
    every element; a set is compared with those of its rarest element only. An empty set is never marked. After
    `most` steps it ends, and some needless sets are not marked.
    """
    n = len(indptr) - 1
    steps = 0
    marked = np.zeros(n, np.bool_)
    for small in range(n):
        a, b = indptr[small], indptr[small + 1]
        if a == b or steps > most:
            continue
        rare = member[a]
        for k in range(a, b):
            e = member[k]
            if holder_ptr[e + 1] - holder_ptr[e] < holder_ptr[rare + 1] - holder_ptr[rare]:
                rare = e
        for h in range(holder_ptr[rare], holder_ptr[rare + 1]):
            big = holder[h]
            if big == small or indptr[big + 1] - indptr[big] <= b - a or (tail and marked[big]):
                continue
            looked = looked_at(member, a, b, indptr[big], indptr[big + 1])
            steps += abs(looked)
            if looked > 0 and tail:
                marked[big] = True
            elif looked > 0:
                marked[small] = True
                break
    return marked


@kernel
def filled(  # noqa: PLR0917 - numba takes no keyword-only arguments
    indptr: I8, member: I4, weight: F8, price: F8, order: I8, capacity: F8
) -> F8:
    """Return the most each candidate earns when it serves up to its capacity, best paid demand first.

    `indptr`, `member` list the candidates of every demand; `order` is the demand by falling `price`.
    """
    earned, room = np.zeros(len(capacity)), capacity.copy()
    for t in range(len(order)):
        i = order[t]
        if price[i] <= 0.0:
            break
        for k in range(indptr[i], indptr[i + 1]):
            j = member[k]
            if room[j] > 0.0:
                taken = min(room[j], weight[i])
                room[j] -= taken
                earned[j] += taken * price[i]
    return earned
