"""What a journal adds up to: counts of its records, so that the oldest can give way, and totals."""

from __future__ import annotations

from typing import Iterable, NamedTuple, Sequence

from ts_retry_ext.store.record import FAILURES, Event, Record, TrialResult

#: Keys of a SUMMARY's counts, beside the events: trial loads that failed, and those of each result.
FAILED_TRIAL = "failed-trial"
_RESULT = "tried-"


def summary_of(records: Iterable[Record]) -> Record:
    """Return a SUMMARY of `records`, oldest first, an earlier SUMMARY among them included."""
    counts: dict[str, int] = {}
    first_failure: str | None = None
    for record in records:
        for name, count in _counts_of(record).items():
            counts[name] = counts.get(name, 0) + count
        failed_at = record.at if record.is_failure else record.first_failure
        first_failure = first_failure or failed_at
    return Record(Event.SUMMARY, counts=counts, first_failure=first_failure)


def _counts_of(record: Record) -> dict[str, int]:
    if record.event is Event.SUMMARY:
        return dict(record.counts or {})
    counts = {record.event.value: 1}
    if record.is_failed_trial:
        counts[FAILED_TRIAL] = 1
    if record.result is not None:
        counts[_RESULT + record.result.value] = 1
    return counts


def trials_by_result(records: Iterable[Record]) -> dict[TrialResult, int]:
    """Return how many trial loads ended in which way, those whose records gave way included."""
    counts = summary_of(records).counts or {}
    found = ((result, counts.get(_RESULT + result.value, 0)) for result in TrialResult)
    return {result: count for result, count in found if count}


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
