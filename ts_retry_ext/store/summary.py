"""Count the records of a journal, so that the oldest can give way and their number stays."""

from __future__ import annotations

from typing import Iterable

from ts_retry_ext.store.record import Event, Record

#: Key of a SUMMARY's counts, beside the events: trial loads that failed.
FAILED_TRIAL = "failed-trial"


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
    if record.is_failed_trial:
        return {record.event.value: 1, FAILED_TRIAL: 1}
    return {record.event.value: 1}
