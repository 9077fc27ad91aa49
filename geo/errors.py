"""Errors the library raises, each with a stable code and a message in Chinese and English."""

from __future__ import annotations

from typing import Any


class GeoError(Exception):
    """Base of all errors that a planner can cause and mend.

    Parameters
    ----------
    code
        Stable kebab-case name of the fault, e.g. ``"layer-empty"``; tests and callers compare it.
    zh, en
        One sentence each: what is wrong, where (file, layer, row, cell), and what to do.
    where
        Machine-readable place of the fault: ``path``, ``layer``, ``row``, ``column``, ``ids``.
    """

    def __init__(self, code: str, zh: str, en: str, **where: Any) -> None:
        super().__init__(f"{zh} / {en}")
        self.code = code
        self.zh = zh
        self.en = en
        self.where = where

    def __reduce__(self) -> tuple[Any, ...]:
        """Survive the trip between processes with every attribute."""
        return (_rebuild, (type(self), self.code, self.zh, self.en, self.where))


def _rebuild(cls: type[GeoError], code: str, zh: str, en: str, where: dict[str, Any]) -> GeoError:
    return cls(code, zh, en, **where)


class LayerError(GeoError):
    """A file or layer cannot be used: missing, unreadable, empty, of the wrong kind."""


class ColumnError(GeoError):
    """A needed column is missing or ambiguous, or a cell does not hold what it must."""


class CRSError(GeoError):
    """A layer has no coordinate reference system, or one that cannot be used."""


class CommunityError(GeoError):
    """The community layer cannot be tiled: overlapping communities, none with homes."""


class StandardError(GeoError):
    """A grid standard is unknown or contradicts itself."""


class InfeasibleError(GeoError):
    """No partition satisfies the hard rules; names the community and why."""


class TilingError(GeoError):
    """The exact tiling does not hold. A defect of ours: never the planner's fault."""


class PlanError(GeoError):
    """A plan file cannot be used: not a plan, damaged, or from a newer version."""


class DatasetError(GeoError):
    """A dataset on disk cannot be used: missing, incomplete, damaged, or of another version."""


class EditError(GeoError):
    """An edit cannot be read: an unknown kind or field, or a value of the wrong type."""


class AssetError(GeoError):
    """A file that set-up prepares (Leaflet, fonts) is missing."""


class CancelledError(GeoError):
    """The caller asked a long computation to stop."""

    def __init__(
        self,
        code: str = "cancelled",
        zh: str = "已取消。",
        en: str = "Cancelled.",
        **where: Any,
    ) -> None:
        super().__init__(code, zh, en, **where)
