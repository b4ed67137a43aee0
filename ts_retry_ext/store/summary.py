"""Count the records of a journal, so that the oldest can give way and their number stays."""

from __future__ import annotations

from typing import Iterable

from ts_retry_ext.store.record import Event, Record, TrialResult

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
