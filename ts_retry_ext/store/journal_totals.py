"""Read a journal's totals: what the workers of a registration did so far."""

from __future__ import annotations

from typing import NamedTuple, Sequence

from ts_retry_ext.store.record import FAILURES, Event, Record
from ts_retry_ext.store.summary import FAILED_TRIAL, summary_of


class JournalTotals(NamedTuple):
    """What the workers of one registration did so far.

    Attributes:
        model: the model's name as the frontend sent it, else as its manifest says, or None.
        version: its version, or None.
        worker_starts: processes, holders included.
        loads: processes that went on to load the model, and trial loads that have ended.
        failures: loads, trial loads and starts that ended in an exception or a crash.
        first_failure: when, ISO 8601 UTC, or None.
        last_failure: the record of the last one, or None.
        loaded: whether the last thing a worker did, holding aside, was to load the model.
        trials: trial loads that have ended.
    """

    model: str | None
    version: str | None
    worker_starts: int
    loads: int
    failures: int
    first_failure: str | None
    last_failure: Record | None
    loaded: bool
    trials: int = 0


def summarise(records: Sequence[Record]) -> JournalTotals:
    """Return the totals of a journal."""
    last_failure: Record | None = None
    loaded = False
    model: str | None = None
    version: str | None = None
    for record in records:
        model = record.model or model
        version = record.version or version
        if record.is_failure:
            last_failure = record
        if record.event in FAILURES:
            loaded = False
        elif record.event is Event.LOADED:
            loaded = True
    total = summary_of(records)
    counts = total.counts or {}

    def counted(*names: str) -> int:
        return sum(counts.get(name, 0) for name in names)

    return JournalTotals(
        model=model,
        version=version,
        worker_starts=counted(Event.START, Event.HOLD),
        loads=counted(Event.LOAD, Event.TRIED),
        failures=counted(*FAILURES, FAILED_TRIAL),
        first_failure=total.first_failure,
        last_failure=last_failure,
        loaded=loaded,
        trials=counted(Event.TRIED),
    )
