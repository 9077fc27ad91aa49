"""Chains of hashes: each row of a log stands on the one before; none can be changed, dropped or slipped in."""

from __future__ import annotations

import hashlib
from typing import Any

from web.store.tables import canonical

START = "0" * 64


def link(previous: str, content: Any) -> str:
    """Return the hash of a row.

    Parameters
    ----------
    previous
        Hash of the row before; of the first row, whatever the chain hangs on.
    content
        What the row says, as a JSON value.

    Returns
    -------
    str
        SHA-256 in 64 hexadecimal digits.
    """
    return hashlib.sha256(f"{previous}\n{canonical(content)}".encode("ascii")).hexdigest()


def digest(content: bytes) -> str:
    """Return the hash of bytes."""
    return hashlib.sha256(content).hexdigest()
