"""What the workers of a model did, trial loads included, as a time line for people."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Sequence

from ts_retry_ext.plain_text import cause_line, in_one_line, verdict_line
from ts_retry_ext.store.record import Event, Record, TrialResult
from ts_retry_ext.store.times import to_seconds

#: Newest records that are shown; a journal keeps a few hundred.
SHOWN = 200
_RESULTS = {
    TrialResult.LOADED: "trial loaded",
    TrialResult.FAILED: "trial failed",
    TrialResult.LATE: "trial too slow",
    TrialResult.ERROR: "no trial made",
}


@dataclass(frozen=True)
class TimelineEntry:
    """One event of a worker.

    Attributes:
        at: when, ISO 8601 UTC.
        after_sec: seconds since the first one shown.
        place: where on the time line, from 0 to 1.
        event: what happened, as the journal names it; of a trial load that ended, with its result.
        title: the same for people.
        pid: the worker's process id, or a dash.
        words: more about it.
    """

    at: str
    after_sec: float
    place: float
    event: str
    title: str
    pid: object
    words: str


def attempts_of(records: Sequence[Record], most: int = SHOWN) -> tuple[TimelineEntry, ...]:
    """Return the newest events, oldest first, at most so many."""
    shown = [r for r in records if r.event is not Event.SUMMARY][-most:]
    if not shown:
        return ()
    times = [to_seconds(record.at) for record in shown]
    first, span = times[0], max(1.0, times[-1] - times[0])
    return tuple(
        TimelineEntry(
            at=record.at,
            after_sec=max(0.0, at - first),
            place=min(1.0, max(0.0, (at - first) / span)),
            event=record.event.value + (f" {record.result.value}" if record.result else ""),
            title=title_of(record),
            pid="-" if record.pid is None else record.pid,
            words=words_of(record),
        )
        for record, at in zip(shown, times)
    )


def title_of(record: Record) -> str:
    """Return what happened, for people."""
    if record.event is Event.TRIED and record.result is not None:
        return _RESULTS[record.result]
    return "trial begins" if record.event is Event.TRIAL else record.event.value


def words_of(record: Record) -> str:
    """Return more about it: of a failure the verdict and the cause, else the reason."""
    if not record.is_failure:
        return in_one_line(record.reason or "")
    cause = ""
    if record.exception is not None:
        first_line = record.exception.message.strip().partition("\n")[0]
        cause = cause_line(record.exception.type, first_line)
    if record.verdict is None or record.basis is None:
        return f"not judged {cause}".strip()
    return f"{verdict_line(record.verdict, record.basis, record.rule)} {cause}".strip()
