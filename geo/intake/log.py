"""Collect findings while layers are read."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from geo.findings import Finding, Severity

if TYPE_CHECKING:
    from collections.abc import Iterable

    import numpy as np
    from numpy.typing import NDArray

    from geo.intake.table import Table

EXAMPLES = 5
"""So many examples are spelt out in a message; the finding lists more."""


@dataclass
class Log:
    """The findings so far, in the order they were met."""

    findings: list[Finding] = field(default_factory=list)

    def take(self, findings: Iterable[Finding], role: str) -> None:
        """Add findings of a reader that does not know the role."""
        self.findings.extend(f if f.layer else replace(f, layer=role) for f in findings)

    def note(self, code: str, severity: Severity, layer: str, zh: str, en: str, **facts: Any) -> None:
        """Add a finding; `facts` are `count` and the optional fields of `Finding`."""
        self.findings.append(Finding(code, severity, layer, facts.pop("count", 1), zh, en, **facts))

    def rows(
        self,
        code: str,
        severity: Severity,
        table: Table,
        marked: NDArray[np.bool_],
        *messages: str,
        ids: NDArray[np.object_] | None = None,
        households: NDArray[np.int64] | None = None,
    ) -> None:
        """Add a finding on the marked rows of a table, if there are any.

        `messages` are the Chinese and the English one; ``{n}``, ``{rows}``, ``{title}`` and ``{households}`` in
        them are filled in.
        """
        count = int(marked.sum())
        if count == 0:
            return
        numbers = table.raw.rows[marked]
        lost = None if households is None else int(households[marked].sum())
        zh, en = messages
        facts = {"n": count, "rows": listed(numbers), "title": table.raw.title, "households": lost}
        self.findings.append(
            Finding(
                code,
                severity,
                table.role,
                count,
                zh.format(**facts),
                en.format(**facts),
                rows=tuple(numbers),
                ids=() if ids is None else tuple(ids[marked]),
                households=lost,
            )
        )


def listed(values: Iterable[object]) -> str:
    """Spell out the first few values."""
    texts = [str(value) for value in values]
    return ", ".join(texts[:EXAMPLES]) + (" …" if len(texts) > EXAMPLES else "")
