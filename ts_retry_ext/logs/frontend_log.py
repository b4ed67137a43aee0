"""Read TorchServe's own log: what it does with each worker, with or without the package.

The lines are those of 0.12.0 WorkerLifeCycle (the start of a process), WorkerThread (state, retry,
LOAD) and MODEL_LOG (what the process itself writes).
"""

from __future__ import annotations

import re
import time
from dataclasses import dataclass
from typing import Iterable

from ts_retry_ext.judge import failure_from_text
from ts_retry_ext.logs.log_record import Kind, LogRecord, records
from ts_retry_ext.logs.root_cause import root_of
from ts_retry_ext.logs.tracebacks import cut

_STATE = re.compile(r"State change \S+ -> (WORKER_\w+)")
_RETRY = re.compile(r"Retry worker: \d+ in (\d+) seconds")

#: States of a worker (0.12.0 WorkerState).
LOADED, STOPPED = "WORKER_MODEL_LOADED", "WORKER_STOPPED"


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
            found = root_of(cut(text.split("\n")))
            if found is not None:
                failure = failure_from_text(found.text)
                return failure.type, failure.message
        return None


def read_log(text: str) -> dict[str, WorkerLog]:
    """Return what the console log `text` tells of each model."""
    found: dict[str, list[LogRecord]] = {}
    for record in records(text.encode().split(b"\n")):
        if record.port:
            model = record.name.decode("utf-8", "replace").rpartition("_")[0]
            found.setdefault(model, []).append(record)
    return {model: _worker(own) for model, own in found.items()}


def _worker(found: Iterable[LogRecord]) -> WorkerLog:
    loads = 0
    state: str | None = None
    wait_sec: int | None = None
    retry_at: float | None = None
    words: list[list[str]] = []
    for record in found:
        text = record.text.decode("utf-8", "replace")
        changed, retry = _STATE.search(text), _RETRY.match(text)
        if record.kind is not Kind.WORKER:
            if words:
                words[-1].append(text)
        elif text.startswith("Worker cmdline"):
            state = wait_sec = retry_at = None
            words.append([])
        elif text.startswith("Flushing req.cmd LOAD"):
            loads += 1
        elif changed is not None:
            state = changed[1]
        elif retry is not None:
            wait_sec = int(retry[1])
            retry_at = _seconds(record.at or 0) + wait_sec
    joined = tuple("\n".join(lines) for lines in words)
    return WorkerLog(len(words), loads, state, wait_sec, retry_at, joined)


def _seconds(at: int) -> float:
    """Return a time of a log, whose clock shows local time, in seconds since the epoch."""
    return time.mktime((*time.gmtime(at // 1000)[:8], -1)) + at % 1000 / 1000
