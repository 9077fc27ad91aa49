"""What other editors do: their changes, asked for again and again, and where they point at the moment."""

from __future__ import annotations

import threading
import time
from collections import OrderedDict
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from web.services.plan_words import entry_json

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from web.store.plans import PlanStore
    from web.store.records import PlanRecord

SEEN_S = 10.0
"""Who has not been heard of for so long is gone."""
MOST_PRESENT = 100
"""People and browser tabs shown of one plan."""
MOST_PLANS = 1000
MOST_WAITING = 16
"""Requests that may wait for a change at the same time; the next ones are answered at once."""
LOOK_S = 1.0
"""How often a waiting request looks into the store, for what other servers commit."""


@dataclass(frozen=True)
class Present:
    """Somebody who has a plan open."""

    client: str
    user_id: str
    user_name: str
    says: Mapping[str, Any]
    seen: float


class Presence:
    """Where the editors of plans are; kept in memory only, and for seconds."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._plans: OrderedDict[str, OrderedDict[str, Present]] = OrderedDict()

    def say(self, plan_id: str, client: str, user_id: str, user_name: str, says: Mapping[str, Any]) -> None:
        """Note where somebody points; the one heard of longest ago makes room."""
        with self._lock:
            here = self._plans.pop(plan_id, None) or OrderedDict()
            self._plans[plan_id] = here
            key = f"{user_id} {client}"
            here.pop(key, None)
            here[key] = Present(client, user_id, user_name, dict(says), self._clock())
            while len(here) > MOST_PRESENT:
                here.popitem(last=False)
            while len(self._plans) > MOST_PLANS:
                self._plans.popitem(last=False)

    def others(self, plan_id: str, user_id: str, client: str | None) -> list[dict[str, Any]]:
        """Return who else was heard of in the last `SEEN_S`; another tab of the same user is somebody else."""
        now = self._clock()
        with self._lock:
            here = self._plans.get(plan_id, OrderedDict())
            for key in [key for key, present in here.items() if now - present.seen > SEEN_S]:
                del here[key]
            if not here:
                self._plans.pop(plan_id, None)
            found = list(here.values())
        return [
            {
                "client": present.client,
                "user": {"id": present.user_id, "name": present.user_name},
                "age_s": round(now - present.seen, 1),
                **present.says,
            }
            for present in found
            if (present.user_id, present.client) != (user_id, client)
        ]


class Feed:
    """The log of plans for those who look on; loads no plan."""

    def __init__(self, store: PlanStore, clock: Callable[[], float] = time.monotonic) -> None:
        self._store = store
        self._clock = clock
        self._changed = threading.Condition()
        self._waiting = threading.BoundedSemaphore(MOST_WAITING)
        self._closed = False

    def announce(self) -> None:
        """Wake who waits for a change."""
        with self._changed:
            self._changed.notify_all()

    def close(self) -> None:
        """Let nobody wait any longer."""
        self._closed = True
        self.announce()

    def wait(self, plan_id: str, since: int, seconds: float) -> PlanRecord:
        """Return the plan's record, once it is beyond a revision or the time is over.

        Raises
        ------
        NotFoundError
            If there is no such plan.
        """
        record = self._store.get(plan_id)
        if record.revision > since or seconds <= 0 or not self._waiting.acquire(blocking=False):
            return record
        try:
            deadline = self._clock() + seconds
            while record.revision <= since and not self._closed and (left := deadline - self._clock()) > 0:
                with self._changed:
                    self._changed.wait(min(left, LOOK_S))
                record = self._store.get(plan_id)
        finally:
            self._waiting.release()
        return record

    def edits(self, record: PlanRecord, since: int, limit: int) -> dict[str, Any]:
        """Return who changed what after a revision, the earliest first."""
        found = self._store.edits(record.id, after=since, limit=limit) if record.revision > since else []
        # What was committed since the head was read is left to the next answer: the head told is that of the list.
        found = [edit for edit in found if edit.revision <= record.revision]
        return {
            "revision": record.revision,
            "status": record.status,
            "edits": [entry_json(edit) | {"change": edit.change} for edit in found],
            "more": bool(found) and found[-1].revision < record.revision,
        }
