"""Read TorchServe's own log: what it does with each worker, with or without the package.

The lines are those of 0.12.0 WorkerLifeCycle (the start of a process), WorkerThread (state, retry,
LOAD) and MODEL_LOG (what the process itself writes), in the format of its default log4j2.xml.
"""

from __future__ import annotations

import re
import time
from dataclasses import dataclass
from typing import Iterable, NamedTuple

from ts_retry_ext.judge import Phase, failure_from_text

_LINE = re.compile(
    r"^(?P<at>\S+) \[\w+ *\] W-\d+-(?P<model>.+)_[^_ ]+?(?:-std(?:out|err))? "
    r"(?P<logger>\S+) - (?P<text>.*)$"
)
_STATE = re.compile(r"State change \S+ -> (WORKER_\w+)")
_RETRY = re.compile(r"Retry worker: \d+ in (\d+) seconds")
_TRACEBACK = "Traceback (most recent call last)"

LOADED, STOPPED = "WORKER_MODEL_LOADED", "WORKER_STOPPED"
"""States of a worker (0.12.0 WorkerState)."""


@dataclass(frozen=True)
class WorkerLog:
    """What the log tells of the one worker of a model.

    Attributes:
        starts: processes that were started for it.
        loads: times that LOAD was sent to one.
        state: the frontend's state of it, or None while its process starts.
        wait_sec: how long the frontend waits before the retry that is due, or None.
        retry_at: when that is over, seconds since the epoch.
        words: what each process wrote, lines joined.
    """

    starts: int
    loads: int
    state: str | None
    wait_sec: int | None
    retry_at: float | None
    words: tuple[str, ...]

    @property
    def cause(self) -> tuple[str, str] | None:
        """Return type and message of the last exception that a process wrote, or None."""
        for text in reversed(self.words):
            _, found, rest = text.partition(_TRACEBACK)
            if found:
                failure = failure_from_text(found + rest, Phase.INITIALIZE)
                return failure.type, failure.message
        return None


class _Entry(NamedTuple):
    at: str
    logger: str
    text: str


def read_log(text: str) -> dict[str, WorkerLog]:
    """Return what the console log `text` tells of each model."""
    entries: dict[str, list[_Entry]] = {}
    for line in text.splitlines():
        found = _LINE.match(line)
        if found is not None:
            entry = _Entry(found["at"], found["logger"], found["text"])
            entries.setdefault(found["model"], []).append(entry)
    return {model: _worker(own) for model, own in entries.items()}


def _worker(entries: Iterable[_Entry]) -> WorkerLog:
    loads = 0
    state: str | None = None
    wait_sec: int | None = None
    retry_at: float | None = None
    words: list[list[str]] = []
    for entry in entries:
        changed, retry = _STATE.search(entry.text), _RETRY.match(entry.text)
        if entry.logger == "MODEL_LOG":
            if words:
                words[-1].append(entry.text)
        elif entry.text.startswith("Worker cmdline"):
            state = wait_sec = retry_at = None
            words.append([])
        elif entry.text.startswith("Flushing req.cmd LOAD"):
            loads += 1
        elif changed is not None:
            state = changed[1]
        elif retry is not None:
            wait_sec = int(retry[1])
            retry_at = _seconds(entry.at) + wait_sec
    joined = tuple("\n".join(lines) for lines in words)
    return WorkerLog(len(words), loads, state, wait_sec, retry_at, joined)


def _seconds(at: str) -> float:
    """Return a time as the log has it, such as ``2026-11-23T16:38:22,543``, in local time."""
    whole, _, thousandths = at.partition(",")
    return time.mktime(time.strptime(whole, "%Y-%m-%dT%H:%M:%S")) + int(thousandths or 0) / 1000
