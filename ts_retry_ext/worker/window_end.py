"""Tell when the frontend's retry window ends, as a holder needs it: from the journal, at little cost.

`store.back_off` knows more, and brings more along than a process that holds has room for.
"""

from __future__ import annotations

from typing import Sequence

from ts_retry_ext.store.record import FAILURES, Event, Record
from ts_retry_ext.store.times import to_seconds


def window_ends_at(records: Sequence[Record], window_sec: float) -> float | None:
    """Return when the window of a model's first worker to fail ends, in seconds since the epoch.

    The frontend measures it from the first stop since the worker last answered LOAD with 200 (0.12.0
    WorkerThread). None if nothing has failed since.

    Args:
        records: the journal.
        window_sec: the window in force.
    """
    first: str | None = None
    for record in records:
        if record.event is Event.LOADED:
            first = None
        elif first is None and record.event in FAILURES:
            first = record.at
    return None if first is None else to_seconds(first) + window_sec
