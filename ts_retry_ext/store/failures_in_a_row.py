"""Read from a journal how often a worker failed in a row, and how often in the same way."""

from __future__ import annotations

from itertools import takewhile
from typing import Callable, Sequence

from ts_retry_ext.store.record import FAILURES, Event, Record


def failures_in_a_row(records: Sequence[Record], socket: str) -> list[Record]:
    """Return the failures of one worker since it last loaded or was resumed, newest first.

    Counted for each worker (its socket names it): four workers of a model that fail at the same
    moment have failed once each, not four times in a row.
    """
    found: list[Record] = []
    for record in reversed(records):
        if record.event is Event.RESUME:
            break
        if record.socket != socket:
            continue
        if record.event is Event.LOADED:
            break
        if record.event in FAILURES:
            found.append(record)
    return found


def identical_failures(failures: Sequence[Record], fingerprint: str) -> int:
    """Count how often `fingerprint` stands at the head of `failures` (newest first)."""
    return _count_at_head(
        failures, lambda r: r.event is Event.FAILURE and r.fingerprint == fingerprint
    )


def decided_in_a_row(failures: Sequence[Record], rule: str | None) -> int:
    """Count how often `rule` decided at the head of `failures` (newest first)."""
    return _count_at_head(failures, lambda r: rule is not None and r.rule == rule)


def crashes_in_a_row(failures: Sequence[Record]) -> int:
    """Count the crashes at the head of `failures` (newest first)."""
    return _count_at_head(failures, lambda r: r.event is Event.CRASH)


def _count_at_head(failures: Sequence[Record], counts: Callable[[Record], bool]) -> int:
    return sum(1 for _ in takewhile(counts, failures))
