"""One line of a journal: what a worker process did, and when.

A record is parsed once, when it is read. A line of another schema, with an event that this version
does not know, or with a value that cannot be ours is no record.
"""

from __future__ import annotations

from enum import Enum
from typing import Any, Mapping, NamedTuple

from ts_retry_ext.store.atomic import SCHEMA
from ts_retry_ext.store.exception_record import (
    ExceptionRecord,
    exception_from_json,
    exception_to_json,
)
from ts_retry_ext.store.shape import spoilt_keys


class Event(str, Enum):
    """What a worker process did. Every process writes START or HOLD first."""

    START = "start"
    """It set out to load the model."""
    LOAD = "load"
    """LOAD arrived and the model's code begins to run."""
    LOADED = "loaded"
    """The model serves."""
    FAILURE = "failure"
    """An exception ended it; the record carries the whole report."""
    CRASH = "crash"
    """A later process wrote this: the process died without an exception."""
    END = "end"
    """It ended in an orderly way without having loaded."""
    HOLD = "hold"
    """It holds, because a marker applies."""
    TRIAL = "trial"
    """While it holds, it began a trial load."""
    TRIED = "tried"
    """Its trial load ended; `Record.result` says how, and a failure is reported as by FAILURE."""
    RELEASE = "release"
    """It stops holding."""
    RESUME = "resume"
    """The marker was removed, by whomever: counting starts anew."""
    SUMMARY = "summary"
    """Counts of older records that gave way."""


class TrialResult(str, Enum):
    """How a trial load ended."""

    LOADED = "loaded"
    FAILED = "failed"
    LATE = "late"
    """It had not ended within the time that the frontend gives a load."""
    ERROR = "error"
    """It could not be made, which says nothing about the model."""


#: What a worker wrote last that fails no more by itself.
FAILURES = frozenset((Event.FAILURE, Event.CRASH))
#: What a process writes while it holds.
HOLDING = frozenset((Event.HOLD, Event.TRIAL, Event.TRIED))
#: Results of trial loads that say something against the model.
_FAILED_TRIALS = (TrialResult.FAILED, TrialResult.LATE)


class WorkerProcess(NamedTuple):
    """The process that a record is about.

    Attributes:
        pid: its id; start: names its start for good; socket: where it listened.
        launch: what the frontend launched: this process, or the first of torchrun's ranks.
    """

    pid: int
    start: str
    socket: str
    launch: str


class Record(NamedTuple):
    """One event in the life of a registration's workers.

    Attributes:
        at: when, ISO 8601 UTC; empty until the record is appended.
        pid, start, socket, launch: see `WorkerProcess`; None where the record is about no worker.
        group: names the ranks that torchrun started together, None for other workers.
        launcher: whether a launcher stands between the frontend and the process.
        asynchronous: whether the frontend talks to it with ``asyncCommunication``.
        model: the model's name as far as the process knew it; version: its version.
        oom_kills: how many processes the kernel had ended for lack of memory by its start, or
            None where the host does not say.
        result: how a trial load ended; None with any event other than TRIED.
        verdict, basis, rule, scope, phase, reason, remedy, fingerprint, fingerprint_version: the
            verdict on a failure. Other events may have a reason, too.
        waits_for: of a failure, what could end a halt that follows from it; see `Marker`.
        exception: what failed; None with other events, and where the report gave way.
        counts: of a SUMMARY, how many records of each event gave way, and see `journal_totals`.
        first_failure: of a SUMMARY, when the first failure was, ISO 8601 UTC.
    """

    event: Event
    at: str = ""
    pid: int | None = None
    start: str | None = None
    socket: str | None = None
    launch: str | None = None
    group: str | None = None
    launcher: bool = False
    asynchronous: bool = False
    model: str | None = None
    version: str | None = None
    oom_kills: int | None = None
    result: TrialResult | None = None
    verdict: str | None = None
    basis: str | None = None
    rule: str | None = None
    scope: str | None = None
    phase: str | None = None
    reason: str | None = None
    remedy: str | None = None
    fingerprint: str | None = None
    fingerprint_version: int | None = None
    waits_for: tuple[str, ...] = ()
    exception: ExceptionRecord | None = None
    counts: Mapping[str, int] | None = None
    first_failure: str | None = None

    @property
    def process(self) -> WorkerProcess | None:
        """Return the process that the record is about, or None where it does not name one."""
        if self.pid is None or self.start is None or self.socket is None:
            return None
        return WorkerProcess(self.pid, self.start, self.socket, self.launch or self.socket)

    @property
    def is_failure(self) -> bool:
        """Tell whether a load or a start of the model failed: a worker's own, or a trial load."""
        return self.event in FAILURES or self.is_failed_trial

    @property
    def is_failed_trial(self) -> bool:
        """Tell whether a trial load failed."""
        return self.event is Event.TRIED and self.result in _FAILED_TRIALS


def record_to_json(record: Record) -> dict[str, Any]:
    """Return a record as its line holds it; what is not known is left out."""
    fields = record._asdict().items()
    known = {k: v for k, v in fields if v is not None and v is not False and v != ()}
    content: dict[str, Any] = {"schema": SCHEMA, **known}
    if record.exception is not None:
        content["exception"] = exception_to_json(record.exception)
    return content


def record_from_json(content: object) -> Record | None:
    """Return the record that a line holds, or None where it is none of ours; see the module."""
    if not isinstance(content, dict) or content.get("schema") != SCHEMA:
        return None
    if "event" not in content or "at" not in content or spoilt_keys(content):
        return None
    known = {key: content[key] for key in Record._fields if key in content}
    try:
        known["event"] = Event(known["event"])
        if known.get("result") is not None:
            known["result"] = TrialResult(known["result"])
    except ValueError:
        return None
    known["waits_for"] = tuple(known.get("waits_for", ()))
    if known.get("exception") is not None:
        known["exception"] = exception_from_json(known["exception"])
    return Record(**known)
