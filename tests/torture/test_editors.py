"""Several editors on one plan at the same time, over HTTP: nothing lost, nothing overwritten unseen.

Each works on what it saw last, so their edits overlap; one that conflicts is sent anew on the newest revision, as a
browser does once the planner has looked. Whatever was acknowledged is stored once, and asking again is answered the
same.
"""

from __future__ import annotations

import statistics
import threading
import time
from pathlib import Path
from typing import Any

import pytest
from torture_make import SECRET, Place, assert_same, assert_tiles, assert_whole, replayed
from torture_server import Client, Editor, Mirror, serving

from geo.editing.conflict import touched_cells, touched_grids

TEAM = {"TEAM": "true", "SECRET": SECRET, "INSECURE_COOKIES": "true"}
REPLAYED = 0.05
"""Share of the edits that are sent twice."""


class Team:
    """Editors at work, each with a session of its own."""

    def __init__(self, mirror: Mirror, port: int, tokens: list[str], each: int) -> None:
        self.editors = [
            Editor(mirror, Client(port, token), f"ed{number:02d}", number)
            for number, token in enumerate(tokens)
        ]
        self._each = each
        self.wrong: list[BaseException] = []
        self.replays = 0

    def run(self) -> float:
        """Let everybody commit their share; return the seconds it took."""
        threads = [threading.Thread(target=self._work, args=(editor,)) for editor in self.editors]
        begin = time.monotonic()
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        if self.wrong:
            raise self.wrong[0]
        return time.monotonic() - begin

    def _work(self, editor: Editor) -> None:
        try:
            while len(editor.acked) < self._each and not self.wrong:
                editor.step()
                if editor.acked and editor.random.random() < REPLAYED:
                    one = editor.random.choice(editor.acked[-20:])
                    again = editor.client.ask("POST", f"{editor.mirror.base}/{one.path}", one.body)
                    assert again == (200, one.answer)
                    self.replays += 1
        except BaseException as error:  # noqa: BLE001 - shown by the test
            self.wrong.append(error)
        finally:
            editor.client.close()


def assert_nothing_overwritten(team: Team, mirror: Mirror) -> None:
    """No edit moved a cell, or changed a grid, that another revision had changed since the one it was made on.

    Of grids: an edit of cells depends on them, and may find their names changed. Undo looks at the plan as it is.
    """
    touched = [set(row.change.cells.tolist()) for row in mirror.rows]
    named = [{item.id for item in row.change.grids} for row in mirror.rows]
    for one in (one for editor in team.editors for one in editor.acked if one.path == "edits"):
        between = range(one.body["base"], one.revision - 1)
        edit = one.body["edit"]
        if edit["kind"] in {"assign", "new-grid", "lock"}:
            mine = set(edit.get("cells") or ()) | touched[one.revision - 1]
            assert not any(mine & touched[at] for at in between), one
        elif edit["kind"] in {"rename", "set"}:
            assert not any(edit["grid"] in named[at] for at in between), one


def assert_conflicts_name(team: Team, mirror: Mirror) -> None:
    """Each says what, who and when: as the log has it."""
    for problem in (problem for editor in team.editors for problem in editor.conflicts):
        assert (problem["status"], problem["code"]) == (409, "edit-conflict")
        assert problem["where"]["revision"] > problem["base"]
        assert problem["where"]["objects"]
        for item in problem["where"]["objects"]:
            row = mirror.rows[item["revision"] - 1]
            assert item["user"]["name"] == row.user
            if item["type"] == "cell":
                assert item["id"] in touched_cells(row.change)
            else:
                assert item["id"] in touched_grids(row.change)


def percentile(values: list[float], share: float) -> float:
    """Return the value that this share of all does not exceed."""
    ordered = sorted(values)
    return ordered[min(int(share * len(ordered)), len(ordered) - 1)]


def figures(team: Team, seconds: float) -> dict[str, Any]:
    """Return what the run is reported by."""
    taken = [one.seconds for editor in team.editors for one in editor.acked]
    return {
        "edits": len(taken),
        "edits/s": round(len(taken) / seconds),
        "conflicts": sum(len(editor.conflicts) for editor in team.editors),
        "replays": team.replays,
        "p50 ms": round(statistics.median(taken) * 1000),
        "p99 ms": round(percentile(taken, 0.99) * 1000),
    }


@pytest.mark.parametrize(
    ("editors", "each"), [(6, 25), pytest.param(20, 500, marks=pytest.mark.torture)], ids=str
)
def test_many_editors_lose_nothing(place: Place, tmp_path: Path, editors: int, each: int) -> None:
    mirror, tokens = Mirror(place), place.team(editors)
    with serving(place.data, **TEAM, THREADS="32") as server:
        team = Team(mirror, server.port, tokens, each)
        seconds = team.run()
        with Client(server.port, tokens[0]) as client:
            mirror.assert_served(client)
    acked = {one.op_id: one.revision for editor in team.editors for one in editor.acked}
    assert {row.op_id: row.revision for row in mirror.rows} == acked
    assert len(acked) == editors * each
    log = place.log()
    assert [edit.op_id for edit in log] == [row.op_id for row in mirror.rows]
    assert_same(mirror.plan, replayed(place.start, log))
    assert_whole(mirror.plan, place.start)
    assert_tiles(place.dataset, mirror.plan, tmp_path)
    assert_nothing_overwritten(team, mirror)
    assert_conflicts_name(team, mirror)
    said = figures(team, seconds)
    assert said["conflicts"]
    assert said["replays"]
    print(f"\n{editors} editors: {said}")
