"""What the workers of a model did, as a time line for people."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Sequence

from ts_retry_ext.store import journal
from ts_retry_ext.store.journal import Record
from ts_retry_ext.store.times import to_seconds

SHOWN = 200
"""Newest records that are shown; a journal keeps a few hundred."""


@dataclass(frozen=True)
class Attempt:
    """One event of a worker.

    Attributes:
        at: when, ISO 8601 UTC.
        after_sec: seconds since the first one shown.
        place: where on the time line, from 0 to 1.
        event: what happened, as the journal names it.
        pid: the worker's process id, or a dash.
        words: more about it.
    """

    at: str
    after_sec: float
    place: float
    event: str
    pid: object
    words: str


def attempts_of(records: Sequence[Record]) -> tuple[Attempt, ...]:
    """Return the newest events, oldest first."""
    shown = [r for r in records if r["event"] != journal.SUMMARY][-SHOWN:]
    if not shown:
        return ()
    times = [to_seconds(record["at"]) for record in shown]
    first, span = times[0], max(1.0, times[-1] - times[0])
    return tuple(
        Attempt(
            at=str(record["at"]),
            after_sec=max(0.0, at - first),
            place=min(1.0, max(0.0, (at - first) / span)),
            event=str(record["event"]),
            pid=record.get("pid", "-"),
            words=_words(record),
        )
        for record, at in zip(shown, times)
    )


def _words(record: Record) -> str:
    if record["event"] in (journal.FAILURE, journal.CRASH):
        exception = record.get("exception") or {}
        lines = str(exception.get("message") or "").strip().splitlines() or [""]
        cause = f"{exception.get('type') or ''}: {lines[0]}".strip(": ")
        decided = record.get("rule") or record.get("basis")
        verdict = f"{record.get('verdict') or 'not judged'} ({decided})"
        return f"{verdict} {cause[:300]}".strip()
    return str(record.get("reason") or "")
