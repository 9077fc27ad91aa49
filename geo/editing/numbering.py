"""Numbers, codes and names of new grids, in the scheme of `geo.codes`."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from geo.editing.ground import Ground
    from geo.editing.plan import Plan


def code_prefix(ground: Ground, community: int) -> str:
    """Return what a community's codes begin with: its 12-digit statistical code, or its id and a dash."""
    code = ground.community_codes[community]
    return code if len(code) == 12 and code.isdigit() else f"{ground.community_ids[community]}-"


def code_of(ground: Ground, community: int, number: int) -> str:
    """Return the code of the grid with a number in its community."""
    return f"{code_prefix(ground, community)}{number:03d}"


def name_of(ground: Ground, community: int, number: int) -> str:
    """Return the name of the grid with a number in its community."""
    return f"{ground.community_names[community]}第{number}网格"


def next_number(plan: Plan, community: int) -> int:
    """Return the number after the highest in the codes of a community's grids; its code is free in the plan."""
    prefix = code_prefix(plan.ground, community)
    taken = {g.code for g in plan.grids.values()}
    mine = (g.code for g in plan.grids.values() if g.community == community)
    tails = (code[len(prefix) :] for code in mine if code.startswith(prefix))
    number = 1 + max((int(t) for t in tails if t.isascii() and t.isdigit()), default=0)
    while code_of(plan.ground, community, number) in taken:
        number += 1
    return number
