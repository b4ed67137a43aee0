"""Read from a journal how often a worker failed in a row, and how often in the same way."""

from __future__ import annotations

from typing import Sequence

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
    count = 0
    for record in failures:
        if record.event is not Event.FAILURE or record.fingerprint != fingerprint:
            break
        count += 1
    return count


def decided_in_a_row(failures: Sequence[Record], rule: str | None) -> int:
    """Count how often `rule` decided at the head of `failures` (newest first)."""
    count = 0
    for record in failures:
        if rule is None or record.rule != rule:
            break
        count += 1
    return count


def crashes_in_a_row(failures: Sequence[Record]) -> int:
    """Count the crashes at the head of `failures` (newest first)."""
    count = 0
    for record in failures:
        if record.event is not Event.CRASH:
            break
        count += 1
    return count
