"""A process that stays: ``python -m web.jobs.resident FOLDER``.

It reads a project's layers or a dataset once, inside the same fences as a job, and then answers questions about
them: one line of JSON in, one line of JSON out. A question is ``{"ask": NAME, …}``; an answer is ``{"answer": …}``
or ``{"error": …}``. The first line it writes says that it is ready.
"""

from __future__ import annotations

import json
import os
import sys
import traceback
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, Protocol

from geo.errors import GeoError
from web.jobs import sandbox
from web.jobs.child import ProgressFile, described, fail, relabel, too_large, unreadable

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping


class Desk(Protocol):
    """What answers questions about its data."""

    def overview(self) -> dict[str, Any]:
        """Return what is known before anything is asked."""

    def answer(self, name: str, question: dict[str, Any]) -> Any:
        """Answer one question."""


def main(folder: Path) -> int:
    """Open the desk that `folder` describes and answer until the other side closes."""
    task = json.loads((folder / "task.json").read_text(encoding="utf-8"))
    out = folder / "out"
    answers = _own_output()
    sandbox.die_with_parent(task["parent"])
    sandbox.give_way(sandbox.STAYING)
    sandbox.limit(task["limits"])
    write = [out, *(Path(path) for path in task["write"])]
    sandbox.confine(read=[Path(path) for path in task["read"]], write=write)
    labels = task["labels"]
    try:
        desk = _open(task, out)
    except GeoError as error:
        return fail(out, error, labels)
    except (MemoryError, RecursionError) as error:
        traceback.print_exception(error)
        return fail(out, too_large(), {})
    except Exception as error:  # noqa: BLE001 - whatever a reader raises, the planner gets an answer
        traceback.print_exception(error)
        return fail(out, unreadable(), {})
    _say(answers, '{"answer": "ready"}')
    for line in sys.stdin:
        _say(answers, _answered(desk, json.loads(line), labels))
    return 0


def _own_output() -> IO[str]:
    """Return the standard output for answers alone: what libraries print goes to the log."""
    kept = os.dup(1)
    os.dup2(2, 1)
    return os.fdopen(kept, "w", encoding="utf-8")


def _open(task: Mapping[str, Any], out: Path) -> Desk:
    # Only now, inside the fences, is anything loaded that could read a foreign file.
    from pyogrio import list_drivers  # noqa: PLC0415

    sandbox.check_drivers(list_drivers())
    desk = _opener(task["operation"])(task["parameters"], out, progress=ProgressFile(out))
    text = json.dumps(desk.overview(), ensure_ascii=False, default=str, allow_nan=False)
    (out / "overview.json").write_text(relabel(text, task["labels"]), encoding="utf-8")
    return desk


def _opener(operation: str) -> Callable[..., Desk]:
    """Return what opens the desk of an operation."""
    if operation == "resolve":
        from web.jobs import plan_desk  # noqa: PLC0415

        return plan_desk.open_desk
    from web.jobs import coverage_desk  # noqa: PLC0415

    return coverage_desk.open_desk


def _answered(desk: Desk, question: dict[str, Any], labels: dict[str, str]) -> str:
    try:
        answer = desk.answer(question.pop("ask"), question)
        text = json.dumps({"answer": answer}, ensure_ascii=False, default=str, allow_nan=False)
    except GeoError as error:
        return f'{{"error": {described(error, labels)}}}'
    except (MemoryError, RecursionError) as error:
        traceback.print_exception(error)
        return f'{{"error": {described(too_large(), {})}}}'
    except Exception as error:  # noqa: BLE001 - one bad question must not end the process
        traceback.print_exception(error)
        return f'{{"error": {described(_failed(), {})}}}'
    return text if not labels else relabel(text, labels)


def _failed() -> GeoError:
    from web.errors import JobError  # noqa: PLC0415

    return JobError(
        "desk-failed",
        "计算出错，已记录。请换一组参数重试；如仍出现请联系管理员。",
        "The computation failed and is logged. Try other settings, or tell your administrator.",
    )


def _say(answers: IO[str], line: str) -> None:
    answers.write(line.replace("\n", " ") + "\n")
    answers.flush()


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
